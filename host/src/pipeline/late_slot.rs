//! Usage of a slot that was frozen without it: it comes too late for the one record that the service keeps of the slot, though nothing of
//! its own key was ever frozen. All of it is late, as more usage of a frozen charge is.

use std::collections::HashSet;

use meterhost_decimal::Decimal;

use super::assess::Assess;
use super::bills::{Bill, SinkDoubts};
use super::charges::{Assessed, Assessment, Difference, Place};
use super::doubts::Doubts;
use super::frozen::{Compared, billed_as};
use super::judge::Judged;
use super::moved::Moved;
use super::slots::{SLOT, tags};
use crate::config::LateUsage;
use crate::ledger::{ChargeState, Decision, EVERY};
use crate::model::charge::ChargeId;

impl<'a> Assess<'a> {
    /// The charge that took the place of what is not frozen yet, if the service keeps one record for both.
    pub(super) fn taken(&self, bill: &Bill<'_>) -> Option<&'a ChargeState> {
        if !self.terms.traits.joins_tags {
            return None;
        }
        let is_anew = self.state.charge(&bill.id?).is_some();
        self.state.beside(&bill.key).find(|other| {
            // What was refused with it is in nobody's way.
            let is_refused = other.is_refused() && (is_anew || self.is_revised(other));
            other.takes_slot() && !is_refused
        })
    }

    /// The line of something whose place is taken.
    pub(super) fn late_line(
        &self,
        mut bill: Bill<'a>,
        other: &ChargeState,
        (doubts, moved, as_it_was): (&SinkDoubts<'_>, &Moved<'a>, bool),
        assessment: &mut Assessment,
    ) -> Assessed {
        let id = bill.handle();
        let elsewhere = self.state.frozen_elsewhere(&id).unwrap_or(Decimal::ZERO);
        if self.queue.is_some() && !elsewhere.is_zero() {
            self.add(elsewhere, &mut bill, assessment);
        }
        let compared = match elsewhere.is_zero() {
            true => match self.judge(&bill, doubts, moved, as_it_was) {
                Judged::Owed(_) if self.state.charge(&id).is_some() => {
                    let judged = Judged::Held((SLOT, refused_before(other)));
                    return self.new_line(bill, judged, assessment);
                }
                Judged::Owed(_) if !bill.exact.is_zero() => self.late_of_slot(&bill, other, bill.exact),
                judged => {
                    // A zero is not even to be sent.
                    let judged = if let Judged::Owed(amount) = judged { Judged::Zero(amount.quantity) } else { judged };
                    return Assessed { draft: None, ..self.new_line(bill, judged, assessment) };
                }
            },
            false => self.more_of_slot(&bill, other, elsewhere, doubts, moved),
        };
        let mut line = self.compared_line(bill, Some(elsewhere), compared);
        line.is_late = true;
        line
    }

    /// The lines of what later windows took of a slot's usage, and of which no usage is left.
    pub(super) fn late_lines_gone(&self, seen: &HashSet<ChargeId>, doubts: &Doubts) -> Vec<Assessed> {
        let mut lines = Vec::new();
        for key in self.state.without_charge(&self.spec.plugin.name, self.window) {
            let id = key.id();
            let is_other = self.last.is_some_and(|last| last.customer != key.customer);
            // Usage that cannot be read at the moment is not gone; nor is that of a queue, which was taken.
            let is_doubted = || doubts.about(&key.customer, &[(EVERY.to_owned(), 1)]).is_some();
            if self.queue.is_some() || seen.contains(&id) || is_other || is_doubted() {
                continue;
            }
            let Some(elsewhere) = self.state.frozen_elsewhere(&id).filter(|frozen| !frozen.is_zero()) else { continue };
            let why = format!("later windows took {elsewhere} of its usage, and that is gone now");
            let mut line = Assessed::new(key.clone(), Some(id), Decimal::ZERO);
            (line.carried_before, line.more_by_hand) = (self.state.carried_from(&id), self.state.more_by_hand(&id));
            line.is_late = true;
            let quantity = Decimal::ZERO.checked_sub(elsewhere);
            let place = match self.unless_settled(&id, Decimal::ZERO, ("late", why)) {
                Compared::Held(why) => {
                    line.held = Some(why);
                    Place::Held
                }
                Compared::Settled(word) | Compared::ByHand(word) => Place::Settled(word.words()),
                Compared::Same | Compared::More(_) => continue,
            };
            line.difference = Some(Difference { quantity, place });
            lines.push(line);
        }
        lines
    }

    /// How usage stands to what later windows took of it.
    fn more_of_slot(
        &self,
        bill: &Bill<'_>,
        other: &ChargeState,
        elsewhere: Decimal,
        doubts: &SinkDoubts<'_>,
        moved: &Moved<'a>,
    ) -> Compared<'a> {
        let id = bill.handle();
        if let Some(reason) = bill.doubted(doubts) {
            return Compared::Held(("doubt", reason));
        }
        if let Some(doubt) = &bill.doubt {
            return self.unless_settled(&id, bill.exact, ("aggregate", doubt.clone()));
        }
        let more = bill.exact.checked_sub(elsewhere).filter(|more| !more.is_negative());
        let word = self.word(&id, bill.exact);
        match (more, word) {
            (Some(more), word) if more.is_zero() => match word {
                Some(word) if word.decision == Decision::Billed => Compared::ByHand(word),
                _ => Compared::Same,
            },
            (_, Some(word)) if word.decision != Decision::Release => Compared::Settled(word),
            (Some(more), Some(_)) => Compared::More(more),
            (None, _) => {
                let exact = bill.exact;
                Compared::Held(("late", format!("later windows took {elsewhere} of it, and it comes to {exact} now")))
            }
            (Some(more), None) => {
                let was = self.state.decided(&self.spec.plugin.name, self.window, &id);
                if let Some((then, word)) = was.filter(|(_, word)| word.decision != Decision::Release) {
                    let said = word.decision.past();
                    return Compared::Held((
                        "void",
                        format!("it was {said} at {then}, and comes to {} now", bill.exact),
                    ));
                }
                if let Some((other, surely)) = moved.before(bill) {
                    return Compared::Held(billed_as(other, surely));
                }
                match self.is_as_it_was(bill) {
                    Ok(()) => self.late_of_slot(bill, other, more),
                    Err(why) => Compared::Held(("late", format!("{more} more of it was found late; {why}"))),
                }
            }
        }
    }

    /// Whether what it comes to can be compared with what later windows took of it.
    fn is_as_it_was(&self, bill: &Bill<'_>) -> Result<(), String> {
        if self.queue.is_some() {
            return Ok(());
        }
        if let Some(key) = self.gone() {
            return Err(format!("{key} is gone, which was there before: what is left may not be all"));
        }
        let mut carriers = self.state.carriers(&bill.key);
        match carriers.all(|carrier| self.is_computed_alike(carrier, bill)) {
            true => Ok(()),
            false => Err("it was computed by other plugins or settings then".to_owned()),
        }
    }

    /// So much of it is to be billed with a later window, unless that is not to be.
    fn late_of_slot(&self, bill: &Bill<'_>, other: &ChargeState, more: Decimal) -> Compared<'a> {
        let name = &self.spec.plugin.name;
        let released = self.word(&bill.handle(), bill.exact).is_some_and(|word| word.decision == Decision::Release);
        if released {
            return Compared::More(more);
        }
        let why = format!(
            "the record that the service keeps for it and for what has {} was frozen without it",
            tags(other.charge().key())
        );
        let last = self.state.last_billed(name, &bill.key.customer);
        if self.last.is_none() && last.is_some_and(|last| last >= *self.window) {
            return Compared::Held(("final", format!("{why}; the customer's last bill was sent before")));
        }
        match self.spec.late {
            LateUsage::Hold => Compared::Held(("late", why)),
            LateUsage::Carry => Compared::More(more),
        }
    }
}

fn refused_before(other: &ChargeState) -> String {
    format!(
        "it was refused, and the record that the service keeps for it and for what has {} was made without it since",
        tags(other.charge().key())
    )
}
