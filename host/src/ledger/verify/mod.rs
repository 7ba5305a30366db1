//! Whether a ledger is what was written: every row of every pipeline, the chain that they are, and the head that is kept apart. It goes
//! on after the first thing that is wrong, and changes nothing.
//!
//! | file | subject |
//! |---|---|
//! | `chain` | row by row: numbers, steps, hashes, contents, and what they add up to |
//! | `moved` | of rows that do not follow: which stand in each other's place |
//! | `ending` | where the ledger ends, against its head |
//! | `finding` | something that is wrong, and where |

mod chain;
mod ending;
mod finding;
mod moved;

use std::collections::BTreeSet;

use self::chain::Chain;
pub use self::ending::Unfit;
use self::ending::unfit;
pub use self::finding::{Finding, Spot};
use super::aside;
use super::book::{PAUSE, READ_AGAIN};
use super::entry::Entry;
use super::error::{LedgerError, Trouble};
use super::ids::{Blob, Segment};
use super::place::{Kind, Place};
use super::row::{Head, Row};
use super::s3::{self, Part};
use super::sets::SetPart;
use super::sqlite::is_there;

/// What came of looking at all of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Where it ends, as far as it can be read; nothing where there is no ledger.
    pub end: Option<Head>,
    /// When its last entry was written, by the real clock: milliseconds, UTC.
    pub at: Option<i64>,
    /// The pipelines that it was opened for.
    pub pipelines: BTreeSet<String>,
    /// What is wrong with it, apart from its head.
    pub damage: Vec<Finding>,
    /// How it does not fit its head.
    pub unfit: Option<Unfit>,
}

/// What is kept apart as the ledger's end; as an error, what is wrong with that.
type Kept = Result<Option<Head>, String>;

impl Verified {
    /// Everything that is wrong.
    pub fn findings(&self) -> Vec<Finding> {
        let head = self.unfit.as_ref().map(|unfit| Finding { spot: Spot::Head, fault: unfit.to_string() });
        self.damage.iter().cloned().chain(head).collect()
    }

    /// Of a ledger that is not there.
    fn gone(kept: Kept) -> Verified {
        let unfit = match kept {
            Ok(None) => None,
            Ok(head) => Some(Unfit::Gone(head)),
            Err(_) => Some(Unfit::Gone(None)),
        };
        Verified { end: None, at: None, pipelines: BTreeSet::new(), damage: Vec::new(), unfit }
    }
}

impl Place {
    /// Looks at all of the ledger, beside a writer.
    ///
    /// # Errors
    /// It cannot be reached, so that nothing can be said of it. What is wrong with it is no error.
    pub fn verify(&self) -> Result<Verified, LedgerError> {
        let mut tries = 0;
        loop {
            let verified = self.look();
            // A writer comes or goes just now.
            let disturbed = matches!(
                verified,
                Err(LedgerError::Moved { .. } | LedgerError::Storage { trouble: Trouble::Locked, .. })
            );
            if !disturbed || tries == READ_AGAIN {
                return verified;
            }
            tries += 1;
            std::thread::sleep(PAUSE);
        }
    }

    fn look(&self) -> Result<Verified, LedgerError> {
        let kept = self.kept()?;
        let mut chain = Chain::new(kept.as_ref().ok().copied().flatten());
        let mut lies_beside = Beside::default();
        let is_cut_off = match &self.0 {
            Kind::Sqlite(path) => {
                let there = is_there(path);
                if matches!(there, Ok(false)) {
                    return Ok(Verified::gone(kept));
                }
                let take = |row| {
                    lies_beside.add(&row);
                    chain.row(row);
                    Ok(())
                };
                let read = there.and_then(|_| aside::read(path, take));
                let is_cut_off = read.is_err();
                if let Err(error) = read {
                    let fault = unreadable(error, chain.end())?;
                    chain.fault(Spot::File, fault);
                }
                for complaint in aside::complaints(path).unwrap_or_default() {
                    chain.fault(Spot::File, format!("SQLite finds it damaged: {complaint}"));
                }
                is_cut_off
            }
            Kind::S3 { objects, .. } => {
                let mut lost = false;
                let is_there = s3::examine(objects, |part| match part {
                    Part::Flaw { object, fault } => chain.fault(Spot::Object(object), fault),
                    Part::Lost => lost = true,
                    Part::Segment { before, rows } => {
                        chain.segment(&before, std::mem::take(&mut lost));
                        for row in rows {
                            lies_beside.add(&row);
                            chain.row(row);
                        }
                    }
                })?;
                if let Some(fault) = flaw(s3::holder(objects))? {
                    chain.fault(Spot::Object("lease".to_owned()), fault);
                }
                if !is_there {
                    return Ok(Verified { damage: chain.conclude().0.damage, ..Verified::gone(kept) });
                }
                lost
            }
        };
        let shelf = self.shelf();
        let Beside { segments, blobs, parts } = lies_beside;
        for segment in segments {
            if let Some(fault) = shelf.fault(&segment)? {
                chain.fault(Spot::Object(shelf.object(&segment)), fault);
            }
        }
        for blob in blobs {
            match shelf.read(&blob) {
                Ok(_) => {}
                Err(LedgerError::Torn { object, cause, .. }) => chain.fault(Spot::Object(object), cause),
                Err(error) => return Err(error),
            }
        }
        for part in parts {
            match shelf.each_block(&[part], &mut |_| Ok::<_, LedgerError>(())) {
                Ok(()) => {}
                Err(LedgerError::Torn { object, cause, .. }) => chain.fault(Spot::Object(object), cause),
                Err(error) => return Err(error),
            }
        }
        let (verified, meets_head) = chain.conclude();
        let end = verified.end.unwrap_or_default();
        let now = match &kept {
            // The writer may have gone on since.
            Ok(Some(head)) if end.step > head.step + 1 => self.kept()?,
            kept => kept.clone(),
        };
        Ok(Verified { unfit: unfit(kept, now, &end, meets_head, is_cut_off), ..verified })
    }

    fn kept(&self) -> Result<Kept, LedgerError> {
        match self.head() {
            Ok(head) => Ok(Ok(head)),
            Err(LedgerError::Head { cause, .. } | LedgerError::Torn { cause, .. }) => Ok(Err(cause)),
            Err(LedgerError::Foreign { what, .. }) => Ok(Err(format!("the ledger {what}"))),
            Err(error) => Err(error),
        }
    }
}

/// What lies beside the ledger and entries name.
#[derive(Default)]
struct Beside {
    segments: Vec<Segment>,
    blobs: Vec<Blob>,
    parts: Vec<SetPart>,
}

impl Beside {
    fn add(&mut self, row: &Row) {
        if !matches!(row.kind.as_str(), "ids" | "taken" | "merged" | "charged") {
            return;
        }
        // What cannot be read is said of the entry itself.
        match serde_json::from_str(&row.body) {
            Ok(Entry::Ids { window, segment, ids, sha256, .. }) => {
                self.segments.push(Segment { window, name: segment, ids, sha256 });
            }
            Ok(Entry::Merged { window, segment, records, sha256, .. }) => {
                self.segments.push(Segment { window, name: segment, ids: records, sha256 });
            }
            Ok(Entry::Taken { window, segment, records, sha256, names, .. }) => {
                self.segments.push(Segment { window, name: segment, ids: records, sha256 });
                self.blobs.push(names);
            }
            Ok(Entry::Charged { parts, .. }) => self.parts.extend(SetPart::all_of(parts).unwrap_or_default()),
            _ => {}
        }
    }
}

/// What keeps SQLite from reading on; an error where that is nothing of the file's own.
fn unreadable(error: LedgerError, end: Head) -> Result<String, LedgerError> {
    match error {
        LedgerError::Foreign { what, .. } => Ok(format!("it {what}")),
        LedgerError::Storage { trouble: Trouble::Corrupt | Trouble::Other, cause, .. } if end.number == 0 => {
            Ok(format!("SQLite cannot read it: {cause}"))
        }
        LedgerError::Storage { trouble: Trouble::Corrupt | Trouble::Other, cause, .. } => {
            Ok(format!("SQLite cannot read on behind entry {}: {cause}", end.number))
        }
        error => Err(error),
    }
}

/// What is wrong with an object that was read, if anything.
fn flaw<T>(read: Result<T, LedgerError>) -> Result<Option<String>, LedgerError> {
    match read {
        Ok(_) => Ok(None),
        Err(LedgerError::Torn { cause, .. }) => Ok(Some(cause)),
        Err(LedgerError::Foreign { what, .. }) => Ok(Some(format!("the ledger {what}"))),
        Err(error) => Err(error),
    }
}
