//! Counts and adds up a batch, by customer, product and dimension. This is where the time goes, so it goes by columns.

use meterhost_sdk::{Batch, TextColumn};

use crate::usage::{Key, Usage};

/// One of the three columns that make a key, beside the tags.
struct Axis<'a> {
    /// Empty when all rows hold the same.
    indices: &'a [u32],
    /// What to add to an index to make it a position in `numbers`: 1, modulo 2^32, takes the mark of absence to 0.
    shift: u32,
    /// The numbers of the texts.
    numbers: Vec<u32>,
}

/// Of the records that share a key, within a batch.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    low: u64,
    carry: u32,
    records: u32,
}

/// Scratch that is kept between batches.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// For each row the place of its entry.
    places: Vec<u32>,
    tallies: Vec<Tally>,
}

impl Totals {
    /// Counts and adds up all records. Answers the place of each row's entry if `want_places`.
    pub(crate) fn add(&mut self, usage: &mut Usage, batch: &Batch, want_places: bool) -> &[u32] {
        let axes = axes(usage, batch);
        let tags = usage.tags.of_rows(batch);
        let slots = axes.iter().try_fold(1_usize, |slots, axis| slots.checked_mul(axis.numbers.len()));
        // A table of all combinations pays as long as it is about as large as the batch.
        let is_small = |slots: &usize| *slots <= 4 * batch.len() && batch.quantities().hi().is_empty();
        match slots.filter(|slots| is_small(slots) && tags.is_empty()) {
            Some(slots) => self.by_slot(usage, batch, &axes, slots, want_places),
            None => self.by_row(usage, batch, &axes, &tags),
        }
        &self.places
    }

    /// For quantities of at least 0 and below 2^64, and keys few enough that a table has a slot for each.
    fn by_slot(&mut self, usage: &mut Usage, batch: &Batch, axes: &[Axis<'_>; 3], slots: usize, want_places: bool) {
        self.places.clear();
        self.places.resize(batch.len(), 0);
        for axis in axes {
            let size = axis.numbers.len() as u32;
            for (slot, index) in self.places.iter_mut().zip(axis.indices) {
                *slot = *slot * size + index.wrapping_add(axis.shift);
            }
        }
        self.tallies.clear();
        self.tallies.resize(slots, Tally::default());
        for (&slot, &quantity) in self.places.iter().zip(batch.quantities().lo()) {
            if let Some(tally) = self.tallies.get_mut(slot as usize) {
                let (low, over) = tally.low.overflowing_add(quantity);
                tally.low = low;
                tally.carry += u32::from(over);
                tally.records += 1;
            }
        }
        let scale = batch.quantities().scale();
        let [products, customers, dimensions] = axes;
        let mut places = Vec::with_capacity(if want_places { slots } else { 0 });
        let mut tallies = self.tallies.iter();
        for &product in &products.numbers {
            for &customer in &customers.numbers {
                for (&dimension, tally) in dimensions.numbers.iter().zip(tallies.by_ref()) {
                    let mut place = 0;
                    if tally.records > 0 {
                        place = usage.place(Key { product, customer, dimension, tags: 0 });
                        if let Some(entry) = usage.entry(place) {
                            entry.records += u64::from(tally.records);
                            entry.sum.add_coefficient(i128::from(tally.carry) << 64 | i128::from(tally.low), scale);
                        }
                    }
                    if want_places {
                        places.push(place);
                    }
                }
            }
        }
        if want_places {
            for slot in &mut self.places {
                *slot = places.get(*slot as usize).copied().unwrap_or_default();
            }
        }
    }

    /// For any batch.
    fn by_row(&mut self, usage: &mut Usage, batch: &Batch, axes: &[Axis<'_>; 3], tags: &[u32]) {
        self.places.clear();
        let quantities = batch.quantities();
        let scale = quantities.scale();
        let mut last = None;
        for (row, &low) in quantities.lo().iter().enumerate() {
            let [product, customer, dimension] = axes.each_ref().map(|axis| axis.number(row));
            let tags = tags.get(row).copied().unwrap_or_default();
            let key = Key { product, customer, dimension, tags };
            // Records of one customer often come one after the other.
            let place = match last {
                Some((same, place)) if same == key => place,
                _ => usage.place(key),
            };
            last = Some((key, place));
            self.places.push(place);
            let high = quantities.hi().get(row).copied().unwrap_or_default();
            if let Some(entry) = usage.entry(place) {
                entry.records += 1;
                entry.sum.add_coefficient(i128::from(high) << 64 | i128::from(low), scale);
            }
        }
    }
}

/// Product, customer, dimension: the last is the one that changes fastest from slot to slot.
fn axes<'a>(usage: &mut Usage, batch: &'a Batch) -> [Axis<'a>; 3] {
    let products = batch.products();
    let mut product = Axis::new(products, |text| usage.products.number(text));
    if !product.indices.is_empty() || products.values().is_empty() {
        product.numbers.insert(0, usage.products.number(""));
        product.shift = 1;
    }
    let customer = Axis::new(batch.customers(), |text| usage.customers.number(text));
    let dimension = Axis::new(batch.dimensions(), |text| usage.dimension(text));
    [product, customer, dimension]
}

impl<'a> Axis<'a> {
    fn new(column: TextColumn<'a>, number: impl FnMut(&'a String) -> u32) -> Self {
        let indices = column.indices();
        let used = if indices.is_empty() { 1 } else { column.values().len() };
        Axis { indices, shift: 0, numbers: column.values().iter().take(used).map(number).collect() }
    }

    fn number(&self, row: usize) -> u32 {
        let position = self.indices.get(row).map_or(0, |index| index.wrapping_add(self.shift));
        self.numbers.get(position as usize).copied().unwrap_or_default()
    }
}
