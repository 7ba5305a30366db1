//! What cannot be read or used, and whose charges that puts in doubt.

use std::collections::HashMap;

use super::dedupe::Conflict;
use super::gathered::Reading;
use crate::ledger::{EVERY, Hold, Scope};
use crate::model::lines::ChargeLine;

/// What the reading's unusable parts put in doubt.
pub(super) struct Doubts {
    /// Something about the whole window.
    window: Option<String>,
    /// Customers of which a record without a dimension is unusable.
    customers: HashMap<String, String>,
    /// Customers' dimensions (of the input) of which a record is unusable, or two differ under one id.
    dimensions: HashMap<(String, String), String>,
    /// Each with how many records it stands for.
    holds: Vec<(Hold, u64)>,
}

impl Doubts {
    /// Of what was read, but for what a person gave up.
    pub(super) fn of(reading: &Reading, is_given_up: &dyn Fn(&Hold) -> bool) -> Self {
        let mut doubts =
            Doubts { window: None, customers: HashMap::new(), dimensions: HashMap::new(), holds: Vec::new() };
        for found in &reading.unreadable {
            let reason = format!("{}: {}", found.input, found.reason);
            let (place, version) = (Some(found.input.clone()), found.etag.clone());
            let hold = Hold { place, version, ..Hold::new(Scope::Window, "unreadable", found.reason.clone()) };
            if !is_given_up(&hold) {
                doubts.window.get_or_insert(format!("{reason}; nobody knows whose usage is in it"));
            }
            doubts.holds.push((hold, 0));
        }
        for record in &reading.quarantined {
            // Where it speaks for many, the others stand beside it with their places.
            let place = match (record.input.as_str(), record.place.as_str()) {
                ("", _) => None,
                (input, "") => Some(input.to_owned()),
                (input, place) => Some(format!("{input}, {place}")),
            };
            let reason = match &place {
                Some(place) => format!("{place}: {}", record.reason),
                None => record.reason.clone(),
            };
            let scope = match (record.customer.clone(), record.dimension.clone()) {
                (Some(customer), Some(dimension)) => Scope::Dimension { customer, dimension },
                (Some(customer), None) => Scope::Customer { customer },
                (None, _) => Scope::Record,
            };
            let hold = Hold { place, ..Hold::new(scope, "quarantined", record.reason.clone()) };
            if !is_given_up(&hold) {
                doubts.add(&hold.scope, reason);
            }
            doubts.holds.push((hold, record.records));
        }
        for conflict in &reading.conflicts {
            let Conflict { customer, dimension, .. } = conflict;
            let reason = conflict.words();
            let scope = Scope::Dimension { customer: customer.clone(), dimension: dimension.clone() };
            let hold = Hold::new(scope, "conflict", reason);
            if !is_given_up(&hold) {
                doubts.add(&hold.scope, hold.reason.clone());
            }
            doubts.holds.push((hold, 0));
        }
        doubts
    }

    /// The first doubt of a scope is told.
    fn add(&mut self, scope: &Scope, reason: String) {
        match scope.clone() {
            Scope::Dimension { customer, dimension } => {
                self.dimensions.entry((customer, dimension)).or_insert(reason);
            }
            Scope::Customer { customer } => {
                self.customers.entry(customer).or_insert(reason);
            }
            Scope::Window | Scope::Charge { .. } | Scope::Record => {}
        }
    }

    /// Why a charge of a customer, made from these dimensions of the input, is in doubt, if it is.
    pub(super) fn about(&self, customer: &str, origins: &[(String, u64)]) -> Option<String> {
        if let Some(reason) = self.window.as_ref().or_else(|| self.customers.get(customer)) {
            return Some(reason.clone());
        }
        // A line that looks at every dimension cannot name one of which no record came.
        if origins.iter().any(|(dimension, _)| dimension == EVERY) {
            let doubted = self.dimensions.iter().filter(|((whose, _), _)| whose == customer);
            // Of several it does not matter which is told, but that it is always the same.
            return doubted.min().map(|(_, reason)| reason.clone());
        }
        origins
            .iter()
            .find_map(|(dimension, _)| self.dimensions.get(&(customer.to_owned(), dimension.clone())))
            .cloned()
    }

    /// Whether they concern everybody: nobody knows whose usage is in doubt.
    pub(super) fn about_everybody(&self) -> bool {
        self.window.is_some()
    }

    /// The customers of whom something is in doubt, each once or more.
    pub(super) fn doubted(&self) -> impl Iterator<Item = &str> {
        let by_dimension = self.dimensions.keys().map(|(customer, _)| customer.as_str());
        self.customers.keys().map(String::as_str).chain(by_dimension)
    }

    /// The holds that concern a sink, each with the records that it stands for: all but those about a dimension that only other sinks take.
    pub(super) fn holds(&self, lines: &[(usize, ChargeLine)], takes: &dyn Fn(&str) -> bool) -> Vec<&(Hold, u64)> {
        // By customer and dimension of the input: whether some charge that is made from it goes to this sink.
        let mut made: HashMap<(&str, &str), bool> = HashMap::new();
        let mut of_every: HashMap<&str, bool> = HashMap::new();
        for (_, line) in lines {
            for (from, _) in &line.origins {
                *made.entry((&line.customer, from)).or_default() |= takes(&line.dimension);
                if from == EVERY {
                    *of_every.entry(&line.customer).or_default() |= takes(&line.dimension);
                }
            }
        }
        let concerns = |hold: &Hold| match &hold.scope {
            Scope::Dimension { customer, dimension } => {
                let every = of_every.get(customer.as_str()).copied().unwrap_or_default();
                every || made.get(&(customer.as_str(), dimension.as_str())).copied().unwrap_or_else(|| takes(dimension))
            }
            _ => true,
        };
        self.holds.iter().filter(|(hold, _)| concerns(hold)).collect()
    }
}
