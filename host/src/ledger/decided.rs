//! What people said of what is kept back. A word is about one would-be charge with one quantity, or about one hold as it was: once either
//! is another, the word is void.

use std::collections::HashMap;

use meterhost_decimal::Decimal;

use super::entry::Decision;
use super::hold::{Hold, Kept};
use super::standing::person;
use crate::model::charge::ChargeId;

/// A person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What is to become of it.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// Who, where that is known.
    pub by: Option<String>,
}

impl Word {
    /// For a person: `waived by a person (kim): a test account`.
    pub fn words(&self) -> String {
        format!("{} by {}: {}", self.decision.past(), person(self.by.as_deref()), self.reason)
    }
}

/// The words about one window of one sink.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Decided {
    /// The last one about each would-be charge, and what that came to.
    charges: HashMap<ChargeId, (Decimal, Word)>,
    /// The last one about each hold.
    holds: Vec<(Hold, Word)>,
}

impl Decided {
    pub(super) fn add(&mut self, charges: Vec<Kept>, holds: Vec<Hold>, word: &Word) {
        self.charges.extend(charges.into_iter().map(|kept| (kept.id, (kept.exact, word.clone()))));
        self.holds.retain(|(known, _)| !holds.contains(known));
        self.holds.extend(holds.into_iter().map(|hold| (hold, word.clone())));
    }

    /// The last word about a would-be charge, and what it came to then.
    pub(super) fn about(&self, id: &ChargeId) -> Option<(Decimal, &Word)> {
        self.charges.get(id).map(|(exact, word)| (*exact, word))
    }

    /// The last word about a hold, as it is.
    pub(super) fn about_hold(&self, hold: &Hold) -> Option<&Word> {
        self.holds.iter().find(|(known, _)| known == hold).map(|(_, word)| word)
    }
}
