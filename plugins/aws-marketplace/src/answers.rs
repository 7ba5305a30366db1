//! Which result speaks for which record.
//!
//! | a result | |
//! |---|---|
//! | names the record's customer, dimension and time, and repeats nothing that differs from what was sent | speaks for it |
//! | names it, with another quantity or other allocations | leaves it unknown |
//! | lacks a name, or cannot be read | speaks for nobody, and against every result of a record it may be about that says another thing |
//! | names another record | does not count |
//!
//! A record is settled if something speaks for it and nothing against it. Everything else is unknown: the host sends the identical record
//! again, which the service recognises.

use std::collections::BTreeSet;

use meterhost_sdk::{Outcome, Status};

use crate::Config;
use crate::echo::{Echo, Relation};
use crate::object::{Object, Place};
use crate::record::Record;
use crate::verdict::Verdict;

/// The most of an answer that an outcome carries, in bytes: what the ledger keeps. All charges of a record carry the same.
const SHOWN: usize = 4096;

/// How many bytes of an answer that makes no sense are shown.
const EXCERPT: usize = 200;

/// A result, or an unprocessed record.
struct Reading<'a> {
    /// As it came.
    raw: &'a str,
    /// Nothing if it cannot be read: it may be about any record.
    echo: Option<Echo>,
    verdict: Verdict,
}

/// One outcome for each charge of these records.
///
/// # Errors
///
/// The answer is none to a call, in words for a person.
pub(crate) fn read(config: &Config, records: &[Record<'_>], answer: &str) -> Result<Vec<Outcome>, String> {
    let readings = readings(config, answer)?;
    Ok(records.iter().flat_map(|record| outcomes(record, &readings, answer)).collect())
}

fn readings<'a>(config: &Config, answer: &'a str) -> Result<Vec<Reading<'a>>, String> {
    let wrong = |what: &str| format!("AWS Marketplace's answer {what}: {}", excerpt(answer, EXCERPT));
    let object = Object::read(answer).ok_or_else(|| wrong("is no JSON object"))?;
    let lists = ["Results", "UnprocessedRecords"];
    if lists.iter().all(|name| matches!(object.place(name), Place::Empty)) {
        return Err(wrong("has neither Results nor UnprocessedRecords"));
    }
    let list = |name| object.list(name).ok_or_else(|| wrong(&format!("has {name} that are no list")));
    let mut readings = Vec::new();
    for raw in list("Results")? {
        let result = Object::read(raw.get());
        readings.push(Reading {
            raw: raw.get(),
            echo: result.as_ref().and_then(|result| Echo::read(config, result.place("UsageRecord"))),
            verdict: result
                .map_or_else(|| Verdict::Unclear("a result that cannot be read".into()), |result| Verdict::of(&result)),
        });
    }
    for raw in list("UnprocessedRecords")? {
        let echo = Echo::read(config, Place::Once(raw));
        readings.push(Reading { raw: raw.get(), echo, verdict: Verdict::Unprocessed });
    }
    Ok(readings)
}

fn outcomes(record: &Record<'_>, readings: &[Reading<'_>], answer: &str) -> Vec<Outcome> {
    let (mut own, mut doubtful, mut differs) = (Vec::new(), Vec::new(), false);
    for reading in readings {
        let unreadable = || Relation::Doubtful("its record cannot be read".to_owned());
        match reading.echo.as_ref().map_or_else(unreadable, |echo| echo.relation(record)) {
            Relation::Other => {}
            Relation::Own => own.push(reading),
            Relation::Different(why) => {
                differs = true;
                doubtful.push((reading, why));
            }
            Relation::Doubtful(why) => doubtful.push((reading, why)),
        }
    }
    let all = || own.iter().copied().chain(doubtful.iter().map(|(reading, _)| *reading));
    let names: BTreeSet<&str> = own.iter().filter_map(|reading| reading.verdict.name()).collect();
    // A record has one name.
    let is_clear = |first: &&&Reading<'_>| {
        !differs && names.len() <= 1 && all().all(|reading| reading.verdict.is_like(&first.verdict))
    };
    let (status, reference, message) = match (own.first().filter(is_clear), own.is_empty()) {
        (Some(first), _) => {
            let reference = names.first().map(|name| (*name).to_owned());
            (first.verdict.status(), reference, first.verdict.message(record))
        }
        (None, true) => (Status::Unknown, None, Some(unspoken(&doubtful))),
        (None, false) => {
            let own = own.iter().map(|reading| reading.verdict.words());
            let said = joined(own.chain(doubtful.iter().map(in_doubt)));
            (Status::Unknown, None, Some(format!("AWS Marketplace's answer is not clear about this record: {said}")))
        }
    };
    let raw = match all().map(|reading| reading.raw).collect::<Vec<_>>().as_slice() {
        [] => excerpt(answer, SHOWN),
        [raw] => excerpt(raw, SHOWN),
        raws => excerpt(&format!("[{}]", raws.join(",")), SHOWN),
    };
    let outcome = Outcome {
        id: String::new(),
        status,
        // An agreement that is not there, or a suspended account: the charge would be refused for as long as it is accepted at all.
        retryable: false,
        refusal_if_absent: None,
        reference,
        message,
        raw,
    };
    record.charges.iter().map(|charge| Outcome { id: charge.id.clone(), ..outcome.clone() }).collect()
}

/// What is told of a record for which nothing speaks.
fn unspoken(doubtful: &[(&Reading<'_>, String)]) -> String {
    let nothing = "AWS Marketplace's answer says nothing that is surely about this record";
    let said = joined(doubtful.iter().map(in_doubt));
    if said.is_empty() { nothing.to_owned() } else { format!("{nothing}; one that may be: {said}") }
}

fn in_doubt((reading, why): &(&Reading<'_>, String)) -> String {
    format!("{}, but {why}", reading.verdict.words())
}

/// Each thing once.
fn joined(texts: impl Iterator<Item = String>) -> String {
    let mut seen: Vec<String> = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    excerpt(&seen.join(" | "), SHOWN)
}

/// At most so many bytes of a text, cut between characters.
fn excerpt(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", text.get(..text.floor_char_boundary(most)).unwrap_or_default())
}
