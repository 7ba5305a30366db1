//! JSON objects of which any field may be missing, odd or there twice. Numbers stay in their own digits.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an object, in their order.
#[derive(Debug, Default)]
pub(crate) struct Object<'a>(Vec<(String, &'a RawValue)>);

/// What stands under a name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// Nothing, or null.
    Empty,
    Once(&'a RawValue),
    /// Two values, of which nobody knows the right one.
    Twice,
}

/// A field that should hold a text or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// Not there, null or empty.
    Missing,
    /// A string, or a number in its own digits.
    Text(String),
    /// Something else: a list, an object, a truth value, or two values.
    Odd,
}

impl<'a> Object<'a> {
    /// `None` if this is no object.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(crate) fn place(&self, name: &str) -> Place<'a> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| *value);
        match (values.next(), values.next()) {
            (None, _) => Place::Empty,
            (Some(value), None) if value.get() == "null" => Place::Empty,
            (Some(value), None) => Place::Once(value),
            (Some(_), Some(_)) => Place::Twice,
        }
    }

    pub(crate) fn field(&self, name: &str) -> Field {
        let raw = match self.place(name) {
            Place::Empty => return Field::Missing,
            Place::Once(raw) => raw.get(),
            Place::Twice => return Field::Odd,
        };
        match raw.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<String>(raw) {
                Ok(text) if text.is_empty() => Field::Missing,
                Ok(text) => Field::Text(text),
                Err(_) => Field::Odd,
            },
            Some(b'-' | b'0'..=b'9') => Field::Text(raw.to_owned()),
            _ => Field::Odd,
        }
    }

    /// The elements of a list. A list that is not there is empty; `None` if there is something else.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        match self.place(name) {
            Place::Empty => Some(Vec::new()),
            Place::Once(raw) => serde_json::from_str(raw.get()).ok(),
            Place::Twice => None,
        }
    }
}

impl Field {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Field::Text(text) => Some(text),
            Field::Missing | Field::Odd => None,
        }
    }

    /// For a person.
    pub(crate) fn shown(&self) -> &str {
        self.text().unwrap_or("something that is no text")
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object<'de>;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry::<String, &'de RawValue>()? {
            fields.push(field);
        }
        Ok(Object(fields))
    }
}
