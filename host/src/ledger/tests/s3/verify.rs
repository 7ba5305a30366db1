//! Whatever becomes of its objects, a ledger on S3 is not taken for another.

use super::*;
use crate::report::Exit;

/// What is wrong, as `verify` says it.
fn found(bucket: &Bucket) -> Vec<String> {
    bucket.place.verify().unwrap().findings().iter().map(ToString::to_string).collect()
}

/// `verify` says this, and nothing is written or read out of it; afterwards the objects are what they were.
#[track_caller]
fn refused(bucket: &Bucket, words: &[&str]) {
    assert_eq!(found(bucket), words);
    is_refused(bucket);
}

#[track_caller]
fn is_refused(bucket: &Bucket) {
    let without_lease = |keys: Vec<String>| keys.into_iter().filter(|key| key != "lease").collect::<Vec<_>>();
    let before = without_lease(bucket.keys());
    let opened = bucket.open("r9").map(drop).unwrap_err();
    assert_eq!(opened.exit(), Exit::Ledger, "{opened}");
    let read = Ledger::state_of(&bucket.place, &identity()).unwrap_err();
    assert_eq!(read.exit(), Exit::Ledger, "{read}");
    assert_eq!(without_lease(bucket.keys()), before);
}

fn changed(bucket: &Bucket, key: &str, place: usize, bits: u8) -> Vec<u8> {
    let mut bytes = bucket.get(key);
    bytes[place] ^= bits;
    bytes
}

#[test]
fn a_whole_ledger_is_whole_and_none_is_none() {
    let bucket = Bucket::new();
    let verified = bucket.place.verify().unwrap();
    assert_eq!((verified.end, verified.findings().len()), (None, 0));
    bucket.filled(3);
    let verified = bucket.place.verify().unwrap();
    assert_eq!(verified.findings(), []);
    assert_eq!(verified.end, bucket.place.head().unwrap());
    assert_eq!(verified.end.map(|head| (head.number, head.step)), Some((4, 4)));
    assert_eq!(verified.pipelines.into_iter().collect::<Vec<_>>(), ["p"]);
}

#[test]
fn a_ledger_that_is_written_to_is_whole_at_any_time() {
    let bucket = Bucket::new();
    let mut ledger = bucket.open("r1").unwrap();
    ledger.append(vec![intent(&[june()])]).unwrap();
    for number in 0..6 {
        ledger.freeze(Vec::new(), vec![proposal(june(), &format!("c{number}"))]).unwrap();
        assert_eq!(found(&bucket), Vec::<String>::new(), "{number}");
    }
}

#[test]
fn no_byte_of_a_segment_can_be_another() {
    let bucket = Bucket::new();
    bucket.filled(2);
    // Each byte makes a few requests; that no parser takes any is tested where segments are read.
    let stride = if std::env::var_os("METERHOST_LONG").is_some() { 1 } else { 29 };
    for number in 1..=3 {
        let key = segment(number);
        let whole = bucket.get(&key);
        for place in (number..whole.len()).step_by(stride) {
            bucket.put(&key, &changed(&bucket, &key, place, 1 << (place % 8)));
            let found = found(&bucket);
            assert!(found.iter().any(|words| words.starts_with(&format!("{key}: "))), "{place} of {key}: {found:?}");
            assert!(
                found.iter().all(|words| words.starts_with(&format!("{key}: ")) || words.contains(": they stood in "))
            );
            is_refused(&bucket);
            bucket.put(&key, &whole);
        }
    }
    assert_eq!(found(&bucket), Vec::<String>::new());
}

#[test]
fn a_segment_that_is_taken_away_is_named_with_its_entries() {
    let bucket = Bucket::new();
    bucket.filled(4);
    for number in 1..=4 {
        let key = segment(number);
        let whole = bucket.get(&key);
        bucket.delete(&key);
        let entries = format!("entry {number}: they stood in what is missing or cannot be read");
        refused(&bucket, &[&entries, &format!("{key}: it is missing")]);
        bucket.put(&key, &whole);
    }
    bucket.delete(&segment(2));
    bucket.delete(&segment(3));
    refused(
        &bucket,
        &[
            "entries 2 to 3: they stood in what is missing or cannot be read",
            "segments/000000000002 to segments/000000000003: they are missing",
        ],
    );
}

#[test]
fn a_tail_that_was_cut_off_is_missed() {
    let bucket = Bucket::new();
    bucket.filled(4);
    bucket.delete(&segment(5));
    refused(&bucket, &["the head: it says that entry 5 was written, and the ledger ends with entry 4"]);
    bucket.delete(&segment(4));
    refused(&bucket, &["the head: it says that entry 5 was written, and the ledger ends with entry 3"]);
    bucket.delete("head");
    refused(&bucket, &["the head: it is not there"]);
    for number in 1..4 {
        bucket.delete(&segment(number));
    }
    assert_eq!(found(&bucket), Vec::<String>::new(), "as where there never was one");
    bucket.put(
        "head",
        br#"{"form":1,"number":5,"step":5,"hash":"00000000000000000000000000000000000000000000000000000000000000aa"}"#,
    );
    refused(&bucket, &["the head: the ledger itself is gone; it ended with entry 5"]);
}

#[test]
fn segments_that_changed_places_are_named() {
    let bucket = Bucket::new();
    bucket.filled(3);
    for (first, second) in [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)] {
        let (one, other) = (bucket.get(&segment(first)), bucket.get(&segment(second)));
        bucket.put(&segment(first), &other);
        bucket.put(&segment(second), &one);
        let found = found(&bucket);
        for (number, holds) in [(first, second), (second, first)] {
            let words = format!("{}: it is the segment {holds}, and stands in the place of {number}", segment(number));
            assert!(found.contains(&words), "{found:?}");
        }
        is_refused(&bucket);
        bucket.put(&segment(first), &one);
        bucket.put(&segment(second), &other);
    }
    assert_eq!(found(&bucket), Vec::<String>::new());
}

#[test]
fn what_does_not_belong_there_is_named() {
    let bucket = Bucket::new();
    bucket.filled(3);
    let other = Bucket::new();
    other.filled(3);
    let key = segment(3);
    let whole = bucket.get(&key);
    // Another ledger's.
    bucket.put(&key, &other.get(&key));
    refused(
        &bucket,
        &[&format!(
            "{key}: it fits neither the one before it nor the one behind: it is not what was written, or another ledger's"
        )],
    );
    // Cut short, or empty.
    let lost = "entry 3: they stood in what is missing or cannot be read";
    bucket.put(&key, &whole[..whole.len() - 1]);
    refused(&bucket, &[lost, &format!("{key}: it is cut short")]);
    bucket.put(&key, b"");
    refused(&bucket, &[lost, &format!("{key}: it is cut short")]);
    // A newer version's.
    bucket.put(&key, &sealed(&String::from_utf8(whole.clone()).unwrap().replacen("\"form\":1", "\"form\":2", 1)));
    refused(
        &bucket,
        &[lost, &format!("{key}: it is from a newer version of meterhost: its form is 2, and this one knows 1")],
    );
    bucket.put(&key, &whole);
    // Of another name.
    for name in ["segments/3", "segments/000000000003.bak", "segments/0000000000004"] {
        bucket.put(name, &whole);
        refused(&bucket, &[&format!("{name}: it has no place there")]);
        bucket.delete(name);
    }
    assert_eq!(found(&bucket), Vec::<String>::new());
}

/// A segment's text with the checksum that it has to have.
fn sealed(text: &str) -> Vec<u8> {
    let lines: Vec<&str> = text.lines().collect();
    let said: String = lines[..lines.len() - 1].iter().map(|line| format!("{line}\n")).collect();
    format!("{said}{{\"sha256\":\"{}\"}}\n", crate::ledger::Hash::of(said.as_bytes())).into_bytes()
}

#[test]
fn an_entry_is_named_where_the_segment_around_it_was_sealed_anew() {
    let bucket = Bucket::new();
    bucket.filled(3);
    let key = segment(3);
    let text = String::from_utf8(bucket.get(&key)).unwrap();
    bucket.put(&key, &sealed(&text.replace("\"quantity\":\"2\"", "\"quantity\":\"1\"")));
    refused(
        &bucket,
        &["entry 3: it is not what was written, unless the one before it was replaced together with its hash"],
    );
}

#[test]
fn the_objects_beside_the_segments_are_looked_at_too() {
    let bucket = Bucket::new();
    bucket.filled(2);
    let (head, lease) = (bucket.get("head"), bucket.get("lease"));
    bucket.put("head", b"{");
    let found_now = found(&bucket);
    assert!(found_now[0].starts_with("the head: it cannot be read: "), "{found_now:?}");
    is_refused(&bucket);
    bucket.put("head", &head);
    bucket.put("lease", b"{");
    let found_now = found(&bucket);
    assert!(found_now.len() == 1 && found_now[0].starts_with("lease: it cannot be read: "), "{found_now:?}");
    assert_eq!(bucket.open("r9").map(drop).unwrap_err().exit(), Exit::Ledger);
    bucket.put("lease", &lease);
    assert_eq!(found(&bucket), Vec::<String>::new());
}

#[test]
fn a_snapshot_is_held_against_its_segments() {
    let bucket = Bucket::new();
    bucket.filled(9);
    let key = "snapshots/000000000008";
    let whole = bucket.get(key);
    assert_eq!(found(&bucket), Vec::<String>::new());
    let begin = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bucket.put(key, &changed(&bucket, key, begin + 5, 1));
    let words = format!("{key}: it holds the segment 1 wrongly: it is not what was written: its checksum is another");
    refused(&bucket, &[&words]);
    bucket.put(key, &whole[..whole.len() - 4]);
    refused(&bucket, &[&format!("{key}: it is cut short")]);
    bucket.put(key, b"{}\n");
    assert!(found(&bucket)[0].starts_with(&format!("{key}: it cannot be read: ")));
    bucket.put(key, &whole);
    // What a segment has lost the snapshot still has.
    let segment_4 = bucket.get(&segment(4));
    bucket.delete(&segment(4));
    let lost = "entry 4: they stood in what is missing or cannot be read";
    refused(
        &bucket,
        &[
            lost,
            &format!("{}: it is missing", segment(4)),
            &format!("{}: it is missing, and {key} holds it as it was written", segment(4)),
        ],
    );
    bucket.put(&segment(4), &segment_4[1..]);
    let found_now = found(&bucket);
    assert!(found_now.contains(&format!("{}: {key} holds it as it was written", segment(4))), "{found_now:?}");
    bucket.put(&segment(4), &segment_4);
    for name in ["snapshots/000000000007", "snapshots/x"] {
        bucket.put(name, &whole);
        refused(&bucket, &[&format!("{name}: it has no place there")]);
        bucket.delete(name);
    }
    bucket.put("snapshots/000000000016", &whole);
    let found_now = found(&bucket);
    assert_eq!(found_now, ["snapshots/000000000016: it is another snapshot"]);
    is_refused(&bucket);
}
