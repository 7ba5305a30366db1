//! The records of one opening as they come: what surely is new goes on at once, what may have been there is put aside.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::Dedupe;
use super::conflict::shortened;
use super::entry::{BYTES, Entry, PARTITIONS};
use super::hashes::{Column, Texts, whose};
use super::seen::Seen;
use super::spill::Log;
use crate::model::reading::{Quarantined, Span};
use crate::model::usage::{Batch, TextColumn};

/// Entries that are brought together before they are put away, in bytes.
const ENTRIES: usize = 32 << 10;
/// The same of records that were put aside.
const ASIDE: usize = 1 << 20;

/// What has been read of one opening.
pub(in crate::pipeline) struct Sieve<'a> {
    pub(super) dedupe: &'a Dedupe,
    /// Those of the opening.
    pub(super) windows: &'a [Span],
    /// The position of the first of them among the run's.
    pub(super) first: u32,
    pub(super) partitions: Vec<Mutex<Partition>>,
    pub(super) aside: Mutex<Log>,
    /// How many records were put aside.
    pub(super) put_aside: AtomicU64,
}

pub(super) struct Partition {
    pub(super) entries: Log,
    seen: Seen,
}

/// What is left of a batch.
pub(in crate::pipeline) struct Sifted {
    /// What surely is new, or lies in none of the windows.
    pub(in crate::pipeline) batch: Batch,
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
        let partition = |_| {
            Mutex::new(Partition { entries: Log::new(&dedupe.spill, ENTRIES / BYTES * BYTES), seen: Seen::new() })
        };
        Sieve {
            dedupe,
            windows,
            first: u32::try_from(first).unwrap_or(u32::MAX),
            partitions: (0..PARTITIONS).map(partition).collect(),
            aside: Mutex::new(Log::new(&dedupe.spill, ASIDE)),
            put_aside: AtomicU64::new(0),
        }
    }

    /// Takes out of a batch what may have been there before, and what has no id. `inputs` says where each row came from. What lies in none
    /// of the windows is another's, and stays.
    pub(in crate::pipeline) fn sift(&self, batch: Batch, inputs: &TextColumn) -> io::Result<Sifted> {
        let hashes = &self.dedupe.hashes;
        let texts = Texts::of(&batch, hashes);
        let from = Column::new(inputs, |input| hashes.text(input).max(1));
        let mut rows: Vec<(u32, Entry)> = Vec::with_capacity(batch.rows());
        let mut keep = vec![true; batch.rows()];
        let (mut quarantined, mut ids, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
        let mut last: Option<(u32, Span)> = None;
        for ((row, &time), keep) in (0u32..).zip(&batch.time).zip(&mut keep) {
            let window = match last {
                Some((window, span)) if span.start <= time && time < span.end => window,
                _ => match self.window(time) {
                    Some((window, span)) => last.insert((window, span)).0,
                    None => continue,
                },
            };
            let place = row as usize;
            let Some(id) = batch.id.get(place).filter(|id| !id.is_empty()) else {
                *keep = false;
                quarantined.push(unnamed(&batch, place, time));
                continue;
            };
            let dimension = texts.dimension.of(&batch.dimension, place);
            let entry = Entry {
                mark: hashes.mark(dimension, id, &mut buffer),
                window,
                contents: texts.contents(&batch, place, hashes, &mut buffer),
                aside: 0,
                whose: whose(texts.customer.of(&batch.customer, place), dimension),
                input: from.of(inputs, place),
                text: ids.len() as u64,
            };
            let (shown, end) = shortened(id);
            ids.extend(((shown.len() + end.len()) as u16).to_le_bytes());
            ids.extend(shown.as_bytes());
            ids.extend(end.as_bytes());
            rows.push((row, entry));
        }
        let begin = if ids.is_empty() { 0 } else { locked(&self.dedupe.texts).append(&ids)? };
        let aside = self.take(rows, begin)?;
        aside.keys().for_each(|row| keep.get_mut(*row as usize).into_iter().for_each(|keep| *keep = false));
        if !aside.is_empty() {
            let rows: Vec<u32> = aside.keys().copied().collect();
            let aside = Aside { numbers: aside.into_values().collect(), batch: batch.select(&rows) };
            self.put(&aside)?;
        }
        if keep.iter().all(|keep| *keep) {
            return Ok(Sifted { batch, quarantined });
        }
        let left: Vec<u32> = (0..).zip(&keep).filter(|(_, keep)| **keep).map(|(row, _)| row).collect();
        Ok(Sifted { batch: batch.select(&left), quarantined })
    }

    /// Writes entries down, whose ids stand behind this place; answers the rows that may have been there before, and the number of each.
    fn take(&self, mut rows: Vec<(u32, Entry)>, begin: u64) -> io::Result<BTreeMap<u32, u64>> {
        let mut aside = BTreeMap::new();
        let mut entries = Vec::new();
        // Each partition is locked once.
        rows.sort_unstable_by_key(|(row, entry)| (Entry::partition(entry.mark), *row));
        for own in rows.chunk_by_mut(|(_, left), (_, right)| Entry::partition(left.mark) == Entry::partition(right.mark)) {
            let Some(partition) = own.first().map(|(_, entry)| Entry::partition(entry.mark)) else { continue };
            let Some(partition) = self.partitions.get(partition) else { continue };
            let mut partition = locked(partition);
            for (row, entry) in own {
                entry.text += begin;
                // An id of another window is another's, until all is read.
                let hash = entry.mark as u64 ^ u64::from(entry.window).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                if !partition.seen.is_new(hash) {
                    let number = self.put_aside.fetch_add(1, Ordering::Relaxed);
                    aside.insert(*row, number);
                    entry.aside = number + 1;
                }
                entries.extend(entry.bytes());
            }
            for entry in entries.chunks(BYTES) {
                partition.entries.append(entry)?;
            }
            entries.clear();
        }
        Ok(aside)
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
    /// Without what was needed while records came.
    pub(super) fn into_entries(self) -> Log {
        self.entries
    }

    /// Frees what is needed while records come only.
    pub(super) fn forget_seen(&mut self) {
        self.seen = Seen::new();
    }
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
