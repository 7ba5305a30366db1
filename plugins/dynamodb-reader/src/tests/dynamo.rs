//! DynamoDB in memory: an index that may lag behind, conditional updates, transactions, and faults on demand.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::rc::Rc;

use meterhost_sdk::aws::{Error, ServiceError};
use meterhost_sdk::{Decimal, testing};
use serde_json::{Value, json};

use super::expressions::{Expressions, Item};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    NotSent,
    /// It does not arrive, and nobody knows.
    LostBefore,
    /// It takes effect, and nobody knows.
    LostAfter,
    /// HTTP 500, without effect.
    Internal,
    /// HTTP 500, with effect.
    InternalAfter,
    /// Somebody else writes the item that the call names first.
    Conflict,
    /// The service refuses: the error's name.
    Refused(&'static str),
}

type Before = Box<dyn FnOnce(&mut Dynamo)>;

pub(super) struct Dynamo {
    tables: BTreeMap<String, Table>,
    /// What the index shows, where it lags behind.
    stale: Option<BTreeMap<String, Item>>,
    /// Whether the index is sorted by time.
    pub(super) is_sorted: bool,
    /// How many items a page holds.
    pub(super) page: usize,
    /// How many empty pages come first.
    pub(super) empty: usize,
    pub(super) faults: VecDeque<Fault>,
    /// What somebody else does before the next write.
    pub(super) before_write: Option<Before>,
    /// The actions that were called, and how many updates each had.
    pub(super) calls: Vec<(String, usize)>,
}

struct Table {
    key: [&'static str; 2],
    items: BTreeMap<String, Item>,
}

/// The stage that a test sees.
#[derive(Clone)]
pub(super) struct Stage(Rc<RefCell<Dynamo>>);

impl Stage {
    /// Tables of records and of totals, on the stage.
    pub(super) fn new(key: [&'static str; 2], items: &[Value]) -> Self {
        let table = |key| Table { key, items: BTreeMap::new() };
        let tables = [
            ("Records".to_owned(), table(key)),
            ("Subscribers".to_owned(), table(["productCode", "customerAWSAccountId"])),
        ];
        let stage = Stage(Rc::new(RefCell::new(Dynamo {
            tables: tables.into(),
            stale: None,
            is_sorted: true,
            page: 1000,
            empty: 0,
            faults: VecDeque::new(),
            before_write: None,
            calls: Vec::new(),
        })));
        items.iter().for_each(|item| stage.get().put("Records", item));
        let dynamo = Rc::clone(&stage.0);
        testing::aws(move |service, action, body| {
            assert_eq!(service, "dynamodb");
            dynamo.borrow_mut().call(action, &serde_json::from_str(body).unwrap())
        });
        stage
    }

    pub(super) fn get(&self) -> RefMut<'_, Dynamo> {
        self.0.borrow_mut()
    }
}

impl Table {
    fn name(&self, item: &Item) -> String {
        self.key.map(|part| part_of(&item[part])).join("\n")
    }
}

fn part_of(value: &Value) -> String {
    match (value["S"].as_str(), value["N"].as_str()) {
        (Some(text), None) => text.to_owned(),
        (None, Some(number)) => Decimal::parse(number).unwrap().to_string(),
        _ => panic!("no key: {value}"),
    }
}

fn error(code: &str, message: &str, mut body: Value) -> Error {
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{code}"));
    body["message"] = json!(message);
    Error::Service(ServiceError {
        status: if code == "InternalServerError" { 500 } else { 400 },
        code: code.to_owned(),
        message: message.to_owned(),
        body: body.to_string(),
        retry_after: None,
    })
}

/// Why an update is not made: a reason as transactions give it.
fn reason(code: &str, message: &str, item: Option<&Item>) -> Value {
    let mut reason = json!({ "Code": code, "Message": message });
    if let Some(item) = item {
        reason["Item"] = json!(item);
    }
    reason
}

impl Dynamo {
    pub(super) fn put(&mut self, table: &str, item: &Value) {
        let table = self.tables.get_mut(table).unwrap();
        let item = item.as_object().unwrap().clone();
        table.items.insert(table.name(&item), item);
    }

    /// An item by the texts of its key.
    pub(super) fn item(&self, table: &str, key: [&str; 2]) -> Option<Value> {
        self.tables[table].items.get(&key.join("\n")).cloned().map(Value::Object)
    }

    pub(super) fn items(&self, table: &str) -> Vec<Value> {
        self.tables[table].items.values().cloned().map(Value::Object).collect()
    }

    pub(super) fn change(&mut self, key: [&str; 2], change: impl FnOnce(&mut Item)) {
        change(self.tables.get_mut("Records").unwrap().items.get_mut(&key.join("\n")).unwrap());
    }

    pub(super) fn delete(&mut self, key: [&str; 2]) {
        self.tables.get_mut("Records").unwrap().items.remove(&key.join("\n")).unwrap();
    }

    /// From here on the index shows what is there now, or what is there at each time.
    pub(super) fn lag(&mut self, lags: bool) {
        self.stale = lags.then(|| self.tables["Records"].items.clone());
    }

    pub(super) fn writes(&self) -> usize {
        self.calls.iter().filter(|(action, _)| action != "Query").count()
    }

    fn call(&mut self, action: &str, body: &Value) -> Result<String, Error> {
        let actions = body["TransactItems"].as_array().map_or(1, Vec::len);
        self.calls.push((action.to_owned(), actions));
        if action != "Query"
            && let Some(before) = self.before_write.take()
        {
            before(self);
        }
        let lost = || Err(Error::Unanswered("the connection was reset".to_owned()));
        let internal = || Err(error("InternalServerError", "Internal server error", json!({})));
        match self.faults.pop_front().unwrap_or(Fault::Nothing) {
            Fault::Nothing => self.act(action, body),
            Fault::NotSent => Err(Error::NotSent("no connection".to_owned())),
            Fault::LostBefore => lost(),
            Fault::LostAfter => self.act(action, body).and_then(|_| lost()),
            Fault::Internal => internal(),
            Fault::InternalAfter => self.act(action, body).and_then(|_| internal()),
            Fault::Conflict if action == "TransactWriteItems" => {
                let mut reasons = vec![reason("None", "", None); actions];
                reasons[0] = reason("TransactionConflict", "Transaction is ongoing for the item", None);
                Err(error("TransactionCanceledException", "cancelled", json!({ "CancellationReasons": reasons })))
            }
            Fault::Conflict => {
                Err(error("TransactionConflictException", "Transaction is ongoing for the item", json!({})))
            }
            Fault::Refused(code) => Err(error(code, "no", json!({}))),
        }
    }

    fn act(&mut self, action: &str, body: &Value) -> Result<String, Error> {
        match action {
            "Query" => self.query(body),
            "UpdateItem" => {
                let (table, name, item) = self.updated(body).map_err(|reason| {
                    let (code, message) = (reason["Code"].as_str().unwrap(), reason["Message"].as_str().unwrap());
                    let name = match code {
                        "ConditionalCheckFailed" => "ConditionalCheckFailedException",
                        "ValidationError" => "ValidationException",
                        other => panic!("{other}"),
                    };
                    let item = reason.get("Item").map_or(json!({}), |item| json!({ "Item": item }));
                    error(name, message, item)
                })?;
                self.tables.get_mut(&table).unwrap().items.insert(name, item);
                Ok("{}".to_owned())
            }
            "TransactWriteItems" => self.transact(body["TransactItems"].as_array().unwrap()),
            other => panic!("unknown action {other}"),
        }
    }

    fn transact(&mut self, actions: &[Value]) -> Result<String, Error> {
        assert!((1..=100).contains(&actions.len()), "{} actions", actions.len());
        let outcomes: Vec<_> = actions.iter().map(|action| self.updated(&action["Update"])).collect();
        if outcomes.iter().any(Result::is_err) {
            let reasons: Vec<Value> =
                outcomes.into_iter().map(|outcome| outcome.err().unwrap_or_else(|| reason("None", "", None))).collect();
            return Err(error("TransactionCanceledException", "cancelled", json!({ "CancellationReasons": reasons })));
        }
        let mut written = HashSet::new();
        for (table, name, item) in outcomes.into_iter().flatten() {
            assert!(written.insert((table.clone(), name.clone())), "two actions on one item: {name}");
            self.tables.get_mut(&table).unwrap().items.insert(name, item);
        }
        Ok("{}".to_owned())
    }

    /// An item as it would become, and where it belongs, or why it is not written.
    fn updated(&self, request: &Value) -> Result<(String, String, Item), Value> {
        let table = request["TableName"].as_str().unwrap().to_owned();
        let key = request["Key"].as_object().unwrap();
        let found = &self.tables[&table];
        if found.key.iter().any(|part| !key.contains_key(*part)) {
            return Err(reason("ValidationError", "The provided key element does not match the schema", None));
        }
        assert_eq!(request["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
        let name = found.name(key);
        let before = found.items.get(&name);
        let expressions = Expressions::new(request);
        let holds = expressions.holds(request["ConditionExpression"].as_str().unwrap(), before.unwrap_or(&Item::new()));
        let mut item = before.unwrap_or(key).clone();
        let updated = expressions.update(request["UpdateExpression"].as_str().unwrap(), &mut item);
        if updated.is_ok() {
            expressions.all_used();
        }
        if !holds {
            return Err(reason("ConditionalCheckFailed", "The conditional request failed", before));
        }
        match updated {
            Ok(()) => Ok((table, name, item)),
            Err(message) => Err(reason("ValidationError", &message, None)),
        }
    }

    fn query(&mut self, request: &Value) -> Result<String, Error> {
        let table = &self.tables["Records"];
        assert_eq!((request["TableName"].as_str(), request.get("ConsistentRead")), (Some("Records"), None));
        let invalid = |message: &str| Err(error("ValidationException", message, json!({})));
        if request["IndexName"] != "PendingMeteringRecordsIndex" {
            return invalid("The table does not have the specified index");
        }
        let expressions = Expressions::new(request);
        let condition = request["KeyConditionExpression"].as_str().unwrap();
        let time = table.key[1].to_owned();
        let of_key = expressions.names_in(condition);
        let expected: &[&str] = if self.is_sorted { &["metering_pending", &time] } else { &["metering_pending"] };
        if of_key != expected {
            return invalid("Query key condition not supported");
        }
        let order = |item: &Item| (Decimal::parse(item[&time]["N"].as_str().unwrap()).unwrap(), table.name(item));
        let shown = self.stale.as_ref().unwrap_or(&table.items);
        let mut found: Vec<&Item> = shown.values().filter(|item| expressions.holds(condition, item)).collect();
        found.sort_by_key(|item| order(item));
        let start = request["ExclusiveStartKey"].as_object();
        if let Some(start) = start {
            found.retain(|item| order(item) > order(start));
        }
        let size = if self.empty > 0 { 0 } else { self.page };
        self.empty = self.empty.saturating_sub(1);
        let projection = expressions.projection(request["ProjectionExpression"].as_str().unwrap());
        let items: Vec<Item> = found
            .iter()
            .take(size)
            .map(|item| {
                item.iter().filter(|(name, _)| projection.contains(name)).map(|(k, v)| (k.clone(), v.clone())).collect()
            })
            .collect();
        expressions.holds(condition, &Item::new());
        expressions.all_used();
        let mut answer = json!({ "Count": items.len(), "ScannedCount": size.min(found.len()), "Items": items });
        // As at DynamoDB, a page that ends with the last item may say that there is more.
        if size <= found.len() {
            let before = json!({ table.key[0]: { "S": "" }, &time: { "N": "-9999999999999999999999999" }, "metering_pending": { "S": "true" } });
            let last = match size.checked_sub(1).and_then(|last| found.get(last)) {
                Some(last) => {
                    json!({ table.key[0]: last[table.key[0]], &time: last[&time], "metering_pending": { "S": "true" } })
                }
                None => start.map_or(before, |start| json!(start)),
            };
            answer["LastEvaluatedKey"] = last;
        }
        Ok(answer.to_string())
    }
}
