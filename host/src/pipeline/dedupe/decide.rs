//! What was put aside of an opening, decided once all of it is read.
//!
//! Of the records under one id in one window, one of each different content is passed on. Which of several that say the same makes no
//! difference to anybody, so that nothing depends on the order in which readers come.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::conflict::{Found, Other};
use super::entry::{Entry, Slice, slices};
use super::sieve::{Aside, Partition, Sieve, locked};
use super::spill::Log;
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
    found: Found,
}

impl Sieve<'_> {
    /// Decides what was put aside. All is read.
    pub(in crate::pipeline) fn decide(&self, threads: usize) -> io::Result<Decided> {
        self.partitions.iter().for_each(|partition| locked(partition).forget_seen());
        let entries = |partition: &Mutex<Partition>| locked(partition).entries;
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
                            self.judge(&self.in_question(slice)?, &mut part, &passes)?;
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
        let Part { duplicates, found } = parts.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        locked(&self.dedupe.found).join(found);
        locked(&self.dedupe.windows).extend(locked(&self.found_in).iter());
        let own = |(window, records): (u32, u64)| ((window - self.first) as usize, records);
        Ok(Decided { duplicates: duplicates.into_iter().map(own).collect(), passes })
    }

    /// The entries that were put aside, and all others under their marks, in order.
    fn in_question(&self, slice: &Slice) -> io::Result<Vec<Entry>> {
        let own = self.partitions.get(slice.partitions.clone()).unwrap_or_default();
        let guards: Vec<_> = own.iter().map(locked).collect();
        let mut entries = Vec::new();
        slice.load(guards.iter().map(|partition| &partition.aside), |_| true, &mut entries)?;
        if entries.is_empty() {
            return Ok(entries);
        }
        // Of most marks one bit tells that none of them was put aside.
        let mut marks: Vec<u128> = entries.iter().map(|entry| entry.mark).collect();
        marks.sort_unstable();
        marks.dedup();
        let bits = (marks.len() * 32).next_power_of_two();
        let place = |mark: u128| (mark as usize & (bits - 1), 1_u8 << (mark as usize & 7));
        let mut few = vec![0_u8; bits.div_ceil(8)];
        for (place, bit) in marks.iter().map(|mark| place(*mark)) {
            few.get_mut(place >> 3).into_iter().for_each(|byte| *byte |= bit);
        }
        let wanted = |mark| {
            let (place, bit) = place(mark);
            few.get(place >> 3).is_some_and(|byte| byte & bit != 0) && marks.binary_search(&mark).is_ok()
        };
        slice.load(guards.iter().map(|partition| &partition.passed), wanted, &mut entries)?;
        entries.sort_unstable();
        Ok(entries)
    }

    fn judge(&self, entries: &[Entry], part: &mut Part, passes: &[AtomicU64]) -> io::Result<()> {
        for group in entries.chunk_by(|left, right| (left.mark, left.window) == (right.mark, right.window)) {
            let Some(one) = group.first() else { continue };
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
                let text = group.iter().find_map(|entry| entry.text).unwrap_or_default();
                let id = text_at(&locked(&self.dedupe.texts), text)?;
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
            let Partition { passed, aside, entries: many, .. } =
                partition.into_inner().unwrap_or_else(PoisonError::into_inner);
            let mut logs = [passed, aside];
            logs.iter_mut().try_for_each(Log::rest)?;
            entries.push((many, logs));
        }
        let mut kept = locked(&self.dedupe.kept);
        kept.push(Kept { entries });
        // Of earlier openings something may still be in memory that there is no room for any more.
        let logs = kept.iter_mut().flat_map(|kept| &mut kept.entries).flat_map(|(_, logs)| logs);
        logs.into_iter().try_for_each(Log::make_room)
    }
}

impl Part {
    fn join(&mut self, other: Part) {
        for (window, records) in other.duplicates {
            *self.duplicates.entry(window).or_default() += records;
        }
        self.found.join(other.found);
    }
}
