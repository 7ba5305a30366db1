//! Anyone can see why: one charge back to its inputs and forward to every answer, and the whole ledger as tables.

use std::collections::BTreeMap;

use clazar_emulator::{Endpoint, Fault, Settings};
use serde_json::{Value, json};

use crate::support::{Backend, Stage, settings};

/// The id of a customer's charge.
pub fn id_of(stage: &Stage, customer: &str) -> String {
    let shown = stage.command("ledger show", &["--json"], &[]).expect(0).json();
    let windows = shown["windows"].as_array().unwrap();
    let mut charges = windows.iter().flat_map(|window| window["charges"].as_array().unwrap());
    charges.find(|charge| charge["customer"] == customer).unwrap()["id"].as_str().unwrap().to_owned()
}

/// What `explain` says of a customer's charge.
pub fn explained(stage: &Stage, customer: &str) -> Value {
    stage.command("explain", &[&id_of(stage, customer), "--json"], &[]).expect(0).json()
}

/// What happened, each step in a word.
#[track_caller]
fn steps(explained: &Value) -> Vec<String> {
    let steps = explained["steps"].as_array().unwrap().iter().map(|step| match step["kind"].as_str().unwrap() {
        "answer" => format!("answer: {}", step["outcome"]["status"].as_str().unwrap_or("none")),
        "look-up" => {
            let finding = &step["finding"];
            let word = finding.as_str().or_else(|| Some(finding.as_object()?.keys().next()?.as_str()));
            format!("look-up: {}", word.unwrap())
        }
        other => other.to_owned(),
    });
    steps.collect()
}

fn usage(stage: &Stage) {
    // Else each charge is looked up first.
    stage.begin_early();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage.usage("2025/06/02/00", "b", &[("A", "cpu", "5")]);
}

#[test]
fn a_plain_bill_leads_back_to_its_inputs_and_forward_to_its_answer() {
    for backend in Backend::both() {
        let stage = Stage::on(backend, settings());
        usage(&stage);
        let run = stage.command("run", &["--json"], &[]).expect(0).json()["run"].take();
        let explained = explained(&stage, "A");
        let charge = &explained["charge"];
        for (field, value) in [
            ("sink", json!("clazar")),
            ("window", json!("2025-06")),
            ("customer", json!("A")),
            ("dimension", json!("cpu")),
            ("exact", json!("7")),
            ("quantity", json!("7")),
            ("origins", json!([{ "dimension": "cpu", "records": 2 }])),
            ("aggregator", json!("aggregate.rules")),
        ] {
            assert_eq!(charge[field], value, "{field}");
        }
        let frozen = &explained["frozen"];
        assert_eq!((&frozen["run"], &frozen["now"]), (&run, &json!("2025-07-01T02:00:00Z")));
        assert_eq!(frozen["config"].as_str().unwrap().len(), 64);
        let plugins = frozen["plugins"].as_array().unwrap().iter();
        let plugins: Vec<_> =
            plugins.map(|plugin| [plugin["section"].as_str().unwrap(), plugin["name"].as_str().unwrap()]).collect();
        assert_eq!(plugins, [["source", "s3-reader"], ["aggregate.rules", "rules"], ["sink.clazar", "clazar"]]);
        assert!(
            frozen["plugins"][0]["sha256"].as_str().unwrap().len() == 64 && frozen["plugins"][0]["version"] == "0.1.0"
        );
        let inputs = explained["inputs"]["inputs"].as_array().unwrap();
        let items: Vec<_> = inputs.iter().map(|input| input["items"].as_u64().unwrap()).collect();
        assert_eq!(items, [2, 1]);
        assert!(inputs[1]["key"].as_str().unwrap().ends_with("2025/06/02/00/b.json"), "{inputs:?}");
        assert!(inputs[1]["size"].as_u64().unwrap() > 0 && !inputs[1]["etag"].as_str().unwrap().is_empty());
        assert_eq!(steps(&explained), ["attempt", "answer: accepted"]);
        let [attempt, answer] = [0, 1].map(|at| &explained["steps"][at]);
        assert_eq!((&attempt["attempt"], &attempt["charges"], &attempt["run"]), (&json!(1), &json!(2), &run));
        assert!(answer["outcome"]["raw"].as_str().unwrap().contains("\"A\""), "{answer:#}");
        assert_eq!(explained["standing"], "accepted");
        assert_eq!(explained["reference"], answer["outcome"]["reference"]);
        assert_eq!(explained["next"], "nothing: it is final");
    }
}

#[test]
fn a_person_reads_the_same_on_a_page() {
    let stage = Stage::new();
    usage(&stage);
    for number in 0..25 {
        stage.object(
            &format!("omnistrate-metering/Postgres/PROD/pt-1/2025/06/03/00/more-{number:02}.json"),
            r#"[{"timestamp":"2025-06-03T00:59:59Z","externalPayerId":"C","dimension":"cpu","value":1}]"#,
        );
    }
    stage.run().expect(0);
    let id = id_of(&stage, "A");
    let page = stage.command("explain", &[&id[..8]], &[]);
    page.expect(0)
        .says(&format!("charge {id} of postgres-prod"))
        .says("window 2025-06, from 2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z")
        .says("quantity 7")
        .says("stands accepted, as ")
        .says("next nothing: it is final")
        .says("2 records of cpu, by aggregate.rules")
        .says(", which took the time for 2025-07-01T02:00:00Z")
        .says("source: s3-reader 0.1.0, ")
        .says("from 27 inputs of 2025-06")
        .says("2025/06/02/00/b.json: ")
        .says("and 7 more: shown with `-v`")
        .says("call 1 was about to leave, with 3 charges; over at ")
        .says("call 1 was answered: accepted, as ")
        .says("as it came: {");
    assert!(!page.stdout.contains("more-24"));
    stage.command("explain", &[&id, "-v"], &[]).expect(0).says("more-24");
}

#[test]
fn a_timeout_and_the_look_up_after_it_are_told() {
    for (fault, expected) in [
        (Fault::drop_after_commit(), &["attempt", "answer: unknown", "look-up: found"][..]),
        (
            Fault::drop_before_commit(),
            &["attempt", "answer: unknown", "look-up: absent", "attempt", "answer: accepted"],
        ),
    ] {
        let stage = Stage::new();
        usage(&stage);
        stage.emulator.push_fault(fault);
        stage.run().expect(0);
        let explained = explained(&stage, "A");
        assert_eq!(steps(&explained), expected);
        assert_eq!(explained["standing"], "accepted");
    }
}

#[test]
fn a_call_whose_run_was_killed_is_told() {
    for backend in Backend::both() {
        let stage = Stage::on(backend, settings());
        usage(&stage);
        assert_eq!(stage.command("run", &[], &[("METERHOST_FAILPOINT", "submitted")]).exit, -1);
        let killed = explained(&stage, "A");
        assert_eq!((steps(&killed), &killed["standing"]), (vec!["attempt".to_owned()], &json!("unknown")));
        let command = killed["command"].as_str().unwrap();
        assert!(command.starts_with("meterhost ledger resolve ") && command.contains(&id_of(&stage, "A")), "{command}");
        stage.run().expect(0);
        let explained = explained(&stage, "A");
        assert_eq!(steps(&explained), ["attempt", "unanswered", "look-up: found"]);
        assert_eq!(explained["steps"][1]["run"], killed["frozen"]["run"], "it is the killed run's");
        assert_ne!(explained["steps"][2]["run"], killed["frozen"]["run"]);
    }
}

#[test]
fn a_rejected_charge_says_what_the_service_said_and_what_to_do() {
    let refuse = ["B".to_owned()].into();
    let stage = Stage::with(Settings { refuse_contracts: refuse, ..settings() });
    usage(&stage);
    stage.run().expect(1);
    let explained = explained(&stage, "B");
    assert_eq!(
        steps(&explained),
        ["attempt", "answer: unprocessed", "attempt", "answer: rejected"],
        "the call of both, which was refused, and then its own"
    );
    assert_eq!((&explained["standing"], &explained["final"]), (&json!("rejected"), &json!(false)));
    assert!(explained["reason"].as_str().unwrap().contains("Clazar answered 400"), "{explained:#}");
    assert_eq!(explained["next"], "mend what the service names; each run offers the identical charge once more");
    stage.command("explain", &[&id_of(&stage, "B")], &[]).says("call 3 was answered: rejected, to be offered again: ");
}

#[test]
fn the_inputs_are_those_that_the_charge_was_frozen_from_and_what_changed_since_is_held() {
    let stage = Stage::new();
    usage(&stage);
    stage.run().expect(0);
    stage.usage("2025/06/03/00", "late", &[("A", "cpu", "11")]);
    stage.run().expect(1);
    let explained = explained(&stage, "A");
    assert_eq!(explained["inputs"]["inputs"].as_array().unwrap().len(), 2);
    assert_eq!(explained["holds"][0]["code"], "late");
    stage.command("explain", &[&id_of(&stage, "A")], &[]).says("held back late: ");
    let other = stage.command("explain", &[&id_of(&stage, "B"), "--json"], &[]).json();
    assert_eq!(other["holds"], json!([]), "B owes what it owed");
}

#[test]
fn late_usage_and_what_rounding_left_over_lead_from_one_charge_to_the_other() {
    let mut stage = Stage::new();
    stage.replace("[sink.clazar]", "[sink.clazar]\nlate = \"carry\"\nround = \"carry\"");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2.5")]);
    stage.run().expect(0);
    stage.usage("2025/06/02/00", "late", &[("A", "cpu", "3")]);
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "1.75")]);
    stage.at("2025-08-01T02:00:00Z");
    stage.run().expect(0);
    let shown = stage.command("ledger show", &["--json"], &[]).json();
    let id = |window: usize| shown["windows"][window]["charges"][0]["id"].as_str().unwrap().to_owned();
    let (june, july) = (id(0), id(1));
    let said = format!("3 more of its usage, found late, was frozen with 2025-07: the charge {july}");
    // Long lines are broken.
    let explained = stage.command("explain", &[&june], &[]).expect(0).stdout.clone();
    assert!(explained.split_whitespace().collect::<Vec<_>>().join(" ").contains(&said), "{explained}");
    let explained = stage.command("explain", &[&july], &[]);
    explained.expect(0).says("with 3 of 2025-06, found late");
    explained.says("with 0.5 that rounding had left over; 0.25 is left over now");
    let json = stage.command("explain", &[&july, "--json"], &[]).json();
    assert_eq!(json["charge"]["carried"], json!([{ "window": "2025-06", "quantity": "3" }]));
    assert_eq!(json["charge"]["remainder"], json!({ "before": "0.5", "after": "0.25" }));
}

#[test]
fn what_is_held_or_waived_and_was_never_frozen_is_explained_too() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("A", "cpu", "null")]);
    let ended = stage.command("run", &["--json"], &[]).expect(1).json();
    let id = ended["windows"][0]["lines"][0]["would_be"].as_str().unwrap().to_owned();
    let says = |text: &str| {
        stage.command("explain", &[&id], &[]).expect(0).says("is not frozen: nothing of it was sent").says(text);
    };
    says("a.json, record 2: quantity (/value) is null");
    says(&format!("{id} release|billed|waive --reason"));
    let json = || stage.command("explain", &[&id, "--json"], &[]).expect(0).json();
    assert_eq!(json()["would_be"]["exact"], json!("2"));
    assert_eq!(json()["holds"][0]["code"], json!("quarantined"));
    stage.command("ledger resolve", &[&id, "waive", "--reason", "a test of theirs", "--yes"], &[]).expect(0);
    stage.run().expect(1);
    says("waived by a person");
    says("a test of theirs");
    assert_eq!([&json()["held"], &json()["word"]["stands"]], [&json!(false), &json!(true)]);
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "3"), ("A", "cpu", "null")]);
    stage.run().expect(1);
    says("when it came to another quantity");
    assert_eq!([&json()["held"], &json()["word"]["stands"]], [&json!(true), &json!(false)]);
}

#[test]
fn what_names_no_charge_or_several_is_said_with_those_that_are_near() {
    let stage = Stage::new();
    stage.command("explain", &["0123"], &[]).expect(2).says("there is no charge `0123` in the ledger");
    usage(&stage);
    stage.run().expect(0);
    let id = id_of(&stage, "A");
    let other = if id.as_bytes()[5] == b'0' { '1' } else { '0' };
    let slip = format!("{}{other}{}", &id[..5], &id[6..]);
    stage.command("explain", &[&slip], &[]).expect(2).says(&format!("near it are {id} (2025-06: 7 of cpu for A)"));
    stage.command("explain", &["8da"], &[]).expect(2).says("or at least the first 4 of them");
    stage.command("explain", &["cpu of A"], &[]).expect(2).says("names no charge");
    stage.command("explain", &[&id, "--window", "2025-06"], &[]).expect(2).says("does not go by windows");
}

/// The files of an export, by name.
fn exported(stage: &Stage, folder: &str, arguments: &[&str]) -> BTreeMap<String, String> {
    let folder = stage.path(folder);
    let to = folder.display().to_string();
    stage.command("ledger export", &[&["--to", &to], arguments].concat(), &[]).expect(0);
    let files = std::fs::read_dir(&folder).unwrap().map(|file| {
        let file = file.unwrap();
        (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap())
    });
    files.collect()
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_export_holds_every_charge_attempt_and_outcome() {
    for backend in Backend::both() {
        let stage = Stage::on(backend, settings());
        usage(&stage);
        stage.usage("2025/06/01/00", "odd", &[("C, \\\"the third\\\"", "cpu", "4")]);
        stage.emulator.push_fault(Fault::drop_after_commit());
        stage.run().expect(0);
        let files = exported(&stage, "out/tables", &[]);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["attempts.csv", "attempts.ndjson", "charges.csv", "charges.ndjson", "outcomes.csv", "outcomes.ndjson"]
        );
        let charges = objects(&files["charges.ndjson"]);
        assert_eq!(charges.len(), 3);
        let a = charges.iter().find(|charge| charge["customer"] == "A").unwrap();
        for (field, value) in [
            ("window", json!("2025-06")),
            ("sink", json!("clazar")),
            ("quantity", json!("7")),
            ("records", json!(2)),
            ("standing", json!("accepted")),
            ("tags", json!({})),
            ("reason", Value::Null),
        ] {
            assert_eq!(a[field], value, "{field}");
        }
        let attempts = objects(&files["attempts.ndjson"]);
        assert_eq!(attempts.len(), 3, "one for each charge of the call");
        assert!(attempts.iter().all(|row| row["attempt"] == 1 && row["unsent"] == false && row["sink"] == "clazar"));
        let outcomes = objects(&files["outcomes.ndjson"]);
        let of_a: Vec<_> = outcomes.iter().filter(|row| row["charge"] == a["id"]).collect();
        let said: Vec<_> = of_a.iter().map(|row| [&row["source"], &row["status"], &row["quantity"]]).collect();
        let [answer, unknown, look_up, found, seven] =
            [json!("answer"), json!("unknown"), json!("look-up"), json!("found"), json!("7")];
        assert_eq!(said, [[&answer, &unknown, &Value::Null], [&look_up, &found, &seven]]);
        assert_eq!(a["final_at"], of_a[1]["at"]);
        assert_eq!(a["reference"], of_a[1]["reference"]);
        assert!(of_a[1]["raw"].as_str().unwrap().contains("\"A\""));

        // As RFC 4180 has it: lines end in CRLF, and what would break a line is quoted.
        let csv = &files["charges.csv"];
        assert!(csv.starts_with(
            "id,window,sink,product,customer,dimension,tags,exact,quantity,time,frozen_at,frozen_by,config,"
        ));
        assert_eq!((csv.matches("\r\n").count(), csv.matches('\n').count()), (4, 4));
        assert!(csv.contains(",\"C, \"\"the third\"\"\",cpu,,4,4,2025-06-"), "{csv}");

        assert_eq!(exported(&stage, "again", &[]), files, "the same ledger gives the same bytes");
        let only = exported(&stage, "only", &["--format", "csv"]);
        assert_eq!(only.keys().collect::<Vec<_>>(), ["attempts.csv", "charges.csv", "outcomes.csv"]);
    }
}

#[test]
fn a_call_without_an_answer_is_exported_too() {
    let stage = Stage::new();
    usage(&stage);
    stage.command("run", &[], &[("METERHOST_FAILPOINT", "submitted")]);
    let open = exported(&stage, "open", &[]);
    assert_eq!((objects(&open["attempts.ndjson"]).len(), open["outcomes.ndjson"].len()), (2, 0));
    stage.emulator.push_fault(Fault::Pass.on(Endpoint::List));
    stage.run().expect(0);
    let ended = exported(&stage, "ended", &[]);
    assert_eq!(ended["attempts.ndjson"], open["attempts.ndjson"]);
    assert_eq!(objects(&ended["outcomes.ndjson"]).len(), 2);
}

#[test]
fn an_export_that_cannot_be_written_leaves_what_was_there() {
    let stage = Stage::new();
    usage(&stage);
    stage.run().expect(0);
    std::fs::write(stage.path("file"), "mine").unwrap();
    let to = stage.path("file").display().to_string();
    stage.command("ledger export", &["--to", &to], &[]).expect(2).says("--to: ");
    assert_eq!(std::fs::read_to_string(stage.path("file")).unwrap(), "mine");
    // A folder stands in the place of one of the files.
    std::fs::create_dir_all(stage.path("out/charges.csv/inside")).unwrap();
    let to = stage.path("out").display().to_string();
    stage.command("ledger export", &["--to", &to], &[]).expect(2);
    let left: Vec<_> = std::fs::read_dir(stage.path("out"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["charges.csv"], "no draft is left behind");
}
