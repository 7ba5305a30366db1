//! What of a window was published last, and stays since its usage is held or a person decided about it.
//!
//! A charge that stays may be made of usage that goes into another charge by now, since a table or a rule changed: that one is held, too.
//! So nothing is published twice, whatever becomes of what is held.

use std::collections::{HashMap, HashSet};

use crate::ledger::{Decision, EVERY, Scope, State};
use crate::model::charge::Key;
use crate::model::charged::Charged;
use crate::pipeline::charges::{Assessed, Assessment, hold};
use crate::pipeline::works::Work;

/// What tells the charges of a window from each other. A sink that was renamed has other ids.
pub(super) type Of<'a> = (&'a str, &'a str, &'a str, &'a [(String, String)]);

/// A customer of the usage, and a dimension of theirs.
type Usage<'a> = (&'a str, &'a str);

pub(super) fn of(charge: &Charged) -> Of<'_> {
    (&charge.product, &charge.customer, &charge.dimension, &charge.tags)
}

pub(super) fn of_key(key: &Key) -> Of<'_> {
    (&key.product, &key.customer, &key.dimension, &key.tags)
}

/// What is owed, in the order of sets.
pub(super) fn owed(assessment: &Assessment) -> Vec<Charged> {
    in_order(assessment.proposals.iter().map(Charged::of).collect())
}

/// Whether anything of what was published last may have to stay.
pub(super) fn keeps(assessment: &Assessment) -> bool {
    !assessment.holds.is_empty() || assessment.lines.iter().any(is_kept)
}

/// What is owed, and of `prior`, which was published last, what stays. What was published keeps its id.
pub(super) fn with_kept(prior: &[Charged], (state, sink): (&State, &str), work: &mut Work) -> Vec<Charged> {
    let window = work.window;
    // Somebody may have seen that nothing of it stands twice.
    let is_released = |line: &Assessed| {
        let said = line.id.and_then(|id| state.decided(sink, &window, &id));
        said.is_some_and(|(exact, word)| exact == line.own && word.decision == Decision::Release)
    };
    let stays = loop {
        let assessment = &work.assessment;
        let kept = Kept::of(assessment);
        let owed: HashSet<Of<'_>> = assessment.proposals.iter().map(|proposal| of_key(&proposal.key)).collect();
        let stays: Vec<&Charged> =
            prior.iter().filter(|charge| !owed.contains(&of(charge)) && kept.holds(charge)).collect();
        let stand = kept.stand_elsewhere(&stays);
        let goes_twice = |line: &&Assessed| {
            owed.contains(&of_key(&line.key)) && line.held.is_none() && usage(line).any(|usage| stand.holds(usage))
        };
        let twice: HashSet<Key> = assessment
            .lines
            .iter()
            .filter(goes_twice)
            .filter(|line| !is_released(line))
            .map(|line| line.key.clone())
            .collect();
        if twice.is_empty() {
            break stays;
        }
        hold_back(&mut work.assessment, &twice);
    };
    let ids: HashMap<Of<'_>, &Charged> = prior.iter().map(|charge| (of(charge), charge)).collect();
    let now = work.assessment.proposals.iter().map(|proposal| {
        let charge = Charged::of(proposal);
        let id = ids.get(&of(&charge)).map_or(charge.id, |before| before.id);
        Charged { id, ..charge }
    });
    in_order(now.chain(stays.into_iter().cloned()).collect())
}

fn in_order(mut charges: Vec<Charged>) -> Vec<Charged> {
    charges.sort_by(|left, right| left.order().cmp(&right.order()));
    charges
}

/// Holds what would be published twice in part.
fn hold_back(assessment: &mut Assessment, keys: &HashSet<Key>) {
    const REASON: &str = "some of its usage stands in another charge that was published before, and that is held";
    assessment.proposals.retain(|proposal| !keys.contains(&proposal.key));
    for line in assessment.lines.iter_mut().filter(|line| keys.contains(&line.key)) {
        assessment.holds.push(hold(&line.key, "moved", REASON.to_owned(), Some(line.own)));
        line.held = Some(("moved", REASON.to_owned()));
    }
}

/// Whether what was published of it stays as it was.
fn is_kept(line: &Assessed) -> bool {
    line.held.is_some() || line.waived.is_some() || line.by_hand.is_some()
}

/// Whose usage goes into it, of which dimensions.
fn usage(line: &Assessed) -> impl Iterator<Item = Usage<'_>> {
    line.shares().flat_map(|share| share.origins.iter().map(move |(from, _)| (share.customer, from.as_str())))
}

/// Of which charges what was published last stays.
#[derive(Default)]
struct Kept<'a> {
    /// Whether all of them.
    everything: bool,
    /// Customers of the usage of whom all is held.
    customers: HashSet<&'a str>,
    usage: Usages<'a>,
    /// Charges that are held one by one, or that a person decided about, and what they are made of now.
    charges: HashMap<Of<'a>, HashSet<Usage<'a>>>,
}

impl<'a> Kept<'a> {
    fn of(assessment: &'a Assessment) -> Kept<'a> {
        let mut kept = Kept::default();
        for hold in &assessment.holds {
            match &hold.scope {
                // Whose a record is that names nobody, the charges that are gone may say.
                Scope::Window | Scope::Record => kept.everything = true,
                Scope::Customer { customer } => _ = kept.customers.insert(customer),
                Scope::Dimension { customer, dimension } => kept.usage.add((customer, dimension)),
                Scope::Charge { .. } => {}
            }
        }
        for line in assessment.lines.iter().filter(|line| is_kept(line)) {
            // To whom it was billed before, under which name, only the usage says.
            usage(line).for_each(|usage| kept.usage.add(usage));
            kept.charges.entry(of_key(&line.key)).or_default().extend(usage(line));
        }
        kept
    }

    fn holds(&self, charge: &Charged) -> bool {
        let is_held = |usage: Usage<'_>| self.customers.contains(usage.0) || self.usage.holds(usage);
        self.everything || self.charges.contains_key(&of(charge)) || charge.usage().any(is_held)
    }

    /// The usage in charges that stay, as far as it does not go into them any more.
    fn stand_elsewhere<'c>(&self, stays: &[&'c Charged]) -> Usages<'c> {
        let mut stand = Usages::default();
        for charge in stays {
            let own = self.charges.get(&of(charge));
            charge
                .usage()
                .filter(|usage| own.is_none_or(|own| !own.contains(usage)))
                .for_each(|usage| stand.add(usage));
        }
        stand
    }
}

/// Usage by its customers: of which dimensions.
#[derive(Default)]
struct Usages<'a>(HashMap<&'a str, HashSet<&'a str>>);

impl<'a> Usages<'a> {
    fn add(&mut self, (customer, dimension): Usage<'a>) {
        self.0.entry(customer).or_default().insert(dimension);
    }

    fn holds(&self, (customer, dimension): Usage<'_>) -> bool {
        let own = self.0.get(customer);
        own.is_some_and(|own| dimension == EVERY || own.contains(dimension) || own.contains(EVERY))
    }
}
