//! What a person writes under `config`, as it is written. What it means is worked out in `rules`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use meterhost_sdk::Decimal;
use meterhost_sdk::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use meterhost_sdk::serde::Deserialize;
use meterhost_sdk::serde::de::value::{MapAccessDeserializer, StrDeserializer};
use meterhost_sdk::serde::de::{Deserializer, Error, MapAccess, Visitor};

meterhost_sdk::config! {
    /// How usage becomes charges.
    pub struct Config {
        /// A rule for each dimension, by the dimension's name: an operation (`cpu_hours = "sum"`) or a table
        /// (`{ use = "sum", divide = "1073741824", as = "memory_gib_hours" }`).
        ///
        /// The rule `"*"` is for every dimension that no other rule names: with an operation they go out under their own names, each
        /// on its own; with "drop" they are not billed; with "refuse" their usage is held until a rule names them. Without a rule
        /// `"*"` they are refused.
        pub dimensions: BTreeMap<String, Rule>,
    }
}

/// A rule: an operation alone, or a table.
#[derive(Debug, Clone)]
pub enum Rule {
    /// `"sum"`.
    Short(Operation),
    /// `{ use = "sum", ... }`.
    Long(Box<Settings>),
}

meterhost_sdk::config! {
    /// What is made of the records of a customer and a window.
    #[derive(Copy, PartialEq, Eq)]
    #[serde(rename_all = "snake_case")]
    #[schemars(transform = listed)]
    pub enum Operation {
        /// Their quantities added up.
        Sum,
        /// How many records there are; their quantities do not matter.
        Count,
        /// The least quantity.
        Min,
        /// The largest quantity.
        Max,
        /// The quantity of the latest record; among several of the same time, the largest quantity.
        Last,
        /// How many different values an attribute has (`of`), or how many different ids the records have.
        Unique,
        /// Nothing: the dimension is not billed.
        Drop,
        /// Nothing: the dimension should not be there. Its usage is held until the rules are changed.
        Refuse,
    }
}

meterhost_sdk::config! {
    /// A rule with its settings.
    pub struct Settings {
        /// What is made of the records.
        #[serde(rename = "use")]
        pub operation: Operation,
        /// For "unique": the attribute whose values are counted; without it, the records' ids.
        pub of: Option<String>,
        /// Only records whose attributes fit every condition count: `where = { status = "200" }`, `{ region = ["eu", "us"] }`,
        /// `{ status = { less_than = "400" } }`. A record without the attribute does not fit.
        #[serde(default, rename = "where")]
        pub conditions: BTreeMap<String, Condition>,
        /// The dimension, or dimensions, that the rule reads instead of the one it is named after: `from = "requests"`. The rule's
        /// name is then the name that goes out, so that several rules can read one dimension.
        #[serde(default)]
        pub from: OneOrMore,
        /// The name that goes out, where it is not the rule's: `as = "memory_gib_hours"`.
        #[serde(rename = "as")]
        pub output: Option<String>,
        /// The result is multiplied by this, which is more than 0.
        pub multiply: Option<Decimal>,
        /// The result is divided by this, which is more than 0: `divide = "1073741824"` makes GiB of bytes.
        pub divide: Option<Decimal>,
    }
}

/// What an attribute has to be: one value, one of several, or what a comparison says.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "meterhost_sdk::serde", untagged, expecting = "expected a value, a list of values, or a comparison")]
pub enum Condition {
    /// `"eu"`, or `["eu", "us"]`.
    Among(OneOrMore),
    /// `{ less_than = "400" }`.
    Compares(Box<Comparison>),
}

meterhost_sdk::config! {
    /// How an attribute compares; all that is said must hold. Numbers compare as exact decimals.
    pub struct Comparison {
        /// The attribute is neither this value nor, in a list, any of these.
        #[serde(default)]
        pub not: OneOrMore,
        /// The attribute is a number below this.
        pub less_than: Option<Decimal>,
        /// The attribute is this number or one below.
        pub at_most: Option<Decimal>,
        /// The attribute is this number or one above.
        pub at_least: Option<Decimal>,
        /// The attribute is a number above this.
        pub more_than: Option<Decimal>,
        /// `false`: the record does not have the attribute. `true`: it has, with whatever value.
        pub present: Option<bool>,
    }
}

/// A text, or a list of texts. Integers and booleans are taken as their text, because attributes are texts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(crate = "meterhost_sdk::serde", from = "Texts")]
pub struct OneOrMore(pub Vec<String>);

#[derive(Deserialize)]
#[serde(crate = "meterhost_sdk::serde", untagged, expecting = "expected a text or a list of texts")]
enum Texts {
    One(Text),
    More(Vec<Text>),
}

#[derive(Deserialize)]
#[serde(crate = "meterhost_sdk::serde", untagged, expecting = "expected a text, an integer or a boolean")]
enum Text {
    Plain(String),
    Integer(i64),
    Boolean(bool),
}

impl From<Texts> for OneOrMore {
    fn from(texts: Texts) -> Self {
        OneOrMore(match texts {
            Texts::One(text) => vec![text.to_string()],
            Texts::More(texts) => texts.iter().map(Text::to_string).collect(),
        })
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Text::Plain(text) => f.write_str(text),
            Text::Integer(integer) => write!(f, "{integer}"),
            Text::Boolean(boolean) => write!(f, "{boolean}"),
        }
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

/// Tells the two forms apart by their type, so that an error is about the form that was written.
struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = Rule;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("an operation such as \"sum\", or a table such as { use = \"sum\" }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rule, E> {
        Operation::deserialize(StrDeserializer::new(text)).map(Rule::Short)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Rule, M::Error> {
        Settings::deserialize(MapAccessDeserializer::new(map)).map(|settings| Rule::Long(Box::new(settings)))
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

impl JsonSchema for Rule {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    // `if` and not `anyOf`: what breaks it is then told about the form that was written, not about all of them.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An operation such as \"sum\", or a table such as { use = \"sum\", as = \"hours\" }.",
            "type": ["string", "object"],
            "if": { "type": "string" },
            "then": generator.subschema_for::<Operation>(),
            "else": generator.subschema_for::<Settings>(),
        })
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A value, a list of values, or a comparison such as { less_than = \"400\" }.",
            "type": ["string", "integer", "boolean", "array", "object"],
            "if": { "type": "object" },
            "then": generator.subschema_for::<Comparison>(),
            "else": generator.subschema_for::<OneOrMore>(),
        })
    }
}

impl JsonSchema for OneOrMore {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMore".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer", "boolean", "array"],
            "items": { "type": ["string", "integer", "boolean"] },
            "minItems": 1,
        })
    }
}
