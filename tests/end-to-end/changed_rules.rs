//! Rules and sinks that are changed while a window is open: what was billed under the old ones is not billed again under the new.

use std::collections::BTreeSet;

use clazar_emulator::{Endpoint, Fault, Settings};

use crate::support::{Stage, bill, settings};

/// A stage that has billed A, and whose window stays open for a record of B that cannot be used.
fn billed() -> Stage {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "true")]);
    stage.run().expect(1);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]));
    stage
}

const SUMS: &str = "config.dimensions = { \"*\" = \"sum\" }";
const RENAMED: &str = "config.dimensions = { cpu = { use = \"sum\", as = \"cpu_hours\" } }";

#[test]
fn a_renamed_charge_is_not_billed_beside_the_old_one() {
    let stage = billed();
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "3")]);
    stage.replace(SUMS, RENAMED);
    stage
        .run()
        .expect(1)
        .says("its records went into the charge of 2 for cpu to sink clazar, which is billed")
        .says("they would make cpu_hours now");
    // Of B nothing was billed yet.
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu_hours", "3")]));
    let sent = stage.submissions();
    stage.run().expect(1);
    assert_eq!(stage.submissions(), sent);
}

#[test]
fn put_back_the_old_name_goes_on() {
    let stage = billed();
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "3")]);
    stage.replace(SUMS, RENAMED);
    stage.run().expect(1);
    stage.replace(RENAMED, SUMS);
    // B was billed under the new name in between.
    stage.run().expect(1).says("its records went into the charge of 3 for cpu_hours to sink clazar");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu_hours", "3")]));
}

#[test]
fn another_charge_of_the_same_records_is_billed_beside_the_first() {
    let stage = billed();
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "3")]);
    stage.replace(SUMS, "config.dimensions = { cpu = \"sum\", cpu_records = { from = \"cpu\", use = \"count\" } }");
    stage.bills_once(&[("A", "cpu", "2"), ("A", "cpu_records", "1"), ("B", "cpu", "3"), ("B", "cpu_records", "1")]);
}

/// The text of a sink's section.
fn sink(stage: &Stage) -> String {
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    text.split_once("[sink.clazar]").unwrap().1.to_owned()
}

#[test]
fn a_renamed_sink_bills_nothing_again() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.run().expect(0);
    stage.replace("[sink.clazar]", "[sink.marketplace]\nplugin = \"clazar\"");
    stage
        .run()
        .expect(2)
        .says("the file has no sink clazar any more, and the ledger does not know the sink marketplace");
    assert_eq!(stage.submissions(), 1);
    stage.replace("[sink.marketplace]\nplugin = \"clazar\"", "[sink.clazar]");
    stage.bills_once(&[("A", "cpu", "2")]);
}

#[test]
fn usage_that_another_sink_takes_now_is_not_billed_there_again() {
    let stage = billed();
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "3")]);
    let second = format!("[sink.second]\nplugin = \"clazar\"\ntakes = [\"cpu\"]{}", sink(&stage));
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    stage.pipeline(&format!("{text}{second}"));
    stage.run().expect(1).says("its records went into the charge of 2 for cpu to sink clazar");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]));
}

#[test]
fn a_sink_that_is_new_bills_what_it_takes_beside_the_first() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("A", "memory", "5")]);
    stage.replace("[sink.clazar]", "[sink.clazar]\ntakes = [\"cpu\"]");
    // Nobody takes it yet.
    stage.run().expect(1);
    let second = format!("[sink.second]\nplugin = \"clazar\"{}", sink(&stage).replace("takes = [\"cpu\"]", ""));
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    stage.pipeline(&format!("{text}{second}"));
    stage.bills_once(&[("A", "cpu", "2"), ("A", "memory", "5")]);
}

#[test]
fn a_plan_names_what_nobody_takes_though_the_file_says_so() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    let second = format!("[sink.second]\nplugin = \"clazar\"\ntakes = [\"cpuu\"]{}", sink(&stage));
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    stage.pipeline(&format!("{text}{second}"));
    stage.plan().expect(0).says("sink.second takes `cpuu`, and no charge has this dimension");
}

#[test]
fn a_charge_that_was_refused_for_its_name_is_billed_under_the_right_one_and_once() {
    let known = BTreeSet::from(["cpu_hours".to_owned()]);
    let stage = Stage::with(Settings { known_dimensions: Some(known), ..settings() });
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.run().expect(1);
    assert_eq!(stage.billed(), bill(&[]));
    stage.replace(SUMS, RENAMED);
    let sent = stage.submissions();
    stage.run().expect(1).says("it was refused, and is not offered again: its records make cpu_hours now");
    assert_eq!(stage.billed(), bill(&[("A", "cpu_hours", "2")]));
    assert_eq!(stage.submissions(), sent + 1, "the refused one was offered again");
    stage.run().expect(1);
    assert_eq!(stage.submissions(), sent + 1);
    // Nor is it while something cannot be used.
    stage.usage("2025/06/01/01", "a", &[("A", "cpu", "true")]);
    stage.run().expect(1);
    assert_eq!(stage.submissions(), sent + 1);
    stage.usage("2025/06/01/01", "a", &[]);
    // Offered under its old name it would be billed twice.
    stage.replace(RENAMED, SUMS);
    stage.run().expect(1).says("its records went into the charge of 2 for cpu_hours");
    assert_eq!(stage.submissions(), sent + 1);
}

/// A charge that was refused under its old name and billed under the new one; from here on the service takes the old name too.
fn replaced() -> Stage {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.emulator.push_fault(Fault::Fail { positions: vec![0] });
    stage.run().expect(1);
    stage.replace(SUMS, RENAMED);
    stage.run().expect(1);
    assert_eq!(stage.billed(), bill(&[("A", "cpu_hours", "2")]));
    stage
}

#[test]
fn a_refused_charge_is_not_offered_beside_its_successor_whatever_can_be_read() {
    let key = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/a.json";
    for text in ["[{", "[]", r#"[{"externalPayerId":"A","dimension":"cpu","value":"?"}]"#] {
        let mut stage = replaced();
        let sent = stage.submissions();
        stage.object(key, text);
        stage.run().expect(1);
        stage.at("2025-06-15T00:00:00Z");
        stage.run().expect(1).says("it is not offered again: another charge stands in its place");
        assert_eq!(stage.submissions(), sent, "{text}");
        assert_eq!(stage.billed(), bill(&[("A", "cpu_hours", "2")]), "{text}");
    }
}

#[test]
fn a_refused_charge_that_stands_beside_another_is_offered_again() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.replace(SUMS, "config.dimensions = { cpu = \"sum\", records = { from = \"cpu\", use = \"count\" } }");
    stage.emulator.push_fault(Fault::Fail { positions: vec![1] });
    stage.run().expect(1);
    // The other one is renamed meanwhile: that one is held, this one is not.
    stage.replace("cpu = \"sum\"", "cpu = { use = \"sum\", as = \"cpu_hours\" }");
    stage.run().expect(1);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("A", "records", "1")]));
}

#[test]
fn a_rule_that_is_split_bills_no_record_twice() {
    let stage = billed();
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "3")]);
    stage.replace(
        SUMS,
        "config.dimensions = { cpu = { use = \"sum\", where = { tier = \"gold\" } }, rest = { from = \"cpu\", use = \"sum\" } }",
    );
    stage.run().expect(1).says("rest of A is held: its records went into the charge of 2 for cpu to sink clazar");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "rest", "3")]));
}

#[test]
fn usage_that_is_named_otherwise_by_the_source_is_not_billed_again() {
    let stage = Stage::new();
    let key = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/a.json";
    let record = r#"[{"externalPayerId":"A","dimension":"cpu","also":"cores","value":2}]"#;
    stage.object(key, record);
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "true")]);
    stage.run().expect(1);
    stage.usage("2025/06/01/00", "b", &[]);
    stage.replace("dimension = \"/dimension\"", "dimension = \"/also\"");
    stage
        .run()
        .expect(1)
        .says("it may be the usage of the charge of 2 for cpu to sink clazar, which is billed, under another name");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]));
    stage.replace("dimension = \"/also\"", "dimension = \"/dimension\"");
    stage.bills_once(&[("A", "cpu", "2")]);
}

#[test]
fn charges_of_a_sink_that_is_gone_are_not_forgotten() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    let both = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap()
        + &format!("\n[sink.second]\nplugin = \"clazar\"\ntakes = [\"memory\"]{}", sink(&stage));
    stage.pipeline(&both);
    stage.emulator.push_fault(Fault::before_commit(503).on(Endpoint::Authenticate).forever());
    stage.run().expect(1);
    stage.emulator.clear_faults();
    let (before, after) = both.split_once("[sink.clazar]").unwrap();
    let (_, second) = after.split_once("[sink.second]").unwrap();
    stage.pipeline(&format!("{before}[sink.second]{}", second.replace("takes = [\"memory\"]", "")));
    stage.run().expect(1).says("the file has no sink clazar any more, and it is not at its end: 1 charge open");
    assert_eq!(stage.submissions(), 0);
    stage.pipeline(&both);
    stage.bills_once(&[("A", "cpu", "2")]);
}

#[test]
fn open_charges_of_a_renamed_sink_wait_for_its_name() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    stage.emulator.push_fault(Fault::before_commit(503).on(Endpoint::Authenticate).forever());
    stage.run().expect(1);
    stage.emulator.clear_faults();
    stage.replace("[sink.clazar]", "[sink.marketplace]\nplugin = \"clazar\"");
    stage.run().expect(2).says("the file has no sink clazar any more");
    assert_eq!(stage.submissions(), 0);
    stage.replace("[sink.marketplace]\nplugin = \"clazar\"", "[sink.clazar]");
    stage.bills_once(&[("A", "cpu", "2")]);
}
