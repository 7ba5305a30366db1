use std::collections::BTreeSet;

use clazar_emulator::{Fault, Settings};
use serde_json::{Value, json};

use crate::client::*;

fn removed(mut record: Value, field: &str) -> Value {
    record.as_object_mut().unwrap().remove(field);
    record
}

#[test]
fn one_malformed_record_refuses_the_whole_call() {
    let clazar = with(Settings { now: Some("2025-07-01T02:00:00Z".parse().unwrap()), ..Settings::default() });
    let good = || record(A, "cpu");
    let bad = [
        but(good(), "cloud", "oracle"),
        but(good(), "cloud", "AWS"),
        but(good(), "contract_id", ""),
        but(good(), "contract_id", Value::Null),
        but(good(), "dimension", " "),
        but(good(), "quantity", 4),
        but(good(), "quantity", "4.5"),
        but(good(), "quantity", "-4"),
        but(good(), "quantity", ""),
        but(good(), "quantity", "1".repeat(39)),
        but(good(), "start_time", "2025-06-01"),
        but(good(), "start_time", "2025-06-30T23:59:59.000Z"),
        but(good(), "end_time", "2025-05-31T23:59:59Z"),
        but(good(), "end_time", "2025-07-01T02:00:01Z"),
        but(good(), "custom_properties", "none"),
        but(good(), "id", "mine"),
        removed(good(), "cloud"),
        removed(good(), "end_time"),
    ];
    for bad in bad {
        let answer = submit(&clazar, &[record(B, "cpu"), bad.clone()]).unwrap();
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.json()["detail"].is_string());
    }
    assert!(clazar.books().is_empty());
    assert_eq!(submit(&clazar, &[but(good(), "end_time", "2025-07-01T02:00:00Z")]).unwrap().status, 200);
}

#[test]
fn a_body_of_another_shape_is_refused() {
    let clazar = start();
    let extra = json!({ "request": [record(A, "cpu")], "dry_run": true });
    for body in [json!({}), json!([]), json!({ "request": [] }), json!({ "request": record(A, "cpu") }), extra] {
        assert_eq!(post(&clazar, &body).unwrap().status, 400, "{body}");
    }
    let bearer = format!("Authorization: Bearer {}", token(&clazar));
    let body = json!({ "request": [record(A, "cpu")] }).to_string();
    assert_eq!(send(&clazar, "POST", "/metering/", &[&bearer], &body).unwrap().status, 400);
    assert_eq!(send(&clazar, "POST", "/metering/", &[&bearer, JSON], "not json").unwrap().status, 400);
    assert_eq!(send(&clazar, "POST", "/metering/?x=1", &[&bearer, JSON], &body).unwrap().status, 400);
    assert_eq!(send(&clazar, "PUT", "/metering/", &[&bearer, JSON], &body).unwrap().status, 405);
    assert_eq!(send(&clazar, "POST", "/metering", &[&bearer, JSON], &body).unwrap().status, 404);
    assert!(clazar.books().is_empty());
}

#[test]
fn a_call_that_holds_too_many_records_is_refused_without_a_name() {
    let clazar = with(Settings { max_records: Some(1), ..Settings::default() });
    let answer = submit(&clazar, &[record(A, "cpu"), record(B, "cpu")]).unwrap();
    assert_eq!(answer.status, 400);
    assert!(!answer.body.contains(A) && !answer.body.contains(B));
    assert_eq!(submit(&clazar, &[record(A, "cpu")]).unwrap().status, 200);
}

#[test]
fn a_poisonous_contract_or_dimension_refuses_every_call_that_holds_it() {
    let clazar = with(Settings {
        refuse_contracts: BTreeSet::from([B.to_owned()]),
        refuse_dimensions: BTreeSet::from(["gpu".to_owned()]),
        ..Settings::default()
    });
    assert_eq!(submit(&clazar, &[record(A, "cpu"), record(B, "cpu")]).unwrap().status, 400);
    assert_eq!(submit(&clazar, &[record(A, "cpu"), record(A, "gpu")]).unwrap().status, 400);
    assert!(clazar.books().is_empty());
    assert_eq!(submit(&clazar, &[record(A, "cpu")]).unwrap().status, 200);
}

#[test]
fn a_request_that_is_refused_uses_up_no_fault() {
    let clazar = start();
    clazar.push_fault(Fault::before_commit(503));
    assert_eq!(submit(&clazar, &[]).unwrap().status, 400);
    assert_eq!(submit(&clazar, &[record(A, "cpu")]).unwrap().status, 503);
    assert_eq!(submit(&clazar, &[record(A, "cpu")]).unwrap().status, 200);
}

#[test]
fn requests_beyond_the_rate_limit_are_told_when_to_come_back() {
    let clazar = with(Settings { rate_limit: Some(2), ..Settings::default() });
    let token = token(&clazar);
    let call = |dimension: &str| post_as(&clazar, &token, &json!({ "request": [record(A, dimension)] })).unwrap();
    assert_eq!(call("cpu").status, 200);
    let refused = call("memory");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("30")));
    assert_eq!(clazar.books().len(), 1);
}

#[test]
fn a_body_beyond_all_measure_is_refused_unread() {
    let clazar = start();
    let answer = post(&clazar, &json!({ "request": "x".repeat(17 << 20) }));
    // The connection may break while the client is still writing; then there is no answer to read.
    assert!(answer.is_none_or(|answer| answer.status == 413));
    assert!(clazar.books().is_empty());
}
