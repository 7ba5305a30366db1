//! What is kept back, and how much of a window a doubt covers.

use meterhost_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::model::charge::{ChargeId, Key, Proposal};

/// Something that is kept back, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// The ETag of an object that could not be read: of one that was, it stands with the window's inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Hold {
    /// Of no place, and of a quantity that nobody knows.
    pub fn new(scope: Scope, code: &str, reason: String) -> Hold {
        Hold { scope, code: code.to_owned(), place: None, reason, quantity: None, version: None }
    }
}

/// What would be a charge, or differs from one that is frozen, and is kept back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The id that it has, or would have.
    pub id: ChargeId,
    /// Whether nobody knows whom to bill: the customer is the one in the usage then, and the id that of no charge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_payer: bool,
    /// The product, empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// The customer.
    pub customer: String,
    /// As the sink knows it.
    pub dimension: String,
    /// Sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// The input's dimensions that it is made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// The customers in the usage behind it, where a table says whom to bill.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<String>,
    /// What it comes to, before rounding: what a person decides of is this, and nothing else.
    pub exact: Decimal,
    /// As in [`Hold::code`]; `doubt` where records or objects that cannot be used hold it.
    pub code: String,
    /// Why, in a person's words.
    pub reason: String,
}

impl Kept {
    /// What would have this key.
    pub fn new(id: ChargeId, key: &Key, exact: Decimal, code: &str, reason: String) -> Kept {
        let Key { product, customer, dimension, tags, .. } = key.clone();
        let (from, of) = (Vec::new(), Vec::new());
        Kept { id, no_payer: false, product, customer, dimension, tags, from, of, exact, code: code.to_owned(), reason }
    }

    /// Whom it would be billed to, and the customers in the usage behind it.
    pub fn customers(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.customer).chain(&self.of).map(String::as_str)
    }

    /// What holds it alone.
    pub fn scope(&self) -> Scope {
        let Kept { product, customer, dimension, tags, .. } = self.clone();
        Scope::Charge { product, customer, dimension, tags }
    }

    /// Whether it is made from usage of this customer, or billed to them.
    pub fn is_of(&self, customer: &str) -> bool {
        self.customers().any(|of| of == customer)
    }

    /// In short: `cpu of acme, 120`.
    pub fn words(&self) -> String {
        format!("{} of {}, {}", self.dimension, self.customer, self.exact)
    }
}

/// As an origin: every dimension of the input, those included that the customer has no record of.
pub const EVERY: &str = "*";

/// Late usage of a frozen charge that is to be billed with a later window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// The charge of the usage's own window.
    pub id: ChargeId,
    /// What that window's usage comes to by now, before rounding.
    pub exact: Decimal,
    /// How much of it is not billed yet.
    pub quantity: Decimal,
    /// What would be that charge, where it was never frozen, since its slot was frozen without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Box<Proposal>>,
}

/// The smallest part of a window that surely contains a doubt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Whether a doubt of this scope holds what would be this charge.
    pub fn holds(&self, kept: &Kept) -> bool {
        match self {
            Scope::Window => true,
            Scope::Record => false,
            Scope::Customer { customer } => kept.is_of(customer),
            Scope::Dimension { customer, dimension } => {
                kept.is_of(customer) && kept.from.iter().any(|from| from == dimension || from == EVERY)
            }
            Scope::Charge { product, customer, dimension, tags } => {
                (product, customer, dimension, tags) == (&kept.product, &kept.customer, &kept.dimension, &kept.tags)
            }
        }
    }

    /// For a person: `what acme owes for cpu`.
    pub fn words(&self) -> String {
        match self {
            Scope::Window => "everything".to_owned(),
            Scope::Customer { customer } => format!("everything that {customer} owes"),
            Scope::Dimension { customer, dimension } => format!("what {customer} owes for {dimension}"),
            Scope::Charge { customer, dimension, .. } => format!("{dimension} of {customer}"),
            Scope::Record => "a record whose customer nobody knows".to_owned(),
        }
    }

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
