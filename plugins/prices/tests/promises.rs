//! What holds of a run over charges, whatever the prices are.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{decimal, prices, table};
use meterhost_sdk::Decimal;
use prices::{Fault, PriceTable, Prices, Pricing};

const GRADUATED: &str = r#"{ tiers = [{ up_to = "10", price = "2" }, { price = "1" }] }"#;
const VOLUME: &str = r#"{ mode = "volume", tiers = [{ up_to = "10", price = "2" }, { price = "1", fee = "3" }] }"#;
const MINIMUM: &str = r#"{ price = "1", minimum = "12" }"#;

/// The cost of one more charge of the dimension `x`, as text.
fn cost(pricing: &mut Pricing, customer: &str, quantity: u32, own: Option<Decimal>) -> String {
    let account = pricing.account("", customer, "x");
    pricing.price(account, quantity.into(), own).unwrap().to_string()
}

#[test]
fn a_dimension_has_its_own_price_or_that_of_all_others() {
    let named = Prices::new(&table("x = \"1\"")).unwrap();
    assert!(named.has("x") && !named.has("y") && !named.has("*"));
    let others = Prices::new(&table("x = \"1\"\n\"*\" = { price = \"3\", included = \"1\" }")).unwrap();
    assert!(others.has("x") && others.has("y"));
    let mut pricing = Pricing::of(others, true);
    // x costs 1. Of y and of z one each is included, because each is an account of its own.
    let charges = [("x", "2"), ("y", "3"), ("z", "3"), ("y", "6")];
    for (dimension, expected) in charges {
        let account = pricing.account("", "acme", dimension);
        assert_eq!(pricing.price(account, 2_u32.into(), None).unwrap().to_string(), expected, "{dimension}");
    }
}

#[test]
fn an_empty_table_has_no_price_and_is_no_mistake() {
    let prices = Prices::new(&PriceTable::default()).unwrap();
    assert!(!prices.has("x") && !prices.surveys() && !prices.closes());
}

#[test]
fn only_what_depends_on_the_total_asks_for_a_survey() {
    for (price, surveys, closes) in [
        ("\"1\"", false, false),
        (r#"{ price = "1", included = "5" }"#, false, false),
        (GRADUATED, false, false),
        (r#"{ package = "5", price = "1" }"#, false, false),
        (VOLUME, true, false),
        (r#"{ mode = "volume", tiers = [{ price = "1", fee = "3" }] }"#, true, false),
        // One tier without a fee is a unit price.
        (r#"{ mode = "volume", tiers = [{ price = "1" }] }"#, false, false),
        (MINIMUM, true, true),
        (r#"{ package = "5", price = "1", minimum = "1" }"#, true, true),
    ] {
        let prices = prices(price);
        assert_eq!((prices.surveys(), prices.closes()), (surveys, closes), "{price}");
    }
}

#[test]
fn a_minimum_asks_for_no_survey_before_the_period_is_over() {
    let mut pricing = Pricing::of(prices(MINIMUM), false);
    assert_eq!(cost(&mut pricing, "acme", 3, None), "3");
    assert_eq!(pricing.finish(), Ok(()));
}

#[test]
fn products_customers_and_dimensions_make_accounts_of_their_own() {
    let mut pricing = Pricing::of(Prices::new(&table(&format!("\"*\" = {GRADUATED}"))).unwrap(), true);
    // Names that would run into one another if they were put together.
    let names =
        [("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "cd"), ("", "abc", "d"), ("b", "ac", "d"), ("ac", "b", "d")];
    for _ in 0..2 {
        for (product, customer, dimension) in names {
            let account = pricing.account(product, customer, dimension);
            pricing.price(account, 5_u32.into(), None).unwrap();
        }
    }
    for (product, customer, dimension) in names {
        let account = pricing.account(product, customer, dimension);
        // 10 were priced of each, so that the next one is in the second tier.
        assert_eq!(pricing.price(account, 1_u32.into(), None).unwrap(), Decimal::ONE);
    }
}

#[test]
fn accounts_between_each_other_cost_what_they_cost_alone() {
    let mut pricing = Pricing::of(prices(VOLUME), true);
    let charges = [("a", 6), ("b", 6), ("a", 6), ("b", 2)];
    for (customer, quantity) in charges {
        let account = pricing.account("", customer, "x");
        pricing.survey(account, quantity.into(), None).unwrap();
    }
    // a has 12, so 1 each and half of 3; b has 8, so 2 each.
    let costs = charges.map(|(customer, quantity)| cost(&mut pricing, customer, quantity, None));
    assert_eq!(costs, ["7.5", "12", "7.5", "4"]);
    assert_eq!(pricing.finish(), Ok(()));
}

#[test]
fn a_charge_with_a_price_of_its_own_does_not_count_into_the_account() {
    let own = Some(decimal("0.7"));
    let mut pricing = Pricing::of(prices(GRADUATED), true);
    // 9 × 2; 100 × 0.7; 1 × 2 + 1 × 1, as if the hundred had not been.
    let costs = [(9, None), (100, own), (2, None)].map(|(quantity, own)| cost(&mut pricing, "acme", quantity, own));
    assert_eq!(costs, ["18", "70", "3"]);

    let mut pricing = Pricing::of(prices(MINIMUM), true);
    let account = pricing.account("", "acme", "x");
    let charges = [(3_u32, None), (100, own), (1, None)];
    for (quantity, own) in charges {
        pricing.survey(account, quantity.into(), own).unwrap();
    }
    // 4 × 1, and 8 are missing: 3 + 8 × 3/4; 100 × 0.7; 1 + 8 × 1/4.
    let costs = charges.map(|(quantity, own)| cost(&mut pricing, "acme", quantity, own));
    assert_eq!(costs, ["9", "70", "3"]);
    assert_eq!(pricing.finish(), Ok(()));
}

#[test]
fn an_account_of_own_prices_alone_owes_no_minimum() {
    let mut pricing = Pricing::of(prices(MINIMUM), true);
    let account = pricing.account("", "acme", "x");
    pricing.survey(account, Decimal::ONE, Some(Decimal::ONE)).unwrap();
    assert_eq!(pricing.price(account, Decimal::ONE, Some(Decimal::ONE)), Ok(Decimal::ONE));
    assert_eq!(pricing.finish(), Ok(()));
}

#[test]
fn without_a_price_a_charge_needs_its_own() {
    let mut pricing = Pricing::of(prices("\"1\""), true);
    let account = pricing.account("", "acme", "y");
    assert_eq!(pricing.price(account, Decimal::ONE, None), Err(Fault::Unpriced));
    // 3 × 0.7.
    assert_eq!(pricing.price(account, decimal("3"), Some(decimal("0.7"))), Ok(decimal("2.1")));
}

#[test]
fn a_quantity_below_0_is_a_fault() {
    for price in ["\"1\"", GRADUATED, VOLUME] {
        let mut pricing = Pricing::of(prices(price), true);
        let account = pricing.account("", "acme", "x");
        let below = decimal("-0.1");
        assert_eq!(pricing.survey(account, below, None), Err(Fault::Negative(below)));
        assert_eq!(pricing.price(account, below, None), Err(Fault::Negative(below)));
        assert_eq!(pricing.price(account, below, Some(Decimal::ONE)), Err(Fault::Negative(below)));
    }
}

/// A run in which these were surveyed of one account.
fn surveyed(price: &str, quantities: &[u32]) -> Pricing {
    let mut pricing = Pricing::of(prices(price), true);
    let account = pricing.account("api", "acme", "x");
    for quantity in quantities {
        pricing.survey(account, (*quantity).into(), None).unwrap();
    }
    pricing
}

#[test]
fn charges_that_were_not_surveyed_are_a_fault_and_no_wrong_number() {
    for price in [VOLUME, MINIMUM] {
        for (seen, priced) in [
            // None; one more; another one; the same total in fewer and in more charges; more than there is in all.
            (&[][..], &[1][..]),
            (&[2, 3], &[2, 3, 1]),
            (&[2, 3], &[2, 4]),
            (&[2, 3], &[5, 0, 0]),
            (&[2, 3, 4], &[4, 4, 4]),
            (&[2, 3], &[6]),
        ] {
            let mut pricing = surveyed(price, seen);
            let account = pricing.account("api", "acme", "x");
            let mut price = |quantity: &u32| pricing.price(account, (*quantity).into(), None).map(|_| ());
            assert_eq!(priced.iter().try_for_each(&mut price), Err(Fault::NotAsSurveyed), "{seen:?} {priced:?}");
        }
    }
}

#[test]
fn a_run_that_ends_before_all_is_priced_names_the_account() {
    for price in [VOLUME, MINIMUM] {
        let mut pricing = surveyed(price, &[2, 3, 4]);
        let other = pricing.account("", "other", "x");
        pricing.survey(other, Decimal::ONE, None).unwrap();
        pricing.price(other, Decimal::ONE, None).unwrap();
        let unfinished = |missing| {
            Err(Fault::Unfinished { product: "api".into(), customer: "acme".into(), dimension: "x".into(), missing })
        };
        assert_eq!(pricing.finish(), unfinished(3));
        let account = pricing.account("api", "acme", "x");
        pricing.price(account, 2_u32.into(), None).unwrap();
        assert_eq!(pricing.finish(), unfinished(2));
        pricing.price(account, 3_u32.into(), None).unwrap();
        pricing.price(account, 4_u32.into(), None).unwrap();
        assert_eq!(pricing.finish(), Ok(()));
    }
}

#[test]
fn no_survey_goes_on_behind_the_first_cost() {
    let mut pricing = surveyed(VOLUME, &[2, 3]);
    let account = pricing.account("api", "acme", "x");
    pricing.price(account, 2_u32.into(), None).unwrap();
    assert_eq!(pricing.survey(account, Decimal::ONE, None), Err(Fault::SurveyedLate));
}

#[test]
fn a_survey_of_what_needs_none_changes_nothing() {
    let mut pricing = surveyed(GRADUATED, &[100]);
    assert_eq!(cost(&mut pricing, "acme", 10, None), "20");
    assert_eq!(pricing.finish(), Ok(()));
}

#[test]
fn a_fault_leaves_the_account_where_it_was() {
    let mut pricing = Pricing::of(prices(r#"{ tiers = [{ up_to = "100", price = "2" }, { price = "1" }] }"#), true);
    let account = pricing.account("", "acme", "x");
    // Neither 100 − 10^-38 nor 60 − 10^-38 has 38 digits.
    let long = decimal("0.00000000000000000000000000000000000001");
    for (quantity, expected) in [(40, "80"), (70, "130")] {
        assert_eq!(pricing.price(account, long, None), Err(Fault::TooLong("the cost")));
        // 40 × 2; then 60 × 2 + 10 × 1.
        assert_eq!(cost(&mut pricing, "acme", quantity, None), expected);
    }

    let mut pricing = surveyed(MINIMUM, &[9, 2]);
    let account = pricing.account("api", "acme", "x");
    // 11, and 1 is missing: 9 + 9/11 = 9.8181…, and the rest of 12.
    for (quantity, expected) in [(9_u32, "9.818181818181"), (2, "2.181818181819")] {
        assert_eq!(pricing.price(account, 12_u32.into(), None), Err(Fault::NotAsSurveyed));
        assert_eq!(pricing.price(account, quantity.into(), None).unwrap().to_string(), expected);
    }
    assert_eq!(pricing.finish(), Ok(()));
}

#[test]
fn an_account_of_another_run_is_a_fault() {
    let mut other = Pricing::of(prices(GRADUATED), true);
    let account = other.account("", "acme", "x");
    let mut pricing = Pricing::of(prices(GRADUATED), true);
    assert_eq!(pricing.survey(account, Decimal::ONE, None), Err(Fault::Foreign));
    assert_eq!(pricing.price(account, Decimal::ONE, None), Err(Fault::Foreign));
}

#[test]
fn a_fault_says_what_it_is_in_words() {
    let unfinished =
        Fault::Unfinished { product: String::new(), customer: "acme".into(), dimension: "x".into(), missing: 2 };
    for (fault, words) in [
        (Fault::Unpriced, "the dimension has no price: give it one, or one to \"*\""),
        (Fault::Negative(decimal("-1.5")), "the quantity is -1.5: a price is for 0 or more"),
        (Fault::TooLong("the cost"), "the cost has more digits than the 38 that a decimal holds"),
        (Fault::NotAsSurveyed, "the account has other charges than those that were surveyed"),
        (Fault::SurveyedLate, "the account is surveyed though a charge of it is priced already"),
        (
            unfinished,
            "the account of product \"\", customer \"acme\" and dimension \"x\" is not complete: charges that were surveyed and not \
             priced: 2",
        ),
        (Fault::Foreign, "the account is one of another set of charges"),
    ] {
        assert_eq!(fault.to_string(), words);
    }
}
