//! Decimals in JSON and TOML: written as a string, read from a string or an integer, never from a float.

#[cfg(feature = "serde")]
mod text {
    use std::fmt::Formatter;

    use serde::de::{Error, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::{Decimal, ParseDecimalError};

    impl Serialize for Decimal {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for Decimal {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(DecimalVisitor)
        }
    }

    struct DecimalVisitor;

    impl Visitor<'_> for DecimalVisitor {
        type Value = Decimal;

        fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
            f.write_str("a decimal as a string, like \"1.5\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
            Decimal::parse(text).map_err(|error| E::custom(format_args!("{text:?}: {error}")))
        }

        fn visit_u64<E: Error>(self, integer: u64) -> Result<Decimal, E> {
            Ok(Decimal::from(integer))
        }

        fn visit_i64<E: Error>(self, integer: i64) -> Result<Decimal, E> {
            Ok(Decimal::from(integer))
        }

        fn visit_u128<E: Error>(self, integer: u128) -> Result<Decimal, E> {
            let decimal = i128::try_from(integer).ok().and_then(|integer| Decimal::new(integer, 0));
            decimal.ok_or_else(|| E::custom(format_args!("{integer}: {}", ParseDecimalError::TooManyDigits)))
        }

        fn visit_i128<E: Error>(self, integer: i128) -> Result<Decimal, E> {
            Decimal::new(integer, 0)
                .ok_or_else(|| E::custom(format_args!("{integer}: {}", ParseDecimalError::TooManyDigits)))
        }

        /// The digits that were written are gone by now, so there is nothing exact to read.
        fn visit_f64<E: Error>(self, _float: f64) -> Result<Decimal, E> {
            Err(E::custom("a decimal must be a string: \"1.5\""))
        }
    }
}

#[cfg(feature = "schemars")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use crate::Decimal;

    impl JsonSchema for Decimal {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            Cow::Borrowed("Decimal")
        }

        fn schema_id() -> Cow<'static, str> {
            Cow::Borrowed(concat!(module_path!(), "::Decimal"))
        }

        fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": ["string", "integer"],
                // By this the host knows how to say what is wrong with a value; the pattern is what decides.
                "format": "decimal",
                "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$",
            })
        }
    }
}
