//! What bad input gets: a message that says what and where, and no money lost.

use crate::support::{Stage, bill};

fn good(stage: &Stage) {
    stage.usage("2025/06/01/00", "good", &[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")]);
}

const FOLDER: &str = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/02/00";

/// One more object with this text: the one problem of the run, word by word, and what is billed in spite of it.
#[track_caller]
fn object(text: &str, place: &str, message: &str, billed: &[(&str, &str, &str)]) {
    let stage = Stage::new();
    good(&stage);
    stage.object(&format!("{FOLDER}/bad.json"), text);
    let ended = stage.command("run", &["--json"], &[]);
    let problems = ended.expect(1).json()["problems"].clone();
    let (code, action) = match message.starts_with("everything is held") {
        true => ("unreadable", "mend the object or its permissions; a run then bills the window"),
        false => ("quarantined", "mend the record; a run then bills what is held"),
    };
    let expected = serde_json::json!([{
        "code": code,
        "plugin": "source (s3-reader 0.1.0)",
        "step": "reading",
        "input": format!("2025-06: {FOLDER}/bad.json{place}"),
        "message": message,
        "action": action,
    }]);
    assert_eq!(problems, expected);
    assert_eq!(stage.billed(), bill(billed));
    let shown = stage.command("ledger show", &["--json"], &[]).json();
    assert_eq!(shown["windows"][0]["settled"], false);
    // Mended, everything is billed, once.
    stage.object(&format!("{FOLDER}/bad.json"), "[]");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(ALL));
}

const ALL: &[(&str, &str, &str)] = &[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")];

#[test]
fn a_malformed_object_holds_the_window() {
    let message = "everything is held: it is not valid JSON: EOF while parsing an object at line 1 column 23";
    object("[{\"externalPayerId\":\"A\"", "", message, &[]);
}

#[test]
fn an_object_of_null_holds_the_window() {
    let message = "everything is held: it holds neither a list of records nor a record, but `null`";
    object("null", "", message, &[]);
}

#[test]
fn an_empty_object_holds_the_window() {
    object("", "", "everything is held: it is empty, and an empty list is written `[]`", &[]);
}

#[test]
fn an_unreadable_number_holds_what_the_customer_owes_for_the_dimension() {
    object(
        r#"[{"externalPayerId":"A","dimension":"cpu","value":"many"}]"#,
        ", record 1",
        "what A owes for cpu is held: quantity (/value) is `many`: not a number: write it like 12, -12.50 or 1.5e3",
        &[("A", "memory", "3"), ("B", "cpu", "4")],
    );
}

#[test]
fn a_missing_quantity_holds_what_the_customer_owes_for_the_dimension() {
    object(
        r#"[{"externalPayerId":"A","dimension":"cpu"}]"#,
        ", record 1",
        "what A owes for cpu is held: quantity (/value) is missing",
        &[("A", "memory", "3"), ("B", "cpu", "4")],
    );
}

#[test]
fn a_missing_dimension_holds_all_that_the_customer_owes() {
    object(
        r#"[{"externalPayerId":"A","value":1}]"#,
        ", record 1",
        "everything that A owes is held: dimension (/dimension) is missing",
        &[("B", "cpu", "4")],
    );
}

#[test]
fn a_missing_customer_holds_the_record_alone() {
    object(
        r#"[{"dimension":"cpu","value":1}]"#,
        ", record 1",
        "a record whose customer nobody knows is held: customer (/externalPayerId) is missing",
        ALL,
    );
}

#[test]
fn a_folder_that_cannot_be_read_holds_its_window_and_no_other() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    good(&stage);
    stage.replace("start  = \"2025-06\"", "start = \"2025-05\"");
    stage.usage("2025/05/03/00", "a", &[("A", "cpu", "7")]);
    let closed = stage.path(&format!("bucket/{FOLDER}"));
    std::fs::create_dir_all(&closed).unwrap();
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).unwrap();
    // Whoever may read everything gives that up for this run.
    let mut run = stage.step("run");
    if std::fs::read_dir(&closed).is_ok() {
        let may = ["--inh-caps=-dac_override,-dac_read_search", "--bounding-set=-dac_override,-dac_read_search"];
        run = match std::process::Command::new("setpriv").args(may).arg("true").status() {
            Ok(status) if status.success() => crate::support::through("setpriv", &may, run),
            _ => {
                println!("skipped: this user may read every folder, and setpriv is not there to change that");
                return;
            }
        };
    }
    let ended = crate::support::ended(run.output().unwrap());
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o755)).unwrap();
    ended
        .expect(1)
        .says("2025/06/02/00")
        .says("may not be read or written by this user (permission denied)")
        .says("nothing of these windows was billed");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "7")]), "the other month is not kept waiting");
    stage.run().expect(0);
    assert_eq!(stage.emulator.books().len(), 4);
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

/// A pipeline with one thing changed: exit 2, this message, this advice, nothing touched.
#[track_caller]
fn file(from: &str, to: &str, place: &str, message: &str, action: Option<&str>) {
    let stage = Stage::new();
    good(&stage);
    stage.replace(from, to);
    let problems = stage.command("run", &["--json"], &[]).expect(2).json()["problems"].clone();
    let input = format!("{}:{place}", stage.path("pipeline.toml").display());
    let mut expected = serde_json::json!([{ "code": "configuration", "input": input, "message": message }]);
    if let Some(action) = action {
        expected[0]["action"] = action.into();
    }
    assert_eq!(problems, expected);
    stage.command("check", &[], &[]).expect(2);
    assert_eq!(stage.emulator.requests().len(), 0);
    assert!(!stage.path("postgres-prod.ledger.db").exists());
}

#[test]
fn a_plugin_that_is_missing_is_named_with_the_folders() {
    let target = std::path::Path::new(env!("CARGO_BIN_EXE_meterhost")).parent().unwrap();
    let (beside, above) = (target.join("plugins"), target.parent().unwrap().join("plugins"));
    let looked = format!(
        "there is no plugin named `s4-reader`; looked for s4-reader.wasm in {}, {}",
        beside.display(),
        above.display()
    );
    file("plugin = \"s3-reader\"", "plugin = \"s4-reader\"", "8:10", &looked, None);
}

#[test]
fn a_sink_where_a_source_belongs_is_refused() {
    let message = "this plugin is a sink, and a source belongs here";
    file("plugin = \"s3-reader\"", "plugin = \"clazar\"", "8:10", message, None);
}

#[test]
fn an_unknown_key_shows_the_nearest_one() {
    let message = "unknown key `grade` at the top of the file";
    file("grace  =", "grade  =", "4:1", message, Some("did you mean `grace`?"));
}

#[test]
fn an_unset_variable_is_named() {
    file(
        "\"${CLAZAR_URL}\" }\ngrant",
        "\"${CLAZAR_ULR}\" }\ngrant",
        "18:34",
        "the environment variable `CLAZAR_ULR` is not set",
        Some("set it, or give it a default at the top of the file: env = { CLAZAR_ULR = \"...\" }"),
    );
}

#[test]
fn a_float_is_refused_where_it_stands() {
    file(
        "config.dimensions = { \"*\" = \"sum\" }",
        "config.dimensions = { \"*\" = 1.5 }",
        "14:29",
        "1.5 is a float, and floats are not exact",
        Some("write it as a string: \"1.5\""),
    );
}

#[test]
fn a_configuration_that_breaks_the_plugins_schema_is_refused_at_its_line() {
    let message = "`source.config.format` must be \"json\" or \"ndjson\", not \"xml\"";
    file("config.layout =", "config.format = \"xml\"\nconfig.layout =", "10:17", message, None);
}

#[test]
fn a_missing_grant_shows_the_line_that_grants_it() {
    file(
        "grant  = { read = \"file://./bucket\" }\n",
        "",
        "8:10",
        "source (s3-reader 0.1.0) needs read granted, to list and read the objects that hold usage",
        Some("below [source], this line would grant it: grant.read = \"file://./FOLDER\""),
    );
}

#[test]
fn a_layout_that_means_nothing_is_refused() {
    let message = "source (s3-reader 0.1.0): layout: {dd} names a time only together with {mm}";
    file("{yyyy}/{mm}/{dd}", "{yyyy}/{dd}", "10:1", message, None);
}
