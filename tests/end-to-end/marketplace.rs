//! Records of usage in DynamoDB, billed to AWS Marketplace: the guide's tables, its examples, and what its own code gets wrong.

use std::collections::BTreeMap;

use metering_emulator::{License, Settings};
use serde_json::json;

use crate::market::{ACME, Market, OTHER, PRODUCT, SECOND};
use crate::support::Backend;

/// 2024-02-15T14:05:45.678Z in the guide; here an hour of the day before now's limit of 24 hours.
const AT: i64 = 1_771_164_345_678; // 2026-02-15T14:05:45.678Z
const HOUR: &str = "2026-02-15T14:00:00Z";
/// An hour before.
const BEFORE: i64 = AT - 3_600_000;

fn guide(market: &Market) {
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 1000, PRODUCT, "users", "7");
    market.item(ACME, AT + 2000, PRODUCT, "api_calls", "10");
    market.item(ACME, AT + 3000, SECOND, "users", "5");
    market.item(OTHER, AT + 4000, PRODUCT, "users", "2");
}

#[test]
fn the_guides_records_are_billed_once_and_marked_as_its_readers_expect() {
    let market = Market::new();
    guide(&market);
    market.run().expect(0);
    let billed: Vec<_> = market.billed().into_iter().collect();
    let one = |customer: &str, product: &str, dimension: &str, quantity: &str| {
        let key = (customer.to_owned(), product.to_owned(), dimension.to_owned(), HOUR.to_owned());
        (key, quantity.to_owned())
    };
    assert_eq!(
        billed,
        [
            one(ACME, PRODUCT, "api_calls", "10"),
            one(ACME, PRODUCT, "users", "12"),
            one(ACME, SECOND, "users", "5"),
            one(OTHER, PRODUCT, "users", "2"),
        ]
    );
    for item in market.items() {
        assert_eq!(item["metering_pending"]["S"], "false", "{item:#}");
        assert_eq!(item["metering_failed"]["BOOL"], false, "{item:#}");
        let response = item["metering_response"]["S"].as_str().unwrap();
        let response: serde_json::Value = serde_json::from_str(response).unwrap();
        assert_eq!(response["Results"][0]["Status"], "Success", "{item:#}");
    }
    let first = market.get(ACME, AT).unwrap();
    let response: serde_json::Value = serde_json::from_str(first["metering_response"]["S"].as_str().unwrap()).unwrap();
    assert_eq!(response["Results"][0]["UsageRecord"]["Quantity"], 12, "the sum of the record's hour");
    let totals = |product, customer| market.totals(product, customer).into_iter().collect::<Vec<_>>();
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, total)| ((*name).to_owned(), (*total).to_owned())).collect()
    };
    assert_eq!(totals(PRODUCT, ACME), own(&[("api_calls", "10"), ("users", "12")]));
    assert_eq!(totals(SECOND, ACME), own(&[("users", "5")]));
    assert_eq!(totals(PRODUCT, OTHER), own(&[("users", "2")]));
    market.fits_the_model();
    let calls = market.calls();
    market.run().expect(0);
    assert_eq!(market.calls(), calls, "a second run calls nothing");
    assert_eq!(totals(PRODUCT, ACME), own(&[("api_calls", "10"), ("users", "12")]));
}

/// How many records each call of the service held.
fn sizes(market: &Market) -> Vec<usize> {
    let bodies =
        market.emulator.requests().into_iter().map(|request| String::from_utf8_lossy(&request.raw_body).into_owned());
    bodies.map(|body| body.matches("\"Timestamp\"").count()).collect()
}

#[test]
fn sixty_groups_go_in_calls_of_25_25_and_10() {
    let market = Market::new();
    for number in 0..60 {
        market.item(&format!("{:012}", 500_000_000_000_u64 + number), AT, PRODUCT, "users", "3");
    }
    market.run().expect(0);
    assert_eq!(market.billed().len(), 60);
    assert_eq!(sizes(&market), [25, 25, 10]);
}

#[test]
fn records_of_100_kilobytes_are_all_billed_though_a_page_of_the_index_holds_nine_of_them() {
    let market = Market::new();
    for number in 0..20 {
        market.put(&json!({
            "customerAWSAccountId": { "S": ACME }, "create_timestamp": { "N": (AT + number).to_string() },
            "productCode": { "S": PRODUCT }, "dimension": { "S": "users" }, "quantity": { "N": "1" },
            "metering_pending": { "S": "true" }, "notes": { "S": "x".repeat(100_000) },
        }));
    }
    market.run().expect(0);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["20"]);
    assert!(market.items().iter().all(|item| item["metering_pending"]["S"] == "false"));
}

#[test]
fn what_is_written_during_a_run_is_billed_in_the_next_one() {
    let mut market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    let stopped = market.stopped_at("claimed");
    // The same customer, dimension and hour; and one of the hour that is running.
    market.item(ACME, AT + 1, PRODUCT, "users", "7");
    market.item(ACME, AT + 2 * 3_600_000, PRODUCT, "users", "9");
    stopped.go_on().expect(0);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["5"]);
    // What is late for its hour goes with the next one, and the running hour once it is over.
    market.at("2026-02-15T17:05:00Z");
    market.run().expect(0);
    let billed: Vec<(String, String)> =
        market.billed().into_iter().map(|((.., hour), quantity)| (hour, quantity)).collect();
    let expected = [(HOUR, "5"), ("2026-02-15T15:00:00Z", "7"), ("2026-02-15T16:00:00Z", "9")];
    assert_eq!(billed, expected.map(|(hour, quantity)| (hour.to_owned(), quantity.to_owned())));
}

#[test]
fn the_records_of_the_samples_format_are_billed_wholly() {
    let market = Market::with_key("customerIdentifier");
    market.replace("config = { table", "config = { format = \"dimension-usage\", table");
    market.replace(", subscribers = \"${SUBSCRIBERS_TABLE}\"", "");
    let config =
        "plugin = \"aws-marketplace\"\nconfig = { identity = \"customer-identifier\", product = \"abc123xyz456\" }";
    market.replace("plugin = \"aws-marketplace\"", config);
    let usage =
        |dimension: &str, value: &str| json!({ "M": { "dimension": { "S": dimension }, "value": { "N": value } } });
    for (at, usage) in [
        (AT, json!([usage("users", "3"), usage("admin_users", "1")])),
        (AT + 5, json!([usage("users", "4"), usage("users", "2")])),
    ] {
        market.put(&json!({
            "customerIdentifier": { "S": "ifAPi5AcF3" }, "create_timestamp": { "N": at.to_string() },
            "dimension_usage": { "L": usage }, "metering_pending": { "S": "true" },
        }));
    }
    market.run().expect(0);
    let billed: BTreeMap<String, String> = market
        .billed()
        .into_iter()
        .map(|((customer, _, dimension, _), quantity)| {
            assert_eq!(customer, "ifAPi5AcF3");
            (dimension, quantity)
        })
        .collect();
    assert_eq!(
        billed,
        BTreeMap::from([("admin_users", "1"), ("users", "9")].map(|(k, v)| (k.to_owned(), v.to_owned())))
    );
    market.fits_the_model();
    for item in market.items() {
        assert_eq!(item["metering_pending"]["S"], "false", "{item:#}");
    }
}

#[test]
fn times_in_any_unit_fall_into_their_hour() {
    for (unit, digits) in
        [("s", "1771164345"), ("ms", "1771164345678"), ("us", "1771164345678901"), ("ns", "1771164345678901234")]
    {
        let market = Market::new();
        market.replace("config = { table", &format!("config = {{ timestamp = \"{unit}\", table"));
        market.put(&json!({
            "customerAWSAccountId": { "S": ACME }, "create_timestamp": { "N": digits },
            "productCode": { "S": PRODUCT }, "dimension": { "S": "users" }, "quantity": { "N": "5" },
            "metering_pending": { "S": "true" },
        }));
        market.run().expect(0);
        let billed: Vec<_> = market.billed().into_iter().map(|((.., hour), quantity)| (hour, quantity)).collect();
        assert_eq!(billed, [(HOUR.to_owned(), "5".to_owned())], "{unit}");
    }
}

#[test]
fn decimals_are_billed_to_the_sixth_place() {
    let market = Market::new();
    market.replace("plugin = \"aws-marketplace\"", "plugin = \"aws-marketplace\"\nconfig = { quantity = \"decimal\" }");
    market.item(ACME, AT, PRODUCT, "users", "1.25");
    market.item(ACME, AT + 1, PRODUCT, "users", "0.000001");
    market.run().expect(0);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["1.250001"]);
    assert_eq!(market.total(ACME, "users"), "1.250001");
    market.fits_the_model();
}

#[test]
fn a_new_product_is_billed_by_licence() {
    let licence = "arn:aws:license-manager::294406891311:license:l-0123456789abcdef";
    let license = License { product: PRODUCT.to_owned(), ..License::default() };
    let settings = Settings { licenses: Some([(licence.to_owned(), license)].into()), ..Settings::default() };
    let market = Market::on(Backend::Sqlite, settings);
    market.replace("config = { table", "config = { fields = { product = \"licenseArn\" }, table");
    market.replace(", subscribers = \"${SUBSCRIBERS_TABLE}\"", "");
    let config = "plugin = \"aws-marketplace\"\nconfig = { identity = \"account-and-license\" }";
    market.replace("plugin = \"aws-marketplace\"", config);
    market.put(&json!({
        "customerAWSAccountId": { "S": ACME }, "create_timestamp": { "N": AT.to_string() },
        "licenseArn": { "S": licence }, "dimension": { "S": "users" }, "quantity": { "N": "5" },
        "metering_pending": { "S": "true" },
    }));
    market.run().expect(0);
    let billed: Vec<_> = market.billed().into_iter().collect();
    let key = (ACME.to_owned(), licence.to_owned(), "users".to_owned(), HOUR.to_owned());
    assert_eq!(billed, [(key, "5".to_owned())]);
    market.fits_the_model();
}

#[test]
fn a_text_where_a_number_belongs_holds_what_its_customer_owes_and_nobody_elses() {
    let market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 1, PRODUCT, "api_calls", "3");
    market.item(OTHER, AT, PRODUCT, "users", "2");
    market.put(&json!({
        "customerAWSAccountId": { "S": ACME }, "create_timestamp": { "N": (AT + 2).to_string() },
        "productCode": { "S": PRODUCT }, "dimension": { "S": "users" }, "quantity": { "S": "7" },
        "metering_pending": { "S": "true" },
    }));
    market.run().expect(1);
    let billed: Vec<_> = market.billed().into_iter().map(|((who, _, what, _), much)| (who, what, much)).collect();
    let own = |who: &str, what: &str, much: &str| (who.to_owned(), what.to_owned(), much.to_owned());
    assert_eq!(billed, [own(ACME, "api_calls", "3"), own(OTHER, "users", "2")]);
    // Once it is mended, all of it is billed.
    market.item(ACME, AT + 2, PRODUCT, "users", "7");
    market.run().expect(0);
    assert!(market.billed().into_iter().any(|((who, _, what, _), much)| (who, what, much) == own(ACME, "users", "12")));
}

/// 31 March, 23:30.
const LAST_OF_MARCH: i64 = 1_774_999_800_000;

#[test]
fn the_last_hour_of_a_month_is_taken_until_six_oclock_and_reported_as_expired_after_that() {
    let mut market = Market::new();
    market.item(ACME, LAST_OF_MARCH, PRODUCT, "users", "5");
    market.at("2026-04-01T05:00:00Z");
    market.run().expect(0);
    let billed: Vec<_> = market.billed().into_iter().map(|((.., hour), quantity)| (hour, quantity)).collect();
    assert_eq!(billed, [("2026-03-31T23:00:00Z".to_owned(), "5".to_owned())]);

    let mut market = Market::new();
    market.item(ACME, LAST_OF_MARCH, PRODUCT, "users", "5");
    market.at("2026-04-01T06:01:00Z");
    market.run().expect(1).says("expired");
    assert_eq!((market.billed().len(), market.calls()), (0, 0));
    let item = market.get(ACME, LAST_OF_MARCH).unwrap();
    assert_eq!(item["metering_pending"]["S"], "true", "it is nobody's to decide but a person's");
}

#[test]
fn usage_of_25_hours_ago_does_not_spoil_its_batch() {
    let market = Market::new();
    market.item(ACME, AT - 23 * 3_600_000, PRODUCT, "users", "5");
    for number in 0..24 {
        market.item(&format!("{:012}", 500_000_000_000_u64 + number), AT, PRODUCT, "users", "3");
    }
    market.run().expect(1).says("expired");
    assert_eq!((market.billed().len(), market.calls()), (24, 1));
}

#[test]
fn late_usage_goes_with_an_hour_that_has_no_charge_and_never_collides_with_one() {
    let mut market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    // The hour after it has a charge of its own.
    market.item(ACME, AT + 3_600_000, PRODUCT, "users", "2");
    market.run().expect(0);
    market.item(ACME, AT + 1, PRODUCT, "users", "7");
    market.run().expect(0).says("2026-02-15T16");
    assert_eq!(market.billed().len(), 2, "no hour is over that could take it");
    let item = market.get(ACME, AT + 1).unwrap();
    assert_eq!(item["metering_pending"]["S"], "true");
    market.at("2026-02-15T17:05:00Z");
    market.item(ACME, AT + 2 * 3_600_000, PRODUCT, "users", "1");
    market.run().expect(0);
    let billed: Vec<_> = market.billed().into_iter().map(|((.., hour), quantity)| (hour, quantity)).collect();
    let expected = [(HOUR, "5"), ("2026-02-15T15:00:00Z", "2"), ("2026-02-15T16:00:00Z", "8")];
    assert_eq!(billed, expected.map(|(hour, quantity)| (hour.to_owned(), quantity.to_owned())));
    assert_eq!(market.totals(PRODUCT, ACME).into_values().collect::<Vec<_>>(), ["15"]);
    assert!(market.items().iter().all(|item| item["metering_pending"]["S"] == "false"));
}

#[test]
fn late_usage_whose_own_hour_is_no_longer_taken_is_reported_and_never_dated_anew() {
    let mut market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.run().expect(0);
    market.item(ACME, AT + 1, PRODUCT, "users", "7");
    market.at("2026-02-16T14:05:00Z");
    market.run().expect(1).says("expired");
    assert_eq!(market.billed().len(), 1);
}

#[test]
fn a_last_bill_takes_the_hour_that_is_running_and_what_comes_later_is_held() {
    let mut market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(ACME, AT + 2 * 3_600_000 - 300_000, PRODUCT, "users", "3");
    market.item(OTHER, AT + 2 * 3_600_000 - 300_000, PRODUCT, "users", "4");
    market.command("run", &["--final", ACME, "--until", "2026-02-15T16:04:00Z"], &[]).expect(0);
    let billed: Vec<_> = market.billed().into_iter().map(|((who, .., hour), much)| (who, hour, much)).collect();
    let own = |hour: &str, much: &str| (ACME.to_owned(), hour.to_owned(), much.to_owned());
    assert_eq!(billed, [own(HOUR, "5"), own("2026-02-15T16:00:00Z", "3")]);
    market.item(ACME, AT + 2 * 3_600_000, PRODUCT, "users", "9");
    market.at("2026-02-15T17:05:00Z");
    market.run().expect(1).says("last bill");
    assert_eq!(market.billed().len(), 3, "only the other customer's hour came to it");
}

#[test]
fn a_plan_shows_what_would_be_billed_and_claims_nothing() {
    let market = Market::new();
    guide(&market);
    market.command("plan", &[], &[]).expect(0).says("12");
    assert_eq!(market.calls(), 0);
    for item in market.items() {
        assert_eq!(item["metering_pending"]["S"], "true");
        assert_eq!(item.get("metering_claim"), None, "{item:#}");
    }
    market.run().expect(0);
    assert_eq!(market.billed().len(), 4);
}

#[test]
fn a_charge_is_explained_back_to_its_records() {
    let market = Market::new();
    guide(&market);
    market.run().expect(0);
    let shown = market.command("ledger show", &["--json"], &[]).expect(0).json();
    let charges = shown["windows"][0]["charges"].as_array().unwrap();
    let users = charges.iter().find(|charge| charge["quantity"] == "12").unwrap();
    let id = users["id"].as_str().unwrap().to_owned();
    let trail = ended_explain(&market, &id);
    assert_eq!(trail["records"], json!([format!("{ACME}/{AT}"), format!("{ACME}/{}", AT + 1000)]), "{trail:#}");
}

fn ended_explain(market: &Market, id: &str) -> serde_json::Value {
    market.command("explain", &[id, "--json"], &[]).expect(0).json()
}

#[test]
fn usage_in_a_bucket_is_billed_by_a_table_of_accounts() {
    let market = Market::new();
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/s3-marketplace");
    market.pipeline(&std::fs::read_to_string(example.join("pipeline.toml")).unwrap());
    std::fs::copy(example.join("customers.csv"), market.path("customers.csv")).unwrap();
    for hour in ["14", "15"] {
        let key = format!("bucket/usage/2026/02/15/{hour}/tenants.json");
        std::fs::create_dir_all(market.path(&key).parent().unwrap()).unwrap();
        std::fs::copy(example.join(&key), market.path(&key)).unwrap();
    }
    let mut market = market;
    market.at("2026-02-15T16:35:00Z");
    market.run().expect(1).says("everything that tenant-d owes is held");
    let billed: Vec<_> = market
        .billed()
        .into_iter()
        .map(|((who, _, what, hour), much)| (who, what, hour[11..13].to_owned(), much))
        .collect();
    let own = |who: &str, what: &str, hour: &str, much: &str| {
        (who.to_owned(), what.to_owned(), hour.to_owned(), much.to_owned())
    };
    let expected = [
        // Two tenants in one account.
        own(ACME, "api_calls", "14", "1500"),
        own(ACME, "storage_gb", "14", "17"),
        own(ACME, "storage_gb", "15", "18"),
        own(OTHER, "api_calls", "14", "42"),
        own(OTHER, "api_calls", "15", "8"),
    ];
    assert_eq!(billed, expected);
    let table = std::fs::read_to_string(market.path("customers.csv")).unwrap();
    std::fs::write(market.path("customers.csv"), format!("{table}tenant-d,333333333333,abc123xyz456\n")).unwrap();
    market.run().expect(0);
    assert_eq!(market.billed().len(), 6);
}

#[test]
fn a_ledger_that_was_lost_does_not_bill_again_what_it_had_claimed() {
    let market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    // Claimed, and perhaps billed, by a ledger that is not there any more.
    assert_eq!(market.command("run", &[], &[("METERHOST_FAILPOINT", "submitted")]).exit, -1);
    for ending in ["", "-wal", "-shm", ".head", ".lock"] {
        let _ = std::fs::remove_file(market.path(&format!("aws-marketplace.ledger.db{ending}")));
    }
    market.run().expect(1).says("claimed");
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["5"]);
    // A person has seen that it was billed, and takes it out of sight.
    market.update(ACME, AT, "SET metering_pending = :p", &json!({ ":p": { "S": "false" } }));
    market.run().expect(0);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["5"]);
}

#[test]
fn a_ledger_that_lost_its_end_bills_again_nothing_of_what_its_claims_may_have_billed() {
    let market = Market::new();
    let files = || ["", "-wal", "-shm"].map(|ending| market.path(&format!("aws-marketplace.ledger.db{ending}")));
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.run().expect(0);
    let before = files().map(|file| std::fs::read(file).ok());
    // Billed, and not marked; then a copy of yesterday is put in the place of the ledger.
    market.item(ACME, BEFORE, PRODUCT, "users", "7");
    assert_eq!(market.command("run", &[], &[("METERHOST_FAILPOINT", "telling")]).exit, -1);
    for (file, bytes) in files().iter().zip(before) {
        let _ = std::fs::remove_file(file);
        bytes.into_iter().for_each(|bytes| std::fs::write(file, bytes).unwrap());
    }
    market.run().expect(4).says("meterhost ledger accept");
    market.command("ledger accept", &["--yes"], &[]).expect(0);
    let calls = market.calls();
    for _ in 0..2 {
        market.run().expect(1).says("metering_claim").says("or one with a ledger that was lost");
    }
    assert_eq!(
        (market.calls(), market.billed().into_values().collect::<Vec<_>>()),
        (calls, vec!["7".into(), "5".into()])
    );
    // A person takes it to be billed, and lets it be offered: the service recognises it.
    market.dynamodb(
        "UpdateItem",
        &json!({
            "TableName": market.records, "UpdateExpression": "REMOVE metering_claim",
            "Key": { "customerAWSAccountId": { "S": ACME }, "create_timestamp": { "N": BEFORE.to_string() } },
        }),
    );
    market.run().expect(0);
    assert_eq!(
        (market.calls(), market.billed().into_values().collect::<Vec<_>>()),
        (calls + 1, vec!["7".into(), "5".into()])
    );
    market.marked(&[(ACME, AT), (ACME, BEFORE)], false, "\"Success\"");
    assert_eq!(market.total(ACME, "users"), "12");
    market.is_at_rest(0);
}

#[test]
fn what_a_person_decides_of_pending_records_is_told_and_counts_for_these_alone() {
    let mut market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "-5");
    market.item(OTHER, AT, PRODUCT, "users", "5");
    market.run().expect(1).says("negative");
    let resolve = |market: &Market, customer: &str, word: &str| {
        let arguments = [word, "--customer", customer, "--window", "2026-02-15T14", "--reason", "a mistake", "--yes"];
        market.command("ledger resolve", &arguments, &[]).expect(0);
    };
    resolve(&market, ACME, "waive");
    market.run().expect(0);
    let item = market.get(ACME, AT).unwrap();
    assert_eq!(item["metering_pending"]["S"], "false", "{item:#}");
    assert_eq!(item["metering_failed"]["BOOL"], false, "{item:#}");
    assert!(market.totals(PRODUCT, ACME).is_empty());
    // More for the hour is judged by itself.
    market.item(ACME, AT + 1, PRODUCT, "users", "7");
    market.run().expect(0);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["7", "5"]);
    // Late usage that somebody has billed by other means.
    market.replace("late   = \"carry\"", "late   = \"hold\"");
    market.item(ACME, AT + 2, PRODUCT, "users", "3");
    market.run().expect(1);
    resolve(&market, ACME, "billed");
    market.run().expect(0);
    let item = market.get(ACME, AT + 2).unwrap();
    assert_eq!(item["metering_pending"]["S"], "false", "{item:#}");
    market.replace("late   = \"hold\"", "late   = \"carry\"");
    market.item(ACME, AT + 3, PRODUCT, "users", "4");
    market.at("2026-02-15T16:06:00Z");
    market.run().expect(0);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["7", "4", "5"]);
}

#[test]
fn a_record_is_billed_wholly_or_not_at_all() {
    let market = Market::with_key("customerIdentifier");
    market.replace("config = { table", "config = { format = \"dimension-usage\", table");
    market.replace(", subscribers = \"${SUBSCRIBERS_TABLE}\"", "");
    let config =
        "plugin = \"aws-marketplace\"\nconfig = { identity = \"customer-identifier\", product = \"abc123xyz456\" }";
    market.replace("plugin = \"aws-marketplace\"", config);
    let put = |at: i64, users: &str, admins: &str| {
        let usage =
            |dimension: &str, value: &str| json!({ "M": { "dimension": { "S": dimension }, "value": { "N": value } } });
        market.put(&json!({
            "customerIdentifier": { "S": "ifAPi5AcF3" }, "create_timestamp": { "N": at.to_string() },
            "dimension_usage": { "L": [usage("users", users), usage("admins", admins)] }, "metering_pending": { "S": "true" },
        }));
    };
    // The total of its admins is negative: of its users nothing is billed either, since that would be to bill a part of the record.
    put(AT, "3", "-1");
    market.run().expect(1).says("its records make admins for ifAPi5AcF3 at marketplace too");
    assert_eq!(market.billed().len(), 0);
    put(AT + 1, "1", "5");
    market.run().expect(0);
    let billed: Vec<_> = market.billed().into_iter().map(|((_, _, what, _), much)| (what, much)).collect();
    assert_eq!(billed, [("admins", "4"), ("users", "4")].map(|(what, much)| (what.to_owned(), much.to_owned())));
}
