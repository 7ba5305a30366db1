//! The rules between the members of a request, which its shape does not show.
//!
//! | rule | refused with | source |
//! |---|---|---|
//! | one of `CustomerAWSAccountId` and `CustomerIdentifier` | `InvalidCustomerIdentifierException` for none, `ValidationException` for both | API reference ("mutually exclusive"); the names are guesses |
//! | `LicenseArn` in every record or in none | `InvalidLicenseException` | a guess |
//! | `ProductCode` if there is no `LicenseArn`, else none | `InvalidProductCodeException` for none, `ValidationException` for both | the model; the names are guesses |
//! | `LicenseArn` goes with `CustomerAWSAccountId` | `InvalidCustomerIdentifierException` | the model ("for new integrations"); the name is a guess |
//! | at most one of the two quantities; none is 0 | `ValidationException` | the model |
//! | 1 to 2500 allocations, with one quantity each of the record's kind, and the record's sum | `InvalidUsageAllocationsException` | the model |
//! | no two allocations with the same tags | `InvalidUsageAllocationsException` | API reference of `MeterUsage` ("must have a unique set of tags (include no tags)") |
//! | 1 to 5 tags, keys of 1 to 100 and values of 1 to 256 characters, no key twice | `InvalidTagException` | the model |

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::json::Members;
use crate::pattern;
use crate::quantity::Quantity;
use crate::record::{Allocation, Booked, Customer, Product, Slot};
use crate::refusal::Refusal;
use crate::shape::{Sent, SentAllocation, SentQuantity, SentRecord};
use crate::window;

const MOST_ALLOCATIONS: usize = 2500;
const MOST_TAGS: usize = 5;
const LONGEST_KEY: usize = 100;
const LONGEST_VALUE: usize = 256;

/// A record that says one thing.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    /// As it was sent.
    pub(crate) members: Members,
    pub(crate) timestamp: Timestamp,
    pub(crate) customer: Customer,
    pub(crate) product: Product,
    pub(crate) dimension: String,
    pub(crate) quantity: Quantity,
    /// Sorted.
    pub(crate) allocations: Vec<Allocation>,
}

impl Usage {
    /// The records of a request.
    ///
    /// # Errors
    /// The refusal of the whole request, for the first record that breaks a rule.
    pub(crate) fn read(sent: Sent) -> Result<Vec<Self>, Refusal> {
        let licensed = sent.records.iter().filter(|record| record.license.is_some()).count();
        if licensed > 0 && sent.product_code.is_some() {
            return Err(Refusal::validation("productCode", "must not be there beside licenseArn"));
        }
        if licensed > 0 && licensed < sent.records.len() {
            return Err(Refusal::new("InvalidLicenseException", "some records have no LicenseArn, others have"));
        }
        let code = sent.product_code;
        sent.records.into_iter().map(|record| usage(record, code.as_deref())).collect()
    }

    /// What the record would be billed as.
    pub(crate) fn slot(&self) -> Slot {
        Slot {
            customer: self.customer.clone(),
            product: self.product.clone(),
            dimension: self.dimension.clone(),
            hour: window::hour(self.timestamp),
        }
    }

    /// The record for the books.
    pub(crate) fn booked(&self, id: String) -> Booked {
        let Slot { customer, product, dimension, hour } = self.slot();
        let (timestamp, quantity, allocations) = (self.timestamp, self.quantity, self.allocations.clone());
        Booked { id, customer, product, dimension, hour, timestamp, quantity, allocations }
    }
}

fn usage(sent: SentRecord, code: Option<&str>) -> Result<Usage, Refusal> {
    let SentRecord { members, timestamp, dimension, account, identifier, license, quantity, allocations } = sent;
    let customer = customer(account, identifier)?;
    let product = match (license, code) {
        (Some(_), _) if matches!(customer, Customer::Identifier(_)) => {
            return Err(no_customer("a record with LicenseArn names its customer by CustomerAWSAccountId"));
        }
        (Some(license), _) => Product::License(license),
        (None, None | Some("")) => {
            return Err(Refusal::new("InvalidProductCodeException", "there is neither ProductCode nor LicenseArn"));
        }
        (None, Some(code)) => Product::Code(code.to_owned()),
    };
    let SentQuantity { whole, decimal } = quantity;
    if whole.is_some() && decimal.is_some() {
        return Err(Refusal::validation("quantity", "must not be there beside quantityAsDecimal"));
    }
    let quantity = whole.or(decimal).unwrap_or_default();
    let allocations = match allocations {
        None => Vec::new(),
        Some(list) => read_allocations(list, quantity, decimal.is_some())?,
    };
    Ok(Usage { members, timestamp, customer, product, dimension, quantity, allocations })
}

fn customer(account: Option<String>, identifier: Option<String>) -> Result<Customer, Refusal> {
    match (account, identifier) {
        (Some(account), None) => Ok(Customer::Account(account)),
        (None, Some(identifier)) if !identifier.is_empty() => Ok(Customer::Identifier(identifier)),
        (None, _) => Err(no_customer("there is neither CustomerAWSAccountId nor CustomerIdentifier")),
        (Some(_), Some(_)) => {
            Err(Refusal::validation("customerIdentifier", "must not be there beside customerAWSAccountId"))
        }
    }
}

fn no_customer(message: &str) -> Refusal {
    Refusal::new("InvalidCustomerIdentifierException", message)
}

fn read_allocations(list: Vec<SentAllocation>, total: Quantity, decimal: bool) -> Result<Vec<Allocation>, Refusal> {
    let wrong = |message: &str| Err(Refusal::new("InvalidUsageAllocationsException", message));
    if !(1..=MOST_ALLOCATIONS).contains(&list.len()) {
        return wrong("a record has 1 to 2500 allocations, or no such member");
    }
    let mut allocations = Vec::with_capacity(list.len());
    for SentAllocation { quantity, tags } in list {
        let (kind, other) =
            if decimal { (quantity.decimal, quantity.whole) } else { (quantity.whole, quantity.decimal) };
        let (Some(quantity), None) = (kind, other) else {
            return wrong("an allocation has one quantity, of the same kind as the record's");
        };
        allocations.push(Allocation { quantity, tags: read_tags(tags)? });
    }
    if allocations.iter().map(|allocation| allocation.quantity).sum::<Quantity>() != total {
        return wrong("the allocated quantities do not add up to the record's quantity");
    }
    allocations.sort_unstable_by(|one, other| one.tags.cmp(&other.tags));
    if allocations.windows(2).any(|pair| matches!(pair, [one, other] if one.tags == other.tags)) {
        return wrong("two allocations have the same tags");
    }
    Ok(allocations)
}

fn read_tags(tags: Option<Vec<(String, String)>>) -> Result<BTreeMap<String, String>, Refusal> {
    let wrong = |message: String| Err(Refusal::new("InvalidTagException", message));
    let Some(tags) = tags else {
        return Ok(BTreeMap::new());
    };
    if !(1..=MOST_TAGS).contains(&tags.len()) {
        return wrong(format!("{} tags: an allocation has 1 to 5, or no such member", tags.len()));
    }
    let mut read = BTreeMap::new();
    for (key, value) in tags {
        // All that the pattern lets pass is ASCII, so that bytes are characters.
        let fits = |text: &str, most: usize| pattern::is_tag(text) && text.len() <= most;
        if !fits(&key, LONGEST_KEY) || !fits(&value, LONGEST_VALUE) {
            return wrong(format!("{key:?} = {value:?} is no tag: ^[a-zA-Z0-9+ -=._:\\/@]+$"));
        }
        if read.insert(key.clone(), value).is_some() {
            return wrong(format!("the key {key:?} is there twice"));
        }
    }
    Ok(read)
}
