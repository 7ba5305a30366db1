//! boto3 as a second client: it signs by itself, and reads answers as programs of sellers do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use metering_emulator::{
    Clock, Credentials, EchoTime, Emulator, ErrorStyle, Fault, License, Settings, UnknownCustomer,
};
use serde_json::{Value, json};

use crate::client::*;

/// A process of Python that makes calls. It ends when its input does.
struct Boto {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Boto {
    fn of(service: &Emulator) -> Boto {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python/client.py");
        let mut command = Command::new(s3_proxy::python());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        let command = command.arg(script).arg(service.url()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Boto { child, input, output }
    }

    fn make(&mut self, call: &Value) -> Value {
        writeln!(self.input.as_mut().unwrap(), "{call}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn submit(&mut self, records: &[Value]) -> Value {
        self.make(&json!({ "request": call(records) }))
    }

    /// The class and the status of what a call raises.
    fn raised(&mut self, call: &Value) -> (String, u64) {
        let made = self.make(call);
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| unreachable!("{made}")).to_owned();
        let class = text("exception");
        let name = if class == "ClientError" { format!("ClientError {}", text("code")) } else { class };
        (name, made["status"].as_u64().unwrap_or_default())
    }
}

impl Drop for Boto {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

#[test]
fn boto3_reads_every_status_and_the_echo() {
    for (echo_time, error_style) in [(EchoTime::Plain, ErrorStyle::Plain), (EchoTime::Exponent, ErrorStyle::Namespaced)]
    {
        let service = with(Settings { echo_time, error_style, ..settings() });
        service.unsubscribe(BOB);
        let mut boto = Boto::of(&service);
        let allocations = json!([
            { "AllocatedUsageQuantity": 2, "Tags": [{ "Key": "tier", "Value": "gold" }] },
            { "AllocatedUsageQuantity": 3 },
        ]);
        // Python's timestamps have a fraction.
        let sent = |dimension: &str, quantity| but(record(ALICE, dimension, quantity), "Timestamp", HOUR as f64);
        let allocated = but(sent("calls", 5), "UsageAllocations", allocations);
        let answer = boto.submit(&[record(ALICE, "users", 5), allocated.clone(), record(BOB, "users", 5)]);
        let results = &answer["answer"]["Results"];
        assert_eq!(results[0]["Status"], "Success", "{answer}");
        assert_eq!((&results[1]["UsageRecord"], &results[1]["Status"]), (&allocated, &json!("Success")));
        assert_eq!(results[2]["Status"], "CustomerNotSubscribed");
        assert_eq!(results[0]["MeteringRecordId"], service.books()[0].id);
        assert_eq!(results[0]["UsageRecord"]["Timestamp"], HOUR as f64);
        let answer = boto.submit(&[record(ALICE, "users", 5), record(ALICE, "calls", 6)]);
        let results = &answer["answer"]["Results"];
        assert_eq!((&results[0]["Status"], &results[1]["Status"]), (&json!("Success"), &json!("DuplicateRecord")));
        service.push_fault(Fault::unprocessed([0]));
        let answer = boto.submit(&[sent("new", 1)]);
        assert_eq!(answer["answer"]["UnprocessedRecords"], json!([sent("new", 1)]));
        assert_eq!(service.books().len(), 2);
    }
}

/// A call that brings each error about, by the name of its class in boto3.
fn erring() -> Vec<(&'static str, Value, u64)> {
    let request = |records: Value| json!({ "request": { "ProductCode": "product", "UsageRecords": records } });
    let good = || record(ALICE, "users", 5);
    let tagged = |tags: Value| but(good(), "UsageAllocations", json!([{ "AllocatedUsageQuantity": 5, "Tags": tags }]));
    let with = |mut call: Value, member: &str, value: &str| {
        call[member] = value.into();
        call
    };
    let one = || request(json!([good()]));
    let unlicensed =
        json!({ "request": { "UsageRecords": [licensed(good(), "arn:aws:license-manager::1:license:x")] } });
    let many: Vec<Value> = (0..26).map(|place| record(ALICE, &format!("d{place}"), 1)).collect();
    vec![
        ("TimestampOutOfBoundsException", request(json!([but(good(), "Timestamp", HOUR - 86_400)])), 400),
        ("InvalidProductCodeException", json!({ "request": { "ProductCode": "x", "UsageRecords": [good()] } }), 400),
        ("InvalidUsageDimensionException", request(json!([record(ALICE, "gpu", 1)])), 400),
        ("InvalidTagException", request(json!([tagged(json!([{ "Key": "a", "Value": "{}" }]))])), 400),
        (
            "InvalidUsageAllocationsException",
            request(json!([but(good(), "UsageAllocations", json!([{ "AllocatedUsageQuantity": 4 }]))])),
            400,
        ),
        ("InvalidCustomerIdentifierException", request(json!([record(BOB, "users", 1)])), 400),
        ("InvalidLicenseException", unlicensed, 400),
        ("ClientError ValidationException", request(many.into()), 400),
        ("ClientError ValidationException", request(json!([but(good(), "Quantity", -1)])), 400),
        ("ClientError ValidationException", request(json!([but(good(), "QuantityAsDecimal", "5")])), 400),
        ("ClientError InvalidSignatureException", with(one(), "secret", "wrong"), 400),
        ("ClientError InvalidSignatureException", with(one(), "region", "eu-central-1"), 400),
        ("ClientError UnrecognizedClientException", with(one(), "key", "AKIDOTHER"), 400),
        ("ClientError UnrecognizedClientException", with(one(), "token", "made-up"), 400),
    ]
}

#[test]
fn boto3_raises_each_error_by_its_class() {
    let products = BTreeMap::from([("product".to_owned(), ["users".to_owned()].into())]);
    let licenses = BTreeMap::from([(ARN.to_owned(), License { product: "product".into(), customer: None })]);
    for error_style in [ErrorStyle::Plain, ErrorStyle::Namespaced] {
        let service = with(Settings {
            products: Some(products.clone()),
            licenses: Some(licenses.clone()),
            known_customers: Some([ALICE.to_owned()].into()),
            unknown_customer: UnknownCustomer::Invalid,
            error_style,
            ..settings()
        });
        let mut boto = Boto::of(&service);
        for (name, call, status) in erring() {
            assert_eq!(boto.raised(&call), (name.to_owned(), status));
        }
        let one = json!({ "request": call(&[record(ALICE, "users", 5)]) });
        service.push_fault(Fault::Throttle);
        assert_eq!(boto.raised(&one), ("ThrottlingException".into(), 400));
        for fault in [Fault::internal_before_commit(), Fault::internal_after_commit()] {
            service.push_fault(fault);
            assert_eq!(boto.raised(&one), ("InternalServiceErrorException".into(), 500));
        }
        service.push_fault(Fault::drop_before_commit());
        assert_eq!(boto.raised(&one).0, "ConnectionClosedError");
        service.set_disabled(true);
        assert_eq!(boto.raised(&one), ("DisabledApiException".into(), 400));
        assert_eq!(billed(&service), [format!("{ALICE} users 5")]);
    }
}

#[test]
fn boto3_signs_with_a_session_and_is_told_of_its_end() {
    let session = Credentials { session_token: Some("token".into()), ..Credentials::default() };
    let service = with(Settings { credentials: session, ..settings() });
    let mut boto = Boto::of(&service);
    let one = json!({ "request": call(&[record(ALICE, "users", 5)]), "token": "token" });
    assert_eq!(boto.make(&one)["answer"]["Results"][0]["Status"], "Success");
    service.expire_session();
    // The model has an error of this name, though for another operation.
    assert_eq!(boto.raised(&one), ("ExpiredTokenException".into(), 400));
}

#[test]
fn boto3_gets_through_faults_by_trying_again() {
    let service = start();
    let faults = [
        Fault::Throttle,
        Fault::internal_after_commit(),
        Fault::drop_after_commit(),
        Fault::NotJson { status: 503, commit: true },
    ];
    faults.into_iter().for_each(|fault| service.push_fault(fault));
    let made = Boto::of(&service).make(&json!({ "request": call(&[record(ALICE, "users", 5)]), "attempts": 5 }));
    assert_eq!((&made["answer"]["Results"][0]["Status"], &made["attempts"]), (&json!("Success"), &json!(5)), "{made}");
    assert_eq!(service.books().len(), 1);
    assert!(service.audit().is_clean(), "{:?}", service.audit());
}

#[test]
fn boto3_bills_by_the_real_clock_under_a_licence() {
    let service = with(Settings { clock: Clock::Real, ..settings() });
    let now = jiff::Timestamp::now().as_second();
    let record = licensed(but(record(ALICE, "users", 5), "Timestamp", now), ARN);
    let made = Boto::of(&service).make(&json!({ "request": { "UsageRecords": [record] } }));
    assert_eq!(made["answer"]["Results"][0]["UsageRecord"], but(record, "Timestamp", now as f64));
}
