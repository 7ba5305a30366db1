//! What no service can tell, a person says: once, in words that stay in the ledger.

use std::time::Duration;

use clazar_emulator::{Endpoint, Fault, Record};
use serde_json::json;

use crate::explained::{explained, id_of};
use crate::state_document::{KEY, Kept, after};
use crate::support::{Backend, Stage, bill, component, ended, settings};

/// A pipeline whose sink loses its answers, or does not, and whose service nobody can ask.
fn asks(stage: &Stage, way: &str) {
    let text = Stage::usual();
    let (before, _) = text.split_once("[sink.clazar]").unwrap();
    stage.pipeline(&format!(
        "{before}[sink.clazar]\nplugin = \"{}\"\nretry_budget = \"0s\"\n\
         config = {{ way = \"{way}\", resolution = \"ask\", url = \"${{CLAZAR_URL}}\" }}\ngrant.http = \"${{CLAZAR_URL}}\"\n",
        component("failing").display()
    ));
}

/// A stage with two charges whose calls were lost.
fn lost(backend: Backend) -> Stage {
    let stage = Stage::on(backend, settings());
    asks(&stage, "lost");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage
}

fn sent(stage: &Stage) -> usize {
    stage.emulator.requests().len()
}

/// Longer than a call of that sink may take.
fn until_its_calls_are_over() {
    std::thread::sleep(Duration::from_millis(1100));
}

fn resolve(stage: &Stage, charge: &str, verdict: &str) -> crate::support::Ended {
    let arguments = [charge, verdict, "--reason", "it stands in their portal", "--yes"];
    stage.command("ledger resolve", &arguments, &[("USER", "kim")])
}

#[test]
fn a_charge_of_a_service_that_nobody_can_ask_is_resolved_by_a_person() {
    for backend in Backend::both() {
        let stage = lost(backend);
        let run = stage.command("run", &["--json"], &[]);
        let [a, b] = ["A", "B"].map(|customer| id_of(&stage, customer));
        let problems = stage.problems(run.expect(1));
        let file =
            stage.path("pipeline.toml").display().to_string().replace(&stage.path("").display().to_string(), "FOLDER/");
        assert_eq!(
            problems[0]["action"],
            format!(
                "nobody can ask this service: see whether it has the charge, and say so\n\
                 meterhost ledger resolve {file} CHARGE billed|not-billed --reason \"...\""
            ),
            "{problems:#}"
        );
        stage.run().expect(1).says(&format!("{b} billed|not-billed"));
        assert_eq!(sent(&stage), 1, "nothing is sent while nobody knows");

        until_its_calls_are_over();
        resolve(&stage, &a[..6], "billed")
            .expect(0)
            .says("to be written down by kim: billed, because: it stands in their portal");
        resolve(&stage, &b, "not-billed").expect(0).says("the next run offers the identical charge");
        let said = explained(&stage, "A");
        assert_eq!((&said["standing"], &said["final"]), (&json!("by hand"), &json!(true)));
        assert_eq!(said["reason"], "billed, as said by a person (kim): it stands in their portal");
        let pending = explained(&stage, "B");
        assert_eq!(pending["standing"], "pending");
        let reason = pending["reason"].as_str().unwrap();
        assert!(reason.ends_with("not billed, as said by a person (kim): it stands in their portal"), "{reason}");

        asks(&stage, "proper");
        let json = stage.command("run", &["--json"], &[]).expect(0).json();
        assert_eq!(sent(&stage), 2, "B alone, once more");
        let lines = json["windows"][0]["lines"].as_array().unwrap();
        let states: Vec<_> = lines.iter().map(|line| [&line["customer"], &line["state"]]).collect();
        let [of_a, before, of_b, billed] = ["A", "billed-before", "B", "billed"].map(|word| json!(word));
        assert_eq!(states, [[&of_a, &before], [&of_b, &billed]]);
        assert_eq!(lines[0]["reason"], "billed, as said by a person (kim): it stands in their portal");
        assert_eq!(json["windows"][0]["settled"], true);
        stage.command("ledger show", &[], &[]).says("by hand").says("billed, as said by a person (kim)");
        stage
            .command("explain", &[&b], &[])
            .says("a person (kim) said that it is not billed: it stands in their portal");
        stage.run().expect(0);
        assert_eq!(sent(&stage), 2);
    }
}

#[test]
fn where_a_look_up_never_tells_what_a_person_says_suffices() {
    let stage = lost(Backend::Sqlite);
    let looks_up = |way| {
        asks(&stage, way);
        stage.replace("\"ask\"", "\"look-up\"");
    };
    looks_up("lost");
    stage.run().expect(1);
    until_its_calls_are_over();
    let [a, b] = ["A", "B"].map(|customer| id_of(&stage, customer));
    for charge in [&a, &b] {
        resolve(&stage, charge, "not-billed").expect(0);
    }
    looks_up("proper");
    let before = sent(&stage);
    stage.run().expect(0);
    assert_eq!(sent(&stage), before + 1, "its books keep silent, and both are offered");
    assert_eq!(explained(&stage, "A")["standing"], "accepted");
}

#[test]
fn nobody_says_that_a_charge_is_not_billed_while_its_call_may_arrive() {
    let stage = lost(Backend::Sqlite);
    let crashed = stage.command("run", &[], &[("METERHOST_FAILPOINT", "submit")]);
    assert_eq!(crashed.exit, -1);
    let a = id_of(&stage, "A");
    let over = explained(&stage, "A")["steps"][0]["over"].as_str().unwrap().to_owned();
    resolve(&stage, &a, "not-billed").expect(2).says(&format!("may still arrive, until {over}"));
    until_its_calls_are_over();
    resolve(&stage, &a, "not-billed").expect(0);
    asks(&stage, "proper");
    stage.run().expect(1).says("cpu of B");
    assert_eq!((sent(&stage), &explained(&stage, "A")["standing"]), (1, &json!("accepted")));
    // The service may have it by then, whenever the call is over.
    resolve(&stage, &id_of(&stage, "B"), "billed").expect(0);
    stage.run().expect(0);
    assert_eq!(sent(&stage), 1);
}

#[test]
fn what_is_known_is_not_resolved() {
    let refuse = ["B".to_owned()].into();
    let stage = Stage::with(clazar_emulator::Settings { refuse_contracts: refuse, ..settings() });
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage.run().expect(1);
    let entries = || stage.command("ledger show", &["--entries"], &[]).stdout;
    let before = entries();
    let [a, b] = ["A", "B"].map(|customer| id_of(&stage, customer));
    resolve(&stage, &a, "not-billed").expect(2).says("2 of cpu for A) is not resolved: it is final: accepted");
    resolve(&stage, &b, "billed").expect(2).says("the service refused it, so it is not billed: a run offers it again");
    resolve(&stage, "0000", "billed").expect(2).says("there is no charge `0000`");
    let unsure = stage.command("ledger resolve", &[&a, "perhaps", "--reason", "x", "--yes"], &[]);
    unsure.expect(2).says("[possible values: release, billed, not-billed, waive]");
    stage
        .command("ledger resolve", &[&a, "billed", "--reason", "  ", "--yes"], &[])
        .expect(2)
        .says("say how you know it");
    assert_eq!(entries(), before);
}

#[test]
fn without_a_yes_it_is_said_what_would_be_written_and_nothing_is() {
    let stage = lost(Backend::Sqlite);
    stage.run().expect(1);
    let a = id_of(&stage, "A");
    let unasked = stage.command("ledger resolve", &[&a, "billed", "--reason", "seen"], &[]);
    unasked
        .expect(2)
        .says("2025-06: 2 of cpu for A, to clazar, the charge")
        .says("call 1 was answered: unknown: the answer was lost")
        .says("it is final then")
        .says("nothing was written down: say --yes");
    assert_eq!(explained(&stage, "A")["standing"], "unknown");
}

#[test]
fn while_a_run_waits_for_the_answer_nobody_resolves_the_charge() {
    for backend in Backend::both() {
        let stage = Stage::on(backend, settings());
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
        stage.emulator.push_fault(Fault::Slow { before_ms: 4000, after_ms: 0 });
        let mut run = stage.step("run").spawn().unwrap();
        while !stage.command("ledger show", &[], &[]).stdout.contains("unknown") {}
        let a = id_of(&stage, "A");
        for verdict in ["billed", "not-billed"] {
            resolve(&stage, &a, verdict).expect(5);
        }
        stage.command("explain", &[&a], &[]).says("its answer is waited for by the run that holds the ledger: process");
        assert!(run.wait().unwrap().success());
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]));
    }
}

#[test]
fn what_a_person_says_is_not_billed_is_looked_up_first_where_that_can_be_done() {
    for arrived in [true, false] {
        let stage = lost(Backend::Sqlite);
        // Its books cannot tell.
        stage.replace("resolution = \"ask\"", "resolution = \"look-up\"");
        stage.run().expect(1).says("nobody keeps books here");
        until_its_calls_are_over();
        let [a, b] = ["A", "B"].map(|customer| id_of(&stage, customer));
        resolve(&stage, &a, "billed").expect(0);
        resolve(&stage, &b, "not-billed").expect(0);
        // From here on the service has books. The person was right, or was not.
        stage.pipeline(&Stage::usual());
        if arrived {
            let june = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
            stage.emulator.seed(Record::billed(clazar_emulator::Cloud::Aws, "B", "cpu", "3", june)).unwrap();
        }
        stage.run().expect(0);
        assert_eq!(stage.submissions(), usize::from(!arrived), "{arrived}");
        assert_eq!(stage.billed(), bill(&[("B", "cpu", "3")]));
    }
}

#[test]
fn another_record_in_the_place_of_a_charge_is_settled_by_a_person() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage.emulator.push_fault(Fault::drop_before_commit());
    let june = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    stage.emulator.seed(Record::billed(clazar_emulator::Cloud::Aws, "B", "cpu", "999", june)).unwrap();
    let b = {
        let run = stage.run();
        let b = id_of(&stage, "B");
        run.expect(1).says("has a record in its place with 999").says(&format!("{b} billed|not-billed"));
        b
    };
    resolve(&stage, &b, "billed").expect(0).says("it is held");
    stage.run().expect(0).says("billed, as said by a person (kim)");
}

#[test]
fn the_state_document_lists_what_a_person_says_is_billed_and_closes_the_month() {
    let kept = Kept::new(Some(after("2025-05")));
    let stage = &kept.stage;
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    stage.emulator.push_fault(Fault::drop_before_commit());
    stage.emulator.push_fault(Fault::before_commit(500).on(Endpoint::List).forever());
    stage.run().expect(1);
    assert_eq!(kept.entry()["meterhost_open"], json!({ "2025-06": ["A", "B"] }));
    let shown = stage.command("ledger show", &["--json"], &[]).json();
    for charge in shown["windows"][0]["charges"].as_array().unwrap() {
        resolve(stage, charge["id"].as_str().unwrap(), "billed").expect(0);
    }
    stage.run().expect(0);
    let closed =
        json!({ "last_processed_month": "2025-06", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
    assert_eq!(kept.entry(), closed, "{KEY}");
    assert_eq!(stage.billed(), bill(&[]));
}

#[test]
fn on_a_terminal_it_asks() {
    if std::process::Command::new("script").arg("--version").output().is_err() {
        println!("skipped: `script`, which runs a program on a terminal, is not there");
        return;
    }
    let stage = lost(Backend::Sqlite);
    stage.run().expect(1);
    let a = id_of(&stage, "A");
    let mut step = stage.step("ledger resolve");
    step.args([&a, "billed", "--reason", "seen"]);
    let line = std::iter::once(step.get_program()).chain(step.get_args());
    let line: Vec<String> = line.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    for (answer, exit, standing) in [("n", 2, "unknown"), ("y", 0, "by hand")] {
        // `script` runs it on a terminal of its own.
        let shell = format!("echo {answer} | script -qec \"{}\" /dev/null", line.join(" "));
        let mut asked = std::process::Command::new("sh");
        asked.args(["-c", &shell]).envs(step.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let asked = ended(asked.output().unwrap());
        asked.says("Write this down? It is never taken back. [y/N]");
        assert_eq!((asked.exit, &explained(&stage, "A")["standing"]), (exit, &json!(standing)), "{asked:?}");
    }
}
