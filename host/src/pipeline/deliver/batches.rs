//! What stands in a call: charges that belong together, within what the service takes.

use std::collections::HashMap;

use crate::ledger::Charge;
use crate::model::service::ServiceTraits;
use crate::model::window::{Window, WindowKind};

/// Calls' contents: oldest window first, within what the service takes.
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
        let mut bytes = 0;
        for charge in charges {
            let size = traits.bytes_per_charge + texts(&charge);
            let full = batch.len() >= traits.charges_per_call || bytes + size > traits.bytes_per_call;
            if full && !batch.is_empty() {
                batches.push(std::mem::take(&mut batch));
                bytes = 0;
            }
            bytes += size;
            batch.push(charge);
        }
        batches.push(batch);
    }
    batches
}

/// How many bytes the texts of a charge take.
fn texts(charge: &Charge) -> u64 {
    let key = charge.key();
    let pairs = key.tags.iter().chain(charge.attributes()).map(|(name, value)| name.len() + value.len());
    (key.product.len() + key.customer.len() + key.dimension.len() + pairs.sum::<usize>() + 40) as u64
}
