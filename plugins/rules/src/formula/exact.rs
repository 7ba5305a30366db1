//! Exact numbers with the operations of Python.
//!
//! | operation | as in Python |
//! |---|---|
//! | `/` | the exact quotient, whole or not |
//! | `//`, `%` | the quotient toward minus infinity, and what remains, which has the sign of the divisor |
//! | `**` | with a whole exponent, which may be negative |
//! | `int` | toward zero |
//! | `round` | to the nearest; from the middle, to the even neighbour |
//!
//! A number is a decimal as long as it can be, which is ten times as fast, and else a fraction.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{Display, Formatter};

use meterhost_sdk::{Decimal, Rounding};
use num_bigint::BigUint;
use num_traits::ToPrimitive;

use super::fraction::Fraction;

/// A number. One number may have both forms; they are equal.
#[derive(Debug, Clone)]
pub(crate) enum Exact {
    Decimal(Decimal),
    Fraction(Fraction),
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    DividesByZero,
    TooLarge,
    ExponentIsNotWhole,
    DigitsAreNotWhole,
    NoDecimal,
    NoFraction,
}

impl Display for Trouble {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Trouble::DividesByZero => "it divides by 0",
            Trouble::TooLarge => "a number on the way has more than 1,200 digits",
            Trouble::ExponentIsNotWhole => "an exponent is no whole number",
            Trouble::DigitsAreNotWhole => "the number of digits to round to is no whole number",
            Trouble::NoDecimal => "the result has more than 38 digits",
            Trouble::NoFraction => "the result is no whole number, and 38 digits do not show its fraction",
        })
    }
}

use Exact::Decimal as D;

impl Exact {
    /// A decimal, divided into as many parts.
    pub(crate) fn new(quantity: Decimal, parts: u64) -> Self {
        let parts = Decimal::from(parts.max(1));
        quotient(quantity, parts).unwrap_or_else(|| Exact::Fraction(Fraction::new(quantity, parts)))
    }

    pub(crate) fn zero() -> Self {
        D(Decimal::ZERO)
    }

    /// 1 for true, 0 for false.
    pub(super) fn truth(holds: bool) -> Self {
        D(if holds { Decimal::ONE } else { Decimal::ZERO })
    }

    /// `coefficient × 10^power`.
    pub(super) fn scaled(coefficient: BigUint, power: i64) -> Result<Self, Trouble> {
        let decimal = coefficient
            .to_i128()
            .zip(power.checked_neg().and_then(|scale| u8::try_from(scale).ok()))
            .and_then(|(digits, scale)| Decimal::new(digits, scale));
        decimal.map_or_else(|| Fraction::scaled(coefficient, power).map(Exact::Fraction), |decimal| Ok(D(decimal)))
    }

    pub(super) fn is_zero(&self) -> bool {
        match self {
            D(decimal) => decimal.is_zero(),
            Exact::Fraction(fraction) => fraction.is_zero(),
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        match self {
            D(decimal) => decimal.is_integer(),
            Exact::Fraction(fraction) => fraction.is_whole(),
        }
    }

    pub(super) fn add(&self, other: &Self) -> Result<Self, Trouble> {
        self.apply(other, |left, right| left.checked_add(right).map(D), Fraction::add)
    }

    pub(super) fn subtract(&self, other: &Self) -> Result<Self, Trouble> {
        self.apply(other, |left, right| left.checked_sub(right).map(D), Fraction::subtract)
    }

    pub(super) fn multiply(&self, other: &Self) -> Result<Self, Trouble> {
        self.apply(other, |left, right| left.checked_mul(right).map(D), Fraction::multiply)
    }

    pub(super) fn divide(&self, by: &Self) -> Result<Self, Trouble> {
        self.apply(by, quotient, Fraction::divide)
    }

    pub(super) fn floor_divide(&self, by: &Self) -> Result<Self, Trouble> {
        self.apply(by, |_, _| None, Fraction::floor_divide)
    }

    pub(super) fn remainder(&self, by: &Self) -> Result<Self, Trouble> {
        self.subtract(&by.multiply(&self.floor_divide(by)?)?)
    }

    pub(super) fn power(&self, exponent: &Self) -> Result<Self, Trouble> {
        self.apply(exponent, |_, _| None, Fraction::power)
    }

    pub(super) fn negative(&self) -> Self {
        match self {
            D(decimal) => decimal.checked_neg().map_or_else(|| Exact::Fraction(self.fraction().negative()), D),
            Exact::Fraction(fraction) => Exact::Fraction(fraction.negative()),
        }
    }

    pub(super) fn abs(&self) -> Self {
        if *self < Exact::zero() { self.negative() } else { self.clone() }
    }

    pub(super) fn int(&self) -> Self {
        match self {
            D(decimal) => D(decimal.round(0, Rounding::Down)),
            Exact::Fraction(fraction) => Exact::Fraction(fraction.int()),
        }
    }

    /// To as many digits behind the point, or, if negative, to as many zeros before it.
    pub(super) fn round(&self, digits: &Self) -> Result<Self, Trouble> {
        let rounded = |number: Decimal, digits: Decimal| {
            let digits = digits.rescale(0).and_then(|digits| u8::try_from(digits.coefficient()).ok())?;
            Some(D(number.round(digits, Rounding::HalfEven)))
        };
        self.apply(digits, rounded, Fraction::round)
    }

    /// The number with 38 digits. One that has no end is cut, and its last digit says so: see [`Decimal::checked_div`], whose rule this
    /// is.
    pub(crate) fn to_decimal(&self) -> Result<Decimal, Trouble> {
        match self {
            D(decimal) => Ok(decimal.normalised()),
            Exact::Fraction(fraction) => fraction.to_decimal(),
        }
    }

    /// By decimals, if both are and the result is one; else by fractions.
    fn apply(
        &self,
        other: &Self,
        decimals: impl FnOnce(Decimal, Decimal) -> Option<Exact>,
        fractions: impl FnOnce(&Fraction, &Fraction) -> Result<Fraction, Trouble>,
    ) -> Result<Self, Trouble> {
        if let (D(left), D(right)) = (self, other)
            && let Some(result) = decimals(*left, *right)
        {
            return Ok(result);
        }
        fractions(&self.fraction(), &other.fraction()).map(Exact::Fraction)
    }

    fn fraction(&self) -> Cow<'_, Fraction> {
        match self {
            D(decimal) => Cow::Owned(Fraction::new(*decimal, Decimal::ONE)),
            Exact::Fraction(fraction) => Cow::Borrowed(fraction),
        }
    }
}

/// The quotient, if a decimal holds all of it.
fn quotient(dividend: Decimal, divisor: Decimal) -> Option<Exact> {
    dividend.checked_div(divisor).filter(|quotient| quotient.exact).map(|quotient| D(quotient.value))
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (D(left), D(right)) => left.cmp(right),
            _ => self.fraction().cmp(&other.fraction()),
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Exact {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    type Operation = fn(&Exact, &Exact) -> Result<Exact, Trouble>;

    const OPERATIONS: [Operation; 8] = [
        Exact::add,
        Exact::subtract,
        Exact::multiply,
        Exact::divide,
        Exact::floor_divide,
        Exact::remainder,
        Exact::power,
        Exact::round,
    ];

    fn decimal() -> impl Strategy<Value = Decimal> {
        let coefficient = prop_oneof![-20_i128..20, -100_000_i128..100_000, -(10_i128.pow(38) - 1)..10_i128.pow(38)];
        (coefficient, 0_u8..39).prop_map(|(coefficient, scale)| Decimal::new(coefficient, scale % 39).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_decimal_and_the_fraction_of_the_same_value_give_the_same(left in decimal(), right in decimal(), whole in -40_i8..40) {
            let whole = Decimal::from(whole);
            let as_fraction = |decimal| Exact::Fraction(Fraction::new(decimal, Decimal::ONE));
            for right in [right, whole] {
                prop_assert_eq!(D(left).cmp(&D(right)), as_fraction(left).cmp(&as_fraction(right)));
                prop_assert_eq!(D(left).cmp(&as_fraction(right)), left.cmp(&right));
                for operation in OPERATIONS {
                    let (fast, slow) = (operation(&D(left), &D(right)), operation(&as_fraction(left), &as_fraction(right)));
                    prop_assert_eq!(&fast, &slow);
                    if let (Ok(fast), Ok(slow)) = (fast, slow) {
                        prop_assert_eq!(fast.to_decimal(), slow.to_decimal());
                    }
                }
            }
            for operation in [Exact::negative, Exact::abs, Exact::int] {
                prop_assert_eq!(operation(&D(left)), operation(&as_fraction(left)));
            }
            prop_assert_eq!(as_fraction(left).to_decimal(), Ok(left));
        }

        #[test]
        fn a_quotient_is_cut_as_decimals_cut_it(left in decimal(), right in decimal()) {
            prop_assume!(!right.is_zero());
            let cut = Exact::Fraction(Fraction::new(left, right)).to_decimal().ok();
            let expected = left.checked_div(right).filter(|quotient| quotient.exact || !quotient.value.is_integer());
            prop_assert_eq!(cut, expected.map(|quotient| quotient.value));
        }
    }
}
