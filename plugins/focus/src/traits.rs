//! What the place is like, and what it would surely refuse.

use meterhost_sdk::{ChargeBatch, Error, Objection, PlaceTraits, WindowKind};
use sheets::{Known, Objections};

use crate::parents;
use crate::plan::Plan;
use crate::sheet::Sheet;

/// The longest that one request may take, in milliseconds: a piece of a file.
const DEADLINE: u32 = 60_000;

/// What is known of the place.
pub(crate) fn of(plan: &Plan, windows: WindowKind) -> Result<PlaceTraits, Error> {
    match windows {
        WindowKind::Hour | WindowKind::Day => {}
        WindowKind::Month | WindowKind::Other => {
            let why = "who reads FOCUS looks at costs by the hour and by the day, and a charge of a month is one row";
            return Err(Error::Config(format!("{why}: the pipeline's window has to be \"hour\" or \"day\"")));
        }
    }
    Ok(PlaceTraits {
        place: plan.drops.root.to_string(),
        windows: vec![WindowKind::Hour, WindowKind::Day],
        rate: None,
        surveys: plan.cost.surveys(),
        closes: plan.cost.closes(),
        deadline: DEADLINE,
    })
}

/// What of these charges cannot be published.
pub(crate) fn objections(plan: &Plan, batch: &ChargeBatch) -> Vec<Objection> {
    let mut wrong = Objections::default();
    let mut pricing = plan.cost.pricing(false);
    let sheet = Sheet::of(plan, batch, Known { pricing: &mut pricing, alone: true }, &mut wrong);
    parents::check_alone(&sheet, batch, &mut wrong);
    wrong.told(batch)
}
