//! What the entries add up to, and what can be asked of that. How an entry changes it stands in `fold`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use meterhost_decimal::Decimal;

use super::charge::{ChargeState, Lost};
use super::decided::Decided;
use super::entry::{Import, InputSeen, PluginDigest};
use super::hold::{Hold, Kept, Late};
use super::ids::Ids;
use super::imported::{Imported, Own};
use super::row::Head;
use super::sets::Sets;
use super::standing::Standing;
use super::takings::Takings;
use crate::model::charge::{ChargeId, Key, Lane};
use crate::model::window::{Window, WindowKind};

/// What is known of one window for one sink.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowState {
    /// Whether all its charges were final and nothing was held, when that was last written down; freezing another charge undoes it.
    pub settled: bool,
    /// Whether a person wants it read again, whatever changed of it.
    pub(super) reopened: bool,
    /// Whether it ever was settled.
    pub(super) was_settled: bool,
    /// What the latest reading keeps back of it.
    pub holds: Vec<Hold>,
    /// The would-be charges that this keeps back, and frozen ones that usage differs from.
    pub kept: Vec<Kept>,
    /// Late usage of its charges that a later window is to take, ascending by charge.
    pub late: Vec<Late>,
    /// Until when the sink accepts the first of the zeros that are to be sent before that: milliseconds, UTC.
    pub zeros_until: Option<i64>,
    /// Where its items went, by name.
    pub items: Vec<(String, u64)>,
    /// What people said of what is kept back.
    pub(super) decided: Decided,
    /// Customers that were billed before it was over, and until when: milliseconds, UTC.
    pub(super) finals: BTreeMap<String, i64>,
    /// Keys without a charge of their own, of which later windows took late usage: their slot was frozen without them.
    pub(super) elsewhere: Vec<Key>,
    /// Its charges, in the order in which they were frozen.
    pub(super) charges: Vec<ChargeId>,
    /// How many of them are not final.
    pub(super) open: usize,
}

/// A call under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) charges: Vec<ChargeId>,
}

/// What the entries of one pipeline add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub(super) pipeline: Option<(String, WindowKind)>,
    /// Its first window, as it was when the ledger was new.
    pub(super) first: Option<Window>,
    /// The same, of sinks for which another exporter had billed before, and of those that came in the place of one that is gone.
    pub(super) firsts: BTreeMap<String, Window>,
    /// The sinks that there were then.
    pub(super) opened_with: Vec<String>,
    /// Until when a ledger that is not here any more may have sent charges: milliseconds, UTC.
    pub(super) sent_until: Option<i64>,
    /// The same of entries that this one has lost, and when that was seen.
    pub(super) lost: Option<Lost>,
    /// The latest time that it was for a run.
    pub(super) latest: Option<i64>,
    /// What windows that another exporter closed were made of, where that was not known when its word was taken.
    pub(super) watched: BTreeMap<Window, Vec<InputSeen>>,
    pub(super) charges: HashMap<ChargeId, ChargeState>,
    /// Charges that were made anew in part, at some time.
    pub(super) left: BTreeSet<ChargeId>,
    /// The charges with tags of each slot, by the id that the slot's charge without tags has or would have.
    pub(super) tagged: HashMap<ChargeId, Vec<ChargeId>>,
    /// Of charges that were frozen under other names: from the id that follows from their names now to the one that they have.
    pub(super) known_as: HashMap<ChargeId, ChargeId>,
    /// Names that sinks gave up, and what they are called now.
    pub(super) sinks_before: BTreeMap<String, String>,
    /// Sinks that are gone for good.
    pub(super) retired: BTreeSet<String>,
    /// What the last run was made of.
    pub(super) plugins: Arc<Vec<PluginDigest>>,
    /// The sections of aggregates that charges were frozen from.
    pub(super) aggregators: BTreeSet<String>,
    /// What the pipeline is called now that had this name before and gave it up.
    pub(super) renamed_to: Option<String>,
    /// What the other pipelines of the ledger are made of; nothing where this one is known.
    pub(super) others: BTreeMap<String, Vec<PluginDigest>>,
    pub(super) sinks: BTreeMap<String, BTreeMap<Window, WindowState>>,
    pub(super) inputs: BTreeMap<Window, Vec<InputSeen>>,
    /// Inputs that were there when charges of a window were frozen, and are not there now.
    pub(super) gone: BTreeMap<Window, BTreeSet<String>>,
    /// What later windows took of late usage, by the charge of its own window.
    pub(super) carried: HashMap<ChargeId, Decimal>,
    /// How much more of a charge's usage was billed elsewhere, as a person said.
    pub(super) by_hand: HashMap<ChargeId, Decimal>,
    /// What rounding left over last.
    pub(super) remainders: HashMap<Lane, Decimal>,
    /// The ids of records that were billed.
    pub(super) ids: Ids,
    /// The records that were taken from a queue.
    pub(super) takings: Takings,
    /// The charges of sinks that publish sets, and what was published of them.
    pub(super) sets: Sets,
    pub(super) attempts: BTreeMap<u64, Attempt>,
    pub(super) last_attempt: u64,
    pub(super) runs: u64,
    /// The run that wrote the last entry.
    pub(super) run: String,
    /// What another exporter had billed.
    pub(super) imported: Imported,
    /// The fingerprints that the state document's entry may have; nothing while no document is known.
    pub(super) mirrored: Option<Vec<Option<String>>>,
    /// Where the ledger ends, with the entries of all its pipelines.
    pub(super) head: Head,
}

/// How many charges stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be offered.
    pub pending: usize,
    /// Under way, or without a clear answer.
    pub unknown: usize,
    /// Said to be a duplicate on the first attempt.
    pub unconfirmed: usize,
    /// Refused.
    pub rejected: usize,
    /// For a person to look at.
    pub held: usize,
    /// Final.
    pub accepted: usize,
}

impl State {
    /// How long the pipeline's windows are; nothing while it has no entries.
    pub fn window_kind(&self) -> Option<WindowKind> {
        self.pipeline.as_ref().map(|(_, kind)| *kind)
    }

    /// Whether no run was ever written down.
    pub fn is_fresh(&self) -> bool {
        self.runs == 0
    }

    /// A sink's first window: the one after the last that another exporter had closed; else what `start` said while the ledger was new;
    /// else the first that was ever taken up. A sink that was added since begins where the others did: it may be one of them under a
    /// new name.
    pub fn first_window(&self, sink: &str) -> Option<Window> {
        let of = |sink: &str| self.firsts.get(sink).copied().or(self.first).or_else(|| self.taken_up());
        if self.firsts.contains_key(sink) || self.opened_with.iter().any(|known| known == sink) {
            return of(sink);
        }
        self.opened_with.iter().filter_map(|known| of(known)).min().or_else(|| of(sink))
    }

    fn taken_up(&self) -> Option<Window> {
        self.sinks.values().filter_map(|windows| windows.keys().next()).min().copied()
    }

    /// What another exporter had billed.
    pub fn imported(&self) -> &Imported {
        &self.imported
    }

    /// Whether a window was closed for a sink by another exporter, and nothing of it is to be billed here, or ever was.
    pub fn is_closed_elsewhere(&self, sink: &str, window: &Window) -> bool {
        self.imported.is_closed(sink, window)
            && !self.imported.has_open(sink, window)
            && self.charges_of(sink, window).is_empty()
    }

    /// The windows that another exporter closed for a sink, and of which something is held or was given up, ascending.
    pub fn held_elsewhere(&self, sink: &str) -> BTreeSet<Window> {
        let held = self.sinks.get(sink).into_iter().flatten().filter(|(_, known)| !known.holds.is_empty());
        let windows = held.map(|(window, _)| *window).chain(self.imported.failed_windows(sink));
        windows.filter(|window| self.is_closed_elsewhere(sink, window)).collect()
    }

    /// The fingerprints that the pipeline's entry in the state document may have, unless somebody else changed it: as it was taken over,
    /// or as it was before and after it was to be written last. Nothing while no document is known.
    pub fn mirrored(&self) -> Option<&[Option<String>]> {
        self.mirrored.as_deref()
    }

    /// The state of a ledger that is new as it would be after an import.
    pub fn with(mut self, import: Import) -> Self {
        self.begin_after(&import);
        self.imported = self.imported_with(import);
        self
    }

    /// What another exporter had billed, as it would be known after an import.
    pub fn imported_with(&self, import: Import) -> Imported {
        let own = match (import.aside, &self.mirrored) {
            (false, Some(_)) => self.own(&import.sink),
            // Nothing in it can be of this pipeline's hand.
            _ => Own::default(),
        };
        let mut imported = self.imported.clone();
        imported.add(import, own);
        imported
    }

    /// What this pipeline itself made its state document say of a sink.
    fn own(&self, sink: &str) -> Own {
        let mut own = Own::default();
        for (window, known) in self.sinks.get(sink).into_iter().flatten() {
            if known.was_settled {
                own.closed.insert(*window);
            }
            let listed = self.charges_in(known).filter(|charge| charge.is_listed());
            let listed: BTreeSet<String> = listed.map(|charge| charge.charge().key().customer.clone()).collect();
            if !listed.is_empty() {
                own.listed.insert(*window, listed);
            }
        }
        own
    }

    /// Lets a sink begin after the last window that another exporter closed.
    pub(super) fn begin_after(&mut self, import: &Import) {
        let until = self.imported.until(&import.sink).max(import.until);
        if let Some(next) = until.and_then(|until| until.next()) {
            self.firsts.insert(import.sink.clone(), next);
        }
    }

    /// What a window that another exporter closed was made of when its word was taken, or when somebody first looked.
    pub fn taken_from(&self, sink: &str, window: &Window) -> Option<&[InputSeen]> {
        self.imported.closed_inputs(sink, window).or_else(|| self.watched.get(window).map(Vec::as_slice))
    }

    /// Whether it was written down what a window was made of when somebody first looked.
    pub fn is_watched(&self, window: &Window) -> bool {
        self.watched.contains_key(window)
    }

    /// What a window was made of when a customer was said to be billed for it, or when somebody first looked.
    pub fn billed_from(&self, sink: &str, window: &Window, customer: &str) -> Option<&[InputSeen]> {
        let watched = || self.watched.get(window).map(Vec::as_slice);
        self.imported.inputs(sink, window, customer).or_else(watched)
    }

    /// What the pipeline is called now that had this name before and gave it up; nothing where none did.
    pub fn renamed_to(&self) -> Option<&str> {
        self.renamed_to.as_deref()
    }

    /// Whether a sink is gone for good.
    pub fn is_retired(&self, sink: &str) -> bool {
        self.retired.contains(sink)
    }

    /// Whether a ledger that is not here any more may have sent charges of a window, or a run whose entries are lost a last bill.
    pub(super) fn may_be_sent_before(&self, window: &Window) -> bool {
        self.sent_until.is_some_and(|until| window.end().as_millisecond() <= until)
            || self.lost.is_some_and(|lost| window.start().as_millisecond() <= lost.until)
    }

    /// A charge and its standing.
    pub fn charge(&self, id: &ChargeId) -> Option<&ChargeState> {
        self.charges.get(&self.known_as(*id))
    }

    /// The charge of a key.
    pub fn charge_for(&self, key: &Key) -> Option<&ChargeState> {
        self.charge(&key.id())
    }

    /// The other charges of a key's slot: those that differ from it in their tags alone.
    pub fn beside(&self, key: &Key) -> impl Iterator<Item = &ChargeState> {
        let (own, slot) = (self.known_as(key.id()), key.untagged().id());
        let tagged = self.tagged.get(&slot).into_iter().flatten().filter_map(|id| self.charges.get(id));
        self.charge(&slot).into_iter().chain(tagged).filter(move |charge| charge.charge().id() != own)
    }

    /// All charges of a window for a sink, in the order in which they were frozen.
    pub fn charges_of(&self, sink: &str, window: &Window) -> Vec<&ChargeState> {
        self.window(sink, window).into_iter().flat_map(|window| self.charges_in(window)).collect()
    }

    /// All charges of a window, for whichever sink there was.
    pub fn charges_in_all(&self, window: &Window) -> impl Iterator<Item = &ChargeState> {
        let windows = self.sinks.values().filter_map(|windows| windows.get(window));
        windows.flat_map(|window| self.charges_in(window))
    }

    /// The charges of a sink that are not final, oldest window first, in the order in which they were frozen.
    pub fn open_charges(&self, sink: &str) -> Vec<&ChargeState> {
        let windows = self.sinks.get(sink).into_iter().flat_map(BTreeMap::values);
        let open = windows.filter(|window| window.open > 0).flat_map(|window| self.charges_in(window));
        open.filter(|charge| !charge.is_final()).collect()
    }

    fn charges_in<'a>(&'a self, window: &'a WindowState) -> impl Iterator<Item = &'a ChargeState> {
        window.charges.iter().filter_map(|id| self.charges.get(id))
    }

    /// Charges that were made anew without some of their records, which stay refused.
    pub fn made_in_part(&self) -> impl Iterator<Item = &ChargeState> {
        self.left.iter().filter_map(|id| self.charge(id)).filter(|charge| charge.left() > 0)
    }

    /// How many charges of a sink stand how.
    pub fn counts(&self, sink: &str) -> Counts {
        let windows = self.sinks.get(sink).into_iter().flat_map(BTreeMap::values);
        windows.flat_map(|window| self.charges_in(window)).fold(Counts::default(), |mut counts, charge| {
            let count = match charge.standing() {
                Standing::Pending { .. } => &mut counts.pending,
                Standing::InFlight { .. } | Standing::Unknown { .. } => &mut counts.unknown,
                Standing::Unconfirmed { .. } => &mut counts.unconfirmed,
                Standing::Rejected { .. } => &mut counts.rejected,
                Standing::Held { .. } => &mut counts.held,
                Standing::Accepted { .. }
                | Standing::TakenOver
                | Standing::ByHand { .. }
                | Standing::Waived { .. }
                | Standing::Nothing => &mut counts.accepted,
            };
            *count += 1;
            counts
        })
    }

    /// What is known of a window for a sink.
    pub fn window(&self, sink: &str, window: &Window) -> Option<&WindowState> {
        self.sinks.get(sink)?.get(window)
    }

    /// Every window that was taken up, by sink and ascending.
    pub fn windows(&self) -> impl Iterator<Item = (&str, &Window, &WindowState)> {
        self.sinks
            .iter()
            .flat_map(|(sink, windows)| windows.iter().map(move |(window, state)| (sink.as_str(), window, state)))
    }

    /// Whether a window was taken up for a sink.
    pub fn is_taken_up(&self, sink: &str, window: &Window) -> bool {
        self.window(sink, window).is_some()
    }

    /// Whether something of a window was frozen for a sink, or is held.
    pub fn is_begun(&self, sink: &str, window: &Window) -> bool {
        self.window(sink, window).is_some_and(|known| !known.charges.is_empty() || !known.holds.is_empty())
    }

    /// Whether a person wants a window to be read again for a sink.
    pub fn is_reopened(&self, sink: &str, window: &Window) -> bool {
        self.window(sink, window).is_some_and(|window| window.reopened)
    }

    /// Whether a window is settled for a sink.
    pub fn is_settled(&self, sink: &str, window: &Window) -> bool {
        self.window(sink, window).is_some_and(|window| window.settled)
    }

    /// Whether a window ever was settled for a sink.
    pub fn was_settled(&self, sink: &str, window: &Window) -> bool {
        self.window(sink, window).is_some_and(|window| window.was_settled)
    }

    /// What a window's charges were computed from.
    pub fn inputs(&self, window: &Window) -> Option<&[InputSeen]> {
        self.inputs.get(window).map(Vec::as_slice)
    }

    /// The ids of records that were billed.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The charges of sinks that publish sets, and what was published of them.
    pub fn sets(&self) -> &Sets {
        &self.sets
    }

    /// The charges of a call that is under way.
    pub(super) fn offered(&self, attempt: u64) -> HashSet<ChargeId> {
        self.attempts.get(&attempt).into_iter().flat_map(|attempt| &attempt.charges).copied().collect()
    }

    /// Where the ledger ends that it was read from, with the entries of all its pipelines.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The number of the last call.
    pub fn last_attempt(&self) -> u64 {
        self.last_attempt
    }
}
