//! JSON as it was sent: every value keeps its text, and an object that names a member twice is refused.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// The members of an object in their order, each with its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(pub(crate) Vec<(String, Box<RawValue>)>);

impl Members {
    /// The members of the object `raw`, all of whose names are among `known`.
    pub(crate) fn read(raw: &RawValue, place: &str, known: &[&str]) -> Result<Self, Refusal> {
        let members: Self = parse(raw, place)?;
        match members.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(members),
            // Others may skip what they do not know. Here a misspelt member would be usage that nobody pays.
            Some((name, _)) => Err(Refusal::serialization(format!("{place}: unknown member {name}"))),
        }
    }

    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, raw)| &**raw)
    }
}

/// Reads a value of this type. `null` is none, not even for a member that may be left out.
pub(crate) fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue, place: &str) -> Result<T, Refusal> {
    serde_json::from_str(raw.get()).map_err(|error| Refusal::serialization(format!("{place}: {error}")))
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let (mut members, mut names) = (Vec::new(), BTreeSet::new());
                while let Some((name, raw)) = map.next_entry::<String, Box<RawValue>>()? {
                    if !names.insert(name.clone()) {
                        return Err(de::Error::custom(format!("the member {name} is there twice")));
                    }
                    members.push((name, raw));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, raw) in &self.0 {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Members, Refusal> {
        Members::read(&RawValue::from_string(text.to_owned()).unwrap(), "here", &["a", "b"])
    }

    #[test]
    fn members_keep_their_texts_and_their_order() {
        let members = read(r#"{"b": 1.50e1, "a" : {"x":1,"x":2}}"#).unwrap();
        assert_eq!(members.get("b").unwrap().get(), "1.50e1");
        assert_eq!(serde_json::to_string(&members).unwrap(), r#"{"b":1.50e1,"a":{"x":1,"x":2}}"#);
    }

    #[test]
    fn a_member_that_is_unknown_or_there_twice_is_refused() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":1}"#, r#"{"A":1}"#, "[]", "null", "7"] {
            assert_eq!(read(text).unwrap_err().name, "SerializationException", "{text}");
        }
    }
}
