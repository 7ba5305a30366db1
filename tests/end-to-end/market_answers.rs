//! What the metering service says of a record, and what becomes of the items behind it: billed, refused, or offered again as it was.

use std::time::{Duration, Instant};

use metering_emulator::{Booked, Customer, EchoTime, Fault, Product, Rule, Settings};
use serde_json::{Value, json};

use crate::market::{ACME, Market, OTHER, PRODUCT};

const AT: i64 = 1_771_164_345_678; // 2026-02-15T14:05:45.678Z
const HOUR: &str = "2026-02-15T14:00:00Z";

/// What is billed of the hour, by customer and dimension.
fn bill(market: &Market) -> Vec<(String, String, String)> {
    let billed = market.billed().into_iter();
    billed.map(|((customer, _, dimension, _), quantity)| (customer, dimension, quantity)).collect()
}

fn own(charges: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    charges.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
}

/// Two records of ACME, and one of a customer whose agreement has ended.
fn one_without_agreement() -> Market {
    let market = Market::new();
    market.emulator.unsubscribe(OTHER);
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 1000, PRODUCT, "users", "7");
    market.item(OTHER, AT + 2000, PRODUCT, "users", "2");
    market.run().expect(1).says("CustomerNotSubscribed").says(OTHER);
    market
}

/// Somebody else has this of the hour in the service's books.
fn seed(market: &Market, customer: &str, dimension: &str, quantity: u32) {
    let hour = HOUR.parse().unwrap();
    let record = Booked {
        id: "theirs".to_owned(),
        customer: Customer::Account(customer.to_owned()),
        product: Product::Code(PRODUCT.to_owned()),
        dimension: dimension.to_owned(),
        hour,
        timestamp: hour,
        quantity: quantity.into(),
        allocations: Vec::new(),
    };
    market.emulator.seed(record).unwrap();
}

/// The record of a customer in each call that held one, as it was sent.
fn offered(market: &Market, customer: &str) -> Vec<Value> {
    let requests = market.emulator.requests();
    let records = requests.iter().flat_map(|request| request.records());
    records.filter(|record| record["CustomerAWSAccountId"] == customer).cloned().collect()
}

#[test]
fn a_customer_without_an_agreement_is_marked_refused_and_not_counted_and_not_offered_again() {
    let market = one_without_agreement();
    assert_eq!(bill(&market), own(&[(ACME, "users", "12")]));
    market.marked(&[(ACME, AT), (ACME, AT + 1000)], false, "\"Success\"");
    market.marked(&[(OTHER, AT + 2000)], true, "\"Status\":\"CustomerNotSubscribed\"");
    assert_eq!((market.total(ACME, "users"), market.total(OTHER, "users")), ("12".into(), String::new()));
    for subscribed in [false, true] {
        if subscribed {
            market.emulator.subscribe(OTHER);
        }
        market.is_at_rest(1);
    }
    assert_eq!(market.charge(OTHER, "users")["standing"], "rejected");
}

#[test]
fn what_was_refused_is_offered_just_once_more_when_a_person_releases_it() {
    let market = one_without_agreement();
    let charge = market.charge(OTHER, "users")["id"].as_str().unwrap().to_owned();
    let release = || {
        let arguments = [charge.as_str(), "release", "--reason", "the agreement is signed", "--yes"];
        market.command("ledger resolve", &arguments, &[]).expect(0);
    };
    release();
    market.run().expect(1).says("CustomerNotSubscribed");
    market.marked(&[(OTHER, AT + 2000)], true, "CustomerNotSubscribed");
    market.is_at_rest(1);
    market.emulator.subscribe(OTHER);
    release();
    market.run().expect(0);
    let offered = offered(&market, OTHER);
    assert_eq!(offered.len(), 3);
    assert!(offered.iter().all(|record| *record == offered[0]), "not the identical record: {offered:?}");
    assert_eq!(bill(&market), own(&[(ACME, "users", "12"), (OTHER, "users", "2")]));
    market.marked(&[(OTHER, AT + 2000)], false, "\"Success\"");
    assert_eq!(market.total(OTHER, "users"), "2");
    assert_eq!(market.total(ACME, "users"), "12");
    market.is_at_rest(0);
}

#[test]
fn what_was_refused_is_billed_once_when_its_item_is_set_to_pending_as_the_guide_says() {
    let market = one_without_agreement();
    let before = market.charge(OTHER, "users")["id"].clone();
    market.set_pending_again(OTHER, AT + 2000);
    market.run().expect(1).says("CustomerNotSubscribed");
    market.marked(&[(OTHER, AT + 2000)], true, "CustomerNotSubscribed");
    market.emulator.subscribe(OTHER);
    market.is_at_rest(1);
    market.set_pending_again(OTHER, AT + 2000);
    market.run().expect(0);
    assert_eq!(bill(&market), own(&[(ACME, "users", "12"), (OTHER, "users", "2")]));
    market.marked(&[(OTHER, AT + 2000)], false, "\"Success\"");
    assert_eq!(market.total(OTHER, "users"), "2");
    let after = market.charge(OTHER, "users");
    assert_eq!(after["id"], before, "it has the id that it had");
    let charges = market.get(OTHER, AT + 2000).unwrap()["metering_charge"]["SS"].clone();
    assert_eq!(charges, json!([format!("{}/3", before.as_str().unwrap())]));
    market.is_at_rest(0);
}

#[test]
fn a_place_that_somebody_else_has_taken_is_reported_and_nothing_of_it_is_counted() {
    let market = Market::new();
    market.begin_early();
    for (customer, quantity) in [(ACME, 99), (OTHER, 2)] {
        seed(&market, customer, "users", quantity);
        market.item(customer, AT, PRODUCT, "users", if customer == OTHER { "2" } else { "5" });
    }
    market.item(ACME, AT + 1, PRODUCT, "api_calls", "3");
    market.run().expect(1).says("somebody else has billed in its place").says("DuplicateRecord");
    market.marked(&[(ACME, AT)], true, "\"Status\":\"DuplicateRecord\"");
    market.marked(&[(ACME, AT + 1)], false, "\"Success\"");
    assert_eq!(market.totals(PRODUCT, ACME).into_iter().collect::<Vec<_>>(), [("api_calls".into(), "3".into())]);
    assert_eq!(market.charge(ACME, "users")["standing"], "rejected");
    market.is_at_rest(1);
    let charge = market.charge(ACME, "users")["id"].as_str().unwrap().to_owned();
    let arguments = [charge.as_str(), "waive", "--reason", "theirs is right", "--yes"];
    market.command("ledger resolve", &arguments, &[]).expect(0);
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "theirs is right");
    assert_eq!(market.total(ACME, "users"), "");
    market.is_clean();
}

#[test]
fn a_duplicate_that_a_lost_ledger_may_have_sent_is_left_to_a_person_without_delay() {
    let market = Market::new();
    seed(&market, ACME, "users", 99);
    market.item(ACME, AT, PRODUCT, "users", "5");
    let begun = Instant::now();
    market.run().expect(1).says("DuplicateRecord").says("see in its books whose, and say so").says("billed|not-billed");
    // Much less than the budget in which a run tries again what may yet be told.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(market.marks(ACME, AT), ("true".into(), None, String::new()), "nobody knows yet");
    market.is_at_rest(1);
    let charge = market.charge(ACME, "users")["id"].as_str().unwrap().to_owned();
    let arguments = [charge.as_str(), "waive", "--reason", "it was theirs", "--yes"];
    market.command("ledger resolve", &arguments, &[]).expect(0);
    market.run().expect(0);
    market.marked(&[(ACME, AT)], false, "it was theirs");
    assert_eq!(market.total(ACME, "users"), "");
    market.is_at_rest(0);
}

#[test]
fn a_record_that_the_service_has_from_a_lost_call_is_accepted_once_whatever_it_calls_that() {
    for (is_duplicate, word) in [(true, "DuplicateRecord"), (false, "Success")] {
        let market = Market::with(Settings { identical_is_duplicate: is_duplicate, ..Settings::default() });
        market.item(ACME, AT, PRODUCT, "users", "5");
        market.emulator.push_fault(Fault::drop_after_commit());
        market.run().expect(0);
        assert_eq!(bill(&market), own(&[(ACME, "users", "5")]));
        assert_eq!(market.sent()[0], market.sent()[1]);
        market.marked(&[(ACME, AT)], false, word);
        assert_eq!(market.total(ACME, "users"), "5");
        market.is_at_rest(0);
    }
}

#[test]
fn what_the_service_left_unprocessed_or_unsaid_is_offered_again_in_the_same_run_as_it_was() {
    let cases: [(Fault, &[usize]); 4] = [
        (Fault::unprocessed([0, 2]), &[0, 2]),
        (Fault::unprocessed([]), &[0, 1, 2, 3]),
        (Fault::Missing { positions: vec![1] }, &[1]),
        (Fault::Missing { positions: vec![0, 1, 2, 3] }, &[0, 1, 2, 3]),
    ];
    for (fault, again) in cases {
        let market = Market::new();
        for number in 0..4 {
            market.item(ACME, AT + number, PRODUCT, &format!("d{number}"), &format!("{}", number + 1));
        }
        market.emulator.push_fault(fault.clone());
        market.run().expect(0);
        let requests = market.emulator.requests();
        assert_eq!(requests.len(), 2, "{fault:?}");
        let expected: Vec<Value> = again.iter().map(|at| requests[0].records()[*at].clone()).collect();
        assert_eq!(requests[1].records(), expected, "{fault:?}");
        let bills: Vec<_> = bill(&market).into_iter().map(|(_, dimension, quantity)| dimension + &quantity).collect();
        assert_eq!(bills, ["d01", "d12", "d23", "d34"], "{fault:?}");
        for number in 0..4 {
            market.marked(&[(ACME, AT + number)], false, "\"Success\"");
            assert_eq!(market.total(ACME, &format!("d{number}")), format!("{}", number + 1), "{fault:?}");
        }
        market.is_at_rest(0);
    }
}

#[test]
fn an_answer_that_makes_no_sense_leaves_a_record_unknown_until_the_identical_one_is_answered() {
    let scripted = |body: Value, commit| Fault::Scripted { status: 200, body, commit };
    let other = json!({ "Results": [{ "Status": "Success", "MeteringRecordId": "x", "UsageRecord": {
        "Timestamp": 1_771_164_000, "Dimension": "users", "Quantity": 5, "CustomerAWSAccountId": OTHER } }] });
    let mut quantity = other.clone();
    quantity["Results"][0]["UsageRecord"]["CustomerAWSAccountId"] = json!(ACME);
    quantity["Results"][0]["UsageRecord"]["Quantity"] = json!(6);
    let mut status = quantity.clone();
    status["Results"][0]["UsageRecord"]["Quantity"] = json!(5);
    status["Results"][0]["Status"] = json!("Splendid");
    let faults = [
        Fault::NotJson { status: 200, commit: true },
        Fault::NotJson { status: 200, commit: false },
        Fault::NotJson { status: 503, commit: true },
        Fault::NotJson { status: 302, commit: true },
        Fault::Truncated { commit: true },
        Fault::Truncated { commit: false },
        scripted(json!({}), true),
        scripted(json!({ "Results": [], "UnprocessedRecords": [] }), true),
        scripted(json!("null"), true),
        scripted(other, true),
        scripted(quantity, true),
        scripted(status, true),
    ];
    for fault in faults {
        let market = Market::new();
        market.replace("[sink.marketplace]\n", "[sink.marketplace]\nretry_budget = \"0s\"\n");
        market.item(ACME, AT, PRODUCT, "users", "5");
        market.emulator.push_fault(Rule::forever(fault.clone()));
        market.run().expect(1).says("unknown");
        assert_eq!(market.charge(ACME, "users")["standing"], "unknown", "{fault:?}");
        assert_eq!(market.marks(ACME, AT), ("true".into(), None, String::new()), "{fault:?}: nothing is clear yet");
        market.emulator.clear_faults();
        market.run().expect(0);
        assert_eq!(bill(&market), own(&[(ACME, "users", "5")]), "{fault:?}");
        assert!(market.sent().iter().all(|body| *body == market.sent()[0]), "{fault:?}");
        market.marked(&[(ACME, AT)], false, "\"Success\"");
        assert_eq!(market.total(ACME, "users"), "5", "{fault:?}");
        market.is_at_rest(0);
    }
}

#[test]
fn each_result_finds_its_own_record_in_whatever_order_and_form_it_comes() {
    for time in [EchoTime::Exponent, EchoTime::Fraction] {
        let market = Market::with(Settings { shuffle: Some(11), echo_time: time, ..Settings::default() });
        market.begin_early();
        market.emulator.unsubscribe(OTHER);
        seed(&market, ACME, "d7", 99);
        for number in 0..20 {
            market.item(ACME, AT + number, PRODUCT, &format!("d{number}"), &format!("{}", number + 1));
        }
        for number in 0..5 {
            market.item(OTHER, AT + number, PRODUCT, &format!("d{number}"), "1");
        }
        market.emulator.push_fault(Fault::unprocessed([1, 5, 24]));
        market.run().expect(1);
        for number in 0..20 {
            let (is_failed, word) = if number == 7 { (true, "DuplicateRecord") } else { (false, "\"Success\"") };
            market.marked(&[(ACME, AT + number)], is_failed, word);
            let dimension = format!("\"Dimension\":\"d{number}\"");
            assert!(market.marks(ACME, AT + number).2.contains(&dimension), "{dimension}");
            let total = if number == 7 { String::new() } else { format!("{}", number + 1) };
            assert_eq!(market.total(ACME, &format!("d{number}")), total);
        }
        for number in 0..5 {
            market.marked(&[(OTHER, AT + number)], true, "CustomerNotSubscribed");
        }
        assert_eq!(market.emulator.requests().len(), 2);
        assert_eq!(market.billed().len(), 20);
        market.is_at_rest(1);
    }
}
