//! Tags in the bill of AWS Marketplace: usage that differs only in them makes one record of the service, frozen and sent as a whole.

use std::collections::BTreeMap;

use metering_emulator::Fault;
use serde_json::{Value, json};

use crate::market::{ACME, Market, PRODUCT};

/// 2026-02-15T14:05:45.678Z.
const AT: i64 = 1_771_164_345_678;
const HOUR: i64 = 3_600_000;
const RULES: &str = r#"config.dimensions = { "*" = "sum" }"#;

/// The guide's tables, and `tier` as a tag.
fn market() -> Market {
    let market = Market::new();
    market.replace("subscribers =", "attributes = [\"tier\"], subscribers =");
    market.replace(RULES, &format!("{RULES}\nconfig.tags = [\"tier\"]"));
    market
}

/// A record with a tier, or without one.
fn put(market: &Market, customer: &str, time: i64, quantity: &str, tier: Option<&str>) {
    let mut item = json!({
        "customerAWSAccountId": { "S": customer },
        "create_timestamp": { "N": time.to_string() },
        "productCode": { "S": PRODUCT },
        "dimension": { "S": "users" },
        "quantity": { "N": quantity },
        "metering_pending": { "S": "true" },
    });
    if let Some(tier) = tier {
        item["tier"] = json!({ "S": tier });
    }
    market.put(&item);
}

/// What stands in the books: customer and hour, the quantity, and how it is split.
fn booked(market: &Market) -> Vec<(String, String, String)> {
    market.is_clean();
    let mut booked = Vec::new();
    for record in market.emulator.books() {
        let part = |allocation: &metering_emulator::Allocation| {
            let tags: Vec<String> = allocation.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{} {}", tags.join(","), allocation.quantity).trim().to_owned()
        };
        let parts: Vec<String> = record.allocations.iter().map(part).collect();
        let hour = record.hour.to_string()[11..13].to_owned();
        booked.push((format!("{} {hour}", record.customer.name()), record.quantity.to_string(), parts.join(", ")));
    }
    booked.sort();
    booked
}

fn record(customer: &str, hour: &str, quantity: &str, parts: &str) -> (String, String, String) {
    (format!("{customer} {hour}"), quantity.to_owned(), parts.to_owned())
}

/// How many items are pending.
fn pending(market: &Market) -> usize {
    market.items().iter().filter(|item| item["metering_pending"]["S"] == "true").count()
}

/// The holds of a run's report, by their codes.
fn holds(report: &str) -> BTreeMap<String, usize> {
    let report: Value = serde_json::from_str(report).unwrap();
    let mut holds = BTreeMap::new();
    for problem in report["problems"].as_array().unwrap() {
        *holds.entry(problem["code"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    holds
}

#[test]
fn three_tiers_of_an_hour_are_one_record_with_three_parts() {
    let market = market();
    put(&market, ACME, AT, "5", Some("gold"));
    put(&market, ACME, AT + 1, "7", Some("silver"));
    put(&market, ACME, AT + 2, "1", None);
    put(&market, ACME, AT + 3, "2", Some("gold"));
    market.run().expect(0);
    assert_eq!(booked(&market), [record(ACME, "14", "15", "1, tier=gold 7, tier=silver 7")]);
    assert_eq!(market.totals(PRODUCT, ACME).into_iter().collect::<Vec<_>>(), [("users".to_owned(), "15".to_owned())]);
    assert_eq!(pending(&market), 0);
    market.run().expect(0);
    assert_eq!(market.calls(), 1, "a second run calls nothing");
    market.fits_the_model();
}

#[test]
fn thirty_records_of_three_tiers_each_go_in_calls_of_25_and_5() {
    let market = market();
    for customer in 0..30 {
        for (at, tier) in (0..).zip(["gold", "silver", "bronze"]) {
            put(&market, &format!("{}", 123_456_789_000_i64 + customer), AT + at, "2", Some(tier));
        }
    }
    market.run().expect(0);
    let sizes: Vec<usize> = market.emulator.requests().iter().map(|request| request.records().len()).collect();
    assert_eq!(sizes, [25, 5]);
    let booked = booked(&market);
    assert_eq!(booked.len(), 30);
    assert!(booked.iter().all(|(_, quantity, parts)| quantity == "6" && parts.split(", ").count() == 3));
}

#[test]
fn a_tier_that_comes_late_goes_with_the_next_hour_and_once() {
    let mut market = market();
    for (at, tier) in (0..).zip(["gold", "silver", "bronze"]) {
        put(&market, ACME, AT + at, "2", Some(tier));
    }
    market.at("2026-02-15T15:05:00Z");
    market.run().expect(0);
    put(&market, ACME, AT + 10, "9", Some("iron"));
    // No hour that is over can take it yet.
    market.run().expect(0);
    assert_eq!((booked(&market).len(), pending(&market)), (1, 1));
    market.at("2026-02-15T16:05:00Z");
    put(&market, ACME, AT + HOUR, "1", Some("gold"));
    market.run().expect(0);
    let first = record(ACME, "14", "6", "tier=bronze 2, tier=gold 2, tier=silver 2");
    let second = record(ACME, "15", "10", "tier=gold 1, tier=iron 9");
    assert_eq!(booked(&market), [first.clone(), second.clone()]);
    assert_eq!(pending(&market), 0);
    // The same tier once more, of the hour that was frozen without it.
    put(&market, ACME, AT + 11, "3", Some("iron"));
    market.at("2026-02-15T17:05:00Z");
    market.run().expect(0);
    assert_eq!(booked(&market), [first, second, record(ACME, "16", "3", "tier=iron 3")]);
    assert_eq!(pending(&market), 0);
    assert_eq!(market.totals(PRODUCT, ACME)["users"], "19");
}

#[test]
fn a_tier_that_is_held_holds_its_record_and_no_other() {
    let other = "210987654321";
    let market = market();
    put(&market, ACME, AT, "5", Some("gold"));
    put(&market, ACME, AT + 1, "-1", Some("silver"));
    put(&market, other, AT, "4", Some("silver"));
    let ended = market.command("run", &["--json"], &[]);
    assert_eq!(ended.exit, 1, "{ended:?}");
    let expected = BTreeMap::from([("negative".to_owned(), 1), ("slot".to_owned(), 1)]);
    assert_eq!(holds(&ended.stdout), expected);
    assert!(ended.stdout.contains("the service keeps one record for this and for what has tier=silver"), "{ended:?}");
    assert_eq!(booked(&market), [record(other, "14", "4", "tier=silver 4")]);
    // Mended by a record of its own.
    put(&market, ACME, AT + 2, "3", Some("silver"));
    market.run().expect(0);
    let mended = record(ACME, "14", "7", "tier=gold 5, tier=silver 2");
    assert_eq!(booked(&market), [mended, record(other, "14", "4", "tier=silver 4")]);
}

#[test]
fn a_tier_that_comes_to_nothing_waits_for_no_end_where_others_make_the_record() {
    let other = "210987654321";
    let mut market = market();
    market.replace("[sink.marketplace]", "[sink.marketplace]\nzero = \"send-at-end\"");
    put(&market, ACME, AT, "5", Some("gold"));
    put(&market, ACME, AT + 1, "0", Some("silver"));
    put(&market, other, AT, "0", Some("silver"));
    put(&market, other, AT + 1, "0", Some("gold"));
    market.run().expect(0);
    assert_eq!(booked(&market), [record(ACME, "14", "5", "tier=gold 5")]);
    assert_eq!(pending(&market), 2, "zeros that nothing else makes a record of");
    market.at("2026-02-16T13:00:00Z");
    market.run().expect(0);
    let zeros = record(other, "14", "0", "tier=gold 0, tier=silver 0");
    assert_eq!(booked(&market), [record(ACME, "14", "5", "tier=gold 5"), zeros]);
    assert_eq!(pending(&market), 0);
}

#[test]
fn a_refusal_of_another_record_cuts_none() {
    let bad = "000000000000";
    let market = market();
    for customer in ["111111111111", "222222222222", bad, "333333333333"] {
        for (at, tier) in (0..).zip(["gold", "silver", "bronze"]) {
            put(&market, customer, AT + at, "2", Some(tier));
        }
    }
    // The call of all four is refused, then the half that holds the one at fault, then that alone.
    market.emulator.push_fault(Fault::error("InvalidCustomerIdentifierException").at(1));
    market.emulator.push_fault(Fault::error("InvalidCustomerIdentifierException").at(2));
    market.emulator.push_fault(Fault::error("InvalidCustomerIdentifierException").at(3));
    market.run().expect(1);
    let sizes: Vec<usize> = market.emulator.requests().iter().map(|request| request.records().len()).collect();
    assert_eq!(sizes[..3], [4, 2, 1]);
    for request in market.emulator.requests() {
        for record in request.records() {
            assert_eq!(record["UsageAllocations"].as_array().unwrap().len(), 3, "{record:#}");
        }
    }
    assert_eq!(booked(&market).len(), 3);
    market.run().expect(0);
    assert!(booked(&market).iter().all(|(_, quantity, _)| quantity == "6"));
    assert_eq!(booked(&market).len(), 4);
}

#[test]
fn a_record_that_went_unanswered_is_sent_again_as_it_was() {
    let market = market();
    for (at, tier) in (0..).zip(["gold", "silver", "bronze"]) {
        put(&market, ACME, AT + at, "2", Some(tier));
    }
    market.emulator.push_fault(Fault::drop_after_commit().times(1));
    market.run().expect(0);
    assert_eq!(booked(&market), [record(ACME, "14", "6", "tier=bronze 2, tier=gold 2, tier=silver 2")]);
    let bodies: Vec<_> = market.emulator.requests().iter().map(|request| request.body.clone()).collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
}

#[test]
fn a_record_that_was_refused_is_made_anew_of_what_is_pending_again() {
    let market = market();
    for (at, tier) in (0..).zip(["gold", "silver"]) {
        put(&market, ACME, AT + at, "2", Some(tier));
    }
    market.emulator.unsubscribe(ACME);
    market.run().expect(1);
    assert_eq!(booked(&market), []);
    market.emulator.subscribe(ACME);
    for at in 0..2 {
        market.set_pending_again(ACME, AT + at);
    }
    market.run().expect(0);
    assert_eq!(booked(&market), [record(ACME, "14", "4", "tier=gold 2, tier=silver 2")]);
    assert_eq!(pending(&market), 0);
}

#[test]
fn a_refused_record_that_a_person_releases_is_offered_once_all_of_it_is_released() {
    let market = market();
    for (at, tier) in (0..).zip(["gold", "silver"]) {
        put(&market, ACME, AT + at, "2", Some(tier));
    }
    market.emulator.unsubscribe(ACME);
    market.run().expect(1);
    market.emulator.subscribe(ACME);
    let shown = market.command("ledger show", &["--json"], &[]).json();
    let charges = shown["windows"][0]["charges"].as_array().unwrap();
    let ids: Vec<&str> = charges.iter().map(|charge| charge["id"].as_str().unwrap()).collect();
    let release = |id: &str| market.command("ledger resolve", &[id, "release", "--reason", "subscribed", "--yes"], &[]);
    let waits = "it waits until the same is said of";
    release(ids[0]).expect(0).says(&format!("{waits} {}", ids[1]));
    let calls = market.calls();
    market.run().expect(1);
    assert_eq!(market.calls(), calls, "half of the record is not offered");
    let last = release(ids[1]);
    assert!(!last.expect(0).stdout.contains(waits), "{last:?}");
    market.run().expect(0);
    assert_eq!(booked(&market), [record(ACME, "14", "4", "tier=gold 2, tier=silver 2")]);
    assert_eq!(pending(&market), 0);
}

#[test]
fn a_refused_record_that_is_made_anew_in_part_keeps_the_rest_for_a_person() {
    let market = market();
    for (at, tier) in (0..).zip(["gold", "silver"]) {
        put(&market, ACME, AT + at, "2", Some(tier));
    }
    market.emulator.unsubscribe(ACME);
    market.run().expect(1);
    market.emulator.subscribe(ACME);
    market.set_pending_again(ACME, AT);
    market.run();
    assert_eq!(booked(&market), [record(ACME, "14", "2", "tier=gold 2")]);
    market.set_pending_again(ACME, AT + 1);
    let ended = market.command("run", &["--json"], &[]);
    assert_eq!(ended.exit, 1);
    assert_eq!(booked(&market), [record(ACME, "14", "2", "tier=gold 2")]);
    assert!(ended.stdout.contains("was made without it since"), "{}", ended.stdout);
}

#[test]
fn a_person_decides_of_a_tier_that_is_late_or_in_the_way() {
    let mut market = of_objects();
    market.replace("late   = \"carry\"", "late   = \"hold\"");
    let resolve = |market: &Market, word: &str, code: &str| {
        let run = market.command("run", &["--json"], &[]);
        assert_eq!(run.exit, 1, "{}", run.stdout);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let lines = report["windows"].as_array().unwrap().iter().flat_map(|window| window["lines"].as_array().unwrap());
        let held: Vec<&Value> =
            lines.filter(|line| line["reason"].as_str().unwrap_or_default().starts_with(code)).collect();
        let [line] = held.as_slice() else { panic!("{held:#?}") };
        let id = line["would_be"].as_str().unwrap().to_owned();
        ended_well(&market.command("ledger resolve", &[&id, word, "--reason", "so", "--yes"], &[]), &id)
    };
    // What is in the way is given up, and the others go without it.
    object(&market, 14, "a.json", &[("gold", "5"), ("silver", "-2"), ("bronze", "1")]);
    market.at("2026-02-15T15:05:00Z");
    resolve(&market, "waive", "the total is negative");
    market.run().expect(0);
    let first = record(ACME, "14", "6", "tier=bronze 1, tier=gold 5");
    assert_eq!(booked(&market), std::slice::from_ref(&first));
    // What comes late is held, and carried once it is released.
    object(&market, 14, "b.json", &[("iron", "9")]);
    market.at("2026-02-15T16:05:00Z");
    resolve(&market, "release", "the record that the service keeps");
    market.run().expect(0);
    let second = record(ACME, "15", "9", "tier=iron 9");
    assert_eq!(booked(&market), [first.clone(), second.clone()]);
    // More of it, which a person bills by other means.
    object(&market, 14, "c.json", &[("iron", "1")]);
    market.at("2026-02-15T17:05:00Z");
    resolve(&market, "billed", "the record that the service keeps");
    market.run().expect(0);
    market.run().expect(0);
    assert_eq!(booked(&market), [first, second]);
}

fn ended_well(ended: &crate::support::Ended, what: &str) {
    assert_eq!(ended.exit, 0, "{what}: {} {}", ended.stdout, ended.stderr);
}

/// Usage in a folder, which can be read again, in the place of the table.
fn of_objects() -> Market {
    let market = Market::new();
    market.pipeline(
        r#"
name   = "tags"
window = "hour"
start  = "2026-02-15T14"
[source]
plugin = "s3-reader"
grant  = { read = "file://./bucket" }
config.layout = "{yyyy}/{mm}/{dd}/{hh}/*.json"
config.fields = { time = "path", customer = "/customer", dimension = "/dimension", quantity = "/value" }
config.attributes = { tier = "/tier" }
[aggregate.rules]
config.dimensions = { "*" = "sum" }
config.tags = ["tier"]
[sink.marketplace]
plugin = "aws-marketplace"
late   = "carry"
config.product = "abc123xyz456"
grant  = { aws = { "aws-marketplace:BatchMeterUsage" = ["*"] }, region = "us-east-1" }
"#,
    );
    market
}

fn object(market: &Market, hour: u8, name: &str, usage: &[(&str, &str)]) {
    let folder = market.path(&format!("bucket/2026/02/15/{hour}"));
    std::fs::create_dir_all(&folder).unwrap();
    let records: Vec<Value> = usage
        .iter()
        .map(|(tier, value)| json!({ "customer": ACME, "dimension": "users", "value": value.parse::<i64>().unwrap(), "tier": tier }))
        .collect();
    std::fs::write(folder.join(name), serde_json::to_vec(&records).unwrap()).unwrap();
}

#[test]
fn late_tiers_of_objects_are_carried_once_however_often_they_are_read() {
    let mut market = of_objects();
    object(&market, 14, "a.json", &[("gold", "5"), ("silver", "2")]);
    market.at("2026-02-15T15:05:00Z");
    market.run().expect(0);
    object(&market, 14, "b.json", &[("iron", "9")]);
    // It waits for an hour that is over.
    market.run().expect(0);
    assert_eq!(booked(&market), [record(ACME, "14", "7", "tier=gold 5, tier=silver 2")]);
    object(&market, 15, "a.json", &[("gold", "1")]);
    market.at("2026-02-15T16:05:00Z");
    market.run().expect(0);
    let first = record(ACME, "14", "7", "tier=gold 5, tier=silver 2");
    let second = record(ACME, "15", "10", "tier=gold 1, tier=iron 9");
    assert_eq!(booked(&market), [first.clone(), second.clone()]);
    // Read again, there is nothing new; and of what is, only that is late.
    object(&market, 14, "c.json", &[("iron", "1"), ("gold", "1")]);
    market.at("2026-02-15T17:05:00Z");
    let ended = market.command("run", &["--json"], &[]);
    assert_eq!(ended.exit, 0, "{}", ended.stdout);
    assert_eq!(booked(&market), [first.clone(), second.clone(), record(ACME, "16", "2", "tier=gold 1, tier=iron 1")]);
    let calls = market.calls();
    market.run().expect(0);
    assert_eq!(market.calls(), calls);
    // What was carried and is gone is told, and nothing is taken back.
    std::fs::remove_file(market.path("bucket/2026/02/15/14/b.json")).unwrap();
    std::fs::remove_file(market.path("bucket/2026/02/15/14/c.json")).unwrap();
    let ended = market.command("run", &["--json"], &[]);
    assert_eq!(ended.exit, 1, "{}", ended.stdout);
    assert!(ended.stdout.contains("later windows took 10 of its usage, and that is gone now"), "{}", ended.stdout);
    assert_eq!(market.calls(), calls);
}

#[test]
fn a_sink_under_a_new_name_knows_what_it_carried_of_tiers() {
    let mut market = of_objects();
    object(&market, 14, "a.json", &[("gold", "5")]);
    market.at("2026-02-15T15:05:00Z");
    market.run().expect(0);
    object(&market, 14, "b.json", &[("iron", "9")]);
    market.at("2026-02-15T16:05:00Z");
    market.run().expect(0);
    let both = [record(ACME, "14", "5", "tier=gold 5"), record(ACME, "15", "9", "tier=iron 9")];
    assert_eq!(booked(&market), both);
    market.replace("[sink.marketplace]\n", "[sink.renamed]\n");
    market.command("ledger rename", &["--sink", "marketplace=renamed", "--yes"], &[]).expect(0);
    object(&market, 14, "c.json", &[("silver", "1")]);
    market.at("2026-02-15T17:05:00Z");
    let ended = market.command("run", &["--json"], &[]);
    assert_eq!(ended.exit, 0, "{} {}", ended.stdout, ended.stderr);
    let [first, second] = both;
    assert_eq!(booked(&market), [first, second, record(ACME, "16", "1", "tier=silver 1")]);
}
