//! What was frozen of a window's usage, wherever it was billed, and what is left of rounding.

use std::collections::{BTreeSet, HashSet};

use meterhost_decimal::Decimal;

use super::charge::ChargeState;
use super::decided::Word;
use super::entry::{Decision, InputSeen};
use super::fold_error::FoldError;
use super::hold::{Hold, Kept, Late};
use super::state::State;
use crate::model::charge::{ChargeId, Key, Lane, Proposal};
use crate::model::window::Window;

/// What people gave up of a window, and their words.
#[derive(Debug, Default)]
pub struct GivenUp<'a> {
    /// Would-be charges of which nothing is frozen or kept back, by customer and dimension.
    pub charges: Vec<(&'a Kept, &'a Word)>,
    /// What held something, by its place.
    pub holds: Vec<(&'a Hold, &'a Word)>,
}

/// What is not at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Charges that are open.
    pub open: usize,
    /// What is kept back.
    pub holds: usize,
    /// Charges with late usage that a later window is to take.
    pub late: usize,
}

impl Owed {
    /// Whether all is at its end.
    pub fn is_nothing(self) -> bool {
        let Owed { open, holds, late } = self;
        [open, holds, late] == [0, 0, 0]
    }

    /// For a person: `2 charges open, 1 hold`.
    pub fn words(self) -> String {
        let count = |number: usize, one: &str, many: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{number} {many}")),
        };
        let parts = [
            count(self.open, "charge open", "charges open"),
            count(self.holds, "hold", "holds"),
            count(self.late, "charge with late usage to be billed", "charges with late usage to be billed"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl State {
    /// What of a charge's own window is frozen: with the charge itself, and with those of later windows that took late usage of it; and
    /// what a person billed of it by hand. Nothing where there is no such charge, or that has too many digits.
    pub fn frozen_of(&self, id: &ChargeId) -> Option<Decimal> {
        let charge = self.charge(id)?.charge();
        charge.own()?.checked_add(self.carried_from(&charge.id()))?.checked_add(self.more_by_hand(&charge.id()))
    }

    /// What of a key's usage is frozen that has no charge of its own in its window, since its slot was frozen without it: with the
    /// charges of later windows, and by hand.
    pub fn frozen_elsewhere(&self, id: &ChargeId) -> Option<Decimal> {
        self.carried_from(id).checked_add(self.more_by_hand(id))
    }

    /// The keys of a window that have no charge of their own, and of which later windows took late usage.
    pub fn without_charge(&self, sink: &str, window: &Window) -> impl Iterator<Item = &Key> {
        let keys = self.window(sink, window).into_iter().flat_map(|known| &known.elsewhere);
        keys.filter(|key| self.charge(&key.id()).is_none())
    }

    /// The charges of later windows that took late usage of a key's window.
    pub fn carriers<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = &'a ChargeState> {
        let later = (std::ops::Bound::Excluded(key.window), std::ops::Bound::Unbounded);
        let windows = self.sinks.get(&key.sink).into_iter().flat_map(move |windows| windows.range(later));
        let charges = windows.filter_map(|(window, _)| self.charge(&Key { window: *window, ..key.clone() }.id()));
        charges.filter(|charge| charge.charge().carried().iter().any(|carried| carried.window == key.window))
    }

    /// How much more of a charge's usage was billed elsewhere, after it was frozen, as a person said.
    pub fn more_by_hand(&self, id: &ChargeId) -> Decimal {
        self.by_hand.get(&self.known_as(*id)).copied().unwrap_or(Decimal::ZERO)
    }

    /// What later windows took of the late usage of a charge.
    pub fn carried_from(&self, id: &ChargeId) -> Decimal {
        self.carried.get(&self.known_as(*id)).copied().unwrap_or(Decimal::ZERO)
    }

    /// What rounding left over last.
    pub fn remainder(&self, lane: &Lane) -> Decimal {
        self.remainders.get(lane).copied().unwrap_or(Decimal::ZERO)
    }

    /// All that rounding has left over and nothing has billed yet, ascending.
    pub fn remainders(&self) -> Vec<(&Lane, Decimal)> {
        let left = self.remainders.iter().filter(|(_, left)| !left.is_zero());
        let mut left: Vec<(&Lane, Decimal)> = left.map(|(lane, left)| (lane, *left)).collect();
        left.sort_unstable();
        left
    }

    /// Inputs that charges of a window were frozen from, and that were not there when it was read last.
    pub fn gone_inputs(&self, window: &Window) -> impl Iterator<Item = &str> {
        self.gone.get(window).into_iter().flatten().map(String::as_str)
    }

    /// The last word of a person about a would-be charge, and what it came to then.
    pub fn decided(&self, sink: &str, window: &Window, id: &ChargeId) -> Option<(Decimal, &Word)> {
        self.window(sink, window)?.decided.about(id)
    }

    /// Whether a person released a would-be charge that was held for this reason and came to this.
    pub fn is_released_from(&self, sink: &str, window: &Window, (id, exact): (&ChargeId, Decimal), code: &str) -> bool {
        let said = self.window(sink, window).and_then(|known| known.decided.kept(id));
        said.is_some_and(|(kept, word)| word.decision == Decision::Release && kept.exact == exact && kept.code == code)
    }

    /// What people gave up of a window, as far as that stands. Of a sink that publishes sets that is also what is billed by hand: no charge
    /// is written down for it.
    pub fn given_up(&self, sink: &str, window: &Window) -> GivenUp<'_> {
        let Some(known) = self.window(sink, window) else { return GivenUp::default() };
        let (charges, holds) = known.decided.all();
        let is_waived = |word: &Word| word.decision == Decision::Waive;
        let held: HashSet<&ChargeId> = known.kept.iter().map(|kept| &kept.id).collect();
        let is_billed_by_hand = |word: &Word| word.decision == Decision::Billed && self.publishes(sink);
        let is_given_up = |word: &Word| is_waived(word) || is_billed_by_hand(word);
        let charges = charges
            .filter(|(kept, word)| is_given_up(word) && !held.contains(&kept.id) && self.charge(&kept.id).is_none());
        let stands = |hold: &Hold| known.decided.about_hold(hold, self.versions(window)).is_some();
        let holds = holds.filter(|(hold, word)| is_waived(word) && stands(hold) && !known.holds.contains(hold));
        let (mut charges, mut holds): (Vec<_>, Vec<_>) = (charges.collect(), holds.collect());
        charges.sort_by(|(left, _), (right, _)| {
            (&left.customer, &left.dimension, left.id).cmp(&(&right.customer, &right.dimension, right.id))
        });
        holds.sort_by(|(left, _), (right, _)| (&left.place, &left.reason).cmp(&(&right.place, &right.reason)));
        GivenUp { charges, holds }
    }

    /// The last words of people about all that usage of a customer stood behind, as that was then.
    pub fn decided_of<'a>(
        &'a self,
        sink: &str,
        window: &Window,
        customer: &'a str,
    ) -> impl Iterator<Item = (&'a Kept, &'a Word)> {
        self.window(sink, window).into_iter().flat_map(|known| known.decided.about_customer(customer))
    }

    /// The last word of a person about a hold, as it is; `versions` are the keys and ETags of the window's inputs as they stand.
    pub fn answered<'a>(
        &self,
        sink: &str,
        window: &Window,
        hold: &Hold,
        versions: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Option<&Word> {
        self.window(sink, window)?.decided.about_hold(hold, versions)
    }

    /// The inputs of a window, as they stood when it was read last.
    pub(super) fn versions(&self, window: &Window) -> impl Iterator<Item = (&str, &str)> {
        let inputs = self.inputs.get(window).into_iter().flatten();
        inputs.map(|input| (input.key.as_str(), input.etag.as_str()))
    }

    /// Until when a customer was billed for a window before it was over: milliseconds, UTC.
    pub fn final_until(&self, sink: &str, window: &Window, customer: &str) -> Option<i64> {
        self.window(sink, window)?.finals.get(customer).copied()
    }

    /// The window of a customer's last bill at a sink, if there was one: the latest.
    pub fn last_billed(&self, sink: &str, customer: &str) -> Option<Window> {
        let windows = self.sinks.get(sink).into_iter().flatten().rev();
        windows.into_iter().find(|(_, known)| known.finals.contains_key(customer)).map(|(window, _)| *window)
    }

    /// Whether a run whose entries are lost may have billed late usage of the one window, and surely not with the other.
    pub fn may_be_carried_elsewhere(&self, from: &Window, to: &Window) -> bool {
        self.lost.is_some_and(|lost| lost.may_have_carried(from, to) && !lost.covers(to))
    }

    /// Late usage that a later window is to take, for a sink: by window, ascending.
    pub fn waiting(&self, sink: &str) -> impl Iterator<Item = (&Window, &Late)> {
        let windows = self.sinks.get(sink).into_iter().flatten();
        windows.flat_map(|(window, known)| known.late.iter().map(move |late| (window, late)))
    }

    /// Takes a person's word for it that what frozen charges differ by is billed: by usage up to what they come to.
    pub(super) fn billed_by_hand(&mut self, kept: &[Kept]) {
        for Kept { id, exact, .. } in kept {
            let is_elsewhere = !self.carried_from(id).is_zero();
            let frozen = self.frozen_of(id).or_else(|| self.frozen_elsewhere(id).filter(|_| is_elsewhere));
            let more = frozen.and_then(|frozen| exact.checked_sub(frozen));
            // Of less, there is nothing to be billed.
            if let Some(more) = more.filter(|more| !more.is_negative()) {
                let sum = self.more_by_hand(id).checked_add(more);
                self.by_hand.extend(sum.map(|sum| (self.known_as(*id), sum)));
            }
        }
    }

    /// What a sink has not brought to its end.
    pub fn owed_by(&self, sink: &str) -> Owed {
        let known = self.sinks.get(sink).into_iter().flatten();
        let (holds, late) =
            known.fold((0, 0), |(holds, late), (_, known)| (holds + known.holds.len(), late + known.late.len()));
        Owed { open: self.open_charges(sink).len(), holds, late }
    }

    /// Replaces what a window is made of.
    pub(super) fn made_of(&mut self, window: Window, inputs: Vec<InputSeen>) {
        let before = self.inputs.insert(window, inputs);
        let has_charges =
            self.sinks.values().filter_map(|windows| windows.get(&window)).any(|known| !known.charges.is_empty());
        if !has_charges {
            return;
        }
        let there: BTreeSet<&str> =
            self.inputs.get(&window).into_iter().flatten().map(|input| input.key.as_str()).collect();
        let gone = self.gone.entry(window).or_default();
        gone.extend(before.into_iter().flatten().map(|input| input.key));
        gone.retain(|key| !there.contains(key.as_str()));
        if gone.is_empty() {
            self.gone.remove(&window);
        }
    }

    /// What a charge that was refused took, before it is made anew: late usage of earlier windows, and what was left over, as far as
    /// nothing was billed of that since.
    pub(super) fn give_back(&mut self, proposal: &Proposal) {
        for carried in &proposal.carried {
            let origin = self.known_as(Key { window: carried.window, ..proposal.key.clone() }.id());
            let left = self.carried_from(&origin).checked_sub(carried.quantity);
            self.carried.extend(left.map(|left| (origin, left)));
        }
        let lane = proposal.key.lane();
        if let Some(left) = self.remainder_without(proposal) {
            self.remainders.insert(lane, left);
        }
    }

    /// What would be left over on its lane, if a charge that was refused had never been frozen. Nothing where it left nothing over, or
    /// where what it left over is billed.
    pub fn remainder_without_refused(&self, charge: &ChargeState) -> Option<Decimal> {
        self.remainder_without(&charge.charge().frozen)
    }

    fn remainder_without(&self, proposal: &Proposal) -> Option<Decimal> {
        proposal.gives_back(self.remainder(&proposal.key.lane()))
    }

    /// Takes from earlier windows what a charge that is about to be frozen carries, and from its lane what was left over.
    pub(super) fn take_in(&mut self, proposal: &Proposal) -> Result<(), FoldError> {
        let key = &proposal.key;
        let impossible = |why| Err(FoldError::Impossible(key.id(), why));
        if !proposal.adds_up() || proposal.own().is_none_or(Decimal::is_negative) {
            return impossible("its quantity does not follow from what it comes to");
        }
        for carried in &proposal.carried {
            if carried.window >= key.window || carried.quantity.is_negative() || carried.quantity.is_zero() {
                return impossible("it carries what is no late usage");
            }
            let from = Key { window: carried.window, ..key.clone() };
            let origin = self.known_as(from.id());
            // Of a key that was never frozen, only what was frozen in its slot makes usage late.
            let has_charge = self.charges.contains_key(&origin);
            if !has_charge && !self.beside(&from).any(ChargeState::takes_slot) {
                return impossible("it carries usage of a charge that was never frozen, and nothing was in its place");
            }
            let sum = self.carried.entry(origin).or_default();
            match sum.checked_add(carried.quantity) {
                Some(more) => *sum = more,
                None => return impossible("what it carries has too many digits"),
            }
            let known = self.sinks.get_mut(&key.sink).and_then(|windows| windows.get_mut(&carried.window));
            if let Some(known) = known {
                known.late.retain(|late| late.id != origin);
                if !has_charge && !known.elsewhere.contains(&from) {
                    known.elsewhere.push(from);
                }
            }
        }
        if let Some(remainder) = &proposal.remainder {
            let lane = key.lane();
            if self.remainder(&lane) != remainder.before {
                return impossible("it takes over another remainder than there is");
            }
            self.remainders.insert(lane, remainder.after);
        }
        match proposal.unsent {
            true if !proposal.quantity.is_zero() => impossible("it is not sent, and does not come to zero"),
            _ => Ok(()),
        }
    }
}
