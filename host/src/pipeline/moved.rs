//! Charges that nothing makes any more, though their records are still there: other rules, or another sink, make something else of
//! these records now, and to bill that as well would be to bill them twice.

use std::collections::{HashMap, HashSet};

use super::charges::key;
use super::setup::Setup;
use crate::ledger::{ChargeState, Standing, State};
use crate::model::charge::ChargeId;
use crate::model::lines::ChargeLine;
use crate::model::window::Window;

/// Product and customer.
type Owner<'a> = (&'a str, &'a str);

/// The charges of one window, of whichever sink, and a line that their records go into now.
#[derive(Default)]
pub(super) struct Moved<'a>(HashMap<Owner<'a>, Vec<(&'a ChargeState, &'a ChargeLine)>>);

impl<'a> Moved<'a> {
    /// Compares what was frozen for a window with the lines that are made for it now.
    pub(super) fn of(setup: &Setup, window: &Window, lines: &'a [(usize, ChargeLine)], state: &'a State) -> Self {
        let charges: Vec<&ChargeState> = state.charges_in_all(window).collect();
        if charges.is_empty() {
            return Moved::default();
        }
        let mut made: HashSet<ChargeId> = HashSet::new();
        let mut owned: HashMap<Owner<'_>, Vec<&ChargeLine>> = HashMap::new();
        for (_, line) in lines {
            let sinks = setup.pipeline.sinks_of(&line.dimension);
            made.extend(sinks.iter().map(|sink| key(setup, &sink.plugin.name, window, line).id()));
            owned.entry((&line.product, &line.customer)).or_default().push(line);
        }
        let mut moved = Moved::default();
        for state in charges.into_iter().filter(|state| !made.contains(&state.charge().id())) {
            let charge = state.charge();
            let owner = (charge.key().product.as_str(), charge.key().customer.as_str());
            let now = owned.get(&owner).into_iter().flatten();
            if let Some(line) = now.copied().find(|line| share(&line.origins, charge.origins())) {
                moved.0.entry(owner).or_default().push((state, line));
            }
        }
        moved
    }

    /// The charge that records of this line were billed with, or may still be.
    pub(super) fn before(&self, line: &ChargeLine) -> Option<&'a ChargeState> {
        let charges = self.0.get(&(line.product.as_str(), line.customer.as_str())).into_iter().flatten();
        // What was refused is not billed, and is not offered any more.
        let mut charges = charges.map(|(state, _)| *state).filter(|state| !is_refused(state));
        charges.find(|state| share(&line.origins, state.charge().origins()))
    }

    /// What the records of a charge go into now.
    pub(super) fn after(&self, state: &ChargeState) -> Option<&'a ChargeLine> {
        let key = state.charge().key();
        let charges = self.0.get(&(key.product.as_str(), key.customer.as_str())).into_iter().flatten();
        charges.filter(|(other, _)| other.charge().id() == state.charge().id()).map(|(_, line)| *line).next()
    }
}

/// Whether the service surely does not have it.
pub(super) fn is_refused(state: &ChargeState) -> bool {
    matches!(state.standing(), Standing::Rejected { .. })
}

/// Whether records of one dimension stand behind both.
fn share(left: &[(String, u64)], right: &[(String, u64)]) -> bool {
    let stands = |(_, records): &&(String, u64)| *records > 0;
    left.iter().filter(stands).any(|(name, _)| right.iter().filter(stands).any(|(other, _)| name == other))
}
