//! What a record holds in one wanted place.

use std::borrow::Cow;

/// What a record holds in one wanted place, borrowed from the record's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Slot<'de> {
    #[default]
    Missing,
    /// The key stands twice; nobody knows which is meant.
    Twice,
    Null,
    /// A text without escapes, without its quotes.
    Text(&'de str),
    /// A text with escapes, as it is written.
    Escaped(&'de str),
    /// As it is written.
    Number(&'de str),
    /// `true`, a list, an object: as it is written.
    Other(&'de str),
}

impl<'de> Slot<'de> {
    /// From a whole JSON value without space around it.
    pub(crate) fn of(raw: &'de str) -> Self {
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
    #[inline]
    pub(crate) fn put(&mut self, value: Slot<'de>) {
        *self = match self {
            Slot::Missing => value,
            _ => Slot::Twice,
        };
    }
}

/// A text that is written with escapes, as it is meant; nothing if it means no text: `"\ud800"`.
pub(crate) fn unescaped(raw: &str) -> Option<Cow<'static, str>> {
    serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
}
