//! What a sink's service says of a charge.

use meterhost_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::charge::ChargeId;

/// What an answer says of one charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Recorded by the service, with this quantity.
    Accepted,
    /// The service says that it holds a record for the charge already.
    Duplicate,
    /// Refused; nothing was recorded.
    Rejected,
    /// Surely not looked at; nothing was recorded.
    Unprocessed,
    /// The answer does not say surely what became of the charge.
    Unknown,
}

impl Status {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Accepted => "accepted",
            Status::Duplicate => "duplicate",
            Status::Rejected => "rejected",
            Status::Unprocessed => "unprocessed",
            Status::Unknown => "unknown",
        }
    }
}

/// A sink's answer for one charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The charge.
    pub id: ChargeId,
    /// What became of it.
    pub status: Status,
    /// With `Rejected`: whether offering the identical charge again, in a later run, makes sense.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retryable: bool,
    /// With `Unknown`: the refusal that the charge takes if a look-up shows it absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_if_absent: Option<String>,
    /// The service's own name for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The service's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The part of the answer that speaks of this charge, as it came, capped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw: String,
}

impl Outcome {
    /// An outcome that says nothing else.
    pub fn plain(id: ChargeId, status: Status, message: Option<String>) -> Self {
        Outcome { id, status, retryable: false, refusal_if_absent: None, reference: None, message, raw: String::new() }
    }
}

/// A record that the service holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldRecord {
    /// The service's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Its quantity, where the service says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Decimal>,
    /// The record as it came, capped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw: String,
}

/// What a look-up found of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// It is there, with the charge's quantity.
    Found(HeldRecord),
    /// It is surely not there.
    Absent,
    /// There is a record in its place, with another quantity.
    Different(HeldRecord),
    /// The service cannot say, and why.
    CannotTell(String),
}

impl Finding {
    /// In a word, as it is written.
    pub fn as_str(&self) -> &'static str {
        match self {
            Finding::Found(_) => "found",
            Finding::Absent => "absent",
            Finding::Different(_) => "different",
            Finding::CannotTell(_) => "cannot-tell",
        }
    }
}
