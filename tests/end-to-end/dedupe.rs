//! `dedupe = "id"`: a record that was written twice is billed once, and one id for two different records is nobody's guess.

use crate::support::{Stage, bill};

/// A stage whose records have ids.
fn stage(dedupe: bool) -> Stage {
    let stage = Stage::new();
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
    // In another month it is another window's.
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
