//! JSON objects whose keys keep their order, and whose values keep their text: what is somebody else's comes out as it came in.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// How far each level is indented, as in the old exporter's documents.
const INDENT: &str = "  ";

/// A JSON object.
#[derive(Debug, Clone, Default)]
pub(super) struct Document(Vec<(String, Box<RawValue>)>);

impl Document {
    /// Reads an object. A key that stands twice is an error: nobody knows which one is meant.
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text of a value.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.get())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Puts a value in its place, or at the end.
    pub(super) fn set(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, place)) => *place = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }

    /// As text, at a depth of so many objects around it.
    pub(super) fn render(&self, depth: usize) -> String {
        if self.0.is_empty() {
            return "{}".to_owned();
        }
        let (inner, outer) = (INDENT.repeat(depth + 1), INDENT.repeat(depth));
        let members = self.0.iter().map(|(key, value)| {
            let key = serde_json::Value::from(key.as_str());
            format!("{inner}{key}: {}", value.get())
        });
        format!("{{\n{}\n{outer}}}", members.collect::<Vec<_>>().join(",\n"))
    }

    /// As a value of another object, at a depth of so many objects around it.
    pub(super) fn raw(&self, depth: usize) -> Result<Box<RawValue>, serde_json::Error> {
        RawValue::from_string(self.render(depth))
    }
}

/// A value as it stands in an object, at a depth of so many objects around it.
pub(super) fn value(value: &impl Serialize, depth: usize) -> Result<Box<RawValue>, serde_json::Error> {
    let text = serde_json::to_string_pretty(value)?;
    RawValue::from_string(text.replace('\n', &format!("\n{}", INDENT.repeat(depth))))
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Document, M::Error> {
        let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
        let mut keys: HashSet<String> = HashSet::new();
        while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if !keys.insert(key.clone()) {
                return Err(M::Error::custom(format!("the key {key:?} stands twice in one object")));
            }
            members.push((key, value));
        }
        Ok(Document(members))
    }
}
