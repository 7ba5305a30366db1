//! Each fault on the way to the metering service and back: what is billed is billed once, and the tables say so.

use metering_emulator::{Chances, Fault, Settings, When};

use crate::market::{ACME, Market, OTHER, PRODUCT, SECOND};

const AT: i64 = 1_771_164_345_678; // 2026-02-15T14:05:45.678Z

/// The guide's records, in two products: two calls.
fn guide(market: &Market) {
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 1000, PRODUCT, "users", "7");
    market.item(ACME, AT + 2000, PRODUCT, "api_calls", "10");
    market.item(ACME, AT + 3000, SECOND, "users", "6");
    market.item(OTHER, AT + 4000, PRODUCT, "users", "2");
}

/// Asserts that all of it is billed once, each record always offered in the same words, and marked and counted once.
#[track_caller]
fn billed_once(market: &Market, about: &str) {
    let billed: Vec<String> = market.billed().into_values().collect();
    assert_eq!(billed, ["10", "12", "6", "2"], "{about}");
    assert_eq!(market.records_sent().len(), 4, "{about}: {:#?}", market.sent());
    for (customer, time) in [(ACME, 0), (ACME, 1000), (ACME, 2000), (ACME, 3000), (OTHER, 4000)] {
        market.marked(&[(customer, AT + time)], false, "\"Status\":");
    }
    let totals = [market.total(ACME, "users"), market.total(ACME, "api_calls"), market.total(OTHER, "users")];
    assert_eq!(totals, ["12", "10", "2"], "{about}");
    assert_eq!(market.totals(SECOND, ACME)["users"], "6", "{about}");
    market.is_at_rest(0);
}

/// What can go wrong with a call that nothing is wrong with.
fn faults() -> Vec<Fault> {
    vec![
        Fault::Drop { when: When::BeforeReading },
        Fault::Drop { when: When::BeforeCommit },
        Fault::Drop { when: When::AfterCommit },
        Fault::Truncated { commit: true },
        Fault::Truncated { commit: false },
        Fault::NotJson { status: 502, commit: true },
        Fault::NotJson { status: 200, commit: true },
        Fault::Slow { before_ms: 300, after_ms: 300 },
    ]
}

#[test]
fn a_fault_of_every_first_call_is_got_over_in_the_same_run() {
    for is_duplicate in [false, true] {
        for fault in faults() {
            let market = Market::with(Settings { identical_is_duplicate: is_duplicate, ..Settings::default() });
            guide(&market);
            market.emulator.push_fault(fault.clone().times(2));
            market.run().expect(0);
            billed_once(&market, &format!("{fault:?} {is_duplicate}"));
        }
    }
}

#[test]
fn a_fault_that_outlasts_a_run_leaves_nothing_marked_and_a_later_run_bills_all_once() {
    for is_duplicate in [false, true] {
        for fault in faults().into_iter().filter(|fault| !matches!(fault, Fault::Slow { .. })) {
            let market = Market::with(Settings { identical_is_duplicate: is_duplicate, ..Settings::default() });
            market.replace("[sink.marketplace]\n", "[sink.marketplace]\nretry_budget = \"0s\"\n");
            guide(&market);
            market.emulator.push_fault(fault.clone().forever());
            market.run().expect(1).says("the identical charge is offered again");
            for item in market.items() {
                assert_eq!(item["metering_pending"]["S"], "true", "{fault:?}: {item:#}");
                assert!(item.get("metering_failed").is_none(), "{fault:?}: {item:#}");
            }
            assert_eq!(market.totals(PRODUCT, ACME).len(), 0, "{fault:?}");
            market.emulator.clear_faults();
            market.run().expect(0);
            billed_once(&market, &format!("{fault:?} {is_duplicate}"));
        }
    }
}

#[test]
fn what_may_be_billed_in_one_region_is_not_offered_in_another() {
    let market = Market::new();
    market.replace("[sink.marketplace]\n", "[sink.marketplace]\nretry_budget = \"0s\"\n");
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.emulator.push_fault(Fault::Drop { when: When::AfterCommit }.times(1));
    market.run().expect(1);
    let calls = market.calls();
    let [here, there] = ["${AWS_REGION}", "eu-west-1"]
        .map(|region| format!("\"aws-marketplace:BatchMeterUsage\" = [\"*\"] }}, region = \"{region}\""));
    market.replace(&here, &there);
    for _ in 0..2 {
        market.run().expect(1).says("a charge may be billed in us-east-1, and is not offered in another region");
        assert_eq!(market.calls(), calls);
    }
    market.replace(&there, &here);
    market.run().expect(0);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["5"]);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
}

#[test]
fn with_a_ledger_on_s3_a_lost_answer_is_got_over_just_so() {
    let market = Market::on_s3();
    guide(&market);
    market.emulator.push_fault(Fault::drop_after_commit().times(2));
    market.run().expect(0);
    billed_once(&market, "on S3");
}

#[test]
fn an_answer_later_than_the_deadline_is_no_answer_and_bills_nothing_twice() {
    for (before_ms, after_ms) in [(22_000, 0), (0, 22_000)] {
        let market = Market::new();
        guide(&market);
        market.emulator.push_fault(Fault::Slow { before_ms, after_ms }.at(1));
        market.run().expect(0);
        assert!(market.calls() >= 3, "the slow call was given up");
        // The slow request takes effect in the end, after the one that was answered.
        std::thread::sleep(std::time::Duration::from_secs(4));
        billed_once(&market, &format!("{before_ms} {after_ms}"));
    }
}

#[test]
fn whatever_comes_by_chance_each_record_is_billed_once() {
    for seed in 0..4 {
        let market = Market::with(Settings { identical_is_duplicate: seed % 2 == 0, ..Settings::default() });
        market.replace("[sink.marketplace]\n", "[sink.marketplace]\nretry_budget = \"3s\"\n");
        guide(&market);
        market.emulator.set_chances(Some(Chances::new(seed, 0.6)));
        let mut runs = 0;
        while market.run().exit != 0 {
            runs += 1;
            assert!(runs < 10, "seed {seed}");
        }
        market.emulator.set_chances(None);
        billed_once(&market, &format!("seed {seed}"));
    }
}
