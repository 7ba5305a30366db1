//! A column of decimals: as text, plain and exact, and as numbers.
//!
//! Each text has a point: who reads CSV guesses types from what stands in it, and a column of `12` alone would be one of integers, where
//! FOCUS asks for decimals (FOCUS 1.2, "Numeric Format").

use drops::{Cells, Spelling, Template, Texts, number};
use meterhost_sdk::{ChargeBatch, Decimal};

use crate::objections::Objections;

/// A column of decimals. A cell may be blank.
#[derive(Debug, Clone)]
pub(crate) struct Numbers<'a> {
    pub(crate) cells: Cells<'a>,
    /// The number of each of the cells' texts.
    values: Vec<Option<Decimal>>,
}

impl<'a> Numbers<'a> {
    /// What a template says of each charge. What is no decimal is objected to, and blank.
    pub(crate) fn of(template: &'a Template, batch: &'a ChargeBatch, column: &str, wrong: &mut Objections) -> Self {
        if template.is_quantity() {
            let quantities = batch.quantities();
            return Numbers::each((0..batch.len()).map(|row| Some(quantities.get(row))));
        }
        let cells = template.cells(batch, Spelling::AsTheyAre);
        wrong.extend(
            column,
            cells.judged(batch.len(), |text| {
                let why = Decimal::parse(text).err().filter(|_| !text.is_empty())?;
                Some(format!("\"{}\": {why}", text.escape_debug()))
            }),
        );
        let values: Vec<Option<Decimal>> = cells.texts().iter().map(|text| Decimal::parse(text).ok()).collect();
        let mut numbers = values.iter();
        let cells = cells.respelled(|_| numbers.next().copied().flatten().map(text).unwrap_or_default());
        Numbers { cells, values }
    }

    /// One number a charge.
    pub(crate) fn each(values: impl ExactSizeIterator<Item = Option<Decimal>>) -> Self {
        let values: Vec<Option<Decimal>> = values.collect();
        let mut texts = Texts::with_capacity(values.len(), values.len() * 14);
        for value in &values {
            texts.push_with(|all| value.iter().for_each(|value| push(all, *value)));
        }
        Numbers { cells: Cells::each(texts), values }
    }

    /// The number of a row; nothing where the cell is blank.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<Decimal> {
        self.values.get(self.cells.place(row)).copied().flatten()
    }
}

/// Appends a decimal with a point: `12.0`.
fn push(out: &mut String, value: Decimal) {
    let start = out.len();
    number::push(out, value);
    if out.get(start..).is_some_and(|text| !text.contains('.')) {
        out.push_str(".0");
    }
}

fn text(value: Decimal) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_point() {
        for (read, written) in
            [("12", "12.0"), ("-12.50", "-12.5"), ("0", "0.0"), ("-0", "0.0"), ("1e-7", "0.0000001"), ("1E3", "1000.0")]
        {
            assert_eq!(text(Decimal::parse(read).unwrap()), written, "{read}");
        }
    }
}
