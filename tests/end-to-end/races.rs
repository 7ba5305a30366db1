//! Several runs at once on one ledger, some of which are stopped for longer than the lease lasts and then woken: the books are right.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::{Duration, Instant};

use clazar_emulator::{Endpoint, Fault};
use rustix::process::{Pid, Signal, kill_process};

use crate::chance::Chance;
use crate::support::{Backend, Ended, Stage, settings};

/// Rounds of a quick run, and of one with `METERHOST_LONG`.
const ROUNDS: u64 = 5;
const MANY_ROUNDS: u64 = 50;
/// As in the pipeline's file.
const LEASE: Duration = Duration::from_secs(1);
/// None of them may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal).unwrap();
}

/// Starts so many runs, stops and wakes some of them, and waits for all. Answers how they ended, and what they said.
fn race(stage: &Stage, runs: u64, chance: &mut Chance) -> Vec<(i32, String)> {
    let said = |number: u64| stage.path(&format!("said-{number}.txt"));
    let run = |number: u64, chance: &mut Chance| {
        std::thread::sleep(Duration::from_millis(chance.below(60)));
        stage.step_saying("run", &said(number)).spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..runs).map(|number| run(number, chance)).collect();
    // Of which one is asleep, until when.
    let mut asleep: Option<(usize, Instant)> = None;
    let begun = Instant::now();
    let mut next = Instant::now() + Duration::from_millis(100 + chance.below(300));
    let mut naps = chance.below(3);
    loop {
        assert!(begun.elapsed() < PATIENCE, "they do not come to an end");
        if let Some((number, until)) = asleep
            && until <= Instant::now()
        {
            signal(&children[number], Signal::CONT);
            asleep = None;
        }
        let ended: Vec<bool> = children.iter_mut().map(|child| child.try_wait().unwrap().is_some()).collect();
        if ended.iter().all(|ended| *ended) {
            break;
        }
        if asleep.is_none() && naps > 0 && next <= Instant::now() {
            let number = chance.below(runs) as usize;
            if !ended[number] {
                signal(&children[number], Signal::STOP);
                asleep = Some((number, Instant::now() + LEASE + Duration::from_millis(500 + chance.below(2000))));
                naps -= 1;
            }
            next = Instant::now() + Duration::from_millis(50 + chance.below(300));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let exits = children.iter_mut().map(|child| child.wait().unwrap().code().unwrap_or(-1));
    exits.zip(0..).map(|(exit, number)| (exit, std::fs::read_to_string(said(number)).unwrap())).collect()
}

/// A run that nobody else is in the way of. A machine that is busy may keep it from its heartbeats for longer than so short a lease: then it
/// stops, and is to be run again.
fn alone(stage: &Stage) -> Ended {
    const TIMES: usize = 5;
    let mut ended = stage.run();
    for _ in 1..TIMES {
        if ended.exit != 5 {
            break;
        }
        ended = stage.run();
    }
    ended
}

fn races(kind: fn() -> Backend, runs: u64) {
    let rounds = if std::env::var_os("METERHOST_LONG").is_some() { MANY_ROUNDS } else { ROUNDS };
    let mut exits: BTreeMap<i32, u64> = BTreeMap::new();
    for round in 0..rounds {
        let mut chance = Chance::of_seed(1000 * runs + round);
        let stage = Stage::on(kind(), settings());
        stage.lease("1s");
        stage.replace("cloud = \"aws\"", "cloud = \"aws\", charges_per_call = 2");
        let mut owed = BTreeMap::new();
        for number in 0..12 {
            let (customer, quantity) = (format!("c{number}"), 1 + chance.below(1000));
            owed.insert((customer.clone(), "cpu".to_owned()), quantity.to_string());
            stage.usage("2025/06/01/00", &customer, &[(customer.as_str(), "cpu", &quantity.to_string())]);
        }
        for _ in 0..3 {
            let slow = Fault::Slow { before_ms: chance.below(300), after_ms: chance.below(300) };
            let fault = chance.of(&[slow, Fault::drop_after_commit(), Fault::before_commit(503), Fault::Pass]);
            stage.emulator.push_fault(fault.on(Endpoint::Submit).times(1));
        }
        for (exit, said) in race(&stage, runs, &mut chance) {
            assert!([0, 1, 5].contains(&exit), "round {round}: exit {exit}: {said}");
            *exits.entry(exit).or_default() += 1;
        }
        stage.emulator.clear_faults();
        let ended = alone(&stage);
        assert_eq!(ended.exit, 0, "round {round}: {ended:?}");
        stage.emulator.verify_books().unwrap();
        let books = stage.emulator.books().into_iter().filter(|record| record.status.name() == "success");
        let mut billed = BTreeMap::new();
        for record in books {
            let before = billed.insert((record.contract_id, record.dimension), record.quantity);
            assert_eq!(before, None, "round {round}: billed twice");
        }
        assert_eq!(billed, owed, "round {round}");
        let sent = stage.submissions();
        alone(&stage).expect(0);
        assert_eq!(stage.submissions(), sent, "round {round}");
    }
    println!("counted: {rounds} rounds of {runs} runs at once ended with exits {exits:?}");
}

#[test]
fn two_runs_at_once_bill_once() {
    races(|| Backend::Sqlite, 2);
}

#[test]
fn eight_runs_at_once_bill_once() {
    races(|| Backend::Sqlite, 8);
}

#[test]
fn two_runs_at_once_bill_once_with_a_ledger_on_s3() {
    races(Backend::s3, 2);
}

#[test]
fn eight_runs_at_once_bill_once_with_a_ledger_on_s3() {
    races(Backend::s3, 8);
}
