//! Usage records as columns, and as rows over them with borrowed text.

use crate::bindings::imports::types;
use crate::{Decimal, Error};

/// The index of a row that holds nothing.
const ABSENT: u32 = u32::MAX;

/// Usage records as columns of equal length, checked: every index leads to a value.
///
/// [`rows`](Batch::rows) is the easy way to read them; the columns are the fast one, because a text that repeats is
/// looked up once a batch instead of once a row.
#[derive(Debug, Clone)]
pub struct Batch(types::Batch);

/// One usage record, borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    batch: &'a Batch,
    index: usize,
    /// When the usage happened, in milliseconds, UTC.
    pub time: i64,
    /// Who used it; never empty.
    pub customer: &'a str,
    /// What was used; empty where the pipeline meters one product.
    pub product: &'a str,
    /// What was measured; never empty.
    pub dimension: &'a str,
    /// How much.
    pub quantity: Decimal,
}

impl Batch {
    /// From a builder, which keeps all that is checked of a batch that comes from elsewhere.
    pub(crate) fn built(batch: types::Batch) -> Self {
        Batch(batch)
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.0.time.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.time.is_empty()
    }

    /// When the usage happened, in milliseconds, UTC.
    pub fn times(&self) -> &[i64] {
        &self.0.time
    }

    /// Who used it.
    pub fn customers(&self) -> TextColumn<'_> {
        TextColumn { column: &self.0.customer, rows: self.len() }
    }

    /// What was used.
    pub fn products(&self) -> TextColumn<'_> {
        TextColumn { column: &self.0.product, rows: self.len() }
    }

    /// What was measured.
    pub fn dimensions(&self) -> TextColumn<'_> {
        TextColumn { column: &self.0.dimension, rows: self.len() }
    }

    /// The records' own ids.
    pub fn ids(&self) -> TextColumn<'_> {
        TextColumn { column: &self.0.id, rows: self.len() }
    }

    /// How much.
    pub fn quantities(&self) -> DecimalColumn<'_> {
        DecimalColumn { column: &self.0.quantity }
    }

    /// What the records say under this name, if any of them says something.
    pub fn attribute(&self, name: &str) -> Option<TextColumn<'_>> {
        let found = self.0.attributes.iter().find(|attribute| attribute.name == name)?;
        Some(TextColumn { column: &found.column, rows: self.len() })
    }

    /// The attributes and their names.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, TextColumn<'_>)> {
        let rows = self.len();
        self.0.attributes.iter().map(move |found| (found.name.as_str(), TextColumn { column: &found.column, rows }))
    }

    /// The records one by one.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let quantities = self.quantities();
        self.0.time.iter().enumerate().map(move |(index, &time)| Row {
            batch: self,
            index,
            time,
            customer: self.customers().get(index).unwrap_or_default(),
            product: self.products().get(index).unwrap_or_default(),
            dimension: self.dimensions().get(index).unwrap_or_default(),
            quantity: quantities.get(index),
        })
    }
}

impl<'a> Row<'a> {
    /// The record's own id.
    pub fn id(&self) -> Option<&'a str> {
        self.batch.ids().get(self.index)
    }

    /// What the record says under this name.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.batch.attribute(name)?.get(self.index)
    }
}

/// One column of text.
#[derive(Debug, Clone, Copy)]
pub struct TextColumn<'a> {
    column: &'a types::TextColumn,
    rows: usize,
}

impl<'a> TextColumn<'a> {
    pub(crate) fn of(column: &'a types::TextColumn, rows: usize) -> Self {
        TextColumn { column, rows }
    }

    /// The distinct values that the rows point to.
    pub fn values(&self) -> &'a [String] {
        &self.column.values
    }

    /// What row `row` holds.
    pub fn get(&self, row: usize) -> Option<&'a str> {
        self.column.values.get(self.index(row)?).map(String::as_str)
    }

    /// Which of the values row `row` holds.
    pub fn index(&self, row: usize) -> Option<usize> {
        if row >= self.rows {
            return None;
        }
        match self.column.indices.get(row) {
            Some(&ABSENT) => None,
            Some(&index) => Some(index as usize),
            None if self.column.values.is_empty() => None,
            None => Some(0),
        }
    }

    /// The index of each row's value in [`values`](Self::values); the largest number where a row holds nothing. Empty
    /// when all rows hold the same: the first value, or nothing if there is none.
    pub fn indices(&self) -> &'a [u32] {
        &self.column.indices
    }
}

/// One column of exact decimals that share a scale.
#[derive(Debug, Clone, Copy)]
pub struct DecimalColumn<'a> {
    column: &'a types::DecimalColumn,
}

impl<'a> DecimalColumn<'a> {
    pub(crate) fn of(column: &'a types::DecimalColumn) -> Self {
        DecimalColumn { column }
    }

    /// What row `row` holds; zero beyond the last.
    pub fn get(&self, row: usize) -> Decimal {
        let lo = self.column.lo.get(row).copied().unwrap_or_default();
        let hi = self.column.hi.get(row).copied().unwrap_or_default();
        Decimal::from_parts(lo, hi, self.column.scale).unwrap_or_default()
    }

    /// How many digits of the coefficients stand behind the decimal point.
    pub fn scale(&self) -> u8 {
        self.column.scale
    }

    /// The coefficients' low halves.
    pub fn lo(&self) -> &'a [u64] {
        &self.column.lo
    }

    /// The coefficients' high halves; empty when all are zero.
    pub fn hi(&self) -> &'a [i64] {
        &self.column.hi
    }
}

impl Default for Batch {
    fn default() -> Self {
        let text = || types::TextColumn { values: vec![], indices: vec![] };
        Batch(types::Batch {
            rows: 0,
            time: vec![],
            customer: text(),
            product: text(),
            dimension: text(),
            quantity: types::DecimalColumn { lo: vec![], hi: vec![], scale: 0 },
            id: text(),
            attributes: vec![],
        })
    }
}

impl From<Batch> for types::Batch {
    fn from(batch: Batch) -> Self {
        batch.0
    }
}

impl TryFrom<types::Batch> for Batch {
    type Error = Error;

    fn try_from(batch: types::Batch) -> Result<Self, Error> {
        let rows = batch.time.len();
        length("rows", batch.rows as usize, rows)?;
        checked_decimals(&batch.quantity, rows)?;
        let named = [
            ("customer", &batch.customer),
            ("product", &batch.product),
            ("dimension", &batch.dimension),
            ("id", &batch.id),
        ];
        let attributes = batch.attributes.iter().map(|attribute| (attribute.name.as_str(), &attribute.column));
        named.into_iter().chain(attributes).try_for_each(|(name, column)| checked_text(name, column, rows))?;
        for (name, column) in [("customer", &batch.customer), ("dimension", &batch.dimension)] {
            let missing = match column.indices.as_slice() {
                [] => rows > 0 && column.values.is_empty(),
                indices => indices.contains(&ABSENT),
            };
            if missing || column.values.iter().any(String::is_empty) {
                return Err(Error::Other(format!("a record has no {name}; it belongs into the quarantine")));
            }
        }
        Ok(Batch(batch))
    }
}

fn length(what: &str, found: usize, rows: usize) -> Result<(), Error> {
    match found == rows {
        true => Ok(()),
        false => Err(Error::Other(format!("the batch has {rows} rows and {found} of {what}"))),
    }
}

/// That each row of a column of decimals is one of at most 38 digits.
pub(crate) fn checked_decimals(column: &types::DecimalColumn, rows: usize) -> Result<(), Error> {
    let types::DecimalColumn { lo, hi, scale } = column;
    length("quantity", lo.len(), rows)?;
    if !hi.is_empty() {
        length("quantity.hi", hi.len(), rows)?;
        if lo.iter().zip(hi).any(|(&lo, &hi)| Decimal::from_parts(lo, hi, *scale).is_none()) {
            return Err(Error::Other("a quantity has more than 38 digits".into()));
        }
    }
    match *scale > 38 {
        true => Err(Error::Other(format!("the quantities have a scale of {scale}; 38 is the most"))),
        false => Ok(()),
    }
}

/// That each row of a column of text points to a value or to nothing.
pub(crate) fn checked_text(name: &str, column: &types::TextColumn, rows: usize) -> Result<(), Error> {
    if column.indices.is_empty() {
        return Ok(());
    }
    length(name, column.indices.len(), rows)?;
    // The largest index stands for nothing; one more than it wraps to zero, below every bound.
    let past = column.indices.iter().map(|index| index.wrapping_add(1)).max().unwrap_or(0) as usize;
    match past > column.values.len() {
        true => Err(Error::Other(format!("column {name} points beyond its {} values", column.values.len()))),
        false => Ok(()),
    }
}

impl From<Decimal> for types::Decimal {
    fn from(decimal: Decimal) -> Self {
        let (lo, hi, scale) = decimal.to_parts();
        types::Decimal { lo, hi, scale }
    }
}

impl TryFrom<types::Decimal> for Decimal {
    type Error = ();

    fn try_from(decimal: types::Decimal) -> Result<Self, ()> {
        Decimal::from_parts(decimal.lo, decimal.hi, decimal.scale).ok_or(())
    }
}
