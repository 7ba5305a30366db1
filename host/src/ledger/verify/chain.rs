//! Row by row: numbers, steps, hashes, contents, and what they add up to.
//!
//! Each row is held against the hash that is stored with the one before, so that of one that was changed nothing is said of those
//! behind it. What an entry adds up to is looked at as long as all before it is whole: behind that, nothing follows.

use std::collections::BTreeMap;

use super::Verified;
use super::finding::{Finding, Spot, sorted};
use super::moved::{Gap, Suspect, sort_out};
use crate::ledger::entry::{Entry, Named};
use crate::ledger::error::LedgerError;
use crate::ledger::row::{Hash, Head, Row};
use crate::ledger::state::State;

/// The rows that were read so far.
pub(super) struct Chain {
    /// What has to be among them.
    kept: Option<Head>,
    meets_head: bool,
    /// What stands before the next one.
    end: Head,
    /// Whether that is what was written, as far as can be said.
    is_sure: bool,
    at: Option<i64>,
    /// The hash that the last one should have. Where only its hash was changed, the next one follows this one.
    should_be: Hash,
    /// Whether nothing that the pipelines add up to can be missing.
    is_whole: bool,
    /// By pipeline; nothing behind an entry that cannot follow.
    states: BTreeMap<String, Option<State>>,
    suspects: Vec<Suspect>,
    gaps: Vec<Gap>,
    findings: Vec<Finding>,
}

impl Chain {
    pub(super) fn new(kept: Option<Head>) -> Chain {
        Chain {
            kept,
            meets_head: false,
            end: Head::default(),
            is_sure: true,
            at: None,
            should_be: Hash::default(),
            is_whole: true,
            states: BTreeMap::new(),
            suspects: Vec::new(),
            gaps: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Where it ends so far.
    pub(super) fn end(&self) -> Head {
        self.end
    }

    /// Something that is wrong beside the rows.
    pub(super) fn fault(&mut self, spot: Spot, fault: String) {
        self.findings.push(Finding { spot, fault });
    }

    /// A segment begins: it says itself what stands before it. `lost` says that what did stand there cannot be read.
    pub(super) fn segment(&mut self, before: &Head, lost: bool) {
        self.meets_head |= self.kept == Some(*before);
        if lost && before.number > self.end.number {
            let spot = Spot::Entries(self.end.number.saturating_add(1), before.number);
            self.fault(spot, "they stood in what is missing or cannot be read".to_owned());
        }
        if *before != self.end {
            self.is_whole = false;
            (self.end, self.should_be, self.is_sure) = (*before, before.hash, true);
        }
    }

    /// The next row.
    pub(super) fn row(&mut self, row: Row) {
        self.meets_head |= self.kept == Some(row.head());
        let before = self.end;
        let fits = |hash: &Hash| row.hash_after(hash) == row.hash;
        let (next, next_step) = (before.number.saturating_add(1), before.step.saturating_add(1));
        if row.number == next && (fits(&before.hash) || fits(&self.should_be)) {
            if self.is_sure && ![before.step, next_step].contains(&row.step) || row.step == 0 {
                let fault = format!("it is part of step {}, and stands behind step {}", row.step, before.step);
                self.fault(Spot::Entries(row.number, row.number), fault);
            }
            (self.end, self.at) = (row.head(), Some(row.at));
            (self.should_be, self.is_sure) = (row.hash, true);
            self.contents(row);
            return;
        }
        self.is_whole = false;
        // SQLite has numbers below 0 too, which come first.
        let is_a_number = row.number > before.number && i64::try_from(row.number).is_ok();
        let is_behind_a_gap = is_a_number && row.number > next;
        if is_behind_a_gap {
            self.gaps.push(Gap { first: next, last: row.number - 1, before });
        }
        if is_a_number {
            // Its step is as doubtful as all that it says.
            self.end = if is_behind_a_gap { row.head() } else { Head { step: before.step, ..row.head() } };
            (self.at, self.should_be, self.is_sure) = (Some(row.at), row.hash_after(&before.hash), false);
        }
        // That another stands in the place of what the head speaks of is said of the entry.
        self.meets_head |= !is_behind_a_gap && self.kept.is_some_and(|kept| kept.number == row.number);
        if is_behind_a_gap {
            self.contents(row.clone());
        }
        self.suspects.push(Suspect { row, before, is_behind_a_gap });
    }

    /// What the entry says, and whether it can follow.
    fn contents(&mut self, row: Row) {
        let (number, pipeline) = (row.number, row.pipeline.clone());
        let spot = Spot::Entries(number, number);
        let record = match row.record("") {
            Ok(record) => record,
            Err(LedgerError::Foreign { what, .. }) => return self.fault(spot, format!("the ledger {what}")),
            Err(LedgerError::Damaged { cause, .. }) => return self.fault(spot, cause.to_string()),
            Err(error) => return self.fault(spot, error.to_string()),
        };
        if !self.is_whole {
            return;
        }
        if let Entry::Renamed { what: Named::Pipeline, from, to } = &record.entry
            && let Some(state) = self.states.remove(from)
        {
            // What follows stands under the new name.
            self.states.insert(to.clone(), state);
        }
        let state = self.states.entry(pipeline).or_insert_with(|| Some(State::default()));
        if let Some(Err(cause)) = state.as_mut().map(|state| state.apply(record)) {
            *state = None;
            self.fault(spot, cause.to_string());
        }
    }

    /// All that can be said of the rows, and whether what was kept is one of them.
    pub(super) fn conclude(mut self) -> (Verified, bool) {
        let (end, found) = sort_out(self.suspects, self.gaps, self.end);
        self.findings.extend(found);
        let opened =
            self.states.iter().filter(|(_, state)| state.as_ref().is_some_and(|state| state.window_kind().is_some()));
        let pipelines = opened.map(|(pipeline, _)| pipeline.clone()).collect();
        let verified = Verified { end: Some(end), at: self.at, pipelines, damage: sorted(self.findings), unfit: None };
        (verified, self.meets_head)
    }
}
