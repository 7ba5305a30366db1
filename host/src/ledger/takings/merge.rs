//! Many segments become one: a pipeline of hours takes something thousands of times a year, and each segment is a request where the ledger
//! lies on S3.
//!
//! When so many segments in a row hold about as many takings each, they are written anew as one. So a record is written once for each
//! such step, and a year of hours leaves some dozens of segments. What was merged stays where it is: entries name it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Takings;
use super::find::{Part, placed};
use crate::ledger::entry::Entry;
use crate::ledger::error::LedgerError;
use crate::ledger::ids::{Billed, Draft, Finder, Segment, Shelf};

/// So many segments of about one size become one.
const MANY: usize = 32;

impl Takings {
    /// Merges segments, where there are many; answers the entry that names what came of it.
    ///
    /// # Errors
    /// They cannot be read, or the new one cannot be written.
    pub fn merged(&self, shelf: &Shelf) -> Result<Option<Entry>, LedgerError> {
        let Some(parts) = self.to_be_merged() else { return Ok(None) };
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Ok(None) };
        let segments: Vec<&Segment> = parts.iter().map(|part| &part.segment).collect();
        let finders = Finder::open_all(shelf, &segments)?;
        let mut sources: Vec<_> = finders.iter().map(Finder::all).collect();
        let mut heads = BinaryHeap::new();
        for (at, source) in sources.iter_mut().enumerate() {
            if let Some(billed) = source.next() {
                heads.push(Reverse((billed?, at)));
            }
        }
        let mut draft = Draft::begin(shelf, first.segment.window)?;
        while let Some(Reverse((billed, at))) = heads.pop() {
            if let Some(part) = parts.get(at) {
                let taken = part.taken(&billed);
                draft.push(&Billed { input: placed(taken.taking, taken.group as u64), ..billed })?;
            }
            if let Some(next) = sources.get_mut(at).and_then(Iterator::next) {
                heads.push(Reverse((next?, at)));
            }
        }
        let Some(Segment { window, name, ids, sha256 }) = draft.publish()? else { return Ok(None) };
        let takings = (first.first as u64, (last.first + last.takings) as u64);
        Ok(Some(Entry::Merged { window, segment: name, records: ids, sha256, takings }))
    }

    /// The last segments, if they are many of about one size.
    fn to_be_merged(&self) -> Option<&[Part]> {
        let level = |part: &Part| part.takings.ilog(MANY);
        let parts = self.parts.get(self.parts.len().checked_sub(MANY)?..)?;
        let own = level(parts.first()?);
        parts.iter().all(|part| level(part) == own).then_some(parts)
    }
}
