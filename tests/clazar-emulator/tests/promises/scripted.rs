use std::collections::BTreeMap;

use clazar_emulator::{Cloud, Commit, Emulator, Fault, Record, Rule};
use serde_json::{Value, json};

use crate::client::*;

fn month() -> Vec<Value> {
    vec![record(A, "cpu"), record(A, "memory"), record(A, "storage"), record(B, "cpu")]
}

fn exists(contract: &str) -> Value {
    json!({ "contract_id": contract, "errors": ["e"], "code": "c", "message": "record already exists" })
}

#[test]
fn a_scripted_answer_is_sent_as_it_stands() {
    let clazar = start();
    let body = json!({ "results": [{ "contract_id": A, "status": "failed" }] });
    clazar.push_fault(Fault::scripted(200, body.clone()));
    clazar.push_fault(Fault::scripted(200, json!("<html>")));
    let headers = BTreeMap::from([("x-request-id".into(), "r1".into())]);
    clazar.push_fault(Fault::Scripted { status: 418, body: json!(null), headers, commit: Commit::None });
    assert_eq!(submit(&clazar, &month()).unwrap().json(), body);
    assert_eq!(submit(&clazar, &month()).unwrap().body, "<html>");
    let answer = submit(&clazar, &month()).unwrap();
    assert_eq!((answer.status, answer.header("x-request-id")), (418, Some("r1")));
    assert!(clazar.books().is_empty());
}

fn script(body: Value, commit: Commit) -> Fault {
    Fault::Scripted { status: 200, body, headers: BTreeMap::new(), commit }
}

/// Quantity and dimension of all records that are listed for a contract.
fn listed(clazar: &Emulator, contract: &str) -> Vec<String> {
    let records = list(clazar, &format!("?contract_id={contract}")).results();
    records.iter().map(|it| format!("{} {}", it["quantity"].as_str().unwrap(), it["dimension"])).collect()
}

#[test]
fn a_scripted_already_exists_bills_nothing() {
    let clazar = start();
    let body = json!({ "results": [exists(A), { "contract_id": B, "status": "success" }] });
    clazar.push_fault(Fault::scripted(200, body));
    submit(&clazar, &month()).unwrap();
    assert_eq!(booked(&clazar), [format!("{B} cpu success")]);
    assert_eq!(listed(&clazar, A), [""; 0]);
}

#[test]
fn a_scripted_already_exists_that_names_a_quantity_shows_someone_elses_record() {
    let clazar = start();
    let of = |dimension: &str, quantity: Value| but(but(exists(A), "dimension", dimension), "quantity", quantity);
    let body = json!({ "results": [of("memory", json!("9")), of("cpu", json!(4))] });
    clazar.push_fault(Fault::scripted(200, body).times(2));
    submit(&clazar, &month()).unwrap();
    assert_eq!(listed(&clazar, A), [r#"9 "memory""#, r#"4 "cpu""#]);
    let request = clazar.requests().into_iter().rfind(|it| it.method == "POST" && it.path == "/metering/").unwrap();
    assert!(!request.committed(), "{:?}", request.stored);
    submit(&clazar, &month()).unwrap();
    assert_eq!(clazar.books().len(), 2);
    assert_eq!(clazar.resent(), [], "nothing was billed that was offered");
    assert_eq!(clazar.verify_books(), Ok(()));
    let results = submit(&clazar, &[record(A, "memory")]).unwrap().results();
    assert!(results[0]["message"].as_str().unwrap().contains("already exists"), "the slot is held");
}

#[test]
fn a_scripted_already_exists_leaves_a_seeded_slot_as_it_is() {
    let clazar = start();
    let times = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    clazar.seed(Record::billed(Cloud::Aws, A, "cpu", "7", times)).unwrap();
    for commit in [Commit::Successes, Commit::BilledBefore] {
        clazar.push_fault(script(json!({ "results": [but(exists(A), "quantity", "9")] }), commit));
        submit(&clazar, &[record(A, "cpu")]).unwrap();
        assert_eq!(listed(&clazar, A), [r#"7 "cpu""#]);
    }
}

#[test]
fn the_books_follow_what_a_script_says_call_after_call() {
    let clazar = start();
    let body = json!({ "results": [exists(A), { "contract_id": B, "status": "success" }] });
    clazar.push_fault(script(body, Commit::BilledBefore).forever());
    submit(&clazar, &month()).unwrap();
    assert_eq!(booked(&clazar), [format!("{A} cpu success"), format!("{B} cpu success")]);
    assert_eq!(clazar.requests().last().unwrap().stored, [clazar.books()[1].id.as_str()], "A's is someone else's");
    submit(&clazar, &[record(A, "memory"), record(A, "storage")]).unwrap();
    submit(&clazar, &[record(A, "storage")]).unwrap();
    assert_eq!(listed(&clazar, A), [r#"4 "cpu""#, r#"4 "memory""#, r#"4 "storage""#]);
    submit(&clazar, &month()).unwrap();
    assert_eq!(clazar.books().len(), 4);
    assert_eq!(clazar.verify_books(), Ok(()));
}

#[test]
fn a_script_says_in_json_how_the_books_follow_it() {
    let rule = r#"{"kind":"scripted","status":200,"body":{"results":[]},"commit":"billed_before"}"#;
    let expected = script(json!({ "results": [] }), Commit::BilledBefore);
    assert_eq!(rule.parse::<Rule>().unwrap(), Rule::from(expected));
}

#[test]
fn a_failed_record_of_a_script_is_listed_under_the_scripts_id() {
    let clazar = start();
    let result = |id: &str, dimension: &str, status: &str| {
        let mut result = but(but(record(A, dimension), "id", id), "status", status);
        result["custom_properties"] = json!({});
        result
    };
    let body = json!({ "results": [result("i1", "cpu", "fail"), result("i2", "memory", "success")] });
    clazar.push_fault(Fault::scripted(200, body).times(2));
    for _ in 0..2 {
        submit(&clazar, &[record(A, "cpu"), record(A, "memory")]).unwrap();
        let listed = list(&clazar, "").results();
        assert_eq!(listed.len(), 2);
        assert_eq!((&listed[0]["id"], &listed[0]["status"]), (&json!("i1"), &json!("fail")));
        assert_eq!((&listed[1]["id"], &listed[1]["status"]), (&json!("i2"), &json!("success")));
    }
}

#[test]
fn a_script_can_book_all_or_nothing_whatever_it_says() {
    let clazar = start();
    let script =
        |status: u16, body: Value, commit: Commit| Fault::Scripted { status, body, headers: BTreeMap::new(), commit };
    clazar.push_fault(script(200, json!({ "results": [{ "contract_id": A, "status": "success" }] }), Commit::None));
    submit(&clazar, &month()).unwrap();
    assert!(clazar.books().is_empty());
    let success = json!({ "results": [{ "contract_id": A, "status": "success" }] });
    clazar.push_fault(Fault::scripted(500, success));
    submit(&clazar, &month()).unwrap();
    assert!(clazar.books().is_empty());
    clazar.push_fault(script(500, json!({ "detail": "boom" }), Commit::All));
    assert_eq!(submit(&clazar, &month()).unwrap().status, 500);
    assert_eq!(clazar.books().len(), 4);
}
