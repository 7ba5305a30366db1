//! What would be a charge and is not frozen: it is kept back, or a person decided that nothing is sent of it.

use jiff::Timestamp;

use super::decided::Word;
use super::deciding::{Deciding, Said, Target};
use super::find::{NoSuchCharge, Sought};
use super::hold::{Hold, Kept};
use super::state::State;
use crate::model::window::Window;

/// A would-be charge, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfrozen {
    /// The sink that would get it.
    pub sink: String,
    /// The window whose usage it is.
    pub window: Window,
    /// What it comes to; as the last word about it has it, where it is not kept back any more.
    pub kept: Kept,
    /// Whether it is kept back.
    pub is_held: bool,
    /// What of the input holds it.
    pub holds: Vec<Hold>,
    /// The last word of a person about it, and whether that stands: it is of exactly this.
    pub word: Option<(Word, bool)>,
    /// What a person can say of it.
    pub verdicts: Vec<Said>,
}

impl Unfrozen {
    /// The one that is sought; nothing where there is none.
    ///
    /// # Errors
    /// There are several.
    pub fn of(state: &State, sought: &Sought, now: Timestamp) -> Result<Option<Unfrozen>, NoSuchCharge> {
        let mut found: Vec<Unfrozen> = Vec::new();
        for (sink, window, known) in state.windows() {
            let (words, _) = known.decided.all();
            let is_it = |kept: &&Kept| sought.fits(&kept.id) && state.charge(&kept.id).is_none();
            let decided = words.map(|(kept, _)| kept).filter(is_it);
            let decided = decided.filter(|kept| known.kept.iter().all(|held| held.id != kept.id));
            let held = known.kept.iter().filter(is_it).map(|kept| (kept, true));
            let all = held.chain(decided.map(|kept| (kept, false)));
            found.extend(all.map(|(kept, is_held)| Unfrozen {
                sink: sink.to_owned(),
                window: *window,
                kept: kept.clone(),
                is_held,
                holds: known.holds.iter().filter(|hold| hold.scope.holds(kept)).cloned().collect(),
                word: known.decided.about(&kept.id).map(|(then, word)| (word.clone(), then == kept.exact)),
                verdicts: Vec::new(),
            }));
        }
        found.sort_by_key(|unfrozen| unfrozen.kept.id);
        match found.as_slice() {
            [] => Ok(None),
            [one] => {
                let target = Target { charge: Some(sought.clone()), ..Target::default() };
                let all = [Said::Release, Said::Billed, Said::Waive].into_iter();
                let verdicts = all.filter(|said| Deciding::of(state, &target, *said, now).is_ok()).collect();
                Ok(Some(Unfrozen { verdicts, ..one.clone() }))
            }
            several => {
                let named = several.iter().map(|one| format!("{} ({})", one.kept.id, one.kept.words()));
                Err(NoSuchCharge::several(sought, named.collect()))
            }
        }
    }
}
