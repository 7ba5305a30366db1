//! The ids of records whose charges are frozen: written beside the ledger, and named by entries that belong into the same step.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::thread;

use super::entry::Slice;
use super::spill::Log;
use super::{Dedupe, Trouble};
use crate::ledger::{Billed, Draft, EVERY, Entry, Finder, Ids, Shelf};
use crate::model::charge::Share;
use crate::model::window::Window;
use crate::pipeline::charges::{Assessment, Difference, Place};

/// Bytes of an id on its way.
const BYTES: usize = 32;
/// So many are brought together before they are put away.
const TOGETHER: usize = 32 << 10;

/// Whose records of what go into charges that are about to be frozen: by the position of their window, customers and dimensions of the
/// input.
type Frozen = HashSet<(usize, String, String)>;

/// Of what was assessed of windows, by `windows`, the run's, what is about to be frozen.
pub(in crate::pipeline) fn frozen<'a>(
    windows: &[Window],
    assessed: impl Iterator<Item = (&'a Window, &'a Assessment)>,
) -> Frozen {
    let mut frozen = Frozen::new();
    for (window, assessment) in assessed {
        let Ok(position) = windows.binary_search(window) else { continue };
        let mut of_customer: HashMap<&str, Vec<&str>> = HashMap::new();
        for pair in assessment.tally.keys() {
            of_customer.entry(&pair.customer).or_default().push(&pair.dimension);
        }
        let by_hand = assessment.by_hand.iter().map(|(charge, ..)| charge);
        let charges = assessment.proposals.iter().chain(&assessment.taken_over).chain(by_hand);
        let frozen_now = charges.flat_map(|charge| Share::all(&charge.key, &charge.origins, &charge.parts));
        // Late usage goes into the charge of another window; of what waits for one, nobody has to read it again.
        let is_carried = |difference: &Difference| matches!(difference.place, Place::Carried(_) | Place::Waits(_));
        let late = assessment.lines.iter().filter(|line| line.difference.as_ref().is_some_and(is_carried));
        for share in frozen_now.chain(late.flat_map(|line| line.shares())) {
            for (dimension, _) in share.origins {
                // A line that looks at every dimension is made of all that the customer has.
                let every = of_customer.get(share.customer).filter(|_| dimension == EVERY);
                let own = every.into_iter().flatten().copied().chain([dimension.as_str()]);
                frozen.extend(own.map(|dimension| (position, share.customer.to_owned(), dimension.to_owned())));
            }
        }
    }
    frozen
}

impl Dedupe {
    /// Writes the ids of these records where the ledger keeps ids; answers what is to be written down with the charges. What the ledger
    /// knows already of a window is not written again. `windows` are the run's.
    pub(in crate::pipeline) fn bill(
        &self,
        frozen: &Frozen,
        ids: &Ids,
        shelf: &Shelf,
        windows: &[Window],
    ) -> Result<Vec<Entry>, Trouble> {
        let frozen: HashSet<(u32, u64)> = frozen
            .iter()
            .map(|(window, customer, dimension)| (*window as u32, self.whose(customer, dimension)))
            .collect();
        if frozen.is_empty() {
            return Ok(Vec::new());
        }
        let mut known: BTreeMap<u32, Vec<Finder<'_>>> = BTreeMap::new();
        for (position, window) in (0u32..).zip(windows) {
            for segment in ids.segments().filter(|segment| segment.window == *window) {
                known.entry(position).or_default().push(Finder::open(shelf, segment)?);
            }
        }
        let mut logs: BTreeMap<u32, Log> = BTreeMap::new();
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        for slices in self.slices().chunks(threads) {
            let of_slices: Vec<Result<_, Trouble>> = thread::scope(|scope| {
                let (frozen, known) = (&frozen, &known);
                let of_slice = |slice| scope.spawn(move || self.of_slice(slice, frozen, known));
                let working: Vec<_> = slices.iter().map(of_slice).collect();
                let done = |thread: thread::ScopedJoinHandle<'_, _>| {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                working.into_iter().map(done).collect()
            });
            // In the order of their marks.
            for of_slice in of_slices {
                for (window, id) in of_slice? {
                    let log = logs.entry(window).or_insert_with(|| Log::new(&self.spill, TOGETHER * BYTES));
                    log.append(&bytes(&id))?;
                }
            }
        }
        let mut entries = Vec::new();
        for (position, log) in logs {
            let Some(window) = windows.get(position as usize) else { continue };
            let mut draft = Draft::begin(shelf, *window)?;
            let mut failed = None;
            log.each(|bytes| {
                let ids = bytes.chunks_exact(BYTES).map(billed);
                failed = failed.take().or_else(|| ids.map(|id| draft.push(&id)).find_map(Result::err));
                Ok(())
            })?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            if let Some(segment) = draft.publish()? {
                let (window, segment, ids, sha256) = (segment.window, segment.name, segment.ids, segment.sha256);
                entries.push(Entry::Ids { window, segment, ids, sha256, key: self.key });
            }
        }
        Ok(entries)
    }
}

impl Dedupe {
    /// The ids of a slice that are billed now, ascending, with the position of their window.
    fn of_slice(
        &self,
        slice: &Slice,
        frozen: &HashSet<(u32, u64)>,
        known: &BTreeMap<u32, Vec<Finder<'_>>>,
    ) -> Result<Vec<(u32, Billed)>, Trouble> {
        let mut entries = self.load(slice)?;
        entries.retain(|entry| frozen.contains(&(entry.window, entry.whose)));
        let known = known_of(&entries, known)?;
        // Of those that say the same one is enough; its input is the least, so that it is always the same.
        let same = entries.chunk_by(|left, right| {
            (left.mark, left.window, left.contents) == (right.mark, right.window, right.contents)
        });
        let billed = same.filter_map(|same| {
            let one = same.first().filter(|one| !known.contains(&(one.window, one.mark, one.contents)))?;
            let input = same.iter().map(|entry| entry.input).min().unwrap_or_default();
            Some((one.window, Billed { mark: one.mark, contents: one.contents, input }))
        });
        Ok(billed.collect())
    }
}

/// Which of these entries the ledger has of their own windows.
fn known_of(
    entries: &[super::entry::Entry],
    known: &BTreeMap<u32, Vec<Finder<'_>>>,
) -> Result<HashSet<(u32, u128, u64)>, Trouble> {
    let mut found = HashSet::new();
    for (window, finders) in known {
        let own = entries.iter().filter(|entry| entry.window == *window);
        let mut marks: Vec<u128> = own.map(|entry| entry.mark).collect();
        marks.dedup();
        for finder in finders {
            found.extend(finder.find(&marks)?.iter().map(|billed| (*window, billed.mark, billed.contents)));
        }
    }
    Ok(found)
}

fn bytes(id: &Billed) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let parts = [id.mark as u64, (id.mark >> 64) as u64, id.contents, id.input];
    bytes.chunks_exact_mut(8).zip(parts).for_each(|(bytes, part)| bytes.copy_from_slice(&part.to_le_bytes()));
    bytes
}

fn billed(bytes: &[u8]) -> Billed {
    let part =
        |at: usize| bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    Billed { mark: u128::from(part(8)) << 64 | u128::from(part(0)), contents: part(16), input: part(24) }
}
