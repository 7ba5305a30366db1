//! A metering record as a client sends it, and the rules that it must obey.

use emulator_http::random;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::record::{Cloud, Record, Slot, Status};

/// The body of `POST /metering/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    request: Vec<Submission>,
}

/// One record of a call. The times are optional in the connector definition; here they are required, since what the
/// service would put in their place is unknown.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Submission {
    pub(crate) cloud: Cloud,
    pub(crate) contract_id: String,
    pub(crate) dimension: String,
    pub(crate) quantity: String,
    pub(crate) start_time: String,
    pub(crate) end_time: String,
    #[serde(default)]
    custom_properties: Map<String, Value>,
}

impl Submission {
    /// The records of a body, all of them well-formed, or what is wrong with the first that is not.
    pub(crate) fn parse(body: &[u8], now: Timestamp, digits: usize) -> Result<Vec<Self>, String> {
        let document: Document = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if document.request.is_empty() {
            return Err("request: this list may not be empty".into());
        }
        for (position, submission) in document.request.iter().enumerate() {
            submission.check(now, digits).map_err(|reason| format!("request[{position}].{reason}"))?;
        }
        Ok(document.request)
    }

    /// The slot that the record asks for.
    pub(crate) fn slot(&self) -> Slot {
        Slot::new(&self.contract_id, &self.dimension, &self.start_time)
    }

    /// The record for the books, under the id given or a fresh one.
    pub(crate) fn record(&self, id: Option<&str>, status: Status) -> Record {
        Record {
            id: id.map_or_else(random::uuid, str::to_owned),
            cloud: self.cloud,
            contract_id: self.contract_id.clone(),
            dimension: self.dimension.clone(),
            quantity: self.quantity.clone(),
            status,
            start_time: self.start_time.clone(),
            end_time: self.end_time.clone(),
            custom_properties: self.custom_properties.clone(),
        }
    }

    /// The record that someone else has billed for the slot, with times like these.
    pub(crate) fn of_someone_else(&self, id: Option<&str>, quantity: String) -> Record {
        Record { quantity, custom_properties: Map::new(), ..self.record(id, Status::Success) }
    }

    fn check(&self, now: Timestamp, digits: usize) -> Result<(), String> {
        for (name, text) in [("contract_id", &self.contract_id), ("dimension", &self.dimension)] {
            if text.trim().is_empty() {
                return Err(format!("{name}: may not be blank"));
            }
        }
        check_quantity(&self.quantity, self.cloud, digits).map_err(|reason| format!("quantity: {reason}"))?;
        let start = parse_time(&self.start_time).map_err(|reason| format!("start_time: {reason}"))?;
        let end = parse_time(&self.end_time).map_err(|reason| format!("end_time: {reason}"))?;
        if start > end {
            return Err("end_time: may not be before start_time".into());
        }
        if end > now {
            return Err(format!("end_time: may not be in the future, it is {now}"));
        }
        Ok(())
    }
}

/// What a record put into the books by hand must obey: all the rules of a submission but the future.
pub(crate) fn check_record(record: &Record, digits: usize) -> Result<(), String> {
    let submission = Submission {
        cloud: record.cloud,
        contract_id: record.contract_id.clone(),
        dimension: record.dimension.clone(),
        quantity: record.quantity.clone(),
        start_time: record.start_time.clone(),
        end_time: record.end_time.clone(),
        custom_properties: Map::new(),
    };
    submission.check(Timestamp::MAX, digits)
}

/// `12` or, where the cloud takes it, `12.50`: no sign, no exponent, no leading zero, no bare point.
fn check_quantity(text: &str, cloud: Cloud, digits: usize) -> Result<(), String> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !fraction.is_none_or(is_number) || (whole.len() > 1 && whole.starts_with('0')) {
        return Err(format!("{text:?} is not a decimal that is zero or more"));
    }
    if cloud == Cloud::Aws && fraction.is_some() {
        return Err(format!("{text:?} is not an integer, as aws demands"));
    }
    if whole.len() + fraction.map_or(0, str::len) > digits {
        return Err(format!("more than {digits} digits"));
    }
    Ok(())
}

/// Only the canonical form passes: what jiff would print for the same second.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    match text.parse::<Timestamp>() {
        Ok(time) if time.subsec_nanosecond() == 0 && time.to_string() == text => Ok(time),
        _ => Err(format!("{text:?} is not YYYY-MM-DDTHH:MM:SSZ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_a_plain_decimal_and_whole_on_aws() {
        for good in ["0", "7", "10737418240", "99999999999999999999999999999999999999"] {
            assert_eq!(check_quantity(good, Cloud::Aws, 38), Ok(()));
        }
        for bad in ["", "-1", "+1", "01", "1e3", ".5", "1.", "1,5", " 1", "NaN", "0x1", "١"] {
            assert!(check_quantity(bad, Cloud::Gcp, 38).is_err(), "{bad:?}");
        }
        assert!(check_quantity("1.5", Cloud::Aws, 38).is_err());
        assert!(check_quantity("1.0", Cloud::Aws, 38).is_err());
        assert_eq!(check_quantity("1.50", Cloud::Gcp, 38), Ok(()));
        assert_eq!(check_quantity("0.5", Cloud::Azure, 38), Ok(()));
        assert!(check_quantity("12.3", Cloud::Gcp, 2).is_err());
    }

    #[test]
    fn a_time_has_one_form() {
        assert!(parse_time("2024-02-29T23:59:59Z").is_ok());
        for bad in [
            "2025-06-01T00:00:00",
            "2025-06-01T00:00:00.5Z",
            "2025-06-01T00:00:00.000Z",
            "2025-06-01T00:00:00+00:00",
            "2025-06-01 00:00:00Z",
            "2025-06-01T00:00Z",
            "2025-06-01T23:59:60Z",
            "2025-02-29T00:00:00Z",
            "2025-06-01t00:00:00z",
            "",
        ] {
            assert!(parse_time(bad).is_err(), "{bad:?}");
        }
    }
}
