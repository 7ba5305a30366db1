//! What counts as billed by another exporter, and what does not: only what it said, of what was there when it said it, and nothing of
//! what this pipeline itself keeps back.

use clazar_emulator::{Endpoint, Fault, Record};
use s3_proxy::{Act, Kind};
use serde_json::{Value, json};

use crate::state_document::{KEY, Kept, after, on_s3, run_on_s3};
use crate::support::bill;

/// Changes the pipeline's entry, as another hand would.
fn another_hand(kept: &Kept, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_str(&kept.text()).unwrap();
    change(&mut document[KEY]);
    kept.write(&document.to_string());
}

#[test]
fn a_contract_of_which_a_part_is_held_is_looked_up_once_the_ledger_is_lost() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.usage("2025/06/02/00", "disk", &[("A", "disk", "\"many\"")]);
    kept.stage.run().expect(1);
    let listed = json!({
        "last_processed_month": "2025-05",
        "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] },
        "meterhost_open": { "2025-06": ["A"] },
    });
    assert_eq!(kept.entry(), listed, "B owes nothing more");
    kept.stage.lose_the_ledger();
    kept.stage.usage("2025/06/02/00", "disk", &[("A", "disk", "4")]);
    kept.stage.run().expect(0);
    let all = bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("A", "disk", "4"), ("B", "cpu", "3")]);
    assert_eq!(kept.stage.billed(), all);
    let closed =
        json!({ "last_processed_month": "2025-06", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
    assert_eq!(kept.entry(), closed);
}

#[test]
fn late_usage_of_a_closed_month_stays_held_when_the_ledger_is_lost() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.run().expect(0);
    kept.stage.usage("2025/06/30/23", "b", &[("B", "cpu", "30")]);
    kept.stage.run().expect(1).says("3 then, 30 now");
    let entry = kept.entry();
    assert_eq!(
        (&entry["last_processed_month"], &entry["meterhost_open"]),
        (&json!("2025-06"), &json!({ "2025-06": ["B"] }))
    );
    kept.stage.lose_the_ledger();
    kept.stage.run().expect(1).says("the service has a record in its place with 3");
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3")]));
    assert_eq!(kept.entry()["meterhost_open"], json!({ "2025-06": ["B"] }));
}

#[test]
fn an_import_of_the_own_document_gives_up_nothing_that_is_held_here() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.usage("2025/06/02/00", "disk", &[("A", "disk", "\"many\"")]);
    kept.stage.run().expect(1);
    another_hand(&kept, |entry| entry["note"] = json!("looked at by hand"));
    kept.refuses("somebody else changed it");
    let said = kept.stage.command("ledger import", &["--yes"], &[]);
    assert!(!said.expect(0).stdout.contains("would not be billed"), "{}", said.stdout);
    kept.stage.run().expect(1).says("what A owes for disk is held");
    kept.stage.usage("2025/06/02/00", "disk", &[("A", "disk", "4")]);
    kept.stage.run().expect(0);
    let all = bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("A", "disk", "4"), ("B", "cpu", "3")]);
    assert_eq!(kept.stage.billed(), all);
}

#[test]
fn a_month_that_was_settled_here_stays_this_ledgers_when_its_own_document_is_imported() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.run().expect(0);
    another_hand(&kept, |entry| entry["note"] = json!("looked at by hand"));
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.run().expect(0);
    // Usage that comes late is compared with what was billed here, as if there had been no import.
    kept.stage.usage("2025/06/30/23", "b", &[("B", "cpu", "30")]);
    kept.stage.run().expect(1).says("3 then, 30 now, a difference of +27");
}

#[test]
fn what_an_import_would_give_up_is_said_before() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.usage("2025/06/02/00", "c", &[("C", "cpu", "\"many\"")]);
    kept.stage.run().expect(1);
    // The old exporter takes over, and bills C.
    another_hand(&kept, |entry| {
        entry["processed_contracts"]["2025-06"] = json!(["A:2025-06", "B:2025-06", "C:2025-06"])
    });
    let refused = kept.stage.command("ledger import", &[], &[]);
    refused
        .expect(2)
        .says("2025-06: what C owes for cpu is held here, and would not be billed any more: ")
        .says("say --yes");
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.run().expect(1);
    let submissions = kept.stage.submissions();
    kept.stage.usage("2025/06/02/00", "c", &[("C", "cpu", "9")]);
    kept.stage.run().expect(1).says("cpu of C is held: this customer was taken over as billed");
    assert_eq!(kept.stage.submissions(), submissions);
}

#[test]
fn what_was_refused_here_and_billed_by_another_hand_since_is_looked_up_and_not_offered_again() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.emulator.push_fault(Fault::Fail { positions: vec![2] }.on(Endpoint::Submit).forever());
    kept.stage.run().expect(1);
    kept.stage.emulator.clear_faults();
    let month = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    kept.stage.emulator.seed(Record::billed(clazar_emulator::Cloud::Aws, "B", "cpu", "3", month)).unwrap();
    another_hand(&kept, |entry| entry["processed_contracts"]["2025-06"] = json!(["A:2025-06", "B:2025-06"]));
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    let submissions = kept.stage.submissions();
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.submissions(), submissions, "it was found");
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3")]));
}

#[test]
fn what_is_refused_again_after_an_import_that_did_not_find_it_is_billed_by_a_later_run() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.emulator.push_fault(Fault::Fail { positions: vec![2] }.on(Endpoint::Submit).forever());
    kept.stage.run().expect(1);
    kept.stage.emulator.clear_faults();
    another_hand(&kept, |entry| entry["processed_contracts"]["2025-06"] = json!(["A:2025-06", "B:2025-06"]));
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.run();
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3")]));
}

#[test]
fn a_document_of_one_sink_closes_nothing_of_another() {
    let kept = Kept::new(Some(after("2025-06")));
    let text = std::fs::read_to_string(kept.stage.path("pipeline.toml")).unwrap();
    let (_, sink) = text.split_once("[sink.clazar]").unwrap();
    let second = format!("[sink.second]\nplugin = \"clazar\"\ntakes = [\"memory\"]{sink}");
    kept.stage.pipeline(&format!("{text}\n{second}"));
    kept.stage
        .replace("mirror = \"file://./state.json\"", "mirror = { url = \"file://./state.json\", sink = \"clazar\" }");
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
fn a_first_reading_that_failed_is_not_the_one_that_counts_on_s3() {
    let (kept, proxy, store, bucket) = on_s3();
    let mut document = after("2025-05");
    document[KEY]["processed_contracts"] = json!({ "2025-06": ["A:2025-06"] });
    store.put(&bucket, "state.json", document.to_string().as_bytes());
    let other = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/02/00/b.json";
    store.put(&bucket, other, br#"[{"externalPayerId": "B", "dimension": "cpu", "value": 3}]"#);
    proxy.push_fault(s3_proxy::Fault::on(Kind::Get, Act::access_denied()).key(other).always());
    run_on_s3(&kept, &proxy).expect(1).says("cannot be read");
    assert_eq!(kept.stage.submissions(), 0);
    proxy.clear_faults();
    run_on_s3(&kept, &proxy).expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("B", "cpu", "3")]), "what A owes was there when it was taken over");
}

#[test]
fn what_changes_between_an_import_and_the_first_reading_is_held() {
    let listed =
        json!({ KEY: { "last_processed_month": "2025-05", "processed_contracts": { "2025-06": ["A:2025-06"] } } });
    let kept = Kept::new(Some(listed));
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.usage("2025/06/01/00", "a", &[("A", "cpu", "20"), ("A", "memory", "7")]);
    kept.stage
        .run()
        .expect(1)
        .says("cpu of A is held: this customer was taken over as billed, and its usage is not as");
    assert_eq!(kept.stage.billed(), bill(&[("B", "cpu", "3")]));
}

#[test]
fn what_the_exporter_gave_up_stays_in_sight_until_a_person_takes_it_over() {
    let mut document = after("2025-05");
    document[KEY]["error_contracts"] = json!({ "2025-05": [{ "contract_id": "Z", "errors": ["no"] }] });
    let mut kept = Kept::new(Some(document));
    kept.stage.plan().expect(1).says("everything that Z owes is held");
    for _ in 0..2 {
        let ended = kept.stage.run();
        ended
            .expect(1)
            .says("everything that Z owes is held: the exporter before closed the window without billing it");
    }
    kept.stage.at("2025-12-01T02:00:00Z");
    kept.stage.run().expect(1).says("everything that Z owes is held");
    assert_eq!(kept.entry()["last_processed_month"], "2025-11", "months close all the same");
    kept.stage
        .command("ledger import", &[], &[])
        .expect(2)
        .says("2025-05: the exporter before closed it without billing Z");
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3")]));
}
