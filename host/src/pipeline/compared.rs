//! What a report says of a window beside the one before: each charge with what it was then, and what is not there any more.

use std::collections::HashMap;

use meterhost_decimal::Decimal;

use super::baseline::{Baseline, place};
use super::charges::Assessment;
use super::guard::{Guarded, present};
use super::percent::change;
use super::works::Work;
use crate::config::Pipeline;
use crate::ledger::State;
use crate::model::charge::ChargeId;
use crate::model::window::Window;
use crate::report::{Line, Missing, WindowReport};

/// The charges of a window beside those of the window before. It is made before anything is frozen, so that it stays what the guard went by.
#[derive(Debug, Default, Clone)]
pub(super) struct Compared {
    /// None where there was nothing to compare with.
    window: Option<Window>,
    before: HashMap<ChargeId, Decimal>,
    missing: Vec<Missing>,
    /// Whether there was nothing to compare with, and the window is not settled already.
    alone: bool,
}

impl Compared {
    pub(super) fn of(guarded: &Guarded<'_>, assessment: &Assessment, state: &State) -> Self {
        let sink = &guarded.spec.plugin.name;
        let Some(baseline) = &guarded.baseline else {
            return Compared { alone: !guarded.was_settled, ..Compared::default() };
        };
        let lines = assessment.lines.iter().filter_map(|line| Some((line.id?, &line.key)));
        let frozen = state.charges_of(sink, guarded.window);
        let frozen = frozen.iter().map(|charge| (charge.charge().id(), charge.charge().key()));
        let before = lines.chain(frozen).filter_map(|(id, key)| Some((id, baseline.owed(&place(key))?)));
        Compared {
            window: Some(baseline.window()),
            before: before.collect(),
            missing: missing(baseline, assessment, state, sink, guarded.window),
            alone: false,
        }
    }

    /// Says what a charge was before, and the change since.
    pub(super) fn tell(&self, id: Option<ChargeId>, exact: Decimal, line: &mut Line) {
        let before = id.and_then(|id| self.before.get(&id));
        line.before = before.map(ToString::to_string);
        line.change = before.and_then(|before| change(*before, exact));
    }

    /// Says what the window was compared with, and what is missing.
    pub(super) fn tell_window(&self, report: &mut WindowReport) {
        report.compared_with = self.window.map(|window| window.label());
        report.missing.clone_from(&self.missing);
    }
}

fn missing(
    baseline: &Baseline<'_>,
    assessment: &Assessment,
    state: &State,
    sink: &str,
    window: &Window,
) -> Vec<Missing> {
    let without = baseline.without(&present(assessment, state, sink, window)).into_iter();
    let missing = without.map(|((product, customer, dimension, tags), before)| Missing {
        product: product.to_owned(),
        customer: customer.to_owned(),
        dimension: dimension.to_owned(),
        tags: tags.to_vec(),
        before: before.to_string(),
    });
    missing.collect()
}

/// For each sink, the windows that could not be compared: in a dry run, which shows the change; in a run, where a guard goes by it.
pub(super) fn nothing_to_compare_with(pipeline: &Pipeline, works: &[Work], dry_run: bool) -> Vec<String> {
    let mut notes = Vec::new();
    for (position, spec) in pipeline.sinks.iter().enumerate() {
        let guards = spec.guard.compares();
        let own = works.iter().filter(|work| work.sink == position && work.compared.alone && (dry_run || guards));
        // Where there is none before the last of them, there is none before the others.
        let Some(last) = own.map(|work| work.window).max() else { continue };
        let guarded = if guards { ", so that its guard holds nothing for a change" } else { "" };
        notes.push(format!(
            "{}: no window before {} is settled with quantities that the ledger knows, and there is nothing to compare with{guarded}",
            spec.plugin.section,
            last.label()
        ));
    }
    notes
}
