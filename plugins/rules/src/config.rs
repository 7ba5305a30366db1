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
        #[serde(default)]
        pub dimensions: BTreeMap<String, Rule>,
        /// Charges that are worked out of several dimensions: `[{ as = "pod_hours", formula = "cpu_core_hours / 2" }]`. An entry whose
        /// `as` and `formula` are both empty is passed over, so that both can come from the environment and stay away.
        #[serde(default)]
        pub formulas: Vec<Formula>,
        /// The names that formulas may use: an operation over the dimension of that name (`cpu_core_hours = "sum"`), or a table
        /// (`gpu = { from = "gpu-hours", use = "max" }`), as under `dimensions`. Usage of a dimension that is named here makes no
        /// charge but by formulas; if none uses it, it is excluded. Without this table, each name in a formula is the dimension of that
        /// name, added up, and the rule `"*"` may not be "drop".
        #[serde(default)]
        pub variables: BTreeMap<String, Rule>,
        /// The attribute that holds the price of a unit, such as "pricePerUnit". With it, formulas may add `_total_price` to the name of
        /// a variable: the sum, over the variable's records, of price times quantity. A record without the attribute costs 0; one whose
        /// price is no number puts the customer's charges by these formulas in doubt.
        pub prices: Option<String>,
        /// The attributes of the usage that become tags of the charges, such as `["tier", "region"]`, in every dimension. Usage that
        /// differs in one of them makes charges of its own: each is worked out of the records that have exactly its tags, by rules and by
        /// formulas alike. A record that lacks one of the attributes, or has it empty, has no such tag. A formula that is not 0 where all
        /// its variables are makes a charge for each set of tags that a customer has records with.
        #[serde(default)]
        pub tags: Vec<String>,
    }
}

meterhost_sdk::config! {
    /// A charge that is worked out of several dimensions.
    pub struct Formula {
        /// The dimension that goes out.
        #[serde(rename = "as")]
        pub output: String,
        /// An expression in Python's syntax: numbers, names, parentheses, `+ - * / // % **`, comparisons, `and`, `or`, `not`,
        /// `x if y else z`, and the functions abs, float, int, max, min, round. At most 2000 bytes, nested at most 50 levels deep.
        ///
        /// It means what it means in Python, but exactly: `0.29 / 0.01` is 29. Nothing is rounded on the way; a result without end
        /// keeps 38 digits, so that the host rounds it as it would round the whole: `round = "down"` of the sink cuts, as the exporter
        /// of Omnistrate's usage to Clazar does, whose formulas these are. `//` and `%` go toward
        /// minus infinity, `int` toward zero, `round` to the nearest and from the middle to the even neighbour; an exponent is a
        /// whole number; a comparison is 1 or 0.
        ///
        /// A customer with records of at least one of the dimensions has a charge; the others count as 0 then. Of a formula that is
        /// not 0 where all of them are, such as `max(cpu_core_hours, 1)` or `29`, each customer with a record of any variable has one.
        /// What cannot be worked out, such as a division by zero, puts that customer's charge in doubt, and no other.
        pub formula: String,
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
        /// Their quantities added up and divided by how many records there are. A quotient without end keeps all the digits that
        /// there is room for, so that the host rounds it as it would round the whole.
        Average,
        /// The largest quantity of each hour or day (`every`, UTC, by the records' times) and each combination of attributes (`per`),
        /// added up: of several samples of one thing in one hour, one counts. What Omnistrate bills a month by (its documentation,
        /// "Integrate billing with marketplace": MAX by hour, payer, dimension, pod, instance and host, then SUM).
        SumOfMax,
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
        /// For "sum_of_max": the attributes whose combinations are told apart, such as `["podName", "instanceId", "hostName"]`. A
        /// record without one of them differs from all that have it. Dimensions, customers and products are always told apart.
        #[serde(default)]
        pub per: OneOrMore,
        /// For "sum_of_max": the time of which the largest quantity counts. "hour" unless told otherwise. Where the source takes the
        /// time from the path of an object (`time = "path"`), that is the hour.
        pub every: Option<Period>,
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

meterhost_sdk::config! {
    /// A length of time, in UTC.
    #[derive(Copy, PartialEq, Eq)]
    #[serde(rename_all = "snake_case")]
    #[schemars(transform = listed)]
    pub enum Period {
        /// From one full hour to the next.
        Hour,
        /// From midnight to midnight.
        Day,
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
