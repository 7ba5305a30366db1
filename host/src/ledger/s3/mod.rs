//! The ledger on S3, for runs without a disk. Below its prefix lie
//!
//! | key | what | written |
//! |---|---|---|
//! | `segments/000000000001` … | the entries, a step in each | once, under the condition that there is none |
//! | `head` | where the chain of entries ends | after each segment |
//! | `snapshots/000000000256` … | many segments in one object | once, at the end of a run |
//! | `lease` | who holds the ledger | as a heartbeat |
//!
//! **The fence.** Creating segment number n succeeds for one run only. Who is told that it is there already looks whether it is its own,
//! from a try whose answer was lost: else another run has written since, and this one writes nothing more. Segments are never deleted,
//! or a run that slept for long could create one anew.
//!
//! | file | subject |
//! |---|---|
//! | `objects` | reading and writing below the prefix |
//! | `segment` | the form of a segment |
//! | `lease` | who may write |
//! | `head` | where it ends |
//! | `snapshot` | many segments in one |
//! | `read` | all segments, in order |
//! | `examine` | all segments, and what is wrong with which |

mod examine;
mod head;
mod lease;
mod objects;
mod read;
mod segment;
mod snapshot;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(super) use self::examine::{Part, examine};
use self::head::HeadObject;
use self::lease::Lease;
pub(super) use self::objects::Objects;
pub(super) use self::read::read;
use self::segment::Segment;
use super::claim::Claim;
use super::error::LedgerError;
use super::holder::Holder;
use super::row::{Head, Row};
use crate::broker::{Gate, ObjectError, Precondition};

/// How often a segment is written until it is known what became of it.
const TRIES: u32 = 6;
/// The pause before the second try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// A ledger on S3 that this process holds.
#[derive(Debug)]
pub(super) struct Store {
    objects: Objects,
    lease: Lease,
    head: HeadObject,
    /// Whether a segment that this process wrote was the last one of a snapshot.
    fills_a_snapshot: bool,
}

impl Store {
    /// Takes the lease. Nothing is read yet.
    pub(super) fn open(objects: &Objects, lease: Duration, claim: &Claim<'_>) -> Result<Store, LedgerError> {
        let lease = Lease::take(objects, lease, claim)?;
        Ok(Store { head: HeadObject::new(objects), objects: objects.clone(), lease, fills_a_snapshot: false })
    }

    /// The run that held it before, if that may wake up yet: in words for a person.
    pub(super) fn superseded(&self) -> Option<&str> {
        self.lease.superseded.as_deref()
    }

    /// Says whether the lease outlasts a request.
    pub(super) fn gate(&self) -> Gate {
        self.lease.gate()
    }

    /// What the head says; nothing while there is none.
    pub(super) fn head(&mut self) -> Result<Option<Head>, LedgerError> {
        self.head.read()
    }

    /// Every entry, in order.
    pub(super) fn each(&self, take: impl FnMut(Row) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        read(&self.objects, take)
    }

    /// Adds a step behind this head, all or none; it is there for good when this returns.
    pub(super) fn append(&mut self, before: &Head, rows: &[Row]) -> Result<(), LedgerError> {
        // At most one step is ever missing in the head.
        self.head.finish()?;
        let segment = Segment { nonce: nonce(), before: *before, rows: rows.to_vec() };
        let unwritable = |cause: String| self.objects.failed("cannot be written", &ObjectError::Other(cause));
        let bytes = segment.render().map_err(|error| unwritable(error.to_string()))?;
        let key = key(segment.number());
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            self.lost().map_or(Ok(()), Err)?;
            let failed = match self.objects.put(&key, &bytes, &Precondition::Absent) {
                Ok(_) => break,
                // It is there: perhaps by an earlier try of this very call, whose answer was lost.
                Err(ObjectError::Precondition(_) | ObjectError::Unknown(_)) => match self.objects.get(&key) {
                    Ok(Some((found, _))) if found == bytes => break,
                    Ok(Some(_)) => return Err(LedgerError::Overtaken { place: self.objects.place.clone() }),
                    Ok(None) => unwritable("nobody says whether a part of it was written".to_owned()),
                    Err(error) => error,
                },
                Err(error @ ObjectError::Unavailable(_)) => self.objects.failed("cannot be written", &error),
                Err(error) => return Err(self.objects.failed("cannot be written", &error)),
            };
            if tries >= TRIES {
                return Err(failed);
            }
            std::thread::sleep(pause);
            (pause, tries) = (pause * 2, tries + 1);
        }
        self.fills_a_snapshot |= segment.number().is_multiple_of(snapshot::SEGMENTS_EACH as u64);
        Ok(())
    }

    /// Begins to write the head, while other things go on.
    pub(super) fn keep(&mut self, head: &Head) {
        self.head.begin(head);
    }

    /// Writes the head in place of whatever it says; takes it away if there is nothing to say.
    pub(super) fn replace_head(&mut self, head: Option<&Head>) -> Result<(), LedgerError> {
        self.head.replace(head)
    }

    /// Ends what was begun, makes a snapshot if it is time for one, and gives the lease back.
    pub(super) fn close(&mut self) -> Result<(), LedgerError> {
        let kept = self.head.finish();
        if kept.is_ok() && std::mem::take(&mut self.fills_a_snapshot) {
            // Without one the next run reads more, and nothing is lost: one that ends later makes it.
            if let Err(error) = read::pack(&self.objects) {
                tracing::warn!("{error}");
            }
        }
        self.lease.release();
        kept
    }

    /// That the lease is lost, if it is.
    pub(super) fn lost(&self) -> Option<LedgerError> {
        let cause = self.lease.lasts(Duration::ZERO).err()?;
        Some(LedgerError::Lost { place: self.objects.place.clone(), cause })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Whoever wants to know what came of it has closed it before.
        let _ = self.close();
    }
}

/// The longest that a call may take under a lease of this length.
pub(super) fn longest_call(lease: Duration) -> Duration {
    Lease::longest_call(lease)
}

/// Who holds it; nothing if nobody does.
pub(super) fn holder(objects: &Objects) -> Result<Option<Holder>, LedgerError> {
    lease::holder(objects)
}

/// Takes it away from whoever holds it.
pub(super) fn unlock(objects: &Objects) -> Result<(), LedgerError> {
    lease::unlock(objects)
}

/// What the head says, read beside a writer.
pub(super) fn head(objects: &Objects) -> Result<Option<Head>, LedgerError> {
    HeadObject::new(objects).read()
}

/// Whether there are segments.
pub(super) fn exists(objects: &Objects) -> Result<bool, LedgerError> {
    Ok(!objects.list(SEGMENTS)?.is_empty())
}

/// The key of a segment. They sort as their numbers do.
fn key(number: u64) -> String {
    format!("{SEGMENTS}{number:012}")
}

const SEGMENTS: &str = "segments/";
const SNAPSHOTS: &str = "snapshots/";

/// Something that nobody else makes.
fn nonce() -> String {
    let random = getrandom::u64().unwrap_or_default();
    format!("{random:016x}-{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond())
}
