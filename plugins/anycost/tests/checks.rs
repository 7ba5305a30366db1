//! What is refused: charges, each in words that name it, and configurations.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use anycost::AnyCost;
use common::*;
use meterhost_sdk::testing::{Charged, charges};
use meterhost_sdk::{Error, SnapshotSink, WindowKind};
use serde_json::{Value, json};

#[test]
fn a_charge_that_cannot_be_published_is_named_and_the_others_are_not() {
    type Case<'a> = (Value, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        (json!({}), &[], &[("cost", "1,5")], "cost/cost: \"1,5\""),
        (json!({}), &[], &[("cost", "+1")], "cost/cost"),
        (json!({}), &[], &[("cost", "NaN")], "cost/cost"),
        (json!({}), &[], &[], "cost/cost: it is blank"),
        (
            json!({ "columns": { "lineitem/type": "{attribute.type}" } }),
            &[],
            &[("cost", "1"), ("type", "usage")],
            "lineitem/type: \"usage\" is no type of line item; Usage is one",
        ),
        (
            json!({ "columns": { "lineitem/type": "{attribute.type}" } }),
            &[],
            &[("cost", "1"), ("type", "Credit")],
            "cost/cost: it is 1, and a row of lineitem/type Credit is never above 0",
        ),
        (
            json!({ "columns": { "lineitem/type": "{attribute.type}" } }),
            &[],
            &[("cost", "0.01"), ("type", "Discount")],
            "never above 0",
        ),
        (
            json!({ "columns": { "lineitem/type": "{attribute.type}" } }),
            &[],
            &[("cost", "-1"), ("type", "Fee")],
            "never below 0",
        ),
        (
            json!({}),
            &[("team", "a")],
            &[("cost", "1")],
            "resource/tag:team: a tag belongs to a resource, and resource/id is blank",
        ),
        (
            json!({ "columns": { "resource/tag:own": "{dimension}" } }),
            &[],
            &[("cost", "1")],
            "resource/tag:own: a tag belongs",
        ),
        (json!({}), &[], &[("cost", "1"), ("id", "a:b:c")], "resource/id: \"a:b:c\" has more than one : or /"),
        (json!({}), &[], &[("cost", "1"), ("id", "a/b:c")], "resource/id"),
        (json!({}), &[], &[("cost", "1"), ("id", ":x")], "resource/id: \":x\": CloudZero takes what is before : or /"),
        (json!({}), &[], &[("cost", "1"), ("id", "x/")], "resource/id: \"x/\": CloudZero takes"),
        (
            json!({ "columns": { "lineitem/type": "{attribute.type}", "cost/amortized_cost": "{attribute.cost}" } }),
            &[],
            &[("cost", "90"), ("type", "CommittedUsePurchase")],
            "cost/amortized_cost: it is 90, and a row of lineitem/type CommittedUsePurchase has 0",
        ),
        (
            json!({}),
            &[("Team Name", "a")],
            &[("cost", "1"), ("id", "x")],
            "tags: tag \"Team Name\": CloudZero takes letters",
        ),
        (json!({}), &[("Product&Dev", "a")], &[("cost", "1"), ("id", "x")], "\"Product&Dev\""),
        (
            json!({ "tag_keys": "clean" }),
            &[("a b", "1"), ("a-b", "2")],
            &[("cost", "1"), ("id", "x")],
            "both be written as resource/tag:a-b",
        ),
        (
            json!({ "columns": { "resource/tag:team": "x" } }),
            &[("team", "a")],
            &[("cost", "1"), ("id", "x")],
            "which `columns` gives too",
        ),
        (
            json!({ "columns": { "usage/amount": "{attribute.amount}" } }),
            &[],
            &[("cost", "1"), ("amount", "-1")],
            "usage/amount: it is -1",
        ),
        (
            json!({ "columns": { "usage/amount": "{attribute.amount}" } }),
            &[],
            &[("cost", "1"), ("amount", "many")],
            "usage/amount: \"many\"",
        ),
        (
            json!({ "columns": { "usage/amount": "{attribute.amount}", "usage/units": "h" } }),
            &[],
            &[("cost", "1")],
            "usage/units: units say nothing",
        ),
        (
            json!({ "columns": { "time/usage_end": "{attribute.end}" } }),
            &[],
            &[("cost", "1"), ("end", "tomorrow")],
            "time/usage_end: \"tomorrow\" is no time",
        ),
        (
            json!({ "columns": { "lineitem/description": "{attribute.note}" } }),
            &[],
            &[("cost", "1"), ("note", "a\0")],
            "lineitem/description: it has a NUL",
        ),
        (
            json!({ "columns": { "cost/amortized_cost": "{attribute.other}" } }),
            &[],
            &[("cost", "1"), ("other", "x")],
            "cost/amortized_cost: \"x\"",
        ),
    ];
    for (more, tags, attributes, said) in cases {
        let fine =
            Charged { attributes: &[("cost", "1"), ("id", "fine"), ("type", "Usage"), ("amount", "1")], ..charge() };
        let odd = Charged { id: 2, product: "vault", customer: "odd", dimension: "gpu", tags, attributes, ..charge() };
        let config = told(more.clone());
        let found = objections(&config, &charges(&[fine, odd]));
        let place = "product vault, customer odd, dimension gpu, window from 2022-03-16T13:00:00Z: ";
        assert!(
            matches!(found.as_slice(), [(1, reason)] if reason.starts_with(place) && reason.contains(said)),
            "{more} {said}: {found:?}"
        );
        // And what slips through is no silent row.
        let _folder = stage();
        let all = [fine, odd];
        let outline = outline("20220317T171218Z", month("20220316T000000Z"), &all);
        let error = words(published(&config, outline, &all).unwrap_err());
        assert!(error.starts_with(place) && error.contains(said), "{more} {said}: {error}");
    }
}

#[test]
fn a_charge_without_a_price_is_refused() {
    let priced = |more: Value| {
        let mut config = json!({ "root": "costs", "prices": { "cpu": "1" }, "tags": [] });
        more.as_object().unwrap().iter().for_each(|(key, value)| config[key] = value.clone());
        config
    };
    let odd = |charge: Charged<'_>, config: &Value| {
        objections(config, &charges(&[charge])).pop().map(|(_, reason)| reason).unwrap_or_default()
    };
    assert_eq!(odd(charge(), &priced(json!({}))), "");
    assert!(
        odd(Charged { dimension: "gpu", ..charge() }, &priced(json!({})))
            .contains("cost/cost: the dimension has no price")
    );
    assert!(odd(Charged { quantity: "-1", ..charge() }, &priced(json!({}))).contains("-1"));
    let own = priced(json!({ "unit_price": "{tag.price}" }));
    assert_eq!(odd(Charged { dimension: "gpu", tags: &[("price", "2")], ..charge() }, &own), "");
    assert!(odd(Charged { dimension: "gpu", ..charge() }, &own).contains("no price"));
    // What was meant is not guessed, though the table has a price.
    assert!(odd(Charged { tags: &[("price", "2 EUR")], ..charge() }, &own).contains("unit_price: \"2 EUR\""));
    let below = Charged { quantity: "2", tags: &[("price", "-3")], ..charge() };
    assert!(odd(below, &own).contains("unit_price: a price is 0 or more, not -3"));
    let credit = priced(json!({ "columns": { "lineitem/type": "Credit" } }));
    assert!(odd(charge(), &credit).contains("never above 0"));
    // What depends on the other charges of the month is not objected to alone.
    let tiers = json!([{ "up_to": "10", "price": "1" }, { "price": "0.5" }]);
    let volume = priced(json!({ "prices": { "cpu": { "tiers": tiers, "mode": "volume" } } }));
    assert_eq!(odd(charge(), &volume), "");
    let long = Charged { quantity: "1234567890123456789012345678901234567", ..charge() };
    assert_eq!(odd(long, &priced(json!({ "prices": { "cpu": { "tiers": tiers } } }))), "");
    // What does not, is.
    let digits = "cost/cost: the cost has more digits than the 38 that a decimal holds";
    assert!(odd(long, &priced(json!({ "prices": { "cpu": "0.123" } }))).contains(digits));
    assert!(odd(Charged { tags: &[("price", "0.123")], ..long }, &own).contains(digits));
}

#[test]
fn what_no_charge_has_is_named_where_it_is_missed() {
    let found = |config: Value| objections(&config, &charges(&[Charged { tags: &[("price", "2")], ..charge() }]));
    let first = |config: Value| found(config).remove(0).1;
    let cost = |text: &str| json!({ "root": "a", "tags": [], "columns": { "cost/cost": text } });
    assert!(first(cost("{tag.cost}")).ends_with("it is blank, and has to be known: no charge here has a tag cost"));
    let said = "no charge here has an attribute price (but there is a tag of this name: {tag.price})";
    assert!(first(cost("{attribute.price}")).ends_with(said));
    assert_eq!(found(cost("{tag.price}")), []);
    let unit = |text: &str| json!({ "root": "a", "tags": [], "unit_price": text, "prices": { "gpu": "1" } });
    let said = "the dimension has no price: give it one, or one to \"*\"; and unit_price is blank: no charge here has a tag Price";
    assert!(first(unit("{tag.Price}")).ends_with(said));
    assert_eq!(found(unit("{tag.price}")), []);
}

#[test]
fn a_price_below_0_is_refused_in_surveys_too() {
    let _folder = stage();
    let prices = json!({ "cpu": { "price": "1", "minimum": "5" } });
    let config = json!({ "root": "a", "tags": [], "unit_price": "{tag.price}", "prices": prices });
    let all = [Charged { tags: &[("price", "-3")], ..charge() }];
    let outline = outline("20220317T171218Z", month("20220316T000000Z"), &all);
    let error = common::words(published(&config, outline, &all).unwrap_err());
    assert!(
        error.contains("customer acme, dimension cpu") && error.contains("a price is 0 or more, not -3"),
        "{error}"
    );
}

#[test]
fn what_the_stream_is_not_described_with_is_held_there_and_taken_in_file_drops() {
    let columns = json!({ "lineitem/type": "{attribute.type}", "cost/cost": "{attribute.cost}" });
    let stream = json!({ "stream": { "connection": "c-1" }, "columns": columns });
    let drops = json!({ "root": "a", "columns": columns });
    for kind in ["CommittedUseVacancy", "CommittedUseRecurringFee"] {
        let attributes = [("type", kind), ("cost", "1")];
        let all = [charge(), Charged { attributes: &attributes, ..charge() }];
        assert_eq!(objections(&drops, &charges(&all[1..])), []);
        let found = objections(&stream, &charges(&all[1..]));
        let said =
            format!("lineitem/type: {kind}: CloudZero's published OpenAPI file of AnyCost Stream has no such type");
        assert!(matches!(found.as_slice(), [(0, why)] if why.contains(&said)), "{found:?}");
    }
    for (column, text) in [("lineitem/type", "CommittedUseVacancy"), ("lineitem/cloud_provider", "AWS")] {
        let mut streamed = stream.clone();
        streamed["columns"][column] = text.into();
        let error = plain(AnyCost::traits(config(streamed.clone()), WindowKind::Hour).unwrap_err());
        assert!(error.starts_with(&format!("columns.\"{column}\": ")) && error.contains("OpenAPI file"), "{error}");
        streamed.as_object_mut().unwrap().remove("stream");
        streamed["root"] = "a".into();
        AnyCost::traits(config(streamed), WindowKind::Hour).unwrap();
    }
}

#[test]
fn two_tags_of_a_set_never_become_one() {
    let _folder = stage();
    let config = told(json!({ "tag_keys": "clean" }));
    let one = |customer, tags| Charged { customer, tags, attributes: &[("cost", "1"), ("id", "x")], ..charge() };
    let all = numbered([
        one("u1", &[("a b", "1")]),
        one("u2", &[("a-b", "2"), ("c d", "3")]),
        one("u3", &[("c d", "3")]),
        one("u4", &[("a b", "4")]),
    ]);
    // Together, each of them is held, and the other one named: nobody knows which is meant.
    let found = objections(&config, &charges(&all));
    assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 1, 3]);
    let words = |customer: &str, tag: &str, other: &str, whose: &str| {
        format!(
            "customer {customer}, dimension cpu, window from 2022-03-16T13:00:00Z: tags: tag \"{tag}\" would be written as resource/tag:a-b, as \
             would be \"{other}\" of the charge of customer {whose}, dimension cpu, window from 2022-03-16T13:00:00Z: list in `tags` the one to \
             be written"
        )
    };
    assert_eq!(found[0].1, words("u1", "a b", "a-b", "u2"));
    assert_eq!(found[1].1, words("u2", "a-b", "a b", "u1"));
    assert_eq!(found[2].1, words("u4", "a b", "a-b", "u2"));
    // Each alone is fine, and only the set shows it.
    for charge in &all {
        assert_eq!(objections(&config, &charges(&[*charge])), []);
    }
    let march = |all: &[Charged<'_>]| outline("20220317T171218Z", month("20220316T000000Z"), all);
    let many: Vec<_> = numbered([vec![all[0]; 100], vec![all[2]; 50], vec![all[1]]].concat());
    let error = common::words(published(&config, march(&many), &many).unwrap_err());
    assert_eq!(error, words("u2", "a-b", "a b", "u1"));
    // One of them is picked; or the host knows of a tag that no charge of the set has.
    let picked = told(json!({ "tag_keys": "clean", "tags": ["a b"] }));
    assert_eq!(objections(&picked, &charges(&all)), []);
    published(&picked, march(&all), &all).unwrap();
    published(&config, march(&all), &[all[0], all[2]]).unwrap();
    let folder = stage();
    let (id, _) = published(&config, march(&all), &[all[0], all[2]]).unwrap();
    let rows = rows(&files(folder.path().join("costs/20220301-20220401").join(id))[0]);
    assert_eq!((rows[0]["resource/tag:a-b"].as_str(), rows[1]["resource/tag:a-b"].as_str()), ("1", ""));
}

#[test]
fn a_configuration_that_cannot_work_is_told_where() {
    let stream = json!({ "connection": "c-1" });
    for (config, said) in [
        (json!({}), "neither `root` nor `stream`"),
        (json!({ "root": "a", "stream": stream, "prices": { "a": "1" } }), "stream: `root` says file drops"),
        (told(json!({ "root": "" })), "root: \"\""),
        (told(json!({ "root": "/" })), "root: \"/\""),
        (told(json!({ "root": "a/" })), "slash"),
        (told(json!({ "root": "a/../b" })), ".. is no folder's name"),
        (json!({ "root": "a" }), "unit_price = \"{tag.price}\", or columns.\"cost/cost\" = \"{tag.cost}\""),
        (told(json!({ "prices": { "a": "1" } })), "prices: `columns` gives cost/cost already"),
        (told(json!({ "unit_price": "1" })), "unit_price: `columns` gives cost/cost already"),
        (json!({ "root": "a", "prices": {} }), "prices: it prices nothing"),
        (json!({ "root": "a", "unit_price": "cheap" }), "unit_price: \"cheap\""),
        (json!({ "root": "a", "unit_price": "-3" }), "unit_price: a price is 0 or more, not -3"),
        (json!({ "root": "a", "unit_price": "{price}" }), "unit_price: at character 1"),
        (json!({ "root": "a", "prices": { "cpu": "-1" } }), "prices.cpu"),
        (told(json!({ "rows_per_file": 0 })), "rows_per_file: a file has 1 to 1000000 rows"),
        (told(json!({ "rows_per_file": 1_000_001 })), "rows_per_file"),
        (
            told(json!({ "columns": { "resource/acount": "x" } })),
            "columns.\"resource/acount\": CloudZero's Common Bill Format has no such column; resource/account is one",
        ),
        (
            told(json!({ "columns": { "action/region": "x" } })),
            "columns.\"action/region\": CloudZero has given this column up; write resource/region",
        ),
        (told(json!({ "columns": { "action/account": "x" } })), "write resource/account"),
        (told(json!({ "columns": { "time/usage_start": "{start}" } })), "not configured"),
        (
            told(json!({ "columns": { "lineitem/id": "{customer}" } })),
            "columns.\"lineitem/id\": an id is of one charge alone",
        ),
        (told(json!({ "columns": { "lineitem/id": "{tag.a|id}" } })), "an id is of one charge alone"),
        (
            told(json!({ "columns": { "lineitem/type": "usage" } })),
            "columns.\"lineitem/type\": \"usage\" is no type of line item; Usage is one",
        ),
        (
            told(json!({ "columns": { "resource/id": "a:b:{customer}" } })),
            "columns.\"resource/id\": it has more than one",
        ),
        (
            told(json!({ "columns": { "resource/id": ":{customer}" } })),
            "columns.\"resource/id\": CloudZero takes what is before : or /",
        ),
        (told(json!({ "columns": { "resource/id": "vm/" } })), "one of them is empty"),
        (
            told(json!({ "columns": { "resource/id": "{custmer}" } })),
            "columns.\"resource/id\": at character 1 of \"{custmer}\": there is no {custmer}; {customer} is known",
        ),
        (told(json!({ "columns": { "resource/service": "a\0" } })), "columns.\"resource/service\": it has a NUL"),
        (told(json!({ "columns": { "resource/tag:a b": "x" } })), "columns.\"resource/tag:a b\": CloudZero takes"),
        (told(json!({ "columns": { "resource/tag:": "x" } })), "columns.\"resource/tag:\": a tag without a name"),
        (
            told(json!({ "columns": { "cost/amortized_cost": "" } })),
            "columns.\"cost/amortized_cost\": it is always written",
        ),
        (told(json!({ "columns": { "cost/amortized_cost": "free" } })), "columns.\"cost/amortized_cost\": \"free\""),
        (told(json!({ "columns": { "time/usage_end": "2022-03-16" } })), "columns.\"time/usage_end\""),
        (
            told(json!({ "columns": { "usage/amount": "", "usage/units": "h" } })),
            "columns.\"usage/units\": units say something of usage/amount only",
        ),
        (told(json!({ "tags": ["Team Name"] })), "tags: tag \"Team Name\""),
        (told(json!({ "tags": ["a b", "a-b"], "tag_keys": "clean" })), "both be written"),
        (told(json!({ "tags": ["team"], "columns": { "resource/tag:team": "x" } })), "which `columns` gives too"),
        (json!({ "stream": { "connection": "" }, "prices": { "a": "1" } }), "stream.connection"),
        (json!({ "stream": { "connection": "a/b" }, "prices": { "a": "1" } }), "stream.connection"),
        (json!({ "stream": { "connection": "a", "url": "api.cloudzero.com" }, "prices": { "a": "1" } }), "stream.url"),
        (
            json!({ "stream": { "connection": "a", "url": "https://me:you@api.cloudzero.com" }, "prices": { "a": "1" } }),
            "api_key",
        ),
        (json!({ "stream": { "connection": "a", "url": "https://" }, "prices": { "a": "1" } }), "names no host"),
        (
            json!({ "stream": { "connection": "a", "url": "https://x?y" }, "prices": { "a": "1" } }),
            "origin of CloudZero's API",
        ),
    ] {
        let error = AnyCost::traits(common::config(config.clone()), WindowKind::Hour).unwrap_err();
        assert!(matches!(&error, Error::Config(text) if text.contains(said)), "{config}: {error:?}");
    }
    for odd in [json!({ "rot": "a" }), told(json!({ "tags": "some" })), told(json!({ "tag_keys": "drop" }))] {
        assert!(serde_json::from_value::<anycost::Config>(odd).is_err());
    }
}

#[test]
fn an_hour_or_a_day_is_published_and_a_month_is_not() {
    let traits = |config, windows| AnyCost::traits(common::config(config), windows);
    let drops = traits(told(json!({})), WindowKind::Day).unwrap();
    assert_eq!(
        (drops.windows, drops.rate.is_none(), drops.surveys, drops.closes),
        (vec![WindowKind::Hour, WindowKind::Day], true, false, false)
    );
    let minimum = json!({ "root": "a", "prices": { "cpu": { "price": "1", "minimum": "5" } } });
    let minimum = traits(minimum, WindowKind::Hour).unwrap();
    assert!(minimum.surveys && minimum.closes);
    let stream =
        traits(json!({ "stream": { "connection": "c" }, "prices": { "cpu": "1" } }), WindowKind::Hour).unwrap();
    assert!(stream.rate.is_some_and(|rate| rate.burst == 1));
    let error = traits(told(json!({})), WindowKind::Month).unwrap_err();
    assert!(matches!(&error, Error::Config(text) if text.contains("has to be \"hour\" or \"day\"")), "{error:?}");
}
