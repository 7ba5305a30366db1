//! Recorded runs of the exporter that meterhost replaces, against a folder: the same usage gives the same records, and where the old
//! exporter lost or doubled money, meterhost does not.
//!
//! What concerns the old one's state document, or S3 itself, is not among them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clazar_emulator::{Commit, Endpoint, Fault, Settings};
use serde_json::{Value, json};

use crate::support::{Ended, Stage, settings};

const LAYOUT: &str = "omnistrate-metering/Postgres/PROD/pt-HJSv20iWX0/{yyyy}/{mm}/{dd}/{hh}/*.json";
/// The key of the pipeline in the old exporter's state.
const PIPELINE: &str = "Postgres:PROD:pt-HJSv20iWX0";

/// What is right where the old exporter was wrong: the exit, how many of the records that it sent may leave, and of which of them the
/// books hold the charge afterwards.
const CORRECTED: &[(&str, i32, usize, &[&str])] = &[
    ("no_state_jan1", 0, 0, &[]),
    ("dry_run", 0, 0, &[]),
    ("dup_without_contract_id", 1, 4, &[]),
    ("warning_status", 1, 4, &["bf752ce2-fee9-4149-8fae-e3aa667d83af cpu_core_hours"]),
    ("error_without_message", 1, 4, &[]),
    ("http_500_json", 1, 4, &[]),
    ("http_200_not_json", 1, 4, &[]),
    ("http_429", 1, 4, &[]),
    ("results_empty", 1, 4, &[]),
    ("results_lack_contract_id", 1, 4, &[]),
    ("null_file", 1, 0, &[]),
    ("all_missing_payer", 1, 0, &[]),
    ("value_null_crash", 1, 0, &[]),
    ("value_float_string_crash", 1, 0, &[]),
    ("clock_first_day_of_month_utc", 0, 0, &[]),
    ("real_status_fail_mixed_counts_as_success", 1, 2, &["ae641bd1-edf8-4038-bfed-d2ff556c729e memory_byte_hours"]),
    ("same_contract_two_dims_one_error", 1, 2, &["ae641bd1-edf8-4038-bfed-d2ff556c729e d1"]),
];

/// The recorded runs, or a word that they are not here.
fn cases() -> Option<serde_json::Map<String, Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let path: PathBuf = root.join("shared/golden/clazar.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared is not there, and the recorded runs with it");
        return None;
    };
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let Value::Object(cases) = document["cases"].take() else { panic!("the cases are no table") };
    // The state of the old exporter is taken over by `start` alone, where that says all of it.
    let told = |case: &Value| {
        let input = &case["input"];
        let state = &input["state_before"][PIPELINE];
        let plain = input["state_before"].is_null()
            || (state["processed_contracts"].is_null() && start(state).is_some_and(|start| start != "garbage"));
        plain && input["s3_faults"] == json!({})
    };
    Some(cases.into_iter().filter(|(_, case)| told(case)).collect())
}

/// The month after the last one that the old exporter had done.
fn start(state: &Value) -> Option<String> {
    let last = state["last_processed_month"].as_str()?;
    let Some((year, month)) = last.split_once('-') else { return Some(last.to_owned()) };
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    Some(if month == 12 { format!("{}-01", year + 1) } else { format!("{year}-{:02}", month + 1) })
}

/// A stage as the run found it.
fn stage(case: &Value) -> Stage {
    let (input, env) = (&case["input"], &case["input"]["env"]);
    let path = env["CLAZAR_API_URL"].as_str().and_then(|url| url.split_once("://")?.1.split_once('/'));
    let metering_path = path.map_or_else(|| "/metering/".to_owned(), |(_, path)| format!("/{path}"));
    let mut stage = Stage::with(Settings { metering_path, ..settings() });
    stage.at(case["observed"]["now"].as_str().unwrap());
    stage.replace(crate::support::LAYOUT, LAYOUT);
    let start = start(&input["state_before"][PIPELINE]).unwrap_or_else(|| "-2 months".to_owned());
    let most = env["MAX_MONTHS_PER_RUN"].as_str().map_or_else(String::new, |most| format!("max_windows = {most}\n"));
    stage.replace("start  = \"2025-06\"", &format!("start = \"{start}\"\n{most}"));
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"1s\"");
    if let Some(cloud) = env["CLAZAR_CLOUD"].as_str() {
        stage.replace("cloud = \"aws\"", &format!("cloud = \"{cloud}\""));
    }
    for (key, object) in input["objects"].as_object().unwrap() {
        let text = object.as_str().map_or_else(|| object.to_string(), str::to_owned);
        stage.object(key, &text);
    }
    let auth = &input["auth_response"];
    let fault = Fault::scripted(auth["status"].as_u64().unwrap() as u16, auth["body"].clone());
    stage.emulator.push_fault(fault.on(Endpoint::Authenticate).forever());
    let answers = input["metering_responses_last_repeats"].as_array().unwrap();
    for (number, answer) in answers.iter().enumerate() {
        let fault = match answer.as_str() {
            Some("ECHO_SUCCESS_FOR_EACH_RECORD") => Fault::Pass,
            _ => Fault::Scripted {
                status: answer["status"].as_u64().unwrap() as u16,
                body: answer["body"].clone(),
                headers: Default::default(),
                commit: Commit::BilledBefore,
            },
        };
        let last = number + 1 == answers.len();
        stage.emulator.push_fault(if last { fault.forever() } else { fault.times(1) });
    }
    stage
}

fn run(stage: &Stage, case: &Value) -> Ended {
    if case["input"]["env"]["DRY_RUN"] == "true" { stage.plan() } else { stage.run() }
}

/// The records in requests, each once, in whatever calls they stood.
fn records<'a>(bodies: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
    let all = bodies.flat_map(|body| body["request"].as_array().unwrap());
    all.map(ToString::to_string).collect()
}

fn sent(stage: &Stage) -> BTreeSet<String> {
    let requests = stage.emulator.requests();
    let bodies: Vec<Value> =
        requests.into_iter().filter_map(|request| request.body).filter(|body| body["request"].is_array()).collect();
    records(bodies.iter())
}

fn observed(case: &Value) -> BTreeSet<String> {
    records(case["observed"]["metering_requests"].as_array().unwrap().iter())
}

fn booked(stage: &Stage) -> BTreeSet<String> {
    let books = stage.emulator.books().into_iter().filter(|record| record.status.name() == "success");
    books.map(|record| format!("{} {}", record.contract_id, record.dimension)).collect()
}

#[test]
fn what_the_old_exporter_did_right_is_done_alike() {
    let Some(cases) = cases() else { return };
    let mut done = 0;
    for (name, case) in cases.iter().filter(|(_, case)| case["expect"]["kind"] == "same") {
        let stage = stage(case);
        let ended = run(&stage, case);
        assert_eq!(ended.exit == 0, case["observed"]["exit"] == 0, "{name}: {ended:?}");
        assert_eq!(sent(&stage), observed(case), "{name}");
        stage.emulator.verify_books().unwrap();
        assert_eq!(stage.emulator.resent(), [], "{name}");
        done += 1;
    }
    assert!(done >= 15, "only {done} cases were run");
}

#[test]
fn what_the_old_exporter_did_wrong_is_done_right() {
    let Some(cases) = cases() else { return };
    let wrong: Vec<_> = cases.iter().filter(|(_, case)| case["expect"]["kind"] == "corrected").collect();
    for (name, case) in wrong {
        let (_, exit, most, books) =
            CORRECTED.iter().find(|(known, ..)| known == name).unwrap_or_else(|| panic!("{name} is new"));
        let stage = stage(case);
        let ended = run(&stage, case);
        assert_eq!(ended.exit, *exit, "{name}: {ended:?}");
        let left = sent(&stage);
        assert!(left.is_subset(&observed(case)) && left.len() <= *most, "{name}: {left:?}");
        assert_eq!(booked(&stage), books.iter().map(|text| (*text).to_owned()).collect(), "{name}");
        // Once the service answers as ever, each charge that left, or was to leave, is in its books, and once.
        stage.emulator.clear_faults();
        let dry = case["input"]["env"]["DRY_RUN"] == "true";
        if *most > 0 {
            stage.run().expect(0);
            assert_eq!(sent(&stage), observed(case), "{name}");
        } else if !dry {
            stage.run().expect(*exit);
            assert_eq!(sent(&stage), BTreeSet::new(), "{name}");
        }
        stage.emulator.verify_books().unwrap();
        assert_eq!(stage.emulator.resent(), [], "{name}");
    }
}
