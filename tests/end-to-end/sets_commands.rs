//! What commands say of complete sets beside a run: a plan by a run's own rules, and the ledger's commands by what is published.

use serde_json::{Value, json};

use crate::sets::{JUNE, Sets, files, state};
use crate::support::{Backend, component};

/// What a plan says of the months, and what the run after it does: the same, in the words of each.
#[track_caller]
fn as_planned(sets: &Sets, exit: i32, expected: &[(&str, &str)]) {
    let before = files(&sets.0, JUNE);
    let plan = sets.0.command("plan", &["--json"], &[]).expect(exit).json();
    assert_eq!(files(&sets.0, JUNE), before);
    let planned: Vec<(String, String)> = crate::sets::months(&plan)
        .into_iter()
        .map(|(month, state)| (month, state.replace("would-publish", "published")))
        .collect();
    let expected: Vec<_> = expected.iter().map(|(month, is)| state(month, is)).collect();
    assert_eq!(planned, expected, "planned");
    assert_eq!(sets.run(exit), expected, "run");
}

#[test]
fn a_plan_says_what_the_run_after_it_does() {
    let sets = Sets::new();
    sets.0.replace("start  = \"2025-06\"", "start  = \"2025-06\"\nmax_windows = 30");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    as_planned(&sets, 1, &[("2025-06", "waits")]);
    assert!(!sets.0.path("out").join(JUNE).exists());
    sets.0.plan().expect(0).says("2025-06 -> out: would be published; 1 charge");
    as_planned(&sets, 0, &[("2025-06", "published")]);
    as_planned(&sets, 0, &[("2025-06", "unchanged")]);
    // The same charges by another configuration, and nothing to be read for it.
    sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\nconfig.objects_to = \"x\"");
    as_planned(&sets, 0, &[("2025-06", "published")]);
    // An hour that is not over is shown as it is so far, and no run publishes it.
    sets.usage("2025/06/03/00", "acme", "cpu", "5");
    let undue = sets.0.command("plan", &["--window", "2025-06-03T00"], &[]);
    undue
        .expect(0)
        .says("would be published")
        .says("2025-06-03T00 is not due, and no run publishes it before 2025-06-03T01");
    undue.says("2025-06 -> out: unchanged");
    // A person said what readers are shown: nothing else is published, whatever the charges are.
    let first = sets.listed()[0].0.clone();
    let back = ["revert", "--period", "2025-06", "--to", &first, "--reason", "an audit", "--yes"];
    sets.snapshots(&back).expect(0);
    sets.usage("2025/06/01/05", "acme", "cpu", "7");
    as_planned(&sets, 0, &[("2025-06", "pinned")]);
    sets.0.plan().expect(0).says("pinned").says("an audit");
    let status = sets.0.command("status", &[], &[]);
    status.expect(0).says(&format!("readers are shown {first}, which holds other charges than it has"));
    status.says("because: an audit").says("readers of 1 month are shown other charges than it has, as a person said");
    let told = sets.0.command("status", &["--json"], &[]).expect(0).json();
    assert_eq!(told["sinks"][0]["published"]["pins"][0]["differs"], true, "{told:#}");
    sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(0);
    as_planned(&sets, 0, &[("2025-06", "published")]);
    // Nothing of it is billed: all words are those of publishing.
    let page = sets.0.path("plan.html");
    sets.usage("2025/06/01/06", "acme", "cpu", "\"many\"");
    sets.usage("2025/06/01/07", "acme", "cpu", "2");
    let plan = sets.0.command("plan", &["--html", page.to_str().unwrap()], &[]);
    plan.expect(1).says("would be published").says("a run then publishes what is held");
    let html = std::fs::read_to_string(&page).unwrap();
    for said in [&plan.stdout, &html] {
        let words = said.to_lowercase();
        assert!(!words.contains("billed") && !words.contains("bills"), "{said}");
    }
    let run = sets.0.run();
    assert!(run.stdout.contains("published") && !run.stdout.contains("billed"), "{run:?}");
    let json = sets.0.command("run", &["--json"], &[]).expect(1).json();
    assert_eq!(json["windows"][0]["publishes"], true);
    assert!(json["windows"][0]["charges"]["billed"].is_number(), "{json:#}");
}

fn rows(document: &Value) -> Vec<(String, String)> {
    let windows = document["windows"].as_array().unwrap().iter();
    let charges = windows.flat_map(|window| window["charges"].as_array().unwrap());
    let text = |charge: &Value, key: &str| charge[key].as_str().unwrap().to_owned();
    charges.map(|charge| (text(charge, "customer"), text(charge, "standing"))).collect()
}

#[test]
fn the_ledgers_commands_tell_of_the_charges_in_sets() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "bolt", "cpu", "2");
    sets.run(0);
    let listed = sets.listed();
    let shown = sets.0.command("ledger show", &[], &[]);
    shown.expect(0).says("2025-06-01T05 -> out: settled, 2 charges in the set of 2025-06, 0 held");
    let of_window = ["--window", "2025-06-01T05", "--json"];
    let both = |acme: &str, bolt: &str| vec![state("acme", acme), state("bolt", bolt)];
    assert_eq!(rows(&sets.0.command("ledger show", &of_window, &[]).expect(0).json()), both("published", "published"));
    // What readers are not shown yet.
    sets.usage("2025/06/01/05", "acme", "cpu", "10");
    sets.fails("begin");
    sets.0.run().expect(3);
    sets.mended("begin");
    let document = sets.0.command("ledger show", &of_window, &[]).expect(0).json();
    assert_eq!(rows(&document), both("unpublished", "published"));
    assert_eq!(document["windows"][0]["number"], 2);
    let tables = sets.0.path("tables");
    let export = sets.0.command("ledger export", &["--to", tables.to_str().unwrap()], &[]);
    export.expect(0).says("2 charges, 0 attempts, 0 outcomes");
    let charges = std::fs::read_to_string(tables.join("charges.ndjson")).unwrap();
    let charges: Vec<Value> = charges.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&charges[0]["quantity"], &charges[0]["standing"]), (&"10".into(), &"unpublished".into()));
    assert_eq!(
        (&charges[1]["standing"], &charges[1]["reference"]),
        (&"published".into(), &listed[0].0.as_str().into())
    );
    sets.run(0);
    // What is not there any more goes away with its window, and not before that is computed once more.
    let reopen = ["--window", "2025-06-01T05", "--reason", "a refund"];
    let asked = sets.0.command("ledger reopen", &reopen, &[]);
    asked.expect(2).says("out publishes 2025-06 again: what is not in the usage any more goes away");
    assert!(!asked.stderr.contains("billed"), "{asked:?}");
    let name = "bucket/omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/05/bolt-cpu.json";
    std::fs::remove_file(sets.0.path(name)).unwrap();
    sets.0.command("ledger reopen", &[&reopen[..], &["--yes"]].concat(), &[]).expect(0);
    sets.0.command("status", &[], &[]).expect(1);
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JUNE), Some(vec!["acme cpu 10".to_owned()]));
    sets.0.command("status", &[], &[]).expect(0);
    sets.0.replace("[sink.out]", "[sink.costs]");
    let renamed = sets.0.command("ledger rename", &["--sink", "out=costs", "--yes"], &[]);
    renamed.expect(0).says("the sink out is called costs from here on: 1 charge in 48 windows are its own");
}

#[test]
fn what_others_published_is_told_apart_and_only_what_is_surely_nobodys_is_deleted() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.run(0);
    sets.usage("2025/06/01/05", "acme", "cpu", "2");
    sets.run(0);
    let [old, last] = sets.listed().try_into().unwrap();
    sets.0.replace("[sink.out]", "[sink.costs]");
    let retired = sets.0.command("ledger rename", &["--retire", "out", "--yes"], &[]);
    retired.expect(0).says("readers are shown what it published last, until another publishes in its place");
    retired.says("costs begins with 2025-06-03T00, or with that month's first window");
    assert!(!retired.stdout.contains("billed"), "{retired:?}");
    let standing = |id: &str| sets.listed().into_iter().find(|(known, _)| known == id).map(|(_, standing)| standing);
    assert_eq!(standing(&old.0).as_deref(), Some("retired"));
    assert_eq!(standing(&last.0).as_deref(), Some("current"));
    sets.usage("2025/06/01/05", "acme", "cpu", "3");
    sets.run(0);
    // Another pipeline's, and one that has the name of ours.
    let other = sets.0.path("out").join(JUNE).join("00000000000000000007");
    std::fs::write(&other, "1 bolt cpu 9\n").unwrap();
    std::fs::write(sets.0.path("out").join(JUNE).join(&old.0), "1 bolt cpu 99999\n").unwrap();
    sets.snapshots(&["list"]).expect(0).says("not ours").says("nothing tells which, and it is not deleted");
    sets.snapshots(&["list"]).says("published by out, which is gone for good").says("did not write it as it is");
    sets.snapshots(&["prune"]).expect(2).says("nothing was deleted");
    sets.snapshots(&["prune", "--yes"]).expect(0).says("retired").says("2 that others published stay");
    assert_eq!((standing(&last.0), standing(&old.0).as_deref()), (None, Some("foreign")));
    assert!(other.exists());
    assert_eq!(sets.shown(JUNE), Some(vec!["acme cpu 3".to_owned()]));
    sets.run(0);
    sets.0.command("ledger verify", &[], &[]).expect(0);
}

#[test]
fn listing_what_was_published_writes_nothing() {
    let sets = Sets::new();
    std::fs::remove_dir(sets.0.path("out")).unwrap();
    sets.snapshots(&["list"]).expect(0).says("nothing was published yet");
    assert!(!sets.0.path("out").exists() && !sets.0.has_a_ledger());
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.run(0);
    std::fs::remove_dir_all(sets.0.path("out")).unwrap();
    sets.snapshots(&["list"]).expect(0).says("gone");
    assert!(!sets.0.path("out").exists());
}

#[test]
fn what_changes_published_sets_begins_no_ledger() {
    for ledger in Backend::both() {
        let sets = Sets::on(ledger);
        let none = "there is no ledger of `postgres-prod` at";
        let of_june = |command: &str, more: &[&str], exit: i32| {
            let arguments = [&[command, "--period", "2025-06", "--yes"], more].concat();
            sets.snapshots(&arguments).expect(exit).says(none);
            assert!(!sets.0.has_a_ledger(), "{command}");
        };
        let because = ["--reason", "an audit"];
        of_june("prune", &[], 0);
        of_june("release", &[], 2);
        of_june("remove", &because, 2);
        of_june("revert", &[&because[..], &["--to", "00000000000000000001"]].concat(), 2);
        let pruned = sets.snapshots(&["prune", "--json"]).expect(0).json();
        assert_eq!(pruned["snapshots"].as_array().map(Vec::len), Some(0), "{pruned:#}");
    }
}

#[test]
fn what_a_run_did_not_write_down_is_written_before_a_person_changes_anything() {
    let remove = ["remove", "--period", "2025-06", "--reason", "not ours", "--yes"];
    for empties in [true, false] {
        let (sets, first) = Sets::with_one_that_is_not_written_down();
        let second = sets.listed()[1].0.clone();
        let back = |id: &str| sets.snapshots(&["revert", "--period", "2025-06", "--to", id, "--reason", "r", "--yes"]);
        match empties {
            true => sets.snapshots(&remove).expect(0),
            false => back(&first).expect(0),
        };
        let kept = sets.listed().into_iter().find(|(id, _)| *id == second).unwrap().1;
        assert_eq!(kept, "kept", "it was whole, and readers were shown it");
        back(&second).expect(0);
        assert_eq!(sets.shown(JUNE), Some(vec!["acme cpu 2".to_owned()]));
        sets.0.command("ledger verify", &[], &[]).expect(0);
    }
}

#[test]
fn a_month_that_waits_says_what_keeps_its_windows_from_being_read() {
    let mut sets = Sets::new();
    let text = std::fs::read_to_string(sets.0.path("pipeline.toml")).unwrap();
    let (head, rest) = text.split_once("[source]").unwrap();
    let (_, rest) = rest.split_once("[aggregate.rules]").unwrap();
    let (plugin, way) = (component("misreading").display().to_string(), "way = \"proper\"");
    sets.0.pipeline(&format!("{head}[source]\nplugin = \"{plugin}\"\nconfig.{way}\n[aggregate.rules]{rest}"));
    let source = |sets: &Sets, from: &str, to: &str| {
        let (from, to) = (format!("{from}\n[aggregate.rules]"), format!("{to}\n[aggregate.rules]"));
        sets.0.replace(&from, &to);
    };
    let only = |sets: &Sets, window: &str| sets.0.command("run", &["--window", window], &[]);
    let (at_fault, other) = ("mend what kept this run from reading windows of it", "run the pipeline without --window");
    sets.0.at("2025-06-01T03:00:10Z");
    only(&sets, "2025-06-01T01")
        .expect(1)
        .says("2025-06-01T00 and 1 more window of it are due and were never read")
        .says(other);
    only(&sets, "2025-06-01T00").expect(1).says("2025-06-01T02 of it is due and was never read");
    // The run takes it up, and cannot read it: nothing but that is to be mended.
    source(&sets, way, "way = \"more\"");
    for command in ["run", "plan"] {
        let failed = sets.0.command(command, &[], &[]);
        failed.expect(3).says("it says that what it read holds 2 items").says(at_fault);
        assert!(!failed.stdout.contains("--window") && !failed.stdout.contains("max_windows"), "{failed:?}");
    }
    only(&sets, "2025-06-01T02").expect(3).says(&format!("{at_fault}, told above, and {other}"));
    source(&sets, "way = \"more\"", way);
    // What is left to later runs is no failure.
    sets.0.at("2025-06-01T05:00:10Z");
    sets.0.replace("start  = \"2025-06\"", "start  = \"2025-06\"\nmax_windows = 1");
    let limited = sets.0.run();
    limited.expect(1).says("2025-06-01T04 of it is due and was never read").says("max_windows holds windows back");
    assert!(!limited.stdout.contains(at_fault) && !limited.stdout.contains(other), "{limited:?}");
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
}

#[test]
fn status_says_where_readers_are_shown_other_charges_than_a_month_has() {
    let sets = Sets::new();
    let (behind, pinned) = ("readers are shown other charges than it has", "as a person said");
    let status = |exit: i32| sets.0.command("status", &[], &[]).expect(exit).stdout.clone();
    let told = |exit: i32| sets.0.command("status", &["--json"], &[]).expect(exit).json()["sinks"][0]["behind"].clone();
    // Nothing was ever published of it, since that failed.
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.fails("begin");
    sets.0.run().expect(3);
    assert!(
        status(1).contains("behind    2025-06: readers are shown nothing of it; a run publishes it"),
        "{}",
        status(1)
    );
    assert_eq!(told(1), json!([{ "period": "2025-06", "shown": false }]));
    sets.mended("begin");
    sets.run(0);
    assert!(!status(0).contains("behind"), "{}", status(0));
    assert_eq!(told(0), Value::Null);
    // It changed, and could not be published again.
    sets.usage("2025/06/01/05", "acme", "cpu", "2");
    sets.fails("begin");
    sets.0.run().expect(3);
    assert!(status(1).contains(&format!("behind    2025-06: {behind}; a run publishes it")), "{}", status(1));
    sets.mended("begin");
    sets.run(0);
    // Pinned it is what somebody decided, and no more once it is released.
    let first = sets.listed()[0].0.clone();
    let back = ["revert", "--period", "2025-06", "--to", &first, "--reason", "an audit", "--yes"];
    sets.snapshots(&back).expect(0);
    assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
    assert!(status(0).contains(pinned) && !status(0).contains("behind"), "{}", status(0));
    sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(0);
    assert!(status(1).contains(&format!("behind    2025-06: {behind}; a run publishes it")), "{}", status(1));
    assert_eq!(told(1), json!([{ "period": "2025-06", "shown": true }]));
    // No run had the chance, and there is nothing due by which it could be told since when.
    sets.0.command("status", &["--patience", "2h"], &[]).expect(1);
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    status(0);
}

#[test]
fn what_a_person_decides_of_a_set_is_told_in_the_words_of_publishing() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "2");
    sets.usage("2025/06/01/05", "bolt", "mem", "1");
    sets.usage("2025/06/01/05", "corp", "mem", "1");
    sets.run(0);
    sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\nconfig.objects_to = \"cpu\"");
    sets.usage("2025/06/01/05", "acme", "cpu", "3");
    sets.0.usage("2025/06/01/05", "torn", &[("bolt", "mem", "\"many\"")]);
    let held = sets.0.command("run", &["--json"], &[]).expect(1).json();
    let all = held["windows"].as_array().unwrap().iter().flat_map(|window| window["lines"].as_array().unwrap());
    let of_acme = all.clone().find(|line| line["customer"] == "acme").unwrap();
    let id = of_acme["would_be"].as_str().unwrap();
    let object = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/05/torn.json, record 1";
    // What is asked, and what is refused.
    let stays = "no run publishes it: what was published of it last stays, as long as it comes to exactly this";
    let lasts = ["--reason", "a credit note"];
    for (what, says) in [
        (&[id, "waive"][..], stays),
        (&[id, "billed"], stays),
        (&[id, "release"], "the sink cannot publish it as it is"),
        (&[id, "not-billed"], "say release to publish it, or waive"),
        (&["release", "--record", object], "the next run publishes each charge, as long as it comes to exactly this"),
        (&["waive", "--record", object], "the next run publishes what it held without it"),
        (&["release", "--customer", "bolt"], "the next run publishes each, as long as it comes to exactly this"),
    ] {
        let asked = sets.0.command("ledger resolve", &[what, &lasts[..]].concat(), &[]);
        asked.expect(2).says(says);
        let said = asked.stderr.replace("not-billed", "").replace("down: billed", "");
        assert!(!said.contains("bill") && !said.contains("sends"), "{said}");
    }
    // Of a charge that is published and not held there is nothing to decide.
    let shown = sets.0.command("ledger show", &["--window", "2025-06-01T05", "--json"], &[]).expect(0).json();
    let charges = shown["windows"][0]["charges"].as_array().unwrap();
    let corp = charges.iter().find(|charge| charge["customer"] == "corp").unwrap()["id"].as_str().unwrap();
    for verdict in ["waive", "billed", "release"] {
        let asked = sets.0.command("ledger resolve", &[&[corp, verdict][..], &lasts].concat(), &[]);
        asked.expect(2).says("is published in a complete set by out, and nothing of it is held");
    }
    // What is held stands beside what was published of it last.
    let of_window = |says: &str| {
        let shown = sets.0.command("ledger show", &["--window", "2025-06-01T05"], &[]);
        shown.expect(0).says("published acme cpu 2").says(says);
        assert!(!shown.stdout.contains("frozen"), "{shown:?}");
    };
    of_window("held acme cpu 3 not published");
    let explained = sets.0.command("explain", &[id], &[]);
    explained.expect(0).says("comes to 2").says("and is held: no set has it as it is").says("cpu of acme, 3");
    assert!(!explained.stdout.contains("next: nothing"), "{explained:?}");
    let document = sets.0.command("explain", &[id, "--json"], &[]).expect(0).json();
    assert_eq!((&document["now"]["quantity"], &document["beside"]["held"]), (&"2".into(), &true.into()));
    // A word by hand publishes nothing, and nothing calls it published.
    let said = sets.0.command("ledger resolve", &[&[id, "billed", "--yes"][..], &lasts].concat(), &[]);
    said.expect(0).says(stays);
    sets.0.usage("2025/06/01/05", "torn", &[]);
    let page = sets.0.path("plan.html");
    let plan = sets.0.command("plan", &["--html", page.to_str().unwrap()], &[]);
    let html = std::fs::read_to_string(&page).unwrap();
    let run = sets.0.run();
    for told in [&plan, &run] {
        told.expect(0).says("waived said to be billed by a person").says("what was published of it last stays");
    }
    assert!(html.contains("said to be billed by a person") && !html.contains("differ"), "{html}");
    of_window("waived acme cpu 3 not published, said to be billed by a person");
    assert_eq!(sets.shown(JUNE).unwrap(), ["acme cpu 2", "bolt mem 1", "corp mem 1"]);
    let explained = sets.0.command("explain", &[id], &[]);
    explained.expect(0).says("no set has it as it is").says("said to be billed by a person");
    assert!(!explained.stdout.contains("and is held"), "{explained:?}");
    sets.0.command("status", &[], &[]).expect(0);
    // What is released is published, and nothing stands beside it any more.
    sets.0.usage("2025/06/01/05", "torn", &[("corp", "mem", "\"many\"")]);
    sets.usage("2025/06/01/05", "corp", "mem", "5");
    sets.run(1);
    sets.0.command("explain", &[corp], &[]).expect(0).says("mem of corp, 5").says("and is held");
    sets.0.command("ledger resolve", &[&[corp, "release", "--yes"][..], &lasts].concat(), &[]).expect(0);
    sets.0.command("explain", &[corp], &[]).expect(0).says("next: a run publishes it");
    sets.run(1);
    let explained = sets.0.command("explain", &[corp], &[]);
    explained.expect(0).says("comes to 5").says("next: nothing: readers are shown it as it is");
    assert!(!explained.stdout.contains("would be"), "{explained:?}");
}
