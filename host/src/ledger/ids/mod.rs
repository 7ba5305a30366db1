//! The ids of records that went into frozen charges: what `dedupe = "id"` knows of earlier runs.
//!
//! They are too many for entries. They lie beside the ledger in **segments**, sorted and never changed, each of one window and of one run.
//! A segment is written before the charges of its records are frozen, and named, with its hash, by an entry of the same step: so an id
//! counts when its charge is frozen and not before, and what a crash leaves behind in between is read by nobody.
//!
//! | file | subject |
//! |---|---|
//! | `form` | what of a segment stands where |
//! | `filter` | what surely is not in a set of hashes |
//! | `shelf` | where segments lie |
//! | `write` | from sorted ids to a segment |
//! | `find` | which of some ids stand in a segment |
//! | `check` | whether a segment is what was written |
//! | `blob` | other bytes that an entry names |

mod blob;
mod check;
mod filter;
mod find;
mod form;
mod shelf;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::blob::Blob;
pub use self::find::Finder;
pub use self::shelf::Shelf;
pub use self::write::Draft;
use super::fold_error::FoldError;
use super::row::Hash;
use crate::model::window::Window;

/// What ids are hashed with: chosen by chance when a ledger gets its first ids, and the same ever after. Nobody can choose ids for it who
/// does not read the ledger. As a text, 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct IdKey(pub [u8; 16]);

/// An id that was billed: what stands for it and for its record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Billed {
    /// Stands for the id and the dimension.
    pub mark: u128,
    /// Stands for what the record says.
    pub contents: u64,
    /// Stands for the name of the input that it was read from; 0 where that is not known.
    pub input: u64,
}

/// A segment, as the ledger names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The window that its records lie in.
    pub window: Window,
    /// Its name on the shelf.
    pub name: String,
    /// How many ids it holds.
    pub ids: u64,
    /// Of its index, which holds the hashes of all else.
    pub sha256: Hash,
}

/// The ids that a pipeline has in its ledger.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ids {
    key: Option<IdKey>,
    segments: BTreeMap<Window, Vec<Segment>>,
}

impl Ids {
    /// Takes a segment in.
    ///
    /// # Errors
    /// It was made with another key than those before it, so that nothing would ever be found in one of them.
    pub(super) fn add(&mut self, segment: Segment, key: IdKey) -> Result<(), FoldError> {
        match self.key.replace(key) {
            Some(known) if known != key => Err(FoldError::OtherKey(segment.name)),
            _ => {
                self.segments.entry(segment.window).or_default().push(segment);
                Ok(())
            }
        }
    }

    /// The same without what it holds.
    pub(super) fn key_alone(&self) -> Ids {
        Ids { key: self.key, segments: BTreeMap::new() }
    }

    /// Takes in what an entry says, if it speaks of ids.
    #[cfg(test)]
    pub(crate) fn learn(&mut self, entry: super::Entry) {
        if let super::Entry::Ids { window, segment, ids, sha256, key } = entry {
            self.add(Segment { window, name: segment, ids, sha256 }, key).unwrap();
        }
    }

    /// What ids are hashed with; nothing while there are none.
    pub fn key(&self) -> Option<IdKey> {
        self.key
    }

    /// All segments, by window and in the order in which they were written.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.values().flatten()
    }
}

impl IdKey {
    /// A new one.
    pub fn by_chance() -> Self {
        let mut key = [0; 16];
        // The system has no randomness left: hashes that somebody could foresee are better than no run.
        let _ = getrandom::fill(&mut key);
        IdKey(key)
    }
}

impl fmt::Display for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<IdKey> for String {
    fn from(key: IdKey) -> String {
        key.to_string()
    }
}

impl TryFrom<String> for IdKey {
    type Error = String;

    fn try_from(text: String) -> Result<IdKey, String> {
        let is_one = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(&text, 16).ok().filter(|_| is_one);
        number.map(|number| IdKey(number.to_be_bytes())).ok_or_else(|| format!("`{text}` is no key of ids"))
    }
}
