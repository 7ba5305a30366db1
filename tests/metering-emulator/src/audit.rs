//! Whether money is wrong: the books against the log of requests, and both against what the real service would have let
//! pass and billed twice.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::finding::Finding;
use crate::offer::{Offer, offers, what_is_billed};
use crate::rate::busiest_second;
use crate::record::{Booked, Customer, Product, Slot};
use crate::request::Request;
use crate::service::Service;
use crate::settings::Settings;

/// The errors with which a request of an unknown shape is refused.
const SHAPE: [&str; 6] = [
    "InvalidTagException",
    "InvalidUsageAllocationsException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "UnknownOperationException",
    "ValidationException",
];

/// What the audit says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// What is wrong; empty if nothing is.
    pub findings: Vec<Finding>,
    /// Requests to the API, refused ones included.
    pub requests: usize,
    /// The most requests that came in any one second of real time.
    pub busiest_second: usize,
    /// Records in the books.
    pub billed: usize,
    /// How often a record was offered again, just like this, after it was billed: harmless, and the price of a client
    /// that cannot know.
    pub repeated: usize,
}

impl Audit {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

pub(crate) fn audit(service: &Service) -> Audit {
    let (records, log, settings) = (service.books.records(), service.log.as_slice(), &service.settings);
    let offered: Vec<Vec<Offer>> = log.iter().map(offers).collect();
    let mut findings = billed_twice(records);
    findings.extend(two_names(records, settings));
    findings.extend(two_quantities(&offered));
    findings.extend(against_the_log(service, &offered));
    findings.extend(unknown_shapes(log));
    let mut moments: Vec<Timestamp> = log.iter().map(|request| request.at).collect();
    moments.sort_unstable();
    let busiest_second = busiest_second(&moments);
    if busiest_second > settings.rate_limit {
        findings.push(Finding::AboveTheRate { requests: busiest_second, limit: settings.rate_limit });
    }
    let repeated = repeated(service, &offered);
    Audit { findings, requests: log.len(), busiest_second, billed: records.len(), repeated }
}

fn billed_twice(records: &[Booked]) -> Vec<Finding> {
    let mut slots: BTreeMap<Slot, Vec<String>> = BTreeMap::new();
    for record in records {
        slots.entry(record.slot()).or_default().push(record.id.clone());
    }
    let several = slots.into_iter().filter(|(_, ids)| ids.len() > 1);
    several.map(|(slot, ids)| Finding::BilledTwice { slot, ids }).collect()
}

/// One buyer in one hour under two kinds of names. The dimension does not matter: what the service bills twice is said of
/// "the same customer within the same hour".
fn two_names(records: &[Booked], settings: &Settings) -> Vec<Finding> {
    let mut hours: BTreeMap<(String, Timestamp), Vec<&Booked>> = BTreeMap::new();
    for record in records {
        let buyer = match &record.customer {
            Customer::Account(account) => account,
            Customer::Identifier(identifier) => settings.aliases.get(identifier).unwrap_or(identifier),
        };
        hours.entry((buyer.clone(), record.hour)).or_default().push(record);
    }
    let mut findings = Vec::new();
    for records in hours.into_values() {
        let pairs = || records.iter().flat_map(|one| records.iter().map(move |other| (*one, *other)));
        let identities = pairs().find(|(one, other)| {
            matches!((&one.customer, &other.customer), (Customer::Account(_), Customer::Identifier(_)))
                && may_be_one_product(&one.product, &other.product, settings)
        });
        let products = pairs().find(|(one, other)| {
            matches!((&one.product, &other.product), (Product::Code(_), Product::License(_)))
                && may_be_one_product(&one.product, &other.product, settings)
        });
        let slots = |(one, other): (&Booked, &Booked)| (one.slot(), other.slot());
        findings.extend(identities.map(slots).map(|(one, other)| Finding::TwoIdentities { one, other }));
        findings.extend(products.map(slots).map(|(one, other)| Finding::TwoProducts { one, other }));
    }
    findings
}

fn may_be_one_product(one: &Product, other: &Product, settings: &Settings) -> bool {
    match (one, other) {
        (Product::Code(code), Product::License(arn)) | (Product::License(arn), Product::Code(code)) => {
            settings.license(arn).is_none_or(|license| license.product == *code)
        }
        (one, other) => one == other,
    }
}

fn two_quantities(offered: &[Vec<Offer>]) -> Vec<Finding> {
    let mut slots: BTreeMap<&Slot, Vec<String>> = BTreeMap::new();
    for offer in offered.iter().flatten().filter(|offer| offer.may_be_billed) {
        let known = slots.entry(&offer.slot).or_default();
        if !known.contains(&offer.what) {
            known.push(offer.what.clone());
        }
    }
    let several = slots.into_iter().filter(|(_, offered)| offered.len() > 1);
    several.map(|(slot, offered)| Finding::TwoQuantities { slot: slot.clone(), offered }).collect()
}

/// Every record was offered and stored just once, just like this; and what a request is said to have stored is there.
fn against_the_log(service: &Service, offered: &[Vec<Offer>]) -> Vec<Finding> {
    let mut stored: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, request) in service.log.iter().enumerate() {
        for id in &request.stored {
            stored.entry(id).or_default().push(place);
        }
    }
    let mut findings = Vec::new();
    for record in service.books.records().iter().filter(|record| !service.books.is_others(&record.id)) {
        let places = stored.remove(record.id.as_str()).unwrap_or_default();
        let (slot, what) = (record.slot(), what_is_billed(record));
        let is_offered = |place: &usize| {
            let offers = offered.get(*place).map_or(&[][..], Vec::as_slice);
            offers.iter().any(|offer| offer.slot == slot && offer.what == what)
        };
        if !matches!(places.as_slice(), [place] if is_offered(place)) {
            findings.push(Finding::NotOffered { id: record.id.clone() });
        }
    }
    let mut left: Vec<&str> = stored.into_keys().collect();
    left.sort_unstable();
    findings.extend(left.into_iter().map(|id| Finding::NotBooked { id: id.to_owned() }));
    findings
}

fn unknown_shapes(log: &[Request]) -> Vec<Finding> {
    let refused = log.iter().enumerate().filter_map(|(place, request)| {
        let error = request.error.as_ref().filter(|error| SHAPE.contains(&error.as_str()))?;
        request.number.is_none().then(|| Finding::UnknownShape { request: place + 1, error: error.clone() })
    });
    refused.collect()
}

/// Offers of a slot beyond those by which it was billed, with what was billed.
fn repeated(service: &Service, offered: &[Vec<Offer>]) -> usize {
    let is_billed =
        |offer: &&Offer| service.books.billed(&offer.slot).is_some_and(|record| what_is_billed(record) == offer.what);
    let mut after: HashMap<&Slot, bool> = HashMap::new();
    let mut count = 0;
    for (offers, request) in offered.iter().zip(&service.log) {
        for offer in offers.iter().filter(is_billed) {
            let id = service.books.billed(&offer.slot).map(|record| &record.id);
            let billed_before = after.get(&offer.slot).copied().unwrap_or(false);
            count += usize::from(billed_before);
            let stores = id.is_some_and(|id| request.stored.contains(id));
            after.insert(&offer.slot, billed_before || stores);
        }
    }
    count
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use emulator_http::{Body, Received};
    use serde_json::json;

    use super::*;

    const HOUR: i64 = 1_795_194_000;

    fn record(id: &str, quantity: u32) -> Booked {
        let hour = Timestamp::from_second(HOUR).unwrap();
        Booked {
            id: id.into(),
            customer: Customer::Account("1".into()),
            product: Product::Code("p".into()),
            dimension: "d".into(),
            hour,
            timestamp: hour,
            quantity: quantity.into(),
            allocations: Vec::new(),
        }
    }

    /// A service with this record in its books, and requests that offered a quantity and are said to have stored it.
    fn service(booked: &[Booked], requests: &[(u32, &[&str])]) -> Service {
        let mut service = Service::open(Settings::default()).unwrap();
        assert!(booked.iter().all(|record| service.books.add(record.clone())));
        for (number, (quantity, stored)) in requests.iter().enumerate() {
            let usage = json!({
                "Timestamp": HOUR + 60, "Dimension": "d", "Quantity": quantity, "CustomerAWSAccountId": "1",
            });
            let place = service.arrived(Received {
                at: Timestamp::UNIX_EPOCH,
                method: "POST".into(),
                path: "/".into(),
                query: String::new(),
                headers: Vec::new(),
                body: Body::Whole(json!({ "ProductCode": "p", "UsageRecords": [usage] }).to_string().into()),
            });
            let entry = &mut service.log[place.unwrap()];
            entry.number = Some(number + 1);
            entry.stored = stored.iter().map(|id| (*id).to_owned()).collect();
        }
        service
    }

    fn findings(booked: &[Booked], requests: &[(u32, &[&str])]) -> Vec<Finding> {
        audit(&service(booked, requests)).findings
    }

    fn not_offered() -> Vec<Finding> {
        vec![Finding::NotOffered { id: "a".into() }]
    }

    #[test]
    fn books_that_hold_what_was_offered_are_clean() {
        assert_eq!(findings(&[record("a", 4)], &[(4, &["a"]), (4, &[])]), []);
        assert_eq!(findings(&[], &[(4, &[])]), []);
    }

    #[test]
    fn a_record_that_was_not_offered_like_this_is_found() {
        assert_eq!(findings(&[record("a", 4)], &[]), not_offered());
        assert_eq!(findings(&[record("a", 4)], &[(4, &[])]), not_offered());
        assert_eq!(findings(&[record("a", 4)], &[(5, &["a"])]), not_offered());
        assert_eq!(findings(&[record("a", 4)], &[(4, &["a"]), (4, &["a"])]), not_offered());
    }

    #[test]
    fn a_record_that_was_stored_and_is_not_there_is_found() {
        assert_eq!(findings(&[], &[(4, &["a"])]), [Finding::NotBooked { id: "a".into() }]);
    }

    #[test]
    fn a_slot_that_two_records_bill_is_found() {
        let twice = billed_twice(&[record("a", 4), record("b", 4)]);
        assert_eq!(twice, [Finding::BilledTwice { slot: record("a", 4).slot(), ids: vec!["a".into(), "b".into()] }]);
    }
}
