//! What the audit found: money that is wrong, or a client that will make it so.

use std::fmt;

use serde::Serialize;

use crate::record::Slot;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are explained with their variant")]
pub enum Finding {
    /// The books bill a slot with several records.
    BilledTwice { slot: Slot, ids: Vec<String> },
    /// A buyer is billed in one hour under `CustomerAWSAccountId` and under `CustomerIdentifier`.
    TwoIdentities { one: Slot, other: Slot },
    /// A buyer is billed in one hour under `ProductCode` and under a `LicenseArn` that is not known to be another
    /// product's: "will result in duplicate billing" (the model, `ProductCode`).
    TwoProducts { one: Slot, other: Slot },
    /// A slot was offered with several quantities or allocations, although its client could not know that the first had
    /// not been billed. Of all of them one is billed at most.
    TwoQuantities { slot: Slot, offered: Vec<String> },
    /// A record is in the books that no request offered and stored just once.
    NotOffered { id: String },
    /// A request is said to have stored a record that is not in the books.
    NotBooked { id: String },
    /// In some second more requests came than the service takes.
    AboveTheRate { requests: usize, limit: usize },
    /// A request, counted from 1 in the order of the log, had a shape that the service does not know.
    UnknownShape { request: usize, error: String },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BilledTwice { slot, ids } => write!(f, "billed {} times: {slot}", ids.len()),
            Self::TwoIdentities { one, other } => write!(f, "one buyer is billed as two: {one}, {other}"),
            Self::TwoProducts { one, other } => write!(f, "one buyer is billed under two products: {one}, {other}"),
            Self::TwoQuantities { slot, offered } => write!(f, "offered as {}: {slot}", offered.join(" and as ")),
            Self::NotOffered { id } => write!(f, "no request stored, just once, the record {id}"),
            Self::NotBooked { id } => write!(f, "the record {id} is not in the books"),
            Self::AboveTheRate { requests, limit } => write!(f, "{requests} requests in a second, {limit} are allowed"),
            Self::UnknownShape { request, error } => write!(f, "request {request} was refused with {error}"),
        }
    }
}
