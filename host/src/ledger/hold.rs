//! What is kept back, and how much of a window a doubt covers.

use meterhost_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Something that is kept back, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// What it covers.
    pub scope: Scope,
    /// A short stable name for the reason: `quarantined`, `unreadable`, `rounding`, `late`.
    pub code: String,
    /// Where the doubt comes from: an object, and a place in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why, in a person's words.
    pub reason: String,
    /// How much is kept back, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Decimal>,
}

/// The smallest part of a window that surely contains a doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scope {
    /// All of it: an object cannot be read, and nobody knows whose usage is in it.
    Window,
    /// Everything of a customer: a record of theirs does not say its dimension.
    Customer {
        /// The customer.
        customer: String,
    },
    /// The charges that are made from one dimension of the input for one customer.
    Dimension {
        /// The customer.
        customer: String,
        /// As in the input.
        dimension: String,
    },
    /// One charge.
    Charge {
        /// The product, empty where there is none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        product: String,
        /// The customer.
        customer: String,
        /// As the sink knows it.
        dimension: String,
        /// Sorted by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<(String, String)>,
    },
    /// A record alone, whose customer nobody knows.
    Record,
}

impl Scope {
    /// The customer that it is about, where that is known.
    pub fn customer(&self) -> Option<&str> {
        match self {
            Scope::Customer { customer } | Scope::Dimension { customer, .. } | Scope::Charge { customer, .. } => {
                Some(customer)
            }
            Scope::Window | Scope::Record => None,
        }
    }

    /// Whether something of what a customer owes may be in it.
    pub fn may_cover(&self, customer: &str) -> bool {
        self.customer().is_none_or(|about| about == customer)
    }
}
