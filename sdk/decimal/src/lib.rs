//! An exact decimal for quantities and prices: host and plugins share it, so that both sides of the contract count alike.
//!
//! A [`Decimal`] is an integer coefficient of at most 38 digits and a scale, the number of those digits that stand behind the
//! decimal point. Nothing in this crate is a float, and nothing is rounded unless [`Decimal::round`] or
//! [`Decimal::checked_div`] is asked to: an answer that does not fit is `None`.
//!
//! ```
//! use meterhost_decimal::{Decimal, Rounding};
//!
//! let price: Decimal = "0.0035".parse()?;
//! let owed = price.checked_mul(Decimal::from(1_250_u64)).ok_or("more than 38 digits")?;
//! assert_eq!(owed.to_string(), "4.375");
//! assert_eq!(owed.round(2, Rounding::HalfEven).to_string(), "4.38");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | subject |
//! |---|---|
//! | `parse` | text to decimal, with a fast path for short numbers |
//! | `format` | decimal to text |
//! | `arithmetic` | sums, differences, products, the order of numbers |
//! | `divide` | quotients that can be rounded later |
//! | `round` | fewer or more digits behind the point |
//! | `sum` | totals whose result does not depend on the order |
//! | `wide` | the integers of 256 and 384 bits behind these |
//! | `serde` | JSON and TOML, and the JSON Schema |

mod arithmetic;
mod divide;
mod format;
mod parse;
mod round;
#[cfg(any(feature = "serde", feature = "schemars"))]
mod serde;
mod sum;
mod wide;

pub use divide::Quotient;
pub use parse::ParseDecimalError;
pub use round::Rounding;
pub use sum::DecimalSum;

use wide::U256;

/// The most digits that a coefficient has, and the largest scale.
const DIGITS: u8 = 38;

/// The largest coefficient: 38 nines.
const LARGEST: i128 = 10_i128.pow(DIGITS as u32) - 1;

/// An exact decimal number: `coefficient / 10^scale`, with a coefficient of at most 38 digits and a scale of 0 to 38.
///
/// `1.5` and `1.50` are different pairs and the same number: they are equal, hash alike and print alike. An operation keeps the
/// scale of its operands as long as the result has room for it, and drops zeros at the end before it gives up.
#[derive(Clone, Copy, Default)]
pub struct Decimal {
    coefficient: i128,
    scale: u8,
}

impl Decimal {
    /// 0.
    pub const ZERO: Self = Self { coefficient: 0, scale: 0 };

    /// 1.
    pub const ONE: Self = Self { coefficient: 1, scale: 0 };

    /// The largest decimal: 38 nines before the point.
    pub const MAX: Self = Self { coefficient: LARGEST, scale: 0 };

    /// The least decimal: the negative of [`Decimal::MAX`].
    pub const MIN: Self = Self { coefficient: -LARGEST, scale: 0 };

    /// `coefficient / 10^scale`; `None` if the coefficient has more than 38 digits or the scale is beyond 38.
    #[inline]
    #[must_use]
    pub const fn new(coefficient: i128, scale: u8) -> Option<Self> {
        if has_38_digits(coefficient) && scale <= DIGITS { Some(Self { coefficient, scale }) } else { None }
    }

    /// The decimal whose coefficient has these halves, as it crosses the plugin contract; `None` as in [`Decimal::new`].
    #[inline]
    #[must_use]
    pub const fn from_parts(lo: u64, hi: i64, scale: u8) -> Option<Self> {
        Self::new(((hi as i128) << 64) | lo as i128, scale)
    }

    /// The low half of the coefficient, the high half with its sign, and the scale.
    #[inline]
    #[must_use]
    pub const fn to_parts(self) -> (u64, i64, u8) {
        (self.coefficient as u64, (self.coefficient >> 64) as i64, self.scale)
    }

    /// All digits as one integer, with the sign.
    #[inline]
    #[must_use]
    pub const fn coefficient(self) -> i128 {
        self.coefficient
    }

    /// How many digits of the coefficient stand behind the decimal point, zeros at the end included.
    #[inline]
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Whether the number is 0, at whatever scale.
    #[inline]
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// Whether the number is below 0.
    #[inline]
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// `±magnitude / 10^scale`, at the largest scale at which that fits; `None` if there is none.
    fn from_wide(negative: bool, magnitude: U256, scale: u8) -> Option<Self> {
        let surplus = magnitude.digits().saturating_sub(DIGITS).max(scale.saturating_sub(DIGITS));
        let scale = scale.checked_sub(surplus)?;
        let magnitude = magnitude.divided_exactly(surplus)?.to_u128()?;
        let magnitude = i128::try_from(magnitude).ok()?;
        Self::new(if negative { -magnitude } else { magnitude }, scale)
    }
}

/// Whether the coefficient is one of a decimal: one addition and one comparison.
#[inline]
const fn has_38_digits(coefficient: i128) -> bool {
    coefficient.wrapping_add(LARGEST).cast_unsigned() <= 2 * LARGEST.cast_unsigned()
}

/// `10^exponent`.
#[inline]
#[expect(clippy::indexing_slicing, reason = "every exponent is a scale or a difference of scales, so at most 38")]
fn power_of_ten(exponent: u8) -> i128 {
    POWERS[usize::from(exponent)]
}

#[expect(clippy::indexing_slicing, reason = "computed at compile time, within the length of the array")]
static POWERS: [i128; DIGITS as usize + 1] = {
    let mut powers = [1; DIGITS as usize + 1];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Decimal {
            #[inline]
            fn from(integer: $integer) -> Self {
                Self { coefficient: i128::from(integer), scale: 0 }
            }
        }
    )*};
}

from_integers!(u8, u16, u32, u64, i8, i16, i32, i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_38_digits_and_a_scale_of_38_and_no_more() {
        for (coefficient, scale, fits) in [
            (LARGEST, 38, true),
            (-LARGEST, 0, true),
            (LARGEST + 1, 0, false),
            (-LARGEST - 1, 0, false),
            (i128::MAX, 0, false),
            (i128::MIN, 0, false),
            (0, 38, true),
            (0, 39, false),
            (1, u8::MAX, false),
        ] {
            assert_eq!(Decimal::new(coefficient, scale).is_some(), fits, "{coefficient} at scale {scale}");
        }
    }

    #[test]
    fn the_parts_of_a_decimal_make_it_again() {
        for coefficient in [0, 1, -1, i128::from(u64::MAX), -(1 << 64), LARGEST, -LARGEST] {
            let (lo, hi, scale) = Decimal::new(coefficient, 7).map_or((0, 0, 0), Decimal::to_parts);
            let again = Decimal::from_parts(lo, hi, scale);
            assert_eq!(again.map(Decimal::coefficient), Some(coefficient));
            assert_eq!(again.map(Decimal::scale), Some(7));
        }
    }

    #[test]
    fn parts_beyond_38_digits_are_no_decimal() {
        assert_eq!(Decimal::from_parts(0, i64::MAX, 0), None);
        assert_eq!(Decimal::from_parts(0, i64::MIN, 0), None);
    }
}
