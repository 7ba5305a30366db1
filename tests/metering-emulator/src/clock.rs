//! The clock by which usage is too old or in the future. It can be set; signatures are held against the real time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where the clock stands. As JSON: `{"fixed": "2026-11-20T18:00:00Z"}`, `{"running": "2026-11-20T18:00:00Z"}` or
/// `"real"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The real time.
    #[default]
    Real,
    /// It stands still at this moment.
    Fixed(Timestamp),
    /// It runs from this moment on, which is the one at which it is set.
    Running(Timestamp),
}

/// A clock that was set at a known moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    clock: Clock,
    at: Timestamp,
}

impl Set {
    /// Sets the clock now.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, at: Timestamp::now() }
    }

    /// What it shows, UTC.
    pub(crate) fn now(&self) -> Timestamp {
        match self.clock {
            Clock::Real => Timestamp::now(),
            Clock::Fixed(moment) => moment,
            // Beyond the year 9999 it stands still.
            Clock::Running(from) => from.saturating_add(Timestamp::now().duration_since(self.at)).unwrap_or(from),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fixed_clock_stands_and_a_running_one_goes_on() {
        let moment: Timestamp = "2026-11-20T18:00:00Z".parse().unwrap();
        let (fixed, running) = (Set::new(Clock::Fixed(moment)), Set::new(Clock::Running(moment)));
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(fixed.now(), moment);
        let passed = running.now().duration_since(moment);
        assert!(passed.as_millis() >= 20 && passed.as_secs() < 60, "{passed:?}");
    }

    #[test]
    fn a_clock_is_read_from_json() {
        let read = |text: &str| serde_json::from_str::<Clock>(text);
        assert_eq!(read(r#""real""#).unwrap(), Clock::Real);
        assert_eq!(read(r#"{"fixed":"1970-01-01T00:00:00Z"}"#).unwrap(), Clock::Fixed(Timestamp::UNIX_EPOCH));
        assert!(read(r#"{"fixed":"yesterday"}"#).is_err());
    }
}
