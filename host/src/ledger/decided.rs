//! What people said of what is kept back. A word is about one would-be charge with one quantity, or about one hold as it was: once either
//! is another, the word is void; so it is once the object is another one that the hold lies in.

use std::collections::{BTreeSet, HashMap};

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
    /// The last one about each would-be charge, as that stood then.
    charges: HashMap<ChargeId, (Kept, Word)>,
    /// These, by the customers whose usage stood behind them.
    of: HashMap<String, BTreeSet<ChargeId>>,
    /// Those about usage that is at its end by that: what comes under the same id later is something else.
    done: Vec<(Kept, Word)>,
    /// The last one about each hold, and the version of the input that it lay in.
    holds: HashMap<Hold, (Option<String>, Word)>,
}

impl Decided {
    pub(super) fn add(&mut self, charges: Vec<Kept>, holds: Vec<(Hold, Option<String>)>, word: &Word) {
        charges.into_iter().for_each(|kept| self.insert(kept, word.clone()));
        for (hold, version) in holds {
            // What was said of an object that could not be read is no more, once there is another in its place.
            if hold.version.is_some() {
                self.holds.retain(|other, _| other.version.is_none() || other.place != hold.place);
            }
            self.holds.insert(hold, (version, word.clone()));
        }
    }

    fn insert(&mut self, kept: Kept, word: Word) {
        for customer in kept.customers() {
            self.of.entry(customer.to_owned()).or_default().insert(kept.id);
        }
        self.charges.insert(kept.id, (kept, word));
    }

    /// What the last word about a would-be charge was of is at its end.
    pub(super) fn is_done(&mut self, id: &ChargeId) {
        let Some((kept, word)) = self.charges.remove(id) else { return };
        for customer in kept.customers() {
            self.of.get_mut(customer).map(|of| of.remove(id));
        }
        self.done.push((kept, word));
    }

    /// The last word about a would-be charge, and what it came to then.
    pub(super) fn about(&self, id: &ChargeId) -> Option<(Decimal, &Word)> {
        self.charges.get(id).map(|(kept, word)| (kept.exact, word))
    }

    /// The last word about a would-be charge, as that stood then.
    pub(super) fn kept(&self, id: &ChargeId) -> Option<&(Kept, Word)> {
        self.charges.get(id)
    }

    /// The last word about each would-be charge, and about each hold.
    pub(super) fn all(&self) -> (impl Iterator<Item = (&Kept, &Word)>, impl Iterator<Item = (&Hold, &Word)>) {
        let holds = self.holds.iter().map(|(hold, (_, word))| (hold, word));
        (self.charges.values().chain(&self.done).map(|(kept, word)| (kept, word)), holds)
    }

    /// The last words about all that usage of a customer stood behind.
    pub(super) fn about_customer(&self, customer: &str) -> impl Iterator<Item = (&Kept, &Word)> {
        let ids = self.of.get(customer).into_iter().flatten();
        ids.filter_map(move |id| self.charges.get(id)).map(|(kept, word)| (kept, word))
    }

    /// Gives would-be charges the ids that follow from names that changed.
    pub(super) fn rename(&mut self, follows: &impl Fn(&Kept) -> ChargeId) {
        self.of.clear();
        for (_, (mut kept, word)) in std::mem::take(&mut self.charges) {
            kept.id = follows(&kept);
            self.insert(kept, word);
        }
    }

    /// The last word about a hold, as it is, in the version of its input that it was about.
    pub(super) fn about_hold<'a>(
        &self,
        hold: &Hold,
        versions: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Option<&Word> {
        let (then, word) = self.holds.get(hold)?;
        (*then == version(hold, versions)).then_some(word)
    }
}

/// The version of the input that a hold lies in: its ETag. None where that could not be read at all, or the hold lies in none.
pub(super) fn version<'a>(hold: &Hold, versions: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let place = hold.place.as_deref()?;
    let is_in = |key: &str| place.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "));
    // A key may begin with all of another one and a comma.
    let longest = versions.filter(|(key, _)| is_in(key)).max_by_key(|(key, _)| key.len());
    longest.map(|(_, etag)| etag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::hold::Scope;

    fn version_at(place: &str, versions: &[(&str, &str)]) -> Option<String> {
        let hold = Hold::new(Scope::Window, "quarantined", String::new());
        let hold = Hold { place: Some(place.to_owned()), ..hold };
        version(&hold, versions.iter().copied())
    }

    #[test]
    fn a_hold_lies_in_the_object_whose_whole_key_begins_its_place() {
        let versions = [("a", "1"), ("a, b", "2"), ("a, b.csv", "3")];
        assert_eq!(version_at("a, line 3", &versions).as_deref(), Some("1"));
        assert_eq!(version_at("a, b, line 3", &versions).as_deref(), Some("2"));
        assert_eq!(version_at("a, b.csv", &versions).as_deref(), Some("3"));
        assert_eq!(version_at("ab, line 3", &versions), None);
    }
}
