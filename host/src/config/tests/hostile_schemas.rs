//! Schemas of a plugin that means no good: refused with a reason, without a crash and without a wait.

use super::*;

fn checked(schema: &str) -> String {
    let pipeline = read(SAMPLE).unwrap();
    match check_against_schema(&pipeline, &pipeline.source.plugin, schema) {
        Ok(()) => "fits".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn a_hostile_schema_is_refused_and_not_waited_for() {
    let fault = |reason: &str| {
        format!(
            "pipeline.toml:9:10: the plugin of `source` has a schema that cannot be used: {reason}; that is a fault of the plugin, not of this file"
        )
    };
    let large = format!("{{\"description\": \"{}\"}}", "x".repeat(300_000));
    assert_eq!(checked(&large), fault("it has 300019 bytes, more than 262144"));
    assert_eq!(checked(r#"{"$ref": "file:///etc/passwd"}"#), fault("a `$ref` in it leads outside or nowhere"));
    let deep = format!("{}{{}}{}", r#"{"not":"#.repeat(2000), "}".repeat(2000));
    assert_eq!(checked(&deep), fault("it is not JSON: recursion limit exceeded at line 1 column 890"));

    // Each level applies the one below twice: 2^40 checks of one value.
    let level = |level: usize, twice: bool| {
        let below = format!(r##"{{"$ref": "#/$defs/l{}"}}"##, level - 1);
        let again = if twice { format!(", {below}") } else { String::new() };
        format!(r#", "l{level}": {{"allOf": [{below}{again}]}}"#)
    };
    let schema = |levels: usize, twice: bool| {
        let defs: String = (1..=levels).map(|number| level(number, twice)).collect();
        format!(r##"{{"$ref": "#/$defs/l{levels}", "$defs": {{"l0": {{"type": "string"}}{defs}}}}}"##)
    };
    assert_eq!(checked(&schema(40, true)), fault("it repeats itself too often to be checked"));
    assert_eq!(checked(&schema(2000, false)), fault("it is nested too deeply"));
    let string = "pipeline.toml:11:1: `source.config` must be a string, not a table";
    assert_eq!(checked(&schema(40, false)), string);

    let circle = r##"{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}"##;
    assert_eq!(checked(circle), fault("a `$ref` in it runs in a circle"));
    assert_eq!(checked(r#"{"$dynamicRef": "x"}"#), fault("it uses `$dynamicRef`"));
    assert_eq!(checked(r#"{"not": {"$id": "x"}}"#), fault("a part of it has an `$id`"));
}

#[test]
fn a_schema_may_be_recursive_where_it_descends() {
    let tree = r##"{"additionalProperties": {"anyOf": [{"type": "string", "pattern": "^[^3]*$"}, {"$ref": "#"}]}}"##;
    assert_eq!(checked(tree), "fits");
    let path = "`source.config.fields.quantity` must be a list, not \"/value\"";
    let lists = r#"{"properties": {"fields": {"properties": {"quantity": {"type": "array"}}}}}"#;
    assert_eq!(checked(lists), format!("pipeline.toml:12:102: {path}"));
}
