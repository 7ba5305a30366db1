//! Random prices and charges, against the total worked out in one piece with fractions of integers without a limit.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::priced;
use meterhost_sdk::Decimal;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use prices::{Fault, Mode, Price, PriceTable, Prices, Terms, Tier};
use proptest::prelude::*;

fn fraction(decimal: Decimal) -> BigRational {
    BigRational::new(decimal.coefficient().into(), BigInt::from(10).pow(decimal.scale().into()))
}

fn number(decimal: Option<Decimal>) -> BigRational {
    fraction(decimal.unwrap_or_default())
}

/// What is behind `included`.
fn billable(terms: &Terms, total: &BigRational) -> BigRational {
    (total - number(terms.included)).max(BigRational::zero())
}

/// The tier of a volume price.
fn volume<'a>(tiers: &'a [Tier], billable: &BigRational) -> &'a Tier {
    tiers.iter().find(|tier| tier.up_to.is_none_or(|end| *billable <= fraction(end))).unwrap()
}

/// What a total costs without minimum and without the fee of a volume tier; of volume prices, the tier is that of the whole.
fn base(terms: &Terms, total: &BigRational, whole: &BigRational) -> BigRational {
    let billable_total = billable(terms, total);
    match (&terms.tiers, terms.mode) {
        (Some(tiers), Some(Mode::Volume)) => fraction(volume(tiers, &billable(terms, whole)).price) * billable_total,
        (Some(tiers), _) => {
            let mut from = BigRational::zero();
            let mut cost = BigRational::zero();
            for tier in tiers {
                if billable_total > from {
                    let to = tier.up_to.map_or(billable_total.clone(), |end| fraction(end).min(billable_total.clone()));
                    cost += fraction(tier.price) * (to - &from) + number(tier.fee);
                }
                from = number(tier.up_to);
            }
            cost
        }
        (None, _) => match terms.package {
            Some(size) => (billable_total / fraction(size)).ceil() * number(terms.price),
            None => billable_total * number(terms.price),
        },
    }
}

/// What is shared out.
fn on_top(terms: &Terms, whole: &BigRational, closed: bool) -> BigRational {
    let behind = billable(terms, whole);
    let fee = match (&terms.tiers, terms.mode) {
        (Some(tiers), Some(Mode::Volume)) if behind.is_positive() => number(volume(tiers, &behind).fee),
        _ => BigRational::zero(),
    };
    let cost = base(terms, whole, whole) + &fee;
    if closed { (number(terms.minimum) - cost).max(BigRational::zero()) + fee } else { fee }
}

/// What each charge costs.
fn expected(terms: &Terms, closed: bool, quantities: &[Decimal]) -> Vec<BigRational> {
    let whole: BigRational = quantities.iter().map(|quantity| fraction(*quantity)).sum();
    let amount = on_top(terms, &whole, closed);
    let twelve = BigRational::from(BigInt::from(10).pow(12));
    let (mut before, mut left) = (BigRational::zero(), amount.clone());
    let mut costs = Vec::new();
    for (index, quantity) in quantities.iter().enumerate() {
        let after = &before + fraction(*quantity);
        let share = match index + 1 == quantities.len() {
            true => left.clone(),
            false if whole.is_zero() => BigRational::zero(),
            false => (&amount * fraction(*quantity) / &whole * &twelve).floor() / &twelve,
        };
        costs.push(base(terms, &after, &whole) - base(terms, &before, &whole) + &share);
        (before, left) = (after, left - share);
    }
    costs
}

fn run(terms: &Terms, closed: bool, quantities: &[Decimal]) -> Result<Vec<Decimal>, Fault> {
    let table = PriceTable(BTreeMap::from([("x".to_owned(), Price::Terms(Box::new(terms.clone())))]));
    priced(Prices::new(&table).unwrap(), closed, quantities)
}

/// Numbers of which many are equal, so that charges end where tiers and packages end.
fn small() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        3 => (0..20_i128).prop_map(|number| Decimal::new(number, 0).unwrap()),
        2 => (0..80_i128).prop_map(|number| Decimal::new(number * 25, 2).unwrap()),
        1 => (0..20_000_000_i128, 0..8_u8).prop_map(|(digits, scale)| Decimal::new(digits, scale).unwrap()),
    ]
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    let digits = (0..=38_u32, any::<u128>()).prop_map(|(digits, random)| (random % 10_u128.pow(digits)).cast_signed());
    (digits, 0..=38_u8).prop_map(|(digits, scale)| Decimal::new(digits, scale).unwrap())
}

fn terms<S: Strategy<Value = Decimal> + Clone + 'static>(number: S) -> impl Strategy<Value = Terms> {
    let ends = prop::collection::btree_set(number.clone(), 0..5);
    let prices = prop::collection::vec((number.clone(), prop::option::of(number.clone())), 5);
    let tiers = (ends, prices).prop_map(|(ends, prices)| {
        let ends = ends.into_iter().filter(|end| !end.is_zero()).map(Some).chain([None]);
        ends.zip(prices).map(|(up_to, (price, fee))| Tier { up_to, price, fee }).collect::<Vec<_>>()
    });
    let package = prop::option::of(number.clone().prop_filter("a package holds something", |size| !size.is_zero()));
    let mode = prop_oneof![Just(None), Just(Some(Mode::Graduated)), Just(Some(Mode::Volume))];
    let tiered = (tiers, mode).prop_map(|(tiers, mode)| Terms { tiers: Some(tiers), mode, ..Terms::default() });
    let flat = (number.clone(), package).prop_map(|(price, package)| Terms {
        price: Some(price),
        package,
        ..Terms::default()
    });
    let behind = (prop::option::of(number.clone()), prop::option::of(number));
    (prop_oneof![2 => tiered, 1 => flat], behind).prop_map(|(terms, (included, minimum))| Terms {
        included,
        minimum,
        ..terms
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_charge_costs_what_it_should_and_all_add_up_to_the_whole(
        terms in terms(small().boxed()), closed: bool, quantities in prop::collection::vec(small(), 1..12),
    ) {
        let costs = run(&terms, closed, &quantities).unwrap();
        let costs: Vec<BigRational> = costs.into_iter().map(fraction).collect();
        let whole: BigRational = quantities.iter().map(|quantity| fraction(*quantity)).sum();
        prop_assert_eq!(costs.iter().sum::<BigRational>(), base(&terms, &whole, &whole) + on_top(&terms, &whole, closed));
        prop_assert_eq!(costs, expected(&terms, closed, &quantities));
    }

    #[test]
    fn in_however_many_charges_a_total_is_used_it_costs_the_same(
        terms in terms(small().boxed()), closed: bool, quantities in prop::collection::vec(small(), 1..12),
    ) {
        let sum = |decimals: &[Decimal]| decimals.iter().map(|decimal| fraction(*decimal)).sum::<BigRational>();
        let whole = quantities.iter().fold(Decimal::ZERO, |sum, quantity| sum.checked_add(*quantity).unwrap());
        let (parts, one) = (run(&terms, closed, &quantities).unwrap(), run(&terms, closed, &[whole]).unwrap());
        prop_assert_eq!(sum(&parts), sum(&one));
    }

    #[test]
    fn what_was_published_of_graduated_prices_and_packages_stays_as_the_month_goes_on(
        terms in terms(small().boxed()), quantities in prop::collection::vec(small(), 1..12), upto in 0..12_usize,
    ) {
        let terms = Terms { mode: None, ..terms };
        let upto = upto.min(quantities.len());
        let (prefix, all) = (run(&terms, false, &quantities[..upto]).unwrap(), run(&terms, false, &quantities).unwrap());
        prop_assert_eq!(&prefix[..], &all[..upto]);
    }

    #[test]
    fn with_any_numbers_of_38_digits_a_cost_is_exact_or_a_fault(
        terms in terms(any_decimal().boxed()), closed: bool, quantities in prop::collection::vec(any_decimal(), 1..5),
    ) {
        let table = PriceTable(BTreeMap::from([("x".to_owned(), Price::Terms(Box::new(terms.clone())))]));
        // A tier may be too wide for 38 digits, which is found before anything is priced.
        let Ok(prices) = Prices::new(&table) else { return Ok(()) };
        match priced(prices, closed, &quantities) {
            Ok(costs) => {
                let costs: Vec<BigRational> = costs.into_iter().map(fraction).collect();
                prop_assert_eq!(costs, expected(&terms, closed, &quantities));
            }
            Err(fault) => prop_assert!(matches!(fault, Fault::TooLong(_)), "{}", fault),
        }
    }
}

#[test]
fn a_thousand_equal_thirds_add_up() {
    let quantities = vec![Decimal::new(333_333, 6).unwrap(); 1000];
    let terms = Terms { price: Some(Decimal::ZERO), minimum: Some(Decimal::from(100_u32)), ..Terms::default() };
    let costs = run(&terms, true, &quantities).unwrap();
    // 100 / 1000 each, and nothing remains.
    assert!(costs.iter().all(|cost| *cost == Decimal::new(1, 1).unwrap()));
    let costs = run(&terms, true, &quantities[..999]).unwrap();
    // 100 / 999 = 0.100100100100…, and 100 − 998 × 0.100100100100 = 100 − 99.8998998998.
    let (last, others) = costs.split_last().unwrap();
    assert!(others.iter().all(|cost| cost.to_string() == "0.1001001001"));
    assert_eq!(last.to_string(), "0.1001001002");
}
