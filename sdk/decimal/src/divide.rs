//! Quotients. Most have no end in decimal, so they are cut in a way that still lets them be rounded once, correctly, later.

use crate::wide::U256;
use crate::{DIGITS, Decimal};

/// What a division gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Quotient {
    /// The quotient itself if `exact`; else its first digits, made ready for rounding: see [`Decimal::checked_div`].
    pub value: Decimal,
    /// Whether `value` is the quotient and nothing was cut off.
    pub exact: bool,
}

impl Decimal {
    /// `self / by`; `None` if `by` is 0 or if the quotient has more than 38 digits before the point.
    ///
    /// If the quotient can be written with 38 digits, at most 38 of them behind the point, it is exact. Else it is cut to as many
    /// digits as fit, by the rule `ROUND_05UP` of the General Decimal Arithmetic Specification (version 1.70, "Rounding"): toward
    /// zero, but where the last digit that is kept would be 0 or 5, that digit is one more.
    ///
    /// By that rule, what was cut off stays visible. Rounding `value` to fewer digits than it has, by any [`Rounding`], gives what
    /// rounding the true quotient once would have given, because a value that ends in 0 (which looks as if there were nothing to
    /// round) or in 5 (which looks as if it were the middle) stands for nothing but itself. `value` at its full length is at most
    /// one unit of the last digit away from the quotient.
    ///
    /// ```
    /// use meterhost_decimal::{Decimal, Rounding};
    ///
    /// let third = Decimal::ONE.checked_div(Decimal::from(3_u64)).ok_or("no quotient")?;
    /// assert!(!third.exact);
    /// assert_eq!(third.value.round(4, Rounding::Up).to_string(), "0.3334");
    /// # Ok::<(), &str>(())
    /// ```
    ///
    /// [`Rounding`]: crate::Rounding
    #[must_use]
    pub fn checked_div(self, by: Self) -> Option<Quotient> {
        if by.is_zero() {
            return None;
        }
        if self.is_zero() {
            return Some(Quotient { value: Self::ZERO, exact: true });
        }
        let dividend = U256::product(self.coefficient.unsigned_abs(), 1);
        let divisor = U256::product(by.coefficient.unsigned_abs(), 1);

        // The most zeros to append to the dividend such that the quotient stays below 10^38. With as many as this, dividend and
        // divisor × 10^38 have the same number of digits; one is too many if the dividend is not the smaller one.
        let mut zeros = DIGITS + divisor.digits() - dividend.digits();
        if dividend.scaled_up(zeros) >= divisor.scaled_up(DIGITS) {
            zeros -= 1;
        }
        // The scale of the quotient is `self.scale + zeros − by.scale`, which may not exceed 38 either. Scales are at most 38, so
        // none of these sums and differences overflows.
        zeros = zeros.min(DIGITS + by.scale - self.scale);
        let scale = (self.scale + zeros).checked_sub(by.scale)?;

        let divisor = by.coefficient.unsigned_abs();
        let (mut digits, remainder) = dividend.scaled_up(zeros).divided(divisor);
        let exact = remainder == 0;
        if !exact && digits.is_multiple_of(5) {
            digits += 1;
        }
        let digits = i128::try_from(digits).ok()?;
        let negative = self.is_negative() != by.is_negative();
        let value = Self::new(if negative { -digits } else { digits }, scale)?;
        Some(Quotient { value: if exact { value.normalised() } else { value }, exact })
    }
}
