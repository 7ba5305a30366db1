//! What complete sets are kept from: another plugin under their sink's name, and sets that somebody else put in their place.

use crate::sets::{JUNE, Sets, state};

/// The section of a sink that bills each charge, under the name of the one that publishes.
const BILLING: &str = "[sink.out]\nplugin = \"clazar\"\nretry_budget = \"5s\"\nconfig = { cloud = \"aws\", url = \"${CLAZAR_URL}\" }\n\
    grant = { http = [\"${CLAZAR_URL}\"], secrets = { client_id = { env = \"CLAZAR_CLIENT_ID\" }, client_secret = { env = \"CLAZAR_CLIENT_SECRET\" } } }\n";

#[test]
fn a_sink_of_another_kind_needs_another_name() {
    for bills_first in [true, false] {
        let sets = Sets::new();
        let text = std::fs::read_to_string(sets.0.path("pipeline.toml")).unwrap();
        let (head, _) = text.split_once("[sink.out]").unwrap();
        let billing = format!("{head}{BILLING}");
        let (first, then) = if bills_first { (&billing, &text) } else { (&text, &billing) };
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.0.pipeline(first);
        // Of a charge that nothing is known about, no window may be settled, whoever has its sink's name by now.
        sets.0.command("run", &[], &[("METERHOST_FAILPOINT", if bills_first { "delivering" } else { "closing" })]);
        let shown = sets.shown(JUNE);
        sets.0.pipeline(then);
        let says = match bills_first {
            true => "the sink out publishes complete sets, and the ledger holds charges that it billed one by one",
            false => "the sink out bills charges one by one, and the ledger holds complete sets of it",
        };
        for command in ["check", "plan", "run"] {
            sets.0.command(command, &[], &[]).expect(2).says(says).says("give it another name");
        }
        assert_eq!((sets.shown(JUNE), sets.0.submissions()), (shown, 0));
        // As the message says: under another name, once the one before is at its end.
        sets.0.pipeline(first);
        sets.0.run().expect(0);
        sets.0.pipeline(&then.replace("[sink.out]", "[sink.other]"));
        sets.0.command("ledger rename", &["--retire", "out", "--yes"], &[]).expect(0);
        sets.0.run().expect(0);
        sets.0.command("ledger verify", &[], &[]).expect(0);
    }
}

/// The names of the two sets that there are.
fn ids(sets: &Sets) -> [String; 2] {
    let ids: Vec<String> = sets.listed().into_iter().map(|(id, _)| id).collect();
    ids.try_into().unwrap()
}

/// Puts a set of the same name where one was published: another pipeline may give a name, too.
fn put(sets: &Sets, id: &str, text: &str) {
    std::fs::write(sets.0.path("out").join(JUNE).join(id), text).unwrap();
}

#[test]
fn a_set_of_the_same_name_is_ours_only_as_it_was_written() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.run(0);
    sets.usage("2025/06/01/05", "acme", "cpu", "2");
    sets.run(0);
    let [first, second] = ids(&sets);
    // What readers are shown was changed: it is published anew.
    put(&sets, &second, "1 bolt cpu 99999\n");
    let listed = sets.snapshots(&["list"]);
    listed.expect(0).says("and is 1 file of 17 bytes: it was changed, or is somebody else's");
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JUNE).unwrap(), ["acme cpu 2"]);
    assert_eq!(sets.run(0), [state("2025-06", "unchanged")]);
    // An older one is gone back to only as it was.
    let back = |id: &str| sets.snapshots(&["revert", "--period", "2025-06", "--to", id, "--reason", "r", "--yes"]);
    back(&second).expect(2).says("nothing was changed").says("it was changed, or is somebody else's");
    assert_eq!(sets.run(0), [state("2025-06", "unchanged")]);
    back(&first).expect(0);
    // And what is pinned is not shown as something else.
    put(&sets, &first, "1 bolt cpu 99999\n");
    sets.0.run().expect(1).says("it was changed, or is somebody else's").says("snapshots release");
    sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(0);
    assert_eq!(sets.run(0), [state("2025-06", "published")]);
    assert_eq!(sets.shown(JUNE).unwrap(), ["acme cpu 2"]);
    // Nobody deletes what may be another's.
    sets.snapshots(&["prune", "--keep", "0", "--yes"]).expect(0).says("2 that others published stay");
    assert!(sets.0.path("out").join(JUNE).join(&first).exists());
    sets.0.command("ledger verify", &[], &[]).expect(0);
}

#[test]
fn what_is_left_of_a_set_that_was_being_deleted_is_deleted() {
    let sets = Sets::new();
    for value in ["1", "2"] {
        sets.usage("2025/06/01/05", "acme", "cpu", value);
        sets.run(0);
    }
    let [first, _] = ids(&sets);
    let prune = ["--keep", "0", "--yes"];
    let killed = sets.0.command("snapshots prune", &prune, &[("METERHOST_FAILPOINT", "removing-set")]);
    assert_eq!(killed.exit, -1, "{killed:?}");
    put(&sets, &first, "1");
    sets.snapshots(&["prune", "--yes"]).expect(0).says(&first);
    assert!(!sets.0.path("out").join(JUNE).join(&first).exists());
}

#[test]
fn two_sinks_publish_in_one_place_only_by_configurations_that_differ() {
    let sets = Sets::new();
    let text = std::fs::read_to_string(sets.0.path("pipeline.toml")).unwrap();
    let (head, sink) = text.split_once("[sink.out]").unwrap();
    let both = |first: &str, second: &str| sets.0.pipeline(&format!("{head}[sink.out]{first}\n[sink.more]{second}"));
    both(sink, &sink.replace("\nplugin", "\ntakes = [\"disk\"]\nplugin"));
    for command in ["check", "run"] {
        let refused = sets.0.command(command, &[], &[]);
        refused.expect(2).says("sink.out and sink.more publish in one place").says("give each a place of its own");
    }
    assert!(!sets.0.has_a_ledger());
    for differs in [sink.replace("file://./out", "file://./more"), sink.replace("proper", "later")] {
        both(sink, &differs);
        std::fs::create_dir_all(sets.0.path("more")).unwrap();
        sets.0.command("check", &[], &[]).expect(0);
    }
}

#[test]
fn a_month_is_emptied_of_what_this_pipeline_published_and_of_nothing_else() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "bolt", "cpu", "1");
    sets.run(0);
    let ours = sets.listed()[0].0.clone();
    let empty = |yes: &[&str]| sets.snapshots(&[&["remove", "--period", "2025-06", "--reason", "r"], yes].concat());
    empty(&[])
        .expect(2)
        .says("readers of 2025-06 in out are shown no charges")
        .says(&format!("instead of {ours} current"));
    empty(&[]).says("2 charges").says("nothing was changed");
    // Somebody else's, under another name and under that of ours.
    put(&sets, "00000000000000000007", "1 bolt cpu 9\n");
    put(&sets, "current", "00000000000000000007");
    let refused = empty(&["--yes"]);
    refused.expect(2).says("shown 00000000000000000007, which out did not publish").says("see whose it is");
    put(&sets, "current", &ours);
    put(&sets, &ours, "1 bolt cpu 9\n");
    empty(&["--yes"]).expect(2).says("it was changed, or is somebody else's");
    assert_eq!(sets.shown(JUNE).unwrap(), ["bolt cpu 9"]);
    // As it is advised.
    sets.run(0);
    empty(&["--yes"]).expect(0);
    assert_eq!(sets.shown(JUNE).unwrap(), [""; 0]);
}
