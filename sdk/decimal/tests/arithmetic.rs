//! Sums, differences, products, comparisons: exact wherever 38 digits hold the answer, and `None` everywhere else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail")]

mod reference;

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use meterhost_decimal::Decimal;
use proptest::prelude::*;
use reference::{at_scale, decimals, representable};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Equal in value and in the range that a decimal promises.
fn same(ours: Option<Decimal>, reference: Option<Decimal>) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours, reference);
    if let Some(ours) = ours {
        prop_assert!(Decimal::new(ours.coefficient(), ours.scale()).is_some());
    }
    Ok(())
}

fn hash(decimal: Decimal) -> u64 {
    let mut hasher = DefaultHasher::new();
    decimal.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn sums_and_differences_are_exact_or_none(left in decimals(), right in decimals()) {
        let (a, b) = (at_scale(left, 38), at_scale(right, 38));
        same(left.checked_add(right), representable(&(&a + &b), 38))?;
        same(left.checked_sub(right), representable(&(&a - &b), 38))?;
    }

    #[test]
    fn products_are_exact_or_none(left in decimals(), right in decimals()) {
        let product = at_scale(left, 38) * at_scale(right, 38);
        same(left.checked_mul(right), representable(&product, 76))?;
    }

    #[test]
    fn the_order_is_that_of_the_numbers(left in decimals(), right in decimals()) {
        let (a, b) = (at_scale(left, 38), at_scale(right, 38));
        prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        prop_assert_eq!(right.cmp(&left), b.cmp(&a));
        prop_assert_eq!(left == right, a == b);
    }

    #[test]
    fn a_product_is_compared_in_full(any in decimals(), left in decimals(), right in decimals()) {
        let (a, product) = (at_scale(any, 76), at_scale(left, 38) * at_scale(right, 38));
        prop_assert_eq!(any.cmp_product(left, right), a.cmp(&product));
        prop_assert_eq!(left.cmp_product(left, Decimal::ONE), Ordering::Equal);
        prop_assert_eq!(left.cmp_product(any, right), (at_scale(left, 76)).cmp(&(at_scale(any, 38) * at_scale(right, 38))));
    }

    #[test]
    fn the_normalised_form_is_equal_and_hashes_alike(any in decimals()) {
        let short = any.normalised();
        prop_assert_eq!(short, any);
        prop_assert_eq!(hash(short), hash(any));
        prop_assert!(short.scale() == 0 || short.coefficient() % 10 != 0);
        prop_assert_eq!(any.is_integer(), short.scale() == 0);
        for scale in 0..=40 {
            prop_assert_eq!(any.fits_scale(scale), short.scale() <= scale);
            let rescaled = any.rescale(scale);
            if let Some(rescaled) = rescaled {
                prop_assert_eq!(rescaled, any);
                prop_assert_eq!(rescaled.scale(), scale);
            }
            let reference = (scale <= 38 && short.scale() <= scale)
                .then(|| at_scale(short, u32::from(scale)))
                .and_then(|coefficient| Decimal::new(i128::try_from(coefficient).ok()?, scale));
            prop_assert_eq!(rescaled, reference);
        }
    }

    #[test]
    fn the_sign_turns_and_goes(any in decimals()) {
        let turned = any.checked_neg().unwrap();
        prop_assert_eq!(turned.checked_add(any), Some(Decimal::ZERO));
        prop_assert_eq!(any.checked_abs(), Some(if any.is_negative() { turned } else { any }));
    }
}

#[test]
fn the_scale_of_the_operands_is_kept_while_there_is_room() {
    let cases = [
        (decimal("1.50").checked_add(decimal("1.50")), 300, 2),
        (decimal("1.5").checked_add(decimal("1.50")), 300, 2),
        (decimal("1.50").checked_sub(decimal("1.5")), 0, 2),
        (decimal("1.50").checked_mul(decimal("2.0")), 3000, 3),
    ];
    for (result, coefficient, scale) in cases {
        let result = result.unwrap();
        assert_eq!((result.coefficient(), result.scale()), (coefficient, scale));
    }
}

#[test]
fn zeros_are_dropped_before_a_result_is_given_up() {
    let nines = "9999999999999999999999999999999999999";
    let sum = decimal(&format!("{nines}.5")).checked_add(decimal("0.5"));
    assert_eq!(sum, Some(decimal("10000000000000000000000000000000000000")));
    assert_eq!(sum.map(Decimal::scale), Some(0));
    assert_eq!(decimal(&format!("{nines}.5")).checked_add(decimal("0.6")), None);

    let small = Decimal::new(5, 30).unwrap();
    let product = small.checked_mul(Decimal::new(2, 9).unwrap()).unwrap();
    assert_eq!((product.coefficient(), product.scale()), (1, 38));
    assert_eq!(small.checked_mul(Decimal::new(3, 9).unwrap()), None);
}

#[test]
fn the_bounds_hold() {
    assert_eq!(Decimal::MAX.checked_add(Decimal::ONE), None);
    assert_eq!(Decimal::MAX.checked_add(Decimal::MAX), None);
    assert_eq!(Decimal::MIN.checked_add(Decimal::MIN), None);
    assert_eq!(Decimal::MIN.checked_sub(Decimal::ONE), None);
    assert_eq!(Decimal::MAX.checked_sub(Decimal::MAX), Some(Decimal::ZERO));
    assert_eq!(Decimal::MAX.checked_mul(Decimal::MAX), None);
    assert_eq!(Decimal::MAX.checked_neg(), Some(Decimal::MIN));
    assert_eq!(Decimal::MIN.checked_abs(), Some(Decimal::MAX));
}

#[test]
fn a_product_of_more_than_38_digits_is_compared_to_its_last() {
    let third = Decimal::ONE.checked_div(Decimal::from(3_u8)).unwrap().value;
    let factor = decimal("1.125");
    assert_eq!(third.checked_mul(factor), None);
    // 0.33333333333333333333333333333333333333 times 1.125 is 0.37499999999999999999999999999999999999625.
    assert_eq!(decimal("0.37499999999999999999999999999999999999").cmp_product(third, factor), Ordering::Less);
    assert_eq!(decimal("0.375").cmp_product(third, factor), Ordering::Greater);
    assert_eq!(Decimal::MAX.cmp_product(Decimal::MAX, Decimal::MAX), Ordering::Less);
    assert_eq!(Decimal::MIN.cmp_product(Decimal::MIN, Decimal::MAX), Ordering::Greater);
}

#[test]
fn integers_become_decimals() {
    assert_eq!(Decimal::from(u64::MAX), decimal("18446744073709551615"));
    assert_eq!(Decimal::from(i64::MIN), decimal("-9223372036854775808"));
    assert_eq!(Decimal::from(7_u8), Decimal::from(7_i32));
    assert_eq!(Decimal::default(), Decimal::ZERO);
}
