//! The columns of a Cost and Usage dataset (FOCUS 1.2, "Columns"), and those of the seller's own.

use drops::nearest;

use crate::values;

/// A column of FOCUS.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) need: Need,
}

/// What a cell may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Decimal,
    /// A decimal that is 0 or more.
    Price,
    /// An instant. It follows from the charge, and is not configured.
    Time,
    /// A JSON object of plain values.
    Object,
    Currency,
    /// What a quantity is counted in.
    Unit,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// Whether a column, and each of its cells, has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Feature level "Mandatory", "Allows nulls: False".
    Always,
    /// Feature level "Mandatory", with nulls.
    Column,
    /// Where the column is, each cell is filled.
    Cells,
    /// Neither.
    None,
}

macro_rules! columns {
    ($($name:ident $kind:expr, $need:ident;)*) => {
        /// Every column, in the order of the alphabet, in which they are written (FOCUS 1.2, "Column Handling").
        pub(crate) const ALL: &[Column] =
            &[$(Column { name: stringify!($name), kind: $kind, need: Need::$need }),*];
    };
}

use Kind::{Currency, Decimal, Object, OneOf, Price, Text, Time, Unit};

// Types, feature levels and nulls: FOCUS 1.2, "Content constraints" of each column; the model of rules 1.2.0.1 agrees.
columns! {
    AvailabilityZone Text, None;
    BilledCost Decimal, Always;
    BillingAccountId Text, Always;
    BillingAccountName Text, Column;
    BillingAccountType Text, None;
    BillingCurrency Currency, Always;
    BillingPeriodEnd Time, Always;
    BillingPeriodStart Time, Always;
    CapacityReservationId Text, None;
    CapacityReservationStatus OneOf(values::RESERVATION_STATUSES), None;
    ChargeCategory OneOf(values::CATEGORIES), Always;
    ChargeClass OneOf(values::CLASSES), Column;
    ChargeDescription Text, Column;
    ChargeFrequency OneOf(values::FREQUENCIES), Cells;
    ChargePeriodEnd Time, Always;
    ChargePeriodStart Time, Always;
    CommitmentDiscountCategory OneOf(values::COMMITMENT_CATEGORIES), None;
    CommitmentDiscountId Text, None;
    CommitmentDiscountName Text, None;
    CommitmentDiscountQuantity Decimal, None;
    CommitmentDiscountStatus OneOf(values::COMMITMENT_STATUSES), None;
    CommitmentDiscountType Text, None;
    CommitmentDiscountUnit Unit, None;
    ConsumedQuantity Decimal, None;
    ConsumedUnit Unit, None;
    ContractedCost Decimal, Always;
    ContractedUnitPrice Price, None;
    EffectiveCost Decimal, Always;
    InvoiceId Text, None;
    InvoiceIssuerName Text, Always;
    ListCost Decimal, Always;
    ListUnitPrice Price, None;
    PricingCategory OneOf(values::PRICING_CATEGORIES), None;
    PricingCurrency Currency, Cells;
    PricingCurrencyContractedUnitPrice Price, None;
    PricingCurrencyEffectiveCost Decimal, Cells;
    PricingCurrencyListUnitPrice Price, None;
    PricingQuantity Decimal, Column;
    PricingUnit Unit, Column;
    ProviderName Text, Always;
    PublisherName Text, Always;
    RegionId Text, None;
    RegionName Text, None;
    ResourceId Text, None;
    ResourceName Text, None;
    ResourceType Text, None;
    ServiceCategory OneOf(values::SERVICE_CATEGORIES), Always;
    ServiceName Text, Always;
    ServiceSubcategory OneOf(values::SERVICE_SUBCATEGORIES), Cells;
    SkuId Text, None;
    SkuMeter Text, None;
    SkuPriceDetails Object, None;
    SkuPriceId Text, None;
    SubAccountId Text, None;
    SubAccountName Text, None;
    SubAccountType Text, None;
    Tags Object, None;
}

/// How a column of the seller's own begins (FOCUS 1.2, "Column Handling").
pub(crate) const OWN: &str = "x_";

/// The column of this name.
pub(crate) fn find(name: &str) -> Option<&'static Column> {
    ALL.iter().find(|column| column.name == name)
}

impl Column {
    pub(crate) fn is_mandatory(&self) -> bool {
        matches!(self.need, Need::Always | Need::Column)
    }

    /// Whether no cell is empty.
    pub(crate) fn is_filled(&self) -> bool {
        matches!(self.need, Need::Always | Need::Cells)
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Decimal | Kind::Price)
    }
}

/// Why there is no such column, in a person's words.
pub(crate) fn unknown(name: &str) -> String {
    match nearest(name, ALL.iter().map(|column| column.name)) {
        Some(meant) => format!("FOCUS 1.2 has no such column; {meant} is one, and one of your own begins with {OWN}"),
        None => {
            let all: Vec<&str> = ALL.iter().map(|column| column.name).collect();
            format!("FOCUS 1.2 has no such column; it has {}, and one of your own begins with {OWN}", all.join(", "))
        }
    }
}

/// Why a column of the seller's own cannot be called this; nothing if it can. It begins with `x_`.
pub(crate) fn odd(own: &str) -> Option<String> {
    let rest = own.strip_prefix(OWN).unwrap_or_default();
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if rest.is_empty() || !rest.chars().all(is_fine) {
        return Some(format!("behind {OWN} stand letters and digits of ASCII and _, one at least"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_the_57_columns_of_focus_in_the_order_of_the_alphabet() {
        assert_eq!(ALL.len(), 57);
        assert!(ALL.is_sorted_by(|left, right| left.name < right.name));
        assert_eq!(ALL.iter().filter(|column| column.is_mandatory()).count(), 21);
    }

    #[test]
    fn a_column_that_is_none_is_told_what_was_meant() {
        for (column, said) in [
            ("billedcost", "BilledCost is one"),
            ("ServiceNames", "ServiceName is one"),
            ("SubaccountID", "SubAccountId is one"),
            ("resource/usage_family", "it has AvailabilityZone, BilledCost"),
        ] {
            let found = unknown(column);
            assert!(found.contains(said) && found.contains("x_"), "{column}: {found}");
        }
        for (own, is_fine) in [("x_Team", true), ("x_a_9", true), ("x_", false), ("x_a b", false), ("x_ä", false)] {
            assert_eq!(odd(own).is_none(), is_fine, "{own}");
        }
    }
}
