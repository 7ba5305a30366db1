//! What a sink that publishes complete sets says, and is told.

use std::time::Duration;

use meterhost_decimal::Decimal;

use super::window::WindowKind;

/// What the place is like where sets are published.
#[derive(Debug, Clone)]
pub struct PlaceTraits {
    /// Where sets lie: a folder below what it may write to, or the URL of an API.
    pub place: String,
    /// The lengths of window that a charge may have; none named means an hour or a day.
    pub windows: Vec<WindowKind>,
    /// Requests, in this time, of which so many at once.
    pub rate: Option<(u32, Duration, u32)>,
    /// Whether it sees the whole set before it writes the first charge.
    pub surveys: bool,
    /// Whether more is published once the period is over than its charges.
    pub closes: bool,
    /// The longest that a request may take.
    pub deadline: Duration,
}

/// A set, before its first charge. Times are milliseconds, UTC.
#[derive(Debug, Clone)]
pub struct Outline {
    /// The period's first instant, and the first that no longer belongs to it.
    pub period: (i64, i64),
    /// What time it is.
    pub now: i64,
    /// Of all that it is made from.
    pub fingerprint: String,
    /// How many charges it has.
    pub rows: u64,
    /// The names of the tags that they have, ascending.
    pub tags: Vec<String>,
    /// The names of their attributes, ascending.
    pub attributes: Vec<String>,
    /// Whether the period is over, and no usage of it is waited for.
    pub closed: bool,
    /// The id of the set of the period that was begun last.
    pub last: Option<String>,
    /// Windows of which the set before had charges, and this one has none.
    pub emptied: Vec<(i64, i64)>,
}

/// A set as it is found where sets are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The plugin's name for it.
    pub id: String,
    /// Milliseconds, UTC.
    pub period: (i64, i64),
    /// When it was published, or written at last: milliseconds, UTC.
    pub at: Option<i64>,
    /// Objects in it.
    pub files: u32,
    /// How large they are together.
    pub bytes: u64,
    /// Whether readers are shown this one.
    pub current: bool,
}

/// What readers are shown for a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// This set.
    Set(Found),
    /// Nothing was ever published.
    Nothing,
    /// The place does not say.
    CannotTell,
}

/// What was written of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Charges in it.
    pub rows: u64,
    /// Objects or requests that it took.
    pub files: u32,
    /// How large they are together.
    pub bytes: u64,
    /// What the columns add up to that are amounts.
    pub totals: Vec<(String, Decimal)>,
}

/// Why a step of a publication came to nothing, in the plugin's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// What is in the way.
    pub reason: String,
    /// How long to wait at least.
    pub after: Option<Duration>,
}
