//! What of the open charges goes now. Of a slot of which the service keeps one record all that is open goes, or nothing: a record without
//! one of its charges would lock that out.
//!
//! | of a slot, one | the others |
//! |---|---|
//! | is final | go without it |
//! | is to be offered | go with it |
//! | was refused for good | go without it where they were made anew since, else wait |
//! | is not to be offered yet, or only once somebody spoke of it | wait for it |

use std::collections::HashMap;

use super::decide::Decide;
use crate::ledger::{Charge, ChargeState, Standing};

/// What goes now.
pub(super) fn ready(decide: &Decide<'_>, open: &[ChargeState]) -> Vec<Charge> {
    let whole = slots(decide, open).into_iter().filter(|slot| waits_for(decide, slot).next().is_none());
    let ready = whole.flatten().filter(|state| decide.is_ready(state));
    ready.map(|state| state.charge().clone()).collect()
}

/// Whether another round could change something.
pub(super) fn can_go_on(decide: &Decide<'_>, open: &[ChargeState]) -> bool {
    slots(decide, open).into_iter().any(|slot| {
        // What waits for one of which nothing comes in this run waits in vain.
        match waits_for(decide, &slot).any(|state| !decide.can_change(state)) {
            true => slot.iter().any(|state| decide.can_change(state) && decide.is_to_be_looked_up(state)),
            false => slot.iter().any(|state| decide.can_change(state)),
        }
    })
}

/// The charges of each slot; each alone, where the service keeps a record of each.
fn slots<'s>(decide: &Decide<'_>, open: &'s [ChargeState]) -> Vec<Vec<&'s ChargeState>> {
    if !decide.traits.joins_tags {
        return open.iter().map(|state| vec![state]).collect();
    }
    let mut places = HashMap::new();
    let mut slots: Vec<Vec<&ChargeState>> = Vec::new();
    for state in open {
        let place = *places.entry(state.charge().key().slot()).or_insert(slots.len());
        match slots.get_mut(place) {
            Some(slot) => slot.push(state),
            None => slots.push(vec![state]),
        }
    }
    slots
}

/// Those of a slot that the others wait for.
fn waits_for<'s>(decide: &Decide<'_>, slot: &[&'s ChargeState]) -> impl Iterator<Item = &'s ChargeState> {
    let is_refused = |state: &ChargeState| matches!(state.standing(), Standing::Rejected { .. });
    // As one record they were refused together; one that is pending was made anew since.
    let as_they_were = slot.iter().filter(|state| decide.is_ready(state)).all(|state| is_refused(state));
    slot.iter().copied().filter(move |state| {
        let is_out = match state.standing() {
            _ if decide.happened.not_offered.contains(&state.charge().id()) => true,
            Standing::Rejected { retryable: false, .. } => state.is_withdrawn() || !as_they_were,
            _ => false,
        };
        !is_out && !decide.is_ready(state)
    })
}
