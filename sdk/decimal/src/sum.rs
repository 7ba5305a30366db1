//! Totals of many decimals. What comes out, a number or the answer that it does not fit, depends on what was added and not on
//! the order of it.

use std::cmp::Ordering;

use crate::wide::I384;
use crate::{DIGITS, Decimal, has_38_digits, power_of_ten};

/// A running total.
///
/// As long as the terms share one scale, a term costs one addition of 128 bits. A total may leave the range of 38 digits and come
/// back; only the end is judged, by [`DecimalSum::finish`].
///
/// ```
/// use meterhost_decimal::{Decimal, DecimalSum};
///
/// let mut sum = DecimalSum::new();
/// sum.add_coefficient(1_250_u64, 3);
/// sum.add(Decimal::ONE);
/// assert_eq!(sum.finish(), Decimal::new(225, 2));
/// ```
#[derive(Clone, Default, Debug)]
pub struct DecimalSum {
    /// The total without `spilled`, at `scale`.
    current: i128,
    /// The largest scale of all terms so far.
    scale: u8,
    /// A term was no decimal.
    invalid: bool,
    /// What did not fit `current`, at the scale 38. A spill is below 2^254, so 2^128 of them fit.
    spilled: Option<Box<I384>>,
}

impl DecimalSum {
    /// The total of nothing: 0.
    #[must_use]
    pub const fn new() -> Self {
        Self { current: 0, scale: 0, invalid: false, spilled: None }
    }

    /// Adds a decimal.
    #[inline]
    pub fn add(&mut self, term: Decimal) {
        self.add_any(term.coefficient, term.scale);
    }

    /// Adds `coefficient / 10^scale`. If that is no decimal (see [`Decimal::new`]), neither is the total, whatever follows.
    #[inline]
    pub fn add_coefficient(&mut self, coefficient: impl Into<i128>, scale: u8) {
        let coefficient = coefficient.into();
        if has_38_digits(coefficient) && scale <= DIGITS {
            self.add_any(coefficient, scale);
        } else {
            self.invalid = true;
        }
    }

    /// Adds everything that another total holds.
    pub fn merge(&mut self, other: &Self) {
        self.invalid |= other.invalid;
        self.add_any(other.current, other.scale);
        if let Some(spilled) = &other.spilled {
            self.spill(**spilled);
        }
    }

    /// The total so far, at the largest scale of its terms if 38 digits allow; `None` if they do not hold it exactly, or if
    /// something was added that is no decimal.
    #[must_use]
    pub fn finish(&self) -> Option<Decimal> {
        if self.invalid {
            return None;
        }
        let Some(spilled) = &self.spilled else {
            return Decimal::new(self.current, self.scale).or_else(|| self.judge(I384::default()));
        };
        self.judge(**spilled)
    }

    fn judge(&self, spilled: I384) -> Option<Decimal> {
        let below = DIGITS - self.scale;
        // More than 256 bits at the scale 38 is more than 38 digits before the point.
        let (negative, magnitude) = spilled.plus(I384::scaled_up(self.current, below)).to_sign_and_magnitude()?;
        Decimal::from_wide(negative, magnitude.divided_exactly(below)?, self.scale)
    }

    #[inline]
    fn add_any(&mut self, coefficient: i128, scale: u8) {
        if scale == self.scale
            && let Some(current) = self.current.checked_add(coefficient)
        {
            self.current = current;
        } else {
            self.add_unlike(coefficient, scale);
        }
    }

    /// Adds a term of another scale, or one that makes `current` overflow.
    #[inline(never)]
    fn add_unlike(&mut self, coefficient: i128, scale: u8) {
        let mut aligned = Some(coefficient);
        match scale.cmp(&self.scale) {
            Ordering::Less => {
                aligned = coefficient.checked_mul(power_of_ten(self.scale - scale));
            }
            Ordering::Equal => {}
            Ordering::Greater => {
                let rescaled = self.current.checked_mul(power_of_ten(scale - self.scale));
                self.current = rescaled.unwrap_or_else(|| {
                    self.spill(I384::scaled_up(self.current, DIGITS - self.scale));
                    0
                });
                self.scale = scale;
            }
        }
        match aligned.and_then(|aligned| self.current.checked_add(aligned)) {
            Some(current) => self.current = current,
            None => self.spill(I384::scaled_up(coefficient, DIGITS - scale)),
        }
    }

    fn spill(&mut self, amount: I384) {
        let spilled = self.spilled.get_or_insert_default();
        **spilled = spilled.plus(amount);
    }
}
