//! That nothing passes here which the model refuses that botocore publishes, read by code that shares nothing with the emulator.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, process};

use emulator_http::random::Seeded;
use serde_json::{Value, json};

use crate::client::*;
use crate::shapes;

/// The errors of rules between members, which are none of the model's.
const BETWEEN: [&str; 4] = [
    "InvalidCustomerIdentifierException",
    "InvalidLicenseException",
    "InvalidProductCodeException",
    "InvalidUsageAllocationsException",
];

/// The numbers, from 0, of the bodies that botocore's model refuses.
fn refused(name: &str, bodies: &[String]) -> Vec<usize> {
    let file = env::temp_dir().join(format!("metering-{name}-{}.jsonl", process::id()));
    fs::write(&file, bodies.iter().map(|body| format!("{body}\n")).collect::<String>()).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python/validate.py");
    let output = Command::new(s3_proxy::python()).arg(script).arg(&file).output().unwrap();
    fs::remove_file(file).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("{} bodies, ", bodies.len())), "{said}{error}");
    let number = |line: &str| line.split_once(':').and_then(|(number, _)| number.parse::<usize>().ok());
    let mut numbers: Vec<usize> = said.lines().filter_map(number).map(|number| number - 1).collect();
    numbers.dedup();
    assert_eq!(output.status.success(), numbers.is_empty(), "{said}");
    numbers
}

#[test]
fn the_model_takes_what_is_taken_here() {
    let bodies: Vec<String> = shapes::good_records().into_iter().map(|it| call(&[it]).to_string()).collect();
    assert_eq!(refused("good", &bodies), [0; 0]);
}

#[test]
fn the_model_refuses_whatever_has_a_wrong_shape_here() {
    let calls = shapes::bad_calls();
    let bodies: Vec<String> = calls.iter().map(|(body, _)| body.clone()).collect();
    let refused = refused("bad", &bodies);
    let passed = calls.iter().enumerate().filter(|(place, _)| !refused.contains(place)).map(|(_, (_, error))| *error);
    let shapes: Vec<&str> = passed.filter(|error| !BETWEEN.contains(error)).collect();
    // Two quantities, two customers, a product's code beside a licence, in one record and in a call; a key twice.
    let mut expected = ["ValidationException"; 5];
    expected[3] = "InvalidTagException";
    assert_eq!(shapes, expected);
}

/// A text of some of these signs.
fn text(numbers: &mut Seeded, signs: &str, most: usize) -> String {
    let signs: Vec<char> = signs.chars().collect();
    (0..numbers.below(most + 1)).map(|_| signs[numbers.below(signs.len())]).collect()
}

/// A call with something in it that was drawn.
fn drawn(numbers: &mut Seeded) -> Value {
    let record = shapes::good();
    let member = |member: &str, value: Value| call(&[but(record.clone(), member, value)]);
    match numbers.below(8) {
        0 => json!({ "ProductCode": text(numbers, "aZ9-/=:_.@ +\u{e9}", 6), "UsageRecords": [record] }),
        1 => member("CustomerAWSAccountId", text(numbers, "0123456789a", 4).into()),
        2 => {
            let decimal = text(numbers, "00112.", 6);
            call(&[but(but(record, "Quantity", Value::Null), "QuantityAsDecimal", decimal)])
        }
        3 => member("Quantity", (numbers.bits() as i64 >> numbers.below(64)).into()),
        4 => {
            let part = |numbers: &mut Seeded| text(numbers, "aZ9_/.-+=,@ :", 3);
            let parts: Vec<String> = (0..4).map(|_| part(numbers)).collect();
            let partition = text(numbers, "aws-", 4);
            let record = licensed(record, &format!("arn:aws{partition}:{}", parts.join(":")));
            json!({ "UsageRecords": [record] })
        }
        5 | 6 => {
            let signs: String = (0x1f..0x80_u8).map(char::from).collect();
            let tag = json!({ "Key": text(numbers, &signs, 2), "Value": text(numbers, &signs, 2) });
            member("UsageAllocations", json!([{ "AllocatedUsageQuantity": 5, "Tags": [tag] }]))
        }
        _ => member("Timestamp", ((HOUR as f64) + numbers.below(10_000) as f64 / 7.0 - 1000.0).into()),
    }
}

#[test]
fn what_is_drawn_is_judged_here_as_by_the_model() {
    let mut numbers = Seeded::new(20);
    let calls: Vec<Value> = (0..1200).map(|_| drawn(&mut numbers)).collect();
    let refused = refused("drawn", &calls.iter().map(Value::to_string).collect::<Vec<_>>());
    assert!((200..1000).contains(&refused.len()), "{}", refused.len());
    for (place, body) in calls.iter().enumerate() {
        let answer = post(&start(), body).unwrap();
        let passes = answer.status == 200 || BETWEEN.contains(&answer.error().as_str());
        assert_eq!(passes, !refused.contains(&place), "{body} {}", answer.body);
    }
}
