//! `dedupe = "id"`: records of one window with the same id and dimension are one.
//!
//! | of two records with the same id and dimension | |
//! |---|---|
//! | the contents are the same: customer, product, quantity, time, attributes | one is dropped, and counted as a duplicate |
//! | the contents differ | both are kept, and hold what their customers owe for the dimension: which is right nobody can tell |
//!
//! A record without an id, or with an empty one, is quarantined: nobody can tell whether it was read before.
//!
//! Of each record is kept what it takes to know it again, 32 bytes (with the room of a hash table 37 to 74), shared by all readers of an
//! opening. Each different content is passed on once, so that nothing depends on the order in which readers come. What stands for a
//! record is a keyed hash of 128 bits, whose key is new in each opening: that any two of a billion records are taken for one has odds
//! of 1 in 10^20, and nobody can choose ids for it. Contents are compared by 64 bits more, which matters only where the ids are the same.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use meterhost_decimal::Decimal;
use siphasher::{sip, sip128};

use super::tally::Pair;
use crate::model::reading::{Quarantined, Span};
use crate::model::usage::{Batch, TextColumn};

/// So many readers can look something up at once, and more.
const SHARDS: usize = 64;
/// Of the ids that hold something, so many are named.
const EXAMPLES: usize = 3;

/// What was read of one opening, by id.
pub(super) struct Dedupe {
    of_records: sip128::SipHasher13,
    of_texts: sip::SipHasher13,
    shards: Vec<Mutex<Shard>>,
}

/// What is left of a batch.
pub(super) struct Sifted {
    pub(super) batch: Batch,
    /// By window: how many records were dropped, since one like them was there.
    pub(super) duplicates: Vec<(usize, u64)>,
    /// Records without an id.
    pub(super) quarantined: Vec<Quarantined>,
}

/// Ids of a customer's dimension under which records differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) customer: String,
    /// As in the usage.
    pub(super) dimension: String,
    pub(super) ids: Ids,
}

/// The least of some ids, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ids {
    least: BTreeSet<String>,
    count: u64,
}

/// Stands for a window, a dimension and an id.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark(u64, u64);

/// What is known of the first record of a mark.
#[derive(Clone, Copy)]
struct First {
    contents: u64,
    customer: u64,
}

/// What is known of the others of a mark whose contents differ.
#[derive(Default)]
struct Others {
    contents: HashSet<u64, Plain>,
    customers: HashSet<u64, Plain>,
}

#[derive(Default)]
struct Shard {
    first: HashMap<Mark, First, Plain>,
    others: HashMap<Mark, Others, Plain>,
    /// By window, customer and dimension.
    ids: BTreeMap<(usize, u64, u64), Ids>,
}

/// A row on its way to its shard.
struct Row {
    row: u32,
    window: usize,
    mark: Mark,
    contents: u64,
}

impl Dedupe {
    /// Nothing was read yet.
    pub(super) fn new() -> Self {
        // The system has no randomness left: hashes that somebody could foresee are better than no run.
        let random = || getrandom::u64().unwrap_or_default();
        Dedupe {
            of_records: sip128::SipHasher13::new_with_keys(random(), random()),
            of_texts: sip::SipHasher13::new_with_keys(random(), random()),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Takes out of a batch what was there before, and what has no id. `windows` are those of the opening; what lies in none of them is
    /// another's, and stays.
    pub(super) fn sift(&self, batch: Batch, windows: &[Span]) -> Sifted {
        let texts = Texts::of(&batch, &self.of_texts);
        let mut rows: Vec<Vec<Row>> = (0..SHARDS).map(|_| Vec::new()).collect();
        let mut keep = vec![true; batch.rows()];
        let mut quarantined = Vec::new();
        let mut buffer = Vec::new();
        for (row, (&time, keep)) in batch.time.iter().zip(&mut keep).enumerate() {
            let Some((window, span)) = window(windows, time) else { continue };
            let Some(id) = batch.id.get(row).filter(|id| !id.is_empty()) else {
                *keep = false;
                quarantined.push(unnamed(&batch, row, time));
                continue;
            };
            buffer.clear();
            buffer.extend(span.start.to_le_bytes());
            buffer.extend(texts.dimension.of(&batch.dimension, row).to_le_bytes());
            buffer.extend(id.as_bytes());
            let hash = self.of_records.hash(&buffer);
            texts.contents(&batch, row, &mut buffer);
            let contents = self.of_texts.hash(&buffer);
            if let Some(rows) = rows.get_mut(hash.h2 as usize % SHARDS) {
                rows.push(Row { row: row as u32, window, mark: Mark(hash.h1, hash.h2), contents });
            }
        }
        let mut duplicates: BTreeMap<usize, u64> = BTreeMap::new();
        for (rows, shard) in rows.iter().zip(&self.shards).filter(|(rows, _)| !rows.is_empty()) {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for row in rows {
                let place = row.row as usize;
                let customer = texts.customer.of(&batch.customer, place);
                let seen = shard.is_known(row, customer, || {
                    let id = batch.id.get(place).unwrap_or_default().to_owned();
                    (texts.dimension.of(&batch.dimension, place), id)
                });
                if seen {
                    *duplicates.entry(row.window).or_default() += 1;
                    keep.get_mut(place).into_iter().for_each(|keep| *keep = false);
                }
            }
        }
        let duplicates = duplicates.into_iter().collect();
        if keep.iter().all(|keep| *keep) {
            return Sifted { batch, duplicates, quarantined };
        }
        let left: Vec<u32> = (0..).zip(&keep).filter(|(_, keep)| **keep).map(|(row, _)| row).collect();
        Sifted { batch: batch.select(&left), duplicates, quarantined }
    }

    /// What differs under one id in a window, ascending by customer and dimension. `read` is what was passed on of it.
    pub(super) fn conflicts<'a>(&self, window: usize, read: impl Iterator<Item = &'a Pair>) -> Vec<Conflict> {
        let mut ids: HashMap<(u64, u64), Ids> = HashMap::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for ((_, customer, dimension), found) in shard.ids.range((window, 0, 0)..=(window, u64::MAX, u64::MAX)) {
                ids.entry((*customer, *dimension)).or_default().join(found);
            }
        }
        if ids.is_empty() {
            return Vec::new();
        }
        let hash = |text: &str| self.of_texts.hash(text.as_bytes());
        // A pair may stand there with several products.
        let pairs: BTreeSet<(&str, &str)> =
            read.map(|pair| (pair.customer.as_str(), pair.dimension.as_str())).collect();
        let conflict = |(customer, dimension): (&str, &str)| {
            let ids = ids.get(&(hash(customer), hash(dimension)))?.clone();
            Some(Conflict { customer: customer.to_owned(), dimension: dimension.to_owned(), ids })
        };
        pairs.into_iter().filter_map(conflict).collect()
    }
}

impl Shard {
    /// Whether a record with these contents was there before. `names` answers its dimension's hash and its id.
    fn is_known(&mut self, row: &Row, customer: u64, names: impl FnOnce() -> (u64, String)) -> bool {
        let Row { mark, contents, window, .. } = *row;
        let first = match self.first.entry(mark) {
            Entry::Vacant(free) => {
                free.insert(First { contents, customer });
                return false;
            }
            Entry::Occupied(first) => *first.get(),
        };
        if first.contents == contents
            || self.others.get(&mark).is_some_and(|others| others.contents.contains(&contents))
        {
            return true;
        }
        let (dimension, id) = names();
        let others = self.others.entry(mark).or_default();
        others.contents.insert(contents);
        for customer in [first.customer, customer] {
            if others.customers.insert(customer) {
                self.ids.entry((window, customer, dimension)).or_default().add(id.clone());
            }
        }
        false
    }
}

#[cfg(test)]
impl FromIterator<String> for Ids {
    fn from_iter<T: IntoIterator<Item = String>>(ids: T) -> Self {
        let mut all = Ids::default();
        ids.into_iter().for_each(|id| all.add(id));
        all
    }
}

impl Ids {
    fn add(&mut self, id: String) {
        self.count += 1;
        self.least.insert(id);
        if self.least.len() > EXAMPLES {
            self.least.pop_last();
        }
    }

    /// Takes in those of another shard, which are others.
    fn join(&mut self, other: &Ids) {
        let count = self.count + other.count;
        other.least.iter().for_each(|id| self.add(id.clone()));
        self.count = count;
    }

    /// Why what is made of them is in doubt.
    pub(super) fn words(&self) -> String {
        let shown: Vec<String> = self.least.iter().map(|id| format!("`{}`", shortened(id))).collect();
        let more = match self.count.saturating_sub(shown.len() as u64) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let of = if self.count == 1 { "the id" } else { "each of the ids" };
        format!("records under {of} {}{more} differ: which is right nobody can tell", shown.join(", "))
    }
}

fn shortened(id: &str) -> String {
    const LONGEST: usize = 80;
    let end = if id.chars().nth(LONGEST).is_some() { "..." } else { "" };
    id.chars().take(LONGEST).chain(end.chars()).collect()
}

/// A record of which nobody can tell whether it was read before. Where it stands the host does not know.
fn unnamed(batch: &Batch, row: usize, time: i64) -> Quarantined {
    Quarantined {
        input: String::new(),
        place: String::new(),
        reason: "it has no id, so that nobody can tell whether it was read before (dedupe = \"id\")".to_owned(),
        records: 1,
        customer: batch.customer.get(row).map(str::to_owned),
        product: batch.product.get(row).filter(|product| !product.is_empty()).map(str::to_owned),
        dimension: batch.dimension.get(row).map(str::to_owned),
        span: Some(Span { start: time, end: time.saturating_add(1) }),
    }
}

/// The window of a time.
fn window(windows: &[Span], time: i64) -> Option<(usize, Span)> {
    let position = windows.partition_point(|window| window.start <= time).checked_sub(1)?;
    let span = *windows.get(position)?;
    (time < span.end).then_some((position, span))
}

/// The hashes of a column's values: each is hashed once a batch, however many rows hold it.
struct Hashes(Vec<u64>);

impl Hashes {
    fn new(column: &TextColumn, hash: impl Fn(&str) -> u64) -> Self {
        Hashes(column.values.iter().map(|value| hash(value)).collect())
    }

    /// What row `row` holds; 0 for nothing.
    fn of(&self, column: &TextColumn, row: usize) -> u64 {
        self.0.get(column.index(row) as usize).copied().unwrap_or_default()
    }
}

/// The hashes of a batch's texts.
struct Texts {
    customer: Hashes,
    product: Hashes,
    dimension: Hashes,
    /// By name: batches may have them in different orders. With the position of each.
    attributes: Vec<(usize, Hashes)>,
}

impl Texts {
    fn of(batch: &Batch, hasher: &sip::SipHasher13) -> Self {
        let hash = |text: &str| hasher.hash(text.as_bytes());
        let mut named: Vec<(usize, &(String, TextColumn))> = batch.attributes.iter().enumerate().collect();
        named.sort_by(|(_, (left, _)), (_, (right, _))| left.cmp(right));
        let attribute = |(position, (name, column)): (usize, &(String, TextColumn))| {
            // What ends a name stands in no text. Never 0, which stands for nothing.
            let hashed = |value: &str| hasher.hash(&[name.as_bytes(), &[0xff], value.as_bytes()].concat()).max(1);
            (position, Hashes::new(column, hashed))
        };
        Texts {
            customer: Hashes::new(&batch.customer, hash),
            // A product that is empty is none.
            product: Hashes::new(&batch.product, |product| if product.is_empty() { 0 } else { hash(product) }),
            dimension: Hashes::new(&batch.dimension, hash),
            attributes: named.into_iter().map(attribute).collect(),
        }
    }

    /// Writes what makes two records the same into the buffer, in the place of what was there.
    fn contents(&self, batch: &Batch, row: usize, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.extend(batch.time.get(row).copied().unwrap_or_default().to_le_bytes());
        let (lo, hi) = (batch.lo.get(row).copied().unwrap_or_default(), batch.hi.get(row).copied().unwrap_or_default());
        // 1.5 and 1.50 are the same quantity.
        let exact = match batch.scale {
            0 => None,
            scale => Decimal::from_parts(lo, hi, scale).map(|quantity| quantity.normalised().to_parts()),
        };
        let (lo, hi, scale) = exact.unwrap_or((lo, hi, batch.scale));
        buffer.extend(lo.to_le_bytes());
        buffer.extend(hi.to_le_bytes());
        buffer.push(scale);
        buffer.extend(self.customer.of(&batch.customer, row).to_le_bytes());
        buffer.extend(self.product.of(&batch.product, row).to_le_bytes());
        for (position, hashes) in &self.attributes {
            let held = batch.attributes.get(*position).map_or(0, |(_, column)| hashes.of(column, row));
            if held != 0 {
                buffer.extend(held.to_le_bytes());
            }
        }
    }
}

/// What is a hash already is not hashed again.
type Plain = BuildHasherDefault<Taken>;

#[derive(Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Hash for Mark {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
