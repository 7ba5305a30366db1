//! Months of which a person says what readers are shown, and that are like no other.

use crate::sets::{JUNE, Sets, state};

#[test]
fn a_month_from_before_a_sink_began_is_released_without_waiting() {
    for empties in [true, false] {
        let mut sets = Sets::new();
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.0.at("2025-07-02T00:00:00Z");
        sets.run(0);
        sets.usage("2025/06/01/05", "acme", "cpu", "2");
        sets.run(0);
        let old = sets.listed()[0].0.clone();
        sets.0.replace("[sink.out]", "[sink.costs]");
        sets.0.command("ledger rename", &["--retire", "out", "--yes"], &[]).expect(0).says("costs begins with 2025-07");
        sets.run(0);
        match empties {
            true => sets.snapshots(&["remove", "--period", "2025-06", "--reason", "r", "--yes"]),
            false => sets.snapshots(&["revert", "--period", "2025-06", "--to", &old, "--reason", "r", "--yes"]),
        }
        .expect(0);
        let shown = sets.shown(JUNE);
        assert_eq!(sets.run(0), [state("2025-06", "pinned")], "July has nothing to be shown");
        sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(0);
        // The sink has no charges of it: where it published it, it shows that, and else leaves it to whoever did.
        let plan = sets.0.command("plan", &["--json"], &[]).expect(0).json();
        let june = if empties { "published" } else { "nothing" };
        assert_eq!(crate::sets::months(&plan)[0], state("2025-06", &june.replace("published", "would-publish")));
        assert_eq!(sets.run(0)[0], state("2025-06", june));
        assert_eq!(sets.shown(JUNE), shown);
        sets.0.command("status", &[], &[]).expect(0);
    }
}

#[test]
fn one_window_of_a_month_from_before_a_sink_began_is_no_month() {
    let mut sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/06", "acme", "cpu", "2");
    sets.0.at("2025-07-02T00:00:00Z");
    sets.run(0);
    sets.0.replace("[sink.out]", "[sink.costs]");
    sets.0.command("ledger rename", &["--retire", "out", "--yes"], &[]).expect(0);
    let ended = sets.0.command("run", &["--window", "2025-06-01T05"], &[]);
    assert_eq!(sets.shown(JUNE).unwrap(), ["acme cpu 1", "acme cpu 2"], "{ended:?}");
    let ended = sets.0.run();
    assert_eq!(sets.shown(JUNE).unwrap(), ["acme cpu 1", "acme cpu 2"], "{ended:?}");
}

/// How a set stands, by its name.
fn standing(sets: &Sets, id: &str) -> Option<String> {
    sets.listed().into_iter().find(|(known, _)| known == id).map(|(_, standing)| standing)
}

#[test]
fn a_month_that_was_never_shown_and_has_lost_its_charges_is_not_published() {
    for place in ["writing-set", "showing-set", "shown-set"] {
        let sets = Sets::new();
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        assert_eq!(sets.0.command("run", &[], &[("METERHOST_FAILPOINT", place)]).exit, -1);
        std::fs::remove_dir_all(sets.0.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025")).unwrap();
        let was_shown = place == "shown-set";
        assert_eq!(sets.run(0), [state("2025-06", if was_shown { "published" } else { "nothing" })], "{place}");
        assert_eq!(sets.shown(JUNE), was_shown.then(Vec::new), "{place}");
        sets.snapshots(&["prune", "--yes"]).expect(0);
        assert_eq!(sets.run(0), [state("2025-06", if was_shown { "unchanged" } else { "nothing" })], "{place}");
        sets.0.command("status", &[], &[]).expect(0);
    }
}

#[test]
fn to_go_back_to_what_readers_are_shown_forgets_nothing_of_it() {
    let sets = Sets::new();
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.usage("2025/06/01/05", "bolt", "cpu", "2");
    sets.run(0);
    let current = sets.listed()[0].0.clone();
    sets.snapshots(&["revert", "--period", "2025-06", "--to", &current, "--reason", "stays", "--yes"]).expect(0);
    sets.usage("2025/06/01/05", "acme", "cpu", "3");
    assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
    let shown = sets.0.command("ledger show", &["--window", "2025-06-01T05", "--json"], &[]).expect(0).json();
    let charges = shown["windows"][0]["charges"].as_array().unwrap();
    let standings: Vec<&str> = charges.iter().map(|charge| charge["standing"].as_str().unwrap()).collect();
    assert_eq!(standings, ["unpublished", "published"]);
}

#[test]
fn what_was_pinned_and_not_shown_yet_is_written_down_once_it_is() {
    for place in ["written:pinned", "write:published"] {
        let sets = Sets::new();
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.run(0);
        let empty = ["--period", "2025-06", "--reason", "r", "--yes"];
        assert_eq!(sets.0.command("snapshots remove", &empty, &[("METERHOST_FAILPOINT", place)]).exit, -1, "{place}");
        let set = sets.listed().last().unwrap().0.clone();
        let status = sets.0.command("status", &[], &[]);
        assert!(!status.stdout.contains("left behind"), "{status:?}");
        let pinned = sets.0.run();
        pinned.expect(0).says("pinned");
        assert!(!pinned.stdout.contains("was not finished"), "{pinned:?}");
        assert_eq!(standing(&sets, &set).as_deref(), Some("current"), "{place}");
        // Readers were shown it: it is kept as any other, and no part of anything.
        sets.snapshots(&["release", "--period", "2025-06", "--yes"]).expect(0);
        assert_eq!(sets.run(0), [state("2025-06", "published")]);
        assert_eq!(standing(&sets, &set).as_deref(), Some("kept"), "{place}");
        sets.0.command("ledger verify", &[], &[]).expect(0);
    }
}

#[test]
fn where_nobody_can_tell_whether_a_month_was_emptied_that_is_said_again() {
    let sets = Sets::new();
    sets.fails("cannot-tell");
    sets.usage("2025/06/01/05", "acme", "cpu", "1");
    sets.run(0);
    let empty = ["--period", "2025-06", "--reason", "r", "--yes"];
    sets.0.command("snapshots remove", &empty, &[("METERHOST_FAILPOINT", "written:pinned")]);
    sets.0.run().expect(1).says("nobody can tell").says("say `meterhost snapshots remove` again");
    sets.0.command("snapshots remove", &empty, &[]).expect(0);
    assert_eq!(sets.run(0), [state("2025-06", "pinned")]);
    assert_eq!(sets.shown(JUNE).unwrap(), [""; 0]);
}
