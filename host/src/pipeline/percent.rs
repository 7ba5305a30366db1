//! A change in percent, exactly.

use meterhost_decimal::{Decimal, Rounding};

/// By how much `now` is more or less than `before`, in percent: rounded once, half to even, to one digit, with its sign (`+12.5`, `-3.0`,
/// `0.0`). Nothing where there was nothing before, or where the change is beyond all measure.
pub(super) fn change(before: Decimal, now: Decimal) -> Option<String> {
    if before <= Decimal::ZERO {
        return None;
    }
    let ratio = now.checked_div(before)?;
    // Cut where its digits end, a quotient can be rounded to fewer of them only.
    if !ratio.exact && ratio.value.scale() <= 3 {
        return None;
    }
    // One digit of a percentage is three of the ratio, and 1 is even in both.
    let change = ratio.value.round(3, Rounding::HalfEven).checked_sub(Decimal::ONE)?.rescale(3)?.coefficient();
    let sign = match change {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    let tenths = change.unsigned_abs();
    Some(format!("{sign}{}.{}", tenths / 10, tenths % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_one_digit_and_its_sign() {
        for (before, now, expected) in [
            ("100", "112.5", Some("+12.5")),
            ("100", "97", Some("-3.0")),
            ("3", "3.000", Some("0.0")),
            ("272.7", "1200", Some("+340.0")),
            ("3", "1", Some("-66.7")),
            ("7", "0", Some("-100.0")),
            ("1", "10000", Some("+999900.0")),
            ("0", "5", None),
            ("-1", "5", None),
            // Halves go to the even digit, on both sides.
            ("10000", "10005", Some("0.0")),
            ("10000", "10015", Some("+0.2")),
            ("10000", "9995", Some("0.0")),
            ("10000", "9985", Some("-0.2")),
            ("10000", "10005.00000000000000000000000000001", Some("+0.1")),
            ("3", "9999999999999999999999999999999999", Some("+333333333333333333333333333333333200.0")),
            ("3", "99999999999999999999999999999999999998", None),
            ("0.00000000000000000000000000000000000001", "99999999999999999999999999999999999999", None),
        ] {
            let decimal = |text: &str| Decimal::parse(text).unwrap();
            assert_eq!(change(decimal(before), decimal(now)).as_deref(), expected, "{before} {now}");
        }
    }
}
