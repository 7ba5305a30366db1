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

    /// The totals by column.
    pub(crate) fn finish(&self) -> Vec<(String, Decimal)> {
        let (totals, long) = sheets::totals(COSTS.into_iter().zip(self.0.clone()));
        long.iter().for_each(|long| warn(&sheets::untold(long)));
        totals
    }
}
