//! What rounding leaves over goes from charge to charge of a kind, in the order in which they are frozen.

use std::collections::HashMap;

use meterhost_decimal::Decimal;

use super::amount::{Fate, amount};
use super::charges::{Assessment, Place, hold};
use super::setup::Terms;
use super::works::Work;
use crate::config::{Pipeline, Rounding};
use crate::ledger::State;
use crate::model::charge::{Key, Lane};

/// Rounds what is to be frozen, where a sink carries what is left over. The works come in the order of their windows.
pub(super) fn round_in_order(pipeline: &Pipeline, terms: &[Terms<'_>], state: &State, works: &mut [Work]) {
    let mut left: HashMap<Lane, Decimal> = HashMap::new();
    // Late usage whose charge cannot be sent after all.
    let mut orphaned: HashMap<(usize, Key), String> = HashMap::new();
    for work in &mut *works {
        let sinks = terms.get(work.sink).zip(pipeline.sinks.get(work.sink));
        let Some((terms, spec)) = sinks.filter(|(_, spec)| spec.round == Rounding::Carry) else { continue };
        let Assessment { proposals, lines, holds, .. } = &mut work.assessment;
        let mut refused = HashMap::new();
        let mut sent = HashMap::new();
        proposals.retain_mut(|proposal| {
            let lane = proposal.key.lane();
            let mut before = left.get(&lane).copied().unwrap_or_else(|| state.remainder(&lane));
            // One that is made anew gives back what it left over before.
            if let Some(without) = state.charge(&proposal.key.id()).and_then(|known| known.gives_back(before)) {
                before = without;
                left.insert(lane.clone(), before);
            }
            match amount(terms, spec, proposal.exact, before) {
                Ok(amount) if amount.fate != Fate::Zero => {
                    amount.put(proposal);
                    sent.insert(proposal.key.id(), amount);
                    left.extend(amount.remainder.map(|remainder| (lane, remainder.after)));
                    true
                }
                // A zero that is sent as it is leaves what is left over where it was.
                Ok(_) => true,
                Err(why) => {
                    let origins = proposal.carried.iter().map(|it| Key { window: it.window, ..proposal.key.clone() });
                    orphaned.extend(origins.map(|key| ((work.sink, key), why.1.clone())));
                    refused.insert(proposal.key.id(), why);
                    false
                }
            }
        });
        for line in lines {
            let Some(id) = line.id else { continue };
            if let Some(amount) = sent.get(&id) {
                line.takes(amount);
            } else if let Some((code, reason)) = refused.remove(&id) {
                holds.push(hold(&line.key, code, reason.clone(), Some(line.own)));
                line.held = Some((code, reason));
            }
        }
    }
    if orphaned.is_empty() {
        return;
    }
    for work in works {
        let Assessment { lines, holds, .. } = &mut work.assessment;
        for line in lines {
            let Some(reason) = orphaned.remove(&(work.sink, line.key.clone())) else { continue };
            let reason = format!("what was found late cannot be billed with a later window: {reason}");
            holds.push(hold(&line.key, "late", reason.clone(), Some(line.own)));
            line.held = Some(("late", reason));
            line.difference.iter_mut().for_each(|difference| difference.place = Place::Held);
        }
    }
}
