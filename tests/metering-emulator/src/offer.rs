//! What a request offered, read from its body once more by code that shares nothing with the code that serves it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::fault::Fault;
use crate::judge::Outcome;
use crate::quantity::Quantity;
use crate::record::{Booked, Customer, Product, Slot};
use crate::refusal::INTERNAL;
use crate::request::Request;

/// A record that was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) slot: Slot,
    /// The quantity, and the allocations if there are some, as one text that is the same for the same ones.
    pub(crate) what: String,
    /// Whether its client has to reckon with it being billed.
    pub(crate) may_be_billed: bool,
}

/// The records of a request that was not refused.
pub(crate) fn offers(request: &Request) -> Vec<Offer> {
    if request.number.is_none() {
        return Vec::new();
    }
    let code = request.body.as_ref().and_then(|body| body.get("ProductCode"));
    let of = |(position, record): (usize, &Value)| {
        Some(Offer { slot: slot(record, code)?, what: what(record), may_be_billed: may_be_billed(request, position) })
    };
    request.records().iter().enumerate().filter_map(of).collect()
}

/// A record of the books in the form of an offer's `what`.
pub(crate) fn what_is_billed(record: &Booked) -> String {
    let allocations = record.allocations.iter();
    write(record.quantity, allocations.map(|it| (it.tags.clone(), it.quantity)).collect())
}

/// An answer that came whole says what was not billed; anything else leaves it open.
fn may_be_billed(request: &Request, position: usize) -> bool {
    match &request.fault {
        Fault::Throttle => false,
        Fault::Pass | Fault::Slow { .. } | Fault::Unprocessed { .. } | Fault::Refuse { .. } => {
            matches!(request.outcomes.get(position), Some(Outcome::Success | Outcome::DuplicateRecord))
        }
        Fault::Error { name, status, commit } => *commit || status.map_or(name == INTERNAL, |status| status >= 500),
        _ => true,
    }
}

fn slot(record: &Value, code: Option<&Value>) -> Option<Slot> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let member = |name: &str| record.get(name).and_then(text);
    let account = member("CustomerAWSAccountId").map(Customer::Account);
    let license = member("LicenseArn").map(Product::License);
    let hours = record.get("Timestamp")?.as_f64()?.div_euclid(3600.0);
    Some(Slot {
        customer: account.or_else(|| member("CustomerIdentifier").map(Customer::Identifier))?,
        product: license.or_else(|| code.and_then(text).map(Product::Code))?,
        dimension: member("Dimension")?,
        hour: Timestamp::from_second(hours as i64 * 3600).ok()?,
    })
}

fn what(record: &Value) -> String {
    let list = record.get("UsageAllocations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let bucket = |allocation: &Value| {
        let tags = allocation.get("Tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let text = |tag: &Value, name: &str| tag.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let tags = tags.iter().map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect();
        (tags, quantity(allocation, "AllocatedUsageQuantity"))
    };
    write(quantity(record, "Quantity"), list.iter().map(bucket).collect())
}

fn quantity(holder: &Value, name: &str) -> Quantity {
    let text = match (holder.get(name), holder.get(format!("{name}AsDecimal"))) {
        (Some(number), _) => number.to_string(),
        (None, Some(decimal)) => decimal.as_str().unwrap_or_default().to_owned(),
        (None, None) => "0".to_owned(),
    };
    text.parse().unwrap_or_default()
}

fn write(quantity: Quantity, mut buckets: Vec<(BTreeMap<String, String>, Quantity)>) -> String {
    buckets.sort();
    let buckets: Vec<String> = buckets.iter().map(|(tags, quantity)| format!("{quantity} for {tags:?}")).collect();
    if buckets.is_empty() { quantity.to_string() } else { format!("{quantity} ({})", buckets.join(", ")) }
}
