//! What a new name changes: everything is as if it had always been called so, but for the ids of charges that were frozen before.

use std::sync::Arc;

use super::entry::Named;
use super::fold_error::FoldError;
use super::hold::Kept;
use super::state::State;
use crate::model::charge::{ChargeId, Key};
use crate::model::window::Window;

impl State {
    pub(super) fn rename(&mut self, what: Named, from: &str, to: String) -> Result<(), FoldError> {
        match what {
            Named::Pipeline => self.rename_pipeline(from, to),
            Named::Sink => self.rename_sink(from, to),
            Named::Aggregate => {
                if !self.knows_aggregate(from) {
                    return Err(FoldError::NoName("aggregate", from.to_owned()));
                }
                self.rename_section(&format!("aggregate.{from}"), format!("aggregate.{to}"));
                Ok(())
            }
        }
    }

    fn rename_pipeline(&mut self, from: &str, to: String) -> Result<(), FoldError> {
        match &mut self.pipeline {
            Some((name, _)) if name == from => name.clone_from(&to),
            _ => return Err(FoldError::NoName("pipeline", from.to_owned())),
        }
        self.rename_keys(|key| key.pipeline.clone_from(&to));
        Ok(())
    }

    fn rename_sink(&mut self, from: &str, to: String) -> Result<(), FoldError> {
        if !self.knows_sink(from) || self.retired.contains(from) {
            return Err(FoldError::NoName("sink", from.to_owned()));
        }
        // A name that was given up stands in the ids of charges of whoever had it.
        if self.knows_sink(&to) || self.had_sink(&to).is_some_and(|now| now != from) {
            return Err(FoldError::NameTaken("sink", to));
        }
        if let Some(windows) = self.sinks.remove(from) {
            self.sinks.insert(to.clone(), windows);
        }
        if let Some(first) = self.firsts.remove(from) {
            self.firsts.insert(to.clone(), first);
        }
        for name in self.opened_with.iter_mut().filter(|name| *name == from) {
            name.clone_from(&to);
        }
        self.imported.rename(from, &to);
        self.sets.rename(from, &to);
        self.rename_section(&format!("sink.{from}"), format!("sink.{to}"));
        // Back under a name of its own, it collides with nothing.
        self.sinks_before.remove(&to);
        for now in self.sinks_before.values_mut().filter(|now| *now == from) {
            now.clone_from(&to);
        }
        self.sinks_before.insert(from.to_owned(), to.clone());
        self.rename_keys(|key| {
            if key.sink == from {
                key.sink.clone_from(&to);
            }
        });
        for (mut lane, left) in self.remainders.extract_if(|lane, _| lane.sink == from).collect::<Vec<_>>() {
            lane.sink.clone_from(&to);
            self.remainders.insert(lane, left);
        }
        Ok(())
    }

    fn rename_section(&mut self, from: &str, to: String) {
        if self.aggregators.remove(from) {
            self.aggregators.insert(to.clone());
        }
        for plugin in Arc::make_mut(&mut self.plugins).iter_mut().filter(|plugin| plugin.section == from) {
            plugin.section.clone_from(&to);
        }
    }

    /// Changes the names in all keys; an id that would follow from a key by now leads to the one that the charge has.
    fn rename_keys(&mut self, rename: impl Fn(&mut Key)) {
        self.known_as.clear();
        self.tagged.clear();
        for (id, charge) in &mut self.charges {
            let follows = charge.rename(&rename);
            if follows != *id {
                self.known_as.insert(follows, *id);
            }
            let key = charge.charge().key();
            if !key.tags.is_empty() {
                self.tagged.entry(key.untagged().id()).or_default().push(*id);
            }
        }
        self.rename_late(&rename);
        self.rename_kept();
    }

    /// What has no charge is known by the id that follows from its names, now as before.
    fn rename_late(&mut self, rename: impl Fn(&mut Key)) {
        for known in self.sinks.values_mut().flat_map(|windows| windows.values_mut()) {
            for key in &mut known.elsewhere {
                let before = key.id();
                rename(key);
                // It may have got a charge since, by a person's word.
                let now = self.known_as.get(&key.id()).copied().unwrap_or(key.id());
                for of in [&mut self.carried, &mut self.by_hand] {
                    let moved = of.remove(&before);
                    of.extend(moved.map(|quantity| (now, quantity)));
                }
            }
            for late in &mut known.late {
                if let Some(draft) = &mut late.draft {
                    rename(&mut draft.key);
                    late.id = draft.key.id();
                }
            }
        }
    }

    /// What people said of would-be charges, and what stands to be said something of, is under the ids that follow from the names by now.
    fn rename_kept(&mut self) {
        let Some((pipeline, _)) = &self.pipeline else { return };
        for (sink, windows) in &mut self.sinks {
            for (window, known) in windows {
                let follows = |kept: &Kept| {
                    let Kept { product, customer, dimension, tags, .. } = kept.clone();
                    let (pipeline, sink) = (pipeline.clone(), sink.clone());
                    let key = Key { pipeline, sink, window: *window, product, customer, dimension, tags };
                    match kept.no_payer {
                        true => key.handle(),
                        // A frozen charge keeps its own.
                        false if self.charges.contains_key(&kept.id) => kept.id,
                        false => key.id(),
                    }
                };
                known.decided.rename(&follows);
                known.kept.iter_mut().for_each(|kept| kept.id = follows(kept));
            }
        }
    }

    /// A sink is gone for good, and these are no other name of it.
    pub(super) fn retire(&mut self, sink: String, others: Vec<String>, first: Option<Window>) -> Result<(), FoldError> {
        if !self.knows_sink(&sink) {
            return Err(FoldError::NoName("sink", sink));
        }
        if let Some(taken) = others.iter().find(|other| self.knows_sink(other)) {
            return Err(FoldError::NameTaken("sink", taken.clone()));
        }
        self.retired.insert(sink);
        self.firsts.extend(first.into_iter().flat_map(|first| others.iter().map(move |other| (other.clone(), first))));
        Ok(())
    }

    /// The id under which the charge stands that this id, which follows from a key, is for.
    pub fn known_as(&self, id: ChargeId) -> ChargeId {
        self.known_as.get(&id).copied().unwrap_or(id)
    }

    /// Whether the ledger knows a sink of this name.
    pub fn knows_sink(&self, name: &str) -> bool {
        self.sinks.contains_key(name)
            || self.opened_with.iter().any(|known| known == name)
            || self.imported.sinks().contains(name)
    }

    /// What a sink is called now that had this name before and gave it up.
    pub fn had_sink(&self, name: &str) -> Option<&str> {
        self.sinks_before.get(name).map(String::as_str)
    }

    /// The sinks that the ledger knows, ascending.
    pub fn known_sinks(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.sinks.keys().chain(&self.opened_with).map(String::as_str).collect();
        names.extend(self.imported.sinks());
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The sinks that windows were taken up for, or that another exporter billed for; not those that are gone for good.
    pub(super) fn billing_sinks(&self) -> impl Iterator<Item = &str> {
        let bills = |name: &&str| {
            self.sinks.get(*name).is_some_and(|windows| !windows.is_empty()) || self.imported.sinks().contains(name)
        };
        self.known_sinks().into_iter().filter(bills).filter(|name| !self.retired.contains(*name))
    }

    /// The aggregates of the last run, ascending.
    pub fn known_aggregates(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.plugins.iter().filter_map(|plugin| plugin.section.strip_prefix("aggregate.")).collect();
        names.sort_unstable();
        names
    }

    /// Whether the last run had an aggregate of this name.
    pub fn knows_aggregate(&self, name: &str) -> bool {
        self.known_aggregates().contains(&name)
    }

    /// The window after the last that was taken up for a sink.
    pub fn next_window(&self, sink: &str) -> Option<Window> {
        self.sinks.get(sink)?.keys().next_back()?.next()
    }
}
