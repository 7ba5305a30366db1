//! The guide's tables on either server, and what the records became.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use dynamodb_stand_in::{Settings, StandIn as Service};
use s3_proxy::{Proxy, Store};
use serde_json::{Value, json};

use super::usage::{Totals, Usage};

pub const RECORDS: &str = "MeteringRecords";
pub const SUBSCRIBERS: &str = "Subscribers";
const RECORDS_KEY: [&str; 2] = ["customerAWSAccountId", "create_timestamp"];
const SUBSCRIBERS_KEY: [&str; 2] = ["productCode", "customerAWSAccountId"];

/// Calls by their kind, and how many updates those have together.
pub type Counts = BTreeMap<String, (usize, usize)>;

/// Two tables, one of records and one of subscribers, as a server has them.
pub trait Tables {
    /// Where they answer.
    fn url(&self) -> String;
    /// What was called so far.
    fn counts(&self) -> Counts;
    /// When each call arrived, where that is known.
    fn moments(&self) -> Option<Vec<Instant>>;
    /// All records.
    fn records(&self) -> Vec<Value>;
    /// All subscribers.
    fn subscribers(&self) -> Vec<Value>;

    /// Whether the server had nothing to complain of.
    fn understood(&self) -> Result<(), String> {
        Ok(())
    }

    /// What was counted for each subscriber.
    fn totals(&self) -> Totals {
        let mut totals = Totals::new();
        for row in self.subscribers() {
            let customer = row["customerAWSAccountId"]["S"].as_str().unwrap_or_default();
            for (dimension, total) in row["totalMeteringSent"]["M"].as_object().into_iter().flatten() {
                let total = total["N"].as_str().unwrap_or_default().to_owned();
                totals.insert((customer.to_owned(), dimension.clone()), total);
            }
        }
        totals
    }
}

/// In memory, with a latency.
pub struct StandIn(Service);

impl StandIn {
    pub fn start(usage: &Usage, latency: Duration) -> Result<Self, Box<dyn Error>> {
        let mut tables = dynamodb_stand_in::Tables::default();
        tables.add(RECORDS, RECORDS_KEY);
        tables.add(SUBSCRIBERS, SUBSCRIBERS_KEY);
        usage.items().for_each(|item| tables.put(RECORDS, &item));
        Ok(StandIn(Service::start(tables, Settings { latency, ..Settings::default() })?))
    }
}

impl Tables for StandIn {
    fn url(&self) -> String {
        self.0.url().to_owned()
    }

    fn counts(&self) -> Counts {
        self.0.counts()
    }

    fn understood(&self) -> Result<(), String> {
        match (self.0.mistakes().first(), self.0.conflicts()) {
            (None, 0) => Ok(()),
            (Some(mistake), _) => Err(format!("the stand-in does not understand: {mistake}")),
            (None, conflicts) => Err(format!("{conflicts} calls met others that wrote the same items")),
        }
    }

    fn moments(&self) -> Option<Vec<Instant>> {
        Some(self.0.calls().into_iter().map(|call| call.at).collect())
    }

    fn records(&self) -> Vec<Value> {
        self.0.tables().items(RECORDS)
    }

    fn subscribers(&self) -> Vec<Value> {
        self.0.tables().items(SUBSCRIBERS)
    }
}

/// On moto, behind a proxy that counts.
pub struct Moto {
    _moto: s3_proxy::Moto,
    store: Store,
    proxy: Proxy,
}

impl Moto {
    pub fn start(usage: &Usage) -> Result<Self, Box<dyn Error>> {
        let moto = s3_proxy::Moto::start();
        let store: Store = *moto;
        let proxy = Proxy::start(&store);
        let this = Moto { _moto: moto, store, proxy };
        let index = json!([{
            "IndexName": "PendingMeteringRecordsIndex",
            "KeySchema": schema(["metering_pending", "create_timestamp"]),
            "Projection": { "ProjectionType": "ALL" },
        }]);
        let of_records = [("customerAWSAccountId", "S"), ("create_timestamp", "N"), ("metering_pending", "S")];
        this.make(RECORDS, RECORDS_KEY, &of_records, Some(index))?;
        this.make(SUBSCRIBERS, SUBSCRIBERS_KEY, &[("productCode", "S"), ("customerAWSAccountId", "S")], None)?;
        for (table, items) in
            [(RECORDS, usage.items().collect()), (SUBSCRIBERS, usage.subscribers().collect::<Vec<_>>())]
        {
            for items in items.chunks(25) {
                let puts: Vec<Value> = items.iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
                this.call("BatchWriteItem", &json!({ "RequestItems": { table: puts } }))?;
            }
        }
        Ok(this)
    }

    fn make(
        &self,
        name: &str,
        key: [&str; 2],
        attributes: &[(&str, &str)],
        index: Option<Value>,
    ) -> Result<Value, Box<dyn Error>> {
        let definition = |(name, kind): &(&str, &str)| json!({ "AttributeName": name, "AttributeType": kind });
        let mut request = json!({
            "TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": schema(key),
            "AttributeDefinitions": attributes.iter().map(definition).collect::<Vec<_>>(),
        });
        if let Some(index) = index {
            request["GlobalSecondaryIndexes"] = index;
        }
        self.call("CreateTable", &request)
    }

    fn call(&self, action: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        match self.store.dynamodb(action, &body.to_string()) {
            (200, answer) => Ok(serde_json::from_str(&answer)?),
            (status, answer) => Err(format!("{action}: {status} {answer}").into()),
        }
    }

    fn items(&self, table: &str) -> Result<Vec<Value>, Box<dyn Error>> {
        let (mut items, mut request) = (Vec::new(), json!({ "TableName": table }));
        loop {
            let mut answer = self.call("Scan", &request)?;
            if let Some(Value::Array(page)) = answer.get_mut("Items").map(Value::take) {
                items.extend(page);
            }
            match answer.get("LastEvaluatedKey") {
                Some(last) => request["ExclusiveStartKey"] = last.clone(),
                None => return Ok(items),
            }
        }
    }
}

fn schema([hash, range]: [&str; 2]) -> Value {
    json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }])
}

impl Tables for Moto {
    fn url(&self) -> String {
        self.proxy.url()
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::new();
        for request in self.proxy.requests() {
            let action = request.header("x-amz-target").and_then(|target| target.split('.').nth(1)).unwrap_or_default();
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let (calls, actions) = counts.entry(action.to_owned()).or_default();
            (*calls, *actions) = (*calls + 1, *actions + dynamodb_stand_in::Tables::actions(&body));
        }
        counts
    }

    fn moments(&self) -> Option<Vec<Instant>> {
        None
    }

    fn records(&self) -> Vec<Value> {
        self.items(RECORDS).unwrap_or_default()
    }

    fn subscribers(&self) -> Vec<Value> {
        self.items(SUBSCRIBERS).unwrap_or_default()
    }
}
