//! One record, read by a visitor that picks the wanted fields and skips the rest: no tree of values is built.
//!
//! It reads every record there can be, and its word is final: `scan` is quicker, and leaves to it what is rare.

use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::slot::Slot;
use crate::tree::{Child, Tree};

/// Why a text is no record.
#[derive(Debug)]
pub(crate) enum NoRecord {
    /// It is JSON, and another thing.
    NotAnObject,
    Json(serde_json::Error),
}

/// Reads a text as one record into `slots`, which are missing before.
pub(crate) fn visit<'de>(tree: &Tree, text: &'de str, slots: &mut [Slot<'de>]) -> Result<(), NoRecord> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let object = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    let read = match object {
        true => deserializer.deserialize_map(Fields { tree, node: 0, slots }),
        false => IgnoredAny::deserialize(&mut deserializer).map(|_| ()),
    };
    read.and_then(|()| deserializer.end()).map_err(NoRecord::Json)?;
    if object { Ok(()) } else { Err(NoRecord::NotAnObject) }
}

/// Picks the fields of a node of the tree.
struct Fields<'m, 's, 'de> {
    tree: &'m Tree,
    node: usize,
    slots: &'s mut [Slot<'de>],
}

impl<'de> Fields<'_, '_, 'de> {
    fn take<E: serde::de::Error>(&mut self, child: Child, raw: &'de RawValue) -> Result<(), E> {
        let raw = raw.get();
        match child {
            Child::Slot(slot) => {
                if let Some(place) = self.slots.get_mut(slot) {
                    place.put(Slot::of(raw));
                }
                Ok(())
            }
            Child::Node(node) => {
                self.tree.enter(node, self.slots);
                let fields = Fields { tree: self.tree, node, slots: &mut *self.slots };
                let mut deserializer = serde_json::Deserializer::from_str(raw);
                let read = match raw.as_bytes().first() {
                    Some(b'{') => deserializer.deserialize_map(fields),
                    Some(b'[') => deserializer.deserialize_seq(fields),
                    _ => Ok(()),
                };
                self.tree.leave(node, self.slots);
                read.map_err(E::custom)
            }
        }
    }
}

impl<'de> Visitor<'de> for Fields<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(child) = map.next_key_seed(Key { tree: self.tree, node: self.node })? {
            match child {
                Some(child) => self.take(child, map.next_value()?)?,
                None => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }

    /// `/items/0` is the first of a list.
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut position = 0;
        loop {
            match self.tree.element(self.node, position) {
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
struct Key<'m> {
    tree: &'m Tree,
    node: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<Child>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<Child>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<Child>, E> {
        Ok(self.tree.child(self.node, key))
    }
}
