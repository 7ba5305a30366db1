//! What is shared out over the charges of an account: the fee of a volume tier, and what is missing from a minimum.

use meterhost_sdk::{Decimal, DecimalSum, Rounding};

use crate::fault::Fault;
use crate::plan::Plan;
use crate::tariff::Place;

/// A share has so many digits behind the point at most.
const DIGITS: u8 = 12;

const COST: &str = "the cost";

/// What a survey has seen of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Survey {
    charges: u64,
    total: DecimalSum,
}

/// An account that was surveyed, while its charges are priced.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    /// Which of the plan's bands the total lies in.
    band: usize,
    place: Place,
    total: Decimal,
    /// What is shared out, and what of it is not shared out yet.
    amount: Decimal,
    left: Decimal,
    /// Charges that are still to come, and the quantities of those that came.
    missing: u64,
    priced: DecimalSum,
}

impl Survey {
    pub(crate) fn add(&mut self, quantity: Decimal) {
        self.charges += 1;
        self.total.add(quantity);
    }

    pub(crate) fn charges(&self) -> u64 {
        self.charges
    }

    /// What follows from the total.
    pub(crate) fn shares(&self, plan: &Plan, closed: bool) -> Result<Shares, Fault> {
        if self.charges == 0 {
            return Err(Fault::NotAsSurveyed);
        }
        let total = self
            .total
            .finish()
            .ok_or(Fault::TooLong("what all charges of this product, customer and dimension come to in the month"))?;
        let billable = total.checked_sub(plan.included).ok_or(Fault::TooLong(
            "what all charges of this product, customer and dimension come to, less what is included,",
        ))?;
        let reached = |up_to: Option<Decimal>| up_to.is_none_or(|up_to| billable <= up_to);
        let found = plan.bands.iter().enumerate().find(|(_, band)| reached(band.up_to));
        let (index, band) = found.ok_or(Fault::NotAsSurveyed)?;
        let fee = if billable > Decimal::ZERO { band.fee } else { Decimal::ZERO };
        let mut amount = fee;
        if closed && plan.closes() {
            let too_long = Fault::TooLong("what all charges of this product, customer and dimension cost together");
            let cost = band.tariff.whole(total).and_then(|cost| cost.checked_add(fee)).ok_or(too_long.clone())?;
            if cost < plan.minimum {
                let missing = plan.minimum.checked_sub(cost);
                amount = missing.and_then(|missing| missing.checked_add(fee)).ok_or(too_long)?;
            }
        }
        Ok(Shares {
            band: index,
            place: band.tariff.start(),
            total,
            amount,
            left: amount,
            missing: self.charges,
            priced: DecimalSum::new(),
        })
    }
}

impl Shares {
    /// How many charges the survey saw that were not priced.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// What the next charge costs.
    pub(crate) fn price(&mut self, plan: &Plan, quantity: Decimal) -> Result<Decimal, Fault> {
        let band = plan.bands.get(self.band).ok_or(Fault::NotAsSurveyed)?;
        let missing = self.missing.checked_sub(1).ok_or(Fault::NotAsSurveyed)?;
        let (cost, place) = band.tariff.add(self.place, quantity).ok_or(Fault::TooLong(COST))?;
        let share = self.share(quantity, missing == 0)?;
        let left = self.left.checked_sub(share).ok_or(Fault::TooLong(COST))?;
        // Other charges than those of the survey may be as many, and add up to more on the way.
        if left.is_negative() {
            return Err(Fault::NotAsSurveyed);
        }
        let cost = cost.checked_add(share).ok_or(Fault::TooLong(COST))?;
        if missing == 0 && !self.completes(quantity) {
            return Err(Fault::NotAsSurveyed);
        }
        self.priced.add(quantity);
        (self.place, self.left, self.missing) = (place, left, missing);
        Ok(cost)
    }

    /// Whether the quantities add up to the total with this one.
    fn completes(&self, quantity: Decimal) -> bool {
        let mut priced = self.priced.clone();
        priced.add(quantity);
        priced.finish() == Some(self.total)
    }

    fn share(&self, quantity: Decimal, last: bool) -> Result<Decimal, Fault> {
        if last {
            return Ok(self.left);
        }
        if quantity > self.total {
            return Err(Fault::NotAsSurveyed);
        }
        if self.amount.is_zero() || quantity.is_zero() {
            return Ok(Decimal::ZERO);
        }
        share(self.amount, quantity, self.total).ok_or(Fault::TooLong("the charge's share of what is owed on top"))
    }
}

/// `amount × part / whole`, cut to 12 digits behind the point; nothing if 38 digits do not hold what it is worked out with. The whole is
/// not 0, and the part not larger.
fn share(amount: Decimal, part: Decimal, whole: Decimal) -> Option<Decimal> {
    let digits = |decimal: Decimal, scale| Some(decimal.rescale(scale)?.coefficient().unsigned_abs());
    let scale = part.scale().max(whole.scale());
    let (part, whole) = (digits(part, scale)?, digits(whole, scale)?);
    let scale = amount.scale().max(DIGITS);
    let share = proportion(digits(amount, scale)?, part, whole)?;
    let share = Decimal::new(i128::try_from(share).ok()?, scale)?;
    Some(share.round(DIGITS, Rounding::Down))
}

/// `amount × part / whole`, without what is behind the point. No integer has more than 38 digits; the part is not larger than the whole.
fn proportion(amount: u128, part: u128, whole: u128) -> Option<u128> {
    if let Some(product) = amount.checked_mul(part) {
        return product.checked_div(whole);
    }
    if whole == 0 || part > whole {
        return None;
    }
    // Long multiplication in base two, which takes the whole out as it goes: the remainder stays below 3 × 10^38, which is below 2^128.
    let (mut quotient, mut remainder) = (0, 0);
    for bit in (0..u128::BITS - amount.leading_zeros()).rev() {
        quotient *= 2;
        remainder = remainder * 2 + if amount >> bit & 1 == 1 { part } else { 0 };
        while remainder >= whole {
            remainder -= whole;
            quotient += 1;
        }
    }
    Some(quotient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proportion_is_cut_and_never_rounded() {
        const LARGEST: u128 = 10_u128.pow(38) - 1;
        for (amount, part, whole, expected) in [
            (10, 1, 3, 3),
            (10, 2, 3, 6),
            (10, 3, 3, 10),
            (0, 1, 3, 0),
            // (10^38 − 1) × 1 / 3 = 33…3, and twice that is 66…6.
            (LARGEST, 1, 3, LARGEST / 3),
            (LARGEST, 2, 3, LARGEST / 3 * 2),
            (LARGEST, LARGEST, LARGEST, LARGEST),
            (LARGEST, LARGEST / 3, LARGEST, LARGEST / 3),
            // n × (n − 1) / n = n − 1.
            (LARGEST, LARGEST - 1, LARGEST, LARGEST - 1),
            // (n − 1)² / n = n − 2 + 1/n.
            (LARGEST - 1, LARGEST - 1, LARGEST, LARGEST - 2),
        ] {
            assert_eq!(proportion(amount, part, whole), Some(expected), "{amount} × {part} / {whole}");
        }
        assert_eq!(proportion(LARGEST, LARGEST, 1), None);
    }
}
