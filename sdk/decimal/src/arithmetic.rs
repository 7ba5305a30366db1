//! Sums, differences, products and the order of numbers. Exact or `None`.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::wide::U256;
use crate::{DIGITS, Decimal, has_38_digits, power_of_ten};

impl Decimal {
    /// `self + other`; `None` if the exact sum has no form of 38 digits.
    ///
    /// Between equal scales this is one addition and one comparison.
    #[inline]
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.scale == other.scale {
            // Two coefficients of 38 digits may wrap around, but never back to one of 38 digits: 2 × 10^38 < 2^128 − 10^38.
            let coefficient = self.coefficient.wrapping_add(other.coefficient);
            if has_38_digits(coefficient) {
                return Some(Self { coefficient, scale: self.scale });
            }
        }
        self.add_unlike(other)
    }

    /// `self − other`; `None` if the exact difference has no form of 38 digits.
    #[inline]
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { coefficient: -other.coefficient, scale: other.scale })
    }

    /// `self × other`; `None` if the exact product has no form of 38 digits.
    #[inline]
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let scale = self.scale + other.scale;
        if scale <= DIGITS
            && let Some(coefficient) = self.coefficient.checked_mul(other.coefficient)
            && has_38_digits(coefficient)
        {
            return Some(Self { coefficient, scale });
        }
        Self::from_wide(
            self.is_negative() != other.is_negative(),
            U256::product(self.coefficient.unsigned_abs(), other.coefficient.unsigned_abs()),
            scale,
        )
    }

    /// How `self` compares with `left × right`. No digit of the product is lost, though it may have no form of 38 digits.
    #[must_use]
    pub fn cmp_product(self, left: Self, right: Self) -> Ordering {
        let product = U256::product(left.coefficient.unsigned_abs(), right.coefficient.unsigned_abs());
        let sign = left.coefficient.signum() * right.coefficient.signum();
        if self.coefficient.signum() != sign || sign == 0 {
            return self.coefficient.signum().cmp(&sign);
        }
        let own = U256::product(self.coefficient.unsigned_abs(), 1);
        let (own_scale, scale) = (self.scale, left.scale + right.scale);
        // What would have more than twice 38 digits at the scale of both is the larger one, and 256 bits need not hold it.
        let magnitudes = match own_scale.cmp(&scale) {
            Ordering::Less if own.digits() + (scale - own_scale) > 2 * DIGITS => Ordering::Greater,
            Ordering::Greater if product.digits() + (own_scale - scale) > 2 * DIGITS => Ordering::Less,
            _ => {
                let own = own.scaled_up(scale.saturating_sub(own_scale));
                own.cmp(&product.scaled_up(own_scale.saturating_sub(scale)))
            }
        };
        if sign < 0 { magnitudes.reverse() } else { magnitudes }
    }

    /// `−self`. There is always one, since as many numbers lie below 0 as above; the form is that of the other operations.
    #[inline]
    #[must_use]
    pub const fn checked_neg(self) -> Option<Self> {
        Self::new(-self.coefficient, self.scale)
    }

    /// `self` without its sign. As for [`Decimal::checked_neg`], there is always one.
    #[inline]
    #[must_use]
    pub const fn checked_abs(self) -> Option<Self> {
        Self::new(self.coefficient.abs(), self.scale)
    }

    /// The sum of decimals with different scales, or one that has too many digits at the scale of both.
    #[inline(never)]
    fn add_unlike(self, other: Self) -> Option<Self> {
        let (coarse, fine) = if self.scale < other.scale { (self, other) } else { (other, self) };
        let step = fine.scale - coarse.scale;
        if let Some(aligned) = coarse.coefficient.checked_mul(power_of_ten(step))
            && let Some(sum) = aligned.checked_add(fine.coefficient)
            && has_38_digits(sum)
        {
            return Some(Self { coefficient: sum, scale: fine.scale });
        }
        let left = U256::product(coarse.coefficient.unsigned_abs(), 1).scaled_up(step);
        let right = U256::product(fine.coefficient.unsigned_abs(), 1);
        let (negative, magnitude) = if coarse.is_negative() == fine.is_negative() {
            (coarse.is_negative(), left.plus(right))
        } else if left >= right {
            (coarse.is_negative(), left.minus(right))
        } else {
            (fine.is_negative(), right.minus(left))
        };
        Self::from_wide(negative, magnitude, fine.scale)
    }
}

impl Ord for Decimal {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match self.scale.cmp(&other.scale) {
            Ordering::Equal => self.coefficient.cmp(&other.coefficient),
            Ordering::Less => compare_unlike(*self, *other),
            Ordering::Greater => compare_unlike(*other, *self).reverse(),
        }
    }
}

/// Compares with a decimal of more digits behind the point.
fn compare_unlike(coarse: Decimal, fine: Decimal) -> Ordering {
    match coarse.coefficient.checked_mul(power_of_ten(fine.scale - coarse.scale)) {
        Some(aligned) => aligned.cmp(&fine.coefficient),
        // Beyond 2^127, so farther from 0 than any coefficient of 38 digits.
        None => coarse.coefficient.cmp(&0),
    }
}

impl PartialOrd for Decimal {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { coefficient, scale } = self.normalised();
        coefficient.hash(state);
        scale.hash(state);
    }
}
