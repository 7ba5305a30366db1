//! Graduated tiers, and unit prices with an included quantity: worked out by hand.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{check_totals, costs};

const FREE_BEGINNING: &str =
    r#"{ tiers = [{ up_to = "100", price = "0" }, { up_to = "1000", price = "0.10" }, { price = "0.08" }] }"#;

const FEES: &str = r#"{ mode = "graduated", tiers = [
    { up_to = "100", price = "0.10", fee = "1" }, { up_to = "1000", price = "0.05", fee = "5" }, { price = "0.02", fee = "20" }] }"#;

#[test]
fn a_unit_price_is_multiplied() {
    // 0 × 0.05; 1 × 0.05; 2.5 × 0.05; 1000000 × 0.05.
    check_totals("\"0.05\"", true, &[("0", "0"), ("1", "0.05"), ("2.5", "0.125"), ("1000000", "50000")]);
    // A table that says nothing else is the same: 3 × 0.05.
    assert_eq!(costs(r#"{ price = "0.05" }"#, true, &["3"]), ["0.15"]);
    // An integer is a decimal: 3 × 2.
    assert_eq!(costs("2", false, &["3"]), ["6"]);
}

#[test]
fn each_part_of_the_total_costs_what_its_tier_says() {
    let expected = [
        ("0", "0"),
        ("1", "0"),
        ("99", "0"),
        ("100", "0"),
        // 0.5 × 0.10.
        ("100.5", "0.05"),
        // 1 × 0.10.
        ("101", "0.1"),
        // 899 × 0.10.
        ("999", "89.9"),
        // 900 × 0.10; the tier ends with the 1000th unit.
        ("1000", "90"),
        // 90 + 0.25 × 0.08.
        ("1000.25", "90.02"),
        // 90 + 1 × 0.08.
        ("1001", "90.08"),
        // 90 + 999999000 × 0.08 = 90 + 79999920.
        ("1000000000", "80000010"),
    ];
    check_totals(FREE_BEGINNING, true, &expected);
    check_totals(FREE_BEGINNING, false, &expected);
}

#[test]
fn the_fee_of_each_tier_that_is_reached_is_owed_once() {
    let expected = [
        ("0", "0"),
        // 1 + 0.5 × 0.10.
        ("0.5", "1.05"),
        // 1 + 1 × 0.10.
        ("1", "1.1"),
        // 1 + 99 × 0.10.
        ("99", "10.9"),
        // 1 + 100 × 0.10.
        ("100", "11"),
        // 11 + 5 + 0.01 × 0.05.
        ("100.01", "16.0005"),
        // 11 + 5 + 1 × 0.05.
        ("101", "16.05"),
        // 11 + 5 + 899 × 0.05 = 16 + 44.95.
        ("999", "60.95"),
        // 11 + 5 + 900 × 0.05 = 16 + 45.
        ("1000", "61"),
        // 61 + 20 + 1 × 0.02.
        ("1001", "81.02"),
        // 61 + 20 + 999000 × 0.02 = 81 + 19980.
        ("1000000", "20061"),
    ];
    check_totals(FEES, true, &expected);
}

#[test]
fn what_is_included_is_free_and_moves_the_tiers() {
    let price = FEES.replace("mode =", r#"included = "10", mode ="#);
    let expected = [
        ("0", "0"),
        ("1", "0"),
        ("9", "0"),
        // Nothing is billable, so that no tier is reached.
        ("10", "0"),
        // 0.5 is billable: 1 + 0.5 × 0.10.
        ("10.5", "1.05"),
        // 1: 1 + 1 × 0.10.
        ("11", "1.1"),
        // 99, 100 and 101, as without.
        ("109", "10.9"),
        ("110", "11"),
        ("111", "16.05"),
        // 999, 1000 and 1001.
        ("1009", "60.95"),
        ("1010", "61"),
        ("1011", "81.02"),
        // 1000000.
        ("1000010", "20061"),
    ];
    check_totals(&price, true, &expected);
}

#[test]
fn a_unit_price_begins_behind_what_is_included() {
    let price = r#"{ price = "0.05", included = "100" }"#;
    let expected = [
        ("0", "0"),
        ("1", "0"),
        ("99", "0"),
        ("100", "0"),
        // 0.5 × 0.05.
        ("100.5", "0.025"),
        // 1 × 0.05.
        ("101", "0.05"),
        // 999900 × 0.05.
        ("1000000", "49995"),
    ];
    check_totals(price, true, &expected);
    // 60 of 60 are free, then 40 of 70: 30 × 0.05; then none: 10 × 0.05.
    assert_eq!(costs(price, true, &["60", "70", "10"]), ["0", "1.5", "0.5"]);
    // An included quantity of 0 is none.
    assert_eq!(costs(r#"{ price = "0.05", included = "0" }"#, true, &["1"]), ["0.05"]);
}

#[test]
fn a_charge_costs_what_it_adds_and_the_fees_fall_on_those_that_reach_the_tier() {
    // 60: 1 + 60 × 0.10 = 7.
    // 60 more: 40 × 0.10 + 5 + 20 × 0.05 = 4 + 5 + 1.
    // 900 more: 880 × 0.05 + 20 + 20 × 0.02 = 44 + 20 + 0.4.
    assert_eq!(costs(FEES, false, &["60", "60", "900"]), ["7", "10", "64.4"]);
    // All at once: 1 + 100 × 0.10 + 5 + 900 × 0.05 + 20 + 20 × 0.02 = 1 + 10 + 5 + 45 + 20 + 0.4.
    assert_eq!(costs(FEES, false, &["1020"]), ["81.4"]);
    // Up to the very end of a tier, its successor's fee is not owed; nothing adds nothing; then 5 + 1 × 0.05.
    assert_eq!(costs(FEES, false, &["100", "0", "1"]), ["11", "0", "5.05"]);
    // Not even the first tier is reached by nothing; then 1 + 1 × 0.10.
    assert_eq!(costs(FEES, false, &["0", "1"]), ["0", "1.1"]);
}

#[test]
fn one_tier_without_end_is_a_unit_price_with_a_fee() {
    let price = r#"{ tiers = [{ price = "0.5", fee = "3" }] }"#;
    // 3 + 2 × 0.5; then 2 × 0.5.
    assert_eq!(costs(price, false, &["2", "2"]), ["4", "1"]);
}

#[test]
fn tiers_end_at_fractions_too() {
    let price = r#"{ tiers = [{ up_to = "0.25", price = "4" }, { up_to = "0.75", price = "2" }, { price = "1" }] }"#;
    let expected = [
        // 0.24 × 4; 0.25 × 4; 1 + 0.01 × 2.
        ("0.24", "0.96"),
        ("0.25", "1"),
        ("0.26", "1.02"),
        // 1 + 0.49 × 2; 1 + 0.5 × 2; 2 + 0.01 × 1.
        ("0.74", "1.98"),
        ("0.75", "2"),
        ("0.76", "2.01"),
        // 2 + 99.25 × 1.
        ("100", "101.25"),
    ];
    check_totals(price, true, &expected);
}
