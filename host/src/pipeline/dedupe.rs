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
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::pipeline::tally::Tally;

    const WINDOWS: [Span; 2] = [Span { start: 0, end: 10 }, Span { start: 10, end: 20 }];

    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct Usage {
        id: &'static str,
        customer: &'static str,
        product: Option<&'static str>,
        dimension: &'static str,
        quantity: u64,
        time: i64,
        plan: Option<&'static str>,
    }

    const ONE: Usage =
        Usage { id: "1", customer: "a", product: None, dimension: "cpu", quantity: 5, time: 3, plan: Some("gold") };

    fn column<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> TextColumn {
        let mut column = TextColumn::default();
        for text in texts {
            let index = text.map_or(u32::MAX, |text| {
                column.values.push(text.to_owned());
                column.values.len() as u32 - 1
            });
            column.indices.push(index);
        }
        column
    }

    fn batch(records: &[Usage]) -> Batch {
        Batch {
            time: records.iter().map(|record| record.time).collect(),
            customer: column(records.iter().map(|record| Some(record.customer))),
            product: column(records.iter().map(|record| record.product)),
            dimension: column(records.iter().map(|record| Some(record.dimension))),
            lo: records.iter().map(|record| record.quantity).collect(),
            id: column(records.iter().map(|record| (record.id != "none").then_some(record.id))),
            attributes: vec![("plan".to_owned(), column(records.iter().map(|record| record.plan)))],
            ..Batch::default()
        }
    }

    /// What is passed on as (id, customer, dimension, quantity) ascending; how many were dropped; how many had no id; what differs, by
    /// window.
    type Outcome = (Vec<(String, String, String, u64)>, u64, usize, Vec<(usize, String, String, String)>);

    /// Sifts batches on as many threads as there are.
    fn sifted(readers: &[Vec<Batch>]) -> Outcome {
        let dedupe = Dedupe::new();
        let read =
            |batches: &Vec<Batch>| batches.iter().map(|batch| dedupe.sift(batch.clone(), &WINDOWS)).collect::<Vec<_>>();
        let found: Vec<Sifted> = std::thread::scope(|scope| {
            let threads: Vec<_> = readers.iter().map(|batches| scope.spawn(|| read(batches))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let mut rows = Vec::new();
        let mut tally = Tally::default();
        for Sifted { batch, .. } in &found {
            tally.count(batch);
            let text = |column: &TextColumn, row| column.get(row).unwrap_or_default().to_owned();
            let record = |row| {
                let texts = [&batch.id, &batch.customer, &batch.dimension].map(|column| text(column, row));
                let [id, customer, dimension] = texts;
                (id, customer, dimension, batch.lo[row])
            };
            rows.extend((0..batch.rows()).map(record));
        }
        rows.sort();
        let counts = tally.into_counts();
        let conflicts = (0..WINDOWS.len()).flat_map(|window| {
            let found = dedupe.conflicts(window, counts.keys());
            found.into_iter().map(move |found| (window, found.customer, found.dimension, found.ids.words()))
        });
        let dropped = found.iter().flat_map(|sifted| &sifted.duplicates).map(|(_, records)| records).sum();
        let unnamed = found.iter().map(|sifted| sifted.quarantined.len()).sum();
        (rows, dropped, unnamed, conflicts.collect())
    }

    fn of(records: &[Usage]) -> Outcome {
        sifted(&[vec![batch(records)]])
    }

    #[test]
    fn the_same_record_counts_once_and_each_difference_in_its_contents_is_one() {
        let (rows, dropped, _, conflicts) = of(&[ONE, ONE, Usage { dimension: "memory", ..ONE }]);
        assert_eq!((rows.len(), dropped, conflicts.len()), (2, 1, 0), "another dimension is another record");
        let others = [
            Usage { customer: "b", ..ONE },
            Usage { product: Some("p"), ..ONE },
            Usage { quantity: 6, ..ONE },
            Usage { time: 4, ..ONE },
            Usage { plan: Some("free"), ..ONE },
            Usage { plan: None, ..ONE },
        ];
        for other in others {
            let (rows, dropped, _, conflicts) = of(&[ONE, other]);
            let mut customers: Vec<&str> = conflicts.iter().map(|(_, customer, ..)| customer.as_str()).collect();
            customers.dedup();
            let mut expected = vec![ONE.customer, other.customer];
            expected.dedup();
            assert_eq!((rows.len(), dropped, customers), (2, 0, expected), "{other:?}");
        }
    }

    #[test]
    fn the_same_id_in_two_windows_is_two_records() {
        let (rows, dropped, _, conflicts) = of(&[ONE, Usage { time: 13, ..ONE }]);
        assert_eq!((rows.len(), dropped, conflicts.len()), (2, 0, 0));
        // What lies in neither is another opening's.
        assert_eq!(of(&[Usage { time: 20, ..ONE }, Usage { time: 20, ..ONE }]).1, 0);
    }

    #[test]
    fn a_record_without_an_id_is_quarantined_with_what_is_known_of_it() {
        let dedupe = Dedupe::new();
        let records = [Usage { id: "none", ..ONE }, Usage { id: "", time: 12, product: Some("p"), ..ONE }, ONE];
        let sifted = dedupe.sift(batch(&records), &WINDOWS);
        assert_eq!(sifted.batch.rows(), 1);
        let known = |record: &Quarantined| (record.customer.clone(), record.product.clone(), record.dimension.clone());
        let text = |text: &str| Some(text.to_owned());
        let expected = [(text("a"), None, text("cpu")), (text("a"), text("p"), text("cpu"))];
        assert_eq!(sifted.quarantined.iter().map(known).collect::<Vec<_>>(), expected);
        assert_eq!(sifted.quarantined[1].span, Some(Span { start: 12, end: 13 }));
    }

    #[test]
    fn a_quantity_is_the_same_with_whatever_zeros_at_its_end_and_attributes_in_whatever_order() {
        let one = Batch { lo: vec![15], scale: 1, ..batch(&[ONE]) };
        let other = Batch { lo: vec![1500], scale: 3, ..batch(&[ONE]) };
        let more = |mut batch: Batch, first: bool| {
            let column = TextColumn { values: vec!["eu".to_owned()], indices: Vec::new() };
            batch.attributes.insert(if first { 0 } else { 1 }, ("region".to_owned(), column));
            batch
        };
        let dedupe = Dedupe::new();
        assert_eq!(dedupe.sift(more(one, true), &WINDOWS).batch.rows(), 1);
        assert_eq!(dedupe.sift(more(other, false), &WINDOWS).batch.rows(), 0);
        // The same value under another name is another attribute.
        let mut renamed = batch(&[Usage { id: "2", ..ONE }]);
        dedupe.sift(renamed.clone(), &WINDOWS);
        renamed.attributes[0].0 = "tier".to_owned();
        assert_eq!(dedupe.sift(renamed, &WINDOWS).batch.rows(), 1);
    }

    #[test]
    fn what_comes_of_it_depends_on_no_order_and_on_no_thread() {
        let mut records = Vec::new();
        let ids: Vec<&'static str> = (0..200).map(|number| &*format!("id-{number:03}").leak()).collect();
        for (number, id) in (0_u64..).zip(&ids) {
            let one = Usage { id, quantity: number, customer: ["a", "b", "c"][number as usize % 3], ..ONE };
            records.extend([one, one, one]);
            if number % 7 == 0 {
                let other = Usage { customer: "d", ..one };
                records.extend([other, other, Usage { quantity: number + 1, ..one }]);
            }
        }
        let straight = of(&records);
        assert_eq!(straight.0.len(), 200 + 2 * 29);
        assert_eq!(straight.1, 2 * 200 + 29);
        assert_eq!(straight.3[3].1, "d");
        assert_eq!(
            straight.3[3].3,
            "records under each of the ids `id-000`, `id-007`, `id-014` and 26 more differ: which is right nobody can tell"
        );
        // A generator of the simplest kind: what is wanted is many orders, not chance.
        let mut seed = 1_u64;
        for _ in 0..20 {
            for place in (1..records.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                records.swap(place, (seed >> 33) as usize % (place + 1));
            }
            let batches: Vec<Batch> = records.chunks(37).map(batch).collect();
            let readers: Vec<Vec<Batch>> = batches.chunks(6).map(<[Batch]>::to_vec).collect();
            assert_eq!(sifted(&readers), straight);
        }
    }
}
