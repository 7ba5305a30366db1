//! Late usage of a frozen charge joins the charge of its key in the next window that is not frozen and that the sink accepts it with; where
//! there is no other usage, it makes that charge alone. It never becomes a second record of a window.
//!
//! | of late usage | |
//! |---|---|
//! | a window that is over takes it | it is part of that window's charge, frozen in this run |
//! | none does, and the sink accepts it with the next window | it waits in the ledger, and a later run finds it there |
//! | the sink accepts it with none of them | it is held |

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use meterhost_decimal::Decimal;

use super::amount::{Amount, Fate, amount};
use super::baseline::Baselines;
use super::charges::{Assessed, Assessment, Difference, Place, hold};
use super::compared::Compared;
use super::complete::Complete;
use super::due::upcoming;
use super::guard::Guarded;
use super::options::LastBill;
use super::setup::Terms;
use super::slots::{Broken, joins};
use super::works::{Checks, Work};
use crate::config::{Pipeline, SinkSpec};
use crate::ledger::{ChargeState, Decision, Hold, Scope, State};
use crate::model::charge::{Carried, ChargeId, Key, Proposal};
use crate::model::window::Window;
use crate::report::Problem;

/// So many windows are tried for what a sink does not accept with the first ones.
const MOST_TRIES: usize = 100;

/// Finds windows for late usage.
pub(super) struct Carrier<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) terms: &'a [Terms<'a>],
    pub(super) checks: &'a dyn Checks,
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    /// Whether windows besides those that were read may take something.
    pub(super) is_whole_run: bool,
    /// Whether the source hands what is late out in each run until it is billed.
    pub(super) is_queue: bool,
    pub(super) complete: &'a Complete,
    /// Only this customer, whose last bill takes all that there is.
    pub(super) last: Option<&'a LastBill>,
    /// What cannot be frozen in this run.
    pub(super) broken: &'a Broken,
}

/// Late usage that a window is to be found for.
struct Wanted {
    /// The charge of its own window.
    id: ChargeId,
    /// As a charge of its own window.
    draft: Proposal,
    quantity: Decimal,
    /// Whether a person has released it, with exactly this quantity.
    is_released: bool,
    /// Where it stands in the works; nothing where an earlier run found it.
    line: Option<(usize, usize)>,
    /// The window that takes it, once that is known.
    taken: Option<Window>,
    /// The last window that was tried.
    tried: Window,
    /// Why it was not taken, as far as that was said.
    objection: Option<String>,
    /// Whether it is tried alone, since it was refused together with other usage.
    is_alone: bool,
    /// Whether that is the guard's reason, or that of entries which are lost: a person has to see it, and it does not wait for a window that
    /// may take it unseen.
    is_guarded: bool,
}

impl Wanted {
    /// What nobody has tried to carry yet.
    fn new(id: ChargeId, draft: Proposal, quantity: Decimal, is_released: bool, line: Option<(usize, usize)>) -> Self {
        let tried = draft.key.window;
        let (taken, objection) = (None, None);
        Wanted { id, draft, quantity, is_released, line, taken, tried, objection, is_alone: false, is_guarded: false }
    }

    /// Whether entries that are lost keep it from going to a window unseen; it is held then.
    fn is_lost(&mut self, state: &State, to: &Window) -> bool {
        let is_lost = !self.is_released && state.may_be_carried_elsewhere(&self.draft.key.window, to);
        if is_lost {
            self.is_held_by("a run of which the ledger has lost the entries may have billed it with another window");
        }
        is_lost
    }

    fn is_held_by(&mut self, reason: &str) {
        (self.objection, self.is_guarded) = (Some(reason.to_owned()), true);
    }
}

impl Carrier<'_> {
    /// Finds a window for all late usage of a sink.
    ///
    /// # Errors
    /// The sink failed to say what it accepts. Nothing is carried then.
    pub(super) fn carry(&self, position: usize, works: &mut Vec<Work>) -> Result<(), Problem> {
        let sinks = self.terms.get(position).zip(self.pipeline.sinks.get(position));
        let Some((terms, spec)) = sinks else { return Ok(()) };
        let mut wanted = self.wanted(position, spec, works);
        if wanted.is_empty() {
            return Ok(());
        }
        let targets = match self.is_whole_run {
            true if self.is_queue => self.over_since(&wanted),
            true => self.targets(position, spec, works),
            false => BTreeSet::new(),
        };
        for _ in 0..MOST_TRIES {
            let before: Vec<Window> = wanted.iter().map(|want| want.tried).collect();
            let joined = self.tentative(position, terms, spec, works, &targets, &mut wanted);
            if joined.is_empty() && wanted.iter().zip(&before).all(|(want, before)| want.tried == *before) {
                break;
            }
            let mut offers: Vec<_> =
                joined.values().map(|(_, proposal, _)| proposal.offer(proposal.key.id())).collect();
            if terms.traits.joins_tags {
                // What makes one record with them.
                let slots: HashSet<Key> = joined.keys().map(Key::untagged).collect();
                let own = works.iter().filter(|work| work.sink == position);
                let others = own.flat_map(|work| &work.assessment.proposals);
                let others = others.filter(|other| !joined.contains_key(&other.key));
                let others = others.filter(|other| slots.contains(&other.key.untagged()));
                offers.extend(others.map(|other| other.offer(other.key.id())));
            }
            let opinions = self.checks.check(position, self.now, &offers)?;
            let mut taken: BTreeMap<Window, Vec<(Proposal, Amount)>> = BTreeMap::new();
            for (key, (wants, proposal, amount)) in joined {
                let objection = opinions.get(&key.id().to_string()).and_then(|opinion| opinion.objection.as_ref());
                if let Some(objection) = objection {
                    refused(&mut wanted, &wants, key.window, objection, false);
                    continue;
                }
                for at in wants {
                    wanted.get_mut(at).into_iter().for_each(|want| want.taken = Some(key.window));
                }
                taken.entry(key.window).or_default().push((proposal, amount));
            }
            for (window, charges) in taken {
                join(unread(works, position, window), charges);
            }
        }
        let upcoming = upcoming(self.pipeline, self.now);
        let accepted = self.accepted_later(position, terms, spec, upcoming, &mut wanted)?;
        for (want, is_accepted) in wanted.into_iter().zip(accepted) {
            self.place(position, works, want, is_accepted.then_some(upcoming));
        }
        Ok(())
    }

    fn wanted(&self, position: usize, spec: &SinkSpec, works: &mut [Work]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let mut read: BTreeSet<Window> = BTreeSet::new();
        for (at, work) in works.iter_mut().enumerate().filter(|(_, work)| work.sink == position) {
            read.insert(work.window);
            for (row, line) in work.assessment.lines.iter_mut().enumerate() {
                let Some(quantity) = line.difference.as_ref().and_then(|difference| difference.quantity) else {
                    continue;
                };
                let Some((id, draft)) = line.id.zip(line.draft.take()) else { continue };
                let is_released = self.is_released(spec, &work.window, &id, line.own);
                wanted.push(Wanted::new(id, *draft, quantity, is_released, Some((at, row))));
            }
        }
        let waiting = self.state.waiting(&spec.plugin.name).filter(|_| !self.is_queue);
        for (window, late) in waiting.filter(|(window, _)| !read.contains(window)) {
            let charge = self.state.charge(&late.id).map(|charge| charge.charge());
            let draft = match (charge, &late.draft) {
                (Some(charge), _) => Proposal {
                    key: charge.key().clone(),
                    exact: late.exact,
                    quantity: late.quantity,
                    carried: Vec::new(),
                    remainder: None,
                    unsent: false,
                    until: None,
                    time: window.start().as_millisecond(),
                    origins: charge.origins().to_vec(),
                    parts: charge.parts().to_vec(),
                    attributes: charge.attributes().to_vec(),
                    aggregator: charge.aggregator().to_owned(),
                },
                (None, Some(draft)) => (**draft).clone(),
                (None, None) => continue,
            };
            if self.last.is_some_and(|last| last.customer != draft.key.customer) {
                continue;
            }
            let is_released = self.is_released(spec, window, &late.id, late.exact);
            wanted.push(Wanted::new(late.id, draft, late.quantity, is_released, None));
        }
        wanted
    }

    fn is_released(&self, spec: &SinkSpec, window: &Window, id: &ChargeId, exact: Decimal) -> bool {
        let word = self.state.decided(&spec.plugin.name, window, id);
        word.is_some_and(|(then, word)| then == exact && word.decision == Decision::Release)
    }

    /// The windows that are over and can take something: those that were read in this run, and those that were settled before.
    fn targets(&self, position: usize, spec: &SinkSpec, works: &[Work]) -> BTreeSet<Window> {
        let read = works.iter().filter(|work| work.sink == position && work.is_read).map(|work| work.window);
        let is_over = |window: &Window| {
            self.last.is_some() || self.pipeline.is_due(window, self.now) && self.complete.covers(window)
        };
        let settled = self.state.windows().filter(|(sink, window, known)| {
            let is_ours = *sink == spec.plugin.name && known.settled && known.holds.is_empty();
            is_ours && !self.state.imported().is_closed(sink, window)
        });
        read.chain(settled.map(|(_, window, _)| *window)).filter(is_over).collect()
    }

    /// The windows that are over and came after the first that something is late in: the next ones of each, and the latest ones.
    fn over_since(&self, wanted: &[Wanted]) -> BTreeSet<Window> {
        let is_over = |window: &Window| {
            let begun = self.last.is_some_and(|last| window.start() < last.until);
            begun || self.pipeline.is_due(window, self.now)
        };
        let mut targets = BTreeSet::new();
        for first in wanted.iter().map(|want| want.draft.key.window).collect::<BTreeSet<_>>() {
            let after = std::iter::successors(first.next(), Window::next).take(MOST_TRIES).take_while(is_over);
            targets.extend(after);
            let now = self.last.map_or(self.now, |last| last.until);
            let latest = std::iter::successors(Some(Window::containing(self.pipeline.window, now)), Window::previous);
            let latest = latest.skip_while(|window| !is_over(window)).take(MOST_TRIES);
            targets.extend(latest.take_while(|window| *window > first));
        }
        targets
    }

    /// The charges that would be, if what is still wanted joined the next window that can take it.
    fn tentative(
        &self,
        position: usize,
        terms: &Terms<'_>,
        spec: &SinkSpec,
        works: &[Work],
        targets: &BTreeSet<Window>,
        wanted: &mut [Wanted],
    ) -> BTreeMap<Key, (Vec<usize>, Proposal, Amount)> {
        let works = works.iter().filter(|work| work.sink == position);
        let joins = joins(self.terms, position);
        let by_window: HashMap<Window, Lines<'_>> = works.map(|work| (work.window, Lines::of(work, joins))).collect();
        let mut wants: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        let mut hosts: HashMap<Key, Proposal> = HashMap::new();
        let mut alone: HashSet<Key> = HashSet::new();
        for (at, want) in wanted.iter_mut().enumerate().filter(|(_, want)| want.taken.is_none() && !want.is_guarded) {
            let later = (std::ops::Bound::Excluded(want.tried), std::ops::Bound::Unbounded);
            for window in targets.range(later) {
                let key = Key { window: *window, ..want.draft.key.clone() };
                // Its turn comes once it is known what becomes of the others.
                if alone.contains(&key) || want.is_alone && wants.contains_key(&key) || want.is_lost(self.state, window)
                {
                    break;
                }
                want.tried = *window;
                let lines = by_window.get(window);
                if joins && self.is_slot_closed(position, lines, &key) {
                    continue;
                }
                if let Some(host) = self.host(spec, lines, &key, &want.draft) {
                    if want.is_alone {
                        alone.insert(key.clone());
                    }
                    hosts.entry(key.clone()).or_insert(host);
                    wants.entry(key).or_default().push(at);
                    break;
                }
            }
        }
        let mut joined = BTreeMap::new();
        let mut baselines = Baselines::of(self.state);
        for (key, ats) in wants {
            let Some(mut proposal) = hosts.remove(&key) else { continue };
            let mut quantities = ats.iter().filter_map(|at| wanted.get(*at)).map(|want| want.quantity);
            let exact = quantities.try_fold(proposal.exact, Decimal::checked_add);
            let Some(exact) = exact else {
                refused(wanted, &ats, key.window, "together it has more than 38 digits", false);
                continue;
            };
            proposal.exact = exact;
            let carried = ats.iter().filter_map(|at| wanted.get(*at));
            let carried = carried.map(|want| Carried { window: want.draft.key.window, quantity: want.quantity });
            proposal.carried.extend(carried);
            proposal.carried.sort_by_key(|carried| carried.window);
            let is_released = ats.iter().filter_map(|at| wanted.get(*at)).all(|want| want.is_released);
            let baseline = baselines.before(&spec.plugin.name, &key.window);
            let guarded = Guarded { spec, window: &key.window, was_settled: false, baseline };
            if let Some(reason) = guarded.about_more(&key, proposal.exact).filter(|_| !is_released) {
                refused(wanted, &ats, key.window, &reason, true);
                continue;
            }
            match amount(terms, spec, proposal.exact, self.state.remainder(&key.lane())) {
                Ok(amount) if amount.fate != Fate::Zero && proposal.own().is_some() => {
                    amount.put(&mut proposal);
                    joined.insert(key, (ats, proposal, amount));
                }
                Ok(_) => {}
                Err((_, reason)) => refused(wanted, &ats, key.window, &reason, false),
            }
        }
        joined
    }

    /// The charge of a window that late usage can join, as it is without it; nothing where that is frozen or in doubt.
    fn host(&self, spec: &SinkSpec, lines: Option<&Lines<'_>>, key: &Key, draft: &Proposal) -> Option<Proposal> {
        let id = self.state.known_as(key.id());
        let last = self.state.last_billed(&key.sink, &key.customer);
        if self.last.is_none() && last.is_some_and(|last| last <= key.window) {
            return None;
        }
        if self.state.charge(&id).is_some() || self.state.imported().is_billed(&key.sink, &key.window, &key.customer) {
            return None;
        }
        let alone = || Proposal {
            key: key.clone(),
            exact: Decimal::ZERO,
            carried: Vec::new(),
            until: self.last.and_then(|last| last.ends(&key.window)),
            time: key.window.start().as_millisecond(),
            origins: Vec::new(),
            parts: Vec::new(),
            ..draft.clone()
        };
        let Some(lines) = lines else { return Some(alone()) };
        if let Some(proposal) = lines.proposals.get(key) {
            return Some((*proposal).clone());
        }
        match lines.by_key.get(key) {
            Some(line) if line.zero => line.draft.as_deref().cloned(),
            Some(_) => None,
            // Usage of theirs that cannot be used now is late there once it can.
            None if lines.holds.iter().any(|hold| may_cover(spec, &hold.scope, &key.customer)) => None,
            None => Some(alone()),
        }
    }

    /// Whether nothing can join the one record that the service keeps of a slot: it is frozen, or not to be frozen in this run.
    fn is_slot_closed(&self, position: usize, lines: Option<&Lines<'_>>, key: &Key) -> bool {
        self.broken.has(position, key)
            || lines.is_some_and(|lines| lines.held_slots.contains(&key.untagged()))
            || self.state.beside(key).any(ChargeState::takes_slot)
    }

    /// Of each, whether the sink would accept it with a window that is not due yet, once that is.
    fn accepted_later(
        &self,
        position: usize,
        terms: &Terms<'_>,
        spec: &SinkSpec,
        upcoming: Window,
        wanted: &mut [Wanted],
    ) -> Result<Vec<bool>, Problem> {
        let then = upcoming.end().checked_add(self.pipeline.grace).unwrap_or(self.now).max(self.now);
        let mut offers = Vec::new();
        let baseline = Baselines::of(self.state).before(&spec.plugin.name, &upcoming);
        let guarded = Guarded { spec, window: &upcoming, was_settled: false, baseline };
        for want in wanted.iter_mut().filter(|want| want.taken.is_none() && !want.is_guarded) {
            let last = self.state.last_billed(&spec.plugin.name, &want.draft.key.customer);
            if self.last.is_some() || last.is_some() {
                want.objection = Some("no later window is billed of a customer whose last bill is made".to_owned());
                continue;
            }
            if want.is_lost(self.state, &upcoming) {
                continue;
            }
            let key = Key { window: upcoming, ..want.draft.key.clone() };
            let carried = vec![Carried { window: want.draft.key.window, quantity: want.quantity }];
            if let Some(reason) = guarded.about_more(&key, want.quantity).filter(|_| !want.is_released) {
                want.is_held_by(&reason);
                continue;
            }
            match amount(terms, spec, want.quantity, self.state.remainder(&key.lane())) {
                Ok(amount) => {
                    let (exact, time) = (want.quantity, upcoming.start().as_millisecond());
                    let mut proposal = Proposal { key, exact, time, carried, ..want.draft.clone() };
                    amount.put(&mut proposal);
                    offers.push(proposal.offer(want.id));
                }
                Err((_, reason)) => want.objection = Some(reason),
            }
        }
        let opinions = self.checks.check(position, then, &offers)?;
        let mut accepted = Vec::new();
        for want in wanted {
            let opinion = opinions.get(&want.id.to_string());
            let objection = opinion.and_then(|opinion| opinion.objection.clone());
            accepted.push(want.taken.is_none() && opinion.is_some() && objection.is_none());
            want.objection = objection.or(want.objection.take());
        }
        Ok(accepted)
    }

    /// Writes down what became of late usage.
    fn place(&self, position: usize, works: &mut Vec<Work>, want: Wanted, waits: Option<Window>) {
        let place = want.taken.map(Place::Carried).or(waits.map(Place::Waits));
        let window = want.draft.key.window;
        // What the guard keeps back a person can release; where no window takes it, that does not help.
        let code = if want.is_guarded { "late" } else { "too-late" };
        let held = || {
            let why = want.objection.as_deref().unwrap_or("no later window can take it");
            let (more, all) = (want.quantity, want.draft.exact);
            format!(
                "{more} of {all} was found after the charge was frozen, and cannot be carried to a later window: {why}"
            )
        };
        let found = want.line.and_then(|(at, row)| {
            let assessment = &mut works.get_mut(at)?.assessment;
            Some((assessment.lines.get_mut(row)?, &mut assessment.holds))
        });
        match (found, place) {
            (Some((line, _)), Some(place)) => {
                line.difference = Some(Difference { quantity: Some(want.quantity), place });
                line.draft = line.is_late.then(|| Box::new(want.draft));
            }
            (Some((line, holds)), None) => {
                line.held = Some((code, held()));
                holds.push(hold(&line.key, code, held(), Some(line.own)));
            }
            (None, Some(_)) => {}
            (None, None) => {
                let mut line = Assessed::new(want.draft.key.clone(), Some(want.id), want.draft.exact);
                line.is_late = self.state.charge(&want.id).is_none();
                (line.origins, line.parts) = (want.draft.origins, want.draft.parts);
                line.held = Some((code, held()));
                line.difference = Some(Difference { quantity: Some(want.quantity), place: Place::Held });
                let holds = vec![hold(&line.key, code, held(), Some(line.own))];
                let assessment = unread(works, position, window);
                assessment.holds.extend(holds);
                assessment.lines.push(line);
            }
        }
    }
}

/// Whether something of what a customer of the sink owes may be in it: it speaks of them as the usage does.
fn may_cover(spec: &SinkSpec, scope: &Scope, customer: &str) -> bool {
    let payer = |of| spec.customers.as_ref().and_then(|table| table.payer(of)).map(|payer| payer.id.as_str());
    scope.customer().is_none_or(|of| of == customer || payer(of) == Some(customer))
}

/// A window does not take these, for this reason. Of several together each is tried alone: one of them must not keep the others.
fn refused(wanted: &mut [Wanted], ats: &[usize], window: Window, reason: &str, is_guarded: bool) {
    let is_one = ats.len() == 1;
    for at in ats {
        let Some(want) = wanted.get_mut(*at) else { continue };
        if !is_one {
            (want.is_alone, want.tried) = (true, window.previous().unwrap_or(window));
        } else if is_guarded {
            want.is_held_by(reason);
        } else {
            want.objection = Some(reason.to_owned());
        }
    }
}

/// Holds all late usage of a sink that failed to say what it accepts: what is neither held nor carried would be lost.
pub(super) fn not_asked(position: usize, works: &mut [Work], why: &str) {
    for work in works.iter_mut().filter(|work| work.sink == position) {
        let Assessment { lines, holds, .. } = &mut work.assessment;
        for line in lines.iter_mut().filter(|line| line.differs() && line.held.is_none()) {
            let reason = format!("whether a later window can take what was found late could not be asked: {why}");
            holds.push(hold(&line.key, "late", reason.clone(), Some(line.own)));
            line.held = Some(("late", reason));
        }
    }
}

/// The assessment of a window that was not read in this run.
fn unread(works: &mut Vec<Work>, sink: usize, window: Window) -> &mut Assessment {
    let at = works.iter().position(|work| work.sink == sink && work.window == window).unwrap_or_else(|| {
        works.push(Work {
            sink,
            window,
            assessment: Assessment::default(),
            is_read: false,
            compared: Compared::default(),
        });
        works.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "it was found, or pushed, just now")]
    &mut works[at].assessment
}

/// A window's lines and charges, by key.
struct Lines<'a> {
    by_key: HashMap<&'a Key, &'a Assessed>,
    proposals: HashMap<&'a Key, &'a Proposal>,
    holds: &'a [Hold],
    /// Where the service keeps one record of a slot: those of which something is held, by the key without tags.
    held_slots: HashSet<Key>,
}

impl<'a> Lines<'a> {
    fn of(work: &'a Work, joins: bool) -> Self {
        let Assessment { lines, proposals, holds, .. } = &work.assessment;
        let held = lines.iter().filter(|line| joins && line.held.is_some() && !line.is_late);
        let held_slots = held.map(|line| line.key.untagged()).collect();
        let by_key = lines.iter().map(|line| (&line.key, line)).collect();
        let proposals = proposals.iter().map(|proposal| (&proposal.key, proposal)).collect();
        Lines { by_key, proposals, holds, held_slots }
    }
}

/// Puts charges that take late usage in the place of what would be them without that.
fn join(assessment: &mut Assessment, charges: Vec<(Proposal, Amount)>) {
    let place = |(at, line): (usize, &Assessed)| (line.key.clone(), at);
    let lines: HashMap<Key, usize> = assessment.lines.iter().enumerate().map(place).collect();
    let place = |(at, proposal): (usize, &Proposal)| (proposal.key.clone(), at);
    let proposals: HashMap<Key, usize> = assessment.proposals.iter().enumerate().map(place).collect();
    for (proposal, amount) in charges {
        let at = lines.get(&proposal.key).copied().unwrap_or_else(|| {
            let (key, id) = (proposal.key.clone(), proposal.key.id());
            assessment.lines.push(Assessed::new(key, Some(id), Decimal::ZERO));
            assessment.lines.len() - 1
        });
        if let Some(line) = assessment.lines.get_mut(at) {
            (line.zero, line.draft) = (false, None);
            line.takes(&amount);
            line.carried.clone_from(&proposal.carried);
        }
        match proposals.get(&proposal.key).and_then(|at| assessment.proposals.get_mut(*at)) {
            Some(before) => *before = proposal,
            None => assessment.proposals.push(proposal),
        }
    }
}
