//! How many records of each customer and dimension were read: what the closing sum is made of.

use std::collections::HashMap;

use crate::model::usage::Batch;

/// Whose usage of what: product, customer, dimension of the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) product: String,
    pub(super) customer: String,
    pub(super) dimension: String,
}

/// Records by customer and dimension.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: HashMap<Pair, u64>,
    /// Reused from batch to batch.
    cells: Vec<u32>,
}

/// Above so many cells a batch is counted row by row.
const DENSE: usize = 1 << 20;

impl Tally {
    /// Counts a batch.
    pub(super) fn count(&mut self, batch: &Batch) {
        let width = |values: usize| values + 1;
        let (products, customers, dimensions) = (
            width(batch.product.values.len()),
            width(batch.customer.values.len()),
            width(batch.dimension.values.len()),
        );
        let cells = products.saturating_mul(customers).saturating_mul(dimensions);
        // An absent value counts in the last place of its axis.
        let place = |index: u32, width: usize| (index as usize).min(width - 1);
        let cell = |row: usize| {
            let product = place(batch.product.index(row), products);
            let customer = place(batch.customer.index(row), customers);
            (product * customers + customer) * dimensions + place(batch.dimension.index(row), dimensions)
        };
        if cells <= DENSE {
            self.cells.clear();
            self.cells.resize(cells, 0);
            for row in 0..batch.rows() {
                if let Some(count) = self.cells.get_mut(cell(row)) {
                    *count += 1;
                }
            }
            let counted = std::mem::take(&mut self.cells);
            for (cell, &count) in counted.iter().enumerate().filter(|(_, count)| **count > 0) {
                self.add(batch, cell, customers, dimensions, count.into());
            }
            self.cells = counted;
        } else {
            let mut counted: HashMap<usize, u64> = HashMap::new();
            for row in 0..batch.rows() {
                *counted.entry(cell(row)).or_default() += 1;
            }
            for (cell, count) in counted {
                self.add(batch, cell, customers, dimensions, count);
            }
        }
    }

    fn add(&mut self, batch: &Batch, cell: usize, customers: usize, dimensions: usize, count: u64) {
        let text = |values: &[String], index: usize| values.get(index).cloned().unwrap_or_default();
        let pair = Pair {
            product: text(&batch.product.values, cell / dimensions / customers),
            customer: text(&batch.customer.values, cell / dimensions % customers),
            dimension: text(&batch.dimension.values, cell % dimensions),
        };
        *self.counts.entry(pair).or_default() += count;
    }

    /// The counts.
    pub(super) fn into_counts(self) -> HashMap<Pair, u64> {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::usage::TextColumn;

    #[test]
    fn every_row_is_counted_once_under_its_own_names() {
        let column = |values: &[&str], indices: &[u32]| TextColumn {
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            indices: indices.to_vec(),
        };
        let batch = Batch {
            time: vec![0; 4],
            customer: column(&["a", "b"], &[0, 1, 0, 0]),
            dimension: column(&["d"], &[]),
            product: column(&["p"], &[0, u32::MAX, 0, u32::MAX]),
            lo: vec![1; 4],
            ..Batch::default()
        };
        let mut tally = Tally::default();
        tally.count(&batch);
        tally.count(&batch);
        let pair = |product: &str, customer: &str| Pair {
            product: product.to_owned(),
            customer: customer.to_owned(),
            dimension: "d".to_owned(),
        };
        let expected = HashMap::from([(pair("p", "a"), 4), (pair("", "b"), 2), (pair("", "a"), 2)]);
        assert_eq!(tally.into_counts(), expected);
    }
}
