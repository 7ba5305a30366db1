//! Rounding by each rule, to each number of digits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail")]

mod reference;

use meterhost_decimal::{Decimal, Rounding};
use proptest::prelude::*;
use reference::{ROUNDINGS, at_scale, decimals, power, rounded};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn rounding_agrees_with_the_definition(any in decimals()) {
        for scale in 0..=38 {
            for rounding in ROUNDINGS {
                let result = any.round(scale, rounding);
                prop_assert!(result.scale() <= scale.max(any.scale()));
                prop_assert!(result.fits_scale(scale));
                let once = rounded(&at_scale(any, 38), &power(38), u32::from(scale), rounding);
                let ours = at_scale(result, 38) / power(38 - u32::from(scale));
                prop_assert_eq!(ours, once, "{} to {} digits, {:?}", any, scale, rounding);
            }
        }
    }
}

#[test]
fn each_rule_rounds_as_its_name_says() {
    for (number, scale, up, down, half_even) in [
        ("1.25", 1, "1.3", "1.2", "1.2"),
        ("1.35", 1, "1.4", "1.3", "1.4"),
        ("-1.25", 1, "-1.3", "-1.2", "-1.2"),
        ("1.251", 1, "1.3", "1.2", "1.3"),
        ("0.5", 0, "1", "0", "0"),
        ("-0.5", 0, "-1", "0", "0"),
        ("1.5", 0, "2", "1", "2"),
        ("0.001", 2, "0.01", "0", "0"),
        ("2.000", 0, "2", "2", "2"),
        ("7", 3, "7", "7", "7"),
        ("9.99", 1, "10", "9.9", "10"),
    ] {
        let number = Decimal::parse(number).unwrap();
        for (rounding, expected) in [(Rounding::Up, up), (Rounding::Down, down), (Rounding::HalfEven, half_even)] {
            assert_eq!(number.round(scale, rounding).to_string(), expected, "{number} {rounding:?}");
        }
    }
}

#[test]
fn the_largest_fraction_rounds_to_one() {
    let almost = Decimal::new(reference::LARGEST, 38).unwrap();
    assert_eq!(almost.round(0, Rounding::HalfEven), Decimal::ONE);
    assert_eq!(almost.round(0, Rounding::Down), Decimal::ZERO);
    assert_eq!(almost.round(37, Rounding::Up), Decimal::ONE);
}
