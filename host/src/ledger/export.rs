//! The whole ledger of a pipeline as three tables: charges, attempts, and what came of them. The same ledger gives the same bytes.
//!
//! Attempts and outcomes are written as they are read, so that memory does not grow with their number.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use meterhost_decimal::Decimal;

use super::book::Ledger;
use super::entry::{Entry, Record};
use super::error::LedgerError;
use super::identity::Identity;
use super::ids::Shelf;
use super::place::Place;
use super::sets::{InMonth, period_of};
use super::state::State;
use super::table::{Cell, Format, Table};
use super::trail::instant;
use crate::model::charge::ChargeId;
use crate::model::outcome::{Finding, Outcome};
use crate::model::window::Window;

const CHARGES: [&str; 18] = [
    "id",
    "window",
    "sink",
    "product",
    "customer",
    "dimension",
    "tags",
    "exact",
    "quantity",
    "time",
    "frozen_at",
    "frozen_by",
    "config",
    "records",
    "standing",
    "reason",
    "reference",
    "final_at",
];
const ATTEMPTS: [&str; 7] = ["attempt", "sink", "at", "run", "deadline_ms", "unsent", "charge"];
const OUTCOMES: [&str; 12] = [
    "source",
    "attempt",
    "at",
    "run",
    "charge",
    "status",
    "retryable",
    "reference",
    "quantity",
    "by",
    "message",
    "raw",
];

/// How many rows were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// One a charge.
    pub charges: u64,
    /// One for each call and each charge of it.
    pub attempts: u64,
    /// One for each charge that something was said of.
    pub outcomes: u64,
}

/// Why a ledger was not exported.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// It cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The tables cannot be written.
    #[error("{}: {cause}", .folder.display())]
    Folder {
        /// Where to.
        folder: PathBuf,
        /// Why not.
        cause: io::Error,
    },
}

/// Writes a pipeline's ledger into a folder, which is made where there is none. Files that were there are replaced, once all is written.
///
/// # Errors
/// It cannot be read or written.
pub fn export(place: &Place, identity: &Identity, folder: &Path, formats: &[Format]) -> Result<Exported, Unwritten> {
    let unwritten = |cause| Unwritten::Folder { folder: folder.to_owned(), cause };
    std::fs::create_dir_all(folder).map_err(unwritten)?;
    let begin = || Export::begin(folder, formats);
    let (state, export) = Ledger::follow(place, identity, begin, |export, state, record| {
        if let Ok(begun) = export
            && let Err(error) = begun.see(state, record)
        {
            *export = Err(error);
        }
    })?;
    export.map_err(unwritten)?.finish(&state, &place.shelf(), &unwritten)
}

struct Export {
    charges: Table,
    attempts: Table,
    outcomes: Table,
    /// The runs in which charges were frozen, each with the digest of its configuration.
    runs: Vec<(String, String)>,
    /// What the run that writes runs by.
    config: String,
    dates: HashMap<ChargeId, Dates>,
    /// Calls of which it is not known yet what came of them.
    under_way: BTreeMap<u64, Call>,
}

#[derive(Clone, Copy)]
struct Dates {
    frozen_at: i64,
    /// Its place among the runs.
    run: usize,
    final_at: Option<i64>,
}

struct Call {
    sink: String,
    at: i64,
    run: String,
    deadline: u64,
    charges: Vec<ChargeId>,
}

/// What is said of a charge.
struct Said<'a> {
    source: &'static str,
    attempt: Option<u64>,
    charge: &'a ChargeId,
    status: Option<&'a str>,
    retryable: Option<bool>,
    reference: Option<&'a str>,
    quantity: Option<Decimal>,
    by: Option<&'a str>,
    message: Option<&'a str>,
    raw: &'a str,
}

impl Export {
    fn begin(folder: &Path, formats: &[Format]) -> io::Result<Export> {
        Ok(Export {
            charges: Table::begin(folder, "charges", &CHARGES, formats)?,
            attempts: Table::begin(folder, "attempts", &ATTEMPTS, formats)?,
            outcomes: Table::begin(folder, "outcomes", &OUTCOMES, formats)?,
            runs: Vec::new(),
            config: String::new(),
            dates: HashMap::new(),
            under_way: BTreeMap::new(),
        })
    }

    fn see(&mut self, state: &State, record: &Record) -> io::Result<()> {
        // What a run leaves open ends with it.
        let left: Vec<(u64, Call)> = self.under_way.extract_if(.., |_, call| call.run != record.run).collect();
        for (attempt, call) in left {
            self.attempted(attempt, &call, false)?;
        }
        match &record.entry {
            Entry::Run { config, .. } => self.config.clone_from(config),
            Entry::Freeze { id, .. } => {
                if self.runs.last().is_none_or(|(run, _)| *run != record.run) {
                    self.runs.push((record.run.clone(), self.config.clone()));
                }
                let dates = Dates { frozen_at: record.at, run: self.runs.len() - 1, final_at: None };
                self.dates.insert(*id, dates);
            }
            Entry::Attempt { attempt, sink, charges, deadline, .. } => {
                let (sink, run, charges) = (sink.clone(), record.run.clone(), charges.clone());
                self.under_way.insert(*attempt, Call { sink, at: record.at, run, deadline: *deadline, charges });
            }
            Entry::Outcomes { attempt, unsent, outcomes } => {
                if let Some(call) = self.under_way.remove(attempt) {
                    self.attempted(*attempt, &call, *unsent)?;
                    call.charges.iter().for_each(|id| self.date(state, record, id));
                }
                outcomes.iter().try_for_each(|outcome| self.said(record, &Said::answer(*attempt, outcome)))?;
            }
            Entry::LookedUp { findings, .. } => {
                for (id, finding) in findings {
                    self.date(state, record, id);
                    self.said(record, &Said::look_up(id, finding))?;
                }
            }
            Entry::Resolved { charge, verdict, quantity, reason, by } => {
                self.date(state, record, charge);
                let (status, quantity) = (Some(verdict.as_str()), Some(*quantity));
                let (by, message) = (by.as_deref(), Some(reason.as_str()));
                self.said(record, &Said { status, quantity, by, message, ..Said::nothing("person", charge) })?;
            }
            Entry::Decided { decision, charges, reason, by, .. } => {
                for kept in charges {
                    let (status, quantity) = (Some(decision.as_str()), Some(kept.exact));
                    let (by, message) = (by.as_deref(), Some(reason.as_str()));
                    self.said(record, &Said { status, quantity, by, message, ..Said::nothing("person", &kept.id) })?;
                }
            }
            Entry::TakenOver { charges } => {
                for id in charges {
                    self.date(state, record, id);
                    self.said(record, &Said { status: Some("taken-over"), ..Said::nothing("exporter", id) })?;
                }
            }
            Entry::Doubted { charges, reason, .. } => {
                for id in charges {
                    let message = Some(reason.as_str());
                    self.said(record, &Said { status: Some("doubted"), message, ..Said::nothing("doubt", id) })?;
                }
            }
            Entry::Restored { .. } => {
                let is_open = |id: &&ChargeId| state.charge(id).is_some_and(|charge| !charge.is_final());
                let mut open: Vec<ChargeId> = self.dates.keys().filter(is_open).copied().collect();
                open.sort_unstable();
                let message = Some("the ledger has lost entries that stood behind this place");
                for id in &open {
                    self.said(record, &Said { status: Some("doubted"), message, ..Said::nothing("doubt", id) })?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes when a charge became final.
    fn date(&mut self, state: &State, record: &Record, id: &ChargeId) {
        if let Some(dates) = self.dates.get_mut(id)
            && state.charge(id).is_some_and(|charge| charge.is_final())
        {
            dates.final_at.get_or_insert(record.at);
        }
    }

    fn attempted(&mut self, attempt: u64, call: &Call, unsent: bool) -> io::Result<()> {
        for id in &call.charges {
            self.attempts.row([
                Cell::Number(attempt),
                call.sink.as_str().into(),
                time(call.at).into(),
                call.run.as_str().into(),
                Cell::Number(call.deadline),
                Cell::Flag(unsent),
                id.to_string().into(),
            ])?;
        }
        Ok(())
    }

    fn said(&mut self, record: &Record, said: &Said<'_>) -> io::Result<()> {
        self.outcomes.row([
            said.source.into(),
            said.attempt.map_or(Cell::Nothing, Cell::Number),
            time(record.at).into(),
            record.run.as_str().into(),
            said.charge.to_string().into(),
            said.status.into(),
            said.retryable.map_or(Cell::Nothing, Cell::Flag),
            said.reference.into(),
            said.quantity.map(|quantity| quantity.to_string()).into(),
            said.by.into(),
            said.message.into(),
            said.raw.into(),
        ])
    }

    fn finish(
        mut self,
        state: &State,
        shelf: &Shelf,
        unwritten: &dyn Fn(io::Error) -> Unwritten,
    ) -> Result<Exported, Unwritten> {
        for (attempt, call) in std::mem::take(&mut self.under_way) {
            self.attempted(attempt, &call, false).map_err(unwritten)?;
        }
        for (sink, window, _) in state.windows() {
            self.frozen(state, sink, window).map_err(unwritten)?;
            self.in_set(state, shelf, (sink, window), unwritten)?;
        }
        // A disk that is full shows before anything is replaced.
        let put = || -> io::Result<Exported> {
            let [charges, attempts, outcomes] =
                [self.charges.finish()?, self.attempts.finish()?, self.outcomes.finish()?];
            Ok(Exported { charges: charges.put()?, attempts: attempts.put()?, outcomes: outcomes.put()? })
        };
        put().map_err(unwritten)
    }

    /// The charges of a window that are frozen one by one.
    fn frozen(&mut self, state: &State, sink: &str, window: &Window) -> io::Result<()> {
        for charge in state.charges_of(sink, window) {
            let (frozen, standing) = (charge.charge(), charge.standing());
            let key = frozen.key();
            let dates = self.dates.get(&frozen.id());
            let run = dates.and_then(|dates| self.runs.get(dates.run));
            self.charges.row([
                frozen.id().to_string().into(),
                window.label().into(),
                sink.into(),
                key.product.as_str().into(),
                key.customer.as_str().into(),
                key.dimension.as_str().into(),
                Cell::Pairs(&key.tags),
                frozen.exact().to_string().into(),
                frozen.quantity().to_string().into(),
                time(frozen.time()).into(),
                dates.map(|dates| time(dates.frozen_at)).into(),
                run.map(|(run, _)| run.as_str()).into(),
                run.map(|(_, config)| config.as_str()).into(),
                Cell::Number(frozen.records()),
                standing.word().into(),
                standing.reason().into(),
                standing.reference().into(),
                dates.and_then(|dates| dates.final_at).map(time).into(),
            ])?;
        }
        Ok(())
    }

    /// Those that are published in sets, which nothing of its own is written down of: the set is what was frozen.
    fn in_set(
        &mut self,
        state: &State,
        shelf: &Shelf,
        (sink, window): (&str, &Window),
        unwritten: &dyn Fn(io::Error) -> Unwritten,
    ) -> Result<(), Unwritten> {
        let known = state.sets().period(sink, &period_of(window));
        let set = known.and_then(|known| known.current.as_deref());
        state.each_in_set::<Unwritten>(shelf, (sink, window), &mut |charge, standing| {
            let quantity = charge.quantity.to_string();
            let set = set.filter(|_| standing == InMonth::Published);
            let pinned = known.and_then(|known| known.pinned.as_deref()).filter(|_| standing != InMonth::Published);
            let row = self.charges.row([
                charge.id.to_string().into(),
                window.label().into(),
                sink.into(),
                charge.product.as_str().into(),
                charge.customer.as_str().into(),
                charge.dimension.as_str().into(),
                Cell::Pairs(&charge.tags),
                quantity.clone().into(),
                quantity.into(),
                Cell::Nothing,
                Cell::Nothing,
                Cell::Nothing,
                Cell::Nothing,
                Cell::Number(charge.records),
                standing.word().into(),
                pinned.into(),
                set.into(),
                Cell::Nothing,
            ]);
            row.map_err(unwritten)
        })
    }
}

impl<'a> Said<'a> {
    fn nothing(source: &'static str, charge: &'a ChargeId) -> Self {
        let (attempt, status, retryable, reference) = (None, None, None, None);
        let (quantity, by, message) = (None, None, None);
        Said { source, attempt, charge, status, retryable, reference, quantity, by, message, raw: "" }
    }

    fn answer(attempt: u64, outcome: &'a Outcome) -> Self {
        Said {
            attempt: Some(attempt),
            status: Some(outcome.status.as_str()),
            retryable: Some(outcome.retryable),
            reference: outcome.reference.as_deref(),
            message: outcome.message.as_deref(),
            raw: &outcome.raw,
            ..Said::nothing("answer", &outcome.id)
        }
    }

    fn look_up(id: &'a ChargeId, finding: &'a Finding) -> Self {
        let said = Said { status: Some(finding.as_str()), ..Said::nothing("look-up", id) };
        match finding {
            Finding::Found(record) | Finding::Different(record) => {
                Said { reference: record.reference.as_deref(), quantity: record.quantity, raw: &record.raw, ..said }
            }
            Finding::CannotTell(why) => Said { message: Some(why), ..said },
            Finding::Absent => said,
        }
    }
}

/// As RFC 3339 has it, in UTC, to the millisecond.
fn time(milliseconds: i64) -> String {
    let instant: Timestamp = instant(milliseconds);
    format!("{instant:.3}")
}
