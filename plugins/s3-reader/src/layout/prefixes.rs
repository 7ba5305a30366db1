//! Which prefixes hold the objects of a window.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use meterhost_sdk::Window;

use super::{Layout, Token, Unit};

/// In milliseconds.
const DAY: i64 = 86_400_000;

impl Layout {
    /// The prefixes below which all keys of these windows lie, none of them twice. Many hours of a day, or days of a
    /// month, are listed together.
    pub(crate) fn prefixes(&self, windows: &[Window]) -> Vec<String> {
        let windows = &self.parts(windows);
        let mut wanted: BTreeSet<String> = windows.iter().map(|window| self.prefix(window, Unit::Hour)).collect();
        for (finer, coarser, many) in [(Unit::Hour, Unit::Day, 12), (Unit::Day, Unit::Month, 15)] {
            if !self.leads(coarser) {
                continue;
            }
            let mut below: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for window in windows {
                let prefix = self.prefix(window, finer);
                if wanted.contains(&prefix) {
                    below.entry(self.prefix(window, coarser)).or_default().insert(prefix);
                }
            }
            wanted.extend(below.into_iter().filter(|(_, below)| below.len() >= many).map(|(above, _)| above));
        }
        let mut kept: Vec<String> = Vec::new();
        for prefix in wanted {
            // In ascending order, what covers a prefix stands right before all that it covers.
            if kept.last().is_none_or(|before| !prefix.starts_with(before.as_str())) {
                kept.push(prefix);
            }
        }
        kept
    }

    /// These windows, and day by day the slack before and after each: together with it, a month would be listed by the
    /// prefix of its year.
    fn parts(&self, windows: &[Window]) -> Vec<Window> {
        let mut parts = windows.to_vec();
        for window in windows {
            for (mut start, end) in [
                (window.start.saturating_sub(self.slack), window.start),
                (window.end, window.end.saturating_add(self.slack)),
            ] {
                while start < end {
                    let day = (start.div_euclid(DAY) + 1).saturating_mul(DAY).min(end);
                    parts.push(Window { start, end: day });
                    start = day;
                }
            }
        }
        parts
    }

    /// Whether keys name this part of the time before any finer one.
    fn leads(&self, unit: Unit) -> bool {
        let before = |token: &&Token| !matches!(token, Token::Time(finer) if *finer > unit);
        self.tokens.iter().take_while(before).any(|token| *token == Token::Time(unit))
    }

    /// The longest text that all keys of a window begin with, as far as it has no time finer than `finest`.
    fn prefix(&self, window: &Window, finest: Unit) -> String {
        let at = |millis: i64| Timestamp::from_millisecond(millis).map(|moment| TimeZone::UTC.to_datetime(moment));
        let mut prefix = String::new();
        let (Ok(start), Ok(last)) = (at(window.start), at(window.end - 1)) else { return prefix };
        for token in &self.tokens {
            match token {
                Token::Literal(text) => prefix.push_str(text),
                Token::Time(unit) if *unit <= finest && cut(start, *unit) == cut(last, *unit) => {
                    prefix.push_str(&written(start, *unit));
                }
                Token::Time(_) | Token::Capture(_) | Token::Any | Token::All => break,
            }
        }
        prefix
    }
}

/// A part of a time, as keys have it.
pub(super) fn written(moment: DateTime, unit: Unit) -> String {
    match unit {
        Unit::Year => format!("{:04}", moment.year()),
        Unit::Month => format!("{:02}", moment.month()),
        Unit::Day => format!("{:02}", moment.day()),
        Unit::Hour => format!("{:02}", moment.hour()),
    }
}

/// A moment down to a unit.
fn cut(moment: DateTime, unit: Unit) -> (i16, i8, i8, i8) {
    let keep = |needed: Unit, value: i8| if unit >= needed { value } else { 0 };
    (moment.year(), keep(Unit::Month, moment.month()), keep(Unit::Day, moment.day()), keep(Unit::Hour, moment.hour()))
}
