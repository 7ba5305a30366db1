//! Charges: what is owed, by whom, for what, and the id that stays the same for ever.

use std::fmt;
use std::str::FromStr;

use meterhost_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::service::Offer;
use super::window::Window;

/// What makes a charge that one and no other. There is one charge a key, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The pipeline's name.
    pub pipeline: String,
    /// The sink's name.
    pub sink: String,
    /// What it is owed for.
    pub window: Window,
    /// The product, empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// Who owes it.
    pub customer: String,
    /// What was used.
    pub dimension: String,
    /// Sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
}

impl Key {
    /// The charge's id: the first 128 bits of a SHA-256 over the fields, each with its length before it, so that no two keys are
    /// written the same.
    pub fn id(&self) -> ChargeId {
        self.digest("meterhost charge 1")
    }

    /// By which a person speaks of what nobody knows whom to bill for, where the customer is the one in the usage. No charge has it: the
    /// table may bill others to a customer of this name.
    pub fn handle(&self) -> ChargeId {
        self.digest("meterhost usage 1")
    }

    fn digest(&self, of: &str) -> ChargeId {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        field(of);
        field(&self.pipeline);
        field(&self.sink);
        field(self.window.kind().as_str());
        field(&self.window.label());
        field(&self.product);
        field(&self.customer);
        field(&self.dimension);
        for (name, value) in &self.tags {
            field(name);
            field(value);
        }
        let digest: [u8; 32] = hash.finalize().into();
        ChargeId(u128::from_be_bytes(digest.first_chunk().copied().unwrap_or_default()))
    }
}

/// A key without its window: what is owed by whom for what, window after window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// The sink's name.
    pub sink: String,
    /// The product, empty where there is none.
    pub product: String,
    /// Who owes it.
    pub customer: String,
    /// What was used.
    pub dimension: String,
    /// Sorted by name.
    pub tags: Vec<(String, String)>,
}

impl Key {
    /// The same in every window.
    pub fn lane(&self) -> Lane {
        let Key { sink, product, customer, dimension, tags, .. } = self.clone();
        Lane { sink, product, customer, dimension, tags }
    }
}

/// A key without its tags: what a service that joins tags keeps one record of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot<'a> {
    /// What it is owed for.
    pub window: Window,
    /// The sink's name.
    pub sink: &'a str,
    /// The product, empty where there is none.
    pub product: &'a str,
    /// Who owes it.
    pub customer: &'a str,
    /// What was used.
    pub dimension: &'a str,
}

impl Key {
    /// The slot that it is in.
    pub fn slot(&self) -> Slot<'_> {
        let Key { sink, window, product, customer, dimension, .. } = self;
        Slot { window: *window, sink, product, customer, dimension }
    }

    /// The same without tags.
    pub fn untagged(&self) -> Key {
        Key { tags: Vec::new(), ..self.clone() }
    }
}

/// Names a charge: 128 bits, written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChargeId(u128);

impl ChargeId {
    /// Its first and its last 64 bits.
    pub fn halves(self) -> (u64, u64) {
        ((self.0 >> 64) as u64, self.0 as u64)
    }

    /// From its halves.
    pub fn of_halves(high: u64, low: u64) -> ChargeId {
        ChargeId(u128::from(high) << 64 | u128::from(low))
    }
}

impl fmt::Display for ChargeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ChargeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that names no charge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no charge's id; an id is 32 lower-case hexadecimal digits")]
pub struct NoChargeId(String);

impl FromStr for ChargeId {
    type Err = NoChargeId;

    fn from_str(text: &str) -> Result<Self, NoChargeId> {
        let plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = plain.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(ChargeId).ok_or_else(|| NoChargeId(text.to_owned()))
    }
}

impl Serialize for ChargeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChargeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The usage of one customer behind a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// As in the usage, empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// As in the usage.
    pub customer: String,
    /// As the aggregator computed it.
    pub quantity: Decimal,
    /// The input's dimensions that it is made from, and how many records of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<(String, u64)>,
}

/// The records of one customer of the usage that went into a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share<'a> {
    /// As in the usage, empty where there is none.
    pub product: &'a str,
    /// As in the usage.
    pub customer: &'a str,
    /// The input's dimensions, and how many records of each.
    pub origins: &'a [(String, u64)],
}

impl<'a> Share<'a> {
    /// Whose records went into a charge: those of its parts; without any, those of its own customer.
    pub fn all(key: &'a Key, origins: &'a [(String, u64)], parts: &'a [Part]) -> impl Iterator<Item = Share<'a>> {
        let own = Share { product: &key.product, customer: &key.customer, origins };
        let shares =
            parts.iter().map(|part| Share { product: &part.product, customer: &part.customer, origins: &part.origins });
        parts.is_empty().then_some(own).into_iter().chain(shares)
    }

    /// The customer with its product, which together own usage.
    pub fn owner(&self) -> (&'a str, &'a str) {
        (self.product, self.customer)
    }
}

/// Late usage of an earlier window, billed with a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// When it was used.
    pub window: Window,
    /// How much, before rounding.
    pub quantity: Decimal,
}

/// What rounding down leaves over from window to window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remainder {
    /// What the charge before left over, and is billed with this one.
    pub before: Decimal,
    /// What this one leaves to the next.
    pub after: Decimal,
}

/// A charge that is ready to be frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Its identity.
    pub key: Key,
    /// What the aggregator computed, and what is carried from earlier windows.
    pub exact: Decimal,
    /// Rounded as the sink requires: what is sent.
    pub quantity: Decimal,
    /// Late usage of earlier windows, ascending by window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// What rounding takes over from the charge before, and leaves to the next; nothing where each is rounded by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remainder: Option<Remainder>,
    /// Whether nothing is sent of it: it comes to zero, and what is left over is billed later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsent: bool,
    /// The usage's time as it is told to the service, in milliseconds, UTC; lies in the window.
    pub time: i64,
    /// When its usage ends, where a customer's last bill cuts the window short: milliseconds, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// The input's dimensions that it is made from, and how many records of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<(String, u64)>,
    /// Whose usage stands behind it, where a table of customers says whom to bill; none where that is its own customer's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Not part of the identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<(String, String)>,
    /// The section that computed it.
    pub aggregator: String,
}

impl Proposal {
    /// What is carried from earlier windows; nothing where it has too many digits.
    pub fn carried(&self) -> Option<Decimal> {
        self.carried.iter().try_fold(Decimal::ZERO, |sum, carried| sum.checked_add(carried.quantity))
    }

    /// What its own window's usage comes to, before rounding; nothing where that has too many digits.
    pub fn own(&self) -> Option<Decimal> {
        self.exact.checked_sub(self.carried()?)
    }

    /// What would be left over, of so much now, if it had never been; nothing where it left nothing over, or where that is billed.
    pub fn gives_back(&self, now: Decimal) -> Option<Decimal> {
        let Remainder { before, after } = self.remainder.as_ref()?;
        let left = now.checked_add(*before)?.checked_sub(*after)?;
        (!left.is_negative()).then_some(left)
    }

    /// Whether its quantity follows from what it comes to: what is brought in is sent or left over.
    pub fn adds_up(&self) -> bool {
        let Some(Remainder { before, after }) = self.remainder else { return true };
        let sum = |left: Decimal, right: Decimal| left.checked_add(right);
        !after.is_negative() && sum(self.exact, before).is_some_and(|all| sum(self.quantity, after) == Some(all))
    }

    /// What a sink is handed of it.
    pub fn offer(&self, id: ChargeId) -> Offer {
        let key = &self.key;
        Offer {
            id: id.to_string(),
            product: key.product.clone(),
            customer: key.customer.clone(),
            dimension: key.dimension.clone(),
            tags: key.tags.clone(),
            window: (key.window.start().as_millisecond(), self.until.unwrap_or(key.window.end().as_millisecond())),
            time: self.time,
            quantity: self.quantity,
            carried: self.carried.iter().map(|carried| (carried.window, carried.quantity)).collect(),
            attributes: self.attributes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::window::WindowKind;

    fn key() -> Key {
        Key {
            pipeline: "p".to_owned(),
            sink: "s".to_owned(),
            window: Window::parse(WindowKind::Month, "2025-06").unwrap(),
            product: String::new(),
            customer: "ab".to_owned(),
            dimension: "c".to_owned(),
            tags: Vec::new(),
        }
    }

    #[test]
    fn an_id_stays_what_it_is() {
        // A ledger from years ago has to name today's charges: this value never changes.
        assert_eq!(key().id().to_string(), "8daa74a7874296b92cdac1fb570f40ea");
        assert_eq!(key().id().to_string().parse(), Ok(key().id()));
    }

    #[test]
    fn keys_that_differ_have_ids_that_differ() {
        let shifted = Key { customer: "a".to_owned(), dimension: "bc".to_owned(), ..key() };
        let product = Key { product: "ab".to_owned(), customer: String::new(), ..key() };
        let tagged = Key { tags: vec![("a".to_owned(), "b".to_owned())], ..key() };
        let day = Key { window: Window::parse(WindowKind::Day, "2025-06-01").unwrap(), ..key() };
        let ids = [key().id(), shifted.id(), product.id(), tagged.id(), day.id()];
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "12", "+0000000000000000000000000000001", "ABCDEF00000000000000000000000000"] {
            assert!(text.parse::<ChargeId>().is_err(), "{text}");
        }
    }
}
