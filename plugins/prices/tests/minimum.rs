//! Minimums, alone and with everything else: worked out by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{check_totals, costs};

const PRICE: &str = r#"{ price = "0.05", included = "100", minimum = "5" }"#;

#[test]
fn an_account_comes_to_the_minimum_once_the_period_is_over() {
    let expected = [
        // Nothing was used, but there is a charge.
        ("0", "5"),
        ("1", "5"),
        ("99", "5"),
        ("100", "5"),
        ("101", "5"),
        // 99 × 0.05 = 4.95, and 0.05 on top.
        ("199", "5"),
        // 100 × 0.05.
        ("200", "5"),
        // 100.5 × 0.05; 101 × 0.05.
        ("200.5", "5.025"),
        ("201", "5.05"),
        // 999900 × 0.05.
        ("1000000", "49995"),
    ];
    check_totals(PRICE, true, &expected);
}

#[test]
fn before_the_period_is_over_no_minimum_is_owed() {
    // 0; 0; 99 × 0.05; 101 × 0.05.
    check_totals(PRICE, false, &[("0", "0"), ("100", "0"), ("199", "4.95"), ("201", "5.05")]);
}

#[test]
fn what_is_missing_is_shared_in_proportion_to_the_quantities() {
    // 120, so 20 × 0.05 = 1, and 4 are missing: 0 + 4 × 30/120; 20 × 0.05 + 4 × 90/120.
    assert_eq!(costs(PRICE, true, &["30", "90"]), ["1", "4"]);
    // 200 × 0.05 − 5: nothing is missing.
    assert_eq!(costs(PRICE, true, &["50", "150"]), ["0", "5"]);
}

#[test]
fn a_share_without_end_is_cut_and_the_last_charge_takes_the_rest() {
    // 1/7 = 0.142857142857…, and 1 − 6 × 0.142857142857 = 1 − 0.857142857142.
    let mut shares = ["0.142857142857"; 7];
    shares[6] = "0.142857142858";
    assert_eq!(costs(r#"{ price = "0", minimum = "1" }"#, true, &["1"; 7]), shares);
}

#[test]
fn where_nothing_was_used_the_last_charge_takes_all() {
    assert_eq!(costs(r#"{ price = "1", minimum = "5" }"#, true, &["0", "0", "0"]), ["0", "0", "5"]);
    // At a price by volume too: no tier is reached, so that no fee is owed, and all of it is the minimum.
    let volume =
        r#"{ mode = "volume", tiers = [{ up_to = "10", price = "1", fee = "2" }, { price = "0" }], minimum = "5" }"#;
    assert_eq!(costs(volume, true, &["0", "0"]), ["0", "5"]);
    // 1 × 1 + 4 × 1/1; nothing is left.
    assert_eq!(costs(r#"{ price = "1", minimum = "5" }"#, true, &["1", "0"]), ["5", "0"]);
}

#[test]
fn a_minimum_goes_with_graduated_tiers() {
    let price =
        r#"{ tiers = [{ up_to = "10", price = "1", fee = "2" }, { price = "0.5" }], included = "5", minimum = "30" }"#;
    // 15 are billable: 2 + 10 × 1 + 5 × 0.5 = 14.5, and 15.5 are missing.
    // 0 + 15.5 × 5/20; 2 + 10 × 1 + 15.5 × 10/20; 5 × 0.5 + 15.5 × 5/20.
    assert_eq!(costs(price, true, &["5", "10", "5"]), ["3.875", "19.75", "6.375"]);
    // 2 + 10 × 1 + 35 × 0.5 = 29.5; 2 + 10 × 1 + 36 × 0.5 = 30; 2 + 10 × 1 + 37 × 0.5 = 30.5.
    check_totals(price, true, &[("0", "30"), ("5", "30"), ("50", "30"), ("51", "30"), ("52", "30.5")]);
    check_totals(price, false, &[("0", "0"), ("5", "0"), ("50", "29.5"), ("51", "30"), ("52", "30.5")]);
}

#[test]
fn a_minimum_goes_with_volume_tiers_and_their_fee() {
    let price = r#"{ mode = "volume", tiers = [{ up_to = "100", price = "0.01", fee = "1" }, { price = "0.1" }], minimum = "10" }"#;
    // 80 × 0.01 + 1 = 1.8, and 8.2 are missing; with the fee, 9.2 are shared: 20 × 0.01 + 9.2 × 20/80; 60 × 0.01 + 9.2 × 60/80.
    assert_eq!(costs(price, true, &["20", "60"]), ["2.5", "7.5"]);
    // 100 × 0.01 + 1 is less; 101 × 0.1 = 10.1 is more.
    check_totals(price, true, &[("0", "10"), ("100", "10"), ("101", "10.1")]);
    check_totals(price, false, &[("0", "0"), ("100", "2"), ("101", "10.1")]);
}

#[test]
fn a_minimum_goes_with_packages() {
    let price = r#"{ package = "10", price = "1", minimum = "5" }"#;
    // 20 are two packages, so 2, and 3 are missing: 1 + 3 × 5/20; 1 + 3 × 15/20.
    assert_eq!(costs(price, true, &["5", "15"]), ["1.75", "3.25"]);
    // Four packages; five; five; six.
    check_totals(price, true, &[("0", "5"), ("40", "5"), ("41", "5"), ("50", "5"), ("51", "6")]);
}

#[test]
fn a_minimum_of_nothing_is_none() {
    let prices = common::prices(r#"{ price = "1", minimum = "0" }"#);
    assert!(!prices.surveys() && !prices.closes());
    assert_eq!(costs(r#"{ price = "1", minimum = "0" }"#, true, &["0", "2"]), ["0", "2"]);
}
