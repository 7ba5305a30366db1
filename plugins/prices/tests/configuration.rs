//! What the configuration may say, and what a person reads when it says something else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::table;
use meterhost_sdk::schemars::schema_for;
use prices::{PriceTable, Prices};

#[test]
fn all_forms_are_taken() {
    for text in [
        r#"cpu_hours = "0.05""#,
        "cpu_hours = 2",
        r#"cpu_hours = "0""#,
        r#""*" = "1e-3""#,
        r#"x = { price = "0.05" }"#,
        r#"x = { price = 1, included = 100, minimum = 5 }"#,
        r#"x = { package = "1000", price = "2", included = "1", minimum = "3" }"#,
        r#"x = { tiers = [{ price = "1" }] }"#,
        r#"x = { tiers = [{ up_to = "0.5", price = "1" }, { up_to = 2, price = "0", fee = "3" }, { price = "1" }], mode = "graduated" }"#,
        r#"x = { tiers = [{ up_to = "1", price = "1" }, { price = "1" }], mode = "volume", included = "10", minimum = "25" }"#,
    ] {
        assert_eq!(Prices::new(&table(text)).map(|_| ()), Ok(()), "{text}");
    }
}

#[test]
fn a_price_is_even_where_each_charge_costs_its_quantity_by_it() {
    for (text, uneven) in [
        (r#"x = "1""#, None),
        (r#"x = { price = "1", included = "0", minimum = "0" }"#, None),
        (r#"x = { tiers = [{ price = "1" }] }"#, None),
        (r#"x = { tiers = [{ price = "1" }], mode = "volume" }"#, None),
        (r#"x = { tiers = [{ price = "1", fee = "1" }], mode = "volume" }"#, Some("x")),
        (r#"x = { tiers = [{ up_to = "1", price = "1" }, { price = "1" }] }"#, Some("x")),
        (r#"x = { price = "1", included = "1" }"#, Some("x")),
        (r#"x = { price = "1", package = "1" }"#, Some("x")),
        // Once the month is over.
        (r#"x = { price = "1", minimum = "1" }"#, Some("x")),
        ("a = 1\nc = { price = 1, included = 1 }\nb = { price = 1, included = 1 }", Some("b")),
        ("a = 1\n\"*\" = { price = 1, included = 1 }", Some("*")),
    ] {
        assert_eq!(Prices::new(&table(text)).unwrap().uneven(), uneven, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_price_begins_with_the_key_at_fault() {
    for (text, message) in [
        (r#""" = "1""#, "prices.\"\": a dimension has a name"),
        (r#"cpu_hours = "-0.05""#, "prices.cpu_hours: a price is 0 or more, not -0.05"),
        (r#""cpu hours" = -1"#, "prices.\"cpu hours\": a price is 0 or more, not -1"),
        (r#""*" = "-1""#, "prices.\"*\": a price is 0 or more, not -1"),
        ("x = {}", "prices.x: it says no price: write `price` or `tiers`"),
        (r#"x = { included = "1" }"#, "prices.x: it says no price: write `price` or `tiers`"),
        (r#"x = { package = "1" }"#, "prices.x: it says no price: write `price` or `tiers`"),
        (r#"x = { price = "-1" }"#, "prices.x.price: a price is 0 or more, not -1"),
        (r#"x = { price = "-1", package = "2" }"#, "prices.x.price: a price is 0 or more, not -1"),
        (r#"x = { price = "1", included = "-2" }"#, "prices.x.included: what is included is 0 or more, not -2"),
        (r#"x = { price = "1", minimum = "-3" }"#, "prices.x.minimum: a minimum is 0 or more, not -3"),
        (r#"x = { price = "1", package = "0" }"#, "prices.x.package: a package holds more than 0 units, not 0"),
        (r#"x = { price = "1", package = "-0.5" }"#, "prices.x.package: a package holds more than 0 units, not -0.5"),
        (r#"x = { price = "1", mode = "volume" }"#, "prices.x.mode: it says how tiers apply, and there are none"),
        (r#"x = { mode = "graduated" }"#, "prices.x.mode: it says how tiers apply, and there are none"),
        (
            r#"x = { price = "1", tiers = [{ price = "1" }] }"#,
            "prices.x.tiers: each tier has its own price: keep either `tiers` or `price`",
        ),
        (
            r#"x = { package = "1", tiers = [{ price = "1" }] }"#,
            "prices.x.package: packages have one price, `price`, and no tiers: keep either of them",
        ),
        (
            r#"x = { price = "1", package = "1", tiers = [{ price = "1" }] }"#,
            "prices.x.tiers: each tier has its own price: keep either `tiers` or `price`",
        ),
        ("x = { tiers = [] }", "prices.x.tiers: there is no tier in it"),
        (r#"x = { tiers = [], mode = "volume" }"#, "prices.x.tiers: there is no tier in it"),
        (
            r#"x = { tiers = [{ up_to = "1", price = "1" }, { price = "-2" }] }"#,
            "prices.x.tiers[1].price: the price of tier 2 is 0 or more, not -2",
        ),
        (
            r#"x = { tiers = [{ price = "1", fee = "-5" }] }"#,
            "prices.x.tiers[0].fee: the fee of tier 1 is 0 or more, not -5",
        ),
        (
            r#"x = { tiers = [{ price = "1" }, { price = "2" }] }"#,
            "prices.x.tiers[0]: tier 1 does not say `up_to` where: only the last tier has no end",
        ),
        (
            r#"x = { tiers = [{ up_to = "1", price = "1" }, { up_to = "2", price = "2" }] }"#,
            "prices.x.tiers[1].up_to: tier 2 is the last, which has no end: leave `up_to` away, or add a tier",
        ),
        (
            r#"x = { tiers = [{ up_to = "5", price = "1" }] }"#,
            "prices.x.tiers[0].up_to: tier 1 is the last, which has no end: leave `up_to` away, or add a tier",
        ),
        (
            r#"x = { tiers = [{ up_to = "0", price = "1" }, { price = "1" }] }"#,
            "prices.x.tiers[0].up_to: tier 1 begins at 0 and ends at 0: it must end behind 0",
        ),
        (
            r#"x = { tiers = [{ up_to = "-1", price = "1" }, { price = "1" }], mode = "volume" }"#,
            "prices.x.tiers[0].up_to: tier 1 begins at 0 and ends at -1: it must end behind 0",
        ),
        (
            r#"x = { tiers = [{ up_to = "100", price = "1" }, { up_to = "100.0", price = "1" }, { price = "1" }] }"#,
            "prices.x.tiers[1].up_to: tier 2 ends at 100, and tier 1 at 100 already: tiers ascend",
        ),
        (
            r#"x = { tiers = [{ up_to = "1", price = "1" }, { up_to = "9", price = "1" }, { up_to = "8", price = "1" }, { price = "1" }] }"#,
            "prices.x.tiers[2].up_to: tier 3 ends at 8, and tier 2 at 9 already: tiers ascend",
        ),
        (
            r#"x = { tiers = [{ up_to = "0.01", price = "1" }, { up_to = "10000000000000000000000000000000000000", price = "1" }, { price = "1" }] }"#,
            "prices.x.tiers[1].up_to: from 0.01 to 10000000000000000000000000000000000000 is more than 38 digits can tell",
        ),
    ] {
        assert_eq!(Prices::new(&table(text)).map(|_| ()), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn what_cannot_be_read_says_what_was_expected() {
    for (text, message) in [
        ("x = 0.05", "a decimal must be a string"),
        ("x = { price = 0.05 }", "a decimal must be a string"),
        (r#"x = "cheap""#, "\"cheap\": not a number"),
        ("x = true", "a price such as \"0.05\", or a table"),
        (r#"x = ["1"]"#, "a price such as \"0.05\", or a table"),
        (r#"x = { price = "1", fee = "2" }"#, "unknown field `fee`"),
        (r#"x = { tiers = [{ price = "1", upto = "2" }] }"#, "unknown field `upto`"),
        (r#"x = { tiers = [{ up_to = "2" }] }"#, "missing field `price`"),
        (r#"x = { tiers = [{ price = "1" }], mode = "stairs" }"#, "unknown variant `stairs`"),
    ] {
        let error = toml::from_str::<PriceTable>(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn a_table_is_read_from_json_as_a_plugin_gets_it() {
    let text = r#"{"a": "0.05", "b": 2, "c": {"price": "1", "included": 3}, "*": {"tiers": [{"price": "1"}]}}"#;
    let prices = Prices::new(&serde_json::from_str(text).unwrap()).unwrap();
    assert!(["a", "b", "c", "d"].iter().all(|dimension| prices.has(dimension)));
}

#[test]
fn the_schema_tells_the_two_forms_apart() {
    let schema = schema_for!(PriceTable);
    let schema = schema.as_value();
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["additionalProperties"]["$ref"], "#/$defs/Price");
    let price = &schema["$defs"]["Price"];
    assert_eq!(price["then"]["$ref"], "#/$defs/Terms");
    assert_eq!(price["else"]["format"], "decimal");
    let terms = &schema["$defs"]["Terms"];
    assert_eq!(terms["additionalProperties"], false);
    let names: Vec<&String> = terms["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["included", "minimum", "mode", "package", "price", "tiers"]);
    assert_eq!(schema["$defs"]["Tier"]["required"], serde_json::json!(["price"]));
    assert_eq!(schema["$defs"]["Mode"]["enum"], serde_json::json!(["graduated", "volume"]));
}
