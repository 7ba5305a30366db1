//! JSON objects of plain values, in which no key comes twice (FOCUS 1.2, "Key-Value Format").

use std::fmt::Formatter;

use meterhost_sdk::serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// What is wrong with a text that is to be such an object.
pub(crate) fn objection(text: &str) -> Option<String> {
    let Ok(Fields(mut fields)) = serde_json::from_str(text) else {
        return Some(format!("\"{}\" is no JSON object", text.escape_debug()));
    };
    if let Some((key, _)) = fields.iter().find(|(_, value)| value.is_object() || value.is_array()) {
        return Some(format!("the value of \"{}\" is no text, number, true, false or null", key.escape_debug()));
    }
    fields.sort_by(|(left, _), (right, _)| left.cmp(right));
    let twice = fields.windows(2).find_map(|pair| match pair {
        [(left, _), (right, _)] if left == right => Some(left),
        _ => None,
    })?;
    Some(format!("the key \"{}\" comes twice", twice.escape_debug()))
}

/// The fields of an object, as many as there are.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::objection;

    #[test]
    fn an_object_has_plain_values_and_each_key_once() {
        for good in ["{}", r#"{"a":"b","c":true,"d":1.5,"e":null}"#, r#" { "a" : "a" , "A" : "a" } "#] {
            assert_eq!(objection(good), None, "{good}");
        }
        for (bad, why) in [
            ("[]", "\"[]\" is no JSON object"),
            ("team=blue", "no JSON object"),
            ("null", "no JSON object"),
            (r#"{"a":1}{}"#, "no JSON object"),
            (r#"{"a":{}}"#, "the value of \"a\" is no text"),
            (r#"{"b":"","a":[1]}"#, "the value of \"a\" is no text"),
            (r#"{"a":1,"b":2,"a":1}"#, "the key \"a\" comes twice"),
            ("{\"a\":1,\"\\u0061\":2}", "the key \"a\" comes twice"),
        ] {
            let found = objection(bad).unwrap_or_default();
            assert!(found.contains(why), "{bad}: {found}");
        }
    }
}
