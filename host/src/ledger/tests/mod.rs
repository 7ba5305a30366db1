//! What a ledger promises.

mod accept;
mod aside;
mod file;
mod fold;
mod histories;
mod imported;
mod one_writer;
mod processes;
mod renamed;
mod resolved;
mod s3;
mod sent_before;
mod sets;
mod speed;
mod verify;
mod writing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use meterhost_decimal::Decimal;

use super::{Charge, Claim, Entry, Identity, Ledger, LedgerError, Row, Standing, State, Verdict};
use crate::model::charge::{ChargeId, Key, Proposal};
use crate::model::outcome::{HeldRecord, Outcome, Status};
use crate::model::window::{Window, WindowKind};

pub(in crate::ledger) fn june() -> Window {
    Window::parse(WindowKind::Month, "2025-06").unwrap()
}

fn july() -> Window {
    Window::parse(WindowKind::Month, "2025-07").unwrap()
}

pub(in crate::ledger) fn identity() -> Identity {
    Identity {
        pipeline: "p".to_owned(),
        window: WindowKind::Month,
        first: None,
        sinks: vec!["s".to_owned()],
        publishing: Vec::new(),
        aggregates: vec!["rules".to_owned()],
        now: None,
        plugins: Vec::new(),
    }
}

fn proposal(window: Window, customer: &str) -> Proposal {
    Proposal {
        key: Key {
            pipeline: "p".to_owned(),
            sink: "s".to_owned(),
            window,
            product: String::new(),
            customer: customer.to_owned(),
            dimension: "d".to_owned(),
            tags: vec![("region".to_owned(), "eu".to_owned())],
        },
        carried: Vec::new(),
        remainder: None,
        unsent: false,
        until: None,
        exact: Decimal::parse("1.5").unwrap(),
        quantity: Decimal::parse("2").unwrap(),
        time: window.start().as_millisecond(),
        origins: vec![("raw".to_owned(), 3)],
        parts: Vec::new(),
        attributes: vec![("unit".to_owned(), "GiB".to_owned())],
        aggregator: "rules".to_owned(),
    }
}

pub(in crate::ledger) fn intent(windows: &[Window]) -> Entry {
    Entry::Run {
        now: 1_751_331_600_000,
        config: "c0".to_owned(),
        plugins: Vec::new(),
        windows: windows.to_vec(),
        sinks: vec!["s".to_owned()],
    }
}

fn outcome(id: ChargeId, status: Status) -> Outcome {
    Outcome { retryable: true, ..Outcome::plain(id, status, Some(format!("{status:?}").to_lowercase())) }
}

/// What a person says of a charge.
fn said(charge: &Charge, verdict: Verdict) -> Entry {
    let (reason, by) = ("it stands in their portal".to_owned(), Some("kim".to_owned()));
    Entry::Resolved { charge: charge.id(), verdict, quantity: charge.quantity(), reason, by }
}

fn record(quantity: &str) -> HeldRecord {
    let quantity = Some(Decimal::parse(quantity).unwrap());
    HeldRecord { reference: Some("r-1".to_owned()), quantity, raw: "{}".to_owned() }
}

/// A folder with a ledger in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("p.ledger.db")
    }

    fn at(&self) -> crate::ledger::Place {
        at(&self.path())
    }

    fn open(&self, run: &str) -> Ledger {
        Ledger::open(&self.at(), &identity(), &Claim::at_once(run)).unwrap()
    }

    fn read(&self) -> State {
        Ledger::state_of(&self.at(), &identity()).unwrap()
    }

    /// Names and contents of what is in the folder.
    fn contents(&self) -> Vec<(String, Vec<u8>)> {
        contents(self.folder.path())
    }
}

fn at(path: &Path) -> crate::ledger::Place {
    crate::ledger::Place::sqlite(path)
}

/// Every entry of a ledger, as it is stored.
pub(in crate::ledger) fn rows(place: &crate::ledger::Place) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut take = |row| {
        rows.push(row);
        Ok(())
    };
    place.rows(&mut take).unwrap();
    rows
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    found.sort();
    found
}

/// A ledger of run `r1` in which June's charges of these customers are frozen.
fn frozen(place: &Place, customers: &[&str]) -> (Ledger, Vec<Charge>) {
    let mut ledger = place.open("r1");
    ledger.append(vec![intent(&[june()])]).unwrap();
    ledger.freeze(Vec::new(), customers.iter().map(|customer| proposal(june(), customer)).collect()).unwrap();
    let charges = charges(ledger.state());
    (ledger, charges)
}

fn charges(state: &State) -> Vec<Charge> {
    state.charges_of("s", &june()).into_iter().map(|charge| charge.charge().clone()).collect()
}

fn standing<'a>(state: &'a State, charge: &Charge) -> &'a Standing {
    state.charge(&charge.id()).unwrap().standing()
}

const MINUTE: Duration = Duration::from_secs(60);

fn words(error: &LedgerError, place: &Place) -> String {
    error.to_string().replace(&place.path().display().to_string(), "LEDGER")
}
