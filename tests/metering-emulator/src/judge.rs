//! The verdict on each record of a call that is served.
//!
//! | the record | its result | billed |
//! |---|---|---|
//! | is of a customer who is not subscribed | `CustomerNotSubscribed` | no |
//! | is for a slot that is free | `Success` | yes |
//! | is for a slot that is billed with just this | `Success` with the id of then, or `DuplicateRecord` by setting | no |
//! | is for a slot that is billed with something else | `DuplicateRecord` | no: the first stays |
//!
//! Just this: the same quantity by value, and the same allocations by tags and quantities. That only `Success` comes with
//! a `MeteringRecordId` is a guess: the model lets it be absent, and nobody is known to have printed another answer.

use emulator_http::random;
use serde::{Deserialize, Serialize};

use crate::rules::Usage;
use crate::service::Service;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    /// `Success`: billed now, or before with just this.
    Success,
    /// `DuplicateRecord`
    DuplicateRecord,
    /// `CustomerNotSubscribed`
    CustomerNotSubscribed,
    /// In `UnprocessedRecords`.
    Unprocessed,
}

impl Outcome {
    /// The literal of the service.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::DuplicateRecord => "DuplicateRecord",
            Self::CustomerNotSubscribed => "CustomerNotSubscribed",
            Self::Unprocessed => "Unprocessed",
        }
    }
}

impl Service {
    /// Judges a record, and bills it if it is to be.
    pub(crate) fn judge(&mut self, record: &Usage) -> (Outcome, Option<String>) {
        if !self.settings.is_subscribed(&record.customer) {
            return (Outcome::CustomerNotSubscribed, None);
        }
        let Some(billed) = self.books.billed(&record.slot()) else {
            let id = random::uuid();
            self.books.add(record.booked(id.clone()));
            return (Outcome::Success, Some(id));
        };
        let identical = billed.quantity == record.quantity && billed.allocations == record.allocations;
        if identical && !self.settings.identical_is_duplicate {
            return (Outcome::Success, Some(billed.id.clone()));
        }
        (Outcome::DuplicateRecord, None)
    }
}
