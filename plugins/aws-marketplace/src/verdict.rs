//! What a result says of its record.
//!
//! | it is | it says |
//! |---|---|
//! | a result with status `Success` | recorded, under this name |
//! | with status `CustomerNotSubscribed` | refused, and it would be again |
//! | with status `DuplicateRecord` | there is a record for the place already |
//! | with another status, or none | unclear |
//! | an unprocessed record | not looked at |

use meterhost_sdk::Status;

use crate::object::{Field, Object};
use crate::record::Record;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Recorded, under this name.
    Success(Option<String>),
    NotSubscribed,
    Duplicate,
    Unprocessed,
    /// Nothing sure; what it says instead, for a person.
    Unclear(String),
}

impl Verdict {
    /// Of an element of `Results`.
    pub(crate) fn of(result: &Object<'_>) -> Self {
        match result.field("Status") {
            Field::Text(status) => match status.as_str() {
                "Success" => match result.field("MeteringRecordId") {
                    Field::Missing => Verdict::Success(None),
                    Field::Text(name) => Verdict::Success(Some(name)),
                    Field::Odd => Verdict::Unclear("Success, with a MeteringRecordId that cannot be read".to_owned()),
                },
                "CustomerNotSubscribed" => Verdict::NotSubscribed,
                "DuplicateRecord" => Verdict::Duplicate,
                _ => Verdict::Unclear(format!("the status \"{status}\", which is not known")),
            },
            Field::Missing => Verdict::Unclear("no status".to_owned()),
            Field::Odd => Verdict::Unclear("a status that cannot be read".to_owned()),
        }
    }

    /// What it says, in a few words.
    pub(crate) fn words(&self) -> String {
        match self {
            Verdict::Success(None) => "Success".to_owned(),
            Verdict::Success(Some(name)) => format!("Success as {name}"),
            Verdict::NotSubscribed => "CustomerNotSubscribed".to_owned(),
            Verdict::Duplicate => "DuplicateRecord".to_owned(),
            Verdict::Unprocessed => "unprocessed".to_owned(),
            Verdict::Unclear(words) => words.clone(),
        }
    }

    /// The service's name for the record.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Verdict::Success(name) => name.as_deref(),
            _ => None,
        }
    }

    /// Whether both surely say the same, under whatever name.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.status() != Status::Unknown && self.status() == other.status()
    }

    pub(crate) fn status(&self) -> Status {
        match self {
            Verdict::Success(_) => Status::Accepted,
            Verdict::NotSubscribed => Status::Rejected,
            Verdict::Duplicate => Status::Duplicate,
            Verdict::Unprocessed => Status::Unprocessed,
            Verdict::Unclear(_) => Status::Unknown,
        }
    }

    /// What it means for a person, and what to do about it.
    pub(crate) fn message(&self, record: &Record<'_>) -> Option<String> {
        let Record { customer, product, .. } = record;
        match self {
            Verdict::Success(_) => None,
            // The three causes that the service's model names.
            Verdict::NotSubscribed => {
                let is_short = customer.len() != 12 && customer.chars().all(|c| c.is_ascii_digit());
                let hint = if is_short { " (an account id has 12 digits, zeros in front included)" } else { "" };
                Some(format!(
                    "CustomerNotSubscribed: AWS Marketplace did not record it. Either {customer} has no active agreement for {product}, or \
                     the account is suspended, or nobody is known by that id{hint}. Look the agreement up in the AWS Marketplace \
                     Management Portal, settle what is owed with the customer, and waive the charge"
                ))
            }
            Verdict::Duplicate => Some(format!(
                "DuplicateRecord: AWS Marketplace has a record of {customer} for {}, {product} and this hour already, and the first one stands",
                record.dimension
            )),
            Verdict::Unprocessed => Some("AWS Marketplace left it unprocessed, to be sent again".to_owned()),
            Verdict::Unclear(words) => Some(words.clone()),
        }
    }
}
