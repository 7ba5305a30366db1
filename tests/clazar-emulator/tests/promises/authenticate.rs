use clazar_emulator::{Endpoint, Fault, Settings};
use serde_json::{Value, json};

use crate::client::*;

#[test]
fn known_credentials_get_a_bearer_token_for_a_day() {
    let clazar = start();
    let answer = authenticate(&clazar).unwrap();
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&Value::from("bearer"), &Value::from(86400)));
    assert_ne!(body["access_token"], authenticate(&clazar).unwrap().json()["access_token"]);
    assert_eq!(clazar.authentications(), 2);
}

#[test]
fn wrong_credentials_are_unauthorized() {
    let clazar = start();
    let body = r#"{"client_id": "cid", "client_secret": "wrong"}"#;
    assert_eq!(send(&clazar, "POST", "/authenticate/", &[JSON], body).unwrap().status, 401);
}

#[test]
fn a_malformed_request_for_a_token_is_refused() {
    let clazar = start();
    for body in [
        "client_id=cid&client_secret=sec",
        r#"{"client_id": "cid"}"#,
        r#"{"client_id": "cid", "client_secret": 7}"#,
        r#"{"client_id": "cid", "client_secret": "sec", "scope": "all"}"#,
        r#"{"client_id": "cid", "client_id": "cid", "client_secret": "sec"}"#,
        "",
    ] {
        assert_eq!(send(&clazar, "POST", "/authenticate/", &[JSON], body).unwrap().status, 400, "{body}");
    }
    let body = r#"{"client_id": "cid", "client_secret": "sec"}"#;
    for headers in [&[][..], &["Content-Type: text/plain"]] {
        assert_eq!(send(&clazar, "POST", "/authenticate/", headers, body).unwrap().status, 400);
    }
    assert_eq!(send(&clazar, "GET", "/authenticate/", &[], "").unwrap().status, 405);
}

#[test]
fn a_call_without_a_live_token_is_unauthorized_and_books_nothing() {
    let clazar = start();
    let body = json!({ "request": [record(A, "cpu")] });
    assert_eq!(post_as(&clazar, "made-up", &body).unwrap().status, 401);
    assert_eq!(send(&clazar, "POST", "/metering/", &[JSON], &body.to_string()).unwrap().status, 401);
    assert_eq!(send(&clazar, "GET", "/metering/", &[], "").unwrap().status, 401);
    let basic = format!("Authorization: Basic {}", token(&clazar));
    assert_eq!(send(&clazar, "GET", "/metering/", &[&basic], "").unwrap().status, 401);
    assert!(clazar.books().is_empty());
}

#[test]
fn a_token_dies_by_the_emulators_clock() {
    let now = "2025-07-01T02:00:00Z".parse().unwrap();
    let clazar = with(Settings { now: Some(now), expires_in: 60, ..Settings::default() });
    let token = token(&clazar);
    let body = json!({ "request": [record(A, "cpu")] });
    clazar.set_now("2025-07-01T02:01:00Z".parse().unwrap());
    assert_eq!(post_as(&clazar, &token, &body).unwrap().status, 401);
    clazar.set_now("2025-07-01T02:00:59Z".parse().unwrap());
    assert_eq!(post_as(&clazar, &token, &body).unwrap().status, 200);
}

#[test]
fn an_expired_token_fault_voids_every_token() {
    let clazar = start();
    let token = token(&clazar);
    let body = json!({ "request": [record(A, "cpu")] });
    clazar.push_fault(Fault::ExpiredToken);
    assert_eq!(post_as(&clazar, &token, &body).unwrap().status, 401);
    assert_eq!(post_as(&clazar, &token, &body).unwrap().status, 401);
    assert_eq!(post(&clazar, &body).unwrap().status, 200);
}

#[test]
fn a_scripted_token_is_live() {
    let clazar = start();
    let tok = json!({ "access_token": "tok", "token_type": "bearer", "expires_in": 86400 });
    clazar.push_fault(Fault::scripted(200, tok).on(Endpoint::Authenticate).forever());
    assert_eq!(token(&clazar), "tok");
    assert_eq!(post_as(&clazar, "tok", &json!({ "request": [record(A, "cpu")] })).unwrap().status, 200);
}

#[test]
fn a_scripted_refusal_gives_no_token() {
    let clazar = start();
    clazar.push_fault(Fault::scripted(401, json!({ "detail": "bad" })).on(Endpoint::Authenticate));
    clazar.push_fault(Fault::scripted(200, json!({})).on(Endpoint::Authenticate));
    let refusal = authenticate(&clazar).unwrap();
    assert_eq!((refusal.status, refusal.json()), (401, json!({ "detail": "bad" })));
    assert_eq!(authenticate(&clazar).unwrap().json(), json!({}));
    assert_eq!(clazar.authentications(), 2);
}
