//! A sink that fails: what surely did not leave is offered again, what may have left is looked up, and each charge is billed once.

use crate::support::{Ended, Stage, bill, component};

/// Runs a stage whose sink fails in one way; then the proper one, under the same name, bills everything once. Answers how it ended,
/// and how the charges stood then.
fn fails(way: &str, limits: &str) -> (Ended, Vec<String>) {
    let stage = Stage::new();
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    let proper = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (before, _) = proper.split_once("[sink.clazar]").unwrap();
    stage.pipeline(&format!(
        "{before}[sink.clazar]\nplugin = \"{}\"\nretry_budget = \"0s\"\n{limits}\n\
         config = {{ way = \"{way}\", url = \"${{CLAZAR_URL}}\" }}\ngrant.http = \"${{CLAZAR_URL}}\"\n",
        component("failing").display()
    ));
    let ended = stage.run();
    let shown = stage.command("ledger show", &["--json"], &[]).json();
    let charges = shown["windows"][0]["charges"].as_array().unwrap();
    let standings = charges.iter().map(|charge| charge["standing"].as_str().unwrap().to_owned()).collect();
    assert_eq!(shown["windows"][0]["settled"], false, "{way}");
    assert_eq!(stage.submissions(), 0, "{way}");
    stage.pipeline(&proper);
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]), "{way}");
    (ended, standings)
}

#[test]
fn a_sink_that_cannot_check_its_charges_keeps_the_window_open() {
    let (ended, standings) = fails("check", "");
    ended.expect(3).says("sink.clazar (failing 6.6.6), checking charges").says("the table of contracts is empty");
    assert!(standings.is_empty(), "nothing is frozen: {standings:?}");
}

#[test]
fn a_sink_that_cannot_connect_leaves_its_charges_pending() {
    let (ended, standings) = fails("connect", "");
    ended.expect(3).says("sink.clazar (failing 6.6.6), connecting").says("the door is gone");
    assert_eq!(standings, ["pending", "pending"]);
}

#[test]
fn a_sink_that_answers_though_nothing_left_is_not_believed() {
    let (ended, standings) = fails("silent", "");
    ended.expect(3).says("the plugin answered for 2 charges, though it sent nothing");
    assert_eq!(standings, ["pending", "pending"]);
}

#[test]
fn a_sink_that_traps_before_anything_leaves_has_attempted_nothing() {
    let (ended, standings) = fails("before", "");
    ended.expect(3).says("sink.clazar (failing 6.6.6), delivering").says("it broke before anything left");
    assert_eq!(standings, ["pending", "pending"]);
}

#[test]
fn a_sink_that_computes_for_ever_is_stopped_and_has_attempted_nothing() {
    let (ended, standings) = fails("loop", "limits.time = \"200ms\"");
    ended.expect(3).says("it computed for more than 200 ms without coming to an end");
    assert_eq!(standings, ["pending", "pending"]);
}

#[test]
fn a_sink_that_traps_after_something_left_leaves_its_charges_unknown() {
    let (ended, standings) = fails("after", "");
    ended.expect(3).says("it broke after something left");
    assert_eq!(standings, ["unknown", "unknown"]);
}

#[test]
fn a_sink_that_speaks_of_a_charge_twice_leaves_it_unknown() {
    let (ended, standings) = fails("twice", "");
    ended.expect(1).says("nobody keeps books here");
    assert_eq!(standings, ["unknown", "unknown"]);
}

#[test]
fn a_sink_that_speaks_of_other_charges_leaves_its_own_unknown() {
    let (ended, standings) = fails("others", "");
    ended.expect(1).says("nobody keeps books here");
    assert_eq!(standings, ["unknown", "unknown"]);
}

#[test]
fn late_usage_of_a_settled_window_that_could_not_be_checked_is_billed_by_a_later_run() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.run().expect(0);
    let proper = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (before, _) = proper.split_once("[sink.clazar]").unwrap();
    stage.pipeline(&format!(
        "{before}[sink.clazar]\nplugin = \"{}\"\nconfig = {{ way = \"check\", url = \"${{CLAZAR_URL}}\" }}\n\
         grant.http = \"${{CLAZAR_URL}}\"\n",
        component("failing").display()
    ));
    stage.usage("2025/06/15/00", "late", &[("C", "cpu", "7")]);
    stage.run().expect(3).says("the table of contracts is empty");
    stage.pipeline(&proper);
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("C", "cpu", "7")]));
}
