//! The bucket: objects of usage, and what a source and an aggregator make of them.

use std::collections::{BTreeMap, BTreeSet};

use meterhost_decimal::Decimal;

use crate::ledger::InputSeen;
use crate::model::lines::ChargeLine;
use crate::model::reading::{Input, Quarantined};
use crate::pipeline::dedupe::{Conflict, Other};
use crate::pipeline::gathered::Reading;
use crate::pipeline::tally::Pair;

/// A record of usage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Usage {
    pub(super) day: u8,
    pub(super) customer: u8,
    pub(super) dimension: u8,
    pub(super) quantity: u8,
    /// It cannot be used: there is no number in it.
    pub(super) is_bad: bool,
    pub(super) id: u8,
}

/// What goes out where dimensions of the input make tags.
pub(super) const ALL: &str = "all";

/// Customer and dimension.
pub(super) type Of = (u8, u8);

/// What is in the bucket.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// Each with its version.
    objects: BTreeMap<u8, (u32, Vec<Usage>)>,
    versions: u32,
    dedupe: bool,
    /// Whether quantities are tenths.
    tenths: bool,
    /// Whether each dimension of the input makes tags, and all of them one dimension.
    tags: bool,
}

/// What one window holds, as somebody who reads all of it by hand would say.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// By customer and dimension.
    pub(super) owed: BTreeMap<Of, Decimal>,
    /// Of which nothing can be said surely.
    pub(super) doubted: BTreeSet<Of>,
    pub(super) records: u64,
}

impl Bucket {
    pub(super) fn new(dedupe: bool, tenths: bool, tags: bool) -> Self {
        Bucket { dedupe, tenths, tags, ..Bucket::default() }
    }

    pub(super) fn put(&mut self, object: u8, records: Vec<Usage>) {
        self.versions += 1;
        self.objects.insert(object, (self.versions, records));
    }

    pub(super) fn remove(&mut self, object: u8) {
        self.objects.remove(&object);
    }

    pub(super) fn copy(&mut self, from: u8, to: u8) {
        if let Some((_, records)) = self.objects.get(&from).cloned() {
            self.put(to, records);
        }
    }

    fn quantity(&self, record: &Usage) -> Decimal {
        let text = if self.tenths {
            format!("{}.{}", record.quantity / 10, record.quantity % 10)
        } else {
            record.quantity.to_string()
        };
        Decimal::parse(&text).unwrap()
    }

    /// The inputs of a window, as a listing shows them: those that hold something of it.
    pub(super) fn inputs(&self, day: u8) -> Vec<InputSeen> {
        let of = self.objects.iter().filter(|(_, (_, records))| records.iter().any(|record| record.day == day));
        let seen = of.map(|(object, (version, records))| InputSeen {
            key: format!("o{object}"),
            etag: version.to_string(),
            size: records.len() as u64,
            items: records.len() as u64,
        });
        seen.collect()
    }

    /// What a source and an aggregator make of a window.
    pub(super) fn read(&self, day: u8) -> Reading {
        let mut reading = Reading::default();
        for InputSeen { key, etag, size, items } in self.inputs(day) {
            reading.inputs.push((Input { key, etag, size, span: None }, items));
        }
        let mut sums: BTreeMap<Of, (Decimal, u64)> = BTreeMap::new();
        let mut seen: BTreeMap<(u8, u8), Vec<&Usage>> = BTreeMap::new();
        let mut differ: BTreeMap<Of, BTreeSet<u8>> = BTreeMap::new();
        for (object, (_, records)) in &self.objects {
            for (at, record) in records.iter().enumerate().filter(|(_, record)| record.day == day) {
                let of = (record.customer, record.dimension);
                if record.is_bad {
                    reading.quarantined.push(Quarantined {
                        input: format!("o{object}"),
                        place: format!("record {at}"),
                        reason: "it has no quantity".to_owned(),
                        records: 1,
                        customer: Some(customer(record.customer)),
                        product: None,
                        dimension: Some(dimension(record.dimension)),
                        span: None,
                    });
                    continue;
                }
                if self.dedupe {
                    let same = seen.entry((record.id, record.dimension)).or_default();
                    if same.contains(&record) {
                        reading.duplicates += 1;
                        continue;
                    }
                    if !same.is_empty() {
                        for other in same.iter().copied().chain([record]) {
                            differ.entry((other.customer, other.dimension)).or_default().insert(record.id);
                        }
                    }
                    same.push(record);
                }
                let (sum, count) = sums.entry(of).or_insert((Decimal::ZERO, 0));
                (*sum, *count) = (sum.checked_add(self.quantity(record)).unwrap(), *count + 1);
            }
        }
        for ((who, what), (quantity, records)) in sums {
            let (customer, dimension) = (customer(who), dimension(what));
            let pair = Pair { product: String::new(), customer: customer.clone(), dimension: dimension.clone() };
            reading.tally.insert(pair, records);
            let line = ChargeLine {
                product: String::new(),
                customer,
                origins: vec![(dimension.clone(), records)],
                dimension: if self.tags { ALL.to_owned() } else { dimension.clone() },
                tags: if self.tags { vec![("of".to_owned(), dimension)] } else { Vec::new() },
                quantity,
                doubt: None,
                attributes: Vec::new(),
            };
            reading.lines.push((0, line));
        }
        reading.conflicts = differ
            .into_iter()
            .map(|((who, what), ids)| Conflict {
                customer: customer(who),
                dimension: dimension(what),
                other: Other::Here,
                ids: ids.iter().map(|id| format!("id-{id}")).collect(),
            })
            .collect();
        reading
    }

    /// The same, said once more and in another way.
    pub(super) fn truth(&self, day: u8) -> Truth {
        let all: Vec<&Usage> =
            self.objects.values().flat_map(|(_, records)| records).filter(|record| record.day == day).collect();
        let mut truth = Truth { records: all.len() as u64, ..Truth::default() };
        let bad = all.iter().filter(|record| record.is_bad);
        truth.doubted.extend(bad.map(|record| (record.customer, record.dimension)));
        let mut good: Vec<&Usage> = all.into_iter().filter(|record| !record.is_bad).collect();
        if self.dedupe {
            good.sort();
            good.dedup();
            for record in &good {
                let differs =
                    |other: &&&Usage| (other.id, other.dimension) == (record.id, record.dimension) && other != &record;
                if good.iter().any(|other| differs(&other)) {
                    truth.doubted.insert((record.customer, record.dimension));
                }
            }
        }
        for record in good {
            let sum = truth.owed.entry((record.customer, record.dimension)).or_insert(Decimal::ZERO);
            *sum = sum.checked_add(self.quantity(record)).unwrap();
        }
        truth
    }
}

pub(super) fn customer(number: u8) -> String {
    format!("c{number}")
}

pub(super) fn dimension(number: u8) -> String {
    format!("d{number}")
}
