//! A run that sleeps for longer than its lease lasts, at the worst places, while another takes over: once woken, it begins no further
//! request and writes nothing more; and what it had under way does no harm.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use clazar_emulator::Fault;
use rustix::process::Signal;

use crate::crashes::side_by_side;
use crate::races::signal;
use crate::support::{Backend, Ended, Stage, bill, ended, settings};

fn stage(lease: &str) -> Stage {
    let stage = Stage::on(Backend::s3(), settings());
    stage.lease(lease);
    stage.replace("cloud = \"aws\"", "cloud = \"aws\", charges_per_call = 1");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]);
    stage
}

/// Starts a run that falls asleep at a place, and waits until it does.
pub fn asleep_at(stage: &Stage, place: &str) -> Child {
    let mut run = stage.step("run");
    run.env("METERHOST_FAILPOINT", format!("stop:{place}")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = run.spawn().unwrap();
    let begun = Instant::now();
    while !is_stopped(&child) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{place} is not passed");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

pub fn is_stopped(child: &Child) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    stat.rsplit_once(')').unwrap().1.trim_start().starts_with('T')
}

pub fn woken(child: Child) -> Ended {
    signal(&child, Signal::CONT);
    ended(child.wait_with_output().unwrap())
}

/// How many requests of any kind the service has seen.
fn requests(stage: &Stage) -> usize {
    stage.emulator.requests().len()
}

#[test]
fn a_woken_run_begins_no_further_request_and_writes_nothing_more() {
    let places = [
        "leased",
        "reading-ledger",
        "reading",
        "written:freeze",
        "delivering",
        "kept:attempt",
        "submit",
        "request#2",
        "answer#2",
        "written:outcomes",
    ];
    side_by_side(places.to_vec(), |place| {
        let stage = stage("4s");
        let zombie = asleep_at(&stage, place);
        let other = stage.run();
        assert_eq!(other.exit, 0, "{place}: {other:?}");
        let (before, bucket) = (requests(&stage), contents(&stage));
        let zombie = woken(zombie);
        // One that had not begun to read finds everything done.
        let expected = if place == "leased" { 0 } else { 5 };
        assert_eq!(zombie.exit, expected, "{place}: {zombie:?}");
        assert_eq!(requests(&stage), before, "{place}: a request left");
        assert!(contents(&stage) == bucket, "{place}: something was written");
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]), "{place}");
        stage.command("run", &[], &[]).expect(0);
    });
}

#[test]
fn a_run_whose_ledger_is_anothers_tries_nothing_else_with_it() {
    let stage = stage("4s");
    stage.command("run", &[], &[("METERHOST_FAILPOINT", "kept:freeze")]).expect(-1);
    stage.usage("2025/06/02/00", "b", &[("D", "cpu", "7")]);
    let zombie = asleep_at(&stage, "reading");
    stage.run().expect(0);
    // It has charges to offer, as far as it knows, and could not freeze another one.
    let zombie = woken(zombie);
    zombie.expect(5).says("the ledger");
    assert!(!zombie.stdout.contains("unavailable"), "{}", zombie.stdout);
    assert_eq!(stage.billed().len(), 4);
}

/// Everything below the ledger's prefix.
fn contents(stage: &Stage) -> Vec<(String, Option<Vec<u8>>)> {
    let Backend::S3(bucket) = &stage.ledger else { panic!("it is a file") };
    let keys = bucket.store.keys(&bucket.name).into_iter();
    keys.map(|key| (key.clone(), bucket.store.get(&bucket.name, &key))).collect()
}

#[test]
fn a_request_that_a_sleeping_run_had_under_way_does_no_harm() {
    let stage = stage("4s");
    // Booked long after everybody else has given up on it.
    stage.emulator.push_fault(Fault::Slow { before_ms: 10_000, after_ms: 0 }.times(1));
    let mut run = stage.step("run");
    let zombie = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while stage.submissions() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing was offered");
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&zombie, Signal::STOP);
    let other = stage.run();
    assert!([0, 1].contains(&other.exit), "{other:?}");
    std::thread::sleep(Duration::from_secs(10));
    let zombie = woken(zombie);
    assert_eq!(zombie.exit, 5, "{zombie:?}");
    stage.run().expect(0);
    stage.emulator.verify_books().unwrap();
    let books = stage.emulator.books().into_iter().filter(|record| record.status.name() == "success");
    let billed: Vec<(String, String)> = books.map(|record| (record.contract_id, record.quantity)).collect();
    assert_eq!(billed.len(), 3, "{billed:?}");
}

#[test]
fn a_run_that_was_killed_on_this_machine_is_superseded_at_once() {
    let stage = stage("60s");
    stage.command("run", &[], &[("METERHOST_FAILPOINT", "submitted")]).expect(-1);
    let begun = Instant::now();
    stage.run().expect(0);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]));
}

#[test]
fn a_second_run_is_told_who_holds_the_ledger_and_waits_if_it_is_asked_to() {
    for ledger in Backend::both() {
        let stage = Stage::on(ledger, settings());
        stage.lease("4s");
        stage.replace("cloud = \"aws\"", "cloud = \"aws\", charges_per_call = 1");
        stage.usage(
            "2025/06/01/00",
            "a",
            &[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5"), ("D", "cpu", "7")],
        );
        stage.emulator.push_fault(Fault::Slow { before_ms: 1500, after_ms: 0 }.forever());
        let mut run = stage.step("run");
        let first = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while stage.submissions() == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let told = stage.run();
        told.expect(5)
            .says("another run holds the ledger")
            .says(&format!("process {} on ", first.id()))
            .says("since 20");
        let waited = stage.command("run", &["--wait", "30s"], &[]);
        waited.expect(0).says("waiting for another run to end");
        assert_eq!(ended(first.wait_with_output().unwrap()).exit, 0);
        assert_eq!(stage.billed().len(), 4);
        assert_eq!(stage.submissions(), 4);
    }
}

#[test]
fn a_ledger_is_taken_away_from_a_sleeping_run_once_a_person_says_so() {
    let stage = stage("60s");
    let zombie = asleep_at(&stage, "reading");
    let by = format!("process {} on ", zombie.id());
    stage.command("ledger unlock", &[], &[]).expect(2).says(&by).says("nothing was unlocked: say --yes to do it");
    stage.command("ledger unlock", &["--yes"], &[]).expect(0).says(&by);
    stage.command("ledger unlock", &["--yes"], &[]).expect(0).says("nobody holds the ledger");
    let begun = Instant::now();
    stage.run().expect(0);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let before = requests(&stage);
    assert_eq!(woken(zombie).exit, 5);
    assert_eq!(requests(&stage), before);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]));
}

#[test]
fn the_lock_on_a_file_goes_with_its_process() {
    let stage = Stage::on_a_file();
    stage.command("ledger unlock", &["--yes"], &[]).expect(0).says("nobody holds the ledger");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    let holder = asleep_at(&stage, "reading");
    let told = stage.command("ledger unlock", &["--yes"], &[]);
    told.expect(5).says(&format!("process {} on ", holder.id())).says("its lock goes with that process");
    assert_eq!(woken(holder).exit, 0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]));
}

#[test]
fn a_run_that_sleeps_while_a_configuration_is_checked_goes_on() {
    let stage = stage("4s");
    let zombie = asleep_at(&stage, "checking");
    // Longer than a check may take.
    std::thread::sleep(Duration::from_secs(6));
    let zombie = woken(zombie);
    assert_eq!(zombie.exit, 0, "{zombie:?}");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]));
}
