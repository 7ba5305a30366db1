//! What the service would surely refuse, and until when it accepts.

use std::collections::HashMap;

use meterhost_sdk::{Charge, Opinion, Window};

use crate::Config;
use crate::record::{self, Record};
use crate::{names, time};

/// One opinion a charge, at this time in milliseconds.
pub(crate) fn opinions(config: &Config, charges: &[Charge], now: i64) -> Vec<Opinion> {
    let mut of_records: HashMap<&str, String> = HashMap::new();
    for record in record::records(config, charges) {
        if let Some(objection) = objection_to_record(config, &record) {
            of_records.extend(record.charges.iter().map(|charge| (charge.id.as_str(), objection.clone())));
        }
    }
    let opinion = |charge: &Charge| Opinion {
        id: charge.id.clone(),
        objection: objection(config, charge, now).or_else(|| of_records.get(charge.id.as_str()).cloned()),
        accepted_until: accepted_until(charge),
    };
    charges.iter().map(opinion).collect()
}

/// When the charge is no longer accepted: the earliest of what its own hour and all that it carries say. Nothing if one of them lies in
/// no calendar.
fn accepted_until(charge: &Charge) -> Option<i64> {
    let parts = charge.carried.iter().map(|(window, _)| window.start);
    let until: Option<Vec<i64>> = parts.chain([charge.time]).map(time::accepted_until).collect();
    until?.into_iter().min()
}

fn objection(config: &Config, charge: &Charge, now: i64) -> Option<String> {
    expired(charge, now)
        .or_else(|| hour(charge, now))
        .or_else(|| charge.carried.iter().find_map(|(window, _)| other_month(charge, *window)))
        .or_else(|| names::product(config.identity, config.product(charge)))
        .or_else(|| names::customer(config.identity, &charge.customer))
        .or_else(|| names::dimension(&charge.dimension))
        .or_else(|| config.quantity.objection(charge.quantity).map(|objection| format!("its quantity {objection}")))
        .or_else(|| names::tags(&charge.tags))
}

/// That its own time, or that of something it carries, is over. It stays so: usage is never told with another time than its own.
fn expired(charge: &Charge, now: i64) -> Option<String> {
    let is_over = |usage| time::accepted_until(usage).filter(|&until| until <= now);
    if let Some(until) = is_over(charge.time) {
        let (until, usage) = (time::shown(until), time::shown(charge.time));
        return Some(format!("expired: since {until}, AWS Marketplace takes no more usage of {usage}"));
    }
    charge.carried.iter().find_map(|(window, quantity)| {
        let until = time::shown(is_over(window.start)?);
        let usage = time::shown(window.start);
        Some(format!(
            "expired: it carries {quantity} of {usage}, and since {until} AWS Marketplace takes no more usage of that time"
        ))
    })
}

fn hour(charge: &Charge, now: i64) -> Option<String> {
    let Window { start, end } = charge.window;
    let shown = || format!("{} to {}", time::shown(start), time::shown(end));
    // The last millisecond of the window lies in the hour of its first.
    let is_hour = start < end && start.div_euclid(time::HOUR) == (end - 1).div_euclid(time::HOUR);
    if !is_hour {
        return Some(format!("its window is {}, and AWS Marketplace keeps one record for each hour of UTC", shown()));
    }
    if !(start..end).contains(&charge.time) {
        return Some(format!("its time is {}, outside of its window, {}", time::shown(charge.time), shown()));
    }
    if time::accepted_until(charge.time).is_none() {
        return Some(format!("its time is {}, which no calendar holds", time::shown(charge.time)));
    }
    (end > now).then(|| {
        format!(
            "the hour is still running: its window ends at {}, and the first record of an hour is its last",
            time::shown(end)
        )
    })
}

/// Usage of a month that is billed already, or will be, does not go into another month's bill.
fn other_month(charge: &Charge, carried: Window) -> Option<String> {
    let (part, own) = (time::shown(carried.start), time::shown(charge.time));
    (!time::is_same_month(carried.start, charge.time))
        .then(|| format!("it carries usage of {part}, which belongs to another month's bill than {own}"))
}

/// What the service would refuse of charges that make one record, though each may be fine alone.
fn objection_to_record(config: &Config, record: &Record<'_>) -> Option<String> {
    let mut own = record.charges.iter().map(|charge| charge.product.as_str());
    let first = own.next().unwrap_or_default();
    if own.any(|product| product != first) {
        // The host takes them for two products and offers them in two calls, the second of which would be a duplicate.
        return Some(format!(
            "AWS Marketplace keeps one record for this charge and for another one: both are of the product {:?}, which one names \
             itself and the other has from the sink's `product`; name it in one of these ways only",
            record.product
        ));
    }
    record.objection(config)
}
