//! What a run writes into the ledger besides charges and what became of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::gathered::Reading;
use super::identity::plugins;
use super::last_bill::of_others;
use super::options::LastBill;
use super::setup::Setup;
use super::works::Work;
use crate::config::{Pipeline, SinkSpec};
use crate::ledger::{Entry, Hold, InputSeen, Late, Scope, State, Verdict};
use crate::model::charge::Proposal;
use crate::model::window::Window;
use crate::report::Problem;

/// What a run is about to do, and by what means.
pub(super) fn intent(setup: &Setup, now: Timestamp, windows: &[Window]) -> Entry {
    Entry::Run {
        now: now.as_millisecond(),
        config: setup.pipeline.digest.clone(),
        plugins: plugins(setup),
        windows: windows.to_vec(),
        sinks: setup.pipeline.sinks.iter().map(|sink| sink.plugin.name.clone()).collect(),
    }
}

/// What a window was read from.
pub(super) fn inputs(reading: &Reading) -> Vec<InputSeen> {
    let inputs = reading.inputs.iter().map(|(input, items)| InputSeen {
        key: input.key.clone(),
        etag: input.etag.clone(),
        size: input.size,
        items: *items,
    });
    inputs.collect()
}

/// What of a window is kept back from a sink, and what was left out; nothing where the ledger says so already.
pub(super) fn kept_back(pipeline: &Pipeline, state: &State, work: &Work, last: Option<&LastBill>) -> Option<Entry> {
    let (window, assessment) = (work.window, &work.assessment);
    let sink = pipeline.sinks.get(work.sink).map(|sink| sink.plugin.name.clone()).unwrap_or_default();
    let known = state.window(&sink, &window);
    let mut items: BTreeMap<String, u64> = BTreeMap::from([
        ("quarantined".to_owned(), assessment.quarantined),
        ("waived".to_owned(), assessment.waived),
        ("duplicate".to_owned(), assessment.duplicates),
    ]);
    for ((rule, _), (records, _)) in &assessment.left_out {
        *items.entry(format!("excluded: {rule}")).or_default() += records;
    }
    let mut items: Vec<(String, u64)> = items.into_iter().filter(|(_, records)| *records > 0).collect();
    let (mut holds, mut kept, mut late) = (assessment.holds.clone(), assessment.kept(), assessment.late());
    if !work.is_read {
        // What else is known of it stays as it is.
        let known = known?;
        holds.extend_from_slice(&known.holds);
        let still = |before: &Late| !kept.iter().any(|kept| kept.id == before.id);
        late = known.late.iter().filter(|before| still(before)).cloned().collect();
        kept.extend_from_slice(&known.kept);
        items.clone_from(&known.items);
    }
    if let (Some(last), Some(spec), Some(known)) = (last, pipeline.sinks.get(work.sink), known) {
        holds.extend(known.holds.iter().filter(|hold| of_others(spec, last, hold)).cloned());
        let others = |customer: &str| customer != last.customer;
        kept.extend(known.kept.iter().filter(|kept| others(&kept.customer)).cloned());
        let is_theirs = |late: &Late| {
            let frozen = state.charge(&late.id).map(|charge| charge.charge().key());
            let key = frozen.or_else(|| late.draft.as_ref().map(|draft| &draft.key));
            key.is_some_and(|key| key.customer == last.customer)
        };
        late.extend(known.late.iter().filter(|late| !is_theirs(late)).cloned());
        items.clone_from(&known.items);
    }
    let mut zeros_until = assessment.zeros_until;
    if let Some(known) = known.filter(|_| !work.is_read || last.is_some()) {
        zeros_until = known.zeros_until;
    }
    let is_known = known.is_some_and(|known| {
        (&known.holds, &known.kept, &known.late, &known.zeros_until, &known.items)
            == (&holds, &kept, &late, &zeros_until, &items)
    });
    (!is_known).then_some(Entry::Reading { sink, window, holds, kept, late, zeros_until, items })
}

/// What is frozen of a run, in the order of its windows: what is left of rounding goes from one charge to the next.
pub(super) fn frozen(pipeline: &Pipeline, state: &State, works: &[Work], last: Option<&LastBill>) -> Vec<Entry> {
    let freeze = |proposal: Proposal| match state.charge(&proposal.key.id()) {
        // Only what was surely refused is judged anew.
        Some(charge) => Entry::Revise { id: charge.charge().id(), charge: Box::new(proposal) },
        None => Entry::freeze(proposal),
    };
    // What is published whole is written down window by window.
    let is_frozen = |work: &&Work| pipeline.sinks.get(work.sink).is_none_or(|sink| !sink.publishes);
    let all = || works.iter().filter(is_frozen).map(|work| &work.assessment);
    let taken_over: Vec<&Proposal> = all().flat_map(|assessment| &assessment.taken_over).collect();
    let proposals = all().flat_map(|assessment| &assessment.proposals).chain(taken_over.iter().copied());
    let mut entries: Vec<Entry> = proposals.cloned().map(freeze).collect();
    if !taken_over.is_empty() {
        let charges = taken_over.into_iter().map(|charge| charge.key.id()).collect();
        entries.push(Entry::TakenOver { charges });
    }
    for (proposal, reason, by) in all().flat_map(|assessment| assessment.by_hand.iter().cloned()) {
        let (charge, quantity) = (proposal.key.id(), proposal.quantity);
        entries.push(freeze(proposal));
        entries.push(Entry::Resolved { charge, verdict: Verdict::Billed, quantity, reason, by });
    }
    entries.extend(last.into_iter().flat_map(|last| works.iter().filter_map(|work| ends(pipeline, work, last))));
    entries
}

/// That a customer's last bill is made, unless something of it is held: that is made once it is seen to.
fn ends(pipeline: &Pipeline, work: &Work, last: &LastBill) -> Option<Entry> {
    let sink = pipeline.sinks.get(work.sink)?.plugin.name.clone();
    let (customer, until) = (last.customer.clone(), last.until.as_millisecond());
    let is_held = !work.assessment.holds.is_empty();
    (!is_held).then_some(Entry::Final { sink, window: work.window, customer, until })
}

/// That nothing which was read lies where it could be billed.
pub(super) fn all_astray(words: &str) -> Hold {
    Hold::new(Scope::Window, "astray", format!("{words}; nothing else was read"))
}

/// That a sink could not check its charges of a window.
pub(super) fn unchecked(spec: &SinkSpec, window: &Window, problem: &Problem) -> Entry {
    let reason = format!("its charges could not be checked: {}", problem.message);
    let hold = Hold::new(Scope::Window, "unchecked", reason);
    Entry::Reading {
        sink: spec.plugin.name.clone(),
        window: *window,
        holds: vec![hold],
        kept: Vec::new(),
        late: Vec::new(),
        zeros_until: None,
        items: Vec::new(),
    }
}
