//! The calls over HTTP, as a client sees them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;

use dynamodb_stand_in::{Settings, StandIn, Tables};
use serde_json::{Value, json};

fn item(time: i64, note: &str) -> Value {
    json!({
        "customer": { "S": "acme" }, "time": { "N": time.to_string() }, "metering_pending": { "S": "true" },
        "note": { "S": note },
    })
}

fn stand_in(items: impl Iterator<Item = Value>) -> StandIn {
    let mut tables = Tables::default();
    tables.add("Records", ["customer", "time"]);
    items.for_each(|item| tables.put("Records", &item));
    StandIn::start(tables, Settings::default()).unwrap()
}

fn call(service: &StandIn, action: &str, body: &Value) -> (u16, Value) {
    let address = service.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let body = body.to_string();
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nx-amz-target: DynamoDB_20120810.{action}\r\n\
         content-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer[9..12].parse().unwrap();
    (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
}

fn query(start: Option<&Value>) -> Value {
    let mut request = json!({
        "TableName": "Records", "IndexName": "PendingMeteringRecordsIndex",
        "KeyConditionExpression": "#p = :p AND #t < :t", "ProjectionExpression": "#t",
        "ExpressionAttributeNames": { "#p": "metering_pending", "#t": "time" },
        "ExpressionAttributeValues": { ":p": { "S": "true" }, ":t": { "N": "1000" } },
    });
    if let Some(start) = start {
        request["ExclusiveStartKey"] = start.clone();
    }
    request
}

fn update(time: i64, set: &str) -> Value {
    json!({
        "TableName": "Records", "Key": { "customer": { "S": "acme" }, "time": { "N": time.to_string() } },
        "UpdateExpression": "SET #p = :to", "ConditionExpression": "#p = :from",
        "ExpressionAttributeNames": { "#p": "metering_pending" },
        "ExpressionAttributeValues": { ":from": { "S": "true" }, ":to": { "S": set } },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    })
}

#[test]
fn pages_of_the_index_end_at_a_megabyte_and_come_by_time() {
    // In the order of their texts, 10 comes before 9.
    let service = stand_in((0..30).map(|time| item(time, &"x".repeat(100_000))).chain([item(1000, "later")]));
    let (mut times, mut start, mut pages) = (Vec::new(), None, 0);
    loop {
        let (status, answer) = call(&service, "Query", &query(start.as_ref()));
        assert_eq!(status, 200, "{answer}");
        for item in answer["Items"].as_array().unwrap() {
            assert_eq!(item.as_object().unwrap().len(), 1, "a projection: {item}");
            times.push(item["time"]["N"].as_str().unwrap().to_owned());
        }
        pages += 1;
        start = answer.get("LastEvaluatedKey").cloned();
        if start.is_none() {
            break;
        }
    }
    assert_eq!((times, pages), ((0..30).map(|time| time.to_string()).collect(), 3));
    assert_eq!(service.counts().into_iter().collect::<Vec<_>>(), [("Query".to_owned(), (3, 3))]);
}

#[test]
fn a_transaction_is_made_whole_or_not_at_all_and_says_why() {
    let service = stand_in((0..3).map(|time| item(time, "")));
    let transaction = |times: &[i64]| {
        let updates: Vec<Value> = times.iter().map(|time| json!({ "Update": update(*time, "false") })).collect();
        json!({ "TransactItems": updates })
    };
    assert_eq!(call(&service, "UpdateItem", &update(1, "no")), (200, json!({})));
    let (status, answer) = call(&service, "TransactWriteItems", &transaction(&[0, 1, 2]));
    assert_eq!((status, &answer["CancellationReasons"][0]["Code"]), (400, &json!("None")));
    assert_eq!(answer["CancellationReasons"][1]["Code"], "ConditionalCheckFailed");
    assert_eq!(answer["CancellationReasons"][1]["Item"]["metering_pending"]["S"], "no");
    assert_eq!(call(&service, "TransactWriteItems", &transaction(&[0, 2])).0, 200);
    let (status, answer) = call(&service, "UpdateItem", &update(2, "true"));
    assert_eq!(status, 400);
    assert_eq!(answer["__type"], "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException");
    assert_eq!(answer["Item"]["metering_pending"]["S"], "false");
    assert_eq!(call(&service, "Query", &query(None)).1["Items"], json!([]), "none is pending");
    let errors: Vec<Option<String>> = service.calls().into_iter().map(|call| call.error).collect();
    let failed = |name: &str| Some(name.to_owned());
    assert_eq!(
        errors,
        [None, failed("TransactionCanceledException"), None, failed("ConditionalCheckFailedException"), None]
    );
    assert!(service.mistakes().is_empty());
}

#[test]
fn what_is_not_understood_changes_nothing_and_is_remembered() {
    let with = |name: &str, value: &str| {
        let mut update = update(0, "false");
        update[name] = json!(value);
        update
    };
    let mut unused = update(0, "false");
    unused["ExpressionAttributeNames"]["#q"] = json!("other");
    for (request, said) in [
        (with("ConditionExpression", "#x = :from"), "unknown name #x"),
        (with("ConditionExpression", "#p = :x"), "unknown value :x"),
        (with("ConditionExpression", "size(#p) = :from"), "unknown function size"),
        (with("ConditionExpression", "#p <> :from"), "unknown"),
        (with("UpdateExpression", "DELETE #p :to"), "unknown section DELETE"),
        (with("ReturnValues", "ALL_NEW"), "unknown member"),
        (unused, "declared and used"),
    ] {
        let service = stand_in(std::iter::once(item(0, "")));
        let (status, answer) = call(&service, "UpdateItem", &request);
        assert_eq!((status, service.mistakes().len()), (400, 1), "{request}: {answer}");
        assert!(service.mistakes()[0].contains(said), "{said}: {:?}", service.mistakes());
        assert_eq!(service.tables().items("Records"), [item(0, "")]);
    }
}

#[test]
fn who_writes_what_a_transaction_is_writing_meets_a_conflict() {
    let mut tables = Tables::default();
    tables.add("Records", ["customer", "time"]);
    (0..3).for_each(|time| tables.put("Records", &item(time, "")));
    let latency = std::time::Duration::from_millis(500);
    let service = StandIn::start(tables, Settings { latency, ..Settings::default() }).unwrap();
    let transaction = |times: &[i64]| {
        let updates: Vec<Value> = times.iter().map(|time| json!({ "Update": update(*time, "true") })).collect();
        json!({ "TransactItems": updates })
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| call(&service, "TransactWriteItems", &transaction(&[0, 1])));
        while service.calls().is_empty() {
            std::thread::yield_now();
        }
        let others = [
            scope.spawn(|| call(&service, "TransactWriteItems", &transaction(&[2, 1]))),
            scope.spawn(|| call(&service, "UpdateItem", &update(0, "true"))),
            scope.spawn(|| call(&service, "UpdateItem", &update(2, "true"))),
        ];
        let [together, alone, another] = others.map(|other| other.join().unwrap());
        let codes: Vec<&Value> =
            together.1["CancellationReasons"].as_array().unwrap().iter().map(|reason| &reason["Code"]).collect();
        assert_eq!(codes, ["None", "TransactionConflict"]);
        assert_eq!(alone.1["__type"], "com.amazonaws.dynamodb.v20120810#TransactionConflictException");
        assert_eq!((first.join().unwrap().0, another.0, service.conflicts()), (200, 200, 2));
    });
}
