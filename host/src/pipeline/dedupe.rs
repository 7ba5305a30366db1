//! `dedupe = "id"`: records with the same id and dimension are one, in one window and in all.
//!
//! | of two records with the same id and dimension | |
//! |---|---|
//! | the contents are the same: customer, product, quantity, time, attributes | one is dropped, and counted as a duplicate |
//! | the contents differ | both are kept, and hold what their customers owe for the dimension: which is right nobody can tell |
//! | they differ, and one of them is billed | the other one alone holds what its customer owes |
//!
//! A record without an id, or with an empty one, is quarantined: nobody can tell whether it was read before.
//!
//! What stands for an id and its dimension is a keyed hash of 128 bits: that any two of a billion are taken for one has odds of 1 in
//! 10^20, and nobody can choose ids for it. Contents are compared by 64 bits more, which matters only where the ids are the same.
//!
//! **In memory** is what tells most records from all that came before, about two bytes each: what surely is new is passed on at once, the
//! rest is put aside. Of every record some 60 bytes and its id are written down, into a file where they are many. When all is read, they
//! are looked at in parts, and what was put aside is decided.
//!
//! | file | subject |
//! |---|---|
//! | `hashes` | what stands for a record, and for what it says |
//! | `seen` | which ids surely are new |
//! | `sieve` | records as they come |
//! | `spill`, `entry` | what is kept of them, in memory or in a file |
//! | `decide` | what was put aside, once all is read |
//! | `compare` | the windows of a run, and what was billed in earlier ones |
//! | `bill` | what goes into the ledger with charges that are frozen |
//! | `conflict` | ids under which records differ, and the words for it |

mod bill;
mod compare;
mod conflict;
mod decide;
mod entry;
mod hashes;
mod seen;
mod sieve;
mod spill;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

pub(super) use self::bill::frozen;
pub(super) use self::conflict::Conflict;
#[cfg(test)]
pub(super) use self::conflict::Other;
pub(super) use self::hashes::{Hashes, Texts};
pub(super) use self::sieve::Sieve;

use self::conflict::Found;
use self::entry::{Entry, PARTITIONS, Slice, slices};
use self::hashes::whose;
use self::sieve::locked;
use self::spill::{Log, Spill};
use super::summary::Findings;
use super::tally::Pair;
use crate::ledger::{IdKey, Ids, LedgerError};
use crate::model::reading::Span;
use crate::model::window::Window;
use crate::report::Problem;

/// Ids that are brought together before they are put away, in bytes.
const TEXTS: usize = 1 << 20;

/// What is known of the records of a run.
pub(super) struct Dedupe {
    key: IdKey,
    hashes: Hashes,
    spill: Arc<Spill>,
    /// Whether any id may have to be named: there are others than those of one window.
    names_all: bool,
    /// The ids, as they are named where they are in doubt.
    texts: Mutex<Log>,
    kept: Mutex<Vec<Kept>>,
    /// The positions of windows of which there are records.
    windows: Mutex<BTreeSet<u32>>,
    found: Mutex<Found>,
}

/// What is kept of an opening: its entries, and how many, by partition.
struct Kept {
    entries: Vec<(u64, [Log; 2])>,
}

/// What keeps records from being compared.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The temporary file.
    File(io::Error),
    /// The ids in the ledger.
    Ledger(LedgerError),
}

impl Dedupe {
    /// For a run that reads so many windows, and what its ledger knows. Nothing was read yet.
    pub(super) fn new(ids: &Ids, windows: usize) -> Self {
        Self::with(ids, windows, Spill::new())
    }

    fn with(ids: &Ids, windows: usize, spill: Arc<Spill>) -> Self {
        let key = ids.key().unwrap_or_else(IdKey::by_chance);
        Dedupe {
            key,
            hashes: Hashes::of(key),
            names_all: windows > 1 || ids.segments().next().is_some(),
            texts: Mutex::new(Log::new(&spill, TEXTS)),
            spill,
            kept: Mutex::default(),
            windows: Mutex::default(),
            found: Mutex::default(),
        }
    }

    /// For an opening of these windows, the first of which has this position among the run's.
    pub(super) fn sieve<'a>(&'a self, windows: &'a [Span], first: usize) -> Sieve<'a> {
        Sieve::new(self, windows, first)
    }

    /// What differs under one id in a window, ascending by customer and dimension. `read` is what was passed on of it.
    pub(super) fn conflicts<'a>(&self, window: usize, read: impl Iterator<Item = &'a Pair>) -> Vec<Conflict> {
        let found = locked(&self.found);
        if found.is_empty() {
            return Vec::new();
        }
        // A pair may stand there with several products.
        let pairs: BTreeSet<(&str, &str)> =
            read.map(|pair| (pair.customer.as_str(), pair.dimension.as_str())).collect();
        let mut conflicts = Vec::new();
        for (customer, dimension) in pairs {
            let of = found.of(window as u32, self.whose(customer, dimension));
            conflicts.extend(of.map(|(other, ids)| Conflict {
                customer: customer.to_owned(),
                dimension: dimension.to_owned(),
                other,
                ids: ids.clone(),
            }));
        }
        conflicts
    }

    fn whose(&self, customer: &str, dimension: &str) -> u64 {
        whose(self.hashes.text(customer), self.hashes.text(dimension))
    }

    /// All entries of the run, in slices.
    fn slices(&self) -> Vec<Slice> {
        let mut counts = [0; PARTITIONS];
        for kept in locked(&self.kept).iter() {
            counts.iter_mut().zip(&kept.entries).for_each(|(count, (entries, _))| *count += entries);
        }
        slices(&counts)
    }

    /// The entries of a slice, in order.
    fn load(&self, slice: &Slice) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        {
            let kept = locked(&self.kept);
            let own = kept.iter().flat_map(|kept| kept.entries.get(slice.partitions.clone()).unwrap_or_default());
            slice.load(own.flat_map(|(_, logs)| logs), |_| true, &mut entries)?;
        }
        entries.sort_unstable();
        Ok(entries)
    }
}

/// The id that stands at this place.
fn text_at(texts: &Log, place: u64) -> io::Result<String> {
    let length = texts.at(place, 2)?.first_chunk().map_or(0, |length| u16::from_le_bytes(*length));
    Ok(String::from_utf8_lossy(&texts.at(place + 2, length.into())?).into_owned())
}

impl Trouble {
    /// Says that nothing comes of these windows.
    ///
    /// # Errors
    /// The ledger is at fault: then nothing comes of the run.
    pub(super) fn told(self, windows: &[Window], findings: &mut Findings) -> Result<(), LedgerError> {
        match self {
            Trouble::File(error) => {
                findings.unread("billed", no_room(&error), windows, false);
                Ok(())
            }
            Trouble::Ledger(error) => Err(error),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::File(error)
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Trouble::Ledger(error)
    }
}

/// That there is no place for what has to be kept of the records.
pub(super) fn no_room(error: &io::Error) -> Problem {
    let folder = std::env::temp_dir();
    Problem {
        step: Some("telling duplicates apart".to_owned()),
        action: Some(format!(
            "make room in {}, or name another folder with the variable TMPDIR: of each record of a large window about 100 bytes lie there \
             while it is read; nothing was billed of it, and a run reads it again",
            folder.display()
        )),
        ..Problem::new("temporary-file", format!("the temporary file in {} failed: {error}", folder.display()))
    }
}
