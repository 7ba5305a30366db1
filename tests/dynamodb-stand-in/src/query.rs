//! Pages of the index of what is pending.

use meterhost_decimal::Decimal;
use serde_json::{Value, json};

use crate::expressions::{Expressions, Item};
use crate::refusal::Refusal;
use crate::table::{PENDING, Place};
use crate::tables::{Tables, only};

const INDEX: &str = "PendingMeteringRecordsIndex";
/// The most bytes of a page, before anything is left out (API reference, Query).
const PAGE: usize = 1 << 20;

impl Tables {
    pub(crate) fn query(&mut self, request: &Value) -> Result<Value, Refusal> {
        only(
            request,
            &[
                "TableName",
                "IndexName",
                "KeyConditionExpression",
                "ProjectionExpression",
                "ExpressionAttributeNames",
                "ExpressionAttributeValues",
                "ExclusiveStartKey",
            ],
        );
        let empty = self.empty > 0;
        self.empty = self.empty.saturating_sub(1);
        let table = self.table(request["TableName"].as_str().unwrap())?;
        let invalid = |message: &str| Err(Refusal::new("ValidationException", message, json!({})));
        if request["IndexName"] != INDEX {
            return invalid("The table does not have the specified index");
        }
        let [hash, time] = &table.key;
        let expressions = Expressions::new(request);
        let condition = expressions.of_key(request["KeyConditionExpression"].as_str().unwrap());
        let names: Vec<&str> = condition.iter().map(|(name, ..)| *name).collect();
        if names != [PENDING] && !(self.is_sorted && names == [PENDING, time]) {
            return invalid("Query key condition not supported");
        }
        let (_, is, pending) = &condition[0];
        assert_eq!(*is, "=", "the hash key is one value");
        let pending = pending["S"].as_str().unwrap().to_owned();
        let range = condition.get(1).map(|(_, is, bound)| (*is, number(bound)));
        let projection = request.get("ProjectionExpression").map(|text| expressions.projection(text.as_str().unwrap()));
        expressions.all_used();

        let start = request["ExclusiveStartKey"].as_object();
        let first: Place = match start {
            Some(start) => (pending.clone(), Some(number(&start[time])), table.name(start)),
            None => (pending.clone(), range.filter(|(is, _)| *is == ">=").map(|(_, bound)| bound), String::new()),
        };
        let within = |place: &&Place| {
            let of_time = place.1.unwrap_or_default();
            match range {
                None => true,
                Some(("<", bound)) => of_time < bound,
                Some((">=", bound)) => of_time >= bound,
                Some((other, _)) => panic!("unknown comparison {other}"),
            }
        };
        let (most, mut bytes) = (if empty { 0 } else { self.page }, 0);
        let places = table.pending(first).take_while(|place| place.0 == pending).take_while(within);
        let mut found = places.map(|place| table.indexed(place));
        let (mut items, mut last): (Vec<Item>, _) = (Vec::new(), None);
        // As at DynamoDB, a page that ends with the last item may say that there is more.
        let mut is_cut = most == 0;
        while !is_cut && let Some(item) = found.next() {
            bytes += size(&item);
            if bytes > PAGE && !items.is_empty() {
                is_cut = true;
                break;
            }
            last = Some(json!({ hash: item[hash], time: item[time], PENDING: item[PENDING] }));
            items.push(match &projection {
                Some(names) => item.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect(),
                None => item,
            });
            is_cut = items.len() >= most;
        }
        let mut answer = json!({ "Count": items.len(), "ScannedCount": items.len() });
        answer["Items"] = Value::Array(items.into_iter().map(Value::Object).collect());
        if is_cut {
            let before =
                || json!({ hash: { "S": "" }, time: { "N": "-9999999999999999999999999" }, PENDING: { "S": pending } });
            answer["LastEvaluatedKey"] = last.unwrap_or_else(|| start.map_or_else(before, |start| json!(start)));
        }
        Ok(answer)
    }
}

fn number(value: &Value) -> Decimal {
    Decimal::parse(value["N"].as_str().unwrap()).unwrap()
}

/// The bytes of an item, about (developer guide, "DynamoDB item sizes and formats").
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

fn size_of(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 1 };
    match (kind.as_str(), value) {
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        (_, Value::String(text)) => text.len(),
        ("SS", Value::Array(texts)) => texts.iter().map(|text| text.as_str().map_or(0, str::len)).sum(),
        (_, Value::Array(members)) => 3 + members.iter().map(|member| 1 + size_of(member)).sum::<usize>(),
        (_, Value::Object(members)) => 3 + members.iter().map(|(name, it)| 1 + name.len() + size_of(it)).sum::<usize>(),
        _ => 1,
    }
}
