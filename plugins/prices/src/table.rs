//! What a person writes under `config.prices`, as it is written. What it means is worked out in `check`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use meterhost_sdk::Decimal;
use meterhost_sdk::schemars::{self, JsonSchema, Schema, SchemaGenerator, json_schema};
use meterhost_sdk::serde::Deserialize;
use meterhost_sdk::serde::de::value::{MapAccessDeserializer, StrDeserializer};
use meterhost_sdk::serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, Visitor};

/// The price of each dimension, by its name: a price for each unit (`cpu_hours = "0.05"`) or a table
/// (`{ price = "0.05", included = "100" }`). The price `"*"` is for every dimension that has none of its own, for each of them by itself.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(crate = "meterhost_sdk::serde", transparent)]
pub struct PriceTable(pub BTreeMap<String, Price>);

/// A price for each unit, or a table.
#[derive(Debug, Clone)]
pub enum Price {
    /// `"0.05"`.
    Unit(Decimal),
    /// `{ price = "0.05", included = "100" }`.
    Terms(Box<Terms>),
}

meterhost_sdk::config! {
    /// What the quantity costs that a customer has used, in one calendar month, of one product and dimension: the total.
    #[derive(Default)]
    pub struct Terms {
        /// What a unit costs, or a package of `package` units.
        pub price: Option<Decimal>,
        /// Prices that depend on the total, instead of `price`:
        /// `[{ up_to = "100", price = "0" }, { up_to = "1000", price = "0.10", fee = "5" }, { price = "0.08" }]`.
        pub tiers: Option<Vec<Tier>>,
        /// How tiers apply. "graduated" unless told otherwise.
        pub mode: Option<Mode>,
        /// So many units are sold as one package, and each package that is begun costs `price`.
        pub package: Option<Decimal>,
        /// So much of the total is free, the first of it. Tiers and packages begin behind it.
        pub included: Option<Decimal>,
        /// A total that costs less than this costs this, once the month is over. It holds for each customer, product and dimension of which
        /// there is a charge, of the quantity 0 too.
        pub minimum: Option<Decimal>,
    }
}

meterhost_sdk::config! {
    /// A range of the total, without what is included.
    pub struct Tier {
        /// Where the tier ends; this much still belongs to it. The next tier begins behind it, and the last tier has no end.
        pub up_to: Option<Decimal>,
        /// What a unit costs.
        pub price: Decimal,
        /// What is owed once, on top, when the total comes to more than the tier before ends with.
        pub fee: Option<Decimal>,
    }
}

meterhost_sdk::config! {
    /// How tiers apply.
    #[derive(Copy, PartialEq, Eq)]
    #[serde(rename_all = "snake_case")]
    #[schemars(transform = listed)]
    pub enum Mode {
        /// Each part of the total costs what the tier says in which it lies. The fees of all tiers that are reached are owed.
        Graduated,
        /// The tier in which the total ends says what each unit of it costs, from the first on, and only its fee is owed. What earlier
        /// charges cost changes while the month goes on.
        Volume,
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PriceVisitor)
    }
}

/// Tells the two forms apart by their type, so that an error is about the form that was written.
struct PriceVisitor;

impl<'de> Visitor<'de> for PriceVisitor {
    type Value = Price;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a price such as \"0.05\", or a table such as { price = \"0.05\", included = \"100\" }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Price, E> {
        Decimal::deserialize(StrDeserializer::new(text)).map(Price::Unit)
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Price, E> {
        Ok(Price::Unit(integer.into()))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Price, E> {
        Ok(Price::Unit(integer.into()))
    }

    /// Refused in the decimal's own words.
    fn visit_f64<E: Error>(self, float: f64) -> Result<Price, E> {
        Decimal::deserialize(float.into_deserializer()).map(Price::Unit)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Price, M::Error> {
        Terms::deserialize(MapAccessDeserializer::new(map)).map(|terms| Price::Terms(Box::new(terms)))
    }
}

impl JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    // `if` and not `anyOf`: what breaks it is then told about the form that was written, not about all of them.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A price such as \"0.05\", or a table such as { price = \"0.05\", included = \"100\" }.",
            "type": ["string", "integer", "object"],
            "if": { "type": "object" },
            "then": generator.subschema_for::<Terms>(),
            "else": generator.subschema_for::<Decimal>(),
        })
    }
}

/// One list of the choices instead of a schema for each, so that a wrong one is answered with the list.
fn listed(schema: &mut Schema) {
    let variants = schema.remove("oneOf");
    let variants = variants.as_ref().and_then(|variants| variants.as_array()).map(Vec::as_slice).unwrap_or_default();
    let described = variants.iter().filter_map(|variant| {
        Some(format!("\"{}\": {}", variant.get("const")?.as_str()?, variant.get("description")?.as_str()?))
    });
    let description = described.collect::<Vec<_>>().join("\n");
    let names: Vec<_> = variants.iter().filter_map(|variant| variant.get("const")).collect();
    *schema = json_schema!({ "description": description, "type": "string", "enum": names });
}
