//! One charge of a set: what it is now, and what readers are shown of it.

use super::state::{SetPart, period_of};
use crate::ledger::entry::InputSeen;
use crate::ledger::error::LedgerError;
use crate::ledger::find::{NoSuchCharge, Sought};
use crate::ledger::ids::Shelf;
use crate::ledger::state::State;
use crate::model::charge::ChargeId;
use crate::model::charged::Charged;
use crate::model::window::Window;

/// A charge of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InSet {
    /// The sink.
    pub sink: String,
    /// What it is owed for.
    pub window: Window,
    /// Its id.
    pub id: ChargeId,
    /// What the latest reading made of it; nothing where it is not owed any more.
    pub now: Option<Charged>,
    /// What readers are shown of it; nothing where they are not shown it, or where that is not known.
    pub shown: Option<Charged>,
    /// The set that readers are shown of its month.
    pub current: Option<String>,
    /// Why that stays, where a person said so.
    pub pinned: Option<String>,
    /// What its window was made of at the latest reading.
    pub inputs: Vec<InputSeen>,
}

impl State {
    /// The charge of a set that is sought; nothing where there is none. All sets are read for it.
    ///
    /// # Errors
    /// There are several, or a segment cannot be read.
    pub fn in_sets(&self, shelf: &Shelf, sought: &Sought) -> Result<Result<Option<InSet>, NoSuchCharge>, LedgerError> {
        let mut found: Vec<InSet> = Vec::new();
        for (sink, window, part) in self.sets.parts() {
            let period = self.sets.period(sink, &period_of(window));
            let shown = period.and_then(|period| period.shown_of(window));
            let now = charges(shelf, part, sought)?;
            let shown = match shown {
                Some(shown) if shown == part => now.clone(),
                Some(shown) => charges(shelf, shown, sought)?,
                None => Vec::new(),
            };
            let mut ids: Vec<ChargeId> = now.iter().chain(&shown).map(|charge| charge.id).collect();
            ids.sort_unstable();
            ids.dedup();
            let of = |all: &[Charged], id: ChargeId| all.iter().find(|charge| charge.id == id).cloned();
            found.extend(ids.into_iter().map(|id| InSet {
                sink: sink.to_owned(),
                window: *window,
                id,
                now: of(&now, id),
                shown: of(&shown, id),
                current: period.and_then(|period| period.current.clone()),
                pinned: period.and_then(|period| period.pinned.clone()),
                inputs: self.inputs(window).unwrap_or_default().to_vec(),
            }));
        }
        Ok(match found.len() {
            0 | 1 => Ok(found.pop()),
            _ => Err(NoSuchCharge::several(sought, found.iter().map(InSet::words).collect())),
        })
    }
}

fn charges(shelf: &Shelf, part: &SetPart, sought: &Sought) -> Result<Vec<Charged>, LedgerError> {
    let mut found = Vec::new();
    shelf.each_block(std::slice::from_ref(part), &mut |columns| {
        let ids = columns.id_high.iter().zip(&columns.id_low).enumerate();
        let fits = ids.filter(|(_, (high, low))| sought.fits(&ChargeId::of_halves(**high, **low)));
        found.extend(fits.filter_map(|(row, _)| columns.charge(row)));
        Ok::<_, LedgerError>(())
    })?;
    Ok(found)
}

impl InSet {
    /// In short: `1a2b... (cpu of acme, 2025-06-01T05)`.
    fn words(&self) -> String {
        let charge = self.now.as_ref().or(self.shown.as_ref());
        let what = charge.map_or_else(String::new, |charge| format!("{} of {}, ", charge.dimension, charge.customer));
        format!("{} ({what}{})", self.id, self.window.label())
    }
}
