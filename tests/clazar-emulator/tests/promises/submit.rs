use std::collections::BTreeSet;

use clazar_emulator::{Cloud, Record, Settings};
use serde_json::{Value, json};

use crate::client::*;

#[test]
fn a_good_record_is_booked_and_echoed_with_an_id() {
    let clazar = start();
    let mut sent = record(A, "cpu");
    sent["custom_properties"] = json!({ "charge": "c1" });
    let answer = submit(&clazar, &[sent]).unwrap();
    assert_eq!(answer.status, 200);
    let books = clazar.books();
    let expected = json!({
        "id": books[0].id, "cloud": "aws", "contract_id": A, "dimension": "cpu", "quantity": "4", "status": "success",
        "start_time": "2025-06-01T00:00:00Z", "end_time": "2025-06-30T23:59:59Z", "custom_properties": {},
    });
    assert_eq!(answer.results(), [expected]);
    assert_eq!(books[0].custom_properties["charge"], "c1");
}

#[test]
fn a_slot_is_billed_once() {
    let clazar = start();
    submit(&clazar, &[record(A, "cpu")]).unwrap();
    let again = but(but(record(A, "cpu"), "start_time", "2025-06-01T00:59:59Z"), "quantity", "5");
    let next_hour = but(record(A, "cpu"), "start_time", "2025-06-01T01:00:00Z");
    let results = submit(&clazar, &[again, next_hour, record(A, "memory"), record(B, "cpu")]).unwrap().results();
    let message = results[0]["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("same contract_id") && message.contains("same hour"));
    assert!(results[0]["message"].as_str().unwrap().contains("already exists"));
    assert!(results[0]["code"].is_string());
    assert_eq!(results[0].get("id"), None);
    assert!(results[1..].iter().all(|result| result["status"] == "success"));
    assert_eq!(clazar.books().len(), 4);
    assert_eq!(clazar.books()[0].quantity, "4");
}

#[test]
fn a_slot_is_billed_once_within_a_call_too() {
    let clazar = start();
    let results = submit(&clazar, &[record(A, "cpu"), record(A, "cpu")]).unwrap().results();
    assert_eq!(results[0]["status"], "success");
    assert!(results[1]["errors"].is_array());
    assert_eq!(clazar.books().len(), 1);
}

#[test]
fn a_seeded_record_holds_its_slot() {
    let clazar = start();
    let times = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    let seed = Record::billed(Cloud::Aws, A, "cpu", "9", times);
    clazar.seed(seed.clone()).unwrap();
    assert!(clazar.seed(seed).is_err());
    assert!(clazar.seed(Record::billed(Cloud::Aws, A, "cpu", "1", times)).is_err());
    assert!(clazar.seed(Record::billed(Cloud::Aws, A, "memory", "1.5", times)).is_err());
    assert!(submit(&clazar, &[record(A, "cpu")]).unwrap().results()[0]["errors"].is_array());
    assert_eq!(clazar.books()[0].quantity, "9");
}

#[test]
fn an_unknown_contract_is_refused_with_errors_beside_a_booked_one() {
    let known = Some(BTreeSet::from([A.to_owned()]));
    let clazar = with(Settings { known_contracts: known, ..Settings::default() });
    let results = submit(&clazar, &[record(B, "cpu"), record(A, "cpu")]).unwrap().results();
    assert!(results[0]["errors"].is_array() && results[0]["code"].is_string() && results[0]["message"].is_string());
    assert!(!results[0]["message"].as_str().unwrap().contains("already exists"));
    assert_eq!(booked(&clazar), [format!("{A} cpu success")]);
}

#[test]
fn an_unregistered_dimension_fails_with_an_id_and_leaves_its_slot_free() {
    let known = Some(BTreeSet::from(["cpu".to_owned()]));
    let clazar = with(Settings { known_dimensions: known, ..Settings::default() });
    for _ in 0..2 {
        let result = &submit(&clazar, &[record(A, "gpu")]).unwrap().results()[0];
        assert_eq!((&result["status"], &result["dimension"]), (&Value::from("fail"), &Value::from("gpu")));
        assert!(result["id"].is_string());
        assert_eq!(result.get("errors"), None);
    }
    assert_eq!(clazar.books().len(), 2);
}

#[test]
fn a_failed_record_can_be_made_to_hold_its_slot() {
    let known = Some(BTreeSet::new());
    let clazar = with(Settings { known_dimensions: known, failed_holds_slot: true, ..Settings::default() });
    submit(&clazar, &[record(A, "cpu")]).unwrap();
    assert!(submit(&clazar, &[record(A, "cpu")]).unwrap().results()[0]["errors"].is_array());
    assert_eq!(booked(&clazar), [format!("{A} cpu fail")]);
}

#[test]
fn the_metering_path_can_be_moved() {
    let clazar = with(Settings { metering_path: "/custom/metering/".into(), ..Settings::default() });
    assert!(clazar.url().ends_with("/custom/metering/"));
    assert_eq!(submit(&clazar, &[but(record(A, "cpu"), "cloud", "gcp")]).unwrap().status, 200);
    assert_eq!(send(&clazar, "POST", "/metering/", &[JSON], "{}").unwrap().status, 404);
}
