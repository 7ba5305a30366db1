//! A service may keep one record for all charges that differ only in their tags: their slot. A record that is sent without one of them
//! locks that out, so that a slot is frozen as a whole, or not at all.
//!
//! | of a slot, in a run | the others |
//! |---|---|
//! | one is held, for whatever reason | are held with it |
//! | one comes to nothing, is not to be billed, or is billed by hand | are frozen without it |
//! | one was frozen before | are late, and carried to a window whose slot is not frozen |
//! | some are made anew, since they were refused | were refused with them, and are no part of the new record |

use std::collections::{HashMap, HashSet};

use super::charges::{Assessed, Assessment, hold};
use super::setup::Terms;
use super::works::Work;
use crate::ledger::{ChargeState, State};
use crate::model::charge::{ChargeId, Key};

/// As the code of a hold: something else of the slot is held.
pub(super) const SLOT: &str = "slot";

/// Slots that cannot be frozen in this run, by their sink and the key of their charge without tags, and why.
#[derive(Debug, Default)]
pub(super) struct Broken(HashMap<(usize, Key), String>);

impl Broken {
    /// Whether the slot of this key is one.
    pub(super) fn has(&self, sink: usize, key: &Key) -> bool {
        !self.0.is_empty() && self.0.contains_key(&(sink, key.untagged()))
    }

    /// Finds those of which something would be frozen, and something else is held. Answers whether there are more than before.
    pub(super) fn find(
        &mut self,
        terms: &[Terms<'_>],
        state: &State,
        revised: Option<&HashSet<ChargeId>>,
        works: &[Work],
    ) -> bool {
        let before = self.0.len();
        for work in works.iter().filter(|work| joins(terms, work.sink)) {
            let Assessment { lines, proposals, .. } = &work.assessment;
            let held = lines.iter().filter(|line| is_in_the_way(state, revised, line));
            let held: HashMap<Key, &Assessed> = held.map(|line| (line.key.untagged(), line)).collect();
            if held.is_empty() {
                continue;
            }
            for proposal in proposals.iter().filter(|proposal| !proposal.unsent) {
                let slot = proposal.key.untagged();
                if let Some(line) = held.get(&slot) {
                    self.0.entry((work.sink, slot)).or_insert_with(|| reason(line));
                }
            }
        }
        self.0.len() > before
    }

    /// Holds all that would be frozen of them.
    pub(super) fn hold(&self, works: &mut [Work]) {
        for work in works.iter_mut().filter(|_| !self.0.is_empty()) {
            let Assessment { lines, proposals, holds, .. } = &mut work.assessment;
            let mut kept: HashMap<Key, &String> = HashMap::new();
            proposals.retain(|proposal| {
                let reason = self.0.get(&(work.sink, proposal.key.untagged()));
                kept.extend(reason.map(|reason| (proposal.key.clone(), reason)));
                reason.is_none()
            });
            for line in lines.iter_mut().filter(|line| line.held.is_none()) {
                let Some(reason) = kept.get(&line.key).copied() else { continue };
                line.draft = None;
                line.held = Some((SLOT, reason.clone()));
                holds.push(hold(&line.key, SLOT, reason.clone(), Some(line.own)));
            }
        }
    }
}

/// Whether a sink's service keeps one record for what differs only in its tags.
pub(super) fn joins(terms: &[Terms<'_>], sink: usize) -> bool {
    terms.get(sink).is_some_and(|terms| terms.traits.joins_tags)
}

/// Whether a line keeps its slot from being frozen: it is held, and no difference to what is frozen.
fn is_in_the_way(state: &State, revised: Option<&HashSet<ChargeId>>, line: &Assessed) -> bool {
    let is_anew = |charge: &ChargeState| {
        charge.is_refused() && revised.is_some_and(|revised| revised.contains(&charge.charge().id()))
    };
    let charge = line.id.and_then(|id| state.charge(&id));
    line.held.is_some() && !line.is_late && charge.is_none_or(is_anew)
}

fn reason(held: &Assessed) -> String {
    let why = held.held.as_ref().map_or("", |(_, reason)| reason.as_str());
    format!("the service keeps one record for this and for what has {}, which is held: {why}", tags(&held.key))
}

/// `tier=gold and region=eu`, or `no tags`.
pub(super) fn tags(key: &Key) -> String {
    match key.tags.as_slice() {
        [] => "no tags".to_owned(),
        tags => tags.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" and "),
    }
}
