//! Why a charge has no cost.

use std::fmt::{Display, Formatter};

use meterhost_sdk::Decimal;

/// Why a charge has no cost. Which charge it is, the caller knows; only [`Fault::Unfinished`] names its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Neither has the dimension a price, nor does the charge bring its own.
    Unpriced,
    /// The quantity is below 0.
    Negative(Decimal),
    /// 38 digits do not hold this: the cost of a charge, the total of an account.
    TooLong(&'static str),
    /// Other charges, or more of them, are priced than the survey saw.
    NotAsSurveyed,
    /// A survey goes on though the account's first charge is priced.
    SurveyedLate,
    /// Fewer charges were priced than the survey saw.
    Unfinished {
        /// As it was given for the account.
        product: String,
        /// As it was given for the account.
        customer: String,
        /// As it was given for the account.
        dimension: String,
        /// How many charges are missing.
        missing: u64,
    },
    /// The account is one of another [`Pricing`](crate::Pricing).
    Foreign,
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Unpriced => f.write_str("the dimension has no price: give it one, or one to \"*\""),
            Fault::Negative(quantity) => write!(f, "the quantity is {quantity}: a price is for 0 or more"),
            Fault::TooLong(what) => write!(f, "{what} has more digits than the 38 that a decimal holds"),
            Fault::NotAsSurveyed => f.write_str("the account has other charges than those that were surveyed"),
            Fault::SurveyedLate => f.write_str("the account is surveyed though a charge of it is priced already"),
            Fault::Unfinished { product, customer, dimension, missing } => write!(
                f,
                "the account of product {product:?}, customer {customer:?} and dimension {dimension:?} is not complete: charges that \
                 were surveyed and not priced: {missing}"
            ),
            Fault::Foreign => f.write_str("the account is one of another set of charges"),
        }
    }
}

impl std::error::Error for Fault {}
