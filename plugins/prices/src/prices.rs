//! Which price a dimension has.

use std::collections::HashMap;

use crate::check::plan;
use crate::plan::Plan;
use crate::table::PriceTable;

/// The price of the dimensions that have none of their own.
const OTHERS: &str = "*";

/// Prices that were checked.
#[derive(Debug, Clone)]
pub struct Prices {
    plans: Vec<Plan>,
    named: HashMap<String, usize>,
    others: Option<usize>,
}

impl Prices {
    /// Checks a table, which may be empty.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words, behind the path of the key at fault below the plugin's `config`, by which the host finds its line:
    /// `prices.cpu_hours.tiers[1].up_to: tier 2 ends at 100, and tier 1 at 100 already: tiers ascend`.
    pub fn new(table: &PriceTable) -> Result<Self, String> {
        let mut prices = Prices { plans: Vec::new(), named: HashMap::new(), others: None };
        for (dimension, price) in &table.0 {
            let index = prices.plans.len();
            prices.plans.push(plan(dimension, price)?);
            if dimension == OTHERS {
                prices.others = Some(index);
            } else {
                prices.named.insert(dimension.clone(), index);
            }
        }
        Ok(prices)
    }

    /// Whether a dimension has a price, of its own or by `"*"`.
    pub fn has(&self, dimension: &str) -> bool {
        self.index(dimension).is_some()
    }

    /// Whether charges have to be surveyed before they are priced: whether any price depends on the total of a whole account, as those by
    /// volume do, and minimums.
    pub fn surveys(&self) -> bool {
        self.plans.iter().any(|plan| plan.surveys(true))
    }

    /// Whether more may be owed once the period is over, as with a minimum.
    pub fn closes(&self) -> bool {
        self.plans.iter().any(Plan::closes)
    }

    /// The first of the dimensions, if there is one, of which a charge may cost something else than its quantity by a price, since it
    /// depends on the account's other charges.
    pub fn uneven(&self) -> Option<&str> {
        let named = self.named.iter().map(|(dimension, index)| (dimension.as_str(), *index));
        let all = named.chain(self.others.map(|index| (OTHERS, index)));
        let uneven = all.filter(|(_, index)| self.plan(*index).is_some_and(|plan| plan.unit(true).is_none()));
        uneven.map(|(dimension, _)| dimension).min()
    }

    pub(crate) fn index(&self, dimension: &str) -> Option<usize> {
        self.named.get(dimension).copied().or(self.others)
    }

    pub(crate) fn plan(&self, index: usize) -> Option<&Plan> {
        self.plans.get(index)
    }
}
