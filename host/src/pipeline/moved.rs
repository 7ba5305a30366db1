//! Records that were billed before under other rules, by another sink, or under another name: to bill what they make now as well would be
//! to bill them twice.

use std::collections::{HashMap, HashSet};

use super::charges::key;
use super::doubts::Doubts;
use super::freeze::Work;
use super::gathered::Reading;
use super::setup::Setup;
use crate::ledger::{ChargeState, Standing, State};
use crate::model::charge::ChargeId;
use crate::model::lines::ChargeLine;
use crate::model::window::Window;

/// Product and customer.
type Owner<'a> = (&'a str, &'a str);

/// What was frozen for one window, to whichever sink, beside the lines that are made for it now.
#[derive(Default)]
pub(super) struct Moved<'a> {
    /// Charges of which not all records stand behind their own line any more, and the dimensions of these.
    lost: HashMap<Owner<'a>, Vec<(&'a ChargeState, Vec<&'a str>)>>,
    /// Charges that nothing makes any more, and of whose dimensions no record is left; by customer.
    vanished: HashMap<&'a str, &'a ChargeState>,
    lines: HashMap<Owner<'a>, Vec<&'a ChargeLine>>,
    made: HashSet<ChargeId>,
}

impl<'a> Moved<'a> {
    /// Compares what was frozen for a window with the lines that are made for it now.
    pub(super) fn of(
        setup: &Setup,
        window: &Window,
        reading: &'a Reading,
        doubts: &Doubts,
        state: &'a State,
    ) -> Moved<'a> {
        let mut moved = Moved::default();
        if state.charges_in_all(window).next().is_none() {
            return moved;
        }
        let mut own: HashMap<ChargeId, &ChargeLine> = HashMap::new();
        for (_, line) in &reading.lines {
            for sink in setup.pipeline.sinks_of(&line.dimension) {
                own.insert(key(setup, &sink.plugin.name, window, line).id(), line);
            }
            moved.lines.entry((&line.product, &line.customer)).or_default().push(line);
        }
        let left: HashSet<(&str, &str)> =
            reading.tally.keys().map(|pair| (pair.customer.as_str(), pair.dimension.as_str())).collect();
        for state in state.charges_in_all(window).filter(|state| !is_refused(state)) {
            let charge = state.charge();
            let line = own.get(&charge.id()).copied();
            let lost: Vec<&str> = stands(charge.origins())
                .filter(|(dimension, records)| behind(line, dimension) < *records)
                .map(|(dimension, _)| dimension.as_str())
                .collect();
            let customer = charge.key().customer.as_str();
            if line.is_none()
                && !lost.iter().any(|dimension| left.contains(&(customer, *dimension)))
                && doubts.about(customer, charge.origins()).is_none()
            {
                moved.vanished.insert(customer, state);
            }
            moved.lost.entry((&charge.key().product, customer)).or_default().push((state, lost));
        }
        moved.made = own.into_keys().collect();
        moved
    }

    /// The charge that records of this line of a sink were billed with, or may still be; and whether they surely were, or the line's may
    /// be the same usage under another name.
    pub(super) fn before(&self, line: &ChargeLine, sink: &str, id: ChargeId) -> Option<(&'a ChargeState, bool)> {
        let charges = self.lost.get(&(line.product.as_str(), line.customer.as_str())).into_iter().flatten();
        let billed = charges.filter(|(state, lost)| {
            let charge = state.charge();
            // Each sink bills what it takes: to another one the records were lost only if nothing makes that charge any more.
            let gone = !self.made.contains(&charge.id());
            charge.id() != id
                && (gone || charge.key().sink == sink)
                && stands(&line.origins).any(|(dimension, _)| lost.contains(&dimension.as_str()))
        });
        let billed = billed.map(|(state, _)| (*state, true)).next();
        billed.or_else(|| Some((*self.vanished.get(line.customer.as_str())?, false)))
    }

    /// What the records of a charge that nothing makes any more go into now.
    pub(super) fn after(&self, state: &ChargeState) -> Option<&'a ChargeLine> {
        let charge = state.charge();
        let lines = self.lines.get(&(charge.key().product.as_str(), charge.key().customer.as_str()));
        lines.into_iter().flatten().copied().find(|line| share(&line.origins, charge.origins()))
    }
}

/// Refused charges that are not to be offered again: another one was frozen after them from the same dimensions, in their place. Where
/// this run makes both, they stand side by side. This follows from the ledger, whatever could be read in this run.
pub(super) fn withdrawn(setup: &Setup, state: &State, works: &[Work]) -> HashSet<ChargeId> {
    let lines = works.iter().flat_map(|work| &work.assessment.lines);
    // A charge of which no usage is left has a line as well, of no origin.
    let made: HashSet<ChargeId> = lines.filter(|line| !line.origins.is_empty()).map(|line| line.id).collect();
    let mut windows: HashMap<Window, HashMap<Owner<'_>, Vec<&ChargeState>>> = HashMap::new();
    let mut withdrawn = HashSet::new();
    let sinks = setup.pipeline.sinks.iter();
    for refused in sinks.flat_map(|sink| state.open_charges(&sink.plugin.name)).filter(|state| is_refused(state)) {
        let charge = refused.charge();
        let others = windows.entry(charge.key().window).or_insert_with(|| {
            let mut owned: HashMap<Owner<'_>, Vec<&ChargeState>> = HashMap::new();
            for state in state.charges_in_all(&charge.key().window).filter(|state| !is_refused(state)) {
                let key = state.charge().key();
                owned.entry((&key.product, &key.customer)).or_default().push(state);
            }
            owned
        });
        let others = others.get(&(charge.key().product.as_str(), charge.key().customer.as_str())).into_iter().flatten();
        let replaced = |other: &&ChargeState| {
            other.frozen_in() > refused.frozen_in()
                && share(other.charge().origins(), charge.origins())
                && !(made.contains(&charge.id()) && made.contains(&other.charge().id()))
        };
        if others.copied().any(|other| replaced(&other)) {
            withdrawn.insert(charge.id());
        }
    }
    withdrawn
}

/// Whether the service said that it does not have it.
pub(super) fn is_refused(state: &ChargeState) -> bool {
    matches!(state.standing(), Standing::Rejected { .. })
}

/// How many records of a dimension stand behind a line.
fn behind(line: Option<&ChargeLine>, dimension: &str) -> u64 {
    let origins = line.into_iter().flat_map(|line| &line.origins);
    origins.filter(|(name, _)| name == dimension).map(|(_, records)| *records).sum()
}

fn stands(origins: &[(String, u64)]) -> impl Iterator<Item = &(String, u64)> {
    origins.iter().filter(|(_, records)| *records > 0)
}

/// Whether records of one dimension stand behind both.
fn share(left: &[(String, u64)], right: &[(String, u64)]) -> bool {
    stands(left).any(|(name, _)| stands(right).any(|(other, _)| name == other))
}
