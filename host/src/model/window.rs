//! Windows: the hours, days and calendar months of UTC by which usage is billed.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// How long a pipeline's windows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowKind {
    /// An hour of UTC.
    Hour,
    /// A calendar day of UTC.
    Day,
    /// A calendar month of UTC.
    Month,
}

impl WindowKind {
    /// The word that the pipeline file has for it: `hour`, `day`, `month`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// How a label of this kind is written; `d` stands for a digit.
    fn shape(self) -> &'static str {
        match self {
            Self::Hour => "dddd-dd-ddTdd",
            Self::Day => "dddd-dd-dd",
            Self::Month => "dddd-dd",
        }
    }
}

impl fmt::Display for WindowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no kind of window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of window; there are `hour`, `day` and `month`")]
pub struct UnknownKind(String);

impl FromStr for WindowKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            "month" => Ok(Self::Month),
            other => Err(UnknownKind(other.to_owned())),
        }
    }
}

/// A half-open interval of UTC, `[start, end)`, that is a whole hour, day or calendar month.
///
/// It can only be made from an instant that it contains or from its label, so it always begins where the calendar says. As text, and
/// in JSON, it is its label, which tells the kind as well: `2025-06`, `2025-06-01`, `2025-06-01T05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    kind: WindowKind,
    start: Timestamp,
    end: Timestamp,
}

impl Window {
    /// The window of this kind that the instant lies in. At the ends of what `Timestamp` holds (the years -9999 and 9999) a window is
    /// cut short; everywhere else it is whole.
    pub fn containing(kind: WindowKind, instant: Timestamp) -> Self {
        let civil = TimeZone::UTC.to_datetime(instant);
        let (first, length) = match kind {
            WindowKind::Hour => (civil.date().at(civil.hour(), 0, 0, 0), 1.hour()),
            WindowKind::Day => (civil.date().at(0, 0, 0, 0), 1.day()),
            WindowKind::Month => (civil.date().first_of_month().at(0, 0, 0, 0), 1.month()),
        };
        let start = instant_of(first).unwrap_or(Timestamp::MIN);
        let end = first.checked_add(length).ok().and_then(instant_of).unwrap_or(Timestamp::MAX);
        Self { kind, start, end }
    }

    /// Reads a label of a known kind.
    ///
    /// # Errors
    /// The text is not written as that kind's labels are, or there is no such day or hour.
    pub fn parse(kind: WindowKind, label: &str) -> Result<Self, LabelError> {
        first_instant(kind, label)
            .map(|start| Self::containing(kind, start))
            .ok_or_else(|| LabelError { label: label.to_owned(), kind: Some(kind) })
    }

    /// Whether it is an hour, a day or a month.
    pub fn kind(&self) -> WindowKind {
        self.kind
    }

    /// The first instant that belongs to it.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant that no longer belongs to it.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Its name in UTC: `2025-06`, `2025-06-01`, `2025-06-01T05`.
    pub fn label(&self) -> String {
        let civil = TimeZone::UTC.to_datetime(self.start);
        let (year, month, day, hour) = (civil.year(), civil.month(), civil.day(), civil.hour());
        match self.kind {
            WindowKind::Hour => format!("{year:04}-{month:02}-{day:02}T{hour:02}"),
            WindowKind::Day => format!("{year:04}-{month:02}-{day:02}"),
            WindowKind::Month => format!("{year:04}-{month:02}"),
        }
    }

    /// The window after it; nothing at the end of time as `Timestamp` has it.
    pub fn next(&self) -> Option<Self> {
        (self.end < Timestamp::MAX).then(|| Self::containing(self.kind, self.end))
    }

    /// The window before it; nothing at the beginning of time.
    pub fn previous(&self) -> Option<Self> {
        let last = self.start.checked_sub(1.nanosecond()).ok()?;
        Some(Self::containing(self.kind, last))
    }
}

/// By start; where a day and a month start together, the shorter comes first.
impl Ord for Window {
    fn cmp(&self, other: &Self) -> Ordering {
        self.start.cmp(&other.start).then(self.kind.cmp(&other.kind))
    }
}

impl PartialOrd for Window {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.label())
    }
}

/// Reads a label of any kind; its length tells which.
impl FromStr for Window {
    type Err = LabelError;

    fn from_str(label: &str) -> Result<Self, LabelError> {
        [WindowKind::Month, WindowKind::Day, WindowKind::Hour]
            .into_iter()
            .find_map(|kind| Self::parse(kind, label).ok())
            .ok_or_else(|| LabelError { label: label.to_owned(), kind: None })
    }
}

impl TryFrom<String> for Window {
    type Error = LabelError;

    fn try_from(label: String) -> Result<Self, LabelError> {
        label.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.label()
    }
}

/// A text that names no window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelError {
    label: String,
    kind: Option<WindowKind>,
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, sample) = match self.kind {
            Some(WindowKind::Hour) => ("an hour", "`2025-06-01T05`"),
            Some(WindowKind::Day) => ("a day", "`2025-06-01`"),
            Some(WindowKind::Month) => ("a month", "`2025-06`"),
            None => ("a window", "`2025-06`, `2025-06-01` or `2025-06-01T05`"),
        };
        write!(f, "`{}` is not {what}; write {sample}", self.label)
    }
}

impl std::error::Error for LabelError {}

fn instant_of(civil: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(civil).ok()
}

fn first_instant(kind: WindowKind, label: &str) -> Option<Timestamp> {
    let shape = kind.shape();
    let fits = label.len() == shape.len()
        && label.bytes().zip(shape.bytes()).all(
            |(byte, place)| {
                if place == b'd' { byte.is_ascii_digit() } else { byte == place }
            },
        );
    if !fits {
        return None;
    }
    let part = |range: std::ops::Range<usize>| label.get(range)?.parse::<i16>().ok();
    let part_or = |range: std::ops::Range<usize>, default: i8| match label.get(range) {
        Some(digits) => digits.parse::<i8>().ok(),
        None => Some(default),
    };
    let date = Date::new(part(0..4)?, part_or(5..7, 1)?, part_or(8..10, 1)?).ok()?;
    let hour = part_or(11..13, 0)?;
    (hour < 24).then(|| instant_of(date.at(hour, 0, 0, 0))).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_instant_lies_in_the_window_of_its_utc_calendar() {
        let instant = at("2025-06-30T23:59:59.999Z");
        for (kind, label, start, end) in [
            (WindowKind::Hour, "2025-06-30T23", "2025-06-30T23:00:00Z", "2025-07-01T00:00:00Z"),
            (WindowKind::Day, "2025-06-30", "2025-06-30T00:00:00Z", "2025-07-01T00:00:00Z"),
            (WindowKind::Month, "2025-06", "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z"),
        ] {
            let window = Window::containing(kind, instant);
            assert_eq!((window.label().as_str(), window.start(), window.end()), (label, at(start), at(end)));
            assert_eq!(Window::parse(kind, label), Ok(window));
            assert_eq!(label.parse(), Ok(window));
            assert_eq!(window.to_string(), label);
        }
    }

    #[test]
    fn the_end_belongs_to_the_next_window() {
        let june = Window::parse(WindowKind::Month, "2025-06").unwrap();
        assert_eq!(Window::containing(WindowKind::Month, june.end()), june.next().unwrap());
        assert_eq!(Window::containing(WindowKind::Month, june.start()), june);
    }

    #[test]
    fn instants_before_1970_round_down_too() {
        let window = Window::containing(WindowKind::Hour, at("1969-12-31T23:30:00Z"));
        assert_eq!(window.label(), "1969-12-31T23");
    }

    #[test]
    fn leap_years_have_a_29th_of_february() {
        let day = |label| Window::parse(WindowKind::Day, label);
        assert_eq!(day("2024-02-28").unwrap().next(), Some(day("2024-02-29").unwrap()));
        assert_eq!(day("2024-02-29").unwrap().next(), Some(day("2024-03-01").unwrap()));
        assert_eq!(day("2025-02-28").unwrap().next(), Some(day("2025-03-01").unwrap()));
        assert!(day("2025-02-29").is_err() && day("2100-02-29").is_err() && day("2000-02-29").is_ok());
        let february = Window::parse(WindowKind::Month, "2024-02").unwrap();
        assert_eq!(february.end().duration_since(february.start()).as_hours(), 29 * 24);
    }

    #[test]
    fn a_year_rolls_over_both_ways() {
        for (kind, last, first) in [
            (WindowKind::Month, "2024-12", "2025-01"),
            (WindowKind::Day, "2024-12-31", "2025-01-01"),
            (WindowKind::Hour, "2024-12-31T23", "2025-01-01T00"),
        ] {
            let (last, first) = (Window::parse(kind, last).unwrap(), Window::parse(kind, first).unwrap());
            assert_eq!(last.next(), Some(first));
            assert_eq!(first.previous(), Some(last));
            assert!(last < first);
        }
    }

    #[test]
    fn the_ends_of_time_stop_without_a_panic() {
        for kind in [WindowKind::Hour, WindowKind::Day, WindowKind::Month] {
            assert_eq!(Window::containing(kind, Timestamp::MAX).next(), None);
            assert_eq!(Window::containing(kind, Timestamp::MIN).previous(), None);
        }
    }

    #[test]
    fn what_is_no_label_says_how_one_is_written() {
        for (kind, label, message) in [
            (WindowKind::Month, "2025-13", "`2025-13` is not a month; write `2025-06`"),
            (WindowKind::Month, "2025-06-01", "`2025-06-01` is not a month; write `2025-06`"),
            (WindowKind::Day, "2025-6-1", "`2025-6-1` is not a day; write `2025-06-01`"),
            (WindowKind::Hour, "2025-06-01T24", "`2025-06-01T24` is not an hour; write `2025-06-01T05`"),
            (WindowKind::Hour, "2025-06-01 05", "`2025-06-01 05` is not an hour; write `2025-06-01T05`"),
            (WindowKind::Month, "+025-06", "`+025-06` is not a month; write `2025-06`"),
        ] {
            assert_eq!(Window::parse(kind, label).unwrap_err().to_string(), message);
        }
        let error = "June".parse::<Window>().unwrap_err();
        assert_eq!(error.to_string(), "`June` is not a window; write `2025-06`, `2025-06-01` or `2025-06-01T05`");
    }

    #[test]
    fn json_holds_the_label_and_the_word() {
        let window = Window::parse(WindowKind::Day, "2025-06-01").unwrap();
        let json = serde_json::to_string(&(WindowKind::Day, window)).unwrap();
        assert_eq!(json, r#"["day","2025-06-01"]"#);
        assert_eq!(serde_json::from_str::<(WindowKind, Window)>(&json).unwrap(), (WindowKind::Day, window));
        assert_eq!(
            "week".parse::<WindowKind>().unwrap_err().to_string(),
            "`week` is not a kind of window; there are `hour`, `day` and `month`"
        );
    }
}
