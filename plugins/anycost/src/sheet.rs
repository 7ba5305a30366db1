//! Charges as rows of the Common Bill Format, and what of them cannot be such rows.

use std::collections::{BTreeMap, HashMap};

use drops::{Cells, Spelling, Template, instants, time};
use meterhost_sdk::ChargeBatch;
use sheets::{Known, Numbers, Objections};

use crate::columns::{self, AMOUNT, END, ORDER, RESOURCE, START, TAG, TYPE, UNITS};
use crate::costs::{Costs, FORM};
use crate::plan::{EMPTY_HALF, Place, Plan, is_separator, separators};

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
        sheet.check(plan, batch.len(), wrong);
        sheet
    }

    /// The columns in the order of the header.
    pub(crate) fn columns(&self) -> Vec<&Cells<'a>> {
        let fixed = ORDER.into_iter().filter_map(|column| self.column(column));
        fixed.chain(self.tags.values()).collect()
    }

    /// Two rows of one resource and hour that say different things of a tag, and its key. CloudZero takes one of them, and applies it to all
    /// that it has of the resource; which one, nobody knows ("Tags": the value of the latest hour).
    pub(crate) fn rivals(&self, rows: usize) -> Option<(usize, usize, &str)> {
        let resources = self.texts.get(RESOURCE)?;
        self.tags.iter().filter(|(_, cells)| cells.texts().len() > 1).find_map(|(key, cells)| {
            let (mut hour, mut firsts) = (None, HashMap::new());
            for row in (0..rows).filter(|row| !cells.get(*row).is_empty()) {
                if hour.replace(self.starts.place(row)) != Some(self.starts.place(row)) {
                    firsts.clear();
                }
                let first = *firsts.entry(resources.get(row)).or_insert(row);
                if cells.get(first) != cells.get(row) {
                    return Some((first, row, *key));
                }
            }
            None
        })
    }

    /// Of rows as [`rivals`](Self::rivals) finds them, what they say, in a person's words.
    pub(crate) fn rivalry(&self, (first, row, key): (usize, usize, &str)) -> String {
        let of = |cells: Option<&Cells<'_>>, row| cells.map_or("", |cells| cells.get(row)).escape_debug().to_string();
        let (resource, hour) = (of(self.texts.get(RESOURCE), row), self.starts.get(row));
        let (one, other) = (of(self.tags.get(key), first), of(self.tags.get(key), row));
        format!(
            "{TAG}{key}: {RESOURCE} \"{resource}\" has the values \"{one}\" and \"{other}\" in the hour from {hour}; CloudZero keeps one of \
             them, no matter which, for all the history of the resource. There may be more of these: what differs within a resource belongs into \
             its {RESOURCE}, or is no tag of it"
        )
    }

    fn column(&self, column: &str) -> Option<&Cells<'a>> {
        match column {
            START => Some(&self.starts),
            AMOUNT => self.amounts.as_ref().map(|amounts| &amounts.cells),
            column => self.costs.column(column).or_else(|| self.texts.get(column)),
        }
    }

    fn check(&self, plan: &Plan, rows: usize, wrong: &mut Objections) {
        let mut judge = |column: &str, judge: fn(&str) -> Option<String>| {
            if let Some(cells) = self.texts.get(column) {
                wrong.extend(column, cells.judged(rows, |text| judge(text).filter(|_| !text.is_empty())));
            }
        };
        judge(TYPE, columns::type_objection);
        if matches!(plan.place, Place::Stream(_)) {
            judge(TYPE, columns::stream_type_objection);
        }
        judge(END, |text| (!time::is_datetime(text)).then(|| format!("\"{}\" is no time", text.escape_debug())));
        judge(RESOURCE, |text| {
            let why = "has more than one : or /, and CloudZero drops what is behind the second; resource_id = \"encode\" \
                       would write them as %3A and %2F";
            (separators(text) > 1).then(|| format!("\"{}\" {why}", text.escape_debug()))
        });
        judge(RESOURCE, |text| {
            let is_half = text.starts_with(is_separator) || text.ends_with(is_separator);
            is_half.then(|| format!("\"{}\": {EMPTY_HALF}", text.escape_debug()))
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use meterhost_sdk::testing::{Charged, charges};

    use super::*;

    #[test]
    fn two_values_of_a_tag_are_found_within_a_resource_and_an_hour() {
        let config = serde_json::json!({
            "root": "a", "prices": { "*": "1" }, "columns": { "resource/id": "{customer}", "resource/tag:of": "{dimension}" },
        });
        let plan = Plan::of(&serde_json::from_value(config).unwrap()).unwrap();
        let one = |hour: i64, customer, tags| {
            let start = hour * time::HOUR;
            Charged {
                start,
                end: start + time::HOUR,
                customer,
                dimension: "cpu",
                quantity: "1",
                tags,
                ..Charged::default()
            }
        };
        type Tags = &'static [(&'static str, &'static str)];
        let (blue, red): (Tags, Tags) = (&[("team", "blue")], &[("team", "red")]);
        let other = |charge| Charged { dimension: "gpu", ..charge };
        for (all, found) in [
            (vec![one(0, "a", blue), one(0, "b", red), one(0, "a", &[]), one(1, "a", red)], None),
            (
                vec![one(0, "a", blue), one(0, "b", red), one(0, "b", blue)],
                Some("\"b\" has the values \"red\" and \"blue\""),
            ),
            (
                vec![one(0, "a", blue), one(1, "a", blue), one(1, "a", red)],
                Some("in the hour from 1970-01-01T01:00:00Z"),
            ),
            (vec![one(0, "a", blue), other(one(0, "a", blue))], Some("resource/tag:of: resource/id \"a\"")),
        ] {
            let batch = charges(&all);
            let (mut pricing, mut wrong) = (plan.cost.pricing(false), Objections::default());
            let known = Known { pricing: &mut pricing, alone: true };
            let tags = plan.keys.written(&batch).map(|(name, column)| (name, Cells::from(column)));
            let sheet = Sheet::of(&plan, &batch, tags, known, &mut wrong);
            let said = sheet.rivals(all.len()).map(|rivals| sheet.rivalry(rivals));
            assert_eq!(said.is_some(), found.is_some(), "{said:?}");
            assert!(said.unwrap_or_default().contains(found.unwrap_or_default()), "{found:?}");
        }
    }
}
