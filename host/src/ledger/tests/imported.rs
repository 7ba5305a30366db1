//! What another exporter's documents say, and what they do not.

use super::*;
use crate::ledger::{Import, InputSeen};

fn import(until: Option<Window>, billed: &[&str]) -> Import {
    let customers = billed.iter().map(|customer| (*customer).to_owned()).collect();
    Import {
        document: "file://./state.json".to_owned(),
        sink: "s".to_owned(),
        entry: Some("mark".to_owned()),
        aside: false,
        until,
        billed: vec![(july(), customers)],
        open: Vec::new(),
        failed: Vec::new(),
        inputs: Vec::new(),
    }
}

fn seen(etag: &str) -> Vec<InputSeen> {
    vec![InputSeen { key: "a.json".to_owned(), etag: etag.to_owned(), size: 1, items: 0 }]
}

fn taken(import: Import) -> Entry {
    Entry::Imported(Box::new(import))
}

#[test]
fn a_document_speaks_of_one_sink() {
    let place = Place::new();
    let mut ledger = place.open("r1");
    ledger.append(vec![taken(import(Some(june()), &["a"]))]).unwrap();
    let state = ledger.state();
    for (sink, is_billed) in [("s", true), ("t", false)] {
        assert_eq!(state.imported().is_closed(sink, &june()), is_billed);
        assert_eq!(state.is_closed_elsewhere(sink, &june()), is_billed);
        assert_eq!(state.imported().is_billed(sink, &july(), "a"), is_billed);
        assert!(!state.imported().is_billed(sink, &july(), "b"));
    }
    assert_eq!(state.first_window("s"), Some(july()), "it goes on after the last month that was closed");
}

#[test]
fn what_was_said_last_says_what_was_there() {
    let place = Place::new();
    let mut ledger = place.open("r1");
    let with = |etag: &str, billed: &[&str]| Import { inputs: vec![(july(), seen(etag))], ..import(None, billed) };
    ledger.append(vec![taken(with("1", &["a"])), taken(with("2", &["b"]))]).unwrap();
    let inputs = |ledger: &Ledger, customer: &str| {
        ledger.state().billed_from("s", &july(), customer).map(|inputs| inputs[0].etag.clone())
    };
    assert_eq!(inputs(&ledger, "a").as_deref(), Some("1"), "the second document does not speak of it");
    assert_eq!(inputs(&ledger, "b").as_deref(), Some("2"));
    ledger.append(vec![taken(with("3", &["a"]))]).unwrap();
    assert_eq!(inputs(&ledger, "a").as_deref(), Some("3"));
    assert_eq!(inputs(&ledger, "c"), None);
}

#[test]
fn what_nobody_could_look_at_is_what_it_was_at_the_first_look() {
    let place = Place::new();
    let mut ledger = place.open("r1");
    ledger.append(vec![taken(import(None, &["a"]))]).unwrap();
    assert!(ledger.state().imported().bills_blindly(&july()) && !ledger.state().imported().bills_blindly(&june()));
    let watched = |etag: &str| Entry::Watched { window: july(), inputs: seen(etag) };
    ledger.append(vec![watched("1"), watched("2")]).unwrap();
    assert_eq!(ledger.state().billed_from("s", &july(), "a"), Some(&seen("1")[..]), "it is never replaced");
}

#[test]
fn what_this_ledger_wrote_into_its_document_is_its_own() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a", "b"]);
    let mirrored = Entry::Mirrored { before: None, after: "mark".to_owned() };
    let attempt = ledger.begin_attempt(("s", None), &charges[..1], MINUTE).unwrap();
    ledger.record(attempt, false, vec![outcome(charges[0].id(), Status::Accepted)]).unwrap();
    let billed = vec![(june(), vec!["a".to_owned(), "b".to_owned()])];
    let document = Import { billed, ..import(None, &[]) };
    // While nothing was written there, all of it is somebody else's.
    assert!(ledger.state().imported_with(document.clone()).is_billed("s", &june(), "a"));
    ledger.append(vec![mirrored]).unwrap();
    let imported = ledger.state().imported_with(document.clone());
    assert!(!imported.is_billed("s", &june(), "a") && imported.is_billed("s", &june(), "b"));
    let closing = Import { until: Some(july()), ..document.clone() };
    assert!(!ledger.state().imported_with(closing).is_billed("s", &june(), "a"), "not by closing the month either");
    // Of another document nothing is its own.
    assert!(ledger.state().imported_with(Import { aside: true, ..document }).is_billed("s", &june(), "a"));
}
