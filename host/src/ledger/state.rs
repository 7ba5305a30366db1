//! What the entries add up to: a pure fold, in which an impossible history is an error.

use std::collections::{BTreeMap, HashMap};

use super::charge::{Charge, ChargeState, Standing};
use super::entry::{Entry, InputSeen, Record};
use super::hold::Hold;
use crate::model::charge::{ChargeId, Key};
use crate::model::window::{Window, WindowKind};

/// Why an entry cannot follow those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// It is not in a form that this version knows.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It speaks of a charge that is not there.
    #[error("it speaks of the charge {0}, which was never frozen")]
    NoCharge(ChargeId),
    /// It speaks of a call that is not there, or was answered already.
    #[error("it answers the call {0}, which is not under way")]
    NoAttempt(u64),
    /// It freezes what was frozen before.
    #[error("it freezes the charge {0} once more")]
    FrozenTwice(ChargeId),
    /// The id does not follow from the key.
    #[error("the charge {0} is not named by what it says")]
    WrongId(ChargeId),
    /// It would send or change what is final.
    #[error("it changes the charge {0}, which is final")]
    Final(ChargeId),
}

/// What is known of one window for one sink.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowState {
    /// Whether all its charges are final and nothing was held, when that was last written down.
    pub settled: bool,
    /// What is kept back of it.
    pub holds: Vec<Hold>,
    /// Its charges, in the order in which they were frozen.
    charges: Vec<ChargeId>,
}

/// What the entries of one pipeline add up to.
#[derive(Debug, Clone, Default)]
pub struct State {
    window: Option<WindowKind>,
    charges: HashMap<ChargeId, ChargeState>,
    windows: BTreeMap<(String, Window), WindowState>,
    inputs: BTreeMap<Window, Vec<InputSeen>>,
    /// Calls under way: what they offer.
    attempts: HashMap<u64, Vec<ChargeId>>,
    last_attempt: u64,
    runs: u64,
}

impl State {
    /// Adds an entry.
    ///
    /// # Errors
    /// It cannot follow those before it; the state is as it was then, but for an entry that names several charges.
    pub fn apply(&mut self, record: &Record) -> Result<(), FoldError> {
        match &record.entry {
            Entry::Opened { window, .. } => self.window = Some(*window),
            Entry::Run { windows, sinks, .. } => {
                self.runs += 1;
                for sink in sinks {
                    for window in windows {
                        self.windows.entry((sink.clone(), *window)).or_default();
                    }
                }
            }
            Entry::Inputs { window, inputs } => {
                self.inputs.insert(*window, inputs.clone());
            }
            Entry::Reading { sink, window, holds, .. } => {
                self.windows.entry((sink.clone(), *window)).or_default().holds.clone_from(holds);
            }
            Entry::Freeze { id, charge } => {
                if charge.key.id() != *id {
                    return Err(FoldError::WrongId(*id));
                }
                if self.charges.contains_key(id) {
                    return Err(FoldError::FrozenTwice(*id));
                }
                let window = self.windows.entry((charge.key.sink.clone(), charge.key.window)).or_default();
                window.charges.push(*id);
                window.settled = false;
                self.charges.insert(*id, ChargeState::new(Charge::new(*id, charge.clone())));
            }
            Entry::Attempt { attempt, charges, deadline, .. } => {
                for id in charges {
                    let charge = self.charges.get_mut(id).ok_or(FoldError::NoCharge(*id))?;
                    if charge.is_final() {
                        return Err(FoldError::Final(*id));
                    }
                    charge.attempted(*attempt, record.at, *deadline);
                }
                self.attempts.insert(*attempt, charges.clone());
                self.last_attempt = self.last_attempt.max(*attempt);
            }
            Entry::Outcomes { attempt, unsent, outcomes } => {
                let offered = self.attempts.remove(attempt).ok_or(FoldError::NoAttempt(*attempt))?;
                for id in offered {
                    let charge = self.charges.get_mut(&id).ok_or(FoldError::NoCharge(id))?;
                    if charge.standing != (Standing::InFlight { attempt: *attempt }) {
                        continue;
                    }
                    match outcomes.iter().find(|outcome| outcome.id == id) {
                        outcome if *unsent => charge.unsent(outcome.and_then(|outcome| outcome.message.clone())),
                        Some(outcome) => charge.answered(outcome, &record.run),
                        None => charge.unmentioned(),
                    }
                }
            }
            Entry::LookedUp { findings, .. } => {
                for (id, finding) in findings {
                    let charge = self.charges.get_mut(id).ok_or(FoldError::NoCharge(*id))?;
                    if charge.is_final() {
                        return Err(FoldError::Final(*id));
                    }
                    charge.looked_up(finding, &record.run);
                }
            }
            Entry::Settled { sink, window } => {
                self.windows.entry((sink.clone(), *window)).or_default().settled = true;
            }
        }
        Ok(())
    }

    /// How long the pipeline's windows are; nothing while it has no entries.
    pub fn window_kind(&self) -> Option<WindowKind> {
        self.window
    }

    /// Whether no run was ever written down.
    pub fn is_fresh(&self) -> bool {
        self.runs == 0
    }

    /// The first window that was ever taken up.
    pub fn first_window(&self) -> Option<Window> {
        self.windows.keys().map(|(_, window)| *window).min()
    }

    /// A charge and its standing.
    pub fn charge(&self, id: &ChargeId) -> Option<&ChargeState> {
        self.charges.get(id)
    }

    /// The charge of a key.
    pub fn charge_for(&self, key: &Key) -> Option<&ChargeState> {
        self.charges.get(&key.id())
    }

    /// All charges of a window for a sink, in the order in which they were frozen.
    pub fn charges_of(&self, sink: &str, window: &Window) -> Vec<&ChargeState> {
        let found = self.windows.get(&(sink.to_owned(), *window));
        found.into_iter().flat_map(|window| &window.charges).filter_map(|id| self.charges.get(id)).collect()
    }

    /// The charges of a sink that are not final, oldest window first, in the order in which they were frozen.
    pub fn open_charges(&self, sink: &str) -> Vec<&ChargeState> {
        self.windows
            .iter()
            .filter(|((name, _), _)| name == sink)
            .flat_map(|(_, window)| &window.charges)
            .filter_map(|id| self.charges.get(id))
            .filter(|charge| !charge.is_final())
            .collect()
    }

    /// What is known of a window for a sink.
    pub fn window(&self, sink: &str, window: &Window) -> Option<&WindowState> {
        self.windows.get(&(sink.to_owned(), *window))
    }

    /// Every window that was taken up, by sink and ascending.
    pub fn windows(&self) -> impl Iterator<Item = (&str, &Window, &WindowState)> {
        self.windows.iter().map(|((sink, window), state)| (sink.as_str(), window, state))
    }

    /// Whether a window was taken up for a sink.
    pub fn is_taken_up(&self, sink: &str, window: &Window) -> bool {
        self.window(sink, window).is_some()
    }

    /// Whether a window is settled for a sink.
    pub fn is_settled(&self, sink: &str, window: &Window) -> bool {
        self.window(sink, window).is_some_and(|window| window.settled)
    }

    /// What a window's charges were computed from.
    pub fn inputs(&self, window: &Window) -> Option<&[InputSeen]> {
        self.inputs.get(window).map(Vec::as_slice)
    }

    /// The number of the last call.
    pub fn last_attempt(&self) -> u64 {
        self.last_attempt
    }
}
