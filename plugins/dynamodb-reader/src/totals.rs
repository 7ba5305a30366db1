//! How much was sent for a customer in all: `totalMeteringSent.DIMENSION` of the customer's row.
//!
//! DynamoDB adds (exactly, to 38 digits), and only into a map that is there. So there are two shapes: add to the map, or make it, and the
//! row with it. Which one fits is a condition, and the one that failed shows what is there.

use std::collections::BTreeMap;

use meterhost_sdk::{Decimal, Error, Settlement};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::attribute::{self, Attribute, Literal};
use crate::expression::{Placeholders, Update};
use crate::names::Totals;

/// What is to be added to one row.
#[derive(Debug, Default)]
pub(crate) struct Addition {
    pub(crate) product: String,
    pub(crate) customer: String,
    /// By dimension.
    quantities: BTreeMap<String, Decimal>,
}

/// What was found in a row.
pub(crate) enum Found {
    Map,
    NoMap,
    /// Neither nothing nor a map: its type.
    Other(String),
}

/// Sums the quantities of charges by row and dimension. The error says which charge has no total.
pub(crate) fn additions(names: &Totals, settlements: &[&Settlement]) -> Result<Vec<Addition>, String> {
    let mut additions: Vec<Addition> = Vec::new();
    for settlement in settlements {
        let Settlement { charge, product, customer, dimension, quantity, .. } = settlement;
        let product = match (product.as_str(), &names.default_product) {
            ("", Some(default)) => default,
            _ => product,
        };
        let part = match (product.as_str(), customer.as_str(), dimension.as_str()) {
            ("", ..) => "product",
            (_, "", _) => "customer",
            (.., "") => "dimension",
            _ => "",
        };
        if !part.is_empty() {
            return Err(format!("charge {charge} has no {part}, and its total no place in `subscribers`"));
        }
        let position = additions
            .iter()
            .position(|addition| addition.product == *product && addition.customer == *customer)
            .unwrap_or(additions.len());
        if position == additions.len() {
            additions.push(Addition { product: product.clone(), customer: customer.clone(), ..Addition::default() });
        }
        let Some(addition) = additions.get_mut(position) else { continue };
        let sum = addition.quantities.entry(dimension.clone()).or_default();
        *sum =
            sum.checked_add(*quantity).ok_or_else(|| format!("charge {charge}: its total has more than 38 digits"))?;
    }
    Ok(additions)
}

impl Addition {
    /// Whether it is of this product and customer.
    pub(crate) fn row(&self) -> (String, String) {
        (self.product.clone(), self.customer.clone())
    }

    /// Adds to the map of a row, or makes it.
    pub(crate) fn update(&self, names: &Totals, makes: bool) -> Result<Update, Error> {
        let mut places = Placeholders::default();
        let totals = places.name(&names.totals);
        let (update, condition) = if makes {
            let map: Map<String, Value> = self
                .quantities
                .iter()
                .map(|(dimension, quantity)| (dimension.clone(), json!({ "N": quantity.to_string() })))
                .collect();
            let map = places.value(Literal::Made(json!({ "M": map })));
            (format!("SET {totals} = {map}"), format!("attribute_not_exists({totals})"))
        } else {
            let (zero, map) = (places.value(Literal::number("0")), places.value(Literal::text("M")));
            let mut sums = Vec::new();
            for (dimension, quantity) in &self.quantities {
                let total = format!("{totals}.{}", places.name(dimension));
                let quantity = places.value(Literal::number(&quantity.to_string()));
                sums.push(format!("{total} = if_not_exists({total}, {zero}) + {quantity}"));
            }
            (format!("SET {}", sums.join(", ")), format!("attribute_type({totals}, {map})"))
        };
        let key = [(&names.product, &self.product), (&names.customer, &self.customer)];
        let key = key.into_iter().map(|(name, value)| (name.clone(), json!({ "S": value }))).collect();
        Update::new(&names.table, &key, (&update, &condition), &places)
    }
}

/// What a row holds in place of what a condition expected.
pub(crate) fn found(names: &Totals, row: Option<&str>) -> Found {
    let row = row.and_then(|row| serde_json::from_str::<&RawValue>(row).ok());
    let fields = row.and_then(|row| attribute::pick(row, &[&names.totals]).ok()).unwrap_or_default();
    match fields.first().copied().flatten().map(Attribute::read) {
        None => Found::NoMap,
        Some(Attribute::Map(_)) => Found::Map,
        Some(other) => Found::Other(other.kind().into_owned()),
    }
}
