//! Which records went into what is about to be frozen: written beside the ledger, and named by an entry of the same step.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::intake::{Handed, Intake};
use super::together::{Fates, Goes};
use crate::ledger::{Billed, Draft, Entry, Group, LedgerError, Made, Shelf, State, Taken};
use crate::model::charge::ChargeId;
use crate::model::usage::Batch;
use crate::model::window::{Window, WindowKind};
use crate::pipeline::tally::Pair;

/// Records on their way into one group.
#[derive(Default)]
struct Gathering<'a> {
    names: Vec<&'a str>,
    /// What stands for each, and for what it says.
    marks: Vec<(u128, u64)>,
}

/// What groups records: the same charges, or the same reason for none.
type GroupKey = (Vec<Made>, Option<String>);

/// Writes down the records that went into what is frozen; answers the entry that belongs into the same step, and which of them were taken
/// before. Nothing where none were taken.
///
/// # Errors
/// They cannot be written beside the ledger.
pub(in crate::pipeline) fn taking(
    intake: &Intake,
    fates: &Fates,
    kind: WindowKind,
    shelf: &Shelf,
) -> Result<Option<(Entry, Vec<Taken>)>, LedgerError> {
    let Some(marks) = &intake.marks else { return Ok(None) };
    let mut groups: BTreeMap<GroupKey, Gathering<'_>> = BTreeMap::new();
    let (mut first_window, mut again): (Option<Window>, Vec<Taken>) = (None, Vec::new());
    let mut decided = BTreeSet::new();
    for Handed { batch, references, keep, contents } in &intake.pages {
        let mut fate_of = FateOf::new(fates, kind, batch);
        let mut row = 0;
        while row < batch.rows() {
            let Some(reference) = references.get(row) else { break };
            let rows = row..(row + 1..batch.rows())
                .find(|next| references.get(*next) != Some(reference))
                .unwrap_or(batch.rows());
            row = rows.end;
            if keep.as_ref().is_some_and(|keep| keep.get(rows.start) == Some(&false)) {
                continue;
            }
            let says = contents.get(rows.start).copied().unwrap_or_default();
            let Some((goes, window)) = fate_of.rows(rows) else { continue };
            first_window = first_window.or(Some(window));
            decided.extend(goes.decided);
            let gathering = groups.entry((goes.charges, goes.waived)).or_default();
            gathering.names.push(reference);
            gathering.marks.push((marks.mark(reference), says));
            again.extend(intake.retried.get(reference));
        }
    }
    let Some(window) = first_window else { return Ok(None) };
    let mut begun: HashSet<ChargeId> = HashSet::new();
    let (mut all, mut entries, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for ((charges, waived), gathering) in groups {
        let first = charges.iter().map(|(id, _)| *id).filter(|id| begun.insert(*id)).collect();
        let group = entries.len() as u64;
        all.extend(gathering.marks.into_iter().map(|(mark, contents)| Billed { mark, contents, input: group }));
        entries.push(Group { charges, first, waived, records: gathering.names.len() as u64 });
        names.push(gathering.names);
    }
    all.sort_unstable();
    let mut draft = Draft::begin(shelf, window)?;
    for one in &all {
        draft.push(one)?;
    }
    let Some(segment) = draft.publish()? else { return Ok(None) };
    let names = shelf.write_names(&names)?;
    let (segment, records, sha256) = (segment.name, segment.ids, segment.sha256);
    let decided = decided.into_iter().collect();
    Ok(Some((
        Entry::Taken { window, segment, records, sha256, key: marks.key, names, groups: entries, decided },
        again,
    )))
}

/// What rows that go to the same place have in common: the start of their window, and the positions of their texts.
type Alike = (i64, [u32; 3]);

/// Where the rows of a batch go.
struct FateOf<'a> {
    fates: &'a Fates,
    kind: WindowKind,
    batch: &'a Batch,
    /// What was found last: most rows are alike.
    known: HashMap<Alike, Option<(&'a Goes, Window)>>,
}

impl<'a> FateOf<'a> {
    fn new(fates: &'a Fates, kind: WindowKind, batch: &'a Batch) -> Self {
        FateOf { fates, kind, batch, known: HashMap::new() }
    }

    fn row(&mut self, row: usize) -> Option<(&'a Goes, Window)> {
        let batch = self.batch;
        let time = Timestamp::from_millisecond(*batch.time.get(row)?).ok()?;
        let window = Window::containing(self.kind, time);
        let columns = [&batch.product, &batch.customer, &batch.dimension];
        let place = (window.start().as_millisecond(), columns.map(|column| column.index(row)));
        *self.known.entry(place).or_insert_with(|| {
            let [product, customer, dimension] = columns.map(|column| column.get(row).unwrap_or_default().to_owned());
            let goes = self.fates.get(&(window, Pair { product, customer, dimension }))?;
            Some((goes, window))
        })
    }

    /// Where a record goes, all of its rows together; nothing where one of them goes nowhere yet.
    fn rows(&mut self, rows: std::ops::Range<usize>) -> Option<(Goes, Window)> {
        let mut all = Goes::default();
        let mut first = None;
        for row in rows {
            let (goes, window) = self.row(row)?;
            first = first.or(Some(window));
            all.charges.extend(&goes.charges);
            all.waived = all.waived.take().or_else(|| goes.waived.clone());
            all.decided.extend(goes.decided.iter().cloned());
        }
        all.charges.sort_unstable();
        all.charges.dedup();
        if !all.charges.is_empty() {
            all.waived = None;
        }
        Some((all, first?))
    }
}

/// That records of charges which were refused are usage again: of those that are made anew in the same step, how many records stay refused;
/// of the others, how many do not.
pub(in crate::pipeline) fn retried(state: &State, again: &[Taken], revised: &HashSet<ChargeId>) -> Vec<Entry> {
    // Records of the charge as it is now, and as it was before.
    let mut retaken: BTreeMap<ChargeId, (u64, u64)> = BTreeMap::new();
    for (id, revision) in again.iter().filter_map(|taken| state.takings().group(taken)).flat_map(|group| &group.charges)
    {
        let Some(charge) = state.charge(id) else { continue };
        let (now, before) = retaken.entry(charge.charge().id()).or_default();
        let count = if charge.revision() == *revision { now } else { before };
        *count += 1;
    }
    let mut entries = Vec::new();
    for (id, (now, before)) in retaken {
        let Some(charge) = state.charge(&id) else { continue };
        let mut left = charge.left().saturating_sub(before);
        if revised.contains(&id) {
            left += charge.records().saturating_sub(now);
        } else if now > 0 && charge.is_refused() && !charge.is_final() {
            entries.push(Entry::Withdrawn { charge: id, records: now });
        }
        if left != charge.left() {
            entries.push(Entry::Left { charge: id, records: left });
        }
    }
    entries
}
