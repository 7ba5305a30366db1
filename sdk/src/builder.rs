//! From records to columns.

use crate::bindings::imports::types;
use crate::intern::TextBuilder;
use crate::{Batch, Decimal};

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

/// The record does not fit: the batch has as many rows as it may have, or its quantities and this one have no common scale within 38
/// digits. [`BatchBuilder::finish`] it; an empty builder takes every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

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
    /// How many rows a batch is given by default: large enough that a call costs little, small enough that columns stay in the
    /// processor's cache.
    pub const ROWS: usize = 8192;

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
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), Full> {
        if self.time.len() >= self.most {
            return Err(Full);
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
        let time = std::mem::take(&mut self.time);
        let batch = types::Batch {
            rows: time.len() as u32,
            time,
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
        };
        Batch::try_from(batch).unwrap_or_default()
    }
}

/// A column of decimals that is being written. Its scale is the largest that came so far.
#[derive(Debug, Default)]
struct QuantityBuilder {
    lo: Vec<u64>,
    /// As long as `lo`, or empty while all are zero.
    hi: Vec<i64>,
    scale: u8,
}

impl QuantityBuilder {
    fn push(&mut self, quantity: Decimal) -> Result<(), Full> {
        let (mut lo, mut hi, scale) = quantity.to_parts();
        if scale != self.scale {
            if self.lo.is_empty() {
                self.scale = scale;
            } else if let Some(same) = quantity.rescale(self.scale) {
                (lo, hi, _) = same.to_parts();
            } else {
                // Only a quantity with more significant digits behind the point than all before comes here.
                self.rescale(scale)?;
            }
        }
        if hi != 0 && self.hi.is_empty() {
            self.hi = vec![0; self.lo.len()];
        }
        if hi != 0 || !self.hi.is_empty() {
            self.hi.push(hi);
        }
        self.lo.push(lo);
        Ok(())
    }

    fn rescale(&mut self, scale: u8) -> Result<(), Full> {
        let rescaled = self.lo.iter().enumerate().map(|(row, &lo)| {
            let hi = self.hi.get(row).copied().unwrap_or_default();
            Some(Decimal::from_parts(lo, hi, self.scale)?.rescale(scale)?.to_parts())
        });
        let rescaled: Vec<(u64, i64, u8)> = rescaled.collect::<Option<_>>().ok_or(Full)?;
        self.lo = rescaled.iter().map(|&(lo, ..)| lo).collect();
        let narrow = rescaled.iter().all(|&(_, hi, _)| hi == 0);
        self.hi = if narrow { Vec::new() } else { rescaled.iter().map(|&(_, hi, _)| hi).collect() };
        self.scale = scale;
        Ok(())
    }

    fn take(&mut self) -> types::DecimalColumn {
        let QuantityBuilder { lo, hi, scale } = std::mem::take(self);
        types::DecimalColumn { lo, hi, scale }
    }
}
