use std::time::{Duration, Instant};

use metering_emulator::{Chances, Emulator, Fault, Outcome, When};
use serde_json::{Value, json};

use crate::client::*;

fn three() -> Vec<Value> {
    vec![record(ALICE, "users", 1), record(ALICE, "calls", 2), record(BOB, "users", 3)]
}

fn faulty(fault: Fault) -> (Emulator, Option<Answer>) {
    let service = start();
    service.push_fault(fault);
    let answer = submit(&service, &three());
    (service, answer)
}

/// After the fault the same call is served, and all is billed once.
fn recovers(service: &Emulator) {
    assert_eq!(submit(service, &three()).unwrap().statuses(), ["Success"; 3]);
    assert_eq!(service.books().len(), 3);
    assert!(service.audit().is_clean(), "{:?}", service.audit());
}

#[test]
fn a_request_can_be_throttled_or_fail_with_any_error() {
    let (service, answer) = faulty(Fault::Throttle);
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.error().as_str()), (400, "ThrottlingException"));
    recovers(&service);
    let (service, answer) = faulty(Fault::error("DisabledApiException"));
    assert_eq!(answer.unwrap().error(), "DisabledApiException");
    recovers(&service);
}

#[test]
fn an_internal_error_comes_before_or_after_the_books_change() {
    for (fault, stored) in [(Fault::internal_before_commit(), 0), (Fault::internal_after_commit(), 3)] {
        let (service, answer) = faulty(fault);
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (500, "InternalServiceErrorException"));
        assert_eq!(service.books().len(), stored);
        recovers(&service);
        assert_eq!(service.audit().repeated, stored);
    }
}

#[test]
fn a_connection_can_end_at_three_moments() {
    for (when, stored) in [(When::BeforeReading, 0), (When::BeforeCommit, 0), (When::AfterCommit, 3)] {
        let (service, answer) = faulty(Fault::Drop { when });
        assert!(answer.is_none());
        assert_eq!(service.books().len(), stored);
        let request = &service.requests()[0];
        assert_eq!((request.status, request.number, &request.fault), (None, Some(1), &Fault::Drop { when }));
        assert_eq!(request.raw_body.is_empty(), when == When::BeforeReading);
        recovers(&service);
    }
}

#[test]
fn some_records_can_come_back_unprocessed() {
    let (service, answer) = faulty(Fault::unprocessed([0, 2]));
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.statuses()), (200, vec!["Success".to_owned()]));
    assert_eq!(answer.unprocessed(), [three()[0].clone(), three()[2].clone()]);
    assert_eq!(outcomes(&service), [Outcome::Unprocessed, Outcome::Success, Outcome::Unprocessed]);
    assert_eq!(billed(&service), [format!("{ALICE} calls 2")]);
    recovers(&service);
    let (service, answer) = faulty(Fault::unprocessed([]));
    assert_eq!(answer.unwrap().unprocessed(), three());
    recovers(&service);
}

#[test]
fn a_record_at_fault_has_its_whole_call_refused_and_no_other() {
    let service = start();
    service.push_fault(Fault::refuse("InvalidTagException", ALICE).forever());
    assert_eq!(refusal(&service, &call(&three())), "InvalidTagException");
    assert_eq!(submit(&service, &[record(BOB, "users", 1)]).unwrap().statuses(), ["Success"]);
    assert_eq!(refusal(&service, &call(&[record(ALICE, "users", 1)])), "InvalidTagException");
    service.clear_faults();
    assert_eq!(submit(&service, &[record(ALICE, "users", 2)]).unwrap().statuses(), ["Success"]);
    assert!(service.audit().is_clean(), "a refused call may be followed by another quantity");
}

#[test]
fn an_answer_can_be_silent_about_a_record_that_it_billed() {
    let (service, answer) = faulty(Fault::Missing { positions: vec![1] });
    let answer = answer.unwrap();
    assert_eq!((answer.results().len(), answer.unprocessed().len(), service.books().len()), (2, 0, 3));
    recovers(&service);
}

#[test]
fn an_answer_can_break_off() {
    for (commit, stored) in [(false, 0), (true, 3)] {
        let (service, answer) = faulty(Fault::Truncated { commit });
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.is_whole(), service.books().len()), (200, false, stored));
        recovers(&service);
    }
}

#[test]
fn an_answer_can_be_no_json_or_any_json() {
    let (service, answer) = faulty(Fault::NotJson { status: 503, commit: true });
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (503, Some("text/html")));
    recovers(&service);
    let scripted = Fault::Scripted { status: 200, body: json!({ "Results": [] }), commit: false };
    let (service, answer) = faulty(scripted);
    assert_eq!(answer.unwrap().json(), json!({ "Results": [] }));
    recovers(&service);
}

#[test]
fn an_answer_can_be_slow() {
    for fault in [Fault::Slow { before_ms: 200, after_ms: 0 }, Fault::Slow { before_ms: 0, after_ms: 200 }] {
        let start = Instant::now();
        let (service, answer) = faulty(fault);
        assert_eq!(answer.unwrap().statuses(), ["Success"; 3]);
        assert!(start.elapsed() >= Duration::from_millis(200));
        recovers(&service);
    }
}

#[test]
fn a_fault_waits_for_the_request_of_its_number() {
    let service = start();
    service.push_fault(Fault::internal_before_commit().at(3));
    service.push_fault(Fault::Throttle);
    let one = |dimension: &str| submit(&service, &[record(ALICE, dimension, 1)]).unwrap().status;
    assert_eq!((one("a"), one("b"), one("c"), one("d")), (400, 200, 500, 200));
    let numbers: Vec<_> = service.requests().iter().map(|request| request.number).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4)]);
}

#[test]
fn a_request_that_is_refused_uses_up_no_fault() {
    let service = start();
    service.push_fault(Fault::Throttle);
    let old = but(record(ALICE, "users", 1), "Timestamp", 0);
    assert_eq!(refusal(&service, &call(&[old])), "TimestampOutOfBoundsException");
    assert_eq!(Signer { secret: "x", ..SELLER }.post(&service, "{}").unwrap().error(), "InvalidSignatureException");
    assert_eq!(submit(&service, &three()).unwrap().error(), "ThrottlingException");
    recovers(&service);
}

#[test]
fn faults_can_be_forgotten() {
    let service = start();
    service.push_fault(Fault::Throttle.forever());
    service.set_chances(Some(Chances::new(1, 1.0)));
    assert_eq!(submit(&service, &three()).unwrap().status, 400);
    service.clear_faults();
    recovers(&service);
}

#[test]
fn a_client_that_tries_again_gets_through_faults_by_chance() {
    for seed in 0..4 {
        let service = start();
        service.set_chances(Some(Chances { faults: no_waits(), ..Chances::new(seed, 0.6) }));
        for hour in 0..12 {
            let records: Vec<Value> = three().into_iter().map(|it| but(it, "Timestamp", HOUR - 3600 * hour)).collect();
            let mut left = records.clone();
            for attempt in 0.. {
                assert!(attempt < 50, "no way through at seed {seed}");
                match submit(&service, &left) {
                    Some(answer) if answer.status == 200 && answer.is_whole() => left = answer.unprocessed(),
                    _ => continue,
                }
                if left.is_empty() {
                    break;
                }
            }
        }
        assert_eq!(service.books().len(), 36);
        let audit = service.audit();
        assert!(
            audit.findings.iter().all(|it| matches!(it, metering_emulator::Finding::AboveTheRate { .. })),
            "{audit:?}"
        );
        assert!(service.requests().iter().any(|request| request.fault != Fault::Pass));
    }
}

fn no_waits() -> Vec<Fault> {
    Chances::new(0, 0.0).faults.into_iter().filter(|fault| !matches!(fault, Fault::Slow { .. })).collect()
}
