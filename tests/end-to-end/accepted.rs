//! A service that accepts usage for some hours only: until when is told, zeros are sent right before that, and late usage is carried as long as
//! it is taken.

use serde_json::{Value, json};

use crate::support::{Ended, Stage, component};

/// Hours, and a service that accepts each for so many hours after its end.
fn stage(accepts: u8, more: &str) -> Stage {
    let stage = Stage::new();
    stage.replace(
        "window = \"month\"\ngrace  = \"30m\"\nstart  = \"2025-06\"",
        "window = \"hour\"\nstart = \"2025-06-01T00\"",
    );
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    let (before, _) = text.split_once("[sink.clazar]").unwrap();
    stage.pipeline(&format!(
        "{before}[sink.clazar]\nplugin = \"{}\"\nretry_budget = \"0s\"\n{more}\nconfig = {{ way = \"proper\", accepts = {accepts}, url = \"${{CLAZAR_URL}}\" }}\n\
         grant.http = \"${{CLAZAR_URL}}\"\n",
        component("failing").display()
    ));
    stage
}

fn run_at(stage: &mut Stage, now: &str) -> Ended {
    stage.at(now);
    stage.command("run", &["--json"], &[])
}

/// Every charge, as `hour quantity standing`.
fn charges(stage: &Stage) -> Vec<String> {
    let shown = stage.command("ledger show", &["--json"], &[]).json();
    let windows = shown["windows"].as_array().unwrap();
    let charges = windows.iter().flat_map(|window| {
        let label = window["window"].as_str().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let charge = move |charge: &Value| {
            format!("{} {} {}", &label[11..], text(&charge["quantity"]), text(&charge["standing"]))
        };
        window["charges"].as_array().unwrap().iter().map(charge)
    });
    charges.collect()
}

#[test]
fn a_zero_is_sent_when_its_acceptance_ends_and_takes_no_slot_before() {
    let mut stage = stage(24, "zero = \"send-at-end\"");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "0"), ("B", "cpu", "0")]);
    let ended = run_at(&mut stage, "2025-06-01T01:10:00Z");
    let line = &ended.expect(0).json()["windows"][0]["lines"][0];
    assert_eq!((&line["state"], &line["accepted_until"]), (&json!("zero"), &json!("2025-06-02T01:00:00Z")));
    stage.command("status", &[], &[]).expect(0);
    // One of them is used after all.
    stage.usage("2025/06/01/00", "b", &[("A", "cpu", "7")]);
    run_at(&mut stage, "2025-06-01T22:00:00Z").expect(0);
    assert_eq!(charges(&stage), ["00 7 accepted"]);
    run_at(&mut stage, "2025-06-01T23:00:00Z").expect(0);
    assert_eq!(charges(&stage), ["00 7 accepted", "00 0 accepted"]);
    run_at(&mut stage, "2025-06-02T00:30:00Z").expect(0);
    assert_eq!(charges(&stage).len(), 2);
}

#[test]
fn until_when_the_service_accepts_what_is_held_is_told() {
    let mut stage = stage(24, "");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1.5")]);
    stage.at("2025-06-01T01:10:00Z");
    stage.run().expect(1).says("accepted until 2025-06-02T01:00:00Z");
    // Once it is too late, that is told too, and nothing is sent.
    stage.replace("[sink.clazar]", "[sink.clazar]\nround = \"up\"");
    stage.at("2025-06-02T01:10:00Z");
    stage.run().expect(1).says("refused").says("it was used too long ago");
    assert!(charges(&stage).is_empty());
}

#[test]
fn late_usage_is_carried_into_the_next_hour_without_a_charge_that_is_accepted() {
    let mut stage = stage(5, "late = \"carry\"");
    for hour in ["00", "01"] {
        stage.usage(&format!("2025/06/01/{hour}"), "a", &[("A", "cpu", "1")]);
    }
    run_at(&mut stage, "2025-06-01T04:10:00Z").expect(0);
    stage.usage("2025/06/01/00", "b", &[("A", "cpu", "5")]);
    let ended = run_at(&mut stage, "2025-06-01T04:20:00Z");
    assert_eq!(charges(&stage), ["00 1 accepted", "01 1 accepted", "02 5 accepted"]);
    let windows = ended.expect(0).json()["windows"].take();
    assert_eq!(
        windows[0]["records"],
        json!({
            "read": 2, "billed": 0, "billed_before": 1, "carried": 1, "open": 0, "held": 0, "quarantined": 0, "waived": 0,
            "duplicate": 0, "excluded": 0, "zero": 0, "elsewhere": 0,
        })
    );
    assert_eq!(windows[1]["lines"][0]["carried"], json!([{ "window": "2025-06-01T00", "quantity": "5" }]));
    // Usage of that hour itself, found later still, does not become a second record in it.
    stage.usage("2025/06/01/02", "a", &[("A", "cpu", "3")]);
    run_at(&mut stage, "2025-06-01T04:30:00Z").expect(0);
    assert_eq!(charges(&stage), ["00 1 accepted", "01 1 accepted", "02 5 accepted", "03 3 accepted"]);
    run_at(&mut stage, "2025-06-01T04:40:00Z").expect(0);
    assert_eq!(charges(&stage).len(), 4);
}

#[test]
fn late_usage_that_no_hour_takes_any_more_is_held() {
    let mut stage = stage(5, "late = \"carry\"");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1")]);
    run_at(&mut stage, "2025-06-01T01:10:00Z").expect(0);
    stage.usage("2025/06/01/00", "b", &[("A", "cpu", "5")]);
    let held = "5 of 6 was found after the charge was frozen, and cannot be carried to a later window: what it carries was used too long ago";
    stage.at("2025-06-01T09:10:00Z");
    stage.run().expect(1).says(held);
    stage.run().expect(1).says(held);
    assert_eq!(charges(&stage), ["00 1 accepted"]);
    stage.command("ledger resolve", &["waive", "--customer", "A", "--reason", "so", "--yes"], &[]).expect(0);
    stage.run().expect(0);
}

#[test]
fn what_waits_for_the_next_hour_is_held_once_that_takes_it_no_more() {
    let mut stage = stage(3, "late = \"carry\"");
    for hour in ["00", "01", "02", "03", "04"] {
        stage.usage(&format!("2025/06/01/{hour}"), "a", &[("A", "cpu", "1")]);
    }
    run_at(&mut stage, "2025-06-01T02:10:00Z").expect(0);
    stage.usage("2025/06/01/00", "b", &[("A", "cpu", "5")]);
    stage.at("2025-06-01T02:20:00Z");
    stage.run().expect(0).says("5 more was found late: to be billed with 2025-06-01T02");
    // Nobody ran for hours.
    stage.at("2025-06-01T05:10:00Z");
    stage.run().expect(1).says("5 of 6 was found after the charge was frozen, and cannot be carried to a later window");
    assert_eq!(charges(&stage), ["00 1 accepted", "01 1 accepted", "02 1 accepted", "03 1 accepted", "04 1 accepted"]);
    stage.run().expect(1);
    assert_eq!(charges(&stage).len(), 5);
}
