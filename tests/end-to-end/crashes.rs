//! A process that ends as `kill -9` ends it, at each place where it can: the next run bills each charge exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clazar_emulator::Fault;

use crate::support::{Backend, Stage, bill, settings};

/// A month with a state document, whose first call gets no answer though it took effect: it is looked up before anything else leaves.
fn stage(ledger: Backend) -> Stage {
    let stage = Stage::on(ledger, settings());
    stage.replace("grace  = \"30m\"", "grace  = \"30m\"\nmirror = \"file://./state.json\"");
    stage.replace("cloud = \"aws\"", "cloud = \"aws\", charges_per_call = 2");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]);
    stage.emulator.push_fault(Fault::drop_after_commit().times(1));
    stage
}

/// The places that a run passes, in their order.
fn passed(kind: fn() -> Backend) -> Vec<String> {
    let stage = stage(kind());
    let log = stage.path("places.txt");
    stage.command("run", &[], &[("METERHOST_FAILPOINTS", log.to_str().unwrap())]).expect(0);
    std::fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect()
}

/// Each place once.
fn places(kind: fn() -> Backend) -> Vec<String> {
    let mut seen = BTreeSet::new();
    passed(kind).into_iter().filter(|name| seen.insert(name.clone())).collect()
}

/// Each place as often as it is passed, with the number of the time.
fn passes(kind: fn() -> Backend) -> Vec<String> {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    let pass = |name: String| {
        let time = times.entry(name.clone()).or_default();
        *time += 1;
        format!("{name}#{time}")
    };
    passed(kind).into_iter().map(pass).collect()
}

fn crash_at(kind: fn() -> Backend, place: &str) {
    let stage = stage(kind());
    let crashed = stage.command("run", &[], &[("METERHOST_FAILPOINT", place)]);
    assert_eq!(crashed.exit, -1, "{place}: {crashed:?}");
    assert_eq!(stage.emulator.resent(), [], "{place}");
    let ended = stage.run();
    assert_eq!(ended.exit, 0, "{place}: {ended:?}");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]), "{place}");
    let submissions = stage.submissions();
    stage.run().expect(0);
    assert_eq!(stage.submissions(), submissions, "{place}");
}

/// Crashes at each of these places, in each kind of ledger's own.
fn crash_at_all(kind: fn() -> Backend, every_pass: bool) {
    let places = if every_pass { passes(kind) } else { places(kind) };
    for place in &places {
        crash_at(kind, place);
    }
    println!("counted: {} places, a kill at each", places.len());
}

fn is_long() -> bool {
    std::env::var_os("METERHOST_LONG").is_some()
}

#[test]
fn a_crash_at_any_place_bills_once() {
    crash_at_all(|| Backend::Sqlite, is_long());
}

#[test]
fn a_crash_at_any_place_bills_once_with_a_ledger_on_s3() {
    crash_at_all(Backend::s3, is_long());
}

#[test]
fn every_place_in_the_sources_is_passed_by_those_runs_or_by_other_tests() {
    let passed: BTreeSet<String> = places(|| Backend::Sqlite).into_iter().chain(places(Backend::s3)).collect();
    let mut named = BTreeSet::new();
    named_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut named);
    assert!(named.len() > 15, "{named:?}");
    let missing: Vec<&String> = named.iter().filter(|name| !passed.contains(*name)).collect();
    assert!(missing.is_empty(), "no crash is tested at {missing:?}, only at {passed:?}");
}

/// The names of places that stand in the sources below a folder as they are.
fn named_in(folder: &Path, named: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            named_in(&entry.path(), named);
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let names = text.split("failpoint(\"").skip(1).filter_map(|rest| rest.split_once("\")"));
        named.extend(names.map(|(name, _)| name.to_owned()));
    }
}
