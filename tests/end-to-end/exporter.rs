//! The examples in place of the exporter, on S3: formulas and the completeness marker of its later versions, and several plans that share
//! a bucket, a state document and a ledger.

use std::path::Path;
use std::process::{Command, Stdio};

use clazar_emulator::{Cloud, Emulator, Record, Settings};
use s3_proxy::{Moto, Proxy, Store};
use serde_json::{Value, json};

use crate::support::{Ended, ended, program, settings};

const PLAN: &str = "pt-HJSv20iWX0";

/// A bucket, a service, and a folder for the ledger.
struct Scene {
    store: Store,
    proxy: Proxy,
    bucket: String,
    emulator: Emulator,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Scene {
        let store: Store = **Moto::shared();
        let now = Some("2025-07-01T02:00:00Z".parse().unwrap());
        Scene {
            store,
            proxy: Proxy::start(&store),
            bucket: store.bucket(),
            emulator: Emulator::start(Settings { now, ..settings() }).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// One object of usage: customer, dimension, value and price as JSON text.
    fn usage(&self, service: &str, plan: &str, hour: &str, records: &[(&str, &str, &str, &str)]) {
        let record = |(payer, dimension, value, price): &(&str, &str, &str, &str)| {
            format!(
                r#"{{"externalPayerId": "{payer}", "dimension": "{dimension}", "value": {value}, "pricePerUnit": {price}}}"#
            )
        };
        let records: Vec<String> = records.iter().map(record).collect();
        let key = format!("omnistrate-metering/{service}/PROD/{plan}/{hour}/sub-1.json");
        self.store.put(&self.bucket, &key, format!("[{}]", records.join(", ")).as_bytes());
    }

    fn marker(&self, to: &str) {
        let text = json!({ format!("Postgres:PROD:{PLAN}"): { "last_processed_to": to, "last_updated_at": to } });
        self.store.put(&self.bucket, "omnistrate-metering/last_success_export.json", text.to_string().as_bytes());
    }

    fn document(&self, key: &str) -> Value {
        self.store.get(&self.bucket, key).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
    }

    fn run(&self, example: &str, now: &str, variables: &[(&str, &str)]) -> Ended {
        let mut program = self.program(example, now, variables);
        program.arg("--ledger").arg(format!("sqlite:{}", self.folder.path().join("ledger.db").display()));
        ended(program.output().unwrap())
    }

    /// An example as it is, with its own ledger.
    fn program(&self, example: &str, now: &str, variables: &[(&str, &str)]) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/clazar");
        let mut program = program();
        program.args(["run", "--now", now]).arg(root.join(example));
        program.env("S3_BUCKET_NAME", &self.bucket).env("AWS_S3_BUCKET_NAME", &self.bucket);
        program.env("CLAZAR_API_URL", self.emulator.url());
        program.env("CLAZAR_CLIENT_ID", "cid").env("CLAZAR_CLIENT_SECRET", "sec-very-secret");
        program.env("AWS_ENDPOINT_URL_S3", self.proxy.url()).env("AWS_REGION", "us-east-1");
        program.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env("RETRY_BUDGET", "1s");
        program.envs(variables.iter().copied());
        program
    }

    /// Runs the example of formulas on the first of July.
    fn formulas(&self, variables: &[(&str, &str)]) -> Ended {
        self.run("formulas.toml", "2025-07-01T02:00:00Z", &[&[("START_MONTH", "2025-05")], variables].concat())
    }

    /// What is in the books: contract, dimension, month, quantity.
    fn billed(&self) -> Vec<String> {
        self.emulator.verify_books().unwrap();
        assert_eq!(self.emulator.resent(), []);
        let books = self.emulator.books().into_iter().filter(|record| record.status.name() == "success");
        let mut billed: Vec<String> = books
            .map(|record| {
                format!("{} {} {} {}", record.contract_id, record.dimension, &record.start_time[..7], record.quantity)
            })
            .collect();
        billed.sort();
        billed
    }
}

const POD: [(&str, &str); 2] = [("DIMENSION1_NAME", "pods"), ("DIMENSION1_FORMULA", "cpu_core_hours / 2")];
const STATE: &str = "clazar/Postgres-PROD-pt-HJSv20iWX0-export_state.json";

#[test]
fn formulas_are_worked_out_exactly_and_the_document_of_the_plan_is_kept() {
    let scene = Scene::new();
    scene.usage(
        "Postgres",
        PLAN,
        "2025/06/01/00",
        &[
            ("A", "cpu_core_hours", "9007199254740993", "0"),
            ("A", "memory_byte_hours", "29", "0.01"),
            ("B", "cpu_core_hours", "7", "0.5"),
        ],
    );
    scene.marker("2025-06-30T23:59:59Z");
    let state = json!({ "last_processed_month": "2025-05", "success_contracts": {}, "error_contracts": {} });
    scene.store.put(&scene.bucket, STATE, state.to_string().as_bytes());
    let ended = scene.formulas(&[
        ("DIMENSION1_NAME", "cores"),
        ("DIMENSION1_FORMULA", "cpu_core_hours"),
        ("DIMENSION2_NAME", "priced"),
        ("DIMENSION2_FORMULA", "memory_byte_hours_total_price / 0.01"),
    ]);
    ended.expect(0);
    let expected = ["A cores 2025-06 9007199254740993", "A priced 2025-06 29", "B cores 2025-06 7"];
    assert_eq!(scene.billed(), expected);
    let mut document = scene.document(STATE);
    document.as_object_mut().unwrap().remove("last_updated");
    let expected = json!({
        "last_processed_month": "2025-06", "success_contracts": { "2025-06": ["A", "B"] }, "error_contracts": {},
    });
    assert_eq!(document, expected);
}

#[test]
fn one_contracts_failing_formula_holds_nobody_else() {
    let scene = Scene::new();
    scene.usage(
        "Postgres",
        PLAN,
        "2025/06/01/00",
        &[("A", "cpu_core_hours", "8", "0"), ("A", "replica_hours", "2", "0"), ("B", "cpu_core_hours", "7", "0")],
    );
    scene.marker("2025-07-01T00:14:59Z");
    let ratio = [("DIMENSION1_NAME", "ratio"), ("DIMENSION1_FORMULA", "cpu_core_hours / replica_hours")];
    scene.formulas(&ratio).expect(1).says("ratio of B is held");
    assert_eq!(scene.billed(), ["A ratio 2025-06 4"]);
    // An unknown dimension is held, instead of closing the month without it.
    let scene = Scene::new();
    scene.usage("Postgres", PLAN, "2025/06/01/00", &[("C", "gpu_hours", "3", "0")]);
    scene.marker("2025-07-01T00:14:59Z");
    scene.formulas(&POD).expect(1).says("gpu_hours");
    assert_eq!(scene.document(STATE)["last_processed_month"], "2025-05");
}

#[test]
fn a_formula_that_reaches_for_more_does_not_parse() {
    let scene = Scene::new();
    scene.marker("2025-07-01T00:14:59Z");
    for formula in
        ["().__class__.__base__.__subclasses__().__len__()", "__import__('os').system('true')", "(lambda: 1)()"]
    {
        let variables = [("DIMENSION1_NAME", "x"), ("DIMENSION1_FORMULA", formula)];
        scene.formulas(&variables).expect(2).says("formulas[0].formula");
    }
    assert_eq!(scene.emulator.requests().len(), 0);
}

#[test]
fn a_month_is_billed_once_the_marker_says_that_it_is_complete() {
    // As the facts have it: what the marker says, and the last month that is complete by it.
    for (marker, last) in [
        ("2025-06-30T23:59:59Z", "2025-06"),
        ("2025-06-30T05:59:59Z", "2025-05"),
        ("2025-06-30T23:44:59Z", "2025-05"),
        ("2025-07-01T00:14:59Z", "2025-06"),
        ("2025-06-03T10:59:59Z", "2025-05"),
        ("2025-06-30T23:59:59.123Z", "2025-06"),
        ("2025-06-30T23:59:59+00:00", "2025-06"),
        ("2025-06-30T23:59:58Z", "2025-05"),
    ] {
        let scene = Scene::new();
        for hour in ["2025/05/31/23", "2025/06/30/23"] {
            scene.usage("Postgres", PLAN, hour, &[("A", "cpu_core_hours", "8", "0")]);
        }
        scene.marker(marker);
        scene.formulas(&POD).expect(0);
        let all = ["A pods 2025-05 4", "A pods 2025-06 4"];
        assert_eq!(scene.billed(), if last == "2025-06" { &all[..] } else { &all[..1] }, "{marker}");
        assert_eq!(scene.document(STATE)["last_processed_month"], last, "{marker}");
    }
}

#[test]
fn a_marker_that_stays_short_or_cannot_be_read_is_reported() {
    let scene = Scene::new();
    scene.usage("Postgres", PLAN, "2025/06/30/23", &[("A", "cpu_core_hours", "8", "0")]);
    scene.formulas(&POD).expect(1).says("last_success_export.json");
    scene.marker("2025-06-30T23:44:59Z");
    let may = [&[("START_MONTH", "2025-06")], &POD[..]].concat();
    scene.run("formulas.toml", "2025-07-01T23:00:00Z", &may).expect(0).says("not complete yet");
    scene.run("formulas.toml", "2025-07-02T01:00:00Z", &may).expect(1).says("still not complete");
    assert_eq!(scene.billed(), Vec::<String>::new());
    scene.marker("2025-07-02T00:59:59Z");
    scene.run("formulas.toml", "2025-07-02T01:00:00Z", &may).expect(0);
    assert_eq!(scene.billed(), ["A pods 2025-06 4"]);
}

#[test]
fn what_the_exporter_could_not_bill_is_billed_by_the_usage_and_not_twice_if_it_landed_after_all() {
    let scene = Scene::new();
    let june: Vec<_> = ["A", "B"].map(|contract| (contract, "cpu_core_hours", "8", "0")).to_vec();
    scene.usage("Postgres", PLAN, "2025/06/01/00", &june);
    scene.marker("2025-07-01T00:14:59Z");
    // Of B's the exporter never saw the answer: it is in the books, as it comes to here.
    let month = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];
    let landed = |contract: &str, quantity: &str| {
        let record = Record::billed(Cloud::Aws, contract, "pods", quantity, month);
        scene.emulator.seed(record).unwrap();
    };
    landed("B", "4");
    let failed = |contract: &str| {
        json!({
            "contract_id": contract, "errors": ["timeout"], "retry_count": 1, "code": "E", "message": "m",
            "payload": { "request": [{ "cloud": "aws", "contract_id": contract, "dimension": "pods", "quantity": "3" }] },
        })
    };
    let state = json!({
        "last_processed_month": "2025-05", "success_contracts": {},
        "error_contracts": { "2025-05": [failed("Z")], "2025-06": [failed("A"), failed("B"), failed("C")] },
    });
    scene.store.put(&scene.bucket, STATE, state.to_string().as_bytes());
    let ended = scene.formulas(&POD);
    ended.expect(1).says("everything that Z owes is held: the exporter before closed the window without billing it");
    // By the usage, and not by what the exporter kept of it.
    assert_eq!(scene.billed(), ["A pods 2025-06 4", "B pods 2025-06 4"]);
    let document = scene.document(STATE);
    assert_eq!(document["success_contracts"], json!({ "2025-06": ["A", "B"] }));
    // The exporter, were it to take over, would not send A again; who owes nothing here stays as they were.
    assert_eq!(document["error_contracts"], json!({ "2025-05": [failed("Z")], "2025-06": [failed("C")] }));
    // What landed with another quantity is shown, and nothing is added to it.
    scene.usage("Postgres", PLAN, "2025/06/01/01", &[("C", "cpu_core_hours", "8", "0")]);
    landed("C", "3");
    scene.formulas(&POD).expect(1).says("the service has a record in its place with 3");
    assert_eq!(scene.billed(), ["A pods 2025-06 4", "B pods 2025-06 4", "C pods 2025-06 3"]);
}

#[test]
fn one_plan_in_trouble_never_keeps_another_from_being_billed() {
    let scene = Scene::new();
    let object = "omnistrate-metering/Postgres/PROD/pt-2/2025/06/02/00/broken.json";
    for (plan, contract) in [("pt-1", "A"), ("pt-2", "B")] {
        scene.usage("Postgres", plan, "2025/06/01/00", &[(contract, "cpu_core_hours", "8", "0")]);
    }
    let marker = |plans: &[&str]| {
        let entry =
            |plan: &&str| (format!("Postgres:PROD:{plan}"), json!({ "last_processed_to": "2025-06-30T23:59:59Z" }));
        let text = Value::Object(plans.iter().map(entry).collect()).to_string();
        scene.store.put(&scene.bucket, "omnistrate-metering/last_success_export.json", text.as_bytes());
    };
    let run = |plan: &str| scene.formulas(&[&[("PLAN_ID", plan)], &POD[..]].concat());
    // The marker says nothing of the second plan.
    marker(&["pt-1"]);
    run("pt-2").expect(1).says("there is nothing at /Postgres:PROD:pt-2/last_processed_to");
    run("pt-1").expect(0);
    assert_eq!(scene.billed(), ["A pods 2025-06 4"]);
    // An object of it cannot be read.
    marker(&["pt-1", "pt-2"]);
    scene.store.put(&scene.bucket, object, b"[{");
    run("pt-2").expect(1).says("broken.json");
    run("pt-1").expect(0);
    scene.store.delete(&scene.bucket, object);
    run("pt-2").expect(0);
    assert_eq!(scene.billed(), ["A pods 2025-06 4", "B pods 2025-06 4"]);
    for (plan, contract) in [("pt-1", "A"), ("pt-2", "B")] {
        let document = scene.document(&format!("clazar/Postgres-PROD-{plan}-export_state.json"));
        assert_eq!(document["success_contracts"], json!({ "2025-06": [contract] }), "{plan}");
        assert_eq!(document["last_processed_month"], "2025-06", "{plan}");
    }
}

#[test]
fn several_plans_share_a_bucket_a_document_and_a_ledger() {
    let scene = Scene::new();
    let plans = [("My Sérvice", "pt 1"), ("My Sérvice", "pt-2"), ("Postgres", "pt-2")];
    for (number, (service, plan)) in plans.iter().enumerate() {
        let contract = format!("contract-{number}");
        scene.usage(service, plan, "2025/06/01/00", &[(&contract, "cpu", &(number + 1).to_string(), "0")]);
    }
    let before = json!({ "Else:PROD:p": { "last_processed_month": "2025-06" } });
    scene.store.put(&scene.bucket, "metering_state.json", before.to_string().as_bytes());
    let mut expected = Vec::new();
    for _ in 0..2 {
        for (number, (service, plan)) in plans.iter().enumerate() {
            let variables = [("SERVICE_NAME", *service), ("PLAN_ID", *plan)];
            scene.run("pipeline.toml", "2025-07-01T02:00:00Z", &variables).expect(0);
            let line = format!("contract-{number} cpu 2025-06 {}", number + 1);
            if !expected.contains(&line) {
                expected.push(line);
            }
            assert_eq!(scene.billed(), expected, "each bills its own, once");
        }
    }
    let document = scene.document("metering_state.json");
    assert_eq!(document["Else:PROD:p"], before["Else:PROD:p"]);
    for (number, (service, plan)) in plans.iter().enumerate() {
        let entry = &document[format!("{service}:PROD:{plan}")];
        assert_eq!(entry["processed_contracts"]["2025-06"], json!([format!("contract-{number}:2025-06")]));
        assert_eq!(entry["last_processed_month"], "2025-06");
    }
}

#[test]
fn without_a_disk_each_plan_has_its_ledger_in_the_bucket_and_all_may_run_at_once() {
    let scene = Scene::new();
    let plans = [("My Sérvice", "pt 1"), ("Postgres", "pt-2"), ("Postgres", "pt-3")];
    for (number, (service, plan)) in plans.iter().enumerate() {
        scene.usage(service, plan, "2025/06/01/00", &[(&format!("contract-{number}"), "cpu", "2", "0")]);
    }
    let variables = |(service, plan)| [("SERVICE_NAME", service), ("PLAN_ID", plan)];
    for round in 0..2 {
        let begun = plans.map(|plan| {
            let mut program = scene.program("pipeline.toml", "2025-07-01T02:00:00Z", &variables(plan));
            program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        for run in begun {
            ended(run.wait_with_output().unwrap()).expect(0);
        }
        let expected: Vec<String> = (0..3).map(|number| format!("contract-{number} cpu 2025-06 2")).collect();
        assert_eq!(scene.billed(), expected, "round {round}");
    }
    let keys = scene.store.keys(&scene.bucket);
    for (service, plan) in plans {
        let head = format!("meterhost/{service}/PROD/{plan}/head");
        assert!(keys.contains(&head), "{keys:?}");
    }
    assert_eq!(std::fs::read_dir(scene.folder.path()).unwrap().count(), 0);
}

#[test]
fn the_example_of_formulas_has_its_ledger_in_the_bucket_too() {
    let scene = Scene::new();
    scene.usage("Postgres", PLAN, "2025/06/01/00", &[("A", "cpu_core_hours", "6", "0")]);
    scene.marker("2025-06-30T23:59:59Z");
    for _ in 0..2 {
        let variables = [&[("START_MONTH", "2025-06")], &POD[..]].concat();
        let mut run = scene.program("formulas.toml", "2025-07-01T02:00:00Z", &variables);
        ended(run.output().unwrap()).expect(0);
        assert_eq!(scene.billed(), ["A pods 2025-06 3"]);
    }
    let head = format!("meterhost/Postgres/PROD/{PLAN}/head");
    assert!(scene.store.get(&scene.bucket, &head).is_some());
}

#[test]
fn a_variable_that_was_forgotten_touches_nothing() {
    let scene = Scene::new();
    for name in ["S3_BUCKET_NAME", "SERVICE_NAME", "ENVIRONMENT_TYPE", "PLAN_ID"] {
        let ended = scene.run("pipeline.toml", "2025-07-01T02:00:00Z", &[(name, "")]);
        ended.expect(2).says(&format!("`{name}` is set to nothing"));
    }
    for name in ["AWS_S3_BUCKET_NAME", "SERVICE_NAME", "ENVIRONMENT_TYPE", "PLAN_ID"] {
        scene.formulas(&[&[(name, "")], &POD[..]].concat()).expect(2).says(&format!("`{name}` is set to nothing"));
    }
    scene.formulas(&[]).expect(2).says("formulas: every one is empty");
    assert_eq!(scene.emulator.requests().len(), 0);
    assert_eq!(scene.proxy.requests().len(), 0);
}

#[test]
fn a_plans_name_is_never_a_pattern() {
    let scene = Scene::new();
    for (name, value) in [("PLAN_ID", "pt-*"), ("PLAN_ID", "{plan}"), ("SERVICE_NAME", "{yyyy}")] {
        let ended = scene.run("pipeline.toml", "2025-07-01T02:00:00Z", &[(name, value)]);
        ended.expect(2).says(&format!("`{name}` holds `*`"));
    }
    assert_eq!(scene.proxy.requests().len(), 0);
}

#[test]
fn a_state_document_is_found_under_the_very_key_that_the_script_has() {
    for key in ["/lead.json", "a//b.json", "folder/sub/metering state ü.json"] {
        let scene = Scene::new();
        scene.usage("Postgres", PLAN, "2025/06/01/00", &[("A", "cpu", "3", "0")]);
        let state = json!({ format!("Postgres:PROD:{PLAN}"): { "last_processed_month": "2025-06" } });
        scene.store.put(&scene.bucket, key, state.to_string().as_bytes());
        let run = |now| scene.run("pipeline.toml", now, &[("STATE_FILE_PATH", key)]);
        run("2025-07-01T02:00:00Z").expect(0).says("the months up to 2025-06 as billed");
        assert_eq!(scene.billed(), Vec::<String>::new(), "{key}");
        scene.usage("Postgres", PLAN, "2025/07/01/00", &[("A", "cpu", "4", "0")]);
        scene.emulator.set_now("2025-08-01T02:00:00Z".parse().unwrap());
        run("2025-08-01T02:00:00Z").expect(0);
        assert_eq!(scene.document(key)[format!("Postgres:PROD:{PLAN}")]["last_processed_month"], "2025-07", "{key}");
    }
    let scene = Scene::new();
    for key in ["./a.json", "a/../b.json", "folder/"] {
        let refused = scene.run("pipeline.toml", "2025-07-01T02:00:00Z", &[("STATE_FILE_PATH", key)]);
        refused.expect(2).says("the URL of an object or file");
    }
}

#[test]
fn every_json_below_a_month_is_read_as_the_script_has_it() {
    let scene = Scene::new();
    for (number, place) in ["2025/06/x.json", "2025/06/01/x.json", "2025/06/01/00/x.json", "2025/06/01/00/sub/x.json"]
        .into_iter()
        .enumerate()
    {
        let record =
            format!(r#"[{{"externalPayerId": "A", "dimension": "cpu", "value": {}}}]"#, 10_u32.pow(number as u32));
        let key = format!("omnistrate-metering/Postgres/PROD/{PLAN}/{place}");
        scene.store.put(&scene.bucket, &key, record.as_bytes());
    }
    scene.run("pipeline.toml", "2025-07-01T02:00:00Z", &[]).expect(0);
    assert_eq!(scene.billed(), ["A cpu 2025-06 1111"]);
}

#[test]
fn a_name_with_any_letters_has_its_marker() {
    let scene = Scene::new();
    let service = "a/b~c 1 ü";
    scene.usage(service, PLAN, "2025/06/01/00", &[("A", "cpu_core_hours", "8", "0")]);
    let marker = json!({ format!("{service}:PROD:{PLAN}"): { "last_processed_to": "2025-06-30T23:59:59Z" } });
    scene.store.put(&scene.bucket, "omnistrate-metering/last_success_export.json", marker.to_string().as_bytes());
    scene.formulas(&[&[("SERVICE_NAME", service)], &POD[..]].concat()).expect(0);
    assert_eq!(scene.billed(), ["A pods 2025-06 4"]);
}

#[test]
fn a_formula_bills_each_contract_that_has_any_usage() {
    let scene = Scene::new();
    scene.usage(
        "Postgres",
        PLAN,
        "2025/06/01/00",
        &[("A", "cpu_core_hours", "7", "0"), ("C", "memory_byte_hours", "5", "0")],
    );
    scene.marker("2025-06-30T23:59:59Z");
    let fee = [
        ("DIMENSION1_NAME", "least"),
        ("DIMENSION1_FORMULA", "max(cpu_core_hours, 1)"),
        ("DIMENSION2_NAME", "fee"),
        ("DIMENSION2_FORMULA", "0.29 / 0.01"),
        ("DIMENSION3_NAME", "pods"),
        ("DIMENSION3_FORMULA", "cpu_core_hours"),
    ];
    scene.formulas(&fee).expect(0);
    let billed = ["A fee 2025-06 29", "A least 2025-06 7", "A pods 2025-06 7", "C fee 2025-06 29", "C least 2025-06 1"];
    assert_eq!(scene.billed(), billed);
}
