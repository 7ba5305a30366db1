//! From the usage of a window to charge lines, and to what was left out.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::vec::IntoIter;

use meterhost_sdk::{ChargeLine, Decimal, Excluded, Origin};

use crate::cell::{Amount, Cell};
use crate::formula::Exact;
use crate::inputs::BilledFormula;
use crate::plan::{Plan, Step};
use crate::rule::Measured;
use crate::usage::{self, Usage};

/// How many lines a page holds.
const PAGE: usize = 4096;

/// Makes charge lines in their order, customer by customer.
#[derive(Debug)]
pub(crate) struct Lines {
    /// The places of all entries that are still to be read, by product, customer, tags and dimension.
    entries: IntoIter<u32>,
    /// Lines of the customer at hand.
    ready: IntoIter<ChargeLine>,
}

/// A contribution to a line.
struct Part<'a> {
    output: &'a str,
    /// Of the input.
    dimension: &'a str,
    records: u64,
    found: Found<'a>,
}

enum Found<'a> {
    /// What a rule found out, by the rule's number.
    Measured(usize, Cell),
    /// What a formula gets, by its number: what rules found out for its variables.
    Fed(usize, Vec<(usize, Cell)>),
    /// Usage that is held.
    Doubt(&'a str, Decimal),
}

impl Lines {
    /// Sorts the usage.
    pub(crate) fn new(usage: &Usage) -> Self {
        let [products, customers, dimensions] =
            [&usage.products, &usage.customers, &usage.dimensions].map(|texts| texts.ranks());
        let rank = |ranks: &[u32], number: u32| ranks.get(number as usize).copied().unwrap_or_default();
        let tags = usage.tags.ranks();
        let mut places: Vec<u32> = (0..).take(usage.entries().len()).collect();
        places.sort_unstable_by_key(|&place| {
            let key = usage.entries().get(place as usize).map(|entry| entry.key);
            key.map(|key| {
                let [product, customer] = [rank(&products, key.product), rank(&customers, key.customer)];
                (product, customer, rank(&tags, key.tags), rank(&dimensions, key.dimension))
            })
        });
        Lines { entries: places.into_iter(), ready: Vec::new().into_iter() }
    }

    /// What was left out, in the order of the keys.
    pub(crate) fn excluded(&self, usage: &Usage) -> Vec<Excluded> {
        let entries = self.entries.as_slice().iter().filter_map(|&place| usage.entries().get(place as usize));
        let excluded = entries.filter_map(|entry| {
            let (rule, records, quantity) = left_out(usage, entry)?;
            Some(Excluded {
                product: usage.products.get(entry.key.product).to_owned(),
                customer: usage.customers.get(entry.key.customer).to_owned(),
                dimension: usage.dimensions.get(entry.key.dimension).to_owned(),
                rule: rule.to_owned(),
                records,
                quantity: quantity?,
            })
        });
        let mut excluded: Vec<Excluded> = excluded.collect();
        let key = |it: &Excluded| (it.product.clone(), it.customer.clone(), it.dimension.clone(), it.rule.clone());
        excluded.sort_by_cached_key(key);
        // What differs in its tags alone is left out together, if 38 digits hold it.
        excluded.dedup_by(|more, all| {
            let Some(quantity) = all.quantity.checked_add(more.quantity).filter(|_| key(more) == key(all)) else {
                return false;
            };
            (all.records, all.quantity) = (all.records + more.records, quantity);
            true
        });
        excluded
    }

    /// The next page; nothing at the end.
    pub(crate) fn next(&mut self, usage: &Usage) -> Option<Vec<ChargeLine>> {
        let mut page = Vec::new();
        while page.len() < PAGE {
            page.extend(self.ready.by_ref().take(PAGE - page.len()));
            if self.ready.as_slice().is_empty() {
                let customer = self.next_customer(usage);
                if customer.is_empty() {
                    break;
                }
                self.ready = lines(usage, &customer).into_iter();
            }
        }
        (!page.is_empty()).then_some(page)
    }

    /// The entries of the next customer of a product.
    fn next_customer<'a>(&mut self, usage: &'a Usage) -> Vec<&'a usage::Entry> {
        let entry = |&place: &u32| usage.entries().get(place as usize);
        let Some(first) = self.entries.as_slice().first().and_then(entry) else { return Vec::new() };
        let same =
            |entry: &&usage::Entry| (entry.key.product, entry.key.customer) == (first.key.product, first.key.customer);
        let entries: Vec<&usage::Entry> = self.entries.as_slice().iter().map_while(entry).take_while(same).collect();
        self.entries.by_ref().take(entries.len()).for_each(drop);
        entries
    }
}

/// The rule's name, the records and, if 38 digits hold it, the quantity of what no line of this entry's usage is made from.
fn left_out<'a>(usage: &'a Usage, entry: &usage::Entry) -> Option<(&'a str, u64, Option<Decimal>)> {
    match usage.plan(entry.key.dimension)? {
        Plan::Dropped(rule) => Some((rule, entry.records, entry.sum.finish().map(Decimal::normalised))),
        Plan::Billed { left_out: Some(left_out), .. } => {
            let cell = usage.cell(entry, left_out.cell).filter(|cell| cell.records > 0)?;
            let Amount::Sum(sum) = &cell.amount else { return None };
            Some((&left_out.name, cell.records, sum.finish().map(Decimal::normalised)))
        }
        Plan::Billed { left_out: None, .. } | Plan::Refused(_) => None,
    }
}

/// The lines of one customer and product, ascending.
fn lines(usage: &Usage, entries: &[&usage::Entry]) -> Vec<ChargeLine> {
    let of_tags = entries.chunk_by(|left, right| left.key.tags == right.key.tags);
    let mut lines: Vec<ChargeLine> = of_tags.flat_map(|entries| tagged(usage, entries)).collect();
    // By dimension; those of one dimension stand in the order of their tags.
    lines.sort_by(|left, right| left.dimension.cmp(&right.dimension));
    lines
}

/// Those with the same tags, by dimension.
fn tagged(usage: &Usage, entries: &[&usage::Entry]) -> Vec<ChargeLine> {
    let Some(key) = entries.first().map(|entry| entry.key) else { return Vec::new() };
    let mut parts: Vec<Part<'_>> = entries.iter().flat_map(|entry| parts(usage, entry)).collect();
    parts.sort_by_key(|part| (part.output, part.dimension));
    let lines = parts.chunk_by(|left, right| left.output == right.output).filter_map(|parts| {
        let mut line = ChargeLine::new(usage.customers.get(key.customer), parts.first()?.output, Decimal::ZERO);
        line.product = usage.products.get(key.product).to_owned();
        line.tags = usage.tags.get(key.tags);
        complete(&mut line, usage, parts);
        Some(line)
    });
    lines.collect()
}

/// What comes of one dimension of a customer.
fn parts<'a>(usage: &'a Usage, entry: &usage::Entry) -> Vec<Part<'a>> {
    let dimension = usage.dimensions.get(entry.key.dimension);
    let mut parts = Vec::new();
    match usage.plan(entry.key.dimension) {
        Some(Plan::Refused(doubt)) => {
            let sum = entry.sum.finish().unwrap_or_default().normalised();
            let found = Found::Doubt(doubt, sum);
            parts.push(Part { output: dimension, dimension, records: entry.records, found });
        }
        Some(Plan::Billed { steps, feeds, .. }) => {
            for step in steps {
                let Some(output) = &step.output else { continue };
                if let Some(cell) = measured(usage, entry, step).filter(|cell| cell.records > 0) {
                    let (records, found) = (cell.records, Found::Measured(step.rule, cell));
                    parts.push(Part { output, dimension, records, found });
                }
            }
            for feed in feeds {
                let Some(formula) = usage.rules.formula(feed.formula) else { continue };
                let behind = feed.behind.map_or(Some(entry.records), |cell| Some(usage.cell(entry, cell)?.records));
                if let Some(records) = behind.filter(|&records| records > 0) {
                    let steps = feed.steps.iter().filter_map(|&step| steps.get(step));
                    let cells = steps.filter_map(|step| Some((step.rule, measured(usage, entry, step)?))).collect();
                    let found = Found::Fed(feed.formula, cells);
                    parts.push(Part { output: &formula.output, dimension, records, found });
                }
            }
        }
        Some(Plan::Dropped(_)) | None => {}
    }
    // What cannot be counted as left out is held instead.
    if let Some((_, records, None)) = left_out(usage, entry) {
        let doubt = "the sum of the records that the rules leave out has more than 38 digits";
        parts.push(Part { output: dimension, dimension, records, found: Found::Doubt(doubt, Decimal::ZERO) });
    }
    parts
}

/// What a rule found out about one dimension of a customer.
fn measured(usage: &Usage, entry: &usage::Entry, step: &Step) -> Option<Cell> {
    match step.cell {
        Some(cell) => usage.cell(entry, cell).cloned(),
        None => usage.rules.get(step.rule).map(|rule| whole(entry, &rule.measure)),
    }
}

/// A sum, count or average of everything.
fn whole(entry: &usage::Entry, measure: &Measured) -> Cell {
    let amount = match measure {
        Measured::Count => Amount::Count,
        Measured::Average => Amount::Average(entry.sum.clone()),
        _ => Amount::Sum(entry.sum.clone()),
    };
    Cell { records: entry.records, unclear: 0, amount }
}

/// Puts the parts of a line together: those of one rule or formula, and usage of the same name that is held.
fn complete(line: &mut ChargeLine, usage: &Usage, parts: &[Part<'_>]) {
    let mut doubts = Vec::new();
    let mut formula = None;
    // By rule: one, or those that make the variables of a formula.
    let mut results: BTreeMap<usize, Cell> = BTreeMap::new();
    for Part { dimension, records, found, .. } in parts {
        match line.origins.last_mut().filter(|origin| origin.dimension == *dimension) {
            Some(origin) => origin.records += records,
            None => line.origins.push(Origin { dimension: (*dimension).to_owned(), records: *records }),
        }
        match found {
            Found::Measured(rule, cell) => merge(&mut results, *rule, cell),
            Found::Fed(number, cells) => {
                formula = usage.rules.formula(*number);
                cells.iter().for_each(|(rule, cell)| merge(&mut results, *rule, cell));
            }
            Found::Doubt(doubt, quantity) => {
                doubts.push((*doubt).to_owned());
                line.quantity = *quantity;
            }
        }
    }
    let result = match (formula, results.first_key_value()) {
        (Some(formula), _) => {
            name_all(&mut line.origins, &formula.dimensions);
            work_out(usage, formula, &results)
        }
        (None, Some((&rule, cell))) => match usage.rules.get(rule) {
            Some(rule) => {
                name_all(&mut line.origins, rule.inputs());
                cell.finish(rule)
            }
            None => return,
        },
        (None, None) => Ok(line.quantity),
    };
    match result {
        Ok(quantity) => line.quantity = quantity,
        Err(doubt) => doubts.insert(0, doubt),
    }
    line.doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
}

fn merge(results: &mut BTreeMap<usize, Cell>, rule: usize, cell: &Cell) {
    match results.entry(rule) {
        Entry::Occupied(mut sum) => sum.get_mut().merge(cell),
        Entry::Vacant(place) => {
            place.insert(cell.clone());
        }
    }
}

/// What a formula makes of its variables, which are 0 where the customer has no record for them.
fn work_out(usage: &Usage, formula: &BilledFormula, results: &BTreeMap<usize, Cell>) -> Result<Decimal, String> {
    let mut values = Vec::with_capacity(formula.inputs.len());
    for (variable, number) in formula.formula.variables().iter().zip(&formula.inputs) {
        values.push(match (results.get(number), usage.rules.get(*number)) {
            (Some(cell), Some(rule)) => {
                let (quantity, parts) = cell.result(rule).map_err(|doubt| format!("{:?}: {doubt}", variable.name))?;
                Exact::new(quantity, parts)
            }
            _ => Exact::zero(),
        });
    }
    formula.formula.evaluate(&values)
}

/// Adds the dimensions that nothing came of. The customer may have had records of them that could not be used, and the
/// host finds the charges that these are missing from by their origins.
fn name_all(origins: &mut Vec<Origin>, inputs: &[String]) {
    for input in inputs {
        if let Err(place) = origins.binary_search_by(|origin| origin.dimension.cmp(input)) {
            origins.insert(place, Origin { dimension: input.clone(), records: 0 });
        }
    }
}
