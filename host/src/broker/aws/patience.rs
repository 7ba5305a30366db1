//! How long a throttled call is repeated, or one that met another write. Both mean that nothing was done ("Error handling with DynamoDB",
//! developer guide), so that repeating it bills nothing twice, whatever it writes.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause is at most this long, and each further one twice as long as the one before.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// The pauses of one call.
pub(in super::super) struct Patience {
    ends: Instant,
    ceiling: Duration,
}

impl Patience {
    /// Begins with the first answer that says so.
    pub(in super::super) fn new(whole: Duration) -> Self {
        Patience { ends: Instant::now() + whole, ceiling: FIRST }
    }

    /// The next pause, any part of what it may be at most ("full jitter"), so that those who were throttled together do not come back
    /// together. Nothing once the patience is at its end.
    pub(in super::super) fn pause(&mut self) -> Option<Duration> {
        let left = self.ends.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        let mut random = [0; 4];
        // Without random numbers, the longest pause is as good as any.
        let part = getrandom::fill(&mut random).map_or(u32::MAX, |()| u32::from_ne_bytes(random));
        let pause = self.ceiling.mul_f64(f64::from(part) / f64::from(u32::MAX));
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        Some(pause.min(left))
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

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_up_to_a_limit_and_end_with_the_patience() {
        for _ in 0..20 {
            let mut patience = Patience::new(Duration::from_secs(30));
            let begun = Instant::now();
            let mut ceiling = FIRST;
            while let Some(pause) = patience.pause() {
                assert!(pause <= ceiling, "{pause:?}");
                ceiling = (ceiling * 2).min(LONGEST);
                // A call takes time, too.
                tokio::time::sleep(pause + Duration::from_millis(1)).await;
            }
            assert!((30.0..30.1).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
        }
    }
}
