//! Readings of one opening, and the doubts that reach out of it: a record that cannot be used may lie in a window that another opening
//! reads, from other inputs.

use std::collections::HashSet;
use std::ops::Range;

use super::astray::Astray;
use super::gathered::Reading;
use super::quarantine::{Quarantine, touched};
use crate::model::reading::{Quarantined, Span, Unreadable};

/// What was read of some of a run's windows.
pub(super) struct Opening {
    /// The positions of its windows among all of the run's.
    pub(super) own: Range<usize>,
    /// One a window.
    pub(super) readings: Vec<Reading>,
    pub(super) astray: Astray,
    pub(super) quarantined: Quarantine,
    pub(super) unreadable: Vec<Unreadable>,
}

/// What is in doubt in windows of which it was not read.
#[derive(Default)]
struct Beyond {
    quarantined: Vec<(Range<usize>, Vec<Quarantined>)>,
    unreadable: Vec<(Range<usize>, Unreadable)>,
}

/// Puts what an opening found and could not use into the windows of the others that it may belong to. `windows` are the run's.
pub(super) fn share_doubts(openings: &mut [Opening], windows: &[Span]) {
    let beyond: Vec<Beyond> = openings.iter().map(|opening| opening.beyond(windows)).collect();
    for (number, opening) in openings.iter_mut().enumerate() {
        let others: Vec<&Beyond> =
            beyond.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, beyond)| beyond).collect();
        if others.iter().any(|beyond| !beyond.quarantined.is_empty() || !beyond.unreadable.is_empty()) {
            opening.take(&others);
        }
    }
}

impl Opening {
    fn beyond(&self, windows: &[Span]) -> Beyond {
        let unreadable = self.unreadable.iter().map(|found| (touched(found.span.as_ref(), windows), found.clone()));
        let outside = |range: &Range<usize>| range.start < self.own.start || range.end > self.own.end;
        Beyond {
            quarantined: self.quarantined.beyond(&self.own).collect(),
            unreadable: unreadable.filter(|(range, _)| outside(range)).collect(),
        }
    }

    fn take(&mut self, others: &[&Beyond]) {
        // What this opening read itself it speaks of itself.
        let read: HashSet<String> = self.readings.iter().flat_map(Reading::keys).map(str::to_owned).collect();
        for (position, reading) in self.own.clone().zip(&mut self.readings) {
            for beyond in others {
                let records = beyond.quarantined.iter().filter(|(range, _)| range.contains(&position));
                let records = records.flat_map(|(_, records)| records).filter(|record| !read.contains(&record.input));
                reading.quarantined.extend(records.cloned());
                let inputs = beyond.unreadable.iter().filter(|(range, _)| range.contains(&position));
                let inputs = inputs.map(|(_, found)| found).filter(|found| !read.contains(&found.input));
                reading.unreadable.extend(inputs.cloned());
            }
        }
    }
}
