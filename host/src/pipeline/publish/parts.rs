//! The charges of a window for a sink that publishes sets: what usage comes to now, and of what is held, what was published last.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::config::SinkSpec;
use crate::ledger::{Entry, Hold, LedgerError, PartsDraft, Scope, SetPart, Shelf, State, encode, period_of};
use crate::model::charge::ChargeId;
use crate::model::charged::Charged;
use crate::model::window::Window;
use crate::pipeline::charges::Assessment;
use crate::pipeline::works::Work;
use crate::report::{LineState, PublicationReport, PublicationState};

/// The charges of the windows of a run, for the sinks that publish sets.
#[derive(Default)]
pub(in crate::pipeline) struct Drawn {
    /// Where they are, for the ledger.
    pub(in crate::pipeline) entries: Vec<Entry>,
    /// What is worth knowing.
    pub(in crate::pipeline) notes: Vec<String>,
    /// The months whose charges are others than readers are shown.
    pub(in crate::pipeline) months: Vec<PublicationReport>,
}

/// Draws up what was read in a run, and says of each line whether it was published so before. With `shelf`, what is new is written there;
/// without, nothing is.
///
/// # Errors
/// What was published before cannot be read, or what is new cannot be written.
pub(in crate::pipeline) fn draw(
    sinks: &[SinkSpec],
    state: &State,
    works: &mut [Work],
    shelf: &Shelf,
    dry_run: bool,
) -> Result<Drawn, LedgerError> {
    let mut drawn = Drawn::default();
    for (position, spec) in sinks.iter().enumerate().filter(|(_, spec)| spec.publishes) {
        let name = &spec.plugin.name;
        let mut draft = PartsDraft::begin(shelf);
        let mut own: Vec<&mut Work> = works.iter_mut().filter(|work| work.sink == position && work.is_read).collect();
        own.sort_by_key(|work| work.window);
        let mut changed: BTreeMap<Window, u64> = BTreeMap::new();
        let mut rows: BTreeMap<Window, u64> = BTreeMap::new();
        for work in own {
            let before = state.sets().part(name, &work.window);
            let period = state.sets().period(name, &period_of(&work.window));
            let shown = period.and_then(|period| period.shown_of(&work.window));
            let charges = charges(spec, &work.assessment, before, shelf)?;
            let encoded = encode(&charges);
            let is_same = before.is_some_and(|part| part.holds(encoded.sha256()));
            let known = match shown {
                Some(part) if part.holds(encoded.sha256()) => Known::All,
                Some(part) => {
                    Known::These(shelf.charges(part)?.into_iter().map(|charge| (charge.id, charge)).collect())
                }
                None => Known::Nothing,
            };
            known.tell(&mut work.assessment, &charges);
            if let Some(gone) = known.gone(&charges) {
                drawn.notes.push(format!("{}: {gone}", work.window.label()));
            }
            rows.insert(work.window, charges.len() as u64);
            let is_shown = match shown {
                Some(part) => part.holds(encoded.sha256()),
                None => charges.is_empty(),
            };
            if !is_shown {
                changed.insert(period_of(&work.window), 0);
            }
            if !is_same && !dry_run {
                draft.add(work.window, &encoded)?;
            }
        }
        for (period, charges) in &mut changed {
            let known = state.sets().parts_of(name, period).into_iter().map(|(window, part)| (window, part.rows));
            let mut all: BTreeMap<Window, u64> = known.collect();
            all.extend(
                rows.iter().filter(|(window, _)| period_of(window) == *period).map(|(window, rows)| (*window, *rows)),
            );
            *charges = all.values().sum();
        }
        drawn.months.extend(changed.into_iter().map(|(period, charges)| would_be(name, &period, charges)));
        let parts = draft.publish()?;
        drawn.entries.extend(parts.map(|parts| Entry::Charged { sink: name.clone(), parts }));
    }
    Ok(drawn)
}

/// A month that a run would publish.
fn would_be(sink: &str, period: &Window, charges: u64) -> PublicationReport {
    PublicationReport {
        sink: sink.to_owned(),
        period: period.label(),
        state: PublicationState::WouldPublish,
        charges,
        waits_for: None,
        id: None,
        files: None,
        bytes: None,
        totals: Vec::new(),
        pinned: None,
    }
}

/// What was published of a window before.
enum Known {
    Nothing,
    /// All of them.
    All,
    These(HashMap<ChargeId, Charged>),
}

impl Known {
    /// Says of the lines that are in the set whether they were so before.
    fn tell(&self, assessment: &mut Assessment, charges: &[Charged]) {
        let owed: HashMap<ChargeId, &Charged> = charges.iter().map(|charge| (charge.id, charge)).collect();
        let proposed: HashSet<ChargeId> = assessment.proposals.iter().map(|proposal| proposal.key.id()).collect();
        for line in &mut assessment.lines {
            let Some(charge) = line.id.filter(|id| proposed.contains(id)).and_then(|id| owed.get(&id)) else {
                continue;
            };
            let was_so = match self {
                Known::Nothing => false,
                Known::All => true,
                Known::These(before) => before.get(&charge.id) == Some(charge),
            };
            line.published = Some(if was_so { LineState::BilledBefore } else { LineState::Billed });
        }
    }

    /// That charges are not there any more, if some are not.
    fn gone(&self, charges: &[Charged]) -> Option<String> {
        let Known::These(before) = self else { return None };
        let now: HashSet<ChargeId> = charges.iter().map(|charge| charge.id).collect();
        let gone = before.keys().filter(|id| !now.contains(id)).count();
        match gone {
            0 => None,
            1 => Some("a charge that was published before is not there any more".to_owned()),
            many => Some(format!("{many} charges that were published before are not there any more")),
        }
    }
}

/// The charges of a window in their order: those that are owed, and of those that are held what was published last.
fn charges(
    spec: &SinkSpec,
    assessment: &Assessment,
    before: Option<&SetPart>,
    shelf: &Shelf,
) -> Result<Vec<Charged>, LedgerError> {
    let mut charges: BTreeMap<ChargeId, Charged> =
        assessment.proposals.iter().map(Charged::of).map(|charge| (charge.id, charge)).collect();
    let held: HashSet<ChargeId> =
        assessment.lines.iter().filter(|line| line.held.is_some()).filter_map(|line| line.id).collect();
    let is_in_doubt = !held.is_empty() || assessment.holds.iter().any(|hold| hold.scope != Scope::Record);
    if let Some(part) = before.filter(|part| part.rows > 0 && is_in_doubt) {
        let covers = Covers::of(spec, &assessment.holds);
        for charge in shelf.charges(part)? {
            if held.contains(&charge.id) || covers.holds(&charge) {
                charges.entry(charge.id).or_insert(charge);
            }
        }
    }
    let mut charges: Vec<Charged> = charges.into_values().collect();
    charges.sort_by(|left, right| left.order().cmp(&right.order()));
    Ok(charges)
}

/// What is held of a window, wider than charge by charge.
struct Covers {
    everything: bool,
    /// As the sink is told, and as the usage has them.
    customers: HashSet<String>,
}

impl Covers {
    fn of(spec: &SinkSpec, holds: &[Hold]) -> Covers {
        let mut covers = Covers { everything: false, customers: HashSet::new() };
        for hold in holds {
            match &hold.scope {
                Scope::Window => covers.everything = true,
                // What the usage calls a dimension may go out under other names.
                Scope::Customer { customer } | Scope::Dimension { customer, .. } => {
                    let payer = spec.customers.as_ref().and_then(|table| table.payer(customer));
                    covers.customers.extend(payer.map(|payer| payer.id.clone()));
                    covers.customers.insert(customer.clone());
                }
                Scope::Charge { .. } | Scope::Record => {}
            }
        }
        covers
    }

    fn holds(&self, charge: &Charged) -> bool {
        self.everything || self.customers.contains(&charge.customer)
    }
}
