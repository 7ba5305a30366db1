//! The plugin against DynamoDB in memory.

mod claims;
mod dynamo;
mod histories;
mod marking;
mod reading;
mod totals;

use meterhost_sdk::{
    Cursor, Decimal, Error, Page, Receipt, Request, Settled, Settlement, Shard, Source, Unmarked, Window,
};
use serde_json::{Value, json};

use crate::DynamodbReader;
use dynamo::Stage;

const GUIDE: &str = r#"{ "table": "Records", "subscribers": "Subscribers" }"#;
const SAMPLES: &str = r#"{ "table": "Records", "format": "dimension-usage", "mark": "sparse" }"#;
const GUIDE_KEY: [&str; 2] = ["customerAWSAccountId", "create_timestamp"];
const SAMPLES_KEY: [&str; 2] = ["customerIdentifier", "create_timestamp"];

/// The customer of most tests, the token of this pipeline's ledger, and what time it is.
const CUSTOMER: &str = "123456789012";
const TOKEN: &str = "meterhost/acme/1";
const NOW: i64 = 1_708_016_400_000;

/// A record as AWS's guide writes it.
fn record(customer: &str, time: i64, dimension: &str, quantity: &str) -> Value {
    json!({
        "customerAWSAccountId": { "S": customer },
        "create_timestamp": { "N": time.to_string() },
        "productCode": { "S": "prod" },
        "dimension": { "S": dimension },
        "quantity": { "N": quantity },
        "metering_pending": { "S": "true" },
    })
}

/// A record as aws-samples writes it.
fn usage(customer: &str, time: i64, dimensions: &[(&str, &str)]) -> Value {
    let member = |(name, value): &(&str, &str)| json!({ "M": { "dimension": { "S": name }, "value": { "N": value } } });
    json!({
        "customerIdentifier": { "S": customer },
        "create_timestamp": { "N": time.to_string() },
        "dimension_usage": { "L": dimensions.iter().map(member).collect::<Vec<Value>>() },
        "metering_pending": { "S": "true" },
    })
}

/// An item with other attributes; those that are null are taken away.
fn with(mut item: Value, attributes: Value) -> Value {
    for (name, value) in attributes.as_object().unwrap() {
        item[name] = value.clone();
    }
    item.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    item
}

fn request() -> Request {
    Request {
        windows: vec![Window { start: i64::MIN, end: NOW }],
        now: NOW,
        shard: Shard { index: 0, count: 1 },
        claim: Some(TOKEN.to_owned()),
        dry_run: false,
    }
}

fn dry_run() -> Request {
    Request { dry_run: true, ..request() }
}

fn read(config: &str, request: Request) -> Result<Vec<Page>, Error> {
    let mut reading = DynamodbReader::open(serde_json::from_str(config).unwrap(), request)?;
    let mut pages = Vec::new();
    while let Some(page) = reading.next()? {
        let rows = page.batch.len();
        assert_eq!(page.references.len(), rows, "a reference a row");
        assert_eq!(page.row_inputs.runs().map(|(_, rows)| rows).sum::<usize>(), rows, "an input a row");
        assert!(rows + page.quarantined.len() > 0, "a page holds something");
        pages.push(page);
    }
    let items: u64 = pages.iter().flat_map(|page| &page.inputs).map(|input| input.items).sum();
    let held: usize = pages.iter().map(|page| page.batch.len() + page.quarantined.len()).sum();
    assert_eq!(items, held as u64, "each item is accounted for");
    Ok(pages)
}

/// Every row as one line: reference, product, dimension, quantity, time.
fn rows(pages: &[Page]) -> Vec<String> {
    let rows = pages.iter().flat_map(|page| page.batch.rows().zip(&page.references));
    rows.map(|(row, reference)| format!("{reference} {} {} {} {}", row.product, row.dimension, row.quantity, row.time))
        .collect()
}

fn references(pages: &[Page]) -> Vec<String> {
    pages.iter().flat_map(|page| page.references.iter().cloned()).collect()
}

/// Every quarantined record as one line: place, dimension, reason.
fn quarantined(pages: &[Page]) -> Vec<String> {
    let records = pages.iter().flat_map(|page| &page.quarantined);
    records
        .map(|record| format!("{} {}: {}", record.place, record.dimension.as_deref().unwrap_or("-"), record.reason))
        .collect()
}

pub(crate) fn settlement(charge: &str, dimension: &str, outcome: Settled, answer: &str) -> Settlement {
    Settlement {
        charge: charge.to_owned(),
        revision: 1,
        product: "prod".to_owned(),
        customer: CUSTOMER.to_owned(),
        dimension: dimension.to_owned(),
        time: 0,
        quantity: Decimal::from(12),
        outcome,
        reference: None,
        message: None,
        answer: answer.to_owned(),
    }
}

fn receipt(reference: &str, settlements: &[u32], first: &[u32]) -> Receipt {
    Receipt { reference: reference.to_owned(), settlements: settlements.to_vec(), first: first.to_vec() }
}

fn acknowledge(config: &str, settlements: &[Settlement], receipts: &[Receipt]) -> Result<Vec<Unmarked>, Error> {
    DynamodbReader::acknowledge(serde_json::from_str(config).unwrap(), TOKEN, settlements, receipts)
}

fn total(stage: &Stage, dimension: &str) -> Option<String> {
    let row = stage.get().item("Subscribers", ["prod", CUSTOMER])?;
    row["totalMeteringSent"]["M"][dimension]["N"].as_str().map(str::to_owned)
}
