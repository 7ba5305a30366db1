//! Errors in DynamoDB's form.

use serde_json::{Value, json};

use crate::expressions::Item;

/// An error that a client is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Such as `ConditionalCheckFailedException`.
    pub code: String,
    /// What a person reads.
    pub message: String,
    /// The whole body.
    pub body: Value,
}

impl Refusal {
    /// With what the body holds besides its name and its message.
    pub fn new(code: &str, message: &str, mut body: Value) -> Self {
        body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{code}"));
        body["message"] = json!(message);
        Refusal { code: code.to_owned(), message: message.to_owned(), body }
    }

    /// A transaction that was not made, with a reason for each of its actions.
    pub fn cancelled(reasons: &[Value]) -> Self {
        let body = json!({ "CancellationReasons": reasons });
        Refusal::new("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons", body)
    }

    /// That somebody else is writing some of the items of a call.
    pub fn conflict(action: &str, meets: &[bool]) -> Self {
        let text = "Transaction is ongoing for the item";
        if action != "TransactWriteItems" {
            return Refusal::new("TransactionConflictException", text, json!({}));
        }
        let why =
            |meets: &bool| if *meets { reason("TransactionConflict", text, None) } else { json!({ "Code": "None" }) };
        Refusal::cancelled(&meets.iter().map(why).collect::<Vec<Value>>())
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        if self.code == "InternalServerError" { 500 } else { 400 }
    }

    /// The same for an update that stands by itself.
    pub(crate) fn alone(why: &Value) -> Self {
        let (code, message) = (why["Code"].as_str().unwrap(), why["Message"].as_str().unwrap());
        let name = match code {
            "ConditionalCheckFailed" => "ConditionalCheckFailedException",
            "ValidationError" => "ValidationException",
            other => panic!("{other}"),
        };
        Refusal::new(name, message, why.get("Item").map_or(json!({}), |item| json!({ "Item": item })))
    }
}

/// Why an update is not made, as a transaction says it.
pub(crate) fn reason(code: &str, message: &str, item: Option<&Item>) -> Value {
    let mut reason = json!({ "Code": code, "Message": message });
    if let Some(item) = item {
        reason["Item"] = json!(item);
    }
    reason
}
