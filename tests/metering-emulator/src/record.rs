//! Usage as the books keep it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::quantity::Quantity;

/// Who used it. The two kinds are two customers to the service, even where they stand for one buyer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Customer {
    /// `CustomerAWSAccountId`
    Account(String),
    /// `CustomerIdentifier`, for integrations from before June 2026.
    Identifier(String),
}

/// What was used. The two kinds are two products to the service: metered under both, an hour is billed twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// The call's `ProductCode`, for integrations from before June 2026.
    Code(String),
    /// The record's `LicenseArn`.
    License(String),
}

/// A bucket of usage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The bucket's part of the record's quantity.
    pub quantity: Quantity,
    /// Keys with values; empty for the bucket of what has no tags.
    pub tags: BTreeMap<String, String>,
}

/// One billed record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booked {
    /// The `MeteringRecordId`, a UUID.
    pub id: String,
    /// The buyer.
    pub customer: Customer,
    /// The product or licence.
    pub product: Product,
    /// The dimension's name.
    pub dimension: String,
    /// The hour that is billed, UTC.
    pub hour: Timestamp,
    /// As it was sent, to the millisecond, UTC; within the hour.
    pub timestamp: Timestamp,
    /// What is billed.
    pub quantity: Quantity,
    /// Sorted; empty if there were none.
    #[serde(default)]
    pub allocations: Vec<Allocation>,
}

/// What is billed once: customer, product or licence, dimension and UTC hour.
///
/// Source: the aws-marketplace-metering skill of aws/agent-toolkit-for-aws ("first-write-wins dedup per
/// `CustomerAWSAccountId + LicenseArn + dimension + hour`, per region"). That it is the same for the older kinds is a
/// guess; the model says "the same customer, dimension, and time".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Slot {
    /// The buyer.
    pub customer: Customer,
    /// The product or licence.
    pub product: Product,
    /// The dimension's name.
    pub dimension: String,
    /// The start of the hour, UTC.
    pub hour: Timestamp,
}

impl Booked {
    /// The slot that the record takes.
    pub fn slot(&self) -> Slot {
        Slot {
            customer: self.customer.clone(),
            product: self.product.clone(),
            dimension: self.dimension.clone(),
            hour: self.hour,
        }
    }
}

impl Customer {
    /// The bare name.
    pub fn name(&self) -> &str {
        match self {
            Self::Account(name) | Self::Identifier(name) => name,
        }
    }
}

impl Product {
    /// The bare name.
    pub fn name(&self) -> &str {
        match self {
            Self::Code(name) | Self::License(name) => name,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} under {} at {}", self.dimension, self.customer.name(), self.product.name(), self.hour)
    }
}
