//! Sinks that publish complete sets: each month that changed, whole, and what readers are shown in the meantime.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Backend, Ended, Stage, component, settings};

pub const JUNE: &str = "1748736000000";
const JULY: &str = "1751328000000";

/// A stage whose sink publishes into a folder.
pub struct Sets(pub Stage);

impl Sets {
    pub fn new() -> Self {
        Self::of(Stage::new())
    }

    pub fn on(ledger: Backend) -> Self {
        Self::of(Stage::on(ledger, settings()))
    }

    fn of(mut stage: Stage) -> Self {
        let usual = Stage::usual();
        let (head, _) = usual.split_once("[sink.clazar]").unwrap();
        let head =
            head.replace("window = \"month\"", "window = \"hour\"").replace("grace  = \"30m\"", "grace  = \"0m\"");
        let plugin = component("publishing").display().to_string();
        stage.pipeline(&format!(
            "{head}[sink.out]\nplugin = \"{plugin}\"\nretry_budget = \"2s\"\nconfig.way = \"proper\"\n\
             grant = {{ read = \"file://./out\", write = \"file://./out\" }}\n"
        ));
        std::fs::create_dir(stage.path("out")).unwrap();
        stage.at("2025-06-03T00:00:10Z");
        Sets(stage)
    }

    pub fn shown(&self, month: &str) -> Option<Vec<String>> {
        shown(&self.0, month)
    }

    fn files(&self, month: &str) -> BTreeMap<String, Vec<u8>> {
        files(&self.0, month)
    }

    pub fn usage(&self, hour: &str, customer: &str, dimension: &str, value: &str) {
        self.0.usage(hour, &format!("{customer}-{dimension}"), &[(customer, dimension, value)]);
    }

    /// What a run says of its months: the state of each.
    pub fn run(&self, exit: i32) -> Vec<(String, String)> {
        months(&self.0.command("run", &["--json"], &[]).expect(exit).json())
    }

    pub fn snapshots(&self, arguments: &[&str]) -> Ended {
        let (command, arguments) = arguments.split_first().unwrap();
        self.0.command(&format!("snapshots {command}"), arguments, &[])
    }

    pub fn listed(&self) -> Vec<(String, String)> {
        let listed = self.snapshots(&["list", "--json"]).expect(0).json();
        let text = |set: &Value, key: &str| set[key].as_str().unwrap().to_owned();
        let sets = listed["snapshots"].as_array().unwrap();
        sets.iter().map(|set| (text(set, "id"), text(set, "standing"))).collect()
    }

    /// Readers were shown a set, and then another of which nobody wrote that down; answers the id of the first.
    pub fn with_one_that_is_not_written_down() -> (Self, String) {
        let sets = Sets::new();
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.run(0);
        let first = sets.listed()[0].0.clone();
        sets.usage("2025/06/01/05", "acme", "cpu", "2");
        assert_eq!(sets.0.command("run", &[], &[("METERHOST_FAILPOINT", "shown-set")]).exit, -1);
        (sets, first)
    }

    pub fn fails(&self, way: &str) {
        self.0.replace("way = \"proper\"", &format!("way = \"{way}\""));
    }

    pub fn mended(&self, way: &str) {
        self.0.replace(&format!("way = \"{way}\""), "way = \"proper\"");
    }
}

/// The lines that readers of a month are shown, each without its time; nothing where they are shown nothing.
pub fn shown(stage: &Stage, month: &str) -> Option<Vec<String>> {
    let folder = stage.path("out").join(month);
    let id = std::fs::read_to_string(folder.join("current")).ok()?;
    let text = std::fs::read_to_string(folder.join(id)).unwrap();
    Some(text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect())
}

/// All that lies there of a month.
pub fn files(stage: &Stage, month: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(stage.path("out").join(month)).into_iter().flatten();
    let files = entries.map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())).collect()
}

pub fn months(report: &Value) -> Vec<(String, String)> {
    let months = report["publications"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |month: &Value, key: &str| month[key].as_str().unwrap().to_owned();
    months.iter().map(|month| (text(month, "period"), text(month, "state"))).collect()
}

pub fn state(month: &str, state: &str) -> (String, String) {
    (month.to_owned(), state.to_owned())
}

fn lines(lines: &[&str]) -> Option<Vec<String>> {
    Some(lines.iter().map(|line| (*line).to_owned()).collect())
}

#[test]
fn a_month_is_published_to_date_and_again_when_it_changed() {
    for ledger in Backend::both() {
        let mut sets = Sets::on(ledger);
        sets.usage("2025/06/01/05", "acme", "cpu", "1.5");
        sets.usage("2025/06/01/05", "bolt", "cpu", "2");
        // An hour that is not over.
        sets.usage("2025/06/03/00", "acme", "cpu", "100");
        assert_eq!(sets.run(0), [state("2025-06", "published")]);
        assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1.5", "bolt cpu 2"]));
        let before = sets.files(JUNE);
        assert_eq!(sets.run(0), [state("2025-06", "unchanged")]);
        assert_eq!(sets.files(JUNE), before, "nothing is written where nothing changed");
        sets.0.at("2025-06-03T01:00:00Z");
        assert_eq!(sets.run(0), [state("2025-06", "published")]);
        assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1.5", "bolt cpu 2", "acme cpu 100"]));
        assert!(before.keys().filter(|name| *name != "current").all(|name| sets.files(JUNE)[name] == before[name]));
        sets.0.command("ledger verify", &[], &[]).expect(0);
    }
}

#[test]
fn late_usage_publishes_its_own_month_and_leaves_the_others_as_they_are() {
    let mut sets = Sets::new();
    sets.usage("2025/06/30/23", "acme", "cpu", "1");
    sets.usage("2025/07/01/00", "acme", "cpu", "2");
    sets.0.at("2025-07-02T00:00:00Z");
    assert_eq!(sets.run(0), [state("2025-06", "published"), state("2025-07", "published")]);
    let july = sets.files(JULY);
    sets.usage("2025/06/30/22", "acme", "cpu", "0.25");
    assert_eq!(sets.run(0), [state("2025-06", "published"), state("2025-07", "unchanged")]);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 0.25", "acme cpu 1"]));
    assert_eq!(sets.files(JULY), july);
}

#[test]
fn what_is_held_stays_as_it_was_published_and_everything_else_goes_on() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "acme", "mem", "2");
    sets.usage("2025/06/01/05", "bolt", "cpu", "3");
    sets.usage("2025/06/01/06", "acme", "cpu", "4");
    sets.run(0);
    // A record that cannot be used, beside changes of everybody.
    sets.usage("2025/06/01/05", "acme", "cpu", "\"many\"");
    sets.usage("2025/06/01/05", "acme", "mem", "20");
    sets.usage("2025/06/01/05", "bolt", "cpu", "30");
    let ended = sets.0.run();
    ended.expect(1).says("what acme owes for cpu is held");
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1", "acme mem 20", "bolt cpu 30", "acme cpu 4"]));
    assert_eq!(sets.run(1), [state("2025-06", "unchanged")]);
    // An object that cannot be read holds its hour, and no other.
    sets.usage("2025/06/01/05", "acme", "cpu", "10");
    sets.0.object("omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/05/torn.json", "[{");
    sets.usage("2025/06/01/06", "acme", "cpu", "40");
    assert_eq!(sets.run(1), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1", "acme mem 20", "bolt cpu 30", "acme cpu 40"]));
    sets.0.object("omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/05/torn.json", "[]");
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 10", "acme mem 20", "bolt cpu 30", "acme cpu 40"]));
}

#[test]
fn what_the_sink_objects_to_is_held_and_the_rest_is_published() {
    let sets = Sets::new();
    sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\nconfig.objects_to = \"disk\"");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "acme", "disk", "2");
    sets.0.run().expect(1).says("disk is not for publishing");
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
    sets.0.replace("objects_to = \"disk\"", "objects_to = \"\"");
    sets.run(0);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1", "acme disk 2"]));
}

#[test]
fn an_emptied_month_is_published_empty_and_one_without_usage_is_not_published() {
    let mut sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.0.at("2025-07-02T00:00:00Z");
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JULY), None);
    std::fs::remove_dir_all(sets.0.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025")).unwrap();
    let ended = sets.0.run();
    ended.expect(0).says("a charge that was published before is not there any more");
    assert_eq!((sets.shown(JUNE), sets.shown(JULY)), (lines(&[]), None));
    assert_eq!(sets.run(0), [state("2025-06", "unchanged")]);
}

#[test]
fn a_set_covers_its_month_from_the_first_instant_and_no_limit_cuts_it() {
    let sets = Sets::new();
    sets.0.replace("start  = \"2025-06\"", "start  = \"2025-06-02T12\"\nmax_windows = 30");
    sets.usage("2025/06/01/00", "acme", "cpu", "1");
    sets.usage("2025/06/02/23", "acme", "cpu", "2");
    sets.0.run().expect(1).says("2025-06-02T06 and 17 more windows of it are due and were never read");
    assert_eq!(sets.shown(JUNE), None, "a part of a month would replace all of it");
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1", "acme cpu 2"]));
    // One hour alone is no set either.
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    let one = sets.0.command("run", &["--window", "2025-06-01T05"], &[]);
    one.expect(1).says("run the pipeline without --window");
    assert_eq!((sets.shown(JUNE), sets.run(0)), (None, vec![state("2025-06", "published")]));
}

#[test]
fn a_dry_run_says_which_months_change_and_changes_nothing() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    let plan = sets.0.command("plan", &["--json"], &[]).expect(0).json();
    assert_eq!(months(&plan), [state("2025-06", "would-publish")]);
    assert!(sets.files(JUNE).is_empty() && !sets.0.has_a_ledger());
    sets.run(0);
    let plan = sets.0.command("plan", &["--json"], &[]).expect(0).json();
    assert_eq!(months(&plan), [state("2025-06", "unchanged")]);
    sets.usage("2025/06/01/05", "acme", "cpu", "2");
    sets.0.plan().expect(0).says("2025-06 -> out: would be published; 1 charge");
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
}

#[test]
fn a_plugin_that_fails_leaves_readers_what_they_had() {
    for (way, exit, says) in [
        ("begin", 3, "beginning a set"),
        ("survey", 3, "surveying the set"),
        ("write", 3, "writing the set"),
        ("finish", 3, "verifying the set"),
        ("commit", 3, "showing the set"),
        ("current", 3, "asking what readers are shown"),
        ("never", 1, "the door stays shut"),
        ("loses", 3, "it wrote 1 charges, and was given 2"),
    ] {
        let sets = Sets::new();
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.run(0);
        let before = sets.shown(JUNE);
        sets.usage("2025/06/01/06", "acme", "cpu", "2");
        sets.fails(way);
        let ended = sets.0.run();
        ended.expect(exit).says(says).says("readers are shown");
        assert_eq!(sets.shown(JUNE), before, "{way}");
        assert_eq!(sets.run(exit), [state("2025-06", "failed")], "{way}");
        sets.mended(way);
        assert_eq!(sets.run(0), [state("2025-06", "published")], "{way}");
        assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1", "acme cpu 2"]), "{way}");
        sets.0.command("ledger verify", &[], &[]).expect(0);
    }
}

#[test]
fn an_id_is_never_used_twice() {
    let sets = Sets::new();
    sets.fails("again");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.run(0);
    sets.usage("2025/06/01/05", "acme", "cpu", "2");
    sets.0.run().expect(3).says("which another had");
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
}

#[test]
fn what_fails_in_passing_is_tried_again_and_no_charge_is_handed_over_twice() {
    let sets = Sets::new();
    sets.fails("later");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
}

#[test]
fn a_place_that_does_not_say_what_it_shows_is_believed_to_show_what_was_published() {
    let sets = Sets::new();
    sets.fails("cannot-tell");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.run(0), [state("2025-06", "unchanged")]);
    // Nobody can tell what became of a publication that broke off: all of it is published once more.
    sets.usage("2025/06/01/05", "acme", "cpu", "2");
    let crashed = sets.0.command("run", &[], &[("METERHOST_FAILPOINT", "shown-set")]);
    assert_eq!(crashed.exit, -1);
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.listed().len(), 3);
}

#[test]
fn a_month_that_is_over_is_published_once_more_only_where_that_makes_a_difference() {
    for closes in [true, false] {
        let mut sets = Sets::new();
        sets.0.replace("config.way = \"proper\"", &format!("config.way = \"proper\"\nconfig.closes = {closes}"));
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.0.at("2025-06-30T23:00:00Z");
        sets.run(0);
        let open = if closes { vec!["acme cpu 1", "of 1, closed: false"] } else { vec!["acme cpu 1"] };
        assert_eq!(sets.shown(JUNE), lines(&open));
        sets.0.at("2025-07-01T00:00:00Z");
        let state_then = if closes { "published" } else { "unchanged" };
        assert_eq!(sets.run(0), [state("2025-06", state_then)]);
        let closed = if closes { vec!["acme cpu 1", "of 1, closed: true"] } else { vec!["acme cpu 1"] };
        assert_eq!(sets.shown(JUNE), lines(&closed));
        assert_eq!(sets.run(0), [state("2025-06", "unchanged")]);
    }
}

#[test]
fn another_configuration_publishes_the_months_in_sight_and_no_older_one() {
    let mut sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/07/01/05", "acme", "cpu", "1");
    sets.0.at("2025-07-02T00:00:00Z");
    sets.run(0);
    sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\nconfig.objects_to = \"x\"");
    assert_eq!(sets.run(0), [state("2025-06", "published"), state("2025-07", "published")]);
    sets.0.at("2025-08-02T00:00:00Z");
    sets.run(0);
    sets.0.replace("objects_to = \"x\"", "objects_to = \"y\"");
    assert_eq!(sets.run(0), [state("2025-07", "published")], "June is long over");
}

#[test]
fn what_somebody_else_did_to_what_readers_are_shown_is_put_right() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.run(0);
    let current = sets.0.path("out").join(JUNE).join("current");
    std::fs::remove_file(&current).unwrap();
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    std::fs::write(&current, "nothing of the kind").unwrap();
    sets.0.run().expect(1).says("nothing of the kind is gone");
}

#[test]
fn a_person_goes_back_to_an_older_set_until_the_month_is_released() {
    for ledger in Backend::both() {
        let sets = Sets::on(ledger);
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.run(0);
        let first = sets.listed()[0].0.clone();
        sets.usage("2025/06/01/05", "acme", "cpu", "1000");
        sets.run(0);
        let second = sets.listed()[1].0.clone();
        let to = |id: &str, yes: &[&str]| {
            let arguments = ["revert", "--period", "2025-06", "--to", id, "--reason", "a typing error"];
            sets.snapshots(&[&arguments[..], yes].concat())
        };
        to("00000000000000000001", &["--yes"]).expect(2).says("2025-06 has no set 00000000000000000001; there is");
        to(&first, &[]).expect(2).says("nothing was changed: say --yes to do it");
        assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1000"]));
        to(&first, &["--yes"]).expect(0);
        assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
        assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
        sets.0.command("status", &[], &[]).expect(0).says("1 pinned");
        assert_eq!(sets.listed(), [(first.clone(), "current".to_owned()), (second.clone(), "kept".to_owned())]);
        // What is pinned is not changed by others unseen.
        std::fs::write(sets.0.path("out").join(JUNE).join("current"), &second).unwrap();
        assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
        assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
        sets.usage("2025/06/01/05", "acme", "cpu", "10");
        assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
        sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(0).says("a typing error");
        sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(2).says("is not pinned");
        assert_eq!(sets.run(0), [state("2025-06", "published")]);
        assert_eq!(sets.shown(JUNE), lines(&["acme cpu 10"]));
    }
}

#[test]
fn old_sets_are_deleted_and_never_the_one_that_readers_are_shown() {
    let sets = Sets::new();
    for value in ["1", "2", "3", "4"] {
        sets.usage("2025/06/01/05", "acme", "cpu", value);
        sets.run(0);
    }
    sets.usage("2025/06/01/05", "acme", "cpu", "5");
    sets.0.command("run", &[], &[("METERHOST_FAILPOINT", "showing-set")]);
    let of = |standing: &str| sets.listed().into_iter().filter(|(_, found)| found == standing).count();
    assert_eq!((of("kept"), of("current"), of("left-behind")), (3, 1, 1));
    sets.0.command("status", &[], &[]).expect(1).says("published up to 2025-06").says("1 left behind by a crash");
    sets.snapshots(&["prune", "--keep", "1"]).expect(2).says("nothing was deleted");
    sets.snapshots(&["prune", "--keep", "1", "--yes"]).expect(0).says("to be deleted for good");
    assert_eq!((of("kept"), of("current"), of("left-behind")), (1, 1, 0));
    assert_eq!((sets.shown(JUNE), sets.files(JUNE).len()), (lines(&["acme cpu 4"]), 3));
    sets.run(0);
    sets.snapshots(&["prune", "--keep", "0", "--yes"]).expect(0);
    assert_eq!((sets.shown(JUNE), sets.files(JUNE).len()), (lines(&["acme cpu 5"]), 2));
    sets.snapshots(&["prune", "--keep", "0", "--yes"]).expect(0).says("there is nothing to delete");
}

#[test]
fn a_month_is_emptied_by_a_person_until_it_is_released() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    let remove = ["remove", "--period", "2025-06", "--reason", "not ours"];
    sets.snapshots(&[&remove[..], &["--yes"]].concat()).expect(2).says("nothing was published");
    sets.run(0);
    sets.snapshots(&remove).expect(2).says("nothing was changed");
    sets.snapshots(&[&remove[..], &["--yes"]].concat()).expect(0);
    assert_eq!(sets.shown(JUNE), lines(&[]));
    assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
    sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(0);
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
}

#[test]
fn a_month_waits_for_windows_that_were_never_read_whatever_the_marker_says() {
    let sets = Sets::new();
    sets.0.replace(
        "config.fields",
        "config.complete_until = { object = \"marker.json\", pointer = \"/until\" }\nconfig.fields",
    );
    sets.0.object("marker.json", "{\"until\":\"2025-06-03T00:00:00Z\"}");
    sets.usage("2025/06/01/03", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "acme", "cpu", "2");
    sets.0.command("run", &["--window", "2025-06-01T05"], &[]).expect(1);
    std::fs::remove_file(sets.0.path("bucket/marker.json")).unwrap();
    sets.0.run().expect(1);
    assert_eq!(sets.shown(JUNE), None, "one hour is no month");
    sets.0.object("marker.json", "{\"until\":\"2025-06-03T00:00:00Z\"}");
    sets.run(0);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1", "acme cpu 2"]));
}

#[test]
fn a_month_that_was_closed_does_not_open_again() {
    let mut sets = Sets::new();
    sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\nconfig.closes = true");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "bolt", "cpu", "1");
    sets.0.at("2025-07-02T00:00:00Z");
    sets.run(0);
    let closed = lines(&["acme cpu 1", "bolt cpu 1", "of 2, closed: true"]);
    assert_eq!(sets.shown(JUNE), closed);
    sets.usage("2025/06/01/05", "bolt", "cpu", "\"many\"");
    assert_eq!(sets.run(1), [state("2025-06", "unchanged")]);
    assert_eq!(sets.shown(JUNE), closed);
}

#[test]
fn what_is_held_of_a_customer_doubles_nothing_and_loses_nothing() {
    // Another dimension goes out under another name while one is held.
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "acme", "mem", "2");
    sets.run(0);
    sets.usage("2025/06/01/05", "acme", "cpu", "\"many\"");
    sets.0.object("omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/05/acme-mem.json", "[]");
    sets.usage("2025/06/01/05", "acme", "memory", "2");
    sets.run(1);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1", "acme memory 2"]));
    // The sink has another name, and with it the charges other ids.
    sets.0.replace("[sink.out]", "[sink.costs]");
    sets.0.command("ledger rename", &["--sink", "out=costs", "--yes"], &[]).expect(0);
    sets.usage("2025/06/01/05", "acme", "memory", "3");
    sets.run(1);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1", "acme memory 3"]));
    // The table of customers has lost one.
    let sets = Sets::new();
    std::fs::write(sets.0.path("customers.csv"), "customer,id\nacme,A1\nbolt,B1\n").unwrap();
    sets.0.replace("[sink.out]", "[sink.out]\ncustomers = \"customers.csv\"");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "bolt", "cpu", "2");
    sets.run(0);
    std::fs::write(sets.0.path("customers.csv"), "customer,id\nbolt,B1\n").unwrap();
    sets.usage("2025/06/01/05", "bolt", "cpu", "3");
    sets.0.run().expect(1).says("customers.csv has no row for it");
    assert_eq!(sets.shown(JUNE), lines(&["A1 cpu 1", "B1 cpu 3"]));
}

#[test]
fn a_change_that_a_person_does_not_want_leaves_what_was_published() {
    for said in ["waive", "billed"] {
        let sets = Sets::new();
        sets.usage("2025/06/01/05", "acme", "cpu", "2");
        sets.run(0);
        sets.0.replace("config.way = \"proper\"", "config.way = \"proper\"\nconfig.objects_to = \"cpu\"");
        sets.usage("2025/06/01/05", "acme", "cpu", "3");
        let held = sets.0.command("run", &["--json"], &[]).expect(1).json();
        let all = held["windows"].as_array().unwrap().iter().flat_map(|window| window["lines"].as_array().unwrap());
        let id = all.filter_map(|line| line["would_be"].as_str()).next().unwrap();
        sets.0.command("ledger resolve", &[id, said, "--reason", "a credit note", "--yes"], &[]).expect(0);
        sets.run(0);
        assert_eq!(sets.shown(JUNE), lines(&["acme cpu 2"]), "{said}");
        sets.0.command("status", &[], &[]).expect(0);
    }
}

#[test]
fn ids_of_what_was_billed_say_nothing_of_what_is_published_again() {
    let sets = Sets::new();
    sets.0.replace("[source]", "[source]\ndedupe = \"id\"");
    sets.0.replace("quantity = \"/value\" }", "quantity = \"/value\", id = \"/id\" }");
    sets.0.command("check", &[], &[]).expect(2).says("no record of them is ever done with");
}

#[test]
fn a_record_of_nothing_more_is_no_other_set() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.run(0);
    sets.0.usage("2025/06/01/05", "nothing", &[("acme", "cpu", "0")]);
    assert_eq!(sets.run(0), [state("2025-06", "unchanged")]);
}

#[test]
fn what_a_person_began_is_finished_by_the_next_run() {
    let (sets, first) = Sets::with_one_that_is_not_written_down();
    let back = ["--period", "2025-06", "--to", &first, "--reason", "a typing error", "--yes"];
    let killed = sets.0.command("snapshots revert", &back, &[("METERHOST_FAILPOINT", "reverting-set")]);
    assert_eq!(killed.exit, -1, "{killed:?}");
    assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
    // A month that is half emptied is emptied, and deleting old sets goes around it.
    let empty = ["--period", "2025-06", "--reason", "not ours", "--yes"];
    let killed = sets.0.command("snapshots remove", &empty, &[("METERHOST_FAILPOINT", "written:pinned")]);
    assert_eq!(killed.exit, -1, "{killed:?}");
    sets.snapshots(&["prune", "--keep", "0", "--yes"]).expect(0);
    assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
    assert_eq!(sets.shown(JUNE), lines(&[]));
    sets.0.command("status", &[], &[]).expect(0);
}

#[test]
fn a_charge_of_a_set_is_explained() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1.5");
    let report = sets.0.command("run", &["--json"], &[]).expect(0).json();
    let lines = report["windows"].as_array().unwrap().iter().flat_map(|window| window["lines"].as_array().unwrap());
    assert_eq!(lines.count(), 1);
    let all = sets.0.command("ledger show", &["--json"], &[]);
    assert!(all.exit == 0, "{all:?}");
    let key = meterhost::model::charge::Key {
        pipeline: "postgres-prod".to_owned(),
        sink: "out".to_owned(),
        window: "2025-06-01T05".parse().unwrap(),
        product: String::new(),
        customer: "acme".to_owned(),
        dimension: "cpu".to_owned(),
        tags: Vec::new(),
    };
    let id = key.id().to_string();
    sets.0.command("explain", &[&id[..8]], &[]).expect(0).says("comes to 1.5, made from 1 record").says("are shown it");
    sets.usage("2025/06/01/05", "acme", "cpu", "2.5");
    sets.fails("begin");
    sets.0.run().expect(3);
    let said = sets.0.command("explain", &[&id], &[]);
    said.expect(0).says("comes to 2.5").says("are shown 1.5 of it").says("a run publishes its month anew");
    let document = sets.0.command("explain", &[&id, "--json"], &[]).expect(0).json();
    assert_eq!((&document["now"]["quantity"], &document["shown"]["quantity"]), (&"2.5".into(), &"1.5".into()));
}

#[test]
fn a_segment_that_is_not_what_was_written_is_never_published() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.run(0);
    let Backend::Sqlite = sets.0.ledger else { return };
    let folder = sets.0.path("postgres-prod.ledger.db.ids");
    let segment = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    sets.0.command("ledger verify", &[], &[]).expect(4).says("it is not what was written");
    sets.usage("2025/06/01/06", "acme", "cpu", "2");
    sets.0.run().expect(4);
    assert_eq!(sets.shown(JUNE), lines(&["acme cpu 1"]));
}

#[test]
fn what_a_sink_of_sets_cannot_have_is_said_with_its_line() {
    for (from, to, says) in [
        ("window = \"hour\"", "window = \"month\"", "publishes months by the hour or the day"),
        ("retry_budget", "late = \"carry\"\nretry_budget", "publishes late usage with the month that it belongs to"),
        ("retry_budget", "round = \"up\"\nretry_budget", "is handed exact quantities"),
        ("retry_budget", "guard = { max_quantity = \"5\" }\nretry_budget", "replaces what it published"),
        ("retry_budget", "zero = \"send-at-end\"\nretry_budget", "accepts charges at any time"),
    ] {
        let sets = Sets::new();
        sets.0.replace(from, to);
        sets.0.run().expect(2).says(says);
        assert!(!sets.0.has_a_ledger(), "{says}");
    }
    let clazar = Stage::new();
    clazar.command("snapshots list", &[], &[]).expect(2).says("no sink of this pipeline publishes complete sets");
}
