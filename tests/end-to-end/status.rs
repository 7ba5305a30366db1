//! How a pipeline stands, for a person and for a probe.

use clazar_emulator::{Fault, Settings};
use serde_json::{Value, json};

use crate::support::{Backend, Stage, settings};

fn status(stage: &Stage, exit: i32, arguments: &[&str]) -> Value {
    stage.command("status", &[&["--json"], arguments].concat(), &[]).expect(exit).json()
}

#[test]
fn a_pipeline_that_never_ran_is_due_or_not_by_the_clock() {
    for backend in Backend::both() {
        let mut stage = Stage::on(backend, settings());
        let found = status(&stage, 1, &[]);
        let due = &found["sinks"][0]["due"];
        assert_eq!((&due["windows"], &due["oldest"]), (&json!(1), &json!("2025-06")));
        assert_eq!(due["since"], "2025-07-01T00:30:00Z");
        assert_eq!((&found["last_run"], &found["ledger"]["entries"]), (&Value::Null, &json!(0)));
        stage
            .command("status", &[], &[])
            .expect(1)
            .says("due 2025-06, since 2025-07-01T00:30:00Z; whether the data is complete was not asked")
            .says("not there yet");
        stage.at("2025-07-01T00:29:59Z");
        let found = status(&stage, 0, &[]);
        assert_eq!((&found["sinks"][0]["due"], &found["next_due"]), (&Value::Null, &json!("2025-07-01T00:30:00Z")));
        stage.touched_nothing();
    }
}

#[test]
fn what_is_settled_and_what_is_due_next_is_told() {
    for backend in Backend::both() {
        let mut stage = Stage::on(backend, settings());
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
        let run = stage.command("run", &["--json"], &[]).expect(0).json()["run"].take();
        let found = status(&stage, 0, &[]);
        assert_eq!(found["sinks"][0]["settled"]["window"], "2025-06");
        assert_eq!((&found["last_run"]["run"], &found["last_run"]["now"]), (&run, &json!("2025-07-01T02:00:00Z")));
        assert_eq!((&found["next_due"], &found["holder"]), (&json!("2025-08-01T00:30:00Z"), &Value::Null));
        let entries = stage.command("ledger show", &["--entries"], &[]).stdout.lines().count();
        assert_eq!(found["ledger"]["entries"], entries);
        assert_eq!(found["ledger"]["hash"].as_str().unwrap().len(), 64);
        stage
            .command("status", &[], &[])
            .expect(0)
            .says("settled up to 2025-06, at ")
            .says("everything that is due is final");
        stage.at("2025-08-01T00:30:00Z");
        assert_eq!(status(&stage, 1, &[])["sinks"][0]["due"]["oldest"], "2025-07");
        // A run that comes every hour has not had its chance yet.
        assert_eq!(status(&stage, 0, &["--patience", "1h"])["sinks"][0]["due"]["oldest"], "2025-07");
        stage.at("2025-08-01T01:30:00Z");
        status(&stage, 1, &["--patience", "1h"]);
        stage.at("2025-10-01T00:30:00Z");
        let due = status(&stage, 1, &["--patience", "1h"])["sinks"][0]["due"].take();
        assert_eq!((&due["windows"], &due["newest"]), (&json!(3), &json!("2025-09")));
    }
}

#[test]
fn what_is_open_or_held_is_told_with_its_oldest_window() {
    let refuse = ["B".to_owned()].into();
    let mut stage = Stage::with(Settings { refuse_contracts: refuse, ..settings() });
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "1.5")]);
    stage.run().expect(1);
    let found = status(&stage, 1, &[]);
    let sink = &found["sinks"][0];
    assert_eq!(sink["open"], json!([{ "standing": "rejected", "charges": 1, "oldest": "2025-06" }]));
    assert_eq!((&sink["held"], &sink["held_since"]), (&json!(1), &json!("2025-06")));
    assert_eq!((&sink["due"]["oldest"], &sink["settled"]), (&json!("2025-06"), &Value::Null));
    stage
        .command("status", &[], &[])
        .expect(1)
        .says("open 1 charge rejected, the oldest of 2025-06")
        .says("held 1, the oldest of 2025-06");
    // Later months are billed, and what is open stays in sight.
    stage.at("2025-08-01T02:00:00Z");
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "2")]);
    stage.run().expect(1);
    let found = status(&stage, 1, &["--patience", "2h"]);
    let sink = &found["sinks"][0];
    assert_eq!((&sink["settled"]["window"], &sink["due"]["windows"]), (&json!("2025-07"), &json!(1)));
}

#[test]
fn it_works_beside_a_run_and_says_who_holds_the_ledger() {
    for backend in Backend::both() {
        let stage = Stage::on(backend, settings());
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
        stage.emulator.push_fault(Fault::Slow { before_ms: 4000, after_ms: 0 });
        let mut run = stage.step("run").spawn().unwrap();
        let begun = std::time::Instant::now();
        let under_way = loop {
            let found = stage.command("status", &["--json"], &[]);
            assert!(begun.elapsed().as_secs() < 30, "{found:?}");
            let found = found.expect(1).json();
            if found["sinks"][0]["open"][0]["standing"] == "unknown" {
                break found;
            }
        };
        let holder = under_way["holder"].as_str().unwrap();
        assert!(holder.starts_with(&format!("process {} on ", run.id())), "{holder}");
        assert!(run.wait().unwrap().success(), "the run was not disturbed");
        assert_eq!(status(&stage, 0, &[])["holder"], Value::Null);
    }
}

#[test]
fn a_ledger_that_cannot_be_read_and_a_file_that_is_wrong_have_exits_of_their_own() {
    let stage = Stage::on_a_file();
    std::fs::write(stage.path("postgres-prod.ledger.db"), "no ledger").unwrap();
    stage.command("status", &[], &[]).expect(4);
    stage.replace("window = \"month\"", "window = \"week\"");
    stage.command("status", &[], &[]).expect(2);
}
