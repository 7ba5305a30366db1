//! What a price means: the tariffs it chooses from, and what it needs to know of an account before.

use meterhost_sdk::Decimal;

use crate::tariff::Tariff;

/// A price that was checked.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How much of the total no band counts.
    pub(crate) included: Decimal,
    /// The total decides between these; all but volume prices have one only. Ascending, and the last has no end.
    pub(crate) bands: Vec<Band>,
    /// What an account comes to at least; 0 where nothing is said.
    pub(crate) minimum: Decimal,
}

/// A tariff for accounts of a certain total.
#[derive(Debug, Clone)]
pub(crate) struct Band {
    /// The largest total of it, without what is included.
    pub(crate) up_to: Option<Decimal>,
    pub(crate) tariff: Tariff,
    /// What is owed on top, and shared out.
    pub(crate) fee: Decimal,
}

impl Plan {
    pub(crate) fn of(included: Decimal, tariff: Tariff, minimum: Decimal) -> Self {
        Plan { included, bands: vec![Band { up_to: None, tariff, fee: Decimal::ZERO }], minimum }
    }

    /// The one tariff of a price that needs no survey.
    pub(crate) fn tariff(&self) -> Option<&Tariff> {
        self.bands.first().map(|band| &band.tariff)
    }

    /// The price of a unit, where a charge costs that and nothing else, whatever else the account has.
    pub(crate) fn unit(&self, closed: bool) -> Option<Decimal> {
        match self.tariff() {
            Some(Tariff::Unit(price)) if !self.surveys(closed) => Some(*price),
            _ => None,
        }
    }

    /// Whether an account's total has to be known before its first charge can be priced.
    pub(crate) fn surveys(&self, closed: bool) -> bool {
        self.bands.len() > 1 || self.bands.iter().any(|band| !band.fee.is_zero()) || (closed && self.closes())
    }

    /// Whether more is owed once the period is over.
    pub(crate) fn closes(&self) -> bool {
        !self.minimum.is_zero()
    }
}
