//! What is written down, and what is refused.

use super::*;
use crate::ledger::{FoldError, Hold, InputSeen, Scope, Trouble};
use crate::model::outcome::Finding;
use crate::report::Exit;

#[test]
fn what_was_written_is_there_after_reopening() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a", "b"]);
    let inputs = vec![InputSeen { key: "k".to_owned(), etag: "e".to_owned(), size: 7, items: 3 }];
    let scope = Scope::Customer { customer: "x".to_owned() };
    let hold = Hold::new(scope, "quarantined", "no number".to_owned());
    let hold = Hold { place: Some("k, record 3".to_owned()), ..hold };
    let items = vec![("quarantined".to_owned(), 1)];
    let reading = Entry::Reading {
        sink: "s".to_owned(),
        window: june(),
        holds: vec![hold.clone()],
        kept: Vec::new(),
        late: Vec::new(),
        zeros_until: None,
        items,
    };
    ledger.append(vec![Entry::Inputs { window: june(), inputs: inputs.clone() }, reading]).unwrap();
    let attempt = ledger.begin_attempt(("s", None), &charges[..1], MINUTE).unwrap();
    let accepted = Outcome { reference: Some("r-1".to_owned()), ..outcome(charges[0].id(), Status::Accepted) };
    ledger.record(attempt, false, vec![accepted]).unwrap();
    let before = ledger.state().clone();
    drop(ledger);
    let state = place.open("r2").state().clone();
    assert_eq!(state, before);
    assert_eq!(state.charges_of("s", &june())[0].charge(), &charges[0]);
    assert_eq!(charges[0].exact(), Decimal::parse("1.5").unwrap());
    assert_eq!(state.charge_for(charges[1].key()).unwrap().standing(), &Standing::Pending { reason: None });
    assert_eq!(
        standing(&state, &charges[0]),
        &Standing::Accepted { reference: Some("r-1".to_owned()), run: "r1".to_owned() }
    );
    assert_eq!(state.inputs(&june()), Some(&inputs[..]));
    assert_eq!(state.window("s", &june()).unwrap().holds, vec![hold]);
    assert_eq!(state.open_charges("s").len(), 1);
    assert!(!state.is_fresh() && state.first_window("s") == Some(june()) && state.last_attempt() == 1);
}

#[test]
fn charges_are_frozen_all_or_none() {
    let place = Place::new();
    let (mut ledger, _) = frozen(&place, &["a"]);
    let negative = Proposal { quantity: Decimal::parse("-1").unwrap(), ..proposal(june(), "c") };
    let error = ledger.freeze(Vec::new(), vec![proposal(june(), "b"), negative.clone()]).unwrap_err();
    assert_eq!(
        words(&error, &place),
        format!(
            "an entry was refused, and nothing was written to the ledger LEDGER: the charge {} cannot be one of this pipeline: its \
             quantity is negative",
            negative.key.id()
        )
    );
    assert_eq!((charges(ledger.state()).len(), error.exit()), (1, Exit::Ledger));
    drop(ledger);
    assert_eq!(charges(&place.read()).len(), 1);
}

#[test]
fn there_is_one_charge_a_key_for_ever() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    let again = Proposal { quantity: Decimal::parse("3").unwrap(), ..proposal(june(), "a") };
    let error = ledger.freeze(Vec::new(), vec![again]).unwrap_err();
    let LedgerError::Refused { cause, .. } = error else { panic!("{error}") };
    assert_eq!(cause, FoldError::FrozenTwice(charges[0].id()));
}

#[test]
fn a_charge_that_the_pipeline_cannot_owe_is_not_frozen() {
    let day = Window::parse(WindowKind::Day, "2025-06-01").unwrap();
    let mut foreign = proposal(june(), "a");
    foreign.key.pipeline = "q".to_owned();
    let mut unsorted = proposal(june(), "a");
    unsorted.key.tags.insert(0, ("zone".to_owned(), "1".to_owned()));
    let elsewhere = Proposal { time: june().end().as_millisecond(), ..proposal(june(), "a") };
    let never = proposal(july(), "a");
    for (proposal, words) in [
        (foreign, "it is another pipeline's, or of another kind of window"),
        (proposal(day, "a"), "it is another pipeline's, or of another kind of window"),
        (unsorted, "its tags are not sorted"),
        (elsewhere, "its time lies outside of its window"),
        (never, "it speaks of 2025-07 for the sink `s`, which no run took up"),
    ] {
        let (mut ledger, _) = frozen(&Place::new(), &[]);
        let error = ledger.freeze(Vec::new(), vec![proposal]).unwrap_err().to_string();
        assert!(error.ends_with(words), "{error}");
    }
}

#[test]
fn after_a_failed_write_nothing_more_is_written_and_the_state_is_as_it_was() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    let before = ledger.state().clone();
    ledger.fill_the_disk();
    let many: Vec<Proposal> = (0..2000).map(|number| proposal(june(), &format!("c{number}"))).collect();
    let error = ledger.freeze(Vec::new(), many).unwrap_err();
    assert_eq!(
        words(&error, &place),
        "the ledger LEDGER cannot be written: there is no room left (database or disk is full)"
    );
    assert_eq!(error.action(), "make room, and run again: nothing was sent that is not written down");
    assert!(matches!(error, LedgerError::Storage { trouble: Trouble::Full, .. }) && error.exit() == Exit::Ledger);
    assert_eq!(ledger.state(), &before);
    let error = ledger.begin_attempt(("s", None), &charges, MINUTE).unwrap_err();
    assert_eq!(words(&error, &place), "the ledger LEDGER failed before in this run, and is not written to again");
    drop(ledger);
    let mut ledger = place.open("r2");
    assert_eq!(ledger.state(), &before);
    ledger.begin_attempt(("s", None), &charges, MINUTE).unwrap();
}

#[test]
fn an_answer_counts_for_what_was_asked_and_once() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a", "b", "c", "d"]);
    let attempt = ledger.begin_attempt(("s", None), &charges[..3], MINUTE).unwrap();
    let accepted = |charge: &Charge| outcome(charge.id(), Status::Accepted);
    let outcomes = vec![
        accepted(&charges[0]),
        accepted(&charges[1]),
        outcome(charges[1].id(), Status::Rejected),
        accepted(&charges[3]),
    ];
    ledger.record(attempt, false, outcomes).unwrap();
    let unknown =
        |reason: &str| Standing::Unknown { reason: reason.to_owned(), refusal_if_absent: None, retryable: true };
    assert!(ledger.state().charge(&charges[0].id()).unwrap().is_final());
    assert_eq!(standing(ledger.state(), &charges[1]), &unknown("the answer speaks of it twice"));
    assert_eq!(standing(ledger.state(), &charges[2]), &unknown("the answer does not speak of it"));
    assert_eq!(standing(ledger.state(), &charges[3]), &Standing::Pending { reason: None });
    let found = Finding::Found(record("2"));
    ledger.looked_up("s", vec![(charges[1].id(), found), (charges[1].id(), Finding::Absent)]).unwrap();
    assert_eq!(
        standing(ledger.state(), &charges[1]),
        &unknown("a look-up could not tell: the answer speaks of it twice")
    );
}

#[test]
fn a_window_with_something_open_or_held_is_not_settled() {
    let hold = Hold::new(Scope::Window, "unreadable", "broken".to_owned());
    let reading = |holds| Entry::Reading {
        sink: "s".to_owned(),
        window: june(),
        holds,
        kept: Vec::new(),
        late: Vec::new(),
        zeros_until: None,
        items: Vec::new(),
    };
    let place = Place::new();
    let (mut ledger, _) = frozen(&place, &["a"]);
    let error = ledger.settle("s", june()).unwrap_err().to_string();
    assert!(error.ends_with("it settles 2025-06 for the sink `s`, which is not final"), "{error}");
    let (mut ledger, _) = frozen(&Place::new(), &[]);
    ledger.append(vec![reading(vec![hold.clone()])]).unwrap();
    ledger.settle("s", june()).unwrap_err();
    let (mut ledger, _) = frozen(&Place::new(), &[]);
    ledger.append(vec![reading(vec![hold]), reading(Vec::new())]).unwrap();
    ledger.settle("s", june()).unwrap();
    assert!(ledger.state().is_settled("s", &june()));
    ledger.freeze(Vec::new(), vec![proposal(june(), "late")]).unwrap();
    assert!(!ledger.state().is_settled("s", &june()), "a charge that came later is open");
}

#[test]
fn open_charges_come_oldest_window_first() {
    let place = Place::new();
    let mut ledger = place.open("r1");
    ledger.append(vec![intent(&[june(), july()])]).unwrap();
    let proposals = vec![proposal(july(), "a"), proposal(june(), "b"), proposal(june(), "a")];
    ledger.freeze(Vec::new(), proposals).unwrap();
    let open: Vec<_> = ledger
        .state()
        .open_charges("s")
        .iter()
        .map(|charge| (charge.charge().key().window.label(), charge.charge().key().customer.clone()))
        .collect();
    let expected = [("2025-06", "b"), ("2025-06", "a"), ("2025-07", "a")];
    assert_eq!(open, expected.map(|(window, customer)| (window.to_owned(), customer.to_owned())));
    assert_eq!(ledger.state().counts("s").pending, 3);
    assert!(ledger.state().open_charges("other").is_empty());
}

#[test]
fn pipelines_that_share_a_file_do_not_see_each_other() {
    let place = Place::new();
    drop(frozen(&place, &["a"]));
    let other = Identity { pipeline: "q".to_owned(), window: WindowKind::Day, ..identity() };
    let ledger = Ledger::open(&place.at(), &other, &Claim::at_once("r2")).unwrap();
    assert!(ledger.state().is_fresh() && ledger.state().window_kind() == Some(WindowKind::Day));
    drop(ledger);
    let (ledger, state) = (place.open("r3"), place.read());
    assert_eq!(charges(ledger.state()).len(), 1);
    assert_eq!(charges(&state).len(), 1);
}

#[test]
fn another_kind_of_window_is_refused_before_anything_is_written() {
    let place = Place::new();
    drop(frozen(&place, &["a"]));
    let before = place.contents();
    let hours = Identity { window: WindowKind::Hour, ..identity() };
    for error in [
        Ledger::open(&place.at(), &hours, &Claim::at_once("r2")).unwrap_err(),
        Ledger::state_of(&place.at(), &hours).unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            "the ledger knows the pipeline `p` with window = \"month\", and the file says \"hour\": usage that is billed by month \
             would be billed again by hour"
        );
        assert_eq!(error.exit(), Exit::Configuration);
    }
    let ledgers = |contents: Vec<(String, Vec<u8>)>| contents.into_iter().find(|(name, _)| name == "p.ledger.db");
    assert_eq!(ledgers(place.contents()), ledgers(before));
}
