//! A ledger that is open for writing: each step of a charge's life is written down before the next may happen.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::aside;
use super::charge::Charge;
use super::entry::{Entry, FORMAT, Record};
use super::error::LedgerError;
use super::lock::Lock;
use super::sqlite::Store;
use super::state::State;
use crate::config::Pipeline;
use crate::model::charge::ChargeId;
#[cfg(test)]
use crate::model::charge::Proposal;
use crate::model::outcome::{Finding, Outcome, Status};
use crate::model::window::{Window, WindowKind};

/// How often a reading that a writer disturbed is begun again, and after which pause.
const READ_AGAIN: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// What a pipeline is, as far as its bills depend on it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its name.
    pub pipeline: String,
    /// How long its windows are.
    pub window: WindowKind,
    /// Its first window. A ledger that is new remembers it; one that is not knows better.
    pub first: Option<Window>,
    /// Its sinks' names.
    pub sinks: Vec<String>,
    /// Its aggregates' names.
    pub aggregates: Vec<String>,
}

impl Identity {
    /// What a pipeline's file says that it is; `first` is its first window, if it is known.
    pub fn of(pipeline: &Pipeline, first: Option<Window>) -> Self {
        Identity {
            pipeline: pipeline.name.clone(),
            window: pipeline.window,
            first,
            sinks: pipeline.sinks.iter().map(|sink| sink.plugin.name.clone()).collect(),
            aggregates: pipeline.aggregates.iter().map(|aggregate| aggregate.plugin.name.clone()).collect(),
        }
    }
}

/// The one writer of a ledger.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    store: Store,
    state: State,
    pipeline: String,
    run: String,
    next: u64,
    poisoned: bool,
    _lock: Lock,
}

impl Ledger {
    /// Opens a ledger for writing, and creates it if there is none.
    ///
    /// # Errors
    /// Another run holds it, it cannot be read, or it belongs to a pipeline with other windows.
    pub fn open(path: &Path, identity: &Identity, run: &str) -> Result<Ledger, LedgerError> {
        let lock = Lock::take(path, run)?;
        let store = Store::open(path)?;
        let state = fold(path, |take| store.each(&identity.pipeline, take))?;
        same_window(&state, identity)?;
        let next = store.last_number()? + 1;
        let mut ledger = Ledger {
            path: path.to_owned(),
            store,
            state,
            pipeline: identity.pipeline.clone(),
            run: run.to_owned(),
            next,
            poisoned: false,
            _lock: lock,
        };
        if ledger.state.window_kind().is_none() {
            ledger.append(vec![Entry::Opened {
                format: FORMAT,
                window: identity.window,
                first: identity.first,
                sinks: identity.sinks.clone(),
                aggregates: identity.aggregates.clone(),
                host: env!("CARGO_PKG_VERSION").to_owned(),
            }])?;
        }
        Ok(ledger)
    }

    /// What a ledger says, read beside its writer. A file that is not there says nothing, and is not made.
    ///
    /// # Errors
    /// It cannot be read, or it belongs to a pipeline with other windows.
    pub fn state_of(path: &Path, identity: &Identity) -> Result<State, LedgerError> {
        let read = || fold(path, |take| aside::read(path, &identity.pipeline, take));
        let mut state = read();
        // A writer that begins or ends just now sets up or tidies up, and for a moment SQLite finds nothing that it could read.
        for _ in 0..READ_AGAIN {
            if !matches!(state, Err(LedgerError::Moved { .. } | LedgerError::Storage { .. })) {
                break;
            }
            std::thread::sleep(PAUSE);
            state = read();
        }
        let state = state?;
        same_window(&state, identity)?;
        Ok(state)
    }

    /// What the entries add up to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Writes entries down, all or none; they are on the disk when it returns, and part of the state.
    ///
    /// # Errors
    /// They could not be written; the state is as it was. Nothing more is written in this run then: what the disk holds is not known.
    pub fn append(&mut self, entries: Vec<Entry>) -> Result<(), LedgerError> {
        if self.poisoned {
            return Err(LedgerError::Poisoned { path: self.path.clone() });
        }
        let written = self.write(entries);
        self.poisoned = written.is_err();
        written
    }

    fn write(&mut self, entries: Vec<Entry>) -> Result<(), LedgerError> {
        let at = Timestamp::now().as_millisecond();
        let record =
            |(number, entry)| Record { number, pipeline: self.pipeline.clone(), run: self.run.clone(), at, entry };
        let records: Vec<Record> = (self.next..).zip(entries).map(record).collect();
        // Before they are written: what cannot be folded would make the ledger useless for ever.
        let refused = |cause| LedgerError::Refused { path: self.path.clone(), cause };
        self.state.check(&records).map_err(refused)?;
        self.store.append(&records)?;
        self.next += records.len() as u64;
        records.into_iter().try_for_each(|record| self.state.apply(record)).map_err(refused)
    }

    /// Writes down that a call is about to leave; answers its number.
    ///
    /// # Errors
    /// As [`append`](Self::append). The call must not leave then.
    pub fn begin_attempt(&mut self, sink: &str, charges: &[Charge], deadline: Duration) -> Result<u64, LedgerError> {
        let attempt = self.state.last_attempt() + 1;
        self.append(vec![Entry::Attempt {
            attempt,
            sink: sink.to_owned(),
            charges: charges.iter().map(Charge::id).collect(),
            deadline: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
        }])?;
        Ok(attempt)
    }

    /// Writes down what came of a call. A charge of it that no outcome names, or that two name, is unknown; outcomes for other charges
    /// answer nothing and are left out. `unsent` says that surely nothing left: then there was no attempt.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn record(&mut self, attempt: u64, unsent: bool, outcomes: Vec<Outcome>) -> Result<(), LedgerError> {
        let offered = self.state.offered(attempt);
        let outcomes = once_each(
            outcomes,
            &offered,
            |outcome| outcome.id,
            |outcome| Outcome {
                status: Status::Unknown,
                message: Some("the answer speaks of it twice".to_owned()),
                ..outcome
            },
        );
        self.append(vec![Entry::Outcomes { attempt, unsent, outcomes }])
    }

    /// Writes down what a look-up found. Two findings for one charge tell nothing.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn looked_up(&mut self, sink: &str, findings: Vec<(ChargeId, Finding)>) -> Result<(), LedgerError> {
        let asked = findings.iter().map(|(id, _)| *id).collect();
        let findings = once_each(
            findings,
            &asked,
            |(id, _)| *id,
            |(id, _)| (id, Finding::CannotTell("the answer speaks of it twice".to_owned())),
        );
        self.append(vec![Entry::LookedUp { sink: sink.to_owned(), findings }])
    }
}

#[cfg(test)]
impl Ledger {
    /// Freezes charges, in one transaction with the entries that explain them.
    pub(super) fn freeze(&mut self, mut entries: Vec<Entry>, proposals: Vec<Proposal>) -> Result<(), LedgerError> {
        entries.extend(proposals.into_iter().map(Entry::freeze));
        self.append(entries)
    }

    /// Writes down that a window is settled.
    pub(super) fn settle(&mut self, sink: &str, window: Window) -> Result<(), LedgerError> {
        self.append(vec![Entry::Settled { sink: sink.to_owned(), window }])
    }

    /// From here on there is no room.
    pub(super) fn fill_the_disk(&self) {
        self.store.connection.execute_batch("PRAGMA max_page_count = 1").unwrap();
    }

    /// From here on another program's lock is not waited for.
    pub(super) fn lose_patience(&self) {
        self.store.connection.busy_timeout(Duration::ZERO).unwrap();
    }
}

/// One answer for each charge that was asked about, in their order; `twice` makes the one of a charge that was named again.
fn once_each<T>(
    answers: Vec<T>,
    asked: &HashSet<ChargeId>,
    id: impl Fn(&T) -> ChargeId,
    twice: impl Fn(T) -> T,
) -> Vec<T> {
    let mut times: HashMap<ChargeId, usize> = HashMap::new();
    for answer in &answers {
        *times.entry(id(answer)).or_default() += 1;
    }
    let mut first: HashSet<ChargeId> = HashSet::new();
    answers
        .into_iter()
        .filter(|answer| asked.contains(&id(answer)) && first.insert(id(answer)))
        .map(|answer| if times.get(&id(&answer)).is_some_and(|times| *times > 1) { twice(answer) } else { answer })
        .collect()
}

fn fold(
    path: &Path,
    each: impl FnOnce(&mut dyn FnMut(Record) -> Result<(), LedgerError>) -> Result<(), LedgerError>,
) -> Result<State, LedgerError> {
    let mut state = State::default();
    each(&mut |record| {
        let number = record.number;
        state.apply(record).map_err(|cause| LedgerError::Damaged { path: path.to_owned(), number, cause })
    })?;
    Ok(state)
}

fn same_window(state: &State, identity: &Identity) -> Result<(), LedgerError> {
    match state.window_kind() {
        Some(known) if known != identity.window => Err(LedgerError::OtherWindow {
            pipeline: identity.pipeline.clone(),
            known: known.to_string(),
            given: identity.window.to_string(),
        }),
        _ => Ok(()),
    }
}
