//! What FOCUS 1.2 asks of rows, beyond types and values: "nullability" and the rules between columns, as the requirements of each column
//! say. A column that is not written is null in each row.

use std::cell::LazyCell;

use drops::Cells;
use meterhost_sdk::{ChargeBatch, Decimal};
use sheets::Objections;

use crate::columns::{ALL, Kind};
use crate::forms;
use crate::plan::Plan;
use crate::sheet::Sheet;
use crate::values::{self, CORRECTION, PURCHASE, TAX, UNUSED, USAGE, USAGE_BASED};

/// Columns that say something of another: empty where that is.
const BELONGS: [(&str, &str, Filled); 16] = [
    ("BillingAccountType", "BillingAccountId", Filled::Always),
    ("CapacityReservationStatus", "CapacityReservationId", Filled::InUsage),
    ("CommitmentDiscountCategory", "CommitmentDiscountId", Filled::Always),
    ("CommitmentDiscountName", "CommitmentDiscountId", Filled::Perhaps),
    ("CommitmentDiscountStatus", "CommitmentDiscountId", Filled::InUsage),
    ("CommitmentDiscountType", "CommitmentDiscountId", Filled::Always),
    ("CommitmentDiscountUnit", "CommitmentDiscountQuantity", Filled::Always),
    ("ConsumedUnit", "ConsumedQuantity", Filled::Always),
    ("PricingUnit", "PricingQuantity", Filled::Always),
    ("RegionName", "RegionId", Filled::Always),
    ("ResourceName", "ResourceId", Filled::Perhaps),
    ("ResourceType", "ResourceId", Filled::Always),
    ("SkuMeter", "SkuId", Filled::Perhaps),
    ("SkuPriceDetails", "SkuPriceId", Filled::Perhaps),
    ("SubAccountName", "SubAccountId", Filled::Always),
    ("SubAccountType", "SubAccountId", Filled::Always),
];

/// Whether a column is filled where that is to which it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filled {
    Always,
    /// Where ChargeCategory is Usage.
    InUsage,
    Perhaps,
}

/// Columns that are empty in a Tax, and not in Usage and Purchase, corrections aside.
const PRICED: [&str; 8] = [
    "PricingQuantity",
    "PricingCategory",
    "ContractedUnitPrice",
    "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyListUnitPrice",
    "SkuId",
    "SkuPriceId",
];

/// A unit price by PricingQuantity is a cost.
pub(crate) const PRODUCTS: [(&str, &str); 2] =
    [("ContractedUnitPrice", "ContractedCost"), ("ListUnitPrice", "ListCost")];

/// That no column is written without the one that it says something of.
pub(crate) fn columns(is_written: impl Fn(&str) -> bool) -> Result<(), (&'static str, String)> {
    match BELONGS.into_iter().find(|(name, of, _)| is_written(name) && !is_written(of)) {
        Some((name, of, _)) => Err((name, format!("it says something of {of} only, and that is not written"))),
        None => Ok(()),
    }
}

/// Whether a row buys a commitment that later charges draw on.
pub(crate) fn commits<'c, 'a: 'c>(column: impl Fn(&str) -> Option<&'c Cells<'a>>) -> impl Fn(usize) -> bool {
    let (categories, commitments) = (column("ChargeCategory"), column("CommitmentDiscountId"));
    move |row| {
        let commitment = commitments.map_or("", |cells| cells.get(row));
        !commitment.is_empty() && categories.is_some_and(|cells| cells.get(row) == PURCHASE)
    }
}

/// All rules.
pub(crate) fn check(plan: &Plan, sheet: &Sheet<'_>, batch: &ChargeBatch, wrong: &mut Objections) {
    let rows = batch.len();
    let (category, class) = (sheet.column("ChargeCategory"), sheet.column("ChargeClass"));
    let rules = Rules { plan, batch, sheet, rows, category, class };
    for column in ALL {
        let Some(cells) = sheet.column(column.name) else { continue };
        if !column.is_number() {
            wrong.extend(column.name, cells.judged(rows, |text| forms::objection(column, text)));
        }
        if column.is_filled() && !plan.is_priced(column.name) {
            let because = rules.because(column.name);
            let empty =
                |text: &str| text.trim().is_empty().then(|| format!("it is empty, and has to be known{}", *because));
            wrong.extend(column.name, cells.judged(rows, empty));
        }
        if column.kind == Kind::Price {
            let below = |text: &str| text.starts_with('-').then(|| format!("it is {text}, and a price is 0 or more"));
            wrong.extend(column.name, cells.judged(rows, below));
        }
    }
    rules.frequencies(wrong);
    rules.priced(wrong);
    rules.consumed(wrong);
    rules.committed(wrong);
    rules.spread(wrong);
    rules.belongings(wrong);
    rules.subcategories(wrong);
    rules.products(wrong);
}

/// Rules between columns.
struct Rules<'s, 'a> {
    plan: &'s Plan,
    batch: &'s ChargeBatch,
    sheet: &'s Sheet<'a>,
    rows: usize,
    category: Option<&'s Cells<'a>>,
    class: Option<&'s Cells<'a>>,
}

impl<'s, 'a> Rules<'s, 'a> {
    fn category(&self, row: usize) -> &'s str {
        self.category.map_or("", |cells| cells.get(row))
    }

    /// Why a column is empty where it should not be, behind a colon, where that is plain to see.
    fn because(&self, name: &'static str) -> LazyCell<String, impl FnOnce() -> String> {
        let (plan, batch) = (self.plan, self.batch);
        LazyCell::new(move || plan.absence(name, batch).map(|why| format!(": {why}")).unwrap_or_default())
    }

    fn is_correction(&self, row: usize) -> bool {
        self.class.is_some_and(|cells| cells.get(row) == CORRECTION)
    }

    fn frequencies(&self, wrong: &mut Objections) {
        let Some(frequencies) = self.sheet.column("ChargeFrequency") else { return };
        let based = (0..self.rows).filter(|row| frequencies.get(*row) == USAGE_BASED);
        for row in based.filter(|row| self.category(*row) == PURCHASE) {
            wrong.add(row, "ChargeFrequency", "a Purchase is One-Time or Recurring, and not Usage-Based");
        }
    }

    fn priced(&self, wrong: &mut Objections) {
        for (name, cells) in PRICED.into_iter().filter_map(|name| Some((name, self.sheet.column(name)?))) {
            let because = self.because(name);
            for row in 0..self.rows {
                match (self.category(row), cells.get(row).is_empty()) {
                    (TAX, false) => wrong.add(row, name, "it is empty where ChargeCategory is Tax"),
                    (category @ (USAGE | PURCHASE), true) if !self.is_correction(row) => {
                        wrong.add(
                            row,
                            name,
                            format!("it is empty, and has to be known where ChargeCategory is {category}{}", *because),
                        );
                    }
                    _ => {}
                }
            }
        }
    }

    fn consumed(&self, wrong: &mut Objections) {
        const NAME: &str = "ConsumedQuantity";
        let Some(cells) = self.sheet.column(NAME) else { return };
        let status = self.sheet.column("CommitmentDiscountStatus");
        let because = self.because(NAME);
        for row in 0..self.rows {
            let is_consumed = is_consumed(self.category(row), status.map_or("", |status| status.get(row)));
            match (is_consumed, cells.get(row).is_empty()) {
                (false, false) => wrong.add(
                    row,
                    NAME,
                    "it is empty where ChargeCategory is not Usage, or CommitmentDiscountStatus is Unused: nothing is used",
                ),
                (true, true) if !self.is_correction(row) => {
                    let why = "it is empty, and has to be known where ChargeCategory is Usage";
                    wrong.add(row, NAME, format!("{why}{}", *because));
                }
                _ => {}
            }
        }
    }

    fn committed(&self, wrong: &mut Objections) {
        const NAME: &str = "CommitmentDiscountQuantity";
        let Some(cells) = self.sheet.column(NAME) else { return };
        let commitments = self.sheet.column("CommitmentDiscountId");
        let because = self.because(NAME);
        for row in 0..self.rows {
            let is_committed = commitments.is_some_and(|commitments| !commitments.get(row).is_empty());
            let counts = matches!(self.category(row), USAGE | PURCHASE) && is_committed;
            match (counts, cells.get(row).is_empty()) {
                (false, false) => wrong.add(
                    row,
                    NAME,
                    "it is empty but where ChargeCategory is Usage or Purchase, and CommitmentDiscountId is there",
                ),
                (true, true) if !self.is_correction(row) => {
                    let why = "it is empty, and has to be known where CommitmentDiscountId is";
                    wrong.add(row, NAME, format!("{why}{}", *because));
                }
                _ => {}
            }
        }
    }

    /// EffectiveCost-C-005-C and PricingCurrencyEffectiveCost-C-005-M. Of other purchases only the seller knows whether later charges draw on
    /// them.
    fn spread(&self, wrong: &mut Objections) {
        let commits = commits(|name| self.sheet.column(name));
        for name in ["EffectiveCost", "PricingCurrencyEffectiveCost"] {
            let Some(costs) = self.sheet.numbers(name) else { continue };
            for row in (0..self.rows).filter(|row| commits(*row)) {
                if let Some(cost) = costs.get(row).filter(|cost| !cost.is_zero()) {
                    let why =
                        "a Purchase with a CommitmentDiscountId has 0: what it costs is in the usage that it covers";
                    wrong.add(row, name, format!("it is {cost}, and {why}"));
                }
            }
        }
    }

    fn belongings(&self, wrong: &mut Objections) {
        for (name, of, filled) in BELONGS {
            let (Some(cells), Some(owner)) = (self.sheet.column(name), self.sheet.column(of)) else { continue };
            let because = self.because(name);
            for row in 0..self.rows {
                match (cells.get(row).is_empty(), owner.get(row).is_empty()) {
                    (false, true) => wrong.add(row, name, format!("it says something of {of}, which is empty")),
                    (true, false)
                        if filled == Filled::Always || (filled == Filled::InUsage && self.category(row) == USAGE) =>
                    {
                        wrong.add(row, name, format!("it is empty, and has to be known where {of} is{}", *because));
                    }
                    _ => {}
                }
            }
        }
    }

    fn subcategories(&self, wrong: &mut Objections) {
        const NAME: &str = "ServiceSubcategory";
        let (Some(cells), Some(categories)) = (self.sheet.column(NAME), self.sheet.column("ServiceCategory")) else {
            return;
        };
        let mut last = None;
        for row in 0..self.rows {
            // Most rows repeat what the row before said.
            let places = (cells.place(row), categories.place(row));
            let why = match &last {
                Some((before, why)) if *before == places => why,
                _ => &last.insert((places, stranger(cells.get(row), categories.get(row)))).1,
            };
            if let Some(why) = why {
                wrong.add(row, NAME, why.as_str());
            }
        }
    }

    fn products(&self, wrong: &mut Objections) {
        for (price, cost) in PRODUCTS {
            let (Some(prices), Some(costs)) = (self.sheet.numbers(price), self.sheet.numbers(cost)) else { continue };
            let Some(quantities) = self.sheet.numbers("PricingQuantity") else { continue };
            for row in (0..self.rows).filter(|row| !self.is_correction(*row)) {
                let (Some(each), Some(quantity), Some(all)) = (prices.get(row), quantities.get(row), costs.get(row))
                else {
                    continue;
                };
                if !is_product(each, quantity, all) {
                    wrong.add(row, price, format!("{each} by PricingQuantity {quantity} is not {cost} {all}"));
                }
            }
        }
    }
}

/// Why a subcategory is none of this category; nothing if it is one, or is unknown.
pub(crate) fn stranger(subcategory: &str, category: &str) -> Option<String> {
    let own = values::category_of(subcategory).filter(|own| *own != category)?;
    Some(format!("{subcategory} belongs to {own}, and ServiceCategory is {}", category.escape_debug()))
}

/// Whether FOCUS has a consumed quantity.
pub(crate) fn is_consumed(category: &str, status: &str) -> bool {
    category == USAGE && status != UNUSED
}

/// Whether a price by a quantity is a cost, to a billionth: costs may have been rounded. What 38 digits do not hold is not told apart.
fn is_product(price: Decimal, quantity: Decimal, cost: Decimal) -> bool {
    let compared = || {
        let difference = price.checked_mul(quantity)?.checked_sub(cost)?;
        let billionth = Decimal::new(1, 9)?;
        let allowed = billionth.max(magnitude(cost)?.checked_mul(billionth)?);
        Some(magnitude(difference)? <= allowed)
    };
    compared().unwrap_or(true)
}

fn magnitude(number: Decimal) -> Option<Decimal> {
    if number.is_negative() { Decimal::ZERO.checked_sub(number) } else { Some(number) }
}
