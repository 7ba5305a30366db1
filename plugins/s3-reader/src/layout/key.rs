//! What a key says.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use meterhost_sdk::Window;

use super::{Layout, Token, Unit};

/// What a key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    /// The time that the key names, from its start to its end; nothing if the layout has no time.
    pub(crate) span: Option<Window>,
    /// By position of the capture's name.
    pub(crate) captures: Vec<String>,
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// It is another thing's.
    Other,
    /// It fits, and its time is none: the 30th of February.
    NoSuchTime,
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
        let mut walk = Walk {
            key,
            layout: self,
            times: [None; 4],
            captures: vec![None; self.captures.len()],
            found: None,
            other: None,
        };
        walk.from(0, 0);
        let Some((times, captures)) = walk.found else { return Key::Other };
        let captures = captures.iter().map(|text| text.unwrap_or_default().to_owned()).collect();
        match (span(times), walk.other) {
            (Some(span), None) => Key::Matched(Matched { span, captures }),
            (None, None) => Key::NoSuchTime,
            (span, Some(other)) => {
                let span = span.flatten().filter(|_| other == times);
                Key::Ambiguous(Matched { span, captures })
            }
        }
    }

    /// Whether a time or a capture stands after a token.
    fn names_after(&self, token: usize) -> bool {
        self.tokens.iter().skip(token + 1).any(|token| matches!(token, Token::Time(_) | Token::Capture(_)))
    }
}

/// The year, month, day and hour that a key names.
type Times = [Option<i16>; 4];

/// Goes through all ways in which a key fits a layout.
struct Walk<'k, 'l> {
    key: &'k str,
    layout: &'l Layout,
    times: Times,
    captures: Vec<Option<&'k str>>,
    /// What the first way means.
    found: Option<(Times, Vec<Option<&'k str>>)>,
    /// The times of another one that means something else.
    other: Option<Times>,
}

impl<'k> Walk<'k, '_> {
    /// Goes on with a token, at a place of the key.
    fn from(&mut self, token: usize, at: usize) {
        let layout = self.layout;
        let rest = self.key.get(at..).unwrap_or_default();
        match layout.tokens.get(token) {
            None if rest.is_empty() => match &self.found {
                None => self.found = Some((self.times, self.captures.clone())),
                Some((times, captures)) if *times == self.times && *captures == self.captures => {}
                Some(_) => self.other = Some(self.times),
            },
            None => {}
            Some(Token::Literal(text)) if rest.starts_with(text.as_str()) => self.from(token + 1, at + text.len()),
            Some(Token::Literal(_)) => {}
            Some(Token::Time(unit)) => {
                let Some(digits) = rest.get(..unit.width()) else { return };
                let value = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
                let before = self.times.get(*unit as usize).copied().flatten();
                // A part that stands twice says the same twice.
                if value.is_some() && before.is_none_or(|before| Some(before) == value) {
                    self.set_time(*unit, value);
                    self.from(token + 1, at + unit.width());
                    self.set_time(*unit, before);
                }
            }
            Some(Token::Any) => {
                for end in self.ends(token, at) {
                    self.from(token + 1, end);
                    // What follows means the same wherever this ends, unless it names something.
                    if self.other.is_some() || (self.found.is_some() && !layout.names_after(token)) {
                        return;
                    }
                }
            }
            Some(Token::Capture(position)) => {
                let before = self.captures.get(*position).copied().flatten();
                for end in self.ends(token, at) {
                    let text = self.key.get(at..end).unwrap_or_default();
                    if text.is_empty() || self.other.is_some() || before.is_some_and(|before| before != text) {
                        continue;
                    }
                    self.set_capture(*position, Some(text));
                    self.from(token + 1, end);
                    self.set_capture(*position, before);
                }
            }
        }
    }

    fn set_time(&mut self, unit: Unit, value: Option<i16>) {
        if let Some(time) = self.times.get_mut(unit as usize) {
            *time = value;
        }
    }

    fn set_capture(&mut self, position: usize, text: Option<&'k str>) {
        if let Some(capture) = self.captures.get_mut(position) {
            *capture = text;
        }
    }

    /// Where a text that begins at a place and stays within one part of the key may end, given the token after it.
    fn ends(&self, token: usize, at: usize) -> Vec<usize> {
        let rest = self.key.get(at..).unwrap_or_default();
        let part = rest.find('/').unwrap_or(rest.len());
        match self.layout.tokens.get(token + 1) {
            None if part == rest.len() => vec![self.key.len()],
            None => Vec::new(),
            Some(Token::Literal(text)) => {
                let fits = |end: &usize| rest.get(*end..).is_some_and(|rest| rest.starts_with(text.as_str()));
                (0..=part).filter(fits).map(|end| at + end).collect()
            }
            Some(_) => (0..=part).filter(|&end| rest.is_char_boundary(end)).map(|end| at + end).collect(),
        }
    }
}

/// From the first to the last instant that a key's time names. `None` outside: there is no such time.
fn span(times: Times) -> Option<Option<Window>> {
    let [Some(year), month, day, hour] = times else { return Some(None) };
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
    Some(Some(Window { start: millis(start)?, end: millis(end)? }))
}
