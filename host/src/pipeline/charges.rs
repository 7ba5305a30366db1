//! What one sink gets out of a reading of one window, line by line.

use std::collections::{BTreeMap, HashMap, HashSet};

use meterhost_decimal::{Decimal, DecimalSum};

use super::amount::{Amount, Fate, Why};
use super::tally::Pair;
use crate::ledger::{ChargeState, Hold, Kept, Late, Scope};
use crate::model::charge::{Carried, ChargeId, Key, Part, Proposal, Share};
use crate::model::window::Window;
use crate::report::LineState;

/// What one sink gets out of a reading of one window.
#[derive(Debug, Default, Clone)]
pub(super) struct Assessment {
    /// Charges that can be frozen.
    pub(super) proposals: Vec<Proposal>,
    /// Charges that another exporter billed, as they come to now.
    pub(super) taken_over: Vec<Proposal>,
    /// Charges that a person says are billed already: why, and who says so.
    pub(super) by_hand: Vec<(Proposal, String, Option<String>)>,
    /// What is kept back.
    pub(super) holds: Vec<Hold>,
    /// Those of them that hold nothing any more, since a person released that, and stay open all the same; with that word.
    pub(super) released: Vec<(Hold, String)>,
    /// Until when the sink accepts the first of the zeros that are to be sent before that: milliseconds, UTC.
    pub(super) zeros_until: Option<i64>,
    /// Every line of this sink, for the report, and which held one stands for it.
    pub(super) lines: Vec<Assessed>,
    /// What the aggregators made of the usage, by dimension: what is known of it.
    pub(super) made: BTreeMap<String, DecimalSum>,
    /// Items by pair that were read.
    pub(super) tally: HashMap<Pair, u64>,
    /// Of a last bill of a queue: whose usage of what others than its customer owe for.
    pub(super) others: HashSet<Pair>,
    /// Items by pair that a rule left out.
    pub(super) excluded: HashMap<Pair, u64>,
    /// What each rule left out of each dimension: how many items, and what they add up to, if that has no more digits than a decimal.
    pub(super) left_out: BTreeMap<(String, String), (u64, Option<Decimal>)>,
    /// Records in quarantine.
    pub(super) quarantined: u64,
    /// Records that cannot be used, and that a person gave up.
    pub(super) waived: u64,
    /// Records that were dropped, since one like them was there.
    pub(super) duplicates: u64,
}

/// What is, or would be, one charge of this sink.
#[derive(Debug, Clone)]
pub(super) struct Assessed {
    pub(super) key: Key,
    /// None where nobody knows whom to bill: then the key names the customer as the usage does.
    pub(super) id: Option<ChargeId>,
    /// What its own window's usage comes to now.
    pub(super) own: Decimal,
    /// Whether that is known: the aggregator may be in doubt about it.
    pub(super) is_known: bool,
    /// Rounded, if it can be.
    pub(super) quantity: Decimal,
    pub(super) origins: Vec<(String, u64)>,
    /// Whether these are the records that came after its charge was frozen, and no others.
    pub(super) is_new_alone: bool,
    /// Whose usage it is, where a table says whom to bill.
    pub(super) parts: Vec<Part>,
    /// Why it is held, if it is.
    pub(super) held: Option<Why>,
    /// Whether nothing is to be sent of it, since it comes to zero.
    pub(super) zero: bool,
    /// Whether nothing is to be sent of it, and what rounding leaves over is to be written down.
    pub(super) unsent: bool,
    /// Why it is not to be billed, if a person said so.
    pub(super) waived: Option<String>,
    /// That it is billed already, as a person said, who has not been heard by a run yet.
    pub(super) by_hand: Option<String>,
    /// Whether it has no charge of its own and gets none, since the one record of its slot was frozen without it: all of it is late.
    pub(super) is_late: bool,
    /// Whether another exporter billed it before this pipeline was there.
    pub(super) taken_over: bool,
    /// What later windows took of its usage before this run.
    pub(super) carried_before: Decimal,
    /// How much of its usage was billed elsewhere after it was frozen, as a person said.
    pub(super) more_by_hand: Decimal,
    /// How usage differs by now from what was frozen for its key, if it does.
    pub(super) difference: Option<Difference>,
    /// Until when the sink accepts it, where that is known: milliseconds, UTC.
    pub(super) accepted_until: Option<i64>,
    /// Late usage of earlier windows that it is to bill.
    pub(super) carried: Vec<Carried>,
    /// The charge that it would be, where it is none: of what comes to zero and may have to be sent yet, and of late usage.
    pub(super) draft: Option<Box<Proposal>>,
    /// How it stands in a set that is published whole, if it is part of one.
    pub(super) published: Option<LineState>,
}

/// How usage differs from a frozen charge.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    /// By how much; nothing where that is not to be said.
    pub(super) quantity: Option<Decimal>,
    pub(super) place: Place,
}

/// What becomes of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// It is held, as the line says.
    Held,
    /// It is billed with this later window.
    Carried(Window),
    /// It is to be billed with this window, once that is due.
    Waits(Window),
    /// A person has seen to it.
    Settled(String),
    /// It is billed elsewhere, as a person said.
    ByHand(String),
}

impl Assessed {
    /// What would be a charge of this key.
    pub(super) fn new(key: Key, id: Option<ChargeId>, own: Decimal) -> Self {
        Assessed {
            key,
            id,
            own,
            is_known: true,
            quantity: own,
            origins: Vec::new(),
            is_new_alone: false,
            parts: Vec::new(),
            held: None,
            zero: false,
            waived: None,
            by_hand: None,
            unsent: false,
            is_late: false,
            taken_over: false,
            carried_before: Decimal::ZERO,
            more_by_hand: Decimal::ZERO,
            difference: None,
            accepted_until: None,
            carried: Vec::new(),
            draft: None,
            published: None,
        }
    }

    /// A frozen charge of which no reading speaks.
    pub(super) fn of(state: &ChargeState) -> Self {
        let charge = state.charge();
        Assessed {
            quantity: charge.quantity(),
            origins: charge.origins().to_vec(),
            parts: charge.parts().to_vec(),
            ..Assessed::new(charge.key().clone(), Some(charge.id()), charge.own().unwrap_or_else(|| charge.exact()))
        }
    }

    /// It is to be frozen with this amount.
    pub(super) fn takes(&mut self, amount: &Amount) {
        (self.quantity, self.unsent) = (amount.quantity, amount.fate == Fate::LeftOver);
    }

    /// Whose records go into it.
    pub(super) fn shares(&self) -> impl Iterator<Item = Share<'_>> {
        Share::all(&self.key, &self.origins, &self.parts)
    }

    /// The id by which a person speaks of it: the one that it has or would have, where it is known whom to bill.
    pub(super) fn handle(&self) -> ChargeId {
        self.id.unwrap_or_else(|| self.key.handle())
    }

    /// Whether usage differs from what was frozen, and that is held.
    pub(super) fn differs(&self) -> bool {
        matches!(self.difference, Some(Difference { place: Place::Held, .. }))
    }
}

impl Assessment {
    /// What is kept back, one would-be charge each.
    pub(super) fn kept(&self) -> Vec<Kept> {
        let kept = |line: &Assessed| {
            let (code, reason) = line.held.clone()?;
            let mut from: Vec<String> = line.origins.iter().map(|(dimension, _)| dimension.clone()).collect();
            from.sort_unstable();
            let of = line.parts.iter().map(|part| part.customer.clone()).collect();
            let no_payer = line.id.is_none();
            Some(Kept { from, of, no_payer, ..Kept::new(line.handle(), &line.key, line.own, code, reason) })
        };
        self.lines.iter().filter_map(kept).collect()
    }

    /// Late usage that waits for a later window.
    pub(super) fn late(&self) -> Vec<Late> {
        let waits = |line: &Assessed| match &line.difference {
            Some(Difference { quantity: Some(quantity), place: Place::Waits(_) }) => {
                let draft = line.draft.clone().filter(|_| line.is_late);
                Some(Late { id: line.id?, exact: line.own, quantity: *quantity, draft })
            }
            _ => None,
        };
        self.lines.iter().filter_map(waits).collect()
    }
}

/// That one would-be charge is held.
pub(super) fn hold(key: &Key, code: &'static str, reason: String, quantity: Option<Decimal>) -> Hold {
    let Key { product, customer, dimension, tags, .. } = key.clone();
    Hold { quantity, ..Hold::new(Scope::Charge { product, customer, dimension, tags }, code, reason) }
}
