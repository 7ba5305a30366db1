//! A ledger that is new, or that was lost: what the service has already is found in its books, and billed by nobody again.

use clazar_emulator::{Cloud, Endpoint, Fault, Record};

use crate::support::{Backend, Stage, bill, component, settings};

const CHARGES: &[(&str, &str, &str)] = &[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")];

/// A stage that has billed, and whose ledger is gone.
fn lost(ledger: Backend) -> Stage {
    let stage = Stage::on(ledger, settings());
    stage.usage("2025/06/01/00", "a", CHARGES);
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(CHARGES));
    stage.lose_the_ledger();
    stage
}

fn listings(stage: &Stage) -> usize {
    stage.emulator.requests().iter().filter(|request| request.method == "GET").count()
}

#[test]
fn a_run_without_a_ledger_says_so_first() {
    for ledger in Backend::both() {
        let stage = Stage::on(ledger, settings());
        stage.usage("2025/06/01/00", "a", CHARGES);
        stage.plan().expect(0).says("what is over by now would be looked up at clazar before it would be sent");
        assert_eq!(stage.emulator.requests().len(), 0, "a plan asks nobody");
        let ended = stage.run();
        let first = ended.expect(0).stderr.lines().next().unwrap_or_default();
        assert!(first.contains("there is no record of this pipeline in"), "{}", ended.stderr);
        let document = stage.command("plan", &["--json"], &[]).expect(0).json();
        assert!(!document["notes"].to_string().contains("no record"), "{document}");
        assert_eq!(stage.billed(), bill(CHARGES));
    }
}

#[test]
fn what_a_lost_ledger_billed_is_found_and_not_sent_again() {
    for ledger in Backend::both() {
        let stage = lost(ledger);
        stage.usage("2025/06/02/00", "d", &[("D", "cpu", "7")]);
        let sent = stage.submissions();
        let ended = stage.command("run", &["--json"], &[]);
        let document = ended.expect(0).json();
        assert!(document["notes"][0].as_str().unwrap().contains("no record of this pipeline"), "{document:#}");
        let window = &document["windows"][0];
        let charges = &window["charges"];
        assert_eq!((&charges["billed"], &charges["billed_before"]), (&1.into(), &3.into()), "{window:#}");
        let line = &window["lines"][0];
        assert_eq!(line["reason"], "the service had it: it was sent before this ledger was there");
        assert!(line["reference"].is_string(), "{line:#}");
        assert_eq!(stage.submissions(), sent + 1, "D alone");
        let mut all = CHARGES.to_vec();
        all.push(("D", "cpu", "7"));
        stage.bills_once(&all);
    }
}

#[test]
fn other_quantities_than_a_lost_ledger_billed_are_held() {
    let stage = lost(Backend::Sqlite);
    stage.usage("2025/06/02/00", "late", &[("B", "cpu", "4")]);
    let sent = stage.submissions();
    stage.run().expect(1).says("the service has a record in its place with 3");
    assert_eq!(stage.submissions(), sent);
    assert_eq!(stage.billed(), bill(CHARGES));
}

#[test]
fn where_the_books_cannot_be_read_a_duplicate_is_told_and_looked_up_later() {
    for ledger in Backend::both() {
        let stage = lost(ledger);
        stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
        stage.emulator.push_fault(Fault::before_commit(500).on(Endpoint::List).forever());
        stage.run().expect(1).says("may or may not be billed");
        stage.emulator.clear_faults();
        let sent = stage.submissions();
        stage.run().expect(0).says("it was sent before this ledger was there");
        assert_eq!(stage.submissions(), sent);
        // The service refused a second record.
        stage.emulator.verify_books().unwrap();
        assert_eq!(stage.emulator.books().len(), CHARGES.len());
    }
}

#[test]
fn books_that_cannot_be_read_just_now_are_waited_for() {
    for fault in [Fault::before_commit(500), Fault::drop_before_commit(), Fault::Throttle { retry_after: None }] {
        let stage = lost(Backend::Sqlite);
        let sent = stage.submissions();
        stage.emulator.push_fault(fault.on(Endpoint::List).times(2));
        stage.run().expect(0);
        assert_eq!(stage.submissions(), sent, "what the books show is not offered");
    }
}

#[test]
fn books_that_can_never_be_read_keep_no_first_bill_back() {
    for fault in [
        Fault::before_commit(500),
        Fault::Throttle { retry_after: None },
        Fault::ExpiredToken,
        Fault::drop_before_commit(),
    ] {
        let stage = Stage::new();
        stage.usage("2025/06/01/00", "a", CHARGES);
        stage.emulator.push_fault(fault.on(Endpoint::List).forever());
        stage.run();
        assert_eq!(stage.billed(), bill(CHARGES));
        stage.run().expect(0);
        assert_eq!(stage.submissions(), 1);
    }
}

/// Puts a sink in the place of the usual one whose books cannot be read, and which takes a second record for a charge.
fn takes_twice(stage: &Stage) {
    let proper = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (before, _) = proper.split_once("[sink.clazar]").unwrap();
    stage.pipeline(&format!(
        "{before}[sink.clazar]\nplugin = \"{}\"\nretry_budget = \"1s\"\n\
         config = {{ way = \"takes-twice\", url = \"${{CLAZAR_URL}}\" }}\ngrant.http = \"${{CLAZAR_URL}}\"\n",
        component("failing").display()
    ));
}

#[test]
fn where_a_second_record_is_taken_nothing_is_sent_before_the_books_can_be_read() {
    let stage = Stage::new();
    takes_twice(&stage);
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    for _ in 0..2 {
        stage
            .run()
            .expect(1)
            .says("the charge may or may not be billed: a ledger that is not here any more may have sent it")
            .says("a look-up could not tell: nobody keeps books here");
        assert_eq!(stage.emulator.requests().len(), 0);
    }
    // Somebody else may know.
    let id = crate::explained::id_of(&stage, "A");
    stage.run().expect(1).says(&format!("{id} billed|not-billed"));
    stage.command("explain", &[&id], &[]).expect(0).says("see whether the service has it, and say so");
    stage.command("ledger resolve", &[&id, "not-billed", "--reason", "their portal", "--yes"], &[]).expect(0);
    stage.run().expect(0);
    assert_eq!(stage.emulator.requests().len(), 1);
    // Of what was not over nobody can have sent anything.
    let stage = Stage::new();
    takes_twice(&stage);
    stage.begin_early();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.run().expect(0);
    assert_eq!(stage.emulator.requests().len(), 1);
}

#[test]
fn what_was_seen_absent_once_is_not_looked_up_again() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", CHARGES);
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    // The books answer; the first call is turned away.
    stage.emulator.push_fault(Fault::Throttle { retry_after: None }.on(Endpoint::Submit));
    stage.run().expect(1);
    let asked = listings(&stage);
    assert!(asked > 0);
    stage.run().expect(0);
    assert_eq!(listings(&stage), asked);
    assert_eq!(stage.billed(), bill(CHARGES));
}

#[test]
fn usage_that_comes_late_for_a_window_before_the_ledger_is_looked_up_too() {
    let mut stage = Stage::new();
    stage.usage("2025/06/01/00", "a", CHARGES);
    stage.command("run", &[], &[("METERHOST_CLOCK", "2025-07-01T02:00:00Z")]).expect(0);
    let asked = listings(&stage);
    stage.usage("2025/06/03/00", "d", &[("D", "cpu", "7")]);
    let month = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    stage.emulator.seed(Record::billed(Cloud::Aws, "D", "cpu", "7", month)).unwrap();
    stage.run().expect(0);
    assert!(listings(&stage) > asked);
    assert_eq!(stage.submissions(), 1, "an earlier ledger may have billed D");
    // What was not over then nobody can have billed.
    let asked = listings(&stage);
    stage.usage("2025/07/01/05", "a", &[("A", "cpu", "1")]);
    stage.at("2025-08-01T02:00:00Z");
    stage.run().expect(0);
    assert_eq!((listings(&stage), stage.submissions()), (asked, 2));
}

#[test]
fn months_that_are_caught_up_with_one_by_one_are_looked_up_each() {
    let mut stage = Stage::new();
    takes_twice(&stage);
    for (month, now) in [("06", "2025-07-01T02:00:00Z"), ("07", "2025-08-01T02:00:00Z")] {
        stage.usage(&format!("2025/{month}/01/00"), "a", &[("A", "cpu", "2")]);
        stage.at(now);
        stage.run().expect(1).says("a ledger that is not here any more may have sent it");
    }
    assert_eq!(stage.emulator.requests().len(), 0, "both were over by the real clock when the ledger was new");
}
