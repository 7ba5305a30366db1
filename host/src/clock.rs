//! The real clocks, and waiting.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// What time it is.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// For how long something takes: a clock that nobody sets.
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Waits.
pub(crate) fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Between half of a pause and the whole, so that two runs do not stay in step.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or_default();
    pause / 2 + pause / 2 * (random % 1024) / 1024
}
