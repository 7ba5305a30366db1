//! What charges cost: `BilledCost` and the others.

use meterhost_sdk::{ChargeBatch, Decimal};
use sheets::{Form, Known, Numbers, Objections};

use crate::plan::{BILLED, Plan};

/// How decimals are written (FOCUS 1.2, "Numeric Format"): a column of integers alone would be read as one of no decimals.
pub(crate) const FORM: Form = Form::Point;

/// The costs of a batch. Those that are not here equal `BilledCost`.
#[derive(Debug)]
pub(crate) struct Costs<'a> {
    billed: Numbers<'a>,
    effective: Option<Numbers<'a>>,
    contracted: Option<Numbers<'a>>,
    list: Option<Numbers<'a>>,
}

impl<'a> Costs<'a> {
    /// The costs of a batch, of which some rows buy a commitment.
    pub(crate) fn of(
        plan: &'a Plan,
        batch: &'a ChargeBatch,
        commits: impl Fn(usize) -> bool,
        known: Known<'_>,
        wrong: &mut Objections,
    ) -> Self {
        let billed = plan.cost.numbers(batch, FORM, known, wrong);
        let mut given = |name| Some(Numbers::of(plan.other_costs.get(name)?, batch, name, FORM, wrong));
        let (effective, contracted, list) = (given("EffectiveCost"), given("ContractedCost"), given("ListCost"));
        // What a commitment costs is spread over the usage that it covers, so that its own row has none of it.
        let spread = || {
            (0..batch.len()).any(&commits).then(|| {
                let effective = |row| if commits(row) { Some(Decimal::ZERO) } else { billed.get(row) };
                Numbers::each((0..batch.len()).map(effective), FORM)
            })
        };
        Costs { effective: effective.or_else(spread), billed, contracted, list }
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
