//! Going on with a ledger on S3 that does not fit its head.

use super::*;
use crate::ledger::{Accepting, Head};

fn accept(bucket: &Bucket) -> Option<Head> {
    let accepting = Accepting::of(&bucket.place, bucket.place.verify().unwrap()).unwrap();
    accepting.accept(&Claim::at_once("accepting")).unwrap()
}

fn kinds(bucket: &Bucket) -> Vec<String> {
    let mut kinds = Vec::new();
    bucket
        .place
        .rows(|row| {
            kinds.push(row.kind);
            Ok(())
        })
        .unwrap();
    kinds
}

#[test]
fn a_ledger_that_lost_its_tail_goes_on_and_remembers() {
    for with_head in [true, false] {
        let bucket = Bucket::new();
        bucket.filled(4);
        bucket.delete(&segment(5));
        bucket.delete(&segment(4));
        if !with_head {
            bucket.delete("head");
        }
        bucket.open("r9").map(drop).unwrap_err();
        let end = accept(&bucket).unwrap();
        assert_eq!((end.number, end.step), (4, 4));
        assert_eq!(kinds(&bucket), ["opened", "run", "freeze", "restored"]);
        assert_eq!(bucket.place.verify().unwrap().findings(), []);
        assert_eq!(bucket.open("r9").unwrap().head(), end);
    }
}

#[test]
fn the_head_of_a_ledger_that_is_gone_is_taken_away() {
    let bucket = Bucket::new();
    bucket.filled(2);
    for number in 1..=3 {
        bucket.delete(&segment(number));
    }
    bucket.open("r9").map(drop).unwrap_err();
    assert_eq!(accept(&bucket), None);
    assert!(!bucket.keys().contains(&"head".to_owned()));
    assert!(bucket.open("r9").unwrap().state().is_fresh());
}

#[test]
fn a_head_that_says_nothing_is_written_anew() {
    let bucket = Bucket::new();
    bucket.filled(2);
    bucket.put("head", b"?");
    accept(&bucket).unwrap();
    assert_eq!(kinds(&bucket).last().unwrap(), "restored", "the ledger may have been longer");
    bucket.open("r9").unwrap();
}

#[test]
fn a_run_that_the_ledger_was_taken_from_is_superseded_all_the_same() {
    let bucket = Bucket::new();
    bucket.filled(2);
    let taken_from = bucket.open("r2").unwrap();
    bucket.place.unlock().unwrap();
    bucket.delete("head");
    accept(&bucket).unwrap();
    let kinds = kinds(&bucket);
    assert_eq!(kinds[kinds.len() - 2..], ["superseded", "restored"]);
    drop(taken_from);
    assert_eq!(bucket.place.verify().unwrap().findings(), []);
}
