//! Pages of the index of what is pending.

use std::borrow::Cow;
use std::collections::BTreeMap;

use meterhost_decimal::Decimal;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::expressions::Expressions;
use crate::refusal::Refusal;
use crate::table::{PENDING, Place};
use crate::tables::{Tables, only};

const INDEX: &str = "PendingMeteringRecordsIndex";
/// The most bytes of a page, before anything is left out (API reference, Query).
const PAGE: usize = 1 << 20;

impl Tables {
    pub(crate) fn query(&mut self, request: &Value) -> Result<String, Refusal> {
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
        let mut items = String::new();
        let (mut count, mut last) = (0, None);
        // As at DynamoDB, a page that ends with the last item may say that there is more.
        let mut is_cut = most == 0;
        while !is_cut && let Some(item) = found.next() {
            bytes += item.size;
            if bytes > PAGE && count > 0 {
                is_cut = true;
                break;
            }
            count += 1;
            items.push_str(if count > 1 { "," } else { "" });
            last = Some(item);
            match &projection {
                Some(names) => {
                    let mut shown: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(&item.text).unwrap();
                    shown.retain(|name, _| names.contains(&&**name));
                    items.push_str(&serde_json::to_string(&shown).unwrap());
                }
                None => items.push_str(&item.text),
            }
            is_cut = count >= most;
        }
        let mut answer = format!(r#"{{"Count":{count},"ScannedCount":{count},"Items":[{items}]"#);
        if is_cut {
            let before =
                || json!({ hash: { "S": "" }, time: { "N": "-9999999999999999999999999" }, PENDING: { "S": pending } });
            let last = last.map(|item| {
                let item = item.read();
                json!({ hash: item[hash], time: item[time], PENDING: item[PENDING] })
            });
            let last = last.unwrap_or_else(|| start.map_or_else(before, |start| json!(start)));
            answer.push_str(&format!(r#","LastEvaluatedKey":{last}"#));
        }
        answer.push('}');
        Ok(answer)
    }
}

fn number(value: &Value) -> Decimal {
    Decimal::parse(value["N"].as_str().unwrap()).unwrap()
}
