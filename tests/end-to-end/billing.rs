//! What is billed, and what is not.

use clazar_emulator::Fault;

use crate::guard;
use crate::support::{Stage, bill, component, program};

/// Two customers' month.
fn month(stage: &Stage) {
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("A", "memory", "2147483648")]);
    stage.usage("2025/06/01/00", "b", &[("B", "cpu", "4")]);
    stage.usage("2025/06/30/23", "a", &[("A", "cpu", "2"), ("A", "memory", "2147483648")]);
}

#[test]
fn a_month_is_billed_once() {
    let stage = Stage::new();
    month(&stage);
    stage.usage("2025/07/01/00", "a", &[("A", "cpu", "100")]);
    stage.run().expect(0).says("2025-06").says("read 5");
    let expected = bill(&[("A", "cpu", "4"), ("A", "memory", "4294967296"), ("B", "cpu", "4")]);
    assert_eq!(stage.billed(), expected);
    assert_eq!(stage.submissions(), 1);
    stage.run().expect(0);
    assert_eq!(stage.submissions(), 1, "the second run bills nothing");
    let books = stage.emulator.books();
    assert!(books.iter().all(|record| record.start_time == "2025-06-01T00:00:00Z"));
    assert!(books.iter().all(|record| record.end_time == "2025-06-30T23:59:59Z"));
}

#[test]
fn a_window_is_not_due_before_its_grace_is_over() {
    let mut stage = Stage::new();
    month(&stage);
    stage.at("2025-07-01T00:29:59Z");
    stage.run().expect(0);
    assert_eq!(stage.submissions(), 0);
    assert!(!stage.path("postgres-prod.ledger.db").exists(), "a run without work leaves nothing behind");
    stage.at("2025-07-01T00:30:00Z");
    stage.run().expect(0);
    assert_eq!(stage.submissions(), 1);
}

#[test]
fn a_dry_run_changes_nothing() {
    let stage = Stage::new();
    month(&stage);
    let before = files(&stage);
    stage.plan().expect(0).says("would be settled").says("cpu").says("4294967296");
    assert_eq!(files(&stage), before);
    assert_eq!(stage.emulator.requests().len(), 0);
    let json = stage.command("plan", &["--json"], &[]).json();
    assert_eq!(json["dry_run"], true);
    assert_eq!(json["windows"][0]["charges"]["billed"], 3);
}

fn files(stage: &Stage) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(stage.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn usage_that_changes_after_it_was_billed_is_held_and_reported() {
    let stage = Stage::new();
    month(&stage);
    stage.run().expect(0);
    stage.usage("2025/06/15/12", "late", &[("A", "cpu", "10")]);
    stage.plan().expect(1).says("14").says("a difference of +10");
    stage.run().expect(1).says("late").says("a difference of +10");
    assert_eq!(stage.submissions(), 1, "a charge is never changed");
    stage.run().expect(1).says("a difference of +10");
    std::fs::remove_file(stage.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025/06/15/12/late.json")).unwrap();
    stage.run().expect(0);
    assert_eq!(stage.billed().len(), 3);
}

#[test]
fn usage_that_cannot_be_read_is_not_taken_for_changed() {
    let stage = Stage::new();
    month(&stage);
    stage.run().expect(0);
    let key = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/30/23/a.json";
    stage.object(key, "[{");
    let ended = stage.run();
    ended.expect(1).says("everything is held: it is not valid JSON");
    assert!(!ended.stdout.contains("late"), "{}", ended.stdout);
    stage.object(key, r#"[{"externalPayerId":"A","dimension":"cpu"}]"#);
    let ended = stage.run();
    ended.expect(1).says("what A owes for cpu is held");
    // The memory is surely gone from the object; the cores may not be.
    ended.says(
        "memory of A is held: what it comes to changed after the charge was frozen: 4294967296 then, 2147483648 now",
    );
    assert!(!ended.stdout.contains("cpu of A is held"), "{}", ended.stdout);
    assert_eq!(stage.submissions(), 1);
}

#[test]
fn one_window_can_be_billed_alone() {
    let stage = Stage::new();
    stage.replace("start  = \"2025-06\"", "start = \"2025-05\"");
    month(&stage);
    stage.usage("2025/05/01/00", "a", &[("A", "cpu", "7")]);
    stage.command("run", &["--window", "2025-06"], &[]).expect(0);
    assert_eq!(stage.emulator.books().len(), 3);
    stage.run().expect(0);
    assert_eq!(stage.emulator.books().len(), 4, "the others follow, from `start` on");
}

#[test]
fn check_says_what_each_plugin_reaches_and_asks_nothing() {
    let stage = Stage::new();
    let url = stage.emulator.origin().to_owned();
    let check = |arguments: &[&str]| {
        let mut program = program();
        program.arg("check").arg(stage.path("pipeline.toml")).args(arguments).env("CLAZAR_URL", stage.emulator.url());
        crate::support::ended(program.output().unwrap())
    };
    check(&["--offline", "--explain"]).expect(0).says("source (s3-reader 0.1.0)").says("reaches nothing").says(&url);
    check(&[]).expect(2).says("the secret `client_id` is the environment variable CLAZAR_CLIENT_ID");
    assert_eq!(stage.emulator.requests().len(), 0);
}

#[test]
fn check_says_what_iam_has_to_allow() {
    let stage = Stage::on_a_file();
    stage.replace(
        "grant  = { read = \"file://./bucket\" }",
        "grant = { read = \"s3://usage/export\", region = \"eu-west-1\", role = \"arn:aws:iam::123456789012:role/metering\", aws = { \"dynamodb:Query\" = [\"Records\"] } }",
    );
    stage.replace("window = \"month\"", "window = \"month\"\nledger = \"s3://state/postgres\"");
    let check =
        |arguments: &[&str]| stage.command("check", &[&["--offline", "--explain", "--iam"], arguments].concat(), &[]);
    let table = "arn:aws:dynamodb:eu-west-1:123456789012:table/Records";
    let prefix = |operator: &str, prefix: &str| serde_json::json!({ operator: { "s3:prefix": [prefix] } });
    let allowed = |actions: &[&str], resources: &[&str]| serde_json::json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
    let mut expected = [
        allowed(&["dynamodb:Query"], &[table, &format!("{table}/index/*")]),
        allowed(&["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], &["arn:aws:s3:::state/postgres/*"]),
        allowed(&["s3:GetObject"], &["arn:aws:s3:::usage/export/*"]),
        allowed(&["s3:ListBucket"], &["arn:aws:s3:::usage"]),
        allowed(&["s3:ListBucket"], &["arn:aws:s3:::state"]),
    ];
    expected[3]["Condition"] = prefix("StringLike", "export/*");
    expected[4]["Condition"] = prefix("StringLikeIfExists", "postgres/*");
    let document = serde_json::json!({ "Version": "2012-10-17", "Statement": expected });
    assert_eq!(check(&["--json"]).expect(0).json()["iam"], document);
    let said = check(&[]);
    said.expect(0)
        .says("calls dynamodb:Query on the table Records in eu-west-1, as arn:aws:iam::123456789012:role/metering")
        .says(&format!("what IAM has to allow, and no more:\n{document:#}"));
}

#[test]
fn a_backlog_is_billed_oldest_first() {
    let stage = Stage::new();
    stage.replace("start  = \"2025-06\"", "start = \"2025-03\"");
    for month in ["03", "04", "06"] {
        stage.usage(&format!("2025/{month}/02/00"), "a", &[("A", "cpu", "1")]);
    }
    stage.run().expect(0);
    let starts: Vec<String> = stage.emulator.books().into_iter().map(|record| record.start_time).collect();
    assert_eq!(starts, ["2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z", "2025-06-01T00:00:00Z"]);
    assert_eq!(stage.submissions(), 3, "a call holds one window");
}

#[test]
fn max_windows_leaves_the_rest_for_later_runs() {
    let stage = Stage::new();
    stage.replace("start  = \"2025-06\"", "start = \"2025-03\"\nmax_windows = 2");
    for month in ["03", "04", "05", "06"] {
        stage.usage(&format!("2025/{month}/02/00"), "a", &[("A", "cpu", "1")]);
    }
    stage.run().expect(0).says("2 more windows wait for later runs: max_windows = 2");
    assert_eq!(stage.emulator.books().len(), 2);
    let ended = stage.run();
    assert!(!ended.expect(0).stdout.contains("max_windows"), "{}", ended.stdout);
    assert_eq!(stage.emulator.books().len(), 4);
}

#[test]
fn a_sum_that_does_not_close_ends_the_run_before_anything_is_frozen_or_sent() {
    for (fault, said) in [
        ("charge-doubled", "cpu of A is to be billed with another quantity than its own usage comes to"),
        ("charge-forgotten", "the usage of cpu comes to 9, and 5 is accounted for"),
    ] {
        let mut stage = Stage::new();
        stage.begin_early();
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
        stage.emulator.push_fault(Fault::Fail { positions: vec![0] });
        stage.run().expect(1).says("rejected");
        // What is open is not sent either.
        stage.at("2025-08-01T02:00:00Z");
        stage.usage("2025/07/01/00", "a", &[("A", "cpu", "5"), ("B", "cpu", "4")]);
        let frozen = || stage.command("ledger show", &[], &[]).stdout.matches("cpu").count();
        let (submissions, before) = (stage.submissions(), frozen());
        let ended = stage.command("run", &[], &[("METERHOST_FAULT", fault)]);
        ended
            .expect(3)
            .says(said)
            .says("this is an error of meterhost itself; nothing was frozen, and nothing is sent");
        assert_eq!(stage.submissions(), submissions, "{fault}");
        assert_eq!(frozen(), before, "{fault}");
        stage.run().expect(0);
        assert_eq!(guard::billed(&stage, "2025-06"), bill(&[("A", "cpu", "2")]), "{fault}");
        assert_eq!(guard::billed(&stage, "2025-07"), bill(&[("A", "cpu", "5"), ("B", "cpu", "4")]), "{fault}");
    }
}

#[test]
fn what_a_rule_leaves_out_is_told_with_its_name_and_its_sum() {
    let stage = Stage::new();
    month(&stage);
    stage.usage("2025/06/02/00", "c", &[("C", "disk", "1.5"), ("D", "disk", "2"), ("D", "net", "4")]);
    stage.replace("{ \"*\" = \"sum\" }", "{ cpu = \"sum\", memory = \"sum\", \"*\" = \"drop\" }");
    let json = stage.command("plan", &["--json"], &[]).expect(0).json();
    let expected = serde_json::json!([
        { "rule": "dimension not billed", "dimension": "disk", "records": 2, "quantity": "3.5" },
        { "rule": "dimension not billed", "dimension": "net", "records": 1, "quantity": "4" },
    ]);
    assert_eq!(json["windows"][0]["excluded"], expected);
    stage
        .run()
        .expect(0)
        .says("excluded 2 records of disk, 3.5 in all: dimension not billed")
        .says("excluded 1 record of net, 4 in all: dimension not billed");
}

#[test]
fn the_report_accounts_for_every_record() {
    let stage = Stage::new();
    month(&stage);
    stage.usage(
        "2025/06/02/00",
        "c",
        &[("C", "cpu", "null"), ("C", "cpu", "1"), ("C", "disk", "1"), ("D", "cpu", "1.5")],
    );
    let json = stage.command("run", &["--json"], &[]).expect(1).json();
    let window = &json["windows"][0];
    assert_eq!(window["records"]["read"], 9);
    assert_eq!(window["records"]["billed"], 6);
    assert_eq!(window["records"]["held"], 2);
    assert_eq!(window["records"]["quarantined"], 1);
    assert_eq!(window["settled"], false);
    assert_eq!(json["exit"], 1);
}

#[test]
fn the_ledger_shows_what_was_billed() {
    let stage = Stage::new();
    month(&stage);
    stage.run().expect(0);
    stage
        .command("ledger show", &[], &[])
        .expect(0)
        .says("2025-06 -> clazar: settled, 3 charges, 0 held")
        .says("accepted");
    let kinds: Vec<String> =
        stage.command("ledger show", &["--entries", "--json"], &[]).expect(0).stdout.lines().map(kind).collect();
    let expected =
        ["opened", "run", "inputs", "freeze", "freeze", "freeze", "looked-up", "attempt", "outcomes", "settled"];
    assert_eq!(kinds, expected);
}

/// The kind of an entry.
fn kind(line: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    record["entry"].as_object().unwrap_or_else(|| panic!("{line}")).keys().next().unwrap().clone()
}

#[test]
fn a_sellers_own_aggregator_bills_by_its_own_logic() {
    let stage = Stage::new();
    stage.replace(
        "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
        &format!("[aggregate.hundreds]\nplugin = \"{}\"\nconfig.unit = 2", component("started-hundreds").display()),
    );
    month(&stage);
    stage.run().expect(0).says("read 5 = billed 5");
    assert_eq!(stage.billed(), bill(&[("A", "hundreds", "2"), ("B", "hundreds", "1")]));
}

#[test]
fn two_runs_at_once_bill_once_and_the_second_says_who_holds_the_ledger() {
    let stage = Stage::new();
    month(&stage);
    stage.emulator.push_fault(clazar_emulator::Fault::Slow { before_ms: 1500, after_ms: 0 });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| stage.run());
        while stage.emulator.requests().len() < 2 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        stage.run().expect(5).says("another run holds the ledger").says("process");
        first.join().unwrap().expect(0);
    });
    assert_eq!(stage.billed().len(), 3);
    assert_eq!(stage.submissions(), 1);
}

#[test]
fn secrets_are_in_no_output() {
    let stage = Stage::new();
    month(&stage);
    stage.emulator.push_fault(clazar_emulator::Fault::Leak { status: 500 });
    let said = stage.command("run", &["-vvv"], &[]);
    let entries = stage.command("ledger show", &["--entries"], &[]);
    let requests = stage.emulator.requests();
    let sent = requests.iter().filter_map(|request| request.header("authorization"));
    let tokens: Vec<&str> = sent.filter_map(|header| header.strip_prefix("Bearer ")).collect();
    assert!(!tokens.is_empty());
    for text in [said.stdout, said.stderr, entries.stdout] {
        assert!(!text.contains("sec-very-secret"), "{text}");
        for token in &tokens {
            assert!(!text.contains(token), "{text}");
        }
    }
}

#[test]
fn a_charge_over_all_dimensions_is_held_by_a_bad_record_of_any() {
    let stage = Stage::new();
    stage.replace(
        "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
        &format!("[aggregate.hundreds]\nplugin = \"{}\"\nconfig.unit = 2", component("started-hundreds").display()),
    );
    month(&stage);
    stage.usage("2025/06/02/00", "c", &[("A", "disk", "null")]);
    stage.run().expect(1).says("what A owes for disk is held");
    assert_eq!(stage.billed(), bill(&[("B", "hundreds", "1")]));
    stage.usage("2025/06/02/00", "c", &[("A", "disk", "1")]);
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "hundreds", "3"), ("B", "hundreds", "1")]));
}

#[test]
fn a_charge_of_several_dimensions_is_held_by_a_bad_record_of_one_that_has_no_other() {
    let stage = Stage::new();
    stage.replace("{ \"*\" = \"sum\" }", "{ total = { use = \"sum\", from = [\"cpu\", \"memory\"] } }");
    stage.usage("2025/06/01/00", "a", &[("A", "memory", "5"), ("A", "cpu", "null"), ("B", "memory", "7")]);
    stage.run().expect(1).says("what A owes for cpu is held");
    assert_eq!(stage.billed(), bill(&[("B", "total", "7")]));
}

#[test]
fn one_charge_that_two_aggregates_make_is_held_and_the_others_are_billed() {
    let stage = Stage::new();
    stage.replace(
        "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
        "[aggregate.a]\nplugin = \"rules\"\ntakes = [\"cpu\"]\nconfig.dimensions = { total = { use = \"sum\", from = \"cpu\" } }\n\
         [aggregate.b]\nplugin = \"rules\"\ntakes = [\"memory\"]\nconfig.dimensions = { total = { use = \"sum\", from = \"memory\" } }",
    );
    stage.usage("2025/06/01/00", "a", &[("A", "memory", "5"), ("A", "cpu", "1"), ("B", "memory", "7")]);
    stage.run().expect(1).says("total of A is held: two [aggregate] sections");
    assert_eq!(stage.billed(), bill(&[("B", "total", "7")]));
}

/// A pipeline over logs whose keys say no time.
fn untimed(stage: &Stage, unit: &str) {
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (head, rest) = text.split_once("config.layout").unwrap();
    let (_, rest) = rest.split_once("[aggregate.rules]").unwrap();
    stage.pipeline(&format!(
        "{head}config.layout = \"logs/*.ndjson\"\n\
         config.fields = {{ time = {{ field = \"/at\", unit = \"{unit}\" }}, customer = \"/who\", dimension = \"/what\", quantity = \"/many\" }}\n\
         [aggregate.rules]{rest}"
    ));
}

#[test]
fn usage_of_other_windows_is_theirs_and_older_usage_is_told() {
    let stage = Stage::new();
    untimed(&stage, "s");
    // May, June and July of 2025.
    let lines = [1_747_000_000, 1_750_000_000, 1_752_000_000]
        .map(|at| format!(r#"{{"at":{at},"who":"A","what":"cpu","many":1}}"#));
    stage.object("logs/a.ndjson", &lines.join("\n"));
    stage.run().expect(0).says("1 record lies before the first window (the earliest at 2025-05-11T21:46:40Z)");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "1")]));
}

#[test]
fn usage_whose_unit_of_time_is_wrong_is_no_empty_month() {
    let stage = Stage::new();
    untimed(&stage, "ms");
    stage.object("logs/a.ndjson", r#"{"at":1750000000,"who":"A","what":"cpu","many":1}"#);
    stage.run().expect(1).says("astray").says("see whether the time and its unit are read right");
    stage.run().expect(1).says("astray");
    stage.replace("unit = \"ms\"", "unit = \"s\"");
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "1")]));
}

#[test]
fn what_is_held_of_an_old_window_stays_in_sight() {
    let mut stage = Stage::new();
    month(&stage);
    stage.run().expect(0);
    stage.usage("2025/06/15/12", "late", &[("A", "cpu", "10")]);
    stage.run().expect(1);
    stage.at("2025-09-10T00:00:00Z");
    stage.run().expect(1).says("a difference of +10");
}
