//! The result does not depend on the order of records, nor on how they are cut into batches; and it is the right one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{run, run_configured};
use meterhost_sdk::{BatchBuilder, Decimal, Record};
use proptest::prelude::*;

const RULES: &str = r#"{
    "sum": {"use": "sum", "divide": "7"},
    "count": "count",
    "min": "min", "max": "max", "last": "last",
    "mean": {"use": "average", "from": ["last", "other"]},
    "tops": {"use": "sum_of_max", "per": ["user", "size"], "from": ["last", "min"]},
    "top": {"use": "sum_of_max", "per": "user", "from": "last", "every": "day", "where": {"size": {"at_least": "3"}}},
    "unique": {"use": "unique", "of": "user"},
    "ids": {"use": "unique", "from": ["sum", "count"]},
    "big": {"use": "sum", "from": ["min", "max"], "where": {"size": {"at_least": "5"}}},
    "where": {"use": "sum", "where": {"size": {"less_than": "5"}, "user": {"not": "user-1"}}},
    "drop": "drop",
    "*": {"use": "last", "multiply": "3"}
}"#;

const DIMENSIONS: [&str; 11] =
    ["sum", "count", "min", "max", "last", "unique", "where", "drop", "big", "other", "another"];

#[derive(Debug, Clone)]
struct Usage {
    time: i64,
    customer: String,
    product: &'static str,
    dimension: &'static str,
    quantity: Decimal,
    id: Option<String>,
    user: Option<String>,
    size: Option<String>,
}

fn usage() -> impl Strategy<Value = Usage> {
    let quantity = prop_oneof![
        4 => (0_i128..10_000, 0_u8..4),
        1 => (-10_000_i128..10_000, 0_u8..6),
        1 => (0..i128::from(u64::MAX), 0_u8..2),
        1 => (10_i128.pow(37)..10_i128.pow(38), 0_u8..38),
    ];
    let size = prop_oneof![Just(None), Just(Some("x".to_owned())), (0..10_i32).prop_map(|size| Some(size.to_string()))];
    (
        // Of some hours and days.
        (0_i64..4, 0_i64..3, 0_i64..2).prop_map(|(first, hours, days)| first + (hours + 24 * days) * 3_600_000),
        0_i32..5,
        prop::sample::select(vec!["", "p"]),
        prop::sample::select(DIMENSIONS.to_vec()),
        quantity,
        prop::option::weighted(0.9, 0_i32..20),
        prop::option::weighted(0.9, 0_i32..3),
        size,
    )
        .prop_map(|(time, customer, product, dimension, (coefficient, scale), id, user, size)| Usage {
            time,
            customer: format!("customer-{customer}"),
            product,
            dimension,
            quantity: Decimal::new(coefficient, scale).expect("within 38 digits"),
            id: id.map(|id| id.to_string()),
            user: user.map(|user| format!("user-{user}")),
            size,
        })
}

/// Batches of these sizes, over and over.
fn cut(usage: &[Usage], sizes: &[usize]) -> Vec<meterhost_sdk::Batch> {
    let mut batches = Vec::new();
    let mut sizes = sizes.iter().cycle();
    let mut builder = BatchBuilder::new(["user", "size"]).with_rows(*sizes.next().unwrap());
    for usage in usage {
        let attributes = [usage.user.as_deref(), usage.size.as_deref()];
        let record = Record {
            time: usage.time,
            customer: &usage.customer,
            product: usage.product,
            dimension: usage.dimension,
            quantity: usage.quantity,
            id: usage.id.as_deref(),
            attributes: &attributes,
        };
        if builder.push(&record).is_err() {
            batches.push(builder.finish());
            builder = BatchBuilder::new(["user", "size"]).with_rows(*sizes.next().unwrap());
            builder.push(&record).expect("an empty builder takes every record");
        }
    }
    batches.push(builder.finish());
    batches
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_cuts_change_no_byte(
        (usage, shuffled) in prop::collection::vec(usage(), 0..200)
            .prop_flat_map(|usage| (Just(usage.clone()), Just(usage).prop_shuffle())),
        sizes in prop::collection::vec(1_usize..60, 1..5),
        others in prop::collection::vec(1_usize..60, 1..5),
    ) {
        let (excluded, lines) = run(RULES, &cut(&usage, &sizes));
        let (excluded_again, lines_again) = run(RULES, &cut(&shuffled, &others));
        // By their parts too, because equal decimals can differ in their bytes.
        let parts = |lines: &[meterhost_sdk::ChargeLine]| lines.iter().map(|line| line.quantity.to_parts()).collect::<Vec<_>>();
        prop_assert_eq!(&lines, &lines_again);
        prop_assert_eq!(parts(&lines), parts(&lines_again));
        prop_assert_eq!(&excluded, &excluded_again);

        let keys: Vec<_> = lines.iter().map(|line| (&line.product, &line.customer, &line.dimension)).collect();
        prop_assert!(keys.is_sorted_by(|left, right| left < right), "ascending, each key once");
    }

    #[test]
    fn every_record_stands_behind_a_line_or_is_excluded_once(
        usage in prop::collection::vec(usage(), 0..200),
        sizes in prop::collection::vec(1_usize..60, 1..5),
    ) {
        // With one rule for each dimension, both counts are exact.
        let rules = RULES.lines().filter(|line| !line.contains("\"from\"")).collect::<Vec<_>>().join("\n");
        let (excluded, lines) = run(&rules, &cut(&usage, &sizes));
        let mut counted: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        for line in &lines {
            for origin in &line.origins {
                let key = (line.product.clone(), line.customer.clone(), origin.dimension.clone());
                *counted.entry(key).or_default() += origin.records;
            }
        }
        for out in &excluded {
            let key = (out.product.clone(), out.customer.clone(), out.dimension.clone());
            *counted.entry(key).or_default() += out.records;
        }
        let mut expected: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        for record in &usage {
            let key = (record.product.to_owned(), record.customer.clone(), record.dimension.to_owned());
            *expected.entry(key).or_default() += 1;
        }
        prop_assert_eq!(counted, expected);
    }

    #[test]
    fn a_sum_is_that_of_its_records_whatever_the_columns_look_like(
        records in prop::collection::vec((0..3_i32, 0..3_i32, 0..u64::MAX, prop::bool::weighted(0.001)), 1..400),
        sizes in prop::collection::vec(1_usize..300, 1..4),
    ) {
        let usage: Vec<Usage> = records.iter().map(|&(customer, dimension, quantity, negative)| Usage {
            time: 0,
            customer: customer.to_string(),
            product: "",
            dimension: ["sum", "count", "min"].get(dimension as usize).unwrap(),
            quantity: Decimal::new(i128::from(quantity) * if negative { -1 } else { 1 }, 3).unwrap(),
            id: None,
            user: None,
            size: None,
        }).collect();
        let (_, lines) = run(r#"{"*": "sum"}"#, &cut(&usage, &sizes));
        let mut sums: BTreeMap<_, (u64, Decimal)> = BTreeMap::new();
        for Usage { customer, dimension, quantity, .. } in &usage {
            let (records, sum) = sums.entry((customer.as_str(), *dimension)).or_default();
            *records += 1;
            *sum = sum.checked_add(*quantity).unwrap();
        }
        let found: Vec<_> = lines.iter().map(|line| {
            let records: u64 = line.origins.iter().map(|origin| origin.records).sum();
            ((line.customer.as_str(), line.dimension.as_str()), (records, line.quantity))
        }).collect();
        prop_assert_eq!(found, sums.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_sum_of_maxima_is_that_of_a_table_of_groups(
        usage in prop::collection::vec(usage(), 1..200),
        sizes in prop::collection::vec(1_usize..60, 1..5),
    ) {
        let usage: Vec<Usage> = usage.into_iter().filter(|usage| usage.quantity.scale() < 5).collect();
        let (_, lines) = run(r#"{"*": {"use": "sum_of_max", "per": ["user", "size"]}}"#, &cut(&usage, &sizes));
        let mut groups: BTreeMap<_, BTreeMap<_, Decimal>> = BTreeMap::new();
        for Usage { time, product, customer, dimension, quantity, user, size, .. } in &usage {
            let groups = groups.entry((*product, customer.as_str(), *dimension)).or_default();
            let most = groups.entry((time / 3_600_000, user, size)).or_insert(*quantity);
            *most = (*most).max(*quantity);
        }
        let found: Vec<_> = lines.iter().map(|line| {
            ((line.product.as_str(), line.customer.as_str(), line.dimension.as_str()), line.doubt.is_none().then_some(line.quantity))
        }).collect();
        let sum = |groups: BTreeMap<_, Decimal>| {
            let mut sum = meterhost_sdk::DecimalSum::new();
            groups.into_values().for_each(|most| sum.add(most));
            sum.finish()
        };
        prop_assert_eq!(found, groups.into_iter().map(|(key, groups)| (key, sum(groups))).collect::<Vec<_>>());
    }

    #[test]
    fn formulas_do_not_depend_on_order_and_cuts_and_account_for_every_record(
        (usage, shuffled) in prop::collection::vec(usage(), 0..200)
            .prop_flat_map(|usage| (Just(usage.clone()), Just(usage).prop_shuffle())),
        sizes in prop::collection::vec(1_usize..60, 1..5),
        others in prop::collection::vec(1_usize..60, 1..5),
    ) {
        let config = serde_json::json!({
            "dimensions": { "count": "count", "drop": "drop", "other": { "use": "sum", "where": { "user": "user-1" } } },
            "formulas": [
                { "as": "f", "formula": "(sum - 1) / (few + many) ** 2 + sum_total_price" },
                { "as": "g", "formula": "few_total_price // 3 % 7 + last if last > least else round(mean / 7, 3)" },
            ],
            "variables": {
                "sum": "sum",
                "few": { "use": "count", "from": ["where", "big"], "where": { "size": { "less_than": "3" } } },
                "many": { "use": "sum_of_max", "from": "where", "per": "user", "where": { "user": "user-1" } },
                "last": { "use": "last", "from": ["last", "min"] },
                "least": { "use": "min", "from": "min" }, "mean": { "use": "average", "from": "count" }, "unique": "count",
            },
            "prices": "size",
        });
        let (excluded, lines) = run_configured(&config, &cut(&usage, &sizes));
        let (excluded_again, lines_again) = run_configured(&config, &cut(&shuffled, &others));
        let parts = |lines: &[meterhost_sdk::ChargeLine]| lines.iter().map(|line| line.quantity.to_parts()).collect::<Vec<_>>();
        prop_assert_eq!(&lines, &lines_again);
        prop_assert_eq!(parts(&lines), parts(&lines_again));
        prop_assert_eq!(&excluded, &excluded_again);

        // As the host checks it: no line is made from more records than were not left out, and all of them stand behind some line.
        let mut given: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        for record in &usage {
            *given.entry((record.product, &record.customer, record.dimension)).or_default() += 1;
        }
        for out in &excluded {
            let left = given.get_mut(&(out.product.as_str(), out.customer.as_str(), out.dimension.as_str())).unwrap();
            *left = left.checked_sub(out.records).expect("excluded once");
        }
        let mut behind: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        for line in &lines {
            prop_assert!(line.origins.iter().any(|origin| origin.records > 0));
            prop_assert!(line.origins.is_sorted_by(|left, right| left.dimension < right.dimension));
            for origin in &line.origins {
                let key = (line.product.as_str(), line.customer.as_str(), origin.dimension.as_str());
                prop_assert!(origin.records <= given.get(&key).copied().unwrap_or_default());
                *behind.entry(key).or_default() += origin.records;
            }
        }
        for (key, given) in given {
            prop_assert!(behind.get(&key).copied().unwrap_or_default() >= given, "{:?}", key);
        }
    }

    #[test]
    fn usage_with_the_same_tags_makes_what_it_would_make_alone(
        usage in prop::collection::vec(usage(), 0..200),
        sizes in prop::collection::vec(1_usize..60, 1..5),
        others in prop::collection::vec(1_usize..60, 1..5),
    ) {
        let config = |tags: &[&str]| {
            let mut dimensions: serde_json::Value = serde_json::from_str(RULES).unwrap();
            dimensions.as_object_mut().unwrap().remove("big");
            serde_json::json!({
                "dimensions": dimensions, "tags": tags,
                "formulas": [{ "as": "f", "formula": "(big - 1) * 2 + least" }],
                "variables": { "big": "sum", "least": { "use": "min", "from": "max" } },
            })
        };
        let tags = |usage: &Usage| {
            let pairs = [("size", &usage.size), ("user", &usage.user)].into_iter();
            let pairs = pairs.filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
            pairs.collect::<Vec<_>>()
        };
        let mut apart: BTreeMap<Vec<(String, String)>, Vec<Usage>> = BTreeMap::new();
        for record in &usage {
            apart.entry(tags(record)).or_default().push(record.clone());
        }
        let (mut expected, mut left_out) = (Vec::new(), BTreeMap::new());
        for (tags, usage) in apart {
            let (excluded, lines) = run_configured(&config(&[]), &cut(&usage, &others));
            expected.extend(lines.into_iter().map(|line| meterhost_sdk::ChargeLine { tags: tags.clone(), ..line }));
            for out in excluded {
                *left_out.entry((out.product, out.customer, out.dimension, out.rule)).or_insert(0) += out.records;
            }
        }
        let key = |line: &meterhost_sdk::ChargeLine| {
            (line.product.clone(), line.customer.clone(), line.dimension.clone(), line.tags.clone())
        };
        expected.sort_by_key(key);
        let (excluded, lines) = run_configured(&config(&["user", "size"]), &cut(&usage, &sizes));
        prop_assert_eq!(lines, expected);
        let mut found = BTreeMap::new();
        for out in excluded {
            *found.entry((out.product, out.customer, out.dimension, out.rule)).or_insert(0) += out.records;
        }
        prop_assert_eq!(found, left_out);
    }

    #[test]
    fn a_unique_count_is_that_of_a_set(
        usage in prop::collection::vec(usage(), 1..200),
        sizes in prop::collection::vec(1_usize..60, 1..5),
    ) {
        let usage: Vec<Usage> = usage.into_iter().filter(|usage| usage.id.is_some()).collect();
        let (_, lines) = run(r#"{"*": "unique"}"#, &cut(&usage, &sizes));
        let mut sets: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for Usage { product, customer, dimension, id, .. } in &usage {
            sets.entry((*product, customer.as_str(), *dimension)).or_default().insert(id.clone());
        }
        let found: Vec<_> = lines.iter().map(|line| {
            ((line.product.as_str(), line.customer.as_str(), line.dimension.as_str()), line.quantity.to_string())
        }).collect();
        let expected: Vec<_> = sets.into_iter().map(|(key, set)| (key, set.len().to_string())).collect();
        prop_assert_eq!(found, expected);
    }
}
