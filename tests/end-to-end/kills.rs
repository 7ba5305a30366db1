//! Kills by chance, under load, while the service drops connections and fails before and after it books: its books equal the usage, no
//! record that it accepted is ever offered again, and it always comes to an end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clazar_emulator::{Endpoint, Fault};

use crate::chance::Chance;
use crate::support::{Backend, Stage, settings};

/// Kills of a quick run, and of one with `METERHOST_LONG`.
const KILLS: u64 = 20;
const MANY_KILLS: u64 = 300;

/// What the service does wrong: mostly nothing, or nothing would ever get anywhere.
fn faults(chance: &mut Chance) -> Vec<Fault> {
    let fault = |chance: &mut Chance| match chance.below(8) {
        0 => Fault::drop_before_commit(),
        1 => Fault::drop_after_commit(),
        2 => Fault::before_commit(500),
        3 => Fault::after_commit(503),
        _ => Fault::Pass,
    };
    (0..20).map(|_| fault(chance)).collect()
}

fn killed_by_chance(ledger: Backend, kills: u64, seed: u64) {
    let mut chance = Chance::of_seed(seed);
    let stage = Stage::on(ledger, settings());
    stage.replace("cloud = \"aws\"", "cloud = \"aws\", charges_per_call = 3");
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"1s\"");
    let mut owed = BTreeMap::new();
    let (mut killed, mut rounds) = (0, 0);
    let begun = Instant::now();
    while killed < kills {
        // More usage comes with each round, so that there is always something to bill.
        let mut records = Vec::new();
        for number in 0..4 {
            let (customer, quantity) = (format!("c{rounds:04}-{number}"), 1 + chance.below(1000));
            for dimension in ["cpu", "memory"] {
                owed.insert((customer.clone(), dimension.to_owned()), quantity.to_string());
                records.push((customer.clone(), dimension, quantity.to_string()));
            }
        }
        let records: Vec<(&str, &str, &str)> = records.iter().map(|(c, d, q)| (c.as_str(), *d, q.as_str())).collect();
        stage.usage(&format!("2025/06/{:02}/00", 1 + rounds % 30), &format!("r{rounds}"), &records);
        stage.emulator.clear_faults();
        for fault in faults(&mut chance) {
            stage.emulator.push_fault(fault.times(1));
        }
        for fault in faults(&mut chance) {
            stage.emulator.push_fault(fault.on(Endpoint::List).times(1));
        }
        rounds += 1;
        let said = stage.path("said.txt");
        let mut child = stage.step_saying("run", &said).spawn().unwrap();
        let life = Duration::from_millis(100 + chance.below(500));
        let born = Instant::now();
        let ended = loop {
            if let Some(ended) = child.try_wait().unwrap() {
                break Some(ended);
            }
            if born.elapsed() > life {
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        match ended {
            Some(ended) => {
                let said = std::fs::read_to_string(&said).unwrap();
                assert!([Some(0), Some(1)].contains(&ended.code()), "seed {seed}, round {rounds}: {ended:?}: {said}")
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
            }
        }
        stage.emulator.verify_books().unwrap_or_else(|error| panic!("seed {seed}, round {rounds}: {error}"));
        assert_eq!(stage.emulator.resent(), [], "seed {seed}, round {rounds}");
    }
    stage.emulator.clear_faults();
    let ended = stage.run();
    assert_eq!(ended.exit, 0, "seed {seed}: {ended:?}");
    assert_eq!(stage.billed(), owed, "seed {seed}");
    let submissions = stage.submissions();
    stage.run().expect(0);
    assert_eq!(stage.submissions(), submissions, "seed {seed}");
    println!(
        "counted: {killed} kills, {rounds} restarts, {} charges billed once each in {submissions} calls, {:.0} s",
        owed.len(),
        begun.elapsed().as_secs_f64()
    );
}

fn kills() -> u64 {
    if std::env::var_os("METERHOST_LONG").is_some() { MANY_KILLS } else { KILLS }
}

#[test]
fn kills_at_any_time_bill_once() {
    killed_by_chance(Backend::Sqlite, kills(), 1);
}

#[test]
fn kills_at_any_time_bill_once_with_a_ledger_on_s3() {
    killed_by_chance(Backend::s3(), kills(), 2);
}
