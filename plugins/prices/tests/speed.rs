//! How fast charges are priced, natively: `cargo test --release --test speed -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, reason = "a measurement")]

mod common;

use std::hint::black_box;
use std::time::Instant;

use meterhost_sdk::Decimal;
use prices::Pricing;

const CHARGES: u32 = 2_000_000;
const ACCOUNTS: usize = 1000;

fn report(name: &str, start: Instant) {
    println!("{name:<40} {:6.1} ns a charge", start.elapsed().as_secs_f64() * 1e9 / f64::from(CHARGES));
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let quantities: Vec<Decimal> = (0..CHARGES).map(|n| Decimal::new(i128::from(n % 10_007), 3).unwrap()).collect();
    let price = common::decimal("0.0035");
    let start = Instant::now();
    for quantity in &quantities {
        black_box(quantity.checked_mul(black_box(price)).unwrap());
    }
    report("a multiplication", start);
    for (name, price) in [
        ("a unit price", "\"0.0035\""),
        ("included", r#"{ price = "0.0035", included = "100" }"#),
        (
            "graduated",
            r#"{ tiers = [{ up_to = "1000", price = "0.01" }, { up_to = "100000000", price = "0.009" }, { price = "0.0035" }] }"#,
        ),
        ("packages", r#"{ package = "1000", price = "0.01" }"#),
        ("volume", r#"{ mode = "volume", tiers = [{ up_to = "1000", price = "0.01" }, { price = "0.0035" }] }"#),
        (
            "volume with a fee",
            r#"{ mode = "volume", tiers = [{ up_to = "1000", price = "0.01" }, { price = "0.0035", fee = "5" }] }"#,
        ),
        ("minimum", r#"{ price = "0.0035", minimum = "25000000" }"#),
    ] {
        let prices = common::prices(price);
        let surveys = prices.surveys();
        let mut pricing = Pricing::of(prices, true);
        let accounts: Vec<_> =
            (0..ACCOUNTS).map(|customer| pricing.account("", &format!("customer-{customer}"), "x")).collect();
        let start = Instant::now();
        if surveys {
            for (quantity, account) in quantities.iter().zip(accounts.iter().cycle()) {
                pricing.survey(*account, *quantity, None).unwrap();
            }
            report(&format!("{name}: survey"), start);
        }
        let start = Instant::now();
        for (quantity, account) in quantities.iter().zip(accounts.iter().cycle()) {
            black_box(pricing.price(*account, *quantity, None).unwrap());
        }
        report(name, start);
        pricing.finish().unwrap();
    }
}
