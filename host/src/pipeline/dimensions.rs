//! Dimensions that a pipeline's file names and that nothing has: misspelt, a name in `takes` sends what was meant to whoever takes the rest.

use std::collections::BTreeSet;

use super::gathered::Reading;
use crate::config::Pipeline;

/// Dimensions of what was read.
#[derive(Default)]
pub(super) struct Dimensions {
    /// Of usage.
    read: BTreeSet<String>,
    /// Of what was made of it.
    made: BTreeSet<String>,
}

impl Dimensions {
    pub(super) fn see(&mut self, reading: &Reading) {
        for pair in reading.tally.keys() {
            if !self.read.contains(&pair.dimension) {
                self.read.insert(pair.dimension.clone());
            }
        }
        for (_, line) in &reading.lines {
            if !self.made.contains(&line.dimension) {
                self.made.insert(line.dimension.clone());
            }
        }
    }

    /// What there is to say of names that nothing has.
    pub(super) fn nobodys(&self, pipeline: &Pipeline) -> Vec<String> {
        let aggregates =
            pipeline.aggregates.iter().map(|spec| (&spec.plugin.section, &spec.takes, &self.read, "usage"));
        let sinks = pipeline.sinks.iter().map(|spec| (&spec.plugin.section, &spec.takes, &self.made, "charge"));
        let mut notes: Vec<String> = Vec::new();
        for spec in pipeline.sinks.iter().filter(|_| !self.made.is_empty()) {
            let missing = spec.guard.max_quantity.named.keys().filter(|name| !self.made.contains(*name));
            let note =
                |name| format!("the guard of {} names `{name}`, and no charge has this dimension", spec.plugin.section);
            notes.extend(missing.map(note));
        }
        for (section, takes, seen, what) in aggregates.chain(sinks).filter(|(_, _, seen, _)| !seen.is_empty()) {
            let missing = takes.iter().flatten().filter(|name| !seen.contains(*name));
            notes.extend(missing.map(|name| format!("{section} takes `{name}`, and no {what} has this dimension")));
        }
        notes
    }
}
