//! Whatever becomes of its file, a ledger is not taken for another.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::ledger::head_file::HeadFile;
use crate::ledger::{Head, Row, Spot};
use crate::report::Exit;

/// What is wrong, as `verify` says it; nothing on the disk is another afterwards.
fn found(place: &Place) -> Vec<String> {
    let before = place.contents();
    let findings = place.at().verify().unwrap().findings();
    assert!(place.contents() == before, "something was changed");
    findings.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn is_refused(place: &Place) {
    let opened = Ledger::open(&place.at(), &identity(), &Claim::at_once("r9")).map(drop).unwrap_err();
    assert_eq!(opened.exit(), Exit::Ledger, "{opened}");
    let read = Ledger::state_of(&place.at(), &identity()).unwrap_err();
    assert_eq!(read.exit(), Exit::Ledger, "{read}");
}

/// `verify` says this and nothing else, and no run goes on with it.
#[track_caller]
fn refused(place: &Place, words: &[&str]) {
    assert_eq!(found(place), words);
    is_refused(place);
}

/// A ledger of nine entries; its head is that of the last.
fn nine() -> Place {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a", "b", "c"]);
    for charge in &charges[..2] {
        let attempt = ledger.begin_attempt(("s", None), std::slice::from_ref(charge), MINUTE).unwrap();
        ledger.record(attempt, false, vec![outcome(charge.id(), Status::Accepted)]).unwrap();
    }
    assert_eq!(ledger.head().number, 9);
    place
}

fn sql(place: &Place) -> Connection {
    let connection = Connection::open(place.path()).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER IF EXISTS entry_is_not_changed; DROP TRIGGER IF EXISTS entry_is_not_deleted;
             DROP TRIGGER IF EXISTS entry_is_numbered_without_a_gap;",
        )
        .unwrap();
    connection
}

fn tampered(place: &Place, batch: &str) {
    let connection = sql(place);
    connection.execute_batch(batch).unwrap();
    connection.close().unwrap();
}

fn rows(place: &Place) -> Vec<Row> {
    let mut rows = Vec::new();
    place
        .at()
        .rows(|row| {
            rows.push(row);
            Ok(())
        })
        .unwrap();
    rows
}

const CHANGED: &str = "it is not what was written, unless the one before it was replaced together with its hash";

#[test]
fn a_whole_ledger_is_whole_and_none_is_none() {
    let place = Place::new();
    let verified = place.at().verify().unwrap();
    assert_eq!((verified.end, verified.findings().len()), (None, 0));
    assert!(place.contents().is_empty(), "none was made");
    let place = nine();
    let verified = place.at().verify().unwrap();
    assert_eq!(verified.findings(), []);
    assert_eq!(verified.end, place.at().head().unwrap());
    assert_eq!(verified.end, Some(place.read().head()));
}

#[test]
fn a_ledger_that_is_written_to_is_whole_at_any_time() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    for _ in 0..3 {
        let attempt = ledger.begin_attempt(("s", None), &charges, MINUTE).unwrap();
        ledger.record(attempt, true, Vec::new()).unwrap();
        assert_eq!(place.at().verify().unwrap().findings(), []);
    }
}

#[test]
fn every_pipeline_of_a_ledger_is_looked_at() {
    let place = nine();
    let other = Identity { pipeline: "q".to_owned(), ..identity() };
    drop(Ledger::open(&place.at(), &other, &Claim::at_once("r2")).unwrap());
    assert_eq!(place.at().verify().unwrap().pipelines.into_iter().collect::<Vec<_>>(), ["p", "q"]);
    tampered(&place, "UPDATE entry SET at = at + 1 WHERE pipeline = 'q'");
    assert_eq!(found(&place), [format!("entry 10: {CHANGED}")]);
    // Hashes alone do not make an impossible history possible.
    tampered(
        &place,
        "UPDATE entry SET at = at - 1, body = (SELECT body FROM entry WHERE number = 9), kind = 'outcomes' WHERE number = 10",
    );
    chained_anew(&place);
    assert_eq!(found(&place), ["entry 10: it comes before the entry that opens the ledger of its pipeline"]);
}

/// Makes the chain whole again, as somebody could who knows how it is made.
fn chained_anew(place: &Place) {
    let mut head = Head::default();
    let all = rows(place);
    let connection = sql(place);
    for mut row in all {
        row.hash = row.hash_after(&head.hash);
        head = row.head();
        let of = rusqlite::params![row.hash.to_string(), row.number.cast_signed()];
        connection.execute("UPDATE entry SET hash = ?1 WHERE number = ?2", of).unwrap();
    }
    connection.close().unwrap();
    HeadFile::replace(&place.path(), &head).unwrap();
}

#[test]
fn no_byte_of_an_entry_can_be_another() {
    let place = nine();
    let whole = std::fs::read(place.path()).unwrap();
    let mut flips = 0;
    for number in 1..=9_i64 {
        for column in ["number", "step", "pipeline", "run", "at", "kind", "body", "hash"] {
            let read = |connection: &Connection| -> Value {
                let sql = format!("SELECT {column} FROM entry WHERE number = ?1");
                connection.query_row(&sql, [number], |row| row.get(0)).unwrap()
            };
            let connection = sql(&place);
            let value = read(&connection);
            let bytes = match &value {
                Value::Integer(_) => 8,
                Value::Text(text) => text.len(),
                other => panic!("{other:?}"),
            };
            connection.close().unwrap();
            for byte in 0..bytes {
                let connection = sql(&place);
                match &value {
                    // One that no other entry has.
                    Value::Integer(value) => {
                        let flipped = value ^ (0x40 << (8 * byte));
                        connection
                            .execute(&format!("UPDATE entry SET {column} = ?1 WHERE number = ?2"), [flipped, number])
                            .unwrap();
                    }
                    Value::Text(text) => {
                        let mut flipped = text.clone().into_bytes();
                        flipped[byte] ^= 1 << (byte % 8);
                        let sql = format!("UPDATE entry SET {column} = CAST(?1 AS TEXT) WHERE number = ?2");
                        connection.execute(&sql, rusqlite::params![flipped, number]).unwrap();
                    }
                    _ => unreachable!(),
                }
                connection.close().unwrap();
                let findings = place.at().verify().unwrap().findings();
                let names = |spot: &Spot| match spot {
                    Spot::Entries(first, last) => (*first..=*last).contains(&number.cast_unsigned()),
                    _ => false,
                };
                let spots: Vec<String> = findings.iter().map(|finding| finding.spot.to_string()).collect();
                if column == "number" {
                    // It is recognised where it is now.
                    let words = format!("what stands there was written as entry {number}");
                    assert!(findings.iter().any(|finding| finding.fault == words), "{number} {byte}: {findings:?}");
                } else {
                    assert!(findings.len() == 1 && names(&findings[0].spot), "{column} of {number}, {byte}: {spots:?}");
                }
                is_refused(&place);
                std::fs::write(place.path(), &whole).unwrap();
                flips += 1;
            }
        }
    }
    assert!(flips > 2000, "{flips}");
    assert_eq!(found(&place), Vec::<String>::new());
}

#[test]
fn no_byte_of_the_file_makes_another_history() {
    let place = nine();
    let whole = std::fs::read(place.path()).unwrap();
    let (history, state) = (rows(&place), place.read());
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 11).unwrap()
    };
    let (mut damaged, mut unused) = (0, 0);
    for _ in 0..300 {
        let (at, bits) = (random() % whole.len(), 1 << (random() % 8));
        let mut bytes = whole.clone();
        bytes[at] ^= bits;
        std::fs::write(place.path(), &bytes).unwrap();
        let verified = place.at().verify();
        let is_whole = verified.as_ref().is_ok_and(|verified| verified.findings().is_empty());
        match (is_whole, Ledger::state_of(&place.at(), &identity())) {
            (true, read) => {
                assert_eq!(read.unwrap(), state, "byte {at}");
                assert_eq!(rows(&place), history, "byte {at}");
                unused += 1;
            }
            (false, Err(error)) => {
                assert_eq!(error.exit(), Exit::Ledger, "byte {at}: {error}");
                Ledger::open(&place.at(), &identity(), &Claim::at_once("r9")).map(drop).unwrap_err();
                damaged += 1;
            }
            // What SQLite itself finds wrong need not be anything that is read.
            (false, Ok(read)) => assert_eq!(read, state, "byte {at}"),
        }
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(place.folder.path().join(format!("p.ledger.db{ending}")));
        }
    }
    assert!(damaged > 20 && unused > 20, "{damaged} {unused}");
}

#[test]
fn missing_entries_are_named_as_ranges() {
    let place = nine();
    tampered(&place, "DELETE FROM entry WHERE number IN (2, 4, 5, 6)");
    refused(&place, &["entry 2: it is missing", "entries 4 to 6: they are missing"]);
    let place = nine();
    tampered(&place, "DELETE FROM entry WHERE number < 4");
    refused(&place, &["entries 1 to 3: they are missing"]);
}

#[test]
fn a_tail_that_was_cut_off_is_missed() {
    let place = nine();
    tampered(&place, "DELETE FROM entry WHERE number > 7");
    refused(&place, &["the head: it says that entry 9 was written, and the ledger ends with entry 7"]);
    std::fs::remove_file(place.folder.path().join("p.ledger.db.head")).unwrap();
    refused(&place, &["the head: it is not there"]);
    std::fs::write(place.folder.path().join("p.ledger.db.head"), "?").unwrap();
    refused(&place, &["the head: nothing in that file is a head"]);
}

#[test]
fn everything_that_is_wrong_is_named_and_nothing_else() {
    let place = nine();
    tampered(&place, "UPDATE entry SET run = 'x' WHERE number IN (1, 3, 4, 8); DELETE FROM entry WHERE number = 6");
    refused(
        &place,
        &[
            "entry 1: it is not what was written",
            &format!("entries 3 to 4: {CHANGED}"),
            "entry 6: it is missing",
            &format!("entry 8: {CHANGED}"),
        ],
    );
    // Whoever makes the hash of an entry anew leaves the next one behind.
    let place = nine();
    tampered(&place, "UPDATE entry SET run = 'x' WHERE number = 4");
    let all = rows(&place);
    let hash = all[3].hash_after(&all[2].hash);
    tampered(&place, &format!("UPDATE entry SET hash = '{hash}' WHERE number = 4"));
    refused(&place, &[&format!("entry 5: {CHANGED}")]);
    // A hash alone.
    let place = nine();
    tampered(&place, "UPDATE entry SET hash = (SELECT hash FROM entry WHERE number = 2) WHERE number = 4");
    refused(&place, &[&format!("entry 4: {CHANGED}")]);
    // The last one, with its hash: the head knows.
    let place = nine();
    tampered(&place, "UPDATE entry SET at = at + 1 WHERE number = 9");
    let all = rows(&place);
    let hash = all[8].hash_after(&all[7].hash);
    tampered(&place, &format!("UPDATE entry SET hash = '{hash}' WHERE number = 9"));
    refused(&place, &["the head: it speaks of another entry 9 than the one that the ledger has"]);
}

#[test]
fn entries_that_changed_places_are_recognised() {
    let swap = |first: u64, second: u64| {
        format!(
            "UPDATE entry SET number = 99 WHERE number = {first}; UPDATE entry SET number = {first} WHERE number = {second};
             UPDATE entry SET number = {second} WHERE number = 99;"
        )
    };
    for (first, second) in [(1, 2), (2, 3), (3, 7), (1, 8), (8, 9)] {
        let place = nine();
        tampered(&place, &swap(first, second));
        let words = |number, other| format!("entry {number}: what stands there was written as entry {other}");
        refused(&place, &[&words(first, second), &words(second, first)]);
    }
    // All behind one that was taken out moved up.
    let place = nine();
    tampered(
        &place,
        "DELETE FROM entry WHERE number = 3; UPDATE entry SET number = -number WHERE number > 3;
         UPDATE entry SET number = -number - 1 WHERE number < 0;",
    );
    let found = found(&place);
    assert!(found.contains(&"entry 7: what stands there was written as entry 8".to_owned()), "{found:?}");
    is_refused(&place);
}

#[test]
fn a_step_that_was_renumbered_is_named() {
    let place = nine();
    tampered(&place, "UPDATE entry SET step = step + 5 WHERE number >= 6");
    chained_anew(&place);
    refused(&place, &["entry 6: it is part of step 9, and stands behind step 3"]);
}

#[test]
fn what_sqlite_cannot_read_is_said_and_the_rest_too() {
    let place = Place::new();
    let customers: Vec<String> = (0..500).map(|number| format!("c{number}")).collect();
    drop(frozen(&place, &customers.iter().map(String::as_str).collect::<Vec<_>>()));
    let whole = std::fs::read(place.path()).unwrap();
    std::fs::write(place.path(), &whole[..whole.len() / 2]).unwrap();
    let words = found(&place);
    assert!(words[0].starts_with("the file: SQLite cannot read"), "{words:?}");
    is_refused(&place);
    // A page in the middle, of nothing but zeros.
    let mut bytes = whole.clone();
    let page = whole.len() / 4096 / 2 * 4096;
    bytes[page..page + 4096].fill(0);
    std::fs::write(place.path(), &bytes).unwrap();
    let words = found(&place);
    assert!(words[0].starts_with("the file: SQLite "), "{words:?}");
    is_refused(&place);
    for (content, says) in
        [("", "the file: it is empty, and no ledger ever is"), ("text", "the file: it is not a meterhost ledger")]
    {
        std::fs::write(place.path(), content).unwrap();
        assert!(found(&place)[0].starts_with(says));
        is_refused(&place);
    }
    std::fs::remove_file(place.path()).unwrap();
    refused(&place, &["the head: the ledger itself is gone; it ended with entry 502"]);
}

#[test]
fn what_sqlite_finds_wrong_is_said_though_every_entry_can_be_read() {
    let place = nine();
    let before = rows(&place);
    let mut bytes = std::fs::read(place.path()).unwrap();
    // The header counts pages that nothing uses, and there are none.
    bytes[36..40].copy_from_slice(&3_u32.to_be_bytes());
    std::fs::write(place.path(), &bytes).unwrap();
    assert_eq!(rows(&place), before);
    let words = found(&place);
    assert!(words[0].starts_with("the file: SQLite finds it damaged: "), "{words:?}");
}
