//! What bad input gets: a message that says what and where, and no money lost.

use crate::support::{Stage, bill};

fn good(stage: &Stage) {
    stage.usage("2025/06/01/00", "good", &[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")]);
}

const FOLDER: &str = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/02/00";

/// One more object with this text: how the run ends, what it says, and what is billed in spite of it.
#[track_caller]
fn object(text: &str, says: &[&str], billed: &[(&str, &str, &str)]) -> Stage {
    let stage = Stage::new();
    good(&stage);
    stage.object(&format!("{FOLDER}/bad.json"), text);
    let ended = stage.run();
    ended.expect(1);
    for says in says {
        ended.says(says);
    }
    assert_eq!(stage.billed(), bill(billed));
    // Mended, everything is billed, once.
    stage.object(&format!("{FOLDER}/bad.json"), "[]");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(ALL));
    stage
}

const ALL: &[(&str, &str, &str)] = &[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")];

#[test]
fn a_malformed_object_holds_the_window() {
    object(
        "[{\"externalPayerId\":\"A\"",
        &["everything is held: it is not valid JSON: EOF while parsing an object at line 1 column 23", "bad.json"],
        &[],
    );
}

#[test]
fn an_object_of_null_holds_the_window() {
    object("null", &["it holds neither a list of records nor a record, but `null`"], &[]);
}

#[test]
fn an_empty_object_holds_the_window() {
    object("", &["it is empty, and an empty list is written `[]`"], &[]);
}

#[test]
fn an_unreadable_number_holds_what_the_customer_owes_for_the_dimension() {
    object(
        r#"[{"externalPayerId":"A","dimension":"cpu","value":"many"}]"#,
        &["what A owes for cpu is held: quantity (/value) is `many`: not a number", "bad.json, record 1"],
        &[("A", "memory", "3"), ("B", "cpu", "4")],
    );
}

#[test]
fn a_missing_quantity_holds_what_the_customer_owes_for_the_dimension() {
    object(
        r#"[{"externalPayerId":"A","dimension":"cpu"}]"#,
        &["what A owes for cpu is held: quantity (/value) is missing"],
        &[("A", "memory", "3"), ("B", "cpu", "4")],
    );
}

#[test]
fn a_missing_dimension_holds_all_that_the_customer_owes() {
    object(
        r#"[{"externalPayerId":"A","value":1}]"#,
        &["all charges of A is held: dimension (/dimension) is missing"],
        &[("B", "cpu", "4")],
    );
}

#[test]
fn a_missing_customer_holds_the_record_alone() {
    object(
        r#"[{"dimension":"cpu","value":1}]"#,
        &["a record whose customer nobody knows is held: customer (/externalPayerId) is missing"],
        ALL,
    );
}

#[test]
fn a_folder_that_is_not_there_is_no_empty_month() {
    let stage = Stage::new();
    std::fs::remove_dir_all(stage.path("bucket")).unwrap();
    stage.run().expect(1).says("bucket");
    good(&stage);
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(ALL));
}

#[test]
fn a_fraction_is_held_where_the_service_takes_whole_numbers() {
    let stage = Stage::new();
    good(&stage);
    stage.usage("2025/06/02/00", "more", &[("A", "cpu", "0.5")]);
    stage.run().expect(1).says(
        "cpu of A is held: 2.5 cannot be sent exactly: the service takes whole numbers only, and `round` is \"refuse\"",
    );
    assert_eq!(stage.billed(), bill(&[("A", "memory", "3"), ("B", "cpu", "4")]));
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"5s\"\nround = \"up\"");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "3"), ("A", "memory", "3"), ("B", "cpu", "4")]));
}

#[test]
fn a_negative_total_is_held() {
    let stage = Stage::new();
    good(&stage);
    stage.usage("2025/06/02/00", "more", &[("A", "cpu", "-5")]);
    stage.run().expect(1).says("cpu of A is held: the total is negative: -3");
    assert_eq!(stage.billed(), bill(&[("A", "memory", "3"), ("B", "cpu", "4")]));
}

/// A pipeline with one thing changed: exit 2, this message, nothing touched.
#[track_caller]
fn file(from: &str, to: &str, says: &str) {
    let stage = Stage::new();
    good(&stage);
    stage.replace(from, to);
    stage.run().expect(2).says(says);
    stage.command("check", &[], &[]).expect(2);
    assert_eq!(stage.emulator.requests().len(), 0);
    assert!(!stage.path("postgres-prod.ledger.db").exists());
}

#[test]
fn a_plugin_that_is_missing_is_named_with_the_folders() {
    file(
        "plugin = \"s3-reader\"",
        "plugin = \"s4-reader\"",
        "there is no plugin named `s4-reader`; looked for s4-reader.wasm in",
    );
}

#[test]
fn a_sink_where_a_source_belongs_is_refused() {
    file("plugin = \"s3-reader\"", "plugin = \"clazar\"", "it is a sink, and a source belongs here");
}

#[test]
fn an_unknown_key_shows_the_nearest_one() {
    file("grace  =", "grade  =", "did you mean `grace`?");
}

#[test]
fn an_unset_variable_is_named() {
    file("\"${CLAZAR_URL}\" }", "\"${CLAZAR_ULR}\" }", "CLAZAR_ULR");
}

#[test]
fn a_float_is_refused_where_it_stands() {
    file("config.dimensions = { \"*\" = \"sum\" }", "config.dimensions = { \"*\" = 1.5 }", "1.5");
}

#[test]
fn a_configuration_that_breaks_the_plugins_schema_is_refused_at_its_line() {
    file("config.layout =", "config.format = \"xml\"\nconfig.layout =", "ndjson");
}

#[test]
fn a_missing_grant_shows_the_line_that_grants_it() {
    file("grant  = { read = \"file://./bucket\" }\n", "", "this line would grant it: grant.read = \"file://./FOLDER\"");
}

#[test]
fn a_layout_that_means_nothing_is_refused() {
    let stage = Stage::new();
    stage.replace("{yyyy}/{mm}/{dd}", "{yyyy}/{dd}");
    stage.run().expect(2).says("layout: {dd} names a time only together with {mm}");
    assert!(!stage.path("postgres-prod.ledger.db").exists());
}
