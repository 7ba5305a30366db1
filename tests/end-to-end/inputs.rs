//! Objects as others write them: CSV, compressed, under a neighbouring hour's key; and data that is not complete yet.

use std::io::Write as _;

use clazar_emulator::Fault;

use crate::support::{Stage, bill};

const FOLDER: &str = "omnistrate-metering/Postgres/PROD/pt-1";
const MARKER: &str = "omnistrate-metering/last_success_export.json";

/// A stage whose objects have this ending, written by a table of columns or fields of these names.
fn stage_of(ending: &str) -> Stage {
    let stage = Stage::new();
    stage.replace("*.json", &format!("*{ending}"));
    stage
}

fn bytes(stage: &Stage, key: &str, bytes: &[u8]) {
    let path = stage.path("bucket").join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn a_csv_is_billed_row_by_row() {
    let stage = stage_of(".csv");
    stage.object(
        &format!("{FOLDER}/2025/06/01/00/a.csv"),
        "\u{feff}region,externalPayerId,dimension,value\r\n\
         \"eu, west\",A,cpu,1\r\n\
         \"eu\r\nnorth\",A,cpu,\"2\"\r\n\
         \r\n\
         us,B,cpu,3",
    );
    stage.object(&format!("{FOLDER}/2025/06/01/01/b.csv"), "value,dimension,externalPayerId\n4,mem,B\n");
    stage.bills_once(&[("A", "cpu", "3"), ("B", "cpu", "3"), ("B", "mem", "4")]);
}

#[test]
fn a_row_that_does_not_fit_its_header_is_quarantined_and_a_header_that_lacks_a_column_holds_the_month() {
    let stage = stage_of(".csv");
    let key = format!("{FOLDER}/2025/06/01/00/a.csv");
    stage.object(&key, "externalPayerId,dimension,value\nA,cpu,1\nA,cpu\nB,cpu,2\n");
    let run = stage.run();
    run.expect(1).says("line 3").says("it has 2 fields, and the header names 3 columns");
    stage.object(&key, "externalPayerId,dimension,amount\nA,cpu,1\n");
    let other = stage_of(".csv");
    other.object(&key, "externalPayerId,dimension,amount\nA,cpu,1\n");
    other.run().expect(1).says("its header has no column `value`; it names `externalPayerId`, `dimension`, `amount`");
    assert_eq!(other.submissions(), 0);
    other.closed_nothing();
}

#[test]
fn another_delimiter_and_a_compression_are_told_by_the_file_and_the_bytes() {
    let stage = stage_of(".csv.gz");
    stage.replace("config.layout", "config.delimiter = \"\\t\"\nconfig.layout");
    let text = "externalPayerId\tdimension\tvalue\nA,Inc\tcpu\t1.0\n";
    bytes(&stage, &format!("{FOLDER}/2025/06/01/00/a.csv.gz"), &gzip(text));
    stage.bills_once(&[("A,Inc", "cpu", "1")]);
}

/// Lines of 20 records each of A and B.
fn lines() -> String {
    let line = |customer| format!("{{\"externalPayerId\":\"{customer}\",\"dimension\":\"cpu\",\"value\":1}}\n");
    format!("{}{}", line("A"), line("B")).repeat(20)
}

#[test]
fn compressed_objects_are_billed_as_what_they_hold() {
    for (ending, encode) in [(".log.gz", gzip as fn(&str) -> Vec<u8>), (".ndjson.zst", zstd)] {
        let stage = stage_of(ending);
        // Log writers append members and frames to an object.
        let appended = [encode(&lines()), encode(&lines())].concat();
        bytes(&stage, &format!("{FOLDER}/2025/06/01/00/a{ending}"), &appended);
        stage.bills_once(&[("A", "cpu", "40"), ("B", "cpu", "40")]);
    }
}

#[test]
fn a_compressed_object_that_breaks_off_is_never_read_short() {
    for (ending, encode, name) in
        [(".log.gz", gzip as fn(&str) -> Vec<u8>, "gzip"), (".ndjson.zst", zstd as fn(&str) -> Vec<u8>, "zstd")]
    {
        let stage = stage_of(ending);
        let key = format!("{FOLDER}/2025/06/01/00/a{ending}");
        let whole = [encode(&lines()), encode(&lines())].concat();
        bytes(&stage, &key, &whole[..whole.len() - 5]);
        let run = stage.run();
        run.expect(1).says(&format!("it is compressed with {name}, and breaks off before its end; store it anew"));
        assert_eq!(stage.submissions(), 0);
        stage.closed_nothing();
        bytes(&stage, &key, &whole);
        stage.run().expect(0);
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "40"), ("B", "cpu", "40")]));
    }
}

fn sampled(customer: &str, at: &str) -> String {
    format!(r#"[{{"timestamp":"{at}","externalPayerId":"{customer}","dimension":"cpu","value":1}}]"#)
}

/// Records that say their own time, which is up to an hour beside that of their keys.
fn slack(slack: &str) -> Stage {
    let stage = Stage::new();
    stage.replace("time = \"path\"", "time = \"/timestamp\"");
    stage.replace("config.layout", &format!("config.slack = \"{slack}\"\nconfig.layout"));
    for (hour, name, at) in [
        ("2025/05/31/23", "may", "2025-05-31T23:30:00Z"),
        ("2025/05/31/23", "first", "2025-06-01T00:02:00Z"),
        ("2025/06/15/12", "middle", "2025-06-15T12:00:00Z"),
        ("2025/06/30/23", "next", "2025-07-01T00:02:00Z"),
        ("2025/07/01/00", "last", "2025-06-30T23:59:59Z"),
        ("2025/07/15/12", "july", "2025-07-15T12:00:00Z"),
    ] {
        stage.object(&format!("{FOLDER}/{hour}/{name}.json"), &sampled(name, at));
    }
    stage
}

#[test]
fn a_record_under_the_hour_before_or_after_is_billed_in_the_month_of_its_own_time() {
    let mut stage = slack("1h");
    stage.run().expect(0);
    let june = [("first", "cpu", "1"), ("middle", "cpu", "1"), ("last", "cpu", "1")];
    assert_eq!(stage.billed(), bill(&june));
    stage.at("2025-08-01T02:00:00Z");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[&june[..], &[("next", "cpu", "1"), ("july", "cpu", "1")]].concat()));
    let sent = stage.submissions();
    stage.run().expect(0);
    assert_eq!(stage.submissions(), sent);
    // What comes late under a neighbouring hour is found, as much as under a month's own.
    stage.object(&format!("{FOLDER}/2025/08/01/00/late.json"), &sampled("july", "2025-07-31T23:59:00Z"));
    stage.run().expect(1).says("a difference of +1");
}

#[test]
fn an_empty_first_month_whose_neighbour_has_usage_is_empty() {
    let stage = slack("1h");
    for name in ["05/31/23/first", "06/15/12/middle", "06/30/23/next", "07/01/00/last", "07/15/12/july"] {
        std::fs::remove_file(stage.path("bucket").join(format!("{FOLDER}/2025/{name}.json"))).unwrap();
    }
    stage.run().expect(0).says("1 record lies before the first window");
    assert_eq!(stage.submissions(), 0);
}

#[test]
fn beyond_the_slack_a_record_is_held_and_not_guessed_at() {
    let stage = slack("90s");
    stage.run().expect(1).says("lies outside of the time in its key").says("by more than `slack`");
    assert_eq!(stage.billed(), bill(&[("middle", "cpu", "1"), ("last", "cpu", "1")]));
}

/// A pipeline from May on that waits for the exporter's marker, with usage in each month.
fn gated() -> Stage {
    let stage = Stage::new();
    stage.replace("2025-06\"", "2025-05\"");
    stage.replace(
        "config.layout",
        &format!("config.complete_until = {{ object = \"{MARKER}\", pointer = \"/Postgres:PROD:pt-1/last_processed_to\" }}\nconfig.layout"),
    );
    stage.usage("2025/05/10/00", "a", &[("may", "cpu", "1")]);
    stage.usage("2025/06/10/00", "a", &[("june", "cpu", "1")]);
    stage
}

fn mark(stage: &Stage, to: &str) {
    let text = format!(
        r#"{{"Postgres:DEV:pt-2":{{"last_processed_to":"2030-01-01T00:00:00Z"}},"Postgres:PROD:pt-1":{{"last_processed_to":"{to}","last_updated_at":"{to}"}}}}"#
    );
    stage.object(MARKER, &text);
}

const MAY: (&str, &str, &str) = ("may", "cpu", "1");
const JUNE: (&str, &str, &str) = ("june", "cpu", "1");

#[test]
fn a_month_is_billed_once_the_marker_has_reached_its_last_second() {
    for (to, june) in [
        ("2025-06-30T23:59:59Z", true),
        ("2025-06-30T05:59:59Z", false),
        ("2025-06-30T23:44:59Z", false),
        ("2025-07-01T00:14:59Z", true),
        ("2025-06-03T10:59:59Z", false),
        ("2025-06-30T23:59:59.123Z", true),
        ("2025-06-30T23:59:59+00:00", true),
        ("2025-06-30T23:59:58Z", false),
        // Ahead of the time, and of the time only.
        ("2027-01-01T00:00:00Z", true),
    ] {
        let stage = gated();
        mark(&stage, to);
        let run = stage.run();
        run.expect(0);
        let waits = "2025-06 is not complete yet: the data reaches to ";
        match june {
            true => assert!(!run.stdout.contains("not complete yet"), "{to}"),
            false => _ = run.says(waits),
        }
        assert_eq!(stage.billed(), bill(if june { &[MAY, JUNE] } else { &[MAY] }), "{to}");
    }
}

#[test]
fn a_month_that_waits_is_billed_by_the_first_run_after_its_data_is_complete() {
    let stage = gated();
    mark(&stage, "2025-06-30T23:44:59Z");
    let plan = stage.command("plan", &["--json"], &[]);
    let waiting = plan.expect(0).json()["incomplete"].take();
    let expected =
        serde_json::json!([{ "window": "2025-06", "complete_until": "2025-06-30T23:45:00Z", "overdue": false }]);
    assert_eq!(waiting, expected);
    stage.run().expect(0);
    // Asked for by name, it is no more complete than before.
    stage.command("run", &["--window", "2025-06"], &[]).expect(0).says("2025-06 is not complete yet");
    stage.command("plan", &["--window", "2025-06"], &[]).expect(0).says("2025-06 is not complete yet");
    assert_eq!(stage.billed(), bill(&[MAY]));
    stage.usage("2025/06/30/23", "a", &[("june", "cpu", "1")]);
    mark(&stage, "2025-06-30T23:59:59Z");
    stage.command("check", &[], &[]).expect(0).says("the data is complete up to 2025-07-01T00:00:00Z");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[MAY, ("june", "cpu", "2")]));
}

#[test]
fn windows_that_wait_take_no_place_of_max_windows_and_the_first_one_is_remembered() {
    let mut stage = gated();
    stage.replace("start  = \"2025-05\"", "max_windows = 1");
    mark(&stage, "2025-06-30T23:44:59Z");
    // Without `start`, the pipeline begins with the latest month that is over, however long its data takes.
    stage.run().expect(0).says("2025-06 is not complete yet");
    stage.at("2025-08-01T02:00:00Z");
    mark(&stage, "2025-07-31T23:59:59Z");
    stage.usage("2025/07/10/00", "a", &[("july", "cpu", "1")]);
    stage.run().expect(0).says("1 more window waits for later runs");
    assert_eq!(stage.billed(), bill(&[JUNE]));
}

#[test]
fn data_that_is_late_for_longer_than_complete_by_is_a_problem_and_not_billed() {
    let mut stage = gated();
    mark(&stage, "2025-06-30T23:44:59Z");
    stage.at("2025-07-02T00:00:00Z");
    stage.run().expect(0);
    stage.at("2025-07-02T00:00:01Z");
    let run = stage.command("run", &["--json"], &[]);
    run.expect(1);
    let problem = stage.problems(&run)[0].take();
    assert_eq!(problem["code"], "incomplete");
    assert_eq!(problem["message"], "2025-06 is still not complete: the data reaches to 2025-06-30T23:45:00Z");
    assert_eq!(run.json()["incomplete"][0]["overdue"], true);
    assert_eq!(stage.billed(), bill(&[MAY]));
    stage.replace("[source]", "[source]\ncomplete_by = \"2d\"");
    stage.run().expect(0).says("2025-06 is not complete yet");
    mark(&stage, "2025-07-02T00:14:59Z");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[MAY, JUNE]));
}

#[test]
fn while_nobody_knows_how_far_the_data_is_complete_nothing_is_taken_up_and_what_is_frozen_is_delivered() {
    let stage = gated();
    // The service fails for now, so that May is frozen and not delivered.
    mark(&stage, "2025-05-31T23:59:59Z");
    stage.emulator.push_fault(Fault::before_commit(500).forever());
    stage.run().expect(1);
    stage.emulator.clear_faults();
    let unclear = |why: &str| format!("the marker `{MARKER}` does not say how far the data is complete: {why}");
    stage.object(MARKER, "{\"Postgres:PROD:pt-1\":");
    let run = stage.command("run", &["--json"], &[]);
    run.expect(1);
    let problem = &stage.problems(&run)[0];
    assert_eq!((&problem["code"], &problem["input"]), (&"plugin-error".into(), &"2025-05 and 2025-06".into()));
    assert!(problem["message"].as_str().unwrap().contains(&unclear("it is not valid JSON")), "{problem}");
    assert_eq!(run.json()["incomplete"][0]["complete_until"], serde_json::Value::Null);
    assert_eq!(stage.billed(), bill(&[MAY]));
    for (text, why) in [
        ("{}", "there is nothing at /Postgres:PROD:pt-1/last_processed_to"),
        (
            r#"{"Postgres:PROD:pt-1":{"last_processed_to":"yesterday"}}"#,
            "/Postgres:PROD:pt-1/last_processed_to is `\"yesterday\"`",
        ),
    ] {
        stage.object(MARKER, text);
        stage.run().expect(1).says(&unclear(why));
        stage.plan().expect(1).says(&unclear(why));
    }
    std::fs::remove_file(stage.path("bucket").join(MARKER)).unwrap();
    stage.run().expect(1).says(&unclear("")).says("until then no window is taken up");
    stage.command("check", &[], &[]).expect(1).says(&unclear(""));
    stage.command("check", &["--offline"], &[]).expect(0);
    assert_eq!(stage.billed(), bill(&[MAY]));
    mark(&stage, "2025-06-30T23:59:59Z");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[MAY, JUNE]));
}
