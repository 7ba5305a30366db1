//! A place to run pipelines in that bill to AWS Marketplace: the guide's tables on moto, the emulator of the metering service, the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use metering_emulator::{Clock, Credentials, Customer, Emulator, Finding, Product, Settings};
use s3_proxy::{Moto, Proxy, Store};
use serde_json::{Value, json};

use crate::support::{Backend, Bucket, Ended, ended, program};
use crate::zombies::is_stopped;

/// The guide's customer, products and dimensions.
pub const ACME: &str = "123456789012";
pub const OTHER: &str = "210987654321";
pub const PRODUCT: &str = "abc123xyz456";
pub const SECOND: &str = "def789uvw012";

/// The key that the emulator lets in.
const KEY: [&str; 2] = ["AKIATESTTESTTESTTEST", "secret-of-the-test-key"];

/// Tables, an emulator and a clock.
pub struct Market {
    folder: tempfile::TempDir,
    pub emulator: Emulator,
    pub store: Store,
    pub ledger: Backend,
    pub records: String,
    pub subscribers: String,
    now: String,
}

impl Market {
    /// The guide's tables, empty, at 14:05 on a day of February 2026.
    pub fn new() -> Self {
        Self::on(Backend::Sqlite, Settings::default())
    }

    /// With an emulator like this.
    pub fn with(settings: Settings) -> Self {
        Self::on(Backend::Sqlite, settings)
    }

    pub fn on(ledger: Backend, settings: Settings) -> Self {
        Self::made("customerAWSAccountId", **Moto::shared(), ledger, settings)
    }

    /// With another hash key of the records' table.
    pub fn with_key(hash: &str) -> Self {
        Self::made(hash, **Moto::shared(), Backend::Sqlite, Settings::default())
    }

    /// With tables on this server.
    pub fn beside(store: Store, ledger: Backend, settings: Settings) -> Self {
        Self::made("customerAWSAccountId", store, ledger, settings)
    }

    fn made(hash: &str, store: Store, ledger: Backend, settings: Settings) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let now = "2026-02-15T16:05:00Z";
        let [id, secret] = KEY.map(str::to_owned);
        let credentials = Credentials { access_key_id: id, secret_access_key: secret, session_token: None };
        let clock = Clock::Fixed(now.parse().unwrap());
        let settings = Settings { clock, credentials, enforce_rate: false, ..settings };
        let emulator = Emulator::start(settings).unwrap();
        let market = Market {
            folder: tempfile::tempdir().unwrap(),
            emulator,
            store,
            ledger,
            records: format!("MeteringRecords-{number}"),
            subscribers: format!("Subscribers-{number}"),
            now: now.to_owned(),
        };
        market.tables(hash);
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/aws-marketplace/pipeline.toml");
        market.pipeline(&std::fs::read_to_string(example).unwrap());
        market
    }

    /// Makes the tables as the guide does.
    fn tables(&self, hash: &str) {
        self.dynamodb(
            "CreateTable",
            &json!({
                "TableName": self.records, "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    { "AttributeName": hash, "AttributeType": "S" },
                    { "AttributeName": "create_timestamp", "AttributeType": "N" },
                    { "AttributeName": "metering_pending", "AttributeType": "S" },
                ],
                "KeySchema": [
                    { "AttributeName": hash, "KeyType": "HASH" },
                    { "AttributeName": "create_timestamp", "KeyType": "RANGE" },
                ],
                "GlobalSecondaryIndexes": [{
                    "IndexName": "PendingMeteringRecordsIndex",
                    "KeySchema": [
                        { "AttributeName": "metering_pending", "KeyType": "HASH" },
                        { "AttributeName": "create_timestamp", "KeyType": "RANGE" },
                    ],
                    "Projection": { "ProjectionType": "ALL" },
                }],
            }),
        );
        self.dynamodb(
            "CreateTable",
            &json!({
                "TableName": self.subscribers, "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    { "AttributeName": "productCode", "AttributeType": "S" },
                    { "AttributeName": "customerAWSAccountId", "AttributeType": "S" },
                ],
                "KeySchema": [
                    { "AttributeName": "productCode", "KeyType": "HASH" },
                    { "AttributeName": "customerAWSAccountId", "KeyType": "RANGE" },
                ],
            }),
        );
    }

    /// Calls DynamoDB as nobody in particular.
    pub fn dynamodb(&self, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.store.dynamodb(operation, &body.to_string());
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Puts an item as the guide's seller does: who, when (milliseconds), which product, what, how much.
    pub fn item(&self, customer: &str, time: i64, product: &str, dimension: &str, quantity: &str) {
        self.put(&json!({
            "customerAWSAccountId": { "S": customer },
            "create_timestamp": { "N": time.to_string() },
            "productCode": { "S": product },
            "dimension": { "S": dimension },
            "quantity": { "N": quantity },
            "metering_pending": { "S": "true" },
        }));
    }

    pub fn put(&self, item: &Value) {
        self.dynamodb("PutItem", &json!({ "TableName": self.records, "Item": item }));
    }

    /// Changes an item: `SET a = :a`, as a person does in the console.
    pub fn update(&self, customer: &str, time: i64, expression: &str, values: &Value) {
        self.dynamodb(
            "UpdateItem",
            &json!({
                "TableName": self.records, "Key": key(customer, time),
                "UpdateExpression": expression, "ExpressionAttributeValues": values,
            }),
        );
    }

    /// As the guide says that a failed record is tried again.
    pub fn set_pending_again(&self, customer: &str, time: i64) {
        let values = json!({ ":p": { "S": "true" }, ":f": { "BOOL": false } });
        self.update(customer, time, "SET metering_pending = :p, metering_failed = :f", &values);
    }

    pub fn delete(&self, customer: &str, time: i64) {
        self.dynamodb("DeleteItem", &json!({ "TableName": self.records, "Key": key(customer, time) }));
    }

    pub fn get(&self, customer: &str, time: i64) -> Option<Value> {
        let answer = self.dynamodb("GetItem", &json!({ "TableName": self.records, "Key": key(customer, time) }));
        answer.get("Item").cloned()
    }

    /// All items of the records' table.
    pub fn items(&self) -> Vec<Value> {
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let mut request = json!({ "TableName": self.records });
            if let Some(from) = from {
                request["ExclusiveStartKey"] = from;
            }
            let answer = self.dynamodb("Scan", &request);
            items.extend(answer["Items"].as_array().unwrap().iter().cloned());
            match answer.get("LastEvaluatedKey") {
                Some(last) => from = Some(last.clone()),
                None => return items,
            }
        }
    }

    /// The totals of a subscriber, by dimension.
    pub fn totals(&self, product: &str, customer: &str) -> BTreeMap<String, String> {
        let key = json!({ "productCode": { "S": product }, "customerAWSAccountId": { "S": customer } });
        let answer = self.dynamodb("GetItem", &json!({ "TableName": self.subscribers, "Key": key }));
        let totals = answer["Item"]["totalMeteringSent"]["M"].as_object().cloned().unwrap_or_default();
        totals.into_iter().map(|(dimension, total)| (dimension, total["N"].as_str().unwrap().to_owned())).collect()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn pipeline(&self, text: &str) {
        let place = match &self.ledger {
            Backend::S3(Bucket { name, .. }) => format!("ledger = \"s3://{name}/ledger\"\n"),
            Backend::Sqlite => String::new(),
        };
        std::fs::write(self.path("pipeline.toml"), place + text).unwrap();
    }

    pub fn replace(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path("pipeline.toml")).unwrap();
        assert!(text.contains(from), "the pipeline does not hold {from}");
        std::fs::write(self.path("pipeline.toml"), text.replace(from, to)).unwrap();
    }

    pub fn at(&mut self, now: &str) {
        now.clone_into(&mut self.now);
        self.emulator.set_clock(Clock::Fixed(now.parse().unwrap()));
    }

    pub fn run(&self) -> Ended {
        self.command("run", &[], &[])
    }

    pub fn command(&self, command: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        ended(self.step(command).args(arguments).envs(variables.iter().copied()).output().unwrap())
    }

    /// A command on the pipeline, not run yet.
    pub fn step(&self, command: &str) -> Command {
        self.step_at(command, &self.now)
    }

    fn step_at(&self, command: &str, now: &str) -> Command {
        let mut program = program();
        program.args(command.split(' ')).arg(self.path("pipeline.toml")).args(["--now", now]);
        program.env("AWS_ENDPOINT_URL_DYNAMODB", self.store.url());
        program.env("AWS_ENDPOINT_URL_MARKETPLACE_METERING", self.emulator.url());
        program.env("METERING_RECORDS_TABLE", &self.records).env("SUBSCRIBERS_TABLE", &self.subscribers);
        let [id, secret] = KEY;
        program.env("AWS_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        if let Backend::S3(bucket) = &self.ledger {
            program.env("AWS_ENDPOINT_URL_S3", bucket.proxy.url());
        }
        program
    }

    /// A run that has stopped at this place.
    pub fn stopped_at(&self, place: &str) -> Stopped {
        let mut step = self.step("run");
        step.env("METERHOST_FAILPOINT", format!("stop:{place}"));
        step.stdout(Stdio::piped()).stderr(Stdio::piped());
        stopped(step.spawn().unwrap())
    }

    /// A command whose words go into a file.
    pub fn step_saying(&self, command: &str, said: &Path) -> Command {
        let out = std::fs::File::create(said).unwrap();
        let mut step = self.step(command);
        step.stdout(out.try_clone().unwrap()).stderr(out);
        step
    }

    /// Asserts that the service finds nothing wrong. Runs of a test follow each other faster than those of any schedule: how many calls they
    /// make a second together says nothing.
    #[track_caller]
    pub fn is_clean(&self) {
        let audit = self.emulator.audit();
        let mut findings = audit.findings.iter().filter(|finding| !matches!(finding, Finding::AboveTheRate { .. }));
        assert_eq!(findings.next(), None, "{audit:?}");
    }

    /// What was billed, by customer, product, dimension and hour.
    #[track_caller]
    pub fn billed(&self) -> BTreeMap<(String, String, String, String), String> {
        self.is_clean();
        let mut billed = BTreeMap::new();
        for booked in self.emulator.books() {
            let (Customer::Account(customer) | Customer::Identifier(customer)) = booked.customer;
            let (Product::Code(product) | Product::License(product)) = booked.product;
            let key = (customer, product, booked.dimension, booked.hour.to_string());
            assert_eq!(billed.insert(key, booked.quantity.to_string()), None, "billed twice");
        }
        billed
    }

    /// How many calls of the metering service there were.
    pub fn calls(&self) -> usize {
        self.emulator.requests().len()
    }
}

/// What tests of faults ask.
impl Market {
    /// The bodies of all calls of the metering service, oldest first.
    pub fn sent(&self) -> Vec<String> {
        let bodies = self.emulator.requests().into_iter().map(|request| request.raw_body);
        bodies.map(|body| String::from_utf8(body.to_vec()).unwrap()).collect()
    }

    /// Asserts that the model that botocore publishes of the service takes all that was sent.
    #[track_caller]
    pub fn fits_the_model(&self) {
        let sent = self.sent();
        assert!(!sent.is_empty());
        let file = self.path("sent.jsonl");
        std::fs::write(&file, sent.iter().map(|body| format!("{body}\n")).collect::<String>()).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/metering-emulator/python/validate.py");
        let ended = Command::new(s3_proxy::python()).arg(script).arg(file).output().unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        assert!(ended.status.success() && said.contains(&format!("{} bodies, ", sent.len())), "{said}");
    }

    /// The records of all calls, each once, byte for byte as they were sent.
    pub fn records_sent(&self) -> BTreeSet<String> {
        #[derive(serde::Deserialize)]
        struct Call<'a> {
            #[serde(borrow, rename = "UsageRecords")]
            records: Vec<&'a serde_json::value::RawValue>,
        }
        let mut records = BTreeSet::new();
        for body in self.sent().iter().filter(|body| !body.is_empty()) {
            let call: Call<'_> = serde_json::from_str(body).unwrap();
            records.extend(call.records.iter().map(|record| record.get().to_owned()));
        }
        records
    }

    /// The charge of a customer's dimension, as the ledger shows it.
    #[track_caller]
    pub fn charge(&self, customer: &str, dimension: &str) -> Value {
        let shown = self.command("ledger show", &["--json"], &[]).expect(0).json();
        let windows = shown["windows"].as_array().unwrap();
        let mut charges = windows.iter().flat_map(|window| window["charges"].as_array().unwrap());
        charges.find(|it| it["customer"] == customer && it["dimension"] == dimension).unwrap().clone()
    }

    /// Begins the ledger before the hour of most tests is over: nobody can have billed it before.
    pub fn begin_early(&self) {
        let early = "2026-02-15T14:01:00Z";
        ended(self.step_at("run", early).env("METERHOST_CLOCK", early).output().unwrap()).expect(0);
    }

    /// How an item is marked: `metering_pending`, `metering_failed`, `metering_response`.
    #[track_caller]
    pub fn marks(&self, customer: &str, time: i64) -> (String, Option<bool>, String) {
        let item = self.get(customer, time).expect("the item is there");
        let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        (text("metering_pending"), item["metering_failed"]["BOOL"].as_bool(), text("metering_response"))
    }

    /// Asserts that items are marked as billed, or as refused, with such a word in the service's answer.
    #[track_caller]
    pub fn marked(&self, items: &[(&str, i64)], is_failed: bool, word: &str) {
        for (customer, time) in items {
            let (pending, failed, response) = self.marks(customer, *time);
            assert_eq!((pending.as_str(), failed), ("false", Some(is_failed)), "{customer} {time}: {response}");
            assert!(response.contains(word), "{word} is not in {response}");
        }
    }

    /// The total of a dimension of the guide's first product; empty where there is none.
    pub fn total(&self, customer: &str, dimension: &str) -> String {
        self.totals(PRODUCT, customer).remove(dimension).unwrap_or_default()
    }

    /// Starts a run that falls asleep at a place, and waits until it does.
    pub fn asleep_at(&self, place: &str) -> Child {
        let mut run = self.step("run");
        run.env("METERHOST_FAILPOINT", format!("stop:{place}")).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = run.spawn().unwrap();
        let begun = Instant::now();
        while !is_stopped(&child) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{place} is not passed");
            std::thread::sleep(Duration::from_millis(10));
        }
        child
    }

    /// Asserts that a further run finds nothing to do, and changes nothing.
    #[track_caller]
    pub fn is_at_rest(&self, exit: i32) {
        let before = (self.calls(), self.items());
        self.run().expect(exit);
        assert_eq!((self.calls(), self.items()), before);
    }
}

impl Market {
    /// A proxy that a ledger on S3 is reached through.
    pub fn on_s3() -> Self {
        let store: Store = **Moto::shared();
        let bucket = Bucket { name: store.bucket(), proxy: Proxy::start(&store), store };
        Self::on(Backend::S3(bucket), Settings::default())
    }
}

fn key(customer: &str, time: i64) -> Value {
    json!({ "customerAWSAccountId": { "S": customer }, "create_timestamp": { "N": time.to_string() } })
}

/// A run that a failpoint has stopped, in the middle of what it does.
pub struct Stopped(Child);

/// Waits until a run has stopped.
fn stopped(child: Child) -> Stopped {
    let stat = format!("/proc/{}/stat", child.id());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let text = std::fs::read_to_string(&stat).unwrap();
        // The state stands behind the name, which is in brackets.
        match text.rsplit_once(')').map(|(_, rest)| rest.trim_start().chars().next()) {
            Some(Some('T')) => return Stopped(child),
            Some(Some('Z')) => panic!("it ended before it stopped"),
            _ => assert!(std::time::Instant::now() < until, "it does not stop"),
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

impl Stopped {
    /// Lets it go on to its end.
    pub fn go_on(self) -> Ended {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-CONT", &id]).status().unwrap().success());
        ended(self.0.wait_with_output().unwrap())
    }
}
