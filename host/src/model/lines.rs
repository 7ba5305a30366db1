//! What an aggregator answers.

use meterhost_decimal::Decimal;

/// A customer's charge for one dimension, before rounding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeLine {
    /// The product, empty where there is none.
    pub product: String,
    /// The customer.
    pub customer: String,
    /// As the sinks know it.
    pub dimension: String,
    /// Part of the charge's identity; sorted by name.
    pub tags: Vec<(String, String)>,
    /// Exact.
    pub quantity: Decimal,
    /// Why the quantity is in doubt, if it is.
    pub doubt: Option<String>,
    /// The input's dimensions and how many records of each.
    pub origins: Vec<(String, u64)>,
    /// Not part of the identity.
    pub attributes: Vec<(String, String)>,
}

/// How much one rule left out of one customer's dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The product, empty where there is none.
    pub product: String,
    /// The customer.
    pub customer: String,
    /// As in the input.
    pub dimension: String,
    /// The rule's name.
    pub rule: String,
    /// How many records.
    pub records: u64,
    /// What they add up to.
    pub quantity: Decimal,
}
