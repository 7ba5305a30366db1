//! A state document speaks of one sink: what it closes, and whose name that is.

use serde_json::json;

use crate::state_document::{KEY, Kept, after};
use crate::support::bill;

/// Adds a sink that takes `memory`; the document speaks of the one of this name.
fn add_second(kept: &Kept, mirrored: &str) {
    let text = std::fs::read_to_string(kept.stage.path("pipeline.toml")).unwrap();
    let (_, sink) = text.split_once("[sink.clazar]").unwrap();
    let mirror = format!("mirror = {{ url = \"file://./state.json\", sink = \"{mirrored}\" }}");
    let text = text.replace("mirror = \"file://./state.json\"", &mirror);
    kept.stage.pipeline(&format!("{text}\n[sink.second]\nplugin = \"clazar\"\ntakes = [\"memory\"]{sink}"));
}

#[test]
fn a_document_of_one_sink_closes_nothing_of_another() {
    let kept = Kept::new(Some(after("2025-06")));
    add_second(&kept, "clazar");
    kept.stage.replace("start  = \"-2 months\"", "start  = \"2025-06\"");
    kept.stage.run().expect(0);
    assert_eq!(
        kept.stage.billed(),
        bill(&[("A", "memory", "7")]),
        "the first sink's is taken over, the second's is billed"
    );
    assert_eq!(kept.entry(), json!({ "last_processed_month": "2025-06" }));
    // What changes in the closed month is held for the first, and compared for the second.
    kept.stage.usage("2025/06/30/23", "b", &[("B", "cpu", "30"), ("B", "memory", "1")]);
    let ended = kept.stage.run();
    ended.expect(1).says("it was taken over as billed, and one of its objects is not as it was then");
    assert_eq!(kept.stage.billed(), bill(&[("A", "memory", "7"), ("B", "memory", "1")]));
}

#[test]
fn a_sink_that_is_renamed_or_added_reopens_no_month_of_the_document() {
    for change in ["renamed", "added"] {
        let kept = Kept::new(Some(after("2025-05")));
        kept.stage.replace("start  = \"-2 months\"", "start  = \"2025-05\"");
        kept.stage.usage("2025/05/01/00", "a", &[("A", "cpu", "100"), ("A", "memory", "70")]);
        kept.stage.run().expect(0);
        let billed = kept.stage.billed();
        match change {
            "renamed" => kept.stage.replace("[sink.clazar]", "[sink.main]\nplugin = \"clazar\""),
            _ => add_second(&kept, "clazar"),
        }
        match change {
            "renamed" => kept.stage.run().expect(2).says("the file has no sink clazar any more"),
            _ => kept.stage.run().expect(1).says("held"),
        };
        assert_eq!(kept.stage.billed(), billed, "{change}");
    }
}

#[test]
fn what_was_taken_over_for_one_sink_is_billed_by_no_other() {
    let listed =
        json!({ KEY: { "last_processed_month": "2025-05", "processed_contracts": { "2025-06": ["A:2025-06"] } } });
    let kept = Kept::new(Some(listed));
    kept.stage.usage("2025/05/01/00", "a", &[("A", "cpu", "100"), ("A", "memory", "70")]);
    kept.stage.replace("start  = \"-2 months\"\n", "");
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.replace("[sink.clazar]", "[sink.main]\nplugin = \"clazar\"");
    kept.stage
        .plan()
        .expect(2)
        .says("the file has no sink clazar any more, and the ledger does not know the sink main");
    kept.stage.run().expect(2).says("put the name back");
    // Beside another one: its document cannot change hands, and what was closed is not reopened for it by asking.
    kept.stage.replace("[sink.main]\nplugin = \"clazar\"", "[sink.clazar]");
    add_second(&kept, "second");
    kept.stage.command("check", &[], &[]).expect(2).says("`mirror` speaks of the sink second");
    kept.stage.run().expect(2).says("`mirror` speaks of the sink second");
    kept.stage.replace("sink = \"second\"", "sink = \"clazar\"");
    kept.stage.command("run", &["--window", "2025-05"], &[]);
    assert_eq!(kept.stage.submissions(), 0);
}

#[test]
fn what_no_sink_takes_is_held_though_the_first_ones_month_is_closed() {
    let kept = Kept::new(Some(after("2025-06")));
    add_second(&kept, "clazar");
    kept.stage.replace("[sink.clazar]", "[sink.clazar]\ntakes = [\"cpu\"]");
    kept.stage.replace("start  = \"-2 months\"", "start  = \"2025-06\"");
    kept.stage.usage("2025/06/05/00", "disk", &[("A", "disk", "5")]);
    kept.stage.run().expect(1).says("disk of A is held: no [sink] takes this dimension");
}
