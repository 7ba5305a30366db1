//! How fast the two operations are that run for every record. Run with
//! `cargo test --release --test speed -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "tests may fail")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use meterhost_decimal::{Decimal, DecimalSum};

const ROUNDS: u32 = 2_000;
const TERMS: u32 = 10_000;

/// The shortest of the rounds, per term.
fn measure(name: &str, mut round: impl FnMut()) -> Duration {
    let shortest = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .min()
        .unwrap();
    let a_second = u128::from(TERMS) * 1_000_000_000 / shortest.as_nanos().max(1);
    println!("{name}: {} million a second", a_second / 1_000_000);
    shortest
}

#[test]
#[ignore = "measures time: only a release build on a quiet machine says something"]
fn sums_of_one_scale_run_at_200_million_a_second() {
    let coefficients: Vec<i64> = (0..i64::from(TERMS)).map(|n| n * 7_919).collect();
    let decimals: Vec<Decimal> = coefficients.iter().map(|n| Decimal::new(i128::from(*n), 6).unwrap()).collect();
    let texts: Vec<String> = (0..TERMS).map(|n| format!("{}.{:02}", n * 13, n % 100)).collect();
    let limit = Duration::from_secs(u64::from(TERMS)) / 200_000_000;

    let checked = measure("checked_add", || {
        let mut total = Decimal::new(0, 6).unwrap();
        for decimal in black_box(&decimals) {
            total = total.checked_add(*decimal).unwrap();
        }
        black_box(total);
    });
    let summed = measure("DecimalSum::add", || {
        let mut total = DecimalSum::new();
        for decimal in black_box(&decimals) {
            total.add(*decimal);
        }
        black_box(total.finish());
    });
    let columns = measure("DecimalSum::add_coefficient", || {
        let mut total = DecimalSum::new();
        for coefficient in black_box(&coefficients) {
            total.add_coefficient(*coefficient, 6);
        }
        black_box(total.finish());
    });
    measure("parse_bytes", || {
        for text in black_box(&texts) {
            let _ = black_box(Decimal::parse_bytes(text.as_bytes()));
        }
    });

    for took in [checked, summed, columns] {
        assert!(took < limit, "{took:?} is longer than {limit:?}");
    }
}
