//! `guard`: what a sink holds until a person releases it, though nothing about it is in doubt.

use std::collections::BTreeMap;
use std::fmt;

use meterhost_decimal::Decimal;

use super::errors::ConfigErrors;
use super::keys;
use super::table::{TableReader, mismatch, table, text};
use super::tree::{Node, Value};
use super::units::{PERCENT, PERCENT_LESS, QUANTITY};

/// What is held. The default holds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// A charge that is by more than this above what its key was charged in the window that is compared with.
    pub max_increase: Option<Percent>,
    /// One that is by more than this below; at most 100 %.
    pub max_decrease: Option<Percent>,
    /// A charge of more than this, whatever was charged before.
    pub max_quantity: MostQuantity,
    /// Every charge of a customer who had none in the window that is compared with.
    pub new_customers: Answer,
    /// The window, where a customer who was charged something in the window that is compared with has nothing in this one.
    pub missing_customers: Answer,
    /// The window, where there is no usage at all.
    pub empty_window: Answer,
}

impl Guard {
    /// Whether some of it needs a window to compare with.
    pub fn compares(&self) -> bool {
        let Guard { max_increase, max_decrease, max_quantity: _, new_customers, missing_customers, empty_window: _ } =
            self;
        max_increase.is_some() || max_decrease.is_some() || new_customers.holds() || missing_customers.holds()
    }
}

/// The most that one charge may come to, before rounding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MostQuantity {
    /// By dimension, as the sink is told it.
    pub named: BTreeMap<String, Decimal>,
    /// Of the dimensions that are not named.
    pub others: Option<Decimal>,
}

impl MostQuantity {
    /// The most of a dimension; nothing where there is no limit.
    pub fn of(&self, dimension: &str) -> Option<Decimal> {
        self.named.get(dimension).copied().or(self.others)
    }
}

/// What becomes of something that a guard may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Answer {
    /// `bill`: nothing keeps it from being billed, or its window from being settled.
    #[default]
    Bill,
    /// `hold`: it is held until a person releases it.
    Hold,
}

impl Answer {
    /// Whether it is held.
    pub fn holds(self) -> bool {
        self == Answer::Hold
    }
}

/// An exact percentage, 0 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent {
    percent: Decimal,
    /// A hundredth of 100 and as many more.
    more: Decimal,
    /// A hundredth of 100 less as many; negative beyond 100.
    less: Decimal,
}

impl Percent {
    /// Reads `200%` or `12.5 %`. Nothing where that is no percentage, is negative, or has so many digits that no decimal holds the
    /// factor that follows from it.
    pub fn parse(text: &str) -> Option<Percent> {
        let number = text.strip_suffix('%')?.trim_end();
        let percent = Decimal::parse(number).ok().filter(|percent| !percent.is_negative())?.normalised();
        let hundred = Decimal::from(100_u8);
        let hundredth = Decimal::new(1, 2)?;
        Some(Percent {
            percent,
            more: hundred.checked_add(percent)?.checked_mul(hundredth)?,
            less: hundred.checked_sub(percent)?.checked_mul(hundredth)?,
        })
    }

    /// What a quantity is multiplied by to be as much larger: 3 for 200 %.
    pub fn more(self) -> Decimal {
        self.more
    }

    /// What a quantity is multiplied by to be as much smaller: 0.5 for 50 %.
    pub fn less(self) -> Decimal {
        self.less
    }
}

/// `12.5 %`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent)
    }
}

/// Reads the `guard` of a sink.
pub(super) fn guard(sink: &TableReader<'_>, errors: &mut ConfigErrors) -> Guard {
    const TABLE: &str = "a table such as { max_increase = \"200%\", empty_window = \"hold\" }";
    const ANSWER: &str = "\"hold\" or \"bill\"";
    let Some(entry) = sink.entry("guard") else { return Guard::default() };
    let path = sink.path_of("guard");
    let Some(rules) = table(&entry.node, &path, TABLE, errors) else { return Guard::default() };
    let reader = TableReader::new(path, entry.key.clone(), rules, keys::GUARD, errors);
    if rules.is_empty() {
        errors
            .add(entry.key.clone(), format!("`{}` is empty, and guards nothing", reader.path))
            .help(format!("write {TABLE}, or leave the key out"));
    }
    let of_100 = |text: &str| Percent::parse(text).filter(|percent| !percent.less().is_negative());
    let answer = |text: &str| match text {
        "bill" => Some(Answer::Bill),
        "hold" => Some(Answer::Hold),
        _ => None,
    };
    Guard {
        max_increase: reader.parsed("max_increase", PERCENT, Percent::parse, errors),
        max_decrease: reader.parsed("max_decrease", PERCENT_LESS, of_100, errors),
        max_quantity: most(&reader, errors),
        new_customers: reader.parsed("new_customers", ANSWER, answer, errors).unwrap_or_default(),
        missing_customers: reader.parsed("missing_customers", ANSWER, answer, errors).unwrap_or_default(),
        empty_window: reader.parsed("empty_window", ANSWER, answer, errors).unwrap_or_default(),
    }
}

/// Reads `max_quantity`: one for every dimension, or a table by dimension.
fn most(reader: &TableReader<'_>, errors: &mut ConfigErrors) -> MostQuantity {
    const MOST: &str = "a quantity such as \"1000000\", or a table of them by dimension, with \"*\" for the others";
    let mut most = MostQuantity::default();
    let Some(entry) = reader.entry("max_quantity") else { return most };
    let path = reader.path_of("max_quantity");
    match &entry.node.value {
        Value::Table(table) => {
            if table.is_empty() {
                errors.add(entry.key.clone(), format!("`{path}` is empty")).help("name at least one dimension");
            }
            for (dimension, entry) in table {
                let path = super::wording::key_path(&path, dimension);
                let Some(quantity) = quantity(&entry.node, &path, QUANTITY, errors) else { continue };
                match dimension.as_str() {
                    "*" => most.others = Some(quantity),
                    _ => _ = most.named.insert(dimension.clone(), quantity),
                }
            }
        }
        Value::Text { .. } => most.others = quantity(&entry.node, &path, MOST, errors),
        _ => _ = mismatch(&entry.node, &path, MOST, errors),
    }
    most
}

fn quantity(node: &Node, path: &str, expected: &str, errors: &mut ConfigErrors) -> Option<Decimal> {
    let written = text(node, path, expected, errors)?;
    let quantity = Decimal::parse(&written.value).ok().filter(|quantity| !quantity.is_negative());
    if quantity.is_none() {
        mismatch(node, path, expected, errors);
    }
    quantity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_exact() {
        for (text, more, less, shown) in [
            ("200%", "3", "-1", "200 %"),
            ("12.5 %", "1.125", "0.875", "12.5 %"),
            ("0%", "1", "1", "0 %"),
            ("100.0%", "2", "0", "100 %"),
            ("0.00000000000000000000000000000000001%", "1.0000000000000000000000000000000000001", "", ""),
        ] {
            let percent = Percent::parse(text).unwrap();
            assert_eq!(percent.more(), Decimal::parse(more).unwrap(), "{text}");
            if !shown.is_empty() {
                assert_eq!(percent.less(), Decimal::parse(less).unwrap(), "{text}");
                assert_eq!(percent.to_string(), shown);
            }
        }
    }

    #[test]
    fn what_is_no_percentage_is_refused() {
        for text in ["", "%", "200", "-1%", "two%", "1,5%", "0.0000000000000000000000000000000000001%"] {
            assert_eq!(Percent::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_dimension_has_its_own_limit_or_that_of_the_others() {
        let decimal = |text: &str| Decimal::parse(text).unwrap();
        let most = MostQuantity { named: [("cpu".to_owned(), decimal("5"))].into(), others: Some(decimal("9.5")) };
        assert_eq!((most.of("cpu"), most.of("memory")), (Some(decimal("5")), Some(decimal("9.5"))));
        assert_eq!(MostQuantity::default().of("cpu"), None);
    }
}
