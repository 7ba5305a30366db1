//! Charges as rows of FOCUS.

use std::collections::BTreeMap;

use drops::{Cells, Spelling, Template, Texts, instants, time};
use meterhost_sdk::ChargeBatch;
use sheets::{Known, Numbers, Objections};

use crate::columns::{self, ALL};
use crate::costs::{Costs, FORM};
use crate::plan::{Plan, Says};
use crate::values::TAX;
use crate::{rules, tags, units, values};

/// A batch of charges as columns.
#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    texts: BTreeMap<&'static str, Cells<'a>>,
    numbers: BTreeMap<&'static str, Numbers<'a>>,
    costs: Costs<'a>,
    /// The seller's own columns.
    own: BTreeMap<&'a str, Cells<'a>>,
}

impl<'a> Sheet<'a> {
    /// The columns of a batch, and what of it cannot be rows of FOCUS.
    pub(crate) fn of(plan: &'a Plan, batch: &'a ChargeBatch, known: Known<'_>, wrong: &mut Objections) -> Sheet<'a> {
        let texts: BTreeMap<&'static str, Cells<'a>> =
            plan.columns.iter().filter_map(|(name, says)| Some((*name, text(name, says, batch)?))).collect();
        let commits = rules::commits(|name| texts.get(name));
        let costs = Costs::of(plan, batch, commits, known, wrong);
        let mut sheet = Sheet {
            texts,
            numbers: BTreeMap::new(),
            costs,
            own: plan.own.iter().map(|(name, own)| (name.as_str(), own.cells(batch, Spelling::AsTheyAre))).collect(),
        };
        for (name, says) in &plan.columns {
            let numbers = match says {
                Says::Quantity => sheet.quantities(name, batch),
                Says::Told(template) if is_number(name) => Numbers::of(template, batch, name, FORM, wrong),
                _ => continue,
            };
            sheet.numbers.insert(name, numbers);
        }
        for (name, says) in &plan.columns {
            let cells = match says {
                Says::Unit(template, of) => sheet.units((template, &plan.units), of, batch),
                Says::Other => sheet.others(),
                _ => continue,
            };
            sheet.texts.insert(name, cells);
        }
        sheet.refuse_nul(plan, batch, wrong);
        rules::check(plan, &sheet, batch, wrong);
        sheet
    }

    /// The columns in the order of the header.
    pub(crate) fn columns(&self) -> Vec<&Cells<'a>> {
        ALL.iter().filter_map(|column| self.column(column.name)).chain(self.own.values()).collect()
    }

    /// What a column of FOCUS says, if it is written.
    pub(crate) fn column(&self, name: &str) -> Option<&Cells<'a>> {
        self.texts.get(name).or_else(|| self.numbers(name).map(|numbers| &numbers.cells))
    }

    /// The same of a column of decimals.
    pub(crate) fn numbers(&self, name: &str) -> Option<&Numbers<'a>> {
        self.numbers.get(name).or_else(|| self.costs.column(name))
    }

    /// The charges' quantities, where FOCUS has any in this column.
    fn quantities(&self, name: &str, batch: &ChargeBatch) -> Numbers<'a> {
        let (categories, statuses) = (self.texts.get("ChargeCategory"), self.texts.get("CommitmentDiscountStatus"));
        let has_one = |row| {
            let category = categories.map_or("", |cells| cells.get(row));
            match name {
                "PricingQuantity" => category != TAX,
                _ => rules::is_consumed(category, statuses.map_or("", |cells| cells.get(row))),
            }
        };
        let quantities = batch.quantities();
        Numbers::each((0..batch.len()).map(|row| has_one(row).then(|| quantities.get(row))), FORM)
    }

    /// The units of the quantities in a column.
    fn units(
        &self,
        (template, units): (&'a Template, &BTreeMap<String, String>),
        of: &str,
        batch: &'a ChargeBatch,
    ) -> Cells<'a> {
        let mut cells = template.cells(batch, Spelling::AsTheyAre);
        if !units.is_empty() {
            cells = cells.respelled(|text| units::called(text, units).to_owned());
        }
        let quantities = self.column(of);
        let counts = |row: usize| quantities.is_some_and(|quantities| !quantities.get(row).is_empty());
        if (0..batch.len()).all(counts) {
            return cells;
        }
        let texts: Texts = (0..batch.len()).map(|row| if counts(row) { cells.get(row) } else { "" }).collect();
        Cells::each(texts)
    }

    /// The subcategories that services of no other have.
    fn others(&self) -> Cells<'a> {
        let categories = self.texts.get("ServiceCategory").cloned().unwrap_or_else(|| Cells::same(""));
        categories.respelled(values::rest_of)
    }

    /// No reader of CSV can be trusted with NUL; and what JSON writes for it, few databases take.
    fn refuse_nul(&self, plan: &Plan, batch: &ChargeBatch, wrong: &mut Objections) {
        let texts = self.texts.iter().map(|(name, cells)| (*name, cells));
        for (name, cells) in texts.chain(self.own.iter().map(|(name, cells)| (*name, cells))) {
            wrong.nul(name, cells, batch.len());
        }
        let Some(Says::Tags(picked)) = plan.columns.get("Tags") else { return };
        for (name, column) in picked.columns(batch) {
            let (cells, place) = (Cells::from(column), format!("Tags, tag {}", name.escape_debug()));
            wrong.nul(&place, &cells, batch.len());
            if name.contains('\0') {
                let held = (0..batch.len()).filter(|row| column.get(*row).is_some());
                held.for_each(|row| wrong.add(row, &place, "its name has a NUL character"));
            }
        }
    }
}

/// A column of texts that no other column takes part in.
fn text<'a>(name: &str, says: &'a Says, batch: &'a ChargeBatch) -> Option<Cells<'a>> {
    match says {
        Says::Told(_) if is_number(name) => None,
        Says::Told(template) => Some(template.cells(batch, Spelling::AsTheyAre)),
        Says::MonthStart => Some(instants(batch.starts(), |time| time::month(time).0)),
        Says::MonthEnd => Some(instants(batch.starts(), |time| time::month(time).1)),
        Says::Tags(picked) => Some(tags::cells(picked, batch)),
        Says::Quantity | Says::Unit(..) | Says::Other => None,
    }
}

fn is_number(name: &str) -> bool {
    columns::find(name).is_some_and(columns::Column::is_number)
}
