//! Going on with a ledger that does not end where its head says, once a person has seen what that means.

use jiff::Timestamp;

use super::claim::Claim;
use super::entry::{Entry, Record};
use super::error::LedgerError;
use super::head_file::HeadFile;
use super::lock::Lock;
use super::place::{Kind, Place};
use super::row::{Head, Row};
use super::store::LOOK;
use super::verify::{Unfit, Verified};
use super::{s3, sqlite};
use crate::clock;

/// A ledger that is whole by itself, and does not fit its head.
#[derive(Debug)]
pub struct Accepting {
    place: Place,
    found: Verified,
    unfit: Unfit,
}

impl Accepting {
    /// What was found, if it is a head that does not fit and nothing else.
    ///
    /// # Errors
    /// What was found, if something else is wrong, or nothing.
    pub fn of(place: &Place, found: Verified) -> Result<Accepting, Verified> {
        match found.unfit.clone() {
            Some(unfit) if found.damage.is_empty() => Ok(Accepting { place: place.clone(), found, unfit }),
            _ => Err(found),
        }
    }

    /// In plain words: what was found, and what it means to accept it.
    pub fn words(&self) -> String {
        let (place, head) = (self.place.name(), self.place.head_name());
        let end = match (&self.found.end, self.found.at.map(Timestamp::from_millisecond)) {
            (Some(end), Some(Ok(at))) => format!("entry {}, written at {at:.0}", end.number),
            (Some(end), _) => format!("entry {}", end.number),
            (None, _) => String::new(),
        };
        let number = self.found.end.unwrap_or_default().number;
        match &self.unfit {
            Unfit::Gone(head_was) => {
                let last = head_was
                    .map(|head| format!(" says that entry {} was written, and", head.number))
                    .unwrap_or_default();
                format!(
                    "the ledger {place} is gone. Its head, {head},{last} holds nothing of what was billed.\n\
                     If the head is removed, the next run begins a ledger anew, and what was billed until now is known to the service's \
                     books alone. If the ledger can be put back where it was, do that instead."
                )
            }
            Unfit::Older { kept, .. } => format!(
                "the ledger {place} is whole, and ends with {end}. Its head, {head}, is older: it says that the ledger ends with entry \
                 {}.\n\
                 Nothing is lost if the ledger is the right one. The head is written anew.",
                kept.number
            ),
            unfit => {
                let says = match unfit {
                    Unfit::Shorter { kept, .. } => {
                        format!("Its head, {head}, says that entry {} was written", kept.number)
                    }
                    Unfit::Another(kept) => {
                        format!("Its head, {head}, speaks of another entry {} than the ledger has", kept.number)
                    }
                    Unfit::Absent => format!("Its head, {head}, is not there"),
                    other => format!("Its head, {head}, cannot be read: {other}"),
                };
                format!(
                    "the ledger {place} is whole by itself, and ends with {end}. {says}.\n\
                     Entries after {number}, if there were any, are lost with it, and what they billed may be billed again. So, once this is \
                     accepted, what is open, and what is still to be billed of windows that are over by now, is looked up before it is \
                     sent; where the service cannot be asked, a person has to say what became of it. If a later copy of the ledger can be had, put that in its place instead."
                )
            }
        }
    }

    /// Writes the head anew, or takes it away where the ledger is gone; where entries may be lost, the ledger remembers that. Answers
    /// where the ledger ends then.
    ///
    /// # Errors
    /// Another run holds the ledger, or it is not as it was found any more, or it cannot be written.
    pub fn accept(self, claim: &Claim<'_>) -> Result<Option<Head>, LedgerError> {
        match &self.place.0 {
            Kind::Sqlite(path) => {
                let _lock = claim.patiently(&self.place.name(), LOOK, || Lock::take(path, claim.run))?;
                self.is_still_so()?;
                if matches!(self.unfit, Unfit::Gone(_)) {
                    HeadFile::remove(path)?;
                    return Ok(None);
                }
                let rows = self.rows(claim.run, None)?;
                if !rows.is_empty() {
                    sqlite::Store::open(path)?.append(&rows)?;
                }
                let end = self.end(&rows);
                HeadFile::replace(path, &end)?;
                Ok(Some(end))
            }
            Kind::S3 { objects, lease } => {
                let mut store = s3::Store::open(objects, *lease, claim)?;
                self.is_still_so()?;
                if matches!(self.unfit, Unfit::Gone(_)) {
                    store.replace_head(None)?;
                    store.close()?;
                    return Ok(None);
                }
                let rows = self.rows(claim.run, store.superseded())?;
                if !rows.is_empty() {
                    store.append(&self.found.end.unwrap_or_default(), &rows)?;
                }
                let end = self.end(&rows);
                store.replace_head(Some(&end))?;
                store.close()?;
                Ok(Some(end))
            }
        }
    }

    /// Whoever ran since may have written.
    fn is_still_so(&self) -> Result<(), LedgerError> {
        match self.place.verify()? == self.found {
            true => Ok(()),
            false => Err(LedgerError::Overtaken { place: self.place.name() }),
        }
    }

    fn end(&self, rows: &[Row]) -> Head {
        rows.last().map_or(self.found.end.unwrap_or_default(), Row::head)
    }

    /// One step: what each pipeline of the ledger has to know. It is written before the head is, so that a crash in between leaves a
    /// ledger that has to be accepted once more.
    fn rows(&self, run: &str, superseded: Option<&str>) -> Result<Vec<Row>, LedgerError> {
        let restored = self.unfit.may_have_lost().then(|| Entry::Restored { head: self.unfit.kept() });
        let superseded = superseded.map(|holder| Entry::Superseded { holder: holder.to_owned() });
        let entries: Vec<Entry> = superseded.into_iter().chain(restored).collect();
        let at = clock::now().as_millisecond();
        let before = self.found.end.unwrap_or_default();
        let each = self.found.pipelines.iter().flat_map(|pipeline| entries.iter().map(move |entry| (pipeline, entry)));
        let record = |(number, (pipeline, entry)): (u64, (&String, &Entry))| Record {
            number,
            pipeline: pipeline.clone(),
            run: run.to_owned(),
            at,
            entry: entry.clone(),
        };
        let records: Vec<Record> = (before.number + 1..).zip(each).map(record).collect();
        Row::step(&before, &records, &self.place.name())
    }
}
