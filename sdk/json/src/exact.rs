//! The sure way through a record: serde_json, with a visitor that picks the wanted fields and skips the rest.
//!
//! It reads every record there can be, and its word is final.

use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::pointers::{Child, Pointers};
use crate::{NoRecord, Slot};

/// Reads a text as one record into `slots`.
pub(crate) fn record<'t>(pointers: &Pointers, text: &'t str, slots: &mut [Slot<'t>]) -> Result<(), NoRecord> {
    slots.fill(Slot::Missing);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let object = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    let read = match object {
        true => deserializer.deserialize_map(Fields { pointers, node: 0, slots }),
        false => IgnoredAny::deserialize(&mut deserializer).map(|_| ()),
    };
    read.and_then(|()| deserializer.end()).map_err(|error| NoRecord::json(&error))?;
    if object { Ok(()) } else { Err(NoRecord::NotAnObject(shown(text.trim()))) }
}

/// The JSON value that a text begins with; nothing if it begins with none, or if it goes on beyond the text.
pub(crate) fn first(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok().map(RawValue::get)
}

/// A piece of the input, short enough for a message.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}...`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

/// Picks the fields of a node.
struct Fields<'p, 's, 't> {
    pointers: &'p Pointers,
    node: usize,
    slots: &'s mut [Slot<'t>],
}

impl<'t> Fields<'_, '_, 't> {
    fn take<E: serde::de::Error>(&mut self, child: Child, raw: &'t RawValue) -> Result<(), E> {
        let raw = raw.get();
        match child {
            Child::Slot(slot) => {
                if let Some(place) = self.slots.get_mut(slot) {
                    place.put(Slot::of(raw));
                }
                Ok(())
            }
            Child::Node(node) => {
                self.pointers.enter(node, self.slots);
                let fields = Fields { pointers: self.pointers, node, slots: &mut *self.slots };
                let mut deserializer = serde_json::Deserializer::from_str(raw);
                let read = match raw.as_bytes().first() {
                    Some(b'{') => deserializer.deserialize_map(fields),
                    Some(b'[') => deserializer.deserialize_seq(fields),
                    _ => Ok(()),
                };
                self.pointers.leave(node, self.slots);
                read.map_err(E::custom)
            }
        }
    }
}

impl<'t> Visitor<'t> for Fields<'_, '_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'t>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(child) = map.next_key_seed(Key { pointers: self.pointers, node: self.node })? {
            match child {
                Some(child) => self.take(child, map.next_value()?)?,
                None => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }

    /// `/items/0` is the first of a list.
    fn visit_seq<A: SeqAccess<'t>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut position = 0;
        loop {
            match self.pointers.element(self.node, position) {
                Some(child) => match list.next_element()? {
                    Some(raw) => self.take(child, raw)?,
                    None => return Ok(()),
                },
                None if list.next_element::<IgnoredAny>()?.is_none() => return Ok(()),
                None => {}
            }
            position += 1;
        }
    }
}

/// Finds a key among the wanted ones.
struct Key<'p> {
    pointers: &'p Pointers,
    node: usize,
}

impl<'t> DeserializeSeed<'t> for Key<'_> {
    type Value = Option<Child>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<Child>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<Child>, E> {
        Ok(self.pointers.child(self.node, key))
    }
}
