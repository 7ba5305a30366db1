use std::collections::BTreeMap;

use metering_emulator::{Emulator, Fault, Finding, License, Settings};
use serde_json::{Value, json};

use crate::client::*;

/// The kinds of the findings.
fn kinds(service: &Emulator) -> Vec<&'static str> {
    let kind = |finding: Finding| match finding {
        Finding::BilledTwice { .. } => "billed twice",
        Finding::TwoIdentities { .. } => "two identities",
        Finding::TwoProducts { .. } => "two products",
        Finding::TwoQuantities { .. } => "two quantities",
        Finding::NotOffered { .. } => "not offered",
        Finding::NotBooked { .. } => "not booked",
        Finding::AboveTheRate { .. } => "above the rate",
        Finding::UnknownShape { .. } => "unknown shape",
    };
    service.audit().findings.into_iter().map(kind).collect()
}

fn identified(record: Value, identifier: &str) -> Value {
    but(but(record, "CustomerAWSAccountId", Value::Null), "CustomerIdentifier", identifier)
}

#[test]
fn one_buyer_under_two_identities_is_found() {
    let aliases = BTreeMap::from([("alice".to_owned(), ALICE.to_owned())]);
    let service = with(Settings { aliases, ..settings() });
    let records = [record(ALICE, "users", 1), identified(record(ALICE, "calls", 1), "alice")];
    assert_eq!(submit(&service, &records).unwrap().statuses(), ["Success", "Success"], "the service takes both");
    assert_eq!(kinds(&service), ["two identities"]);
    assert!(service.audit().findings[0].to_string().starts_with("one buyer is billed as two: users of 123456789012"));
}

#[test]
fn two_buyers_or_two_hours_are_no_double_billing() {
    let aliases = BTreeMap::from([("alice".to_owned(), ALICE.to_owned())]);
    let service = with(Settings { aliases, ..settings() });
    let hour_before = but(identified(record(ALICE, "users", 1), "alice"), "Timestamp", HOUR - 1);
    submit(&service, &[record(ALICE, "users", 1), hour_before, identified(record(BOB, "users", 1), "bob")]).unwrap();
    assert_eq!((service.books().len(), kinds(&service)), (3, vec![]));
}

#[test]
fn one_buyer_under_a_code_and_a_licence_is_found() {
    let service = start();
    submit(&service, &[record(ALICE, "users", 1)]).unwrap();
    let answer = submit_licensed(&service, &[licensed(record(ALICE, "users", 1), ARN)]).unwrap();
    assert_eq!(answer.statuses(), ["Success"], "the service takes both");
    assert_eq!(kinds(&service), ["two products"]);
}

#[test]
fn a_licence_of_another_product_is_no_double_billing() {
    for (product, found) in [("other", vec![]), ("product", vec!["two products"])] {
        let license = License { product: product.into(), customer: None };
        let service = with(Settings { licenses: Some(BTreeMap::from([(ARN.into(), license)])), ..settings() });
        submit(&service, &[record(ALICE, "users", 1)]).unwrap();
        submit_licensed(&service, &[licensed(record(ALICE, "users", 1), ARN)]).unwrap();
        assert_eq!(kinds(&service), found);
    }
}

#[test]
fn two_licences_of_one_buyer_are_no_double_billing() {
    let service = start();
    for arn in [ARN.to_owned(), format!("{ARN}-b")] {
        submit_licensed(&service, &[licensed(record(ALICE, "users", 1), &arn)]).unwrap();
    }
    assert_eq!((service.books().len(), kinds(&service)), (2, vec![]));
}

#[test]
fn a_slot_that_is_offered_with_two_quantities_is_found_though_one_is_billed() {
    let service = start();
    submit(&service, &[record(ALICE, "users", 5)]).unwrap();
    submit(&service, &[record(ALICE, "users", 7)]).unwrap();
    let [Finding::TwoQuantities { offered, .. }] = &service.audit().findings[..] else {
        unreachable!("{:?}", service.audit());
    };
    assert_eq!(offered, &["5", "7"]);
}

#[test]
fn a_quantity_that_changes_after_a_lost_answer_is_found_and_after_a_clear_one_it_is_not() {
    let lost = [
        Fault::drop_before_commit(),
        Fault::drop_after_commit(),
        Fault::internal_before_commit(),
        Fault::internal_after_commit(),
        Fault::Truncated { commit: false },
        Fault::NotJson { status: 503, commit: false },
    ];
    let clear = [Fault::Throttle, Fault::unprocessed([]), Fault::error("DisabledApiException")];
    let of = |fault: Fault| {
        let service = start();
        service.push_fault(fault);
        submit(&service, &[record(ALICE, "users", 5)]);
        submit(&service, &[record(ALICE, "users", 6)]).unwrap();
        kinds(&service)
    };
    for fault in lost {
        assert_eq!(of(fault.clone()), ["two quantities"], "{fault:?}");
    }
    for fault in clear {
        assert_eq!(of(fault.clone()), [""; 0], "{fault:?}");
    }
}

#[test]
fn a_request_of_an_unknown_shape_is_found() {
    let service = start();
    refusal(&service, &json!({ "UsageRecords": [], "Usage": 1 }));
    refusal(&service, &call(&[but(record(ALICE, "users", 1), "Quantity", -1)]));
    Signer { target: "AWSMPMeteringService.MeterUsage", ..SELLER }.post(&service, "{}").unwrap();
    assert_eq!(kinds(&service), ["unknown shape"; 3]);
    let last = Finding::UnknownShape { request: 3, error: "UnknownOperationException".into() };
    assert_eq!(service.audit().findings[2], last);
}

#[test]
fn an_error_that_is_no_fault_of_the_shape_is_none_of_the_audits() {
    let service = start();
    let old = but(record(BOB, "users", 1), "Timestamp", 0);
    refusal(&service, &call(&[old]));
    service.push_fault(Fault::error("ValidationException"));
    submit(&service, &[record(ALICE, "users", 1)]).unwrap();
    assert_eq!((kinds(&service), service.audit().requests), (vec![], 2));
}
