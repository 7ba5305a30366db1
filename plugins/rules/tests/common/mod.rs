//! What the tests share.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "tests; each uses a part of it")]

use meterhost_sdk::{Aggregator, Batch, ChargeLine, Error, Excluded, Window};
use rules::RulesAggregator;
use serde_json::Value;

/// An aggregator with this under `config.dimensions`, written as JSON.
pub fn open(dimensions: &str) -> Result<RulesAggregator, Error> {
    opened(&format!(r#"{{"dimensions": {dimensions}}}"#))
}

/// An aggregator with this under `config`.
pub fn configured(config: &Value) -> Result<RulesAggregator, Error> {
    opened(&config.to_string())
}

fn opened(config: &str) -> Result<RulesAggregator, Error> {
    let config = serde_json::from_str(config).map_err(|error| Error::Config(error.to_string()))?;
    RulesAggregator::open(config, Window { start: 0, end: 3_600_000 })
}

/// What the rules make of the batches.
pub fn run(dimensions: &str, batches: &[Batch]) -> (Vec<Excluded>, Vec<ChargeLine>) {
    ran(open(dimensions).unwrap(), batches)
}

/// What a configuration makes of the batches.
pub fn run_configured(config: &Value, batches: &[Batch]) -> (Vec<Excluded>, Vec<ChargeLine>) {
    ran(configured(config).unwrap(), batches)
}

fn ran(mut aggregator: RulesAggregator, batches: &[Batch]) -> (Vec<Excluded>, Vec<ChargeLine>) {
    for batch in batches {
        aggregator.push(batch).unwrap();
    }
    let excluded = aggregator.finish().unwrap();
    let mut lines = Vec::new();
    while let Some(page) = aggregator.next().unwrap() {
        assert!(!page.is_empty() && page.len() <= 4096, "a page of {}", page.len());
        lines.extend(page);
    }
    (excluded, lines)
}

/// Lines as text: `product/customer/dimension = quantity <- dimension*records`, with `!` and the doubt instead of a quantity in doubt.
pub fn shown(lines: &[ChargeLine]) -> Vec<String> {
    let show = |line: &ChargeLine| {
        let origins: Vec<String> =
            line.origins.iter().map(|origin| format!("{}*{}", origin.dimension, origin.records)).collect();
        let product = if line.product.is_empty() { String::new() } else { format!("{}/", line.product) };
        let quantity = line.doubt.as_ref().map_or(line.quantity.to_string(), |doubt| format!("! {doubt}"));
        format!("{product}{}/{} = {quantity} <- {}", line.customer, line.dimension, origins.join(" "))
    };
    lines.iter().map(show).collect()
}

/// Exclusions as text: `customer/dimension: rule, records, quantity`.
pub fn left_out(excluded: &[Excluded]) -> Vec<String> {
    let show = |out: &Excluded| {
        let Excluded { customer, dimension, rule, records, quantity, .. } = out;
        format!("{customer}/{dimension}: {rule}, {records}, {quantity}")
    };
    excluded.iter().map(show).collect()
}
