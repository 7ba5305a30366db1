//! At the limit of 38 digits: a right number or a fault, never a wrong number.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{costs, decimal, priced, prices};
use meterhost_sdk::Decimal;
use prices::Fault;

const NINES: &str = "99999999999999999999999999999999999999";
const LEAST: &str = "0.00000000000000000000000000000000000001";
const HALF: &str = "50000000000000000000000000000000000000";

fn fault(price: &str, quantities: &[&str]) -> Fault {
    let quantities: Vec<Decimal> = quantities.iter().map(|text| decimal(text)).collect();
    priced(prices(price), true, &quantities).unwrap_err()
}

#[test]
fn costs_of_38_digits_are_exact() {
    assert_eq!(costs("\"1\"", true, &[NINES, LEAST]), [NINES, LEAST]);
    assert_eq!(costs(&format!("\"{NINES}\""), true, &["1"]), [NINES]);
    // 10^-38 × 5 × 10^37 = 0.5.
    assert_eq!(costs(&format!("\"{HALF}\""), true, &[LEAST]), ["0.5"]);
    // 99…9 units in packages of one.
    assert_eq!(costs(r#"{ package = "1", price = "1" }"#, true, &[NINES]), [NINES]);
    // Packages of two: 99…97 / 2 = 49…98.5 begins 49…99, which one more unit fills; 99…91 / 2 = 49…95.5 begins 49…96.
    let pairs = r#"{ package = "2", price = "1" }"#;
    let quantities = ["99999999999999999999999999999999999997", "1", "1"];
    assert_eq!(costs(pairs, true, &quantities), ["49999999999999999999999999999999999999", "0", "1"]);
    let quantities = ["99999999999999999999999999999999999991", "1", "1"];
    assert_eq!(costs(pairs, true, &quantities), ["49999999999999999999999999999999999996", "0", "1"]);
    // 10^-38 units begin a package of one, which 1 − 10^-38 are left of: just 38 digits. They fill it.
    let most = "0.99999999999999999999999999999999999999";
    assert_eq!(costs(r#"{ package = "1", price = "7" }"#, true, &[LEAST, most, LEAST]), ["7", "0", "7"]);
}

#[test]
fn tiers_end_where_38_digits_say() {
    let price = format!(r#"{{ tiers = [{{ up_to = "{HALF}", price = "1" }}, {{ price = "0", fee = "0.5" }}] }}"#);
    // Up to 5 × 10^37 each unit costs 1, and nothing behind it. The fee makes a number of 39 digits of 5 × 10^37 + 0.5, which has
    // 38 before the point; so it is seen alone.
    assert_eq!(costs(&price, true, &[HALF, "1"]), [HALF, "0.5"]);
    assert_eq!(
        costs(&price, true, &["49999999999999999999999999999999999999", "1"]),
        ["49999999999999999999999999999999999999", "1"]
    );
    assert_eq!(fault(&price, &["50000000000000000000000000000000000001"]), Fault::TooLong("the cost"));
    // No total is kept behind the last tier's beginning, so that none overflows: 5 × 10^37; 0.5 for 10^38 − 1 more; 0 for as many again.
    assert_eq!(costs(&price, true, &[HALF, NINES, NINES]), [HALF, "0.5", "0"]);
}

#[test]
fn what_38_digits_do_not_hold_is_a_fault() {
    for (price, quantities, what) in [
        ("\"2\"", &[NINES][..], "the cost"),
        ("\"0.1\"", &[LEAST], "the cost"),
        (r#"{ price = "2", included = "1" }"#, &[NINES], "the cost"),
        // 100 − 10^-38 has 40 digits.
        (r#"{ price = "2", included = "100" }"#, &[LEAST], "the cost"),
        (r#"{ tiers = [{ up_to = "1", price = "1", fee = "9" }, { price = "2" }] }"#, &[NINES], "the cost"),
        (r#"{ package = "0.1", price = "1" }"#, &[NINES], "the cost"),
        // 58823529411764705882352941176470588235 packages hold 99999999999999999999999999999999999999.5, which has 39 digits.
        (r#"{ package = "1.7", price = "1" }"#, &[NINES], "the cost"),
        (
            r#"{ price = "0", minimum = "1" }"#,
            &[NINES, "1"],
            "what all charges of this product, customer and dimension come to in the month",
        ),
        (
            r#"{ price = "2", minimum = "1" }"#,
            &[NINES],
            "what all charges of this product, customer and dimension cost together",
        ),
        (
            r#"{ price = "0", included = "0.1", minimum = "1" }"#,
            &[NINES],
            "what all charges of this product, customer and dimension come to, less what is included,",
        ),
        (
            r#"{ price = "0", minimum = "1000000000000000000000000000" }"#,
            &["1", "1"],
            "the charge's share of what is owed on top",
        ),
    ] {
        let fault = fault(price, quantities);
        assert_eq!(fault, Fault::TooLong(what), "{quantities:?} at {price}");
        assert!(fault.to_string().contains("more digits than the 38"), "{fault}");
    }
}

#[test]
fn an_own_price_beyond_38_digits_is_a_fault() {
    let mut pricing = prices::Pricing::of(prices("\"1\""), true);
    let account = pricing.account("", "acme", "y");
    assert_eq!(pricing.price(account, decimal(NINES), Some(decimal("2"))), Err(Fault::TooLong("the cost")));
}

#[test]
fn shares_of_quantities_of_38_digits_are_exact() {
    let third = "0.33333333333333333333333333333333333333";
    // 25/3 = 8.333333333333…, and 25 − 2 × 8.333333333333.
    let shares = ["8.333333333333", "8.333333333333", "8.333333333334"];
    assert_eq!(costs(r#"{ price = "0", minimum = "25" }"#, true, &[third; 3]), shares);
    let third = "33333333333333333333333333333333333333";
    assert_eq!(costs(r#"{ price = "0", minimum = "25" }"#, true, &[third; 3]), shares);
    // Of 1 / (10^38 − 1), twelve digits are 0.
    let rest = "99999999999999999999999999999999999998";
    assert_eq!(costs(r#"{ price = "0", minimum = "25" }"#, true, &["1", rest]), ["0", "25"]);
    // 25 × (10^38 − 2) / (10^38 − 1) is 25 less 2.5 × 10^-37.
    assert_eq!(costs(r#"{ price = "0", minimum = "25" }"#, true, &[rest, "1"]), ["24.999999999999", "0.000000000001"]);
    // An amount finer than a share: 0.0000000000029 / 2 = 0.00000000000145, cut, and the rest.
    let price = r#"{ price = "0", minimum = "0.0000000000029" }"#;
    assert_eq!(costs(price, true, &["1", "1"]), ["0.000000000001", "0.0000000000019"]);
}

#[test]
fn one_charge_takes_the_largest_amount_whole() {
    assert_eq!(costs(&format!(r#"{{ price = "0", minimum = "{NINES}" }}"#), true, &["3"]), [NINES]);
}
