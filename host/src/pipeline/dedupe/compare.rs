//! Records of different windows under one id: of the run, and of those that were billed before.
//!
//! | a record stands under an id that | |
//! |---|---|
//! | was billed in its own window, and says the same as then | it is what was billed: nothing else puts it in doubt |
//! | was billed in another window | what its customer owes for the dimension is held |
//! | another window of this run has, and neither is billed | what both customers owe for it is held |
//!
//! Time is a part of what records say, and windows have no time in common: under one id in two of them, records differ.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::conflict::{Found, Other};
use super::entry::Entry;
use super::sieve::locked;
use super::{Dedupe, Trouble, text_at};
use crate::ledger::{Finder, Ids, Shelf};
use crate::model::window::Window;
use crate::pipeline::opening::Opening;

impl Dedupe {
    /// Says of each reading which ids put something in doubt: in its window, in the others of the run, in those that were billed before.
    /// `windows` are the run's.
    pub(in crate::pipeline) fn share(
        &self,
        ids: &Ids,
        shelf: &Shelf,
        windows: &[Window],
        openings: &mut [Opening],
    ) -> Result<(), Trouble> {
        self.compare(ids, shelf, windows)?;
        for opening in openings {
            for (window, reading) in opening.own.clone().zip(&mut opening.readings) {
                reading.conflicts = self.conflicts(window, reading.tally.keys());
            }
        }
        Ok(())
    }

    pub(super) fn compare(&self, ids: &Ids, shelf: &Shelf, windows: &[Window]) -> Result<(), Trouble> {
        let read: BTreeSet<u32> = locked(&self.windows).clone();
        let read_in: BTreeSet<Window> =
            read.iter().filter_map(|window| windows.get(*window as usize).copied()).collect();
        let is_other = |window: &Window| read_in.iter().any(|read| read != window);
        if read.len() < 2 && !ids.segments().any(|segment| is_other(&segment.window)) {
            return Ok(());
        }
        let finders = Finder::open_all(shelf, &ids.segments().collect::<Vec<_>>())?;
        let comparison = Comparison { dedupe: self, finders, windows };
        let slices = self.slices();
        let next = AtomicUsize::new(0);
        let all: Mutex<Result<Found, Trouble>> = Mutex::new(Ok(Found::default()));
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
                scope.spawn(|| {
                    let work = || {
                        let mut found = Found::default();
                        while let Some(slice) = slices.get(next.fetch_add(1, Ordering::Relaxed)) {
                            comparison.look(&self.load(slice)?, &mut found)?;
                        }
                        Ok(found)
                    };
                    let done: Result<Found, Trouble> = work();
                    match (&mut *locked(&all), done) {
                        (Ok(all), Ok(found)) => all.join(found),
                        (all, Err(error)) => *all = Err(error),
                        (Err(_), Ok(_)) => {}
                    }
                });
            }
        });
        locked(&self.found).join(all.into_inner().unwrap_or_else(PoisonError::into_inner)?);
        Ok(())
    }
}

struct Comparison<'a> {
    dedupe: &'a Dedupe,
    finders: Vec<Finder<'a>>,
    windows: &'a [Window],
}

impl Comparison<'_> {
    fn look(&self, entries: &[Entry], found: &mut Found) -> Result<(), Trouble> {
        let elsewhere = self.elsewhere(entries)?;
        let own = self.own(entries, &elsewhere)?;
        for group in entries.chunk_by(|left, right| left.mark == right.mark) {
            let Some(one) = group.first() else { continue };
            let billed = elsewhere.get(&one.mark);
            let is_alone = group.iter().all(|entry| entry.window == one.window);
            if is_alone && billed.is_none() {
                continue;
            }
            // Several records of a group may hold the same; the id is named once.
            let mut held: BTreeSet<(u32, u64, Other)> = BTreeSet::new();
            for entry in group.iter().filter(|entry| !own.contains(&(entry.mark, entry.window, entry.contents))) {
                let here = self.windows.get(entry.window as usize);
                let billed = billed.and_then(|windows| windows.iter().find(|window| Some(*window) != here));
                let read = || {
                    let other = group.iter().map(|other| other.window).find(|other| *other != entry.window)?;
                    self.windows.get(other as usize)
                };
                let other = billed.map(|window| Other::Billed(*window));
                if let Some(other) = other.or_else(|| read().map(|window| Other::Read(*window))) {
                    held.insert((entry.window, entry.whose, other));
                }
            }
            if !held.is_empty() {
                let text = group.iter().find_map(|entry| entry.text).unwrap_or_default();
                let id = text_at(&locked(&self.dedupe.texts), text)?;
                held.into_iter().for_each(|(window, whose, other)| found.add(window, whose, other, id.clone()));
            }
        }
        Ok(())
    }

    /// Of the marks of these entries, those that were billed in another window than theirs, and in which.
    fn elsewhere(&self, entries: &[Entry]) -> Result<BTreeMap<u128, BTreeSet<Window>>, Trouble> {
        let mut elsewhere: BTreeMap<u128, BTreeSet<Window>> = BTreeMap::new();
        for finder in &self.finders {
            let window = finder.segment().window;
            let others = entries.iter().filter(|entry| self.windows.get(entry.window as usize) != Some(&window));
            let mut marks: Vec<u128> = others.map(|entry| entry.mark).collect();
            marks.dedup();
            for billed in finder.find(&marks)? {
                elsewhere.entry(billed.mark).or_default().insert(window);
            }
        }
        Ok(elsewhere)
    }

    /// Of the entries that stand in two windows, or were billed elsewhere, those that were billed in their own as they are.
    fn own(
        &self,
        entries: &[Entry],
        elsewhere: &BTreeMap<u128, BTreeSet<Window>>,
    ) -> Result<HashSet<(u128, u32, u64)>, Trouble> {
        let mut wanted: BTreeMap<u32, Vec<u128>> = BTreeMap::new();
        for group in entries.chunk_by(|left, right| left.mark == right.mark) {
            let Some(one) = group.first() else { continue };
            if group.iter().any(|entry| entry.window != one.window) || elsewhere.contains_key(&one.mark) {
                let windows: BTreeSet<u32> = group.iter().map(|entry| entry.window).collect();
                windows.into_iter().for_each(|window| wanted.entry(window).or_default().push(one.mark));
            }
        }
        let mut own = HashSet::new();
        for (position, marks) in wanted {
            let Some(window) = self.windows.get(position as usize) else { continue };
            for finder in self.finders.iter().filter(|finder| finder.segment().window == *window) {
                own.extend(finder.find(&marks)?.iter().map(|billed| (billed.mark, position, billed.contents)));
            }
        }
        Ok(own)
    }
}
