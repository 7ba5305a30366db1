//! What a cell may hold: the forms and values that FOCUS 1.2 has for each type of column.

use drops::time;

use crate::columns::{Column, Kind};
use crate::{currency, object, units, values};

/// What is wrong with a text in a column that holds no numbers; nothing if it is empty.
pub(crate) fn objection(column: &Column, text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let shown = text.escape_debug();
    match column.kind {
        Kind::OneOf(known) => values::objection(text, known),
        Kind::Currency => currency::objection(text),
        Kind::Unit => units::objection(text),
        // "Date/Time Format": of the datetimes of ISO 8601, these alone.
        Kind::Time => {
            let is_time = text.len() == 20 && text.ends_with('Z') && time::is_datetime(text);
            (!is_time).then(|| format!("\"{shown}\" is no time: 2025-06-30T23:00:00Z is one"))
        }
        Kind::Object => object::objection(text),
        Kind::Text | Kind::Decimal | Kind::Price => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::columns;

    #[test]
    fn times_and_objects_have_one_form() {
        for (column, text, said) in [
            ("ChargePeriodStart", "2022-03-16T13:00:00Z", None),
            ("ChargePeriodStart", "", None),
            ("ChargePeriodStart", "2022-03-16 13:00:00", Some("\"2022-03-16 13:00:00\" is no time")),
            ("ChargePeriodEnd", "2022-03-16T13:00:00", Some("is no time")),
            ("BillingPeriodStart", "2022-03-16T13:00:00+00:00", Some("is no time")),
            ("BillingPeriodStart", "2022-03-16T13:00:00.0Z", Some("is no time")),
            ("BillingPeriodEnd", "2022-02-30T13:00:00Z", Some("is no time")),
            ("Tags", r#"{"a":"b","c":true,"d":1.5,"e":null}"#, None),
            ("Tags", "{}", None),
            ("SkuPriceDetails", r#"{"a":{}}"#, Some("the value of \"a\"")),
            ("PricingCurrency", "usd", Some("USD is one")),
            ("ServiceCategory", "database", Some("Databases is one")),
            ("ChargeClass", "", None),
            ("ChargeClass", "correction", Some("Correction is one")),
            ("ServiceName", "anything", None),
        ] {
            let found = objection(columns::find(column).unwrap(), text);
            assert_eq!(found.is_some(), said.is_some(), "{column} {text}: {found:?}");
            assert!(found.unwrap_or_default().contains(said.unwrap_or_default()), "{column} {text}");
        }
    }
}
