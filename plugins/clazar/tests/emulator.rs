//! Against the strict emulator, which keeps books of its own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use clazar_emulator::{Cloud, Commit, Emulator, Endpoint, Fault, Record, Settings};
use common::{A, B, NOW, charge, connected, emulated};
use meterhost_sdk::{Charge, Failure, Finding, Outcome, Session, Status};
use serde_json::{Value, json};

fn charges() -> Vec<Charge> {
    vec![charge(A, "cpu", "4"), charge(A, "memory", "10737418240"), charge(B, "cpu", "0")]
}

fn offered(emulator: &Emulator, charges: &[Charge]) -> Vec<Status> {
    let outcomes = emulated(emulator).submit(charges, NOW).unwrap();
    outcomes.iter().map(|outcome| outcome.status).collect()
}

#[test]
fn charges_are_billed_once_and_found_again() {
    let emulator = Emulator::start(Settings::default()).unwrap();
    assert_eq!(offered(&emulator, &charges()), [Status::Accepted; 3]);
    assert_eq!(offered(&emulator, &charges()), [Status::Duplicate; 3]);
    let answers = emulated(&emulator).look_up(&charges()).unwrap();
    assert!(answers.iter().all(|answer| matches!(answer.finding, Finding::Found(_))));
    assert_eq!(emulator.books().len(), 3);
    emulator.verify_books().unwrap();
}

#[test]
fn the_books_of_many_pages_are_read_to_their_end() {
    let emulator = Emulator::start(Settings::default()).unwrap();
    let many: Vec<Charge> = (0..250).map(|number| charge(A, &format!("d{number}"), "7")).collect();
    assert!(offered(&emulator, &many).iter().all(|status| *status == Status::Accepted));
    let before = emulator.requests().len();
    let answers = emulated(&emulator).look_up(&many).unwrap();
    assert!(answers.iter().all(|answer| matches!(answer.finding, Finding::Found(_))));
    assert_eq!(emulator.requests().len() - before, 4, "authentication and three pages");
}

#[test]
fn refusals_of_single_records_leave_the_others_accepted() {
    let settings = Settings {
        known_contracts: Some(BTreeSet::from([A.to_owned()])),
        known_dimensions: Some(BTreeSet::from(["cpu".to_owned()])),
        ..Settings::default()
    };
    let emulator = Emulator::start(settings).unwrap();
    assert_eq!(offered(&emulator, &charges()), [Status::Accepted, Status::Rejected, Status::Rejected]);
    let answers = emulated(&emulator).look_up(&charges()).unwrap();
    assert!(matches!(answers[0].finding, Finding::Found(_)));
    assert_eq!((&answers[1].finding, &answers[2].finding), (&Finding::Absent, &Finding::Absent));
}

#[test]
fn results_in_another_order_or_left_out_are_read_by_what_they_echo() {
    let emulator = Emulator::start(Settings::default()).unwrap();
    emulator.push_fault(Fault::Reordered);
    assert_eq!(offered(&emulator, &charges()), [Status::Accepted; 3]);
    let emulator = Emulator::start(Settings::default()).unwrap();
    emulator.push_fault(Fault::Missing { count: 1 });
    assert_eq!(offered(&emulator, &charges()), [Status::Unknown, Status::Accepted, Status::Accepted]);
}

#[test]
fn results_without_their_names_are_matched_only_where_that_is_sure() {
    let unmatched = |fields: &[&str], positions: &[usize]| {
        let emulator = Emulator::start(Settings::default()).unwrap();
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        emulator.push_fault(Fault::Unmatched { fields, positions: positions.to_vec() });
        offered(&emulator, &charges())
    };
    assert_eq!(unmatched(&["dimension"], &[]), [Status::Accepted; 3]);
    assert_eq!(unmatched(&["contract_id"], &[]), [Status::Unknown; 3]);
    assert_eq!(unmatched(&["contract_id"], &[1]), [Status::Accepted, Status::Unknown, Status::Accepted]);
    assert_eq!(unmatched(&["status"], &[2]), [Status::Accepted, Status::Accepted, Status::Unknown]);
}

#[test]
fn an_answer_that_is_lost_leaves_everything_to_the_books() {
    for (fault, recorded) in [
        (Fault::after_commit(503), true),
        (Fault::before_commit(503), false),
        (Fault::drop_after_commit(), true),
        (Fault::drop_before_commit(), false),
        (Fault::Truncated { commit: true }, true),
        (Fault::NotJson { status: 200, commit: true }, true),
    ] {
        let emulator = Emulator::start(Settings::default()).unwrap();
        emulator.push_fault(fault.clone());
        let mut session = emulated(&emulator);
        assert!(matches!(session.submit(&charges(), NOW), Err(Failure::Other(_))), "{fault:?}");
        let answers = session.look_up(&charges()).unwrap();
        let found = |finding: &Finding| matches!(finding, Finding::Found(_));
        assert!(answers.iter().all(|answer| found(&answer.finding) == recorded), "{fault:?}: {answers:?}");
    }
}

/// The outcomes of a call that is answered as scripted, and what a look-up says afterwards.
fn scripted(
    charges: &[Charge],
    status: u16,
    body: Value,
    commit: Commit,
) -> (Result<Vec<Outcome>, Failure>, Vec<Finding>) {
    let emulator = Emulator::start(Settings::default()).unwrap();
    emulator.push_fault(Fault::Scripted { status, body, headers: BTreeMap::new(), commit });
    let mut session = emulated(&emulator);
    let outcomes = session.submit(charges, NOW);
    let answers = session.look_up(charges).unwrap();
    (outcomes, answers.into_iter().map(|answer| answer.finding).collect())
}

/// The recorded run `same_contract_two_dims_one_error`: d1 is accepted, d2 is rejected with "dimension invalid".
#[test]
fn two_answers_that_disagree_are_settled_by_the_books_found_is_accepted_and_absent_takes_the_refusal() {
    let body = json!({ "results": [
        { "contract_id": A, "status": "success" },
        { "contract_id": A, "errors": ["e"], "code": "c", "message": "dimension invalid" },
    ] });
    let charges = [charge(A, "d1", "3"), charge(A, "d2", "3")];
    let (outcomes, findings) = scripted(&charges, 200, body, Commit::Successes);
    for outcome in outcomes.unwrap() {
        assert_eq!((outcome.status, outcome.retryable), (Status::Unknown, false));
        assert_eq!(outcome.refusal_if_absent.as_deref(), Some("dimension invalid: e (code c)"));
    }
    assert!(matches!(&findings[..], [Finding::Found(_), Finding::Absent]), "{findings:?}");
}

#[test]
fn results_that_cannot_be_matched_leave_every_charge_to_the_books_without_a_refusal() {
    let anonymous = json!({ "results": [{ "status": "success" }, { "errors": ["e"], "message": "no" }] });
    let elsewhere =
        json!({ "results": [{ "contract_id": B, "status": "fail" }, { "contract_id": "C", "status": "success" }] });
    let charges = [charge(A, "d1", "3"), charge(A, "d2", "3")];
    for body in [anonymous, elsewhere] {
        for (commit, found) in [(Commit::All, true), (Commit::None, false)] {
            let (outcomes, findings) = scripted(&charges, 200, body.clone(), commit);
            let unknown = |outcome: &Outcome| outcome.status == Status::Unknown && outcome.refusal_if_absent.is_none();
            assert!(outcomes.unwrap().iter().all(unknown), "{body}");
            assert!(findings.iter().all(|finding| matches!(finding, Finding::Found(_)) == found), "{findings:?}");
        }
    }
}

#[test]
fn results_behind_a_500_leave_every_charge_to_the_books() {
    let result = |dimension: &str| json!({ "contract_id": A, "dimension": dimension, "status": "success" });
    let body = json!({ "results": [result("d1"), result("d2")] });
    let charges = [charge(A, "d1", "3"), charge(A, "d2", "3")];
    for (commit, found) in [(Commit::All, true), (Commit::None, false)] {
        let (outcomes, findings) = scripted(&charges, 500, body.clone(), commit);
        assert!(matches!(outcomes, Err(Failure::Other(_))), "{outcomes:?}");
        assert!(findings.iter().all(|finding| matches!(finding, Finding::Found(_)) == found), "{findings:?}");
    }
}

#[test]
fn an_expired_token_asks_for_a_new_session_and_records_nothing() {
    let emulator = Emulator::start(Settings::default()).unwrap();
    emulator.push_fault(Fault::ExpiredToken);
    let failure = emulated(&emulator).submit(&charges(), NOW).unwrap_err();
    let text = format!("POST {}: Clazar answered 401: Invalid or expired token.", emulator.url());
    assert_eq!(failure, Failure::Auth(text));
    assert!(emulator.books().is_empty());
    assert_eq!(offered(&emulator, &charges()), [Status::Accepted; 3]);
    emulator.push_fault(Fault::ExpiredToken.on(Endpoint::List));
    assert!(matches!(emulated(&emulator).look_up(&charges()), Err(Failure::Auth(_))));
}

#[test]
fn a_refused_call_records_nothing_and_says_so() {
    let emulator = Emulator::start(Settings { max_records: Some(2), ..Settings::default() }).unwrap();
    let failure = emulated(&emulator).submit(&charges(), NOW).unwrap_err();
    assert_eq!(failure, Failure::Refused(format!("POST {}: Clazar answered 400: Bad request.", emulator.url())));
    emulator.push_fault(Fault::Throttle { retry_after: Some(3) });
    assert_eq!(emulated(&emulator).submit(&charges()[..2], NOW).unwrap_err(), Failure::Throttled(Some(3000)));
    assert!(emulator.books().is_empty());
}

#[test]
fn a_slot_that_someone_else_filled_is_different() {
    let emulator = Emulator::start(Settings::default()).unwrap();
    let times = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    emulator.seed(Record::billed(Cloud::Aws, A, "cpu", "5", times)).unwrap();
    assert_eq!(offered(&emulator, &charges()[..1]), [Status::Duplicate]);
    let answers = emulated(&emulator).look_up(&charges()[..1]).unwrap();
    assert!(matches!(answers[0].finding, Finding::Different(_)));
}

#[test]
fn a_record_of_someone_else_that_an_already_exists_speaks_of_is_different() {
    let body = json!({ "results": [
        { "contract_id": A, "dimension": "cpu", "errors": ["e"], "message": "record already exists", "quantity": "5" },
        { "contract_id": A, "dimension": "memory", "errors": ["e"], "message": "record already exists" },
    ] });
    let charges = charges();
    let (outcomes, findings) = scripted(&charges[..2], 200, body.clone(), Commit::Successes);
    let statuses: Vec<Status> = outcomes.unwrap().iter().map(|outcome| outcome.status).collect();
    assert_eq!(statuses, [Status::Unknown, Status::Duplicate], "the first speaks of another quantity");
    assert!(matches!(&findings[..], [Finding::Different(_), Finding::Absent]), "{findings:?}");
    let (_, findings) = scripted(&charges[..2], 200, body, Commit::BilledBefore);
    assert!(matches!(&findings[..], [Finding::Different(_), Finding::Found(_)]), "{findings:?}");
}

#[test]
fn a_listing_that_hides_a_dimension_leaves_open_only_what_it_does_not_show() {
    let emulator = Emulator::start(Settings::default()).unwrap();
    assert_eq!(offered(&emulator, &charges()[..2]), [Status::Accepted; 2]);
    let hidden = Fault::Unmatched { fields: vec!["dimension".into()], positions: vec![0] };
    emulator.push_fault(hidden.on(Endpoint::List));
    let other = charge(A, "disk", "1");
    let answers = emulated(&emulator).look_up(&[charges(), vec![other]].concat()).unwrap();
    let findings: Vec<&Finding> = answers.iter().map(|answer| &answer.finding).collect();
    let [Finding::CannotTell(_), Finding::Found(_), Finding::Absent, Finding::CannotTell(_)] = findings[..] else {
        panic!("{findings:?}")
    };
}

#[test]
fn a_session_that_cannot_be_opened_says_why() {
    let opened = |fault: Fault| {
        let emulator = Emulator::start(Settings::default()).unwrap();
        emulator.push_fault(fault.on(Endpoint::Authenticate));
        connected(&emulator).unwrap_err()
    };
    assert!(matches!(opened(Fault::before_commit(401)), Failure::Auth(_)));
    assert_eq!(opened(Fault::Throttle { retry_after: Some(2) }), Failure::Throttled(Some(2000)));
    for fault in [Fault::before_commit(503), Fault::drop_after_commit(), Fault::NotJson { status: 200, commit: true }] {
        assert!(matches!(opened(fault.clone()), Failure::Other(_)), "{fault:?}");
    }
}
