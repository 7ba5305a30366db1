//! Which of some ids stand in a segment: of the segment is read what may hold one of them.

use std::ops::Range;
use std::thread;

use super::filter::Filter;
use super::form::{Form, ID, Index};
use super::shelf::Shelf;
use super::{Billed, Hash, Segment};
use crate::ledger::error::LedgerError;

/// Where more marks than this fall into a block, it is read without a look at its filter, which would hardly spare it.
const MANY: usize = 128;
/// So many blocks that stand one behind the other are read at once.
const AT_ONCE: usize = 16;

/// So many segments are opened at once.
const OPENED_AT_ONCE: usize = 32;

/// Finds ids in a segment.
#[derive(Debug)]
pub struct Finder<'a> {
    shelf: &'a Shelf,
    segment: &'a Segment,
    form: Form,
    index: Index,
}

impl<'a> Finder<'a> {
    /// Reads a segment's index: about 50 bytes for each 4,096 of its ids.
    ///
    /// # Errors
    /// The segment is not there, is not what was written, or cannot be reached.
    pub fn open(shelf: &'a Shelf, segment: &'a Segment) -> Result<Self, LedgerError> {
        let form = Form { ids: segment.ids };
        let mut finder = Finder { shelf, segment, form, index: Index::default() };
        let bytes = finder.part(form.index(), &segment.sha256, "its index")?;
        finder.index = Index::of(&bytes, form);
        Ok(finder)
    }

    /// The same of many, some at a time: most of it is waiting for the store.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_all(shelf: &'a Shelf, segments: &[&'a Segment]) -> Result<Vec<Self>, LedgerError> {
        let mut finders = Vec::with_capacity(segments.len());
        for some in segments.chunks(OPENED_AT_ONCE) {
            let opened: Vec<_> = thread::scope(|scope| {
                let open = |segment: &&'a Segment| {
                    let segment = *segment;
                    scope.spawn(move || Finder::open(shelf, segment))
                };
                let opening: Vec<_> = some.iter().map(open).collect();
                let opened = opening.into_iter().map(thread::ScopedJoinHandle::join);
                opened.map(|opened| opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
            });
            for finder in opened {
                finders.push(finder?);
            }
        }
        Ok(finders)
    }

    /// The segment that it looks into.
    pub fn segment(&self) -> &'a Segment {
        self.segment
    }

    /// What stands there under these marks, which are ascending, each once.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn find(&self, marks: &[u128]) -> Result<Vec<Billed>, LedgerError> {
        let mut found = Vec::new();
        for group in 0..self.form.groups() {
            let mut filters = None;
            let mut wanted: Vec<(usize, &[u128])> = Vec::new();
            for block in self.form.blocks_of(group) {
                let marks = self.within(block, marks);
                let may_be_there = match marks.len() {
                    0 => false,
                    1..=MANY => {
                        let filters = match &mut filters {
                            Some(filters) => filters,
                            none => none.insert(self.filters(group)?),
                        };
                        let filter = filters.get(block - self.form.blocks_of(group).start);
                        filter.is_none_or(|filter| marks.iter().any(|mark| filter.may_hold(*mark as u64)))
                    }
                    _ => true,
                };
                if may_be_there {
                    wanted.push((block, marks));
                }
            }
            for run in wanted.chunk_by(|(left, _), (right, _)| left + 1 == *right) {
                for part in run.chunks(AT_ONCE) {
                    self.find_in(part, &mut found)?;
                }
            }
        }
        Ok(found)
    }

    /// All that stands there, in its order. After an error there is nothing more.
    pub fn all(&self) -> impl Iterator<Item = Result<Billed, LedgerError>> {
        let block = |block| match self.whole(block) {
            Ok(ids) => (ids, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        (0..self.form.blocks()).map(block).flat_map(|(ids, error)| ids.into_iter().map(Ok).chain(error.map(Err)))
    }

    /// All of a block.
    fn whole(&self, block: usize) -> Result<Vec<Billed>, LedgerError> {
        let start = self.form.block(block);
        let bytes = self.read(start..start + (self.form.ids_of(block) * ID) as u64)?;
        let hash = self.index.blocks.get(block).map(|(_, hash)| *hash).unwrap_or_default();
        self.check(&bytes, &hash, &format!("its block {block}"))?;
        Ok(bytes.chunks_exact(ID).map(Billed::read).collect())
    }

    /// The marks that may stand in a block. One that stands at the end of a block may go on in the next.
    fn within<'m>(&self, block: usize, marks: &'m [u128]) -> &'m [u128] {
        let first = |block: usize| self.index.blocks.get(block).map(|(first, _)| *first);
        let Some(least) = first(block) else { return &[] };
        let start = marks.partition_point(|mark| *mark < least);
        let end = first(block + 1).map_or(marks.len(), |next| marks.partition_point(|mark| *mark <= next));
        marks.get(start..end).unwrap_or_default()
    }

    /// Looks into blocks that stand one behind the other.
    fn find_in(&self, part: &[(usize, &[u128])], found: &mut Vec<Billed>) -> Result<(), LedgerError> {
        let (Some((first, _)), Some((last, _))) = (part.first(), part.last()) else { return Ok(()) };
        let end = self.form.block(*last) + (self.form.ids_of(*last) * ID) as u64;
        let bytes = self.read(self.form.block(*first)..end)?;
        let mut rest = bytes.as_slice();
        for (block, marks) in part {
            let (own, others) = rest.split_at_checked(self.form.ids_of(*block) * ID).unwrap_or_default();
            rest = others;
            let hash = self.index.blocks.get(*block).map(|(_, hash)| *hash).unwrap_or_default();
            self.check(own, &hash, &format!("its block {block}"))?;
            let mut marks = marks.iter().peekable();
            for id in own.chunks_exact(ID).map(Billed::read) {
                while marks.next_if(|mark| **mark < id.mark).is_some() {}
                if marks.peek().is_some_and(|mark| **mark == id.mark) {
                    found.push(id);
                }
            }
        }
        Ok(())
    }

    /// The filters of a group, one a block.
    fn filters(&self, group: usize) -> Result<Vec<Filter>, LedgerError> {
        let hash = self.index.groups.get(group).copied().unwrap_or_default();
        let bytes = self.part(self.form.filters(group), &hash, "its filters")?;
        let mut rest = bytes.as_slice();
        let filter = |block| {
            let (own, others) = rest.split_at_checked(self.form.filter(block)).unwrap_or_default();
            rest = others;
            Filter::read(own)
        };
        Ok(self.form.blocks_of(group).map(filter).collect())
    }

    fn part(&self, part: Range<u64>, hash: &Hash, what: &str) -> Result<Vec<u8>, LedgerError> {
        let bytes = self.read(part)?;
        self.check(&bytes, hash, what)?;
        Ok(bytes)
    }

    fn read(&self, part: Range<u64>) -> Result<Vec<u8>, LedgerError> {
        let name = &self.segment.name;
        let bytes = self.shelf.part(name, &part)?;
        let bytes =
            bytes.ok_or_else(|| self.shelf.torn(name, "it is missing, and ids of billed records were in it"))?;
        match bytes.len() as u64 == part.end - part.start {
            true => Ok(bytes),
            false => Err(self.shelf.torn(name, "it is cut short")),
        }
    }

    fn check(&self, bytes: &[u8], hash: &Hash, what: &str) -> Result<(), LedgerError> {
        match Hash::of(bytes) == *hash {
            true => Ok(()),
            false => Err(self.shelf.torn(&self.segment.name, &format!("{what} is not what was written"))),
        }
    }

    /// Reads all of it, and looks whether it is what was written.
    pub(super) fn check_all(&self) -> Result<(), LedgerError> {
        for group in 0..self.form.groups() {
            self.filters(group)?;
            for block in self.form.blocks_of(group) {
                self.find_in(&[(block, &[])], &mut Vec::new())?;
            }
        }
        Ok(())
    }
}
