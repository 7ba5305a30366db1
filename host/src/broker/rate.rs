//! How fast requests may leave, exactly: never more than a number in any stretch of time, wherever it begins.
//!
//! A token bucket alone would let twice that number leave around a full bucket, which a service that counts by the minute
//! refuses. So the times of the last requests are kept, and the bucket only shapes bursts that are smaller than the number.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::held;

/// At most `requests` in any stretch of `per`, and at most `burst` of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At least one.
    pub requests: u32,
    /// The stretch of time.
    pub per: Duration,
    /// At least one; as many as `requests` if larger.
    pub burst: u32,
}

impl Rate {
    /// Whether it lets fewer requests through in the long run.
    pub fn is_slower_than(&self, other: &Rate) -> bool {
        self.per.as_nanos() * u128::from(other.requests) > other.per.as_nanos() * u128::from(self.requests)
    }

    /// A service counts when a request arrives, the host when it leaves. Of two requests the later may travel faster, by no more
    /// than this; the stretch is that much longer here.
    fn slack(self) -> Duration {
        Duration::from_millis(250).min(self.per / 10)
    }
}

/// One limit, shared by all sessions of a sink.
pub(super) struct Limiter {
    state: Mutex<State>,
    /// Whoever waits holds this, so that requests leave in the order in which they came.
    turn: tokio::sync::Mutex<()>,
}

struct State {
    rate: Rate,
    /// When the last requests left; the oldest first.
    left: VecDeque<Instant>,
    /// When the bucket of bursts is full again.
    full: Option<Instant>,
}

impl Limiter {
    pub(super) fn new(rate: Rate) -> Self {
        let state = State { rate, left: VecDeque::new(), full: None };
        Limiter { state: Mutex::new(state), turn: tokio::sync::Mutex::new(()) }
    }

    /// Changes the limit; what left already still counts.
    pub(super) fn change(&self, rate: Rate) {
        held(&self.state).rate = rate;
    }

    /// How long it is until a request may leave.
    pub(super) fn wait(&self) -> Duration {
        let now = Instant::now();
        held(&self.state).free(now).saturating_duration_since(now)
    }

    /// Waits until a request may leave, and counts it. Dropped while it waits, it counts nothing.
    pub(super) async fn take(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let now = Instant::now();
            let free = held(&self.state).free(now);
            if free <= now {
                held(&self.state).count(now);
                return;
            }
            tokio::time::sleep_until(free).await;
        }
    }
}

impl State {
    /// When the next request may leave.
    fn free(&mut self, now: Instant) -> Instant {
        let stretch = self.rate.per + self.rate.slack();
        while self.left.front().is_some_and(|left| *left + stretch <= now) {
            self.left.pop_front();
        }
        // The request that must be a stretch away before the next one may leave.
        let allowed = self.rate.requests.max(1) as usize;
        let counted = self.left.len().checked_sub(allowed).and_then(|index| self.left.get(index));
        let by_count = counted.map_or(now, |left| *left + stretch);
        // One token comes back each `interval`; the last of a burst needs all but one of them to be back.
        let spare = self.interval() * (self.rate.burst.clamp(1, self.rate.requests.max(1)) - 1);
        let by_burst = self.full.and_then(|full| full.checked_sub(spare)).unwrap_or(now);
        by_count.max(by_burst)
    }

    fn count(&mut self, now: Instant) {
        self.left.push_back(now);
        self.full = Some(self.full.map_or(now, |full| full.max(now)) + self.interval());
    }

    fn interval(&self) -> Duration {
        self.rate.per / self.rate.requests.max(1)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    /// When each of so many requests leaves, in seconds.
    async fn departures(rate: Rate, count: usize) -> Vec<f64> {
        let limiter = Limiter::new(rate);
        let start = Instant::now();
        let mut departures = Vec::new();
        for _ in 0..count {
            limiter.take().await;
            departures.push(start.elapsed().as_secs_f64());
        }
        departures
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_burst_leaves_at_once_and_then_no_stretch_holds_more() {
        let rate = Rate { requests: 120, per: Duration::from_secs(60), burst: 120 };
        let departures = departures(rate, 360).await;
        assert!(departures[119] < 0.01);
        for window in departures.windows(121) {
            assert!(window[120] - window[0] > 60.0, "{} to {}", window[0], window[120]);
        }
        assert!(departures[359] < 121.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_smaller_burst_spreads_the_rest_evenly() {
        let rate = Rate { requests: 60, per: Duration::from_secs(60), burst: 3 };
        let departures = departures(rate, 10).await;
        let seconds: Vec<_> = departures.iter().map(|at| at.round() as i64).collect();
        assert_eq!(seconds, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_one_still_lets_the_whole_number_leave() {
        let rate = Rate { requests: 2, per: Duration::from_secs(1), burst: 1 };
        let departures = departures(rate, 5).await;
        assert!(departures[4] < 2.5, "{departures:?}");
        assert!(departures.windows(3).all(|window| window[2] - window[0] > 1.0));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_waiting_takes_no_place() {
        let limiter = Limiter::new(Rate { requests: 1, per: Duration::from_secs(10), burst: 1 });
        limiter.take().await;
        let start = Instant::now();
        assert!(tokio::time::timeout(Duration::from_secs(1), limiter.take()).await.is_err());
        limiter.take().await;
        assert!(start.elapsed() < Duration::from_secs(11));
    }

    #[tokio::test(start_paused = true)]
    async fn what_left_under_an_old_limit_counts_under_the_new_one() {
        let limiter = Limiter::new(Rate { requests: 10, per: Duration::from_secs(60), burst: 10 });
        for _ in 0..10 {
            limiter.take().await;
        }
        limiter.change(Rate { requests: 5, per: Duration::from_secs(60), burst: 5 });
        let start = Instant::now();
        limiter.take().await;
        assert!(start.elapsed() > Duration::from_secs(59));
    }
}
