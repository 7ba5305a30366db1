//! What stands in the cells.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::*;
use meterhost_sdk::Decimal;
use meterhost_sdk::testing::Charged;
use serde_json::{Value, json};

#[test]
fn a_set_is_written_in_the_documented_order_with_its_defaults() {
    let folder = stage();
    let all = [Charged {
        id: 0xabc,
        product: "vault",
        quantity: "1.50",
        tags: &[("plan", "gold"), ("team", "a \"b\"")],
        attributes: &[("unit", "Hours")],
        ..charge()
    }];
    let config = priced(
        json!({ "prices": { "cpu": "0.5" }, "columns": { "ResourceId": "{tag.plan}", "x_Plan": "{tag.plan}" } }),
    );
    let (id, written) = published(&config, march(&all), &all).unwrap();
    let totals = ["BilledCost", "EffectiveCost", "ContractedCost", "ListCost"];
    assert_eq!(written.totals, totals.map(|name| (name.to_owned(), Decimal::parse("0.75").unwrap())));
    let month = folder.path().join("costs/20220301-20220401");
    let manifest = std::fs::read(month.join("manifest.json")).unwrap();
    assert_eq!(manifest, br#"{"version":"1.3.0","current_drop_id":"20220317T171218Z"}"#);
    let text = std::fs::read_to_string(month.join(id).join("focus-0001.csv")).unwrap();
    assert_eq!(
        text,
        "BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,ChargeClass,\
         ChargeDescription,ChargeFrequency,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,ContractedCost,EffectiveCost,\
         InvoiceId,InvoiceIssuerName,ListCost,PricingQuantity,PricingUnit,ProviderName,PublisherName,ResourceId,ServiceCategory,ServiceName,\
         ServiceSubcategory,Tags,x_ChargeId,x_Plan\n\
         0.75,acme,acme,USD,2022-04-01T00:00:00Z,2022-03-01T00:00:00Z,Usage,,cpu,Usage-Based,2022-03-16T14:00:00Z,2022-03-16T13:00:00Z,\
         1.5,Hours,0.75,0.75,,Example,0.75,1.5,Hours,Example,Example,gold,Databases,vault,Other (Databases),\
         \"{\"\"plan\"\":\"\"gold\"\",\"\"team\"\":\"\"a \\\"\"b\\\"\"\"\"}\",00000000000000000000000000000abc,gold\n"
    );
}

#[test]
fn decimals_are_exact_and_plain_and_have_a_point() {
    let costs = ["0.30", "1e-7", "12.3400", "-12", "1E3", "0", "12345678901234567890123456789"];
    let attributes = costs.map(|cost| [("cost", cost)]);
    let all: Vec<_> = attributes.iter().map(|attributes| Charged { attributes, quantity: "7", ..charge() }).collect();
    let rows = published_rows(&told(json!({})), &all);
    let plain = ["0.3", "0.0000001", "12.34", "-12.0", "1000.0", "0.0", "12345678901234567890123456789.0"];
    let written: Vec<_> = rows.iter().map(|row| (row["ListCost"].as_str(), row["PricingQuantity"].as_str())).collect();
    assert_eq!(written, plain.map(|cost| (cost, "7.0")));
}

#[test]
fn costs_equal_the_billed_one_unless_they_are_given() {
    let one = |attributes| Charged { attributes, ..charge() };
    let all = [one(&[("cost", "5"), ("net", "3"), ("list", "8")]), one(&[("cost", "-1"), ("net", "0"), ("list", "0")])];
    let config = told(json!({ "columns": { "EffectiveCost": "{attribute.net}", "ListCost": "{attribute.list}" } }));
    let rows = published_rows(&config, &all);
    let costs =
        |row: usize| ["BilledCost", "EffectiveCost", "ContractedCost", "ListCost"].map(|name| rows[row][name].clone());
    assert_eq!(
        (costs(0), costs(1)),
        (["5.0", "3.0", "5.0", "8.0"].map(String::from), ["-1.0", "0.0", "-1.0", "0.0"].map(String::from))
    );
    let folder = stage();
    let all = numbered(all);
    let (_, written) = published(&config, march(&all), &all).unwrap();
    let totals: Vec<_> = written.totals.iter().map(|(name, total)| format!("{name} {total}")).collect();
    assert_eq!(totals, ["BilledCost 4", "EffectiveCost 3", "ContractedCost 4", "ListCost 8"]);
    drop(folder);
}

#[test]
fn costs_follow_from_prices_and_from_the_charges_own() {
    let config = priced(json!({
        "unit_price": "{tag.price}", "tags": [],
        "prices": { "cpu": { "tiers": [{ "up_to": "10", "price": "1" }, { "price": "0.5" }] } },
    }));
    let all = [
        Charged { quantity: "12", ..charge() },
        Charged { quantity: "3", tags: &[("price", "0.02")], ..charge() },
        Charged { quantity: "4", ..charge() },
        Charged { quantity: "2", dimension: "gpu", tags: &[("price", "7")], ..charge() },
    ];
    let rows = published_rows(&config, &all);
    let costs: Vec<_> = rows.iter().map(|row| row["EffectiveCost"].as_str()).collect();
    assert_eq!(costs, ["11.0", "0.06", "2.0", "14.0"]);
    assert!(!rows[0].contains_key("Tags"));
    // Prices that need the whole month.
    let config = priced(json!({
        "prices": { "cpu": { "tiers": [{ "up_to": "10", "price": "1" }, { "price": "0.5" }], "mode": "volume" } },
    }));
    let all: Vec<_> = (0..250).map(|_| Charged { quantity: "0.1", ..charge() }).collect();
    assert!(published_rows(&config, &all).iter().all(|row| row["BilledCost"] == "0.05"));
}

#[test]
fn a_quantity_is_empty_where_focus_has_none() {
    let one = |attributes| Charged { attributes, ..charge() };
    let all = [
        one(&[("cost", "1"), ("category", "Usage"), ("frequency", "Usage-Based")]),
        one(&[("cost", "1"), ("category", "Tax"), ("frequency", "One-Time")]),
        one(&[("cost", "1"), ("category", "Purchase"), ("frequency", "Recurring")]),
        one(&[("cost", "-1"), ("category", "Credit"), ("frequency", "One-Time")]),
        one(&[
            ("cost", "1"),
            ("category", "Usage"),
            ("frequency", "Usage-Based"),
            ("commitment", "c1"),
            ("status", "Unused"),
        ]),
    ];
    let config = told(json!({ "columns": {
        "ChargeCategory": "{attribute.category}", "ChargeFrequency": "{attribute.frequency}",
        "CommitmentDiscountId": "{attribute.commitment}", "CommitmentDiscountStatus": "{attribute.status}",
    } }));
    let rows = published_rows(&config, &all);
    let written: Vec<_> = rows
        .iter()
        .map(|row| {
            ["PricingQuantity", "PricingUnit", "ConsumedQuantity", "ConsumedUnit"].map(|name| row[name].as_str())
        })
        .collect();
    let (priced, nothing) = (["1.0", "cpu", "", ""], ["", "", "", ""]);
    assert_eq!(written, [["1.0", "cpu", "1.0", "cpu"], nothing, priced, priced, priced]);
}

#[test]
fn tags_are_objects_of_what_each_charge_has() {
    let all = [
        charge(),
        Charged { tags: &[("a", "1"), ("b", "2"), ("ü\\", "\n🙂")], ..charge() },
        Charged { tags: &[("b", "")], ..charge() },
        Charged { tags: &[("a", "1"), ("b", "2"), ("ü\\", "\n🙂")], ..charge() },
    ];
    let tags = |rows: Vec<std::collections::BTreeMap<String, String>>| -> Vec<Option<Value>> {
        let parsed = |text: &String| (!text.is_empty()).then(|| serde_json::from_str(text).unwrap());
        rows.iter().map(|row| parsed(&row["Tags"])).collect()
    };
    let whole = Some(json!({ "a": "1", "b": "2", "ü\\": "\n🙂" }));
    for config in [priced(json!({})), priced(json!({ "tags": "all" }))] {
        assert_eq!(tags(published_rows(&config, &all)), [None, whole.clone(), Some(json!({ "b": "" })), whole.clone()]);
    }
    let some = tags(published_rows(&priced(json!({ "tags": ["a", "none"] })), &all));
    assert_eq!(some, [None, Some(json!({ "a": "1" })), None, Some(json!({ "a": "1" }))]);
    let told = priced(json!({ "columns": { "Tags": "{{\"dimension\":\"{dimension}\"}}" } }));
    assert_eq!(tags(published_rows(&told, &all[..1])), [Some(json!({ "dimension": "cpu" }))]);
}

#[test]
fn what_is_left_out_and_what_is_put_in_its_place() {
    let config = priced(json!({
        "provider": "{Example}", "currency": "EUR",
        "columns": {
            "ChargeFrequency": "", "ConsumedQuantity": "", "InvoiceId": "", "ServiceSubcategory": "", "Tags": "", "x_ChargeId": "", "x_b": "1", "x_A": "{customer}",
            "BillingAccountId": "account/{customer}", "InvoiceIssuerName": "Reseller", "ServiceName": "Vault",
        },
    }));
    let row = &published_rows(&config, &[charge()])[0];
    let absent = [
        "ChargeFrequency",
        "ConsumedQuantity",
        "ConsumedUnit",
        "InvoiceId",
        "ServiceSubcategory",
        "Tags",
        "x_ChargeId",
    ];
    assert_eq!(absent.iter().find(|name| row.contains_key(**name)), None);
    let written = [
        "ProviderName",
        "PublisherName",
        "InvoiceIssuerName",
        "BillingCurrency",
        "BillingAccountId",
        "BillingAccountName",
        "ServiceName",
        "x_A",
        "x_b",
    ];
    assert_eq!(
        written.map(|name| row[name].as_str()),
        ["{Example}", "{Example}", "Reseller", "EUR", "account/acme", "acme", "Vault", "acme", "1"]
    );
}

#[test]
fn every_value_comes_back_as_it_was() {
    let nasty = [
        "a,b",
        "say \"so\"",
        "line\nbreak",
        "crlf\r\nend",
        "🙂 ünï",
        "=1+1",
        " lead and trail ",
        "\\",
        "a\tb",
        "plain",
    ];
    let attributes: Vec<_> = nasty.iter().map(|value| [("value", *value)]).collect();
    let all: Vec<_> = attributes.iter().map(|attributes| Charged { attributes, ..charge() }).collect();
    let rows = published_rows(
        &priced(json!({ "columns": { "ChargeDescription": "<{attribute.value}>", "x_V": "{attribute.value}" } })),
        &all,
    );
    for (row, value) in rows.iter().zip(nasty) {
        assert_eq!((row["ChargeDescription"].as_str(), row["x_V"].as_str()), (format!("<{value}>").as_str(), value));
    }
    assert_eq!(rows.len(), nasty.len());
}

#[test]
fn what_a_commitment_costs_is_no_effective_cost_of_its_purchase() {
    let config = told(json!({
        "columns": {
            "ChargeCategory": "{attribute.type}", "ChargeFrequency": "Recurring", "CommitmentDiscountId": "{attribute.commitment}",
            "CommitmentDiscountCategory": "{attribute.kind}", "CommitmentDiscountType": "{attribute.kind}",
            "CommitmentDiscountStatus": "{attribute.status}",
        },
    }));
    let one = |attributes| Charged { attributes, ..charge() };
    let all = [
        one(&[("cost", "90"), ("type", "Purchase"), ("commitment", "c-1"), ("kind", "Spend")]),
        one(&[("cost", "3"), ("type", "Usage"), ("commitment", "c-1"), ("kind", "Spend"), ("status", "Used")]),
        one(&[("cost", "5"), ("type", "Purchase")]),
        one(&[("cost", "-2"), ("type", "Credit")]),
    ];
    let rows = published_rows(&config, &all);
    let columns = ["BilledCost", "EffectiveCost", "ContractedCost", "ListCost"];
    let written: Vec<_> = rows.iter().map(|row| columns.map(|column| row[column].as_str())).collect();
    let expected = [["90.0", "0.0", "90.0", "90.0"], ["3.0"; 4], ["5.0"; 4], ["-2.0"; 4]];
    assert_eq!(written, expected);
}

#[test]
fn the_charges_id_is_a_column_unless_another_is_called_so() {
    for (name, text) in [("x_chargeid", "{id}"), ("x_ChargeId", "")] {
        let config = told(json!({ "columns": { name: text } }));
        let rows = published_rows(&config, &[Charged { attributes: &[("cost", "1")], ..charge() }]);
        let own: Vec<_> = rows[0].keys().filter(|column| column.starts_with("x_")).collect();
        assert_eq!(own.len(), usize::from(!text.is_empty()), "{name}: {own:?}");
    }
}
