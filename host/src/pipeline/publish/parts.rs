//! The charges of a window for a sink that publishes sets: what usage comes to now, and of what is held, what was published last.

use std::collections::{HashMap, HashSet};

use crate::config::SinkSpec;
use crate::ledger::{EVERY, Entry, LedgerError, PartsDraft, Scope, SetPart, Shelf, State, encode, period_of};
use crate::model::charge::{ChargeId, Key};
use crate::model::charged::{Charged, Source};
use crate::pipeline::charges::{Assessed, Assessment};
use crate::pipeline::works::Work;
use crate::report::LineState;

/// The charges of the windows of a run, for the sinks that publish sets.
#[derive(Default)]
pub(in crate::pipeline) struct Drawn {
    /// Where they are, for the ledger.
    pub(in crate::pipeline) entries: Vec<Entry>,
    /// What is worth knowing.
    pub(in crate::pipeline) notes: Vec<String>,
}

/// Draws up what was read in a run, and says of each line whether it was published so before. What is new is written to the shelf; in a dry
/// run nothing is, and the entries are about parts that nobody can read.
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
        let made = &spec.made;
        let mut draft = if dry_run { PartsDraft::sketch(shelf, made) } else { PartsDraft::begin(shelf, made) };
        let mut own: Vec<&mut Work> = works.iter_mut().filter(|work| work.sink == position && work.is_read).collect();
        own.sort_by_key(|work| work.window);
        for work in own {
            let before = state.sets().part(name, &work.window);
            let period = state.sets().period(name, &period_of(&work.window));
            let shown = period.and_then(|period| period.shown_of(&work.window));
            let charges = charges(spec, &work.assessment, before, shelf)?;
            let encoded = encode(&charges);
            let is_same = before.is_some_and(|part| part.holds(encoded.contents()) && *part.made == *spec.made);
            let known = match shown {
                Some(part) if part.holds(encoded.contents()) => Known::All,
                Some(part) => {
                    Known::These(shelf.charges(part)?.into_iter().map(|charge| (charge.id, charge)).collect())
                }
                None => Known::Nothing,
            };
            known.tell(&mut work.assessment, &charges);
            if let Some(gone) = known.gone(&charges) {
                drawn.notes.push(format!("{}: {gone}", work.window.label()));
            }
            if !is_same {
                draft.add(work.window, &encoded)?;
            }
        }
        let parts = draft.publish()?;
        drawn.entries.extend(parts.map(|parts| Entry::Charged { sink: name.clone(), parts }));
    }
    Ok(drawn)
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

/// The charges of a window in their order: those that are owed, and of those that are held, or that a person decided about, what was
/// published last.
fn charges(
    spec: &SinkSpec,
    assessment: &Assessment,
    before: Option<&SetPart>,
    shelf: &Shelf,
) -> Result<Vec<Charged>, LedgerError> {
    let mut charges: Vec<Charged> = assessment.proposals.iter().map(Charged::of).collect();
    let kept = Kept::of(spec, assessment);
    if let Some(part) = before.filter(|part| part.rows > 0 && !kept.is_nothing()) {
        // By what they are of, since a sink that was renamed has other ids.
        let owed: HashSet<Of<'_>> = assessment.proposals.iter().map(|proposal| of_key(&proposal.key)).collect();
        let again = shelf.charges(part)?.into_iter().filter(|charge| !owed.contains(&of(charge)) && kept.holds(charge));
        charges.extend(again);
    }
    charges.sort_by(|left, right| left.order().cmp(&right.order()));
    Ok(charges)
}

/// What tells the charges of a window from each other.
type Of<'a> = (&'a str, &'a str, &'a str, &'a [(String, String)]);

fn of(charge: &Charged) -> Of<'_> {
    (&charge.product, &charge.customer, &charge.dimension, &charge.tags)
}

fn of_key(key: &Key) -> Of<'_> {
    (&key.product, &key.customer, &key.dimension, &key.tags)
}

/// Of which charges what was published last stays.
struct Kept<'a> {
    everything: bool,
    /// Customers of the usage of whom all is held.
    customers: HashSet<&'a str>,
    /// Their dimensions of which something is.
    dimensions: HashSet<(&'a str, &'a str)>,
    /// Charges that are held one by one, or that a person decided about.
    charges: HashSet<Of<'a>>,
}

impl<'a> Kept<'a> {
    fn of(spec: &SinkSpec, assessment: &'a Assessment) -> Kept<'a> {
        let mut kept =
            Kept { everything: false, customers: HashSet::new(), dimensions: HashSet::new(), charges: HashSet::new() };
        for hold in &assessment.holds {
            match &hold.scope {
                Scope::Window => kept.everything = true,
                Scope::Customer { customer } => _ = kept.customers.insert(customer),
                Scope::Dimension { customer, dimension } => _ = kept.dimensions.insert((customer, dimension)),
                Scope::Charge { .. } | Scope::Record => {}
            }
        }
        let is_kept = |line: &&Assessed| line.held.is_some() || line.waived.is_some() || line.by_hand.is_some();
        for line in assessment.lines.iter().filter(is_kept) {
            kept.charges.insert(of_key(&line.key));
            // Whom it was billed to before the table lost them, the usage does not say.
            if line.id.is_none() && spec.customers.is_some() {
                let shares = line
                    .shares()
                    .flat_map(|share| share.origins.iter().map(move |(from, _)| (share.customer, from.as_str())));
                kept.dimensions.extend(shares);
            }
        }
        kept
    }

    fn is_nothing(&self) -> bool {
        !self.everything && self.customers.is_empty() && self.dimensions.is_empty() && self.charges.is_empty()
    }

    fn holds(&self, charge: &Charged) -> bool {
        let is_held = |(customer, from): &Source| {
            let customer = customer.as_str();
            let mut own =
                self.dimensions.iter().filter(|(whose, _)| *whose == customer).map(|(_, dimension)| *dimension);
            self.customers.contains(customer)
                || own.any(|dimension| from.iter().any(|from| from == dimension || from == EVERY))
        };
        self.everything || self.charges.contains(&of(charge)) || charge.sources.iter().any(is_held)
    }
}
