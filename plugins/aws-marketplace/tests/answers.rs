//! Every form of answer, and what is made of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{
    A, B, LICENSE, NOW, WINDOW, charge, echo, in_hour, offer, result, results, session, stage, statuses, tagged,
};
use meterhost_sdk::{Charge, Decimal, Failure, Outcome, Session, Status};
use serde_json::{Value, json};

fn two() -> Vec<Charge> {
    vec![charge(A, "users", "12"), charge(B, "users", "3")]
}

/// A value with another one under a name.
fn with(mut value: Value, name: &str, other: Value) -> Value {
    value[name] = other;
    value
}

/// A result of which the repeated record has another value under a name.
fn echoing(charge: &Charge, name: &str, other: Value) -> Value {
    let mut result = result(charge, "Success");
    result["UsageRecord"][name] = other;
    result
}

#[test]
fn a_success_that_repeats_its_record_is_accepted_under_its_name() {
    let charges = two();
    let list = [result(&charges[1], "Success"), result(&charges[0], "Success")];
    let outcomes = results(&charges, &list, &[]);
    for (charge, outcome) in charges.iter().zip(&outcomes) {
        let expected = Outcome {
            id: charge.id.clone(),
            status: Status::Accepted,
            retryable: false,
            refusal_if_absent: None,
            reference: Some(format!("mr-{}", charge.id)),
            message: None,
            raw: result(charge, "Success").to_string(),
        };
        assert_eq!(outcome, &expected);
    }
}

#[test]
fn a_customer_without_an_agreement_is_refused_for_good_with_what_to_do() {
    let charges = two();
    let outcomes =
        results(&charges, &[result(&charges[0], "CustomerNotSubscribed"), result(&charges[1], "Success")], &[]);
    assert_eq!(statuses(&outcomes), [Status::Rejected, Status::Accepted]);
    assert_eq!((outcomes[0].retryable, outcomes[0].reference.as_deref()), (false, None));
    assert_eq!(
        outcomes[0].message.as_deref(),
        Some(
            "CustomerNotSubscribed: AWS Marketplace did not record it. Either 123456789012 has no active agreement for abc123xyz456, \
             or the account is suspended, or nobody is known by that id. Look the agreement up in the AWS Marketplace Management \
             Portal, settle what is owed with the customer, and waive the charge"
        )
    );
    let short = [charge("12345678901", "users", "1")];
    let outcomes = results(&short, &[result(&short[0], "CustomerNotSubscribed")], &[]);
    let hint = "(an account id has 12 digits, zeros in front included)";
    assert!(outcomes[0].message.as_deref().unwrap().contains(hint));
}

#[test]
fn a_duplicate_and_an_unprocessed_record_are_told_as_such() {
    let charges = two();
    let outcomes = results(&charges, &[result(&charges[0], "DuplicateRecord")], &[echo(&charges[1])]);
    assert_eq!(statuses(&outcomes), [Status::Duplicate, Status::Unprocessed]);
    assert_eq!(
        outcomes[0].message.as_deref(),
        Some(
            "DuplicateRecord: AWS Marketplace has a record of 123456789012 for users, abc123xyz456 and this hour already, and the \
             first one stands"
        )
    );
    assert_eq!(outcomes[1].raw, echo(&charges[1]).to_string());
}

#[test]
fn one_list_may_be_missing_and_not_both() {
    let charges = two();
    let one = json!({ "Results": [result(&charges[0], "Success"), result(&charges[1], "Success")] }).to_string();
    assert_eq!(statuses(&offer(&charges, Ok(&one)).unwrap()), [Status::Accepted; 2]);
    let other = json!({ "Results": null, "UnprocessedRecords": [echo(&charges[0])] }).to_string();
    assert_eq!(statuses(&offer(&charges, Ok(&other)).unwrap()), [Status::Unprocessed, Status::Unknown]);
    for (answer, fault) in [
        ("", "is no JSON object: "),
        ("{", "is no JSON object: {"),
        ("[]", "is no JSON object: []"),
        ("<html>", "is no JSON object: <html>"),
        ("{}", "has neither Results nor UnprocessedRecords: {}"),
        (r#"{"Results": null}"#, "has neither Results nor UnprocessedRecords"),
        (r#"{"Results": {}}"#, "has Results that are no list"),
        (r#"{"Results": [], "Results": []}"#, "has Results that are no list"),
        (r#"{"Results": [], "UnprocessedRecords": 1}"#, "has UnprocessedRecords that are no list"),
    ] {
        let Err(Failure::Other(text)) = offer(&charges, Ok(answer)) else { panic!("{answer}") };
        assert!(text.starts_with(&format!("AWS Marketplace's answer {fault}")), "{text}");
    }
}

#[test]
fn a_record_without_a_result_is_unknown() {
    let charges = two();
    let outcomes = results(&charges, &[result(&charges[1], "Success")], &[]);
    assert_eq!(statuses(&outcomes), [Status::Unknown, Status::Accepted]);
    let nothing = "AWS Marketplace's answer says nothing that is surely about this record";
    assert_eq!(outcomes[0].message.as_deref(), Some(nothing));
    assert!(outcomes[0].raw.starts_with(r#"{"Results":[{"#));
    assert_eq!(statuses(&results(&charges, &[], &[])), [Status::Unknown; 2]);
}

#[test]
fn a_status_that_nobody_knows_is_unknown() {
    let charges = two();
    for (status, words) in [
        (json!("Accepted"), "the status \"Accepted\", which is not known"),
        (json!("success"), "the status \"success\", which is not known"),
        (json!(null), "no status"),
        (json!(["Success"]), "a status that cannot be read"),
    ] {
        let list = [with(result(&charges[0], ""), "Status", status), result(&charges[1], "Success")];
        let outcomes = results(&charges, &list, &[]);
        assert_eq!(statuses(&outcomes), [Status::Unknown, Status::Accepted]);
        let message = format!("AWS Marketplace's answer is not clear about this record: {words}");
        assert_eq!(outcomes[0].message.as_deref(), Some(message.as_str()));
    }
}

#[test]
fn the_same_in_another_notation_is_the_records_own() {
    let charges = [charge(A, "users", "12")];
    let seconds = WINDOW.start / 1000;
    let written = [
        ("Timestamp", format!("{seconds}.0")),
        ("Timestamp", "1.7951976E9".into()),
        ("Timestamp", "17951976e2".into()),
        ("Timestamp", format!("\"{seconds}\"")),
        ("Timestamp", "\"2026-11-20T18:00:00.000Z\"".into()),
        ("Timestamp", "\"2026-11-20T19:00:00+01:00\"".into()),
        ("Quantity", "12.0".into()),
        ("Quantity", "1.2e1".into()),
        ("Quantity", "null".into()),
        ("QuantityAsDecimal", "\"12.000\"".into()),
        ("UsageAllocations", "[]".into()),
        ("UsageAllocations", "null".into()),
        ("UsageAllocations", r#"[{"AllocatedUsageQuantity": 12}]"#.into()),
        ("LicenseArn", format!("\"{LICENSE}\"")),
        ("CustomerIdentifier", "\"ifAPi5AcF3\"".into()),
        ("SomethingNew", "{\"a\": [1]}".into()),
    ];
    for (name, value) in written {
        let value: Box<serde_json::value::RawValue> = serde_json::from_str(&value).unwrap();
        let mut fields = echo(&charges[0]);
        fields[name] = json!("@");
        let answer =
            format!(r#"{{"Results": [{{"UsageRecord": {fields}, "Status": "Success", "MeteringRecordId": "m"}}]}}"#);
        let answer = answer.replace("\"@\"", value.get());
        let outcomes = offer(&charges, Ok(&answer)).unwrap();
        assert_eq!(statuses(&outcomes), [Status::Accepted], "{answer}");
    }
}

#[test]
fn what_repeats_another_name_is_about_another_record() {
    let charges = two();
    for (name, other) in [
        ("CustomerAWSAccountId", json!("000000000000")),
        ("Dimension", json!("Users")),
        ("Timestamp", json!(WINDOW.start / 1000 + 1)),
        ("Timestamp", json!(WINDOW.start)),
        ("Timestamp", json!("2026-11-20T18:00:00.876Z")),
        ("Timestamp", json!("soon")),
    ] {
        let list = [echoing(&charges[0], name, other.clone()), result(&charges[1], "Success")];
        let outcomes = results(&charges, &list, &[]);
        assert_eq!(statuses(&outcomes), [Status::Unknown, Status::Accepted], "{name} {other}");
    }
}

#[test]
fn what_repeats_another_quantity_leaves_the_record_unknown_beside_its_own_success() {
    let charges = two();
    let odd = [
        ("Quantity", json!(13), "it speaks of the quantity 13, and 12 was sent"),
        ("Quantity", json!("many"), "it speaks of the quantity many, and 12 was sent"),
        ("Quantity", json!([12]), "it speaks of the quantity something that is no text, and 12 was sent"),
        ("QuantityAsDecimal", json!("12.000001"), "it speaks of the quantity 12.000001, and 12 was sent"),
        (
            "UsageAllocations",
            json!([{ "AllocatedUsageQuantity": 11 }]),
            "it speaks of other allocations than were sent",
        ),
        (
            "UsageAllocations",
            json!([{ "AllocatedUsageQuantity": 12, "Tags": [{ "Key": "k", "Value": "v" }] }]),
            "it speaks of other allocations than were sent",
        ),
        ("UsageAllocations", json!({}), "it speaks of other allocations than were sent"),
    ];
    for (name, other, words) in odd {
        let differs = echoing(&charges[0], name, other);
        let other = result(&charges[1], "Success");
        let outcomes = results(&charges, &[differs.clone(), other.clone()], &[]);
        assert_eq!(statuses(&outcomes), [Status::Unknown, Status::Accepted], "{differs}");
        assert_eq!(
            outcomes[0].message.as_deref(),
            Some(
                format!(
                    "AWS Marketplace's answer says nothing that is surely about this record; one that may be: Success as mr-123456789012/users, but {words}"
                )
                .as_str()
            )
        );
        assert_eq!(outcomes[0].raw, differs.to_string());
        let outcomes = results(&charges, &[differs, result(&charges[0], "Success"), other], &[]);
        assert_eq!(statuses(&outcomes), [Status::Unknown, Status::Accepted]);
    }
}

#[test]
fn a_result_that_lacks_a_name_speaks_for_nobody_and_against_what_says_another_thing() {
    let charges = two();
    let own = [result(&charges[0], "Success"), result(&charges[1], "Success")];
    for name in ["CustomerAWSAccountId", "Dimension", "Timestamp"] {
        for odd in [json!(null), json!([]), json!({ "a": 1 }), json!(true)] {
            let loose = echoing(&charges[0], name, odd);
            let outcomes = results(&charges, &[loose.clone(), own[1].clone()], &[]);
            assert_eq!(outcomes[0].status, Status::Unknown, "{loose}");
            assert_eq!(outcomes[1].status, Status::Accepted, "a second Success does no harm: {loose}");
            let refused = with(loose, "Status", json!("CustomerNotSubscribed"));
            let outcomes = results(&charges, &[refused.clone(), own[0].clone(), own[1].clone()], &[]);
            assert_eq!(outcomes[0].status, Status::Unknown, "{refused}");
        }
    }
    for unreadable in [json!(3), json!(null), json!({}), json!({ "UsageRecord": 7, "Status": "DuplicateRecord" })] {
        let outcomes = results(&charges, &[own[0].clone(), own[1].clone(), unreadable.clone()], &[]);
        assert_eq!(statuses(&outcomes), [Status::Unknown; 2], "{unreadable}");
    }
    let outcomes = results(&charges[..1], &[json!({ "Status": "Success", "MeteringRecordId": "m" })], &[]);
    assert_eq!(
        statuses(&outcomes),
        [Status::Unknown],
        "the only result of a call with one record is not surely its own"
    );
}

#[test]
fn two_results_of_one_record_count_if_they_say_the_same() {
    let charges = two();
    let (own, other) = (result(&charges[0], "Success"), result(&charges[1], "Success"));
    let told = |more: &[Value], unprocessed: &[Value]| {
        let list: Vec<Value> = [own.clone(), other.clone()].into_iter().chain(more.iter().cloned()).collect();
        statuses(&results(&charges, &list, unprocessed))
    };
    assert_eq!(told(std::slice::from_ref(&own), &[]), [Status::Accepted; 2]);
    for contrary in [
        result(&charges[0], "DuplicateRecord"),
        result(&charges[0], "CustomerNotSubscribed"),
        result(&charges[0], "Odd"),
        with(own.clone(), "MeteringRecordId", json!("another")),
        with(own.clone(), "MeteringRecordId", json!({})),
    ] {
        assert_eq!(told(std::slice::from_ref(&contrary), &[]), [Status::Unknown, Status::Accepted], "{contrary}");
    }
    assert_eq!(told(&[], &[echo(&charges[0])]), [Status::Unknown, Status::Accepted], "done and not done");
    let nameless = with(own.clone(), "MeteringRecordId", json!(null));
    assert_eq!(told(std::slice::from_ref(&nameless), &[]), [Status::Accepted; 2]);
    let names = ["another", "a third"].map(|name| with(own.clone(), "MeteringRecordId", json!(name)));
    let outcomes = results(&charges[..1], &[nameless, names[0].clone(), names[1].clone()], &[]);
    assert_eq!(statuses(&outcomes), [Status::Unknown], "two names");
    let twice = results(&charges, std::slice::from_ref(&other), &[echo(&charges[0]), echo(&charges[0])]);
    assert_eq!(statuses(&twice), [Status::Unprocessed, Status::Accepted]);
    let outcomes = results(&charges, &[own.clone(), result(&charges[0], "DuplicateRecord")], &[]);
    assert_eq!(
        outcomes[0].message.as_deref(),
        Some(
            "AWS Marketplace's answer is not clear about this record: Success as mr-123456789012/users | DuplicateRecord"
        )
    );
    let both = [own, result(&charges[0], "DuplicateRecord")].map(|result| result.to_string()).join(",");
    assert_eq!(outcomes[0].raw, format!("[{both}]"));
}

#[test]
fn a_result_that_fits_no_record_changes_nothing_for_the_others() {
    let charges = two();
    let stranger = result(&charge("999999999999", "users", "1"), "CustomerNotSubscribed");
    let list = [stranger, result(&charges[0], "Success"), result(&charges[1], "Success")];
    assert_eq!(statuses(&results(&charges, &list, &[])), [Status::Accepted; 2]);
}

#[test]
fn a_field_that_stands_twice_is_not_read() {
    let charges = [charge(A, "users", "12")];
    let good = result(&charges[0], "Success").to_string();
    for (from, to) in [
        (r#""Status":"Success""#, r#""Status":"Success","Status":"CustomerNotSubscribed""#),
        (r#""Quantity":12"#, r#""Quantity":12,"Quantity":13"#),
        (r#""Dimension":"users""#, r#""Dimension":"users","Dimension":"other""#),
        (r#""UsageRecord":"#, r#""UsageRecord":{},"UsageRecord":"#),
        (r#""MeteringRecordId":"#, r#""MeteringRecordId":"a","MeteringRecordId":"#),
    ] {
        let odd = good.replace(from, to);
        assert_ne!(odd, good);
        let outcomes = offer(&charges, Ok(&format!(r#"{{"Results": [{odd}]}}"#))).unwrap();
        assert_eq!(statuses(&outcomes), [Status::Unknown], "{odd}");
    }
}

#[test]
fn hours_are_told_apart() {
    let charges = [charge(A, "d", "1"), in_hour(charge(A, "d", "1"), WINDOW.end)];
    let outcomes = results(&charges, &[result(&charges[1], "Success"), result(&charges[0], "DuplicateRecord")], &[]);
    assert_eq!(statuses(&outcomes), [Status::Duplicate, Status::Accepted]);
}

/// Offers these to a service that answers what is made of the records that it gets.
fn answered(text: &str, charges: &[Charge], answer: impl Fn(Value) -> Value + 'static) -> Vec<Outcome> {
    stage(move |body| {
        let records = body["UsageRecords"].as_array().unwrap().iter().cloned();
        let result = |record| json!({ "UsageRecord": answer(record), "MeteringRecordId": "mr", "Status": "Success" });
        Ok(json!({ "Results": records.map(result).collect::<Vec<_>>() }).to_string())
    });
    session(text).submit(charges, NOW).unwrap()
}

#[test]
fn licenses_and_identifiers_are_matched_by_what_was_told() {
    let license = [Charge { product: LICENSE.into(), ..charge(A, "d", "1") }];
    let text = r#"{"identity": "account-and-license"}"#;
    let told = |name: &'static str, value: Value| {
        statuses(&answered(text, &license, move |record| with(record, name, value.clone())))
    };
    assert_eq!(told("LicenseArn", json!(LICENSE)), [Status::Accepted]);
    assert_eq!(told("LicenseArn", json!(null)), [Status::Accepted]);
    assert_eq!(told("LicenseArn", json!(format!("{LICENSE}0"))), [Status::Unknown]);
    assert_eq!(told("LicenseArn", json!([])), [Status::Unknown]);

    let old = [charge("ifAPi5AcF3", "d", "1")];
    let text = r#"{"identity": "customer-identifier"}"#;
    let told = |name: &'static str, value: Value| {
        statuses(&answered(text, &old, move |record| with(record, name, value.clone())))
    };
    assert_eq!(told("CustomerAWSAccountId", json!(A)), [Status::Accepted]);
    assert_eq!(told("CustomerIdentifier", json!("IFAPI5ACF3")), [Status::Unknown]);
    assert_eq!(told("CustomerIdentifier", json!(null)), [Status::Unknown]);
}

#[test]
fn allocations_are_compared_whatever_their_order_and_notation() {
    let charges = [
        tagged(A, "d", "3", &[("region", "eu"), ("tier", "gold")]),
        charge(A, "d", "5"),
        tagged(A, "d", "4.5", &[("tier", "free")]),
    ];
    let told = |change: fn(&mut Vec<Value>)| {
        statuses(&answered(r#"{"quantity": "decimal"}"#, &charges, move |mut record| {
            change(record["UsageAllocations"].as_array_mut().unwrap());
            record
        }))
    };
    assert_eq!(told(|_| ()), [Status::Accepted; 3]);
    assert_eq!(told(|list| list.reverse()), [Status::Accepted; 3]);
    assert_eq!(told(|list| list[1]["Tags"].as_array_mut().unwrap().reverse()), [Status::Accepted; 3]);
    assert_eq!(told(|list| list[0]["AllocatedUsageQuantityAsDecimal"] = json!("5.0")), [Status::Accepted; 3]);
    assert_eq!(told(|list| list[0]["Tags"] = json!([])), [Status::Accepted; 3]);
    let changes: [fn(&mut Vec<Value>); 7] = [
        |list| list[0]["AllocatedUsageQuantityAsDecimal"] = json!("6"),
        |list| list[0]["AllocatedUsageQuantity"] = json!(5),
        |list| list[0]["Tags"] = json!([{ "Key": "k", "Value": "v" }]),
        |list| list[1]["Tags"][0]["Value"] = json!("us"),
        |list| list[1]["Tags"][0]["Value"] = json!(null),
        |list| list.truncate(2),
        |list| list.push(json!({ "AllocatedUsageQuantityAsDecimal": "0" })),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        assert_eq!(told(change), [Status::Unknown; 3], "{place}");
    }
    // All of them missing says nothing against it.
    let missing =
        answered(r#"{"quantity": "decimal"}"#, &charges, |record| with(record, "UsageAllocations", json!(null)));
    assert_eq!(statuses(&missing), [Status::Accepted; 3]);
}

#[test]
fn an_answer_is_shown_as_far_as_the_ledger_keeps_it() {
    let charges: Vec<Charge> = (0..300).map(|number| tagged(A, "d", "1", &[("k", &number.to_string())])).collect();
    let outcomes = answered("{}", &charges, |record| record);
    assert_eq!(statuses(&outcomes), vec![Status::Accepted; 300]);
    assert!(
        outcomes.iter().all(|outcome| outcome.raw.len() <= 4100 && outcome.raw.starts_with(r#"{"MeteringRecordId""#))
    );
    let charges = [Charge { quantity: Decimal::ZERO, ..charge(A, "d", "1") }];
    let answer = format!(r#"{{"Results": [], "Other": "{}"}}"#, "é".repeat(4000));
    assert!(offer(&charges, Ok(&answer)).unwrap()[0].raw.len() <= 4100);
}
