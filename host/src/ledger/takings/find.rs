//! Which of some records were taken before.

use std::collections::HashMap;

use super::{Taken, Takings};
use crate::ledger::error::LedgerError;
use crate::ledger::ids::{Billed, Finder, Segment, Shelf};

/// A segment of what was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) segment: Segment,
    /// The first of the takings in it, and how many they are. A segment of one holds the numbers of groups alone.
    pub(super) first: usize,
    pub(super) takings: usize,
}

/// A group's place in a segment of several takings.
pub(super) fn placed(taking: usize, group: u64) -> u64 {
    (taking as u64) << 32 | group & 0xffff_ffff
}

impl Part {
    pub(super) fn taken(&self, billed: &Billed) -> Taken {
        let (taking, group) = match self.takings {
            1 => (self.first, billed.input),
            _ => (usize::try_from(billed.input >> 32).unwrap_or(usize::MAX), billed.input & 0xffff_ffff),
        };
        Taken { taking, group: usize::try_from(group).unwrap_or(usize::MAX), contents: billed.contents }
    }
}

/// What was taken so far, to look into.
pub struct Lookup<'a>(Vec<(&'a Part, Finder<'a>)>);

impl Takings {
    /// Opens what was taken so far.
    ///
    /// # Errors
    /// What lies beside the ledger cannot be read.
    pub fn lookup<'a>(&'a self, shelf: &'a Shelf) -> Result<Lookup<'a>, LedgerError> {
        let segments: Vec<&Segment> = self.parts.iter().map(|part| &part.segment).collect();
        Ok(Lookup(self.parts.iter().zip(Finder::open_all(shelf, &segments)?).collect()))
    }
}

impl Lookup<'_> {
    /// Which of these records were taken, by what stands for them, ascending, each once; of one that was taken more than once, the last
    /// time.
    ///
    /// # Errors
    /// What lies beside the ledger cannot be read.
    pub fn find(&self, marks: &[u128]) -> Result<HashMap<u128, Taken>, LedgerError> {
        let mut found: HashMap<u128, Taken> = HashMap::new();
        for (part, finder) in &self.0 {
            for billed in finder.find(marks)? {
                let taken = part.taken(&billed);
                let last = found.entry(billed.mark).or_insert(taken);
                if last.taking < taken.taking {
                    *last = taken;
                }
            }
        }
        Ok(found)
    }
}
