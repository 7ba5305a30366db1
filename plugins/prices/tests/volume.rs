//! Volume tiers: worked out by hand.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{check_totals, costs};

const TIERS: &str = r#"{ mode = "volume", tiers = [
    { up_to = "100", price = "0.10", fee = "1" }, { up_to = "1000", price = "0.05", fee = "5" }, { price = "0.02", fee = "20" }] }"#;

#[test]
fn the_tier_in_which_the_total_ends_prices_all_of_it() {
    let expected = [
        ("0", "0"),
        // 0.5 × 0.10 + 1.
        ("0.5", "1.05"),
        // 1 × 0.10 + 1.
        ("1", "1.1"),
        // 99 × 0.10 + 1.
        ("99", "10.9"),
        // 100 × 0.10 + 1; the 100th unit belongs to the first tier still.
        ("100", "11"),
        // 100.5 × 0.05 + 5.
        ("100.5", "10.025"),
        // 101 × 0.05 + 5.
        ("101", "10.05"),
        // 999 × 0.05 + 5.
        ("999", "54.95"),
        // 1000 × 0.05 + 5.
        ("1000", "55"),
        // 1000.5 × 0.02 + 20.
        ("1000.5", "40.01"),
        // 1001 × 0.02 + 20.
        ("1001", "40.02"),
        // 1000000 × 0.02 + 20.
        ("1000000", "20020"),
    ];
    check_totals(TIERS, true, &expected);
    check_totals(TIERS, false, &expected);
}

#[test]
fn what_is_included_counts_for_no_tier() {
    let price = TIERS.replace("mode =", r#"included = "10", mode ="#);
    let expected = [
        ("0", "0"),
        ("1", "0"),
        ("9", "0"),
        // Nothing is billable: no fee.
        ("10", "0"),
        // 0.5 × 0.10 + 1; 1 × 0.10 + 1.
        ("10.5", "1.05"),
        ("11", "1.1"),
        // 99 × 0.10 + 1; 100 × 0.10 + 1; 101 × 0.05 + 5.
        ("109", "10.9"),
        ("110", "11"),
        ("111", "10.05"),
        // 999 × 0.05 + 5; 1000 × 0.05 + 5; 1001 × 0.02 + 20.
        ("1009", "54.95"),
        ("1010", "55"),
        ("1011", "40.02"),
        // 1000000 × 0.02 + 20.
        ("1000010", "20020"),
    ];
    check_totals(&price, true, &expected);
}

#[test]
fn the_fee_is_shared_in_proportion_to_the_quantities() {
    // 120 in all, so 0.05 and 5 of which 30/120 and 90/120 fall on them:
    // 30 × 0.05 + 1.25; 0; 90 × 0.05 + 3.75.
    assert_eq!(costs(TIERS, false, &["30", "0", "90"]), ["2.75", "0", "8.25"]);
    // With 40 included, 80 are billable, so 0.10 and 1. The first 40 in the order of time are free, and the fee falls on all alike:
    // 0 + 1 × 30/120; 0; 80 × 0.10 + 1 × 90/120.
    let price = TIERS.replace("mode =", r#"included = "40", mode ="#);
    assert_eq!(costs(&price, false, &["30", "0", "90"]), ["0.25", "0", "8.75"]);
}

#[test]
fn where_nothing_was_used_no_tier_is_reached_and_no_fee_is_owed() {
    assert_eq!(costs(TIERS, true, &["0", "0", "0"]), ["0", "0", "0"]);
    // The first unit owes it, whichever charge it is in: 1 × 0.10 + 1.
    assert_eq!(costs(TIERS, true, &["0", "1", "0"]), ["0", "1.1", "0"]);
}

#[test]
fn a_share_without_end_is_cut_and_the_last_charge_takes_the_rest() {
    let price = r#"{ mode = "volume", tiers = [{ price = "0", fee = "10" }] }"#;
    // 10/3 = 3.333333333333…, and 10 − 2 × 3.333333333333.
    assert_eq!(costs(price, false, &["1", "1", "1"]), ["3.333333333333", "3.333333333333", "3.333333333334"]);
    // 20/3 = 6.666666666666…, which is cut and not rounded.
    assert_eq!(costs(price, false, &["2", "1"]), ["6.666666666666", "3.333333333334"]);
    // The last takes it even if it has used nothing: 10 − 3 × 3.333333333333.
    let shares = ["3.333333333333", "3.333333333333", "3.333333333333", "0.000000000001"];
    assert_eq!(costs(price, false, &["1", "1", "1", "0"]), shares);
}

#[test]
fn earlier_charges_become_cheaper_when_a_higher_tier_is_reached() {
    let price = r#"{ mode = "volume", tiers = [{ up_to = "10", price = "2" }, { price = "1" }] }"#;
    assert_eq!(costs(price, false, &["6", "4"]), ["12", "8"]);
    assert_eq!(costs(price, false, &["6", "4", "1"]), ["6", "4", "1"]);
}
