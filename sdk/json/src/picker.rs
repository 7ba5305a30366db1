//! The wanted fields of a record, the quick way or the sure one.

use std::rc::Rc;

use crate::exact;
use crate::keys::Orders;
use crate::marks::Marks;
use crate::pointers::Pointers;
use crate::scan::Scan;
use crate::{NoRecord, Slot};

/// Picks the wanted fields of record after record, and remembers how the records were written: one picker for all
/// objects that are alike.
#[derive(Debug)]
pub struct Picker {
    pointers: Rc<Pointers>,
    /// What is known of records in lines, and of those in documents: there, the end of a line is space.
    in_lines: Orders,
    in_documents: Orders,
    /// Room for the marks of lines.
    pub(crate) marks: Marks,
}

impl Picker {
    /// Picks these fields.
    pub fn new(pointers: Rc<Pointers>) -> Self {
        let orders = || Orders::new(&pointers);
        Picker { in_lines: orders(), in_documents: orders(), marks: Marks::default(), pointers }
    }

    /// Room for the fields of a record.
    pub(crate) fn slots<'t>(&self) -> Vec<Slot<'t>> {
        vec![Slot::Missing; self.pointers.slots()]
    }

    /// The parts of it that are used at the same time.
    pub(crate) fn parts(&mut self) -> (Quick<'_>, &mut Marks) {
        (Quick { pointers: &self.pointers, orders: &mut self.in_lines }, &mut self.marks)
    }

    /// For the records of a document.
    pub(crate) fn document(&mut self) -> Quick<'_> {
        Quick { pointers: &self.pointers, orders: &mut self.in_documents }
    }

    #[cfg(test)]
    pub(crate) fn remembered(&self, node: usize) -> Vec<bool> {
        self.in_lines.remembered(node)
    }
}

/// What the quick way needs.
pub(crate) struct Quick<'p> {
    pub(crate) pointers: &'p Pointers,
    orders: &'p mut Orders,
}

impl Quick<'_> {
    /// The fields of the record at `at`, and where it ends; nothing if the sure way has to look.
    #[inline(always)]
    pub(crate) fn record<'t, const LINE: bool>(
        &mut self,
        scan: &mut Scan<'_, 't>,
        at: usize,
        slots: &mut [Slot<'t>],
    ) -> Option<usize> {
        scan.record::<LINE>(self.pointers, self.orders, at, slots)
    }

    /// The fields of the record at `at` the sure way, and where it ends; nothing if no JSON value stands there whole.
    #[cold]
    pub(crate) fn sure<'t>(
        &self,
        text: &'t str,
        at: usize,
        slots: &mut [Slot<'t>],
    ) -> Option<(usize, Result<(), NoRecord>)> {
        let raw = exact::first(text.get(at..)?)?;
        Some((at + raw.len(), exact::record(self.pointers, raw, slots)))
    }
}
