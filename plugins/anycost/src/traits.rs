//! What the place is like, and what it would surely refuse.

use drops::Cells;
use meterhost_sdk::{ChargeBatch, Error, Objection, PlaceTraits, Rate, WindowKind};
use sheets::{Known, Objections};

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
    let (place, rate) = match &plan.place {
        Place::Drops(drops) => (drops.root.to_string(), None),
        // CloudZero takes one request at a time of a stream, and says nothing of how many.
        Place::Stream(target) => (target.url.clone(), Some(Rate { requests: 1, per: 1_000, burst: 1 })),
    };
    Ok(PlaceTraits {
        place,
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
    plan.keys.check_alone(batch, &mut wrong);
    let mut pricing = plan.cost.pricing(false);
    let known = Known { pricing: &mut pricing, alone: true };
    // Tags that would be written as one are looked at each by itself, and one that has no key is objected to already.
    let tags = plan.keys.written(batch).map(|(name, column)| (name, Cells::from(column)));
    Sheet::of(plan, batch, tags, known, &mut wrong);
    wrong.told(batch)
}
