//! A column of decimals: as text, plain and exact, and as numbers.

use drops::{Cells, Spelling, Template, Texts, number};
use meterhost_sdk::{ChargeBatch, Decimal};

use crate::objections::Objections;

/// How decimals are written: never with an exponent or a `+`, nor with zeros at the end of a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `12` and `12.5`.
    Short,
    /// `12.0` and `12.5`: who guesses types from what stands in a column takes one of `12` alone for integers.
    Point,
}

impl Form {
    /// Appends a decimal.
    #[inline]
    pub fn push(self, out: &mut String, value: Decimal) {
        let start = out.len();
        number::push(out, value);
        if self == Form::Point && out.get(start..).is_some_and(|text| !text.contains('.')) {
            out.push_str(".0");
        }
    }

    fn text(self, value: Decimal) -> String {
        let mut text = String::new();
        self.push(&mut text, value);
        text
    }
}

/// A column of decimals. A cell may be blank.
#[derive(Debug, Clone)]
pub struct Numbers<'a> {
    /// As text.
    pub cells: Cells<'a>,
    /// The number of each of the cells' texts.
    values: Vec<Option<Decimal>>,
}

impl<'a> Numbers<'a> {
    /// What a template says of each charge. What is no decimal is objected to, and blank.
    pub fn of(
        template: &'a Template,
        batch: &'a ChargeBatch,
        column: &str,
        form: Form,
        wrong: &mut Objections,
    ) -> Self {
        if template.is_quantity() {
            let quantities = batch.quantities();
            return Numbers::each((0..batch.len()).map(|row| Some(quantities.get(row))), form);
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
        let cells =
            cells.respelled(|_| numbers.next().copied().flatten().map(|value| form.text(value)).unwrap_or_default());
        Numbers { cells, values }
    }

    /// One number a charge.
    pub fn each(values: impl ExactSizeIterator<Item = Option<Decimal>>, form: Form) -> Self {
        let values: Vec<Option<Decimal>> = values.collect();
        let mut texts = Texts::with_capacity(values.len(), values.len() * 14);
        for value in &values {
            texts.push_with(|all| value.iter().for_each(|value| form.push(all, *value)));
        }
        Numbers { cells: Cells::each(texts), values }
    }

    /// Whether there is a number like this among them.
    pub fn any(&self, is: impl Fn(Decimal) -> bool) -> bool {
        self.values.iter().any(|value| value.is_some_and(&is))
    }

    /// The number of a row; nothing where the cell is blank.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Decimal> {
        self.values.get(self.cells.place(row)).copied().flatten()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_point_where_that_is_asked_for() {
        for (read, short, point) in [
            ("12", "12", "12.0"),
            ("-12.50", "-12.5", "-12.5"),
            ("0", "0", "0.0"),
            ("-0", "0", "0.0"),
            ("1e-7", "0.0000001", "0.0000001"),
            ("1E3", "1000", "1000.0"),
        ] {
            let value = Decimal::parse(read).unwrap();
            assert_eq!((Form::Short.text(value), Form::Point.text(value)), (short.into(), point.into()), "{read}");
        }
    }
}
