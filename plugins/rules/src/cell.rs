//! What a rule has found out so far about one dimension of a customer, and what comes of it.

use meterhost_sdk::{Decimal, DecimalSum};

use crate::rule::{Measured, Rule};

/// The state of one rule for one dimension of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// All records that stand behind the result, those that put it in doubt included.
    pub(crate) records: u64,
    /// Those of which the conditions cannot say whether they fit.
    pub(crate) unclear: u64,
    pub(crate) amount: Amount,
}

/// Answers for a record what a cell cannot know by itself.
pub(crate) trait Detail {
    /// Whether the line did not see the record's value before; nothing if it has none.
    fn is_new(&mut self, line: u32) -> Option<bool>;

    /// The record's price, which is 0 if it has none; nothing if that is no number.
    fn price(&mut self) -> Option<Decimal>;

    /// Keeps the quantity, if it is the largest of its group so far.
    fn group(&mut self, slot: u32, time: i64, quantity: Decimal);
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
    /// The sum, which is divided at the end.
    Average(DecimalSum),
    SumOfMax {
        /// Under which number this cell's groups are kept apart from other cells'.
        slot: u32,
        /// Once the input has ended: the sum of the groups' largest quantities.
        sum: DecimalSum,
    },
    /// What the records cost.
    Price {
        sum: DecimalSum,
        /// How many records have a price that is no number.
        unclear: u64,
        /// How many cost a sum of more than 38 digits.
        large: u64,
    },
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
    /// An empty one. `line` tells the values of this line from those of others, `slot` this cell from all others.
    pub(crate) fn new(measure: &Measured, line: u32, slot: u32) -> Self {
        let amount = match measure {
            Measured::Sum => Amount::Sum(DecimalSum::new()),
            Measured::Count => Amount::Count,
            Measured::Min => Amount::Min(None),
            Measured::Max => Amount::Max(None),
            Measured::Last => Amount::Last(None),
            Measured::Average => Amount::Average(DecimalSum::new()),
            Measured::SumOfMax { .. } => Amount::SumOfMax { slot, sum: DecimalSum::new() },
            Measured::Price(_) => Amount::Price { sum: DecimalSum::new(), unclear: 0, large: 0 },
            Measured::Unique(_) => Amount::Unique { line, values: 0, missing: 0 },
        };
        Cell { records: 0, unclear: 0, amount }
    }

    /// Takes a record in whose conditions fit. `detail` is asked for what lies beyond its time and quantity.
    pub(crate) fn add(&mut self, time: i64, quantity: Decimal, detail: &mut impl Detail) {
        self.records += 1;
        match &mut self.amount {
            Amount::Sum(sum) | Amount::Average(sum) => sum.add(quantity),
            Amount::Count => {}
            Amount::Min(least) => *least = Some(least.map_or(quantity, |least| least.min(quantity))),
            Amount::Max(most) => *most = (*most).max(Some(quantity)),
            Amount::Last(last) => *last = (*last).max(Some((time, quantity))),
            Amount::SumOfMax { slot, .. } => detail.group(*slot, time, quantity),
            Amount::Price { sum, unclear, large } => match detail.price() {
                None => *unclear += 1,
                Some(price) => match price.checked_mul(quantity) {
                    None => *large += 1,
                    Some(cost) => sum.add(cost),
                },
            },
            Amount::Unique { line, values, missing } => match detail.is_new(*line) {
                Some(new) => *values += u64::from(new),
                None => *missing += 1,
            },
        }
    }

    /// Takes a record in that no rule takes.
    pub(crate) fn add_left_out(&mut self, quantity: Decimal) {
        self.records += 1;
        if let Amount::Sum(sum) = &mut self.amount {
            sum.add(quantity);
        }
    }

    /// Adds what the same rule found out about another dimension of the customer.
    pub(crate) fn merge(&mut self, other: &Cell) {
        self.records += other.records;
        self.unclear += other.unclear;
        match (&mut self.amount, &other.amount) {
            (Amount::Sum(this), Amount::Sum(other))
            | (Amount::Average(this), Amount::Average(other))
            | (Amount::SumOfMax { sum: this, .. }, Amount::SumOfMax { sum: other, .. }) => this.merge(other),
            (Amount::Min(this), Amount::Min(other)) => {
                *this = match (*this, *other) {
                    (Some(this), Some(other)) => Some(this.min(other)),
                    (this, other) => this.or(other),
                }
            }
            (Amount::Max(this), Amount::Max(other)) => *this = (*this).max(*other),
            (Amount::Last(this), Amount::Last(other)) => *this = (*this).max(*other),
            (
                Amount::Price { sum, unclear, large },
                Amount::Price { sum: more, unclear: more_unclear, large: more_large },
            ) => {
                sum.merge(more);
                *unclear += more_unclear;
                *large += more_large;
            }
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
        let (quantity, parts) = self.result(rule)?;
        in_units(quantity, parts, rule).map(Decimal::normalised)
    }

    /// What came of the records, before it is brought to any unit: a quantity, and by what it is still to be divided. Or why it is
    /// in doubt.
    pub(crate) fn result(&self, rule: &Rule) -> Result<(Decimal, u64), String> {
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
            Amount::Sum(sum) | Amount::Average(sum) => {
                sum.finish().ok_or_else(|| format!("the sum of {records} records has more than 38 digits"))?
            }
            Amount::SumOfMax { sum, .. } => {
                sum.finish().ok_or("the sum of the largest quantities has more than 38 digits")?
            }
            Amount::Price { sum, unclear: 0, large: 0 } => {
                sum.finish().ok_or_else(|| format!("what {records} records cost has more than 38 digits"))?
            }
            Amount::Price { unclear: 0, large, .. } => {
                return Err(format!("what {large} of {records} records cost has more than 38 digits"));
            }
            Amount::Price { unclear, .. } => {
                let attribute = if let Measured::Price(attribute) = &rule.measure { attribute } else { "" };
                return Err(format!("{unclear} of {records} records have a price in {attribute:?} that is no number"));
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
        let parts = if matches!(amount, Amount::Average(_)) { (*records).max(1) } else { 1 };
        Ok((quantity.normalised(), parts))
    }
}

/// The quantity, divided into as many parts, in the rule's units. There is one division, so that at most one result is cut.
fn in_units(quantity: Decimal, parts: u64, rule: &Rule) -> Result<Decimal, String> {
    let product = |left: Decimal, right: Decimal| {
        let product = left.checked_mul(right).map(Decimal::normalised);
        product.ok_or_else(|| format!("{left} multiplied by {right} has more than 38 digits"))
    };
    let dividend = rule.multiply.map_or(Ok(quantity), |factor| product(quantity, factor))?;
    let divisor = match (rule.divide, parts) {
        (None, 1) => return Ok(dividend),
        (None, parts) => Decimal::from(parts),
        (Some(divisor), 1) => divisor,
        (Some(divisor), parts) => product(divisor, Decimal::from(parts))?,
    };
    match dividend.checked_div(divisor) {
        None => Err(format!("{dividend} divided by {divisor} has more than 38 digits")),
        // 38 digits before the point leave none behind it, so that it would look whole.
        Some(quotient) if !quotient.exact && quotient.value.is_integer() => {
            Err(format!("{dividend} divided by {divisor} is no whole number, and 38 digits do not show its fraction"))
        }
        // A quotient without end is cut after all the digits that there is room for, and never ends in 0 or 5. So a
        // person sees it, and the host rounds it as it would round the whole: see [`Decimal::checked_div`].
        Some(quotient) => Ok(quotient.value),
    }
}
