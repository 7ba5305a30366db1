//! What a pipeline is, as far as its bills depend on it, and whether that fits what the ledger knows. Names are part of each charge's
//! id: whatever has another name is billed as another thing.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::entry::{Entry, FORMAT, PluginDigest};
use super::error::LedgerError;
use super::state::State;
use crate::config::Pipeline;
use crate::model::window::{Window, WindowKind};

/// What a pipeline is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its name.
    pub pipeline: String,
    /// How long its windows are.
    pub window: WindowKind,
    /// Its first window. A ledger that is new remembers it; one that is not knows better.
    pub first: Option<Window>,
    /// Its sinks' names.
    pub sinks: Vec<String>,
    /// The names of those that publish complete sets, as far as their plugins are loaded.
    pub publishing: Vec<String>,
    /// Its aggregates' names.
    pub aggregates: Vec<String>,
    /// What time it is for it: milliseconds, UTC. A ledger that is new remembers it.
    pub now: Option<i64>,
    /// What it is made of. Nothing where no plugin is loaded: then its names are not compared with the ledger's.
    pub plugins: Vec<PluginDigest>,
}

/// A name in the file that does not fit what the ledger knows: under it something may be billed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Clash {
    /// A sink is gone and another is new: nobody can tell a renamed one from that.
    #[error(
        "the file has no sink {gone} any more, and the ledger does not know the sink {new}: if that is the same service under another \
         name, what was billed would be billed again"
    )]
    Sink {
        /// Those that are gone.
        gone: String,
        /// The one in the file.
        new: String,
    },
    /// A sink has a name that was given up for another one, and stands in the ids of charges.
    #[error("the ledger knows the sink {name} as {now}, since it was renamed")]
    SinkBefore {
        /// The name in the file.
        name: String,
        /// The one that it has.
        now: String,
    },
    /// A sink publishes complete sets, and its name stands for charges that were billed one by one.
    #[error(
        "the sink {name} publishes complete sets, and the ledger holds charges that it billed one by one: its name stands for these"
    )]
    Publishes {
        /// Its name.
        name: String,
    },
    /// The other way round.
    #[error(
        "the sink {name} bills charges one by one, and the ledger holds complete sets of it: its name stands for these"
    )]
    Bills {
        /// Its name.
        name: String,
    },
    /// An aggregate that charges were made by is gone and another is new, which is not the same under another name.
    #[error(
        "the file has no aggregate {gone} any more, and {new} is another one, of another plugin or with other settings: what was billed by \
         the one may be billed again by the other"
    )]
    Aggregate {
        /// Those that are gone.
        gone: String,
        /// The one in the file.
        new: String,
    },
    /// The ledger does not know the pipeline, and another one that is the same.
    #[error(
        "the ledger does not know the pipeline `{name}`, and `{known}` reads the same usage and bills it to the same sink: what was billed \
         under that name would be billed again"
    )]
    Pipeline {
        /// The name in the file.
        name: String,
        /// The one in the ledger.
        known: String,
    },
    /// The pipeline's name was given up for another one, and stands in the ids of charges.
    #[error("the ledger knows the pipeline `{name}` as `{now}`, since it was renamed")]
    PipelineBefore {
        /// The name in the file.
        name: String,
        /// The one that it has.
        now: String,
    },
}

impl Identity {
    /// What a pipeline's file says that it is; `first` is its first window, if it is known.
    pub fn of(pipeline: &Pipeline, first: Option<Window>) -> Self {
        let publishing = pipeline.sinks.iter().filter(|sink| sink.publishes);
        Identity {
            pipeline: pipeline.name.clone(),
            window: pipeline.window,
            first,
            sinks: pipeline.sinks.iter().map(|sink| sink.plugin.name.clone()).collect(),
            publishing: publishing.map(|sink| sink.plugin.name.clone()).collect(),
            aggregates: pipeline.aggregates.iter().map(|aggregate| aggregate.plugin.name.clone()).collect(),
            now: None,
            plugins: Vec::new(),
        }
    }

    /// The same, at this time.
    pub fn at(self, now: Timestamp) -> Self {
        Identity { now: Some(now.as_millisecond()), ..self }
    }

    /// The same, made of these plugins.
    pub fn made_of(self, plugins: Vec<PluginDigest>) -> Self {
        Identity { plugins, ..self }
    }

    /// The first entry of its ledger.
    pub(super) fn opened(&self) -> Entry {
        Entry::Opened {
            format: FORMAT,
            window: self.window,
            first: self.first,
            sinks: self.sinks.clone(),
            aggregates: self.aggregates.clone(),
            now: self.now,
            host: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Whether it is what the ledger knows.
    pub(super) fn fits(&self, place: &str, state: &State) -> Result<(), LedgerError> {
        if let Some(known) = state.window_kind().filter(|known| *known != self.window) {
            return Err(LedgerError::OtherWindow {
                pipeline: self.pipeline.clone(),
                known: known.to_string(),
                given: self.window.to_string(),
            });
        }
        match self.clash(state).filter(|_| !self.plugins.is_empty()) {
            Some(clash) => Err(LedgerError::Identity { place: place.to_owned(), clash }),
            None => Ok(()),
        }
    }

    fn clash(&self, state: &State) -> Option<Clash> {
        if state.window_kind().is_none() {
            return self.clash_of_pipeline(state);
        }
        self.clash_of_sinks(state).or_else(|| self.clash_of_kinds(state)).or_else(|| self.clash_of_aggregates(state))
    }

    fn clash_of_pipeline(&self, state: &State) -> Option<Clash> {
        let name = self.pipeline.clone();
        if let Some(now) = state.renamed_to.clone() {
            return Some(Clash::PipelineBefore { name, now });
        }
        // Of whatever name: a sink may have been renamed with the pipeline.
        let has = |theirs: &[PluginDigest], own: &PluginDigest| theirs.iter().any(|other| other.does_as(own));
        let is_this = |theirs: &[PluginDigest]| {
            let of = |kind: &'static str| self.plugins.iter().filter(move |own| own.section.starts_with(kind));
            of("source").any(|own| has(theirs, own)) && of("sink.").any(|own| has(theirs, own))
        };
        let (known, _) = state.others.iter().find(|(_, theirs)| is_this(theirs))?;
        Some(Clash::Pipeline { name, known: known.clone() })
    }

    fn clash_of_sinks(&self, state: &State) -> Option<Clash> {
        if let Some((name, now)) = state.sinks_before.iter().find(|(name, _)| self.sinks.contains(name)) {
            return Some(Clash::SinkBefore { name: name.clone(), now: now.clone() });
        }
        let gone: Vec<&str> =
            state.billing_sinks().filter(|known| !self.sinks.iter().any(|sink| sink == known)).collect();
        let new = self.sinks.iter().find(|sink| !state.knows_sink(sink)).filter(|_| !gone.is_empty())?;
        Some(Clash::Sink { gone: gone.join(", "), new: new.clone() })
    }

    /// Charges that are offered one by one and those of sets go by other rules, in what is final and in what is late.
    fn clash_of_kinds(&self, state: &State) -> Option<Clash> {
        self.sinks.iter().find_map(|name| {
            let (name, publishes) = (name.clone(), self.publishing.contains(name));
            match publishes {
                true if state.bills(&name) => Some(Clash::Publishes { name }),
                false if state.publishes(&name) => Some(Clash::Bills { name }),
                _ => None,
            }
        })
    }

    /// Which aggregates have another name and are the same for the rest. No name of theirs stands in a charge's id.
    pub fn aggregates_renamed(&self, state: &State) -> Vec<(String, String)> {
        let (gone, new) = self.changed_aggregates(state);
        let pairs = new.iter().filter_map(|new| {
            let before = gone.iter().find(|gone| gone.sha256 == new.sha256 && gone.does_as(new))?;
            Some((aggregate(before)?.to_owned(), aggregate(new)?.to_owned()))
        });
        pairs.collect()
    }

    fn clash_of_aggregates(&self, state: &State) -> Option<Clash> {
        let renamed = self.aggregates_renamed(state);
        let (gone, new) = self.changed_aggregates(state);
        // What nothing was frozen from can have billed nothing.
        let billed = gone.into_iter().filter(|plugin| state.aggregators.contains(&plugin.section));
        let gone = billed.filter_map(aggregate).filter(|name| !renamed.iter().any(|(from, _)| from == name));
        let gone: BTreeSet<&str> = gone.collect();
        let mut new = new.into_iter().filter_map(aggregate).filter(|name| !renamed.iter().any(|(_, to)| to == name));
        let new = new.next().filter(|_| !gone.is_empty())?;
        Some(Clash::Aggregate { gone: gone.into_iter().collect::<Vec<_>>().join(", "), new: new.to_owned() })
    }

    /// Those of the last run that are gone, and those that it did not have.
    fn changed_aggregates<'a>(&'a self, state: &'a State) -> (Vec<&'a PluginDigest>, Vec<&'a PluginDigest>) {
        let of = |plugins: &'a [PluginDigest]| plugins.iter().filter(|plugin| aggregate(plugin).is_some());
        let lacks =
            |plugins: &[PluginDigest], one: &PluginDigest| plugins.iter().all(|plugin| plugin.section != one.section);
        let (before, now) = (state.plugins.as_slice(), self.plugins.as_slice());
        (
            of(before).filter(|plugin| lacks(now, plugin)).collect(),
            of(now).filter(|plugin| lacks(before, plugin)).collect(),
        )
    }
}

impl PluginDigest {
    /// Whether it is the same plugin, of whatever version, with the same settings.
    fn does_as(&self, other: &PluginDigest) -> bool {
        self.name == other.name && self.settings.is_some() && self.settings == other.settings
    }
}

/// The name of an aggregate, if it is one.
fn aggregate(plugin: &PluginDigest) -> Option<&str> {
    plugin.section.strip_prefix("aggregate.")
}
