//! The charges of a window of a sink that publishes sets, as they stand with readers.

use std::collections::HashMap;

use super::state::{SetPart, period_of};
use crate::ledger::error::LedgerError;
use crate::ledger::ids::Shelf;
use crate::ledger::state::State;
use crate::model::charge::ChargeId;
use crate::model::charged::Charged;
use crate::model::window::Window;

/// How a charge of a set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InMonth {
    /// Readers are shown it as it is.
    Published,
    /// They are not, as far as is known: the next run that publishes its month shows it.
    Unpublished,
    /// A person said what readers are shown of its month, and nobody remembers what of it that holds.
    Pinned,
}

impl InMonth {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            InMonth::Published => "published",
            InMonth::Unpublished => "unpublished",
            InMonth::Pinned => "pinned",
        }
    }
}

impl State {
    /// How many charges a window has in sets.
    pub fn set_charges(&self, sink: &str, window: &Window) -> u64 {
        self.sets.part(sink, window).map_or(0, |part| part.rows)
    }

    /// Whether a sink has charges in sets, or had: then it has no others.
    pub fn publishes(&self, sink: &str) -> bool {
        self.sets.sinks().any(|known| known == sink)
    }

    /// Whether charges of a sink were frozen, to be offered one by one.
    pub fn bills(&self, sink: &str) -> bool {
        self.sinks.get(sink).is_some_and(|windows| windows.values().any(|window| !window.charges.is_empty()))
    }

    /// Hands over the charges of a window that are in sets, in their order, block by block.
    ///
    /// # Errors
    /// They cannot be read, or are not what was written; or taking one in failed.
    pub fn each_in_set<E: From<LedgerError>>(
        &self,
        shelf: &Shelf,
        (sink, window): (&str, &Window),
        take: &mut dyn FnMut(&Charged, InMonth) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(part) = self.sets.part(sink, window) else { return Ok(()) };
        let period = self.sets.period(sink, &period_of(window));
        let shown: Option<&SetPart> = period.and_then(|period| period.shown_of(window));
        let others: HashMap<ChargeId, Charged> = match shown.filter(|shown| *shown != part) {
            Some(other) => shelf.charges(other)?.into_iter().map(|charge| (charge.id, charge)).collect(),
            None => HashMap::new(),
        };
        let is_pinned = period.is_some_and(|period| period.pinned.is_some());
        shelf.each_block(std::slice::from_ref(part), &mut |columns| {
            columns.charges().try_for_each(|charge| {
                let standing = match shown {
                    Some(shown) if shown == part => InMonth::Published,
                    Some(_) if others.get(&charge.id).is_some_and(|other| is_same(other, &charge)) => {
                        InMonth::Published
                    }
                    None if is_pinned => InMonth::Pinned,
                    _ => InMonth::Unpublished,
                };
                take(&charge, standing)
            })
        })
    }
}

/// Whether readers see no difference.
fn is_same(left: &Charged, right: &Charged) -> bool {
    left.quantity.normalised() == right.quantity.normalised() && left.attributes == right.attributes
}
