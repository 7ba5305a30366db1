use std::thread;
use std::time::{Duration, Instant};

use clazar_emulator::{Emulator, Endpoint, Fault};
use serde_json::{Value, json};

use crate::client::*;

fn three() -> Vec<Value> {
    vec![record(A, "cpu"), record(A, "memory"), record(B, "cpu")]
}

fn faulty(fault: Fault) -> (Emulator, Option<Answer>) {
    let clazar = start();
    clazar.push_fault(fault);
    let answer = submit(&clazar, &three());
    (clazar, answer)
}

#[test]
fn a_server_error_comes_before_or_after_the_books_change() {
    for (fault, stored) in [(Fault::before_commit(503), 0), (Fault::after_commit(502), 3)] {
        let (clazar, answer) = faulty(fault);
        assert!(answer.unwrap().status >= 502);
        assert_eq!(clazar.books().len(), stored);
        assert_eq!(clazar.requests().last().unwrap().stored.len(), stored);
    }
}

#[test]
fn a_connection_drops_before_or_after_the_books_change() {
    for (fault, stored) in [(Fault::drop_before_commit(), 0), (Fault::drop_after_commit(), 3)] {
        let (clazar, answer) = faulty(fault);
        assert!(answer.is_none());
        assert_eq!(clazar.books().len(), stored);
        let entry = clazar.requests().pop().unwrap();
        assert_eq!((entry.status, entry.committed()), (None, stored > 0));
    }
}

#[test]
fn throttling_may_say_how_long() {
    let (clazar, answer) = faulty(Fault::Throttle { retry_after: Some(7) });
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    clazar.push_fault(Fault::Throttle { retry_after: None });
    let answer = submit(&clazar, &three()).unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (429, None));
    assert!(clazar.books().is_empty());
}

#[test]
fn results_go_missing_from_the_front_though_all_is_booked() {
    let (clazar, answer) = faulty(Fault::Missing { count: 2 });
    let results = answer.unwrap().results();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["contract_id"], B);
    assert_eq!(clazar.books().len(), 3);
}

#[test]
fn results_come_in_reverse() {
    let (_clazar, answer) = faulty(Fault::Reordered);
    let names: Vec<Value> = answer.unwrap().results().iter().map(|it| it["dimension"].clone()).collect();
    assert_eq!(names, ["cpu", "memory", "cpu"]);
    let (_clazar, answer) = faulty(Fault::Reordered);
    assert_eq!(answer.unwrap().results()[0]["contract_id"], B);
}

#[test]
fn results_lose_the_fields_that_name_their_record() {
    let (clazar, answer) = faulty(Fault::Unmatched { fields: vec!["contract_id".into()], positions: vec![1] });
    let results = answer.unwrap().results();
    assert_eq!(results[1].get("contract_id"), None);
    assert_eq!(results[0]["contract_id"], A);
    assert_eq!(clazar.books().len(), 3);
    let fields = vec!["dimension".into(), "contract_id".into()];
    let (_clazar, answer) = faulty(Fault::Unmatched { fields, positions: vec![] });
    let unnamed = |it: &Value| it.get("contract_id").is_none() && it.get("dimension").is_none();
    assert!(answer.unwrap().results().iter().all(unnamed));
}

#[test]
fn chosen_records_fail() {
    let (clazar, answer) = faulty(Fault::Fail { positions: vec![0, 2, 9] });
    let statuses: Vec<Value> = answer.unwrap().results().iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, ["fail", "success", "fail"]);
    assert_eq!(booked(&clazar), [format!("{A} cpu fail"), format!("{A} memory success"), format!("{B} cpu fail")]);
}

#[test]
fn an_answer_that_is_not_json_or_breaks_off_is_not_whole() {
    for commit in [false, true] {
        let stored = if commit { 3 } else { 0 };
        let (clazar, answer) = faulty(Fault::NotJson { status: 200, commit });
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.is_whole()), (200, true));
        assert!(answer.body.starts_with("<!doctype html>"));
        assert_eq!(clazar.books().len(), stored);

        let (clazar, answer) = faulty(Fault::Truncated { commit });
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.is_whole()), (200, false));
        assert!(answer.body.starts_with('{') && serde_json::from_str::<Value>(&answer.body).is_err());
        assert_eq!(clazar.books().len(), stored);
    }
}

#[test]
fn a_redirect_leads_elsewhere_and_books_nothing() {
    let (clazar, answer) = faulty(Fault::Redirect { location: "http://elsewhere.invalid/".into(), status: 307 });
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("location")), (307, Some("http://elsewhere.invalid/")));
    assert!(clazar.books().is_empty());
}

#[test]
fn a_leak_repeats_the_secrets_it_was_sent() {
    let clazar = start();
    let token = token(&clazar);
    clazar.push_fault(Fault::Leak { status: 500 });
    let answer = post_as(&clazar, &token, &json!({ "request": three() })).unwrap();
    assert!(answer.status == 500 && answer.body.contains(&format!("Bearer {token}")));
    clazar.push_fault(Fault::Leak { status: 400 }.on(Endpoint::Authenticate));
    let answer = authenticate(&clazar).unwrap();
    assert!(answer.status == 400 && answer.body.contains("sec"));
}

#[test]
fn a_slow_answer_waits_before_or_after_the_books_change() {
    let clazar = start();
    clazar.push_fault(Fault::Slow { before_ms: 300, after_ms: 0 });
    clazar.push_fault(Fault::Slow { before_ms: 0, after_ms: 300 });
    for dimension in ["cpu", "memory"] {
        let start = Instant::now();
        assert_eq!(submit(&clazar, &[record(A, dimension)]).unwrap().status, 200);
        assert!(start.elapsed() >= Duration::from_millis(300));
    }
}

#[test]
fn a_slow_request_takes_effect_though_the_client_has_gone() {
    let clazar = start();
    let bearer = format!("Authorization: Bearer {}", token(&clazar));
    clazar.push_fault(Fault::Slow { before_ms: 400, after_ms: 0 });
    let body = json!({ "request": three() }).to_string();
    let short = Duration::from_millis(100);
    assert!(exchange(clazar.origin(), "POST", "/metering/", &[JSON, &bearer], &body, short).is_err());
    assert!(clazar.books().is_empty());
    let patience = Instant::now() + Duration::from_secs(5);
    while clazar.books().is_empty() && Instant::now() < patience {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(clazar.books().len(), 3);
}

#[test]
fn others_are_served_while_one_waits() {
    let clazar = start();
    clazar.push_fault(Fault::Slow { before_ms: 2_000, after_ms: 0 });
    thread::scope(|scope| {
        let slow = scope.spawn(|| submit(&clazar, &[record(A, "cpu")]).unwrap());
        while clazar.requests().len() < 2 {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(submit(&clazar, &[record(B, "cpu")]).unwrap().status, 200);
        assert_eq!(booked(&clazar), [format!("{B} cpu success")]);
        assert_eq!(slow.join().unwrap().status, 200);
    });
}

#[test]
fn a_fault_repeats_until_it_is_cleared_and_only_at_its_endpoint() {
    let clazar = start();
    clazar.push_fault(Fault::before_commit(500).forever());
    for _ in 0..3 {
        assert_eq!(submit(&clazar, &three()).unwrap().status, 500);
        assert_eq!(list(&clazar, "").status, 200);
    }
    clazar.clear_faults();
    assert_eq!(submit(&clazar, &three()).unwrap().status, 200);
    clazar.push_fault(Fault::drop_before_commit().on(Endpoint::List).times(1));
    let bearer = format!("Authorization: Bearer {}", token(&clazar));
    assert!(send(&clazar, "GET", "/metering/", &[&bearer], "").is_none());
    assert_eq!(list(&clazar, "").json()["count"], 3);
}
