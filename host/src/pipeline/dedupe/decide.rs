//! What was put aside of an opening, decided once all of it is read.
//!
//! Of the records under one id in one window, one of each different content is passed on. Which of several that say the same makes no
//! difference to anybody, so that nothing depends on the order in which readers come.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::conflict::{Found, Other};
use super::entry::{BYTES, Entry, slices};
use super::sieve::{Aside, Partition, Sieve, locked};
use super::{Kept, text_at};
use crate::model::usage::Batch;

/// What is decided of an opening.
pub(in crate::pipeline) struct Decided {
    /// By window: how many records were dropped, since one like them was there.
    pub(in crate::pipeline) duplicates: BTreeMap<usize, u64>,
    /// One bit for each record that was put aside: whether it is passed on.
    passes: Vec<AtomicU64>,
}

/// What one thread comes to.
#[derive(Default)]
struct Part {
    duplicates: BTreeMap<u32, u64>,
    windows: BTreeSet<u32>,
    found: Found,
}

impl Sieve<'_> {
    /// Decides what was put aside. All is read.
    pub(in crate::pipeline) fn decide(&self, threads: usize) -> io::Result<Decided> {
        self.partitions.iter().for_each(|partition| locked(partition).forget_seen());
        let entries = |partition: &Mutex<Partition>| locked(partition).entries.length() / BYTES as u64;
        let slices = slices(&self.partitions.iter().map(entries).collect::<Vec<_>>());
        let words = self.put_aside.load(Ordering::Relaxed).div_ceil(64);
        let passes: Vec<AtomicU64> = (0..words).map(|_| AtomicU64::new(0)).collect();
        let next = AtomicUsize::new(0);
        let parts: Mutex<io::Result<Part>> = Mutex::new(Ok(Part::default()));
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let work = || {
                        let mut part = Part::default();
                        while let Some(slice) = slices.get(next.fetch_add(1, Ordering::Relaxed)) {
                            let entries = slice.clone().partitions.flat_map(|partition| self.partitions.get(partition));
                            let guards: Vec<_> = entries.map(locked).collect();
                            let entries = slice.load(guards.iter().map(|partition| &partition.entries))?;
                            drop(guards);
                            self.judge(&entries, &mut part, &passes)?;
                        }
                        Ok(part)
                    };
                    let done: io::Result<Part> = work();
                    match (&mut *locked(&parts), done) {
                        (Ok(all), Ok(part)) => all.join(part),
                        (all, Err(error)) => *all = Err(error),
                        (Err(_), Ok(_)) => {}
                    }
                });
            }
        });
        let Part { duplicates, windows, found } = parts.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        locked(&self.dedupe.found).join(found);
        locked(&self.dedupe.windows).extend(windows);
        let own = |(window, records): (u32, u64)| ((window - self.first) as usize, records);
        Ok(Decided { duplicates: duplicates.into_iter().map(own).collect(), passes })
    }

    fn judge(&self, entries: &[Entry], part: &mut Part, passes: &[AtomicU64]) -> io::Result<()> {
        for group in entries.chunk_by(|left, right| (left.mark, left.window) == (right.mark, right.window)) {
            let Some(one) = group.first() else { continue };
            part.windows.insert(one.window);
            let mut differ = 0;
            for same in group.chunk_by(|left, right| left.contents == right.contents) {
                differ += 1;
                if same.len() > 1 {
                    *part.duplicates.entry(one.window).or_default() += same.len() as u64 - 1;
                }
                let Some(number) = same.first().and_then(|first| first.aside.checked_sub(1)) else { continue };
                if let Some(word) = passes.get((number / 64) as usize) {
                    word.fetch_or(1 << (number % 64), Ordering::Relaxed);
                }
            }
            if differ > 1 {
                let mut whose: Vec<u64> = group.iter().map(|entry| entry.whose).collect();
                whose.sort_unstable();
                whose.dedup();
                let id = text_at(&locked(&self.dedupe.texts), one.text)?;
                whose.into_iter().for_each(|whose| part.found.add(one.window, whose, Other::Here, id.clone()));
            }
        }
        Ok(())
    }

    /// Hands out what was put aside and is passed on after all.
    pub(in crate::pipeline) fn late(&self, decided: &Decided, mut pass: impl FnMut(Batch)) -> io::Result<()> {
        let passes = |number: &u64| {
            let word = decided.passes.get((number / 64) as usize).map_or(0, |word| word.load(Ordering::Relaxed));
            word >> (number % 64) & 1 == 1
        };
        locked(&self.aside).each(|mut bytes| {
            while let Some((length, rest)) = bytes.split_first_chunk() {
                let length = u32::from_le_bytes(*length) as usize;
                let (own, others) = rest.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
                bytes = others;
                let Aside { numbers, batch } = postcard::from_bytes(own).map_err(io::Error::other)?;
                let rows: Vec<u32> =
                    (0..).zip(&numbers).filter(|(_, number)| passes(number)).map(|(row, _)| row).collect();
                if !rows.is_empty() {
                    pass(batch.select(&rows));
                }
            }
            Ok(())
        })
    }

    /// The opening is of use: what is known of its records is kept for the run.
    pub(in crate::pipeline) fn keep(self) -> io::Result<()> {
        let mut entries = Vec::with_capacity(self.partitions.len());
        for partition in self.partitions {
            let mut log = partition.into_inner().unwrap_or_else(PoisonError::into_inner).into_entries();
            log.rest()?;
            entries.push(log);
        }
        let mut kept = locked(&self.dedupe.kept);
        kept.push(Kept { entries });
        // Of earlier openings something may still be in memory that there is no room for any more.
        kept.iter_mut().flat_map(|kept| &mut kept.entries).try_for_each(|log| log.make_room())
    }
}

impl Part {
    fn join(&mut self, other: Part) {
        for (window, records) in other.duplicates {
            *self.duplicates.entry(window).or_default() += records;
        }
        self.windows.extend(other.windows);
        self.found.join(other.found);
    }
}
