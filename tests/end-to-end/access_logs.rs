//! Access logs billed by user and hour, through the example: each form in which they come, and a table from user to contract.

use std::io::Write as _;
use std::path::Path;

use crate::support::{Ended, Stage, bill};

const U1: &str = "34583428-50b1-7026-603b-ff26b2fbc67e";
const U2: &str = "7c1f2f5e-0f0b-4f6a-9d0c-3d1b8a5e2c11";
const U3: &str = "b0a7c9d4-6d0e-4c43-8a53-2f0f7a1d9e02";
const STRANGER: &str = "e9d4a1c0-1111-4222-8333-444455556666";
/// The contract of the first two users, and that of the third.
const A: &str = "ae641bd1-edf8-4038-bfed-d2ff556c729e";
const B: &str = "bf752ce2-fee9-4149-8fae-e3aa667d83af";

/// The example with a bucket of its own, at a time when 14 o'clock is due and 15 o'clock is not.
fn stage() -> Stage {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/access-logs");
    let mut stage = Stage::new();
    stage.pipeline(&std::fs::read_to_string(example.join("pipeline.toml")).unwrap());
    std::fs::copy(example.join("customers.csv"), stage.path("customers.csv")).unwrap();
    stage.at("2025-04-14T16:30:00Z");
    stage
}

/// A line of the log: minutes after 14 o'clock, the rest as it is logged.
fn line(id: &str, user: &str, minutes: u64, status: &str, length: &str) -> String {
    let time = 1_744_639_200_000_u64 + minutes * 60_000 + 123;
    format!(
        r#"{{"requestId": "{id}", "ip": "203.0.113.9", "user": "{user}", "requestTime": {time}, "httpMethod": "GET", "resourcePath": "/random/strings", "status": {status}, "protocol": "HTTP/1.1", "responseLength": {length}}}"#
    )
}

fn store(stage: &Stage, hour: u64, name: &str, bytes: &[u8]) {
    let key = format!("bucket/json-data/year=2025/month=04/day=14/hour={hour}/amazon-apigateway-random-gen-1-{name}");
    let path = stage.path(&key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = std::fs::remove_file(&path);
    std::fs::write(path, bytes).unwrap();
}

#[track_caller]
fn bills(stage: &Stage, exit: i32, charges: &[(&str, &str, &str)]) -> Ended {
    let ended = stage.run();
    ended.expect(exit);
    assert_eq!(stage.billed(), bill(charges));
    ended
}

#[test]
fn the_example_bills_everyone_but_a_user_without_a_contract() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/access-logs");
    let mut stage = stage();
    // What lies in the example's own bucket, both hours of it.
    for hour in ["14", "15"] {
        let folder = example.join(format!("bucket/json-data/year=2025/month=04/day=14/hour={hour}"));
        for object in std::fs::read_dir(folder).unwrap() {
            let object = object.unwrap();
            let name = object.file_name().into_string().unwrap();
            let name = name.strip_prefix("amazon-apigateway-random-gen-1-").unwrap();
            store(&stage, hour.parse().unwrap(), name, &std::fs::read(object.path()).unwrap());
        }
    }
    let expected =
        [(A, "requests", "3"), (A, "bytes_out", "200001090"), (B, "requests", "2"), (B, "bytes_out", "300000512")];
    bills(&stage, 1, &expected).says(&format!("everything that {STRANGER} owes is held"));
    // The row is added: what was held is billed, and nothing else.
    let table = std::fs::read_to_string(stage.path("customers.csv")).unwrap();
    std::fs::write(stage.path("customers.csv"), format!("{table}{STRANGER},contract-9\n")).unwrap();
    stage.run().expect(0);
    let stranger = [("contract-9", "requests", "1"), ("contract-9", "bytes_out", "700")];
    assert_eq!(stage.billed(), bill(&[&expected[..], &stranger[..]].concat()));
    // The next hour, in which the request of 14:59:58 stands once more.
    stage.at("2025-04-14T17:30:00Z");
    let submissions = stage.submissions();
    stage.run().expect(0);
    assert_eq!(stage.submissions(), submissions + 1);
    let books = stage.emulator.books();
    let hour = |customer: &str, dimension: &str| {
        let is = |record: &&clazar_emulator::Record| {
            record.contract_id == customer && record.dimension == dimension && record.start_time.contains("T15")
        };
        books.iter().find(is).map(|record| record.quantity.clone())
    };
    assert_eq!(hour(A, "requests").as_deref(), Some("3"));
    assert_eq!(hour(A, "bytes_out").as_deref(), Some("810000000"));
    assert_eq!(hour(B, "requests").as_deref(), Some("2"));
    assert_eq!(hour(B, "bytes_out").as_deref(), Some("20010"));
}

#[test]
fn records_come_with_or_without_anything_between_them() {
    let records = [line("1", U1, 1, "200", "10"), line("2", U2, 2, "200", "20"), line("3", U3, 3, "200", "30")];
    let expected = [(A, "requests", "2"), (A, "bytes_out", "30"), (B, "requests", "1"), (B, "bytes_out", "30")];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(records.join("\n").as_bytes()).unwrap();
    for (form, bytes) in [
        ("nothing", records.join("").into_bytes()),
        ("space", records.join(" ").into_bytes()),
        ("newlines", format!("{}\n", records.join("\n")).into_bytes()),
        ("no last newline", records.join("\n").into_bytes()),
        ("CRLF", format!("{}\r\n", records.join("\r\n")).into_bytes()),
        ("CRLF, no last one", records.join("\r\n").into_bytes()),
        ("gzip", gzip.finish().unwrap()),
    ] {
        println!("{form}");
        let stage = stage();
        store(&stage, 14, "a", &bytes);
        bills(&stage, 0, &expected);
    }
}

#[test]
fn a_line_that_is_no_json_is_quarantined_with_its_place() {
    let stage = stage();
    let lines = [line("1", U1, 1, "200", "10"), line("2", U3, 2, "200", "-"), line("3", U1, 3, "200", "5")];
    store(&stage, 14, "a", lines.join("\n").as_bytes());
    let ended = bills(&stage, 1, &[(A, "requests", "2"), (A, "bytes_out", "15")]);
    ended.says("hour=14/amazon-apigateway-random-gen-1-a, line 2").says("quarantined");
    // Whose request it was is not said in what cannot be read: mended, it is billed.
    let lines = [line("1", U1, 1, "200", "10"), line("2", U3, 2, "200", "0"), line("3", U1, 3, "200", "5")];
    store(&stage, 14, "a", lines.join("\n").as_bytes());
    bills(&stage, 0, &[(A, "requests", "2"), (A, "bytes_out", "15"), (B, "requests", "1")]);
}

#[test]
fn a_request_of_the_next_hour_is_billed_with_its_own_hour() {
    let mut stage = stage();
    store(&stage, 14, "a", [line("1", U1, 59, "200", "10"), line("2", U1, 61, "200", "20")].join("\n").as_bytes());
    bills(&stage, 0, &[(A, "requests", "1"), (A, "bytes_out", "10")]);
    stage.at("2025-04-14T17:30:00Z");
    stage.run().expect(0);
    let quantities: Vec<(String, String)> = stage
        .emulator
        .books()
        .into_iter()
        .filter(|record| record.start_time.contains("T15"))
        .map(|record| (record.dimension, record.quantity))
        .collect();
    assert_eq!(quantities.len(), 2, "{quantities:?}");
    assert!(quantities.contains(&("bytes_out".to_owned(), "20".to_owned())), "{quantities:?}");
}

#[test]
fn a_request_id_counts_once_however_often_it_is_stored() {
    let stage = stage();
    let twice = line("1", U1, 1, "200", "10");
    store(&stage, 14, "a", [twice.clone(), twice.clone(), line("2", U1, 2, "200", "5")].join("").as_bytes());
    store(&stage, 14, "b", twice.as_bytes());
    let ended = bills(&stage, 0, &[(A, "requests", "2"), (A, "bytes_out", "15")]);
    ended.says("duplicate 4");
}

#[test]
fn one_id_for_two_requests_is_held() {
    let stage = stage();
    let lines = [line("1", U1, 1, "200", "10"), line("1", U1, 1, "200", "11"), line("2", U3, 2, "200", "5")];
    store(&stage, 14, "a", lines.join("\n").as_bytes());
    // What differs is the number of bytes: the requests themselves are the same.
    bills(&stage, 1, &[(A, "requests", "1"), (B, "requests", "1"), (B, "bytes_out", "5")]).says("conflict");
}

#[test]
fn an_object_that_grew_before_its_hour_was_billed_is_billed_whole() {
    let stage = stage();
    store(&stage, 14, "a", line("1", U1, 1, "200", "10").as_bytes());
    stage.plan().expect(0);
    store(&stage, 14, "a", [line("1", U1, 1, "200", "10"), line("2", U1, 2, "200", "7")].join("\n").as_bytes());
    bills(&stage, 0, &[(A, "requests", "2"), (A, "bytes_out", "17")]);
}

#[test]
fn an_object_that_grew_after_its_hour_was_billed_is_held() {
    let stage = stage();
    store(&stage, 14, "a", line("1", U1, 1, "200", "10").as_bytes());
    bills(&stage, 0, &[(A, "requests", "1"), (A, "bytes_out", "10")]);
    let submissions = stage.submissions();
    store(&stage, 14, "a", [line("1", U1, 1, "200", "10"), line("2", U1, 2, "200", "7")].join("\n").as_bytes());
    stage.run().expect(1).says("10 then, 17 now");
    assert_eq!(stage.submissions(), submissions);
}

#[test]
fn a_request_that_failed_by_our_own_fault_is_free_and_said_so() {
    let stage = stage();
    store(&stage, 14, "a", [line("1", U1, 1, "200", "10"), line("2", U1, 2, "502", "3")].join("\n").as_bytes());
    bills(&stage, 0, &[(A, "requests", "1"), (A, "bytes_out", "13")]).says("where status < 500");
}

#[test]
fn a_request_that_was_not_let_in_is_free_and_said_so() {
    let stage = stage();
    // API Gateway writes `-` where the claim is missing.
    store(&stage, 14, "a", [line("1", U1, 1, "200", "10"), line("2", "-", 2, "401", "26")].join("\n").as_bytes());
    bills(&stage, 0, &[(A, "requests", "1"), (A, "bytes_out", "10")]).says("excluded 1 record of bytes_out");
}

#[test]
fn what_lies_beside_the_logs_is_not_read_and_a_user_that_is_empty_is_quarantined() {
    let stage = stage();
    stage.object("error/year=2025/month=04/day=14/hour=14/processing-failed/x", "no log");
    store(&stage, 14, "a", line("1", U1, 1, "200", "10").as_bytes());
    bills(&stage, 0, &[(A, "requests", "1"), (A, "bytes_out", "10")]);
    let stage = self::stage();
    store(&stage, 14, "a", [line("1", U1, 1, "200", "10"), line("2", "", 2, "200", "26")].join("\n").as_bytes());
    bills(&stage, 1, &[(A, "requests", "1"), (A, "bytes_out", "10")]).says("customer (/user) is empty");
}
