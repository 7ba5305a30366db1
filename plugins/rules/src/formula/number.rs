//! Numbers as Python writes them (The Python Language Reference, "Numeric literals"), read digit by digit and never as a float.

use num_bigint::BigUint;
use num_traits::Num;

use super::Exact;

/// Reads `12`, `1_000`, `0.5`, `.5`, `5.`, `1.5e-3` or `0xff`, which the parser has found to be right. Nothing if it is too long.
pub(super) fn exact(text: &str) -> Option<Exact> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let radix = match text.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 10,
    };
    if radix != 10 {
        return Exact::scaled(BigUint::from_str_radix(text.get(2..)?, radix).ok()?, 0).ok();
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = BigUint::from_str_radix(&format!("0{whole}{fraction}"), 10).ok()?;
    let exponent: i64 = exponent.parse().ok()?;
    Exact::scaled(digits, exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written() {
        for (text, decimal) in [
            ("0", "0"),
            ("12", "12"),
            ("1_000.000_1", "1000.0001"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1.5e-3", "0.0015"),
            ("15E+2", "1500"),
            ("0xFf", "255"),
            ("0b1_01", "5"),
            ("0o17", "15"),
            ("9007199254740993", "9007199254740993"),
            ("0e999999999", "0"),
        ] {
            let read = exact(text).and_then(|number| number.to_decimal().ok()).map(|number| number.to_string());
            assert_eq!(read.as_deref(), Some(decimal), "{text}");
        }
        for text in ["1e2000", "1e-2000", "1e99999999999999999999", "1e9999999999", "1e-9223372036854775808"] {
            assert_eq!(exact(text), None, "{text}");
        }
    }
}
