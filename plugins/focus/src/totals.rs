//! What the costs of a set add up to.

use meterhost_sdk::{Decimal, DecimalSum, warn};

use crate::plan::COSTS;
use crate::sheet::Sheet;

/// Running totals of the four costs.
#[derive(Debug, Default)]
pub(crate) struct Totals([DecimalSum; 4]);

impl Totals {
    /// Adds so many rows.
    pub(crate) fn add(&mut self, sheet: &Sheet<'_>, rows: usize) {
        for (sum, name) in self.0.iter_mut().zip(COSTS) {
            let Some(costs) = sheet.numbers(name) else { continue };
            (0..rows).filter_map(|row| costs.get(row)).for_each(|cost| sum.add(cost));
        }
    }

    /// The totals by column. One that 38 digits do not hold is left out, as nobody can be told it: no row is wrong because of that.
    pub(crate) fn finish(&self) -> Vec<(String, Decimal)> {
        let (mut totals, mut long) = (Vec::new(), Vec::new());
        for (name, sum) in COSTS.into_iter().zip(&self.0) {
            match sum.finish() {
                Some(total) => totals.push((name.to_owned(), total)),
                None => long.push(name),
            }
        }
        if !long.is_empty() {
            let told = format!("more than 38 digits has the total of {}", long.join(", "));
            warn(&format!("{told}: the month is published, and that is not told of it"));
        }
        totals
    }
}
