//! What the wanted fields of a record mean: a time, texts, quantities. Nothing is guessed; an error says which field is
//! at fault.

use std::borrow::Cow;

use meterhost_sdk::json::{Slot, shown, unescaped};
use meterhost_sdk::{Decimal, Window};

use crate::layout::Matched;
use crate::mapping::{Amount, From, Mapping, Time};
use crate::moment;

/// The longest customer, product, dimension or id, in bytes. The host takes no longer names: with one, the run would end
/// instead of the record being held.
const LONGEST: usize = 16 << 10;

/// The wanted fields of one record, and what its object's key says.
pub(crate) struct Picked<'p> {
    pub(crate) mapping: &'p Mapping,
    pub(crate) slots: &'p [Slot<'p>],
    pub(crate) matched: &'p Matched,
}

impl<'p> Picked<'p> {
    /// When it happened, in milliseconds, UTC. It lies in the time of the key, with its slack, if that names one: objects
    /// are read for the windows that these touch, and a record of another time would be missed by the windows it belongs
    /// to.
    #[inline]
    pub(crate) fn time(&self) -> Result<i64, String> {
        let time = self.moment()?;
        match &self.matched.reach {
            Some(reach) if time < reach.start || time >= reach.end => Err(self.astray(time, reach)),
            _ => Ok(time),
        }
    }

    #[cold]
    fn astray(&self, time: i64, reach: &Window) -> String {
        let pointer = match self.mapping.time {
            Time::Text(slot) | Time::Epoch(slot, _) => self.mapping.pointers.pointer(slot),
            Time::Path => "path",
        };
        let span = self.matched.span.as_ref().unwrap_or(reach);
        let more = match span == reach {
            true => {
                "; store the record under a key of its own time, or say by how much the two may differ: slack = \"1h\""
            }
            false => ", by more than `slack`; store the record under a key of its own time, or make `slack` longer",
        };
        let (time, start, end) = (moment::shown(time), moment::shown(span.start), moment::shown(span.end));
        format!("time ({pointer}) {time} lies outside of the time in its key, {start} to {end}{more}")
    }

    /// The time that it says, in milliseconds, UTC.
    #[inline]
    pub(crate) fn moment(&self) -> Result<i64, String> {
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
        format!("time ({}) cannot be read: {} is not {expected}", self.mapping.pointers.pointer(slot), shown(raw))
    }

    /// [`time`](Self::time) as most write it; nothing if it is written in a rare way, or wrong.
    #[inline(always)]
    pub(crate) fn plain_time(&self) -> Option<i64> {
        let time = match self.mapping.time {
            Time::Path => self.matched.span.as_ref()?.start,
            Time::Text(slot) => match self.slot(slot) {
                Slot::Text(text) => moment::text(text)?,
                _ => return None,
            },
            Time::Epoch(slot, unit) => match self.slot(slot) {
                Slot::Number(number) | Slot::Text(number) => moment::epoch(number, unit)?,
                _ => return None,
            },
        };
        match &self.matched.reach {
            Some(reach) if time < reach.start || time >= reach.end => None,
            _ => Some(time),
        }
    }

    /// [`text`](Self::text) as most write it.
    #[inline(always)]
    pub(crate) fn plain_text(&self, from: &'p From) -> Option<&'p str> {
        match from {
            From::Slot(slot) => match self.slot(*slot) {
                Slot::Text(text) if (1..=LONGEST).contains(&text.len()) => Some(text),
                _ => None,
            },
            From::Constant(text) => Some(text),
            From::Capture(capture) => Some(self.capture(*capture)),
        }
    }

    /// [`amount`](Self::amount) as most write it.
    #[inline(always)]
    pub(crate) fn plain_amount(&self, amount: &'p Amount) -> Option<Decimal> {
        match amount {
            Amount::Constant(decimal) => Some(*decimal),
            Amount::From(From::Slot(slot)) => match self.slot(*slot) {
                Slot::Number(text) | Slot::Text(text) => Decimal::parse_bytes(text.as_bytes()).ok(),
                _ => None,
            },
            Amount::From(_) => None,
        }
    }

    /// Whether there is nothing where there need not be something.
    #[inline]
    pub(crate) fn is_nothing(&self, from: &From) -> bool {
        matches!(from, From::Slot(slot) if matches!(self.slot(*slot), Slot::Missing | Slot::Null | Slot::Text("")))
    }

    /// A text that has to be there. A whole number is one too: customers are numbered in places.
    pub(crate) fn text(&self, name: &str, from: &'p From) -> Result<Cow<'p, str>, String> {
        match (self.plain_text(from), from) {
            (Some(text), _) => Ok(Cow::Borrowed(text)),
            (None, From::Slot(slot)) => self.rare_text(name, *slot),
            (None, _) => Err(format!("{name} is missing")),
        }
    }

    fn rare_text(&self, name: &str, slot: usize) -> Result<Cow<'p, str>, String> {
        let text = match self.slot(slot) {
            Slot::Text(text) if !text.is_empty() => Cow::Borrowed(text),
            Slot::Escaped(raw) => unescaped(raw).ok_or_else(|| self.complaint(name, slot))?,
            Slot::Number(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => Cow::Borrowed(number),
            _ => return Err(self.complaint(name, slot)),
        };
        match text.len() > LONGEST {
            true => {
                Err(format!("{name} ({}) is longer than {} KiB", self.mapping.pointers.pointer(slot), LONGEST >> 10))
            }
            false => Ok(text),
        }
    }

    /// What was used; empty if the configuration does not ask.
    pub(crate) fn product(&self) -> Result<Cow<'p, str>, String> {
        self.mapping.product.as_ref().map_or(Ok(Cow::Borrowed("")), |from| self.text("product", from))
    }

    /// The record's own id, which may be missing, empty or null.
    pub(crate) fn id(&self) -> Result<Option<Cow<'p, str>>, String> {
        match &self.mapping.id {
            Some(from) if !self.is_nothing(from) => self.text("id", from).map(Some),
            _ => Ok(None),
        }
    }

    /// What is the same in every record of the object, whatever stands in it.
    pub(crate) fn sure(&self, from: &From) -> Option<String> {
        match from {
            From::Slot(_) => None,
            From::Constant(text) => Some(text.clone()),
            From::Capture(capture) => Some(self.capture(*capture).to_owned()).filter(|text| !text.is_empty()),
        }
    }

    /// An attribute, borrowed, which may be nothing; outside nothing if that does not do.
    #[inline]
    pub(crate) fn as_written(&self, from: &'p From) -> Option<Option<&'p str>> {
        match from {
            From::Slot(slot) => match self.slot(*slot) {
                Slot::Missing | Slot::Null => Some(None),
                Slot::Text(text) | Slot::Number(text) | Slot::Other(text) => Some(Some(text)),
                Slot::Escaped(_) | Slot::Twice => None,
            },
            From::Constant(text) => Some(Some(text)),
            From::Capture(capture) => Some(Some(self.capture(*capture))),
        }
    }

    /// All attributes: anything, or nothing; a text, and whatever else as it is written.
    pub(crate) fn attributes(&self) -> Result<Vec<Option<Cow<'p, str>>>, String> {
        let attribute = |(name, from): &'p (String, From)| match (self.as_written(from), from) {
            (Some(text), _) => Ok(text.map(Cow::Borrowed)),
            (None, From::Slot(slot)) => match self.slot(*slot) {
                Slot::Escaped(raw) => unescaped(raw).map(Some).ok_or_else(|| self.complaint(name, *slot)),
                _ => Err(self.complaint(name, *slot)),
            },
            (None, _) => Ok(None),
        };
        self.mapping.attributes.iter().map(attribute).collect()
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
            From::Slot(slot) => {
                format!("{name} ({}) is {}: {error}", self.mapping.pointers.pointer(*slot), shown(&text))
            }
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
        let pointer = self.mapping.pointers.pointer(slot);
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
