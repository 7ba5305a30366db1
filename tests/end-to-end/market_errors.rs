//! Every error of the metering service by its name: one charge at fault keeps no other back, and what is sent again is what was sent.

use std::collections::{BTreeMap, BTreeSet};

use metering_emulator::{ErrorStyle, Fault, Settings, UnknownCustomer};

use crate::market::{ACME, Market, OTHER, PRODUCT, SECOND};

const AT: i64 = 1_771_164_345_678; // 2026-02-15T14:05:45.678Z
/// As many records as a call takes.
const CALL: i64 = 25;

fn impatient(market: &Market) {
    market.replace("[sink.marketplace]\n", "[sink.marketplace]\nretry_budget = \"0s\"\n");
}

/// A customer of the call's: the one at fault stands in the middle.
fn customer(number: i64) -> String {
    if number == 13 { OTHER.to_owned() } else { format!("{}", 100_000_000_000 + number) }
}

/// A call full of customers' records, the one of `OTHER` among them.
fn full_call(market: &Market) {
    for number in 0..CALL {
        market.item(&customer(number), AT, PRODUCT, "users", &format!("{}", number + 1));
    }
}

/// Asserts that one customer's charge is refused with this, and that all others are billed.
#[track_caller]
fn one_is_refused(market: &Market, name: &str, words: &str) {
    market.run().expect(1).says(name).says(words);
    assert_eq!(market.billed().len() as i64, CALL - 1, "{name}");
    for number in 0..CALL {
        let customer = customer(number);
        let total = market.total(&customer, "users");
        if number == 13 {
            market.marked(&[(&customer, AT)], true, name);
            assert!(market.marks(&customer, AT).2.contains(words), "{name}: {}", market.marks(&customer, AT).2);
            assert_eq!((total.as_str(), &market.charge(&customer, "users")["standing"]), ("", &"rejected".into()));
        } else {
            market.marked(&[(&customer, AT)], false, "\"Success\"");
            assert_eq!(total, format!("{}", number + 1), "{name}");
        }
    }
    // 25 halved until one stands alone: 1 + 2 for each of five halvings, at most.
    assert!(market.calls() <= 11, "{name}: {} calls", market.calls());
    // The identical charge once a run: somebody may have mended the product.
    let (before, items) = (market.calls(), market.items());
    market.run().expect(1).says(name);
    assert_eq!((market.calls(), market.items()), (before + 1, items), "{name}");
}

#[test]
fn a_record_at_fault_is_refused_in_the_services_words_and_the_other_24_of_its_call_are_billed() {
    for (number, name) in [
        "InvalidProductCodeException",
        "InvalidUsageDimensionException",
        "InvalidCustomerIdentifierException",
        "TimestampOutOfBoundsException",
        "InvalidTagException",
        "InvalidUsageAllocationsException",
        "InvalidLicenseException",
        "ValidationException",
        "SomethingNobodyKnowsException",
    ]
    .into_iter()
    .enumerate()
    {
        // As services of AWS write it: the bare name, or with a namespace before it and an address behind.
        let error_style = if number % 2 == 0 { ErrorStyle::Plain } else { ErrorStyle::Namespaced };
        let market = Market::with(Settings { error_style, ..Settings::default() });
        market.begin_early();
        full_call(&market);
        market.emulator.push_fault(Fault::refuse(name, OTHER).forever());
        one_is_refused(&market, name, &format!("The record of {OTHER} is at fault."));
        // Mended at the service, the charge is billed, and nobody had to touch the table.
        market.emulator.clear_faults();
        market.run().expect(0);
        market.marked(&[(OTHER, AT)], false, "\"Success\"");
        assert_eq!((market.billed().len() as i64, market.total(OTHER, "users")), (CALL, "14".into()), "{name}");
        market.is_at_rest(0);
    }
}

#[test]
fn a_customer_or_a_dimension_that_the_service_does_not_know_is_found_among_25() {
    let known: BTreeSet<String> = (0..CALL).filter(|number| *number != 13).map(customer).collect();
    let market = Market::with(Settings {
        known_customers: Some(known),
        unknown_customer: UnknownCustomer::Invalid,
        ..Settings::default()
    });
    market.begin_early();
    full_call(&market);
    one_is_refused(&market, "InvalidCustomerIdentifierException", &format!("the customer {OTHER} does not exist"));

    let products = BTreeMap::from([(PRODUCT.to_owned(), BTreeSet::from(["users".to_owned()]))]);
    let market = Market::with(Settings { products: Some(products), ..Settings::default() });
    market.begin_early();
    for number in 0..CALL - 1 {
        market.item(&customer(number), AT, PRODUCT, "users", "1");
    }
    // The last of its call, and another product's records in a call of their own.
    market.item(&customer(99), AT, PRODUCT, "Users", "1");
    market.item(ACME, AT, SECOND, "users", "1");
    market.item(OTHER, AT + 1, SECOND, "users", "1");
    let ended = market.run();
    ended.expect(1).says(&format!("the product {PRODUCT} has no dimension Users"));
    ended.says(&format!("InvalidProductCodeException: there is no product {SECOND}"));
    assert_eq!(market.billed().len() as i64, CALL - 1);
    market.marked(&[(&customer(99), AT)], true, "InvalidUsageDimensionException");
    market.marked(&[(ACME, AT), (OTHER, AT + 1)], true, "InvalidProductCodeException");
    assert_eq!(market.totals(SECOND, ACME).len(), 0);
}

#[test]
fn a_time_that_the_service_takes_no_more_refuses_no_other_record_of_its_call() {
    let market = Market::new();
    market.begin_early();
    // The service's clock is ahead: the older hour is out of its 24 hours, and nobody here could know.
    market.emulator.set_clock(metering_emulator::Clock::Fixed("2026-02-16T13:30:00Z".parse().unwrap()));
    full_call(&market);
    market.item(ACME, AT - 3_600_000, PRODUCT, "users", "9");
    market.run().expect(1).says("TimestampOutOfBoundsException");
    assert_eq!(market.billed().len() as i64, CALL);
    market.marked(&[(ACME, AT - 3_600_000)], true, "TimestampOutOfBoundsException");
    market.marked(&[(OTHER, AT)], false, "\"Success\"");
}

/// What the service says that names no charge, and whether it may have billed then.
fn of_the_whole_call() -> Vec<(&'static str, Fault, bool)> {
    let status =
        |name: &str, status: u16, commit: bool| Fault::Error { name: name.to_owned(), status: Some(status), commit };
    vec![
        ("ThrottlingException", Fault::Throttle, false),
        ("ThrottlingException", status("ThrottlingException", 429, false), false),
        ("InternalServiceErrorException", Fault::internal_before_commit(), true),
        ("InternalServiceErrorException", Fault::internal_after_commit(), true),
        ("InternalServiceErrorException", status("InternalServiceErrorException", 400, true), true),
        ("ServiceUnavailable", status("ServiceUnavailable", 503, false), true),
        ("ServiceUnavailable", status("ServiceUnavailable", 503, true), true),
        ("InternalFailure", status("InternalFailure", 500, true), true),
        ("DisabledApiException", Fault::error("DisabledApiException"), false),
        ("AccessDeniedException", status("AccessDeniedException", 403, false), false),
        ("ExpiredTokenException", status("ExpiredTokenException", 403, false), false),
        ("UnrecognizedClientException", status("UnrecognizedClientException", 403, false), false),
        ("InvalidSignatureException", status("InvalidSignatureException", 403, false), false),
    ]
}

/// Three customers' records.
fn three(market: &Market) {
    for (place, customer) in [ACME, OTHER, "100000000007"].into_iter().enumerate() {
        market.item(customer, AT, PRODUCT, "users", &format!("{}", place + 5));
    }
}

/// Asserts that all is billed, marked and counted once, and that no record was ever offered in other words.
#[track_caller]
fn billed_by_identical_records(market: &Market, about: &str) {
    assert_eq!(market.billed().len(), 3, "{about}");
    assert_eq!(market.records_sent().len(), 3, "{about}: {:#?}", market.sent());
    for (place, customer) in [ACME, OTHER, "100000000007"].into_iter().enumerate() {
        market.marked(&[(customer, AT)], false, "\"Success\"");
        assert_eq!(market.total(customer, "users"), format!("{}", place + 5), "{about}");
    }
    market.is_at_rest(0);
}

#[test]
fn after_an_error_that_names_no_charge_the_identical_records_are_offered_in_the_same_run() {
    for (name, fault, may_be_billed) in of_the_whole_call() {
        let market = Market::new();
        market.begin_early();
        three(&market);
        market.emulator.push_fault(fault.clone());
        market.run().expect(0);
        let sent = market.sent();
        // What may be billed is offered in smaller calls: one of its records may be what the service gives up at.
        match may_be_billed {
            true => assert!(sent.len() <= 4, "{name} {fault:?}: {}", sent.len()),
            false => assert_eq!((sent.len(), &sent[0]), (2, &sent[1]), "{name} {fault:?}"),
        }
        billed_by_identical_records(&market, &format!("{fault:?}"));
    }
}

#[test]
fn an_error_that_stays_leaves_all_open_and_unmarked_and_a_later_run_offers_the_identical_records() {
    for (name, fault, may_be_billed) in of_the_whole_call() {
        let market = Market::new();
        market.begin_early();
        impatient(&market);
        three(&market);
        market.emulator.push_fault(fault.clone().forever());
        for _ in 0..2 {
            let run = market.run();
            run.expect(1);
            if name != "ThrottlingException" {
                run.says(name);
            }
        }
        for customer in [ACME, OTHER] {
            assert_eq!(market.marks(customer, AT), ("true".into(), None, String::new()), "{fault:?}");
            let expected = if may_be_billed { "unknown" } else { "pending" };
            assert_eq!(market.charge(customer, "users")["standing"], expected, "{fault:?}");
        }
        market.emulator.clear_faults();
        market.run().expect(0);
        market.is_clean();
        assert_eq!(market.billed().len(), 3, "{fault:?}");
        for customer in [ACME, OTHER] {
            market.marked(&[(customer, AT)], false, "\"Success\"");
        }
        // Cut into smaller calls a record is the same as it was, byte for byte.
        assert_eq!(market.records_sent().len(), 3, "{fault:?}");
        market.is_at_rest(0);
    }
}

#[test]
fn a_region_without_the_service_and_a_session_that_ran_out_are_said_and_cost_nothing() {
    let market = Market::with(Settings { disabled: true, ..Settings::default() });
    impatient(&market);
    three(&market);
    market.run().expect(1).says("DisabledApiException").says("credentials");
    market.emulator.set_disabled(false);
    market.run().expect(0);
    billed_by_identical_records(&market, "disabled");

    let market = Market::new();
    impatient(&market);
    three(&market);
    market.emulator.expire_session();
    market.run().expect(1).says("ExpiredTokenException");
    assert_eq!(market.marks(ACME, AT), ("true".into(), None, String::new()));
    assert_eq!(market.emulator.books().len(), 0);
}
