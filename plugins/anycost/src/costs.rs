//! What charges cost: `cost/cost` and the others.

use std::collections::HashMap;

use drops::{Cells, Template};
use meterhost_sdk::{ChargeBatch, Decimal, Error};
use prices::{Account, Fault, Pricing};

use crate::columns::{AMORTIZED, COST, DISCOUNTED, DISCOUNTED_AMORTIZED, ON_DEMAND, PURCHASED_COMMITMENT, TYPE};
use crate::numbers::Numbers;
use crate::objections::Objections;
use crate::plan::{Cost, Plan};

/// The costs of a batch. Those that are not here equal `cost/cost`.
#[derive(Debug)]
pub(crate) struct Costs<'a> {
    billed: Numbers<'a>,
    discounted: Option<Numbers<'a>>,
    amortized: Option<Numbers<'a>>,
    discounted_amortized: Option<Numbers<'a>>,
    on_demand: Option<Numbers<'a>>,
}

/// What is known when costs are asked for.
pub(crate) struct Known<'p> {
    pub(crate) pricing: &'p mut Pricing,
    /// Whether these charges are looked at alone: then what depends on others is left open.
    pub(crate) alone: bool,
}

impl<'a> Costs<'a> {
    pub(crate) fn of(
        plan: &'a Plan,
        batch: &'a ChargeBatch,
        types: Option<&Cells<'a>>,
        known: Known<'_>,
        wrong: &mut Objections,
    ) -> Self {
        let billed = match &plan.cost {
            Cost::Priced(own) => priced(own.as_ref(), batch, known, wrong),
            Cost::Told(template) => {
                let billed = Numbers::of(template, batch, COST, wrong);
                let blank = (0..batch.len()).filter(|row| billed.get(*row).is_none());
                blank.for_each(|row| wrong.add(row, COST, "it is blank, and has to be known"));
                billed
            }
        };
        let mut given = |column| Some(Numbers::of(plan.other_costs.get(column)?, batch, column, wrong));
        let (discounted, on_demand) = (given(DISCOUNTED), given(ON_DEMAND));
        let (amortized, discounted_amortized) = (given(AMORTIZED), given(DISCOUNTED_AMORTIZED));
        // What a commitment costs is amortized over the usage that it covers, so that its own row has none of it.
        let is_commitment = |row| types.is_some_and(|types| types.get(row) == PURCHASED_COMMITMENT);
        let covered =
            types.is_some_and(|types| types.texts().iter().any(|text| text == PURCHASED_COMMITMENT)).then(|| {
                Numbers::each((0..batch.len()).map(|row| match is_commitment(row) {
                    true => Some(Decimal::ZERO),
                    false => billed.get(row),
                }))
            });
        let costs = Costs {
            amortized: amortized.or_else(|| covered.clone()),
            discounted_amortized: discounted_amortized.or(covered),
            billed,
            discounted,
            on_demand,
        };
        costs.check_signs(batch, types, wrong);
        costs
    }

    /// What a column of this name says; nothing if it is no cost's.
    pub(crate) fn column(&self, name: &str) -> Option<&Cells<'a>> {
        let numbers = match name {
            COST => &self.billed,
            DISCOUNTED => self.discounted.as_ref().unwrap_or(&self.billed),
            AMORTIZED => self.amortized.as_ref().unwrap_or(&self.billed),
            DISCOUNTED_AMORTIZED => self.discounted_amortized.as_ref().unwrap_or(&self.billed),
            ON_DEMAND => self.on_demand.as_ref()?,
            _ => return None,
        };
        Some(&numbers.cells)
    }

    /// The four costs as CloudZero reads them: where one is blank, what it falls back to.
    pub(crate) fn read(&self, row: usize) -> [Option<Decimal>; 4] {
        let billed = self.billed.get(row);
        let of = |given: &Option<Numbers<'a>>| given.as_ref().map_or(billed, |given| given.get(row));
        let (discounted, amortized, both) = (of(&self.discounted), of(&self.amortized), of(&self.discounted_amortized));
        [billed, discounted.or(billed), amortized.or(billed), both.or(amortized).or(discounted).or(billed)]
    }

    /// Whether the four are the same in every row.
    pub(crate) fn is_one(&self) -> bool {
        self.discounted.is_none() && self.amortized.is_none() && self.discounted_amortized.is_none()
    }

    /// Discounts and credits take away, fees add (CloudZero, "lineitem/type").
    fn check_signs(&self, batch: &ChargeBatch, types: Option<&Cells<'a>>, wrong: &mut Objections) {
        let Some(types) = types.filter(|types| types.texts().iter().any(|text| sign(text).is_some())) else { return };
        for row in 0..batch.len() {
            let (Some(wants_less), Some(cost)) = (sign(types.get(row)), self.billed.get(row)) else { continue };
            let is_less = cost.is_negative();
            if !cost.is_zero() && is_less != wants_less {
                let kind = types.get(row);
                let rule = if wants_less { "is never above 0" } else { "is never below 0" };
                wrong.add(row, COST, format!("it is {cost}, and a row of {TYPE} {kind} {rule}"));
            }
        }
    }
}

/// Whether a type of row takes away; nothing where it may do either.
fn sign(kind: &str) -> Option<bool> {
    match kind {
        "Discount" | "Credit" => Some(true),
        "Fee" => Some(false),
        _ => None,
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
                    wrong.add(row, COST, fault.to_string());
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
            wrong.add(row, COST, fault.to_string());
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
