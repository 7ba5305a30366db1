//! A frozen charge: what it says never changes.

use meterhost_decimal::Decimal;

use crate::model::charge::{Carried, ChargeId, Key, Part, Proposal, Remainder, Share};
use crate::model::service::Offer;

/// A charge that the ledger holds. Only the ledger makes one, so that nothing can be sent which is not written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub(super) id: ChargeId,
    pub(super) frozen: Box<Proposal>,
}

impl Charge {
    pub(super) fn new(id: ChargeId, frozen: Box<Proposal>) -> Self {
        Charge { id, frozen }
    }

    /// The same for ever; what follows from its key, unless something in that was renamed since.
    pub fn id(&self) -> ChargeId {
        self.id
    }

    /// What makes it this one.
    pub fn key(&self) -> &Key {
        &self.frozen.key
    }

    /// In short: `2025-06: 2 of cpu for acme`.
    pub fn words(&self) -> String {
        let Key { window, customer, dimension, .. } = self.key();
        format!("{}: {} of {dimension} for {customer}", window.label(), self.quantity())
    }

    /// How many records went into it.
    pub fn records(&self) -> u64 {
        self.frozen.origins.iter().map(|(_, records)| records).sum()
    }

    /// The section that computed it.
    pub fn aggregator(&self) -> &str {
        &self.frozen.aggregator
    }

    /// As the aggregator computed it.
    pub fn exact(&self) -> Decimal {
        self.frozen.exact
    }

    /// What its own window's usage came to, before rounding; nothing where that has too many digits.
    pub fn own(&self) -> Option<Decimal> {
        self.frozen.own()
    }

    /// Late usage of earlier windows that is part of it.
    pub fn carried(&self) -> &[Carried] {
        &self.frozen.carried
    }

    /// What rounding took over from the charge before, and left to the next.
    pub fn remainder(&self) -> Option<Remainder> {
        self.frozen.remainder
    }

    /// What is sent.
    pub fn quantity(&self) -> Decimal {
        self.frozen.quantity
    }

    /// The usage's time as it is told to the service: milliseconds, UTC.
    pub fn time(&self) -> i64 {
        self.frozen.time
    }

    /// The input's dimensions that it is made from, and how many records of each.
    pub fn origins(&self) -> &[(String, u64)] {
        &self.frozen.origins
    }

    /// Whose usage stands behind it, where that is not its own customer's alone.
    pub fn parts(&self) -> &[Part] {
        &self.frozen.parts
    }

    /// Whose records went into it.
    pub fn shares(&self) -> impl Iterator<Item = Share<'_>> {
        Share::all(&self.frozen.key, &self.frozen.origins, &self.frozen.parts)
    }

    /// What a sink is handed of it.
    pub fn offer(&self) -> Offer {
        self.frozen.offer(self.id)
    }

    /// Not part of its identity.
    pub fn attributes(&self) -> &[(String, String)] {
        &self.frozen.attributes
    }
}
