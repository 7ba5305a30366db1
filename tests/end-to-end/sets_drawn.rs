//! What sets are drawn up from: which windows are read for them, and by which configuration.

use serde_json::Value;

use crate::sets::{JUNE, Sets, files, shown};
use crate::support::Stage;

/// The windows that a run reads, and what it says of June.
fn run(sets: &Sets, exit: i32) -> (usize, String) {
    let report = sets.0.command("run", &["--json"], &[]).expect(exit).json();
    let june = report["publications"].as_array().into_iter().flatten().find(|month| month["period"] == "2025-06");
    let state = june.map_or("", |month| month["state"].as_str().unwrap());
    (report["windows"].as_array().map_or(0, Vec::len), state.to_owned())
}

fn june(sets: &Sets) -> Vec<String> {
    shown(&sets.0, JUNE).unwrap_or_default()
}

#[test]
fn windows_of_a_month_that_is_not_published_yet_are_read_once() {
    let sets = Sets::new();
    sets.0.replace("start  = \"2025-06\"", "start  = \"2025-06\"\nmax_windows = 30");
    sets.usage("2025/06/01/00", "acme", "cpu", "1");
    sets.usage("2025/06/02/23", "acme", "cpu", "2");
    assert_eq!(run(&sets, 1), (30, "waits".to_owned()));
    assert_eq!(run(&sets, 0), (18, "published".to_owned()));
    assert_eq!(june(&sets), ["acme cpu 1", "acme cpu 2"]);
    let status = sets.0.command("status", &["--json"], &[]).expect(0).json();
    assert_eq!(status["sinks"][0]["due"], Value::Null, "the windows of both runs are settled: {status}");
    // A place that fails is no reason to read either.
    sets.usage("2025/06/02/22", "acme", "cpu", "4");
    sets.0.replace("way = \"proper\"", "way = \"finish\"");
    assert_eq!(run(&sets, 3).1, "failed");
    assert_eq!(run(&sets, 3), (0, "failed".to_owned()));
    let status = sets.0.command("status", &["--json"], &[]).expect(1).json();
    assert_eq!(status["sinks"][0]["due"]["windows"], 1, "nobody is shown it yet: {status}");
    // What is new of it in the meantime is read all the same.
    sets.usage("2025/06/02/22", "acme", "cpu", "8");
    sets.0.replace("way = \"finish\"", "way = \"proper\"");
    assert_eq!(run(&sets, 0).1, "published");
    assert_eq!(june(&sets), ["acme cpu 1", "acme cpu 8", "acme cpu 2"]);
}

#[test]
fn what_charges_follow_from_besides_usage_draws_the_windows_in_sight_up_anew() {
    let mut sets = Sets::new();
    let customers = |to: &str| sets.0.object("../customers.csv", &format!("customer,id\nacme,{to}\n"));
    customers("a-1");
    sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\ncustomers = \"customers.csv\"");
    sets.usage("2025/06/01/05", "acme", "cpu", "1.5");
    sets.usage("2025/06/02/05", "acme", "cpu", "2");
    run(&sets, 0);
    assert_eq!(june(&sets), ["a-1 cpu 1.5", "a-1 cpu 2"]);
    assert_eq!(run(&sets, 0), (0, "unchanged".to_owned()));
    customers("a-2");
    assert_eq!(run(&sets, 0), (48, "published".to_owned()));
    assert_eq!(june(&sets), ["a-2 cpu 1.5", "a-2 cpu 2"]);
    assert_eq!(run(&sets, 0), (0, "unchanged".to_owned()));
    // The same charges by another aggregate: nothing is published again.
    sets.0.replace("\"*\" = \"sum\"", "\"*\" = \"max\"");
    assert_eq!(run(&sets, 0), (48, "unchanged".to_owned()));
    assert_eq!(run(&sets, 0), (0, "unchanged".to_owned()));
    // Only as far back as changes are looked for: what lies there may be gone.
    sets.0.replace("plugin = \"s3-reader\"", "plugin = \"s3-reader\"\nlook_back = \"12 hours\"");
    run(&sets, 0);
    std::fs::remove_dir_all(sets.0.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025/06/01")).unwrap();
    sets.usage("2025/06/02/23", "acme", "cpu", "4");
    let customers = |to: &str| sets.0.object("../customers.csv", &format!("customer,id\nacme,{to}\n"));
    customers("a-3");
    assert_eq!(run(&sets, 0), (12, "published".to_owned()));
    assert_eq!(june(&sets), ["a-2 cpu 1.5", "a-2 cpu 2", "a-3 cpu 4"]);
    sets.0.command("ledger verify", &[], &[]).expect(0);
    sets.0.at("2025-06-03T01:00:00Z");
    assert_eq!(run(&sets, 0).1, "unchanged");
}

#[test]
fn what_many_runs_wrote_is_brought_together() {
    let mut sets = Sets::new();
    for hour in 1..=25 {
        let (usage, now) = (hour - 1, format!("2025-06-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24));
        sets.usage(&format!("2025/06/{:02}/{:02}", 1 + usage / 24, usage % 24), "acme", "cpu", &hour.to_string());
        sets.0.at(&now);
        assert_eq!(run(&sets, 0), (1, "published".to_owned()));
    }
    let expected: Vec<String> = (1..=25).map(|hour| format!("acme cpu {hour}")).collect();
    assert_eq!(june(&sets), expected);
    let segments = std::fs::read_dir(sets.0.path("postgres-prod.ledger.db.ids")).unwrap();
    let sizes: Vec<u64> = segments.map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
    assert_eq!(sizes.len(), 26, "one a run, and one of them all");
    assert!(sizes.iter().max() > sizes.iter().min().map(|least| 20 * least).as_ref(), "{sizes:?}");
    assert_eq!(run(&sets, 0), (0, "unchanged".to_owned()));
    sets.0.command("ledger verify", &[], &[]).expect(0);
}

#[test]
fn a_month_is_published_again_where_somebody_wants_it_so() {
    let mut sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/07/01/05", "acme", "cpu", "2");
    sets.0.at("2025-07-02T00:00:00Z");
    run(&sets, 0);
    sets.0.at("2025-10-02T00:00:00Z");
    run(&sets, 0);
    let months = |arguments: &[&str]| {
        let report = sets.0.command("run", &[&["--json"], arguments].concat(), &[]).expect(0).json();
        let months = report["publications"].as_array().into_iter().flatten();
        months.map(|month| format!("{} {}", month["period"], month["state"]).replace('"', "")).collect::<Vec<_>>()
    };
    let before = files(&sets.0, JUNE);
    assert_eq!(months(&["--republish", "2025-06", "--dry-run"])[0], "2025-06 would-publish");
    assert_eq!(files(&sets.0, JUNE), before);
    assert_eq!(months(&["--republish", "2025-06"])[0], "2025-06 published", "however long ago");
    assert_ne!(files(&sets.0, JUNE)["current"], before["current"]);
    assert_eq!(june(&sets), ["acme cpu 1"]);
    assert!(!months(&[]).iter().any(|month| month.starts_with("2025-06")), "once");
    let other = sets.0.command("run", &["--republish", "2026-01"], &[]);
    other.expect(0).says("2026-01 of out: there is nothing to publish");
    sets.0.command("run", &["--republish", "June"], &[]).expect(2).says("--republish:");
    Stage::new()
        .command("run", &["--republish", "2025-06"], &[])
        .expect(2)
        .says("no sink that publishes complete sets");
}

#[test]
fn what_is_held_does_not_keep_a_month_open_for_everybody() {
    let mut sets = Sets::new();
    sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\nconfig.closes = true");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "bolt", "cpu", "\"many\"");
    sets.0.at("2025-07-01T00:00:00Z");
    run(&sets, 1);
    assert_eq!(june(&sets), ["acme cpu 1", "of 1, closed: true"]);
    sets.usage("2025/06/01/05", "bolt", "cpu", "2");
    run(&sets, 0);
    assert_eq!(june(&sets), ["acme cpu 1", "bolt cpu 2", "of 2, closed: true"]);
}
