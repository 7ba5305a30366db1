//! What of a set stays as readers are shown it, since its usage is held, a person decided about it, or it is too old to be read.

use serde_json::Value;

use crate::sets::{JUNE, Sets, shown, state};
use crate::support::Stage;

const HOUR: &str = "2025/06/01/05";
const MAY: &str = "1746057600000";

fn june(sets: &Sets) -> Vec<String> {
    shown(&sets.0, JUNE).unwrap_or_default()
}

fn object(sets: &Sets, hour: &str, name: &str, text: &str) {
    sets.0.object(&format!("omnistrate-metering/Postgres/PROD/pt-1/{hour}/{name}.json"), text);
}

/// To whom each customer is billed.
fn customers(sets: &Sets, rows: &str) {
    std::fs::write(sets.0.path("customers.csv"), format!("customer,id\n{rows}")).unwrap();
}

fn with_customers(rows: &str) -> Sets {
    let sets = Sets::new();
    customers(&sets, rows);
    sets.0.replace("[sink.out]", "[sink.out]\ncustomers = \"customers.csv\"");
    sets
}

/// Adds a sink before the one that is there: it publishes beside it, bills customers as they are, and has lines of its own.
fn with_another_sink(sets: &Sets, lines: &str) {
    let text = std::fs::read_to_string(sets.0.path("pipeline.toml")).unwrap();
    let (head, sink) = text.split_once("[sink.out]").unwrap();
    let other = sink.replace("./out", "./other").replace("customers = \"customers.csv\"\n", "");
    sets.0.pipeline(&format!("{head}[sink.other]\n{lines}{other}\n[sink.out]{sink}"));
    std::fs::create_dir(sets.0.path("other")).unwrap();
}

/// The charges that a run holds: the customer, the reason and the id of each.
fn held(sets: &Sets) -> Vec<[String; 3]> {
    let report = sets.0.command("run", &["--json"], &[]).expect(1).json();
    let lines = report["windows"].as_array().unwrap().iter().flat_map(|window| window["lines"].as_array().unwrap());
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let held = lines.filter(|line| line["state"] == "held");
    held.map(|line| ["customer", "reason", "would_be"].map(|key| text(line, key))).collect()
}

#[test]
fn a_record_of_nobody_keeps_what_is_gone_of_its_window() {
    let sets = Sets::new();
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.usage(HOUR, "bolt", "cpu", "2");
    sets.usage("2025/06/01/06", "acme", "cpu", "3");
    sets.run(0);
    // Whose it is, the charge that is gone may say; what is there goes on.
    object(&sets, HOUR, "acme-cpu", r#"[{"dimension":"cpu","value":1}]"#);
    object(&sets, "2025/06/01/06", "acme-cpu", "[]");
    sets.usage(HOUR, "bolt", "cpu", "20");
    sets.run(1);
    assert_eq!(june(&sets), ["acme cpu 1", "bolt cpu 20"]);
    assert_eq!(sets.run(1), [state("2025-06", "unchanged")]);
    object(&sets, HOUR, "acme-cpu", "[]");
    sets.run(0);
    assert_eq!(june(&sets), ["bolt cpu 20"]);
}

#[test]
fn usage_that_goes_elsewhere_by_now_is_not_published_twice() {
    let sets = with_customers("acme,ORG\nbolt,ORG\n");
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.usage(HOUR, "bolt", "cpu", "2");
    sets.usage(HOUR, "cord", "mem", "7");
    customers(&sets, "acme,ORG\nbolt,ORG\ncord,C\n");
    sets.run(0);
    assert_eq!(june(&sets), ["C mem 7", "ORG cpu 3"]);
    // What both used stays in one charge as long as some of it is held.
    customers(&sets, "acme,A\nbolt,B\ncord,C\n");
    sets.usage(HOUR, "acme", "cpu", "\"many\"");
    sets.usage(HOUR, "cord", "mem", "70");
    let all = held(&sets);
    assert_eq!(june(&sets), ["C mem 70", "ORG cpu 3"]);
    let [[customer, reason, id]] = &all[..] else { panic!("{all:?}") };
    assert!(
        customer == "B" && reason.contains("may stand in another charge, which stays as it was published"),
        "{reason}"
    );
    assert_eq!(sets.run(1), [state("2025-06", "unchanged")]);
    sets.0.command("status", &[], &[]).expect(1).says("held");
    // Somebody who knows better has it their way.
    let release = [id, "release", "--reason", "we told them", "--yes"];
    sets.0.command("ledger resolve", &release, &[]).expect(0);
    sets.run(1);
    assert_eq!(june(&sets), ["B cpu 2", "C mem 70", "ORG cpu 3"]);
    sets.usage(HOUR, "acme", "cpu", "10");
    sets.run(0);
    assert_eq!(june(&sets), ["A cpu 10", "B cpu 2", "C mem 70"]);
    sets.0.command("ledger verify", &[], &[]).expect(0);
}

#[test]
fn a_charge_that_the_sink_objects_to_stays_under_whatever_name_it_was_published() {
    let sets = with_customers("acme,A\nbolt,B\n");
    sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\nconfig.objects_to = \"x\"");
    sets.usage(HOUR, "acme", "disk", "1");
    sets.usage(HOUR, "bolt", "disk", "2");
    sets.run(0);
    customers(&sets, "acme,A2\nbolt,B\n");
    sets.0.replace("objects_to = \"x\"", "objects_to = \"disk\"");
    sets.usage(HOUR, "acme", "disk", "10");
    sets.run(1);
    assert_eq!(june(&sets), ["A disk 1", "B disk 2"], "neither lost nor doubled");
    sets.0.replace("objects_to = \"disk\"", "objects_to = \"x\"");
    sets.run(0);
    assert_eq!(june(&sets), ["A2 disk 10", "B disk 2"]);
}

#[test]
fn what_is_held_stays_as_a_person_who_went_back_had_it() {
    let sets = Sets::new();
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.usage(HOUR, "bolt", "cpu", "1");
    sets.run(0);
    let first = sets.listed()[0].0.clone();
    sets.usage(HOUR, "acme", "cpu", "1000");
    sets.run(0);
    let revert = ["revert", "--period", "2025-06", "--to", &first, "--reason", "a typing error", "--yes"];
    sets.snapshots(&revert).expect(0);
    sets.usage(HOUR, "acme", "cpu", "\"many\"");
    sets.usage(HOUR, "bolt", "cpu", "2");
    sets.run(1);
    assert_eq!(june(&sets), ["acme cpu 1", "bolt cpu 1"]);
    sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(0);
    sets.run(1);
    assert_eq!(june(&sets), ["acme cpu 1", "bolt cpu 2"], "not what nobody is shown any more");
}

#[test]
fn usage_that_is_gone_takes_away_nothing_that_ended_before_changes_are_looked_for() {
    let sets = Sets::new();
    sets.0.replace("plugin = \"s3-reader\"", "plugin = \"s3-reader\"\nlook_back = \"12 hours\"");
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.usage("2025/06/02/20", "acme", "cpu", "2");
    sets.run(0);
    // Raw usage is kept for a while only, and a record that was late is no reason to forget the rest.
    let gone = |hour: &str| object(&sets, hour, "acme-cpu", "[]");
    gone(HOUR);
    gone("2025/06/02/20");
    sets.run(0);
    assert_eq!(june(&sets), ["acme cpu 1"]);
    // Where somebody asks for it, it is read.
    sets.0.command("run", &["--window", "2025-06-01T05"], &[]).expect(0);
    assert!(june(&sets).is_empty());
}

#[test]
fn a_window_that_somebody_reopens_is_read_however_long_ago_it_was() {
    let mut sets = Sets::new();
    sets.0.replace("plugin = \"s3-reader\"", "plugin = \"s3-reader\"\nlook_back = \"1 day\"");
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.run(0);
    sets.0.at("2025-06-20T00:00:00Z");
    sets.run(0);
    object(&sets, HOUR, "acme-cpu", r#"[{"externalPayerId":"acme","dimension":"cpu","value":5}]"#);
    let reopen = ["--window", "2025-06-01T05", "--reason", "a correction", "--yes"];
    sets.0.command("ledger reopen", &reopen, &[]).expect(0);
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(june(&sets), ["acme cpu 5"]);
    assert_eq!(sets.run(0), [state("2025-06", "unchanged")]);
}

#[test]
fn a_last_bill_is_for_sinks_that_bill_and_leaves_sets_as_they_are() {
    let mut sets = Sets::new();
    let last = ["--final", "acme", "--until", "2025-06-02T10:00:00Z"];
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.0.command("run", &last, &[]).expect(2).says("bill no customer alone");
    // Beside a sink that bills, what is new of everybody else is still new to the next run.
    let usual = Stage::usual();
    let clazar = usual.split_once("[sink.clazar]").unwrap().1;
    let text = std::fs::read_to_string(sets.0.path("pipeline.toml")).unwrap();
    sets.0.pipeline(&format!("{text}\n[sink.clazar]{clazar}"));
    sets.usage(HOUR, "bolt", "cpu", "2");
    sets.run(0);
    assert_eq!(june(&sets), ["acme cpu 1", "bolt cpu 2"]);
    sets.0.at("2025-06-03T04:00:00Z");
    sets.usage(HOUR, "bolt", "mem", "3");
    sets.0.command("run", &["--final", "acme", "--until", "2025-06-03T03:00:00Z"], &[]).expect(0);
    sets.run(0);
    assert_eq!(june(&sets), ["acme cpu 1", "bolt cpu 2", "bolt mem 3"]);
}

#[test]
fn what_is_split_from_a_charge_waits_as_long_as_what_is_left_of_it_is_held() {
    let sets = Sets::new();
    sets.0.replace("config.fields", "config.attributes = { size = \"/size\" }\nconfig.fields");
    let records = |records: &[(&str, i32)]| {
        let of = |(size, value): &(&str, i32)| {
            format!(r#"{{"externalPayerId":"acme","dimension":"cpu","value":{value},"size":"{size}"}}"#)
        };
        object(&sets, HOUR, "acme", &format!("[{}]", records.iter().map(of).collect::<Vec<_>>().join(",")));
    };
    records(&[("small", 5), ("big", 3)]);
    sets.usage(HOUR, "bolt", "cpu", "1");
    sets.run(0);
    let by_size = |name: &str, size: &str| {
        format!("{name} = {{ from = \"cpu\", use = \"sum\", where = {{ size = \"{size}\" }} }}")
    };
    let (small, big) = (by_size("cpu_small", "small"), by_size("cpu_big", "big"));
    sets.0.replace("\"*\" = \"sum\"", &format!("{small}, {big}"));
    // What is left has no total that can be billed; then it is the new one that has none.
    for values in [[("small", -1), ("big", 3)], [("small", 5), ("big", -3)]] {
        records(&values);
        let all = held(&sets);
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(june(&sets), ["acme cpu 8"], "neither more nor less than there was; bolt's has no size");
    }
    records(&[("small", 5), ("big", 3)]);
    sets.run(0);
    assert_eq!(june(&sets), ["acme cpu_big 3", "acme cpu_small 5"]);
}

#[test]
fn what_a_customer_used_stays_in_the_charge_of_several_as_long_as_it_is_held() {
    let sets = with_customers("acme,ORG\nbolt,ORG\n");
    sets.usage(HOUR, "acme", "cpu", "5");
    sets.usage(HOUR, "bolt", "cpu", "3");
    sets.run(0);
    // One is in the table no more, and the other alone would be less than there was.
    customers(&sets, "bolt,ORG\n");
    let all = held(&sets);
    assert_eq!((all.len(), june(&sets)), (2, vec!["ORG cpu 8".to_owned()]));
    // Beside more than there was, what is held goes without.
    sets.usage(HOUR, "bolt", "cpu", "9");
    assert_eq!(held(&sets).len(), 1);
    assert_eq!(june(&sets), ["ORG cpu 9"]);
    customers(&sets, "acme,ORG\nbolt,ORG\n");
    sets.run(0);
    assert_eq!(june(&sets), ["ORG cpu 14"]);
}

#[test]
fn what_a_person_left_as_it_was_holds_back_only_what_may_be_the_same_usage() {
    let sets = with_customers("acme,ORG\nbolt,ORG\ncord,C\n");
    sets.usage(HOUR, "acme", "cpu", "5");
    sets.usage(HOUR, "bolt", "cpu", "3");
    sets.usage(HOUR, "cord", "cpu", "1");
    sets.run(0);
    sets.usage(HOUR, "acme", "cpu", "-5");
    let all = held(&sets);
    let [[_, _, id]] = &all[..] else { panic!("{all:?}") };
    sets.0.command("ledger resolve", &[id, "waive", "--reason", "a credit", "--yes"], &[]).expect(0);
    sets.usage(HOUR, "cord", "cpu", "2");
    sets.run(0);
    assert_eq!(june(&sets), ["C cpu 2", "ORG cpu 8"]);
    // What one of them used goes elsewhere, and the other's total is still what was waived.
    customers(&sets, "acme,ORG\nbolt,B\ncord,C\n");
    sets.usage(HOUR, "acme", "cpu", "-2");
    let all = held(&sets);
    let [[customer, reason, _]] = &all[..] else { panic!("{all:?}") };
    assert!(customer == "B" && reason.contains("stays as it was published"), "{reason}");
    assert_eq!(june(&sets), ["C cpu 2", "ORG cpu 8"]);
}

#[test]
fn what_readers_may_have_been_shown_before_a_crash_stays_where_it_is_held() {
    let (sets, _) = Sets::with_one_that_is_not_written_down();
    assert_eq!(june(&sets), ["acme cpu 2"]);
    sets.usage(HOUR, "acme", "cpu", "\"many\"");
    sets.run(1);
    assert_eq!(june(&sets), ["acme cpu 2"]);
}

#[test]
fn a_window_that_was_asked_for_begins_its_month() {
    let sets = Sets::new();
    sets.0.replace("start  = \"2025-06\"\n", "");
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.usage("2025/05/17/05", "acme", "cpu", "2");
    sets.0.command("run", &["--window", "2025-05-17T05"], &[]).expect(1);
    assert_eq!(sets.run(0), [state("2025-05", "published"), state("2025-06", "published")]);
    assert_eq!(shown(&sets.0, MAY), Some(vec!["acme cpu 2".to_owned()]));
}

#[test]
fn a_month_that_is_out_of_sight_stays_whatever_other_sinks_want_to_read() {
    let mut sets = with_customers("acme,A\nbolt,B\n");
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.usage(HOUR, "bolt", "cpu", "2");
    sets.run(0);
    sets.0.at("2025-09-01T00:00:00Z");
    sets.run(0);
    // Usage was deleted as it grew old, the table is another by now, and a sink comes that wants all months.
    object(&sets, HOUR, "bolt-cpu", "[]");
    customers(&sets, "acme,A2\nbolt,B\n");
    with_another_sink(&sets, "");
    sets.run(0);
    assert_eq!(june(&sets), ["A cpu 1", "B cpu 2"]);
    let folder = sets.0.path("other").join(JUNE);
    let id = std::fs::read_to_string(folder.join("current")).unwrap();
    assert!(std::fs::read_to_string(folder.join(id)).unwrap().contains("acme cpu 1"));
}

#[test]
fn what_another_sink_bills_is_no_reason_to_hold_a_set() {
    let sets = Sets::new();
    let usual = Stage::usual();
    let clazar = usual.split_once("[sink.clazar]").unwrap().1;
    let text = std::fs::read_to_string(sets.0.path("pipeline.toml")).unwrap();
    sets.0.pipeline(&format!("{text}\n[sink.clazar]{clazar}"));
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.usage(HOUR, "acme", "mem", "2");
    sets.run(0);
    object(&sets, HOUR, "acme-cpu", "[]");
    sets.usage(HOUR, "acme", "mem", "3");
    // What was billed is gone, which a person has to say something about; of a set it goes away.
    sets.run(1);
    assert_eq!(june(&sets), ["acme mem 3"]);
}

#[test]
fn a_charge_stays_that_another_sinks_record_was_for() {
    // Of a rule that renames, a record that cannot be used is nobody's as long as no other makes its charge.
    let sets = Sets::new();
    sets.0.replace("\"*\" = \"sum\"", "mem = { from = \"mem_raw\", use = \"sum\" }, cpu = \"sum\"");
    with_another_sink(&sets, "takes = [\"cpu\", \"mem_raw\"]");
    sets.0.replace("[sink.out]", "[sink.out]\ntakes = [\"mem\"]");
    sets.usage(HOUR, "acme", "mem_raw", "100");
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.run(0);
    assert_eq!(june(&sets), ["acme mem 100"]);
    sets.usage(HOUR, "acme", "mem_raw", "\"many\"");
    sets.run(1);
    sets.run(1);
    assert_eq!(june(&sets), ["acme mem 100"]);
    sets.usage(HOUR, "acme", "mem_raw", "50");
    sets.run(0);
    assert_eq!(june(&sets), ["acme mem 50"]);
}

#[test]
fn beside_a_record_of_nobody_a_charge_under_another_name_waits() {
    let sets = with_customers("acme,P\nbolt,B\n");
    sets.usage(HOUR, "acme", "cpu", "8");
    sets.usage(HOUR, "bolt", "cpu", "1");
    sets.run(0);
    object(&sets, HOUR, "x", r#"[{"dimension":"cpu","value":1}]"#);
    sets.usage(HOUR, "bolt", "cpu", "2");
    for name in ["Q", "R"] {
        customers(&sets, &format!("acme,{name}\nbolt,B\n"));
        sets.run(1);
        assert_eq!(june(&sets), ["B cpu 2", "P cpu 8"]);
    }
    object(&sets, HOUR, "x", "[]");
    sets.run(0);
    assert_eq!(june(&sets), ["B cpu 2", "R cpu 8"]);
}

#[test]
fn what_stays_in_one_run_stays_in_the_next() {
    let sets = with_customers("acme,P\nbolt,Q\ncord,C\n");
    for (customer, value) in [("acme", "2"), ("bolt", "2"), ("cord", "1")] {
        sets.usage(HOUR, customer, "cpu", value);
    }
    sets.run(0);
    // The charge of P comes to the same, of another's usage.
    customers(&sets, "bolt,P\ncord,C\n");
    sets.usage(HOUR, "cord", "cpu", "2");
    for _ in 0..3 {
        sets.run(1);
        assert_eq!(june(&sets), ["C cpu 2", "P cpu 2", "Q cpu 2"]);
    }
    customers(&sets, "acme,P\nbolt,P\ncord,C\n");
    sets.run(0);
    assert_eq!(june(&sets), ["C cpu 2", "P cpu 4"]);
}

#[test]
fn what_nobody_was_shown_before_a_crash_does_not_count_as_published() {
    let sets = Sets::new();
    sets.usage(HOUR, "acme", "cpu", "5");
    sets.usage(HOUR, "bolt", "cpu", "1");
    sets.run(0);
    object(&sets, HOUR, "acme-cpu", "[]");
    assert_eq!(sets.0.command("run", &[], &[("METERHOST_FAILPOINT", "showing-set")]).exit, -1);
    sets.usage(HOUR, "acme", "cpu", "-5");
    sets.run(1);
    assert_eq!(june(&sets), ["acme cpu 5", "bolt cpu 1"]);
}

#[test]
fn what_is_held_of_an_old_window_is_mended_and_the_rest_stays() {
    let mut sets = with_customers("acme,A\nbolt,B\n");
    for (customer, value) in [("acme", "5"), ("bolt", "1")] {
        sets.usage(HOUR, customer, "cpu", value);
        sets.usage(HOUR, customer, "mem", value);
    }
    sets.run(0);
    sets.usage(HOUR, "bolt", "cpu", "\"many\"");
    sets.run(1);
    sets.0.at("2025-09-01T00:00:00Z");
    sets.run(1);
    // Some usage was deleted by now, and the rest would go to somebody else.
    object(&sets, HOUR, "acme-cpu", "[]");
    customers(&sets, "acme,A2\nbolt,B\n");
    sets.0.run().expect(1).says("what was published of it stays");
    assert_eq!(june(&sets), ["A cpu 5", "A mem 5", "B cpu 1", "B mem 1"]);
    sets.usage(HOUR, "bolt", "cpu", "3");
    sets.run(0);
    assert_eq!(june(&sets), ["A cpu 5", "A mem 5", "B cpu 3", "B mem 1"]);
    sets.run(0);
    sets.0.command("status", &[], &[]).expect(0);
}

#[test]
fn what_one_sink_holds_by_a_table_of_its_own_is_no_matter_of_another() {
    let sets = Sets::new();
    customers(&sets, "acme,A\n");
    with_another_sink(&sets, "customers = \"customers.csv\"");
    sets.usage(HOUR, "acme", "cpu", "1");
    sets.usage(HOUR, "bolt", "cpu", "3");
    sets.run(1);
    assert_eq!(june(&sets), ["acme cpu 1", "bolt cpu 3"]);
    sets.usage(HOUR, "bolt", "cpu", "2");
    sets.run(1);
    assert_eq!(june(&sets), ["acme cpu 1", "bolt cpu 2"]);
}
