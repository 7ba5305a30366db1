//! Windows that another exporter closed: nothing of them is billed, and what changes in them is held, because nobody knows how much of
//! it was billed.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::quarantine::touched;
use super::read::{Reader, span};
use crate::ledger::{Entry, Hold, InputSeen, Scope, State};
use crate::model::window::Window;
use crate::report::Problem;

/// A window, and its inputs as they stand; nothing where they cannot be listed.
pub(super) type Stand = (Window, Option<Vec<InputSeen>>);

/// What became of windows that are only watched.
#[derive(Default)]
pub(super) struct Watched {
    /// How their inputs stand, where that was not written down yet.
    pub(super) remembered: Vec<Entry>,
    /// What is held of them.
    pub(super) held: Vec<Held>,
    /// Why some of them could not be looked at.
    pub(super) problem: Option<Problem>,
}

/// What is held of a window that is only watched for this sink; nothing where a doubt is gone.
pub(super) struct Held {
    pub(super) sink: usize,
    pub(super) window: Window,
    pub(super) holds: Vec<Hold>,
}

impl Reader<'_> {
    /// Compares the inputs of these windows with what they were when the window was taken over.
    pub(super) fn watch(&self, windows: &[Window], state: &State) -> Watched {
        let mut watched = Watched::default();
        let (stand, problem) = self.as_far_as_can_be(windows);
        watched.problem = problem;
        for (window, inputs) in stand {
            let mut unknown = false;
            for (position, spec) in self.setup.pipeline.sinks.iter().enumerate() {
                let sink = spec.plugin.name.as_str();
                if !state.is_closed_elsewhere(sink, &window) {
                    continue;
                }
                let mut holds: Vec<Hold> = state.imported().failed(sink, &window).map(given_up).collect();
                match (&inputs, state.taken_from(sink, &window)) {
                    (Some(inputs), Some(before)) => holds.extend(difference(before, inputs)),
                    (Some(_), None) => unknown = true,
                    // What was held of it stays so, as nobody could look.
                    (None, _) => holds.extend(held_before(state, sink, &window)),
                }
                if !holds.is_empty() || state.held_elsewhere(sink).contains(&window) {
                    watched.held.push(Held { sink: position, window, holds });
                }
            }
            if let Some(inputs) = inputs.filter(|_| unknown) {
                watched.remembered.push(Entry::Watched { window, inputs });
            }
        }
        watched
    }

    /// The inputs of windows as they stand, window by window where not all can be listed; and why not.
    pub(super) fn as_far_as_can_be(&self, windows: &[Window]) -> (Vec<Stand>, Option<Problem>) {
        let mut first = match self.stand(windows) {
            Ok(all) => return (all.into_iter().map(|(window, inputs)| (window, Some(inputs))).collect(), None),
            Err(problem) => Some(problem),
        };
        let one = |window: &Window| match self.stand(&[*window]) {
            _ if self.stop.load(Ordering::Relaxed) => (*window, None),
            Ok(stand) => (*window, stand.into_iter().next().map(|(_, inputs)| inputs)),
            Err(problem) => {
                first = Some(problem);
                (*window, None)
            }
        };
        (windows.iter().map(one).collect(), first)
    }

    /// The inputs of windows as they stand, unread.
    pub(super) fn stand(&self, windows: &[Window]) -> Result<Vec<(Window, Vec<InputSeen>)>, Problem> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let spans: Vec<_> = windows.iter().map(span).collect();
        let mut stand: Vec<(Window, Vec<InputSeen>)> = windows.iter().map(|window| (*window, Vec::new())).collect();
        for input in self.listed(&spans)? {
            let touched = touched(input.span.as_ref(), &spans);
            for (_, inputs) in stand.iter_mut().skip(touched.start).take(touched.len()) {
                let (key, etag, size) = (input.key.clone(), input.etag.clone(), input.size);
                inputs.push(InputSeen { key, etag, size, items: 0 });
            }
        }
        Ok(stand)
    }
}

/// What was held of a window before, but for what was given up.
fn held_before(state: &State, sink: &str, window: &Window) -> Vec<Hold> {
    let holds = state.window(sink, window).into_iter().flat_map(|known| &known.holds);
    holds.filter(|hold| hold.code != GIVEN_UP_CODE).cloned().collect()
}

/// As the code of a hold: a customer was given up.
const GIVEN_UP_CODE: &str = "given-up";
/// That nobody billed a customer for a window that was closed.
pub(super) const GIVEN_UP: &str =
    "the exporter before closed the window without billing it, and nobody bills that by itself";

/// What a customer owes for a window that was closed without billing it.
pub(super) fn given_up(customer: &str) -> Hold {
    Hold::new(Scope::Customer { customer: customer.to_owned() }, GIVEN_UP_CODE, GIVEN_UP.to_owned())
}

pub(super) fn difference(before: &[InputSeen], now: &[InputSeen]) -> Option<Hold> {
    let known: HashMap<&str, &InputSeen> = before.iter().map(|input| (input.key.as_str(), input)).collect();
    let standing: HashMap<&str, &InputSeen> = now.iter().map(|input| (input.key.as_str(), input)).collect();
    let as_before = |input: &InputSeen| known.get(input.key.as_str()).is_some_and(|seen| seen.is_as(input));
    let other = now.iter().filter(|input| !as_before(input));
    let gone = before.iter().filter(|input| !standing.contains_key(input.key.as_str()));
    let mut keys: Vec<&str> = other.chain(gone).map(|input| input.key.as_str()).collect();
    keys.sort_unstable();
    let first = keys.first()?;
    let objects =
        if keys.len() == 1 { "one of its objects is".to_owned() } else { format!("{} of its objects are", keys.len()) };
    let reason = format!(
        "it was taken over as billed, and {objects} not as it was then; how much of it was billed nobody here knows"
    );
    Some(Hold { place: Some((*first).to_owned()), ..Hold::new(Scope::Window, "taken-over", reason) })
}
