//! What charges cost: `BilledCost` and the others.

use std::collections::HashMap;

use drops::Template;
use meterhost_sdk::{ChargeBatch, Decimal, Error};
use prices::{Account, Fault, Pricing};

use crate::numbers::Numbers;
use crate::objections::Objections;
use crate::plan::{Cost, Plan};

const BILLED: &str = "BilledCost";

/// The costs of a batch. Those that are not here equal `BilledCost`.
#[derive(Debug)]
pub(crate) struct Costs<'a> {
    billed: Numbers<'a>,
    effective: Option<Numbers<'a>>,
    contracted: Option<Numbers<'a>>,
    list: Option<Numbers<'a>>,
}

/// What is known when costs are asked for.
pub(crate) struct Known<'p> {
    pub(crate) pricing: &'p mut Pricing,
    /// Whether these charges are looked at alone: then what depends on others is left open.
    pub(crate) alone: bool,
}

impl<'a> Costs<'a> {
    pub(crate) fn of(plan: &'a Plan, batch: &'a ChargeBatch, known: Known<'_>, wrong: &mut Objections) -> Self {
        let billed = match &plan.cost {
            Cost::Priced(own) => priced(own.as_ref(), batch, known, wrong),
            Cost::Told(template) => Numbers::of(template, batch, BILLED, wrong),
        };
        let mut given = |name| Some(Numbers::of(plan.other_costs.get(name)?, batch, name, wrong));
        let (effective, contracted, list) = (given("EffectiveCost"), given("ContractedCost"), given("ListCost"));
        Costs { billed, effective, contracted, list }
    }

    /// A column of this name; nothing if it is no cost's.
    pub(crate) fn column(&self, name: &str) -> Option<&Numbers<'a>> {
        let own = match name {
            BILLED => None,
            "EffectiveCost" => self.effective.as_ref(),
            "ContractedCost" => self.contracted.as_ref(),
            "ListCost" => self.list.as_ref(),
            _ => return None,
        };
        Some(own.unwrap_or(&self.billed))
    }
}

/// What a charge costs by its price.
fn priced<'a>(
    own: Option<&'a Template>,
    batch: &'a ChargeBatch,
    known: Known<'_>,
    wrong: &mut Objections,
) -> Numbers<'a> {
    let Known { pricing, alone } = known;
    let own = own.map(|own| Numbers::of(own, batch, "unit_price", wrong));
    let mut accounts = Accounts::default();
    let mut price = |row: usize| {
        // A price that is no number is not replaced by another.
        if wrong.has(row) {
            return None;
        }
        let (quantity, own) = (batch.quantities().get(row), own.as_ref().and_then(|own| own.get(row)));
        let account = accounts.of(pricing, batch, row);
        match pricing.price(account, quantity, own) {
            Ok(cost) => Some(cost),
            Err(fault) => {
                if !alone || matches!(fault, Fault::Unpriced | Fault::Negative(_)) {
                    wrong.add(row, BILLED, fault.to_string());
                }
                None
            }
        }
    };
    let costs: Vec<Option<Decimal>> = (0..batch.len()).map(&mut price).collect();
    Numbers::each(costs.into_iter())
}

/// Shows a batch to prices that need to know the whole set.
pub(crate) fn survey(plan: &Plan, pricing: &mut Pricing, batch: &ChargeBatch) -> Result<(), Error> {
    let Cost::Priced(own) = &plan.cost else { return Ok(()) };
    let mut wrong = Objections::default();
    let own = own.as_ref().map(|own| Numbers::of(own, batch, "unit_price", &mut wrong));
    let mut accounts = Accounts::default();
    for row in 0..batch.len() {
        let own = own.as_ref().and_then(|own| own.get(row));
        let account = accounts.of(pricing, batch, row);
        if let Err(fault) = pricing.survey(account, batch.quantities().get(row), own) {
            wrong.add(row, BILLED, fault.to_string());
        }
    }
    wrong.none(batch)
}

/// The accounts of a batch, by the places of product, customer and dimension in it.
#[derive(Default)]
struct Accounts(HashMap<[Option<usize>; 3], Account>);

impl Accounts {
    fn of(&mut self, pricing: &mut Pricing, batch: &ChargeBatch, row: usize) -> Account {
        let columns = [batch.products(), batch.customers(), batch.dimensions()];
        *self.0.entry(columns.map(|column| column.index(row))).or_insert_with(|| {
            let [product, customer, dimension] = columns.map(|column| column.get(row).unwrap_or_default());
            pricing.account(product, customer, dimension)
        })
    }
}
