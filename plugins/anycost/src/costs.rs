//! What charges cost: `cost/cost` and the others.

use drops::Cells;
use meterhost_sdk::{ChargeBatch, Decimal};
use sheets::{Form, Known, Numbers, Objections};

use crate::columns::{AMORTIZED, COST, DISCOUNTED, DISCOUNTED_AMORTIZED, ON_DEMAND, PURCHASED_COMMITMENT, TYPE};
use crate::plan::Plan;

/// How decimals are written.
pub(crate) const FORM: Form = Form::Short;

/// The costs of a batch. Those that are not here equal `cost/cost`. What is not configured is what CloudZero would fall back to, so that
/// no cell has to be blank ("Common Bill Format", "Cost columns").
#[derive(Debug)]
pub(crate) struct Costs<'a> {
    billed: Numbers<'a>,
    discounted: Option<Numbers<'a>>,
    amortized: Option<Numbers<'a>>,
    discounted_amortized: Option<Numbers<'a>>,
    on_demand: Option<Numbers<'a>>,
}

impl<'a> Costs<'a> {
    pub(crate) fn of(
        plan: &'a Plan,
        batch: &'a ChargeBatch,
        types: Option<&Cells<'a>>,
        known: Known<'_>,
        wrong: &mut Objections,
    ) -> Self {
        let billed = plan.cost.numbers(batch, FORM, known, wrong);
        if plan.cost.is_told() {
            let blank = (0..batch.len()).filter(|row| billed.get(*row).is_none());
            let mut why = None;
            for row in blank {
                let why = why.get_or_insert_with(|| match plan.cost.absence(batch) {
                    Some(absence) => format!("it is blank, and has to be known: {absence}"),
                    None => "it is blank, and has to be known".to_owned(),
                });
                wrong.add(row, COST, why.as_str());
            }
        }
        let mut given = |column| Some(Numbers::of(plan.other_costs.get(column)?, batch, column, FORM, wrong));
        let (discounted, on_demand) = (given(DISCOUNTED), given(ON_DEMAND));
        let (amortized, discounted_amortized) = (given(AMORTIZED), given(DISCOUNTED_AMORTIZED));
        // What a commitment costs is amortized over the usage that it covers, so that its own row has none of it.
        let has_commitments = types.is_some_and(|types| types.texts().iter().any(|text| text == PURCHASED_COMMITMENT));
        let is_commitment = |row| has_commitments && types.is_some_and(|types| types.get(row) == PURCHASED_COMMITMENT);
        let spread = |row| match &amortized {
            Some(given) => given.get(row),
            None => is_commitment(row).then_some(Decimal::ZERO),
        };
        if amortized.is_some() {
            for row in (0..batch.len()).filter(|row| is_commitment(*row)) {
                if let Some(cost) = spread(row).filter(|cost| !cost.is_zero()) {
                    let why = "has 0: what it costs is in the usage that it covers";
                    wrong.add(
                        row,
                        AMORTIZED,
                        format!("it is {cost}, and a row of {TYPE} {PURCHASED_COMMITMENT} {why}"),
                    );
                }
            }
        }
        let each = |cost: &dyn Fn(usize) -> Option<Decimal>| Numbers::each((0..batch.len()).map(cost), FORM);
        let net = |row| discounted.as_ref().and_then(|given| given.get(row)).or_else(|| billed.get(row));
        let discounted_amortized = discounted_amortized.or_else(|| {
            let differs = has_commitments || amortized.is_some() || discounted.is_some();
            differs.then(|| each(&|row| spread(row).or_else(|| net(row))))
        });
        let uncovered = has_commitments.then(|| each(&|row| spread(row).or_else(|| billed.get(row))));
        let amortized = amortized.or(uncovered);
        let costs = Costs { billed, discounted, amortized, discounted_amortized, on_demand };
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
