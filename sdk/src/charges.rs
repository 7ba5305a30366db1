//! Charges as columns, and as rows over them with borrowed text.

use crate::batch::{checked_decimals, checked_text};
use crate::bindings::snapshot::snapshot_sink as wit;
use crate::{Decimal, DecimalColumn, Error, TextColumn, Window};

/// Charges as columns of equal length, checked: every index leads to a value.
///
/// [`rows`](ChargeBatch::rows) is the easy way to read them; the columns are the fast one, because a text that repeats is looked up once a
/// batch instead of once a row.
#[derive(Debug, Clone)]
pub struct ChargeBatch(wit::Charges);

/// One charge, borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct ChargeRow<'a> {
    batch: &'a ChargeBatch,
    index: usize,
    /// What it is owed for.
    pub window: Window,
    /// What was used; empty where the pipeline meters one product.
    pub product: &'a str,
    /// Who used it; never empty.
    pub customer: &'a str,
    /// What is charged for; never empty.
    pub dimension: &'a str,
    /// How much, exactly.
    pub quantity: Decimal,
}

impl ChargeBatch {
    /// How many charges it holds.
    pub fn len(&self) -> usize {
        self.0.start.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.start.is_empty()
    }

    /// The first instant of each charge's window, in milliseconds, UTC.
    pub fn starts(&self) -> &[i64] {
        &self.0.start
    }

    /// The first instant behind each charge's window.
    pub fn ends(&self) -> &[i64] {
        &self.0.end
    }

    /// What was used.
    pub fn products(&self) -> TextColumn<'_> {
        TextColumn::of(&self.0.product, self.len())
    }

    /// Who used it.
    pub fn customers(&self) -> TextColumn<'_> {
        TextColumn::of(&self.0.customer, self.len())
    }

    /// What is charged for.
    pub fn dimensions(&self) -> TextColumn<'_> {
        TextColumn::of(&self.0.dimension, self.len())
    }

    /// How much.
    pub fn quantities(&self) -> DecimalColumn<'_> {
        DecimalColumn::of(&self.0.quantity)
    }

    /// The tags and their names, ascending by name.
    pub fn tags(&self) -> impl Iterator<Item = (&str, TextColumn<'_>)> {
        let rows = self.len();
        self.0.tags.iter().map(move |tag| (tag.name.as_str(), TextColumn::of(&tag.column, rows)))
    }

    /// A tag of the charges, if any of them has it.
    pub fn tag(&self, name: &str) -> Option<TextColumn<'_>> {
        self.tags().find(|(found, _)| *found == name).map(|(_, column)| column)
    }

    /// The attributes and their names, ascending by name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, TextColumn<'_>)> {
        let rows = self.len();
        let attributes = self.0.attributes.iter();
        attributes.map(move |attribute| (attribute.name.as_str(), TextColumn::of(&attribute.column, rows)))
    }

    /// An attribute of the charges, if any of them has it.
    pub fn attribute(&self, name: &str) -> Option<TextColumn<'_>> {
        self.attributes().find(|(found, _)| *found == name).map(|(_, column)| column)
    }

    /// A charge's id: 128 bits, which are written as 32 lower-case hexadecimal digits. 0 beyond the last.
    pub fn id(&self, row: usize) -> u128 {
        let half = |column: &[u64]| u128::from(column.get(row).copied().unwrap_or_default());
        half(&self.0.id_high) << 64 | half(&self.0.id_low)
    }

    /// A charge; nothing beyond the last.
    pub fn row(&self, index: usize) -> Option<ChargeRow<'_>> {
        Some(ChargeRow {
            batch: self,
            index,
            window: Window { start: *self.0.start.get(index)?, end: *self.0.end.get(index)? },
            product: self.products().get(index).unwrap_or_default(),
            customer: self.customers().get(index).unwrap_or_default(),
            dimension: self.dimensions().get(index).unwrap_or_default(),
            quantity: self.quantities().get(index),
        })
    }

    /// The charges one by one.
    pub fn rows(&self) -> impl Iterator<Item = ChargeRow<'_>> {
        (0..self.len()).filter_map(|index| self.row(index))
    }
}

impl<'a> ChargeRow<'a> {
    /// Its position in the batch.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its id: 32 lower-case hexadecimal digits.
    pub fn id(&self) -> String {
        format!("{:032x}", self.batch.id(self.index))
    }

    /// A tag that it has.
    pub fn tag(&self, name: &str) -> Option<&'a str> {
        self.batch.tag(name)?.get(self.index)
    }

    /// What else is known of it under this name.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.batch.attribute(name)?.get(self.index)
    }
}

impl From<ChargeBatch> for wit::Charges {
    fn from(batch: ChargeBatch) -> Self {
        batch.0
    }
}

impl TryFrom<wit::Charges> for ChargeBatch {
    type Error = Error;

    fn try_from(charges: wit::Charges) -> Result<Self, Error> {
        let rows = charges.start.len();
        let lengths = [
            ("rows", charges.rows as usize),
            ("ends", charges.end.len()),
            ("ids", charges.id_high.len()),
            ("ids", charges.id_low.len()),
        ];
        if let Some((what, found)) = lengths.into_iter().find(|(_, found)| *found != rows) {
            return Err(Error::Other(format!("the batch has {rows} charges and {found} {what}")));
        }
        checked_decimals(&charges.quantity, rows)?;
        let own = [("product", &charges.product), ("customer", &charges.customer), ("dimension", &charges.dimension)];
        let named = charges.tags.iter().chain(&charges.attributes);
        let named = named.map(|column| (column.name.as_str(), &column.column));
        own.into_iter().chain(named).try_for_each(|(name, column)| checked_text(name, column, rows))?;
        Ok(ChargeBatch(charges))
    }
}
