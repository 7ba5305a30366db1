//! Decimal to text: plain notation, without exponent, and the same text for equal numbers.

use std::fmt::{Debug, Display, Formatter, Result};

use crate::{Decimal, power_of_ten};

/// As short as plain notation is: `-12.5` for -12.50, `0` for every zero. Width, fill and sign are obeyed; a precision is not,
/// since digits are never dropped on the way to text.
impl Display for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { coefficient, scale } = self.normalised();
        let magnitude = coefficient.unsigned_abs();
        let text = if scale == 0 {
            magnitude.to_string()
        } else {
            let unit = power_of_ten(scale).cast_unsigned();
            let (integer, fraction) = (magnitude / unit, magnitude % unit);
            format!("{integer}.{fraction:0width$}", width = usize::from(scale))
        };
        f.pad_integral(coefficient >= 0, "", &text)
    }
}

impl Debug for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "Decimal({self})")
    }
}

#[cfg(test)]
mod tests {
    use crate::Decimal;

    #[test]
    fn equal_numbers_have_one_plain_text() {
        for (coefficient, scale, text) in [
            (0, 0, "0"),
            (0, 38, "0"),
            (150, 2, "1.5"),
            (-150, 2, "-1.5"),
            (-1, 2, "-0.01"),
            (1200, 0, "1200"),
            (1200, 2, "12"),
            (1200, 3, "1.2"),
            (1_000_001, 6, "1.000001"),
            (99_999_999_999_999_999_999_999_999_999_999_999_999, 0, "99999999999999999999999999999999999999"),
            (1, 38, "0.00000000000000000000000000000000000001"),
            (-99_999_999_999_999_999_999_999_999_999_999_999_999, 38, "-0.99999999999999999999999999999999999999"),
        ] {
            let decimal = Decimal::new(coefficient, scale);
            assert_eq!(decimal.map(|decimal| decimal.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_width_aligns_decimals_in_a_table() {
        let decimal = Decimal::new(-125, 1).unwrap_or_default();
        assert_eq!(format!("{decimal:>8}"), "   -12.5");
        assert_eq!(format!("{decimal:<8}|"), "-12.5   |");
        assert_eq!(format!("{decimal:?}"), "Decimal(-12.5)");
    }
}
