use metering_emulator::{Booked, Emulator};
use serde_json::{Value, json};

use crate::client::*;

fn control(service: &Emulator, method: &str, subject: &str, body: &Value) -> Answer {
    let host = service.url().strip_prefix("http://").unwrap();
    exchange(host, method, &format!("/_emulator/{subject}"), &[], &body.to_string()).unwrap()
}

#[test]
fn clock_customers_and_faults_can_be_set_from_outside() {
    let service = start();
    assert_eq!(control(&service, "POST", "clock", &json!({ "fixed": "2026-11-22T00:00:00Z" })).status, 204);
    assert_eq!(refusal(&service, &call(&[record(ALICE, "users", 1)])), "TimestampOutOfBoundsException");
    assert_eq!(control(&service, "POST", "clock", &json!({ "running": NOW })).status, 204);
    let unsubscribed = json!({ "customer": BOB, "subscribed": false });
    assert_eq!(control(&service, "POST", "customers", &unsubscribed).status, 204);
    let rules = json!([{ "kind": "throttle" }, { "kind": "drop", "when": "before_commit", "times": "forever" }]);
    assert_eq!(control(&service, "POST", "faults", &rules).status, 204);
    let both = [record(ALICE, "users", 1), record(BOB, "users", 1)];
    assert_eq!(submit(&service, &both).unwrap().error(), "ThrottlingException");
    assert!(submit(&service, &both).is_none());
    assert_eq!(control(&service, "DELETE", "faults", &json!(null)).status, 204);
    assert_eq!(submit(&service, &both).unwrap().statuses(), ["Success", "CustomerNotSubscribed"]);
}

#[test]
fn books_and_audit_can_be_looked_up_from_outside() {
    let service = start();
    submit(&service, &[record(ALICE, "users", 1)]).unwrap();
    submit(&service, &[record(ALICE, "users", 2)]).unwrap();
    let books = control(&service, "GET", "books", &json!(null));
    assert_eq!(serde_json::from_str::<Vec<Booked>>(&books.body).unwrap(), service.books());
    let audit = control(&service, "GET", "audit", &json!(null)).json();
    assert_eq!((&audit["billed"], &audit["requests"]), (&json!(1), &json!(2)));
    assert_eq!(audit["findings"][0]["kind"], "two_quantities");
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let service = start();
    assert_eq!(control(&service, "POST", "clock", &json!("yesterday")).status, 400);
    assert_eq!(control(&service, "POST", "faults", &json!({ "kind": "explode" })).status, 400);
    assert_eq!(control(&service, "POST", "customers", &json!({ "customer": BOB })).status, 400);
    assert_eq!(control(&service, "GET", "secrets", &json!(null)).status, 404);
    assert_eq!(submit(&service, &[record(BOB, "users", 1)]).unwrap().status, 200);
}
