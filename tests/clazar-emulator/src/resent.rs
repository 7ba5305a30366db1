//! What a client offered although it was billed already: the mistake that books which bill a slot once would hide.

use std::collections::HashSet;

use crate::record::Record;
use crate::service::Service;
use crate::submission::Submission;

/// A record that was offered for a slot (contract, dimension and hour of the start) which a submission had filled before.
///
/// It is noted whatever the answer was, an error or none included. A slot that someone else filled, by
/// [`Emulator::seed`](crate::Emulator::seed) or by a script's "already exists", is not meant: its client could not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resent {
    /// The buyer's contract.
    pub contract_id: String,
    /// The dimension's name.
    pub dimension: String,
    /// As it was offered.
    pub start_time: String,
    /// As it was offered.
    pub quantity: String,
    /// The record that bills the slot.
    pub billed: Record,
}

impl Service {
    /// For each record of a call the one that bills its slot.
    pub(crate) fn billed(&self, records: &[Submission]) -> Vec<Option<Record>> {
        records.iter().map(|record| self.books.billed(&record.slot()).cloned()).collect()
    }

    /// Notes the records of a call that had been `billed` before it, and those that the same call holds twice and billed
    /// once. Says how many there are.
    pub(crate) fn note_resent(&mut self, records: &[Submission], billed: Vec<Option<Record>>) -> usize {
        let mark = self.resent.len();
        let mut slots = HashSet::new();
        for (record, before) in records.iter().zip(billed) {
            let slot = record.slot();
            let now = || self.books.billed(&slot).filter(|_| slots.contains(&slot)).cloned();
            if let Some(billed) = before.or_else(now) {
                self.resent.push(Resent {
                    contract_id: record.contract_id.clone(),
                    dimension: record.dimension.clone(),
                    start_time: record.start_time.clone(),
                    quantity: record.quantity.clone(),
                    billed,
                });
            }
            slots.insert(slot);
        }
        self.resent.len() - mark
    }
}
