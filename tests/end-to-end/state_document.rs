//! The state document of the exporter that was there before: where a pipeline begins, what is never billed again, and that the old
//! exporter, were it to take over again, would bill too little and never twice.

use clazar_emulator::{Endpoint, Fault};
use s3_proxy::{Act, Kind, Moto, Proxy, Store};
use serde_json::{Value, json};

use crate::guard::billed;
use crate::support::{Ended, Stage, bill};

pub const KEY: &str = "postgres-prod";

/// A stage with usage of June, by A and B, and a document.
pub struct Kept {
    pub stage: Stage,
}

impl Kept {
    pub fn new(document: Option<Value>) -> Kept {
        Kept::on(Stage::new(), document)
    }

    fn on(stage: Stage, document: Option<Value>) -> Kept {
        stage.replace("grace  = \"30m\"", "grace  = \"30m\"\nmirror = \"file://./state.json\"");
        stage.replace("start  = \"2025-06\"", "start  = \"-2 months\"");
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("A", "memory", "7")]);
        stage.usage("2025/06/30/23", "b", &[("B", "cpu", "3")]);
        let kept = Kept { stage };
        if let Some(document) = document {
            kept.write(&document.to_string());
        }
        kept
    }

    pub fn write(&self, text: &str) {
        let path = self.stage.path("state.json");
        let _ = std::fs::remove_file(&path);
        std::fs::write(path, text).unwrap();
    }

    pub fn text(&self) -> String {
        std::fs::read_to_string(self.stage.path("state.json")).unwrap_or_default()
    }

    /// What the document says of the pipeline, but for the time.
    pub fn entry(&self) -> Value {
        let mut document: Value = serde_json::from_str(&self.text()).unwrap();
        let mut entry = document[KEY].take();
        entry.as_object_mut().unwrap().remove("last_updated");
        entry
    }

    /// Asserts that a run touches neither the service nor the document, and stops with exit 4.
    #[track_caller]
    pub fn refuses(&self, says: &str) -> Ended {
        self.refuses_with(4, says)
    }

    #[track_caller]
    pub fn refuses_with(&self, exit: i32, says: &str) -> Ended {
        let (before, requests) = (self.text(), self.stage.emulator.requests().len());
        let ended = self.stage.run();
        ended.expect(exit).says(says);
        assert_eq!(self.text(), before);
        assert_eq!(self.stage.emulator.requests().len(), requests);
        ended
    }
}

pub fn after(month: &str) -> Value {
    json!({ KEY: { "last_processed_month": month, "last_updated": "2025-06-01T02:00:00Z" }, "other": { "x": 1 } })
}

#[test]
fn a_new_document_says_what_the_old_exporter_would_have_said() {
    let kept = Kept::new(None);
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3")]));
    let expected =
        json!({ "last_processed_month": "2025-06", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
    assert_eq!(kept.entry(), expected);
    let text = kept.text();
    kept.stage.run().expect(0);
    assert_eq!(kept.text(), text, "a run that changes nothing writes nothing");
}

#[test]
fn a_run_goes_on_where_the_old_exporter_stopped_whatever_start_says() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.replace("start  = \"-2 months\"", "start  = \"2025-01\"");
    kept.stage.usage("2025/05/01/00", "a", &[("A", "cpu", "100")]);
    kept.stage.run().expect(0).says("the months up to 2025-05 as billed");
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3")]));
    let document: Value = serde_json::from_str(&kept.text()).unwrap();
    assert_eq!(document["other"], json!({ "x": 1 }), "what is another service's stays");
    let refused = kept.stage.command("run", &["--window", "2025-05"], &[]);
    refused.expect(2).says("lies before the pipeline's first window");
}

#[test]
fn a_contract_that_is_listed_is_not_billed_and_its_month_is_closed() {
    let listed =
        json!({ KEY: { "last_processed_month": "2025-05", "processed_contracts": { "2025-06": ["A:2025-06"] } } });
    let kept = Kept::new(Some(listed));
    let planned = kept.stage.command("plan", &["--json"], &[]).expect(0).json();
    let states: Vec<(&str, &str)> = planned["windows"][0]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["customer"].as_str().unwrap(), line["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("A", "billed-before"), ("A", "billed-before"), ("B", "would-bill")]);
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("B", "cpu", "3")]));
    let expected =
        json!({ "last_processed_month": "2025-06", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
    assert_eq!(kept.entry(), expected);
    // What comes later of a contract that was taken over is held: how much of it was billed nobody knows.
    kept.stage.usage("2025/06/15/00", "late", &[("A", "cpu", "1"), ("A", "disk", "1")]);
    let ended = kept.stage.run();
    ended
        .expect(1)
        .says("cpu of A is held")
        .says("2 then, 3 now")
        .says("disk of A is held: this customer was taken over as billed, and the objects of the window are not as they were then");
    assert_eq!(kept.stage.billed(), bill(&[("B", "cpu", "3")]));
}

#[test]
fn a_month_that_is_taken_over_is_never_billed_and_what_changes_in_it_is_held() {
    let mut kept = Kept::new(Some(after("2025-06")));
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.submissions(), 0);
    kept.stage.at("2025-07-15T00:00:00Z");
    kept.stage.usage("2025/06/30/23", "b", &[("B", "cpu", "30")]);
    let ended = kept.stage.run();
    ended
        .expect(1)
        .says("taken over as billed, and one of its objects is not as it was then")
        .says("2025/06/30/23/b.json");
    assert_eq!(kept.stage.submissions(), 0);
    kept.stage.run().expect(1);
    // The difference was seen to by hand.
    kept.stage.command("ledger import", &[], &[]).expect(2).says("say --yes");
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0).says("the months up to 2025-06 as billed");
    kept.stage.run().expect(0);
    // The next month is billed, and nothing of June.
    kept.stage.usage("2025/07/01/00", "a", &[("A", "cpu", "5")]);
    kept.stage.at("2025-08-01T02:00:00Z");
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "5")]));
    assert_eq!(kept.entry()["last_processed_month"], "2025-07");
}

#[test]
fn a_document_that_makes_no_sense_or_cannot_be_read_stops_everything() {
    let kept = Kept::new(None);
    for (text, says) in [
        ("{", "makes no sense"),
        (r#"{"postgres-prod": {"last_processed_month": "garbage"}}"#, "last_processed_month is \"garbage\""),
        (r#"{"postgres-prod": []}"#, "no object"),
    ] {
        kept.write(text);
        kept.refuses(says);
        kept.stage.plan().expect(4).says(says);
    }
    // A link that leads out of its folder is nothing that could be read.
    std::fs::remove_file(kept.stage.path("state.json")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", kept.stage.path("state.json")).unwrap();
    kept.stage.run().expect(4).says("cannot be read");
    assert_eq!(kept.stage.emulator.requests().len(), 0);
}

#[test]
fn a_check_reads_the_document() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.command("check", &[], &[]).expect(0).says("to be taken over from").says("the months up to 2025-05");
    kept.stage.run().expect(0);
    let checked = kept.stage.command("check", &[], &[]);
    assert!(!checked.expect(0).stdout.contains("taken over"), "{}", checked.stdout);
    kept.write("{");
    kept.stage.command("check", &[], &[]).expect(4).says("makes no sense").says("not ready to run");
    kept.stage.command("check", &["--offline"], &[]).expect(0);
}

#[test]
fn what_another_hand_changed_is_not_overwritten() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.run().expect(0);
    let ours = kept.text();
    kept.write(&after("2025-05").to_string());
    kept.refuses("is not as this pipeline left it: somebody else changed it");
    kept.write(r#"{"other": 1}"#);
    kept.refuses("it is gone");
    // Only its spaces were changed: that is what another service's write does to it.
    let document: Value = serde_json::from_str(&ours).unwrap();
    kept.write(&document.to_string());
    kept.stage.run().expect(0);
}

#[test]
fn an_exporter_that_took_over_in_between_is_followed_by_an_import() {
    let mut kept = Kept::new(Some(after("2025-05")));
    kept.stage.run().expect(0);
    let submissions = kept.stage.submissions();
    kept.stage.usage("2025/07/01/00", "a", &[("A", "cpu", "5")]);
    kept.stage.usage("2025/08/01/00", "a", &[("A", "cpu", "6")]);
    kept.stage.at("2025-09-01T02:00:00Z");
    let mut document: Value = serde_json::from_str(&kept.text()).unwrap();
    document[KEY]["last_processed_month"] = json!("2025-07");
    document[KEY]["processed_contracts"]["2025-07"] = json!(["A:2025-07"]);
    kept.write(&document.to_string());
    kept.refuses("`meterhost ledger import FILE` takes over");
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.submissions(), submissions + 1);
    let august: Vec<String> = kept.stage.emulator.books().into_iter().map(|record| record.quantity).collect();
    assert!(august.contains(&"6".to_owned()) && !august.contains(&"5".to_owned()), "{august:?}");
    assert_eq!(kept.entry()["last_processed_month"], "2025-08");
}

#[test]
fn a_ledger_that_began_without_the_document_does_not_guess() {
    let kept = Kept::new(None);
    kept.stage.replace("mirror = \"file://./state.json\"\n", "");
    kept.stage.run().expect(0);
    kept.stage.replace("grace  = \"30m\"", "grace  = \"30m\"\nmirror = \"file://./state.json\"");
    kept.write(&after("2025-05").to_string());
    kept.refuses("which has begun without it");
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    kept.stage.run().expect(0);
    assert_eq!(kept.entry()["last_processed_month"], "2025-06");
    assert_eq!(kept.stage.submissions(), 1);
}

#[test]
fn a_contract_is_listed_before_its_first_byte_leaves_and_after_the_authentication() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.emulator.push_fault(Fault::before_commit(401).on(Endpoint::Authenticate).forever());
    kept.stage.run().expect(1);
    assert_eq!(kept.entry(), json!({ "last_processed_month": "2025-05" }), "nothing could leave");
    kept.stage.emulator.clear_faults();
    kept.stage.command("run", &[], &[("METERHOST_FAILPOINT", "submit")]).expect(-1);
    let listed = json!({
        "last_processed_month": "2025-05",
        "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] },
        "meterhost_open": { "2025-06": ["A", "B"] },
    });
    assert_eq!(kept.entry(), listed);
    assert_eq!(kept.stage.submissions(), 0);
}

#[test]
fn what_was_about_to_leave_when_the_ledger_was_lost_is_looked_up_and_billed_once() {
    for failpoint in ["mirrored", "submit", "submitted"] {
        let kept = Kept::new(Some(after("2025-05")));
        kept.stage.command("run", &[], &[("METERHOST_FAILPOINT", failpoint)]).expect(-1);
        kept.stage.lose_the_ledger();
        let ended = kept.stage.run();
        ended.expect(0).says("2 contracts is looked up first");
        assert_eq!(
            kept.stage.billed(),
            bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3")]),
            "{failpoint}"
        );
        assert_eq!(kept.stage.submissions(), 1, "{failpoint}");
        let expected = json!({ "last_processed_month": "2025-06", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
        assert_eq!(kept.entry(), expected, "{failpoint}");
    }
}

#[test]
fn a_crash_around_each_write_of_the_document_bills_once() {
    for failpoint in ["mirror", "mirrored", "kept:outcomes", "mirror#2", "mirrored#2"] {
        let kept = Kept::new(Some(after("2025-05")));
        kept.stage.command("run", &[], &[("METERHOST_FAILPOINT", failpoint)]).expect(-1);
        kept.stage.run().expect(0);
        assert_eq!(
            kept.stage.billed(),
            bill(&[("A", "cpu", "2"), ("A", "memory", "7"), ("B", "cpu", "3")]),
            "{failpoint}"
        );
        let expected = json!({ "last_processed_month": "2025-06", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
        assert_eq!(kept.entry(), expected, "{failpoint}");
    }
}

#[test]
fn a_contract_comes_off_the_list_only_when_all_that_it_owes_was_refused() {
    let kept = Kept::new(Some(after("2025-05")));
    // A's first record is refused, its second is billed; B's only one is refused.
    kept.stage.emulator.push_fault(Fault::Fail { positions: vec![0, 2] }.on(Endpoint::Submit).forever());
    kept.stage.run().expect(1);
    let listed = json!({
        "last_processed_month": "2025-05",
        "processed_contracts": { "2025-06": ["A:2025-06"] },
        "meterhost_open": { "2025-06": ["A"] },
    });
    assert_eq!(kept.entry(), listed);
    kept.stage.emulator.clear_faults();
    kept.stage.run().expect(0);
    let expected =
        json!({ "last_processed_month": "2025-06", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
    assert_eq!(kept.entry(), expected);
}

#[test]
fn what_is_unknown_stays_listed() {
    let kept = Kept::new(Some(after("2025-05")));
    kept.stage.emulator.push_fault(Fault::drop_after_commit().on(Endpoint::Submit).forever());
    kept.stage.emulator.push_fault(Fault::before_commit(500).on(Endpoint::List).forever());
    kept.stage.replace("retry_budget = \"5s\"", "retry_budget = \"1s\"");
    kept.stage.run().expect(1);
    assert_eq!(kept.entry()["meterhost_open"], json!({ "2025-06": ["A", "B"] }));
    assert_eq!(kept.entry()["last_processed_month"], "2025-05");
}

#[test]
fn months_close_in_their_order() {
    let mut kept = Kept::new(Some(after("2025-05")));
    kept.stage.usage("2025/07/01/00", "a", &[("A", "cpu", "5")]);
    // June has a record that cannot be used; July has none.
    kept.stage.usage("2025/06/02/00", "bad", &[("C", "cpu", "\"many\"")]);
    kept.stage.at("2025-08-01T02:00:00Z");
    kept.stage.run().expect(1);
    assert_eq!(kept.entry()["last_processed_month"], "2025-05", "June is open");
    assert_eq!(kept.entry()["processed_contracts"]["2025-07"], json!(["A:2025-07"]));
    kept.stage.usage("2025/06/02/00", "bad", &[("C", "cpu", "1")]);
    kept.stage.run().expect(0);
    assert_eq!(kept.entry()["last_processed_month"], "2025-07");
}

#[test]
fn a_dry_run_changes_no_byte() {
    let kept = Kept::new(Some(after("2025-05")));
    let before = kept.text();
    kept.stage.plan().expect(0);
    assert_eq!(kept.text(), before);
    kept.stage.touched_nothing();
}

#[test]
fn a_document_that_cannot_be_written_keeps_everything_from_leaving() {
    let kept = Kept::new(None);
    // A name in a folder that is a file cannot be written, and is not there to be read.
    kept.stage.replace("file://./state.json", "file://./pipeline.toml/state.json");
    let ended = kept.stage.run();
    ended.expect(4);
    assert_eq!(kept.stage.submissions(), 0);
}

#[test]
fn an_import_by_hand_reads_another_document() {
    let kept = Kept::new(None);
    kept.stage.replace("mirror = \"file://./state.json\"\n", "");
    kept.write(r#"{"last_processed_month": "2025-05", "success_contracts": {"2025-06": ["A"]}}"#);
    kept.stage.command("ledger import", &["--yes"], &[]).expect(2).says("--from URL");
    let from = ["--from", "file://./state.json", "--yes"];
    kept.stage.command("ledger import", &from, &[]).expect(4).says("form = \"single\"");
    let from = ["--from", "file://./state.json", "--single", "--yes"];
    kept.stage.command("ledger import", &from, &[]).expect(0);
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("B", "cpu", "3")]));
}

#[test]
fn a_mirror_needs_months_and_one_sink() {
    let kept = Kept::new(None);
    kept.stage.replace("window = \"month\"", "window = \"day\"");
    kept.stage.run().expect(2).says("`mirror` belongs to a pipeline whose windows are months");
    kept.stage.replace("window = \"day\"", "window = \"month\"");
    kept.stage.replace("\"file://./state.json\"", "{ url = \"file://./state.json\", sink = \"clazr\" }");
    kept.stage.run().expect(2).says("there is no sink").says("clazar");
    kept.stage.replace("\"file://./state.json\", sink = \"clazr\"", "\"http://x/state.json\"");
    kept.stage.run().expect(2).says("the URL of an object or file");
}

#[test]
fn what_may_have_been_billed_is_looked_up_though_its_month_was_closed() {
    let document = json!({ KEY: {
        "last_processed_month": "2025-06",
        "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] },
        "meterhost_open": { "2025-06": ["A"] },
    } });
    let kept = Kept::new(Some(document));
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2"), ("A", "memory", "7")]), "B counts as billed");
    let lists = kept.stage.emulator.requests().iter().position(|request| request.method == "GET").unwrap();
    let submits = kept
        .stage
        .emulator
        .requests()
        .iter()
        .position(|request| request.path == "/metering/" && request.method == "POST");
    assert!(Some(lists) < submits, "A is looked up before it is sent");
    let expected =
        json!({ "last_processed_month": "2025-06", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
    assert_eq!(kept.entry(), expected);
    let submissions = kept.stage.submissions();
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.submissions(), submissions);
}

#[test]
fn a_month_that_another_closed_while_it_was_open_here_is_not_billed_to_those_who_are_left() {
    let kept = Kept::new(Some(after("2025-05")));
    // A is billed; C's record cannot be used, so that June stays open.
    kept.stage.usage("2025/06/02/00", "c", &[("C", "cpu", "\"many\"")]);
    kept.stage.run().expect(1);
    // The old exporter takes over, and closes June.
    let mut document: Value = serde_json::from_str(&kept.text()).unwrap();
    document[KEY]["last_processed_month"] = json!("2025-06");
    kept.write(&document.to_string());
    kept.stage.command("ledger import", &["--yes"], &[]).expect(0);
    // What is mended only now nobody billed, and how much of it nobody here knows.
    kept.stage.usage("2025/06/02/00", "c", &[("C", "cpu", "9")]);
    let submissions = kept.stage.submissions();
    kept.stage
        .run()
        .expect(1)
        .says("cpu of C is held: this customer was taken over as billed, and the objects of the window are not");
    kept.stage
        .command("ledger import", &["--yes"], &[])
        .expect(0)
        .says("2025-06: cpu of C is held here, and would not be billed any more");
    kept.stage.run().expect(0);
    assert_eq!(kept.stage.submissions(), submissions);
}

/// A pipeline whose usage and document lie in a bucket, behind a proxy.
pub fn on_s3() -> (Kept, Proxy, Store, String) {
    let kept = Kept::on(Stage::on_a_file(), None);
    let store: Store = **Moto::shared();
    let bucket = store.bucket();
    let key = |hour: &str| format!("omnistrate-metering/Postgres/PROD/pt-1/2025/06/{hour}/a.json");
    store.put(&bucket, &key("01/00"), br#"[{"externalPayerId": "A", "dimension": "cpu", "value": 2}]"#);
    store.put(&bucket, "state.json", after("2025-05").to_string().as_bytes());
    kept.stage.replace("file://./state.json", &format!("s3://{bucket}/state.json"));
    kept.stage.replace("file://./bucket", &format!("s3://{bucket}"));
    let proxy = Proxy::start(&store);
    (kept, proxy, store, bucket)
}

pub fn run_on_s3(kept: &Kept, proxy: &Proxy) -> Ended {
    command_on_s3(kept, proxy, "run", &[])
}

pub fn command_on_s3(kept: &Kept, proxy: &Proxy, command: &str, arguments: &[&str]) -> Ended {
    let url = proxy.url();
    let aws = [
        ("AWS_ENDPOINT_URL_S3", url.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    kept.stage.command(command, arguments, &aws)
}

pub fn document_on_s3(store: &Store, bucket: &str) -> Value {
    serde_json::from_slice(&store.get(bucket, "state.json").unwrap()).unwrap()
}

#[test]
fn what_another_service_writes_in_between_is_merged_on_s3() {
    let (kept, proxy, store, bucket) = on_s3();
    let mut theirs = after("2025-05");
    theirs["Other:PROD:p"] = json!({ "last_processed_month": "2025-06" });
    // Right before the first write, whose precondition fails by that.
    proxy.push_fault(s3_proxy::Fault::on(Kind::Put, Act::Overwrite(theirs.to_string().into_bytes())).times(1));
    run_on_s3(&kept, &proxy).expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2")]));
    let document = document_on_s3(&store, &bucket);
    assert_eq!(document["Other:PROD:p"], json!({ "last_processed_month": "2025-06" }));
    assert_eq!(document[KEY]["last_processed_month"], "2025-06");
}

#[test]
fn what_another_hand_makes_of_our_entry_in_between_stops_the_run_on_s3() {
    let (kept, proxy, store, bucket) = on_s3();
    let mut theirs = after("2025-05");
    theirs[KEY]["processed_contracts"] = json!({ "2025-06": ["A:2025-06"] });
    proxy.push_fault(s3_proxy::Fault::on(Kind::Put, Act::Overwrite(theirs.to_string().into_bytes())).times(1));
    run_on_s3(&kept, &proxy).expect(4).says("somebody else changed it");
    assert_eq!(kept.stage.submissions(), 0);
    assert_eq!(document_on_s3(&store, &bucket), theirs);
}

#[test]
fn a_write_whose_answer_is_lost_is_read_again_on_s3() {
    let (kept, proxy, store, bucket) = on_s3();
    proxy.push_fault(s3_proxy::Fault::on(Kind::Put, Act::DropAnswer).times(1));
    run_on_s3(&kept, &proxy).expect(0);
    assert_eq!(kept.stage.billed(), bill(&[("A", "cpu", "2")]));
    assert_eq!(document_on_s3(&store, &bucket)[KEY]["last_processed_month"], "2025-06");
}

/// June is billed and closed, and what was found late of A waits for July, in which A has no usage.
fn with_late_usage() -> Kept {
    let mut kept = Kept::new(Some(after("2025-05")));
    kept.stage.replace("[sink.clazar]", "[sink.clazar]\nlate = \"carry\"");
    kept.stage.run().expect(0);
    let before = kept.text();
    kept.stage.usage("2025/06/02/00", "late", &[("A", "cpu", "4")]);
    kept.stage.run().expect(0).says("4 more was found late: to be billed with 2025-07");
    assert_eq!(kept.text(), before, "of what waits the document says nothing");
    kept.stage.usage("2025/07/02/00", "b", &[("B", "cpu", "1")]);
    kept.stage.at("2025-08-01T02:00:00Z");
    kept
}

/// The document with July's contracts.
fn closed(last: &str, july: &Value) -> Value {
    json!({ "last_processed_month": last, "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"], "2025-07": july } })
}

#[test]
fn a_month_that_takes_late_usage_lists_its_contract_before_that_leaves() {
    let kept = with_late_usage();
    kept.stage.command("run", &[], &[("METERHOST_FAILPOINT", "submit")]).expect(-1);
    let mut listed = closed("2025-06", &json!(["A:2025-07", "B:2025-07"]));
    listed["meterhost_open"] = json!({ "2025-07": ["A", "B"] });
    assert_eq!(kept.entry(), listed);
    kept.stage.run().expect(0);
    assert_eq!(kept.entry(), closed("2025-07", &json!(["A:2025-07", "B:2025-07"])));
    assert_eq!(billed(&kept.stage, "2025-07"), bill(&[("A", "cpu", "4"), ("B", "cpu", "1")]));
}

#[test]
fn a_month_that_holds_something_is_not_closed_by_what_it_takes() {
    let kept = with_late_usage();
    kept.stage.usage("2025/07/03/00", "c", &[("C", "cpu", "\"many\"")]);
    kept.stage.run().expect(1);
    assert_eq!(kept.entry(), closed("2025-06", &json!(["A:2025-07", "B:2025-07"])));
    kept.stage.usage("2025/07/03/00", "c", &[("C", "cpu", "1")]);
    kept.stage.run().expect(0);
    assert_eq!(kept.entry(), closed("2025-07", &json!(["A:2025-07", "B:2025-07", "C:2025-07"])));
    assert_eq!(billed(&kept.stage, "2025-07"), bill(&[("A", "cpu", "4"), ("B", "cpu", "1"), ("C", "cpu", "1")]));
}

#[test]
fn late_usage_that_is_held_keeps_a_month_from_being_closed() {
    let mut kept = Kept::new(Some(after("2025-05")));
    kept.stage.replace("[sink.clazar]", "[sink.clazar]\nlate = \"carry\"");
    // June stays open, since a record of it cannot be used.
    kept.stage.usage("2025/06/02/00", "c", &[("C", "cpu", "\"many\"")]);
    kept.stage.run().expect(1);
    let open =
        json!({ "last_processed_month": "2025-05", "processed_contracts": { "2025-06": ["A:2025-06", "B:2025-06"] } });
    assert_eq!(kept.entry(), open);
    // C is left out, and B's usage became less.
    kept.stage.usage("2025/06/02/00", "c", &[]);
    kept.stage.usage("2025/06/30/23", "b", &[("B", "cpu", "2")]);
    kept.stage.usage("2025/06/03/00", "late", &[("A", "cpu", "4")]);
    kept.stage.at("2025-08-01T02:00:00Z");
    kept.stage.run().expect(1).says("a difference of -1");
    let mut held = closed("2025-05", &json!(["A:2025-07"]));
    held["meterhost_open"] = json!({ "2025-06": ["B"] });
    assert_eq!(kept.entry(), held, "A's late usage is billed with July all the same");
    kept.stage.command("ledger resolve", &["waive", "--customer", "B", "--reason", "so", "--yes"], &[]).expect(0);
    kept.stage.run().expect(0);
    assert_eq!(kept.entry(), closed("2025-07", &json!(["A:2025-07"])));
}

#[test]
fn what_was_carried_is_not_billed_again_when_the_ledger_is_lost() {
    for (failpoint, has_left) in [("mirror", false), ("submit", false), ("submitted", true), ("closing", true)] {
        let kept = with_late_usage();
        kept.stage.command("run", &[], &[("METERHOST_FAILPOINT", failpoint)]).expect(-1);
        kept.stage.lose_the_ledger();
        let ended = kept.stage.run();
        ended.expect(0);
        if failpoint.starts_with("submit") {
            ended.says("2025-07: the state document says that A may have been billed, and there is no usage of that");
        }
        kept.stage.run().expect(0);
        // June counts as closed: what was still to be carried of it only the ledger knew.
        let late: &[_] = if has_left { &[("A", "cpu", "4"), ("B", "cpu", "1")] } else { &[("B", "cpu", "1")] };
        assert_eq!(billed(&kept.stage, "2025-07"), bill(late), "{failpoint}");
        assert_eq!(kept.stage.emulator.resent(), [], "{failpoint}");
    }
}
