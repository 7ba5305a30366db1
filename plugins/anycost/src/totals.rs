//! What the costs of a set add up to.

use meterhost_sdk::{Decimal, DecimalSum, Error, warn};

use crate::columns::{AMORTIZED, COST, DISCOUNTED, DISCOUNTED_AMORTIZED};
use crate::config;
use crate::costs::Costs;

/// Running totals of the four costs, as CloudZero reads them.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Of what is the same in all four.
    same: DecimalSum,
    /// Of the rest, each by itself.
    apart: [DecimalSum; 4],
    /// Whether there is such a rest.
    is_apart: bool,
}

impl Totals {
    /// Adds so many rows.
    pub(crate) fn add(&mut self, costs: &Costs<'_>, rows: usize) {
        for row in 0..rows {
            let four = costs.read(row);
            if costs.is_one() {
                four.first().copied().flatten().into_iter().for_each(|cost| self.same.add(cost));
                continue;
            }
            self.is_apart = true;
            for (sum, cost) in self.apart.iter_mut().zip(four) {
                cost.into_iter().for_each(|cost| sum.add(cost));
            }
        }
    }

    /// The totals by column.
    ///
    /// # Errors
    /// They differ, or it cannot be told whether they do, and that is an error.
    pub(crate) fn finish(&self, rule: config::Totals) -> Result<Vec<(String, Decimal)>, Error> {
        let sum = |apart| {
            let mut sum = self.same.clone();
            sum.merge(apart);
            sum
        };
        let (totals, long) = sheets::totals(
            [COST, DISCOUNTED, AMORTIZED, DISCOUNTED_AMORTIZED].into_iter().zip(self.apart.iter().map(sum)),
        );
        if let Some(long) = long {
            match rule {
                config::Totals::Fail if self.is_apart => {
                    let why = "so that nobody can tell whether the totals are the same";
                    return Err(Error::Other(format!("{long}, {why}; totals = \"warn\" would publish the month")));
                }
                _ => warn(&sheets::untold(&long)),
            }
        }
        if totals.windows(2).any(|pair| matches!(pair, [(_, left), (_, right)] if left != right)) {
            let told: Vec<String> = totals.iter().map(|(column, total)| format!("{column} {total}")).collect();
            let told =
                format!("CloudZero asks for costs that add up to the same, and these do not: {}", told.join(", "));
            match rule {
                config::Totals::Warn => warn(&told),
                config::Totals::Fail => {
                    return Err(Error::Other(format!("{told}; totals = \"warn\" would publish them")));
                }
            }
        }
        Ok(totals)
    }
}
