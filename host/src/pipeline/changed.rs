//! Which settled windows have inputs that are new, changed or gone.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::quarantine::touched;
use super::read::{Reader, interrupted, span, with_denials};
use crate::ledger::{InputSeen, State};
use crate::model::reading::{Input, Span};
use crate::model::window::Window;
use crate::plugin::SourceInstance;
use crate::report::Problem;

impl Reader<'_> {
    /// Of these windows, those whose inputs differ from what the ledger says they were.
    pub(super) fn changed(&self, windows: &[Window], state: &State) -> Result<Vec<Window>, Problem> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let spans: Vec<_> = windows.iter().map(span).collect();
        let found = self.listed(&spans)?;
        let before: Vec<HashMap<&str, &InputSeen>> = windows
            .iter()
            .map(|window| state.inputs(window).unwrap_or_default().iter().map(|input| (&*input.key, input)).collect())
            .collect();
        // How many of a window's inputs are as they were; nothing once one is not.
        let mut same = vec![Some(0); windows.len()];
        for input in &found {
            let touched = touched(input.span.as_ref(), &spans);
            for (same, before) in same.iter_mut().zip(&before).skip(touched.start).take(touched.len()) {
                let seen = before.get(&*input.key);
                let as_before = seen.is_some_and(|seen| seen.etag == input.etag && seen.size == input.size);
                *same = same.filter(|_| as_before).map(|same| same + 1);
            }
        }
        let differs = |same: &Option<usize>, before: &HashMap<&str, &InputSeen>| *same != Some(before.len());
        Ok(windows
            .iter()
            .zip(same.iter().zip(&before))
            .filter(|(_, (same, before))| differs(same, before))
            .map(|(window, _)| *window)
            .collect())
    }

    /// The inputs of windows, as they stand, without reading them.
    pub(super) fn listed(&self, spans: &[Span]) -> Result<Vec<Input>, Problem> {
        let section = &self.setup.source;
        let session = self.setup.broker.session(&section.name, section.grants.clone(), self.dry_run);
        let problem =
            |failure| with_denials(section.problem("listing settled windows", None, &failure), &session.denials());
        let mut source =
            SourceInstance::start(&section.plugin, section.settings(session.clone(), self.now)).map_err(problem)?;
        let mut request = self.request(spans, 0);
        request.shard = (0, 1);
        let listing = source.inputs(&section.config, &request).map_err(problem)?;
        let mut found: Vec<Input> = Vec::new();
        while let Some(inputs) = source.next_inputs(&listing).map_err(problem)? {
            if self.stop.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            found.extend(inputs);
        }
        Ok(found)
    }
}
