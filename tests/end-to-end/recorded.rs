//! Recorded runs of the exporter that meterhost replaces, with its own environment variables, through the example that takes its place:
//! what it did right is done alike, down to its state document, and where it lost or doubled money, meterhost does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clazar_emulator::{Commit, Emulator, Endpoint, Settings};
use s3_proxy::{Act, Kind, Moto, Proxy, Store};
use serde_json::{Map, Value, json};

use crate::support::{Ended, ended, program, settings};

/// The pipeline's key in the state document.
const PIPELINE: &str = "Postgres:PROD:pt-HJSv20iWX0";
const A: &str = "ae641bd1-edf8-4038-bfed-d2ff556c729e";
const B: &str = "bf752ce2-fee9-4149-8fae-e3aa667d83af";

/// What is right where the old exporter was wrong.
struct Right {
    exit: i32,
    /// How many of the records that it sent may leave.
    most: usize,
    /// Of which of them the books hold the charge afterwards: the first letter of the contract, and the dimension.
    books: &'static [&'static str],
    /// The last closed month, if that is another than before.
    last: Option<&'static str>,
}

const fn right(exit: i32, most: usize, books: &'static [&'static str]) -> Right {
    Right { exit, most, books, last: None }
}

/// By the name of the recorded run.
const CORRECTED: &[(&str, Right)] = &[
    ("no_state_jan1", Right { last: Some("2024-11"), ..right(0, 0, &[]) }),
    ("dry_run", right(0, 0, &[])),
    ("dup_without_contract_id", right(1, 4, &[])),
    ("warning_status", right(1, 4, &["B cpu_core_hours"])),
    ("error_without_message", right(1, 4, &[])),
    ("http_500_json", right(1, 4, &[])),
    ("http_200_not_json", right(1, 4, &[])),
    ("http_429", right(1, 4, &[])),
    ("results_empty", right(1, 4, &[])),
    ("results_lack_contract_id", right(1, 4, &[])),
    ("s3_get_one_denied_underbills", right(1, 0, &[])),
    ("state_get_denied", right(4, 0, &[])),
    ("state_corrupt", right(4, 0, &[])),
    ("state_put_denied", right(4, 0, &[])),
    ("bad_last_processed_month", right(4, 0, &[])),
    ("state_get_denied_with_data_resends_12x", right(4, 0, &[])),
    ("null_file", right(1, 0, &[])),
    ("all_missing_payer", right(1, 0, &[])),
    ("value_null_crash", right(1, 0, &[])),
    ("value_float_string_crash", right(1, 0, &[])),
    ("clock_first_day_of_month_utc", right(0, 0, &[])),
    ("real_status_fail_mixed_counts_as_success", right(1, 2, &["A memory_byte_hours"])),
    ("same_contract_two_dims_one_error", right(1, 2, &["A d1"])),
];

/// The recorded runs, or a word that they are not here.
fn cases() -> Option<Map<String, Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let path: PathBuf = root.join("shared/golden/clazar.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared is not there, and the recorded runs with it");
        return None;
    };
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let Value::Object(cases) = document["cases"].take() else { panic!("the cases are no table") };
    Some(cases)
}

/// A recorded run, made again: its bucket, its service, its clock.
struct Scene<'a> {
    case: &'a Value,
    store: Store,
    proxy: Proxy,
    bucket: String,
    emulator: Emulator,
    _folder: tempfile::TempDir,
    ledger: String,
}

/// Where the ledger of a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept {
    InAFile,
    /// In the bucket that the usage lies in.
    OnS3,
}

impl<'a> Scene<'a> {
    fn of(case: &'a Value, kept: Kept) -> Scene<'a> {
        let input = &case["input"];
        let store: Store = **Moto::shared();
        let bucket = store.bucket();
        for (key, object) in input["objects"].as_object().into_iter().flatten() {
            store.put(&bucket, key, text(object).as_bytes());
        }
        repeated(&input["objects_repeat"], |key, object| {
            store.put(&bucket, key, text(object).as_bytes());
        });
        if !input["state_before"].is_null() {
            store.put(&bucket, input["state_key"].as_str().unwrap(), text(&input["state_before"]).as_bytes());
        }
        let proxy = Proxy::start(&store);
        let error = |error: &Value| Act::error(error[0].as_u64().unwrap() as u16, error[1].as_str().unwrap(), "denied");
        for (what, fault) in input["s3_faults"].as_object().unwrap() {
            match what.as_str() {
                "get_error" => {
                    for (key, fault) in fault.as_object().unwrap() {
                        proxy.push_fault(s3_proxy::Fault::on(Kind::Get, error(fault)).key(key).always());
                    }
                }
                "put_error" => proxy.push_fault(s3_proxy::Fault::on(Kind::Put, error(fault)).always()),
                "list_error" => proxy.push_fault(s3_proxy::Fault::on(Kind::List, error(fault)).always()),
                other => panic!("{other} is new"),
            }
        }
        if let Some(keys) = input["list_page_size"].as_u64() {
            proxy.push_fault(s3_proxy::Fault::on(Kind::List, Act::MaxKeys(keys as usize)).always());
        }
        let path = input["env"]["CLAZAR_API_URL"].as_str().and_then(|url| url.split_once("://")?.1.split_once('/'));
        let metering_path = path.map_or_else(|| "/metering/".to_owned(), |(_, path)| format!("/{path}"));
        let now = Some(case["observed"]["now"].as_str().unwrap().parse().unwrap());
        let emulator = Emulator::start(Settings { metering_path, now, ..settings() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ledger = match kept {
            Kept::InAFile => format!("sqlite:{}", folder.path().join("ledger.db").display()),
            Kept::OnS3 => format!("s3://{bucket}/ledger"),
        };
        let scene = Scene { case, store, proxy, bucket, emulator, _folder: folder, ledger };
        scene.script();
        scene
    }

    /// The answers of the service, as they were recorded; the last one repeats.
    fn script(&self) {
        let input = &self.case["input"];
        let auth = &input["auth_response"];
        let fault = clazar_emulator::Fault::scripted(auth["status"].as_u64().unwrap() as u16, auth["body"].clone());
        self.emulator.push_fault(fault.on(Endpoint::Authenticate).forever());
        let answers = input["metering_responses_last_repeats"].as_array().unwrap();
        for (number, answer) in answers.iter().enumerate() {
            let fault = match answer.as_str() {
                Some("ECHO_SUCCESS_FOR_EACH_RECORD") => clazar_emulator::Fault::Pass,
                _ => clazar_emulator::Fault::Scripted {
                    status: answer["status"].as_u64().unwrap() as u16,
                    body: answer["body"].clone(),
                    headers: Default::default(),
                    commit: Commit::BilledBefore,
                },
            };
            let last = number + 1 == answers.len();
            self.emulator.push_fault(if last { fault.forever() } else { fault.times(1) });
        }
    }

    fn run(&self) -> Ended {
        self.run_at(self.case["observed"]["now"].as_str().unwrap())
    }

    fn run_at(&self, now: &str) -> Ended {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut program = program();
        program.args(["run", "--now", now]);
        program.arg(root.join("examples/clazar/pipeline.toml"));
        program.args(["--ledger", &self.ledger]);
        for (name, value) in self.case["input"]["env"].as_object().unwrap() {
            program.env(name, value.as_str().unwrap());
        }
        program.env("S3_BUCKET_NAME", &self.bucket).env("CLAZAR_API_URL", self.emulator.url());
        program.env("CLAZAR_CLIENT_ID", "cid").env("CLAZAR_CLIENT_SECRET", "sec-very-secret");
        program.env("AWS_ENDPOINT_URL_S3", self.proxy.url()).env("AWS_REGION", "us-east-1");
        program.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env("RETRY_BUDGET", "1s");
        ended(program.output().unwrap())
    }

    /// The state document, byte for byte.
    fn state(&self) -> Option<Vec<u8>> {
        self.store.get(&self.bucket, self.case["input"]["state_key"].as_str().unwrap())
    }

    /// What it says, but for the times and our own key.
    fn says(&self) -> Value {
        without_times(self.state().map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    fn sent(&self) -> BTreeSet<String> {
        let requests = self.emulator.requests();
        let bodies: Vec<Value> =
            requests.into_iter().filter_map(|request| request.body).filter(|body| body["request"].is_array()).collect();
        records(bodies.iter())
    }

    fn observed(&self) -> BTreeSet<String> {
        records(self.case["observed"]["metering_requests"].as_array().unwrap().iter())
    }

    fn booked(&self) -> BTreeSet<String> {
        let books = self.emulator.books().into_iter().filter(|record| record.status.name() == "success");
        let short = |contract: &str| match contract {
            A => "A".to_owned(),
            B => "B".to_owned(),
            other => other.to_owned(),
        };
        books.map(|record| format!("{} {}", short(&record.contract_id), record.dimension)).collect()
    }

    /// The old exporter, were it to take over, would not bill again what is in the books.
    fn could_go_back(&self, name: &str) {
        let state = self.says();
        let entry = &state[PIPELINE];
        for record in self.emulator.books().into_iter().filter(|record| record.status.name() == "success") {
            let month = &record.start_time[..7];
            let listed = json!(format!("{}:{month}", record.contract_id));
            let is_listed = entry["processed_contracts"][month].as_array().is_some_and(|list| list.contains(&listed));
            let is_closed = entry["last_processed_month"].as_str().is_some_and(|last| month <= last);
            assert!(is_listed || is_closed, "{name}: {listed} is not in {entry:#}");
        }
    }
}

/// The objects that a rule makes: one an hour and subscription.
fn repeated(rule: &Value, mut put: impl FnMut(&str, &Value)) {
    for hour in 0..rule["hours"].as_u64().unwrap_or(0) {
        for (subscription, payer) in rule["subscriptions"].as_object().unwrap() {
            let key = rule["key"].as_str().unwrap().replace("{dd}", &format!("{:02}", hour / 24 + 1));
            let key = key.replace("{hh}", &format!("{:02}", hour % 24)).replace("{s}", subscription);
            let record = |record: &Value| {
                json!({
                    "timestamp": "2025-06-01T00:59:59Z", "externalPayerId": payer, "dimension": record[0], "value": record[1],
                })
            };
            let records: Vec<Value> = rule["records"].as_array().unwrap().iter().map(record).collect();
            put(&key, &Value::Array(records));
        }
    }
}

/// An object as it lies in the bucket: texts as they are, everything else as JSON.
fn text(object: &Value) -> String {
    object.as_str().map_or_else(|| object.to_string(), str::to_owned)
}

fn without_times(mut state: Value) -> Value {
    for entry in state.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        entry.remove("last_updated");
    }
    state
}

/// The records in requests, each once, in whatever calls they stood.
fn records<'a>(bodies: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
    let all = bodies.flat_map(|body| body["request"].as_array().unwrap());
    all.map(ToString::to_string).collect()
}

#[test]
fn what_the_old_exporter_did_right_is_done_alike() {
    done_alike(Kept::InAFile);
}

#[test]
fn what_the_old_exporter_did_right_is_done_alike_with_a_ledger_on_s3() {
    done_alike(Kept::OnS3);
}

fn done_alike(kept: Kept) {
    let Some(cases) = cases() else { return };
    let mut done = 0;
    for (name, case) in cases.iter().filter(|(_, case)| case["expect"]["kind"] == "same") {
        let scene = Scene::of(case, kept);
        let ended = scene.run();
        assert_eq!(ended.exit == 0, case["observed"]["exit"] == 0, "{name}: {ended:?}");
        assert_eq!(scene.sent(), scene.observed(), "{name}");
        assert_eq!(scene.says(), without_times(case["observed"]["state_after"].clone()), "{name}");
        scene.emulator.verify_books().unwrap();
        assert_eq!(scene.emulator.resent(), [], "{name}");
        scene.could_go_back(name);
        done += 1;
    }
    assert!(done >= 18, "only {done} cases were run");
}

#[test]
fn what_the_old_exporter_did_wrong_is_done_right() {
    done_right(Kept::InAFile);
}

#[test]
fn what_the_old_exporter_did_wrong_is_done_right_with_a_ledger_on_s3() {
    done_right(Kept::OnS3);
}

fn done_right(kept: Kept) {
    let Some(cases) = cases() else { return };
    let wrong: Vec<_> = cases.iter().filter(|(_, case)| case["expect"]["kind"] == "corrected").collect();
    for (name, case) in wrong {
        let (_, right) = CORRECTED.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} is new"));
        let scene = Scene::of(case, kept);
        let before = scene.state();
        let ended = scene.run();
        assert_eq!(ended.exit, right.exit, "{name}: {ended:?}");
        let left = scene.sent();
        assert!(left.is_subset(&scene.observed()) && left.len() <= right.most, "{name}: {left:?}");
        assert_eq!(scene.booked(), right.books.iter().map(|text| (*text).to_owned()).collect(), "{name}");
        scene.could_go_back(name);
        if right.exit == 4 {
            // To look charges up is no harm.
            let is_sent =
                |request: &&clazar_emulator::Request| request.method == "POST" && request.path != "/authenticate/";
            assert_eq!(scene.emulator.requests().iter().filter(is_sent).count(), 0);
        }
        let dry = case["input"]["env"]["DRY_RUN"] == "true";
        if right.exit == 4 || dry {
            assert_eq!(scene.state(), before, "{name}: the document is as it was");
        }
        let last = |state: &Value| state[PIPELINE]["last_processed_month"].as_str().map(str::to_owned);
        let was = last(&case["input"]["state_before"]);
        if right.exit != 4 {
            assert_eq!(last(&scene.says()), right.last.map(str::to_owned).or(was), "{name}");
        }
        // Once everything answers as ever, each charge that left, or was to leave, is in the books, and once.
        scene.emulator.clear_faults();
        scene.proxy.clear_faults();
        match (right.most > 0 || name == "state_put_denied", name.as_str()) {
            (true, _) => {
                let ended = scene.run();
                assert_eq!(ended.exit, 0, "{name}: {ended:?}");
                assert_eq!(scene.sent(), scene.observed(), "{name}");
            }
            (false, "state_corrupt" | "bad_last_processed_month") => {
                assert_eq!(scene.run().exit, 4, "{name}");
                assert_eq!(scene.state(), before, "{name}");
            }
            (false, "s3_get_one_denied_underbills" | "state_get_denied" | "state_get_denied_with_data_resends_12x") => {
                assert_eq!(scene.run().exit, 0, "{name}");
            }
            (false, _) if dry => {}
            (false, _) => {
                assert_eq!(scene.run().exit, right.exit, "{name}");
                assert_eq!(scene.sent(), BTreeSet::new(), "{name}");
            }
        }
        scene.emulator.verify_books().unwrap();
        assert_eq!(scene.emulator.resent(), [], "{name}");
        if !["state_corrupt", "bad_last_processed_month"].contains(&name.as_str()) {
            scene.could_go_back(name);
        }
    }
}

#[test]
fn what_the_old_exporter_was_done_with_is_never_billed_again() {
    never_billed_again(Kept::InAFile);
}

#[test]
fn what_the_old_exporter_was_done_with_is_never_billed_again_with_a_ledger_on_s3() {
    never_billed_again(Kept::OnS3);
}

fn never_billed_again(kept: Kept) {
    let Some(cases) = cases() else { return };
    let scene = Scene::of(&cases["caught_up"], kept);
    assert_eq!(scene.run().exit, 0);
    scene.emulator.set_now("2025-08-01T02:00:00Z".parse().unwrap());
    // July has no usage: it is closed, and nothing of June is sent.
    let ended = scene.run_at("2025-08-01T02:00:00Z");
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.sent(), BTreeSet::new());
    assert_eq!(scene.says()[PIPELINE]["last_processed_month"], "2025-07");
    // An object of June that changes is held, and not billed.
    let key = cases["caught_up"]["input"]["objects"].as_object().unwrap().keys().next().unwrap();
    scene.store.put(&scene.bucket, key, br#"[{"externalPayerId": "x", "dimension": "cpu_core_hours", "value": 1}]"#);
    let ended = scene.run_at("2025-07-20T00:00:00Z");
    ended.expect(1).says("taken over as billed, and one of its objects is not as it was then");
    assert_eq!(scene.sent(), BTreeSet::new());
}
