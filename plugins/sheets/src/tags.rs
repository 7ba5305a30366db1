//! Which of the charges' tags are written.

use std::collections::BTreeSet;

use meterhost_sdk::{ChargeBatch, TextColumn, config};

config! {
    /// Which of the charges' tags are written.
    #[serde(untagged)]
    pub enum Tags {
        /// `"all"`.
        All(AllTags),
        /// The ones with these names.
        Named(Vec<String>),
    }
}

config! {
    /// Every tag.
    #[derive(Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum AllTags {
        /// Every tag.
        All,
    }
}

impl Default for Tags {
    fn default() -> Self {
        Tags::All(AllTags::All)
    }
}

/// The tags that are written: all of them, unless names are given.
#[derive(Debug, Clone, Default)]
pub struct Picked(Option<BTreeSet<String>>);

impl Picked {
    /// What is configured.
    pub fn of(tags: &Tags) -> Picked {
        match tags {
            Tags::All(_) => Picked(None),
            Tags::Named(names) => Picked(Some(names.iter().cloned().collect())),
        }
    }

    /// Whether a tag of this name is written.
    pub fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }

    /// The names that are given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(String::as_str)
    }

    /// Those of a batch, ascending by name.
    pub fn columns<'a>(&self, batch: &'a ChargeBatch) -> impl Iterator<Item = (&'a str, TextColumn<'a>)> {
        batch.tags().filter(|(name, _)| self.has(name))
    }
}
