//! One record, read by a visitor that picks the wanted fields and skips the rest: no tree of values is built.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::mapping::{Child, Tree};

/// What a record holds in one wanted place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Slot<'de> {
    #[default]
    Missing,
    /// The value as it is written.
    Raw(&'de str),
    /// The key stands twice; nobody knows which is meant.
    Twice,
}

/// What a slot holds, as a text, a number, or something else.
#[derive(Debug, PartialEq)]
pub(crate) enum Value<'de> {
    Missing,
    Twice,
    Null,
    Text(Cow<'de, str>),
    /// As it is written.
    Number(&'de str),
    /// `true`, a list, an object: as it is written.
    Other(&'de str),
}

impl<'de> Slot<'de> {
    pub(crate) fn value(self) -> Value<'de> {
        let raw = match self {
            Slot::Missing => return Value::Missing,
            Slot::Twice => return Value::Twice,
            Slot::Raw(raw) => raw,
        };
        match raw.as_bytes() {
            [b'"', middle @ .., b'"'] if memchr::memchr(b'\\', middle).is_none() => {
                Value::Text(Cow::Borrowed(raw.get(1..raw.len() - 1).unwrap_or_default()))
            }
            [b'"', ..] => match serde_json::from_str::<String>(raw) {
                Ok(text) => Value::Text(Cow::Owned(text)),
                Err(_) => Value::Other(raw),
            },
            [b'-' | b'0'..=b'9', ..] => Value::Number(raw),
            b"null" => Value::Null,
            _ => Value::Other(raw),
        }
    }
}

/// Reads one value as a record into `slots`, which are missing before. Answers whether it is an object.
pub(crate) struct RecordSeed<'m, 's, 'de> {
    pub(crate) tree: &'m Tree,
    pub(crate) node: usize,
    pub(crate) slots: &'s mut [Slot<'de>],
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> RecordSeed<'_, '_, 'de> {
    fn take<E>(&mut self, child: Option<Child>, next: impl Takes<'de, E>) -> Result<(), E> {
        match child {
            None => next.skip(),
            Some(Child::Slot(slot)) => {
                let raw = next.raw()?;
                if let Some(place) = self.slots.get_mut(slot) {
                    *place = match place {
                        Slot::Missing => Slot::Raw(raw.get()),
                        Slot::Raw(_) | Slot::Twice => Slot::Twice,
                    };
                }
                Ok(())
            }
            Some(Child::Node(node)) => {
                next.node(RecordSeed { tree: self.tree, node, slots: &mut *self.slots }).map(|_| ())
            }
        }
    }
}

/// The next value of a map or a list, to be taken in one of three ways.
trait Takes<'de, E> {
    fn skip(self) -> Result<(), E>;
    fn raw(self) -> Result<&'de RawValue, E>;
    fn node(self, seed: RecordSeed<'_, '_, 'de>) -> Result<bool, E>;
}

struct MapValue<'a, A>(&'a mut A);

impl<'de, A: MapAccess<'de>> Takes<'de, A::Error> for MapValue<'_, A> {
    fn skip(self) -> Result<(), A::Error> {
        self.0.next_value::<IgnoredAny>().map(|_| ())
    }

    fn raw(self) -> Result<&'de RawValue, A::Error> {
        self.0.next_value()
    }

    fn node(self, seed: RecordSeed<'_, '_, 'de>) -> Result<bool, A::Error> {
        self.0.next_value_seed(seed)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_, 'de> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let mut guess = 0;
        loop {
            let children = self.tree.nodes.get(self.node).map_or(&[][..], |node| &node.children);
            match map.next_key_seed(KeySeed { children, guess: &mut guess })? {
                None => return Ok(true),
                Some(child) => self.take(child, MapValue(&mut map))?,
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let Self { tree, node, slots } = self;
        let children = tree.nodes.get(node).map_or(&[][..], |node| &node.children);
        // The record itself is no list; below it, `/items/0` is the first of one.
        let mut position = 0_usize;
        loop {
            let wanted = children.iter().find(|(name, _)| node != 0 && *name == position.to_string());
            let more = match wanted.map(|(_, child)| *child) {
                None => list.next_element::<IgnoredAny>()?.is_some(),
                Some(Child::Slot(slot)) => match list.next_element::<&'de RawValue>()? {
                    Some(raw) => {
                        if let Some(place) = slots.get_mut(slot) {
                            *place = Slot::Raw(raw.get());
                        }
                        true
                    }
                    None => false,
                },
                Some(Child::Node(node)) => {
                    list.next_element_seed(RecordSeed { tree, node, slots: &mut *slots })?.is_some()
                }
            };
            if !more {
                return Ok(false);
            }
            position += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// Finds a key among the wanted ones. Records repeat their keys' order, so that the one after the last found is tried first.
struct KeySeed<'m, 'g> {
    children: &'m [(String, Child)],
    guess: &'g mut usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_> {
    type Value = Option<Child>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_, '_> {
    type Value = Option<Child>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<Child>, E> {
        if let Some((name, child)) = self.children.get(*self.guess)
            && name == key
        {
            *self.guess += 1;
            return Ok(Some(*child));
        }
        let Some(position) = self.children.iter().position(|(name, _)| name == key) else { return Ok(None) };
        *self.guess = position + 1;
        Ok(self.children.get(position).map(|(_, child)| *child))
    }
}
