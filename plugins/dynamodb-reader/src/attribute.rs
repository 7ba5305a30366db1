//! Values of attributes, as DynamoDB writes them: `{"S": "text"}`, `{"N": "12.5"}` (DynamoDB API reference, AttributeValue). Numbers come
//! and go as texts, so that nothing is ever a float.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A value that was read.
#[derive(Debug, Clone)]
pub(crate) enum Attribute<'a> {
    Text(Cow<'a, str>),
    Number(Cow<'a, str>),
    Bool(bool),
    Null,
    List(Vec<&'a RawValue>),
    Map(&'a RawValue),
    /// A set of texts.
    Texts(Vec<Cow<'a, str>>),
    /// Of a type that means nothing here.
    Other(String),
}

/// A value that is written.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Literal<'a> {
    /// As it was read.
    Read(&'a RawValue),
    Made(Value),
    Map {
        #[serde(rename = "M")]
        of: BTreeMap<&'a str, Literal<'a>>,
    },
}

impl Literal<'_> {
    pub(crate) fn text(text: &str) -> Self {
        Literal::Made(json!({ "S": text }))
    }

    pub(crate) fn number(number: &str) -> Self {
        Literal::Made(json!({ "N": number }))
    }

    pub(crate) fn null() -> Self {
        Literal::Made(json!({ "NULL": true }))
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Attribute<'a> {
    pub(crate) fn read(raw: &'a RawValue) -> Self {
        let mut deserializer = serde_json::Deserializer::from_str(raw.get());
        deserializer.deserialize_map(Typed).unwrap_or_else(|_| Attribute::Other("unknown".to_owned()))
    }

    /// Its type, in a sentence.
    pub(crate) fn kind(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Attribute::Text(_) => "a text (S)",
            Attribute::Number(_) => "a number (N)",
            Attribute::Bool(_) => "a truth value (BOOL)",
            Attribute::Null => "nothing (NULL)",
            Attribute::List(_) => "a list (L)",
            Attribute::Map(_) => "a map (M)",
            Attribute::Texts(_) => "a set of texts (SS)",
            Attribute::Other(kind) => return Cow::Owned(format!("of type {kind}")),
        })
    }
}

/// The only member of a value, whose key is its type.
struct Typed;

impl<'a> Visitor<'a> for Typed {
    type Value = Attribute<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of an attribute")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Attribute<'a>, M::Error> {
        let Some(Text(kind)) = map.next_key()? else { return Ok(Attribute::Other("unknown".to_owned())) };
        Ok(match &*kind {
            "S" => Attribute::Text(map.next_value::<Text>()?.0),
            "N" => Attribute::Number(map.next_value::<Text>()?.0),
            "BOOL" => Attribute::Bool(map.next_value()?),
            "L" => Attribute::List(map.next_value()?),
            "M" => Attribute::Map(map.next_value()?),
            "SS" => Attribute::Texts(map.next_value::<Vec<Text>>()?.into_iter().map(|Text(text)| text).collect()),
            "NULL" => {
                map.next_value::<IgnoredAny>()?;
                Attribute::Null
            }
            kind => {
                map.next_value::<IgnoredAny>()?;
                Attribute::Other(kind.to_owned())
            }
        })
    }
}

/// The attributes of these names in an item, or in a map: a place each.
pub(crate) fn pick<'a, S: AsRef<str>>(
    raw: &'a RawValue,
    names: &[S],
) -> Result<Vec<Option<&'a RawValue>>, serde_json::Error> {
    serde_json::Deserializer::from_str(raw.get()).deserialize_map(Picked(names))
}

struct Picked<'n, S>(&'n [S]);

impl<'a, S: AsRef<str>> Visitor<'a> for Picked<'_, S> {
    type Value = Vec<Option<&'a RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut found = vec![None; self.0.len()];
        while let Some(position) = map.next_key_seed(Position(self.0))? {
            match position.and_then(|position| found.get_mut(position)) {
                Some(place) => *place = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// A key's position among the names.
struct Position<'n, S>(&'n [S]);

impl<'a, S: AsRef<str>> DeserializeSeed<'a> for Position<'_, S> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let Text(key) = Text::deserialize(deserializer)?;
        Ok(self.0.iter().position(|name| name.as_ref() == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_value_is_read_by_its_type_and_no_other_is_taken_for_it() {
        for (text, kind) in [
            (r#"{"S":"a"}"#, "a text (S)"),
            (r#"{"N":"1"}"#, "a number (N)"),
            (r#"{"N":1}"#, "of type unknown"),
            (r#"{"BOOL":true}"#, "a truth value (BOOL)"),
            (r#"{"NULL":true}"#, "nothing (NULL)"),
            (r#"{"L":[{"S":"a"}]}"#, "a list (L)"),
            (r#"{"M":{}}"#, "a map (M)"),
            (r#"{"SS":["a"]}"#, "a set of texts (SS)"),
            (r#"{"B":"AA=="}"#, "of type B"),
            ("{}", "of type unknown"),
            ("7", "of type unknown"),
        ] {
            assert_eq!(Attribute::read(raw(text)).kind(), kind, "{text}");
        }
    }

    #[test]
    fn names_are_found_however_they_are_escaped() {
        let found = pick(raw(r#"{"x":1,"a\u0062":{"S":"1"},"c":{"S":"2"}}"#), &["c", "ab", "d"]).unwrap();
        let found: Vec<_> = found.into_iter().map(|raw| raw.map(RawValue::get)).collect();
        assert_eq!(found, [Some(r#"{"S":"2"}"#), Some(r#"{"S":"1"}"#), None]);
    }
}
