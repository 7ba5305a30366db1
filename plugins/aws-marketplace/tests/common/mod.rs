//! What the tests share: charges, and a stage for the plugin.
#![allow(dead_code, reason = "each test file is a crate of its own and needs a part of this")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::rc::Rc;

use aws_marketplace::{AwsMarketplace, Config, MarketplaceSession};
use meterhost_sdk::aws::{Error, ServiceError};
use meterhost_sdk::{Charge, Decimal, Failure, Outcome, Session, Sink, Status, Window, testing};
use serde_json::{Value, json};

pub const A: &str = "123456789012";
pub const B: &str = "210987654321";
pub const PRODUCT: &str = "abc123xyz456";
pub const LICENSE: &str = "arn:aws:license-manager::294406891311:license/l-1a2b3c4d5e6f";

/// 2026-11-20T18:00:00Z, an hour long.
pub const WINDOW: Window = Window { start: 1_795_197_600_000, end: 1_795_201_200_000 };
/// The same in seconds.
pub const HOUR: i64 = WINDOW.start / 1000;
pub const NOW: i64 = WINDOW.end + 600_000;

/// A time in milliseconds.
pub fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// A charge of the hour [`WINDOW`]. Its id is made of its names.
pub fn charge(customer: &str, dimension: &str, quantity: &str) -> Charge {
    Charge {
        id: format!("{customer}/{dimension}"),
        product: PRODUCT.into(),
        customer: customer.into(),
        dimension: dimension.into(),
        tags: vec![],
        window: WINDOW,
        time: WINDOW.start,
        quantity: Decimal::parse(quantity).unwrap(),
        carried: vec![],
        attributes: vec![],
    }
}

/// The same with tags, which are part of its id.
pub fn tagged(customer: &str, dimension: &str, quantity: &str, tags: &[(&str, &str)]) -> Charge {
    let tags: Vec<(String, String)> = tags.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    let charge = charge(customer, dimension, quantity);
    Charge { id: format!("{}/{tags:?}", charge.id), tags, ..charge }
}

/// The same, of the hour that begins then.
pub fn in_hour(charge: Charge, start: i64) -> Charge {
    let id = format!("{}@{start}", charge.id);
    Charge { id, window: Window { start, end: start + 3_600_000 }, time: start, ..charge }
}

/// A configuration as the pipeline file writes it, in JSON.
pub fn config(text: &str) -> Config {
    serde_json::from_str(text).unwrap()
}

/// Every body that the plugin sent.
pub type Sent = Rc<RefCell<Vec<String>>>;

/// From here on, this answers every call.
pub fn stage(mut service: impl FnMut(&Value) -> Result<String, Error> + 'static) -> Sent {
    let sent = Sent::default();
    let log = sent.clone();
    testing::aws(move |name, action, body| {
        assert_eq!((name, action), ("aws-marketplace", "BatchMeterUsage"));
        log.borrow_mut().push(body.to_owned());
        service(&serde_json::from_str(body).unwrap())
    });
    sent
}

/// Answers as a service that accepts everything: every record is repeated as it came, under a name of its own.
pub fn all_success(body: &Value) -> Result<String, Error> {
    let records = body["UsageRecords"].as_array().unwrap();
    let result = |(place, record): (usize, &Value)| json!({ "UsageRecord": record, "MeteringRecordId": format!("mr-{place}"), "Status": "Success" });
    let results: Vec<Value> = records.iter().enumerate().map(result).collect();
    Ok(json!({ "Results": results, "UnprocessedRecords": [] }).to_string())
}

pub fn session(text: &str) -> MarketplaceSession {
    AwsMarketplace::connect(config(text), NOW).unwrap()
}

/// Offers charges to a service that gives this answer.
pub fn offer(charges: &[Charge], answer: Result<&str, Error>) -> Result<Vec<Outcome>, Failure> {
    let answer = answer.map(str::to_owned);
    stage(move |_| answer.clone());
    session("{}").submit(charges, NOW)
}

/// Offers charges to a service that gives these results and unprocessed records.
pub fn results(charges: &[Charge], results: &[Value], unprocessed: &[Value]) -> Vec<Outcome> {
    let answer = json!({ "Results": results, "UnprocessedRecords": unprocessed }).to_string();
    offer(charges, Ok(&answer)).unwrap()
}

/// A result of a charge as the service writes it.
pub fn result(charge: &Charge, status: &str) -> Value {
    json!({ "UsageRecord": echo(charge), "MeteringRecordId": format!("mr-{}", charge.id), "Status": status })
}

/// A charge without tags as the service repeats it.
pub fn echo(charge: &Charge) -> Value {
    let quantity: i64 = charge.quantity.to_string().parse().unwrap();
    json!({
        "Timestamp": charge.time / 1000, "Dimension": charge.dimension, "Quantity": quantity,
        "CustomerAWSAccountId": charge.customer,
    })
}

pub fn statuses(outcomes: &[Outcome]) -> Vec<Status> {
    outcomes.iter().map(|outcome| outcome.status).collect()
}

/// An error of the service.
pub fn error(status: u16, code: &str, message: &str) -> Error {
    let body = format!(r#"{{"__type":"{code}","message":"{message}"}}"#);
    Error::Service(ServiceError { status, code: code.into(), message: message.into(), body, retry_after: None })
}
