//! What is to become of something that is not frozen yet.

use meterhost_decimal::Decimal;

use super::amount::{Amount, Fate, Why, amount};
use super::assess::Assess;
use super::bills::{Bill, SinkDoubts, bills};
use super::closed;
use super::moved::Moved;
use crate::config::{SinkSpec, Zeros};
use crate::ledger::{Decision, Kept, Word};
use crate::model::charge::{ChargeId, Share};

/// What is to become of something that is not frozen yet.
pub(super) enum Judged<'a> {
    /// To be frozen.
    Owed(Amount),
    /// Nothing is to be sent of it: it comes to zero.
    Zero(Decimal),
    /// Another exporter billed it.
    TakenOver(Decimal),
    /// A person said that it is billed already: it is frozen, and final.
    ByHand(Decimal, &'a Word),
    /// A person said that it is not to be billed.
    Waived(&'a Word),
    /// Kept back.
    Held(Why),
}

/// That a table of customers came after what another exporter billed without one.
const UNDER_A_TABLE: &str = "another exporter billed this window under the names in the usage, and the table of customers bills it under others";

/// As the code of a hold: the sink's table does not say whom to bill.
pub(super) const UNKNOWN: &str = "customer";

/// That the sink's table has no row.
pub(super) fn no_row(spec: &SinkSpec, more: &str) -> String {
    let file = spec.customers.as_ref().map_or("", |table| table.file_name());
    format!("the table of customers {file} has no row for it{more}")
}

impl<'a> Assess<'a> {
    /// Judges what nothing was frozen for.
    pub(super) fn judge(
        &self,
        bill: &Bill<'_>,
        doubts: &SinkDoubts<'_>,
        moved: &Moved<'a>,
        as_it_was: bool,
    ) -> Judged<'a> {
        let word = self.state.decided(&self.spec.plugin.name, self.window, &bill.handle());
        let is_void = word.is_some_and(|(exact, _)| exact != bill.exact);
        match word.filter(|_| !is_void).map(|(_, word)| (word.decision, word)) {
            Some((Decision::Waive, word)) => return Judged::Waived(word),
            Some((Decision::Billed, word)) if bill.id.is_some() => {
                let exact = bill.exact.max(Decimal::ZERO);
                let quantity =
                    amount(&self.terms, self.spec, exact, Decimal::ZERO).map_or(exact, |amount| amount.quantity);
                return Judged::ByHand(quantity, word);
            }
            _ => {}
        }
        let is_released = !is_void && word.is_some_and(|(_, word)| word.decision == Decision::Release);
        let judged = self.judged(bill, doubts, moved, as_it_was, is_released);
        match (judged, word.filter(|_| is_void)) {
            (Judged::Held((code, reason)), Some((exact, word))) => {
                let said = word.decision.past();
                Judged::Held((code, format!("{reason}; it was {said} at {exact}, and comes to {} now", bill.exact)))
            }
            // What was not to be billed, or billed already, is not billed unseen because there is more of it.
            (Judged::Owed(_) | Judged::TakenOver(_), Some((exact, word))) if word.decision != Decision::Release => {
                let said = word.decision.past();
                Judged::Held(("void", format!("it was {said} at {exact}, and comes to {} now", bill.exact)))
            }
            (judged @ (Judged::Owed(_) | Judged::TakenOver(_)), None) if word.is_none() => match self.was_said(bill) {
                Some(why) => Judged::Held(("void", why)),
                None => judged,
            },
            (judged, _) => judged,
        }
    }

    /// That usage of it was not to be billed, or billed already, as a person said when it had another name: nobody was asked about this one.
    pub(super) fn was_said(&self, bill: &Bill<'_>) -> Option<String> {
        let (name, handle) = (&self.spec.plugin.name, bill.handle());
        let is_behind = |kept: &Kept, share: &Share<'_>| {
            share.origins.iter().any(|(dimension, records)| *records > 0 && kept.from.contains(dimension))
        };
        let found = bill.shares().find_map(|share| {
            let mut said = self.state.decided_of(name, self.window, share.customer);
            said.find(|(kept, word)| {
                word.decision != Decision::Release
                    && kept.id != handle
                    && is_behind(kept, &share)
                    && self.state.charge(&kept.id).is_none()
                    && !self.makes(&kept.id)
            })
        });
        found.map(|(kept, word)| {
            format!("usage that it is made of was {} before: {}", word.decision.past(), kept.words())
        })
    }

    /// Whether something of this id is made for the sink now.
    fn makes(&self, id: &ChargeId) -> bool {
        let made = self.made.get_or_init(|| {
            let name = &self.spec.plugin.name;
            let takes = |dimension: &str| {
                let takers = self.pipeline.sinks_of(dimension);
                takers.is_empty() || takers.iter().any(|taker| taker.plugin.name == *name)
            };
            let lines = self.reading.lines.iter().filter(|(_, line)| takes(&line.dimension));
            bills(self.pipeline, self.spec, self.window, lines).into_iter().map(|bill| bill.handle()).collect()
        });
        made.contains(id)
    }

    fn judged(
        &self,
        bill: &Bill<'_>,
        doubts: &SinkDoubts<'_>,
        moved: &Moved<'a>,
        as_it_was: bool,
        is_released: bool,
    ) -> Judged<'a> {
        let (name, imported) = (&self.spec.plugin.name, self.state.imported());
        let is_billed = |who: &str| imported.is_billed(name, self.window, who);
        let was_billed = is_billed(&bill.key.customer) && !is_released;
        // Under a table the names differ, and the other exporter knew of no table.
        let is_renamed = self.spec.customers.is_some()
            && !is_released
            && (was_billed || bill.lines.iter().any(|line| is_billed(&line.customer)));
        let is_over = self.last.is_none() && self.state.final_until(name, self.window, &bill.key.customer).is_some();
        let judged = match self.pipeline.sinks_of(&bill.key.dimension).is_empty() {
            _ if is_over && !is_released && !bill.exact.is_zero() => {
                Err(("final", "the customer's last bill was sent before, and had nothing of it".to_owned()))
            }
            _ if was_billed && self.is_given_up(&bill.key.customer) => Err(("doubt", closed::GIVEN_UP.to_owned())),
            _ if is_renamed => Err(("taken-over", UNDER_A_TABLE.to_owned())),
            true => Err(("untaken", "no [sink] takes this dimension: name it in `takes`".to_owned())),
            // How it was rounded, and whether it could be sent, was the other exporter's to judge.
            false if was_billed => self.billed_elsewhere(bill, doubts, as_it_was),
            false => self.owed(bill, doubts, is_released),
        };
        match judged {
            Ok(judged @ (Judged::Owed(_) | Judged::TakenOver(_))) => {
                match moved.before(bill).filter(|_| !is_released) {
                    Some((other, surely)) => Judged::Held(super::frozen::billed_as(other, surely)),
                    None => self.unless_guarded(bill, judged, is_released),
                }
            }
            Ok(judged) => self.unless_guarded(bill, judged, is_released),
            Err(why) => Judged::Held(why),
        }
    }

    /// Held, where the guard says so and no person has released it.
    fn unless_guarded(&self, bill: &Bill<'_>, judged: Judged<'a>, is_released: bool) -> Judged<'a> {
        let is_nothing = match &judged {
            Judged::Owed(_) => false,
            Judged::Zero(_) => true,
            _ => return judged,
        };
        let found = self.guarded.about(bill, is_nothing).filter(|_| !is_released);
        found.map_or(judged, Judged::Held)
    }

    /// Whether another exporter closed the window without billing this customer.
    pub(super) fn is_given_up(&self, customer: &str) -> bool {
        let (name, imported) = (&self.spec.plugin.name, self.state.imported());
        !imported.is_open(name, self.window, customer) && imported.failed(name, self.window).any(|who| who == customer)
    }

    /// Something that another exporter billed: it is not sent, and what was not there then is held.
    fn billed_elsewhere(&self, bill: &Bill<'_>, doubts: &SinkDoubts<'_>, as_it_was: bool) -> Result<Judged<'a>, Why> {
        if let Some(reason) = bill.doubted(doubts) {
            return Err(("doubt", reason));
        }
        if let Some(doubt) = &bill.doubt {
            return Err(("aggregate", doubt.clone()));
        }
        if !as_it_was {
            let reason =
                "this customer was taken over as billed, and the objects of the window are not as they were then";
            return Err(("taken-over", reason.to_owned()));
        }
        match bill.exact.is_zero() && self.terms.zeros != Zeros::Send {
            true => Ok(Judged::Zero(bill.exact)),
            false => Ok(Judged::TakenOver(bill.exact.max(Decimal::ZERO))),
        }
    }

    /// What is owed, unless something speaks against it.
    fn owed(&self, bill: &Bill<'_>, doubts: &SinkDoubts<'_>, is_released: bool) -> Result<Judged<'a>, Why> {
        // Of nothing nobody has to know who owes it.
        let is_nothing = || {
            let is_sound = bill.doubt.is_none() && bill.doubted(doubts).is_none();
            self.terms.zeros != Zeros::Send && bill.exact.is_zero() && is_sound
        };
        if bill.id.is_none() && !is_nothing() {
            return Err((UNKNOWN, no_row(self.spec, ": add one")));
        }
        if let Some(reason) = bill.doubted(doubts).filter(|_| !is_released) {
            return Err(("doubt", reason));
        }
        if let Some(doubt) = &bill.doubt {
            return Err(("aggregate", doubt.clone()));
        }
        if let Some(line) = bill.negative() {
            let whose =
                if bill.parts.len() > 1 { format!("the total of {}", line.customer) } else { "the total".to_owned() };
            return Err(("negative", format!("{whose} is negative: {}", line.quantity)));
        }
        let refused = bill.id.and_then(|id| self.state.charge(&id));
        let left = refused.and_then(|charge| self.state.remainder_without_refused(charge));
        let left = left.unwrap_or_else(|| self.state.remainder(&bill.key.lane()));
        let amount = amount(&self.terms, self.spec, bill.exact, left)?;
        Ok(match amount.fate {
            Fate::Zero => Judged::Zero(amount.quantity),
            Fate::Sent | Fate::LeftOver => Judged::Owed(amount),
        })
    }
}
