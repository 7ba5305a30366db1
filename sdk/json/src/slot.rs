//! What a record holds in one wanted place.

use std::borrow::Cow;

/// What a record holds in one wanted place, borrowed from the record's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slot<'t> {
    /// The record has no such field.
    #[default]
    Missing,
    /// The key stands twice; nobody knows which is meant.
    Twice,
    /// `null`.
    Null,
    /// A text without escapes, without its quotes.
    Text(&'t str),
    /// A text with escapes, as it is written, quotes included; [`unescaped`] gives what it means.
    Escaped(&'t str),
    /// A number as it is written: digits are never lost to a float.
    Number(&'t str),
    /// `true`, `false`, a list, an object: as it is written.
    Other(&'t str),
}

impl<'t> Slot<'t> {
    /// From a whole JSON value without space around it.
    pub(crate) fn of(raw: &'t str) -> Self {
        match raw.as_bytes() {
            [b'"', text @ .., b'"'] if !text.contains(&b'\\') => {
                Slot::Text(raw.get(1..raw.len() - 1).unwrap_or_default())
            }
            [b'"', ..] => Slot::Escaped(raw),
            [b'-' | b'0'..=b'9', ..] => Slot::Number(raw),
            b"null" => Slot::Null,
            _ => Slot::Other(raw),
        }
    }

    /// Takes a value in. Of two, none is right.
    #[inline(always)]
    pub(crate) fn put(&mut self, value: Slot<'t>) {
        *self = match self {
            Slot::Missing => value,
            _ => Slot::Twice,
        };
    }
}

/// A text that is written with escapes, as it is meant; nothing if it means no text: `"\ud800"`.
pub fn unescaped(raw: &str) -> Option<Cow<'static, str>> {
    serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
}
