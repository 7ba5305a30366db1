//! What stands for a record, and for what it says.
//!
//! Hashes are kept in the ledger, so that they are the same in every version: SipHash-1-3 under the ledger's key.

use meterhost_decimal::Decimal;
use siphasher::{sip, sip128};

use crate::ledger::IdKey;
use crate::model::usage::{Batch, TextColumn};

/// Hashes under a key.
pub(super) struct Hashes {
    records: sip128::SipHasher13,
    texts: sip::SipHasher13,
}

impl Hashes {
    pub(super) fn of(key: IdKey) -> Self {
        let key = u128::from_be_bytes(key.0);
        let (first, second) = ((key >> 64) as u64, key as u64);
        Hashes {
            records: sip128::SipHasher13::new_with_keys(first, second),
            // Another key, or a text could stand for a record.
            texts: sip::SipHasher13::new_with_keys(!first, !second),
        }
    }

    /// Stands for a dimension, given as its hash, and an id. `buffer` is used for it.
    pub(super) fn mark(&self, dimension: u64, id: &str, buffer: &mut Vec<u8>) -> u128 {
        buffer.clear();
        buffer.extend(dimension.to_le_bytes());
        buffer.extend(id.as_bytes());
        let hash = self.records.hash(buffer);
        u128::from(hash.h1) << 64 | u128::from(hash.h2)
    }

    pub(super) fn text(&self, text: &str) -> u64 {
        self.texts.hash(text.as_bytes())
    }

    pub(super) fn bytes(&self, bytes: &[u8]) -> u64 {
        self.texts.hash(bytes)
    }
}

/// Stands for a customer and a dimension, given as their hashes, which nobody can choose.
pub(super) fn whose(customer: u64, dimension: u64) -> u64 {
    customer ^ dimension.rotate_left(32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The hashes of a column's values: each is hashed once a batch, however many rows hold it.
pub(super) struct Column(Vec<u64>);

impl Column {
    pub(super) fn new(column: &TextColumn, hash: impl Fn(&str) -> u64) -> Self {
        Column(column.values.iter().map(|value| hash(value)).collect())
    }

    /// What row `row` holds; 0 for nothing.
    pub(super) fn of(&self, column: &TextColumn, row: usize) -> u64 {
        self.0.get(column.index(row) as usize).copied().unwrap_or_default()
    }
}

/// The hashes of a batch's texts.
pub(super) struct Texts {
    pub(super) customer: Column,
    product: Column,
    pub(super) dimension: Column,
    /// By name: batches may have them in different orders. With the position of each.
    attributes: Vec<(usize, Column)>,
}

impl Texts {
    pub(super) fn of(batch: &Batch, hashes: &Hashes) -> Self {
        let mut named: Vec<(usize, &(String, TextColumn))> = batch.attributes.iter().enumerate().collect();
        named.sort_by(|(_, (left, _)), (_, (right, _))| left.cmp(right));
        let attribute = |(position, (name, column)): (usize, &(String, TextColumn))| {
            // What ends a name stands in no text. Never 0, which stands for nothing.
            let hashed = |value: &str| hashes.bytes(&[name.as_bytes(), &[0xff], value.as_bytes()].concat()).max(1);
            (position, Column::new(column, hashed))
        };
        Texts {
            customer: Column::new(&batch.customer, |text| hashes.text(text)),
            // A product that is empty is none.
            product: Column::new(&batch.product, |text| if text.is_empty() { 0 } else { hashes.text(text) }),
            dimension: Column::new(&batch.dimension, |text| hashes.text(text)),
            attributes: named.into_iter().map(attribute).collect(),
        }
    }

    /// Stands for what makes two records the same. `buffer` is used for it.
    pub(super) fn contents(&self, batch: &Batch, row: usize, hashes: &Hashes, buffer: &mut Vec<u8>) -> u64 {
        buffer.clear();
        // What most records have nothing of is left out, and the first byte says so: the shorter it is, the sooner it is hashed.
        buffer.push(0);
        buffer.extend(batch.time.get(row).copied().unwrap_or_default().to_le_bytes());
        let (lo, hi) = (batch.lo.get(row).copied().unwrap_or_default(), batch.hi.get(row).copied().unwrap_or_default());
        // 1.5 and 1.50 are the same quantity.
        let exact = match batch.scale {
            0 => None,
            scale => Decimal::from_parts(lo, hi, scale).map(|quantity| quantity.normalised().to_parts()),
        };
        let (lo, hi, scale) = exact.unwrap_or((lo, hi, batch.scale));
        buffer.extend(lo.to_le_bytes());
        buffer.push(scale);
        buffer.extend(self.customer.of(&batch.customer, row).to_le_bytes());
        let product = self.product.of(&batch.product, row);
        let mut is_there = 0;
        if hi != 0 {
            is_there |= 1;
            buffer.extend(hi.to_le_bytes());
        }
        if product != 0 {
            is_there |= 2;
            buffer.extend(product.to_le_bytes());
        }
        buffer.first_mut().into_iter().for_each(|first| *first = is_there);
        for (position, hashes) in &self.attributes {
            let held = batch.attributes.get(*position).map_or(0, |(_, column)| hashes.of(column, row));
            if held != 0 {
                buffer.extend(held.to_le_bytes());
            }
        }
        hashes.bytes(buffer)
    }
}
