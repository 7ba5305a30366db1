//! What stands for a record of a queue, and for what it says: keyed hashes, as the ledger keeps them.

use crate::ledger::IdKey;
use crate::model::usage::Batch;
use crate::pipeline::dedupe::{Hashes, Texts};

/// Hashes under a ledger's key.
pub(super) struct Marks {
    pub(super) key: IdKey,
    hashes: Hashes,
}

/// What stands for the records of a page, one a row.
pub(super) struct Contents(Vec<u64>);

impl Marks {
    /// Under the key of a ledger, or a new one.
    pub(super) fn of(key: Option<IdKey>) -> Self {
        let key = key.unwrap_or_else(IdKey::by_chance);
        Marks { key, hashes: Hashes::of(key) }
    }

    /// Stands for a record.
    pub(super) fn mark(&self, reference: &str) -> u128 {
        self.hashes.dimension(0).mark(reference)
    }

    /// What stands for what each row says, its dimension included. Attributes are left out: which are read may be changed while records
    /// that were taken wait to be marked.
    pub(super) fn contents(&self, batch: &Batch) -> Contents {
        let texts = Texts::of(batch, &self.hashes).without_attributes();
        let of = |row| {
            let dimension = texts.dimension.of(&batch.dimension, row);
            texts.contents(batch, row, &self.hashes) ^ dimension.rotate_left(17)
        };
        Contents((0..batch.rows()).map(of).collect())
    }
}

impl Contents {
    /// Stands for what several rows say together, in whatever order.
    pub(super) fn of(&self, rows: &[usize]) -> u64 {
        rows.iter().filter_map(|row| self.0.get(*row)).fold(0, |sum: u64, row| {
            // Of two rows that say the same, one is not the same as both.
            sum.wrapping_add(row.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
        })
    }
}
