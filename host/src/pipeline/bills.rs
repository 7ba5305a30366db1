//! What would be one charge of a sink: the line of one customer, or those of all customers that the sink's table bills as one.
//!
//! The quantities of several customers are added, each as its aggregator computed it. For sums and counts that is what they come to
//! together; of maxima it is the sum of each customer's maximum, of unique counts that of each customer's count.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use meterhost_decimal::Decimal;

use super::doubts::Doubts;
use crate::config::{Customers, Payer, Pipeline, SinkSpec};
use crate::model::charge::{ChargeId, Key, Part, Share};
use crate::model::lines::ChargeLine;
use crate::model::window::Window;

/// What would be one charge.
pub(super) struct Bill<'a> {
    /// Where nobody knows whom to bill, it names the customer as the usage does.
    pub(super) key: Key,
    /// None where the sink's table has no row for the customer.
    pub(super) id: Option<ChargeId>,
    /// At least one; several only by a table.
    pub(super) lines: Vec<&'a ChargeLine>,
    /// The position of the aggregator that made them.
    pub(super) aggregate: usize,
    /// What the lines come to.
    pub(super) exact: Decimal,
    /// Why that is in doubt, if it is.
    pub(super) doubt: Option<String>,
    pub(super) origins: Vec<(String, u64)>,
    /// One a line, if it is a table that says whom to bill.
    pub(super) parts: Vec<Part>,
    pub(super) attributes: Vec<(String, String)>,
}

/// The key of the charge that a line goes into at a sink; none where its table has no row for the customer.
pub(super) fn key(pipeline: &Pipeline, spec: &SinkSpec, window: &Window, line: &ChargeLine) -> Option<Key> {
    let (product, customer) = match &spec.customers {
        None => (&line.product, &line.customer),
        Some(table) => {
            let Payer { id, product, .. } = table.payer(&line.customer)?;
            (product.as_ref().unwrap_or(&line.product), id)
        }
    };
    Some(named(pipeline, spec, window, line, product, customer))
}

fn named(
    pipeline: &Pipeline,
    spec: &SinkSpec,
    window: &Window,
    line: &ChargeLine,
    product: &str,
    customer: &str,
) -> Key {
    Key {
        pipeline: pipeline.name.clone(),
        sink: spec.plugin.name.clone(),
        product: product.to_owned(),
        customer: customer.to_owned(),
        dimension: line.dimension.clone(),
        tags: line.tags.clone(),
        window: *window,
    }
}

/// What a sink's lines of one window make, ascending by key where there is a table, else in the order of the lines.
pub(super) fn bills<'a>(
    pipeline: &Pipeline,
    spec: &SinkSpec,
    window: &Window,
    lines: impl Iterator<Item = &'a (usize, ChargeLine)>,
) -> Vec<Bill<'a>> {
    let Some(table) = &spec.customers else {
        let bill = |(aggregate, line): &'a (usize, ChargeLine)| {
            let key = named(pipeline, spec, window, line, &line.product, &line.customer);
            Bill::own(key, true, *aggregate, line)
        };
        return lines.map(bill).collect();
    };
    let mut known: BTreeMap<Key, Vec<(usize, &ChargeLine)>> = BTreeMap::new();
    let mut bills = Vec::new();
    for (aggregate, line) in lines {
        match key(pipeline, spec, window, line) {
            Some(key) => known.entry(key).or_default().push((*aggregate, line)),
            None => {
                let key = named(pipeline, spec, window, line, &line.product, &line.customer);
                bills.push(Bill::own(key, false, *aggregate, line));
            }
        }
    }
    bills.extend(known.into_iter().map(|(key, lines)| Bill::joined(key, &lines, table)));
    bills.sort_by(|left, right| (&left.key, left.id).cmp(&(&right.key, right.id)));
    bills
}

/// What is in doubt for one sink. A customer of whom no record can be used makes no line, and may still owe a part of the charge that
/// the table bills it with.
pub(super) struct SinkDoubts<'a> {
    pub(super) all: &'a Doubts,
    /// Customers of whom something is in doubt, ascending, by the customer that the table bills for them; with the product, where it is
    /// the table that says it.
    by_payer: HashMap<&'a str, BTreeSet<(&'a str, Option<&'a str>)>>,
}

impl<'a> SinkDoubts<'a> {
    pub(super) fn of(spec: &'a SinkSpec, all: &'a Doubts) -> Self {
        let mut by_payer: HashMap<&str, BTreeSet<(&str, Option<&str>)>> = HashMap::new();
        if let Some(table) = &spec.customers {
            for customer in all.doubted() {
                if let Some(Payer { id, product, .. }) = table.payer(customer) {
                    by_payer.entry(id).or_default().insert((customer, product.as_deref()));
                }
            }
        }
        SinkDoubts { all, by_payer }
    }

    /// The customers of whom something is in doubt, as the usage names them and as the sink is told.
    pub(super) fn customers(&self) -> HashSet<&str> {
        self.all.doubted().chain(self.by_payer.keys().copied()).collect()
    }
}

impl<'a> Bill<'a> {
    /// Of one line, whose customer is billed itself.
    fn own(key: Key, is_known: bool, aggregate: usize, line: &'a ChargeLine) -> Self {
        Bill {
            id: is_known.then(|| key.id()),
            key,
            lines: vec![line],
            aggregate,
            exact: line.quantity,
            doubt: line.doubt.clone(),
            origins: line.origins.clone(),
            parts: Vec::new(),
            attributes: line.attributes.clone(),
        }
    }

    /// Of the lines of all customers that a table bills as one.
    fn joined(key: Key, lines: &[(usize, &'a ChargeLine)], table: &Customers) -> Self {
        let mut bill = Bill {
            id: Some(key.id()),
            key,
            lines: Vec::new(),
            aggregate: lines.first().map_or(usize::MAX, |(aggregate, _)| *aggregate),
            exact: Decimal::ZERO,
            doubt: None,
            origins: Vec::new(),
            parts: Vec::new(),
            attributes: Vec::new(),
        };
        let mut origins: BTreeMap<&str, u64> = BTreeMap::new();
        for &(aggregate, line) in lines {
            bill.lines.push(line);
            match bill.exact.checked_add(line.quantity) {
                Some(sum) => bill.exact = sum,
                None => bill.doubts("what its customers owe together has more than 38 digits".to_owned()),
            }
            if let Some(doubt) = &line.doubt {
                bill.doubts(format!("{}: {doubt}", line.customer));
            }
            if aggregate != bill.aggregate {
                bill.doubts(
                    "two [aggregate] sections make parts of this charge: rename what one of them makes".to_owned(),
                );
            }
            for (dimension, records) in &line.origins {
                *origins.entry(dimension).or_default() += records;
            }
            for (name, value) in &line.attributes {
                match bill.attributes.iter().find(|(other, _)| other == name) {
                    Some((_, other)) if other != value => {
                        bill.doubts(format!("its customers differ in the attribute `{name}`: {other} and {value}"));
                    }
                    Some(_) => {}
                    None => bill.attributes.push((name.clone(), value.clone())),
                }
            }
            bill.parts.push(Part {
                product: line.product.clone(),
                customer: line.customer.clone(),
                quantity: line.quantity,
                origins: line.origins.clone(),
            });
        }
        bill.origins = origins.into_iter().map(|(dimension, records)| (dimension.to_owned(), records)).collect();
        // The table's rows agree; what a person wrote there goes before what an aggregator says.
        let payer = bill.lines.first().and_then(|line| table.payer(&line.customer));
        for (name, value) in payer.map_or(&[][..], |payer| &payer.attributes) {
            bill.attributes.retain(|(other, _)| other != name);
            bill.attributes.push((name.clone(), value.clone()));
        }
        bill
    }

    /// The first doubt is told.
    fn doubts(&mut self, doubt: String) {
        self.doubt.get_or_insert(doubt);
    }

    /// The id by which a person speaks of it: the one that it has or would have, where it is known whom to bill.
    pub(super) fn handle(&self) -> ChargeId {
        self.id.unwrap_or_else(|| self.key.handle())
    }

    /// Whose records go into it.
    pub(super) fn shares(&self) -> impl Iterator<Item = Share<'_>> {
        Share::all(&self.key, &self.origins, &self.parts)
    }

    /// Why records that it is or may be made from are in doubt, if they are.
    pub(super) fn doubted(&self, doubts: &SinkDoubts<'_>) -> Option<String> {
        let own = self.shares().find_map(|share| doubts.all.about(share.customer, share.origins));
        own.or_else(|| {
            let same = doubts.by_payer.get(self.key.customer.as_str()).filter(|_| self.id.is_some())?;
            let pays = |product: &Option<&str>| product.is_none_or(|product| product == self.key.product);
            same.iter().filter(|(_, product)| pays(product)).find_map(|(who, _)| doubts.all.about(who, &self.origins))
        })
    }

    /// A customer whose own total is negative. What the others owe does not make a credit of it.
    pub(super) fn negative(&self) -> Option<&'a ChargeLine> {
        self.lines.iter().copied().find(|line| line.quantity.is_negative())
    }
}
