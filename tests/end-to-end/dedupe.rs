//! `dedupe = "id"`: a record that was written twice is billed once, and one id for two different records is nobody's guess.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Backend, Ended, Stage, bill, ended, settings, through};

/// A stage whose records have ids.
fn stage(dedupe: bool) -> Stage {
    with_ids(Stage::new(), dedupe)
}

/// The same, with a ledger of this kind.
fn stage_on(ledger: Backend) -> Stage {
    with_ids(Stage::on(ledger, settings()), true)
}

fn with_ids(stage: Stage, dedupe: bool) -> Stage {
    stage.replace(
        "quantity = \"/value\" }",
        "quantity = \"/value\", id = \"/id\" }\nconfig.attributes = { host = \"/host\" }",
    );
    if dedupe {
        stage.replace("[source]", "[source]\ndedupe = \"id\"");
    }
    stage
}

fn record(id: &str, customer: &str, dimension: &str, value: u64) -> String {
    format!(r#"{{"id":"{id}","externalPayerId":"{customer}","dimension":"{dimension}","value":{value}}}"#)
}

fn write(stage: &Stage, hour: &str, name: &str, records: &[String]) {
    stage.object(
        &format!("omnistrate-metering/Postgres/PROD/pt-1/{hour}/{name}.json"),
        &format!("[{}]", records.join(",")),
    );
}

#[test]
fn a_record_that_was_written_twice_is_billed_once() {
    let stage = stage(true);
    let one = record("1", "A", "cpu", 2);
    write(&stage, "2025/06/01/00", "a", &[one.clone(), record("2", "A", "cpu", 3), one.clone()]);
    // Again in another object, and under its id for another dimension.
    write(&stage, "2025/06/01/00", "b", &[one, record("1", "A", "memory", 9), record("1", "B", "disk", 1)]);
    let plan = stage.command("plan", &["--json"], &[]);
    let records = &plan.expect(0).json()["windows"][0]["records"];
    assert_eq!((&records["read"], &records["billed"], &records["duplicate"]), (&6.into(), &4.into(), &2.into()));
    stage.run().expect(0).says("read 6 = billed 4 + duplicate 2");
    stage.bills_once(&[("A", "cpu", "5"), ("A", "memory", "9"), ("B", "disk", "1")]);
}

#[test]
fn without_it_each_record_is_another() {
    let stage = stage(false);
    let one = record("1", "A", "cpu", 2);
    write(&stage, "2025/06/01/00", "a", &[one.clone(), one]);
    stage.bills_once(&[("A", "cpu", "4")]);
}

#[test]
fn one_id_for_two_records_holds_both_their_customers_and_nobody_else() {
    let stage = stage(true);
    write(
        &stage,
        "2025/06/01/00",
        "a",
        &[record("1", "A", "cpu", 2), record("2", "A", "memory", 3), record("3", "C", "cpu", 4)],
    );
    write(&stage, "2025/06/01/00", "b", &[record("1", "B", "cpu", 2), record("4", "B", "memory", 5)]);
    let said = "records under the id `1` differ: which is right nobody can tell";
    stage
        .run()
        .expect(1)
        .says(&format!("what A owes for cpu is held: {said}"))
        .says(&format!("what B owes for cpu is held: {said}"))
        .says("read 5 = billed 3 + held 2");
    assert_eq!(stage.billed(), bill(&[("A", "memory", "3"), ("B", "memory", "5"), ("C", "cpu", "4")]));
    write(&stage, "2025/06/01/00", "b", &[record("4", "B", "memory", 5)]);
    stage.bills_once(&[("A", "cpu", "2"), ("A", "memory", "3"), ("B", "memory", "5"), ("C", "cpu", "4")]);
}

#[test]
fn a_copy_in_another_hour_is_no_copy() {
    // The hour of the path is the time of the record, and time is part of what a record says.
    let stage = stage(true);
    write(&stage, "2025/06/01/00", "a", &[record("1", "A", "cpu", 2)]);
    write(&stage, "2025/06/01/01", "a", &[record("1", "A", "cpu", 2)]);
    stage.run().expect(1).says("conflict").says("what A owes for cpu is held");
    assert_eq!(stage.submissions(), 0);
    // Of July nothing is due yet.
    std::fs::remove_file(stage.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/01/a.json")).unwrap();
    write(&stage, "2025/07/01/00", "a", &[record("1", "A", "cpu", 2)]);
    stage.bills_once(&[("A", "cpu", "2")]);
}

#[test]
fn a_record_without_an_id_is_quarantined_and_holds_its_charge() {
    let stage = stage(true);
    let unnamed = r#"{"externalPayerId":"A","dimension":"cpu","value":7}"#.to_owned();
    write(
        &stage,
        "2025/06/01/00",
        "a",
        &[record("1", "A", "cpu", 2), unnamed.clone(), unnamed, record("2", "B", "cpu", 3)],
    );
    stage
        .run()
        .expect(1)
        .says("what A owes for cpu is held: it has no id, so that nobody can tell whether it was read before")
        .says("read 4 = billed 1 + held 1 + quarantined 2");
    assert_eq!(stage.billed(), bill(&[("B", "cpu", "3")]));
    write(&stage, "2025/06/01/00", "a", &[record("1", "A", "cpu", 2), record("2", "B", "cpu", 3)]);
    stage.bills_once(&[("A", "cpu", "2"), ("B", "cpu", "3")]);
}

/// June with two ids, billed; and when July is over.
fn june(ledger: Backend) -> Stage {
    let mut stage = stage_on(ledger);
    write(&stage, "2025/06/01/00", "a", &[record("1", "A", "cpu", 2), record("2", "B", "cpu", 3)]);
    stage.bills_once(&[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage.at("2025-08-01T02:00:00Z");
    stage
}

/// What lies beside the ledger.
fn segments(stage: &Stage) -> Vec<String> {
    match &stage.ledger {
        Backend::Sqlite => {
            let entries = std::fs::read_dir(folder(stage)).into_iter().flatten();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
        Backend::S3(bucket) => {
            bucket.store.keys(&bucket.name).into_iter().filter(|key| key.contains("/ids/")).collect()
        }
    }
}

fn folder(stage: &Stage) -> PathBuf {
    stage.path("postgres-prod.ledger.db.ids")
}

/// What was read twice, of each window.
fn duplicates(run: &Ended) -> Vec<u64> {
    let windows = run.json()["windows"].take();
    windows.as_array().unwrap().iter().map(|window| window["records"]["duplicate"].as_u64().unwrap()).collect()
}

#[test]
fn an_id_that_was_billed_before_holds_the_copy_and_nobody_else() {
    for ledger in Backend::both() {
        let stage = june(ledger);
        // The copy says another time, since it lies in another hour; whom it is for makes no difference.
        write(&stage, "2025/07/01/00", "a", &[record("1", "C", "cpu", 2), record("3", "C", "cpu", 5)]);
        write(&stage, "2025/07/01/00", "b", &[record("4", "D", "cpu", 7), record("1", "E", "memory", 1)]);
        let said = "what C owes for cpu is held: the id `1` was billed in 2025-06 already, and the records differ";
        stage.plan().expect(1).says(said);
        assert_eq!(segments(&stage).len(), 1, "a plan writes nothing");
        for _ in 0..2 {
            stage.run().expect(1).says(said).says("conflict");
            let billed = bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("D", "cpu", "7"), ("E", "memory", "1")]);
            assert_eq!(stage.billed(), billed);
        }
        // What is held was not billed: its ids count nowhere yet.
        write(&stage, "2025/07/01/00", "a", &[record("3", "C", "cpu", 5)]);
        stage.run().expect(0);
        assert_eq!(stage.billed().get(&("C".to_owned(), "cpu".to_owned())).unwrap(), "5");
        stage.command("ledger verify", &[], &[]).expect(0);
        assert_eq!(segments(&stage).len(), 3);
    }
}

#[test]
fn a_window_that_is_read_again_loses_nothing_to_its_own_ids() {
    for ledger in Backend::both() {
        let stage = stage_on(ledger);
        let unnamed = r#"{"externalPayerId":"B","dimension":"cpu","value":7}"#.to_owned();
        write(&stage, "2025/06/01/00", "a", &[record("1", "A", "cpu", 2), record("2", "B", "cpu", 3)]);
        write(&stage, "2025/06/01/00", "b", &[unnamed]);
        // Open.
        stage.run().expect(1);
        let again = stage.command("run", &["--json"], &[]);
        assert_eq!(duplicates(again.expect(1)), [0]);
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]));
        write(&stage, "2025/06/01/00", "b", &[record("5", "B", "cpu", 7)]);
        stage.bills_once(&[("A", "cpu", "2"), ("B", "cpu", "10")]);
        // Settled: another object came, and a copy in it is one.
        write(&stage, "2025/06/01/00", "c", &[record("6", "C", "cpu", 1), record("1", "A", "cpu", 2)]);
        let late = stage.command("run", &["--json"], &[]);
        assert_eq!(duplicates(late.expect(0)), [1]);
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "10"), ("C", "cpu", "1")]));
        assert_eq!(segments(&stage).len(), 3, "an id is written once");
    }
}

#[test]
fn what_is_billed_stays_so_though_its_window_is_read_again_beside_a_copy_of_it() {
    let stage = june(Backend::Sqlite);
    stage.replace("[source]", "[source]\nlook_back = \"100d\"");
    // June is read again, since an object of it is new; July has a copy of what June was billed.
    write(&stage, "2025/06/02/00", "b", &[record("9", "F", "cpu", 4)]);
    write(&stage, "2025/07/01/00", "a", &[record("1", "C", "cpu", 2), record("4", "D", "cpu", 7)]);
    let run = stage.run();
    run.expect(1).says("what C owes for cpu is held: the id `1` was billed in 2025-06 already");
    assert!(!run.stdout.contains("what A owes") && !run.stderr.contains("what A owes"), "{run:?}");
    let billed = bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("D", "cpu", "7"), ("F", "cpu", "4")]);
    assert_eq!(stage.billed(), billed);
}

#[test]
fn one_id_in_two_windows_of_one_run_holds_both_though_they_are_read_one_after_the_other() {
    let mut stage = stage(true);
    stage.at("2025-07-11T02:00:00Z");
    stage.replace("window = \"month\"", "window = \"day\"");
    stage.replace("start  = \"2025-06\"", "start  = \"2025-06-01\"");
    // Forty days are read in two openings.
    write(&stage, "2025/06/01/00", "a", &[record("1", "A", "cpu", 2), record("2", "B", "cpu", 3)]);
    write(&stage, "2025/07/10/00", "a", &[record("1", "C", "cpu", 2), record("4", "D", "cpu", 7)]);
    stage
        .run()
        .expect(1)
        .says("records under the id `1` stand here and in 2025-07-10, and differ")
        .says("records under the id `1` stand here and in 2025-06-01, and differ");
    assert_eq!(stage.billed(), bill(&[("B", "cpu", "3"), ("D", "cpu", "7")]));
    write(&stage, "2025/06/01/00", "a", &[record("2", "B", "cpu", 3)]);
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("B", "cpu", "3"), ("C", "cpu", "2"), ("D", "cpu", "7")]));
}

#[test]
fn ids_that_are_missing_or_changed_stop_the_run() {
    for ledger in Backend::both() {
        let stage = june(ledger);
        write(&stage, "2025/07/01/00", "a", &[record("1", "C", "cpu", 2)]);
        let segments = segments(&stage);
        let [segment] = segments.as_slice() else { panic!("{segments:?}") };
        let put = |bytes: Option<&[u8]>| match (&stage.ledger, bytes) {
            (Backend::Sqlite, Some(bytes)) => std::fs::write(folder(&stage).join(segment), bytes).unwrap(),
            (Backend::Sqlite, None) => std::fs::remove_file(folder(&stage).join(segment)).unwrap(),
            (Backend::S3(bucket), Some(bytes)) => {
                bucket.store.put(&bucket.name, segment, bytes);
            }
            (Backend::S3(bucket), None) => {
                bucket.store.delete(&bucket.name, segment);
            }
        };
        let whole = match &stage.ledger {
            Backend::Sqlite => std::fs::read(folder(&stage).join(segment)).unwrap(),
            Backend::S3(bucket) => bucket.store.get(&bucket.name, segment).unwrap(),
        };
        let mut changed = whole.clone();
        changed[20] ^= 1;
        let sent = stage.submissions();
        for (bytes, said) in [(None, "it is missing"), (Some(changed.as_slice()), "is not what was written")] {
            put(bytes);
            stage.run().expect(4).says(said).says("ids/2025-06-");
            stage.plan().expect(4).says(said);
            stage.command("ledger verify", &[], &[]).expect(4).says("ids/2025-06-").says(said);
        }
        assert_eq!(stage.submissions(), sent);
        put(Some(&whole));
        stage.run().expect(1).says("was billed in 2025-06 already");
        stage.command("ledger verify", &[], &[]).expect(0);
    }
}

#[test]
fn a_crash_between_the_ids_and_the_charges_bills_once_and_counts_no_id_twice() {
    for ledger in Backend::both() {
        let mut stage = stage_on(ledger);
        write(&stage, "2025/06/01/00", "a", &[record("1", "A", "cpu", 2), record("2", "B", "cpu", 3)]);
        for _ in 0..2 {
            let crashed = stage.command("run", &[], &[("METERHOST_FAILPOINT", "write:freeze")]);
            assert_eq!(crashed.exit, -1, "{crashed:?}");
        }
        assert_eq!(segments(&stage).len(), 2, "nobody reads them");
        stage.bills_once(&[("A", "cpu", "2"), ("B", "cpu", "3")]);
        stage.at("2025-08-01T02:00:00Z");
        write(&stage, "2025/07/01/00", "a", &[record("1", "C", "cpu", 2), record("4", "D", "cpu", 7)]);
        stage.run().expect(1).says("the id `1` was billed in 2025-06 already");
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("D", "cpu", "7")]));
    }
}

#[test]
fn without_ids_nothing_lies_beside_the_ledger() {
    let stage = stage(false);
    write(&stage, "2025/06/01/00", "a", &[record("1", "A", "cpu", 2)]);
    stage.bills_once(&[("A", "cpu", "2")]);
    assert_eq!(segments(&stage), Vec::<String>::new());
    let stage = self::stage(true);
    write(&stage, "2025/06/01/00", "a", &[record("1", "A", "cpu", 2)]);
    stage.plan().expect(0);
    assert!(!stage.has_a_ledger() && segments(&stage).is_empty());
}

/// Ids in a file, as those of a large window are.
#[test]
fn what_does_not_fit_into_memory_is_told_apart_in_a_file_of_which_nothing_is_left() {
    let stage = stage(true);
    let ids: Vec<String> = (0..30_000).map(|id| record(&format!("id-{id}"), "A", "cpu", 1)).collect();
    write(&stage, "2025/06/01/00", "a", &ids);
    write(&stage, "2025/06/01/00", "b", &ids[10_000..20_000]);
    std::fs::create_dir(stage.path("temporary")).unwrap();
    let folder = stage.path("temporary");
    let variables = [("METERHOST_DEDUPE_MEMORY", "0"), ("TMPDIR", folder.to_str().unwrap())];
    let run = stage.command("run", &["--json"], &variables);
    assert_eq!(duplicates(run.expect(0)), [10_000]);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "30000")]));
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn a_temporary_file_without_room_bills_nothing_and_says_so() {
    let stage = stage(true);
    let ids: Vec<String> = (0..30_000).map(|id| record(&format!("id-{id}"), "A", "cpu", 1)).collect();
    write(&stage, "2025/06/01/00", "a", &ids);
    let memory = ("METERHOST_DEDUPE_MEMORY", "0");
    let missing = stage.command("run", &[], &[memory, ("TMPDIR", "/nowhere")]);
    missing.expect(1).says("temporary-file").says("name another folder with the variable TMPDIR");
    assert!(stage.billed().is_empty());
    let small = stage.path("small");
    std::fs::create_dir(&small).unwrap();
    let may = Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|output| output.status.success());
    if may {
        let mut run = stage.step("run");
        run.env(memory.0, memory.1).env("TMPDIR", &small);
        let script = "mount -t tmpfs -o size=64k none \"$0\" || exit 99; exec \"$@\"";
        let full =
            ended(through("unshare", &["-rm", "sh", "-c", script, small.to_str().unwrap()], run).output().unwrap());
        full.expect(1).says("No space left on device").says("make room in");
        assert!(stage.billed().is_empty());
    } else {
        eprintln!("skipped in part: this user may make no file system of its own");
    }
    stage.bills_once(&[("A", "cpu", "30000")]);
}
