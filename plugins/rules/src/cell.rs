//! What a rule has found out so far about one dimension of a customer, and what comes of it.

use meterhost_sdk::{Decimal, DecimalSum};

use crate::rules::{Measured, Rule};

/// The state of one rule for one dimension of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// All records that stand behind the result, those that put it in doubt included.
    pub(crate) records: u64,
    /// Those of which the conditions cannot say whether they fit.
    pub(crate) unclear: u64,
    pub(crate) amount: Amount,
}

/// What is remembered of the records' quantities.
#[derive(Debug, Clone)]
pub(crate) enum Amount {
    Sum(DecimalSum),
    Count,
    Min(Option<Decimal>),
    Max(Option<Decimal>),
    /// The latest time and the largest quantity at it.
    Last(Option<(i64, Decimal)>),
    Unique {
        /// Under which number this line's values are kept apart from other lines'.
        line: u32,
        /// How many values no other cell of the line saw before.
        values: u64,
        /// How many records have none.
        missing: u64,
    },
}

impl Cell {
    /// An empty one. `line` tells the values of this line from those of others.
    pub(crate) fn new(measure: &Measured, line: u32) -> Self {
        let amount = match measure {
            Measured::Sum => Amount::Sum(DecimalSum::new()),
            Measured::Count => Amount::Count,
            Measured::Min => Amount::Min(None),
            Measured::Max => Amount::Max(None),
            Measured::Last => Amount::Last(None),
            Measured::Unique(_) => Amount::Unique { line, values: 0, missing: 0 },
        };
        Cell { records: 0, unclear: 0, amount }
    }

    /// Takes a record in whose conditions fit. `is_new` answers whether the line did not see its value before, or that it has none.
    pub(crate) fn add(&mut self, time: i64, quantity: Decimal, is_new: impl FnOnce(u32) -> Option<bool>) {
        self.records += 1;
        match &mut self.amount {
            Amount::Sum(sum) => sum.add(quantity),
            Amount::Count => {}
            Amount::Min(least) => *least = Some(least.map_or(quantity, |least| least.min(quantity))),
            Amount::Max(most) => *most = (*most).max(Some(quantity)),
            Amount::Last(last) => *last = (*last).max(Some((time, quantity))),
            Amount::Unique { line, values, missing } => match is_new(*line) {
                Some(new) => *values += u64::from(new),
                None => *missing += 1,
            },
        }
    }

    /// Adds what the same rule found out about another dimension of the customer.
    pub(crate) fn merge(&mut self, other: &Cell) {
        self.records += other.records;
        self.unclear += other.unclear;
        match (&mut self.amount, &other.amount) {
            (Amount::Sum(this), Amount::Sum(other)) => this.merge(other),
            (Amount::Min(this), Amount::Min(other)) => {
                *this = match (*this, *other) {
                    (Some(this), Some(other)) => Some(this.min(other)),
                    (this, other) => this.or(other),
                }
            }
            (Amount::Max(this), Amount::Max(other)) => *this = (*this).max(*other),
            (Amount::Last(this), Amount::Last(other)) => *this = (*this).max(*other),
            (
                Amount::Unique { values, missing, .. },
                Amount::Unique { values: more_values, missing: more_missing, .. },
            ) => {
                *values += more_values;
                *missing += more_missing;
            }
            // Counts have nothing besides their records, and one rule has one kind of cell.
            _ => {}
        }
    }

    /// The quantity in the rule's units, or why it is in doubt.
    pub(crate) fn finish(&self, rule: &Rule) -> Result<Decimal, String> {
        let Cell { records, unclear, amount } = self;
        if *unclear > 0 {
            let compared = rule.conditions.iter().filter(|condition| condition.needs_number());
            let compared: Vec<String> = compared.map(|condition| format!("{:?}", condition.attribute)).collect();
            return Err(format!(
                "{unclear} of {records} records have no number in {}, with which the rule compares",
                compared.join(" or ")
            ));
        }
        let quantity = match amount {
            Amount::Sum(sum) => {
                sum.finish().ok_or_else(|| format!("the sum of {records} records has more than 38 digits"))?
            }
            Amount::Count => Decimal::from(*records),
            Amount::Min(quantity) | Amount::Max(quantity) => quantity.unwrap_or_default(),
            Amount::Last(last) => last.map(|(_, quantity)| quantity).unwrap_or_default(),
            Amount::Unique { values, missing: 0, .. } => Decimal::from(*values),
            Amount::Unique { missing, .. } => {
                let what = match &rule.measure {
                    Measured::Unique(Some(attribute)) => format!("attribute {attribute:?}"),
                    _ => "id".to_owned(),
                };
                return Err(format!("{missing} of {records} records have no {what}, which the rule counts"));
            }
        };
        // Equal quantities have several forms, and which one came may depend on how the records were cut into batches.
        in_units(quantity.normalised(), rule).map(Decimal::normalised)
    }
}

fn in_units(quantity: Decimal, rule: &Rule) -> Result<Decimal, String> {
    let multiplied = match rule.multiply {
        None => quantity,
        Some(factor) => {
            let product = quantity.checked_mul(factor);
            product.ok_or_else(|| format!("{quantity} multiplied by {factor} has more than 38 digits"))?
        }
    };
    match rule.divide {
        None => Ok(multiplied),
        Some(divisor) => match multiplied.checked_div(divisor) {
            None => Err(format!("{multiplied} divided by {divisor} has more than 38 digits")),
            // 38 digits before the point leave none behind it, so that it would look whole.
            Some(quotient) if !quotient.exact && quotient.value.is_integer() => Err(format!(
                "{multiplied} divided by {divisor} is no whole number, and 38 digits do not show its fraction"
            )),
            // A quotient without end is cut after all the digits that there is room for, and never ends in 0 or 5. So a
            // person sees it, and the host rounds it as it would round the whole: see [`Decimal::checked_div`].
            Some(quotient) => Ok(quotient.value),
        },
    }
}
