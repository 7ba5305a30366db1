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
