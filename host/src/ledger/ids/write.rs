//! From sorted ids to a segment.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use super::filter::Filter;
use super::form::{BITS, BLOCK, GROUP, ID, Index, MAGIC};
use super::shelf::Shelf;
use super::{Billed, Hash, Segment};
use crate::ledger::error::LedgerError;
use crate::model::window::Window;

/// A segment that is being written.
pub struct Draft<'a> {
    shelf: &'a Shelf,
    window: Window,
    name: String,
    file: BufWriter<File>,
    ids: u64,
    /// The block so far.
    block: Vec<u8>,
    marks: Vec<u64>,
    /// The filters of the group so far.
    filters: Vec<u8>,
    index: Index,
}

impl<'a> Draft<'a> {
    /// Begins one. Nothing is there before it is published.
    ///
    /// # Errors
    /// There is no place to write it to.
    pub fn begin(shelf: &'a Shelf, window: Window) -> Result<Self, LedgerError> {
        let mut file = BufWriter::with_capacity(1 << 20, shelf.draft()?);
        file.write_all(&MAGIC).map_err(|error| shelf.failed("cannot be written", &error))?;
        // Nobody else makes it: one of another run that ended before its step has another.
        let name = format!("{}-{:016x}", window.label(), getrandom::u64().unwrap_or_default());
        Ok(Draft {
            shelf,
            window,
            name,
            file,
            ids: 0,
            block: Vec::with_capacity(BLOCK * ID),
            marks: Vec::with_capacity(BLOCK),
            filters: Vec::new(),
            index: Index::default(),
        })
    }

    /// Adds an id, in ascending order of their marks.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn push(&mut self, id: &Billed) -> Result<(), LedgerError> {
        if self.block.is_empty() {
            self.index.blocks.push((id.mark, Hash::default()));
        }
        self.ids += 1;
        id.write(&mut self.block);
        self.marks.push(id.mark as u64);
        if self.marks.len() == BLOCK { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<(), LedgerError> {
        if let Some((_, hash)) = self.index.blocks.last_mut() {
            *hash = Hash::of(&self.block);
        }
        let mut filter = Filter::new(self.marks.len(), BITS);
        self.marks.drain(..).for_each(|mark| filter.add(mark));
        filter.write(&mut self.filters);
        self.file.write_all(&self.block).map_err(|error| self.shelf.failed("cannot be written", &error))?;
        self.block.clear();
        match self.index.blocks.len().is_multiple_of(GROUP) {
            true => self.end_group(),
            false => Ok(()),
        }
    }

    fn end_group(&mut self) -> Result<(), LedgerError> {
        self.index.groups.push(Hash::of(&self.filters));
        self.file.write_all(&self.filters).map_err(|error| self.shelf.failed("cannot be written", &error))?;
        self.filters.clear();
        Ok(())
    }

    /// Ends it: it is there for good when this returns, and counts once the ledger names it. Nothing where it holds none.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn publish(mut self) -> Result<Option<Segment>, LedgerError> {
        if self.ids == 0 {
            return Ok(None);
        }
        if !self.marks.is_empty() {
            self.end_block()?;
        }
        if !self.filters.is_empty() {
            self.end_group()?;
        }
        let Draft { shelf, window, name, mut file, ids, index, .. } = self;
        let index = index.to_bytes();
        let failed = |error: std::io::Error| shelf.failed("cannot be written", &error);
        file.write_all(&index).map_err(failed)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        shelf.publish(&name, file)?;
        Ok(Some(Segment { window, name, ids, sha256: Hash::of(&index) }))
    }
}
