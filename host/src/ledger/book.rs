//! A ledger that is open for writing: each step of a charge's life is written down before the next may happen.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::charge::Charge;
use super::entry::{Entry, Record};
use super::error::LedgerError;
use super::lock::Lock;
use super::sqlite::{self, Store};
use super::state::State;
use crate::model::charge::{ChargeId, Proposal};
use crate::model::outcome::{Finding, Outcome};
use crate::model::window::{Window, WindowKind};

/// What a pipeline is, as far as its bills depend on it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its name.
    pub pipeline: String,
    /// How long its windows are.
    pub window: WindowKind,
    /// Its sinks' names.
    pub sinks: Vec<String>,
    /// Its aggregates' names.
    pub aggregates: Vec<String>,
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
                window: identity.window,
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
        let state = fold(path, |take| sqlite::read(path, &identity.pipeline, take))?;
        same_window(&state, identity)?;
        Ok(state)
    }

    /// What the entries add up to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Writes entries down, all or none; they are on the disk when it returns.
    ///
    /// # Errors
    /// They could not be written. Then nothing more is written in this run: what the disk holds is not known.
    pub fn append(&mut self, entries: Vec<Entry>) -> Result<(), LedgerError> {
        if self.poisoned {
            return Err(LedgerError::Poisoned { path: self.path.clone() });
        }
        let at = Timestamp::now().as_millisecond();
        let records: Vec<Record> = (self.next..)
            .zip(entries)
            .map(|(number, entry)| Record {
                number,
                pipeline: self.pipeline.clone(),
                run: self.run.clone(),
                at,
                entry,
            })
            .collect();
        if let Err(error) = self.store.append(&records) {
            self.poisoned = true;
            return Err(error);
        }
        for record in &records {
            self.next = record.number + 1;
            if let Err(cause) = self.state.apply(record) {
                self.poisoned = true;
                return Err(LedgerError::Damaged { path: self.path.clone(), number: record.number, cause });
            }
        }
        Ok(())
    }

    /// Freezes charges, in one transaction with the entries that explain them.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn freeze(&mut self, mut entries: Vec<Entry>, proposals: Vec<Proposal>) -> Result<(), LedgerError> {
        entries.extend(proposals.into_iter().map(|charge| Entry::Freeze { id: charge.key.id(), charge }));
        self.append(entries)
    }

    /// Writes down that a call is about to leave; answers its number.
    ///
    /// # Errors
    /// As [`append`](Self::append). The call must not leave then.
    pub fn begin_attempt(&mut self, sink: &str, charges: &[Charge], deadline: std::time::Duration) -> Result<u64, LedgerError> {
        let attempt = self.state.last_attempt() + 1;
        self.append(vec![Entry::Attempt {
            attempt,
            sink: sink.to_owned(),
            charges: charges.iter().map(Charge::id).collect(),
            deadline: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
        }])?;
        Ok(attempt)
    }

    /// Writes down what came of a call. A charge of it that no outcome names is unknown.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn record(&mut self, attempt: u64, unsent: bool, outcomes: Vec<Outcome>) -> Result<(), LedgerError> {
        self.append(vec![Entry::Outcomes { attempt, unsent, outcomes }])
    }

    /// Writes down what a look-up found.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn looked_up(&mut self, sink: &str, findings: Vec<(ChargeId, Finding)>) -> Result<(), LedgerError> {
        self.append(vec![Entry::LookedUp { sink: sink.to_owned(), findings }])
    }

    /// Writes down that a window is settled.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn settle(&mut self, sink: &str, window: Window) -> Result<(), LedgerError> {
        self.append(vec![Entry::Settled { sink: sink.to_owned(), window }])
    }
}

fn fold(
    path: &Path,
    each: impl FnOnce(&mut dyn FnMut(Record) -> Result<(), LedgerError>) -> Result<(), LedgerError>,
) -> Result<State, LedgerError> {
    let mut state = State::default();
    each(&mut |record| {
        state.apply(&record).map_err(|cause| LedgerError::Damaged {
            path: path.to_owned(),
            number: record.number,
            cause,
        })
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
