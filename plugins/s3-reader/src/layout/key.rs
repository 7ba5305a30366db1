//! What a key says.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use meterhost_sdk::Window;

use super::walk::{Times, Walk};
use super::{Layout, Token};

/// What a key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    /// The time that the key names, from its start to its end; nothing if the layout has no time.
    pub(crate) span: Option<Window>,
    /// The time in which its records lie: that of the key, and the slack before and after it.
    pub(crate) reach: Option<Window>,
    /// By position of the capture's name.
    pub(crate) captures: Vec<String>,
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// It is another thing's.
    Other,
    /// It fits, and its time is none: the 30th of February. The span is that of the coarsest part that makes sense:
    /// that February.
    NoSuchTime(Matched),
    /// It fits in two ways that mean different things, of which this is one.
    Ambiguous(Matched),
    Matched(Matched),
}

impl Layout {
    /// What a key says.
    pub(crate) fn key(&self, key: &str) -> Key {
        // What ends in a slash is how some tools write a folder.
        if key.ends_with('/') {
            return Key::Other;
        }
        let mut walk = Walk::new(self, key);
        walk.from(0, 0);
        let Some((times, captures)) = walk.found else { return Key::Other };
        let captures = captures.iter().map(|text| text.unwrap_or_default().to_owned()).collect();
        let matched = self.matched(sensible(times), captures);
        match walk.other {
            Some(other) if other == times => Key::Ambiguous(matched),
            Some(_) => Key::Ambiguous(self.matched(None, matched.captures)),
            None if exists(times) => Key::Matched(matched),
            None => Key::NoSuchTime(matched),
        }
    }

    /// What is said by a key that names this time.
    pub(crate) fn matched(&self, span: Option<Window>, captures: Vec<String>) -> Matched {
        Matched { reach: span.map(|span| self.widened(&span)), span, captures }
    }

    /// A time, and the slack before and after it.
    pub(super) fn widened(&self, span: &Window) -> Window {
        Window { start: span.start.saturating_sub(self.slack), end: span.end.saturating_add(self.slack) }
    }

    /// Whether a time or a capture stands after a token.
    pub(super) fn names_after(&self, token: usize) -> bool {
        self.tokens.iter().skip(token + 1).any(|token| matches!(token, Token::Time(_) | Token::Capture(_)))
    }
}

/// Whether there is such a time. A key that names none has no say in it.
fn exists(times: Times) -> bool {
    times.iter().all(Option::is_none) || span(times).is_some()
}

/// The span of as much of a time as makes sense, from the year on.
fn sensible(times: Times) -> Option<Window> {
    let [year, month, day, hour] = times;
    [[year, month, day, hour], [year, month, day, None], [year, month, None, None], [year, None, None, None]]
        .into_iter()
        .find_map(span)
}

/// From the first to the last instant that a time names; nothing if there is no such time.
fn span(times: Times) -> Option<Window> {
    let [Some(year), month, day, hour] = times else { return None };
    let small = |value: Option<i16>, otherwise: i8| i8::try_from(value.unwrap_or(otherwise.into())).ok();
    let date = Date::new(year, small(month, 1)?, small(day, 1)?).ok()?;
    let start = date.at(small(hour, 0).filter(|hour| (0..24).contains(hour))?, 0, 0, 0);
    let step = match (month, day, hour) {
        (_, _, Some(_)) => 1.hour(),
        (_, Some(_), None) => 1.day(),
        (Some(_), None, None) => 1.month(),
        (None, None, None) => 1.year(),
    };
    let end = start.checked_add(step).ok()?;
    let millis = |moment: DateTime| Some(TimeZone::UTC.to_timestamp(moment).ok()?.as_millisecond());
    Some(Window { start: millis(start)?, end: millis(end)? })
}
