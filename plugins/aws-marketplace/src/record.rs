//! The charges of one place as one record, as it is written for the service.
//!
//! A record splits its quantity into allocations by tags (API reference, `UsageAllocation`): "For the bucket of items with no tags, this
//! parameter can be left out", and "each UsageAllocation must have a unique set of tags (include no tags)".

use std::collections::{BTreeMap, HashMap, HashSet};

use meterhost_sdk::{Charge, Decimal};
use serde::Serialize;

use crate::Config;
use crate::traits::{BODY, MOST_ALLOCATIONS};

/// What a call's body ends with behind its records.
pub(crate) const END: &str = "]}";

/// Tags sorted by key: what an allocation is known by.
pub(crate) type Tags<'a> = Vec<(&'a str, &'a str)>;

/// All charges of a call that have one product, customer, dimension and time.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The product code, or the licence.
    pub(crate) product: &'a str,
    pub(crate) customer: &'a str,
    pub(crate) dimension: &'a str,
    /// Since 1970, as the service is told.
    pub(crate) seconds: i64,
    /// At least one, each once.
    pub(crate) charges: Vec<&'a Charge>,
    /// How much of it has which tags. In the order of the tags: the order of the charges must not change what is sent.
    pub(crate) allocations: BTreeMap<Tags<'a>, Decimal>,
    /// The sum; nothing if it has more than 38 digits.
    pub(crate) quantity: Option<Decimal>,
}

/// The records that charges make, in the order in which their first charges stand.
pub(crate) fn records<'a>(config: &'a Config, charges: &'a [Charge]) -> Vec<Record<'a>> {
    let mut records: Vec<Record<'a>> = Vec::new();
    let (mut places, mut known) = (HashMap::new(), HashSet::new());
    for charge in charges {
        // The same charge twice is owed once.
        if !known.insert(charge.id.as_str()) {
            continue;
        }
        let (product, customer, dimension) =
            (config.product(charge), charge.customer.as_str(), charge.dimension.as_str());
        let seconds = charge.time.div_euclid(1000);
        let place = *places.entry((product, customer, dimension, seconds)).or_insert(records.len());
        if place == records.len() {
            let quantity = Some(Decimal::ZERO);
            let (charges, allocations) = (Vec::new(), BTreeMap::new());
            records.push(Record { product, customer, dimension, seconds, charges, allocations, quantity });
        }
        if let Some(record) = records.get_mut(place) {
            record.add(charge);
        }
    }
    records
}

impl<'a> Record<'a> {
    fn add(&mut self, charge: &'a Charge) {
        let mut tags: Tags<'a> = charge.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        tags.sort_unstable();
        self.charges.push(charge);
        self.quantity = self.quantity.and_then(|quantity| quantity.checked_add(charge.quantity));
        let allocated = self.allocations.entry(tags).or_insert(Decimal::ZERO);
        // Where this overflows, the sum does so too, and nothing of the record is written.
        *allocated = allocated.checked_add(charge.quantity).unwrap_or(Decimal::MAX);
    }

    /// Whether the whole quantity has no tags, so that there is nothing to split.
    pub(crate) fn is_plain(&self) -> bool {
        self.allocations.keys().all(Vec::is_empty)
    }

    /// Why the service would surely refuse the record for what its charges come to together.
    pub(crate) fn objection(&self, config: &Config) -> Option<String> {
        let count = self.charges.len();
        let Some(quantity) = self.quantity else {
            return Some(format!("the {count} charges that make one record come to more than 38 digits"));
        };
        if let Some(objection) = config.quantity.objection(quantity) {
            let whole = format!("the quantity of the {count} charges that make one record");
            return Some(format!("{} {objection}", if count == 1 { "its quantity" } else { &whole }));
        }
        let allocations = self.allocations.len();
        if allocations > MOST_ALLOCATIONS {
            return Some(format!(
                "{allocations} charges make one record, one for each set of tags, and AWS Marketplace takes {MOST_ALLOCATIONS}"
            ));
        }
        let bytes = self
            .written(config)
            .map_or(0, |text| Record::envelope(config, self.product).len() + text.len() + END.len());
        (bytes >= BODY).then(|| {
            format!("the {count} charges that make one record take {bytes} bytes, and AWS Marketplace takes less than {BODY}")
        })
    }

    /// As JSON. Nothing if a quantity cannot be written as configured.
    pub(crate) fn written(&self, config: &Config) -> Option<String> {
        let by_license = config.identity.is_by_license();
        let is_account = config.identity.customer_field() == "CustomerAWSAccountId";
        let amount = |quantity| Amount::of(config, quantity);
        let allocations = match self.is_plain() {
            true => None,
            false => Some(
                self.allocations
                    .iter()
                    .map(|(tags, quantity)| {
                        let Amount { whole, decimal } = amount(*quantity)?;
                        let tags = tags.iter().map(|&(key, value)| Tag { key, value }).collect();
                        Some(Allocation { whole, decimal, tags })
                    })
                    .collect::<Option<Vec<_>>>()?,
            ),
        };
        let Amount { whole, decimal } = amount(self.quantity?)?;
        let written = Written {
            timestamp: self.seconds,
            dimension: self.dimension,
            customer_account: is_account.then_some(self.customer),
            customer_identifier: (!is_account).then_some(self.customer),
            license: by_license.then_some(self.product),
            quantity: whole,
            quantity_as_decimal: decimal,
            allocations,
        };
        serde_json::to_string(&written).ok()
    }

    /// What a call's body begins with before its records.
    pub(crate) fn envelope(config: &Config, product: &str) -> String {
        match config.identity.is_by_license() {
            true => r#"{"UsageRecords":["#.to_owned(),
            false => format!(r#"{{"ProductCode":{},"UsageRecords":["#, serde_json::Value::from(product)),
        }
    }
}

/// A quantity in the one of two forms that is configured.
struct Amount {
    whole: Option<i32>,
    decimal: Option<String>,
}

impl Amount {
    fn of(config: &Config, quantity: Decimal) -> Option<Self> {
        if config.quantity.objection(quantity).is_some() {
            return None;
        }
        Some(match config.quantity {
            crate::Quantity::Integer => {
                let whole = i32::try_from(quantity.rescale(0)?.coefficient()).ok()?;
                Amount { whole: Some(whole), decimal: None }
            }
            crate::Quantity::Decimal => Amount { whole: None, decimal: Some(quantity.to_string()) },
        })
    }
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
    #[serde(rename = "Dimension")]
    dimension: &'a str,
    #[serde(rename = "CustomerAWSAccountId", skip_serializing_if = "Option::is_none")]
    customer_account: Option<&'a str>,
    #[serde(rename = "CustomerIdentifier", skip_serializing_if = "Option::is_none")]
    customer_identifier: Option<&'a str>,
    #[serde(rename = "LicenseArn", skip_serializing_if = "Option::is_none")]
    license: Option<&'a str>,
    #[serde(rename = "Quantity", skip_serializing_if = "Option::is_none")]
    quantity: Option<i32>,
    #[serde(rename = "QuantityAsDecimal", skip_serializing_if = "Option::is_none")]
    quantity_as_decimal: Option<String>,
    #[serde(rename = "UsageAllocations", skip_serializing_if = "Option::is_none")]
    allocations: Option<Vec<Allocation<'a>>>,
}

#[derive(Serialize)]
struct Allocation<'a> {
    #[serde(rename = "AllocatedUsageQuantity", skip_serializing_if = "Option::is_none")]
    whole: Option<i32>,
    #[serde(rename = "AllocatedUsageQuantityAsDecimal", skip_serializing_if = "Option::is_none")]
    decimal: Option<String>,
    #[serde(rename = "Tags", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag<'a>>,
}

#[derive(Serialize)]
struct Tag<'a> {
    #[serde(rename = "Key")]
    key: &'a str,
    #[serde(rename = "Value")]
    value: &'a str,
}
