//! From a running quantity to a cost: what each charge adds.
//!
//! All that is remembered of the charges before is how much fits until the next tier or package begins. So no running total can
//! overflow, and what a charge costs cannot depend on one that comes after it.

use meterhost_sdk::{Decimal, Rounding};

/// How the quantity of an account, from its first unit to its last, is priced.
#[derive(Debug, Clone)]
pub(crate) enum Tariff {
    /// Every unit costs the same.
    Unit(Decimal),
    /// One price after the other. The first step is what is included, though it be nothing, and the last has no end.
    Steps(Vec<Step>),
    /// So much is free; behind it, each package that is begun is paid whole.
    Packages { included: Decimal, size: Decimal, price: Decimal },
}

/// A range of the quantity in which all units cost the same.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// How much it holds; nothing for the last one, which holds all that comes.
    pub(crate) width: Option<Decimal>,
    pub(crate) price: Decimal,
    /// What is owed once the first part of a unit lies in it.
    pub(crate) fee: Decimal,
}

/// How far an account has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// How much fits into the step or the package that was reached last.
    left: Decimal,
    step: usize,
}

impl Tariff {
    /// Where an account begins.
    pub(crate) fn start(&self) -> Place {
        let left = match self {
            Tariff::Unit(_) => Decimal::ZERO,
            Tariff::Steps(steps) => steps.first().and_then(|step| step.width).unwrap_or_default(),
            Tariff::Packages { included, .. } => *included,
        };
        Place { left, step: 0 }
    }

    /// What a quantity adds to the cost, and where the account stands then; nothing if 38 digits do not hold it.
    #[inline]
    pub(crate) fn add(&self, place: Place, quantity: Decimal) -> Option<(Decimal, Place)> {
        match self {
            Tariff::Unit(price) => Some((quantity.checked_mul(*price)?, place)),
            Tariff::Steps(steps) => climb(steps, place, quantity),
            Tariff::Packages { size, price, .. } => open(*size, *price, place, quantity),
        }
    }

    /// What an account of this total costs.
    pub(crate) fn whole(&self, total: Decimal) -> Option<Decimal> {
        self.add(self.start(), total).map(|(cost, _)| cost)
    }
}

fn climb(steps: &[Step], mut place: Place, mut quantity: Decimal) -> Option<(Decimal, Place)> {
    let mut cost = Decimal::ZERO;
    let mut step = steps.get(place.step)?;
    while step.width.is_some() && quantity > place.left {
        cost = cost.checked_add(place.left.checked_mul(step.price)?)?;
        quantity = quantity.checked_sub(place.left)?;
        place.step += 1;
        step = steps.get(place.step)?;
        place.left = step.width.unwrap_or_default();
        cost = cost.checked_add(step.fee)?;
    }
    if step.width.is_some() {
        place.left = place.left.checked_sub(quantity)?;
    }
    let rest = quantity.checked_mul(step.price)?;
    Some((if cost.is_zero() { rest } else { cost.checked_add(rest)? }, place))
}

fn open(size: Decimal, price: Decimal, place: Place, quantity: Decimal) -> Option<(Decimal, Place)> {
    if quantity <= place.left {
        return Some((Decimal::ZERO, Place { left: place.left.checked_sub(quantity)?, ..place }));
    }
    let more = quantity.checked_sub(place.left)?;
    let mut begun = more.checked_div(size)?.value.round(0, Rounding::Up);
    // A quotient that has 38 digits before the point shows nothing behind it, so that it may be one short.
    if begun.checked_mul(size)? < more {
        begun = begun.checked_add(Decimal::ONE)?;
    }
    let left = begun.checked_mul(size)?.checked_sub(more)?;
    Some((begun.checked_mul(price)?, Place { left, ..place }))
}
