//! What a dry run says of months: what a run would do with each, by the rules that a run goes by.
//!
//! The place is not asked: what somebody else changed there a dry run does not see.

use super::month::months;
use super::publisher::{Published, month_of, report, waits};
use crate::ledger::State;
use crate::model::publish::Shown;
use crate::pipeline::complete::Complete;
use crate::pipeline::due::look_back;
use crate::pipeline::options::Options;
use crate::pipeline::setup::Setup;
use crate::report::PublicationState;

/// Of every sink that publishes sets. `state` is what a run would have written down by then.
pub(in crate::pipeline) fn foreseen(
    setup: &Setup,
    options: &Options<'_>,
    complete: &Complete,
    state: &State,
) -> Published {
    let mut published = Published::default();
    let back = look_back(&setup.pipeline, options.now);
    for (sink, spec) in setup.sinks.iter().zip(&setup.pipeline.sinks) {
        let (Some(place), name) = (&sink.place, &spec.plugin.name) else { continue };
        for period in months(state, name, std::iter::empty()) {
            let month = month_of(setup, (spec, sink, place), (complete, options), state, period);
            let known = state.sets().period(name, &period);
            if !month.is_in_sight(known, back) {
                published.shown.insert((name.clone(), period));
                continue;
            }
            let nothing = Default::default();
            let by_ledger = || month.by_what_is_shown(known.unwrap_or(&nothing), &Shown::CannotTell, back);
            let state = month.by_itself(known).unwrap_or_else(by_ledger);
            match state {
                PublicationState::Waits => published.problems.push(waits(&sink.section, &month)),
                PublicationState::Pinned => {
                    published.pinned.insert((name.clone(), period));
                    published.shown.insert((name.clone(), period));
                }
                _ => _ = published.shown.insert((name.clone(), period)),
            }
            published.months.push(report(name, &month, state).shown(known));
        }
    }
    let undue = options.window.filter(|window| !setup.pipeline.is_due(window, options.now));
    if let Some(window) = undue.filter(|_| setup.sinks.iter().any(|sink| sink.place.is_some())) {
        let until = window.end().checked_add(setup.pipeline.grace).map(|due| format!(" before {due:.0}"));
        let text = format!("{} is not due, and no run publishes it{}", window.label(), until.unwrap_or_default());
        published.notes.push(text);
    }
    published
}
