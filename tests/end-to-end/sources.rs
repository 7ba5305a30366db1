//! A source that breaks the contract: nothing is billed from what it says, and the message names it.

use crate::support::{Ended, Stage, bill, component};

/// A stage whose source works in one way.
fn stage(way: &str, limits: &str) -> Stage {
    let stage = Stage::new();
    let usual = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (head, rest) = usual.split_once("[source]").unwrap();
    let (_, rest) = rest.split_once("[aggregate.rules]").unwrap();
    let plugin = component("misreading");
    stage.pipeline(&format!(
        "{head}[source]\nplugin = \"{}\"\nconfig.way = \"{way}\"\n{limits}\n[aggregate.rules]{rest}",
        plugin.display()
    ));
    stage
}

/// Nothing is billed; with the same source in its proper way, everything is, once.
fn misreads(way: &str, limits: &str) -> Ended {
    let stage = stage(way, limits);
    let ended = stage.run();
    assert_eq!(stage.submissions(), 0, "{way}");
    stage.replace(&format!("config.way = \"{way}\""), "config.way = \"proper\"");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "1")]), "{way}");
    ended
}

#[test]
fn a_source_that_answers_for_ever_is_stopped() {
    misreads("empty", "").expect(3).says("source (misreading 6.6.6), reading").says("it answered an empty page");
}

#[test]
fn a_source_that_heeds_no_shard_bills_nobody_twice() {
    let cores = std::thread::available_parallelism().unwrap().get();
    if cores < 2 {
        println!("skipped: with one core there is one shard");
        return;
    }
    misreads("twice", "").expect(3).says("it read made-up twice: each input belongs to one reader, and to one page");
}

#[test]
fn a_source_that_loses_records_is_found() {
    misreads("more", "").expect(3).says("it says that what it read holds 2 items, and it answered 1");
}

#[test]
fn a_source_that_invents_records_is_found() {
    misreads("fewer", "").expect(3).says("it says that what it read holds 0 items, and it answered 1");
}

#[test]
fn a_doubt_that_lies_nowhere_is_refused() {
    misreads("nowhere", "").expect(3).says("which holds nothing");
}

#[test]
fn a_source_that_panics_is_reported_in_its_own_words() {
    misreads("panic", "").expect(3).says("it gave up").says("the table of meters is empty");
}

#[test]
fn a_source_that_computes_for_ever_is_stopped() {
    misreads("loop", "limits.time = \"200ms\"").expect(3).says("it computed for more than 200 ms");
}

#[test]
fn a_source_that_takes_all_memory_is_stopped() {
    misreads("memory", "limits.memory = \"64 MiB\"").expect(3).says("it needed more than 64 MiB of memory");
}

#[test]
fn a_configuration_that_a_plugin_cannot_work_with_is_refused_before_anything_is_touched() {
    let stage = stage("check", "");
    stage.run().expect(2).says("source (misreading 6.6.6): way: it cannot be done in this way");
    stage.command("check", &["--offline"], &[]).expect(2);
    assert!(!stage.path("postgres-prod.ledger.db").exists());
}

#[test]
fn a_window_that_a_source_cannot_read_keeps_no_other_from_being_billed() {
    let stage = stage("poison", "");
    stage.replace("start  = \"2025-06\"", "start = \"2025-02\"");
    // Of each opening the source makes up a record in the first window: alone, each month but May has one.
    let ended = stage.run();
    ended.expect(3).says("May is beyond me").says("2025-05");
    assert!(stage.emulator.books().iter().all(|record| !record.start_time.starts_with("2025-05")));
    assert!(stage.emulator.books().iter().any(|record| record.start_time.starts_with("2025-06")));
    assert!(stage.emulator.books().iter().any(|record| record.start_time.starts_with("2025-02")));
}

#[test]
fn a_listing_that_has_no_end_is_stopped() {
    let stage = stage("proper", "");
    stage.run().expect(0);
    stage.replace("config.way = \"proper\"", "config.way = \"listing\"");
    stage.run().expect(3).says("it answered an empty page of inputs");
    assert_eq!(stage.submissions(), 1);
}
