//! The plugin at work on one set, with patience: what failed in passing is tried again until the sink's retry budget is spent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::broker::{Denial, Session};
use crate::clock;
use crate::ledger::LedgerError;
use crate::model::charged::ChargeColumns;
use crate::model::publish::Later;
use crate::pipeline::deliver::Stopped;
use crate::plugin::{Failure, PublisherInstance, Step};

/// How long the first pause before another try is, and the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why the publication of a set ended.
pub(super) enum Halt {
    /// The plugin failed in a step; and what it was refused until then.
    Failed(&'static str, Box<Failure>, Vec<Denial>),
    /// It asked for patience for longer than there is.
    Patience(&'static str, String),
    /// No set of this sink is published any more.
    Stopped(Stopped),
}

impl From<LedgerError> for Halt {
    fn from(error: LedgerError) -> Self {
        Halt::Stopped(error.into())
    }
}

impl Halt {
    /// That the plugin failed in this step.
    pub(super) fn failed(step: &'static str, session: &Session) -> impl Fn(Failure) -> Halt {
        move |failure| Halt::Failed(step, Box::new(failure), session.denials())
    }
}

/// A plugin that publishes.
pub(super) struct Line<'a> {
    pub(super) instance: PublisherInstance,
    pub(super) session: Session,
    pub(super) budget: Duration,
    pub(super) stop: &'a AtomicBool,
}

impl Line<'_> {
    /// Shows the next charges before any is written.
    pub(super) fn survey(&mut self, charges: ChargeColumns) -> Result<(), Halt> {
        let first = self.instance.survey(charges);
        self.until_done("surveying the set", first, PublisherInstance::resume)
    }

    /// Hands the next charges over.
    pub(super) fn write(&mut self, charges: ChargeColumns) -> Result<(), Halt> {
        let first = self.instance.write(charges);
        self.until_done("writing the set", first, PublisherInstance::resume)
    }

    /// Does something until it is done: at first it came to this, and what has to be called then is `again`.
    pub(super) fn until_done<T>(
        &mut self,
        step: &'static str,
        first: Step<T>,
        again: impl Fn(&mut PublisherInstance) -> Step<T>,
    ) -> Result<T, Halt> {
        let mut came = first;
        let (mut since, mut pause) = (None::<Instant>, PAUSE);
        loop {
            let Later { reason, after } = match came.map_err(Halt::failed(step, &self.session))? {
                Ok(done) => {
                    self.interrupted()?;
                    return Ok(done);
                }
                Err(later) => later,
            };
            let next = after.unwrap_or_default().max(clock::jittered(pause));
            pause = (pause * 2).min(LONGEST_PAUSE);
            if clock::instant() - *since.get_or_insert_with(clock::instant) + next > self.budget {
                return Err(Halt::Patience(step, reason));
            }
            self.sleep(next)?;
            came = again(&mut self.instance);
        }
    }

    fn sleep(&self, duration: Duration) -> Result<(), Halt> {
        let until = clock::instant() + duration;
        while let Some(left) = until.checked_duration_since(clock::instant()).filter(|left| !left.is_zero()) {
            self.interrupted()?;
            clock::sleep(left.min(Duration::from_millis(100)));
        }
        Ok(())
    }

    fn interrupted(&self) -> Result<(), Halt> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Halt::Stopped(Stopped::Interrupted)),
            false => Ok(()),
        }
    }
}
