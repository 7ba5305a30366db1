//! The calls, and what a test sees of the tables.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use crate::expressions::{Expressions, Item};
use crate::refusal::{Refusal, reason};
use crate::table::Table;

/// The most actions of a transaction (API reference, TransactWriteItems).
const ACTIONS: usize = 100;

/// Tables by name. Each has the index `PendingMeteringRecordsIndex`.
#[derive(Debug)]
pub struct Tables {
    pub(crate) tables: BTreeMap<String, Table>,
    /// Whether the index is sorted by time.
    pub is_sorted: bool,
    /// How many items a page of the index holds, 1 MB aside.
    pub page: usize,
    /// How many empty pages come first.
    pub empty: usize,
}

impl Default for Tables {
    fn default() -> Self {
        Tables { tables: BTreeMap::new(), is_sorted: true, page: usize::MAX, empty: 0 }
    }
}

/// What a test sees. All of it panics where a table, or an item that has to be there, is not.
impl Tables {
    /// Makes a table with this primary key, a hash and a range; the range of its index is the same.
    pub fn add(&mut self, name: &str, key: [&str; 2]) {
        self.tables.insert(name.to_owned(), Table::new(key));
    }

    /// Puts an item, or replaces it.
    pub fn put(&mut self, table: &str, item: &Value) {
        self.tables.get_mut(table).unwrap().put(item.as_object().unwrap());
    }

    /// An item by the texts of its key.
    pub fn item(&self, table: &str, key: [&str; 2]) -> Option<Value> {
        self.tables[table].get(&key.join("\n")).map(Value::Object)
    }

    /// All items, in the order of their keys' texts.
    pub fn items(&self, table: &str) -> Vec<Value> {
        self.tables[table].all().map(Value::Object).collect()
    }

    /// Changes an item.
    pub fn change(&mut self, table: &str, key: [&str; 2], change: impl FnOnce(&mut Item)) {
        let table = self.tables.get_mut(table).unwrap();
        let mut item = table.get(&key.join("\n")).unwrap();
        change(&mut item);
        table.put(&item);
    }

    /// Takes an item away.
    pub fn delete(&mut self, table: &str, key: [&str; 2]) {
        self.tables.get_mut(table).unwrap().remove(&key.join("\n"));
    }

    /// From here on the index of a table shows what is there now, or what is there at each time.
    pub fn lag(&mut self, table: &str, lags: bool) {
        self.tables.get_mut(table).unwrap().lag(lags);
    }
}

/// The calls.
impl Tables {
    /// How many updates a call is; one that is none of them counts as one.
    pub fn actions(body: &Value) -> usize {
        body["TransactItems"].as_array().map_or(1, Vec::len)
    }

    /// The items that a call writes, an action each.
    pub(crate) fn targets(body: &Value) -> Vec<String> {
        let target = |update: &Value| format!("{}{}", update["TableName"], update["Key"]);
        match body["TransactItems"].as_array() {
            Some(actions) => actions.iter().map(|action| target(&action["Update"])).collect(),
            None if body["Key"].is_object() => vec![target(body)],
            None => Vec::new(),
        }
    }

    /// Answers a call with JSON.
    ///
    /// # Errors
    /// As DynamoDB refuses it.
    ///
    /// # Panics
    /// It is not understood here.
    pub fn call(&mut self, action: &str, body: &Value) -> Result<String, Refusal> {
        match action {
            "Query" => self.query(body),
            "UpdateItem" => {
                let (table, item) = self.updated(body)?.map_err(|why| Refusal::alone(&why))?;
                self.tables.get_mut(table).unwrap().put(&item);
                Ok("{}".to_owned())
            }
            "TransactWriteItems" => self.transact(body),
            other => panic!("unknown action {other}"),
        }
    }

    fn transact(&mut self, body: &Value) -> Result<String, Refusal> {
        only(body, &["TransactItems"]);
        let actions = body["TransactItems"].as_array().unwrap();
        assert!((1..=ACTIONS).contains(&actions.len()), "{} actions", actions.len());
        let mut outcomes = Vec::with_capacity(actions.len());
        for action in actions {
            only(action, &["Update"]);
            outcomes.push(self.updated(&action["Update"])?);
        }
        if outcomes.iter().any(Result::is_err) {
            let why = |outcome: Result<_, Value>| outcome.err().unwrap_or_else(|| reason("None", "", None));
            return Err(Refusal::cancelled(&outcomes.into_iter().map(why).collect::<Vec<Value>>()));
        }
        let written: Vec<(&str, Item)> = outcomes.into_iter().flatten().collect();
        let mut targets = HashSet::new();
        for (table, item) in &written {
            let name = self.tables[*table].name(item);
            assert!(targets.insert((*table, name.clone())), "two actions on one item: {name}");
        }
        for (table, item) in written {
            self.tables.get_mut(table).unwrap().put(&item);
        }
        Ok("{}".to_owned())
    }

    /// An item as it would become, and its table; or why it is not written.
    fn updated<'r>(&self, request: &'r Value) -> Result<Result<(&'r str, Item), Value>, Refusal> {
        only(
            request,
            &[
                "TableName",
                "Key",
                "UpdateExpression",
                "ConditionExpression",
                "ExpressionAttributeNames",
                "ExpressionAttributeValues",
                "ReturnValuesOnConditionCheckFailure",
            ],
        );
        let table = request["TableName"].as_str().unwrap();
        let key = request["Key"].as_object().unwrap();
        let found = self.table(table)?;
        if key.len() != 2 || found.key.iter().any(|part| !key.contains_key(part)) {
            let why = reason("ValidationError", "The provided key element does not match the schema", None);
            return Ok(Err(why));
        }
        let before = found.get(&found.name(key));
        let expressions = Expressions::new(request);
        let holds = match request.get("ConditionExpression") {
            Some(condition) => expressions.holds(condition.as_str().unwrap(), before.as_ref().unwrap_or(&Item::new())),
            None => true,
        };
        let shows = request.get("ReturnValuesOnConditionCheckFailure").is_some_and(|which| which == "ALL_OLD");
        let was = before.as_ref().unwrap_or(key);
        let mut item = was.clone();
        let updated = expressions.update(request["UpdateExpression"].as_str().unwrap(), was, &mut item);
        if updated.is_ok() {
            expressions.all_used();
        }
        if !holds {
            let before = before.as_ref().filter(|_| shows);
            return Ok(Err(reason("ConditionalCheckFailed", "The conditional request failed", before)));
        }
        Ok(match updated {
            Ok(()) => Ok((table, item)),
            Err(message) => Err(reason("ValidationError", &message, None)),
        })
    }

    pub(crate) fn table(&self, name: &str) -> Result<&Table, Refusal> {
        let missing = || Refusal::new("ResourceNotFoundException", "Requested resource not found", json!({}));
        self.tables.get(name).ok_or_else(missing)
    }
}

/// Whether a request holds nothing that is not understood.
pub(crate) fn only(request: &Value, known: &[&str]) {
    let unknown = request.as_object().unwrap().keys().find(|name| !known.contains(&name.as_str()));
    assert!(unknown.is_none(), "unknown member {unknown:?}: {request}");
}
