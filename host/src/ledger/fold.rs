//! How each entry changes the state: a pure fold, in which an impossible history is an error.

use std::collections::HashMap;
use std::sync::Arc;

use super::charge::{ChargeState, Lost};
use super::decided::{Word, version};
use super::entry::{Decision, Entry, Record};
use super::fold_error::FoldError;
use super::frozen::Charge;
use super::hold::Hold;
use super::ids::Segment;
use super::state::{Attempt, State, WindowState};
use super::takings::Taking;
use crate::model::charge::{ChargeId, Key, Proposal};
use crate::model::outcome::{Finding, Outcome};
use crate::model::window::{Window, WindowKind};

impl State {
    /// Adds an entry.
    ///
    /// # Errors
    /// It cannot follow those before it. What it changed until then stays changed, so the state is of no use any more.
    pub(super) fn apply(&mut self, record: Record) -> Result<(), FoldError> {
        if self.pipeline.is_none() != matches!(record.entry, Entry::Opened { .. }) {
            return Err(if self.pipeline.is_none() { FoldError::NotOpened } else { FoldError::OpenedTwice });
        }
        if self.run != record.run {
            self.end_of_run();
            self.run.clone_from(&record.run);
        }
        match record.entry {
            Entry::Opened { window, first, sinks, now, .. } => {
                self.opened_with = sinks;
                self.sent_until = self.sent_until.max(now);
                self.pipeline = Some((record.pipeline, window));
                self.first = first;
            }
            Entry::Run { windows, sinks, plugins, now, .. } => {
                self.runs += 1;
                self.latest = self.latest.max(Some(now));
                self.plugins = Arc::new(plugins);
                for sink in sinks {
                    let taken_up = self.sinks.entry(sink).or_default();
                    for window in &windows {
                        taken_up.entry(*window).or_default();
                    }
                }
            }
            Entry::Inputs { window, inputs } => self.made_of(window, inputs),
            Entry::Watched { window, inputs } => {
                self.watched.entry(window).or_insert(inputs);
            }
            Entry::Reading { sink, window, holds, kept, late, zeros_until, items } => {
                let known = self.window_mut(&sink, &window)?;
                (known.holds, known.kept, known.late, known.items) = (holds, kept, late, items);
                known.zeros_until = zeros_until;
            }
            Entry::Freeze { id, charge } => self.freeze(id, charge)?,
            Entry::Ids { window, segment, ids, sha256, key } => {
                self.ids.add(Segment { window, name: segment, ids, sha256 }, key)?;
            }
            Entry::Claiming { token } => self.takings.claims(token),
            Entry::Taken { window, segment, records, sha256, key, names, groups, decided } => {
                for (sink, window, id) in decided {
                    self.window_mut(&sink, &window)?.decided.is_done(&id);
                }
                for group in &groups {
                    for (id, revision) in &group.charges {
                        let charge = self.charges.get_mut(id).ok_or(FoldError::NoCharge(*id))?;
                        match charge.revision() == *revision {
                            true => charge.made_of(group.records),
                            false => return Err(FoldError::Impossible(*id, "its records went into another revision")),
                        }
                    }
                }
                let segment = Segment { window, name: segment, ids: records, sha256 };
                let told = vec![None; groups.len()];
                self.takings.add(segment, Taking { claim: None, names, groups, told }, key)?;
            }
            Entry::Merged { window, segment, records, sha256, takings } => {
                self.takings.merge(Segment { window, name: segment, ids: records, sha256 }, takings)?;
            }
            Entry::Revise { id, charge } => self.revise(id, charge)?,
            Entry::Withdrawn { charge, records } => {
                self.change(&charge, |charge| charge.withdraw(records))??;
                let known = self.charge(&charge).filter(|charge| charge.is_final());
                if let Some(frozen) = known.map(|known| known.charge().frozen.clone()) {
                    self.give_back(&frozen);
                }
            }
            Entry::Left { charge, records } => {
                self.change(&charge, |charge| charge.leave(records))?;
                self.left.insert(charge);
            }
            Entry::Told { taking, groups } => self.takings.tell(taking, &groups)?,
            Entry::Charged { sink, parts } => {
                let windows = parts.parts.iter().map(|part| &part.window).chain(&parts.empty);
                let windows: Vec<Window> = windows.copied().collect();
                let changed = self.sets.take_in(&sink, parts)?;
                for window in windows {
                    self.window_mut(&sink, &window)?.settled &= !changed.contains(&window);
                }
            }
            Entry::Publishing { sink, set } => self.sets.begin(&sink, set, &record.run, record.at)?,
            Entry::Written { sink, period, id, receipt } => self.sets.goes_on(&sink, period, &id, Some(receipt))?,
            Entry::Published { sink, period, id } => self.sets.goes_on(&sink, period, &id, None)?,
            Entry::Pinned { sink, period, id, reason, .. } => self.sets.pin(&sink, period, id, reason),
            Entry::Released { sink, period, .. } => self.sets.release(&sink, period),
            Entry::Removed { sink, period, ids, .. } => self.sets.removed(&sink, period, &ids)?,
            Entry::Attempt { attempt, sink, charges, deadline, region } => {
                self.attempt(attempt, (&sink, region), charges, record.at, deadline)?;
            }
            Entry::Outcomes { attempt, unsent, outcomes } => self.outcomes(attempt, unsent, outcomes, &record.run)?,
            Entry::LookedUp { sink, findings } => self.looked_up(&sink, &findings, &record.run)?,
            Entry::Imported(import) => {
                if self.is_fresh() {
                    self.begin_after(&import);
                }
                self.imported = self.imported_with((*import).clone());
                if !import.aside {
                    self.mirrored = Some(vec![import.entry]);
                }
            }
            Entry::TakenOver { charges } => {
                charges.iter().try_for_each(|id| self.change(id, ChargeState::taken_over)?)?;
            }
            Entry::Doubted { charges, reason, deadline } => {
                let doubt = |charge: &mut ChargeState| charge.doubted(reason.clone(), record.at, deadline);
                charges.iter().try_for_each(|id| self.change(id, doubt)?)?;
            }
            Entry::Mirrored { before, after } => self.mirrored = Some(vec![before, Some(after)]),
            Entry::Resolved { charge, verdict, quantity, reason, by } => {
                self.change(&charge, |charge| charge.resolved(verdict, quantity, reason, by))??;
            }
            Entry::Decided { sink, window, decision, charges, holds, reason, by } => {
                let of = |hold: Hold| (version(&hold, self.versions(&window)), hold);
                let holds = holds.into_iter().map(of).map(|(version, hold)| (hold, version)).collect();
                // What a queue handed out it never hands out again, once it is at its end.
                if decision == Decision::Billed && !self.takings.is_of_a_queue() {
                    self.billed_by_hand(&charges);
                }
                self.window_mut(&sink, &window)?.decided.add(charges, holds, &Word { decision, reason, by });
            }
            Entry::Reopened { sinks, window, .. } => {
                for sink in &sinks {
                    let known = self.window_mut(sink, &window)?;
                    (known.settled, known.reopened) = (false, true);
                }
            }
            Entry::Final { sink, window, customer, until } => {
                self.window_mut(&sink, &window)?.finals.insert(customer, until);
            }
            Entry::Superseded { .. } => self.superseded(record.at),
            Entry::Restored { .. } => {
                let lost = Lost { at: record.at, until: self.latest.max(Some(record.at)).unwrap_or(record.at) };
                self.charges.values_mut().for_each(|charge| charge.lost(&lost));
                self.takings.lost();
                self.lost = Some(lost);
            }
            Entry::Renamed { what, from, to } => self.rename(what, &from, to)?,
            Entry::Retired { sink, others, first } => self.retire(sink, others, first)?,
            Entry::Settled { sink, window } => {
                let state = self.window_mut(&sink, &window)?;
                if state.open > 0 || !state.holds.is_empty() {
                    return Err(FoldError::NotFinal(sink, window));
                }
                (state.settled, state.was_settled, state.reopened) = (true, true, false);
            }
        }
        Ok(())
    }

    /// Whether these entries can follow, without adding them.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub(super) fn check(&self, records: &[Record]) -> Result<(), FoldError> {
        let mut part = self.part_of(records);
        records.iter().try_for_each(|record| part.apply(record.clone()))
    }

    /// A run was superseded that may have calls under way.
    pub(super) fn superseded(&mut self, at: i64) {
        self.charges.values_mut().for_each(|charge| charge.superseded(at));
    }

    /// What an earlier run had under way went unanswered: it ended before it could write the answer down.
    fn end_of_run(&mut self) {
        for attempt in std::mem::take(&mut self.attempts).into_values() {
            for id in attempt.charges {
                if let Some(charge) = self.charges.get_mut(&id) {
                    charge.went_unanswered("a call with it left, and its answer was not written down".to_owned(), None);
                }
            }
        }
    }

    fn freeze(&mut self, id: ChargeId, proposal: Box<Proposal>) -> Result<(), FoldError> {
        let key = &proposal.key;
        if key.id() != id {
            return Err(FoldError::WrongId(id));
        }
        if self.charges.contains_key(&self.known_as(id)) {
            return Err(FoldError::FrozenTwice(id));
        }
        self.possible(id, &proposal)?;
        self.take_in(&proposal)?;
        let (key, window) = (&proposal.key, proposal.key.window);
        let may_be_sent = self.may_be_sent_before(&window) && !proposal.unsent;
        let known = self.window_mut(&key.sink, &window)?;
        known.charges.push(id);
        known.open += usize::from(!proposal.unsent);
        known.settled = false;
        if !self.aggregators.contains(&proposal.aggregator) {
            self.aggregators.insert(proposal.aggregator.clone());
        }
        let lost = self.lost.filter(|lost| lost.covers(&window));
        let is_elsewhere = |lost: &Lost| {
            let mut carried = proposal.carried.iter();
            !proposal.unsent && carried.any(|carried| lost.may_have_carried(&carried.window, &window))
        };
        let may_be_elsewhere = lost.as_ref().is_some_and(is_elsewhere);
        if !proposal.key.tags.is_empty() {
            self.tagged.entry(proposal.key.untagged().id()).or_default().push(id);
        }
        let mut state = ChargeState::new(Charge::new(id, proposal), self.runs, &self.plugins, may_be_sent);
        match lost {
            Some(lost) if may_be_elsewhere => state.lost_elsewhere(&lost),
            Some(lost) => state.lost(&lost),
            None => {}
        }
        self.charges.insert(id, state);
        Ok(())
    }

    /// Whether it can be a charge of this pipeline.
    fn possible(&self, id: ChargeId, proposal: &Proposal) -> Result<(), FoldError> {
        let key = &proposal.key;
        let impossible = if self.pipeline.as_ref().is_none_or(|(name, kind)| !owes(name, *kind, proposal)) {
            Some("it is another pipeline's, or of another kind of window")
        } else if !(key.window.start().as_millisecond()..key.window.end().as_millisecond()).contains(&proposal.time) {
            Some("its time lies outside of its window")
        } else if proposal
            .until
            .is_some_and(|until| until <= proposal.time || until > key.window.end().as_millisecond())
        {
            Some("its usage ends outside of its window")
        } else if proposal.quantity.is_negative() {
            Some("its quantity is negative")
        } else if !key.tags.is_sorted() {
            Some("its tags are not sorted")
        } else {
            None
        };
        impossible.map_or(Ok(()), |why| Err(FoldError::Impossible(id, why)))
    }

    /// Makes a charge anew that was surely refused.
    fn revise(&mut self, id: ChargeId, proposal: Box<Proposal>) -> Result<(), FoldError> {
        let known_as = self.known_as(id);
        let charge = self.charges.get(&known_as).ok_or(FoldError::NoCharge(id))?;
        if charge.charge().key() != &proposal.key {
            return Err(FoldError::WrongId(id));
        }
        self.possible(id, &proposal)?;
        let before = charge.charge().frozen.clone();
        self.give_back(&before);
        self.take_in(&proposal)?;
        let revised = self.change(&known_as, |charge| charge.revise(proposal))?;
        revised.map(drop)?;
        let (sink, window) = (&before.key.sink, &before.key.window);
        self.window_mut(sink, window)?.settled = false;
        Ok(())
    }

    fn attempt(
        &mut self,
        attempt: u64,
        (sink, region): (&str, Option<String>),
        charges: Vec<ChargeId>,
        at: i64,
        deadline: u64,
    ) -> Result<(), FoldError> {
        if attempt != self.last_attempt + 1 {
            return Err(FoldError::WrongAttempt { found: attempt, expected: self.last_attempt + 1 });
        }
        let region: Option<Arc<str>> = region.map(Into::into);
        for id in &charges {
            self.charge_of(id, sink)?.attempted(attempt, at, deadline, region.as_ref())?;
        }
        self.attempts.insert(attempt, Attempt { charges });
        self.last_attempt = attempt;
        Ok(())
    }

    fn outcomes(&mut self, attempt: u64, unsent: bool, outcomes: Vec<Outcome>, run: &str) -> Result<(), FoldError> {
        let offered = self.attempts.remove(&attempt).ok_or(FoldError::NoAttempt(attempt))?.charges;
        let mut answers: HashMap<ChargeId, Outcome> = HashMap::with_capacity(outcomes.len());
        for outcome in outcomes {
            if let Some(twice) = answers.insert(outcome.id, outcome) {
                return Err(FoldError::NotAsked(twice.id));
            }
        }
        for id in offered {
            let answer = answers.remove(&id);
            self.change(&id, |charge| match answer {
                answer if unsent => charge.came_to_nothing(answer.and_then(|answer| answer.message)),
                Some(answer) => charge.answered(&answer, run),
                None => charge.went_unanswered("the answer does not speak of it".to_owned(), None),
            })?;
        }
        answers.into_keys().min().map_or(Ok(()), |id| Err(FoldError::NotAsked(id)))
    }

    fn looked_up(&mut self, sink: &str, findings: &[(ChargeId, Finding)], run: &str) -> Result<(), FoldError> {
        for (id, finding) in findings {
            self.charge_of(id, sink)?;
            self.change(id, |charge| charge.looked_up(finding, run))??;
        }
        Ok(())
    }

    fn charge_of(&mut self, id: &ChargeId, sink: &str) -> Result<&mut ChargeState, FoldError> {
        let charge = self.charges.get_mut(id).ok_or(FoldError::NoCharge(*id))?;
        match charge.charge().key().sink == sink {
            true => Ok(charge),
            false => Err(FoldError::OtherSink(*id, sink.to_owned())),
        }
    }

    /// Changes a charge that may become final by it.
    fn change<T>(&mut self, id: &ChargeId, change: impl FnOnce(&mut ChargeState) -> T) -> Result<T, FoldError> {
        let charge = self.charges.get_mut(id).ok_or(FoldError::NoCharge(*id))?;
        let was_final = charge.is_final();
        let changed = change(charge);
        if charge.is_final() && !was_final {
            let key = charge.charge().key();
            if let Some(window) = self.sinks.get_mut(&key.sink).and_then(|windows| windows.get_mut(&key.window)) {
                window.open = window.open.saturating_sub(1);
            }
        }
        Ok(changed)
    }

    fn window_mut(&mut self, sink: &str, window: &Window) -> Result<&mut WindowState, FoldError> {
        let found = self.sinks.get_mut(sink).and_then(|windows| windows.get_mut(window));
        found.ok_or_else(|| FoldError::NoWindow(sink.to_owned(), *window))
    }

    /// The part of the state that these entries can reach: what they do to it they would do to the whole.
    fn part_of(&self, records: &[Record]) -> State {
        if records.iter().any(|record| matches!(record.entry, Entry::Renamed { .. } | Entry::Retired { .. })) {
            return self.clone();
        }
        let mut part = State {
            pipeline: self.pipeline.clone(),
            attempts: self.attempts.clone(),
            last_attempt: self.last_attempt,
            runs: self.runs,
            run: self.run.clone(),
            sent_until: self.sent_until,
            lost: self.lost,
            plugins: self.plugins.clone(),
            ids: self.ids.key_alone(),
            takings: self
                .takings
                .part(records.iter().any(|record| matches!(record.entry, Entry::Told { .. } | Entry::Merged { .. }))),
            ..State::default()
        };
        let under_way = self.attempts.values().flat_map(|attempt| &attempt.charges);
        let mut ids: Vec<ChargeId> = under_way.copied().collect();
        let mut windows: Vec<(&str, Window)> = Vec::new();
        let mut periods: Vec<(&str, Window)> = Vec::new();
        for record in records {
            match &record.entry {
                Entry::Freeze { id, charge } | Entry::Revise { id, charge } => {
                    ids.push(*id);
                    // What it gives back, if it is made anew.
                    let before = self.charge(id).map(|known| &known.charge().frozen);
                    for carried in before.into_iter().flat_map(|before| &before.carried) {
                        let origin = Key { window: carried.window, ..charge.key.clone() }.id();
                        part.carried.insert(self.known_as(origin), self.carried_from(&origin));
                    }
                    windows.push((&charge.key.sink, charge.key.window));
                    for carried in &charge.carried {
                        let from = Key { window: carried.window, ..charge.key.clone() };
                        let origin = from.id();
                        if self.charge(&origin).is_none() {
                            ids.extend(self.beside(&from).map(|charge| charge.charge().id()));
                        }
                        ids.push(origin);
                        part.carried.insert(self.known_as(origin), self.carried_from(&origin));
                    }
                    if charge.remainder.is_some() {
                        let lane = charge.key.lane();
                        part.remainders.insert(lane.clone(), self.remainder(&lane));
                    }
                }
                Entry::Attempt { charges, .. } | Entry::TakenOver { charges } | Entry::Doubted { charges, .. } => {
                    ids.extend(charges);
                }
                Entry::Withdrawn { charge, .. } => {
                    ids.push(*charge);
                    if let Some(known) = self.charge(charge) {
                        let (key, frozen) = (known.charge().key(), &known.charge().frozen);
                        for carried in &frozen.carried {
                            let origin = Key { window: carried.window, ..key.clone() }.id();
                            part.carried.insert(self.known_as(origin), self.carried_from(&origin));
                        }
                        part.remainders.insert(key.lane(), self.remainder(&key.lane()));
                    }
                }
                Entry::Resolved { charge, .. } | Entry::Left { charge, .. } => ids.push(*charge),
                Entry::Taken { groups, decided, .. } => {
                    windows.extend(decided.iter().map(|(sink, window, _)| (sink.as_str(), *window)));
                    ids.extend(groups.iter().flat_map(|group| &group.charges).map(|(id, _)| *id));
                }
                Entry::LookedUp { findings, .. } => ids.extend(findings.iter().map(|(id, _)| *id)),
                Entry::Reading { sink, window, .. }
                | Entry::Settled { sink, window }
                | Entry::Final { sink, window, .. } => windows.push((sink, *window)),
                Entry::Decided { sink, window, charges, .. } => {
                    windows.push((sink, *window));
                    for kept in charges {
                        ids.push(kept.id);
                        part.carried.insert(self.known_as(kept.id), self.carried_from(&kept.id));
                        part.by_hand.insert(self.known_as(kept.id), self.more_by_hand(&kept.id));
                    }
                }
                Entry::Charged { sink, parts } => {
                    let own = parts.parts.iter().map(|part| &part.window).chain(&parts.empty);
                    windows.extend(own.map(|window| (sink.as_str(), *window)));
                }
                Entry::Publishing { sink, set } => periods.push((sink, set.period)),
                Entry::Written { sink, period, .. }
                | Entry::Published { sink, period, .. }
                | Entry::Pinned { sink, period, .. }
                | Entry::Released { sink, period, .. }
                | Entry::Removed { sink, period, .. } => periods.push((sink, *period)),
                Entry::Reopened { sinks, window, .. } => {
                    windows.extend(sinks.iter().map(|sink| (sink.as_str(), *window)));
                }
                Entry::Opened { .. }
                | Entry::Run { .. }
                | Entry::Inputs { .. }
                | Entry::Watched { .. }
                | Entry::Ids { .. }
                | Entry::Claiming { .. }
                | Entry::Told { .. }
                | Entry::Merged { .. }
                | Entry::Outcomes { .. }
                | Entry::Imported(_)
                | Entry::Mirrored { .. }
                | Entry::Superseded { .. }
                | Entry::Restored { .. }
                | Entry::Renamed { .. }
                | Entry::Retired { .. } => {}
            }
        }
        for id in ids {
            if let Some(charge) = self.charge(&id) {
                let (key, known_as) = (charge.charge().key(), charge.charge().id());
                windows.push((&key.sink, key.window));
                if !key.tags.is_empty() && !part.charges.contains_key(&known_as) {
                    part.tagged.entry(key.untagged().id()).or_default().push(known_as);
                }
                part.charges.insert(known_as, charge.clone());
                if known_as != id {
                    part.known_as.insert(id, known_as);
                }
            }
        }
        part.sets = self.sets.part_of(&periods);
        windows.sort_unstable();
        windows.dedup();
        for (sink, window) in windows {
            if let Some(known) = self.window(sink, &window) {
                // Whether there are holds is all that matters of them.
                let holds = known.holds.first().cloned().into_iter().collect();
                let WindowState { settled, was_settled, open, .. } = *known;
                let known = WindowState { settled, was_settled, holds, open, ..WindowState::default() };
                part.sinks.entry(sink.to_owned()).or_default().insert(window, known);
            }
        }
        part
    }
}

fn owes(pipeline: &str, kind: WindowKind, proposal: &Proposal) -> bool {
    proposal.key.pipeline == pipeline && proposal.key.window.kind() == kind
}
