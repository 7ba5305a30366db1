//! Whatever the service answers, no charge is accepted that a success does not surely speak for.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{A, B, NOW, WINDOW, charge, in_hour, offer, session, stage, tagged};
use meterhost_sdk::{Charge, Decimal, Outcome, Session, Status};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Some charges of two customers, dimensions and hours, with and without tags: at most eight records.
fn charges() -> impl Strategy<Value = Vec<Charge>> {
    let tags: [&[(&str, &str)]; 3] = [&[], &[("tier", "gold")], &[("region", "eu"), ("tier", "free")]];
    let mut all = Vec::new();
    for (customer, dimension) in [(A, "d1"), (A, "d2"), (B, "d1"), (B, "d2")] {
        for start in [WINDOW.start, WINDOW.end] {
            for tags in tags {
                all.push(in_hour(tagged(customer, dimension, "1", tags), start));
            }
        }
    }
    let quantities = prop::collection::vec(0_u32..4, all.len());
    (prop::sample::subsequence(all, 1..=12), quantities).prop_map(|(charges, quantities)| {
        let with = |(charge, quantity): (Charge, u32)| Charge { quantity: Decimal::from(quantity), ..charge };
        charges.into_iter().zip(quantities).map(with).collect()
    })
}

/// What a record is known by.
fn place(record: &Value) -> (String, String, i64) {
    let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    (text("CustomerAWSAccountId"), text("Dimension"), record["Timestamp"].as_i64().unwrap_or_default())
}

fn place_of(charge: &Charge) -> (String, String, i64) {
    (charge.customer.clone(), charge.dimension.clone(), charge.time / 1000)
}

/// What the service is sent of these charges.
fn records(charges: &[Charge]) -> Vec<Value> {
    let sent = stage(|_| Ok(r#"{"Results": []}"#.to_owned()));
    session("{}").submit(charges, NOW).unwrap();
    let body: Value = serde_json::from_str(&sent.take()[0]).unwrap();
    body["UsageRecords"].as_array().unwrap().clone()
}

/// What the service does to one element of its answer.
#[derive(Debug, Clone)]
enum Change {
    /// Writes a number or a time in another way, which changes nothing.
    Notation(&'static str),
    /// Loses a field of the repeated record.
    Loses(&'static str),
    /// Says another thing.
    Says(&'static str, Value),
}

fn change() -> impl Strategy<Value = Change> {
    let names = vec!["CustomerAWSAccountId", "Dimension", "Timestamp", "Quantity", "UsageAllocations"];
    let other = vec![
        ("CustomerAWSAccountId", json!(A)),
        ("CustomerAWSAccountId", json!(B)),
        ("CustomerAWSAccountId", json!(["x"])),
        ("Dimension", json!("d1")),
        ("Dimension", json!("D1")),
        ("Timestamp", json!(WINDOW.start / 1000)),
        ("Timestamp", json!(WINDOW.end / 1000)),
        ("Timestamp", json!("2026-11-20T18:00:00.5Z")),
        ("Quantity", json!(0)),
        ("Quantity", json!(2)),
        ("Quantity", json!("x")),
        ("QuantityAsDecimal", json!("1.5")),
        ("UsageAllocations", json!([{ "AllocatedUsageQuantity": 1 }])),
    ];
    prop_oneof![
        select(vec!["decimal", "exponent", "iso", "reversed"]).prop_map(Change::Notation),
        select(names).prop_map(Change::Loses),
        select(other).prop_map(|(name, value)| Change::Says(name, value)),
    ]
}

/// The element as text, so that numbers keep their notation.
fn changed(record: &Value, changes: &[Change]) -> (Value, Option<&'static str>) {
    let mut record = record.clone();
    let mut notation = None;
    for change in changes {
        let fields: &mut Map<String, Value> = record.as_object_mut().unwrap();
        match change {
            Change::Notation(how) => notation = Some(*how),
            Change::Loses(name) => drop(fields.remove(*name)),
            Change::Says(name, value) => drop(fields.insert((*name).to_owned(), value.clone())),
        }
    }
    (record, notation)
}

/// The record as text, with its time and quantity in this notation.
fn written(record: &Value, notation: Option<&str>) -> String {
    let mut record = record.clone();
    let seconds = record["Timestamp"].as_i64();
    if let (Some("reversed"), Some(list)) = (notation, record["UsageAllocations"].as_array_mut()) {
        list.reverse();
    }
    let Some(seconds) = seconds else { return record.to_string() };
    let time = match notation {
        Some("decimal") => format!("{seconds}.000"),
        Some("exponent") => format!("{}.{}E9", &seconds.to_string()[..1], &seconds.to_string()[1..]),
        Some("iso") => format!("\"{}\"", jiff::Timestamp::from_second(seconds).unwrap()),
        _ => seconds.to_string(),
    };
    record["Timestamp"] = json!("@");
    record.to_string().replace("\"@\"", &time)
}

/// What is said of one of the records that were sent.
#[derive(Debug, Clone)]
struct Said {
    of: Index,
    status: &'static str,
    changes: Vec<Change>,
}

fn said() -> impl Strategy<Value = Said> {
    let status = select(vec!["Success", "Success", "CustomerNotSubscribed", "DuplicateRecord", "Odd", "unprocessed"]);
    let changes = prop_oneof![
        3 => Just(Vec::new()),
        2 => prop::collection::vec(change(), 1..3),
    ];
    (any::<Index>(), status, changes).prop_map(|(of, status, changes)| Said { of, status, changes })
}

/// The answer, and of each element the record that it repeats and its status.
fn answer(records: &[Value], all: &[Said]) -> (String, Vec<(Value, &'static str)>) {
    let (mut results, mut unprocessed, mut elements) = (Vec::new(), Vec::new(), Vec::new());
    for said in all {
        let number = said.of.index(records.len());
        let (record, notation) = changed(&records[number], &said.changes);
        let text = written(&record, notation);
        match said.status {
            "unprocessed" => unprocessed.push(text),
            status => results
                .push(format!(r#"{{"UsageRecord": {text}, "MeteringRecordId": "mr-{number}", "Status": "{status}"}}"#)),
        }
        elements.push((record, said.status));
    }
    let answer =
        format!(r#"{{"Results": [{}], "UnprocessedRecords": [{}]}}"#, results.join(","), unprocessed.join(","));
    (answer, elements)
}

/// Whether an element names exactly this record, and repeats nothing else than was sent.
fn is_own(element: &Value, record: &Value) -> bool {
    let same_or_missing = |name: &str| element[name].is_null() || element[name] == record[name];
    let whole = element["QuantityAsDecimal"].is_null();
    let sent_alone = record["UsageAllocations"].is_null();
    let alone = json!([{ "AllocatedUsageQuantity": record["Quantity"] }]);
    let allocations = same_or_missing("UsageAllocations") || (sent_alone && element["UsageAllocations"] == alone);
    place(element) == place(record) && same_or_missing("Quantity") && whole && allocations
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_charge_is_settled_only_by_a_result_that_is_surely_its_own_and_contradicted_by_none(
        charges in charges(),
        all in prop::collection::vec(said(), 0..12),
    ) {
        let records = records(&charges);
        let (answer, elements) = answer(&records, &all);
        let outcomes = offer(&charges, Ok(&answer)).unwrap();
        prop_assert_eq!(outcomes.len(), charges.len());
        for charge in &charges {
            let outcome = outcomes.iter().find(|outcome| outcome.id == charge.id).unwrap();
            let record = records.iter().find(|record| place(record) == place_of(charge)).unwrap();
            let word = match outcome.status {
                Status::Accepted => "Success",
                Status::Rejected => "CustomerNotSubscribed",
                Status::Duplicate => "DuplicateRecord",
                Status::Unprocessed => "unprocessed",
                _ => continue,
            };
            let own: Vec<&str> =
                elements.iter().filter(|(element, _)| is_own(element, record)).map(|(_, status)| *status).collect();
            prop_assert!(!own.is_empty() && own.iter().all(|status| *status == word), "{:?}: {:?}", outcome, answer);
            // Nothing that names its place says another thing of it.
            let named = elements.iter().filter(|(element, _)| place(element) == place(record));
            for (element, status) in named {
                prop_assert!(is_own(element, record) && *status == word, "{:?}: {}", outcome, answer);
            }
        }
    }

    #[test]
    fn an_answer_that_says_one_clear_thing_of_each_record_is_read_in_any_order_and_notation(
        charges in charges(),
        statuses in prop::collection::vec(select(vec!["Success", "CustomerNotSubscribed", "DuplicateRecord", "unprocessed"]), 8),
        notations in prop::collection::vec(select(vec!["decimal", "exponent", "iso", "reversed", "plain"]), 8),
        twice in any::<Index>(),
        turn in any::<Index>(),
    ) {
        let records = records(&charges);
        let count = records.len();
        let mut order: Vec<usize> = (0..count).chain([twice.index(count)]).collect();
        order.rotate_left(turn.index(count));
        let (mut results, mut unprocessed) = (Vec::new(), Vec::new());
        for &number in &order {
            let text = written(&records[number], Some(notations[number]));
            match statuses[number] {
                "unprocessed" => unprocessed.push(text),
                status => results.push(format!(r#"{{"Status": "{status}", "UsageRecord": {text}, "MeteringRecordId": "mr-{number}"}}"#)),
            }
        }
        let answer =
            format!(r#"{{"UnprocessedRecords": [{}], "Results": [{}]}}"#, unprocessed.join(","), results.join(","));
        let outcomes: Vec<Outcome> = offer(&charges, Ok(&answer)).unwrap();
        for charge in &charges {
            let outcome = outcomes.iter().find(|outcome| outcome.id == charge.id).unwrap();
            let number = records.iter().position(|record| place(record) == place_of(charge)).unwrap();
            let expected = match statuses[number] {
                "Success" => Status::Accepted,
                "CustomerNotSubscribed" => Status::Rejected,
                "DuplicateRecord" => Status::Duplicate,
                _ => Status::Unprocessed,
            };
            prop_assert_eq!(outcome.status, expected);
            let reference = (expected == Status::Accepted).then(|| format!("mr-{number}"));
            prop_assert_eq!(outcome.reference.clone(), reference);
        }
    }

    #[test]
    fn no_answer_brings_the_plugin_down(body in ".{0,200}") {
        if let Ok(outcomes) = offer(&[charge(A, "d1", "3")], Ok(&body)) {
            prop_assert_eq!(outcomes[0].status, Status::Unknown);
        }
    }

    #[test]
    fn what_is_sent_adds_up_to_what_is_owed(charges in charges()) {
        let records = records(&charges);
        let total = |values: Vec<i64>| values.into_iter().sum::<i64>();
        let sent = total(records.iter().map(|record| record["Quantity"].as_i64().unwrap()).collect());
        let owed = total(charges.iter().map(|charge| charge.quantity.to_string().parse().unwrap()).collect());
        prop_assert_eq!(sent, owed);
        for record in &records {
            if let Some(list) = record["UsageAllocations"].as_array() {
                let split = total(list.iter().map(|part| part["AllocatedUsageQuantity"].as_i64().unwrap()).collect());
                prop_assert_eq!(split, record["Quantity"].as_i64().unwrap());
            }
        }
    }
}
