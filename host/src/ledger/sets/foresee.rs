//! What would be known of sets if a run wrote down what a dry run read.

use crate::ledger::entry::Entry;
use crate::ledger::state::State;

impl State {
    /// Takes in what would be charged and held by these entries, as far as they are about sinks that publish sets; of parts that are a sketch,
    /// nothing can be read. Everything else stays as it is: this is no state that a ledger could have.
    pub fn foresee(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            match entry {
                // The host drew them up a moment ago: there is nothing to refuse.
                Entry::Charged { sink, parts } => _ = self.sets.take_in(&sink, parts),
                Entry::Reading { sink, window, holds, .. } => {
                    self.sinks.entry(sink).or_default().entry(window).or_default().holds = holds;
                }
                _ => {}
            }
        }
    }
}
