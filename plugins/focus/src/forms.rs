//! What a cell may hold: the forms and values that FOCUS 1.2 has for each type of column.

use crate::columns::{Column, Kind};
use crate::{currency, object, units, values};

/// What is wrong with a text in a column that holds no numbers; nothing if it is empty.
pub(crate) fn objection(column: &Column, text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    match column.kind {
        Kind::OneOf(known) => values::objection(text, known),
        Kind::Currency => currency::objection(text),
        Kind::Unit => units::objection(text),
        Kind::Object => object::objection(text),
        Kind::Text | Kind::Decimal | Kind::Price | Kind::Time => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::columns;

    #[test]
    fn values_and_objects_have_one_form() {
        for (column, text, said) in [
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
