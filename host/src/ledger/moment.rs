//! Time that has passed, as a lease has to count it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A point in time, by two clocks of this machine: one that nobody sets, and that goes on while the machine sleeps; and the real one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    steady: Duration,
    real: Duration,
}

impl Moment {
    pub(super) fn now() -> Moment {
        #[cfg(target_os = "linux")]
        let steady = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let steady = ClockId::Monotonic;
        Moment { steady: read(steady), real: read(ClockId::Realtime) }
    }

    /// How much time has passed at most. A machine that was put to sleep and woken up shows it in one of the clocks at least; a real
    /// clock that was set forward makes a holder more careful than it has to be, and one that was set back changes nothing.
    pub(super) fn elapsed_at_most(&self) -> Duration {
        let now = Moment::now();
        now.steady.saturating_sub(self.steady).max(now.real.saturating_sub(self.real))
    }

    /// How much time has surely passed.
    pub(super) fn elapsed(&self) -> Duration {
        Moment::now().steady.saturating_sub(self.steady)
    }
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
