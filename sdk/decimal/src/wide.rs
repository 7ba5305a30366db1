//! Integers of 256 and 384 bits: just what exact products, quotients and sums of decimals need on the way.

use crate::{DIGITS, power_of_ten};

/// The largest power of ten in 64 bits is `10^19`.
const DIGITS_IN_64_BITS: u8 = 19;

/// An unsigned integer of 256 bits. Fields in the order of significance, so that the derived order is the numeric one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct U256 {
    high: u128,
    low: u128,
}

impl U256 {
    /// `left × right`, which always fits.
    pub(crate) fn product(left: u128, right: u128) -> Self {
        let (low, high) = left.carrying_mul(right, 0);
        Self { high, low }
    }

    /// `self × 10^exponent`, which the caller knows to fit.
    pub(crate) fn scaled_up(mut self, mut exponent: u8) -> Self {
        while exponent > 0 {
            let step = if exponent < DIGITS { exponent } else { DIGITS };
            let factor = power_of_ten(step).cast_unsigned();
            let (low, carry) = self.low.carrying_mul(factor, 0);
            self = Self { high: self.high.wrapping_mul(factor).wrapping_add(carry), low };
            exponent -= step;
        }
        self
    }

    /// `self + other`, which the caller knows to fit.
    pub(crate) fn plus(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self { high: self.high.wrapping_add(other.high).wrapping_add(u128::from(carry)), low }
    }

    /// `self − other`, where `other` is not larger.
    pub(crate) fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high.wrapping_sub(other.high).wrapping_sub(u128::from(borrow)), low }
    }

    /// The integer, if 128 bits hold it.
    pub(crate) fn to_u128(self) -> Option<u128> {
        if self.high == 0 { Some(self.low) } else { None }
    }

    /// How many decimal digits the integer has; 0 for zero.
    pub(crate) fn digits(self) -> u8 {
        let zeros = if self.high == 0 { 128 + self.low.leading_zeros() } else { self.high.leading_zeros() };
        // 1233 / 4096 is log10(2) to five digits, so this is the number of digits or one less.
        let fewest = u8::try_from(((256 - zeros) * 1233) >> 12).unwrap_or(u8::MAX);
        let power = Self { high: 0, low: 1 }.scaled_up(fewest);
        fewest + u8::from(self >= power)
    }

    /// `self / 10^exponent`; `None` if something remains.
    pub(crate) fn divided_exactly(mut self, mut exponent: u8) -> Option<Self> {
        while exponent > 0 {
            let step = exponent.min(DIGITS_IN_64_BITS);
            let (quotient, remainder) = self.divided_by_64_bits(10_u64.pow(u32::from(step)));
            if remainder != 0 {
                return None;
            }
            self = quotient;
            exponent -= step;
        }
        Some(self)
    }

    /// The quotient and the remainder, digit by digit of 64 bits.
    fn divided_by_64_bits(self, divisor: u64) -> (Self, u128) {
        let divisor = u128::from(divisor);
        let mut remainder = 0;
        let mut digit = |digit: u128| {
            let dividend = (remainder << 64) | digit;
            remainder = dividend % divisor;
            dividend / divisor
        };
        let low_half = u128::from(u64::MAX);
        let high = (digit(self.high >> 64) << 64) | digit(self.high & low_half);
        let low = (digit(self.low >> 64) << 64) | digit(self.low & low_half);
        (Self { high, low }, remainder)
    }

    /// The quotient and the remainder, where the caller knows the quotient to fit 128 bits and the divisor to be below `2^127`.
    pub(crate) fn divided(self, divisor: u128) -> (u128, u128) {
        if self.high == 0 {
            return (self.low / divisor, self.low % divisor);
        }
        // Long division in base two. The remainder stays below the divisor, so that doubling it never overflows.
        let mut remainder = self.high;
        let mut quotient = 0;
        let mut bit = 128;
        while bit > 0 {
            bit -= 1;
            remainder = (remainder << 1) | ((self.low >> bit) & 1);
            quotient <<= 1;
            if remainder >= divisor {
                remainder -= divisor;
                quotient |= 1;
            }
        }
        (quotient, remainder)
    }
}

/// A signed integer of 384 bits in two's complement: the sum of `2^64` and more products of two `i128`.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct I384 {
    high: u128,
    middle: u128,
    low: u128,
}

impl I384 {
    /// `coefficient × 10^exponent`.
    pub(crate) fn scaled_up(coefficient: i128, exponent: u8) -> Self {
        let product = U256::product(coefficient.unsigned_abs(), power_of_ten(exponent).cast_unsigned());
        let magnitude = Self { high: 0, middle: product.high, low: product.low };
        if coefficient < 0 { magnitude.negated() } else { magnitude }
    }

    /// `self + other`.
    pub(crate) fn plus(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        let (middle, carry) = self.middle.carrying_add(other.middle, carry);
        let high = self.high.wrapping_add(other.high).wrapping_add(u128::from(carry));
        Self { high, middle, low }
    }

    fn negated(self) -> Self {
        let one = Self { high: 0, middle: 0, low: 1 };
        Self { high: !self.high, middle: !self.middle, low: !self.low }.plus(one)
    }

    /// Whether the integer is negative, and its magnitude if 256 bits hold it.
    pub(crate) fn to_sign_and_magnitude(self) -> Option<(bool, U256)> {
        let negative = self.high.cast_signed() < 0;
        let magnitude = if negative { self.negated() } else { self };
        if magnitude.high != 0 {
            return None;
        }
        Some((negative, U256 { high: magnitude.middle, low: magnitude.low }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_right_on_both_sides_of_every_power_of_ten() {
        let one = U256 { high: 0, low: 1 };
        assert_eq!(U256 { high: 0, low: 0 }.digits(), 0);
        for exponent in 0..=77 {
            let power = one.scaled_up(exponent);
            assert_eq!(power.digits(), exponent + 1);
            assert_eq!(power.minus(one).digits(), exponent);
        }
        let largest = U256 { high: u128::MAX, low: u128::MAX };
        assert_eq!(largest.digits(), 78);
    }

    #[test]
    fn sums_of_384_bits_return_to_where_they_started() {
        let step = I384::scaled_up(i128::MIN, 38);
        let back = I384::scaled_up(i128::MAX, 38).plus(I384::scaled_up(1, 38));
        let mut sum = I384::default();
        for _ in 0..1000 {
            sum = sum.plus(step);
        }
        assert_eq!(sum.to_sign_and_magnitude(), None);
        for _ in 0..1000 {
            sum = sum.plus(back);
        }
        assert_eq!(sum.to_sign_and_magnitude(), Some((false, U256 { high: 0, low: 0 })));
    }
}
