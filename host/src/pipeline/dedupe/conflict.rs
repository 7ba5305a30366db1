//! Ids under which records differ, and what that puts in doubt.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::window::Window;

/// Of the ids that hold something, so many are named.
const EXAMPLES: usize = 3;
/// So many characters of an id are kept.
const LONGEST: usize = 80;

/// Ids of a customer's dimension under which records differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline) struct Conflict {
    pub(in crate::pipeline) customer: String,
    /// As in the usage.
    pub(in crate::pipeline) dimension: String,
    pub(in crate::pipeline) other: Other,
    pub(in crate::pipeline) ids: Ids,
}

/// Where the record stands that has the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::pipeline) enum Other {
    /// In the same window.
    Here,
    /// In another window, and neither is billed.
    Read(Window),
    /// In another window, of which it was billed.
    Billed(Window),
}

/// The least of some ids, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::pipeline) struct Ids {
    least: BTreeSet<String>,
    count: u64,
}

/// By window, and by what stands for a customer's dimension.
#[derive(Default)]
pub(super) struct Found(HashMap<(u32, u64), BTreeMap<Other, Ids>>);

impl Found {
    pub(super) fn add(&mut self, window: u32, whose: u64, other: Other, id: String) {
        self.0.entry((window, whose)).or_default().entry(other).or_default().add(id);
    }

    /// Takes in what was found under other ids.
    pub(super) fn join(&mut self, others: Found) {
        for (place, found) in others.0 {
            let own = self.0.entry(place).or_default();
            found.iter().for_each(|(other, ids)| own.entry(*other).or_default().join(ids));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was found in a window for a customer's dimension.
    pub(super) fn of(&self, window: u32, whose: u64) -> impl Iterator<Item = (Other, &Ids)> {
        self.0.get(&(window, whose)).into_iter().flatten().map(|(other, ids)| (*other, ids))
    }
}

impl Conflict {
    /// Why what is made of it is in doubt.
    pub(in crate::pipeline) fn words(&self) -> String {
        let Ids { least, count } = &self.ids;
        let shown: Vec<String> = least.iter().map(|id| format!("`{id}`")).collect();
        let more = match count.saturating_sub(shown.len() as u64) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = format!("{}{more}", shown.join(", "));
        let of = if *count == 1 { "the id" } else { "each of the ids" };
        match self.other {
            Other::Here => format!("records under {of} {shown} differ: which is right nobody can tell"),
            Other::Read(window) => format!(
                "records under {of} {shown} stand here and in {}, and differ: which is right nobody can tell",
                window.label()
            ),
            Other::Billed(window) => {
                let verb = if *count == 1 { "was" } else { "were" };
                format!(
                    "{} {shown} {verb} billed in {} already, and the records differ: which is right nobody can tell",
                    if *count == 1 { "the id" } else { "the ids" },
                    window.label()
                )
            }
        }
    }
}

#[cfg(test)]
impl FromIterator<String> for Ids {
    fn from_iter<T: IntoIterator<Item = String>>(ids: T) -> Self {
        let mut all = Ids::default();
        ids.into_iter().for_each(|id| all.add(id));
        all
    }
}

impl Ids {
    fn add(&mut self, id: String) {
        self.count += 1;
        self.least.insert(id);
        if self.least.len() > EXAMPLES {
            self.least.pop_last();
        }
    }

    /// Takes in others.
    fn join(&mut self, other: &Ids) {
        let count = self.count + other.count;
        other.least.iter().for_each(|id| self.add(id.clone()));
        self.count = count;
    }
}

/// What is kept of an id, to be named.
pub(super) fn shortened(id: &str) -> (&str, &'static str) {
    if id.len() <= LONGEST {
        return (id, "");
    }
    match id.char_indices().nth(LONGEST) {
        Some((end, _)) => (id.get(..end).unwrap_or_default(), "..."),
        None => (id, ""),
    }
}
