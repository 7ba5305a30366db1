//! Decimals in JSON and TOML, and what their schema says.

#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail")]

use std::collections::BTreeMap;

use meterhost_decimal::Decimal;

fn json(text: &str) -> Result<Decimal, String> {
    // Through a value, so that the message has no position.
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn a_decimal_is_written_as_a_string() {
    let decimal = Decimal::new(-1250, 2).unwrap();
    assert_eq!(serde_json::to_string(&decimal).unwrap(), r#""-12.5""#);
}

#[test]
fn a_string_or_an_integer_is_read() {
    for (text, coefficient, scale) in [
        (r#""-12.50""#, -1250, 2),
        (r#""2e-7""#, 2, 7),
        ("7", 7, 0),
        ("-7", -7, 0),
        ("18446744073709551615", i128::from(u64::MAX), 0),
    ] {
        assert_eq!(json(text), Ok(Decimal::new(coefficient, scale).unwrap()));
    }
    let prices: BTreeMap<String, Decimal> = toml::from_str("each = \"0.0035\"\nminimum = 5").unwrap();
    assert_eq!(prices.get("each").copied(), Decimal::new(35, 4));
    assert_eq!(prices.get("minimum"), Some(&Decimal::from(5_u8)));
}

#[test]
fn a_float_is_refused_with_what_to_write() {
    let message = "a decimal must be a string: \"1.5\"";
    for text in ["1.5", "1.0", "1e3", "18446744073709551616"] {
        assert_eq!(json(text), Err(message.to_owned()), "{text}");
    }
    let error = toml::from_str::<BTreeMap<String, Decimal>>("each = 1.5").unwrap_err();
    assert_eq!(error.message(), message);
}

#[test]
fn anything_else_is_refused_with_what_is_wrong() {
    for (text, message) in [
        (r#""abc""#, r#""abc": not a number: write it like 12, -12.50 or 1.5e3"#),
        (r#""1e40""#, r#""1e40": too many digits: a decimal has at most 38"#),
        ("true", r#"invalid type: boolean `true`, expected a decimal as a string, like "1.5""#),
        ("null", r#"invalid type: null, expected a decimal as a string, like "1.5""#),
    ] {
        assert_eq!(json(text), Err(message.to_owned()));
    }
}

#[test]
fn integers_of_128_bits_are_read_if_38_digits_hold_them() {
    use serde::Deserialize;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, I128Deserializer, U128Deserializer};

    let small: I128Deserializer<Error> = (-5_i128).into_deserializer();
    assert_eq!(Decimal::deserialize(small).unwrap(), Decimal::from(-5_i8));
    let large: U128Deserializer<Error> = u128::MAX.into_deserializer();
    assert_eq!(
        Decimal::deserialize(large).unwrap_err().to_string(),
        "340282366920938463463374607431768211455: too many digits: a decimal has at most 38"
    );
}

#[cfg(feature = "schemars")]
#[test]
fn the_schema_asks_for_a_string_or_an_integer() {
    let schema = schemars::schema_for!(Decimal);
    let schema = schema.as_value();
    assert_eq!(schema["type"], serde_json::json!(["string", "integer"]));
    assert_eq!(schema["format"], "decimal");
    assert_eq!(schema["pattern"], r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$");
}
