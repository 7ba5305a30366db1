//! Whether a segment is what was written.

use super::Segment;
use super::find::Finder;
use super::shelf::Shelf;
use crate::ledger::error::LedgerError;

impl Shelf {
    /// What is wrong with a segment, in words for a person; nothing where it is whole.
    ///
    /// # Errors
    /// It cannot be reached, so that nothing can be said of it.
    pub(in crate::ledger) fn fault(&self, segment: &Segment) -> Result<Option<String>, LedgerError> {
        match Finder::open(self, segment).and_then(|finder| finder.check_all()) {
            Ok(()) => Ok(None),
            Err(LedgerError::Torn { cause, .. }) => Ok(Some(cause)),
            Err(error) => Err(error),
        }
    }

    /// As findings name a segment.
    pub(in crate::ledger) fn object(&self, segment: &Segment) -> String {
        self.name(&segment.name)
    }
}
