//! What stands for a record, and for what it says.
//!
//! Hashes are kept in the ledger, so that they are the same in every version: SipHash-1-3 under the ledger's key.

use std::hash::Hasher as _;

use meterhost_decimal::Decimal;
use siphasher::{sip, sip128};

use crate::ledger::IdKey;
use crate::model::usage::{Batch, TextColumn};

/// Hashes under a key.
pub(in crate::pipeline) struct Hashes {
    records: sip128::SipHasher13,
    texts: sip::SipHasher13,
}

impl Hashes {
    pub(in crate::pipeline) fn of(key: IdKey) -> Self {
        let key = u128::from_be_bytes(key.0);
        let (first, second) = ((key >> 64) as u64, key as u64);
        Hashes {
            records: sip128::SipHasher13::new_with_keys(first, second),
            // Another key, or a text could stand for a record.
            texts: sip::SipHasher13::new_with_keys(!first, !second),
        }
    }

    /// What stands for records of a dimension, given as its hash, as far as it goes without their ids.
    pub(in crate::pipeline) fn dimension(&self, dimension: u64) -> Dimension {
        let mut begun = self.records;
        begun.write_u64(dimension);
        Dimension(begun)
    }

    pub(in crate::pipeline) fn text(&self, text: &str) -> u64 {
        self.texts.hash(text.as_bytes())
    }

    pub(in crate::pipeline) fn bytes(&self, bytes: &[u8]) -> u64 {
        self.texts.hash(bytes)
    }
}

/// Hashes of the records of a dimension: all of them begin with it.
pub(in crate::pipeline) struct Dimension(sip128::SipHasher13);

impl Dimension {
    /// Stands for the dimension and an id.
    pub(in crate::pipeline) fn mark(&self, id: &str) -> u128 {
        let hash = self.0.hash(id.as_bytes());
        u128::from(hash.h1) << 64 | u128::from(hash.h2)
    }
}

/// Stands for a customer and a dimension, given as their hashes, which nobody can choose.
pub(in crate::pipeline) fn whose(customer: u64, dimension: u64) -> u64 {
    customer ^ dimension.rotate_left(32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The hashes of a column's values: each is hashed once a batch, however many rows hold it.
pub(in crate::pipeline) struct Column(Vec<u64>);

impl Column {
    pub(in crate::pipeline) fn new(column: &TextColumn, hash: impl Fn(&str) -> u64) -> Self {
        Column(column.values.iter().map(|value| hash(value)).collect())
    }

    /// What row `row` holds; 0 for nothing.
    pub(in crate::pipeline) fn of(&self, column: &TextColumn, row: usize) -> u64 {
        self.0.get(column.index(row) as usize).copied().unwrap_or_default()
    }
}

/// The hashes of a batch's texts.
pub(in crate::pipeline) struct Texts {
    pub(in crate::pipeline) customer: Column,
    product: Column,
    pub(in crate::pipeline) dimension: Column,
    /// By the index of the dimension; the last one is for none.
    marks: Vec<Dimension>,
    /// By name: batches may have them in different orders. With the position of each.
    attributes: Vec<(usize, Column)>,
}

impl Texts {
    pub(in crate::pipeline) fn of(batch: &Batch, hashes: &Hashes) -> Self {
        let mut named: Vec<(usize, &(String, TextColumn))> = batch.attributes.iter().enumerate().collect();
        named.sort_by(|(_, (left, _)), (_, (right, _))| left.cmp(right));
        let attribute = |(position, (name, column)): (usize, &(String, TextColumn))| {
            // What ends a name stands in no text. Never 0, which stands for nothing.
            let hashed = |value: &str| hashes.bytes(&[name.as_bytes(), &[0xff], value.as_bytes()].concat()).max(1);
            (position, Column::new(column, hashed))
        };
        let dimension = Column::new(&batch.dimension, |text| hashes.text(text));
        Texts {
            customer: Column::new(&batch.customer, |text| hashes.text(text)),
            // A product that is empty is none.
            product: Column::new(&batch.product, |text| if text.is_empty() { 0 } else { hashes.text(text) }),
            marks: dimension.0.iter().chain([&0]).map(|hash| hashes.dimension(*hash)).collect(),
            dimension,
            attributes: named.into_iter().map(attribute).collect(),
        }
    }

    /// The same of batches that have other attributes.
    pub(in crate::pipeline) fn without_attributes(mut self) -> Self {
        self.attributes.clear();
        self
    }

    /// Stands for the dimension and the id of a record.
    pub(in crate::pipeline) fn mark(&self, batch: &Batch, row: usize, id: &str) -> u128 {
        let dimension = self.marks.get(batch.dimension.index(row) as usize).or(self.marks.last());
        dimension.map_or(0, |dimension| dimension.mark(id))
    }

    /// Stands for what makes two records the same.
    pub(in crate::pipeline) fn contents(&self, batch: &Batch, row: usize, hashes: &Hashes) -> u64 {
        let (lo, hi) = (batch.lo.get(row).copied().unwrap_or_default(), batch.hi.get(row).copied().unwrap_or_default());
        // 1.5 and 1.50 are the same quantity.
        let exact = match batch.scale {
            0 => None,
            scale => Decimal::from_parts(lo, hi, scale).map(|quantity| quantity.normalised().to_parts()),
        };
        let (lo, hi, scale) = exact.unwrap_or((lo, hi, batch.scale));
        let product = self.product.of(&batch.product, row);
        let mut hash = hashes.texts;
        // What most records have nothing of is left out, and the first byte says so: the shorter it is, the sooner it is hashed.
        hash.write_u8(u8::from(hi != 0) | u8::from(product != 0) << 1);
        hash.write_i64(batch.time.get(row).copied().unwrap_or_default());
        hash.write_u64(lo);
        hash.write_u8(scale);
        hash.write_u64(self.customer.of(&batch.customer, row));
        if hi != 0 {
            hash.write_i64(hi);
        }
        if product != 0 {
            hash.write_u64(product);
        }
        for (position, hashes) in &self.attributes {
            let held = batch.attributes.get(*position).map_or(0, |(_, column)| hashes.of(column, row));
            if held != 0 {
                hash.write_u64(held);
            }
        }
        hash.finish()
    }
}
