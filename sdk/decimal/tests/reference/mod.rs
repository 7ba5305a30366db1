//! The same arithmetic on integers without bounds, slow and obvious, and the decimals to try it on.

#![allow(dead_code, reason = "each test file uses its own part")]

use meterhost_decimal::{Decimal, Rounding};
use num_bigint::{BigInt, Sign};
use proptest::prelude::*;

/// 38 nines.
pub const LARGEST: i128 = 10_i128.pow(38) - 1;

/// `10^exponent`.
pub fn power(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// The number times `10^scale`; the scale is at least its own.
pub fn at_scale(decimal: Decimal, scale: u32) -> BigInt {
    decimal.coefficient() * power(scale - u32::from(decimal.scale()))
}

/// `coefficient / 10^scale` as a decimal, if there is one at all: every scale is tried.
pub fn representable(coefficient: &BigInt, scale: u32) -> Option<Decimal> {
    (0..=38).rev().find_map(|wanted: u8| {
        let up = coefficient * power(u32::from(wanted));
        let unit = power(scale);
        if &up % &unit != BigInt::ZERO {
            return None;
        }
        Decimal::new(i128::try_from(up / unit).ok()?, wanted)
    })
}

/// `numerator / denominator`, rounded once to `scale` digits, times `10^scale`. The denominator is positive.
pub fn rounded(numerator: &BigInt, denominator: &BigInt, scale: u32, rounding: Rounding) -> BigInt {
    let magnitude = numerator.magnitude() * power(scale).magnitude();
    let denominator = denominator.magnitude();
    let kept = &magnitude / denominator;
    let twice = (&magnitude % denominator) * 2_u32;
    let away = match rounding {
        Rounding::Up => twice != BigInt::ZERO.into_parts().1,
        Rounding::Down => false,
        Rounding::HalfEven => twice > *denominator || (twice == *denominator && kept.bit(0)),
    };
    let kept = BigInt::from_biguint(Sign::Plus, kept + u32::from(away));
    if numerator.sign() == Sign::Minus { -kept } else { kept }
}

/// A coefficient of any length, often with zeros at the end, or next to a power of ten, or nothing special.
pub fn coefficients() -> impl Strategy<Value = i128> {
    let powers = (0..=38_u32, -2..=2_i128).prop_map(|(exponent, step)| 10_i128.pow(exponent) + step);
    let with_zeros = (any::<i64>(), 0..=37_u32).prop_map(|(front, zeros)| {
        let zeros = 10_i128.pow(zeros);
        i128::from(front) % (LARGEST / zeros) * zeros
    });
    let any_length = (any::<i128>(), 0..=38_u32).prop_map(|(digits, length)| digits % 10_i128.pow(length));
    let small = -20..=20_i128;
    let two_and_five =
        (0..=126_u32, 0..=54_u32).prop_map(|(two, five)| 2_i128.pow(two).checked_mul(5_i128.pow(five)).unwrap_or(1));
    (prop_oneof![powers, with_zeros, any_length, small, two_and_five], any::<bool>()).prop_map(
        |(coefficient, negative)| {
            let coefficient = coefficient.clamp(-LARGEST, LARGEST);
            if negative { -coefficient } else { coefficient }
        },
    )
}

/// Any decimal, with the scales at the bounds and the usual ones more often than chance would have them.
pub fn decimals() -> impl Strategy<Value = Decimal> {
    let scales = prop_oneof![0..=38_u8, Just(0), Just(2), Just(38)];
    (coefficients(), scales).prop_map(|(coefficient, scale)| Decimal::new(coefficient, scale).expect("38 digits"))
}

/// All the ways to round.
pub const ROUNDINGS: [Rounding; 3] = [Rounding::Up, Rounding::Down, Rounding::HalfEven];
