//! Where a pipeline begins: so long before now, or at a window's label.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use crate::model::window::{Window, WindowKind};

pub(super) const START: &str = "a time ago such as \"-2 months\" or \"-36 hours\", or a label such as \"2025-05\"";
pub(super) const LOOK_BACK: &str = "a length such as \"2 months\", \"45 days\" or \"36 hours\"";

/// The first window of a pipeline whose ledger is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The window that contains the instant so long before now.
    Ago(Ago),
    /// The window that begins where this one does. Its own kind may be a longer one: `2025-05` in a pipeline of days.
    At(Window),
}

/// A length of time in units of the UTC calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ago {
    /// How many, at least one.
    pub n: u32,
    /// Of what.
    pub unit: Unit,
}

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 3600 seconds.
    Hours,
    /// 24 hours.
    Days,
    /// A calendar month; where a day does not exist, the month's last day stands for it.
    Months,
}

impl Ago {
    /// The instant so long before another; the earliest there is, if that would be before it.
    pub fn before(&self, instant: Timestamp) -> Timestamp {
        let n = i64::from(self.n);
        let span = match self.unit {
            Unit::Hours => n.hours(),
            Unit::Days => n.days(),
            Unit::Months => n.months(),
        };
        let civil = TimeZone::UTC.to_datetime(instant).checked_sub(span);
        civil.and_then(|civil| TimeZone::UTC.to_timestamp(civil)).unwrap_or(Timestamp::MIN)
    }
}

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Hours => "hours",
            Unit::Days => "days",
            Unit::Months => "months",
        };
        write!(f, "{} {unit}", self.n)
    }
}

/// The first window that a new pipeline takes up.
pub fn first_window(start: Start, kind: WindowKind, now: Timestamp) -> Window {
    let instant = match start {
        Start::Ago(ago) => ago.before(now),
        Start::At(window) => window.start(),
    };
    Window::containing(kind, instant)
}

/// `"-2 months"` or a label.
pub(super) fn start(text: &str) -> Option<Start> {
    if let Ok(window) = text.parse() {
        return Some(Start::At(window));
    }
    let span: Span = text.parse().ok()?;
    if !span.is_negative() {
        return None;
    }
    calendar(span.negate()).map(Start::Ago)
}

/// `"2 months"`.
pub(super) fn look_back(text: &str) -> Option<Ago> {
    calendar(text.parse().ok()?)
}

/// A span of exactly one unit, at most a hundred years: more is a slip of the finger.
fn calendar(span: Span) -> Option<Ago> {
    let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
    let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    let hours = i64::from(span.get_hours());
    let (n, unit, most) = match (months, days, hours) {
        (1.., 0, 0) => (months, Unit::Months, 1200),
        (0, 1.., 0) => (days, Unit::Days, 36_525),
        (0, 0, 1..) => (hours, Unit::Hours, 876_600),
        _ => return None,
    };
    let whole = span.get_minutes() == 0
        && span.get_seconds() == 0
        && span.get_milliseconds() == 0
        && span.get_microseconds() == 0
        && span.get_nanoseconds() == 0;
    (whole && n <= most).then(|| u32::try_from(n).ok()).flatten().map(|n| Ago { n, unit })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn first(text: &str, kind: WindowKind, now: &str) -> String {
        first_window(start(text).unwrap(), kind, now.parse().unwrap()).label()
    }

    #[test]
    fn the_first_window_contains_the_instant_so_long_ago() {
        let now = "2025-07-15T10:20:30Z";
        assert_eq!(first("-2 months", WindowKind::Month, now), "2025-05");
        assert_eq!(first("-8 months", WindowKind::Month, now), "2024-11");
        assert_eq!(first("-1 year", WindowKind::Month, now), "2024-07");
        assert_eq!(first("-36 hours", WindowKind::Hour, now), "2025-07-13T22");
        assert_eq!(first("-36 hours", WindowKind::Day, now), "2025-07-13");
        assert_eq!(first("-2 weeks", WindowKind::Day, now), "2025-07-01");
        assert_eq!(first("-1 month", WindowKind::Day, "2024-03-31T00:00:00Z"), "2024-02-29");
    }

    #[test]
    fn a_label_names_the_first_window_whatever_the_time() {
        let now = "2025-07-15T10:20:30Z";
        assert_eq!(first("2025-05", WindowKind::Month, now), "2025-05");
        assert_eq!(first("2025-05", WindowKind::Day, now), "2025-05-01");
        assert_eq!(first("2025-05-03T07", WindowKind::Hour, now), "2025-05-03T07");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in
            ["", "2 months", "-2 minutes", "-1 month 2 days", "-1h 30m", "-0 days", "-500 years", "May", "2025-13"]
        {
            assert_eq!(start(text), None, "{text}");
        }
        assert_eq!(look_back("2 months"), Some(Ago { n: 2, unit: Unit::Months }));
        assert_eq!(look_back("-2 months"), None);
        assert_eq!(look_back("45 days").unwrap().to_string(), "45 days");
    }

    #[test]
    fn the_beginning_of_time_stops_without_a_panic() {
        assert_eq!(Ago { n: 1, unit: Unit::Months }.before(Timestamp::MIN), Timestamp::MIN);
    }
}
