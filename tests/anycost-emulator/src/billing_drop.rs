//! A billing drop: what is wrong with it, and what it replaces.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use meterhost_decimal::Decimal;
use serde_json::{Map, Value};

/// A row: columns of the Common Bill Format and their texts.
pub type Row = BTreeMap<String, String>;

/// What a drop does to the rows that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The whole month is replaced.
    ReplaceDrop,
    /// The hours that the drop has rows of are replaced.
    ReplaceHourly,
    /// The rows are added.
    Sum,
}

/// A drop that is in order.
#[derive(Debug)]
pub(crate) struct BillingDrop {
    pub(crate) month: String,
    pub(crate) operation: Operation,
    pub(crate) rows: Vec<Row>,
}

/// The kinds of rows, from the published OpenAPI file. "Common Bill Format" has two more, CommittedUseVacancy and CommittedUseRecurringFee.
const TYPES: [&str; 9] =
    ["Usage", "Tax", "Support", "Purchase", "CommittedUsePurchase", "Discount", "Credit", "Fee", "Adjustment"];

impl BillingDrop {
    /// Reads a request's body.
    ///
    /// # Errors
    /// What the service would say of it.
    pub(crate) fn parse(body: &[u8]) -> Result<BillingDrop, String> {
        let document: Value = serde_json::from_slice(body).map_err(|error| format!("invalid JSON: {error}"))?;
        let document = document.as_object().ok_or("the body is no object")?;
        if let Some(key) = document.keys().find(|key| !["month", "operation", "data"].contains(&key.as_str())) {
            return Err(format!("unknown key {key}"));
        }
        let operation = match document.get("operation").map(Value::as_str) {
            None | Some(Some("replace_drop")) => Operation::ReplaceDrop,
            Some(Some("replace_hourly")) => Operation::ReplaceHourly,
            Some(Some("sum")) => Operation::Sum,
            _ => return Err("unknown operation".to_owned()),
        };
        let data = document.get("data").and_then(Value::as_array).ok_or("data is required, and a list")?;
        let rows: Vec<Row> = data.iter().enumerate().map(|(at, row)| read(at, row)).collect::<Result<_, _>>()?;
        let months: BTreeSet<String> = rows.iter().filter_map(|row| Some(hour(row)?.get(..7)?.to_owned())).collect();
        let named = document.get("month").map(|month| month.as_str().ok_or("month is no text")).transpose()?;
        let month = match (named, months.len()) {
            (Some(month), 0 | 1) => month.to_owned(),
            (None, 1) => months.iter().next().cloned().unwrap_or_default(),
            (None, 0) => return Err("no month is named, and there is no row to take it from".to_owned()),
            _ => return Err("the rows are of several months".to_owned()),
        };
        let is_month = month.len() == 7 && format!("{month}-01T00:00:00Z").parse::<Timestamp>().is_ok();
        if !is_month {
            return Err(format!("the month {month} is not written as YYYY-MM"));
        }
        match months.iter().find(|found| **found != month) {
            Some(other) => Err(format!("a row of {other} in a drop of {month}")),
            None => Ok(BillingDrop { month, operation, rows }),
        }
    }

    /// Puts its rows in the place of those that it replaces.
    pub(crate) fn apply(self, there: &mut Vec<Row>) {
        match self.operation {
            Operation::ReplaceDrop => there.clear(),
            Operation::ReplaceHourly => {
                let hours: BTreeSet<String> = self.rows.iter().filter_map(hour).map(str::to_owned).collect();
                there.retain(|row| hour(row).is_none_or(|hour| !hours.contains(hour)));
            }
            Operation::Sum => {}
        }
        there.extend(self.rows);
    }
}

/// The hour that a row lies in: `2024-08-16T13`.
fn hour(row: &Row) -> Option<&str> {
    row.get("time/usage_start")?.get(..13)
}

fn read(at: usize, row: &Value) -> Result<Row, String> {
    let row: &Map<String, Value> = row.as_object().ok_or_else(|| format!("row {at} is no object"))?;
    let text = |(column, value): (&String, &Value)| match value.as_str() {
        Some(text) => Ok((column.clone(), text.to_owned())),
        None => Err(format!("row {at}: {column} is no text")),
    };
    let row: Row = row.iter().map(text).collect::<Result<_, _>>()?;
    let wrong = |what: String| Err(format!("row {at}: {what}"));
    let Some(start) = row.get("time/usage_start") else { return wrong("time/usage_start is missing".to_owned()) };
    // A guess: the documents allow offsets; a client that writes hours of UTC is not misread.
    if start.parse::<Timestamp>().is_err() || !start.ends_with(":00:00Z") {
        return wrong(format!("time/usage_start {start} is no full hour of UTC"));
    }
    if !row.contains_key("cost/cost") {
        return wrong("cost/cost is missing".to_owned());
    }
    let is_number = |column: &str| column.starts_with("cost/") || column == "usage/amount";
    let plain = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_plain && digits.starts_with(|first: char| first.is_ascii_digit()) && Decimal::parse(text).is_ok()
    };
    if let Some((column, value)) = row.iter().find(|(column, value)| is_number(column) && !plain(value)) {
        return wrong(format!("{column} {value} is no number"));
    }
    let kind = row.get("lineitem/type").map_or("Usage", String::as_str);
    if !TYPES.contains(&kind) {
        return wrong(format!("lineitem/type {kind} is unknown"));
    }
    let is_tagged = row.keys().any(|column| column.starts_with("resource/tag:"));
    if is_tagged && row.get("resource/id").is_none_or(String::is_empty) {
        return wrong("a tag without resource/id".to_owned());
    }
    Ok(row)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<BillingDrop, String> {
        BillingDrop::parse(body.as_bytes())
    }

    #[test]
    fn what_the_service_might_refuse_is_refused() {
        let row = r#"{"time/usage_start":"2024-08-16T13:00:00Z","cost/cost":"1"}"#;
        for (body, says) in [
            ("[]", "no object"),
            ("{}", "data is required"),
            (r#"{"data":[],"color":1}"#, "unknown key color"),
            (r#"{"data":[]}"#, "no month is named"),
            (r#"{"month":"2024-8","data":[]}"#, "YYYY-MM"),
            (r#"{"data":[{"cost/cost":"1"}]}"#, "time/usage_start is missing"),
            (r#"{"data":[{"time/usage_start":"2024-08-16T13:00:00Z","cost/cost":1}]}"#, "cost/cost is no text"),
            (r#"{"data":[{"time/usage_start":"2024-08-16T13:30:00Z","cost/cost":"1"}]}"#, "no full hour"),
            (r#"{"data":[{"time/usage_start":"2024-08-16T13:00:00Z","cost/cost":"1e3"}]}"#, "is no number"),
            (&format!(r#"{{"month":"2024-09","data":[{row}]}}"#), "a row of 2024-08"),
        ] {
            assert!(parse(body).is_err_and(|error| error.contains(says)), "{body}");
        }
        assert_eq!(parse(&format!(r#"{{"data":[{row}]}}"#)).map(|found| found.month), Ok("2024-08".to_owned()));
    }

    #[test]
    fn hours_replace_hours_and_drops_replace_months() {
        let at = |hour: &str, cost: &str| {
            format!(r#"{{"time/usage_start":"2024-08-16T{hour}:00:00Z","cost/cost":"{cost}"}}"#)
        };
        let mut rows = Vec::new();
        let mut send = |operation: &str, data: &[String]| {
            let body = format!(r#"{{"operation":"{operation}","month":"2024-08","data":[{}]}}"#, data.join(","));
            parse(&body).unwrap().apply(&mut rows);
            rows.iter().map(|row| row["cost/cost"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(send("replace_drop", &[at("01", "1"), at("02", "2")]), ["1", "2"]);
        assert_eq!(send("replace_hourly", &[at("02", "20"), at("03", "3")]), ["1", "20", "3"]);
        assert_eq!(send("sum", &[at("03", "4")]), ["1", "20", "3", "4"]);
        assert_eq!(send("replace_drop", &[]), Vec::<String>::new());
    }
}
