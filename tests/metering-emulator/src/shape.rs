//! The shape of a request: the members, types, lengths and patterns of the published model
//! (`meteringmarketplace/2016-01-14/service-2.json` of botocore 1.44.8).
//!
//! What has another type is a `SerializationException`; what has the type and breaks a constraint is a
//! `ValidationException`. Tags and the number of allocations have errors of their own in the model, and get them in
//! `rules`.

use std::str;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::json::{Members, parse};
use crate::pattern;
use crate::quantity::Quantity;
use crate::refusal::Refusal;

/// `UsageRecordList`: "max": 25.
const MOST_RECORDS: usize = 25;
const REQUEST: [&str; 2] = ["UsageRecords", "ProductCode"];
const RECORD: [&str; 8] = [
    "Timestamp",
    "CustomerIdentifier",
    "Dimension",
    "Quantity",
    "QuantityAsDecimal",
    "UsageAllocations",
    "CustomerAWSAccountId",
    "LicenseArn",
];
const ALLOCATION: [&str; 3] = ["AllocatedUsageQuantity", "AllocatedUsageQuantityAsDecimal", "Tags"];
const TAG: [&str; 2] = ["Key", "Value"];

/// A request of the right shape.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) product_code: Option<String>,
    pub(crate) records: Vec<SentRecord>,
}

/// A record of the right shape.
#[derive(Debug)]
pub(crate) struct SentRecord {
    pub(crate) members: Members,
    pub(crate) timestamp: Timestamp,
    pub(crate) dimension: String,
    pub(crate) account: Option<String>,
    pub(crate) identifier: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) quantity: SentQuantity,
    pub(crate) allocations: Option<Vec<SentAllocation>>,
}

/// A quantity, or both, as they were sent.
#[derive(Debug)]
pub(crate) struct SentQuantity {
    pub(crate) whole: Option<Quantity>,
    pub(crate) decimal: Option<Quantity>,
}

/// An allocation whose types are right. Its tags are pairs of key and value.
#[derive(Debug)]
pub(crate) struct SentAllocation {
    pub(crate) quantity: SentQuantity,
    pub(crate) tags: Option<Vec<(String, String)>>,
}

impl Sent {
    /// Reads a body.
    ///
    /// # Errors
    /// `SerializationException` or `ValidationException`.
    pub(crate) fn read(body: &Bytes) -> Result<Self, Refusal> {
        let text = str::from_utf8(body).map_err(|error| Refusal::serialization(error.to_string()))?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| Refusal::serialization(error.to_string()))?;
        let members = Members::read(raw, "request", &REQUEST)?;
        let product_code = optional_text(&members, "", "ProductCode")?;
        if let Some(code) = &product_code {
            check_length(code, "productCode", 0, 255)?;
            check(pattern::is_product_code(code), "productCode", "[-a-zA-Z0-9/=:_.@]*")?;
        }
        let list: Vec<Box<RawValue>> = parse(required(&members, "", "UsageRecords")?, "UsageRecords")?;
        if list.len() > MOST_RECORDS {
            let message = "failed to satisfy constraint: Member must have length less than or equal to 25";
            return Err(Refusal::validation("usageRecords", message));
        }
        let place = |position: usize| format!("usageRecords.{}.member", position + 1);
        let records = list.iter().enumerate().map(|(position, raw)| SentRecord::read(raw, &place(position)));
        Ok(Self { product_code, records: records.collect::<Result<_, _>>()? })
    }
}

impl SentRecord {
    fn read(raw: &RawValue, place: &str) -> Result<Self, Refusal> {
        let members = Members::read(raw, place, &RECORD)?;
        let dimension: String = parse(required(&members, place, "Dimension")?, place)?;
        check_length(&dimension, &format!("{place}.dimension"), 1, 255)?;
        let identifier = optional_text(&members, place, "CustomerIdentifier")?;
        if let Some(identifier) = &identifier {
            check_length(identifier, &format!("{place}.customerIdentifier"), 0, 255)?;
        }
        let account = optional_text(&members, place, "CustomerAWSAccountId")?;
        if let Some(account) = &account {
            let place = format!("{place}.customerAWSAccountId");
            check_length(account, &place, 1, 255)?;
            check(pattern::is_account(account), &place, "[0-9]+")?;
        }
        let license = optional_text(&members, place, "LicenseArn")?;
        if let Some(license) = &license {
            check(pattern::is_license_arn(license), &format!("{place}.licenseArn"), "that of a licence's ARN")?;
        }
        let allocations = match members.get("UsageAllocations") {
            None => None,
            Some(raw) => {
                let list: Vec<Box<RawValue>> = parse(raw, place)?;
                let place = |position: usize| format!("{place}.usageAllocations.{}.member", position + 1);
                let read = list.iter().enumerate().map(|(position, raw)| SentAllocation::read(raw, &place(position)));
                Some(read.collect::<Result<_, _>>()?)
            }
        };
        Ok(Self {
            timestamp: timestamp(required(&members, place, "Timestamp")?, place)?,
            dimension,
            account,
            identifier,
            license,
            quantity: SentQuantity::read(&members, place, "Quantity", "QuantityAsDecimal")?,
            allocations,
            members,
        })
    }
}

impl SentQuantity {
    fn read(members: &Members, place: &str, whole: &str, decimal: &str) -> Result<Self, Refusal> {
        let whole = match members.get(whole) {
            None => None,
            Some(raw) => {
                // "integer": 32 bits with a sign, of which the model takes away the negative ones.
                let number: i32 = parse(raw, &format!("{place}.{whole}"))?;
                let message = "failed to satisfy constraint: Member must have value greater than or equal to 0";
                let number = u32::try_from(number).map_err(|_| Refusal::validation(place, message))?;
                Some(Quantity::from(number))
            }
        };
        let decimal = match optional_text(members, place, decimal)? {
            None => None,
            Some(text) => {
                let message = format!("({text:?}) failed to satisfy constraint: {}", crate::quantity::NoQuantity);
                Some(text.parse().map_err(|_| Refusal::validation(&format!("{place}.{decimal}"), message))?)
            }
        };
        Ok(Self { whole, decimal })
    }
}

impl SentAllocation {
    fn read(raw: &RawValue, place: &str) -> Result<Self, Refusal> {
        let members = Members::read(raw, place, &ALLOCATION)?;
        let [whole, decimal, tags] = ALLOCATION;
        let quantity = SentQuantity::read(&members, place, whole, decimal)?;
        let tags = match members.get(tags) {
            None => None,
            Some(raw) => {
                let list: Vec<Box<RawValue>> = parse(raw, place)?;
                Some(list.iter().map(|raw| tag(raw, place)).collect::<Result<_, _>>()?)
            }
        };
        Ok(Self { quantity, tags })
    }
}

fn tag(raw: &RawValue, place: &str) -> Result<(String, String), Refusal> {
    let place = format!("{place}.tags");
    let members = Members::read(raw, &place, &TAG)?;
    let [key, value] = TAG;
    Ok((parse(required(&members, &place, key)?, &place)?, parse(required(&members, &place, value)?, &place)?))
}

/// Seconds since 1970 UTC as a JSON number, taken to the millisecond. One beyond the calendar is at its end, which no
/// window reaches.
fn timestamp(raw: &RawValue, place: &str) -> Result<Timestamp, Refusal> {
    let seconds: f64 = parse(raw, &format!("{place}.timestamp"))?;
    let end = if seconds < 0.0 { Timestamp::MIN } else { Timestamp::MAX };
    Ok(Timestamp::from_millisecond((seconds * 1000.0).round() as i64).unwrap_or(end))
}

fn required<'a>(members: &'a Members, place: &str, name: &str) -> Result<&'a RawValue, Refusal> {
    let message = "failed to satisfy constraint: Member must not be null";
    members.get(name).ok_or_else(|| Refusal::validation(&format!("{place}.{name}"), message))
}

fn optional_text(members: &Members, place: &str, name: &str) -> Result<Option<String>, Refusal> {
    members.get(name).map(|raw| parse(raw, &format!("{place}.{name}"))).transpose()
}

fn check_length(text: &str, place: &str, least: usize, most: usize) -> Result<(), Refusal> {
    let (length, rule) = (text.chars().count(), "failed to satisfy constraint: Member must have length");
    if length < least {
        return Err(Refusal::validation(place, format!("{rule} greater than or equal to {least}")));
    }
    if length > most {
        return Err(Refusal::validation(place, format!("{rule} less than or equal to {most}")));
    }
    Ok(())
}

fn check(fits: bool, place: &str, pattern: &str) -> Result<(), Refusal> {
    let message = format!("failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}");
    if fits { Ok(()) } else { Err(Refusal::validation(place, message)) }
}
