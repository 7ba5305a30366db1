//! From readings to what a run is to freeze: window by window and sink by sink, then what goes from one window to the next. Nothing outside is
//! touched but the sinks' opinions, and nothing is written.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::assess::Assess;
use super::baseline::Baselines;
use super::carry::{self, Carrier};
use super::charges::Assessment;
use super::compared::Compared;
use super::complete::Complete;
use super::due::{begins, has_holds_of, is_out_of_sight, look_back, owes};
use super::entries::{inputs, unchecked};
use super::gathered::Reading;
use super::guard::Guarded;
use super::last_bill;
use super::left_over::round_in_order;
use super::objections::objections;
use super::options::LastBill;
use super::quantities;
use super::queue::{self, Ban, Fates, Intake};
use super::setup::Terms;
use super::slots::Broken;
use super::summary::Findings;
use crate::config::{Pipeline, SinkSpec};
use crate::failpoint::fault;
use crate::ledger::{Entry, PluginDigest, State};
use crate::model::charge::{ChargeId, Proposal};
use crate::model::service::{Offer, Opinion};
use crate::model::window::Window;
use crate::report::Problem;

/// One window of one sink on its way through a run.
#[derive(Clone)]
pub(super) struct Work {
    /// The sink's position.
    pub(super) sink: usize,
    pub(super) window: Window,
    pub(super) assessment: Assessment,
    /// Whether it was read in this run; else it is here for what is carried from or to it.
    pub(super) is_read: bool,
    /// Beside the window before.
    pub(super) compared: Compared,
}

/// The sinks, as they say what their services would refuse.
pub(super) trait Checks {
    /// What a sink says to these at a time, by id.
    fn check(&self, sink: usize, now: Timestamp, offers: &[Offer]) -> Result<HashMap<String, Opinion>, Problem>;
}

/// What a run's charges go by.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) pipeline: &'a Pipeline,
    /// One a sink.
    pub(super) terms: &'a [Terms<'a>],
    pub(super) checks: &'a dyn Checks,
    /// What this run is made of.
    pub(super) plugins: &'a [PluginDigest],
    pub(super) complete: &'a Complete,
    pub(super) now: Timestamp,
    /// Only this window.
    pub(super) window: Option<Window>,
    /// Only this customer.
    pub(super) last: Option<&'a LastBill>,
    /// What a queue handed out, if the source is one.
    pub(super) queue: Option<&'a Handed<'a>>,
}

/// What a run goes by whose source is a queue.
pub(super) struct Handed<'a> {
    pub(super) intake: &'a Intake,
    /// Charges that were refused, and of which records are usage again.
    pub(super) revised: HashSet<ChargeId>,
}

/// Judges readings, and gathers what comes of them.
pub(super) struct Works<'a> {
    ground: &'a Ground<'a>,
    state: &'a State,
    /// Each sink's first window.
    begins: Vec<Option<Window>>,
    /// From when on changes are looked for.
    back: Timestamp,
    baselines: Baselines<'a>,
    works: Vec<Work>,
    entries: Vec<Entry>,
    /// Windows of which some sink could not say what it accepts.
    broken: HashSet<Window>,
    /// Windows of which there was nothing to read.
    nothing: Vec<Window>,
}

/// What is to become of what was read.
pub(super) struct Finished {
    pub(super) works: Vec<Work>,
    /// What the ledger is to know of what was read.
    pub(super) entries: Vec<Entry>,
    /// Where the records of a queue go.
    pub(super) fates: Fates,
}

impl<'a> Works<'a> {
    pub(super) fn on(ground: &'a Ground<'a>, state: &'a State) -> Self {
        Works {
            begins: begins(ground.pipeline, state, ground.now),
            back: look_back(ground.pipeline, ground.now),
            baselines: Baselines::of(state),
            works: Vec::new(),
            entries: Vec::new(),
            broken: HashSet::new(),
            nothing: Vec::new(),
            ground,
            state,
        }
    }

    /// Takes in what was read of a window.
    pub(super) fn take(&mut self, window: &Window, reading: Reading, findings: &mut Findings) {
        let Ground { pipeline, terms, checks, plugins, now, last, queue, .. } = *self.ground;
        let state = self.state;
        if !reading.failed.is_empty() {
            reading.failed.into_iter().for_each(|problem| findings.failed(problem, window));
            return;
        }
        let seen = inputs(&reading);
        if seen.is_empty() && reading.unreadable.is_empty() && queue.is_none() {
            self.nothing.push(*window);
        }
        let mut first = true;
        let sinks = terms.iter().zip(&pipeline.sinks).zip(&self.begins);
        for (position, ((terms, spec), begins)) in sinks.enumerate() {
            // Without a `start`, a window that was asked for is the first, unless another exporter was there before it.
            let is_asked_for =
                self.ground.window.is_some() && pipeline.start.is_none() && state.imported().sinks().is_empty();
            let begins = if is_asked_for { Some(*window) } else { *begins };
            if queue.is_none() && !owes(state, &spec.plugin.name, begins, window) {
                continue;
            }
            // A set is published whole, and no customer's part of it before the others.
            if spec.publishes && last.is_some() {
                continue;
            }
            let name = &spec.plugin.name;
            // It may be read for another sink: this one looks for no changes of it any more.
            let is_wanted = self.ground.window.is_some() || has_holds_of(state, name, window);
            if !is_wanted && is_out_of_sight(state, spec, window, self.back) {
                continue;
            }
            let was_settled = state.was_settled(name, window);
            let guarded = &Guarded { spec, window, was_settled, baseline: self.baselines.before(name, window) };
            let (reading, terms) = (&reading, *terms);
            let assess = Assess {
                pipeline,
                terms,
                spec,
                window,
                reading,
                state,
                plugins,
                last,
                queue: queue.map(|handed| &handed.revised),
                guarded,
                gone: OnceCell::new(),
                made: OnceCell::new(),
            };
            let mut assessment = assess.assess(std::mem::take(&mut first));
            if let Err(problem) = objections(checks, position, &terms, state, now, &mut assessment) {
                // Nothing of this window is frozen for this sink. The hold keeps it in sight, though it was settled before and its
                // inputs count as seen from here on.
                self.entries.push(unchecked(spec, window, &problem));
                self.broken.insert(*window);
                findings.failed(problem, window);
                continue;
            }
            findings.notes.extend(unread(state, name, window, &assessment));
            // Of what is published whole nothing is kept for comparison but what was published.
            let compared = if spec.publishes { Compared::default() } else { Compared::of(guarded, &assessment, state) };
            self.works.push(Work { sink: position, window: *window, assessment, is_read: true, compared });
        }
        if queue.is_some() && self.broken.contains(window) {
            // A record is taken whole, for all sinks: none of it is frozen for the others either.
            self.works.retain(|work| work.window != *window);
        }
        // Of what another exporter billed of it nobody could say yet how it stood.
        if state.imported().bills_blindly(window) && !state.is_watched(window) && reading.unreadable.is_empty() {
            self.entries.push(Entry::Watched { window: *window, inputs: seen.clone() });
        }
        // A last bill looks at one customer's usage: what changed of a window that is done with is still new to the run that looks at
        // everybody's.
        let is_done = |sink: &SinkSpec| {
            let name = &sink.plugin.name;
            state.is_settled(name, window) || sink.publishes && state.sets().part(name, window).is_some()
        };
        if queue.is_none()
            && !(last.is_some() && pipeline.sinks.iter().any(is_done))
            && state.inputs(window) != Some(seen.as_slice())
        {
            self.entries.push(Entry::Inputs { window: *window, inputs: seen });
        }
    }

    /// Takes in windows that were only watched.
    pub(super) fn add(&mut self, works: impl Iterator<Item = Work>) {
        self.works.extend(works);
    }

    /// What is to become of it all, and what the ledger is to know of what was read.
    ///
    /// # Errors
    /// A sum does not close. Nothing of it may be frozen then.
    pub(super) fn finish(self, findings: &mut Findings) -> Result<Finished, quantities::Open> {
        let Works { ground, state, works: read, entries, nothing, .. } = self;
        findings.notes.extend(nothing_to_read(&nothing));
        let is_joined = ground.terms.iter().any(|terms| terms.traits.joins_tags);
        if ground.queue.is_none() && !is_joined {
            let works = closing(finished(ground, state, read, &Broken::default(), findings))?;
            return Ok(Finished { works, entries, fates: Fates::new() });
        }
        let mut bans: Vec<Ban> = Vec::new();
        let mut slots = Broken::default();
        // What is kept back with something else may have taken late usage, so that all of it is done once more.
        loop {
            let mut works = read.clone();
            queue::ban(&mut works, &bans);
            slots.hold(&mut works);
            let mut found = Findings::default();
            let works = finished(ground, state, works, &slots, &mut found);
            if slots.find(ground.terms, state, ground.queue.map(|handed| &handed.revised), &works) {
                continue;
            }
            let works = closing(works)?;
            let fates = match ground.queue {
                None => Ok(Fates::new()),
                Some(Handed { intake, .. }) => {
                    queue::fates(ground.pipeline, ground.terms, state, &works, &intake.links)
                }
            };
            match fates {
                Ok(fates) => {
                    findings.join(found);
                    return Ok(Finished { works, entries, fates });
                }
                Err(more) => bans.extend(more),
            }
        }
    }
}

/// Of many windows it is said once.
fn nothing_to_read(windows: &[Window]) -> Vec<String> {
    const MOST: usize = 6;
    match windows {
        [first, .., last] if windows.len() > MOST => {
            let (first, last, many) = (first.label(), last.label(), windows.len());
            vec![format!("of {many} windows from {first} to {last} there was nothing to read")]
        }
        few => few.iter().map(|window| format!("{}: there was nothing to read", window.label())).collect(),
    }
}

/// Carries and rounds what was judged. `slots` are those that cannot be frozen.
fn finished(
    ground: &Ground<'_>,
    state: &State,
    mut works: Vec<Work>,
    slots: &Broken,
    findings: &mut Findings,
) -> Vec<Work> {
    carry(ground, state, &mut works, slots, findings);
    if let Some(last) = ground.last {
        let found = works.iter().any(|work| !work.assessment.lines.is_empty());
        last_bill::unknown(ground.pipeline, state, last, found, findings);
    }
    // What is left of rounding goes from window to window, and is frozen so.
    works.sort_by_key(|work| (work.window, work.sink));
    round_in_order(ground.pipeline, ground.terms, state, &mut works);
    works
}

/// Checks that nothing is missing.
fn closing(mut works: Vec<Work>) -> Result<Vec<Work>, quantities::Open> {
    break_sums(&mut works);
    quantities::verify(&works)?;
    Ok(works)
}

/// Makes faults that a test asks for: a charge with twice its quantity, and one that is forgotten.
fn break_sums(works: &mut [Work]) {
    let found = works.iter_mut().map(|work| &mut work.assessment).find(|found| !found.proposals.is_empty());
    let Some(Assessment { lines, proposals, .. }) = found else { return };
    if fault("charge-doubled") {
        let doubled = |charge: &mut Proposal| {
            charge.exact = charge.exact.checked_add(charge.exact).unwrap_or(charge.exact);
            charge.quantity = charge.exact;
        };
        proposals.first_mut().into_iter().for_each(doubled);
    }
    if fault("charge-forgotten") {
        lines.pop();
        proposals.pop();
    }
}

/// Finds windows for late usage.
fn carry(ground: &Ground<'_>, state: &State, works: &mut Vec<Work>, broken: &Broken, findings: &mut Findings) {
    let Ground { pipeline, terms, checks, complete, now, window, last, queue, .. } = *ground;
    let (is_whole_run, is_queue) = (window.is_none(), queue.is_some());
    let carrier = Carrier { pipeline, terms, checks, state, now, is_whole_run, is_queue, complete, last, broken };
    for sink in 0..terms.len() {
        if let Err(problem) = carrier.carry(sink, works) {
            carry::not_asked(sink, works, &problem.message);
            findings.problem(problem);
        }
    }
}

/// Customers of whom the state document says that they were about to be billed, and of whom there is no usage to look up.
fn unread(state: &State, sink: &str, window: &Window, assessment: &Assessment) -> Option<String> {
    let (_, open) = state.imported().still_open(sink).find(|(open, _)| open == window)?;
    let read = assessment.lines.iter().map(|line| line.key.customer.as_str());
    let charged = state.charges_of(sink, window).into_iter().map(|charge| charge.charge().key().customer.as_str());
    let known: BTreeSet<&str> = read.chain(charged).collect();
    let unread: Vec<&str> = open.iter().map(String::as_str).filter(|customer| !known.contains(customer)).collect();
    let (window, customers) = (window.label(), unread.join(", "));
    (!unread.is_empty()).then(|| {
        format!(
            "{window}: the state document says that {customers} may have been billed, and there is no usage of that"
        )
    })
}
