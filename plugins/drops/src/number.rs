//! Decimals as text: `-12.5`, never an exponent, a `+`, or zeros at the end of a fraction.

use std::fmt::Write as _;

use meterhost_sdk::Decimal;

/// Appends a decimal. What fits 64 bits, as nearly all do, is written without divisions of 128, which WebAssembly lacks.
pub fn push(out: &mut String, decimal: Decimal) {
    let (coefficient, mut scale) = (decimal.coefficient(), usize::from(decimal.scale()));
    let Ok(mut magnitude) = u64::try_from(coefficient.unsigned_abs()) else {
        let _ = write!(out, "{decimal}");
        return;
    };
    if magnitude == 0 {
        out.push('0');
        return;
    }
    while scale > 0 && magnitude % 10 == 0 {
        (magnitude, scale) = (magnitude / 10, scale - 1);
    }
    if coefficient < 0 {
        out.push('-');
    }
    // From the last digit to the first; 20 digits are the most, and zeros up to the point beyond them.
    let mut digits = [b'0'; 64];
    let mut start = digits.len();
    let mut written = 0;
    while magnitude > 0 || written <= scale {
        if written == scale && scale > 0 {
            start -= 1;
            if let Some(place) = digits.get_mut(start) {
                *place = b'.';
            }
        }
        start -= 1;
        if let Some(place) = digits.get_mut(start) {
            *place = b'0' + (magnitude % 10) as u8;
        }
        (magnitude, written) = (magnitude / 10, written + 1);
    }
    out.push_str(digits.get(start..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default());
}

/// The text of a decimal.
pub fn text(decimal: Decimal) -> String {
    let mut text = String::new();
    push(&mut text, decimal);
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_plain_whatever_they_were_read_from() {
        for (read, written) in [
            ("12.3400", "12.34"),
            ("1e-7", "0.0000001"),
            ("-12", "-12"),
            ("-0.50", "-0.5"),
            ("0.000", "0"),
            ("-0", "0"),
            ("1200", "1200"),
            ("1.5e3", "1500"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616.10", "18446744073709551616.1"),
            ("1e-38", "0.00000000000000000000000000000000000001"),
            ("-1.8446744073709551615e-18", "-0.0000000000000000018446744073709551615"),
        ] {
            assert_eq!(text(Decimal::parse(read).unwrap()), written, "{read}");
        }
    }

    #[test]
    fn the_short_way_writes_what_the_long_one_does() {
        let mut coefficient: i128 = 1;
        for step in 0..200_u32 {
            coefficient = (coefficient * 31 + i128::from(step)) % 10_000_000_000_000_000_000_000;
            for scale in 0..=38 {
                let decimal = Decimal::new(if step % 2 == 0 { coefficient } else { -coefficient }, scale).unwrap();
                assert_eq!(text(decimal), decimal.to_string());
            }
        }
    }
}
