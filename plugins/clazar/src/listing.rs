//! What the service's books of a contract say of its charges: a listing, page by page.
//!
//! Of a page nothing is kept but what speaks of a charge that is asked about, so that books of any length take no more memory than
//! two of their pages.

use std::collections::{BTreeMap, BTreeSet};

use meterhost_sdk::{Failure, Finding};
use serde_json::value::RawValue;

use crate::config::Target;
use crate::entry::Entry;
use crate::sent::Sent;
use crate::service::{self, Trouble};

/// The largest page that the service gives.
const PAGE_SIZE: usize = 100;

/// A listing that goes on after so many pages is given up, whatever it says of itself.
const MOST_PAGES: usize = 1000;

/// What a listing says of a contract's charges, as far as it came.
#[derive(Debug)]
pub(crate) struct Listed {
    /// One a charge, in their order. After a trouble, `Absent` says no more than that nothing was seen so far.
    pub(crate) findings: Vec<Finding>,
    /// Why it ended before the last page.
    pub(crate) trouble: Option<Trouble>,
}

impl Listed {
    /// Asks for page after page of a contract's records until all of these charges of it are found or the pages end.
    pub(crate) fn of(target: &Target, token: &str, contract: &str, charges: &[Sent<'_>]) -> Self {
        Listed::within(target, token, Some(contract), MOST_PAGES, charges)
    }

    /// The same of all contracts together, if that takes no more than so many pages; else a trouble after the first.
    pub(crate) fn of_all(target: &Target, token: &str, most_pages: usize, charges: &[Sent<'_>]) -> Self {
        Listed::within(target, token, None, most_pages, charges)
    }

    fn within(target: &Target, token: &str, contract: Option<&str>, most_pages: usize, charges: &[Sent<'_>]) -> Self {
        let mut findings = vec![Finding::Absent; charges.len()];
        let trouble = read(target, token, contract, most_pages, charges, &mut findings).err();
        Listed { findings, trouble }
    }

    /// The findings, where nothing is said for this reason of what was not seen.
    pub(crate) fn but(mut self, why: &str) -> Vec<Finding> {
        let unseen = self.findings.iter_mut().filter(|finding| **finding == Finding::Absent);
        unseen.for_each(|finding| *finding = Finding::CannotTell(why.to_owned()));
        self.findings
    }
}

/// Reads the pages. A listing that contradicts itself is a trouble too.
fn read(
    target: &Target,
    token: &str,
    contract: Option<&str>,
    most_pages: usize,
    charges: &[Sent<'_>],
    findings: &mut [Finding],
) -> Result<(), Trouble> {
    let (whose, filter) = match contract {
        Some(contract) => (format!("contract {contract}"), format!("&contract_id={}", service::encoded(contract))),
        None => ("all contracts".to_owned(), String::new()),
    };
    let mut page_before: BTreeSet<String> = BTreeSet::new();
    let mut listed = 0;
    for number in 1..=most_pages {
        let odd = |text: String| {
            let text = format!("GET {}: page {number} of {whose}: {text}", target.metering);
            Trouble::Answered(Failure::Other(text))
        };
        let url =
            format!("{}?cloud={}{filter}&page={number}&page_size={PAGE_SIZE}", target.metering, target.cloud.name());
        let body = service::send("GET", &url, Some(token), Vec::new())?;
        let page = Page::read(&body).map_err(odd)?;
        if let Some(count) = page.count.filter(|count| count.div_ceil(PAGE_SIZE) > most_pages) {
            return Err(odd(format!("Clazar counts {count} records, and no more than {most_pages} pages are read")));
        }
        for entry in page.records.iter().copied().filter_map(Entry::read) {
            for (charge, finding) in charges.iter().zip(&mut *findings) {
                if let Some(said) = entry.says(charge) {
                    weigh(finding, said);
                }
            }
        }
        if findings.iter().all(|finding| matches!(finding, Finding::Found(_))) {
            return Ok(());
        }
        // Two records of one page may be alike; one that stood on the page before has moved.
        let new = page.records.iter().filter(|record| !page_before.contains(record.get())).count();
        listed += new;
        match (page.next, page.count) {
            // One that has moved is counted once, and another may have been passed over.
            (false, Some(count)) if count > listed => {
                return Err(odd(format!("Clazar counts {count} records and listed {listed}")));
            }
            (false, _) => return Ok(()),
            (true, _) if new == 0 => {
                return Err(odd("it brings nothing new, and yet Clazar names a next page".into()));
            }
            (true, _) => page_before = page.records.iter().map(|record| record.get().to_owned()).collect(),
        }
    }
    let text = format!(
        "GET {}: {whose}: Clazar's listing goes on after {most_pages} pages, and no more are read",
        target.metering
    );
    Err(Trouble::Answered(Failure::Other(text)))
}

/// Puts what a record says beside what others said. The charge's own record outweighs another in its place, and that what cannot be
/// told.
fn weigh(so_far: &mut Finding, said: Finding) {
    let weight = |finding: &Finding| match finding {
        Finding::Found(_) => 3,
        Finding::Different(_) => 2,
        Finding::CannotTell(_) => 1,
        Finding::Absent => 0,
    };
    if weight(&said) > weight(so_far) {
        *so_far = said;
    }
}

/// A page of a listing.
struct Page<'a> {
    records: Vec<&'a RawValue>,
    /// Whether another one follows.
    next: bool,
    /// How many records the service counts on all pages, if it says so.
    count: Option<usize>,
}

impl<'a> Page<'a> {
    fn read(body: &'a [u8]) -> Result<Self, String> {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(body)
            .map_err(|_| format!("Clazar's answer is no JSON object: {}", service::words(body)))?;
        let results =
            fields.get("results").ok_or_else(|| format!("there are no `results`: {}", service::words(body)))?;
        let records = serde_json::from_str(results.get()).map_err(|_| "`results` is no list".to_owned())?;
        let next = fields.get("next").ok_or("`next` is missing, so nobody knows whether this is the last page")?;
        let count = fields.get("count").and_then(|count| count.get().parse().ok());
        Ok(Page { records, next: next.get() != "null", count })
    }
}
