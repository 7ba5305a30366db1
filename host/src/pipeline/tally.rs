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

/// Records by customer, dimension and product.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By customer: few things each, so that only the customer has to be looked for.
    counts: HashMap<String, Vec<(String, String, u64)>>,
    /// Reused from batch to batch.
    cells: Vec<u32>,
}

/// Above so many cells a batch is counted row by row.
const DENSE: usize = 1 << 17;

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
            let customer = place(batch.customer.index(row), customers);
            let product = place(batch.product.index(row), products);
            (customer * products + product) * dimensions + place(batch.dimension.index(row), dimensions)
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
            for (customer, cells) in counted.chunks(products * dimensions).enumerate() {
                let found = cells.iter().enumerate().filter(|(_, count)| **count > 0);
                self.add(batch, customer, dimensions, found.map(|(cell, &count)| (cell, u64::from(count))));
            }
            self.cells = counted;
        } else {
            let mut counted: HashMap<usize, u64> = HashMap::new();
            for row in 0..batch.rows() {
                *counted.entry(cell(row)).or_default() += 1;
            }
            let width = products * dimensions;
            for (cell, count) in counted {
                self.add(batch, cell / width, dimensions, std::iter::once((cell % width, count)));
            }
        }
    }

    /// Adds what was counted of one customer of a batch.
    fn add(&mut self, batch: &Batch, customer: usize, dimensions: usize, found: impl Iterator<Item = (usize, u64)>) {
        let mut found = found.peekable();
        if found.peek().is_none() {
            return;
        }
        let name = batch.customer.values.get(customer).map_or("", String::as_str);
        let counts = match self.counts.get_mut(name) {
            Some(counts) => counts,
            None => self.counts.entry(name.to_owned()).or_default(),
        };
        for (cell, count) in found {
            let product = batch.product.values.get(cell / dimensions).map_or("", String::as_str);
            let dimension = batch.dimension.values.get(cell % dimensions).map_or("", String::as_str);
            match counts.iter_mut().find(|(other, of, _)| other == dimension && of == product) {
                Some((_, _, sum)) => *sum += count,
                None => counts.push((dimension.to_owned(), product.to_owned(), count)),
            }
        }
    }

    /// The counts.
    pub(super) fn into_counts(self) -> HashMap<Pair, u64> {
        let pairs = self.counts.into_iter().flat_map(|(customer, counts)| {
            let pair =
                move |(dimension, product, count)| (Pair { product, customer: customer.clone(), dimension }, count);
            counts.into_iter().map(pair)
        });
        pairs.collect()
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
