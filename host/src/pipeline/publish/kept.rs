//! What of a window was published last, and stays since its usage is held or a person decided about it.
//!
//! Charges go together that are made of the same customer's usage of the same dimension, or bear the same name, then or now: usage may go
//! from one to another of them, since a record, a rule or the table of customers changed, and nothing tells how much of it did. What becomes
//! of such a group of which something that was published would be less:
//!
//! | | what was published | what is new or another |
//! |---|---|---|
//! | something of it is held | stays | waits |
//! | a person left a charge as it was published that is less by now, and another is new or more | stays | waits |
//! | the window is too old to be looked at for changes | stays | is left out |
//! | anything else | goes | is published |
//!
//! So nothing is published twice, and nothing that was published is lost, whatever becomes of what is held.

use std::collections::{HashMap, HashSet};

use crate::ledger::{EVERY, Scope, State};
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
    !assessment.holds.is_empty() || assessment.lines.iter().any(|line| line.held.is_some() || is_decided(line))
}

/// The charges of a window, of which some may have been published before.
pub(super) struct WithKept {
    pub(super) charges: Vec<Charged>,
    /// Whether some stay only since the window is so old.
    pub(super) are_old: bool,
}

/// What is owed, and of `prior`, which was published last, what stays. What was published keeps its id. A window that `is_old` is not looked
/// at for changes: usage of it may be gone.
pub(super) fn with_kept(prior: &[Charged], is_old: bool, (state, sink): (&State, &str), work: &mut Work) -> WithKept {
    let window = work.window;
    // Somebody saw that nothing of it stands twice.
    let is_released =
        |line: &Assessed| line.id.is_some_and(|id| state.is_released_from(sink, &window, (&id, line.own), MOVED));
    let Stays { stays, held_back, left_out, are_old } = Stays::of(prior, is_old, &work.assessment, &is_released);
    hold_back(&mut work.assessment, &held_back);
    leave_out(&mut work.assessment, &left_out);
    let stay: HashSet<Of<'_>> = stays.iter().map(|charge| of(charge)).collect();
    let ids: HashMap<Of<'_>, &Charged> = prior.iter().map(|charge| (of(charge), charge)).collect();
    let now = owed(&work.assessment).into_iter().filter(|charge| !stay.contains(&of(charge))).map(|charge| {
        let id = ids.get(&of(&charge)).map_or(charge.id, |before| before.id);
        Charged { id, ..charge }
    });
    let charges = in_order(now.chain(stays.iter().map(|charge| (*charge).clone())).collect());
    WithKept { charges, are_old }
}

fn in_order(mut charges: Vec<Charged>) -> Vec<Charged> {
    charges.sort_by(|left, right| left.order().cmp(&right.order()));
    charges
}

/// The code of what waits for something that is held.
const MOVED: &str = "moved";

/// Holds what would take away or double what stays.
fn hold_back(assessment: &mut Assessment, keys: &HashSet<Key>) {
    const REASON: &str = "some of its usage may stand in another charge, which stays as it was published";
    assessment.proposals.retain(|proposal| !keys.contains(&proposal.key));
    for line in assessment.lines.iter_mut().filter(|line| keys.contains(&line.key)) {
        assessment.holds.push(hold(&line.key, MOVED, REASON.to_owned(), Some(line.own)));
        line.held = Some((MOVED, REASON.to_owned()));
    }
}

/// Leaves out what nobody looks for any more.
fn leave_out(assessment: &mut Assessment, keys: &HashSet<Key>) {
    assessment.proposals.retain(|proposal| !keys.contains(&proposal.key));
    for line in assessment.lines.iter_mut().filter(|line| keys.contains(&line.key)) {
        line.waived = Some("its window ended before look_back; what was published of it last stays".to_owned());
    }
}

/// Whether a person said that it stays.
fn is_decided(line: &Assessed) -> bool {
    line.waived.is_some() || line.by_hand.is_some()
}

/// Whose usage goes into it, of which dimensions.
fn usage(line: &Assessed) -> impl Iterator<Item = Usage<'_>> {
    line.shares().flat_map(|share| share.origins.iter().map(move |(from, _)| (share.customer, from.as_str())))
}

/// What stays of a window, and what has to wait for that.
#[derive(Default)]
struct Stays<'p> {
    stays: Vec<&'p Charged>,
    held_back: HashSet<Key>,
    left_out: HashSet<Key>,
    /// Whether some stay, or are left out, only since the window is so old.
    are_old: bool,
}

impl<'p> Stays<'p> {
    fn of(
        prior: &'p [Charged],
        is_old: bool,
        assessment: &Assessment,
        is_released: &dyn Fn(&Assessed) -> bool,
    ) -> Self {
        let lines: HashMap<Of<'_>, &Assessed> = assessment.lines.iter().map(|line| (of_key(&line.key), line)).collect();
        let proposed: HashMap<Of<'_>, Charged> =
            assessment.proposals.iter().map(|proposal| (of_key(&proposal.key), Charged::of(proposal))).collect();
        let before: HashMap<Of<'_>, &Charged> = prior.iter().map(|charge| (of(charge), charge)).collect();
        let held = Held::of(assessment);
        let groups = Groups::of(prior, &assessment.lines, &held);

        let mut with_holds = groups.with_usage(|usage| held.holds(usage));
        with_holds.extend(
            assessment.lines.iter().filter(|line| line.held.is_some()).map(|line| groups.group(of_key(&line.key))),
        );
        // Where something that was published would be less; and where a person left it so.
        let (mut less, mut left) = (HashSet::new(), HashSet::new());
        for charge in prior {
            let (key, group) = (of(charge), groups.group(of(charge)));
            if proposed.get(&key).is_none_or(|now| now.quantity < charge.quantity) {
                less.insert(group);
            }
            if lines.get(&key).is_some_and(|line| is_decided(line) && line.own < charge.quantity) {
                left.insert(group);
            }
        }
        let is_same =
            |key: &Of<'_>, charge: &Charged| before.get(key).is_some_and(|before| before.is_published_as(charge));
        let is_more =
            |key: &Of<'_>, charge: &Charged| before.get(key).is_none_or(|before| before.quantity < charge.quantity);
        let is_let_go = |key: &Of<'_>| lines.get(key).is_none_or(|line| is_released(line));
        let grown = proposed.iter().filter(|(key, charge)| is_more(key, charge) && !is_let_go(key));
        let grown: HashSet<usize> = grown.map(|(key, _)| groups.group(*key)).collect();
        let is_frozen = |group: usize| {
            less.contains(&group)
                && (held.everything
                    || held.anybodys
                    || with_holds.contains(&group)
                    || left.contains(&group) && grown.contains(&group))
        };
        let is_past = |group: usize| is_old && less.contains(&group) && !is_frozen(group);

        let mut found = Stays::default();
        let others = proposed.iter().filter(|(key, charge)| !is_same(key, charge) && !is_let_go(key));
        for key in others.map(|(key, _)| key) {
            let (Some(line), group) = (lines.get(key), groups.group(*key)) else { continue };
            if is_frozen(group) {
                found.held_back.insert(line.key.clone());
            } else if is_past(group) {
                found.left_out.insert(line.key.clone());
            }
        }
        let owing: HashSet<usize> = proposed.keys().map(|key| groups.group(*key)).collect();
        // What a person decided about under another name than it was published by, and by the same tags.
        let renamed =
            assessment.lines.iter().filter(|line| is_decided(line) && !before.contains_key(&of_key(&line.key)));
        let renamed: HashSet<(usize, &[(String, String)])> =
            renamed.map(|line| (groups.group(of_key(&line.key)), line.key.tags.as_slice())).collect();
        for charge in prior {
            let (key, group) = (of(charge), groups.group(of(charge)));
            let is_replaced = proposed.get(&key).is_some_and(|now| !is_same(&key, now) && is_let_go(&key));
            let stays = match lines.get(&key) {
                _ if is_frozen(group) || is_past(group) => !is_replaced,
                _ if proposed.contains_key(&key) => false,
                Some(line) => is_decided(line),
                // Nothing else is made of its usage by now.
                None => renamed.contains(&(group, charge.tags.as_slice())) && !owing.contains(&group),
            };
            if stays {
                found.are_old |= is_past(group);
                found.stays.push(charge);
            }
        }
        found
    }
}

/// What is held besides charges one by one.
#[derive(Default)]
struct Held<'a> {
    /// All of the window.
    everything: bool,
    /// A record that names nobody: whose it is, the charges that are gone may say.
    anybodys: bool,
    /// All of these customers of the usage.
    customers: HashSet<&'a str>,
    usage: HashSet<Usage<'a>>,
}

impl<'a> Held<'a> {
    fn of(assessment: &'a Assessment) -> Held<'a> {
        let mut held = Held::default();
        for hold in &assessment.holds {
            match &hold.scope {
                Scope::Window => held.everything = true,
                Scope::Record => held.anybodys = true,
                Scope::Dimension { customer, dimension } if dimension != EVERY => {
                    held.usage.insert((customer, dimension));
                }
                Scope::Customer { customer } | Scope::Dimension { customer, .. } => {
                    held.customers.insert(customer);
                }
                Scope::Charge { .. } => {}
            }
        }
        held
    }

    fn holds(&self, usage: Usage<'_>) -> bool {
        self.customers.contains(usage.0) || self.usage.contains(&usage)
    }
}

/// What charges have in common.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
enum Common<'a> {
    Name(Of<'a>),
    Usage(Usage<'a>),
}

/// Charges that go together: a number for each group.
#[derive(Default)]
struct Groups<'a> {
    numbers: HashMap<Common<'a>, usize>,
    /// What belongs to the same group as the one of this number: itself, or one before it.
    parents: Vec<usize>,
}

impl<'a> Groups<'a> {
    fn of(prior: &'a [Charged], lines: &'a [Assessed], held: &Held<'a>) -> Groups<'a> {
        let mut groups = Groups::default();
        held.usage.iter().for_each(|usage| _ = groups.number(Common::Usage(*usage)));
        prior.iter().for_each(|charge| groups.join(of(charge), charge.usage()));
        lines.iter().for_each(|line| groups.join(of_key(&line.key), usage(line)));
        // What is made of all usage of a customer.
        let numbers: Vec<_> = groups.numbers.iter().map(|(common, number)| (*common, *number)).collect();
        for (common, number) in numbers {
            if let Common::Usage((customer, _)) = common
                && let Some(every) = groups.numbers.get(&Common::Usage((customer, EVERY))).copied()
            {
                groups.unite(number, every);
            }
        }
        groups
    }

    fn join(&mut self, name: Of<'a>, usage: impl Iterator<Item = Usage<'a>>) {
        let own = self.number(Common::Name(name));
        for usage in usage {
            let other = self.number(Common::Usage(usage));
            self.unite(own, other);
        }
    }

    fn unite(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(parent) = self.parents.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }

    fn number(&mut self, common: Common<'a>) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(common).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    fn root(&self, mut number: usize) -> usize {
        while let Some(parent) = self.parents.get(number).copied().filter(|parent| *parent != number) {
            number = parent;
        }
        number
    }

    /// The group of a charge that was published, or is owed.
    fn group(&self, name: Of<'a>) -> usize {
        self.numbers.get(&Common::Name(name)).map_or(usize::MAX, |number| self.root(*number))
    }

    /// The groups with such usage.
    fn with_usage(&self, is_such: impl Fn(Usage<'a>) -> bool) -> HashSet<usize> {
        let such = self.numbers.iter().filter(|(common, _)| matches!(common, Common::Usage(usage) if is_such(*usage)));
        such.map(|(_, number)| self.root(*number)).collect()
    }
}
