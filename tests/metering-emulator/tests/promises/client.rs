//! A client that hides nothing: one connection a request, and the answer as it came. It signs by code of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use metering_emulator::{Clock, Emulator, Outcome, Settings};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const ALICE: &str = "123456789012";
pub const BOB: &str = "210987654321";
/// Where the clock stands in most tests: the afternoon of a day within a month.
pub const NOW: &str = "2026-11-20T18:18:35Z";
/// The hour before, in seconds since 1970.
pub const HOUR: i64 = 1_795_194_000;
pub const ARN: &str = "arn:aws:license-manager::294406891311:license:l-1";

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn results(&self) -> Vec<Value> {
        self.json()["Results"].as_array().unwrap().clone()
    }

    /// The statuses of the results, in their order.
    pub fn statuses(&self) -> Vec<String> {
        self.results().iter().map(|result| result["Status"].as_str().unwrap().to_owned()).collect()
    }

    pub fn unprocessed(&self) -> Vec<Value> {
        self.json()["UnprocessedRecords"].as_array().unwrap().clone()
    }

    /// The name of the error, which body and header agree on.
    pub fn error(&self) -> String {
        let name = self.json()["__type"].as_str().unwrap().to_owned();
        assert_eq!(self.header("x-amzn-errortype"), Some(name.as_str()));
        name
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Whether all of the announced body came.
    pub fn is_whole(&self) -> bool {
        self.header("content-length").is_some_and(|length| length == self.body.len().to_string())
    }
}

/// How a request is signed and what goes beside its body.
#[derive(Clone)]
pub struct Signer {
    pub key: &'static str,
    pub secret: &'static str,
    pub token: Option<&'static str>,
    pub region: &'static str,
    pub service: &'static str,
    pub target: &'static str,
    pub content_type: &'static str,
    /// Added to the real time, in seconds.
    pub late: i64,
    /// A header that is sent and not signed.
    pub unsigned: &'static str,
}

pub const SELLER: Signer = Signer {
    key: "AKIDEXAMPLE",
    secret: "secret",
    token: None,
    region: "us-east-1",
    service: "aws-marketplace",
    target: "AWSMPMeteringService.BatchMeterUsage",
    content_type: "application/x-amz-json-1.1",
    late: 0,
    unsigned: "",
};

impl Signer {
    /// The headers of a request with this body.
    pub fn headers(&self, host: &str, body: &str) -> Vec<String> {
        let now = Timestamp::now() + SignedDuration::from_secs(self.late);
        let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = vec![
            ("content-type", self.content_type),
            ("host", host),
            ("x-amz-date", date.as_str()),
            ("x-amz-security-token", self.token.unwrap_or_default()),
            ("x-amz-target", self.target),
        ];
        headers.retain(|(_, value)| !value.is_empty());
        let signed: Vec<_> = headers.iter().filter(|(name, _)| *name != self.unsigned).collect();
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", hex(&Sha256::digest(body)));
        let scope = format!("{}/{}/{}/aws4_request", &date[..8], self.region, self.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let first = format!("AWS4{}", self.secret).into_bytes();
        let key = scope.split('/').fold(first, |key, part| hmac(&key, part));
        let signature = hex(&hmac(&key, &to_sign));
        let credential = format!("{}/{scope}", self.key);
        let mut headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        headers.push(format!(
            "authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        ));
        headers
    }

    pub fn post(&self, service: &Emulator, body: &str) -> Option<Answer> {
        let host = service.url().strip_prefix("http://").unwrap();
        exchange(host, "POST", "/", &self.headers(host, body), body)
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a request and reads until the connection ends. `None` if it ends without a byte.
pub fn exchange(host: &str, method: &str, target: &str, headers: &[String], body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("host:")) {
        head += &format!("host: {host}\r\n");
    }
    for header in headers {
        head += &format!("{header}\r\n");
    }
    // A service may answer, or end the connection, before it has read all.
    let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// An emulator whose clock stands at [`NOW`], that counts requests but does not throttle them.
pub fn settings() -> Settings {
    Settings { clock: Clock::Fixed(NOW.parse().unwrap()), enforce_rate: false, ..Settings::default() }
}

pub fn start() -> Emulator {
    with(settings())
}

pub fn with(settings: Settings) -> Emulator {
    Emulator::start(settings).unwrap()
}

/// A record of the hour before.
pub fn record(customer: &str, dimension: &str, quantity: u32) -> Value {
    json!({ "Timestamp": HOUR, "Dimension": dimension, "Quantity": quantity, "CustomerAWSAccountId": customer })
}

/// The same with one member changed, or taken away by `null`.
pub fn but(mut record: Value, member: &str, value: impl Into<Value>) -> Value {
    match value.into() {
        Value::Null => drop(record.as_object_mut().unwrap().remove(member)),
        value => record[member] = value,
    }
    record
}

/// The record under a licence.
pub fn licensed(record: Value, arn: &str) -> Value {
    but(record, "LicenseArn", arn)
}

/// A call under a product's code.
pub fn call(records: &[Value]) -> Value {
    json!({ "ProductCode": "product", "UsageRecords": records })
}

/// Posts a call under a product's code.
pub fn submit(service: &Emulator, records: &[Value]) -> Option<Answer> {
    post(service, &call(records))
}

/// Posts a call under licences.
pub fn submit_licensed(service: &Emulator, records: &[Value]) -> Option<Answer> {
    post(service, &json!({ "UsageRecords": records }))
}

pub fn post(service: &Emulator, body: &Value) -> Option<Answer> {
    SELLER.post(service, &body.to_string())
}

/// The error with which a call is refused, and that nothing was billed by it.
pub fn refusal(service: &Emulator, body: &Value) -> String {
    let before = service.books().len();
    let answer = post(service, body).unwrap();
    assert_eq!(service.books().len(), before, "{answer:?}");
    assert_eq!(answer.status, 400, "{answer:?}");
    answer.error()
}

/// Customer, dimension and quantity of all records in the books.
pub fn billed(service: &Emulator) -> Vec<String> {
    let line = |it: metering_emulator::Booked| format!("{} {} {}", it.customer.name(), it.dimension, it.quantity);
    service.books().into_iter().map(line).collect()
}

/// What became of the records of the last request.
pub fn outcomes(service: &Emulator) -> Vec<Outcome> {
    service.requests().last().unwrap().outcomes.clone()
}
