//! Marking records with what became of their charges.
//!
//! A record is marked, and the charges of which it is the first are added to the totals, in one step, under the condition that it does not
//! name them as counted yet. So a total goes up once for each charge, whatever is repeated: a call that brought no answer, or all of them.

use meterhost_sdk::{Error, Receipt, Settlement, Unmarked};

use crate::expression::Update;
use crate::marking::{Marking, State};
use crate::names::Names;
use crate::write;

/// So many records are offered together. A transaction has fewer actions, and is filled from more of them: no two that add to the total of
/// one customer go into the same.
const TOGETHER: usize = 500;

/// Marks records; answers those that were not marked.
pub(crate) fn acknowledge(
    names: &Names,
    claim: &str,
    settlements: &[Settlement],
    receipts: &[Receipt],
) -> Result<Vec<Unmarked>, Error> {
    let on = match &names.totals {
        Some(totals) => format!("tables {} and {}", names.table, totals.table),
        None => format!("table {}", names.table),
    };
    let mut unmarked = Vec::new();
    for receipts in receipts.chunks(TOGETHER) {
        let mut open = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            match Marking::new(names, claim, settlements, receipt)? {
                Ok(marking) => open.push(marking),
                Err(record) => unmarked.push(record),
            }
        }
        while !open.is_empty() {
            open = round(open, &on, &mut unmarked)?;
        }
    }
    Ok(unmarked)
}

/// Offers each record's next step; answers the records that need another.
fn round<'a>(records: Vec<Marking<'a>>, on: &str, unmarked: &mut Vec<Unmarked>) -> Result<Vec<Marking<'a>>, Error> {
    let (mut offered, mut steps): (Vec<Marking<'a>>, Vec<Vec<Update>>) = (Vec::new(), Vec::new());
    for mut record in records {
        match record.step()? {
            Ok(step) => {
                offered.push(record);
                steps.push(step);
            }
            Err(record) => unmarked.push(record),
        }
    }
    let mut again = Vec::new();
    for (mut record, verdict) in offered.into_iter().zip(write::write(&steps, on)?) {
        match record.judged(verdict)? {
            State::Marked => {}
            State::Again => again.push(record),
            State::Unmarked(record) => unmarked.push(record),
        }
    }
    Ok(again)
}
