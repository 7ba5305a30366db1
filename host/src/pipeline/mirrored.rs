//! The state document on a run's way: read before anything else, written before the first byte of a contract leaves, and once more
//! when it is known what became of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::deliver::Stopped;
use super::options::Options;
use super::setup::Setup;
use crate::broker::Broker;
use crate::config::MirrorSpec;
use crate::ledger::{Charge, ChargeState, Entry, Import, Ledger, LedgerError, State};
use crate::mirror::{Contracts, Found, Mirror, MirrorError, Wanted, Written};
use crate::model::window::Window;
use crate::report::Problem;

/// A state document, as it stands.
pub(super) struct Mirrored {
    mirror: Mirror,
    now: Timestamp,
    found: Mutex<Found>,
}

impl Mirrored {
    /// Reads the document that the pipeline's file names, if it names one.
    pub(super) fn of(setup: &Setup, options: &Options<'_>) -> Result<Option<Mirrored>, Problem> {
        let Some(spec) = &setup.pipeline.mirror else { return Ok(None) };
        Mirrored::read(spec, &setup.pipeline.base, &setup.broker, options.dry_run, options.now).map(Some)
    }

    pub(super) fn read(
        spec: &MirrorSpec,
        base: &Path,
        broker: &Broker,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Mirrored, Problem> {
        let mirror = Mirror::new(spec, base, broker, dry_run).map_err(|error| problem(&error))?;
        let found = mirror.read(now).map_err(|error| problem(&error))?;
        Ok(Mirrored { mirror, now, found: Mutex::new(found) })
    }

    fn found(&self) -> Found {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, found: Found) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// The sink whose charges it speaks of.
    pub(super) fn sink(&self) -> &str {
        &self.mirror.sink
    }

    /// What the document says that the ledger is to take over.
    pub(super) fn import(&self) -> Import {
        let Found { mut known, fingerprint, .. } = self.found();
        // What is not closed is billed here.
        known.failed.retain(|month, contracts| {
            contracts.retain(|contract| !known.billed.get(month).is_some_and(|billed| billed.contains(contract)));
            known.last.is_some_and(|last| *month <= last) && !contracts.is_empty()
        });
        let lists = |contracts: Contracts| -> Vec<(Window, Vec<String>)> {
            contracts.into_iter().map(|(month, contracts)| (month, contracts.into_iter().collect())).collect()
        };
        Import {
            document: self.mirror.url().to_owned(),
            sink: self.mirror.sink.clone(),
            entry: fingerprint,
            aside: false,
            until: known.last,
            billed: lists(known.billed),
            open: lists(known.open),
            failed: lists(known.failed),
            inputs: Vec::new(),
        }
    }

    /// What is to be taken over by itself: all of it, while the ledger is new.
    ///
    /// # Errors
    /// Somebody else changed the entry since it was taken over or written last.
    pub(super) fn to_take_over(&self, state: &State) -> Result<Option<Import>, Problem> {
        let found = self.found();
        match (state.mirrored(), &found.fingerprint) {
            (Some(expected), fingerprint) if expected.contains(fingerprint) => Ok(None),
            (Some(expected), _) => {
                // It was read before the ledger was ours: a run that ended in between has written both.
                let again = self.mirror.read(self.now).map_err(|error| problem(&error))?;
                if !expected.contains(&again.fingerprint) {
                    return Err(problem(&self.mirror.foreign(&again)));
                }
                self.replace(again);
                Ok(None)
            }
            (None, None) => Ok(None),
            (None, Some(_)) if state.is_fresh() => Ok(Some(self.import())),
            (None, Some(_)) => Err(Problem {
                action: Some(
                    "`meterhost ledger import FILE` takes over what it says; or leave `mirror` out".to_owned(),
                ),
                ..Problem::new(
                    CODE,
                    format!(
                        "the state document {} says what was billed, and the ledger, which has begun without it, does not know that",
                        self.mirror.url()
                    ),
                )
            }),
        }
    }

    /// Lists the contracts of charges that are about to leave: an exporter that goes by the document leaves them alone from here on.
    pub(super) fn list(&self, charges: &[Charge], ledger: &Mutex<Ledger>) -> Result<(), Stopped> {
        let mut contracts = Contracts::new();
        for charge in charges {
            contracts.entry(charge.key().window).or_default().insert(charge.key().customer.clone());
        }
        let found = self.found();
        let mut open = found.known.open.clone();
        for (month, contracts) in &contracts {
            open.entry(*month).or_default().extend(contracts.iter().cloned());
        }
        let wanted = Wanted { last: None, listed: contracts, unlisted: Contracts::new(), open };
        self.write(found, &wanted, |entry| ledger.lock().unwrap_or_else(PoisonError::into_inner).append(vec![entry]))?;
        Ok(())
    }

    /// Writes down what the ledger knows by now: who is billed, which months are closed.
    pub(super) fn finish(&self, ledger: &mut Ledger) -> Result<(), Stopped> {
        let found = self.found();
        let wanted = wanted(&found, ledger.state(), &self.mirror.sink);
        self.write(found, &wanted, |entry| ledger.append(vec![entry]))?;
        Ok(())
    }

    /// The ledger knows of it first: a run that ends in between finds the entry as it was, or as it was to be.
    fn write(
        &self,
        found: Found,
        wanted: &Wanted,
        mut append: impl FnMut(Entry) -> Result<(), LedgerError>,
    ) -> Result<(), Stopped> {
        let written = self.mirror.write(found, wanted, self.now, |before, after| {
            append(Entry::Mirrored { before: before.map(str::to_owned), after: after.to_owned() })
        });
        match written {
            Written::Done(found) => {
                self.replace(*found);
                Ok(())
            }
            Written::Kept(error) => Err(Stopped::Ledger(error)),
            Written::Failed(error) => Err(Stopped::Problem(problem(&error))),
        }
    }
}

/// What the document should say at the end of a run.
fn wanted(found: &Found, state: &State, sink: &str) -> Wanted {
    let known = &found.known;
    let mut wanted = Wanted::default();
    let holds = |window: &Window| state.window(sink, window).map_or(&[][..], |known| &known.holds);
    let is_closed = |window: &Window| {
        state.is_settled(sink, window) && holds(window).is_empty() || state.is_closed_elsewhere(sink, window)
    };
    let mut next = known.last.map_or_else(|| state.first_window(sink), |last| last.next());
    while let Some(closed) = next.filter(is_closed) {
        wanted.last = Some(closed);
        next = closed.next();
    }
    let last = wanted.last.max(known.last);
    for (_, window, standing) in state.windows().filter(|(of, ..)| *of == sink) {
        let mut contracts: BTreeMap<&str, Vec<&ChargeState>> = BTreeMap::new();
        for charge in state.charges_of(sink, window) {
            contracts.entry(&charge.charge().key().customer).or_default().push(charge);
        }
        // Of a month that counts as closed nobody would read it again, were the ledger lost.
        let is_past = last.is_some_and(|last| *window <= last);
        let held = standing.holds.iter().filter_map(|hold| hold.scope.customer()).filter(|_| is_past);
        for contract in held.filter(|contract| !state.imported().is_billed(sink, window, contract)) {
            contracts.entry(contract).or_default();
        }
        for (contract, charges) in contracts {
            let put = |contracts: &mut Contracts| {
                contracts.entry(*window).or_default().insert(contract.to_owned());
            };
            let is_final = charges.iter().all(|charge| charge.is_final());
            let is_held = standing.holds.iter().any(|hold| hold.scope.may_cover(contract));
            let is_in_doubt = state.imported().is_open(sink, window, contract) && is_held;
            // What another exporter listed is its own to take off.
            let is_theirs = state.imported().is_billed(sink, window, contract);
            if charges.iter().all(|charge| charge.is_surely_not_billed()) && !is_theirs && !is_in_doubt {
                if !charges.is_empty() {
                    put(&mut wanted.unlisted);
                }
                if is_past {
                    put(&mut wanted.open);
                }
                continue;
            }
            put(&mut wanted.listed);
            let is_ours = charges.iter().any(|charge| charge.is_listed());
            if !is_final || is_held && (is_ours || is_in_doubt) {
                put(&mut wanted.open);
            }
        }
    }
    // What was open when it was taken over, and of which no usage was read yet, stays as it stands.
    for (window, contracts) in state.imported().still_open(sink) {
        let is_known = |contract: &str| {
            state.charges_of(sink, &window).iter().any(|charge| charge.charge().key().customer == contract)
        };
        let unread: Vec<String> = contracts.iter().filter(|contract| !is_known(contract)).cloned().collect();
        if !unread.is_empty() {
            wanted.open.entry(window).or_default().extend(unread);
        }
    }
    wanted
}

/// The code of problems with the document.
const CODE: &str = "state-document";

fn problem(error: &MirrorError) -> Problem {
    Problem {
        step: Some("keeping the state document".to_owned()),
        action: Some(error.action().to_owned()),
        ..Problem::new(CODE, error.to_string())
    }
}
