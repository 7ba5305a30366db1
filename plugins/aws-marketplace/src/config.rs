//! How customers and products are named, and how quantities are written.

use meterhost_sdk::{Charge, Decimal};

use crate::names;

meterhost_sdk::config! {
    /// How charges reach AWS Marketplace. Whom a call bills as, and in which region, the grant says.
    pub struct Config {
        /// What a charge's customer and product are. All charges of the sink are told in this way: the service would bill usage of one
        /// customer and hour twice that it is told both by product code and by licence.
        #[serde(default)]
        pub identity: Identity,
        /// How quantities are written. The service compares them by value, so that this may be changed.
        #[serde(default)]
        pub quantity: Quantity,
        /// The product code, or with `account-and-license` the ARN of the licence, of the charges that name no product.
        #[serde(default)]
        pub product: Option<String>,
    }
}

meterhost_sdk::config! {
    /// What a charge's customer and product are.
    #[derive(Default, Copy, PartialEq, Eq)]
    #[serde(rename_all = "kebab-case")]
    pub enum Identity {
        /// The customer is an AWS account id (`CustomerAWSAccountId`), the product a product code (`ProductCode`).
        #[default]
        AccountAndProduct,
        /// The customer is an AWS account id (`CustomerAWSAccountId`), the product the ARN of a licence (`LicenseArn`): products with
        /// concurrent agreements, which all new ones are since June 2026.
        AccountAndLicense,
        /// The customer is the identifier that `ResolveCustomer` gave (`CustomerIdentifier`), the product a product code
        /// (`ProductCode`): products of old.
        CustomerIdentifier,
    }
}

meterhost_sdk::config! {
    /// How quantities are written.
    #[derive(Default, Copy, PartialEq, Eq)]
    #[serde(rename_all = "kebab-case")]
    pub enum Quantity {
        /// As whole numbers from 0 to 2147483647 (`Quantity`).
        #[default]
        Integer,
        /// As decimals from 0 to 9999999999.999999 with up to 6 places (`QuantityAsDecimal`).
        Decimal,
    }
}

impl Identity {
    /// The value in the pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Identity::AccountAndProduct => "account-and-product",
            Identity::AccountAndLicense => "account-and-license",
            Identity::CustomerIdentifier => "customer-identifier",
        }
    }

    /// The service's name for the customer's field.
    pub(crate) fn customer_field(self) -> &'static str {
        match self {
            Identity::AccountAndProduct | Identity::AccountAndLicense => "CustomerAWSAccountId",
            Identity::CustomerIdentifier => "CustomerIdentifier",
        }
    }

    /// Whether the product is a licence, which each record names, and not a product code, which the call names.
    pub(crate) fn is_by_license(self) -> bool {
        self == Identity::AccountAndLicense
    }
}

impl Quantity {
    /// The value in the pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Integer => "integer",
            Quantity::Decimal => "decimal",
        }
    }

    /// How many digits may stand behind the decimal point.
    pub(crate) fn scale(self) -> u8 {
        match self {
            Quantity::Integer => 0,
            Quantity::Decimal => 6,
        }
    }

    /// The largest quantity: that of `UsageQuantity` or of the pattern of `UsageQuantityAsDecimalString` in the service's model.
    pub(crate) fn maximum(self) -> Decimal {
        match self {
            Quantity::Integer => Decimal::from(i32::MAX),
            Quantity::Decimal => Decimal::new(9_999_999_999_999_999, 6).unwrap_or(Decimal::ZERO),
        }
    }

    /// Why the service would refuse this quantity, as something that goes on from "its quantity".
    pub(crate) fn objection(self, quantity: Decimal) -> Option<String> {
        let (name, most) = (self.name(), self.maximum());
        if !quantity.fits_scale(self.scale()) {
            return Some(match self {
                Quantity::Integer => {
                    format!("is {quantity}, and AWS Marketplace takes whole ones only (quantity = \"{name}\")")
                }
                Quantity::Decimal => format!("is {quantity}, and AWS Marketplace takes 6 digits behind the point"),
            });
        }
        let is_in_range = (Decimal::ZERO..=most).contains(&quantity);
        (!is_in_range).then(|| format!("is {quantity}, and AWS Marketplace takes 0 to {most} (quantity = \"{name}\")"))
    }
}

impl Config {
    /// # Errors
    ///
    /// What is wrong with it, for a person.
    pub(crate) fn validated(&self) -> Result<(), String> {
        match self.product.as_deref().and_then(|product| names::product(self.identity, product)) {
            Some(objection) => Err(format!("`product`: {objection}")),
            None => Ok(()),
        }
    }

    /// The product code or the licence of a charge; empty if nothing names it.
    pub(crate) fn product<'a>(&'a self, charge: &'a Charge) -> &'a str {
        match charge.product.as_str() {
            "" => self.product.as_deref().unwrap_or_default(),
            product => product,
        }
    }
}
