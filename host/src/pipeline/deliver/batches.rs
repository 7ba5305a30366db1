//! What stands in a call: charges that belong together, within what the service takes. A slot of which the service keeps one record is
//! never cut: a record that was sent without one of its charges would lock that out.

use std::collections::HashMap;

use crate::ledger::Charge;
use crate::model::service::ServiceTraits;
use crate::model::window::{Window, WindowKind};

/// Calls' contents: oldest window first, within what the service takes. The charges of a slot stand side by side.
pub(super) fn batches(traits: &ServiceTraits, charges: Vec<Charge>) -> Vec<Vec<Charge>> {
    let together = traits.together;
    let group = |charge: &Charge| {
        let key = charge.key();
        (
            together.window.then_some(key.window),
            together.month.then(|| Window::containing(WindowKind::Month, key.window.start())),
            together.product.then(|| key.product.clone()),
            together.customer.then(|| key.customer.clone()),
        )
    };
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<Charge>> = Vec::new();
    for charge in charges {
        let place = *places.entry(group(&charge)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(charge),
            None => groups.push(vec![charge]),
        }
    }
    let mut batches = Vec::new();
    for charges in groups {
        let mut batch: Vec<Charge> = Vec::new();
        let (mut records, mut bytes) = (0, 0);
        for record in joined(traits, charges) {
            let size = record.iter().map(|charge| traits.bytes_per_charge + texts(charge)).sum::<u64>();
            let full = records >= traits.charges_per_call || bytes + size > traits.bytes_per_call;
            if full && !batch.is_empty() {
                batches.push(std::mem::take(&mut batch));
                (records, bytes) = (0, 0);
            }
            records += 1;
            bytes += size;
            batch.extend(record);
        }
        batches.push(batch);
    }
    batches
}

/// The charges that make one record each, in the order of their first ones.
fn joined(traits: &ServiceTraits, charges: Vec<Charge>) -> Vec<Vec<Charge>> {
    if !traits.joins_tags {
        return charges.into_iter().map(|charge| vec![charge]).collect();
    }
    let mut places = HashMap::new();
    let place = |charge: &Charge| {
        let next = places.len();
        *places.entry(charge.key().untagged()).or_insert(next)
    };
    let at: Vec<usize> = charges.iter().map(place).collect();
    let mut records: Vec<Vec<Charge>> = vec![Vec::new(); places.len()];
    for (at, charge) in at.into_iter().zip(charges) {
        if let Some(record) = records.get_mut(at) {
            record.push(charge);
        }
    }
    records
}

/// The records of a call: where charges of one slot make one, those are not to be parted.
pub(super) fn records<'c>(traits: &ServiceTraits, charges: &'c [Charge]) -> Vec<&'c [Charge]> {
    let is_one = |left: &Charge, right: &Charge| traits.joins_tags && left.key().slot() == right.key().slot();
    charges.chunk_by(is_one).collect()
}

/// A call in two, each with some of its records; nothing where there is only one.
pub(super) fn halves<'c>(traits: &ServiceTraits, charges: &'c [Charge]) -> Option<(&'c [Charge], &'c [Charge])> {
    let records = records(traits, charges);
    if records.len() < 2 {
        return None;
    }
    let left = records.iter().take(records.len() / 2).map(|record| record.len()).sum();
    charges.split_at_checked(left)
}

/// A call in parts of at most so many records each, the last first.
pub(super) fn parts(traits: &ServiceTraits, mut charges: Vec<Charge>, most: usize) -> Vec<Vec<Charge>> {
    let mut parts = Vec::new();
    loop {
        let records = records(traits, &charges);
        if records.len() <= most.max(1) {
            parts.push(charges);
            return parts;
        }
        let rest: usize = records.iter().rev().take(most.max(1)).map(|record| record.len()).sum();
        parts.push(charges.split_off(charges.len() - rest));
    }
}

/// How many bytes the texts of a charge take.
fn texts(charge: &Charge) -> u64 {
    let key = charge.key();
    let pairs = key.tags.iter().chain(charge.attributes()).map(|(name, value)| name.len() + value.len());
    (key.product.len() + key.customer.len() + key.dimension.len() + pairs.sum::<usize>() + 40) as u64
}
