//! What left during one call of a plugin. The host's own record, not the plugin's word, decides which charges are in doubt.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::held;

/// What left since a call began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallRecord {
    /// Requests that left, or may have: all but those of which surely nothing did.
    pub requests: u32,
    /// Requests that were tried, those included of which nothing left.
    pub tried: u32,
    /// Those that left and got a whole answer with a status under 500.
    pub answered: u32,
    /// Objects written or deleted, or tried to; one that is written in pieces counts when it is committed.
    pub writes: u32,
}

/// Counts for one call. Kept apart from the next call's, so that a request that outlives its call changes nothing there.
#[derive(Default)]
pub(super) struct Counts {
    requests: AtomicU32,
    tried: AtomicU32,
    answered: AtomicU32,
    writes: AtomicU32,
}

impl Counts {
    /// Counted before it leaves: whatever interrupts it, it is in the record.
    pub(super) fn leaves(&self) {
        self.requests.fetch_add(1, Relaxed);
        self.tried.fetch_add(1, Relaxed);
    }

    /// Nothing of it left after all.
    pub(super) fn did_not_leave(&self) {
        self.requests.fetch_sub(1, Relaxed);
    }

    pub(super) fn is_answered(&self) {
        self.answered.fetch_add(1, Relaxed);
    }

    pub(super) fn writes(&self) {
        self.writes.fetch_add(1, Relaxed);
    }

    pub(super) fn record(&self) -> CallRecord {
        CallRecord {
            requests: self.requests.load(Relaxed),
            tried: self.tried.load(Relaxed),
            answered: self.answered.load(Relaxed),
            writes: self.writes.load(Relaxed),
        }
    }
}

/// How long a session has waited for its turn, over all its calls.
#[derive(Default)]
pub(super) struct Waiting(Mutex<State>);

#[derive(Default)]
struct State {
    over: Duration,
    /// Those that wait now, and since when. A session waits once even if several of its requests do.
    now: u32,
    since: Option<Instant>,
}

impl Waiting {
    /// Counts until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> WaitGuard {
        let mut state = held(&self.0);
        if state.now == 0 {
            state.since = Some(Instant::now());
        }
        state.now += 1;
        WaitGuard(Arc::clone(self))
    }

    /// The time waited so far, that of a wait under way included.
    pub(super) fn total(&self) -> Duration {
        let state = held(&self.0);
        state.over + state.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(super) fn is_under_way(&self) -> bool {
        held(&self.0).now > 0
    }
}

/// A wait under way.
pub(super) struct WaitGuard(Arc<Waiting>);

impl Drop for WaitGuard {
    fn drop(&mut self) {
        let mut state = held(&self.0.0);
        state.now -= 1;
        if state.now == 0
            && let Some(since) = state.since.take()
        {
            state.over += since.elapsed();
        }
    }
}
