//! Records that lie before the pipeline's first window, and what is said of them.

use jiff::Timestamp;

use super::account::counted;

/// Records that lie before the pipeline's first window: no window ever takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Astray {
    pub(super) records: u64,
    /// Milliseconds, UTC.
    pub(super) earliest: i64,
    /// Whether there was any other.
    pub(super) others: bool,
}

impl Astray {
    /// Takes times in that lie in none of the windows read; `first` is when the pipeline's first window begins.
    pub(super) fn add(&mut self, outside: &[i64], first: Option<i64>) {
        for &time in outside {
            if first.is_none_or(|first| time >= first) {
                self.others = true;
                continue;
            }
            self.earliest = if self.records == 0 { time } else { self.earliest.min(time) };
            self.records += 1;
        }
    }

    /// What is said of them, if there are any.
    pub(super) fn words(&self) -> Option<String> {
        let earliest = || match Timestamp::from_millisecond(self.earliest) {
            Ok(time) => format!("{time:.0}"),
            Err(_) => self.earliest.to_string(),
        };
        (self.records > 0).then(|| {
            let verb = if self.records == 1 { "lies" } else { "lie" };
            let (records, earliest) = (counted(self.records), earliest());
            format!(
                "{records} {verb} before the first window (the earliest at {earliest}), and no window ever takes them"
            )
        })
    }

    /// Takes in what another opening found.
    pub(super) fn join(&mut self, other: Astray) {
        self.earliest = match (self.records, other.records) {
            (_, 0) => self.earliest,
            (0, _) => other.earliest,
            _ => self.earliest.min(other.earliest),
        };
        self.records = self.records.max(other.records);
        self.others |= other.others;
    }
}
