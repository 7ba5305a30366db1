//! Windows that another exporter closed: nothing of them is billed, and what changes in them is held, because nobody knows how much of
//! it was billed.

use std::collections::HashMap;

use super::quarantine::touched;
use super::read::{Reader, span};
use crate::ledger::{Entry, Hold, InputSeen, Scope, State};
use crate::model::window::Window;
use crate::report::Problem;

/// What became of windows that are only watched.
#[derive(Default)]
pub(super) struct Watched {
    /// How their inputs stand, where that was not written down yet.
    pub(super) remembered: Vec<Entry>,
    /// What is held of them.
    pub(super) held: Vec<Held>,
}

/// What is held of a window that is only watched for this sink; nothing where a doubt is gone.
pub(super) struct Held {
    pub(super) sink: usize,
    pub(super) window: Window,
    pub(super) holds: Vec<Hold>,
}

impl Reader<'_> {
    /// Compares the inputs of these windows with what they were when the window was taken over.
    pub(super) fn watch(&self, windows: &[Window], state: &State) -> Result<Watched, Problem> {
        let mut watched = Watched::default();
        for (window, inputs) in self.stand(windows)? {
            let mut unknown = false;
            for (position, spec) in self.setup.pipeline.sinks.iter().enumerate() {
                let sink = spec.plugin.name.as_str();
                if !state.is_closed_elsewhere(sink, &window) {
                    continue;
                }
                let mut holds: Vec<Hold> = state.imported().failed(sink, &window).map(given_up).collect();
                match state.taken_from(sink, &window) {
                    Some(before) => holds.extend(difference(before, &inputs)),
                    None => unknown = true,
                }
                if !holds.is_empty() || state.held_elsewhere(sink).contains(&window) {
                    watched.held.push(Held { sink: position, window, holds });
                }
            }
            if unknown {
                watched.remembered.push(Entry::Watched { window, inputs });
            }
        }
        Ok(watched)
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

/// As the code of a hold: a customer was given up.
const GIVEN_UP_CODE: &str = "given-up";
/// That nobody billed a customer for a window that was closed.
pub(super) const GIVEN_UP: &str =
    "the exporter before closed the window without billing it, and nobody bills that by itself";

/// What a customer owes for a window that was closed without billing it.
pub(super) fn given_up(customer: &str) -> Hold {
    Hold {
        scope: Scope::Customer { customer: customer.to_owned() },
        code: GIVEN_UP_CODE.to_owned(),
        place: None,
        reason: GIVEN_UP.to_owned(),
        quantity: None,
    }
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
    Some(Hold {
        scope: Scope::Window,
        code: "taken-over".to_owned(),
        place: Some((*first).to_owned()),
        reason: format!(
            "it was taken over as billed, and {objects} not as it was then; how much of it was billed nobody here knows"
        ),
        quantity: None,
    })
}
