//! What the parts of a key mean.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use meterhost_sdk::Window;

/// A parsed layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    tokens: Vec<Token>,
    /// The names of the captures, in the order of their first appearance.
    captures: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(String),
    Time(Unit),
    /// The position of its name.
    Capture(usize),
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
}

impl Unit {
    fn width(self) -> usize {
        if self == Unit::Year { 4 } else { 2 }
    }
}

/// What a key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    /// The time that the key names, from its start to its end; nothing if the layout has no time.
    pub(crate) span: Option<Window>,
    /// By position of the capture's name.
    pub(crate) captures: Vec<String>,
}

impl Layout {
    /// Reads a layout. The error is for a person.
    pub(crate) fn parse(text: &str) -> Result<Layout, String> {
        let mut layout = Layout { tokens: Vec::new(), captures: Vec::new() };
        let mut rest = text;
        if text.is_empty() || text.starts_with('/') {
            return Err(
                "layout: it is relative to the granted bucket or folder, and does not begin with `/`".to_owned()
            );
        }
        while let Some(first) = rest.chars().next() {
            let token = match first {
                '*' => {
                    rest = rest.get(1..).unwrap_or_default();
                    Token::Any
                }
                '{' => {
                    let (name, after) = rest
                        .get(1..)
                        .and_then(|rest| rest.split_once('}'))
                        .ok_or_else(|| format!("layout: the brace in `{rest}` is not closed"))?;
                    rest = after;
                    layout.named(name)?
                }
                '}' => return Err(format!("layout: the brace in `{rest}` was not opened")),
                _ => {
                    let end = rest.find(['*', '{', '}']).unwrap_or(rest.len());
                    let (literal, after) = rest.split_at(end);
                    rest = after;
                    Token::Literal(literal.to_owned())
                }
            };
            if let (Some(Token::Any | Token::Capture(_)), Token::Any | Token::Capture(_)) =
                (layout.tokens.last(), &token)
            {
                return Err(
                    "layout: between two of `*` and captures there must be a text that tells them apart".to_owned()
                );
            }
            layout.tokens.push(token);
        }
        layout.check_times()?;
        Ok(layout)
    }

    fn named(&mut self, name: &str) -> Result<Token, String> {
        Ok(match name {
            "yyyy" => Token::Time(Unit::Year),
            "mm" => Token::Time(Unit::Month),
            "dd" => Token::Time(Unit::Day),
            "hh" => Token::Time(Unit::Hour),
            "" => return Err("layout: a capture has a name: {tenant}".to_owned()),
            name if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                return Err(format!("layout: `{{{name}}}` is no capture: a name has letters, digits and `_`"));
            }
            name => {
                let position = self.captures.iter().position(|known| known == name).unwrap_or_else(|| {
                    self.captures.push(name.to_owned());
                    self.captures.len() - 1
                });
                Token::Capture(position)
            }
        })
    }

    /// A month without a year, or an hour without a day, names no time.
    fn check_times(&self) -> Result<(), String> {
        let has = |unit| self.tokens.contains(&Token::Time(unit));
        let names = [
            (Unit::Month, Unit::Year, "{mm}", "{yyyy}"),
            (Unit::Day, Unit::Month, "{dd}", "{mm}"),
            (Unit::Hour, Unit::Day, "{hh}", "{dd}"),
        ];
        for (unit, needs, name, needed) in names {
            if has(unit) && !has(needs) {
                return Err(format!("layout: {name} names a time only together with {needed}"));
            }
        }
        Ok(())
    }

    /// The position of a capture.
    pub(crate) fn capture(&self, name: &str) -> Option<usize> {
        self.captures.iter().position(|known| known == name)
    }

    /// Whether keys name a time.
    pub(crate) fn has_time(&self) -> bool {
        self.tokens.contains(&Token::Time(Unit::Year))
    }

    /// What a key says; nothing if it does not match, or names a time that does not exist.
    pub(crate) fn matched(&self, key: &str) -> Option<Matched> {
        let mut found = Found { times: [None; 4], captures: vec![None; self.captures.len()] };
        if !walk(&self.tokens, key, &mut found) {
            return None;
        }
        let captures = found.captures.into_iter().map(Option::unwrap_or_default).collect();
        Some(Matched { span: span(found.times)?, captures })
    }

    /// The shortest list of prefixes below which all keys of these windows lie.
    pub(crate) fn prefixes(&self, windows: &[Window]) -> Vec<String> {
        let all: BTreeSet<String> = windows.iter().map(|window| self.prefix(window)).collect();
        let mut kept: Vec<String> = Vec::new();
        for prefix in all {
            // In ascending order, what covers a prefix stands right before it or before others that it covers.
            if kept.last().is_none_or(|before| !prefix.starts_with(before.as_str())) {
                kept.push(prefix);
            }
        }
        kept
    }

    fn prefix(&self, window: &Window) -> String {
        let at = |millis: i64| Timestamp::from_millisecond(millis).map(|moment| TimeZone::UTC.to_datetime(moment));
        let mut prefix = String::new();
        let (Ok(start), Ok(last)) = (at(window.start), at(window.end - 1)) else { return prefix };
        for token in &self.tokens {
            match token {
                Token::Literal(text) => prefix.push_str(text),
                Token::Time(unit) if cut(start, *unit) == cut(last, *unit) => {
                    let (year, month, day, hour) = cut(start, *unit);
                    prefix.push_str(&match unit {
                        Unit::Year => format!("{year:04}"),
                        Unit::Month => format!("{month:02}"),
                        Unit::Day => format!("{day:02}"),
                        Unit::Hour => format!("{hour:02}"),
                    });
                }
                Token::Time(_) | Token::Capture(_) | Token::Any => break,
            }
        }
        prefix
    }
}

/// A moment down to a unit.
fn cut(moment: DateTime, unit: Unit) -> (i16, i8, i8, i8) {
    let keep = |needed: Unit, value: i8| if unit >= needed { value } else { 0 };
    (moment.year(), keep(Unit::Month, moment.month()), keep(Unit::Day, moment.day()), keep(Unit::Hour, moment.hour()))
}

struct Found {
    times: [Option<i16>; 4],
    captures: Vec<Option<String>>,
}

fn walk(tokens: &[Token], key: &str, found: &mut Found) -> bool {
    let Some((token, tokens)) = tokens.split_first() else { return key.is_empty() };
    match token {
        Token::Literal(text) => key.strip_prefix(text.as_str()).is_some_and(|rest| walk(tokens, rest, found)),
        Token::Time(unit) => {
            let Some((digits, rest)) = key.split_at_checked(unit.width()) else { return false };
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return false;
            }
            let value = digits.parse().ok();
            let Some(slot) = found.times.get_mut(*unit as usize) else { return false };
            // A part that stands twice says the same twice.
            if slot.is_some() && *slot != value {
                return false;
            }
            *slot = value;
            walk(tokens, rest, found)
        }
        Token::Any => ends(key, tokens).any(|end| walk(tokens, key.get(end..).unwrap_or_default(), found)),
        Token::Capture(position) => {
            let before = found.captures.get(*position).cloned().flatten();
            for end in ends(key, tokens).filter(|&end| end > 0) {
                let (text, rest) = key.split_at(end);
                if before.as_deref().is_some_and(|before| before != text) {
                    continue;
                }
                if let Some(slot) = found.captures.get_mut(*position) {
                    *slot = Some(text.to_owned());
                }
                if walk(tokens, rest, found) {
                    return true;
                }
            }
            if let Some(slot) = found.captures.get_mut(*position) {
                *slot = before;
            }
            false
        }
    }
}

/// Where a text that stays within one part of the key may end, given what comes after it.
fn ends<'k>(key: &'k str, after: &'k [Token]) -> impl Iterator<Item = usize> + 'k {
    let part = key.find('/').unwrap_or(key.len());
    let literal = match after.first() {
        Some(Token::Literal(text)) => Some(text.as_str()),
        _ => None,
    };
    (0..=part).filter(move |&end| {
        key.is_char_boundary(end)
            && literal.is_none_or(|text| key.get(end..).is_some_and(|rest| rest.starts_with(text)))
    })
}

/// From the first to the last instant that a key's time names. `None` outside: there is no such time.
fn span(times: [Option<i16>; 4]) -> Option<Option<Window>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: &str, end: &str) -> Window {
        let millis = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        Window { start: millis(start), end: millis(end) }
    }

    const HOURLY: &str = "metering/{service}/{yyyy}/{mm}/{dd}/{hh}/*.json";

    #[test]
    fn a_key_says_its_hour_and_its_captures() {
        let layout = Layout::parse(HOURLY).unwrap();
        let matched = layout.matched("metering/pg/2025/06/30/23/sub-a.json").unwrap();
        assert_eq!(matched.span, Some(window("2025-06-30T23:00:00Z", "2025-07-01T00:00:00Z")));
        assert_eq!(matched.captures, ["pg"]);
    }

    #[test]
    fn what_does_not_match_says_nothing() {
        let layout = Layout::parse(HOURLY).unwrap();
        let keys = [
            "metering/pg/2025/06/30/23/sub-a.csv",
            "metering/pg/2025/06/30/23/deeper/sub-a.json",
            "metering/pg/2025/06/30/sub-a.json",
            "metering//2025/06/30/23/sub-a.json",
            "metering/pg/2025/02/30/23/sub-a.json",
            "metering/pg/2025/06/30/24/sub-a.json",
            "metering/pg/2025/6/30/23/sub-a.json",
            "other/pg/2025/06/30/23/sub-a.json",
        ];
        for key in keys {
            assert_eq!(layout.matched(key), None, "{key}");
        }
    }

    #[test]
    fn a_window_is_listed_by_the_longest_prefix_that_holds_it() {
        let layout = Layout::parse("m/{yyyy}/{mm}/{dd}/{hh}/*.json").unwrap();
        let month = window("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z");
        let hour = window("2025-06-01T05:00:00Z", "2025-06-01T06:00:00Z");
        let next = window("2025-06-01T06:00:00Z", "2025-06-01T07:00:00Z");
        assert_eq!(layout.prefixes(std::slice::from_ref(&month)), ["m/2025/06/"]);
        assert_eq!(layout.prefixes(&[hour, next]), ["m/2025/06/01/05/", "m/2025/06/01/06/"]);
        assert_eq!(layout.prefixes(&[month, hour, next]), ["m/2025/06/"]);
    }

    #[test]
    fn without_a_time_everything_is_listed() {
        let layout = Layout::parse("logs/{tenant}.ndjson").unwrap();
        assert_eq!(layout.prefixes(&[window("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z")]), ["logs/"]);
        let matched = layout.matched("logs/acme.ndjson").unwrap();
        assert_eq!((matched.span, matched.captures), (None, vec!["acme".to_owned()]));
    }

    #[test]
    fn a_capture_that_stands_twice_has_one_text() {
        let layout = Layout::parse("{a}/x-{a}-*.json").unwrap();
        assert!(layout.matched("p/x-p-1.json").is_some());
        assert!(layout.matched("p/x-q-1.json").is_none());
        assert_eq!(layout.matched("p-q/x-p-q-1.json").unwrap().captures, ["p-q"]);
    }

    #[test]
    fn a_layout_that_means_nothing_is_refused() {
        let cases = [
            ("/a", "layout: it is relative to the granted bucket or folder, and does not begin with `/`"),
            ("a/{yyyy", "layout: the brace in `{yyyy` is not closed"),
            ("a}", "layout: the brace in `}` was not opened"),
            ("{mm}/*", "layout: {mm} names a time only together with {yyyy}"),
            ("{a}{b}", "layout: between two of `*` and captures there must be a text that tells them apart"),
            ("{a b}", "layout: `{a b}` is no capture: a name has letters, digits and `_`"),
        ];
        for (text, error) in cases {
            assert_eq!(Layout::parse(text), Err(error.to_owned()));
        }
    }
}
