//! The rate limit: a bucket that refills evenly over the minute.
//!
//! 120 requests a minute is what Airbyte's page on its Clazar source states; that it is a bucket is a guess.

use std::time::{Duration, Instant};

/// A bucket of request permits.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_minute: f64,
    level: f64,
    seen: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(per_minute: u32, now: Instant) -> Self {
        let per_minute = f64::from(per_minute);
        Self { per_minute, level: per_minute, seen: now }
    }

    /// Takes a permit, or says how long there will be none.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let minutes = now.saturating_duration_since(self.seen).as_secs_f64() / 60.0;
        self.seen = now;
        self.level = (self.level + minutes * self.per_minute).min(self.per_minute);
        if self.level >= 1.0 {
            self.level -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - self.level) / self.per_minute * 60.0;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::from_secs(60)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_a_minute_passes_and_then_one_every_half_second() {
        let start = Instant::now();
        let mut bucket = Bucket::new(120, start);
        assert!((0..120).all(|_| bucket.take(start).is_ok()));
        let wait = bucket.take(start).unwrap_err();
        assert!(wait > Duration::from_millis(490) && wait <= Duration::from_millis(500), "{wait:?}");
        assert!(bucket.take(start + Duration::from_millis(501)).is_ok());
        assert!(bucket.take(start + Duration::from_millis(502)).is_err());
        assert_eq!((0..500).filter(|_| bucket.take(start + Duration::from_secs(3600)).is_ok()).count(), 120);
    }

    #[test]
    fn a_limit_of_none_a_minute_says_to_wait_a_minute() {
        let start = Instant::now();
        assert_eq!(Bucket::new(0, start).take(start), Err(Duration::from_secs(60)));
    }
}
