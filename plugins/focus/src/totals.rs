//! What the costs of a set add up to.

use meterhost_sdk::{Decimal, DecimalSum, Error};

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
    ///
    /// # Errors
    /// They have too many digits.
    pub(crate) fn finish(&self) -> Result<Vec<(String, Decimal)>, Error> {
        let totals = COSTS.into_iter().zip(&self.0).map(|(name, sum)| {
            let too_long = || Error::Other(format!("the total of {name} has more than 38 digits"));
            Ok((name.to_owned(), sum.finish().ok_or_else(too_long)?))
        });
        totals.collect()
    }
}
