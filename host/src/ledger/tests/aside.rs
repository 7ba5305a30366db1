//! Reading beside a writer.

use super::*;

#[test]
fn a_ledger_that_is_not_there_is_empty_and_is_not_made() {
    let place = Place::new();
    assert_eq!(place.read(), State::default());
    assert!(place.read().is_fresh());
    assert!(place.contents().is_empty());
}

#[test]
fn reading_changes_nothing() {
    let place = Place::new();
    drop(frozen(&place, &["a"]));
    let before = place.contents();
    assert_eq!(charges(&place.read()).len(), 1);
    assert!(place.contents() == before);
}

#[test]
fn a_reader_sees_each_step_that_the_writer_has_finished() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a", "b"]);
    for charge in &charges {
        let attempt = ledger.begin_attempt(("s", None), std::slice::from_ref(charge), MINUTE).unwrap();
        assert_eq!(&place.read(), ledger.state());
        ledger.record(attempt, false, vec![outcome(charge.id(), Status::Accepted)]).unwrap();
        assert_eq!(&place.read(), ledger.state());
    }
    ledger.settle("s", june()).unwrap();
    assert_eq!(&place.read(), ledger.state());
}

#[test]
fn entries_are_read_in_order_with_who_wrote_them_when() {
    let place = Place::new();
    let (ledger, _) = frozen(&place, &["a"]);
    let mut seen = Vec::new();
    place
        .at()
        .rows(|row| {
            let record = row.record("LEDGER")?;
            assert!((jiff::Timestamp::now().as_millisecond() - record.at).abs() < 60_000);
            seen.push((record.number, record.run.clone(), record.entry.kind()));
            let json: serde_json::Value = serde_json::to_value(&record).unwrap();
            assert_eq!(json["number"], record.number);
            assert!(json["entry"][record.entry.kind()].is_object());
            Ok(())
        })
        .unwrap();
    let run = || "r1".to_owned();
    assert_eq!(seen, [(1, run(), "opened"), (2, run(), "run"), (3, run(), "freeze")]);
    drop(ledger);
}

#[test]
fn a_path_may_hold_what_it_likes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["Données PROD äöü.ledger.db", "a?b#c%20d.ledger.db", "%.db"] {
        let path = folder.path().join(name);
        Ledger::open(&at(&path), &identity(), &Claim::at_once("r1")).unwrap().append(vec![intent(&[june()])]).unwrap();
        assert!(!Ledger::state_of(&at(&path), &identity()).unwrap().is_fresh(), "{name}");
    }
}
