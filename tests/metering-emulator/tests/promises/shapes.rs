//! What is refused for its shape or for rules between its members.

use metering_emulator::Settings;
use serde_json::{Value, json};

use crate::client::*;

const SERIALIZATION: &str = "SerializationException";
const VALIDATION: &str = "ValidationException";
const TAG: &str = "InvalidTagException";
const ALLOCATIONS: &str = "InvalidUsageAllocationsException";
const CUSTOMER: &str = "InvalidCustomerIdentifierException";
const LICENSE: &str = "InvalidLicenseException";
const PRODUCT: &str = "InvalidProductCodeException";

pub fn good() -> Value {
    record(ALICE, "users", 5)
}

fn with_quantity(member: &str, quantity: impl Into<Value>) -> Value {
    but(but(good(), "Quantity", Value::Null), member, quantity)
}

fn allocated(allocations: Value) -> Value {
    but(good(), "UsageAllocations", allocations)
}

fn bucket(quantity: u32, key: &str, value: &str) -> Value {
    json!({ "AllocatedUsageQuantity": quantity, "Tags": [{ "Key": key, "Value": value }] })
}

fn tagged(tags: Value) -> Value {
    allocated(json!([{ "AllocatedUsageQuantity": 5, "Tags": tags }]))
}

fn tags(count: usize) -> Value {
    (0..count).map(|place| json!({ "Key": format!("k{place}"), "Value": "v" })).collect()
}

fn buckets(count: u32) -> Value {
    let list: Vec<Value> = (0..count).map(|place| bucket(1, "k", &place.to_string())).collect();
    but(with_quantity("Quantity", count), "UsageAllocations", list)
}

/// Records that are refused, each alone in a call under a product's code.
fn bad_records() -> Vec<(Value, &'static str)> {
    let identifier = || but(but(good(), "CustomerAWSAccountId", Value::Null), "CustomerIdentifier", "c");
    vec![
        (but(good(), "Timestamp", Value::Null), VALIDATION),
        (but(good(), "Timestamp", "2026-11-20T17:00:00Z"), SERIALIZATION),
        (but(good(), "Timestamp", HOUR.to_string()), SERIALIZATION),
        (but(good(), "Dimension", Value::Null), VALIDATION),
        (but(good(), "Dimension", ""), VALIDATION),
        (but(good(), "Dimension", "d".repeat(256)), VALIDATION),
        (but(good(), "Dimension", 7), SERIALIZATION),
        (but(good(), "Quantity", -1), VALIDATION),
        (but(good(), "Quantity", 2_147_483_648_u32), SERIALIZATION),
        (but(good(), "Quantity", 1.5), SERIALIZATION),
        (but(good(), "Quantity", 1.0), SERIALIZATION),
        (but(good(), "Quantity", "5"), SERIALIZATION),
        (but(good(), "Quantity", true), SERIALIZATION),
        (with_quantity("QuantityAsDecimal", 5), SERIALIZATION),
        (with_quantity("QuantityAsDecimal", ""), VALIDATION),
        (with_quantity("QuantityAsDecimal", "01"), VALIDATION),
        (with_quantity("QuantityAsDecimal", "-1"), VALIDATION),
        (with_quantity("QuantityAsDecimal", "1e3"), VALIDATION),
        (with_quantity("QuantityAsDecimal", "1.0000000"), VALIDATION),
        (with_quantity("QuantityAsDecimal", "10000000000"), VALIDATION),
        (with_quantity("QuantityAsDecimal", "1.5\n"), VALIDATION),
        (but(good(), "QuantityAsDecimal", "5"), VALIDATION),
        (but(good(), "CustomerAWSAccountId", Value::Null), CUSTOMER),
        (but(good(), "CustomerAWSAccountId", ""), VALIDATION),
        (but(good(), "CustomerAWSAccountId", "12345678901a"), VALIDATION),
        (but(good(), "CustomerAWSAccountId", "1".repeat(256)), VALIDATION),
        (but(good(), "CustomerAWSAccountId", 123_456_789_012_u64), SERIALIZATION),
        (but(good(), "CustomerIdentifier", "c"), VALIDATION),
        (but(identifier(), "CustomerIdentifier", ""), CUSTOMER),
        (but(identifier(), "CustomerIdentifier", "c".repeat(256)), VALIDATION),
        (but(good(), "LicenseArn", "l-1"), VALIDATION),
        (but(good(), "LicenseArn", ""), VALIDATION),
        (but(good(), "LicenseArn", ARN), VALIDATION),
        (but(good(), "quantity", 5), SERIALIZATION),
        (but(good(), "CustomerAwsAccountId", ALICE), SERIALIZATION),
        (json!([]), SERIALIZATION),
        (json!("record"), SERIALIZATION),
        (allocated(json!([])), ALLOCATIONS),
        (allocated(json!({})), SERIALIZATION),
        (buckets(2501), ALLOCATIONS),
        (allocated(json!([bucket(2, "a", "x"), bucket(2, "a", "y")])), ALLOCATIONS),
        (allocated(json!([bucket(2, "a", "x"), bucket(3, "a", "x")])), ALLOCATIONS),
        (allocated(json!([{ "AllocatedUsageQuantity": 2 }, { "AllocatedUsageQuantity": 3 }])), ALLOCATIONS),
        (allocated(json!([{}])), ALLOCATIONS),
        (allocated(json!([{ "AllocatedUsageQuantityAsDecimal": "5" }])), ALLOCATIONS),
        (allocated(json!([{ "AllocatedUsageQuantity": 5, "AllocatedUsageQuantityAsDecimal": "5" }])), ALLOCATIONS),
        (but(with_quantity("QuantityAsDecimal", "5"), "UsageAllocations", json!([bucket(5, "a", "x")])), ALLOCATIONS),
        (allocated(json!([{ "AllocatedUsageQuantity": -5 }])), VALIDATION),
        (allocated(json!([{ "AllocatedUsageQuantity": 5, "tags": [] }])), SERIALIZATION),
        (tagged(json!([])), TAG),
        (tagged(tags(6)), TAG),
        (tagged(json!([{ "Key": "a", "Value": "x" }, { "Key": "a", "Value": "y" }])), TAG),
        (tagged(json!([{ "Key": "", "Value": "x" }])), TAG),
        (tagged(json!([{ "Key": "k".repeat(101), "Value": "x" }])), TAG),
        (tagged(json!([{ "Key": "a", "Value": "v".repeat(257) }])), TAG),
        (tagged(json!([{ "Key": "a", "Value": "" }])), TAG),
        (tagged(json!([{ "Key": "a", "Value": "[x]" }])), TAG),
        (tagged(json!([{ "Key": "ä", "Value": "x" }])), TAG),
        (tagged(json!([{ "Key": "a" }])), VALIDATION),
        (tagged(json!([{ "Key": "a", "Value": 1 }])), SERIALIZATION),
    ]
}

/// Whole bodies that are refused.
fn bad_bodies() -> Vec<(String, &'static str)> {
    let call = |code: Value, records: Value| json!({ "ProductCode": code, "UsageRecords": records }).to_string();
    let licensed = licensed(good(), ARN);
    let good_text = good().to_string();
    vec![
        (String::new(), SERIALIZATION),
        ("{".into(), SERIALIZATION),
        ("null".into(), SERIALIZATION),
        ("[]".into(), SERIALIZATION),
        (json!({ "ProductCode": "product" }).to_string(), VALIDATION),
        (call(json!("product"), json!({})), SERIALIZATION),
        (call(json!("a b"), json!([good()])), VALIDATION),
        (call(json!("p".repeat(256)), json!([good()])), VALIDATION),
        (call(json!(7), json!([good()])), SERIALIZATION),
        (call(json!(null), json!([good()])), SERIALIZATION),
        (call(json!(""), json!([good()])), PRODUCT),
        (json!({ "UsageRecords": [good()] }).to_string(), PRODUCT),
        (json!({ "UsageRecords": [good(), licensed] }).to_string(), LICENSE),
        (call(json!("product"), json!([licensed])), VALIDATION),
        (
            json!({ "UsageRecords": [but(but(licensed, "CustomerAWSAccountId", Value::Null), "CustomerIdentifier", "c")] })
                .to_string(),
            CUSTOMER,
        ),
        (call(json!("product"), (0..26).map(|place| but(good(), "Dimension", format!("d{place}"))).collect()), VALIDATION),
        (json!({ "ProductCode": "product", "UsageRecords": [good()], "DryRun": true }).to_string(), SERIALIZATION),
        (format!(r#"{{"ProductCode":"product","ProductCode":"product","UsageRecords":[{good_text}]}}"#), SERIALIZATION),
        (
            format!(r#"{{"ProductCode":"product","UsageRecords":[{}]}}"#, good_text.replace(r#""Quantity":5"#, r#""Quantity":5,"Quantity":5"#)),
            SERIALIZATION,
        ),
        (format!(r#"{{"ProductCode":"product","UsageRecords":[{good_text}]}} x"#), SERIALIZATION),
        (
            format!(r#"{{"ProductCode":"product","UsageRecords":[{}]}}"#, good_text.replace(&HOUR.to_string(), "1e999")),
            SERIALIZATION,
        ),
    ]
}

/// Records at the edge of what is taken.
pub fn good_records() -> Vec<Value> {
    let long = but(good(), "Dimension", "ü".repeat(255));
    let most = but(good(), "Quantity", i32::MAX);
    let edge = with_quantity("QuantityAsDecimal", "9999999999.999999");
    let five = |value: &str| json!([{ "Key": "a b+c-d=e.f_g:h/i@j", "Value": value }]);
    let decimal = json!([
        { "AllocatedUsageQuantityAsDecimal": "0.1", "Tags": five("x") },
        { "AllocatedUsageQuantityAsDecimal": "0.2", "Tags": five("y") },
        { "AllocatedUsageQuantityAsDecimal": "0.000000" },
    ]);
    let exact = but(with_quantity("QuantityAsDecimal", "0.3"), "UsageAllocations", decimal);
    let exponent = but(good(), "Timestamp", 1.795_194e9);
    let nothing =
        but(with_quantity("Quantity", Value::Null), "UsageAllocations", json!([{ "AllocatedUsageQuantity": 0 }]));
    vec![good(), long, most, edge, exact, exponent, nothing, tagged(tags(5)), buckets(2500)]
}

pub fn bad_calls() -> Vec<(String, &'static str)> {
    let records = bad_records().into_iter().map(|(record, error)| (call(&[record]).to_string(), error));
    records.chain(bad_bodies()).collect()
}

#[test]
fn what_has_the_wrong_shape_is_refused_by_its_name() {
    let service = start();
    for (body, error) in bad_calls() {
        let answer = SELLER.post(&service, &body).unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{body:.300}\n{}", answer.body);
    }
    assert!(service.books().is_empty());
}

#[test]
fn what_is_at_the_edge_is_taken() {
    for record in good_records() {
        let answer = submit(&start(), std::slice::from_ref(&record)).unwrap();
        assert_eq!(answer.status, 200, "{:.300} {}", record.to_string(), answer.body);
    }
}

#[test]
fn one_bad_record_refuses_all_of_a_call() {
    let service = start();
    for (record, _) in bad_records() {
        refusal(&service, &call(&[but(good(), "Dimension", "other"), record]));
    }
}

#[test]
fn a_null_is_no_value_even_where_none_is_needed() {
    let service = start();
    for member in ["Quantity", "LicenseArn", "UsageAllocations", "Timestamp"] {
        let mut record = good();
        record[member] = Value::Null;
        assert_eq!(refusal(&service, &call(&[record])), SERIALIZATION);
    }
}

#[test]
fn a_body_has_less_than_a_megabyte() {
    let service = start();
    let body = call(&[good()]).to_string();
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    let answer = SELLER.post(&service, &padded(1_000_000)).unwrap();
    assert_eq!((answer.status, answer.error().as_str()), (413, "RequestEntityTooLargeException"));
    assert_eq!(SELLER.post(&service, &padded(999_999)).unwrap().status, 200);
    let service = with(Settings { body_limit: 100, ..settings() });
    assert_eq!(SELLER.post(&service, &body).unwrap().status, 413);
    assert!(service.books().is_empty());
}
