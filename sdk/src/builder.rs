//! From records to columns.

mod quantity;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;

use crate::bindings::imports::types;
use crate::intern::TextBuilder;
use crate::{Batch, Decimal};
pub(crate) use quantity::QuantityBuilder;

/// One usage record on its way into a batch.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// When the usage happened, in milliseconds, UTC.
    pub time: i64,
    /// Who used it; must not be empty.
    pub customer: &'a str,
    /// What was used; empty where the pipeline meters one product.
    pub product: &'a str,
    /// What was measured; must not be empty.
    pub dimension: &'a str,
    /// How much.
    pub quantity: Decimal,
    /// The record's own id.
    pub id: Option<&'a str>,
    /// Its attributes, in the order of the names that the builder was made with; missing ones are absent.
    pub attributes: &'a [Option<&'a str>],
}

/// Why a record was not taken in. The builder is as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// The batch has as many rows or as much text as it may have, or its quantities and this one have no common scale
    /// within 38 digits. [`BatchBuilder::finish`] it, and push the record again: an empty builder is never full.
    Full,
    /// The record names no customer. It belongs into the quarantine: no batch takes it.
    NoCustomer,
    /// The record names no dimension. It belongs into the quarantine: no batch takes it.
    NoDimension,
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotTaken::Full => "the batch is full",
            NotTaken::NoCustomer => "the record names no customer; it belongs into the quarantine",
            NotTaken::NoDimension => "the record names no dimension; it belongs into the quarantine",
        })
    }
}

impl Error for NotTaken {}

/// Collects records into a [`Batch`].
#[derive(Debug)]
pub struct BatchBuilder {
    most: usize,
    time: Vec<i64>,
    customer: TextBuilder,
    product: TextBuilder,
    dimension: TextBuilder,
    quantity: QuantityBuilder,
    id: TextBuilder,
    attributes: Vec<(String, TextBuilder)>,
}

impl BatchBuilder {
    /// How many rows a batch is given by default: large enough that a call costs little, small enough that columns stay
    /// in the processor's cache.
    pub const ROWS: usize = 8192;
    /// A batch whose distinct texts have so many bytes takes no more records: the host caps what a call may carry, and
    /// large attributes would reach that cap long before the rows run out.
    pub const TEXT: usize = 4 << 20;

    /// A builder for records with these attributes.
    pub fn new<S: Into<String>>(attributes: impl IntoIterator<Item = S>) -> Self {
        BatchBuilder {
            most: Self::ROWS,
            time: Vec::new(),
            customer: TextBuilder::default(),
            product: TextBuilder::default(),
            dimension: TextBuilder::default(),
            quantity: QuantityBuilder::default(),
            id: TextBuilder::default(),
            attributes: attributes.into_iter().map(|name| (name.into(), TextBuilder::default())).collect(),
        }
    }

    /// Batches of at most `rows` rows, at least 1 and at most 65,536.
    pub fn with_rows(mut self, rows: usize) -> Self {
        self.most = rows.clamp(1, 65_536);
        self
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// Takes a record in, or leaves everything as it is.
    #[inline]
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), NotTaken> {
        if record.customer.is_empty() {
            return Err(NotTaken::NoCustomer);
        }
        if record.dimension.is_empty() {
            return Err(NotTaken::NoDimension);
        }
        if self.time.len() >= self.most || self.text() >= Self::TEXT {
            return Err(NotTaken::Full);
        }
        self.quantity.push(record.quantity)?;
        self.time.push(record.time);
        self.customer.push(Some(record.customer));
        self.product.push((!record.product.is_empty()).then_some(record.product));
        self.dimension.push(Some(record.dimension));
        self.id.push(record.id);
        for (position, (_, column)) in self.attributes.iter_mut().enumerate() {
            column.push(record.attributes.get(position).copied().flatten());
        }
        Ok(())
    }

    /// The batch so far; the builder begins anew.
    pub fn finish(&mut self) -> Batch {
        let rows = self.time.len();
        Batch::built(types::Batch {
            rows: rows as u32,
            // The next batch will have about as many rows.
            time: std::mem::replace(&mut self.time, Vec::with_capacity(rows)),
            customer: self.customer.take(),
            product: self.product.take(),
            dimension: self.dimension.take(),
            quantity: self.quantity.take(),
            id: self.id.take(),
            attributes: self
                .attributes
                .iter_mut()
                .map(|(name, column)| types::AttributeColumn { name: name.clone(), column: column.take() })
                .filter(|attribute| !attribute.column.values.is_empty())
                .collect(),
        })
    }

    /// The bytes of all distinct texts.
    fn text(&self) -> usize {
        let columns = [&self.customer, &self.product, &self.dimension, &self.id];
        let attributes = self.attributes.iter().map(|(_, column)| column);
        columns.into_iter().chain(attributes).map(TextBuilder::bytes).sum()
    }
}
