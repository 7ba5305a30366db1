//! Records that were billed before under other rules, by another sink, to another customer, or under another name: to bill what they make now as well would be
//! to bill them twice.

use std::collections::{HashMap, HashSet};

use super::bills::{Bill, key};
use super::charges::Assessed;
use super::doubts::Doubts;
use super::gathered::{LineKey, Reading, key as line_key};
use super::works::Work;
use crate::config::Pipeline;
use crate::ledger::{ChargeState, Standing, State};
use crate::model::charge::{ChargeId, Share};
use crate::model::lines::ChargeLine;
use crate::model::window::Window;

/// Product and customer, as in the usage: a table of customers may bill them under another name.
type Owner<'a> = (&'a str, &'a str);

/// Charges by the owners of the records in them.
type Owned<'a> = HashMap<Owner<'a>, Vec<(&'a ChargeState, Share<'a>)>>;

/// What was frozen for one window, to whichever sink, beside the lines that are made for it now.
#[derive(Default)]
pub(super) struct Moved<'a> {
    /// Charges that not all records of an owner go into any more.
    lost: HashMap<Owner<'a>, Vec<Lost<'a>>>,
    /// Charges into which nothing of a customer goes any more, and of whose dimensions no record of it is left.
    vanished: HashMap<&'a str, &'a ChargeState>,
    lines: HashMap<Owner<'a>, Vec<&'a ChargeLine>>,
}

/// A charge that records of an owner went into, and do no longer.
struct Lost<'a> {
    state: &'a ChargeState,
    /// The dimensions of these records.
    dimensions: Vec<&'a str>,
    /// Whether its sink is handed nothing any more where this charge was, for whomever it would bill that.
    gone: bool,
}

impl<'a> Moved<'a> {
    /// Compares what was frozen for a window with the lines that are made for it now.
    pub(super) fn of(
        pipeline: &'a Pipeline,
        window: &Window,
        reading: &'a Reading,
        doubts: &Doubts,
        state: &'a State,
    ) -> Moved<'a> {
        let mut moved = Moved::default();
        if state.charges_in_all(window).next().is_none() {
            return moved;
        }
        let mut own: HashMap<(ChargeId, Owner<'_>), &ChargeLine> = HashMap::new();
        let mut taken: HashSet<(&str, LineKey<'_>)> = HashSet::new();
        for (_, line) in &reading.lines {
            let owner = (line.product.as_str(), line.customer.as_str());
            for sink in pipeline.sinks_of(&line.dimension) {
                taken.insert((&sink.plugin.name, line_key(line)));
                if let Some(key) = key(pipeline, sink, window, line) {
                    own.insert((state.known_as(key.id()), owner), line);
                }
            }
            moved.lines.entry(owner).or_default().push(line);
        }
        let left: HashSet<(&str, &str)> =
            reading.tally.keys().map(|pair| (pair.customer.as_str(), pair.dimension.as_str())).collect();
        for state in state.charges_in_all(window).filter(|state| !is_refused(state)) {
            let charge = state.charge();
            for share in charge.shares() {
                let line = own.get(&(charge.id(), share.owner())).copied();
                let dimensions: Vec<&str> = stands(share.origins)
                    .filter(|(dimension, records)| behind(line, dimension) < *records)
                    .map(|(dimension, _)| dimension.as_str())
                    .collect();
                let customer = share.customer;
                if line.is_none()
                    && !dimensions.iter().any(|dimension| left.contains(&(customer, *dimension)))
                    && doubts.about(customer, share.origins).is_none()
                {
                    moved.vanished.insert(customer, state);
                }
                let key = charge.key();
                let line: LineKey<'_> = (share.product, customer, &key.dimension, &key.tags);
                let gone = !taken.contains(&(key.sink.as_str(), line));
                moved.lost.entry(share.owner()).or_default().push(Lost { state, dimensions, gone });
            }
        }
        moved
    }

    /// The charge that records of a sink's would-be charge were billed with, or may still be; and whether they surely were, or may be
    /// the same usage under another name.
    pub(super) fn before(&self, bill: &Bill<'_>) -> Option<(&'a ChargeState, bool)> {
        let found = || bill.lines.iter().filter_map(|line| self.before_line(line, &bill.key.sink, bill.id));
        found().find(|(_, surely)| *surely).or_else(|| found().next())
    }

    fn before_line(&self, line: &ChargeLine, sink: &str, id: Option<ChargeId>) -> Option<(&'a ChargeState, bool)> {
        let mut lost = self.lost.get(&(line.product.as_str(), line.customer.as_str())).into_iter().flatten();
        let billed = lost.find(|lost| {
            let charge = lost.state.charge();
            // Each sink bills what it takes: to another one the records were lost only if that takes them no longer.
            Some(charge.id()) != id
                && (lost.gone || charge.key().sink == sink)
                && stands(&line.origins).any(|(dimension, _)| lost.dimensions.contains(&dimension.as_str()))
        });
        match billed {
            Some(lost) => Some((lost.state, true)),
            None => Some((*self.vanished.get(line.customer.as_str())?, false)),
        }
    }

    /// The line that records of a charge go into now that nothing makes any more.
    pub(super) fn after(&self, state: &ChargeState) -> Option<&'a ChargeLine> {
        state.charge().shares().find_map(|gone| {
            let lines = self.lines.get(&gone.owner()).into_iter().flatten();
            lines.copied().find(|line| share(&line.origins, gone.origins))
        })
    }
}

/// Refused charges that are not to be offered again: another one was frozen after them from the same dimensions, in their place. Where
/// this run makes both, they stand side by side. This follows from the ledger, whatever could be read in this run.
pub(super) fn withdrawn(pipeline: &Pipeline, state: &State, works: &[Work]) -> HashSet<ChargeId> {
    // A charge of which no usage is left has a line as well, of no origin.
    let lines = works.iter().flat_map(|work| &work.assessment.lines);
    let made: HashSet<(ChargeId, Owner<'_>)> = lines.flat_map(makes).collect();
    let mut windows: HashMap<Window, Owned<'_>> = HashMap::new();
    let mut withdrawn = HashSet::new();
    let sinks = pipeline.sinks.iter();
    for refused in sinks.flat_map(|sink| state.open_charges(&sink.plugin.name)).filter(|state| is_refused(state)) {
        let charge = refused.charge();
        let others = windows.entry(charge.key().window).or_insert_with(|| {
            let mut owned = Owned::new();
            for state in state.charges_in_all(&charge.key().window).filter(|state| !is_refused(state)) {
                for share in state.charge().shares() {
                    owned.entry(share.owner()).or_default().push((state, share));
                }
            }
            owned
        });
        let is_replaced = charge.shares().any(|own| {
            let owner = own.owner();
            let replaces = |(other, theirs): &(&ChargeState, Share<'_>)| {
                other.frozen_in() > refused.frozen_in()
                    && share(theirs.origins, own.origins)
                    && !(made.contains(&(charge.id(), owner)) && made.contains(&(other.charge().id(), owner)))
            };
            others.get(&owner).into_iter().flatten().any(replaces)
        });
        if is_replaced {
            withdrawn.insert(charge.id());
        }
    }
    withdrawn
}

/// The charge that a line of a sink is made into, with each owner of records in it.
fn makes(line: &Assessed) -> impl Iterator<Item = (ChargeId, Owner<'_>)> {
    let shares = line.shares().filter(|share| !share.origins.is_empty());
    shares.filter_map(|share| Some((line.id?, share.owner())))
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
