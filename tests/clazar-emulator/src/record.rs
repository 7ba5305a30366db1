//! A metering record as the books keep it.

use emulator_http::random;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The marketplace that a record is billed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    /// AWS Marketplace: whole quantities only (Clazar help 8346320981).
    Aws,
    /// Azure Marketplace.
    Azure,
    /// Google Cloud Marketplace.
    Gcp,
}

/// What became of a record. The literals are those of a real answer in the exporter's README.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Billed; cannot be taken back (Clazar help 8346320981).
    Success,
    /// Not billed, though it has an id and is listed.
    Fail,
}

/// One metering record in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// A UUID, or the id that a scripted answer gave.
    pub id: String,
    /// The marketplace.
    pub cloud: Cloud,
    /// The buyer's contract.
    pub contract_id: String,
    /// The dimension's name.
    pub dimension: String,
    /// An exact decimal, as it was sent.
    pub quantity: String,
    /// Billed or failed.
    pub status: Status,
    /// UTC, `YYYY-MM-DDTHH:MM:SSZ`.
    pub start_time: String,
    /// UTC, `YYYY-MM-DDTHH:MM:SSZ`, not before `start_time`.
    pub end_time: String,
    /// What the sender attached. That `GET` shows it is a guess; the answer to `POST` is known to show `{}`.
    #[serde(default)]
    pub custom_properties: Map<String, Value>,
}

impl Cloud {
    /// The literal that the service uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        }
    }
}

impl Status {
    /// The literal that the service uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fail => "fail",
        }
    }
}

impl Record {
    /// A billed record under a fresh id, for [`Emulator::seed`](crate::Emulator::seed). Times are UTC,
    /// `YYYY-MM-DDTHH:MM:SSZ`.
    pub fn billed(
        cloud: Cloud,
        contract_id: impl Into<String>,
        dimension: impl Into<String>,
        quantity: impl Into<String>,
        [start_time, end_time]: [&str; 2],
    ) -> Self {
        Self {
            id: random::uuid(),
            cloud,
            contract_id: contract_id.into(),
            dimension: dimension.into(),
            quantity: quantity.into(),
            status: Status::Success,
            start_time: start_time.into(),
            end_time: end_time.into(),
            custom_properties: Map::new(),
        }
    }

    /// The slot that the record takes.
    pub(crate) fn slot(&self) -> Slot {
        Slot::new(&self.contract_id, &self.dimension, &self.start_time)
    }

    /// The record as a result of `POST`: its `custom_properties` come back as `{}`.
    pub(crate) fn result(&self) -> Value {
        json!({
            "id": self.id,
            "cloud": self.cloud,
            "contract_id": self.contract_id,
            "dimension": self.dimension,
            "quantity": self.quantity,
            "status": self.status,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "custom_properties": {},
        })
    }
}

/// Contract, dimension and UTC hour: what Clazar bills at most once.
///
/// Its error text says "same contract_id" and "same hour"; that the hour is the one of `start_time` is a guess.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    contract_id: String,
    dimension: String,
    hour: String,
}

impl Slot {
    /// `start_time` in canonical form: its first 13 characters are the hour.
    pub(crate) fn new(contract_id: &str, dimension: &str, start_time: &str) -> Self {
        Self {
            contract_id: contract_id.to_owned(),
            dimension: dimension.to_owned(),
            hour: start_time.get(..13).unwrap_or(start_time).to_owned(),
        }
    }
}
