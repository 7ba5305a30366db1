//! What the public validator says of sets: focus-validator 2.2.1, with the model of rules 1.2.0.1, where METERHOST_FOCUS_VALIDATOR names the
//! directory of a virtual environment that it is installed in.
//!
//! Of each set one of two rules has to fail: InvoiceId-C-004-C asks that no row has an InvoiceId, and -005-C that each has one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::*;
use meterhost_sdk::testing::{Charged, charges};
use serde_json::{Value, json};

const NONE_INVOICED: &str = "InvoiceId-C-005-C";
const ALL_INVOICED: &str = "InvoiceId-C-004-C";

/// Where the validator is; nothing, and a line that says so, if it is nowhere.
fn validator() -> Option<PathBuf> {
    match std::env::var_os("METERHOST_FOCUS_VALIDATOR") {
        Some(place) => Some(std::fs::canonicalize(place).unwrap()),
        None => {
            // Past the capture of the test's output: that nothing was checked has to be seen.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                b"skipped: METERHOST_FOCUS_VALIDATOR names no directory of a virtual environment with focus-validator 2.2.1\n",
            );
            None
        }
    }
}

/// The rules that a file fails.
fn failures(validator: &Path, file: &Path) -> BTreeSet<String> {
    let report = tempfile::tempdir().unwrap();
    let xml = report.path().join("report.xml");
    let libraries = validator.join("lib");
    let python = files(libraries).into_iter().find(|path| path.join("site-packages/focus_validator").is_dir());
    // It opens a file of its own by a path that is relative to where its libraries are.
    let output = Command::new(validator.join("bin/focus-validator"))
        .current_dir(python.unwrap().join("site-packages"))
        .args([
            "--block-download",
            "--validate-version",
            "1.2.0.1",
            "--output-type",
            "unittest",
            "--output-destination",
        ])
        .arg(&xml)
        .arg("--data-file")
        .arg(file)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // Its exit code is 0 even where rules fail.
    let report = std::fs::read_to_string(&xml).unwrap_or_else(|error| panic!("{error}: {said}"));
    let count = |name: &str| -> usize {
        let (_, rest) = report.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    assert!(count("tests") > 500, "{said}");
    let failures = report.split("<failure ").skip(1).map(|failure| {
        let (_, rest) = failure.split_once("name=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    });
    let mut failures: BTreeSet<String> = failures.collect();
    assert_eq!(failures.len(), count("failures"), "{report}");
    // Rules that could not be looked at, because others failed.
    if count("errors") > 0 {
        failures.insert(format!("{} errors", count("errors")));
    }
    failures
}

/// Publishes a set, and answers the rules that it fails.
fn judged(validator: &Path, config: &Value, all: &[Charged<'_>]) -> BTreeSet<String> {
    let folder = stage();
    let all = numbered(all.iter().copied());
    let (id, written) = published(config, march(&all), &all).unwrap();
    assert_eq!((written.rows, written.files), (all.len() as u64, 1));
    failures(validator, &folder.path().join("costs/20220301-20220401").join(id).join("focus-0001.csv"))
}

fn only(rule: &str) -> BTreeSet<String> {
    BTreeSet::from([rule.to_owned()])
}

/// CloudZero's example of six rows, mapped to FOCUS: a discount is a credit.
fn simple_cloud() -> Vec<Charged<'static>> {
    let (first, hour) = (at("20220301T000000Z"), at("20220316T130000Z"));
    let row = |start, attributes| Charged { start, end: start + HOUR, attributes, ..charge() };
    vec![
        row(
            first,
            &[
                ("type", "Purchase"),
                ("often", "One-Time"),
                ("service", "CommitedUse"),
                ("id", "commit-111-222-333"),
                ("cost", "90"),
                ("net", "0"),
                ("less", "90"),
            ],
        ),
        row(
            first,
            &[
                ("type", "Credit"),
                ("often", "One-Time"),
                ("service", "MVPDiscount"),
                ("id", "mvp-aaa-12345"),
                ("cost", "-20"),
                ("net", "-20"),
                ("less", "-20"),
            ],
        ),
        row(
            hour,
            &[
                ("type", "Usage"),
                ("often", "Usage-Based"),
                ("service", "Compute"),
                ("id", "instance-0000"),
                ("cost", "12"),
                ("net", "8"),
                ("less", "8"),
            ],
        ),
        row(
            hour,
            &[
                ("type", "Usage"),
                ("often", "Usage-Based"),
                ("service", "Compute"),
                ("id", "instance-0001"),
                ("cost", "20"),
                ("net", "16"),
                ("less", "16"),
            ],
        ),
        row(
            hour,
            &[
                ("type", "Usage"),
                ("often", "Usage-Based"),
                ("service", "Compute"),
                ("id", "instance-0002"),
                ("cost", "15.3"),
                ("net", "11.3"),
                ("less", "11.3"),
            ],
        ),
        row(
            hour,
            &[
                ("type", "Credit"),
                ("often", "One-Time"),
                ("service", "SpecialCompute"),
                ("id", "special-01010101"),
                ("cost", "-12"),
                ("net", "0"),
                ("less", "0"),
            ],
        ),
    ]
}

#[test]
fn the_simple_cloud_is_valid() {
    let Some(validator) = validator() else { return };
    let config = told(json!({
        "service_category": "Compute",
        "columns": {
            "ChargeCategory": "{attribute.type}", "ChargeFrequency": "{attribute.often}", "ServiceName": "{attribute.service}",
            "ResourceId": "{attribute.id}", "EffectiveCost": "{attribute.net}", "ContractedCost": "{attribute.less}",
        },
    }));
    assert_eq!(judged(&validator, &config, &simple_cloud()), only(NONE_INVOICED));
}

/// Three customers of two services, with tags and units, over two hours.
fn usage() -> Vec<Charged<'static>> {
    let mut all = Vec::new();
    for hour in 0..2 {
        for (product, dimension, unit) in
            [("Search", "cpu_hours", "Hours"), ("Vault", "storage", "GB-Hours"), ("Vault", "requests", "Requests")]
        {
            for (customer, tags) in [
                ("acme", [("plan", "gold"), ("team", "a,\"b\"")].as_slice()),
                ("globex", &[("plan", "free")]),
                ("c-17", &[]),
            ] {
                let start = at("20220316T130000Z") + hour * HOUR;
                let attributes: &[(&str, &str)] = match unit {
                    "Hours" => &[("unit", "Hours"), ("category", "Analytics"), ("sub", "Search"), ("region", "eu-1")],
                    "GB-Hours" => {
                        &[("unit", "GB-Hours"), ("category", "Databases"), ("sub", "Caching"), ("region", "eu-1")]
                    }
                    _ => &[("unit", "Requests"), ("category", "Databases"), ("sub", "Caching")],
                };
                all.push(Charged {
                    start,
                    end: start + HOUR,
                    product,
                    dimension,
                    customer,
                    tags,
                    attributes,
                    quantity: "60",
                    ..charge()
                });
            }
        }
    }
    all
}

#[test]
fn usage_of_several_customers_and_services_with_tags_and_tiers_is_valid() {
    let Some(validator) = validator() else { return };
    let prices = json!({
        "cpu_hours": { "tiers": [{ "up_to": "100", "price": "0.10" }, { "price": "0.05" }] },
        "storage": { "price": "0.002", "minimum": "5" },
        "requests": { "package": "50", "price": "2" },
    });
    let plain = priced(json!({ "prices": prices }));
    assert_eq!(judged(&validator, &plain, &usage()), only(NONE_INVOICED));
    let mut rich = plain.clone();
    rich.as_object_mut().unwrap().remove("service_category");
    rich["columns"] = json!({
        "ServiceCategory": "{attribute.category}", "ServiceSubcategory": "{attribute.sub}", "InvoiceId": "INV-{customer}",
        "RegionId": "{attribute.region}", "RegionName": "{attribute.region}", "SkuId": "sku-{dimension}", "SkuPriceId": "price-{dimension}",
        "SkuMeter": "{dimension}", "SkuPriceDetails": "{{\"x_Dimension\":\"{dimension}\"}}", "ResourceId": "{product}/{customer}",
        "ResourceName": "{product} of {customer}", "ResourceType": "instance", "PricingCategory": "Standard", "SubAccountId": "sub-{customer}",
        "SubAccountName": "{customer}", "SubAccountType": "team", "x_Plan": "{tag.plan}",
    });
    assert_eq!(judged(&validator, &rich, &usage()), only(ALL_INVOICED));
}

#[test]
fn unit_prices_are_valid_beside_costs_that_they_make() {
    let Some(validator) = validator() else { return };
    // And dimensions whose units FOCUS writes in another way.
    let nameless = |charge| Charged { attributes: &[], dimension: "memory_byte_hours", ..charge };
    let all: Vec<_> = usage().into_iter().map(nameless).collect();
    let config = priced(
        json!({ "units": { "memory_byte_hours": "B-Hours" }, "prices": { "*": "0.000015" }, "columns": { "ListUnitPrice": "0.000015", "ContractedUnitPrice": "0.000015" } }),
    );
    assert_eq!(judged(&validator, &config, &all), only(NONE_INVOICED));
}

#[test]
fn what_the_validator_misses_is_held() {
    let Some(validator) = validator() else { return };
    let all: Vec<_> = usage();
    for (column, name, good, bad) in
        [("ChargeCategory", "category", "Usage", "usage"), ("ServiceCategory", "category", "Databases", "Dbs")]
    {
        // What the validator makes of it: a file as a careless program would write it.
        let config = priced(json!({ "columns": { "ServiceName": "{id}" } }));
        let folder = stage();
        let all = numbered(all.iter().copied());
        let (id, _) = published(&config, march(&all), &all).unwrap();
        let file = folder.path().join("costs/20220301-20220401").join(id).join("focus-0001.csv");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen(good, bad, 1)).unwrap();
        assert_ne!(text, std::fs::read_to_string(&file).unwrap());
        assert_eq!(failures(&validator, &file), only(NONE_INVOICED), "{column}");
        // What the plugin makes of it.
        let mut config =
            priced(json!({ "columns": { "ServiceName": "{id}", column: format!("{{attribute.{name}}}") } }));
        if column == "ServiceCategory" {
            config.as_object_mut().unwrap().remove("service_category");
        }
        let (fine, odd) = ([(name, good)], [(name, bad)]);
        let all = numbered([&fine, &odd, &fine].map(|attributes| Charged { attributes, ..charge() }));
        let objections = objections(&config, &charges(&all));
        assert_eq!(objections.len(), 1, "{column}: {objections:?}");
        assert!(objections[0].0 == 1 && objections[0].1.contains(&format!("{column}: \"{bad}\"")), "{objections:?}");
    }
}

#[test]
fn ids_of_digits_alone_are_taken_for_numbers_by_who_guesses_types_and_are_texts_with_a_word_before_them() {
    let Some(validator) = validator() else { return };
    let all: Vec<_> = usage().into_iter().map(|charge| Charged { customer: "1234567890", ..charge }).collect();
    let plain = priced(json!({ "prices": { "*": "1" } }));
    // They are valid, and published; what is said of them is about the guess.
    let said = judged(&validator, &plain, &all);
    let ids = ["BillingAccountId-C-002-M", "BillingAccountName-C-001-M"];
    assert!(ids.iter().all(|rule| said.contains(*rule)), "{said:?}");
    let mut named = plain.clone();
    named["columns"] = json!({ "BillingAccountId": "account-{customer}", "BillingAccountName": "account {customer}" });
    assert_eq!(judged(&validator, &named, &all), only(NONE_INVOICED));
}

#[test]
fn a_set_without_rows_is_a_header_though_the_validator_cannot_tell_types_then() {
    let Some(validator) = validator() else { return };
    assert!(judged(&validator, &priced(json!({})), &[]).len() > 1);
}
