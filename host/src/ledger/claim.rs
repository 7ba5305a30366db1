//! What a run that wants to write a ledger says of itself, and how patient it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::error::LedgerError;
use super::moment::Moment;

/// A run that wants to write.
pub struct Claim<'a> {
    /// The run.
    pub run: &'a str,
    /// For how long it waits for another run to end.
    pub wait: Duration,
    /// Set from outside to end the waiting.
    pub stop: &'a AtomicBool,
    /// Is told what is waited for.
    pub told: &'a dyn Fn(&str),
}

/// Nobody sets it.
static NEVER: AtomicBool = AtomicBool::new(false);

impl<'a> Claim<'a> {
    /// One that does not wait longer than it takes to see whether another run is alive.
    pub fn at_once(run: &'a str) -> Claim<'a> {
        Claim { run, wait: Duration::ZERO, stop: &NEVER, told: &|_| {} }
    }

    /// Sleeps for a while, unless it is interrupted.
    pub(super) fn sleep(&self, duration: Duration, place: &str) -> Result<(), LedgerError> {
        const STEP: Duration = Duration::from_millis(50);
        let begun = Moment::now();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(LedgerError::Interrupted { place: place.to_owned() });
            }
            match duration.checked_sub(begun.elapsed()) {
                None | Some(Duration::ZERO) => return Ok(()),
                Some(left) => std::thread::sleep(left.min(STEP)),
            }
        }
    }

    /// Tries again and again, until something else than that another run holds it comes of it, or patience is at its end.
    pub(super) fn patiently<T>(
        &self,
        place: &str,
        pause: Duration,
        mut attempt: impl FnMut() -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let begun = Moment::now();
        let mut told = false;
        loop {
            match attempt() {
                Err(LedgerError::Held { holder, .. }) if begun.elapsed() + pause < self.wait => {
                    if !std::mem::replace(&mut told, true) {
                        (self.told)(&format!("waiting for another run to end: {holder}"));
                    }
                    self.sleep(pause, place)?;
                }
                done => return done,
            }
        }
    }
}
