//! How fast records are taken in, natively: `cargo test --release --test speed -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, reason = "a measurement")]

mod common;

use std::time::Instant;

use meterhost_sdk::{Aggregator, Batch, BatchBuilder, Decimal, Record};

const BATCHES: usize = 50;
const ROUNDS: usize = 40;

fn batches(customers: u64, grouped: bool) -> Vec<Batch> {
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut builder = BatchBuilder::new(["status", "user"]);
    let mut batches = Vec::new();
    let mut row = 0;
    while batches.len() < BATCHES {
        row += 1;
        let who = if grouped { row / 16 } else { random() };
        let customer = format!("customer-{:05}", who % customers);
        let dimension =
            ["cpu_core_hours", "memory_byte_hours", "requests"].get((who / customers % 3) as usize).unwrap();
        let (status, user) =
            (["200", "404", "500"].get((random() % 3) as usize).unwrap(), format!("user-{}", random() % 1000));
        let record = Record {
            time: random() as i64,
            customer: &customer,
            product: "",
            dimension,
            quantity: Decimal::new(i128::from(random() % 1_000_000), 3).unwrap(),
            id: None,
            attributes: &[Some(status), Some(&user)],
        };
        if builder.push(&record).is_err() {
            batches.push(builder.finish());
        }
    }
    batches
}

fn measure(name: &str, rules: &str, batches: &[Batch]) {
    measure_configured(name, &format!(r#"{{"dimensions": {rules}}}"#), batches);
}

fn measure_configured(name: &str, config: &str, batches: &[Batch]) {
    let config: serde_json::Value = serde_json::from_str(config).unwrap();
    let mut best = f64::MAX;
    for _ in 0..3 {
        let mut aggregator = common::configured(&config).unwrap();
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for batch in batches {
                aggregator.push(batch).unwrap();
            }
        }
        aggregator.finish().unwrap();
        best = best.min(start.elapsed().as_secs_f64());
    }
    let records: usize = batches.iter().map(Batch::len).sum::<usize>() * ROUNDS;
    println!("{name:<50} {:7.1} million records/s", records as f64 / best / 1e6);
}

#[test]
#[ignore = "a measurement, of use with --release only"]
fn records_a_second() {
    let few = batches(500, false);
    measure("sum, 500 customers x 3 dimensions", r#"{"*": "sum"}"#, &few);
    measure("sum, the same, grouped", r#"{"*": "sum"}"#, &batches(500, true));
    measure("sum, 50,000 customers x 3 dimensions", r#"{"*": "sum"}"#, &batches(50_000, false));
    measure("max", r#"{"*": "max"}"#, &few);
    measure("last", r#"{"*": "last"}"#, &few);
    let failed = r#"{"*": {"use": "sum", "where": {"status": {"at_least": "400"}}}}"#;
    measure("sum where status >= 400", failed, &few);
    measure("average", r#"{"*": "average"}"#, &few);
    measure("unique users", r#"{"*": {"use": "unique", "of": "user"}}"#, &few);
    let per_user = r#"{"*": {"use": "sum_of_max", "per": ["user", "status"], "every": "day"}}"#;
    measure("sum_of_max by day, user and status", per_user, &few);
    let per_status = r#"{"*": {"use": "sum_of_max", "per": "status", "every": "day"}}"#;
    measure("sum_of_max by day and status", per_status, &few);
    measure("unique users, grouped", r#"{"*": {"use": "unique", "of": "user"}}"#, &batches(500, true));
    measure("sum_of_max by day, user and status, grouped", per_user, &batches(500, true));
    let formula = r#"{"formulas": [{"as": "x", "formula": "cpu_core_hours / 3 + memory_byte_hours // 7 + requests"}]}"#;
    measure_configured("a formula over three sums", formula, &few);
    let prices = r#"{"formulas": [{"as": "x", "formula": "cpu_core_hours_total_price + memory_byte_hours + requests"}], "prices": "status"}"#;
    measure_configured("a formula over prices", prices, &few);
}

/// What of a formula comes at the end: the lines of many customers.
#[test]
#[ignore = "a measurement, of use with --release only"]
fn lines_a_second() {
    let formula =
        "round(cpu_core_hours / 3 * 1.25 + memory_byte_hours / 1073741824 ** 1, 6) + max(requests - 100, 0) // 2";
    let rule = r#"{"dimensions": {"*": "sum"}}"#.to_owned();
    let formula = format!(r#"{{"formulas": [{{"as": "x", "formula": "{formula}"}}]}}"#);
    for (name, config) in [("a sum", rule), ("a formula of 9 operations", formula)] {
        let mut aggregator = common::configured(&serde_json::from_str(&config).unwrap()).unwrap();
        for batch in batches(50_000, false) {
            aggregator.push(&batch).unwrap();
        }
        let start = Instant::now();
        aggregator.finish().unwrap();
        let mut lines = 0;
        while let Some(page) = aggregator.next().unwrap() {
            lines += page.len();
        }
        println!("{name:<50} {:7.3} million lines/s", lines as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
}
