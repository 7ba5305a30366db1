//! Takes records in one by one, for the rules that need more than counts and sums of everything.

use meterhost_sdk::Batch;

use crate::condition::Verdict;
use crate::plan::Plan;
use crate::usage::Usage;
use crate::view::{Cursor, View};

/// Whether usage of the dimension has to be looked at record by record.
pub(crate) fn needed(plan: &Plan) -> bool {
    matches!(plan, Plan::Billed { cells, .. } if !cells.is_empty())
}

/// Takes the records in. `places` holds the place of each row's entry, `dimensions` the numbers of the batch's dimensions.
pub(crate) fn add(usage: &mut Usage, batch: &Batch, places: &[u32], dimensions: &[u32]) {
    let mut views = views(usage, batch, dimensions);
    let quantities = batch.quantities();
    // The positions of the steps that took the record, where somebody asks for them.
    let mut took = Vec::new();
    for (row, (&place, &time)) in places.iter().zip(batch.times()).enumerate() {
        let Some((plan, cells, values)) = usage.parts(place) else { continue };
        let Plan::Billed { steps, unions, left_out, .. } = plan else { continue };
        if !needed(plan) {
            continue;
        }
        let quantity = quantities.get(row);
        let mut taken = false;
        took.clear();
        for (position, step) in steps.iter().enumerate() {
            let Some(at) = step.cell else {
                taken = true;
                continue;
            };
            let Some((cell, Some(view))) = cells.get_mut(at).zip(views.get_mut(step.rule)) else { continue };
            match view.verdict(row) {
                Verdict::No => continue,
                Verdict::Unclear => {
                    cell.records += 1;
                    cell.unclear += 1;
                }
                Verdict::Yes => cell.add(time, quantity, &mut Cursor { view, values, row }),
            }
            taken = true;
            if !unions.is_empty() {
                took.push(position);
            }
        }
        for union in unions {
            if took.iter().any(|position| union.steps.contains(position)) {
                cells.get_mut(union.cell).into_iter().for_each(|cell| cell.records += 1);
            }
        }
        if !taken && let Some(cell) = left_out.as_ref().and_then(|left_out| cells.get_mut(left_out.cell)) {
            cell.add_left_out(quantity);
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
