//! A customer's last bill: the contract ends, and the service takes what is owed for a short time only. All that is not billed of that
//! customer up to an instant is billed at once, the window included that is under way; what is found of it later is held.

use std::collections::HashMap;

use super::assess::Assess;
use super::charges::Assessment;
use super::complete::Complete;
use super::due::{Due, begins, has_holds, look_back, owes};
use super::options::{LastBill, Options};
use super::setup::Setup;
use super::summary::Findings;
use super::tally::Pair;
use crate::config::{Payer, Pipeline, SinkSpec};
use crate::ledger::{Hold, Scope, State};
use crate::model::window::Window;
use crate::report::Problem;

/// The windows of a last bill: all that are not settled up to the one that the instant lies in, and the settled ones of which something is
/// held, waits or has changed. Whether their data is there, the instant alone tells.
pub(super) fn windows(setup: &Setup, options: &Options<'_>, state: &State, last: &LastBill) -> Due {
    let pipeline = &setup.pipeline;
    let begins = begins(pipeline, state, options.now);
    let first = begins.iter().flatten().min().copied();
    let back = look_back(pipeline, options.now);
    let windows = || std::iter::successors(first, Window::next);
    let next = windows().find(|window| !pipeline.is_due(window, options.now));
    let next = next.and_then(|window| window.end().checked_add(pipeline.grace).ok());
    let mut due = Due { first, next, ..Due::default() };
    for window in windows().take_while(|window| window.start() < last.until) {
        let sinks = pipeline.sinks.iter().map(|sink| sink.plugin.name.as_str()).zip(&begins);
        let mut owing = sinks.filter(|(sink, begins)| owes(state, sink, **begins, &window)).peekable();
        if owing.peek().is_none() {
            continue;
        }
        let waits = |sink: &str| state.window(sink, &window).is_some_and(|known| !known.late.is_empty());
        let is_waiting = pipeline.sinks.iter().any(|sink| waits(&sink.plugin.name));
        if !owing.all(|(sink, _)| state.is_settled(sink, &window)) || is_waiting {
            due.open.push(window);
        } else if window.end() >= back || has_holds(pipeline, state, &window) {
            due.settled.push(window);
        }
    }
    due
}

/// Says where the data does not reach to the instant: what is missing would never be billed.
pub(super) fn is_complete(setup: &Setup, last: &LastBill, complete: &Complete, findings: &mut Findings) -> bool {
    let until = match complete {
        Complete::Unsaid => return true,
        Complete::Until(until) if *until >= last.until => return true,
        Complete::Until(until) => *until,
        Complete::Unknown(problem) => {
            findings.problem((**problem).clone());
            return false;
        }
    };
    findings.problem(Problem {
        plugin: Some(setup.source.label()),
        step: Some("asking how far the data is complete".to_owned()),
        action: Some("run it again once the data is there, or with an earlier --until".to_owned()),
        ..Problem::new(
            "incomplete",
            format!("the data reaches to {until} only: nothing was billed of {}", last.customer),
        )
    });
    false
}

/// Whether this customer's usage is what the sink bills as the customer of a last bill.
fn pays(spec: &SinkSpec, last: &str, customer: &str) -> bool {
    match &spec.customers {
        None => customer == last,
        Some(table) => table.payer(customer).is_some_and(|Payer { id, .. }| id == last),
    }
}

impl Assess<'_> {
    /// Leaves of an assessment what is about the customer of a last bill.
    pub(super) fn only(&self, last: &LastBill, assessment: &mut Assessment) {
        let Assessment { holds, tally, excluded, left_out, duplicates, quarantined, waived, .. } = assessment;
        let is_theirs = |customer: &str| customer == last.customer || pays(self.spec, &last.customer, customer);
        holds.retain(|hold| matches!(hold.scope, Scope::Window) || hold.scope.customer().is_some_and(is_theirs));
        let theirs = |counts: &mut HashMap<Pair, u64>| counts.retain(|pair, _| is_theirs(&pair.customer));
        theirs(tally);
        theirs(excluded);
        // They are counted for all customers together.
        left_out.clear();
        (*duplicates, *quarantined, *waived) = (0, 0, 0);
    }
}

/// What the ledger holds back of the others stays as it is.
pub(super) fn of_others(spec: &SinkSpec, last: &LastBill, hold: &Hold) -> bool {
    let about = hold.scope.customer();
    about.is_some_and(|customer| customer != last.customer && !pays(spec, &last.customer, customer))
        || matches!(hold.scope, Scope::Record)
}

/// Says so where nobody knows the customer: the name may be misspelt, and there may not be much time.
pub(super) fn unknown(pipeline: &Pipeline, state: &State, last: &LastBill, found: bool, findings: &mut Findings) {
    if found {
        return;
    }
    let is_known = pipeline.sinks.iter().any(|sink| {
        let windows = state.windows().filter(|(name, ..)| *name == sink.plugin.name);
        let mut charges = windows.flat_map(|(name, window, _)| state.charges_of(name, window));
        charges.any(|charge| charge.charge().key().customer == last.customer)
    });
    let LastBill { customer, until } = last;
    match is_known {
        true => {
            findings.notes.push(format!("there is no usage of {customer} before {until} that is not billed already"))
        }
        false => findings.problem(Problem {
            action: Some("see whether that is how the report spells the customer".to_owned()),
            ..Problem::new(
                "last-bill",
                format!("there is no usage of {customer} before {until}, and the ledger does not know them"),
            )
        }),
    }
}
