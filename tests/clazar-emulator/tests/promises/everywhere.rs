//! What can go wrong with a submission can go wrong with a listing and with an authentication too.

use std::time::{Duration, Instant};

use clazar_emulator::{Emulator, Endpoint, Fault, Settings};

use crate::client::*;

const ELSEWHERE: [Endpoint; 2] = [Endpoint::Authenticate, Endpoint::List];

/// An emulator with a record in its books, and a live token of it.
fn busy() -> (Emulator, String) {
    let clazar = start();
    submit(&clazar, &[record(A, "cpu")]).unwrap();
    let token = token(&clazar);
    (clazar, token)
}

fn list_as(clazar: &Emulator, token: &str) -> Option<Answer> {
    send(clazar, "GET", "/metering/", &[&format!("Authorization: Bearer {token}")], "")
}

fn ask(clazar: &Emulator, token: &str, endpoint: Endpoint) -> Option<Answer> {
    match endpoint {
        Endpoint::Authenticate => authenticate(clazar),
        Endpoint::Submit => submit(clazar, &[record(B, "cpu")]),
        Endpoint::List => list_as(clazar, token),
    }
}

/// What comes back from a request that meets this fault; the one after it is served as ever.
fn met(endpoint: Endpoint, fault: Fault) -> Option<Answer> {
    let (clazar, token) = busy();
    clazar.push_fault(fault.on(endpoint));
    let other = if endpoint == Endpoint::List { Endpoint::Authenticate } else { Endpoint::List };
    assert_eq!(ask(&clazar, &token, other).unwrap().status, 200, "the fault waits for its endpoint");
    let answer = ask(&clazar, &token, endpoint);
    assert_eq!(ask(&clazar, &token, endpoint).unwrap().status, 200, "it strikes once");
    assert_eq!(booked(&clazar), [format!("{A} cpu success")]);
    answer
}

#[test]
fn any_status_can_be_answered() {
    for endpoint in ELSEWHERE {
        for status in [400, 401, 403, 404, 500, 502, 503] {
            for fault in [Fault::before_commit(status), Fault::after_commit(status)] {
                let answer = met(endpoint, fault).unwrap();
                assert_eq!(answer.status, status);
                assert!(answer.json().get("access_token").is_none() && answer.json().get("results").is_none());
            }
        }
    }
}

#[test]
fn a_request_can_be_throttled_with_and_without_a_time() {
    for endpoint in ELSEWHERE {
        let answer = met(endpoint, Fault::Throttle { retry_after: Some(7) }).unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
        let answer = met(endpoint, Fault::Throttle { retry_after: None }).unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (429, None));
    }
}

#[test]
fn a_connection_can_drop_before_and_after() {
    for endpoint in ELSEWHERE {
        for fault in [Fault::drop_before_commit(), Fault::drop_after_commit()] {
            assert!(met(endpoint, fault).is_none());
        }
    }
}

#[test]
fn an_answer_can_be_no_json_or_break_off() {
    for endpoint in ELSEWHERE {
        let answer = met(endpoint, Fault::NotJson { status: 200, commit: true }).unwrap();
        assert!(answer.status == 200 && answer.body.starts_with("<!doctype html>"));
        for commit in [false, true] {
            let answer = met(endpoint, Fault::Truncated { commit }).unwrap();
            assert_eq!((answer.status, answer.is_whole()), (200, false));
        }
    }
}

#[test]
fn a_request_can_be_sent_elsewhere() {
    for endpoint in ELSEWHERE {
        let answer =
            met(endpoint, Fault::Redirect { location: "http://elsewhere.invalid/".into(), status: 302 }).unwrap();
        assert_eq!((answer.status, answer.header("location")), (302, Some("http://elsewhere.invalid/")));
    }
}

#[test]
fn an_answer_can_be_slow() {
    for endpoint in ELSEWHERE {
        for fault in [Fault::Slow { before_ms: 200, after_ms: 0 }, Fault::Slow { before_ms: 0, after_ms: 200 }] {
            let start = Instant::now();
            assert_eq!(met(endpoint, fault).unwrap().status, 200);
            assert!(start.elapsed() >= Duration::from_millis(200));
        }
    }
}

#[test]
fn a_token_can_die_at_a_listing() {
    let (clazar, token) = busy();
    clazar.push_fault(Fault::ExpiredToken.on(Endpoint::List));
    for _ in 0..2 {
        assert_eq!(list_as(&clazar, &token).unwrap().status, 401);
    }
    assert_eq!(list(&clazar, "").status, 200);
}

#[test]
fn a_listing_can_lack_records_and_fields_though_it_counts_them() {
    let (clazar, token) = busy();
    submit(&clazar, &[record(B, "cpu")]).unwrap();
    clazar.push_fault(Fault::Missing { count: 1 }.on(Endpoint::List));
    let page = list_as(&clazar, &token).unwrap();
    assert_eq!((page.results().len(), &page.json()["count"]), (1, &2.into()));
    clazar.push_fault(Fault::Unmatched { fields: vec!["dimension".into()], positions: vec![0] }.on(Endpoint::List));
    let page = list_as(&clazar, &token).unwrap();
    assert!(page.results()[0].get("dimension").is_none() && page.results()[1]["dimension"] == "cpu");
}

#[test]
fn faults_of_other_endpoints_can_be_told_in_json() {
    let faults = [
        r#"{"on":"authenticate","kind":"throttle","retry_after":3}"#,
        r#"{"on":"list","times":2,"kind":"status","status":503}"#,
        r#"{"on":"list","kind":"drop","commit":true}"#,
    ];
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let clazar = with(Settings { faults, ..Settings::default() });
    assert_eq!(authenticate(&clazar).unwrap().status, 429);
    let token = token(&clazar);
    assert_eq!(list_as(&clazar, &token).unwrap().status, 503);
    assert_eq!(list_as(&clazar, &token).unwrap().status, 503);
    assert!(list_as(&clazar, &token).is_none());
    assert_eq!(list_as(&clazar, &token).unwrap().status, 200);
}
