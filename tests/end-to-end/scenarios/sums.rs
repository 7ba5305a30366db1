//! The sums of a report close, in records and in quantities.

use meterhost_decimal::Decimal;
use serde_json::Value;

/// Where a record can be.
const PLACES: &[&str] = &[
    "billed",
    "billed_before",
    "carried",
    "open",
    "held",
    "quarantined",
    "waived",
    "duplicate",
    "excluded",
    "zero",
    "elsewhere",
];

/// Where a quantity can be.
const COLUMNS: &[&str] = &["billed", "billed_before", "carried", "open", "held", "waived", "zero"];

/// The first sum that does not close.
pub(super) fn close(report: &Value) -> Result<(), String> {
    for window in report["windows"].as_array().into_iter().flatten() {
        let records = &window["records"];
        let count = |place: &str| records[place].as_u64().unwrap_or_else(|| panic!("records have no {place}"));
        if PLACES.iter().map(|place| count(place)).sum::<u64>() != count("read") {
            return Err(format!("the records of {} do not add up: {records}", window["window"]));
        }
        for sums in window["quantities"].as_array().into_iter().flatten() {
            closes(sums).map_err(|why| format!("{why} of {}: {sums}", window["window"]))?;
        }
    }
    Ok(())
}

fn closes(sums: &Value) -> Result<(), String> {
    let of = |column: &str| Decimal::parse(sums[column].as_str().unwrap_or_default()).unwrap();
    let add = |sum: Decimal, column: &&str| sum.checked_add(of(column)).unwrap();
    if COLUMNS.iter().fold(Decimal::ZERO, add) != of("used") {
        return Err("the quantities do not add up".to_owned());
    }
    // What was sent is what was frozen and not given up: of a zero it may be a part, and of what is held.
    let frozen = ["billed", "billed_before", "open"].iter().fold(Decimal::ZERO, add);
    let sent = ["carried_in", "rounding"].iter().fold(frozen, add).checked_sub(of("left_over")).unwrap();
    let is_clear = of("zero").is_zero() && of("held").is_zero();
    match is_clear && sent != of("sent") {
        true => Err(format!("{sent} follows from what was frozen, and another quantity was sent")),
        false => Ok(()),
    }
}
