//! One instance of a plugin, and a call into it: limited in computing time, wall time and memory, and thrown away after a trap.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;
use wasmtime::{Store, Trap, UpdateDeadline};

use super::engine::{Engine, TICK};
use super::error::{Cause, Failure};
use super::guest::Guest;
use super::limits::{HANDLES, Limits, Refused};
use super::log::LogLines;
use crate::broker::Session;

/// What an instance is made with.
#[derive(Clone)]
pub struct Settings {
    /// The section and the plugin, as log lines name them: `sink.clazar`.
    pub name: String,
    /// What it may use.
    pub limits: Limits,
    /// Its way to the outside.
    pub session: Session,
    /// What time it is for the plugin: milliseconds, UTC.
    pub now: i64,
}

/// A store and the bindings of its instance.
pub(super) struct Instance<B> {
    /// Gone after a trap or a timeout: such a store is never entered again.
    store: Option<Store<Guest>>,
    bindings: B,
    limits: Limits,
    session: Session,
    io: Handle,
}

impl<B> Instance<B> {
    /// Makes the instance. Runs on the calling thread, which must not be one of the runtime's own.
    pub(super) fn start(
        engine: &Engine,
        settings: Settings,
        instantiate: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<B>,
    ) -> Result<Self, Failure> {
        let Settings { name, limits, session, now } = settings;
        let lines = LogLines::new(&name, session.redactor(), limits.log);
        let mut store = Store::new(&engine.0.wasmtime, Guest::new(&limits, session.clone(), lines, now));
        store.limiter(|guest| &mut guest.usage);
        store.set_hostcall_fuel(limits.call);
        store.set_max_component_handles(HANDLES);
        let io = engine.0.io.clone();
        let outcome = limited(&io, &mut store, &limits, &session, instantiate);
        match outcome {
            Ok(bindings) => Ok(Instance { store: Some(store), bindings, limits, session, io }),
            Err(failed) => Err(failure(&mut store, &limits, failed)),
        }
    }

    /// Calls into the instance.
    pub(super) fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&B, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        let Some(mut store) = self.store.take() else {
            let cause = Cause::Contract("it is called again after it ended".to_owned());
            return Err(Failure { cause, words: None, causes: Vec::new() });
        };
        store.data_mut().lines.last_words = None;
        let bindings = &self.bindings;
        match limited(&self.io, &mut store, &self.limits, &self.session, async |store| call(bindings, store).await) {
            Ok(answer) => {
                self.store = Some(store);
                Ok(answer)
            }
            Err(failed) => Err(failure(&mut store, &self.limits, failed)),
        }
    }

    /// The largest that its memories have been together.
    #[cfg(test)]
    pub(super) fn memory(&self) -> u64 {
        self.store.as_ref().map_or(0, |store| store.data().usage.memory())
    }
}

enum Failed {
    Wall,
    Guest(wasmtime::Error),
}

/// Marks the error with which a guest is stopped that computes for too long.
#[derive(Debug, thiserror::Error)]
#[error("the limit of computing time")]
struct OutOfTime;

fn limited<T>(
    io: &Handle,
    store: &mut Store<Guest>,
    limits: &Limits,
    session: &Session,
    call: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
) -> Result<T, Failed> {
    let limit = limits.time;
    let mut computing = Computing::begun(computed());
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| match computing.look(computed()) > limit {
        true => Err(OutOfTime.into()),
        false => Ok(UpdateDeadline::Continue(1)),
    });
    let waited = session.waited();
    let started = Instant::now();
    io.block_on(async {
        let call = std::pin::pin!(call(store));
        let mut call = call;
        let mut remaining = limits.wall;
        loop {
            match tokio::time::timeout(remaining + TICK, &mut call).await {
                Ok(answer) => return answer.map_err(Failed::Guest),
                Err(_) => {
                    // Waiting for a rate limit is the host's doing, not the plugin's.
                    let waiting = session.waited().saturating_sub(waited);
                    let spent = started.elapsed().saturating_sub(waiting);
                    remaining = limits.wall.saturating_sub(spent);
                    if remaining.is_zero() && !session.is_waiting() {
                        return Err(Failed::Wall);
                    }
                }
            }
        }
    })
}

/// What counts of a thread's computing from one look to the next. Looks come with the ticks; what is far longer is a virtual machine that
/// was halted, which some kernels count as computing.
const LOOK: Duration = Duration::from_millis(250);

/// Computing time of one call: that of its thread, which a busy machine does not lengthen. The guest runs on no other.
struct Computing {
    last: Duration,
    spent: Duration,
}

impl Computing {
    fn begun(now: Duration) -> Self {
        Computing { last: now, spent: Duration::ZERO }
    }

    /// The computing time so far, when the thread's own is this.
    fn look(&mut self, now: Duration) -> Duration {
        self.spent += now.saturating_sub(self.last).min(LOOK);
        self.last = now;
        self.spent
    }
}

/// How long this thread has computed so far.
pub(super) fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// What ended a call that was neither a trap nor a limit of memory or time.
fn without_trap(error: &wasmtime::Error, limits: &Limits) -> Cause {
    let words = error.root_cause().to_string();
    match error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        Some(exit) => Cause::Trapped(format!("it ended its own process with status {}", exit.0)),
        // The engine's own words, which it has no type for: bytes in a call, and numbers of handles, memories, tables, instances.
        None if words.contains("hostcall") => {
            Cause::Limit(format!("it handed more than {} bytes over in one call", limits.call))
        }
        None if words.contains("limit exceeded") => Cause::Limit(words),
        None => Cause::Contract(words),
    }
}

fn failure(store: &mut Store<Guest>, limits: &Limits, failed: Failed) -> Failure {
    let guest = store.data_mut();
    let words = guest.lines.last_words.take();
    let error = match failed {
        Failed::Wall => return Failure { cause: Cause::Wall(limits.wall), words, causes: Vec::new() },
        Failed::Guest(error) => error,
    };
    let causes = error.chain().map(ToString::to_string).collect();
    let cause = match (guest.usage.refused, error.downcast_ref::<Trap>()) {
        _ if error.is::<OutOfTime>() => Cause::Time(limits.time),
        (Some(Refused::Memory(most)), _) => Cause::Memory(most),
        (Some(Refused::Tables), _) => Cause::Limit(error.root_cause().to_string()),
        (None, Some(Trap::UnreachableCodeReached)) => Cause::Trapped(match &words {
            Some(_) => "it gave up".to_owned(),
            None => "it gave up without a word (`unreachable`)".to_owned(),
        }),
        (None, Some(trap)) => Cause::Trapped(trap.to_string()),
        (None, None) => without_trap(&error, limits),
    };
    Failure { cause, words, causes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_was_halted_has_not_computed() {
        let mut computing = Computing::begun(Duration::from_secs(7));
        for tick in 1..=50 {
            assert_eq!(computing.look(Duration::from_secs(7) + TICK * tick), TICK * tick);
        }
        assert_eq!(computing.look(Duration::from_secs(20)), Duration::from_millis(500) + LOOK);
        assert_eq!(computing.look(Duration::from_secs(20) + TICK), Duration::from_millis(510) + LOOK);
    }
}
