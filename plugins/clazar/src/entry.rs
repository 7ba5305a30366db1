//! What a record in the service's books says of a charge.
//!
//! | the record | says of the charge |
//! |---|---|
//! | is failed | nothing, whoever's it is |
//! | names another contract, cloud, dimension or hour of the start; or has no start, and another end | nothing: it is another's |
//! | stands in the charge's place, billed, with its times and its quantity | found |
//! | stands in its place, billed, with another time or quantity | different |
//! | stands in its place, and its status says neither | cannot tell |
//! | may be the charge's, as far as it can be read | cannot tell |
//!
//! A place is a contract, a dimension and an hour. That the hour is the one of `start_time` is a guess, so a record with the charge's
//! start and another end is in its place too.

use meterhost_sdk::{Finding, HeldRecord};
use serde_json::value::RawValue;

use crate::record::{Field, Record};
use crate::sent::Sent;
use crate::verdict::is_failure;
use crate::{service, time};

/// The most of a record that is handed on, in bytes.
const SHOWN: usize = 2048;

/// The most of a record that a reason shows, in bytes.
const QUOTED: usize = 200;

const HOUR: i64 = 3_600_000;

/// A record that is not failed.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    record: Record<'a>,
    /// In milliseconds; nothing if it is missing or cannot be read.
    start: Option<i64>,
    end: Option<i64>,
    /// What its status says, for a person, if that is not that it is billed.
    unsettled: Option<String>,
}

impl<'a> Entry<'a> {
    /// Nothing for a failed record.
    pub(crate) fn read(raw: &'a RawValue) -> Option<Self> {
        // What is no record could be one of anybody's that the service failed to write.
        let record = Record::read(raw).unwrap_or_else(|| Record::unreadable(raw));
        let unsettled = match &record.status {
            Field::Text(status) if is_failure(status) => return None,
            Field::Text(status) if status.eq_ignore_ascii_case("success") => None,
            Field::Text(status) => Some(format!("status \"{status}\"")),
            Field::Missing => Some("no status".into()),
            Field::Odd => Some("a status that is no text".into()),
        };
        let (start, end) = (at(&record.start_time), at(&record.end_time));
        Some(Entry { record, start, end, unsettled })
    }

    /// What it says of a charge; nothing if it is surely another's.
    pub(crate) fn says(&self, sent: &Sent<'_>) -> Option<Finding> {
        let doubt = || {
            let raw = service::excerpt(self.record.raw, QUOTED);
            Finding::CannotTell(format!("Clazar lists a record that does not say whose it is: {raw}"))
        };
        match self.is_in_place(sent) {
            Some(false) => return None,
            None => return Some(doubt()),
            Some(true) => {}
        }
        if let Some(status) = &self.unsettled {
            return Some(Finding::CannotTell(format!("Clazar holds a record in its place with {status}")));
        }
        let quantity = self.record.amount();
        Some(match (self.has_times(sent), quantity.map(|quantity| quantity == sent.quantity)) {
            (Some(true), Some(true)) => Finding::Found(held(&self.record)),
            (Some(false), _) | (_, Some(false)) => Finding::Different(held(&self.record)),
            (Some(true), None) => Finding::CannotTell("Clazar's record shows no quantity".into()),
            (None, _) => doubt(),
        })
    }

    /// Whether it stands in the charge's place; nothing if that cannot be told.
    fn is_in_place(&self, sent: &Sent<'_>) -> Option<bool> {
        let Entry { record, start, end, .. } = self;
        let cloud = match &record.cloud {
            // The listing was asked for one cloud, and a contract is concluded on one.
            Field::Missing => Some(true),
            cloud => cloud.text().map(|cloud| cloud.eq_ignore_ascii_case(sent.cloud.name())),
        };
        let hour = match (start, end) {
            (Some(start), _) => Some(start.div_euclid(HOUR) == sent.start.div_euclid(HOUR)),
            (None, Some(end)) if *end != sent.end => Some(false),
            (None, _) => None,
        };
        let contract = record.contract_id.text().map(|contract| contract == sent.contract);
        let dimension = record.dimension.text().map(|dimension| dimension == sent.dimension);
        let signs = [contract, cloud, dimension, hour];
        if signs.contains(&Some(false)) {
            return Some(false);
        }
        (!signs.contains(&None)).then_some(true)
    }

    /// Whether it has the charge's times; nothing if that cannot be told.
    fn has_times(&self, sent: &Sent<'_>) -> Option<bool> {
        let same = [self.start.map(|start| start == sent.start), self.end.map(|end| end == sent.end)];
        if same.contains(&Some(false)) {
            return Some(false);
        }
        (!same.contains(&None)).then_some(true)
    }
}

fn at(field: &Field) -> Option<i64> {
    time::read(field.text()?)
}

fn held(record: &Record<'_>) -> HeldRecord {
    HeldRecord {
        reference: record.id.text().map(str::to_owned),
        quantity: record.amount(),
        raw: service::excerpt(record.raw, SHOWN),
    }
}
