//! What bad input gets: a message that says what and where, and no money lost.

use crate::support::{Stage, bill};

fn good(stage: &Stage) {
    stage.usage("2025/06/01/00", "good", &[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "cpu", "4")]);
}

const FOLDER: &str = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/02/00";

/// One more object with this text: the one problem of the run, word by word, and what is billed in spite of it.
#[track_caller]
fn object(text: &str, place: &str, message: &str, billed: &[(&str, &str, &str)]) {
    object_on(&Stage::new(), text, place, message, billed);
}

/// The same, where each record says its own time.
#[track_caller]
fn timed(text: &str, place: &str, message: &str, billed: &[(&str, &str, &str)]) {
    let stage = Stage::new();
    stage.replace("time = \"path\"", "time = \"/timestamp\"");
    object_on(&stage, text, place, message, billed);
}

#[track_caller]
fn object_on(stage: &Stage, text: &str, place: &str, message: &str, billed: &[(&str, &str, &str)]) {
    good(stage);
    stage.object(&format!("{FOLDER}/bad.json"), text);
    let ended = stage.command("run", &["--json"], &[]);
    let (code, action) = match message.split(" is held").next() {
        Some("everything") => ("unreadable", "mend the object or its permissions; a run then bills the window"),
        Some("a record whose customer nobody knows") => {
            ("quarantined", "mend the record; where its charge is billed by then, the difference is held as late")
        }
        _ => ("quarantined", "mend the record; a run then bills what is held"),
    };
    let of = match code {
        "unreadable" => format!("--object {FOLDER}/bad.json"),
        _ => "--record \"OBJECT, PLACE\"".to_owned(),
    };
    let command = format!("meterhost ledger resolve FOLDER/pipeline.toml release|waive {of}");
    let expected = serde_json::json!([{
        "code": code,
        "plugin": "source (s3-reader 0.1.0)",
        "step": "reading",
        "input": format!("2025-06: {FOLDER}/bad.json{place}"),
        "message": message,
        "action": format!("{action}; or say what is to become of it:\n{command} --reason \"...\""),
    }]);
    assert_eq!(stage.problems(ended.expect(1)), expected);
    assert_eq!(stage.billed(), bill(billed));
    stage.closed_nothing();
    stage.object(&format!("{FOLDER}/bad.json"), "[]");
    stage.bills_once(ALL);
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
fn a_missing_time_holds_what_the_customer_owes_for_the_dimension() {
    timed(
        r#"[{"externalPayerId":"A","dimension":"cpu","value":1}]"#,
        ", record 1",
        "what A owes for cpu is held: time (/timestamp) is missing",
        &[("A", "memory", "3"), ("B", "cpu", "4")],
    );
}

#[test]
fn an_unreadable_time_holds_what_the_customer_owes_for_the_dimension() {
    timed(
        r#"[{"timestamp":"yesterday","externalPayerId":"A","dimension":"cpu","value":1}]"#,
        ", record 1",
        "what A owes for cpu is held: time (/timestamp) cannot be read: `yesterday` is not a text such as 2025-06-01T00:59:59Z",
        &[("A", "memory", "3"), ("B", "cpu", "4")],
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
    run.arg("--json");
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
    let expected = serde_json::json!([{
        "code": "unavailable",
        "plugin": "source (s3-reader 0.1.0)",
        "step": "reading",
        "input": "2025-06",
        "message": format!(
            "`omnistrate-metering/Postgres/PROD/pt-1/2025/06/` cannot be listed: \"{FOLDER}/\" may not be read or written by this user \
             (permission denied)"
        ),
        "action": "nothing of these windows was billed; a run reads them again",
    }]);
    assert_eq!(stage.problems(ended.expect(1)), expected);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "7")]), "the other month is not kept waiting");
    stage.run().expect(0);
    assert_eq!(stage.emulator.books().len(), 4);
}

#[test]
fn a_folder_that_is_not_there_is_no_empty_month() {
    let stage = Stage::new();
    std::fs::remove_dir_all(stage.path("bucket")).unwrap();
    let ended = stage.command("run", &["--json"], &[]);
    let expected = serde_json::json!([{
        "code": "unavailable",
        "plugin": "source (s3-reader 0.1.0)",
        "step": "reading",
        "input": "2025-06",
        "message": "`omnistrate-metering/Postgres/PROD/pt-1/2025/06/` cannot be listed: the granted folder FOLDER/bucket does not exist: create it, or mend the grant",
        "action": "nothing of these windows was billed; a run reads them again",
    }]);
    assert_eq!(stage.problems(ended.expect(1)), expected);
    assert_eq!(stage.emulator.requests().len(), 0);
    stage.closed_nothing();
    good(&stage);
    stage.bills_once(ALL);
}

/// One more object with this text, whose every record is good: the one charge that is held for it, word by word.
#[track_caller]
fn held(text: &str, code: &str, message: &str, action: &str) -> Stage {
    let stage = Stage::new();
    good(&stage);
    stage.object(&format!("{FOLDER}/more.json"), text);
    let ended = stage.command("run", &["--json"], &[]);
    let verdicts = if code == "negative" { "waive" } else { "billed|waive" };
    let expected = serde_json::json!([{
        "code": code,
        "plugin": "sink.clazar (clazar 0.1.0)",
        "step": "freezing",
        "input": "2025-06",
        "message": message,
        "action": format!(
            "{action}; or say what is to become of it:\nmeterhost ledger resolve FOLDER/pipeline.toml CHARGE {verdicts} --reason \"...\""
        ),
    }]);
    assert_eq!(stage.problems(ended.expect(1)), expected);
    assert_eq!(stage.billed(), bill(&[("A", "memory", "3"), ("B", "cpu", "4")]));
    stage.closed_nothing();
    stage
}

#[test]
fn a_fraction_is_held_where_the_service_takes_whole_numbers() {
    let stage = held(
        r#"[{"externalPayerId":"A","dimension":"cpu","value":0.5}]"#,
        "rounding",
        "cpu of A is held: 2.5 cannot be sent exactly: the service takes whole numbers only, and `round` is \"refuse\"",
        "say how to round with `round`, or bill a unit that comes out whole",
    );
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"5s\"\nround = \"up\"");
    stage.bills_once(&[("A", "cpu", "3"), ("A", "memory", "3"), ("B", "cpu", "4")]);
}

#[test]
fn a_negative_total_is_held() {
    let stage = held(
        r#"[{"externalPayerId":"A","dimension":"cpu","value":-5}]"#,
        "negative",
        "cpu of A is held: the total is negative: -3",
        "see which records are negative; a credit cannot be metered",
    );
    stage.object(&format!("{FOLDER}/more.json"), "[]");
    stage.bills_once(ALL);
}
