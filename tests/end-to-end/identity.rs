//! What a pipeline is called, and what it is: under another name it would bill again, so that stops at the line at fault, and the ledger
//! is told of an honest new name.

use std::process::Command;

use clazar_emulator::{Endpoint, Fault};

use crate::support::{Backend, Ended, Stage, bill, ended, settings};

/// A stage that has billed A and B.
fn billed(ledger: Backend) -> Stage {
    let stage = Stage::on(ledger, settings());
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    if matches!(stage.ledger, Backend::Sqlite) {
        // A pipeline of another name finds the same one.
        stage.replace("name   =", "ledger = \"sqlite:postgres-prod.ledger.db\"\nname   =");
    }
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]));
    stage
}

/// All that is in the ledger.
fn written(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    match &stage.ledger {
        Backend::Sqlite => ["", "-wal", ".head"]
            .map(|ending| stage.path(&format!("postgres-prod.ledger.db{ending}")))
            .map(|path| (path.display().to_string(), std::fs::read(path).unwrap_or_default()))
            .into(),
        Backend::S3(bucket) => {
            let keys = bucket.store.keys(&bucket.name).into_iter().filter(|key| !key.ends_with("/lease"));
            keys.map(|key| (key.clone(), bucket.store.get(&bucket.name, &key).unwrap())).collect()
        }
    }
}

/// Asserts that nothing goes on with this file: the line is shown, nothing is sent, and nothing written.
#[track_caller]
fn stops(stage: &Stage, line: &str, says: &str) {
    stage.usage("2025/06/02/00", "c", &[("C", "cpu", "5")]);
    let (asked, before) = (stage.emulator.requests().len(), written(stage));
    for command in ["run", "plan", "check"] {
        let ended = stage.command(command, &[], &[]);
        ended.expect(2).says(says);
        assert!(ended.stderr.contains(line), "{command} does not show `{line}`:\n{}", ended.stderr);
        let json = stage.command(command, &["--json"], &[]);
        let problem = &json.expect(2).json()["problems"][0];
        assert_eq!(problem["code"], "configuration", "{problem:#}");
        let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
        let number = text.lines().position(|found| found.starts_with(line)).unwrap() + 1;
        let place = problem["input"].as_str().unwrap();
        assert!(place.contains(&format!("pipeline.toml:{number}:")), "{place} is not line {number}");
    }
    assert_eq!(stage.emulator.requests().len(), asked, "somebody was asked");
    assert!(written(stage) == before, "something was written");
}

/// Asserts that nothing is billed again from here on, and that new usage is.
#[track_caller]
fn goes_on(stage: &Stage) {
    stage.bills_once(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]);
}

fn rename(stage: &Stage, arguments: &[&str]) -> Ended {
    stage.command("ledger rename", &[arguments, &["--yes"]].concat(), &[])
}

/// Runs the command that a person would copy from what was shown.
fn copied(stage: &Stage, shown: &Ended, with: &str) -> Ended {
    let line = shown.stderr.lines().find(|line| line.trim().starts_with("meterhost ") && line.contains(with)).unwrap();
    let usual = stage.step("run");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{} --yes", line.trim().replacen("meterhost", "\"$0\"", 1))]).arg(usual.get_program());
    shell.env_clear().envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ended(shell.output().unwrap())
}

const SINK: &str = "[sink.clazar]";
const RENAMED: &str = "[sink.marketplace]\nplugin = \"clazar\"";

#[test]
fn a_renamed_sink_stops_until_the_ledger_is_told() {
    for ledger in Backend::both() {
        let stage = billed(ledger);
        stage.replace(SINK, RENAMED);
        stops(&stage, "[sink.marketplace]", "--sink clazar=marketplace");
        copied(&stage, &stage.run(), "--sink")
            .expect(0)
            .says("the sink clazar is called marketplace from here on: 2 charges in 1 window are its own");
        goes_on(&stage);
        stage.plan().expect(0);
        // What changes is compared with what was billed under the old name.
        stage.usage("2025/06/03/00", "late", &[("A", "cpu", "1")]);
        stage.run().expect(1).says("2 then, 3 now");
        // The old name stands in the ids of charges.
        stage.replace(RENAMED, SINK);
        stops(&stage, "[sink.clazar]", "the ledger knows the sink clazar as marketplace, since it was renamed");
        rename(&stage, &["--sink", "marketplace=clazar"]).expect(0);
        stage.run().expect(1).says("2 then, 3 now");
        assert_eq!(stage.submissions(), 2);
    }
}

#[test]
fn put_back_the_old_name_goes_on() {
    let stage = billed(Backend::Sqlite);
    stage.replace(SINK, RENAMED);
    stops(&stage, "[sink.marketplace]", "put the name back");
    stage.replace(RENAMED, SINK);
    goes_on(&stage);
}

#[test]
fn open_charges_of_a_renamed_sink_are_offered_under_their_ids() {
    for ledger in Backend::both() {
        let stage = Stage::on(ledger, settings());
        stage.begin_early();
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
        stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
        // One is sent without an answer, and nobody can say what became of it.
        stage.emulator.push_fault(Fault::drop_after_commit());
        stage.emulator.push_fault(Fault::before_commit(500).on(Endpoint::List).forever());
        stage.run().expect(1).says("may or may not be billed");
        stage.emulator.clear_faults();
        let ids = |stage: &Stage| -> Vec<String> {
            let shown = stage.command("ledger show", &["--json", "--window", "2025-06"], &[]).expect(0).json();
            let charges = shown["windows"][0]["charges"].as_array().unwrap().iter();
            charges.map(|charge| charge["id"].as_str().unwrap().to_owned()).collect()
        };
        let before = ids(&stage);
        stage.replace(SINK, RENAMED);
        stage.run().expect(2);
        rename(&stage, &["--sink", "clazar=marketplace"]).expect(0);
        stage.run().expect(0);
        assert_eq!((stage.submissions(), ids(&stage)), (1, before));
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]));
    }
}

#[test]
fn another_service_in_the_place_of_a_sink_begins_after_it() {
    let mut stage = billed(Backend::Sqlite);
    stage.replace(SINK, RENAMED);
    stage.run().expect(2).says("--retire clazar");
    rename(&stage, &["--retire", "clazar"])
        .expect(0)
        .says("the sink clazar is gone for good, and what it billed stays billed; marketplace begins with 2025-07");
    stage.run().expect(0);
    assert_eq!(stage.submissions(), 1);
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "7")]);
    stage.at("2025-08-01T02:00:00Z");
    stage.run().expect(0);
    stage.run().expect(0);
    assert_eq!(stage.submissions(), 2);
    assert_eq!(stage.emulator.books().iter().filter(|record| record.quantity == "7").count(), 1);
}

#[test]
fn a_sink_that_is_not_at_its_end_is_not_retired() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"0s\"");
    stage.emulator.push_fault(Fault::before_commit(503).on(Endpoint::Authenticate).forever());
    stage.run().expect(1);
    stage.replace(SINK, RENAMED);
    rename(&stage, &["--retire", "clazar"]).expect(2).says("the sink clazar is not at its end: 1 charge open");
}

#[test]
fn a_sink_that_owes_late_usage_is_neither_retired_nor_forgotten() {
    let mut stage = Stage::new();
    stage.replace(SINK, "[sink.clazar]\nlate = \"carry\"");
    let both = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let both = format!("{both}\n[sink.second]\nplugin = \"clazar\"\ntakes = [\"memory\"]\n{}", {
        let (_, settings) = both.split_once("late = \"carry\"\n").unwrap();
        settings.to_owned()
    });
    stage.pipeline(&both);
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    stage.run().expect(0);
    stage.usage("2025/06/02/00", "b", &[("A", "cpu", "3")]);
    stage.at("2025-07-02T02:00:00Z");
    stage.run().expect(0).says("3 more was found late: to be billed with 2025-07");
    let (before, after) = both.split_once("[sink.clazar]").unwrap();
    let (_, second) = after.split_once("[sink.second]").unwrap();
    stage.pipeline(&format!("{before}[sink.second]{}", second.replace("takes = [\"memory\"]\n", "")));
    let owes = "the sink clazar is not at its end: 1 charge with late usage to be billed; put it back";
    rename(&stage, &["--retire", "clazar"]).expect(2).says(owes);
    stage
        .run()
        .expect(1)
        .says("the file has no sink clazar any more, and it is not at its end: 1 charge with late usage to be billed");
    assert_eq!(stage.submissions(), 1);
    stage.pipeline(&both);
    stage.at("2025-08-01T02:00:00Z");
    stage.run().expect(0);
    assert_eq!(stage.emulator.books().iter().filter(|record| record.quantity == "3").count(), 1);
}

/// Of such a sink June is not read to its end.
#[test]
fn a_sink_with_a_window_that_was_taken_up_and_not_settled_is_not_retired() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    assert_eq!(stage.command("run", &[], &[("METERHOST_FAILPOINT", "reading")]).exit, -1);
    stage.replace(SINK, RENAMED);
    rename(&stage, &["--retire", "clazar"]).expect(2).says("2025-06 was taken up for it, and not settled");
    stage.replace(RENAMED, SINK);
    stage.run().expect(0);
    stage.replace(SINK, RENAMED);
    rename(&stage, &["--retire", "clazar"]).expect(0);
    rename(&stage, &["--sink", "clazar=marketplace"]).expect(2).says("the sink clazar is gone for good");
}

#[test]
fn a_name_that_was_given_up_is_nobody_elses() {
    let stage = billed(Backend::Sqlite);
    stage.replace(SINK, "[sink.other]\nplugin = \"clazar\"\ntakes = [\"memory\"]\nconfig = { cloud = \"aws\", url = \"${CLAZAR_URL}\" }\n\
         grant = { http = [\"${CLAZAR_URL}\"], secrets = { client_id = { env = \"CLAZAR_CLIENT_ID\" }, client_secret = { env = \"CLAZAR_CLIENT_SECRET\" } } }\n\n[sink.clazar]");
    stage.run().expect(0);
    stage.replace(SINK, RENAMED);
    rename(&stage, &["--sink", "clazar=marketplace"]).expect(0);
    stage.run().expect(0);
    stage.replace("[sink.other]", SINK);
    rename(&stage, &["--sink", "other=clazar"]).expect(2).says("the name clazar was that of the sink marketplace");

    // Nor is a pipeline's.
    let stage = billed(Backend::Sqlite);
    let first = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let second = first.replace("\"postgres-prod\"", "\"second\"").replace("omnistrate-metering/", "elsewhere/");
    stage.pipeline(&second);
    stage.run().expect(0);
    stage.pipeline(&first.replace("\"postgres-prod\"", "\"third\""));
    rename(&stage, &["--pipeline", "postgres-prod"]).expect(0);
    stage.pipeline(&second.replace("\"second\"", "\"postgres-prod\""));
    rename(&stage, &["--pipeline", "second"])
        .expect(2)
        .says("the name `postgres-prod` was that of the pipeline `third`");
}

#[test]
fn a_ledger_with_renamed_pipelines_is_whole_and_is_gone_on_with_without_its_end() {
    for ledger in Backend::both() {
        let stage = billed(ledger);
        stage.replace("\"postgres-prod\"", "\"Postgres: prod\"");
        copied(&stage, &stage.run(), "--pipeline").expect(0);
        stage.run().expect(0);
        stage.command("ledger verify", &[], &[]).expect(0);
        stage.usage("2025/06/02/00", "c", &[("C", "cpu", "5")]);
        stage.run().expect(0);
        crate::trail::cut(&stage);
        stage.run().expect(4);
        stage.command("ledger accept", &["--yes"], &[]).expect(0);
        goes_on(&stage);
        stage.command("ledger verify", &[], &[]).expect(0);
        stage.command("status", &[], &[]).expect(0).says("settled up to 2025-06");
    }
}

#[test]
fn a_pipeline_that_is_renamed_together_with_its_sink_is_found_all_the_same() {
    let stage = billed(Backend::Sqlite);
    stage.replace("\"postgres-prod\"", "\"new\"");
    stage.replace(SINK, RENAMED);
    stage.replace("config.layout", "config.attributes = { zone = \"/zone\" }\nconfig.layout");
    stops(&stage, "name   = \"new\"", "the ledger does not know the pipeline `new`, and `postgres-prod` reads");
    rename(&stage, &["--pipeline", "postgres-prod", "--sink", "clazar=marketplace"]).expect(0);
    goes_on(&stage);
}

#[test]
fn a_renamed_pipeline_stops_until_the_ledger_is_told() {
    for ledger in Backend::both() {
        let stage = billed(ledger);
        stage.replace("\"postgres-prod\"", "\"Postgres: prod\"");
        stops(
            &stage,
            "name   = \"Postgres: prod\"",
            "the ledger does not know the pipeline `Postgres: prod`, and `postgres-prod` reads",
        );
        rename(&stage, &["--pipeline", "postgres-prod"]).expect(0).says(
            "the pipeline `postgres-prod` is called `Postgres: prod` from here on: 2 charges in 1 window are its own",
        );
        goes_on(&stage);
        let entries = stage.command("ledger show", &["--entries"], &[]).expect(0).stdout.clone();
        assert!(
            entries.trim_start().starts_with("1 ") && entries.contains(r#"{"opened":"#),
            "the first ones are its own"
        );
        // Whoever still has the old file is told.
        stage.replace("\"Postgres: prod\"", "\"postgres-prod\"");
        stops(
            &stage,
            "name   = \"postgres-prod\"",
            "the ledger knows the pipeline `postgres-prod` as `Postgres: prod`",
        );
        rename(&stage, &["--pipeline", "Postgres: prod"]).expect(0);
        stage.bills_once(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]);
    }
}

#[test]
fn a_pipeline_that_bills_other_usage_or_elsewhere_may_share_the_ledger() {
    let stage = billed(Backend::Sqlite);
    let file = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap().replace("\"postgres-prod\"", "\"other\"");
    for (from, to) in [("/pt-1/", "/pt-2/"), ("file://./bucket", "file://./"), ("CLAZAR_CLIENT_ID", "OTHER_ID")] {
        assert!(file.contains(from));
        stage.pipeline(&file.replace(from, to));
        stage.command("plan", &[], &[("OTHER_ID", "cid")]).expect(0);
    }
    stage.pipeline(&file);
    stage.plan().expect(2);
    stage.command("plan", &["--ledger", "sqlite:other.ledger.db"], &[]).expect(0);
}

#[test]
fn another_window_stops_at_its_line() {
    for ledger in Backend::both() {
        let stage = billed(ledger);
        stage.replace("window = \"month\"", "window = \"day\"");
        stage.replace("start  = \"2025-06\"\n", "");
        let says = "usage that is billed by month would be billed again by day";
        stops(&stage, "window = \"day\"", says);
        stage.replace("window = \"day\"", "window = \"month\"");
        goes_on(&stage);
    }
}

#[test]
fn an_aggregate_that_is_another_under_another_name_stops_until_the_ledger_is_told() {
    for ledger in Backend::both() {
        let stage = billed(ledger);
        stage.replace(
            "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
            "[aggregate.sums]\nplugin = \"rules\"\nconfig.dimensions = { cpu = \"sum\" }",
        );
        stops(&stage, "[aggregate.sums]", "--aggregate rules=sums");
        rename(&stage, &["--aggregate", "rules=sums"]).expect(0);
        goes_on(&stage);
    }
}

#[test]
fn an_aggregate_that_has_only_another_name_goes_on() {
    let stage = billed(Backend::Sqlite);
    stage.replace("[aggregate.rules]", "[aggregate.sums]\nplugin = \"rules\"");
    stage.usage("2025/06/02/00", "c", &[("C", "cpu", "5")]);
    stage.run().expect(0).says("the aggregate rules is called sums now, and is the same for the rest");
    assert_eq!(stage.submissions(), 2);
    goes_on(&stage);
}

#[test]
fn what_is_no_honest_rename_is_refused_and_changes_nothing() {
    let stage = billed(Backend::Sqlite);
    let before = written(&stage);
    for (arguments, says) in [
        (&[][..], "say what has another name"),
        (&["--sink", "clazar"], "say OLD=NEW"),
        (&["--sink", "clazar=main"], "the file still has the sink clazar"),
        (&["--sink", "nobody=clazar"], "the ledger knows no sink nobody; it knows clazar"),
        (&["--retire", "clazar"], "the file still has the sink clazar"),
        (&["--aggregate", "nobody=rules"], "the ledger knows no aggregate nobody; it knows rules"),
        (&["--pipeline", "postgres-prod"], "the file still has the name `postgres-prod`"),
        (&["--pipeline", "nobody"], "knows no pipeline `nobody`"),
    ] {
        rename(&stage, arguments).expect(2).says(says);
    }
    stage.replace(SINK, RENAMED);
    rename(&stage, &["--sink", "clazar=main"]).expect(2).says("the file has no sink main; it has marketplace");
    stage
        .command("ledger rename", &["--sink", "clazar=marketplace"], &[])
        .expect(2)
        .says("nothing was renamed: say --yes");
    assert!(written(&stage) == before);
    // Two that both have charges do not become one.
    stage.replace(RENAMED, SINK);
    stage.replace("\"postgres-prod\"", "\"other\"");
    stage.replace("/pt-1/", "/pt-2/");
    stage.object(
        "omnistrate-metering/Postgres/PROD/pt-2/2025/06/01/00/a.json",
        r#"[{"externalPayerId":"X","dimension":"cpu","value":1}]"#,
    );
    stage.run().expect(0);
    rename(&stage, &["--pipeline", "postgres-prod"]).expect(2).says("the ledger knows a pipeline `other` already");
}

#[test]
fn without_a_ledger_there_is_nothing_to_rename_and_none_is_made() {
    let stage = Stage::on_a_file();
    rename(&stage, &["--pipeline", "old"])
        .expect(2)
        .says("bring that, and the .head beside it, under its new name first");
    rename(&stage, &["--sink", "old=clazar"]).expect(2).says("knows no pipeline `postgres-prod`");
    stage.touched_nothing();
}

#[test]
fn a_ledger_of_the_old_names_file_goes_on_under_the_new_name() {
    let stage = Stage::on_a_file();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage.run().expect(0);
    stage.replace("\"postgres-prod\"", "\"new\"");
    for ending in ["", ".head"] {
        let [from, to] = ["postgres-prod", "new"].map(|name| stage.path(&format!("{name}.ledger.db{ending}")));
        std::fs::rename(from, to).unwrap();
    }
    stage.run().expect(2);
    rename(&stage, &["--pipeline", "postgres-prod"]).expect(0);
    stage.usage("2025/06/02/00", "c", &[("C", "cpu", "5")]);
    goes_on(&stage);
}

#[test]
fn another_charge_of_the_same_records_is_billed_beside_one_of_the_old_name() {
    let stage = billed(Backend::Sqlite);
    stage.replace(SINK, RENAMED);
    stage.replace("\"*\" = \"sum\"", "cpu = \"sum\", cpu_records = { from = \"cpu\", use = \"count\" }");
    rename(&stage, &["--sink", "clazar=marketplace"]).expect(0);
    // Settled windows are looked at again where something of them is new.
    stage.usage("2025/06/02/00", "c", &[("C", "cpu", "5")]);
    stage.bills_once(&[
        ("A", "cpu", "2"),
        ("B", "cpu", "3"),
        ("C", "cpu", "5"),
        ("A", "cpu_records", "1"),
        ("B", "cpu_records", "1"),
        ("C", "cpu_records", "1"),
    ]);
}
