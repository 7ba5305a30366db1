//! The records of one opening as they come: what surely is new goes on at once, what may have been there is put aside.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::Dedupe;
use super::conflict::shortened;
use super::entry::{Entry, PARTITIONS, partition as partition_of, read, write};
use super::hashes::{Column, Texts, whose};
use super::seen::Seen;
use super::spill::Log;
use crate::model::reading::{Quarantined, Span};
use crate::model::usage::{Batch, TextColumn};

/// Entries that are brought together before they are put away, in bytes.
const ENTRIES: usize = 64 << 10;
/// The same of records that were put aside.
const ASIDE: usize = 1 << 20;

/// What has been read of one opening.
pub(in crate::pipeline) struct Sieve<'a> {
    pub(super) dedupe: &'a Dedupe,
    /// Those of the opening.
    windows: &'a [Span],
    /// The position of the first of them among the run's.
    pub(super) first: u32,
    pub(super) partitions: Vec<Mutex<Partition>>,
    pub(super) aside: Mutex<Log>,
    /// How many records were put aside.
    pub(super) put_aside: AtomicU64,
    /// The positions of windows of which there are records.
    pub(super) found_in: Mutex<BTreeSet<u32>>,
}

pub(super) struct Partition {
    seen: Seen,
    /// What was passed on at once.
    pub(super) passed: Log,
    /// What was put aside.
    pub(super) aside: Log,
    /// How many entries there are of both.
    pub(super) entries: u64,
}

/// What stands for a row of a batch, as in [`Entry`].
struct Row {
    mark: u128,
    contents: u64,
    whose: u64,
    input: u64,
    window: u32,
    row: u32,
}

/// What is to become of a batch.
pub(in crate::pipeline) struct Sifted {
    /// By row, whether it is passed on: it surely is new, or lies in none of the windows. Nothing where all are.
    pub(in crate::pipeline) keep: Option<Vec<bool>>,
    /// Records without an id.
    pub(in crate::pipeline) quarantined: Vec<Quarantined>,
}

/// Records that were put aside, with their numbers.
#[derive(Serialize, Deserialize)]
pub(super) struct Aside {
    pub(super) numbers: Vec<u64>,
    pub(super) batch: Batch,
}

impl<'a> Sieve<'a> {
    /// Nothing was read yet.
    pub(super) fn new(dedupe: &'a Dedupe, windows: &'a [Span], first: usize) -> Self {
        let log = || Log::new(&dedupe.spill, ENTRIES);
        let partition = |_| Mutex::new(Partition { seen: Seen::new(), passed: log(), aside: log(), entries: 0 });
        Sieve {
            dedupe,
            windows,
            first: u32::try_from(first).unwrap_or(u32::MAX),
            partitions: (0..PARTITIONS).map(partition).collect(),
            aside: Mutex::new(Log::new(&dedupe.spill, ASIDE)),
            put_aside: AtomicU64::new(0),
            found_in: Mutex::default(),
        }
    }

    /// Says what of a batch surely is new, and puts aside what may have been there before. `inputs` says where each row came from. What
    /// lies in none of the windows is another's, and is passed on.
    pub(in crate::pipeline) fn sift(&self, batch: &Batch, inputs: &TextColumn) -> io::Result<Sifted> {
        let hashes = &self.dedupe.hashes;
        let texts = Texts::of(batch, hashes);
        let from = Column::new(inputs, |input| hashes.text(input).max(1));
        let mut rows: Vec<Row> = Vec::with_capacity(batch.rows());
        let mut keep = vec![true; batch.rows()];
        let (mut quarantined, mut ids) = (Vec::new(), Vec::new());
        // By row, where its id stands among `ids`; nothing where most are not kept.
        let mut places: Vec<u64> = Vec::new();
        let mut found_in = BTreeSet::new();
        let mut last: Option<(u32, Span)> = None;
        for ((row, &time), keep) in (0u32..).zip(&batch.time).zip(&mut keep) {
            let window = match last {
                Some((window, span)) if span.start <= time && time < span.end => window,
                _ => match self.window(time) {
                    Some((window, span)) => {
                        found_in.insert(window);
                        last.insert((window, span)).0
                    }
                    None => continue,
                },
            };
            let place = row as usize;
            let Some(id) = batch.id.get(place).filter(|id| !id.is_empty()) else {
                *keep = false;
                quarantined.push(unnamed(batch, place, time));
                continue;
            };
            let dimension = texts.dimension.of(&batch.dimension, place);
            rows.push(Row {
                mark: texts.mark(batch, place, id),
                contents: texts.contents(batch, place, hashes),
                whose: whose(texts.customer.of(&batch.customer, place), dimension),
                input: from.of(inputs, place),
                window,
                row,
            });
            if self.dedupe.names_all {
                places.resize(place, 0);
                places.push(ids.len() as u64);
                name(id, &mut ids);
            }
        }
        if !found_in.is_empty() {
            locked(&self.found_in).extend(found_in);
        }
        if !ids.is_empty() {
            let begin = locked(&self.dedupe.texts).append(&ids)?;
            places.iter_mut().for_each(|place| *place += begin);
        }
        let aside = self.take(&rows, &places, batch)?;
        aside.keys().for_each(|row| keep.get_mut(*row as usize).into_iter().for_each(|keep| *keep = false));
        let all = aside.is_empty() && quarantined.is_empty();
        if !aside.is_empty() {
            let rows: Vec<u32> = aside.keys().copied().collect();
            self.put(&Aside { numbers: aside.into_values().collect(), batch: batch.select(&rows) })?;
        }
        Ok(Sifted { keep: (!all).then_some(keep), quarantined })
    }

    /// Writes down what stands for rows, and where their ids stand; answers the rows that may have been there before, and the number of
    /// each.
    fn take(&self, rows: &[Row], places: &[u64], batch: &Batch) -> io::Result<BTreeMap<u32, u64>> {
        let mut put_aside = BTreeMap::new();
        let (mut passed, mut aside, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        // Each partition is locked once, and threads begin at different ones: else they would wait for each other all the way.
        let begin = rows.first().map_or(0, |row| row.contents as usize % PARTITIONS);
        let (order, starts) = by_partition(rows);
        for number in (begin..PARTITIONS).chain(0..begin) {
            let own = starts.get(number).zip(starts.get(number + 1)).and_then(|(from, to)| order.get(*from..*to));
            let Some((own, partition)) = own.filter(|own| !own.is_empty()).zip(self.partitions.get(number)) else {
                continue;
            };
            let own = own.iter().filter_map(|position| rows.get(*position as usize));
            let mut partition = locked(partition);
            partition.make_room()?;
            partition.seen.warm(own.clone().map(|row| hash(row.mark, row.window)));
            for row in own {
                let place = row.row as usize;
                let mut entry = Entry {
                    mark: row.mark,
                    window: row.window,
                    contents: row.contents,
                    aside: 0,
                    whose: row.whose,
                    input: row.input,
                    text: places.get(place).copied(),
                };
                if partition.seen.is_new(hash(row.mark, row.window)) {
                    passed.push(entry);
                    continue;
                }
                let number = self.put_aside.fetch_add(1, Ordering::Relaxed);
                put_aside.insert(row.row, number);
                entry.aside = number + 1;
                if entry.text.is_none() {
                    let mut text = Vec::new();
                    name(batch.id.get(place).unwrap_or_default(), &mut text);
                    entry.text = Some(locked(&self.dedupe.texts).append(&text)?);
                }
                aside.push(entry);
            }
            partition.entries += (passed.len() + aside.len()) as u64;
            write(&passed, &mut bytes);
            partition.passed.append(&bytes)?;
            bytes.clear();
            if !aside.is_empty() {
                write(&aside, &mut bytes);
                partition.aside.append(&bytes)?;
                bytes.clear();
            }
            passed.clear();
            aside.clear();
        }
        Ok(put_aside)
    }

    fn put(&self, aside: &Aside) -> io::Result<()> {
        let bytes = postcard::to_stdvec(aside).map_err(io::Error::other)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        locked(&self.aside).append(&[length.to_le_bytes().as_slice(), &bytes].concat())?;
        Ok(())
    }

    /// The window of a time, by its position among the run's.
    fn window(&self, time: i64) -> Option<(u32, Span)> {
        let position = self.windows.partition_point(|window| window.start <= time).checked_sub(1)?;
        let span = *self.windows.get(position)?;
        (time < span.end).then_some((self.first.saturating_add(position as u32), span))
    }
}

impl Partition {
    /// Sees to it that more can be told from what came: a filter that is full is replaced.
    fn make_room(&mut self) -> io::Result<()> {
        let Some(mut larger) = self.seen.larger() else { return Ok(()) };
        for log in [&self.passed, &self.aside] {
            log.each(|bytes| {
                read(bytes, |_| true, |entry| _ = larger.is_new(hash(entry.mark, entry.window)));
                Ok(())
            })?;
        }
        self.seen = larger;
        Ok(())
    }

    /// Frees what is needed only while records come.
    pub(super) fn forget_seen(&mut self) {
        self.seen = Seen::new();
    }
}

/// What is looked for. An id of another window is another's, until all is read.
fn hash(mark: u128, window: u32) -> u64 {
    mark as u64 ^ u64::from(window).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The positions of rows, ascending by partition and by position, and where among them those of each partition begin.
fn by_partition(rows: &[Row]) -> (Vec<u32>, [usize; PARTITIONS + 1]) {
    let mut starts = [0; PARTITIONS + 1];
    for row in rows {
        starts.get_mut(partition_of(row.mark) + 1).into_iter().for_each(|count| *count += 1);
    }
    let mut sum = 0;
    for count in &mut starts {
        sum += *count;
        *count = sum;
    }
    // Where the next one of each partition comes.
    let mut next = starts;
    let mut order = vec![0; rows.len()];
    for (position, row) in (0..).zip(rows) {
        let Some(place) = next.get_mut(partition_of(row.mark)) else { continue };
        order.get_mut(*place).into_iter().for_each(|slot| *slot = position);
        *place += 1;
    }
    (order, starts)
}

/// Adds an id as it is named where it is in doubt.
fn name(id: &str, to: &mut Vec<u8>) {
    let (shown, end) = shortened(id);
    to.extend(((shown.len() + end.len()) as u16).to_le_bytes());
    to.extend(shown.as_bytes());
    to.extend(end.as_bytes());
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
