//! Many windows in one run: each is billed by itself, and a doubt holds every one that it may lie in.

use crate::support::Stage;

/// A stage of day windows since 1 June, with usage of A, B and C on each day up to 10 July. Records say their own time.
fn days() -> Stage {
    let mut stage = Stage::new();
    stage.at("2025-07-11T02:00:00Z");
    stage.replace("window = \"month\"", "window = \"day\"");
    stage.replace("start  = \"2025-06\"", "start  = \"2025-06-01\"");
    stage.replace("{yyyy}/{mm}/{dd}/{hh}/*.json", "{yyyy}/{mm}/{dd}/*.json");
    stage.replace("time = \"path\"", "time = \"/timestamp\"");
    for day in dates() {
        write(&stage, &day, "usual", &[("A", &day), ("B", &day), ("C", &day)]);
    }
    stage
}

fn dates() -> Vec<String> {
    let june = (1..=30).map(|day| format!("2025-06-{day:02}"));
    june.chain((1..=10).map(|day| format!("2025-07-{day:02}"))).collect()
}

/// Writes an object into the folder of a day; each record is of a customer, on the day that it says itself.
fn write(stage: &Stage, folder: &str, name: &str, records: &[(&str, &str)]) {
    let records: Vec<String> = records
        .iter()
        .map(|(customer, day)| {
            format!(r#"{{"timestamp":"{day}T12:00:00Z","externalPayerId":"{customer}","dimension":"cpu","value":1}}"#)
        })
        .collect();
    let folder = folder.replace('-', "/");
    stage.object(
        &format!("omnistrate-metering/Postgres/PROD/pt-1/{folder}/{name}.json"),
        &format!("[{}]", records.join(",")),
    );
}

/// The days on which a customer was billed.
fn billed(stage: &Stage, customer: &str) -> Vec<String> {
    stage.emulator.verify_books().unwrap();
    let books = stage.emulator.books().into_iter();
    let records = books.filter(|record| record.status.name() == "success" && record.contract_id == customer);
    let mut days: Vec<String> = records.map(|record| record.start_time.to_string()[..10].to_owned()).collect();
    days.sort();
    days
}

fn all_but(days: &[&str]) -> Vec<String> {
    dates().into_iter().filter(|day| !days.contains(&day.as_str())).collect()
}

#[test]
fn a_doubt_holds_the_window_that_it_may_lie_in_though_another_reading_has_that() {
    let stage = days();
    // Of forty windows, the first eight are read by themselves.
    write(&stage, "2025-06-08", "odd", &[("A", "2025-06-09")]);
    write(&stage, "2025-06-09", "odd", &[("B", "2025-06-08")]);
    stage.run().expect(1);
    for customer in ["A", "B"] {
        assert_eq!(billed(&stage, customer), all_but(&["2025-06-08", "2025-06-09"]), "{customer}");
    }
    assert_eq!(billed(&stage, "C"), all_but(&[]));
    write(&stage, "2025-06-08", "odd", &[]);
    write(&stage, "2025-06-09", "odd", &[]);
    stage.run().expect(0);
    assert_eq!(billed(&stage, "A"), all_but(&[]));
    assert_eq!(billed(&stage, "B"), all_but(&[]));
}

#[test]
fn an_object_that_cannot_be_read_holds_its_window_and_no_other() {
    let stage = days();
    stage.object("omnistrate-metering/Postgres/PROD/pt-1/2025/06/08/odd.json", "[{\"timestamp\":");
    stage.run().expect(1);
    assert_eq!(billed(&stage, "A"), all_but(&["2025-06-08"]));
    stage.object("omnistrate-metering/Postgres/PROD/pt-1/2025/06/08/odd.json", "[]");
    stage.run().expect(0);
    assert_eq!(billed(&stage, "A"), all_but(&[]));
}
