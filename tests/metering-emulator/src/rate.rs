//! Requests a second: the limit, and the most that came.
//!
//! "10 requests a second per account and region" (AWS Marketplace, metering service quotas). That it is any second, and
//! not a bucket that fills, is a guess, and the stricter one.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The requests of the last second that were let pass.
#[derive(Debug, Default)]
pub(crate) struct Rate(VecDeque<Timestamp>);

impl Rate {
    /// Whether a request at this real time is within the limit; if so it is counted.
    pub(crate) fn lets_pass(&mut self, now: Timestamp, limit: usize) -> bool {
        while self.0.front().is_some_and(|first| now.duration_since(*first) >= SECOND) {
            self.0.pop_front();
        }
        let passes = self.0.len() < limit;
        if passes {
            self.0.push_back(now);
        }
        passes
    }
}

/// The most of these moments, which are sorted, that lie in any one second.
pub(crate) fn busiest_second(moments: &[Timestamp]) -> usize {
    let mut window: VecDeque<Timestamp> = VecDeque::new();
    let mut most = 0;
    for moment in moments {
        window.push_back(*moment);
        while window.front().is_some_and(|first| moment.duration_since(*first) >= SECOND) {
            window.pop_front();
        }
        most = most.max(window.len());
    }
    most
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn so_many_pass_in_any_second() {
        let mut rate = Rate::default();
        assert!((0..10).all(|place| rate.lets_pass(at(place * 50), 10)));
        assert!(!rate.lets_pass(at(999), 10));
        assert!(rate.lets_pass(at(1000), 10), "the first is a second ago");
        assert!(!rate.lets_pass(at(1049), 10));
    }

    #[test]
    fn the_busiest_second_may_begin_anywhere() {
        assert_eq!(busiest_second(&[]), 0);
        assert_eq!(busiest_second(&[at(0), at(999), at(1000), at(1998), at(5000)]), 3);
    }
}
