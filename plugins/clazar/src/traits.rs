//! What the service is like, and what it would surely refuse.

use meterhost_sdk::{Charge, Decimal, Opinion, Rate, Resolution, ServiceTraits, Together, WindowKind, Zero};

use crate::Config;
use crate::time;

/// The longest that a call may take, in milliseconds.
pub(crate) const DEADLINE: u32 = 60_000;

/// What a record takes besides the names of contract and dimension: its keys, two times and a quantity of 38 digits are 177 bytes,
/// the rest is room for characters that JSON escapes.
pub(crate) const BYTES_PER_CHARGE: u32 = 256;

/// What is known of the service.
pub(crate) fn of(config: &Config) -> ServiceTraits {
    ServiceTraits {
        charges_per_call: config.charges_per_call,
        bytes_per_call: 1_000_000,
        bytes_per_charge: BYTES_PER_CHARGE,
        together: Together::WINDOW,
        // Airbyte's page on its Clazar source.
        rate: Some(Rate { requests: 120, per: 60_000, burst: 120 }),
        // AWS takes integers only (Clazar help 8346320981). The other marketplaces may take fractions; that they all do is not
        // documented, so none is sent.
        scale: 0,
        minimum: Decimal::ZERO,
        maximum: Decimal::MAX,
        windows: vec![WindowKind::Hour, WindowKind::Day, WindowKind::Month],
        zero: Zero::Charge,
        resolution: Resolution::LookUp,
        // One record a contract, dimension and hour, as the service's own error says.
        refuses_second: true,
        joins_tags: false,
        deadline: DEADLINE,
    }
}

/// What the service would say to a charge. It sets no limit of time that is known.
pub(crate) fn opinion(charge: &Charge) -> Opinion {
    Opinion { id: charge.id.clone(), objection: objection(charge), accepted_until: None }
}

fn objection(charge: &Charge) -> Option<String> {
    if charge.customer.trim().is_empty() {
        return Some("it has no contract id: the charge's customer is blank".into());
    }
    if charge.dimension.trim().is_empty() {
        return Some("its dimension is blank".into());
    }
    // Two charges that differ in product or tags only would ask for the same slot, and one of them would never be billed.
    if !charge.product.is_empty() {
        return Some(format!(
            "Clazar records have no product, and this charge is for \"{}\": leave the product out, or bill each product through a \
             sink of its own",
            charge.product
        ));
    }
    if let Some((name, value)) = charge.tags.first() {
        return Some(format!(
            "Clazar records have no tags, and this charge has {name} = \"{value}\": leave the tags out, or make them part of the \
             dimension"
        ));
    }
    if charge.quantity.is_negative() {
        return Some(format!("Clazar takes no negative quantity, and this one is {}", charge.quantity));
    }
    if !charge.quantity.is_integer() {
        return Some(format!("Clazar takes whole quantities only, and this one is {}", charge.quantity));
    }
    let window = charge.window;
    let whole = window.start.rem_euclid(1000) == 0 && window.end.rem_euclid(1000) == 0;
    if !whole || window.start >= window.end || !time::is_writable(window.start) || !time::is_writable(window.end) {
        return Some("its window cannot be written in whole seconds of the years 0 to 9999".into());
    }
    None
}
