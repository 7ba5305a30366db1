//! What the service's books of a contract say of a charge: a listing, page by page.

use std::collections::BTreeMap;

use meterhost_sdk::{Failure, Finding, HeldRecord};
use serde_json::value::RawValue;

use crate::config::Target;
use crate::record::Record;
use crate::sent::Sent;
use crate::service::Trouble;
use crate::verdict::is_failure;
use crate::{service, time};

/// The largest page that the service gives.
const PAGE_SIZE: usize = 100;

/// A listing that goes on after so many pages is given up.
const MOST_PAGES: usize = 1000;

/// The most of a record that is handed on, in bytes.
const SHOWN: usize = 2048;

const HOUR: i64 = 3_600_000;

/// All that the service lists for a contract.
#[derive(Debug)]
pub(crate) struct Books {
    entries: Vec<Entry>,
    /// Why a record that is not in `entries` may be in the books nevertheless.
    gap: Option<String>,
}

/// A record with what it takes to compare it.
#[derive(Debug)]
struct Entry {
    dimension: String,
    /// In milliseconds.
    start: i64,
    end: i64,
    state: State,
    held: HeldRecord,
}

/// What became of a record, as its status says.
#[derive(Debug)]
enum State {
    Billed,
    Failed,
    /// Neither: the status, for a person.
    Unsettled(String),
}

impl Books {
    /// Asks for every page of a contract's records.
    pub(crate) fn of(target: &Target, token: &str, contract: &str) -> Result<Self, Trouble> {
        let mut books = Books { entries: Vec::new(), gap: None };
        let mut listed = 0;
        for page in 1..=MOST_PAGES {
            let url = format!(
                "{}?cloud={}&contract_id={}&page={page}&page_size={PAGE_SIZE}",
                target.metering,
                target.cloud.name(),
                service::encoded(contract)
            );
            let body = service::send("GET", &url, Some(token), Vec::new())?;
            let (records, next, count) = read(&body).map_err(|text| {
                let text = format!("GET {}: page {page} of contract {contract}: {text}", target.metering);
                Trouble::Answered(Failure::Other(text))
            })?;
            listed += records.len();
            for record in records {
                books.enter(target, contract, record);
            }
            if !next {
                // Records that moved from page to page while they were read.
                if let Some(count) = count.filter(|&count| count > listed) {
                    books.gap = Some(format!("Clazar counts {count} records and listed {listed}"));
                }
                return Ok(books);
            }
        }
        books.gap = Some(format!("Clazar's listing goes on after {MOST_PAGES} pages"));
        Ok(books)
    }

    fn enter(&mut self, target: &Target, contract: &str, raw: &RawValue) {
        let Some(record) = Record::read(raw) else {
            self.gap = Some(format!("Clazar lists something that is no record: {}", service::excerpt(raw.get(), 200)));
            return;
        };
        let of_others = record.contract_id.text().is_some_and(|text| text != contract)
            || record.cloud.text().is_some_and(|text| !text.eq_ignore_ascii_case(target.cloud.name()));
        if of_others {
            return;
        }
        let slot = || {
            let start = time::read(record.start_time.text()?)?;
            let end = time::read(record.end_time.text()?)?;
            record.contract_id.text()?;
            Some((record.dimension.text()?.to_owned(), start, end))
        };
        let Some((dimension, start, end)) = slot() else {
            // A failed record is not billed, whoever's it is.
            if !record.status.text().is_some_and(is_failure) {
                self.gap = Some(format!(
                    "Clazar lists a record that does not say whose it is: {}",
                    service::excerpt(record.raw, 200)
                ));
            }
            return;
        };
        let state = match record.status.text() {
            Some(status) if status.eq_ignore_ascii_case("success") => State::Billed,
            Some(status) if is_failure(status) => State::Failed,
            Some(status) => State::Unsettled(format!("status \"{status}\"")),
            None => State::Unsettled("no status".into()),
        };
        let held = HeldRecord {
            reference: record.id.text().map(str::to_owned),
            quantity: record.amount(),
            raw: service::excerpt(record.raw, SHOWN),
        };
        self.entries.push(Entry { dimension, start, end, state, held });
    }

    /// What the books say of a charge of this contract.
    ///
    /// A slot is a contract, a dimension and an hour; that the hour is the one of `start_time` is a guess, so a record with our
    /// start and another end is in our place too.
    pub(crate) fn finding(&self, sent: &Sent<'_>) -> Finding {
        let place = self.entries.iter().filter(|entry| {
            entry.dimension == sent.dimension
                && entry.start.div_euclid(HOUR) == sent.start.div_euclid(HOUR)
                && !matches!(entry.state, State::Failed)
        });
        let mut finding = match &self.gap {
            Some(gap) => Finding::CannotTell(gap.clone()),
            None => Finding::Absent,
        };
        for entry in place {
            let same_times = entry.start == sent.start && entry.end == sent.end;
            match (&entry.state, entry.held.quantity) {
                (State::Billed, Some(quantity)) if same_times && quantity == sent.quantity => {
                    return Finding::Found(entry.held.clone());
                }
                (State::Billed, None) if same_times => {
                    finding = worse(finding, Finding::CannotTell("Clazar's record shows no quantity".into()));
                }
                (State::Billed, _) => finding = worse(finding, Finding::Different(entry.held.clone())),
                (State::Unsettled(status), _) => {
                    let why = format!("Clazar holds a record in its place with {status}");
                    finding = worse(finding, Finding::CannotTell(why));
                }
                (State::Failed, _) => {}
            }
        }
        finding
    }
}

/// A record in the place outweighs what is not known of others.
fn worse(so_far: Finding, new: Finding) -> Finding {
    match so_far {
        Finding::Different(_) => so_far,
        _ => new,
    }
}

/// The records of a page, whether there is a next one, and how many the service counts in all.
fn read(body: &[u8]) -> Result<(Vec<&RawValue>, bool, Option<usize>), String> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(body)
        .map_err(|_| format!("Clazar's answer is no JSON object: {}", service::words(body)))?;
    let results = fields.get("results").ok_or_else(|| format!("there are no `results`: {}", service::words(body)))?;
    let records = serde_json::from_str(results.get()).map_err(|_| "`results` is no list".to_owned())?;
    let next = fields.get("next").ok_or("`next` is missing, so nobody knows whether this is the last page")?;
    let count = fields.get("count").and_then(|count| count.get().parse().ok());
    Ok((records, next.get() != "null", count))
}
