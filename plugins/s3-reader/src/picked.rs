//! What the wanted fields of a record mean: a time, texts, quantities. Nothing is guessed; an error says which field is at fault.

use std::borrow::Cow;

use meterhost_sdk::Decimal;

use crate::layout::Matched;
use crate::mapping::{Amount, From, Mapping, Time};
use crate::moment;
use crate::pick::shown;
use crate::slot::{Slot, unescaped};

/// The wanted fields of one record, and what its object's key says.
pub(crate) struct Picked<'p> {
    pub(crate) mapping: &'p Mapping,
    pub(crate) slots: &'p [Slot<'p>],
    pub(crate) matched: &'p Matched,
}

impl<'p> Picked<'p> {
    /// In milliseconds, UTC.
    pub(crate) fn time(&self) -> Result<i64, String> {
        let (slot, found) = match self.mapping.time {
            Time::Path => {
                return self
                    .matched
                    .span
                    .as_ref()
                    .map(|span| span.start)
                    .ok_or_else(|| "the key names no time".to_owned());
            }
            Time::Text(slot) => match self.slot(slot) {
                Slot::Text(text) => (slot, moment::text(text)),
                Slot::Escaped(raw) => (slot, unescaped(raw).and_then(|text| moment::text(&text))),
                _ => (slot, None),
            },
            Time::Epoch(slot, unit) => match self.slot(slot) {
                Slot::Number(number) | Slot::Text(number) => (slot, moment::epoch(number, unit)),
                _ => (slot, None),
            },
        };
        found.ok_or_else(|| self.no_time(slot))
    }

    #[cold]
    fn no_time(&self, slot: usize) -> String {
        let raw = match self.slot(slot) {
            Slot::Missing | Slot::Twice | Slot::Null => return self.complaint("time", slot),
            Slot::Text(raw) | Slot::Escaped(raw) | Slot::Number(raw) | Slot::Other(raw) => raw,
        };
        let expected = match (self.mapping.time, self.slot(slot)) {
            (Time::Epoch(..), _) => "a number of a moment in the years up to 9999",
            (_, Slot::Number(_)) => {
                "a text; of a number, the configuration says what it counts: { field = \"...\", unit = \"ms\" }"
            }
            _ => "a text such as 2025-06-01T00:59:59Z",
        };
        format!("time ({}) cannot be read: {} is not {expected}", self.mapping.tree.pointer(slot), shown(raw))
    }

    /// A text that has to be there. A whole number is one too: customers are numbered in places.
    #[inline]
    pub(crate) fn text(&self, name: &str, from: &'p From) -> Result<Cow<'p, str>, String> {
        let slot = match from {
            From::Slot(slot) => *slot,
            From::Constant(text) => return Ok(Cow::Borrowed(text)),
            From::Capture(capture) => return Ok(Cow::Borrowed(self.capture(*capture))),
        };
        match self.slot(slot) {
            Slot::Text(text) if !text.is_empty() => Ok(Cow::Borrowed(text)),
            Slot::Escaped(raw) => unescaped(raw).ok_or_else(|| self.complaint(name, slot)),
            Slot::Number(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Cow::Borrowed(number)),
            _ => Err(self.complaint(name, slot)),
        }
    }

    /// A text that may be missing, empty or null.
    pub(crate) fn optional(&self, name: &str, from: &'p From) -> Result<Option<Cow<'p, str>>, String> {
        match from {
            From::Slot(slot) if matches!(self.slot(*slot), Slot::Missing | Slot::Null | Slot::Text("")) => Ok(None),
            _ => self.text(name, from).map(Some),
        }
    }

    /// Anything, or nothing: a text, and whatever else as it is written. Borrowed where it can be.
    pub(crate) fn attribute(&self, name: &str, from: &'p From) -> Result<Option<Cow<'p, str>>, String> {
        match from {
            From::Slot(slot) => match self.slot(*slot) {
                Slot::Missing | Slot::Null => Ok(None),
                Slot::Text(text) | Slot::Number(text) | Slot::Other(text) => Ok(Some(Cow::Borrowed(text))),
                Slot::Escaped(raw) => unescaped(raw).map(Some).ok_or_else(|| self.complaint(name, *slot)),
                Slot::Twice => Err(self.complaint(name, *slot)),
            },
            from => self.text(name, from).map(Some),
        }
    }

    /// A quantity: a number, or a text that holds one.
    #[inline]
    pub(crate) fn amount(&self, name: &str, amount: &'p Amount) -> Result<Decimal, String> {
        let from = match amount {
            Amount::Constant(decimal) => return Ok(*decimal),
            Amount::From(from) => from,
        };
        let text = match from {
            From::Constant(text) => Cow::Borrowed(text.as_str()),
            From::Capture(capture) => Cow::Borrowed(self.capture(*capture)),
            From::Slot(slot) => match self.slot(*slot) {
                Slot::Number(text) => Cow::Borrowed(text),
                Slot::Text(text) if !text.is_empty() => Cow::Borrowed(text),
                Slot::Escaped(raw) => unescaped(raw).ok_or_else(|| self.complaint(name, *slot))?,
                _ => return Err(self.complaint(name, *slot)),
            },
        };
        Decimal::parse_bytes(text.as_bytes()).map_err(|error| match from {
            From::Slot(slot) => format!("{name} ({}) is {}: {error}", self.mapping.tree.pointer(*slot), shown(&text)),
            _ => format!("{name} is {}: {error}", shown(&text)),
        })
    }

    #[inline]
    fn slot(&self, slot: usize) -> Slot<'p> {
        self.slots.get(slot).copied().unwrap_or_default()
    }

    fn capture(&self, capture: usize) -> &'p str {
        self.matched.captures.get(capture).map_or("", String::as_str)
    }

    /// What is wrong with a field that cannot be used.
    #[cold]
    fn complaint(&self, name: &str, slot: usize) -> String {
        let pointer = self.mapping.tree.pointer(slot);
        let what = match self.slot(slot) {
            Slot::Missing => "is missing".to_owned(),
            Slot::Twice => "stands there twice".to_owned(),
            Slot::Null => "is null".to_owned(),
            Slot::Text("") => "is empty".to_owned(),
            Slot::Text(text) => format!("is {}", shown(text)),
            Slot::Escaped(raw) => format!("is {}, whose escapes make no text", shown(raw)),
            Slot::Number(raw) => format!("is {}, which is neither a text nor a whole number", shown(raw)),
            Slot::Other(raw) => format!("is {}, which is neither a text nor a number", shown(raw)),
        };
        format!("{name} ({pointer}) {what}")
    }
}
