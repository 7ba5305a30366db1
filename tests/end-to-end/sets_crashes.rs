//! A process that ends as `kill -9` ends it while a set is published: readers see the old set or the new one, and never a part.

use std::collections::BTreeSet;

use crate::crashes::Story;
use crate::sets::{JUNE, Sets};
use crate::support::{Backend, Stage};

const OLD: [&str; 2] = ["acme cpu 1", "bolt cpu 2"];
const NEW: [&str; 3] = ["acme cpu 10", "bolt cpu 2", "acme cpu 4"];

/// A month that was published, and has changed since.
const CHANGED: Story = Story {
    before: |ledger| {
        let sets = Sets::on(ledger);
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.usage("2025/06/01/05", "bolt", "cpu", "2");
        sets.0.run().expect(0);
        assert_eq!(sets.shown(JUNE).unwrap(), OLD);
        sets.usage("2025/06/01/05", "acme", "cpu", "10");
        sets.usage("2025/06/01/06", "acme", "cpu", "4");
        sets.0
    },
    arguments: &[],
    after: &[|stage, place| {
        let shown = crate::sets::shown(stage, JUNE).unwrap();
        assert!(shown == OLD || shown == NEW, "{place}: {shown:?}");
        let ended = stage.run();
        assert_eq!(ended.exit, 0, "{place}: {ended:?}");
        assert_eq!(crate::sets::shown(stage, JUNE).unwrap(), NEW, "{place}");
        let again = stage.run();
        again.expect(0).says("unchanged");
        // Whatever was left behind is seen, and goes away: what readers are shown stays, and what says which that is.
        let listed = stage.command("snapshots list", &["--json"], &[]).expect(0).json();
        let found = listed["snapshots"].as_array().unwrap().iter();
        let left = found.filter(|set| set["standing"] == "left-behind").count();
        let pruned = stage.command("snapshots prune", &["--keep", "0", "--yes"], &[]);
        pruned.expect(0);
        assert_eq!(left == 1, pruned.stdout.contains("left behind"), "{place}: {listed:#}");
        assert_eq!(crate::sets::files(stage, JUNE).len(), 2, "{place}");
        stage.command("ledger verify", &[], &[]).expect(0);
    }],
};

#[test]
fn a_crash_at_any_place_shows_the_old_set_or_the_new_one() {
    CHANGED.crash_at_all(&[|| Backend::Sqlite, Backend::s3]);
}

/// The places that such runs pass, and those of deleting old sets.
pub fn passed_by_sets() -> BTreeSet<String> {
    let stage: Stage = (CHANGED.before)(Backend::Sqlite);
    let log = stage.path("places.txt");
    let logged = [("METERHOST_FAILPOINTS", log.to_str().unwrap())];
    stage.command("run", &[], &logged).expect(0);
    let listed = stage.command("snapshots list", &["--json"], &[]).expect(0).json();
    let first = listed["snapshots"][0]["id"].as_str().unwrap();
    let back = ["--period", "2025-06", "--to", first, "--reason", "r", "--yes"];
    stage.command("snapshots revert", &back, &logged).expect(0);
    stage.command("snapshots prune", &["--keep", "0", "--yes"], &logged).expect(0);
    std::fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect()
}
