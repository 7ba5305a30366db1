//! Several processes, some of which are killed: this test program starts itself anew as the other one.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::model::outcome::Finding;

/// Which ledger the child opens, and what it does; set in the child only.
const LEDGER: &str = "METERHOST_TEST_LEDGER";
const ROLE: &str = "METERHOST_TEST_ROLE";

#[test]
fn child() {
    let Some(path) = std::env::var_os(LEDGER) else { return };
    let path = Path::new(&path);
    match std::env::var(ROLE).unwrap().as_str() {
        "killed" => lets_a_call_leave(path),
        _ => comes_and_goes(path),
    }
}

/// Freezes, lets a call leave, says so, and waits to be killed.
fn lets_a_call_leave(path: &Path) {
    let mut ledger = Ledger::open(&at(path), &identity(), &Claim::at_once("killed")).unwrap();
    ledger.append(vec![intent(&[june()])]).unwrap();
    ledger.freeze(Vec::new(), vec![proposal(june(), "a"), proposal(june(), "b")]).unwrap();
    let charges = charges(ledger.state());
    ledger.begin_attempt(("s", None), &charges[..1], MINUTE).unwrap();
    println!("\nready");
    std::thread::sleep(10 * MINUTE);
}

/// Opens, freezes one charge after the other, and closes; again and again.
fn comes_and_goes(path: &Path) {
    println!("\nready");
    for round in 0..10 {
        let mut ledger = Ledger::open(&at(path), &identity(), &Claim::at_once(&format!("w{round}"))).unwrap();
        ledger.append(vec![intent(&[june()])]).unwrap();
        for number in 0..20 {
            ledger.freeze(Vec::new(), vec![proposal(june(), &format!("{round}-{number}"))]).unwrap();
        }
    }
}

fn start(place: &Place, role: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::tests::processes::child", "--nocapture"])
        .env(LEDGER, place.path())
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(out.any(|line| line.unwrap() == "ready"));
    // Read on, so that it can go on writing.
    std::thread::spawn(move || out.for_each(drop));
    child
}

#[test]
fn readers_and_a_writer_that_comes_and_goes_do_not_disturb_each_other() {
    let place = Place::new();
    let mut child = start(&place, "comes and goes");
    let mut seen = 0;
    let ended = loop {
        let ended = child.try_wait().unwrap();
        let now = charges(&place.read()).len();
        assert!(now >= seen, "{now} after {seen}");
        seen = now;
        if let Some(ended) = ended {
            break ended;
        }
    };
    assert!(ended.success());
    assert_eq!(seen, 200);
}

#[test]
fn a_call_that_a_killed_process_had_under_way_is_unknown() {
    let place = Place::new();
    let mut child = start(&place, "killed");
    let error = Ledger::open(&place.at(), &identity(), &Claim::at_once("r2")).unwrap_err();
    assert!(words(&error, &place).contains(&format!("process {} on ", child.id())), "{error}");
    let beside = place.contents();
    assert_eq!(place.read().counts("s").unknown, 1, "a reader sees what the writer has written so far");
    assert!(beside == place.contents(), "a reader changed something beside a writer");

    child.kill().unwrap();
    child.wait().unwrap();
    let left = place.contents();
    assert!(left.iter().any(|(name, bytes)| name.ends_with("-wal") && !bytes.is_empty()));
    assert_eq!(place.read().counts("s").unknown, 1);
    assert!(left == place.contents(), "a reader changed what a killed writer left");

    let mut ledger = place.open("r2");
    let charges = charges(ledger.state());
    assert_eq!(standing(ledger.state(), &charges[0]), &Standing::InFlight { attempt: 1 });
    assert_eq!(standing(ledger.state(), &charges[1]), &Standing::Pending { reason: None });
    assert!(ledger.state().charge(&charges[0].id()).unwrap().is_unresolved());
    // The next run's first entry makes it an unknown one, without a word of its own.
    ledger.looked_up("s", vec![(charges[0].id(), Finding::CannotTell("busy".to_owned()))]).unwrap();
    assert!(matches!(standing(ledger.state(), &charges[0]), Standing::Unknown { .. }));
    let attempt = ledger.begin_attempt(("s", None), &charges, MINUTE).unwrap();
    let duplicates = charges.iter().map(|charge| outcome(charge.id(), Status::Duplicate)).collect();
    ledger.record(attempt, false, duplicates).unwrap();
    assert!(ledger.state().charge(&charges[0].id()).unwrap().is_final(), "its own earlier attempt");
    assert!(matches!(standing(ledger.state(), &charges[1]), Standing::Unconfirmed { .. }), "never left before");
}

#[test]
fn a_part_of_a_ledger_that_was_copied_without_its_index_is_read_whole() {
    let place = Place::new();
    let mut child = start(&place, "killed");
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_file(place.folder.path().join("p.ledger.db-shm")).unwrap();
    assert_eq!(place.read().counts("s").unknown, 1);
}
