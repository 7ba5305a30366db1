//! The trail: a ledger says whether it is what was written, each report says where it ends, and what was lost is not taken for nothing.

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Backend, Stage, bill, component, settings};

/// A stage that has billed June.
fn billed(ledger: Backend) -> Stage {
    let stage = Stage::on(ledger, settings());
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage
}

/// Changes the file behind the ledger's back.
fn sql(stage: &Stage, batch: &str) {
    let connection = Connection::open(stage.path("postgres-prod.ledger.db")).unwrap();
    let batch =
        format!("DROP TRIGGER IF EXISTS entry_is_not_changed; DROP TRIGGER IF EXISTS entry_is_not_deleted; {batch}");
    connection.execute_batch(&batch).unwrap();
    connection.close().unwrap();
}

/// Takes the last step away.
pub fn cut(stage: &Stage) {
    match &stage.ledger {
        Backend::Sqlite => sql(stage, "DELETE FROM entry WHERE step = (SELECT max(step) FROM entry)"),
        Backend::S3(bucket) => {
            let mut keys = bucket.store.keys(&bucket.name).into_iter();
            let last = keys.rfind(|key| key.contains("/segments/")).unwrap();
            bucket.store.delete(&bucket.name, &last);
        }
    }
}

#[test]
fn every_report_says_where_the_ledger_ends_and_verify_says_the_same() {
    for ledger in Backend::both() {
        let stage = billed(ledger);
        let plan = stage.command("plan", &["--json"], &[]).expect(0).json();
        assert_eq!(plan["ledger"], Value::Null, "there is none");
        assert!(!stage.plan().stdout.contains("\nledger "));
        stage.command("ledger verify", &[], &[]).expect(0).says("there is no ledger at ");
        let end = stage.command("run", &["--json"], &[]).expect(0).json()["ledger"].take();
        let hash = end["hash"].as_str().unwrap();
        assert_eq!(hash.len(), 64);
        let entries = end["entries"].as_u64().unwrap();
        assert!(entries > 4, "{end}");
        for command in ["ledger verify", "ledger show", "plan"] {
            assert_eq!(stage.command(command, &["--json"], &[]).expect(0).json()["ledger"], end, "{command}");
        }
        let place = end["place"].as_str().unwrap();
        stage.plan().expect(0).says(&format!("ledger {place}: {entries} entries, the last is {hash}"));
        let words = format!("whole: ends with entry {entries}, hash {hash}");
        stage.command("ledger verify", &[], &[]).expect(0).says(&words).says(&format!("{entries} entries in "));
    }
}

#[test]
fn all_that_is_wrong_is_named_and_a_run_refuses() {
    let stage = billed(Backend::Sqlite);
    stage.run().expect(0);
    sql(&stage, "UPDATE entry SET run = 'x' WHERE number = 2; DELETE FROM entry WHERE number = 4");
    let ended = stage.command("ledger verify", &["--json"], &[]);
    let document = ended.expect(4).json();
    let inputs: Vec<&str> =
        document["problems"].as_array().unwrap().iter().map(|problem| problem["input"].as_str().unwrap()).collect();
    assert_eq!((inputs, &document["exit"]), (vec!["entry 2", "entry 4"], &Value::from(4)));
    stage.command("ledger verify", &[], &[]).expect(4).says("entry 2").says("it is missing").says("restore the ledger");
    let sent = stage.emulator.requests().len();
    stage.run().expect(4).says("`meterhost ledger verify FILE` names all that is wrong");
    stage.command("ledger accept", &["--yes"], &[]).expect(4).says("entry 4");
    assert_eq!(stage.emulator.requests().len(), sent);
}

#[test]
fn a_ledger_without_its_tail_goes_on_once_a_person_has_accepted_that() {
    for ledger in Backend::both() {
        let stage = billed(ledger);
        stage.run().expect(0);
        stage.command("ledger accept", &["--yes"], &[]).expect(0).says("there is nothing to accept");
        cut(&stage);
        stage.run().expect(4).says("meterhost ledger accept");
        let asked = stage.command("ledger accept", &[], &[]);
        asked.expect(2).says("are lost with it").says("nothing was changed: say --yes to do it");
        stage.command("ledger verify", &[], &[]).expect(4).says("the head");
        let accepted = stage.command("ledger accept", &["--yes", "--json"], &[]).expect(0).json();
        assert!(accepted["accepted"].as_str().unwrap().contains("are lost with it"));
        let whole = stage.command("ledger verify", &["--json"], &[]).expect(0).json();
        assert_eq!(whole["ledger"], accepted["ledger"]);
        stage.command("ledger show", &["--entries"], &[]).expect(0).says(r#"{"restored":{"head":{"number":"#);
        stage.run().expect(0);
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]));
        assert_eq!(stage.submissions(), 1);
    }
}

#[test]
fn however_much_of_its_end_is_lost_nothing_is_sent_twice() {
    let steps = {
        let stage = billed(Backend::Sqlite);
        stage.run().expect(0);
        stage.command("ledger verify", &["--json"], &[]).expect(0).json()["steps"].as_u64().unwrap()
    };
    assert!(steps > 4, "frozen, attempted, answered, settled");
    let backends: [fn() -> Backend; 2] = [|| Backend::Sqlite, Backend::s3];
    for ledger in backends {
        for left in 1..steps {
            let stage = billed(ledger());
            stage.run().expect(0);
            (left..steps).for_each(|_| cut(&stage));
            stage.run().expect(4);
            stage.command("ledger accept", &["--yes"], &[]).expect(0);
            stage.run().expect(0);
            assert_eq!(
                stage.billed(),
                bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]),
                "{left} of {steps} steps are left"
            );
            assert_eq!(stage.submissions(), 1, "{left} of {steps} steps are left");
        }
    }
}

#[test]
fn where_nobody_can_ask_the_service_a_person_says_what_the_lost_entries_billed() {
    let stage = Stage::on(Backend::Sqlite, settings());
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    let text = Stage::usual();
    let (before, _) = text.split_once("[sink.clazar]").unwrap();
    stage.pipeline(&format!(
        "{before}[sink.clazar]\nplugin = \"{}\"\nretry_budget = \"0s\"\n\
         config = {{ way = \"takes-twice\", resolution = \"ask\", url = \"${{CLAZAR_URL}}\" }}\ngrant.http = \"${{CLAZAR_URL}}\"\n",
        component("failing").display()
    ));
    stage.run().expect(0);
    (0..3).for_each(|_| cut(&stage));
    stage.command("ledger accept", &["--yes"], &[]).expect(0).says("a person has to say what became of it");
    stage
        .run()
        .expect(1)
        .says("a run of which the ledger has lost the entries may have offered it")
        .says("ledger resolve");
    assert_eq!(stage.emulator.requests().len(), 1);
    let id = crate::explained::id_of(&stage, "A");
    stage.command("explain", &[&id], &[]).expect(0).says("the ledger has lost entries that stood behind this place");
    stage.command("ledger resolve", &[&id, "billed", "--reason", "their portal", "--yes"], &[]).expect(0);
    stage.run().expect(0);
    assert_eq!(stage.emulator.requests().len(), 1);
}

#[test]
fn a_head_without_its_ledger_stops_a_run_until_a_person_has_seen_it() {
    for ledger in Backend::both() {
        let stage = billed(ledger);
        stage.run().expect(0);
        match &stage.ledger {
            Backend::Sqlite => std::fs::remove_file(stage.path("postgres-prod.ledger.db")).unwrap(),
            Backend::S3(bucket) => {
                let keys = bucket.store.keys(&bucket.name).into_iter();
                keys.filter(|key| key.contains("/segments/")).for_each(|key| bucket.store.delete(&bucket.name, &key));
            }
        }
        stage.run().expect(4);
        stage.command("ledger verify", &[], &[]).expect(4).says("the ledger itself is gone");
        stage.command("ledger accept", &[], &[]).expect(2).says("known to the service's books alone");
        stage.command("ledger accept", &["--yes"], &[]).expect(0);
        stage.command("ledger verify", &[], &[]).expect(0).says("there is no ledger at ");
        stage.plan().says("it begins with this run");
    }
}

#[test]
fn a_name_that_was_left_beside_a_file_holds_nothing() {
    let stage = billed(Backend::Sqlite);
    stage.run().expect(0);
    let left = r#"{"pid":1,"host":"h","since":"2025-01-01T00:00:00Z","run":"r0"}"#;
    std::fs::write(stage.path("postgres-prod.ledger.db.lock"), left).unwrap();
    stage.command("ledger unlock", &["--yes"], &[]).expect(0).says("nobody holds the ledger");
}
