//! What counts as billed by another exporter, and what does not: only what it said, of what was there when it said it, and nothing of
//! what this pipeline itself keeps back.

use clazar_emulator::{Endpoint, Fault, Record};
use s3_proxy::{Act, Kind};
use serde_json::{Value, json};

use crate::state_document::{KEY, Kept, after, command_on_s3, on_s3, run_on_s3};
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
        .says("cpu of A is held: this customer was taken over as billed, and the objects of the window are not");
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

#[test]
fn a_document_goes_with_no_table_of_customers() {
    let kept = Kept::new(Some(after("2025-05")));
    std::fs::write(kept.stage.path("customers.csv"), "customer,id\nA,A2\nB,B\n").unwrap();
    kept.stage.replace("retry_budget = \"5s\"", "retry_budget = \"5s\"\ncustomers = \"customers.csv\"");
    kept.refuses_with(2, "`mirror` names customers as the usage does, and this sink bills them by a table");
    kept.stage.replace("mirror = \"file://./state.json\"\n", "");
    let from = ["--from", "file://./state.json", "--yes"];
    kept.stage.command("ledger import", &from, &[]).expect(2).says("leave `customers` out to take it over");
}

#[test]
fn a_table_that_comes_after_an_import_bills_nobody_again_under_another_name() {
    let listed =
        json!({ KEY: { "last_processed_month": "2025-05", "processed_contracts": { "2025-06": ["A:2025-06"] } } });
    let kept = Kept::new(Some(listed));
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.replace("mirror = \"file://./state.json\"\n", "");
    std::fs::write(kept.stage.path("customers.csv"), "customer,id\nA,A2\nB,B\n").unwrap();
    kept.stage.replace("retry_budget = \"5s\"", "retry_budget = \"5s\"\ncustomers = \"customers.csv\"");
    kept.stage
        .run()
        .expect(1)
        .says("cpu of A2 is held: another exporter billed this window under the names in the usage");
    assert_eq!(kept.stage.billed(), bill(&[("B", "cpu", "3")]));
}

#[test]
fn what_was_given_up_stays_in_sight_whatever_else_is_imported_or_cannot_be_listed_on_s3() {
    let (kept, proxy, store, bucket) = on_s3();
    let mut document = after("2025-05");
    document[KEY]["error_contracts"] = json!({ "2025-05": [{ "contract_id": "Z", "errors": ["no"] }] });
    document["o:P:p"] = json!({ "last_processed_month": "2025-04" });
    store.put(&bucket, "state.json", document.to_string().as_bytes());
    let may = "omnistrate-metering/Postgres/PROD/pt-1/2025/05/";
    proxy.push_fault(s3_proxy::Fault::on(Kind::List, Act::access_denied()).prefix(may).always());
    run_on_s3(&kept, &proxy).expect(1).says("everything that Z owes is held");
    proxy.clear_faults();
    command_on_s3(&kept, &proxy, "ledger import", &["--yes", "--key", "o:P:p"]).expect(0);
    run_on_s3(&kept, &proxy).expect(1).says("everything that Z owes is held");
}

#[test]
fn who_is_taken_out_of_what_is_open_stays_out() {
    let document = json!({ KEY: { "last_processed_month": "2025-05", "meterhost_open": { "2025-06": ["Q"] } } });
    let kept = Kept::new(Some(document));
    kept.stage.run().expect(0).says("Q may have been billed, and there is no usage of that");
    assert_eq!(kept.entry()["meterhost_open"], json!({ "2025-06": ["Q"] }));
    another_hand(&kept, |entry| {
        entry.as_object_mut().unwrap().remove("meterhost_open");
    });
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.run().expect(0);
    assert_eq!(kept.entry().get("meterhost_open"), None);
}

#[test]
fn what_was_given_up_is_not_taken_for_billed_where_its_month_is_read_again() {
    let kept = Kept::new(None);
    kept.stage.replace("\"file://./state.json\"", "{ url = \"file://./state.json\", form = \"single\" }");
    kept.stage.usage("2025/06/03/00", "z", &[("Z", "cpu", "77")]);
    let failed = json!({ "2025-06": [{ "contract_id": "Z", "errors": ["no"] }] });
    let document = json!({
        "last_processed_month": "2025-06", "success_contracts": { "2025-06": ["A", "B"] },
        "error_contracts": failed, "meterhost_open": { "2025-06": ["A"] },
    });
    kept.write(&document.to_string());
    kept.stage.plan().expect(1).says("everything that Z owes is held");
    kept.stage.run().expect(1).says("everything that Z owes is held");
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7")]), "A is looked up, B is billed");
    let document: Value = serde_json::from_str(&kept.text()).unwrap();
    assert_eq!(
        (&document["error_contracts"], &document["success_contracts"]),
        (&failed, &json!({ "2025-06": ["A", "B"] }))
    );
}

#[test]
fn who_owes_something_in_a_closed_month_is_remembered_though_the_ledger_is_lost() {
    for case in ["pending", "refused", "quarantined"] {
        let kept = Kept::new(Some(after("2025-05")));
        kept.stage.run().expect(0);
        let value = if case == "quarantined" { "\"many\"" } else { "50" };
        kept.stage.usage("2025/06/20/00", "c", &[("C", "cpu", value)]);
        let (endpoint, fault) = match case {
            "refused" => (Endpoint::Submit, Fault::Fail { positions: vec![0] }),
            _ => (Endpoint::Authenticate, Fault::before_commit(401)),
        };
        kept.stage.emulator.push_fault(fault.on(endpoint).forever());
        kept.stage.run().expect(1);
        kept.stage.emulator.clear_faults();
        let entry = kept.entry();
        assert_eq!(entry["last_processed_month"], "2025-06", "{case}");
        assert_eq!(entry["processed_contracts"], json!({ "2025-06": ["A:2025-06", "B:2025-06"] }), "{case}");
        assert_eq!(entry["meterhost_open"], json!({ "2025-06": ["C"] }), "{case}");
        kept.stage.lose_the_ledger();
        kept.stage.usage("2025/06/20/00", "c", &[("C", "cpu", "50")]);
        kept.stage.run().expect(0);
        let all = bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3"), ("C", "cpu", "50")]);
        assert_eq!(kept.stage.billed(), all, "{case}");
        assert_eq!(kept.entry().get("meterhost_open"), None, "{case}");
    }
}

#[test]
fn a_month_of_which_something_is_held_is_not_closed_in_the_document() {
    let mut kept = Kept::new(Some(after("2025-04")));
    kept.stage.usage("2025/05/20/00", "x", &[("X", "cpu", "\"many\"")]);
    kept.stage.run().expect(1);
    // June is settled, then something of it is held; only now May is mended.
    kept.stage.usage("2025/06/20/00", "c", &[("C", "cpu", "\"many\"")]);
    kept.stage.run().expect(1);
    kept.stage.usage("2025/05/20/00", "x", &[("X", "cpu", "1")]);
    kept.stage.at("2025-07-02T02:00:00Z");
    kept.stage.run().expect(1);
    assert_eq!(kept.entry()["last_processed_month"], "2025-05");
}

#[test]
fn a_contract_that_was_open_stays_listed_while_something_of_it_is_in_doubt() {
    let document = json!({ KEY: {
        "last_processed_month": "2025-05",
        "processed_contracts": { "2025-06": ["A:2025-06"] },
        "meterhost_open": { "2025-06": ["A"] },
    } });
    let kept = Kept::new(Some(document));
    // Memory is refused, and whether cpu was billed cannot be asked.
    kept.stage.usage("2025/06/01/00", "a", &[("A", "cpu", "\"many\""), ("A", "memory", "7")]);
    kept.stage.emulator.push_fault(Fault::Fail { positions: vec![0, 1] }.on(Endpoint::Submit).forever());
    kept.stage.run().expect(1);
    assert_eq!(kept.entry()["processed_contracts"]["2025-06"], json!(["A:2025-06"]));
    assert_eq!(kept.entry()["meterhost_open"]["2025-06"], json!(["A"]));
}

#[test]
fn an_import_says_what_changed_since_and_ends_what_was_held_of_it() {
    let kept = Kept::new(Some(after("2025-06")));
    kept.stage.run().expect(0);
    // It changes, and before a run sees that, another hand is at the document.
    kept.stage.usage("2025/06/30/23", "b", &[("B", "cpu", "30")]);
    another_hand(&kept, |entry| entry["note"] = json!("looked at by hand"));
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0).says(
        "2025-06: its objects are not as they were when it was taken over, such as \
         omnistrate-metering/Postgres/PROD/pt-1/2025/06/30/23/b.json; none of that would be billed",
    );
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.submissions(), 0);
}

#[test]
fn an_import_ends_what_is_held_of_a_contract_that_was_taken_over() {
    let listed =
        json!({ KEY: { "last_processed_month": "2025-05", "processed_contracts": { "2025-06": ["A:2025-06"] } } });
    let kept = Kept::new(Some(listed));
    kept.stage.run().expect(0);
    kept.stage.usage("2025/06/15/00", "late", &[("A", "cpu", "100"), ("A", "disk", "9")]);
    kept.stage.run().expect(1).says("2 then, 102 now");
    let said = kept.stage.command("ledger import", &["--yes"], &[]);
    said.expect(0).says("cpu of A is held here, and would not be billed any more");
    kept.stage.run().expect(0);
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("B", "cpu", "3")]));
    // What changes after that is held again.
    kept.stage.usage("2025/06/16/00", "later", &[("A", "cpu", "1000")]);
    kept.stage.run().expect(1).says("2 then, 1102 now");
}

#[test]
fn a_month_that_was_closed_here_once_stays_this_ledgers() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.run().expect(0);
    // Late, and refused: June is open again.
    kept.stage.usage("2025/06/20/00", "c", &[("C", "cpu", "50")]);
    kept.stage.emulator.push_fault(Fault::Fail { positions: vec![0] }.on(Endpoint::Submit).forever());
    kept.stage.run().expect(1);
    kept.stage.emulator.clear_faults();
    another_hand(&kept, |entry| entry["note"] = json!("looked at by hand"));
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.usage("2025/06/21/00", "d", &[("D", "cpu", "6")]);
    kept.stage.run();
    kept.stage.run().expect(0);
    let all =
        bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3"), ("C", "cpu", "50"), ("D", "cpu", "6")]);
    assert_eq!(kept.stage.billed(), all);
}

#[test]
fn another_entry_of_the_same_document_is_taken_over_beside_the_own() {
    let mut document = after("2025-05");
    document["other:PROD:p"] =
        json!({ "last_processed_month": "2025-05", "processed_contracts": { "2025-06": ["B:2025-06"] } });
    let kept = Kept::new(Some(document));
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.command("ledger import", &["--key", "other:PROD:p", "--yes"], &[]).expect(0);
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7")]));
}

#[test]
fn an_import_says_which_months_nobody_bills() {
    let kept = Kept::new(None);
    kept.stage.replace("start  = \"-2 months\"", "start  = \"2025-06\"");
    kept.stage.replace("mirror = \"file://./state.json\"\n", "");
    kept.stage.run().expect(0);
    kept.write(&after("2025-03").to_string());
    let from = ["--from", "file://./state.json", "--yes"];
    kept.stage
        .command("ledger import", &from, &[])
        .expect(0)
        .says("2025-04 to 2025-05: neither closed by the exporter before");
}

#[test]
fn a_month_that_cannot_be_listed_keeps_no_other_from_being_billed_on_s3() {
    let (mut kept, proxy, store, bucket) = on_s3();
    let mut document = after("2025-05");
    document[KEY]["processed_contracts"] = json!({ "2025-06": ["A:2025-06"] });
    store.put(&bucket, "state.json", document.to_string().as_bytes());
    let july = "omnistrate-metering/Postgres/PROD/pt-1/2025/07/02/00/b.json";
    store.put(&bucket, july, br#"[{"externalPayerId": "B", "dimension": "cpu", "value": 3}]"#);
    kept.stage.at("2025-08-01T02:00:00Z");
    let june = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/";
    proxy.push_fault(s3_proxy::Fault::on(Kind::List, Act::access_denied()).prefix(june).always());
    run_on_s3(&kept, &proxy).expect(1).says("2025-06");
    let quantities =
        |kept: &Kept| kept.stage.emulator.books().into_iter().map(|record| record.quantity).collect::<Vec<_>>();
    assert_eq!(quantities(&kept), ["3"], "July is billed");
    proxy.clear_faults();
    run_on_s3(&kept, &proxy).expect(0);
    assert_eq!(quantities(&kept), ["3"], "and what A owes for June counts as billed, as it was at the first look");
}
