//! One writer, whatever the other does.

use super::*;
use crate::report::Exit;

#[test]
fn a_second_run_is_told_who_holds_the_ledger_since_when() {
    let place = Place::new();
    let ledger = place.open("r1");
    let error = Ledger::open(&place.at(), &identity(), &Claim::at_once("r2")).unwrap_err();
    let text = words(&error, &place);
    let expected = format!("another run holds the ledger LEDGER: process {} on ", std::process::id());
    assert!(text.starts_with(&expected) && text.ends_with("Z (run r1)"), "{text}");
    assert_eq!(
        (error.exit(), error.action()),
        (Exit::Held, "try again when it has ended: nothing is lost; `meterhost run FILE --wait 10m` waits for that")
    );
    drop(ledger);
    place.open("r2");
}

#[test]
fn what_a_dead_process_left_is_no_obstacle() {
    let place = Place::new();
    let left = r#"{"pid":1,"host":"h","since":"2025-01-01T00:00:00Z","run":"r0"}"#;
    std::fs::write(place.folder.path().join("p.ledger.db.lock"), left).unwrap();
    place.open("r1");
}

#[test]
fn of_many_at_once_one_opens_and_the_others_are_told() {
    let place = Place::new();
    let path = place.path();
    let barrier = std::sync::Barrier::new(8);
    let ledgers: Vec<_> = std::thread::scope(|scope| {
        let open = |number: usize| {
            barrier.wait();
            Ledger::open(&at(&path), &identity(), &Claim::at_once(&format!("r{number}")))
        };
        let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || open(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ledgers.iter().filter(|ledger| ledger.is_ok()).count(), 1);
    let held = |error: &LedgerError| matches!(error, LedgerError::Held { .. });
    assert!(ledgers.iter().filter_map(|ledger| ledger.as_ref().err()).all(held));
}

#[test]
fn a_writer_that_was_overtaken_writes_nothing_more() {
    let place = Place::new();
    let (mut slow, charges) = frozen(&place, &["a"]);
    // Whoever deletes the lock lets a second writer in.
    std::fs::remove_file(place.folder.path().join("p.ledger.db.lock")).unwrap();
    let mut fast = place.open("r2");
    fast.begin_attempt(("s", None), &charges, MINUTE).unwrap();
    let error = slow.begin_attempt(("s", None), &charges, MINUTE).unwrap_err();
    assert_eq!(
        words(&error, &place),
        "the ledger LEDGER was written to by another run since this one opened it; this run writes nothing more"
    );
    assert!(matches!(slow.append(Vec::new()).unwrap_err(), LedgerError::Poisoned { .. }));
    fast.record(1, false, vec![outcome(charges[0].id(), Status::Accepted)]).unwrap();
    drop((slow, fast));
    assert!(place.read().charge(&charges[0].id()).unwrap().is_final());
}
