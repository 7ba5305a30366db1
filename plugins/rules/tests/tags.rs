//! Attributes that become tags.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{configured, run_configured};
use meterhost_sdk::{Batch, BatchBuilder, Record};
use serde_json::json;

/// Records of one customer: dimension, quantity, tier and region.
fn batch(records: &[(&str, i128, Option<&str>, Option<&str>)]) -> Batch {
    let mut builder = BatchBuilder::new(["tier", "region"]);
    for &(dimension, quantity, tier, region) in records {
        let attributes = [tier, region];
        let quantity = meterhost_sdk::Decimal::new(quantity, 0).unwrap();
        let record =
            Record { time: 0, customer: "acme", product: "", dimension, quantity, id: None, attributes: &attributes };
        builder.push(&record).unwrap();
    }
    builder.finish()
}

/// `users tier=gold: 5`.
fn told(config: &serde_json::Value, batch: Batch) -> Vec<String> {
    let (_, lines) = run_configured(config, &[batch]);
    let shown = |line: &meterhost_sdk::ChargeLine| {
        let tags: String = line.tags.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{}{tags}: {}", line.dimension, line.quantity)
    };
    lines.iter().map(shown).collect()
}

#[test]
fn usage_is_added_up_for_each_set_of_tags() {
    let config = json!({ "dimensions": { "*": "sum" }, "tags": ["tier", "region"] });
    let usage = batch(&[
        ("users", 1, Some("gold"), Some("eu")),
        ("users", 2, Some("gold"), None),
        ("users", 3, None, None),
        ("users", 4, Some(""), Some("")),
        ("users", 5, Some("gold"), Some("eu")),
        ("calls", 6, Some("gold"), None),
    ]);
    let expected = ["calls tier=gold: 6", "users: 7", "users region=eu tier=gold: 6", "users tier=gold: 2"];
    assert_eq!(told(&config, usage), expected);
}

#[test]
fn an_attribute_that_no_batch_has_makes_no_tags() {
    let config = json!({ "dimensions": { "*": "sum" }, "tags": ["plan"] });
    assert_eq!(told(&config, batch(&[("users", 1, Some("gold"), None), ("users", 2, None, None)])), ["users: 3"]);
}

#[test]
fn a_formula_uses_what_has_the_same_tags() {
    let config = json!({ "formulas": [{ "as": "units", "formula": "users * 10 + calls" }], "tags": ["tier"] });
    let usage = batch(&[("users", 1, Some("gold"), None), ("calls", 2, Some("gold"), None), ("calls", 3, None, None)]);
    assert_eq!(told(&config, usage), ["units: 3", "units tier=gold: 12"]);
}

#[test]
fn what_is_wrong_with_tags_is_said_of_them() {
    for (tags, expected) in [
        (json!(["tier", ""]), "tags: it names attributes, and \"\" is no name of one"),
        (json!(["tier", "region", "tier"]), "tags: it names \"tier\" twice"),
    ] {
        let error = configured(&json!({ "dimensions": { "*": "sum" }, "tags": tags })).unwrap_err();
        assert_eq!(error, meterhost_sdk::Error::Config(expected.to_owned()));
    }
}
