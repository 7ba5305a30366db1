//! A table with so many records that several instances claim and tell of them side by side: what a customer's total is made of is never
//! written by two at the same time, and all of it is written. A page of the table's index holds more of them than a batch.

use std::collections::BTreeMap;
use std::time::Duration;

use dynamodb_stand_in::{StandIn, Tables};
use metering_emulator::{Clock, Credentials, Emulator, Settings};
use serde_json::json;

use crate::support::{ended, program};

const NOW: &str = "2026-02-15T16:05:00Z";
/// 2026-02-15T11:00:00Z
const FIRST: u64 = 1_771_153_200_000;
const CUSTOMERS: u64 = 12;
const DIMENSIONS: [&str; 8] = ["users", "api_calls", "storage", "transfer", "seats", "hosts", "builds", "alerts"];
const HOURS: u64 = 5;
/// Of a customer and dimension in an hour.
const RECORDS: u64 = 20;

/// Each record's customer, dimension and time.
fn records() -> impl Iterator<Item = (String, &'static str, u64)> {
    (0..CUSTOMERS * HOURS * RECORDS).flat_map(|number| {
        (0..).zip(DIMENSIONS).map(move |(place, dimension)| {
            let (customer, hour, record) = (number % CUSTOMERS, number / CUSTOMERS % HOURS, number / CUSTOMERS / HOURS);
            let time = FIRST + hour * 3_600_000 + record * 1000 + place;
            (format!("{:012}", 100_000_000_000 + customer), dimension, time)
        })
    })
}

#[test]
fn many_records_are_claimed_and_told_of_side_by_side_and_no_two_writes_meet() {
    let mut tables = Tables::default();
    tables.add("MeteringRecords", ["customerAWSAccountId", "create_timestamp"]);
    tables.add("Subscribers", ["productCode", "customerAWSAccountId"]);
    for (customer, dimension, time) in records() {
        let item = json!({
            "customerAWSAccountId": { "S": customer }, "create_timestamp": { "N": time.to_string() },
            "productCode": { "S": "abc123xyz456" }, "dimension": { "S": dimension },
            "quantity": { "N": "3" }, "metering_pending": { "S": "true" },
        });
        tables.put("MeteringRecords", &item);
    }
    let latency = Duration::from_millis(20);
    let table = StandIn::start(tables, dynamodb_stand_in::Settings { latency, ..Default::default() }).unwrap();
    let (id, secret) = ("AKIATESTTESTTESTTEST", "secret-of-the-test-key");
    let credentials =
        Credentials { access_key_id: id.to_owned(), secret_access_key: secret.to_owned(), session_token: None };
    let clock = Clock::Fixed(NOW.parse().unwrap());
    let service = Emulator::start(Settings { clock, credentials, ..Settings::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pipeline = folder.path().join("pipeline.toml");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/aws-marketplace/pipeline.toml"), &pipeline)
        .unwrap();
    let run = || {
        let mut run = program();
        run.arg("run").arg(&pipeline).args(["--now", NOW]);
        run.env("AWS_ENDPOINT_URL_DYNAMODB", table.url()).env("AWS_REGION", "us-east-1");
        run.env("AWS_ENDPOINT_URL_MARKETPLACE_METERING", service.url());
        ended(run.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret).output().unwrap())
    };
    run().expect(0);
    let audit = service.audit();
    assert!(audit.is_clean() && audit.requests == 20 && audit.busiest_second <= 10, "{audit:?}");
    assert_eq!(audit.billed as u64, CUSTOMERS * HOURS * DIMENSIONS.len() as u64);
    assert_eq!((table.mistakes(), table.conflicts()), (vec![], 0));
    let items = table.tables().items("MeteringRecords");
    assert_eq!(items.len() as u64, CUSTOMERS * HOURS * DIMENSIONS.len() as u64 * RECORDS);
    assert!(items.iter().all(|item| item["metering_pending"]["S"] == "false"));
    let expected: BTreeMap<String, serde_json::Value> = DIMENSIONS
        .iter()
        .map(|dimension| ((*dimension).to_owned(), json!({ "N": (3 * HOURS * RECORDS).to_string() })))
        .collect();
    let rows = table.tables().items("Subscribers");
    assert_eq!(rows.len() as u64, CUSTOMERS);
    assert!(rows.iter().all(|row| row["totalMeteringSent"]["M"] == json!(expected)), "{rows:?}");
    let calls = table.calls().len();
    run().expect(0);
    assert!(table.calls()[calls..].iter().all(|call| call.action == "Query"), "there is nothing more to tell");
}
