//! The real clocks, and waiting. A test can give its own thread a time of its own, in which waiting takes none; and a process that is no
//! release build another time of day, by `METERHOST_CLOCK`.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// What time it is.
pub(crate) fn now() -> Timestamp {
    #[cfg(test)]
    if let Some(time) = own_time::now() {
        return time;
    }
    #[cfg(debug_assertions)]
    if let Some(time) = std::env::var("METERHOST_CLOCK").ok().and_then(|text| text.parse().ok()) {
        return time;
    }
    Timestamp::now()
}

/// For how long something takes: a clock that nobody sets.
pub(crate) fn instant() -> Instant {
    #[cfg(test)]
    if let Some(instant) = own_time::instant() {
        return instant;
    }
    Instant::now()
}

/// Waits.
pub(crate) fn sleep(duration: Duration) {
    #[cfg(test)]
    if own_time::pass(duration) {
        return;
    }
    std::thread::sleep(duration);
}

/// Between half of a pause and the whole, so that two runs do not stay in step.
pub(crate) fn jittered(pause: Duration) -> Duration {
    #[cfg(test)]
    if own_time::now().is_some() {
        return pause;
    }
    let random = getrandom::u32().unwrap_or_default();
    pause / 2 + pause / 2 * (random % 1024) / 1024
}

/// The time of a thread that has one of its own. It passes only where the thread waits.
#[cfg(test)]
pub(crate) mod own_time {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static OWN: Cell<Option<(Timestamp, Instant)>> = const { Cell::new(None) };
    }

    /// From here on the thread has its own time.
    pub(crate) fn begin(at: Timestamp) {
        OWN.set(Some((at, Instant::now())));
    }

    pub(super) fn now() -> Option<Timestamp> {
        OWN.get().map(|(now, _)| now)
    }

    pub(super) fn instant() -> Option<Instant> {
        OWN.get().map(|(_, instant)| instant)
    }

    /// Lets time pass, if it is the thread's own.
    pub(crate) fn pass(duration: Duration) -> bool {
        OWN.set(OWN.get().map(|(now, instant)| (now + duration, instant + duration)));
        OWN.get().is_some()
    }
}
