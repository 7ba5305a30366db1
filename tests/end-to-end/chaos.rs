//! Crashes and faults by chance, and ledgers that are lost, from a seed: whatever goes wrong, and however often, each charge is billed once,
//! with its number. Where there is a state document, the exporter before could take over at any time without billing twice.

use std::collections::BTreeMap;

use clazar_emulator::Endpoint;
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::support::Stage;

/// Seeds of a quick run, and of one with `METERHOST_LONG`.
const SEEDS: u64 = 12;
const MANY_SEEDS: u64 = 300;

const FAILPOINTS: [&str; 11] = [
    "reading",
    "write:freeze",
    "kept:freeze",
    "write:attempt",
    "submit",
    "submitted",
    "kept:outcomes",
    // Around the writes of a state document; without one, nothing happens there.
    "mirror",
    "mirrored",
    "mirror#2",
    "mirrored#2",
];

/// Whatever is in the books is listed in the state document, or its month is closed.
pub fn could_go_back(stage: &Stage, when: &str) {
    let text = std::fs::read_to_string(stage.path("state.json")).unwrap_or_else(|_| "{}".to_owned());
    let document: Value = serde_json::from_str(&text).unwrap();
    let entry = &document["postgres-prod"];
    for record in stage.emulator.books().into_iter().filter(|record| record.status.name() == "success") {
        let month = &record.start_time[..7];
        let listed = json!(format!("{}:{month}", record.contract_id));
        let is_listed = entry["processed_contracts"][month].as_array().is_some_and(|list| list.contains(&listed));
        let is_closed = entry["last_processed_month"].as_str().is_some_and(|last| month <= last);
        assert!(is_listed || is_closed, "{when}: {listed} is not in {entry:#}");
    }
}

fn goes_wrong(seed: u64) {
    let mut chance = Chance::of_seed(seed);
    let stage = Stage::new();
    stage.replace("start  = \"2025-06\"", "start  = \"2025-05\"");
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"1s\"");
    let mirrored = seed % 2 == 1;
    if mirrored {
        stage.replace("grace  = \"30m\"", "grace  = \"30m\"\nmirror = \"file://./state.json\"");
    }
    let mut owed = BTreeMap::new();
    for month in ["05", "06"] {
        for customer in ["A", "B", "C", "D"] {
            for dimension in ["cpu", "memory", "storage"] {
                let quantity = 1 + chance.below(1000);
                let half = quantity / 2;
                for (day, value) in [("01", half), ("20", quantity - half)] {
                    let folder = format!("2025/{month}/{day}/07");
                    stage.usage(
                        &folder,
                        &format!("{customer}-{dimension}"),
                        &[(customer, dimension, &value.to_string())],
                    );
                }
                owed.insert((customer.to_owned(), dimension.to_owned(), format!("2025-{month}")), quantity.to_string());
            }
        }
    }
    let mut was_lost = false;
    for _ in 0..2 + chance.below(3) {
        stage.emulator.clear_faults();
        for endpoint in [Endpoint::Authenticate, Endpoint::Submit, Endpoint::Submit, Endpoint::List, Endpoint::List] {
            let times = 1 + chance.below(2) as u32;
            stage.emulator.push_fault(chance.fault(endpoint).on(endpoint).times(times));
        }
        let failpoint = if chance.below(2) == 0 { chance.of(&FAILPOINTS) } else { "" };
        let ended = stage.command("run", &[], &[("METERHOST_FAILPOINT", failpoint)]);
        assert!([-1, 0, 1].contains(&ended.exit), "seed {seed}: {ended:?}");
        stage.emulator.verify_books().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        if mirrored {
            could_go_back(&stage, &format!("seed {seed}"));
        }
        if chance.below(3) == 0 {
            stage.lose_the_ledger();
            was_lost = true;
        }
    }
    stage.emulator.clear_faults();
    let ended = stage.run();
    assert_eq!(ended.exit, 0, "seed {seed}: {ended:?}");
    // Where neither a ledger nor a document nor the books tell, it is the service's refusal that does.
    let may_be_resent = was_lost && !mirrored;
    assert!(may_be_resent || stage.emulator.resent().is_empty(), "seed {seed}: {:?}", stage.emulator.resent());
    let books = stage.emulator.books().into_iter().filter(|record| record.status.name() == "success");
    let mut billed = BTreeMap::new();
    for record in books {
        let key = (record.contract_id, record.dimension, record.start_time[..7].to_owned());
        assert_eq!(billed.insert(key, record.quantity), None, "seed {seed}: billed twice");
    }
    assert_eq!(billed, owed, "seed {seed}");
    let sent = stage.submissions();
    stage.run().expect(0);
    assert_eq!(stage.submissions(), sent, "seed {seed}");
}

#[test]
fn whatever_goes_wrong_each_charge_is_billed_once() {
    let long = std::env::var_os("METERHOST_LONG").is_some();
    let seeds = if long { MANY_SEEDS } else { SEEDS };
    (0..seeds).for_each(goes_wrong);
    println!("counted: {seeds} schedules of faults, crashes and lost ledgers");
}
