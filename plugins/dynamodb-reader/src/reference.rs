//! What a record is called: its primary key, as `CUSTOMER/TIME`.

use std::fmt::Write as _;

use meterhost_sdk::Decimal;
use serde_json::{Map, Value, json};

/// A primary key: a text and a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    hash: String,
    range: Decimal,
}

impl Key {
    pub(crate) fn new(hash: &str, range: Decimal) -> Self {
        Key { hash: hash.to_owned(), range: range.normalised() }
    }

    /// In a form that a person reads and nothing else has. `/` and `%` in the text, and what cannot be seen, are written `%2F`, as in URLs.
    pub(crate) fn reference(&self) -> String {
        let mut text = String::with_capacity(self.hash.len() + 20);
        for letter in self.hash.chars() {
            if matches!(letter, '/' | '%') || letter.is_control() {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(text, "%{byte:02X}");
                }
            } else {
                text.push(letter);
            }
        }
        let _ = write!(text, "/{}", self.range);
        text
    }

    /// The key of a reference.
    pub(crate) fn parse(reference: &str) -> Option<Self> {
        let (hash, range) = reference.split_once('/')?;
        let mut bytes = Vec::with_capacity(hash.len());
        let mut rest = hash.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'%' {
                bytes.push(byte);
                continue;
            }
            let (digits, after) = rest.split_at_checked(2)?;
            rest = after;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        }
        let key = Key { hash: String::from_utf8(bytes).ok()?, range: Decimal::parse(range).ok()?.normalised() };
        // One key has one reference.
        (!key.hash.is_empty() && key.reference() == reference).then_some(key)
    }

    /// As DynamoDB is told, under the names of the key's attributes.
    pub(crate) fn item(&self, [hash, range]: [&str; 2]) -> Map<String, Value> {
        let members = [(hash, json!({ "S": self.hash })), (range, json!({ "N": self.range.to_string() }))];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reference_can_be_read_and_is_unambiguous() {
        for (hash, range, reference) in [
            ("123456789012", "1708012345678", "123456789012/1708012345678"),
            ("a/b", "1", "a%2Fb/1"),
            ("a%2Fb", "1", "a%252Fb/1"),
            ("Jürgen\n", "-0.50", "Jürgen%0A/-0.5"),
            ("a", "1.763634471636562122E+18", "a/1763634471636562122"),
        ] {
            let key = Key::new(hash, Decimal::parse(range).unwrap());
            assert_eq!(key.reference(), reference);
            assert_eq!(Key::parse(reference), Some(key));
        }
        for other in ["", "a", "a/", "/1", "a/b/1", "a/1.0", "a%2f/1", "a%/1", "a%4/1", "a%FF/1", "%61/1", "a/x"] {
            assert_eq!(Key::parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_reference_leads_back_to_its_key(hash in "\\PC{1,9}|[/%a-f0-9\\x00-\\x1f]{1,9}", range in any::<i64>(), scale in 0..=9_u8) {
            let key = Key::new(&hash, Decimal::new(range.into(), scale).unwrap());
            prop_assert_eq!(Key::parse(&key.reference()), Some(key));
        }
    }
}
