//! What the service knows of products, dimensions, licences and customers.

use std::collections::BTreeSet;

use crate::record::{Customer, Product};
use crate::refusal::Refusal;
use crate::rules::Usage;
use crate::settings::{License, Settings, UnknownCustomer};

impl Settings {
    /// Refuses a call that names what does not exist or does not belong together.
    ///
    /// "Mixing `LicenseArn`s from two different products in one call returns a request-level `InvalidLicenseException`"
    /// (aws-marketplace-metering skill of aws/agent-toolkit-for-aws). A licence that is not known to belong to a product
    /// is taken for one of a product of its own.
    pub(crate) fn check(&self, records: &[Usage]) -> Result<(), Refusal> {
        let mut products = BTreeSet::new();
        for record in records {
            let product = self.product(record)?;
            let dimensions = self.products.as_ref().and_then(|products| products.get(product));
            let is_known =
                |dimensions: &BTreeSet<String>| dimensions.is_empty() || dimensions.contains(&record.dimension);
            if !dimensions.is_none_or(is_known) {
                let message = format!("the product {product} has no dimension {}", record.dimension);
                return Err(Refusal::new("InvalidUsageDimensionException", message));
            }
            if self.unknown_customer == UnknownCustomer::Invalid && !self.is_known(&record.customer) {
                let message = format!("the customer {} does not exist", record.customer.name());
                return Err(Refusal::new("InvalidCustomerIdentifierException", message));
            }
            products.insert(product);
        }
        if products.len() > 1 {
            return Err(no_license("the licences of a call are of more than one product"));
        }
        Ok(())
    }

    /// Whether usage of this customer is billed.
    pub(crate) fn is_subscribed(&self, customer: &Customer) -> bool {
        self.is_known(customer) && !self.unsubscribed.contains(customer.name())
    }

    /// The licence of this ARN, if licences are known.
    pub(crate) fn license(&self, arn: &str) -> Option<&License> {
        self.licenses.as_ref().and_then(|licenses| licenses.get(arn))
    }

    fn is_known(&self, customer: &Customer) -> bool {
        self.known_customers.as_ref().is_none_or(|known| known.contains(customer.name()))
    }

    fn product<'a>(&'a self, record: &'a Usage) -> Result<&'a str, Refusal> {
        match &record.product {
            Product::Code(code) => match &self.products {
                Some(products) if !products.contains_key(code) => {
                    Err(Refusal::new("InvalidProductCodeException", format!("there is no product {code}")))
                }
                _ => Ok(code),
            },
            Product::License(arn) => {
                let license = match (&self.licenses, self.license(arn)) {
                    (None, _) => return Ok(arn),
                    (Some(_), None) => return Err(no_license(&format!("there is no licence {arn}"))),
                    (Some(_), Some(license)) => license,
                };
                if license.customer.as_ref().is_some_and(|customer| customer != record.customer.name()) {
                    let customer = record.customer.name();
                    return Err(no_license(&format!("the licence {arn} is not one of the customer {customer}")));
                }
                Ok(&license.product)
            }
        }
    }
}

fn no_license(message: &str) -> Refusal {
    Refusal::new("InvalidLicenseException", message)
}
