//! Packages: worked out by hand.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{check_totals, costs};

const THOUSANDS: &str = r#"{ package = "1000", price = "2" }"#;

#[test]
fn each_package_that_is_begun_is_paid_whole() {
    let expected = [
        ("0", "0"),
        // One package: 2.
        ("0.01", "2"),
        ("1", "2"),
        ("999", "2"),
        ("1000", "2"),
        // Two: 2 × 2.
        ("1000.01", "4"),
        ("1001", "4"),
        ("1999", "4"),
        ("2000", "4"),
        // Three: 3 × 2.
        ("2001", "6"),
        // A million, and one more: 1000000 × 2; 1000001 × 2.
        ("1000000000", "2000000"),
        ("1000000001", "2000002"),
    ];
    check_totals(THOUSANDS, true, &expected);
    check_totals(THOUSANDS, false, &expected);
}

#[test]
fn packages_begin_behind_what_is_included() {
    let price = r#"{ package = "1000", price = "2", included = "10" }"#;
    let expected = [
        ("0", "0"),
        ("1", "0"),
        ("9", "0"),
        ("10", "0"),
        // 0.01 is billable: one package.
        ("10.01", "2"),
        ("11", "2"),
        // 999, 1000 and 1001 are billable.
        ("1009", "2"),
        ("1010", "2"),
        ("1011", "4"),
        // 1000001 are: 1001 packages.
        ("1000011", "2002"),
    ];
    check_totals(price, true, &expected);
    // 6 are free; of 6, 4 are free and 2 begin a package, which 998 fill; 1 begins the next.
    assert_eq!(costs(price, false, &["6", "6", "998", "1"]), ["0", "2", "0", "2"]);
}

#[test]
fn a_package_falls_on_the_charge_that_begins_it() {
    // 600 begin one; 1200 the second; 1800 and 2000 none; 2001 the third; 4500 the fourth and the fifth.
    assert_eq!(costs(THOUSANDS, false, &["600", "600", "600", "200", "1", "2499"]), ["2", "2", "0", "0", "2", "4"]);
    assert_eq!(costs(THOUSANDS, false, &["0", "1", "0"]), ["0", "2", "0"]);
}

#[test]
fn packages_hold_fractions_too() {
    let price = r#"{ package = "0.3", price = "0.01" }"#;
    let expected = [
        // 0.29 / 0.3 begins 1; 0.3 / 0.3 is 1; 0.31 / 0.3 begins 2.
        ("0.29", "0.01"),
        ("0.3", "0.01"),
        ("0.31", "0.02"),
        // 1 / 0.3 = 3.33… begins 4; 3 / 0.3 = 10.
        ("1", "0.04"),
        ("3", "0.1"),
    ];
    check_totals(price, true, &expected);
}
