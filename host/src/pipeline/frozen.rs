//! What usage says by now of a charge that is frozen: one charge a key, for ever, so it is compared with it, never sent beside it.

use std::collections::HashSet;

use meterhost_decimal::Decimal;

use super::amount::Why;
use super::assess::Assess;
use super::bills::{Bill, SinkDoubts, key};
use super::entries::inputs;
use super::moved::{Moved, is_refused};
use crate::config::{LateUsage, Pipeline, SinkSpec};
use crate::ledger::{ChargeState, Decision, PluginDigest, Standing, Word};
use crate::model::charge::ChargeId;
use crate::model::lines::ChargeLine;

/// How usage stands to a frozen charge.
pub(super) enum Compared<'a> {
    /// It is what was frozen, or there is nothing to compare.
    Same,
    /// It differs, and that is kept back.
    Held(Why),
    /// There is more of it, to be billed with a later window.
    More(Decimal),
    /// It differs, and a person has seen to it.
    Settled(&'a Word),
    /// What it differed by is billed elsewhere, as a person said.
    ByHand(&'a Word),
}

impl<'a> Assess<'a> {
    /// Compares what usage comes to with the charge that was frozen for it.
    pub(super) fn compare(
        &self,
        charge: &ChargeState,
        bill: &Bill<'_>,
        doubts: &SinkDoubts<'_>,
        moved: &Moved<'a>,
        as_it_was: &mut dyn FnMut(&str) -> bool,
    ) -> Compared<'a> {
        let id = charge.charge().id();
        // Refused, and replaced by another since, which the rules no longer make.
        if let Some(other) = replaced(charge, moved.before(bill)) {
            return self.unless_settled(&id, bill.exact, billed_as(other, true));
        }
        // While a part of the usage cannot be read, there is nothing to compare. What a queue handed out besides is kept back with it.
        if let Some(reason) = bill.doubted(doubts) {
            return match self.queue {
                Some(_) => Compared::Held(("doubt", reason)),
                None => Compared::Same,
            };
        }
        if let Some(doubt) = &bill.doubt {
            return self.unless_settled(&id, bill.exact, ("aggregate", doubt.clone()));
        }
        let frozen = self.state.frozen_of(&id);
        let difference = frozen.and_then(|frozen| bill.exact.checked_sub(frozen));
        match difference {
            Some(difference) if difference.is_zero() => match self.word(&id, bill.exact) {
                Some(word) if word.decision == Decision::Billed => Compared::ByHand(word),
                _ => Compared::Same,
            },
            // A person has taken it over once more, as it stands now.
            _ if *charge.standing() == Standing::TakenOver && as_it_was(&bill.key.customer) => Compared::Same,
            _ => self.late(charge, bill, moved, frozen, difference),
        }
    }

    /// A difference: carried, or held and why.
    fn late(
        &self,
        charge: &ChargeState,
        bill: &Bill<'_>,
        moved: &Moved<'a>,
        frozen: Option<Decimal>,
        difference: Option<Decimal>,
    ) -> Compared<'a> {
        let id = charge.charge().id();
        let more = difference.filter(|difference| !difference.is_negative());
        let word = self.word(&id, bill.exact);
        if let Some(word) = word {
            match word.decision {
                Decision::Waive | Decision::Billed => return Compared::Settled(word),
                Decision::Release => {
                    if let Some(more) = more {
                        return Compared::More(more);
                    }
                }
            }
        }
        if let Some((other, surely)) = moved.before(bill).filter(|_| more.is_some() && word.is_none()) {
            return Compared::Held(billed_as(other, surely));
        }
        // What was not to be billed, or billed already, is not billed unseen because there is more of it.
        let is_void = self.state.decided(&self.spec.plugin.name, self.window, &id).is_some_and(|(then, word)| {
            ![Some(bill.exact), frozen].contains(&Some(then)) && word.decision != Decision::Release
        });
        let (code, why) = match (more, self.is_carried(charge, bill)) {
            (Some(_), Ok(())) if is_void => ("void", String::new()),
            (Some(more), Ok(())) => match self.was_said(bill).filter(|_| word.is_none()) {
                Some(why) => ("void", format!("; {why}")),
                None => return Compared::More(more),
            },
            (None, Ok(())) => ("late", String::new()),
            (_, Err((code, why))) => (code, why.map_or_else(String::new, |why| format!("; {why}"))),
        };
        let frozen = frozen.unwrap_or_else(|| charge.charge().exact());
        let void = self.void(&id, bill.exact);
        Compared::Held((code, format!("{}{why}{void}", differs(frozen, bill.exact, difference))))
    }

    /// Whether more of a frozen charge's usage is billed with a later window; else a code, and what there is to say beyond that it is late.
    fn is_carried(&self, charge: &ChargeState, bill: &Bill<'_>) -> Result<(), (&'static str, Option<String>)> {
        let name = &self.spec.plugin.name;
        let last = self.state.last_billed(name, &bill.key.customer);
        if self.last.is_none() && last.is_some_and(|last| last >= *self.window) {
            return Err(("final", Some("the customer's last bill was sent before".to_owned())));
        }
        if self.spec.late == LateUsage::Hold {
            return Err(("late", None));
        }
        let why = match charge.standing() {
            Standing::TakenOver => Some("how much of it was billed nobody here knows".to_owned()),
            Standing::Waived { .. } => Some("the charge was waived".to_owned()),
            _ if self.queue.is_some() => None,
            _ => self.gone().map(|key| {
                format!("{key} is gone, which was there when the charge was frozen: what is left may not be all")
            }),
        };
        let other = || {
            // A queue's late records are billed by themselves.
            let same = self.queue.is_some() || self.is_computed_alike(charge, bill);
            (!same).then(|| "it was computed by other plugins or settings then".to_owned())
        };
        why.or_else(other).map_or(Ok(()), |why| Err(("late", Some(why))))
    }

    /// An input that the window was computed from before, and that is not there in this run: it may have gone since the run before.
    pub(super) fn gone(&self) -> Option<&str> {
        let gone = self.gone.get_or_init(|| {
            let there = inputs(self.reading);
            let there: HashSet<&str> = there.iter().map(|input| input.key.as_str()).collect();
            let seen = self.state.inputs(self.window).into_iter().flatten().map(|input| input.key.as_str());
            let mut known = self.state.gone_inputs(self.window).chain(seen);
            known.find(|key| !there.contains(key)).map(str::to_owned)
        });
        gone.as_deref()
    }

    /// Whether what was frozen was computed by the same plugins, with the same settings, as what there is now.
    pub(super) fn is_computed_alike(&self, charge: &ChargeState, bill: &Bill<'_>) -> bool {
        let of = |plugins: &'_ [PluginDigest], section: &str| {
            let found = plugins.iter().find(|plugin| plugin.section == section);
            found.map(|plugin| (plugin.sha256.clone(), plugin.config.clone()))
        };
        let aggregate = self.pipeline.aggregates.get(bill.aggregate).map_or("", |spec| spec.plugin.section.as_str());
        let then = charge.made_by();
        let source = self.pipeline.source.plugin.section.as_str();
        of(then, source) == of(self.plugins, source)
            && of(then, charge.charge().aggregator()) == of(self.plugins, aggregate)
    }

    /// What a person said of exactly this.
    pub(super) fn word(&self, id: &ChargeId, exact: Decimal) -> Option<&'a Word> {
        let word = self.state.decided(&self.spec.plugin.name, self.window, id);
        word.filter(|(then, _)| *then == exact).map(|(_, word)| word)
    }

    /// That what a person said of it was of another quantity, if they said something.
    fn void(&self, id: &ChargeId, exact: Decimal) -> String {
        let word = self.state.decided(&self.spec.plugin.name, self.window, id);
        word.filter(|(then, _)| *then != exact)
            .map_or_else(String::new, |(then, word)| format!("; it was {} at {then}", word.decision.past()))
    }

    /// Held, unless a person has seen to exactly this.
    pub(super) fn unless_settled(&self, id: &ChargeId, exact: Decimal, why: Why) -> Compared<'a> {
        match self.word(id, exact).filter(|word| word.decision != Decision::Release) {
            Some(word) => Compared::Settled(word),
            None => Compared::Held(why),
        }
    }
}

/// What becomes now of the records of a charge that nothing makes any more.
pub(super) fn now_makes(pipeline: &Pipeline, spec: &SinkSpec, state: &ChargeState, line: &ChargeLine) -> String {
    let charge = state.charge();
    match key(pipeline, spec, &charge.key().window, line) {
        None => format!("the table of customers has no row for {} any more", line.customer),
        Some(now) if now.customer != charge.key().customer && now.dimension == charge.key().dimension => {
            format!("its records are those of {}, and would be billed to {} now", line.customer, now.customer)
        }
        Some(now) if is_refused(state) => format!("its records make {} now", now.dimension),
        Some(now) => format!("it was changed what is made of its records: they would make {} now", now.dimension),
    }
}

/// The charge that was frozen later than this refused one, from its records.
fn replaced<'a>(state: &ChargeState, before: Option<(&'a ChargeState, bool)>) -> Option<&'a ChargeState> {
    let (other, surely) = before?;
    (surely && is_refused(state) && other.frozen_in() > state.frozen_in()).then_some(other)
}

/// Records that stand behind another charge already, or may.
pub(super) fn billed_as(state: &ChargeState, surely: bool) -> Why {
    let (charge, key) = (state.charge(), state.charge().key());
    let other = format!("the charge of {} for {} to sink {}", charge.quantity(), key.dimension, key.sink);
    let stands = if state.is_final() { "which is billed" } else { "which is open" };
    let reason = match surely {
        true => {
            format!("its records went into {other}, {stands}; the rules, the sinks or the usage were changed since")
        }
        false => format!("it may be the usage of {other}, {stands}, under another name: of that no record is left"),
    };
    ("moved", reason)
}

/// Why a charge of which nothing is left is in doubt. `now` is what became of its records, if that is known.
pub(super) fn gone(state: &ChargeState, frozen: Decimal, now: Option<String>) -> Why {
    match now {
        None => ("late", format!("its usage was there when the charge of {frozen} was frozen, and is gone now")),
        Some(now) if is_refused(state) => ("moved", format!("it was refused, and is not offered again: {now}")),
        Some(now) => ("moved", now),
    }
}

fn differs(frozen: Decimal, now: Decimal, difference: Option<Decimal>) -> String {
    let difference = difference.map_or_else(String::new, |difference| {
        let sign = if difference.is_negative() { "" } else { "+" };
        format!(", a difference of {sign}{difference}")
    });
    format!("what it comes to changed after the charge was frozen: {frozen} then, {now} now{difference}")
}
