//! A segment gives back what was put in, and nothing that it was not given; what was changed in it is seen.

use super::filter::Filter;
use super::*;
use crate::ledger::place::Place;
use crate::model::window::WindowKind;

fn window() -> Window {
    Window::parse(WindowKind::Month, "2025-06").unwrap()
}

/// Spread as hashes are, ascending.
fn ids(count: u64) -> Vec<Billed> {
    let mix = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 7);
    let id = |number| Billed {
        mark: u128::from(mix(number)) << 64 | u128::from(mix(number ^ 0x5555)),
        contents: number,
        input: number % 3,
    };
    let mut ids: Vec<Billed> = (1..=count).map(id).collect();
    ids.sort();
    ids
}

fn written(shelf: &Shelf, ids: &[Billed]) -> Segment {
    let mut draft = Draft::begin(shelf, window()).unwrap();
    ids.iter().for_each(|id| draft.push(id).unwrap());
    draft.publish().unwrap().unwrap()
}

#[test]
fn what_was_put_in_is_found_and_nothing_else_whatever_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Place::sqlite(&folder.path().join("a.db")).shelf();
    for count in [1, 2, 4095, 4096, 4097, 64 * 4096, 64 * 4096 + 1, 300_000] {
        let ids = ids(count);
        let segment = written(&shelf, &ids);
        assert_eq!(segment.ids, count);
        let finder = Finder::open(&shelf, &segment).unwrap();
        let all: Vec<u128> = ids.iter().map(|id| id.mark).collect();
        assert_eq!(finder.find(&all).unwrap(), ids, "{count}");
        // A few of them, among many that are not there.
        let few: Vec<Billed> = ids.iter().step_by(1009).copied().collect();
        let mut marks: Vec<u128> = few.iter().flat_map(|id| [id.mark, id.mark ^ 1, id.mark ^ (1 << 70)]).collect();
        marks.sort_unstable();
        marks.dedup();
        assert_eq!(finder.find(&marks).unwrap(), few, "{count}");
        assert_eq!(finder.find(&[]).unwrap(), []);
        assert_eq!(shelf.fault(&segment).unwrap(), None);
    }
}

#[test]
fn ids_under_one_mark_are_found_across_the_end_of_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Place::sqlite(&folder.path().join("a.db")).shelf();
    let mut all = ids(4095);
    let last = all[4094].mark;
    all.extend((0..3).map(|contents| Billed { mark: last, contents: u64::MAX - contents, input: 0 }));
    let segment = written(&shelf, &all);
    let finder = Finder::open(&shelf, &segment).unwrap();
    assert_eq!(finder.find(&[last]).unwrap().len(), 4);
}

#[test]
fn a_segment_that_is_missing_cut_short_or_changed_anywhere_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Place::sqlite(&folder.path().join("a.db")).shelf();
    let ids = ids(5000);
    let segment = written(&shelf, &ids);
    let path = folder.path().join("a.db.ids").join(&segment.name);
    let whole = std::fs::read(&path).unwrap();
    let marks: Vec<u128> = ids.iter().map(|id| id.mark).collect();
    // Of blocks, filters and index.
    for place in [8, 4096 * 32 + 9, whole.len() - 200, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(shelf.fault(&segment).unwrap().unwrap().contains("not what was written"), "{place}");
    }
    let mut changed = whole.clone();
    changed[4096 * 32 + 9] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    let finder = Finder::open(&shelf, &segment).unwrap();
    assert!(matches!(finder.find(&marks), Err(crate::ledger::LedgerError::Torn { .. })));
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(shelf.fault(&segment).unwrap().unwrap(), "it is cut short");
    std::fs::remove_file(&path).unwrap();
    assert!(shelf.fault(&segment).unwrap().unwrap().contains("it is missing"));
}

#[test]
fn a_filter_denies_nothing_that_it_holds_and_most_of_the_rest() {
    let mut filter = Filter::new(10_000, 16);
    let hash = |number: u64| {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    (0..10_000).for_each(|number| filter.add(hash(number)));
    assert!((0..10_000).all(|number| filter.may_hold(hash(number))));
    let admitted = (10_000..110_000).filter(|number| filter.may_hold(hash(*number))).count();
    assert!(admitted < 500, "{admitted} of 100,000");
}
