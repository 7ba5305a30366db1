//! What a sink published and what is kept of it: listed, made current again, deleted, emptied.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use serde::Serialize;

use super::line::{Halt, Line};
use super::publisher::{broken_off, contract, not_as_written, reverted};
use crate::broker::Session;
use crate::config::SinkSpec;
use crate::failpoint::failpoint;
use crate::ledger::{Entry, Intent, Ledger, Period, Publication, Receipt, Stage, State, contents};
use crate::model::charged::instants;
use crate::model::publish::{Found, Outline, PlaceTraits, Shown, Written};
use crate::model::window::{Window, WindowKind};
use crate::pipeline::deliver::Stopped;
use crate::pipeline::read::with_denials;
use crate::pipeline::setup::{Setup, SinkSection};
use crate::plugin::{Failure, PublisherInstance};
use crate::report::Problem;

/// The sets of one sink.
pub struct Archive<'a> {
    setup: &'a Setup,
    sink: &'a SinkSection,
    spec: &'a SinkSpec,
    place: &'a PlaceTraits,
    now: Timestamp,
}

/// How a set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Readers are shown it.
    Current,
    /// Readers were shown it, and it is kept.
    Kept,
    /// It was never shown: its publication broke off.
    LeftBehind,
    /// A sink of this pipeline published it that is gone for good, and nobody is shown it.
    Retired,
    /// Others published it: another pipeline, another sink, or this one by a ledger that is not here any more.
    Foreign,
    /// Readers were shown it, and it is not there any more.
    Gone,
}

/// A set that was published.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// The sink's name.
    pub sink: String,
    /// The month.
    pub period: Window,
    /// The plugin's name for it.
    pub id: String,
    /// How it stands.
    pub standing: Standing,
    /// Of what others published: who that was, as far as it is known. What may be another pipeline's is never deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whose: Option<String>,
    /// Whether it is this pipeline's, as its ledger knows: of the sink itself, or of one that is gone for good.
    #[serde(skip)]
    pub is_own: bool,
    /// Why it stays current, where a person said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    /// When it was published or written at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The run that published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Charges in it, where the ledger knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charges: Option<u64>,
    /// Objects or requests that it took.
    pub files: u32,
    /// How large they are together.
    pub bytes: u64,
    /// Whether it is what readers are to be shown, as the ledger knows it.
    #[serde(skip)]
    pub is_wanted: bool,
    /// Whether it was found where sets are published; not where that place keeps none.
    #[serde(skip)]
    pub is_there: bool,
    /// What its columns add up to that are amounts: names and decimals.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "crate::report::pairs")]
    pub totals: Vec<(String, String)>,
}

/// A set as it is now in what was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It lies there.
    Found,
    /// It does not lie there.
    Missing,
    /// The place keeps nothing that could be listed.
    Unlisted,
}

impl<'a> Archive<'a> {
    /// Of every sink of a pipeline that publishes sets, in the order of the file.
    pub fn all(setup: &'a Setup, now: Timestamp) -> Vec<Archive<'a>> {
        let sinks = setup.sinks.iter().zip(&setup.pipeline.sinks);
        let own =
            sinks.filter_map(|(sink, spec)| Some(Archive { setup, sink, spec, place: sink.place.as_ref()?, now }));
        own.collect()
    }

    /// The sink's name.
    pub fn name(&self) -> &str {
        &self.spec.plugin.name
    }

    /// What was published of a period or of all, and how each stands, ascending by period and in the order in which it came to be.
    ///
    /// # Errors
    /// The place cannot be listed.
    pub fn list(&self, state: &State, only: Option<&Window>) -> Result<Vec<Snapshot>, Problem> {
        let stop = AtomicBool::new(false);
        let mut line = self.connect(None, &stop)?;
        let is_unmade = line.session.is_unmade();
        let found = if is_unmade { Ok(Vec::new()) } else { line.instance.list(&self.sink.section.config, only) };
        let found = found.map_err(|failure| self.failed("listing what was published", &line.session, &failure))?;
        let mut periods: BTreeSet<Window> = state.sets().periods(self.name());
        periods.extend(found.iter().filter_map(|found| period(found.period)));
        let mut all = Vec::new();
        for period in periods.into_iter().filter(|period| only.is_none_or(|only| only == period)) {
            let nothing = Period::default();
            let known = state.sets().period(self.name(), &period).unwrap_or(&nothing);
            let here: Vec<&Found> = found.iter().filter(|found| found.period == instants(&period)).collect();
            let is_unlisted = here.is_empty() && !known.publications.is_empty() && !is_unmade && {
                let shown = line.instance.current(&self.sink.section.config, &period);
                let step = "asking what readers are shown";
                shown.map_err(|failure| self.failed(step, &line.session, &failure))? == Shown::CannotTell
            };
            for publication in &known.publications {
                let found = here.iter().find(|found| publication.is_in_part(found)).copied();
                let place = match found {
                    Some(_) => Place::Found,
                    None if is_unlisted => Place::Unlisted,
                    None => Place::Missing,
                };
                all.extend(self.snapshot(period, known, (publication, found), place));
            }
            let is_foreign =
                |found: &&&Found| known.publication(&found.id).is_none_or(|known| !known.is_in_part(found));
            all.extend(here.iter().filter(is_foreign).map(|found| self.foreign(state, period, known, found)));
        }
        Ok(all)
    }

    fn snapshot(
        &self,
        period: Window,
        known: &Period,
        (publication, found): (&Publication, Option<&Found>),
        place: Place,
    ) -> Option<Snapshot> {
        let Publication { intent, stage, receipt, run, at, is_removed, .. } = publication;
        let is_current = match found {
            Some(found) => found.current,
            None => known.current.as_ref() == Some(&intent.id),
        };
        let standing = match (place, stage) {
            (Place::Found | Place::Unlisted, _) if is_current => Standing::Current,
            (Place::Found, Stage::Published) if !is_removed => Standing::Kept,
            (Place::Found, _) => Standing::LeftBehind,
            (Place::Missing, Stage::Published) if !is_removed => Standing::Gone,
            // What was replaced there, never came about, or was deleted.
            (Place::Missing | Place::Unlisted, _) => return None,
        };
        let receipt = receipt.clone().unwrap_or_default();
        Some(Snapshot {
            sink: self.name().to_owned(),
            period,
            id: intent.id.clone(),
            standing,
            whose: None,
            is_own: true,
            pinned: known.pinned.clone().filter(|_| known.current.as_ref() == Some(&intent.id)),
            at: Timestamp::from_millisecond(*at).ok(),
            run: Some(run.clone()),
            charges: Some(intent.rows),
            is_wanted: known.current.as_ref() == Some(&intent.id),
            is_there: found.is_some(),
            files: found.map_or(receipt.files, |found| found.files),
            bytes: found.map_or(receipt.bytes, |found| found.bytes),
            totals: receipt.totals.into_iter().map(|(name, total)| (name, total.to_string())).collect(),
        })
    }

    /// A set that this sink did not publish. It is surely that of a sink that is gone for good if that one wrote a set of this name, and all
    /// that was found of it is as it was written: a name alone another pipeline may have given, too.
    fn foreign(&self, state: &State, period: Window, known: &Period, found: &Found) -> Snapshot {
        let named = state.sets().sinks().filter(|sink| *sink != self.name()).find_map(|sink| {
            let publication = state.sets().period(sink, &period)?.publication(&found.id)?;
            Some((sink, publication.is(found)))
        });
        let (standing, whose) = match (known.publication(&found.id), named) {
            (Some(own), _) => (Standing::Foreign, not_as_written(own, found)),
            (None, Some((sink, true))) if state.is_retired(sink) => {
                (Standing::Retired, format!("published by {sink}, which is gone for good"))
            }
            (None, Some((sink, true))) => (Standing::Foreign, format!("published by {sink}")),
            (None, Some((sink, false))) => {
                let text = format!("{sink} began one of this name, and did not write it as it is: {UNKNOWN}");
                (Standing::Foreign, text)
            }
            (None, None) => (Standing::Foreign, UNKNOWN.to_owned()),
        };
        let is_own = standing == Standing::Retired;
        let standing = if found.current { Standing::Current } else { standing };
        Snapshot {
            sink: self.name().to_owned(),
            period,
            id: found.id.clone(),
            standing,
            whose: Some(whose),
            is_own,
            pinned: known.pinned.clone().filter(|_| known.current.as_ref() == Some(&found.id)),
            at: found.at.and_then(|at| Timestamp::from_millisecond(at).ok()),
            run: None,
            charges: None,
            is_wanted: known.current.as_ref() == Some(&found.id),
            is_there: true,
            files: found.files,
            bytes: found.bytes,
            totals: Vec::new(),
        }
    }

    /// Makes an older set current again, and keeps it so until it is released. That is written down before anything changes: no run publishes
    /// anything else from then on, whatever becomes of the rest.
    ///
    /// # Errors
    /// The ledger cannot be written, or the place cannot be changed: saying it again does no harm.
    pub fn revert(
        &self,
        ledger: &mut Ledger,
        period: Window,
        id: &str,
        (reason, by): (String, Option<String>),
    ) -> Result<(), Stopped> {
        let (sink, wanted) = (self.name().to_owned(), id.to_owned());
        let stop = AtomicBool::new(false);
        let mut line = self.connect(Some(ledger), &stop).map_err(Stopped::Problem)?;
        let session = line.session.clone();
        self.recover(ledger, &mut line, period).map_err(|halt| self.stopped(&session, halt))?;
        ledger.append(vec![Entry::Pinned { sink, period, id: wanted, reason, by }])?;
        let found = line.instance.revert(&self.sink.section.config, &period, id);
        failpoint("reverting-set");
        let failed =
            |failure: Failure| Stopped::Problem(self.failed("going back to an older set", &line.session, &failure));
        let found = found.map_err(failed)?;
        let known = ledger.state().sets().period(self.name(), &period).cloned().unwrap_or_default();
        reverted(&known, id, &found).map_err(|cause| failed(cause.into()))
    }

    /// Sets that broke off and of which nothing is found where sets are published: there is nothing to delete of them.
    pub fn forgotten(&self, state: &State, found: &[Snapshot], only: Option<&Window>) -> Vec<Entry> {
        let mut entries = Vec::new();
        for period in
            state.sets().periods(self.name()).into_iter().filter(|period| only.is_none_or(|only| only == period))
        {
            let Some(known) = state.sets().period(self.name(), &period) else { continue };
            let left = known.left_behind().map(|left| left.intent.id.clone());
            let is_own = |set: &&Snapshot| set.period == period && set.whose.is_none();
            let is_found = |id: &String| found.iter().filter(is_own).any(|set| set.id == *id);
            let ids: Vec<String> = left.filter(|id| !is_found(id)).collect();
            if !ids.is_empty() {
                entries.push(Entry::Removed { sink: self.name().to_owned(), period, ids, by: None });
            }
        }
        entries
    }

    /// Deletes sets that are not current. Each is written down first.
    ///
    /// # Errors
    /// The ledger cannot be written, or one cannot be deleted: saying it again does no harm.
    pub fn prune(&self, ledger: &mut Ledger, sets: &[Snapshot], by: Option<String>) -> Result<(), Stopped> {
        let stop = AtomicBool::new(false);
        let mut line = self.connect(Some(ledger), &stop).map_err(Stopped::Problem)?;
        for set in sets {
            let (sink, period, ids) = (self.name().to_owned(), set.period, vec![set.id.clone()]);
            ledger.append(vec![Entry::Removed { sink, period, ids, by: by.clone() }])?;
            failpoint("removing-set");
            let removed = line.instance.remove(&self.sink.section.config, &period, &set.id);
            removed.map_err(|failure| Stopped::Problem(self.failed("deleting a set", &line.session, &failure)))?;
        }
        Ok(())
    }

    /// Publishes a period without charges, and keeps it so until it is released; answers the set's id.
    ///
    /// # Errors
    /// The ledger cannot be written, or the set cannot be published.
    pub fn empty(
        &self,
        ledger: &mut Ledger,
        period: Window,
        (reason, by): (String, Option<String>),
    ) -> Result<String, Stopped> {
        let stop = AtomicBool::new(false);
        let mut line = self.connect(Some(ledger), &stop).map_err(Stopped::Problem)?;
        let session = line.session.clone();
        self.emptied(ledger, &mut line, period, (reason, by)).map_err(|halt| self.stopped(&session, halt))
    }

    fn stopped(&self, session: &Session, halt: Halt) -> Stopped {
        match halt {
            Halt::Stopped(stopped) => stopped,
            Halt::Failed(step, failure, _) => Stopped::Problem(self.failed(step, session, &failure)),
            Halt::Patience(step, reason) => {
                Stopped::Problem(Problem { step: Some(step.to_owned()), ..Problem::new("unavailable", reason) })
            }
        }
    }

    /// Writes down first what a run or a command that broke off did not: that readers are shown what it published.
    fn recover(&self, ledger: &mut Ledger, line: &mut Line<'_>, period: Window) -> Result<(), Halt> {
        let Some(known) = ledger.state().sets().period(self.name(), &period) else { return Ok(()) };
        if known.unfinished().is_none() {
            return Ok(());
        }
        let step = "asking what readers are shown";
        let shown = line.instance.current(&self.sink.section.config, &period);
        let shown = shown.map_err(Halt::failed(step, &line.session))?;
        let entry = broken_off(self.name(), period, known, &shown);
        Ok(ledger.append(entry.into_iter().collect())?)
    }

    fn emptied(
        &self,
        ledger: &mut Ledger,
        line: &mut Line<'_>,
        period: Window,
        (reason, by): (String, Option<String>),
    ) -> Result<String, Halt> {
        self.recover(ledger, line, period)?;
        let known = ledger.state().sets().period(self.name(), &period).cloned().unwrap_or_default();
        let contents = contents(&[]);
        let outline = Outline {
            period: instants(&period),
            now: self.now.as_millisecond(),
            fingerprint: contents.to_string(),
            rows: 0,
            tags: Vec::new(),
            attributes: Vec::new(),
            closed: false,
            last: known.publications.last().map(|last| last.intent.id.clone()),
            emptied: known.may_be_shown().iter().map(instants).collect(),
        };
        let step = "beginning a set";
        let id = line.instance.begin(&self.sink.section.config, &outline).map_err(Halt::failed(step, &line.session))?;
        if known.publication(&id).is_some() {
            return Err(contract(step, line, format!("it gave a set the id {id}, which another had")));
        }
        let sink = self.name().to_owned();
        let set =
            Intent { period, id: id.clone(), contents, fingerprint: contents, rows: 0, closed: false, closes: false };
        ledger.append(vec![Entry::Publishing { sink: sink.clone(), set }])?;
        let first = line.instance.finish();
        let Written { rows, files, bytes, totals } =
            line.until_done("verifying the set", first, PublisherInstance::finish)?;
        let receipt = Receipt { rows, files, bytes, totals };
        ledger.append(vec![
            Entry::Written { sink: sink.clone(), period, id: id.clone(), receipt },
            Entry::Pinned { sink: sink.clone(), period, id: id.clone(), reason, by },
        ])?;
        let first = line.instance.commit();
        line.until_done("showing the set", first, PublisherInstance::commit)?;
        ledger.append(vec![Entry::Published { sink, period, id: id.clone() }])?;
        Ok(id)
    }

    fn connect<'l>(&self, ledger: Option<&Ledger>, stop: &'l AtomicBool) -> Result<Line<'l>, Problem> {
        let section = &self.sink.section;
        // Without a ledger that is held nothing may change, and no folder is made to be looked into.
        let session = self.setup.broker.session(&section.name, section.grants.clone(), ledger.is_none());
        session.set_rate(self.sink.rate);
        session.set_gate(ledger.and_then(Ledger::gate));
        session.set_deadline(Some(self.place.deadline));
        let instance = PublisherInstance::start(&section.plugin, section.settings(session.clone(), self.now));
        let instance = instance.map_err(|failure| self.failed("starting", &session, &failure))?;
        Ok(Line { instance, session, budget: self.spec.retry_budget, stop })
    }

    fn failed(&self, step: &str, session: &Session, failure: &Failure) -> Problem {
        with_denials(self.sink.section.problem(step, None, failure), &session.denials())
    }
}

/// The month of these instants, if they are one.
fn period(instants: (i64, i64)) -> Option<Window> {
    let month = Window::containing(WindowKind::Month, Timestamp::from_millisecond(instants.0).ok()?);
    (crate::model::charged::instants(&month) == instants).then_some(month)
}

/// What is said of a set that the ledger does not know.
const UNKNOWN: &str = "by another pipeline, or by a ledger that was lost: nothing tells which, and it is not deleted";

/// What can be deleted: all that was left behind, all that a sink published which is gone for good, and of what is kept of a month all but the
/// newest so many.
pub fn to_prune(sets: &[Snapshot], keep: usize) -> Vec<Snapshot> {
    let mut pruned = Vec::new();
    for month in sets.chunk_by(|left, right| (&left.sink, left.period) == (&right.sink, right.period)) {
        // What readers are to be shown stays, whether they are or not.
        let is_wanted = |set: &&Snapshot| !set.is_wanted;
        let kept: Vec<&Snapshot> =
            month.iter().filter(|set| set.standing == Standing::Kept).filter(is_wanted).collect();
        let old = kept.len().saturating_sub(keep);
        let is_nobodys = |set: &&Snapshot| matches!(set.standing, Standing::LeftBehind | Standing::Retired);
        let left_behind = month.iter().filter(is_nobodys).filter(is_wanted);
        pruned.extend(kept.into_iter().take(old).chain(left_behind).cloned());
    }
    pruned
}
