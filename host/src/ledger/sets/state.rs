//! What the entries add up to: which part holds a window's charges, and which publication readers are shown.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::part::Encoded;
use super::{Intent, Part, Parts, Receipt};
use crate::ledger::fold_error::FoldError;
use crate::ledger::row::Hash;
use crate::model::publish::Found;
use crate::model::window::{Window, WindowKind};

/// Where the charges of a window are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPart {
    /// How many there are.
    pub rows: u64,
    pub(super) segment: Arc<str>,
    pub(super) range: Range<u64>,
    pub(super) sha256: Hash,
    pub(super) contents: Hash,
    pub(super) tags: Vec<Arc<str>>,
    pub(super) attributes: Vec<Arc<str>>,
    /// What stands for all that they follow from besides usage.
    pub made: Arc<str>,
}

/// How far a publication has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Its first byte may have left.
    Begun,
    /// It is whole, and was about to be shown.
    Written,
    /// Readers were shown it.
    Published,
}

/// A set that was published, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// What it is.
    pub intent: Intent,
    /// How far it has come.
    pub stage: Stage,
    /// What was written of it, once it was.
    pub receipt: Option<Receipt>,
    /// The run that published it.
    pub run: String,
    /// When it was begun, by the real clock: milliseconds, UTC.
    pub at: i64,
    /// Whether it was deleted.
    pub is_removed: bool,
    /// Which windows' charges are others in it than in the one that was begun before.
    changes: Arc<[(Window, SetPart)]>,
}

/// What is known of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Period {
    /// In the order in which they were begun.
    pub publications: Vec<Publication>,
    /// The id of the set that readers are shown.
    pub current: Option<String>,
    /// Why that one stays, where a person said that it does: until it is released, no other is published.
    pub pinned: Option<String>,
    /// What the last publication was begun with.
    begun: Arc<BTreeMap<Window, SetPart>>,
    /// What readers are shown, by window, as far as that is known.
    shown: Arc<BTreeMap<Window, SetPart>>,
    /// Windows of which they may be shown charges besides, since publications broke off.
    maybe: Arc<BTreeSet<Window>>,
}

/// The sets of a pipeline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sets {
    /// By sink and window.
    parts: BTreeMap<String, BTreeMap<Window, SetPart>>,
    /// By sink and month.
    periods: BTreeMap<String, BTreeMap<Window, Period>>,
}

/// The month that a window lies in.
pub fn period_of(window: &Window) -> Window {
    Window::containing(WindowKind::Month, window.start())
}

impl Publication {
    /// Whether what was found is this one, whole: under the same name, somebody else's may lie there, or what is left of this one.
    pub fn is(&self, found: &Found) -> bool {
        let is_as_written = |receipt: &Receipt| (receipt.files, receipt.bytes) == (found.files, found.bytes);
        self.intent.id == found.id && self.receipt.as_ref().is_some_and(is_as_written)
    }

    /// Whether what was found is this one, or a part of it: it broke off while it was written, or while it was deleted.
    pub fn is_in_part(&self, found: &Found) -> bool {
        let is_less = |receipt: &Receipt| found.files <= receipt.files && found.bytes <= receipt.bytes;
        let may_be_less = match &self.receipt {
            Some(receipt) => self.is_removed && is_less(receipt),
            None => !found.current,
        };
        self.is(found) || self.intent.id == found.id && may_be_less
    }
}

impl Period {
    /// The publication of this id, whether it was deleted or not.
    pub fn publication(&self, id: &str) -> Option<&Publication> {
        self.publications.iter().rev().find(|publication| publication.intent.id == id)
    }

    /// The set that readers are shown.
    pub fn shown(&self) -> Option<&Publication> {
        self.publication(self.current.as_deref()?)
    }

    /// Whether this is the set that readers are to be shown, and as it was written, as far as that is known.
    pub fn is_current(&self, found: &Found) -> bool {
        self.current.as_ref() == Some(&found.id) && self.shown().is_none_or(|shown| shown.is(found))
    }

    /// Whether it is known of each window what readers are shown.
    pub fn knows_what_is_shown(&self) -> bool {
        self.shown().is_some_and(|shown| shown.intent.rows == 0 || !self.shown.is_empty())
    }

    /// Where the charges of a window are that readers are shown, as far as that is known.
    pub fn shown_of(&self, window: &Window) -> Option<&SetPart> {
        self.shown.get(window)
    }

    /// What a publication was begun with, by window.
    fn begun_with(&self, id: &str) -> BTreeMap<Window, SetPart> {
        let mut all = BTreeMap::new();
        for publication in &self.publications {
            if publication.intent.rows == 0 {
                all.clear();
            }
            all.extend(publication.changes.iter().cloned());
            if publication.intent.id == id {
                return all;
            }
        }
        BTreeMap::default()
    }

    /// Windows of which readers are shown charges, or may be since a publication broke off, ascending.
    pub fn may_be_shown(&self) -> BTreeSet<Window> {
        let begun = self.unfinished().map(|_| self.begun.iter());
        let all = self.shown.iter().chain(begun.into_iter().flatten());
        let all = all.filter(|(_, part)| part.rows > 0).map(|(window, _)| *window);
        all.chain(self.maybe.iter().copied()).collect()
    }

    /// A publication that nothing more was heard of: the last one, if it did not come to its end.
    pub fn unfinished(&self) -> Option<&Publication> {
        self.publications.last().filter(|last| last.stage != Stage::Published)
    }

    /// Whether readers were ever shown one of its sets.
    pub fn was_published(&self) -> bool {
        self.publications.iter().any(|publication| publication.stage == Stage::Published)
    }

    /// What did not come to its end, and was not deleted since: readers were never shown it. What a person wants them to be shown is none of
    /// it, though it was not written down yet that they are.
    pub fn left_behind(&self) -> impl Iterator<Item = &Publication> {
        let broke_off = |publication: &&Publication| publication.stage != Stage::Published && !publication.is_removed;
        let left = self.publications.iter().filter(broke_off);
        left.filter(|publication| self.current.as_ref() != Some(&publication.intent.id))
    }
}

impl Sets {
    /// Where a window's charges are; nothing where it was never read for the sink.
    pub fn part(&self, sink: &str, window: &Window) -> Option<&SetPart> {
        self.parts.get(sink)?.get(window)
    }

    /// The first window that was read for a sink.
    pub fn first(&self, sink: &str) -> Option<Window> {
        self.parts.get(sink)?.keys().next().copied()
    }

    /// Every window that was read for a sink, and where its charges are.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &Window, &SetPart)> {
        let of_sink = self.parts.iter();
        of_sink.flat_map(|(sink, parts)| parts.iter().map(move |(window, part)| (sink.as_str(), window, part)))
    }

    /// What is known of a period.
    pub fn period(&self, sink: &str, period: &Window) -> Option<&Period> {
        self.periods.get(sink)?.get(period)
    }

    /// The months of which a sink has charges, or had, ascending.
    pub fn periods(&self, sink: &str) -> BTreeSet<Window> {
        let read = self.parts.get(sink).into_iter().flat_map(BTreeMap::keys).map(period_of);
        read.chain(self.periods.get(sink).into_iter().flat_map(BTreeMap::keys).copied()).collect()
    }

    /// The windows of a period that were read for a sink, and where their charges are, ascending.
    pub fn parts_of(&self, sink: &str, period: &Window) -> Vec<(Window, SetPart)> {
        let Some(read) = self.parts.get(sink) else { return Vec::new() };
        // Windows that begin together with the month come first or last, by their kinds.
        let from = read.range(..period).rev().take_while(|(window, _)| period_of(window) == *period).count();
        let before = read.range(..period).rev().take(from).collect::<Vec<_>>().into_iter().rev();
        let after = read.range(period..).take_while(|(window, _)| period_of(window) == *period);
        before.chain(after).map(|(window, part)| (*window, part.clone())).collect()
    }

    /// Sinks of which something is known.
    pub fn sinks(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().chain(self.periods.keys()).map(String::as_str)
    }

    /// Takes in where windows' charges are from here on; answers the windows whose charges are others than before.
    pub(in crate::ledger) fn take_in(&mut self, sink: &str, parts: Parts) -> Result<BTreeSet<Window>, FoldError> {
        let Parts { made, segment, names, parts, empty } = parts;
        let (segment, made): (Arc<str>, Arc<str>) = (segment.unwrap_or_default().into(), made.into());
        let names: Vec<Arc<str>> = names.into_iter().map(Into::into).collect();
        let named = |places: &[u32]| -> Result<Vec<Arc<str>>, FoldError> {
            let name = |place: &u32| names.get(*place as usize).cloned().ok_or(FoldError::NoPart);
            places.iter().map(name).collect()
        };
        let known = self.parts.entry(sink.to_owned()).or_default();
        let mut changed = BTreeSet::new();
        let mut take = |window, part: SetPart| {
            let before = known.insert(window, part.clone());
            if before.is_none_or(|before| (before.rows, before.contents) != (part.rows, part.contents)) {
                changed.insert(window);
            }
        };
        for Part { window, rows, from, bytes, sha256, contents, tags, attributes } in parts {
            let end = from.checked_add(bytes).filter(|_| rows > 0 && !segment.is_empty()).ok_or(FoldError::NoPart)?;
            let (tags, attributes) = (named(&tags)?, named(&attributes)?);
            let (segment, range) = (segment.clone(), from..end);
            take(window, SetPart { rows, segment, range, sha256, contents, tags, attributes, made: made.clone() });
        }
        for window in empty {
            take(window, SetPart::empty(made.clone()));
        }
        Ok(changed)
    }

    fn period_mut(&mut self, sink: &str, period: Window) -> &mut Period {
        self.periods.entry(sink.to_owned()).or_default().entry(period).or_default()
    }

    pub(in crate::ledger) fn begin(&mut self, sink: &str, intent: Intent, run: &str, at: i64) -> Result<(), FoldError> {
        // A person may have asked for a set without charges.
        let parts = if intent.rows == 0 { Vec::new() } else { self.parts_of(sink, &intent.period) };
        let period = self.period_mut(sink, intent.period);
        if period.unfinished().is_some() {
            period.maybe = Arc::new(period.may_be_shown());
        }
        if period.publication(&intent.id).is_some() {
            return Err(FoldError::PublishedTwice(intent.id));
        }
        let is_new = |(window, part): &&(Window, SetPart)| period.begun.get(window) != Some(part);
        let changes = parts.iter().filter(is_new).cloned().collect();
        period.begun = Arc::new(parts.into_iter().collect());
        let (run, receipt, is_removed) = (run.to_owned(), None, false);
        period.publications.push(Publication { intent, stage: Stage::Begun, receipt, run, at, is_removed, changes });
        Ok(())
    }

    pub(in crate::ledger) fn goes_on(
        &mut self,
        sink: &str,
        period: Window,
        id: &str,
        receipt: Option<Receipt>,
    ) -> Result<(), FoldError> {
        let period = self.period_mut(sink, period);
        let publication = period.publications.iter_mut().rev().find(|publication| publication.intent.id == id);
        let publication = publication.ok_or_else(|| FoldError::NoPublication(id.to_owned()))?;
        match receipt {
            Some(receipt) => {
                publication.stage = publication.stage.max(Stage::Written);
                publication.receipt = Some(receipt);
            }
            None => {
                publication.stage = Stage::Published;
                // What a person pinned stays, though a set before it was shown after all.
                if period.pinned.is_none() || period.current.as_deref() == Some(id) {
                    period.current = Some(id.to_owned());
                    period.shown = period.begun.clone();
                    period.maybe = Arc::default();
                }
            }
        }
        Ok(())
    }

    pub(in crate::ledger) fn pin(&mut self, sink: &str, period: Window, id: String, reason: String) {
        let period = self.period_mut(sink, period);
        period.pinned = Some(reason);
        // Of what readers are shown already, all stays known.
        if period.current.as_ref() != Some(&id) {
            period.maybe = Arc::new(period.may_be_shown());
            period.shown = Arc::new(period.begun_with(&id));
            period.current = Some(id);
        }
    }

    pub(in crate::ledger) fn release(&mut self, sink: &str, period: Window) {
        let period = self.period_mut(sink, period);
        period.pinned = None;
        // What others published is shown as long as somebody wants it so, and is none of the sink's own.
        if period.shown().is_none() {
            period.current = None;
        }
    }

    pub(in crate::ledger) fn removed(&mut self, sink: &str, period: Window, ids: &[String]) -> Result<(), FoldError> {
        // Of a set that others published the ledger may know no period, and begins none for that.
        let Some(period) = self.periods.get_mut(sink).and_then(|periods| periods.get_mut(&period)) else {
            return Ok(());
        };
        if let Some(id) = ids.iter().find(|id| period.current.as_ref() == Some(id)) {
            return Err(FoldError::Current(id.clone()));
        }
        for publication in &mut period.publications {
            publication.is_removed |= ids.contains(&publication.intent.id);
        }
        Ok(())
    }

    pub(in crate::ledger) fn rename(&mut self, from: &str, to: &str) {
        if let Some(parts) = self.parts.remove(from) {
            self.parts.insert(to.to_owned(), parts);
        }
        if let Some(periods) = self.periods.remove(from) {
            self.periods.insert(to.to_owned(), periods);
        }
    }

    /// The part of it that entries about these periods can reach.
    pub(in crate::ledger) fn part_of(&self, periods: &[(&str, Window)]) -> Sets {
        let mut part = Sets::default();
        for (sink, period) in periods {
            if let Some(known) = self.period(sink, period) {
                part.periods.entry((*sink).to_owned()).or_default().insert(*period, known.clone());
            }
        }
        part
    }
}

impl SetPart {
    /// All that these parts say where they are.
    ///
    /// # Errors
    /// They do not.
    pub(in crate::ledger) fn all_of(parts: Parts) -> Result<Vec<SetPart>, FoldError> {
        let mut sets = Sets::default();
        sets.take_in("", parts)?;
        Ok(sets.parts.into_values().flat_map(BTreeMap::into_values).collect())
    }

    /// Of a window that has no charges.
    fn empty(made: Arc<str>) -> Self {
        let (segment, sha256, contents) = (Arc::from(""), Hash::default(), Hash::default());
        SetPart { rows: 0, segment, range: 0..0, sha256, contents, tags: Vec::new(), attributes: Vec::new(), made }
    }

    /// Whether it holds these charges, with all that is known of them.
    pub fn is(&self, encoded: &Encoded) -> bool {
        self.rows == encoded.rows && (self.rows == 0 || self.sha256 == Hash::of(&encoded.bytes))
    }

    /// Whether it holds the charges of these contents; nothing where there are none.
    pub fn holds(&self, contents: Option<Hash>) -> bool {
        contents == (self.rows > 0).then_some(self.contents)
    }
}

/// What stands for the charges of parts, which are ascending by window.
pub fn contents(parts: &[(Window, SetPart)]) -> Hash {
    let mut hash = Sha256::new();
    for (window, part) in parts.iter().filter(|(_, part)| part.rows > 0) {
        hash.update(window.start().as_millisecond().to_le_bytes());
        hash.update(part.rows.to_le_bytes());
        hash.update(part.contents.bytes());
    }
    Hash::from_digest(hash)
}

/// The names of the tags of some parts' charges, and of their attributes, ascending.
pub fn names(parts: &[(Window, SetPart)]) -> (Vec<String>, Vec<String>) {
    let all = |of: fn(&SetPart) -> &[Arc<str>]| {
        let names: BTreeSet<&str> = parts.iter().flat_map(|(_, part)| of(part)).map(AsRef::as_ref).collect();
        names.into_iter().map(str::to_owned).collect()
    };
    (all(|part| &part.tags), all(|part| &part.attributes))
}
