//! More or fewer digits behind the decimal point: exactly, or rounded by a named rule.

use crate::{DIGITS, Decimal, has_38_digits, power_of_ten};

/// What becomes of digits that are dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rounding {
    /// Away from zero, if anything but zeros is dropped.
    Up,
    /// Toward zero: the digits are cut off.
    Down,
    /// To the nearest; from the middle, to the neighbour whose last digit is even.
    HalfEven,
}

impl Decimal {
    /// The same number at another scale; `None` if that would drop more than zeros, or not fit 38 digits.
    #[must_use]
    pub fn rescale(self, scale: u8) -> Option<Self> {
        if scale > DIGITS {
            return None;
        }
        let coefficient = if scale >= self.scale {
            self.coefficient
                .checked_mul(power_of_ten(scale - self.scale))
                .filter(|coefficient| has_38_digits(*coefficient))?
        } else if self.fits_scale(scale) {
            self.coefficient / power_of_ten(self.scale - scale)
        } else {
            return None;
        };
        Some(Self { coefficient, scale })
    }

    /// The number with at most `scale` digits behind the point. One that has no more stays as it is.
    #[must_use]
    pub fn round(self, scale: u8, rounding: Rounding) -> Self {
        if scale >= self.scale {
            return self;
        }
        let unit = power_of_ten(self.scale - scale);
        let kept = self.coefficient / unit;
        let dropped = (self.coefficient % unit).abs();
        let away = match rounding {
            Rounding::Up => dropped != 0,
            Rounding::Down => false,
            // What is left of the unit instead of twice what is dropped, which could overflow.
            Rounding::HalfEven => match dropped.cmp(&(unit - dropped)) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => kept % 2 != 0,
                std::cmp::Ordering::Greater => true,
            },
        };
        // At least one digit is gone, so that a step away from zero cannot be one too many.
        let coefficient = if away { kept + self.coefficient.signum() } else { kept };
        Self { coefficient, scale }
    }

    /// The same number without zeros at the end of its fraction: the one form that all equal decimals share.
    #[must_use]
    pub fn normalised(self) -> Self {
        if self.coefficient == 0 {
            return Self::ZERO;
        }
        let Self { mut coefficient, mut scale } = self;
        for step in [32, 16, 8, 4, 2, 1] {
            // A multiple of 10^n is one of 2^n, which is cheap to see.
            if scale >= step && coefficient.trailing_zeros() >= u32::from(step) && coefficient % power_of_ten(step) == 0
            {
                coefficient /= power_of_ten(step);
                scale -= step;
            }
        }
        Self { coefficient, scale }
    }

    /// Whether the number can be written with at most `scale` digits behind the point.
    #[must_use]
    pub fn fits_scale(self, scale: u8) -> bool {
        scale >= self.scale || self.coefficient % power_of_ten(self.scale - scale) == 0
    }

    /// Whether the number has nothing but zeros behind the point.
    #[must_use]
    pub fn is_integer(self) -> bool {
        self.fits_scale(0)
    }
}
