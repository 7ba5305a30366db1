//! What a rule needs to know of the rows of a batch, worked out once for each text and not for each row.

use meterhost_sdk::{Batch, Decimal, TextColumn};

use crate::cell::Detail;
use crate::condition::{Condition, Verdict};
use crate::groups::NOTHING;
use crate::rule::{Measured, Rule};
use crate::usage::Values;

/// A batch as one rule sees it.
pub(crate) struct View<'a> {
    /// Whether each row fits; empty for a rule without conditions.
    verdicts: Vec<Verdict>,
    /// What the rule asks for beyond time and quantity.
    columns: Vec<Column<'a>>,
    /// For a price, each of the column's texts as a number.
    prices: Vec<Option<Decimal>>,
    /// For `sum_of_max`, in milliseconds.
    period: i64,
    /// The last combination, because the records of one thing often come one after the other.
    last: Option<u32>,
}

/// An attribute, or the ids.
struct Column<'a> {
    /// Nothing if no row has it.
    texts: Option<TextColumn<'a>>,
    /// For each of the texts the number in [`Values`], once it was asked for.
    numbers: Vec<Option<u32>>,
    /// Which text the row before had.
    last: Option<usize>,
}

/// One row of a view.
pub(crate) struct Cursor<'a, 'b> {
    pub(crate) view: &'b mut View<'a>,
    pub(crate) values: &'b mut Values,
    pub(crate) row: usize,
}

impl<'a> View<'a> {
    pub(crate) fn new(rule: &Rule, batch: &'a Batch) -> Self {
        let mut view = View {
            verdicts: verdicts(&rule.conditions, batch),
            columns: Vec::new(),
            prices: Vec::new(),
            period: 1,
            last: None,
        };
        match &rule.measure {
            Measured::Unique(Some(attribute)) => view.columns.push(Column::new(batch.attribute(attribute))),
            Measured::Unique(None) => view.columns.push(Column::new(Some(batch.ids()))),
            Measured::SumOfMax { per, period } => {
                view.columns.extend(per.iter().map(|attribute| Column::new(batch.attribute(attribute))));
                view.period = *period;
            }
            Measured::Price(attribute) => {
                let texts = batch.attribute(attribute);
                let values = texts.iter().flat_map(|texts| texts.values());
                view.prices = values.map(|text| Decimal::parse(text).ok()).collect();
                view.columns.push(Column::new(texts));
            }
            Measured::Sum | Measured::Count | Measured::Min | Measured::Max | Measured::Last | Measured::Average => {}
        }
        view
    }

    /// Whether a row fits the rule's conditions.
    pub(crate) fn verdict(&self, row: usize) -> Verdict {
        self.verdicts.get(row).copied().unwrap_or(Verdict::Yes)
    }

    /// The number of the row's combination of attributes.
    fn combination(&mut self, row: usize, values: &mut Values) -> u32 {
        let mut same = self.last;
        for column in &mut self.columns {
            let text = column.text(row);
            if text != column.last {
                (column.last, same) = (text, None);
            }
        }
        if let Some(combination) = same {
            return combination;
        }
        let mut combination = NOTHING;
        for column in &mut self.columns {
            // No text has the largest number, which therefore stands for none.
            let value = column.last.and_then(|text| column.number(text, values)).unwrap_or(u32::MAX);
            combination = values.groups.combine(combination, value);
        }
        self.last = Some(combination);
        combination
    }
}

impl<'a> Column<'a> {
    fn new(texts: Option<TextColumn<'a>>) -> Self {
        let numbers = vec![None; texts.map_or(0, |texts| texts.values().len())];
        Column { texts, numbers, last: None }
    }

    fn text(&self, row: usize) -> Option<usize> {
        self.texts?.index(row)
    }

    fn number(&mut self, text: usize, values: &mut Values) -> Option<u32> {
        let number = self.numbers.get_mut(text)?;
        let text = self.texts?.values().get(text)?;
        Some(*number.get_or_insert_with(|| values.texts.number(text)))
    }
}

impl Detail for Cursor<'_, '_> {
    fn is_new(&mut self, line: u32) -> Option<bool> {
        let column = self.view.columns.first_mut()?;
        let number = column.number(column.text(self.row)?, self.values)?;
        Some(self.values.is_new(line, number))
    }

    fn price(&mut self) -> Option<Decimal> {
        match self.view.columns.first().and_then(|column| column.text(self.row)) {
            Some(text) => self.view.prices.get(text).copied().flatten(),
            None => Some(Decimal::ZERO),
        }
    }

    fn group(&mut self, slot: u32, time: i64, quantity: Decimal) {
        let combination = self.view.combination(self.row, self.values);
        self.values.groups.add(slot, combination, time.div_euclid(self.view.period), quantity);
    }
}

fn verdicts(conditions: &[Condition], batch: &Batch) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::Yes; if conditions.is_empty() { 0 } else { batch.len() }];
    for condition in conditions {
        let absent = condition.judge(None);
        let column = batch.attribute(&condition.attribute);
        let of_values: Vec<Verdict> = match column {
            Some(column) => column.values().iter().map(|text| condition.judge(Some(text))).collect(),
            None => Vec::new(),
        };
        for (row, verdict) in verdicts.iter_mut().enumerate() {
            let index = column.and_then(|column| column.index(row));
            *verdict = (*verdict).min(index.and_then(|index| of_values.get(index)).copied().unwrap_or(absent));
        }
    }
    verdicts
}
