//! Which settled windows have inputs that are new, changed or gone.

use std::collections::HashMap;

use super::read::{Reader, span, with_denials};
use crate::ledger::{InputSeen, State};
use crate::model::reading::Input;
use crate::model::window::Window;
use crate::plugin::SourceInstance;
use crate::report::Problem;

impl Reader<'_> {
    /// Of these windows, those whose inputs differ from what the ledger says they were.
    pub(super) fn changed(&self, windows: &[Window], state: &State) -> Result<Vec<Window>, Problem> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let section = &self.setup.source;
        let session = self.setup.broker.session(&section.name, section.grants.clone(), self.dry_run);
        let problem = |failure| with_denials(section.problem("listing settled windows", None, &failure), &session);
        let mut source =
            SourceInstance::start(&section.plugin, section.settings(session.clone(), self.now)).map_err(problem)?;
        let spans: Vec<_> = windows.iter().map(span).collect();
        let mut request = self.request(&spans, 0);
        request.shard = (0, 1);
        let listing = source.inputs(&section.config, &request).map_err(problem)?;
        let mut found: Vec<Input> = Vec::new();
        while let Some(inputs) = source.next_inputs(&listing).map_err(problem)? {
            found.extend(inputs);
        }
        let differs = |window: &Window| {
            let own = span(window);
            let now = found.iter().filter(|input| input.span.is_none_or(|span| span.touches(&own)));
            let before: HashMap<&str, &InputSeen> =
                state.inputs(window).unwrap_or_default().iter().map(|input| (input.key.as_str(), input)).collect();
            let mut same = 0;
            for input in now {
                match before.get(input.key.as_str()) {
                    Some(seen) if seen.etag == input.etag && seen.size == input.size => same += 1,
                    _ => return true,
                }
            }
            same != before.len()
        };
        Ok(windows.iter().filter(|window| differs(window)).copied().collect())
    }
}
