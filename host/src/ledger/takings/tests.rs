//! Takings that are merged give the same answers as before.

use super::*;
use crate::ledger::entry::Entry;
use crate::ledger::ids::{Billed, Draft};
use crate::ledger::place::Place;
use crate::model::window::{Window, WindowKind};

/// Adds a taking of one group with these records.
fn take(takings: &mut Takings, shelf: &Shelf, records: &[u128], contents: u64) {
    let mut draft = Draft::begin(shelf, Window::parse(WindowKind::Hour, "2026-02-15T14").unwrap()).unwrap();
    let mut records = records.to_vec();
    records.sort_unstable();
    records.iter().for_each(|mark| draft.push(&Billed { mark: *mark, contents, input: 0 }).unwrap());
    let segment = draft.publish().unwrap().unwrap();
    let group = Group { charges: Vec::new(), first: Vec::new(), waived: None, records: records.len() as u64 };
    let names = Blob { name: String::new(), bytes: 0, sha256: Default::default() };
    takings.add(segment, Taking { claim: None, names, groups: vec![group], told: vec![None] }, IdKey([7; 16])).unwrap();
}

#[test]
fn thousands_of_takings_leave_some_dozens_of_segments_that_answer_as_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Place::sqlite(&folder.path().join("a.db")).shelf();
    let mut takings = Takings::default();
    let mark = |number: u64| u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 40;
    let mut most = 0;
    for number in 0..1100_u64 {
        // One record of its own, and one that is taken again and again.
        take(&mut takings, &shelf, &[mark(number + 1), mark(0)], number);
        while let Some(Entry::Merged { window, segment, records, sha256, takings: range }) =
            takings.merged(&shelf).unwrap()
        {
            takings.merge(Segment { window, name: segment, ids: records, sha256 }, range).unwrap();
        }
        most = most.max(takings.parts.len());
    }
    assert!(most < 70, "{most} segments at once");
    let mut wanted: Vec<u128> = (0..1200).map(mark).collect();
    wanted.sort_unstable();
    let found = takings.lookup(&shelf).unwrap().find(&wanted).unwrap();
    assert_eq!(found.len(), 1101);
    for number in 0..1100_u64 {
        let taken = found[&mark(number + 1)];
        assert_eq!((taken.taking as u64, taken.group, taken.contents), (number, 0, number));
    }
    assert_eq!(found[&mark(0)].taking, 1099, "the last time counts");
}

#[test]
fn a_merged_segment_has_to_hold_what_the_others_held() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Place::sqlite(&folder.path().join("a.db")).shelf();
    let mut takings = Takings::default();
    (0..3).for_each(|number| take(&mut takings, &shelf, &[number], 0));
    let one = takings.parts[0].segment.clone();
    for range in [(0, 2), (1, 4), (0, 9), (5, 6), (1, 1)] {
        assert!(takings.clone().merge(one.clone(), range).is_err(), "{range:?}");
    }
}
