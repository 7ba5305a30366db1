//! What the configuration may say, and what a person reads when it says something else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::open;
use meterhost_sdk::{Error, Plugin};
use rules::{Config, RulesAggregator};

#[test]
fn what_is_wrong_with_a_rule_begins_with_the_key_at_fault() {
    let cases = [
        ("{}", "dimensions: it is empty: name the dimensions to bill, or write \"*\" = \"sum\" to bill all"),
        (r#"{"": "sum"}"#, "dimensions.\"\": a dimension has a name"),
        (r#"{"x": {"use": "sum", "divide": "0"}}"#, "dimensions.x.divide: it must be more than 0, not 0"),
        (
            r#"{"x y": {"use": "sum", "multiply": "-1.5"}}"#,
            "dimensions.\"x y\".multiply: it must be more than 0, not -1.5",
        ),
        (
            r#"{"x": {"use": "sum", "of": "user"}}"#,
            "dimensions.x.of: it belongs to use = \"unique\": it names the attribute whose values are counted",
        ),
        (
            r#"{"x": {"use": "max", "per": "pod"}}"#,
            "dimensions.x.per: it belongs to use = \"sum_of_max\": it says of what the largest quantities are taken",
        ),
        (
            r#"{"x": {"use": "sum", "every": "day"}}"#,
            "dimensions.x.every: it belongs to use = \"sum_of_max\": it says of what the largest quantities are taken",
        ),
        (r#"{"x": {"use": "sum_of_max", "per": ["a", "b", "a"]}}"#, "dimensions.x.per: it names \"a\" twice"),
        (
            r#"{"x": {"use": "sum_of_max", "per": ["a", ""]}}"#,
            "dimensions.x.per: it is the name of an attribute, not \"\"",
        ),
        (
            r#"{"x": {"use": "refuse", "every": "day"}}"#,
            "dimensions.x.every: a dimension that is dropped or refused takes no other setting but `from`",
        ),
        (r#"{"x": {"use": "unique", "of": ""}}"#, "dimensions.x.of: it is the name of an attribute, not \"\""),
        (
            r#"{"x": {"use": "sum", "as": "y"}, "y": "sum"}"#,
            "dimensions.y: dimensions.x makes the dimension \"y\" already; give one of them another name",
        ),
        (
            r#"{"x": {"use": "sum", "from": "z", "as": "y"}}"#,
            "dimensions.x.as: with `from`, the rule's own name is the one that goes out: leave `as` away",
        ),
        (
            r#"{"*": {"use": "sum", "as": "all"}}"#,
            "dimensions.\"*\".as: the rule for all other dimensions takes neither `as` nor `from`: they keep their names",
        ),
        (r#"{"x": {"use": "sum", "from": ["y", "*"]}}"#, "dimensions.x.from: it is the name of a dimension, not \"*\""),
        (r#"{"x": {"use": "sum", "as": ""}}"#, "dimensions.x.as: it is the name of a dimension, not \"\""),
        (r#"{"x": {"use": "sum", "from": ["y", "z", "y"]}}"#, "dimensions.x.from: it names \"y\" twice"),
        (
            r#"{"x": {"use": "drop", "divide": "2"}}"#,
            "dimensions.x.divide: a dimension that is dropped or refused takes no other setting but `from`",
        ),
        (
            r#"{"x": {"use": "sum", "from": "y"}, "y": "drop"}"#,
            "dimensions.y: another rule reads the dimension \"y\", so it can be neither dropped nor refused",
        ),
        (
            r#"{"x": {"use": "refuse", "from": "y"}, "y": "sum"}"#,
            "dimensions.y: another rule drops or refuses the dimension \"y\", so it cannot be read as well",
        ),
        (r#"{"x": {"use": "sum", "where": {"a": []}}}"#, "dimensions.x.where.a: it lists no value"),
        (
            r#"{"a": "sum", "x": {"use": "sum", "as": "a"}}"#,
            "dimensions.x.as: dimensions.a makes the dimension \"a\" already; give one of them another name",
        ),
        (
            r#"{"a": "drop", "x": {"use": "sum", "from": ["a", "b"]}}"#,
            "dimensions.x.from: another rule drops or refuses the dimension \"a\", so it cannot be read as well",
        ),
        (
            r#"{"*": {"use": "sum", "from": "x"}}"#,
            "dimensions.\"*\".from: the rule for all other dimensions takes neither `as` nor `from`: they keep their names",
        ),
        (
            r#"{"x": {"use": "drop", "where": {"a": "1"}}}"#,
            "dimensions.x.where: a dimension that is dropped or refused takes no other setting but `from`",
        ),
        (r#"{"x": {"use": "sum", "where": {"http.a": []}}}"#, "dimensions.x.where.\"http.a\": it lists no value"),
        (r#"{"x": {"use": "sum", "where": {"a": {}}}}"#, "dimensions.x.where.a: it says nothing"),
        (
            r#"{"x": {"use": "sum", "where": {"a": {"present": false, "not": "1"}}}}"#,
            "dimensions.x.where.a: it asks for an attribute that is not present, and compares it",
        ),
    ];
    for (dimensions, message) in cases {
        assert_eq!(open(dimensions).err(), Some(Error::Config(message.into())), "{dimensions}");
    }
}

#[test]
fn what_does_not_fit_the_schema_is_an_error_about_the_form_that_was_written() {
    let cases = [
        (
            r#"{"x": "summ"}"#,
            "unknown variant `summ`, expected one of `sum`, `count`, `min`, `max`, `average`, `sum_of_max`, `last`, `unique`, `drop`, `refuse`",
        ),
        (r#"{"x": {"as": "y"}}"#, "missing field `use`"),
        (
            r#"{"x": {"use": "sum", "devide": "2"}}"#,
            "unknown field `devide`, expected one of `use`, `of`, `per`, `every`, `where`, `from`, `as`, `multiply`, `divide`",
        ),
        (r#"{"x": {"use": "sum", "divide": "two"}}"#, "\"two\": not a number: write it like 12, -12.50 or 1.5e3"),
        (r#"{"x": {"use": "sum", "divide": 1.5}}"#, "a decimal must be a string: \"1.5\""),
        (
            r#"{"x": 1}"#,
            "invalid type: integer `1`, expected an operation such as \"sum\", or a table such as { use = \"sum\" }",
        ),
        (
            r#"{"x": {"use": "sum", "where": {"status": {"below": "2"}}}}"#,
            "expected a value, a list of values, or a comparison",
        ),
    ];
    for (dimensions, message) in cases {
        let Some(Error::Config(found)) = open(dimensions).err() else {
            unreachable!("{dimensions} is taken");
        };
        assert!(found.starts_with(&format!("{message} at line 1")), "{dimensions}: {found}");
    }
}

#[test]
fn the_schema_lists_the_operations_and_describes_every_setting() {
    let schema = serde_json::to_value(meterhost_sdk::schemars::schema_for!(Config)).unwrap();
    let text = |path: &str| schema.pointer(path).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let operations =
        serde_json::json!(["sum", "count", "min", "max", "average", "sum_of_max", "last", "unique", "drop", "refuse"]);
    assert_eq!(schema.pointer("/$defs/Operation/enum"), Some(&operations));
    assert!(
        text("/$defs/Operation/description").starts_with("\"sum\": Their quantities added up.\n\"count\": How many")
    );
    for setting in ["use", "of", "per", "every", "where", "from", "as", "multiply", "divide"] {
        assert!(!text(&format!("/$defs/Settings/properties/{setting}/description")).is_empty(), "{setting}");
    }
    assert_eq!(schema.pointer("/$defs/Period/enum"), Some(&serde_json::json!(["hour", "day"])));
    for setting in ["dimensions", "formulas", "variables", "prices"] {
        assert!(!text(&format!("/properties/{setting}/description")).is_empty(), "{setting}");
    }
    assert_eq!(schema.pointer("/required"), None, "formulas alone will do");
    assert_eq!(schema.pointer("/$defs/Formula/required"), Some(&serde_json::json!(["as", "formula"])));
    assert_eq!(schema.pointer("/$defs/Settings/additionalProperties"), Some(&false.into()));
    assert_eq!(text("/$defs/Rule/else/$ref"), "#/$defs/Settings");
}

#[test]
fn it_needs_nothing_granted() {
    assert!(RulesAggregator::about().needs.is_empty());
}
