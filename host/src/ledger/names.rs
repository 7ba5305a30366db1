//! Under which names a pipeline's entries stand: those that it had before it was renamed, each up to the entry that says so.

use std::collections::BTreeMap;

use super::entry::{Entry, Named, PluginDigest};
use super::error::LedgerError;
use super::row::Row;

/// The names that a pipeline had, as far as it is known of renamings.
#[derive(Debug)]
pub(super) struct Names<'a> {
    /// The one that it has now.
    wanted: &'a str,
    /// Of all pipelines, in the order of their entries.
    renamed: Vec<Renamed>,
    /// The last run of each other pipeline, unread.
    runs: BTreeMap<String, Row>,
}

#[derive(Debug)]
struct Renamed {
    number: u64,
    from: String,
    to: String,
}

impl<'a> Names<'a> {
    pub(super) fn of(wanted: &'a str) -> Self {
        Names { wanted, renamed: Vec::new(), runs: BTreeMap::new() }
    }

    /// Looks at an entry. Answers whether those before it belong to another pipeline than it seemed: then all are to be read again.
    pub(super) fn is_news(&mut self, row: &Row, place: &str) -> Result<bool, LedgerError> {
        if row.kind != "renamed" {
            return Ok(false);
        }
        let Entry::Renamed { what: Named::Pipeline, from, to } = row.clone().record(place)?.entry else {
            return Ok(false);
        };
        if let Some(run) = self.runs.remove(&from) {
            self.runs.insert(to.clone(), run);
        }
        if self.renamed.iter().any(|known| known.number == row.number) {
            return Ok(false);
        }
        let is_news = from == self.wanted || to == self.wanted;
        self.renamed.push(Renamed { number: row.number, from, to });
        Ok(is_news)
    }

    /// Whether an entry belongs to the pipeline.
    pub(super) fn owns(&self, row: &Row) -> bool {
        let mut name = self.wanted;
        for Renamed { from, to, .. } in self.renamed.iter().rev().take_while(|renamed| renamed.number > row.number) {
            match (to == name, from == name) {
                (true, _) => name = from,
                // Before it was given up it was another's: that has a new name since.
                (false, true) => return false,
                (false, false) => {}
            }
        }
        row.pipeline == name
    }

    /// Remembers an entry of another pipeline, as far as it says what that is.
    pub(super) fn others(&mut self, row: Row) {
        if row.kind == "run" {
            self.runs.insert(row.pipeline.clone(), row);
        }
    }

    /// What the pipeline is called now that had the wanted name and gave it up.
    pub(super) fn now(&self) -> Option<String> {
        let touches = |renamed: &Renamed| renamed.from == self.wanted || renamed.to == self.wanted;
        let last = self.renamed.iter().rposition(touches)?;
        let mut name = self.renamed.get(last).filter(|renamed| renamed.from == self.wanted)?.to.as_str();
        for Renamed { from, to, .. } in self.renamed.iter().skip(last + 1) {
            if from == name {
                name = to;
            }
        }
        Some(name.to_owned())
    }

    /// What each other pipeline was made of when it last ran. What a newer version wrote of another one says nothing.
    pub(super) fn made_of(self, place: &str) -> BTreeMap<String, Vec<PluginDigest>> {
        let plugins = |row: Row| match row.record(place).ok()?.entry {
            Entry::Run { plugins, .. } => Some(plugins),
            _ => None,
        };
        self.runs.into_iter().filter_map(|(name, row)| Some((name, plugins(row)?))).collect()
    }
}
