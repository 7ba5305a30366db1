//! The columns of the Common Bill Format (CloudZero, "Common Bill Format (CBF)").

use drops::nearest;

/// Every column but tags, in the order in which they are written.
pub(crate) const ORDER: [&str; 25] = [
    ID,
    TYPE,
    "lineitem/description",
    PROVIDER,
    START,
    END,
    RESOURCE,
    "resource/service",
    "resource/account",
    "resource/region",
    "resource/usage_family",
    "action/operation",
    "action/usage_type",
    AMOUNT,
    UNITS,
    COST,
    DISCOUNTED,
    AMORTIZED,
    DISCOUNTED_AMORTIZED,
    ON_DEMAND,
    "bill/invoice_id",
    "k8s/cluster",
    "k8s/namespace",
    "k8s/deployment",
    "k8s/labels",
];

pub(crate) const ID: &str = "lineitem/id";
pub(crate) const TYPE: &str = "lineitem/type";
pub(crate) const PROVIDER: &str = "lineitem/cloud_provider";
pub(crate) const START: &str = "time/usage_start";
pub(crate) const END: &str = "time/usage_end";
pub(crate) const RESOURCE: &str = "resource/id";
pub(crate) const AMOUNT: &str = "usage/amount";
pub(crate) const UNITS: &str = "usage/units";
pub(crate) const COST: &str = "cost/cost";
pub(crate) const DISCOUNTED: &str = "cost/discounted_cost";
pub(crate) const AMORTIZED: &str = "cost/amortized_cost";
pub(crate) const DISCOUNTED_AMORTIZED: &str = "cost/discounted_amortized_cost";
pub(crate) const ON_DEMAND: &str = "cost/on_demand_cost";

/// What a tag's column is called, before its key.
pub(crate) const TAG: &str = "resource/tag:";

/// The values of `lineitem/type`.
pub(crate) const TYPES: [&str; 11] = [
    "Usage",
    "Tax",
    "Support",
    "Purchase",
    PURCHASED_COMMITMENT,
    VACANCY,
    RECURRING_FEE,
    "Discount",
    "Credit",
    "Fee",
    "Adjustment",
];

const VACANCY: &str = "CommittedUseVacancy";
const RECURRING_FEE: &str = "CommittedUseRecurringFee";

/// The type whose amortized costs are zero.
pub(crate) const PURCHASED_COMMITMENT: &str = "CommittedUsePurchase";

/// What a column says where it is not configured.
pub(crate) fn default(column: &str) -> Option<&'static str> {
    match column {
        ID => Some("{id}"),
        TYPE => Some("Usage"),
        AMOUNT => Some("{quantity}"),
        _ => None,
    }
}

/// Why this is no column that can be configured, in a person's words; nothing if it is one. Not asked about tags.
pub(crate) fn objection(column: &str) -> Option<String> {
    match column {
        START => Some("it is the hour in which the charge's window begins, and not configured".into()),
        "action/region" | "action/account" => {
            let now = column.replace("action/", "resource/");
            Some(format!("CloudZero has given this column up; write {now} instead"))
        }
        column if ORDER.contains(&column) => None,
        column => {
            let words = "CloudZero's Common Bill Format has no such column";
            Some(match nearest(column, ORDER.into_iter().chain([TAG])) {
                Some(TAG) => format!("{words}; a tag's column is {TAG}KEY"),
                Some(meant) => format!("{words}; {meant} is one"),
                None => format!("{words}; it has {} and {TAG}KEY", ORDER.join(", ")),
            })
        }
    }
}

/// Why this is no `lineitem/type`; nothing if it is one.
pub(crate) fn type_objection(text: &str) -> Option<String> {
    if TYPES.contains(&text) {
        return None;
    }
    let shown = text.escape_debug();
    Some(match nearest(text, TYPES) {
        Some(meant) => format!("\"{shown}\" is no type of line item; {meant} is one"),
        None => format!("\"{shown}\" is no type of line item; these are: {}", TYPES.join(", ")),
    })
}

/// Why AnyCost Stream may refuse a month with this column; nothing if it takes it.
pub(crate) fn stream_objection(column: &str) -> Option<String> {
    (column == PROVIDER).then(|| unlisted("column"))
}

/// Why AnyCost Stream may refuse a month with this `lineitem/type`; nothing if it takes it.
pub(crate) fn stream_type_objection(text: &str) -> Option<String> {
    matches!(text, VACANCY | RECURRING_FEE).then(|| format!("{text}: {}", unlisted("type")))
}

/// Documented of the format, and absent from what the API is described with: there, one row that is refused refuses its whole month.
fn unlisted(what: &str) -> String {
    format!(
        "CloudZero's published OpenAPI file of AnyCost Stream has no such {what}, and one row that is refused there would refuse the whole \
         month; file drops (`root`) take it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_none_is_told_what_was_meant() {
        for (column, said) in [
            ("resource/acount", "resource/account is one"),
            ("cost/Cost", "cost/cost is one"),
            ("action/region", "write resource/region instead"),
            ("action/account", "write resource/account instead"),
            ("time/usage_start", "not configured"),
            ("resource/tags", "a tag's column is resource/tag:KEY"),
            ("x", "it has lineitem/id, lineitem/type"),
        ] {
            let found = objection(column).unwrap_or_default();
            assert!(found.contains(said), "{column}: {found}");
        }
        assert_eq!(ORDER.iter().filter(|column| objection(column).is_some()).count(), 1, "time/usage_start alone");
    }

    #[test]
    fn types_are_taken_to_the_letter() {
        assert_eq!(TYPES.iter().find_map(|known| type_objection(known)), None);
        assert_eq!(type_objection("usage").as_deref(), Some("\"usage\" is no type of line item; Usage is one"));
        assert!(type_objection("MAP Credit (Monthly)").is_some_and(|said| said.contains("CommittedUseVacancy")));
    }
}
