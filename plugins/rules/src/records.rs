//! Takes records in one by one, for the rules that need more than counts and sums of everything.

use meterhost_sdk::{Batch, TextColumn};

use crate::condition::{Condition, Verdict};
use crate::rules::{Measured, Plan, Rule};
use crate::usage::Usage;

/// What a rule needs to know of the rows of a batch, worked out once for each text and not for each row.
struct View<'a> {
    /// Whether each row fits; empty for a rule without conditions.
    verdicts: Vec<Verdict>,
    /// What a `unique` rule counts, if anything in the batch has it.
    counted: Option<TextColumn<'a>>,
    /// For each of its texts the number in [`Values`](crate::usage::Values), once it was asked for.
    numbers: Vec<Option<u32>>,
}

/// Whether usage of the dimension has to be looked at record by record.
pub(crate) fn needed(plan: &Plan) -> bool {
    matches!(plan, Plan::Billed { cells, .. } if *cells > 0)
}

/// Takes the records in. `places` holds the place of each row's entry, `dimensions` the numbers of the batch's dimensions.
pub(crate) fn add(usage: &mut Usage, batch: &Batch, places: &[u32], dimensions: &[u32]) {
    let mut views = views(usage, batch, dimensions);
    let quantities = batch.quantities();
    for (row, (&place, &time)) in places.iter().zip(batch.times()).enumerate() {
        let Some((plan, cells, values)) = usage.parts(place) else { continue };
        let Plan::Billed { steps, left_out, .. } = plan else { continue };
        if !needed(plan) {
            continue;
        }
        let quantity = quantities.get(row);
        let mut taken = false;
        for step in steps {
            let Some(at) = step.cell else {
                taken = true;
                continue;
            };
            let Some((cell, Some(view))) = cells.get_mut(at).zip(views.get_mut(step.rule)) else { continue };
            match view.verdicts.get(row).copied().unwrap_or(Verdict::Yes) {
                Verdict::No => continue,
                Verdict::Unclear => {
                    cell.records += 1;
                    cell.unclear += 1;
                }
                Verdict::Yes => cell.add(time, quantity, |line| {
                    let column = view.counted?;
                    let index = column.index(row)?;
                    let number = view.numbers.get_mut(index)?;
                    let text = column.values().get(index)?;
                    let number = *number.get_or_insert_with(|| values.texts.number(text));
                    Some(values.is_new(line, number))
                }),
            }
            taken = true;
        }
        if !taken && let Some(cell) = left_out.as_ref().and_then(|left_out| cells.get_mut(left_out.cell)) {
            cell.add(time, quantity, |_| None);
        }
    }
}

/// A view for each rule that reads one of the batch's dimensions by record.
fn views<'a>(usage: &Usage, batch: &'a Batch, dimensions: &[u32]) -> Vec<Option<View<'a>>> {
    let rules = &usage.rules;
    let mut views: Vec<Option<View<'a>>> = rules.iter().map(|_| None).collect();
    for plan in dimensions.iter().filter_map(|&dimension| usage.plan(dimension)) {
        let Plan::Billed { steps, .. } = plan else { continue };
        for step in steps.iter().filter(|step| step.cell.is_some()) {
            if let Some((view, rule)) = views.get_mut(step.rule).zip(rules.get(step.rule)) {
                view.get_or_insert_with(|| View::new(rule, batch));
            }
        }
    }
    views
}

impl<'a> View<'a> {
    fn new(rule: &Rule, batch: &'a Batch) -> Self {
        let counted = match &rule.measure {
            Measured::Unique(Some(attribute)) => batch.attribute(attribute),
            Measured::Unique(None) => Some(batch.ids()),
            _ => None,
        };
        View {
            verdicts: verdicts(&rule.conditions, batch),
            numbers: vec![None; counted.map_or(0, |column| column.values().len())],
            counted,
        }
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
