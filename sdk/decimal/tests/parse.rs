//! What text is a decimal, and which.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail")]

mod reference;

use meterhost_decimal::Decimal;
use meterhost_decimal::ParseDecimalError::{NotANumber, TooManyDigits};
use num_bigint::BigInt;
use proptest::prelude::*;
use reference::{decimals, power, representable};

#[test]
fn json_numbers_are_read_exactly() {
    let zeros = "0".repeat(60);
    for (text, coefficient, scale) in [
        ("0", 0, 0),
        ("-0", 0, 0),
        ("-0.0", 0, 1),
        ("7", 7, 0),
        ("-12.50", -1250, 2),
        ("0.001", 1, 3),
        ("10", 10, 0),
        ("123456789012345678", 123_456_789_012_345_678, 0),
        ("1234567890123456789", 1_234_567_890_123_456_789, 0),
        ("9999999999999999999", 9_999_999_999_999_999_999, 0),
        ("12345678901234567890.5", 123_456_789_012_345_678_905, 1),
        ("1.5e3", 1500, 0),
        ("1.50E+1", 150, 1),
        ("2E-7", 2, 7),
        ("-2.50e-3", -250, 5),
        ("1e37", 10_i128.pow(37), 0),
        ("1e-38", 1, 38),
        ("0e999999999", 0, 0),
        ("0.00e-99999999999999999999999999", 0, 0),
        ("100e-2", 100, 2),
        ("1000.00e0", 100_000, 2),
        ("1e0000000000000000000000000001", 10, 0),
        ("99999999999999999999999999999999999999", reference::LARGEST, 0),
        ("-0.99999999999999999999999999999999999999", -reference::LARGEST, 38),
        (&format!("1.{zeros}"), 10_i128.pow(37), 37),
        (&format!("0.{zeros}"), 0, 0),
        (&format!("1{zeros}e-60"), 10_i128.pow(37), 37),
        (&format!("0.{zeros}12e61"), 12, 1),
        (&format!("0.{zeros}1e98"), 10_i128.pow(37), 0),
    ] {
        let decimal = Decimal::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((decimal.coefficient(), decimal.scale()), (coefficient, scale), "{text}");
    }
}

#[test]
fn what_json_does_not_call_a_number_is_refused() {
    for text in [
        "",
        "-",
        "+1",
        "--1",
        " 1",
        "1 ",
        "1\n",
        "007",
        "00",
        "-01",
        "00.5",
        "1.",
        "-1.",
        ".5",
        "-.5",
        ".",
        "1..2",
        "1.2.3",
        "1,5",
        "1_000",
        "0x10",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "1e",
        "1e+",
        "1e-",
        "e5",
        "1e5.0",
        "1e 5",
        "1.e5",
        "1e5e5",
        "１",
        "12345678901234567890123.",
        "1a",
        "99999999999999999999999999999999999999999x",
        "\"1\"",
        "1-1",
    ] {
        assert_eq!(Decimal::parse(text), Err(NotANumber), "{text:?}");
    }
    assert_eq!(Decimal::parse_bytes(b"\xff"), Err(NotANumber));
    assert_eq!(Decimal::parse_bytes(b"1\0"), Err(NotANumber));
}

#[test]
fn more_than_38_digits_are_refused_and_never_rounded() {
    for text in [
        "1e38",
        "1e40",
        "-1e999999999999999999999999",
        "1e-39",
        "1e-99999999999999999999999",
        "100000000000000000000000000000000000000",
        "0.100000000000000000000000000000000000001",
        "123456789012345678901234567890123456789",
        "1.00000000000000000000000000000000000001",
        "12e37",
        "0.12e-37",
    ] {
        assert_eq!(Decimal::parse(text), Err(TooManyDigits), "{text:?}");
    }
    assert_eq!(Decimal::parse(&"1".repeat(1000)), Err(TooManyDigits));
    assert_eq!(Decimal::parse(&format!("0.{}1", "0".repeat(1000))), Err(TooManyDigits));
}

#[test]
fn errors_say_what_to_do() {
    assert_eq!(NotANumber.to_string(), "not a number: write it like 12, -12.50 or 1.5e3");
    assert_eq!(TooManyDigits.to_string(), "too many digits: a decimal has at most 38");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_written_is_read_again(any in decimals()) {
        prop_assert_eq!(Decimal::parse(&any.to_string()), Ok(any));
    }

    #[test]
    fn any_json_number_is_read_exactly_or_refused(
        sign in "-?", integer in "0|[1-9][0-9]{0,24}0{0,30}", fraction in "0{0,30}[0-9]{0,24}0{0,30}",
        exponent in proptest::option::of(-80..=80_i32), upper in any::<bool>(),
    ) {
        let mut text = format!("{sign}{integer}");
        if !fraction.is_empty() {
            text = format!("{text}.{fraction}");
        }
        if let Some(exponent) = exponent {
            text = format!("{text}{}{exponent}", if upper { 'E' } else { 'e' });
        }
        let digits: BigInt = format!("{sign}{integer}{fraction}").parse().unwrap();
        let scale = i32::try_from(fraction.len()).unwrap() - exponent.unwrap_or(0);
        let reference = if scale < 0 {
            representable(&(digits * power(scale.unsigned_abs())), 0)
        } else {
            representable(&digits, scale.unsigned_abs())
        };
        prop_assert_eq!(Decimal::parse(&text), reference.ok_or(TooManyDigits), "{}", text);
    }

    #[test]
    fn any_bytes_are_read_as_json_reads_them(text in "[-+0-9.eE ]{0,24}") {
        // JSON allows spaces around a number; a decimal does not.
        let is_number = serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| value.is_number())
            && text.trim() == text;
        let read = Decimal::parse(&text);
        if is_number {
            prop_assert!(read != Err(NotANumber), "{}", text);
        } else if read.is_ok() {
            // `serde_json` refuses exponents that a float cannot hold.
            prop_assert!(text.contains(['e', 'E']), "{}", text);
        }
    }
}
