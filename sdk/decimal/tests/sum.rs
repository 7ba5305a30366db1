//! Totals: exact, the same in every order, and judged at the end only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail")]

mod reference;

use meterhost_decimal::{Decimal, DecimalSum};
use num_bigint::BigInt;
use proptest::prelude::*;
use reference::{LARGEST, at_scale, decimals, representable};

fn sum(terms: &[Decimal]) -> DecimalSum {
    let mut sum = DecimalSum::new();
    for term in terms {
        sum.add(*term);
    }
    sum
}

/// Value and scale: the total has to be the same to the last byte.
fn exactly(total: Option<Decimal>) -> Option<(i128, u8)> {
    total.map(|total| (total.coefficient(), total.scale()))
}

/// Terms of which many cancel out, so that totals leave the range and come back.
fn terms() -> impl Strategy<Value = Vec<Decimal>> {
    let large =
        (0..1000_i128, any::<bool>(), prop_oneof![Just(0_u8), 0..=38_u8]).prop_map(|(less, negative, scale)| {
            let coefficient = LARGEST - less;
            Decimal::new(if negative { -coefficient } else { coefficient }, scale).unwrap()
        });
    let term = (prop_oneof![decimals(), large], any::<bool>());
    proptest::collection::vec(term, 0..40).prop_map(|terms| {
        let opposites = terms.iter().filter(|(_, cancelled)| *cancelled).map(|(term, _)| term.checked_neg().unwrap());
        let all: Vec<_> = opposites.collect();
        terms.iter().map(|(term, _)| *term).chain(all).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_total_is_exact_and_does_not_depend_on_the_order(
        (terms, shuffled) in terms().prop_flat_map(|terms| (Just(terms.clone()), Just(terms).prop_shuffle())),
        cut in any::<prop::sample::Index>(),
    ) {
        let total = sum(&terms).finish();
        let reference: BigInt = terms.iter().map(|term| at_scale(*term, 38)).sum();
        prop_assert_eq!(total, representable(&reference, 38));
        prop_assert_eq!(exactly(sum(&shuffled).finish()), exactly(total));

        let (left, right) = shuffled.split_at(cut.index(shuffled.len() + 1));
        let (left, right) = (sum(left), sum(right));
        for (mut one, other) in [(left.clone(), &right), (right.clone(), &left)] {
            one.merge(other);
            prop_assert_eq!(exactly(one.finish()), exactly(total));
        }
    }

    #[test]
    fn a_total_of_one_scale_is_the_sum_of_its_coefficients(terms in proptest::collection::vec(any::<i64>(), 0..50), scale in 0..=38_u8) {
        let mut sum = DecimalSum::new();
        for term in &terms {
            sum.add_coefficient(*term, scale);
        }
        let total = terms.iter().map(|term| i128::from(*term)).sum();
        prop_assert_eq!(sum.finish(), Decimal::new(total, scale));
    }
}

#[test]
fn a_total_may_leave_the_range_and_come_back() {
    let mut sum = DecimalSum::new();
    for _ in 0..1000 {
        sum.add(Decimal::MAX);
    }
    sum.add(Decimal::new(1, 38).unwrap());
    assert_eq!(sum.finish(), None);
    for _ in 0..1000 {
        sum.add(Decimal::MIN);
    }
    assert_eq!(sum.finish(), Decimal::new(1, 38));
}

#[test]
fn a_term_that_is_no_decimal_spoils_the_total_for_good() {
    for (coefficient, scale) in [(LARGEST + 1, 0), (-LARGEST - 1, 0), (i128::MIN, 2), (0, 39), (1, u8::MAX)] {
        let mut sum = DecimalSum::new();
        sum.add_coefficient(coefficient, scale);
        assert_eq!(sum.finish(), None);
        sum.add(Decimal::ONE);
        assert_eq!(sum.finish(), None);

        let mut other = DecimalSum::new();
        other.merge(&sum);
        assert_eq!(other.finish(), None);
    }
}

#[test]
fn the_total_of_nothing_is_zero() {
    assert_eq!(DecimalSum::new().finish(), Some(Decimal::ZERO));
    assert_eq!(DecimalSum::default().finish(), Some(Decimal::ZERO));
}

#[test]
fn the_total_has_the_largest_scale_of_its_terms() {
    let mut sum = DecimalSum::new();
    sum.add_coefficient(5_u64, 1);
    sum.add_coefficient(250_i64, 3);
    sum.add_coefficient(25_u32, 2);
    assert_eq!(exactly(sum.finish()), Some((1000, 3)));
}
