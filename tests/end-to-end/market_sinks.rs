//! A table of records that two sinks bill: a record is billed wholly, by all of them, or not at all.

use serde_json::json;

use crate::market::{ACME, Market, OTHER, PRODUCT};
use crate::support::component;

const AT: i64 = 1_771_164_345_678; // 2026-02-15T14:05:45.678Z

/// The example with another sink beside it, which takes what it is offered. `takes` is what each of them takes, empty for everything.
fn with_another(market: &Market, takes: [&str; 2], way: &str) {
    let takes = takes.map(|takes| if takes.is_empty() { String::new() } else { format!("takes = [\"{takes}\"]\n") });
    market.replace("[sink.marketplace]\n", &format!("[sink.marketplace]\n{}", takes[0]));
    let text = std::fs::read_to_string(market.path("pipeline.toml")).unwrap();
    // It asks whatever answers.
    let (plugin, url) = (component("failing"), market.store.url());
    let other = format!(
        "\n[sink.other]\nplugin = \"{}\"\nconfig = {{ way = \"{way}\", resolution = \"ask\", url = \"{url}\" }}\n\
         grant.http = \"{url}\"\n{}",
        plugin.display(),
        takes[1]
    );
    std::fs::write(market.path("pipeline.toml"), text + &other).unwrap();
}

/// All charges: sink, customer, dimension, quantity, and how they stand.
fn charges(market: &Market) -> Vec<String> {
    let shown = market.command("ledger show", &["--json"], &[]).expect(0).json();
    let windows = shown["windows"].as_array().unwrap().iter();
    let charges = windows.flat_map(|window| {
        let sink = window["sink"].as_str().unwrap();
        window["charges"].as_array().unwrap().iter().map(move |charge| {
            let text = |name: &str| charge[name].as_str().unwrap().to_owned();
            format!("{sink} {} {} {} {}", text("customer"), text("dimension"), text("quantity"), text("standing"))
        })
    });
    let mut charges: Vec<String> = charges.collect();
    charges.sort();
    charges
}

#[test]
fn where_one_sink_cannot_say_what_it_accepts_nothing_of_the_window_is_billed_by_the_other_until_it_can() {
    let market = Market::new();
    with_another(&market, ["users", "admins"], "check");
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(OTHER, AT, PRODUCT, "admins", "3");
    for _ in 0..2 {
        market.run().expect(3);
        assert_eq!((market.billed().len(), charges(&market)), (0, vec![]));
        assert_eq!(market.marks(ACME, AT).0, "true");
    }
    market.replace("way = \"check\"", "way = \"proper\"");
    market.run().expect(0);
    let expected = [format!("marketplace {ACME} users 5 accepted"), format!("other {OTHER} admins 3 accepted")];
    assert_eq!(charges(&market), expected);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["5"]);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!(market.marks(OTHER, AT).0, "false");
    market.is_at_rest(0);
    assert_eq!(charges(&market), expected);
}

#[test]
fn a_last_bill_takes_no_record_that_another_sink_bills_to_somebody_else() {
    let mut market = Market::new();
    with_another(&market, ["", ""], "proper");
    std::fs::write(market.path("customers.csv"), format!("customer,id\n{ACME},tenant-a\n{OTHER},tenant-b\n")).unwrap();
    market.replace("[sink.other]\n", "[sink.other]\ncustomers = \"customers.csv\"\n");
    market.item(ACME, AT, PRODUCT, "users", "5");
    for customer in [ACME, "tenant-a"] {
        let arguments = ["--final", customer, "--until", "2026-02-15T14:30:00Z"];
        market.command("run", &arguments, &[]).expect(1).says("its records make users for");
        assert_eq!((market.billed().len(), charges(&market)), (0, vec![]));
    }
    market.at("2026-02-15T16:06:00Z");
    market.run().expect(0);
    let expected = [format!("marketplace {ACME} users 5 accepted"), "other tenant-a users 5 accepted".to_owned()];
    assert_eq!(charges(&market), expected);
    market.is_at_rest(0);
}

#[test]
fn what_one_sink_refused_of_a_record_that_another_billed_stays_open() {
    let market = Market::with_key("customerIdentifier");
    market.replace("config = { table", "config = { format = \"dimension-usage\", table");
    market.replace(", subscribers = \"${SUBSCRIBERS_TABLE}\"", "");
    let config =
        "plugin = \"aws-marketplace\"\nconfig = { identity = \"customer-identifier\", product = \"abc123xyz456\" }";
    market.replace("plugin = \"aws-marketplace\"", config);
    with_another(&market, ["users", "admins"], "proper");
    market.begin_early();
    let customer = "ifAPi5AcF3";
    let key =
        |time: i64| json!({ "customerIdentifier": { "S": customer }, "create_timestamp": { "N": time.to_string() } });
    let put = |time: i64, dimensions: &[(&str, &str)]| {
        let member = |(dimension, value): &(&str, &str)| json!({ "M": { "dimension": { "S": dimension }, "value": { "N": value } } });
        let mut item = key(time);
        item["metering_pending"] = json!({ "S": "true" });
        item["dimension_usage"] = json!({ "L": dimensions.iter().map(member).collect::<Vec<_>>() });
        market.put(&item);
    };
    put(AT, &[("users", "3"), ("admins", "1")]);
    put(AT + 1, &[("users", "5")]);
    market.emulator.unsubscribe(customer);
    market.run().expect(1);
    market.emulator.subscribe(customer);
    for time in [AT, AT + 1] {
        market.dynamodb(
            "UpdateItem",
            &json!({
                "TableName": market.records, "Key": key(time), "UpdateExpression": "SET metering_pending = :p",
                "ExpressionAttributeValues": { ":p": { "S": "true" } },
            }),
        );
    }
    // Of the first, admins are billed: nothing of it can be usage again, and what was refused of it is not forgotten.
    market.run().expect(1).says("1 record that it was made of before stays refused");
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["5"]);
    let answer = market.dynamodb("GetItem", &json!({ "TableName": market.records, "Key": key(AT) }));
    assert_eq!(answer["Item"]["metering_failed"]["BOOL"], true, "{answer:#}");
    market.is_at_rest(1);
}

#[test]
fn late_usage_of_long_ago_goes_with_a_window_of_today_though_all_between_have_their_charges() {
    let mut market = Market::new();
    let (plugin, url) = (component("failing"), market.store.url());
    market.pipeline(&format!(
        r#"
name   = "long"
window = "hour"
start  = "2026-02-10T16"
[source]
plugin = "s3-reader"
grant  = {{ read = "file://./bucket" }}
config.layout = "{{yyyy}}/{{mm}}/{{dd}}/{{hh}}/*.json"
config.fields = {{ time = "path", customer = "/customer", dimension = "/dimension", quantity = "/value" }}
[aggregate.rules]
config.dimensions = {{ "*" = "sum" }}
[sink.other]
plugin = "{}"
config = {{ way = "proper", resolution = "ask", url = "{url}" }}
grant.http = "{url}"
late   = "carry"
"#,
        plugin.display()
    ));
    let object = |day: u64, hour: u64, name: &str, value: u64| {
        let folder = market.path(&format!("bucket/2026/02/{day}/{hour:02}"));
        std::fs::create_dir_all(&folder).unwrap();
        let record = json!({ "customer": "acme", "dimension": "users", "value": value });
        std::fs::write(folder.join(name), record.to_string()).unwrap();
    };
    // 120 hours, up to the one that ends at 16:00 on the 15th.
    for hour in 16..16 + 120 {
        object(10 + hour / 24, hour % 24, "a.json", 1);
    }
    market.run().expect(0);
    object(10, 16, "late.json", 40);
    object(15, 16, "a.json", 1);
    market.run().expect(0);
    market.at("2026-02-15T17:05:00Z");
    market.run().expect(0);
    let charges = charges(&market);
    assert_eq!(charges.len(), 121);
    let quantities: Vec<&str> = charges.iter().map(|charge| charge.split(' ').nth(3).unwrap()).collect();
    assert_eq!(quantities.iter().filter(|quantity| **quantity == "41").count(), 1, "{quantities:?}");
    market.run().expect(0);
}
