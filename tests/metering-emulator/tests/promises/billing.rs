use metering_emulator::{Booked, Customer, EchoTime, Product, Settings};
use serde_json::{Value, json};

use crate::client::*;

#[test]
fn a_good_record_is_billed_and_echoed_as_it_was_sent_with_an_id() {
    let service = start();
    let sent = json!({
        "Timestamp": HOUR as f64 + 1799.5, "Dimension": "users", "QuantityAsDecimal": "3.50",
        "CustomerAWSAccountId": ALICE, "UsageAllocations": [
            { "AllocatedUsageQuantityAsDecimal": "1.5" },
            { "AllocatedUsageQuantityAsDecimal": "2.0", "Tags": [{ "Key": "tier", "Value": "gold" }] },
        ],
    });
    let answer = submit(&service, std::slice::from_ref(&sent)).unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-amz-json-1.1")));
    let books = service.books();
    let result = json!({ "UsageRecord": sent, "MeteringRecordId": books[0].id, "Status": "Success" });
    assert_eq!(answer.json(), json!({ "Results": [result], "UnprocessedRecords": [] }));
    assert_eq!(
        (&books[0].customer, &books[0].product),
        (&Customer::Account(ALICE.into()), &Product::Code("product".into()))
    );
    assert_eq!((books[0].hour.as_second(), books[0].quantity.to_string()), (HOUR, "3.5".into()));
    assert!(service.audit().is_clean(), "{:?}", service.audit());
}

#[test]
fn an_identical_record_is_billed_once_and_answered_with_its_id() {
    let service = start();
    let id = submit(&service, &[record(ALICE, "users", 17)]).unwrap().results()[0]["MeteringRecordId"].clone();
    let later = but(record(ALICE, "users", 17), "Timestamp", HOUR + 3599);
    let of_17 = |text: &str| but(but(record(ALICE, "users", 17), "Quantity", Value::Null), "QuantityAsDecimal", text);
    for again in [record(ALICE, "users", 17), later, of_17("17"), of_17("17.0"), of_17("17.000000")] {
        let result = submit(&service, &[again]).unwrap().results()[0].clone();
        assert_eq!((&result["Status"], &result["MeteringRecordId"]), (&json!("Success"), &id));
    }
    assert_eq!(billed(&service), [format!("{ALICE} users 17")]);
    let audit = service.audit();
    assert!(audit.is_clean() && audit.repeated == 5, "{audit:?}");
}

#[test]
fn an_identical_record_can_be_a_duplicate() {
    let service = with(Settings { identical_is_duplicate: true, ..settings() });
    submit(&service, &[record(ALICE, "users", 17)]).unwrap();
    let result = submit(&service, &[record(ALICE, "users", 17)]).unwrap().results()[0].clone();
    assert_eq!((&result["Status"], result.get("MeteringRecordId")), (&json!("DuplicateRecord"), None));
}

#[test]
fn of_two_different_records_the_first_stays() {
    let service = start();
    submit(&service, &[record(ALICE, "users", 5)]).unwrap();
    assert_eq!(submit(&service, &[record(ALICE, "users", 7)]).unwrap().statuses(), ["DuplicateRecord"]);
    let tagged = json!([{ "AllocatedUsageQuantity": 5, "Tags": [{ "Key": "tier", "Value": "gold" }] }]);
    let allocated = but(record(ALICE, "users", 5), "UsageAllocations", tagged);
    assert_eq!(submit(&service, &[allocated]).unwrap().statuses(), ["DuplicateRecord"]);
    assert_eq!(billed(&service), [format!("{ALICE} users 5")]);
}

#[test]
fn the_same_buckets_in_another_order_are_the_same_record() {
    let service = start();
    let bucket = |quantity: u32, tags: Value| json!({ "AllocatedUsageQuantity": quantity, "Tags": tags });
    let tags = |order: [&str; 2]| Value::from(order.map(|key| json!({ "Key": key, "Value": "x" })).to_vec());
    let one = json!([bucket(2, tags(["a", "b"])), { "AllocatedUsageQuantity": 3 }]);
    let other = json!([{ "AllocatedUsageQuantity": 3 }, bucket(2, tags(["b", "a"]))]);
    for allocations in [one, other] {
        let record = but(record(ALICE, "users", 5), "UsageAllocations", allocations);
        assert_eq!(submit(&service, &[record]).unwrap().statuses(), ["Success"]);
    }
    assert_eq!(service.books().len(), 1);
    assert_eq!((service.audit().findings, service.audit().repeated), (vec![], 1));
}

#[test]
fn a_call_with_one_slot_twice_bills_it_once() {
    let service = start();
    let answer = submit(&service, &[record(ALICE, "users", 5), record(ALICE, "users", 7)]).unwrap();
    assert_eq!(answer.statuses(), ["Success", "DuplicateRecord"]);
}

#[test]
fn customer_product_dimension_and_hour_each_make_another_slot() {
    let service = start();
    let next = but(record(ALICE, "users", 1), "Timestamp", HOUR + 3600);
    let answer =
        submit(&service, &[record(ALICE, "users", 1), record(BOB, "users", 1), record(ALICE, "Users", 1), next]);
    assert_eq!(answer.unwrap().statuses(), ["Success"; 4]);
    let other = json!({ "ProductCode": "other", "UsageRecords": [record(ALICE, "users", 9)] });
    assert_eq!(post(&service, &other).unwrap().statuses(), ["Success"]);
    submit_licensed(&service, &[licensed(record(ALICE, "users", 9), ARN)]).unwrap();
    let identifier =
        but(but(record(ALICE, "users", 9), "CustomerAWSAccountId", Value::Null), "CustomerIdentifier", "c");
    submit(&service, &[identifier]).unwrap();
    assert_eq!(service.books().len(), 7);
}

#[test]
fn no_quantity_is_zero_and_no_record_is_no_error() {
    let service = start();
    let answer = submit(&service, &[but(record(ALICE, "users", 1), "Quantity", Value::Null)]).unwrap();
    assert_eq!(answer.statuses(), ["Success"]);
    assert_eq!(billed(&service), [format!("{ALICE} users 0")]);
    assert_eq!(submit(&service, &[]).unwrap().body, r#"{"Results":[],"UnprocessedRecords":[]}"#);
}

#[test]
fn someone_elses_record_holds_its_slot() {
    let service = start();
    submit(&service, &[record(ALICE, "users", 5)]).unwrap();
    let seed = Booked { id: "theirs".into(), customer: Customer::Account(BOB.into()), ..service.books()[0].clone() };
    service.seed(seed.clone()).unwrap();
    assert!(service.seed(seed).is_err());
    assert_eq!(submit(&service, &[record(BOB, "users", 6)]).unwrap().statuses(), ["DuplicateRecord"]);
    let repeated = submit(&service, &[record(BOB, "users", 5)]).unwrap().results();
    assert_eq!(repeated[0]["MeteringRecordId"], "theirs");
}

#[test]
fn timestamps_come_back_in_the_form_that_is_asked_for() {
    for (echo_time, sent, text) in [
        (EchoTime::Plain, json!(HOUR as f64), "\"Timestamp\":1795194000}"),
        (EchoTime::Plain, json!(1_795_194_000.876_4), "\"Timestamp\":1795194000.876}"),
        (EchoTime::Fraction, json!(HOUR), "\"Timestamp\":1795194000.0}"),
        (EchoTime::Exponent, json!(HOUR), "\"Timestamp\":1.795194E9}"),
        (EchoTime::Exponent, json!(1_795_198_715), "\"Timestamp\":1.795198715E9}"),
    ] {
        let service = with(Settings { echo_time, ..settings() });
        let answer = submit(&service, &[but(record(ALICE, "users", 1), "Timestamp", sent)]).unwrap();
        assert!(answer.body.contains(text), "{}", answer.body);
    }
}

#[test]
fn results_can_come_in_another_order() {
    let service = with(Settings { shuffle: Some(4), ..settings() });
    let records: Vec<Value> = (0..25).map(|place| record(ALICE, &format!("d{place}"), place)).collect();
    let results = submit(&service, &records).unwrap().results();
    let mut echoed: Vec<Value> = results.iter().map(|result| result["UsageRecord"].clone()).collect();
    assert_ne!(echoed, records);
    echoed.sort_by_key(|record| record["Quantity"].as_u64());
    assert_eq!(echoed, records);
}
