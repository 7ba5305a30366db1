//! What is wrong with charges, in words that name the charge and the column.

use std::collections::BTreeMap;

use drops::{Cells, time};
use meterhost_sdk::{ChargeBatch, Error, Objection, Window};

/// What is wrong with charges of a batch, by row. Of a charge the first thing is told.
#[derive(Debug, Default)]
pub struct Objections(BTreeMap<usize, String>);

impl Objections {
    /// Something is wrong with a charge: with a column, a tag or a setting of this name.
    pub fn add(&mut self, row: usize, column: &str, why: impl Into<String>) {
        self.0.entry(row).or_insert_with(|| format!("{column}: {}", why.into()));
    }

    /// The same of each of these.
    pub fn extend(&mut self, column: &str, rows: impl IntoIterator<Item = (usize, String)>) {
        rows.into_iter().for_each(|(row, why)| self.add(row, column, why));
    }

    /// Objects to NUL, which no reader of CSV can be trusted with.
    pub fn nul(&mut self, column: &str, cells: &Cells<'_>, rows: usize) {
        if cells.texts().all().contains('\0') {
            let nul = "it has a NUL character, which no reader of CSV can be trusted with";
            self.extend(column, cells.judged(rows, |text| text.contains('\0').then(|| nul.to_owned())));
        }
    }

    /// Whether something is wrong with this charge.
    pub fn has(&self, row: usize) -> bool {
        self.0.contains_key(&row)
    }

    /// All of them.
    pub fn told(self, batch: &ChargeBatch) -> Vec<Objection> {
        let told = self.0.into_iter().map(|(row, why)| Objection {
            row: u32::try_from(row).unwrap_or(u32::MAX),
            reason: format!("{}: {why}", place(batch, row)),
        });
        told.collect()
    }

    /// That there are none.
    ///
    /// # Errors
    /// There is one: the first is told.
    pub fn none(self, batch: &ChargeBatch) -> Result<(), Error> {
        match self.0.into_iter().next() {
            Some((row, why)) => Err(Error::Other(format!("{}: {why}", place(batch, row)))),
            None => Ok(()),
        }
    }
}

/// That the charges' windows begin in the month of their set.
///
/// # Errors
/// One does not.
pub fn of_month(batch: &ChargeBatch, month: Window) -> Result<(), Error> {
    let is_stray = |time: &&i64| !(month.start..month.end).contains(*time);
    match batch.starts().iter().find(is_stray) {
        Some(stray) => {
            let stray = time::iso(*stray);
            Err(Error::Other(format!("a charge's window begins at {stray}, outside of the month of the set")))
        }
        None => Ok(()),
    }
}

/// Which charge of a batch it is.
pub fn place(batch: &ChargeBatch, row: usize) -> String {
    let Some(charge) = batch.row(row) else { return format!("charge {row}") };
    let product = if charge.product.is_empty() { String::new() } else { format!("product {}, ", charge.product) };
    let (customer, dimension) = (charge.customer, charge.dimension);
    format!("{product}customer {customer}, dimension {dimension}, window from {}", time::iso(charge.window.start))
}
