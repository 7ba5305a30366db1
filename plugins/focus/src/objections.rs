//! What is wrong with charges, in words that name the charge and the column.

use std::collections::BTreeMap;

use drops::time;
use meterhost_sdk::{ChargeBatch, Error, Objection};

/// What is wrong with charges of a batch, by row. Of a charge the first thing is told.
#[derive(Debug, Default)]
pub(crate) struct Objections(BTreeMap<usize, String>);

impl Objections {
    /// Something is wrong with a charge: with a column, a tag or a setting of this name.
    pub(crate) fn add(&mut self, row: usize, column: &str, why: impl Into<String>) {
        self.0.entry(row).or_insert_with(|| format!("{column}: {}", why.into()));
    }

    /// The same of each of these.
    pub(crate) fn extend(&mut self, column: &str, rows: impl IntoIterator<Item = (usize, String)>) {
        rows.into_iter().for_each(|(row, why)| self.add(row, column, why));
    }

    /// Whether something is wrong with this charge.
    pub(crate) fn has(&self, row: usize) -> bool {
        self.0.contains_key(&row)
    }

    /// All of them.
    pub(crate) fn told(self, batch: &ChargeBatch) -> Vec<Objection> {
        let told = self.0.into_iter().map(|(row, why)| Objection {
            row: u32::try_from(row).unwrap_or(u32::MAX),
            reason: format!("{}: {why}", place(batch, row)),
        });
        told.collect()
    }

    /// An error if there is one.
    pub(crate) fn none(self, batch: &ChargeBatch) -> Result<(), Error> {
        match self.0.into_iter().next() {
            Some((row, why)) => Err(Error::Other(format!("{}: {why}", place(batch, row)))),
            None => Ok(()),
        }
    }
}

/// Which charge it is.
fn place(batch: &ChargeBatch, row: usize) -> String {
    let Some(charge) = batch.row(row) else { return format!("charge {row}") };
    let product = if charge.product.is_empty() { String::new() } else { format!("product {}, ", charge.product) };
    let (customer, dimension) = (charge.customer, charge.dimension);
    format!("{product}customer {customer}, dimension {dimension}, window from {}", time::iso(charge.window.start))
}
