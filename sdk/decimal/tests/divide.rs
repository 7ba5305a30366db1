//! Quotients: exact where 38 digits hold them, and else such that rounding them later is rounding the true quotient once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail")]

mod reference;

use meterhost_decimal::{Decimal, Rounding};
use num_bigint::{BigInt, Sign};
use proptest::prelude::*;
use reference::{ROUNDINGS, at_scale, coefficients, decimals, power, representable, rounded};

/// The quotient as a fraction of integers with a positive denominator.
fn fraction(dividend: Decimal, divisor: Decimal) -> (BigInt, BigInt) {
    let (numerator, denominator) = (at_scale(dividend, 38), at_scale(divisor, 38));
    if denominator.sign() == Sign::Minus { (-numerator, -denominator) } else { (numerator, denominator) }
}

/// The quotient as a decimal, if there is one: whatever is one has at most 38 digits behind the point.
fn exact_quotient(numerator: &BigInt, denominator: &BigInt) -> Option<Decimal> {
    let up = numerator * power(38);
    if &up % denominator != BigInt::ZERO {
        return None;
    }
    representable(&(up / denominator), 38)
}

fn check(dividend: Decimal, divisor: Decimal) -> Result<(), TestCaseError> {
    let (numerator, denominator) = fraction(dividend, divisor);
    let Some(quotient) = dividend.checked_div(divisor) else {
        let integer = &numerator / &denominator;
        prop_assert!(*integer.magnitude() >= *power(38).magnitude(), "{dividend} / {divisor} was refused");
        return Ok(());
    };
    let value = quotient.value;
    prop_assert!(Decimal::new(value.coefficient(), value.scale()).is_some());
    let exact = exact_quotient(&numerator, &denominator);
    prop_assert_eq!(quotient.exact, exact.is_some(), "{} / {}", dividend, divisor);
    if let Some(exact) = exact {
        prop_assert_eq!(value, exact);
        return Ok(());
    }

    // As long as possible: one digit more would be one too many, in the coefficient or behind the point.
    let scale = u32::from(value.scale());
    let cut = rounded(&numerator, &denominator, scale, Rounding::Down);
    let longer = rounded(&numerator, &denominator, scale + 1, Rounding::Down);
    prop_assert!(scale == 38 || *longer.magnitude() >= *power(38).magnitude());

    // The rule ROUND_05UP.
    let ends_in_0_or_5 = cut.magnitude() % 5_u32 == *BigInt::ZERO.magnitude();
    let digits = cut.magnitude() + u32::from(ends_in_0_or_5);
    let digits = BigInt::from_biguint(Sign::Plus, digits);
    let negative = numerator.sign() == Sign::Minus;
    prop_assert_eq!(BigInt::from(value.coefficient()), if negative { -digits } else { digits });

    // And what it is for.
    for fewer in 0..value.scale() {
        for rounding in ROUNDINGS {
            let later = value.round(fewer, rounding);
            let once = rounded(&numerator, &denominator, u32::from(fewer), rounding);
            prop_assert_eq!(
                at_scale(later, u32::from(fewer)),
                once,
                "{} / {} to {} digits, {:?}",
                dividend,
                divisor,
                fewer,
                rounding
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn rounding_a_quotient_later_is_rounding_it_once(dividend in decimals(), divisor in decimals()) {
        if divisor.is_zero() {
            prop_assert_eq!(dividend.checked_div(divisor), None);
        } else {
            check(dividend, divisor)?;
        }
    }

    #[test]
    fn a_quotient_just_beside_the_middle_is_not_taken_for_the_middle(
        half in 0..100_000_i128,
        scale in prop_oneof![0..=38_u8, 36..=38_u8],
        step in -1..=1_i128,
        divisor in coefficients(),
    ) {
        // (half + 0.5) × divisor, and one unit beside it. At a scale near 38 the difference is all that is cut off.
        let divisor = (divisor % 10_i128.pow(31)).abs().max(1);
        let dividend = Decimal::new((half * 10 + 5) * divisor + step, scale).unwrap();
        check(dividend, Decimal::new(divisor, 0).unwrap())?;
    }

    #[test]
    fn dividing_undoes_multiplying(left in decimals(), right in decimals()) {
        if let Some(product) = left.checked_mul(right) && !right.is_zero() {
            let quotient = product.checked_div(right).unwrap();
            prop_assert!(quotient.exact);
            prop_assert_eq!(quotient.value, left);
        }
    }
}

#[test]
fn quotients_that_end_are_exact_and_short() {
    for (dividend, divisor, quotient) in [
        ("10", "4", "2.5"),
        ("-10", "4", "-2.5"),
        ("10", "-5", "-2"),
        ("0", "-3", "0"),
        ("1", "1024", "0.0009765625"),
        ("1e37", "1e-0", "10000000000000000000000000000000000000"),
        ("1", "1e37", "0.0000000000000000000000000000000000001"),
        ("1e-38", "0.1", "0.0000000000000000000000000000000000001"),
        ("99999999999999999999999999999999999999", "1", "99999999999999999999999999999999999999"),
    ] {
        let result = Decimal::parse(dividend).unwrap().checked_div(Decimal::parse(divisor).unwrap()).unwrap();
        assert!(result.exact, "{dividend} / {divisor}");
        assert_eq!(result.value.to_string(), quotient);
        assert_eq!(result.value.scale(), result.value.normalised().scale());
    }
}

#[test]
fn quotients_that_do_not_end_are_cut_to_38_digits() {
    for (dividend, divisor, quotient) in [
        ("1", "3", "0.33333333333333333333333333333333333333"),
        ("-20", "3", "-6.6666666666666666666666666666666666666"),
        ("100", "3", "33.333333333333333333333333333333333333"),
        // The digit that is cut at is a 5, so it is one more.
        ("5", "9", "0.55555555555555555555555555555555555556"),
        // And here it is a 0.
        ("1e-38", "3", "0.00000000000000000000000000000000000001"),
        ("-1e-38", "99999", "-0.00000000000000000000000000000000000001"),
    ] {
        let result = Decimal::parse(dividend).unwrap().checked_div(Decimal::parse(divisor).unwrap()).unwrap();
        assert!(!result.exact, "{dividend} / {divisor}");
        assert_eq!(result.value.to_string(), quotient);
    }
}

#[test]
fn there_is_no_quotient_by_zero_and_none_beyond_38_digits() {
    assert_eq!(Decimal::ONE.checked_div(Decimal::ZERO), None);
    assert_eq!(Decimal::ZERO.checked_div(Decimal::new(0, 38).unwrap()), None);
    let tiny = Decimal::new(1, 38).unwrap();
    assert_eq!(Decimal::ONE.checked_div(tiny), None);
    assert_eq!(Decimal::MAX.checked_div(Decimal::new(1, 1).unwrap()), None);
    assert_eq!(Decimal::MAX.checked_div(tiny), None);
}
