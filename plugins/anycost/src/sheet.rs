//! Charges as rows of the Common Bill Format, and what of them cannot be such rows.

use std::collections::BTreeMap;

use drops::{Cells, Spelling, Template, instants, time};
use meterhost_sdk::ChargeBatch;
use sheets::{Known, Numbers, Objections};

use crate::columns::{self, AMOUNT, END, ORDER, RESOURCE, START, TAG, TYPE, UNITS};
use crate::costs::{Costs, FORM};
use crate::plan::{Plan, separators};

/// A batch of charges as columns.
#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    texts: BTreeMap<&'static str, Cells<'a>>,
    starts: Cells<'a>,
    amounts: Option<Numbers<'a>>,
    pub(crate) costs: Costs<'a>,
    /// By key.
    tags: BTreeMap<&'a str, Cells<'a>>,
}

impl<'a> Sheet<'a> {
    /// The columns of a batch, whose tags are these, by key.
    pub(crate) fn of(
        plan: &'a Plan,
        batch: &'a ChargeBatch,
        tags: impl Iterator<Item = (&'a str, Cells<'a>)>,
        known: Known<'_>,
        wrong: &mut Objections,
    ) -> Sheet<'a> {
        let cells = |column: &str, template: &'a Template| {
            let spelling = if column == RESOURCE { plan.spelling } else { Spelling::AsTheyAre };
            template.cells(batch, spelling)
        };
        let texts = plan.texts.iter().filter(|(column, _)| **column != AMOUNT);
        let texts: BTreeMap<&str, Cells<'a>> =
            texts.map(|(column, template)| (*column, cells(column, template))).collect();
        let amounts = plan.texts.get(AMOUNT).map(|template| Numbers::of(template, batch, AMOUNT, FORM, wrong));
        let costs = Costs::of(plan, batch, texts.get(TYPE), known, wrong);
        let configured = plan.tags.iter().map(|(key, template)| (key.as_str(), cells(TAG, template)));
        let tags = tags.chain(configured).collect();
        let starts = instants(batch.starts(), |start| start.div_euclid(time::HOUR) * time::HOUR);
        let sheet = Sheet { texts, starts, amounts, costs, tags };
        sheet.check(batch.len(), wrong);
        sheet
    }

    /// The columns in the order of the header.
    pub(crate) fn columns(&self) -> Vec<&Cells<'a>> {
        let fixed = ORDER.into_iter().filter_map(|column| self.column(column));
        fixed.chain(self.tags.values()).collect()
    }

    fn column(&self, column: &str) -> Option<&Cells<'a>> {
        match column {
            START => Some(&self.starts),
            AMOUNT => self.amounts.as_ref().map(|amounts| &amounts.cells),
            column => self.costs.column(column).or_else(|| self.texts.get(column)),
        }
    }

    fn check(&self, rows: usize, wrong: &mut Objections) {
        let mut judge = |column: &str, judge: fn(&str) -> Option<String>| {
            if let Some(cells) = self.texts.get(column) {
                wrong.extend(column, cells.judged(rows, |text| judge(text).filter(|_| !text.is_empty())));
            }
        };
        judge(TYPE, columns::type_objection);
        judge(END, |text| (!time::is_datetime(text)).then(|| format!("\"{}\" is no time", text.escape_debug())));
        judge(RESOURCE, |text| {
            let why = "has more than one : or /, and CloudZero drops what is behind the second; resource_id = \"encode\" \
                       would write them as %3A and %2F";
            (separators(text) > 1).then(|| format!("\"{}\" {why}", text.escape_debug()))
        });
        self.check_amounts(rows, wrong);
        self.check_tags(rows, wrong);
        let tags = self.tags.iter().map(|(key, cells)| (format!("{TAG}{key}"), cells));
        for (column, cells) in self.texts.iter().map(|(column, cells)| ((*column).to_owned(), cells)).chain(tags) {
            wrong.nul(&column, cells, rows);
        }
    }

    fn check_amounts(&self, rows: usize, wrong: &mut Objections) {
        let Some(amounts) = &self.amounts else { return };
        let units = self.texts.get(UNITS).filter(|units| !units.is_blank());
        for row in 0..rows {
            match amounts.get(row) {
                Some(amount) if amount.is_negative() => {
                    wrong.add(row, AMOUNT, format!("it is {amount}, and usage is never below 0"));
                }
                Some(_) => {}
                None if units.is_some_and(|units| !units.get(row).is_empty()) => {
                    wrong.add(row, UNITS, format!("units say nothing without {AMOUNT}, which is blank"));
                }
                None => {}
            }
        }
    }

    /// CloudZero keeps tags with resources.
    fn check_tags(&self, rows: usize, wrong: &mut Objections) {
        let resources = self.texts.get(RESOURCE);
        let is_nameless = |row: &usize| resources.is_none_or(|resources| resources.get(*row).is_empty());
        let nameless: Vec<usize> = (0..rows).filter(is_nameless).collect();
        for (key, cells) in self.tags.iter().filter(|(_, cells)| !nameless.is_empty() && !cells.is_blank()) {
            let tagged = nameless.iter().filter(|row| !cells.get(**row).is_empty());
            tagged.for_each(|row| {
                let why =
                    format!("a tag belongs to a resource, and {RESOURCE} is blank: give it, or leave the tag out");
                wrong.add(*row, &format!("{TAG}{key}"), why);
            });
        }
    }
}
