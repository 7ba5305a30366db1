//! What stands in the cells.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::process::Command;

use common::*;
use meterhost_sdk::testing::{Charged, charges};
use serde_json::{Value, json};

/// The rows of a set of these charges.
fn published_rows(config: &Value, all: &[Charged<'_>]) -> Vec<std::collections::BTreeMap<String, String>> {
    let folder = stage();
    let all = numbered(all.iter().copied());
    let (id, _) = published(config, outline("20220317T171218Z", month("20220316T000000Z"), &all), &all).unwrap();
    let (errors, _) = ingested(folder.path().join("costs"));
    let errors: Vec<String> = errors.into_iter().filter(|error| !error.contains("totals differ")).collect();
    assert_eq!(errors, [""; 0]);
    rows(&files(folder.path().join("costs/20220301-20220401").join(id))[0])
}

#[test]
fn decimals_are_exact_and_plain() {
    let costs = ["0.30", "1e-7", "12.3400", "-12", "1E3", "0", "12345678901234567890123456789"];
    let attributes = costs.map(|cost| [("cost", cost)]);
    let all: Vec<_> =
        attributes.iter().map(|attributes| Charged { attributes, quantity: "0.10000", ..charge() }).collect();
    let rows = published_rows(&told(json!({})), &all);
    let written: Vec<_> = rows.iter().map(|row| (row["cost/cost"].as_str(), row["usage/amount"].as_str())).collect();
    let plain = ["0.3", "0.0000001", "12.34", "-12", "1000", "0", "12345678901234567890123456789"];
    assert_eq!(written, plain.map(|cost| (cost, "0.1")));
}

#[test]
fn blank_and_zero_are_two_things() {
    let one = |attributes| Charged { attributes, ..charge() };
    let all = [one(&[("cost", "5"), ("net", "")]), one(&[("cost", "5"), ("net", "0")]), one(&[("cost", "5")])];
    let config = told(
        json!({ "columns": { "cost/discounted_cost": "{attribute.net}", "cost/on_demand_cost": "{attribute.list}" } }),
    );
    let rows = published_rows(&config, &all);
    let written: Vec<_> = rows
        .iter()
        .map(|row| {
            ["cost/discounted_cost", "cost/amortized_cost", "cost/discounted_amortized_cost", "cost/on_demand_cost"]
                .map(|column| row[column].as_str())
        })
        .collect();
    assert_eq!(written, [["", "5", "5", ""], ["0", "5", "0", ""], ["", "5", "5", ""]]);
}

#[test]
fn costs_that_are_not_given_are_what_cloudzero_falls_back_to() {
    let one = |attributes| Charged { attributes, ..charge() };
    let all = [
        one(&[("cost", "10"), ("net", "8"), ("spread", "9"), ("type", "Usage")]),
        one(&[("cost", "-2"), ("net", "0"), ("spread", "-1"), ("type", "Discount")]),
        one(&[("cost", "90"), ("net", "80"), ("spread", "0"), ("type", "CommittedUsePurchase")]),
        one(&[("cost", "10"), ("net", "8"), ("type", "Usage")]),
        one(&[("cost", "10"), ("type", "Usage")]),
    ];
    let (net, spread) = ("cost/discounted_cost", "cost/amortized_cost");
    // Of each row amortized, and discounted and amortized. The latter's Usage is CloudZero's "Real cost": without the discount it is 10.
    for (given, expected) in [
        (vec![], ["10 10", "-2 -2", "0 0", "10 10", "10 10"]),
        (vec![net], ["10 8", "-2 0", "0 0", "10 8", "10 10"]),
        (vec![spread], ["9 9", "-1 -1", "0 0", " 10", " 10"]),
        (vec![net, spread], ["9 9", "-1 -1", "0 0", " 8", " 10"]),
    ] {
        let mut columns = json!({ "lineitem/type": "{attribute.type}" });
        for column in &given {
            columns[*column] = if *column == net { "{attribute.net}".into() } else { "{attribute.spread}".into() };
        }
        let rows = published_rows(&told(json!({ "columns": columns })), &all);
        let written: Vec<_> =
            rows.iter().map(|row| format!("{} {}", row[spread], row["cost/discounted_amortized_cost"])).collect();
        assert_eq!(written, expected, "{given:?}");
    }
}

#[test]
fn a_total_that_no_decimal_holds_is_left_out_and_the_month_is_published() {
    let one = |attributes| Charged { attributes, ..charge() };
    let all =
        numbered([one(&[("cost", "12345678901234567890"), ("net", "1")]), one(&[("cost", "1e-25"), ("net", "1")])]);
    let publish = |more: Value| {
        let _folder = stage();
        let (_, written) = published(&told(more), outline("20220317T171218Z", month("20220316T000000Z"), &all), &all)?;
        Ok(written.totals.iter().map(|(column, total)| format!("{column} {total}")).collect::<Vec<_>>())
    };
    assert_eq!(publish(json!({})).unwrap(), [""; 0]);
    // All four are the same, whatever they are.
    assert_eq!(publish(json!({ "totals": "fail" })).unwrap(), [""; 0]);
    let net = json!({ "cost/discounted_cost": "{attribute.net}" });
    let told = ["cost/discounted_cost 2", "cost/discounted_amortized_cost 2"];
    assert_eq!(publish(json!({ "columns": net })).unwrap(), told);
    let error = words(publish(json!({ "columns": net, "totals": "fail" })).unwrap_err());
    let said = "more than 38 digits has the total of cost/cost, cost/amortized_cost, so that nobody can tell";
    assert!(error.starts_with(said), "{error}");
}

#[test]
fn the_total_of_an_account_that_no_decimal_holds_is_told_of_its_charge() {
    let _folder = stage();
    let tiers = json!([{ "up_to": "10", "price": "1" }, { "price": "0.5" }]);
    let config = json!({ "root": "costs", "prices": { "cpu": { "tiers": tiers, "mode": "volume" } } });
    let odd = Charged { customer: "odd", product: "vault", ..charge() };
    let long = Charged { quantity: "12345678901234567890", ..odd };
    // In two pieces: one has the digits of both no more than a decimal has.
    let all = numbered([vec![charge(); 99], vec![long, Charged { quantity: "1e-25", ..odd }]].concat());
    let outline = outline("20220317T171218Z", month("20220316T000000Z"), &all);
    let error = words(published(&config, outline, &all).unwrap_err());
    let place = "product vault, customer odd, dimension cpu, window from 2022-03-16T13:00:00Z: cost/cost: ";
    assert!(
        error.starts_with(place)
            && error.contains(
                "what all charges of this product, customer and dimension come to in the month has more digits"
            ),
        "{error}"
    );
}

#[test]
fn totals_are_of_what_cloudzero_reads_and_may_have_to_agree() {
    let _folder = stage();
    let one = |attributes| Charged { attributes, ..charge() };
    let all = numbered([one(&[("cost", "5"), ("net", "")]), one(&[("cost", "5"), ("net", "0")])]);
    let columns =
        json!({ "cost/discounted_cost": "{attribute.net}", "cost/discounted_amortized_cost": "{attribute.none}" });
    let outline = || outline("20220317T171218Z", month("20220316T000000Z"), &all);
    let (_, written) = published(&told(json!({ "columns": columns })), outline(), &all).unwrap();
    let totals: Vec<_> = written.totals.iter().map(|(_, total)| total.to_string()).collect();
    // The last one is blank, and falls back to the amortized cost.
    assert_eq!(totals, ["10", "5", "10", "10"]);
    let error = words(published(&told(json!({ "columns": columns, "totals": "fail" })), outline(), &all).unwrap_err());
    assert!(error.contains("cost/cost 10, cost/discounted_cost 5"), "{error}");
}

#[test]
fn a_commitment_has_no_amortized_cost_of_its_own() {
    let one = |attributes| Charged { attributes, ..charge() };
    let all = [
        one(&[("cost", "90"), ("type", "CommittedUsePurchase")]),
        one(&[("cost", "3"), ("type", "Usage")]),
        one(&[("cost", "4")]),
    ];
    let rows = published_rows(&told(json!({ "columns": { "lineitem/type": "{attribute.type}" } })), &all);
    let written: Vec<_> = rows
        .iter()
        .map(|row| {
            ["lineitem/type", "cost/discounted_cost", "cost/amortized_cost", "cost/discounted_amortized_cost"]
                .map(|column| row[column].as_str())
        })
        .collect();
    assert_eq!(written, [["CommittedUsePurchase", "90", "0", "0"], ["Usage", "3", "3", "3"], ["", "4", "4", "4"]]);
}

#[test]
fn a_unit_price_of_the_charge_goes_before_the_table() {
    let config = json!({
        "root": "costs", "unit_price": "{tag.pricePerUnit}", "tags": [],
        "prices": { "cpu": { "tiers": [{ "up_to": "10", "price": "1" }, { "price": "0.5" }] } },
    });
    let all = [
        Charged { quantity: "12", ..charge() },
        Charged { quantity: "3", tags: &[("pricePerUnit", "0.02")], ..charge() },
        Charged { quantity: "4", ..charge() },
        Charged { quantity: "2", dimension: "gpu", tags: &[("pricePerUnit", "7")], ..charge() },
    ];
    let costs: Vec<_> = published_rows(&config, &all).iter().map(|row| row["cost/cost"].clone()).collect();
    assert_eq!(costs, ["11", "0.06", "2", "14"]);
}

#[test]
fn prices_that_need_the_whole_month_are_surveyed() {
    let config = json!({
        "root": "costs",
        "prices": { "cpu": { "tiers": [{ "up_to": "10", "price": "1" }, { "price": "0.5" }], "mode": "volume" } },
    });
    let all: Vec<_> = (0..250).map(|_| Charged { quantity: "0.1", ..charge() }).collect();
    assert!(published_rows(&config, &all).iter().all(|row| row["cost/cost"] == "0.05"));
}

#[test]
fn a_tag_that_the_last_charge_alone_has_is_a_column_of_all() {
    let last = Charged { tags: &[("team", "blue"), ("env", "prod")], ..charge() };
    let mut all = vec![charge(); 9_999];
    all.push(last);
    let config = json!({ "root": "costs", "prices": { "cpu": "1" }, "columns": { "resource/id": "{customer}", "resource/tag:by": "{dimension}" } });
    let rows = published_rows(&config, &all);
    assert_eq!(rows.len(), 10_000);
    let tags = |row: usize| ["by", "env", "team"].map(|key| rows[row][&format!("resource/tag:{key}")].clone());
    assert_eq!((tags(0), tags(9_999)), (["cpu", "", ""].map(String::from), ["cpu", "prod", "blue"].map(String::from)));
    let config = json!({ "root": "costs", "prices": { "cpu": "1" }, "columns": { "resource/id": "{customer}" }, "tags": ["team", "none"] });
    let rows = published_rows(&config, &all[9_999..]);
    let tags: Vec<_> = rows[0].iter().filter(|(column, _)| column.starts_with("resource/tag:")).collect();
    assert_eq!(tags, [(&"resource/tag:team".to_owned(), &"blue".to_owned())]);
}

#[test]
fn columns_stand_in_the_documented_order_and_defaults_can_be_left_out() {
    let folder = stage();
    let config = json!({
        "root": "costs",
        "columns": {
            "k8s/labels": "{{\"a\":\"{dimension}\"}}", "resource/region": "no-region", "time/usage_end": "{end}", "lineitem/type": "",
            "lineitem/id": "row-{id}", "resource/id": "vm:{customer}", "cost/cost": "{quantity}", "resource/tag:z": "1", "resource/tag:A": "2",
            "usage/units": "h", "bill/invoice_id": "",
        },
    });
    let all = [Charged { id: 0xabc, tags: &[("m", "3")], ..charge() }];
    let (id, _) = published(&config, outline("20220317T171218Z", month("20220316T000000Z"), &all), &all).unwrap();
    let place = folder.path().join("costs/20220301-20220401");
    assert_eq!(
        unzipped(&files(place.join(id))[0]),
        "lineitem/id,time/usage_start,time/usage_end,resource/id,resource/region,usage/amount,usage/units,cost/cost,cost/discounted_cost,\
         cost/amortized_cost,cost/discounted_amortized_cost,k8s/labels,resource/tag:A,resource/tag:m,resource/tag:z\n\
         row-00000000000000000000000000000abc,2022-03-16T13:00:00Z,2022-03-16T14:00:00Z,vm:acme,no-region,1,h,1,1,1,1,\"{\"\"a\"\":\"\"cpu\"\"}\",2,3,1\n"
    );
    assert_eq!(ingested(folder.path().join("costs")).0, [""; 0]);
}

#[test]
fn cleaned_tags_and_encoded_resources_are_taken() {
    let config =
        told(json!({ "tag_keys": "clean", "resource_id": "encode", "columns": { "resource/id": "aws:{customer}" } }));
    let one = Charged {
        customer: "arn:aws/x 100%",
        tags: &[("Team Name", "a b"), ("Product&Dev", "c")],
        attributes: &[("cost", "1")],
        ..charge()
    };
    let row = &published_rows(&config, &[one])[0];
    assert_eq!(row["resource/id"], "aws:arn%3Aaws%2Fx 100%25");
    assert_eq!((row["resource/tag:Team-Name"].as_str(), row["resource/tag:Product-Dev"].as_str()), ("a b", "c"));
}

#[test]
fn python_reads_every_value_as_it_was() {
    let folder = stage();
    let nasty = [
        "a,b",
        "say \"so\"",
        "\"",
        "line\nbreak",
        "crlf\r\nend",
        "\r",
        "\n",
        "🙂 ünï",
        "=1+1",
        "@x",
        " lead and trail ",
        "'",
        "\\",
        "a\tb",
        "\u{feff}x",
        ",",
        "plain",
    ];
    let attributes: Vec<_> = nasty.iter().map(|value| [("cost", "1"), ("value", *value), ("id", "x")]).collect();
    let tags: Vec<_> = nasty.iter().map(|value| [("t", *value)]).collect();
    let all: Vec<_> =
        attributes.iter().zip(&tags).map(|(attributes, tags)| Charged { attributes, tags, ..charge() }).collect();
    let all = numbered(all);
    let config = told(
        json!({ "columns": { "lineitem/description": "{attribute.value}", "resource/account": "<{attribute.value}{customer}{id}>" } }),
    );
    let (id, _) = published(&config, outline("20220317T171218Z", month("20220316T000000Z"), &all), &all).unwrap();
    let file = files(folder.path().join("costs/20220301-20220401").join(id)).remove(0);
    let program = "import csv,gzip,json,sys; print(json.dumps(list(csv.DictReader(gzip.open(sys.argv[1],'rt',encoding='utf-8',newline='')))))";
    let output = Command::new("python3").args(["-c", program]).arg(file).output().unwrap();
    let read: Vec<std::collections::BTreeMap<String, String>> = serde_json::from_slice(&output.stdout).unwrap();
    for ((row, value), number) in read.iter().zip(nasty).zip(1..) {
        assert_eq!((row["lineitem/description"].as_str(), row["resource/tag:t"].as_str()), (value, value));
        assert_eq!(row["resource/account"], format!("<{value}acme{number:032x}>"));
    }
    assert_eq!(read.len(), nasty.len());
    assert_eq!(ingested(folder.path().join("costs")).0, [""; 0]);
    // And NUL is none of them.
    let odd = [Charged { tags: &[("t", "a\0b")], attributes: &[("cost", "1"), ("id", "x")], ..charge() }];
    assert!(objections(&config, &charges(&odd))[0].1.contains("resource/tag:t: it has a NUL character"));
    let error = published(&config, outline("20220317T171218Z", month("20220316T000000Z"), &odd), &odd).unwrap_err();
    assert!(words(error).contains("NUL"));
}
