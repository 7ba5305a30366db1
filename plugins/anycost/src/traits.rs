//! What the place is like, and what it would surely refuse.

use std::collections::BTreeMap;

use meterhost_sdk::{ChargeBatch, Error, Objection, PlaceTraits, Rate, WindowKind};
use sheets::{Known, Objections};

use crate::keys;
use crate::plan::{Place, Plan};
use crate::sheet::Sheet;

/// The longest that one request may take, in milliseconds: a piece of a file, or a body of 5 MB and its answer.
pub(crate) const DEADLINE: u32 = 60_000;

/// What is known of the place.
pub(crate) fn of(plan: &Plan, windows: WindowKind) -> Result<PlaceTraits, Error> {
    match windows {
        WindowKind::Hour | WindowKind::Day => {}
        WindowKind::Month | WindowKind::Other => {
            let why = "CloudZero counts costs by the hour, and a charge of a month would stand in its first hour alone";
            return Err(Error::Config(format!("{why}: the pipeline's window has to be \"hour\" or \"day\"")));
        }
    }
    let rate = match plan.place {
        Place::Drops(_) => None,
        // CloudZero takes one request at a time of a stream, and says nothing of how many.
        Place::Stream(_) => Some(Rate { requests: 1, per: 1_000, burst: 1 }),
    };
    Ok(PlaceTraits {
        windows: vec![WindowKind::Hour, WindowKind::Day],
        rate,
        surveys: plan.cost.surveys(),
        closes: plan.cost.closes(),
        deadline: DEADLINE,
    })
}

/// What of these charges cannot be published.
pub(crate) fn objections(plan: &Plan, batch: &ChargeBatch) -> Vec<Objection> {
    let mut wrong = Objections::default();
    let mut keys: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, column) in batch.tags().filter(|(name, _)| plan.keys.is_picked(name)) {
        match plan.keys.key(name) {
            Ok(key) => keys.entry(key).or_default().push(name),
            Err(why) => {
                let held = (0..batch.len()).filter(|row| column.get(*row).is_some());
                held.for_each(|row| wrong.add(row, "tags", why.clone()));
            }
        }
    }
    for (key, names) in &keys {
        let pairs =
            names.iter().enumerate().flat_map(|(at, left)| names.iter().skip(at + 1).map(move |right| (left, right)));
        for (left, right) in pairs {
            let has = |name: &str, row| batch.tag(name).and_then(|column| column.get(row)).is_some();
            let both = (0..batch.len()).filter(|row| has(left, *row) && has(right, *row));
            both.for_each(|row| wrong.add(row, "tags", keys::same(left, right, key)));
        }
    }
    let mut pricing = plan.cost.pricing(false);
    let known = Known { pricing: &mut pricing, alone: true };
    // Names that would become one key are looked at each by itself.
    let names = keys.values().flatten().map(|name| (*name, *name));
    Sheet::of(plan, batch, names, known, &mut wrong);
    wrong.told(batch)
}
