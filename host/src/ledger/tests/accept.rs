//! Going on with a ledger that does not fit its head.

use rusqlite::Connection;

use super::*;
use crate::ledger::head_file::HeadFile;
use crate::ledger::{Accepting, Head, Unfit, Verified};

fn verified(place: &Place) -> Verified {
    place.at().verify().unwrap()
}

fn accept(place: &Place) -> Option<Head> {
    Accepting::of(&place.at(), verified(place)).unwrap().accept(&Claim::at_once("accepting")).unwrap()
}

fn cut(place: &Place, behind: u64) {
    let connection = Connection::open(place.path()).unwrap();
    connection
        .execute_batch(&format!("DROP TRIGGER entry_is_not_deleted; DELETE FROM entry WHERE number > {behind}"))
        .unwrap();
    connection.close().unwrap();
}

fn filled() -> Place {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    let attempt = ledger.begin_attempt(("s", None), &charges, MINUTE).unwrap();
    ledger.record(attempt, true, Vec::new()).unwrap();
    place
}

fn head_path(place: &Place) -> PathBuf {
    place.folder.path().join("p.ledger.db.head")
}

fn last(place: &Place) -> (String, String) {
    let mut last = None;
    place
        .at()
        .rows(|row| {
            last = Some((row.kind, row.body));
            Ok(())
        })
        .unwrap();
    last.unwrap()
}

#[test]
fn a_ledger_that_lost_its_tail_goes_on_and_remembers() {
    let place = filled();
    let lost = place.at().head().unwrap().unwrap();
    cut(&place, 3);
    let accepting = Accepting::of(&place.at(), verified(&place)).unwrap();
    let words = accepting.words();
    for part in [
        "ends with entry 3, written at 20",
        "says that entry 5 was written",
        "Entries after 3, if there were any, are lost",
    ] {
        assert!(words.contains(part), "{words}");
    }
    let end = accept(&place).unwrap();
    assert_eq!((end.number, end.step), (4, 4));
    assert_eq!(verified(&place).findings(), []);
    let (kind, body) = last(&place);
    assert_eq!(
        (kind.as_str(), body),
        ("restored", format!(r#"{{"restored":{{"head":{{"number":5,"step":5,"hash":"{}"}}}}}}"#, lost.hash))
    );
    let mut ledger = place.open("r9");
    assert_eq!(ledger.head(), end);
    ledger.append(vec![intent(&[july()])]).unwrap();
    drop(ledger);
    assert_eq!(verified(&place).findings(), []);
}

#[test]
fn every_pipeline_of_the_ledger_remembers() {
    let place = filled();
    let other = Identity { pipeline: "q".to_owned(), ..identity() };
    let mut ledger = Ledger::open(&place.at(), &other, &Claim::at_once("r2")).unwrap();
    ledger.append(vec![intent(&[june()])]).unwrap();
    drop(ledger);
    cut(&place, 6);
    accept(&place).unwrap();
    let mut restored = Vec::new();
    place
        .at()
        .rows(|row| {
            if row.kind == "restored" {
                restored.push((row.pipeline, row.step));
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(restored, [("p".to_owned(), 7), ("q".to_owned(), 7)]);
}

#[test]
fn a_head_that_is_gone_or_says_nothing_is_written_anew() {
    for content in [None, Some("?")] {
        let place = filled();
        match content {
            None => std::fs::remove_file(head_path(&place)).unwrap(),
            Some(content) => std::fs::write(head_path(&place), content).unwrap(),
        }
        accept(&place).unwrap();
        assert_eq!(last(&place), ("restored".to_owned(), r#"{"restored":{}}"#.to_owned()));
        place.open("r9");
    }
}

#[test]
fn a_head_that_is_older_loses_nothing() {
    let place = filled();
    let whole = place.at().head().unwrap();
    let mut older = None;
    place
        .at()
        .rows(|row| {
            older = older.or((row.number == 2).then(|| row.head()));
            Ok(())
        })
        .unwrap();
    HeadFile::replace(&place.path(), &older.unwrap()).unwrap();
    let found = verified(&place);
    assert!(matches!(found.unfit, Some(Unfit::Older { .. })), "{found:?}");
    assert_eq!(
        found.findings()[0].to_string(),
        "the head: it says that the ledger ends with entry 2, and the ledger ends with entry 5: further than a crash can leave it"
    );
    assert_eq!(accept(&place), whole);
    assert_eq!(last(&place).0, "outcomes");
    assert_eq!(verified(&place).findings(), []);
}

#[test]
fn the_head_of_a_ledger_that_is_gone_is_taken_away() {
    let place = filled();
    std::fs::remove_file(place.path()).unwrap();
    let words = Accepting::of(&place.at(), verified(&place)).unwrap().words();
    assert!(words.contains("says that entry 5 was written") && words.contains("begins a ledger anew"), "{words}");
    assert_eq!(accept(&place), None);
    assert!(!head_path(&place).exists());
    assert!(place.open("r9").state().is_fresh());
}

#[test]
fn nothing_else_is_accepted() {
    let place = filled();
    assert!(Accepting::of(&place.at(), verified(&place)).is_err(), "it fits");
    let connection = Connection::open(place.path()).unwrap();
    connection.execute_batch("DROP TRIGGER entry_is_not_changed; UPDATE entry SET run = 'x' WHERE number = 2").unwrap();
    connection.close().unwrap();
    cut(&place, 4);
    let found = Accepting::of(&place.at(), verified(&place)).unwrap_err();
    assert_eq!(found.findings().len(), 2, "an entry, and the head");
}

#[test]
fn what_is_accepted_is_what_was_seen() {
    let place = filled();
    cut(&place, 4);
    let accepting = Accepting::of(&place.at(), verified(&place)).unwrap();
    cut_again(&place);
    let error = accepting.accept(&Claim::at_once("accepting")).unwrap_err();
    assert!(matches!(error, LedgerError::Overtaken { .. }), "{error}");
    assert_eq!(last(&place).0, "freeze", "nothing was written");
    // And nobody accepts it while a run has it.
    std::fs::remove_file(place.path()).unwrap();
    std::fs::remove_file(head_path(&place)).unwrap();
    let running = place.open("r2");
    HeadFile::replace(&place.path(), &Head { number: 9, step: 9, ..Head::default() }).unwrap();
    let accepting = Accepting::of(&place.at(), verified(&place)).unwrap();
    let error = accepting.accept(&Claim::at_once("accepting")).unwrap_err();
    assert!(matches!(error, LedgerError::Held { .. }), "{error}");
    drop(running);
}

fn cut_again(place: &Place) {
    let connection = Connection::open(place.path()).unwrap();
    connection.execute_batch("DELETE FROM entry WHERE number > 3").unwrap();
    connection.close().unwrap();
}

#[test]
fn whether_a_file_is_held_is_asked_of_the_lock_and_not_of_the_name_beside_it() {
    let place = Place::new();
    assert_eq!(place.at().holder().unwrap(), None);
    let ledger = place.open("r1");
    assert!(place.at().holder().unwrap().unwrap().contains("run r1"));
    drop(ledger);
    let left = r#"{"pid":1,"host":"h","since":"2025-01-01T00:00:00Z","run":"r0"}"#;
    std::fs::write(place.folder.path().join("p.ledger.db.lock"), left).unwrap();
    assert_eq!(place.at().holder().unwrap(), None);
}

#[test]
fn a_ledger_of_which_no_entry_is_left_is_gone() {
    let place = Place::new();
    drop(frozen(&place, &["a"]));
    let connection = Connection::open(place.path()).unwrap();
    connection
        .execute_batch("DROP TRIGGER entry_is_not_changed; DROP TRIGGER entry_is_not_deleted; DELETE FROM entry")
        .unwrap();
    connection.close().unwrap();
    Ledger::open(&place.at(), &identity(), &Claim::at_once("r2")).unwrap_err();
    let accepting = Accepting::of(&place.at(), place.at().verify().unwrap()).unwrap();
    assert!(accepting.words().contains("is gone"), "{}", accepting.words());
    assert_eq!(accepting.accept(&Claim::at_once("r3")).unwrap(), None);
    drop(Ledger::open(&place.at(), &identity(), &Claim::at_once("r4")).unwrap());
    assert_eq!(place.at().verify().unwrap().findings(), []);
}
