//! The records of a queue, and the charges that they went into.
//!
//! A queue hands a record out until it is told what became of it. A **taking** says which records one run took: it is written down in the
//! step that freezes their charges, so that from then on they are no usage any more, whatever the queue says of them. Its records are in
//! **groups**: those of a group went into the same charges. Their names lie beside the ledger, twice: by what stands for them, so that one
//! can be found among millions (a segment, as `dedupe` keeps of ids), and group by group, so that the queue can be told.
//!
//! | a group | |
//! |---|---|
//! | has charges | and is told what became of them, once that is clear of all |
//! | has none, and a reason | a person decided that they are not billed |
//! | has none | nothing is owed for them: they come to zero, or a rule left them out |

mod find;
mod merge;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::find::Lookup;
use self::find::Part;
use super::charge::ChargeState;
use super::error::LedgerError;
use super::fold_error::FoldError;
use super::ids::{Blob, IdKey, Segment, Shelf};
use super::standing::Standing;
use super::state::State;
use crate::model::charge::ChargeId;

/// A charge as it was made at some time: which, and how often it was made anew after a refusal, from 1.
pub type Made = (ChargeId, u32);

/// Records that went into the same charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Made>,
    /// Those of them of which the first record is in here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<ChargeId>,
    /// Why they are not billed, where a person decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// How many records.
    pub records: u64,
}

/// What a queue was told of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// They are billed.
    Accepted,
    /// At least one of their charges was refused.
    Rejected,
    /// A person decided that they are not billed.
    Waived,
    /// Nothing is owed for them.
    Nothing,
}

impl Told {
    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Told::Accepted => "billed",
            Told::Rejected => "refused",
            Told::Waived => "not to be billed",
            Told::Nothing => "nothing is owed",
        }
    }
}

/// What one run took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    /// The token under which its records were claimed.
    pub claim: Option<Arc<str>>,
    /// The names of the records, by group.
    pub names: Blob,
    /// Its groups.
    pub groups: Vec<Group>,
    /// What the queue was told of each.
    pub told: Vec<Option<Told>>,
}

/// What is known of a record that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The position of the taking.
    pub taking: usize,
    /// The position of its group in that.
    pub group: usize,
    /// What stands for what it said.
    pub contents: u64,
}

/// All that was taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Takings {
    /// The token under which records are claimed.
    claim: Option<Arc<str>>,
    /// Whether there ever was one.
    is_of_a_queue: bool,
    key: Option<IdKey>,
    all: Vec<Taking>,
    /// Segments of what stands for their records, each of one or more of them, in their order.
    parts: Vec<Part>,
}

impl Takings {
    /// The token under which records are claimed, once there is one.
    pub fn claim(&self) -> Option<&str> {
        self.claim.as_deref()
    }

    /// Whether the pipeline's source is a queue, as far as the ledger knows.
    pub fn is_of_a_queue(&self) -> bool {
        self.is_of_a_queue
    }

    /// What the names of records are hashed with, once some were taken.
    pub fn key(&self) -> Option<IdKey> {
        self.key
    }

    /// All takings, in their order.
    pub fn all(&self) -> &[Taking] {
        &self.all
    }

    /// A group.
    pub fn group(&self, taken: &Taken) -> Option<&Group> {
        self.all.get(taken.taking)?.groups.get(taken.group)
    }

    /// What the queue was told of a group.
    pub fn told(&self, taken: &Taken) -> Option<Told> {
        self.all.get(taken.taking)?.told.get(taken.group).copied().flatten()
    }

    /// What entries can reach of it that may tell something, or do not.
    pub(super) fn part(&self, tells: bool) -> Takings {
        if tells { self.clone() } else { Takings { key: self.key, ..Takings::default() } }
    }

    pub(super) fn claims(&mut self, token: String) {
        (self.claim, self.is_of_a_queue) = (Some(token.into()), true);
    }

    /// What is claimed under the token so far may have gone into charges of which nothing is known any more.
    pub(super) fn lost(&mut self) {
        self.claim = None;
    }

    pub(super) fn add(&mut self, segment: Segment, taking: Taking, key: IdKey) -> Result<(), FoldError> {
        match self.key.replace(key) {
            Some(known) if known != key => Err(FoldError::OtherKey(segment.name)),
            _ => {
                self.parts.push(Part { segment, first: self.all.len(), takings: 1 });
                self.all.push(Taking { claim: self.claim.clone(), ..taking });
                Ok(())
            }
        }
    }

    /// One segment holds from here on what those of these takings held.
    pub(super) fn merge(&mut self, segment: Segment, (from, to): (u64, u64)) -> Result<(), FoldError> {
        let place = |taking: u64| usize::try_from(taking).map_err(|_| FoldError::NoTaking(taking));
        let (first, end) = (place(from)?, place(to)?);
        let start = self.parts.partition_point(|part| part.first < first);
        let stop = self.parts.partition_point(|part| part.first < end);
        let held = self.parts.get(start..stop).unwrap_or_default();
        let fits = held.first().is_some_and(|part| part.first == first)
            && held.last().is_some_and(|part| part.first + part.takings == end)
            && held.iter().map(|part| part.segment.ids).sum::<u64>() == segment.ids;
        if !fits {
            return Err(FoldError::NoTaking(from));
        }
        self.parts.splice(start..stop, [Part { segment, first, takings: end - first }]);
        Ok(())
    }

    pub(super) fn tell(&mut self, taking: u64, groups: &[(u32, Told)]) -> Result<(), FoldError> {
        let position = usize::try_from(taking).ok();
        let known = position.and_then(|position| self.all.get_mut(position)).ok_or(FoldError::NoTaking(taking))?;
        for (group, told) in groups {
            let place = known.told.get_mut(*group as usize).ok_or(FoldError::NoTaking(taking))?;
            *place = Some(*told);
        }
        Ok(())
    }
}

impl Shelf {
    /// Writes the names of records, by group.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write_names(&self, names: &[Vec<&str>]) -> Result<Blob, LedgerError> {
        let bytes = postcard::to_allocvec(names);
        let bytes = bytes.map_err(|error| self.failed("cannot be written", &std::io::Error::other(error)))?;
        self.write("names", &bytes)
    }

    /// The names of records, by group.
    ///
    /// # Errors
    /// They cannot be read, or are not what was written.
    pub fn names(&self, blob: &Blob) -> Result<Vec<Vec<String>>, LedgerError> {
        let bytes = self.read(blob)?;
        postcard::from_bytes(&bytes).map_err(|error| self.torn(&blob.name, &error.to_string()))
    }
}

impl State {
    /// The records that were taken from a queue.
    pub fn takings(&self) -> &Takings {
        &self.takings
    }

    /// The records of a queue that a charge is made of as it is now, by name.
    ///
    /// # Errors
    /// What lies beside the ledger cannot be read.
    pub fn records_of(&self, charge: &ChargeState, shelf: &Shelf) -> Result<Vec<String>, LedgerError> {
        let made = (charge.charge().id(), charge.revision());
        let mut records = Vec::new();
        for taking in &self.takings.all {
            if !taking.groups.iter().any(|group| group.charges.contains(&made)) {
                continue;
            }
            let groups = taking.groups.iter().zip(shelf.names(&taking.names)?);
            let own = groups.filter(|(group, _)| group.charges.contains(&made));
            records.extend(own.flat_map(|(_, names)| names));
        }
        Ok(records)
    }

    /// What a queue is to be told of a group; nothing while that is not clear of all its charges.
    pub fn settled(&self, group: &Group) -> Option<Told> {
        if group.charges.is_empty() {
            return Some(if group.waived.is_some() { Told::Waived } else { Told::Nothing });
        }
        let mut all = Told::Nothing;
        for (id, revision) in &group.charges {
            let charge = self.charge(id)?;
            let told = match charge.standing() {
                // Made anew, it is made of other records: these are as they were when it was refused.
                _ if charge.revision() != *revision => Told::Rejected,
                Standing::Accepted { .. } | Standing::TakenOver | Standing::ByHand { .. } => Told::Accepted,
                Standing::Rejected { .. } => Told::Rejected,
                Standing::Waived { .. } => Told::Waived,
                Standing::Nothing if charge.is_withdrawn() => Told::Rejected,
                Standing::Nothing => Told::Nothing,
                _ => return None,
            };
            all = match (all, told) {
                (Told::Rejected, _) | (_, Told::Rejected) => Told::Rejected,
                (Told::Accepted, _) | (_, Told::Accepted) => Told::Accepted,
                (Told::Waived, _) | (_, Told::Waived) => Told::Waived,
                _ => Told::Nothing,
            };
        }
        Some(all)
    }

    /// The groups of which the queue is to be told something else than it was, by the positions of their takings.
    pub fn untold(&self) -> Vec<(usize, Vec<(usize, Told)>)> {
        let mut untold = Vec::new();
        for (position, taking) in self.takings.all.iter().enumerate() {
            let groups = taking.groups.iter().zip(&taking.told).enumerate();
            let news = groups.filter_map(|(at, (group, told))| {
                let is_at_its_end = matches!(told, Some(Told::Accepted | Told::Waived | Told::Nothing));
                let settled = if is_at_its_end { None } else { self.settled(group) }?;
                (Some(settled) != *told).then_some((at, settled))
            });
            let news: Vec<(usize, Told)> = news.collect();
            if !news.is_empty() {
                untold.push((position, news));
            }
        }
        untold
    }
}
