//! One sink's months in one run: each that changed is published, whole.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::line::{Halt, Line};
use super::month::{Made, Month, months};
use crate::broker::Denial;
use crate::config::SinkSpec;
use crate::failpoint::failpoint;
use crate::ledger::{Entry, Intent, Ledger, LedgerError, Period, Publication, Receipt, State, merged};
use crate::model::publish::{Found, PlaceTraits, Shown, Written};
use crate::model::window::Window;
use crate::pipeline::complete::Complete;
use crate::pipeline::deliver::Stopped;
use crate::pipeline::due::{begins_at, look_back};
use crate::pipeline::options::Options;
use crate::pipeline::read::with_denials;
use crate::pipeline::setup::{Section, Setup, SinkSection};
use crate::plugin::{Cause, Failure, PublisherInstance};
use crate::report::{Problem, PublicationReport, PublicationState};

/// Publishes for one sink.
pub(in crate::pipeline) struct Publisher<'a> {
    pub(in crate::pipeline) setup: &'a Setup,
    pub(in crate::pipeline) spec: &'a SinkSpec,
    pub(in crate::pipeline) sink: &'a SinkSection,
    pub(in crate::pipeline) place: &'a PlaceTraits,
    pub(in crate::pipeline) options: &'a Options<'a>,
    pub(in crate::pipeline) complete: &'a Complete,
    pub(in crate::pipeline) ledger: &'a Mutex<Ledger>,
}

/// What came of it.
#[derive(Default)]
pub(in crate::pipeline) struct Published {
    pub(in crate::pipeline) months: Vec<PublicationReport>,
    /// The sink, and the months of which readers are shown what they should be.
    pub(in crate::pipeline) shown: BTreeSet<(String, Window)>,
    /// Of those, the ones that stay what a person said.
    pub(in crate::pipeline) pinned: BTreeSet<(String, Window)>,
    pub(in crate::pipeline) problems: Vec<Problem>,
    /// What is worth knowing.
    pub(in crate::pipeline) notes: Vec<String>,
    pub(in crate::pipeline) stopped: Option<Stopped>,
}

impl Publisher<'_> {
    /// Publishes every month that changed. One that fails keeps no other from being published.
    pub(in crate::pipeline) fn run(&self) -> Published {
        let mut published = Published::default();
        let name = &self.spec.plugin.name;
        let back = look_back(&self.setup.pipeline, self.options.now);
        let periods = months(self.ledger().state(), name, std::iter::empty());
        let unknown = self.options.republish.filter(|period| !periods.contains(period));
        published
            .notes
            .extend(unknown.map(|period| format!("{} of {name}: there is nothing to publish", period.label())));
        for period in periods {
            let (month, known) = {
                let ledger = self.ledger();
                (self.month(ledger.state(), period), ledger.state().sets().period(name, &period).cloned())
            };
            if !month.is_in_sight(known.as_ref(), back) {
                published.shown.insert((name.clone(), period));
                continue;
            }
            let report = |state| report(name, &month, state);
            match self.one(&month, known.as_ref()) {
                Ok(state) => {
                    if state == PublicationState::Pinned {
                        published.pinned.insert((name.clone(), period));
                    }
                    match state == PublicationState::Waits {
                        true => published.problems.push(waits(&self.sink.section, &month)),
                        false => _ = published.shown.insert((name.clone(), period)),
                    }
                    if let Err(error) = self.merge(&month) {
                        published.stopped = Some(Stopped::Ledger(error));
                        break;
                    }
                    let ledger = self.ledger();
                    let known = ledger.state().sets().period(name, &period);
                    published.notes.extend(known.and_then(|known| left_behind(name, &period, known)));
                    published.months.push(report(state).shown(known));
                }
                Err(Broken { halt: Halt::Stopped(Stopped::Problem(problem)), .. }) => {
                    published.problems.push(problem);
                    published.months.push(report(PublicationState::Failed).shown(known.as_ref()));
                }
                Err(Broken { halt: Halt::Stopped(stopped), .. }) => {
                    published.stopped = Some(stopped);
                    break;
                }
                Err(Broken { halt: Halt::Failed(step, failure, denials), left }) => {
                    published.problems.push(self.trouble((step, left), &period, &failure, &denials));
                    published.months.push(report(PublicationState::Failed).shown(known.as_ref()));
                }
                Err(Broken { halt: Halt::Patience(step, reason), left }) => {
                    let problem = self.problem("unavailable", step, &period, reason);
                    published.problems.push(Problem { action: Some(format!("{left}; {AGAIN}")), ..problem });
                    published.months.push(report(PublicationState::Failed).shown(known.as_ref()));
                }
            }
        }
        published
    }

    fn month(&self, state: &State, period: Window) -> Month {
        month_of(self.setup, (self.spec, self.sink, self.place), (self.complete, self.options), state, period)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, entry: Entry) -> Result<(), Halt> {
        Ok(self.ledger().append(vec![entry])?)
    }

    /// Brings together what a month's charges stand in, where that is many pieces.
    fn merge(&self, month: &Month) -> Result<(), LedgerError> {
        match merged(&month.parts, &self.setup.place.shelf())? {
            Some(parts) => self.ledger().append(vec![Entry::Charged { sink: self.spec.plugin.name.clone(), parts }]),
            None => Ok(()),
        }
    }

    /// Asks what became of publications that broke off when they were whole; answers the months of which readers' place could tell. Of
    /// others, and where it cannot be asked, the run itself tells.
    pub(in crate::pipeline) fn ask(&self) -> HashSet<(String, Window)> {
        let name = &self.spec.plugin.name;
        let periods = self.ledger().state().sets().periods(name);
        let tells = |period: &Window| {
            let known = self.ledger().state().sets().period(name, period).cloned()?;
            known.unfinished().filter(|unfinished| unfinished.receipt.is_some())?;
            let mut line = self.connect().ok()?;
            let shown = line.instance.current(&self.sink.section.config, period).ok()?;
            self.recovered(*period, &known, &shown).ok()?;
            (shown != Shown::CannotTell).then(|| (name.clone(), *period))
        };
        periods.iter().filter_map(tells).collect()
    }

    /// What is to be done with a month, and that.
    fn one(&self, month: &Month, known: Option<&Period>) -> Result<PublicationState, Broken> {
        if let Some(state) = month.by_itself(known) {
            return Ok(state);
        }
        let nothing = Period::default();
        let known = known.unwrap_or(&nothing);
        let section = &self.sink.section;
        let mut line = self.connect()?;
        let step = "asking what readers are shown";
        let shown = line.instance.current(&section.config, &month.period).map_err(Halt::failed(step, &line.session))?;
        let known = &self.recovered(month.period, known, &shown)?;
        match month.by_what_is_shown(known, &shown, look_back(&self.setup.pipeline, self.options.now)) {
            PublicationState::WouldPublish => match self.publish(month, known, line) {
                Ok(()) => Ok(PublicationState::Published),
                Err(halt) => Err(Broken { left: left(&halt, &shown), halt }),
            },
            PublicationState::Pinned => {
                self.kept_pinned(month, known, &shown, &mut line)?;
                Ok(PublicationState::Pinned)
            }
            state => Ok(state),
        }
    }

    /// Sees to it that readers are shown what a person said: they may not be yet, or not any more.
    fn kept_pinned(&self, month: &Month, known: &Period, shown: &Shown, line: &mut Line<'_>) -> Result<(), Halt> {
        let wanted = known.current.as_deref().unwrap_or_default();
        let step = "showing what was pinned";
        let is_shown = match shown {
            Shown::Set(found) => known.is_current(found),
            Shown::Nothing => false,
            // Such a place keeps no set that could be shown by its name.
            Shown::CannotTell if known.unfinished().is_some_and(|unfinished| unfinished.intent.id == wanted) => {
                let text = format!(
                    "whether readers are shown {wanted} nobody can tell, since its publication broke off: \
                     say `meterhost snapshots remove` again"
                );
                return Err(Halt::failed(step, &line.session)(Cause::Other(text).into()));
            }
            Shown::CannotTell => true,
        };
        if is_shown {
            return Ok(());
        }
        let found = line.instance.revert(&self.sink.section.config, &month.period, wanted);
        let found = found.map_err(Halt::failed(step, &line.session))?;
        reverted(known, wanted, &found).map_err(|cause| Halt::failed(step, &line.session)(cause.into()))?;
        // It may be one that was written, and broke off before it was shown.
        self.recovered(month.period, known, &Shown::Set(found))?;
        Ok(())
    }

    /// What is known of a month once it is clear what became of a publication that a crash broke off: what readers are shown decides.
    fn recovered(&self, period: Window, known: &Period, shown: &Shown) -> Result<Period, Halt> {
        let name = &self.spec.plugin.name;
        let Some(entry) = broken_off(name, period, known, shown) else { return Ok(known.clone()) };
        self.append(entry)?;
        Ok(self.ledger().state().sets().period(name, &period).cloned().unwrap_or_default())
    }

    fn publish(&self, month: &Month, known: &Period, mut line: Line<'_>) -> Result<(), Halt> {
        let (sink, period) = (self.spec.plugin.name.clone(), month.period);
        let section = &self.sink.section;
        self.options.watch.step(&format!("publishing {}", period.label()));
        failpoint("beginning-set");
        let outline = month.outline(Some(known), self.options.now);
        let begun = line.instance.begin(&section.config, &outline);
        let id = begun.map_err(Halt::failed("beginning a set", &line.session))?;
        if known.publication(&id).is_some() {
            return Err(contract("beginning a set", &line, format!("it gave a set the id {id}, which another had")));
        }
        let shelf = self.setup.place.shelf();
        let parts: Vec<_> = month.parts.iter().map(|(_, part)| part.clone()).collect();
        // What cannot be published leaves nothing behind.
        if self.place.surveys {
            shelf.each_block(&parts, &mut |columns| line.survey(columns))?;
        }
        let (contents, fingerprint, rows) = (month.contents, month.fingerprint, month.rows);
        let set = Intent {
            period,
            id: id.clone(),
            contents,
            fingerprint,
            rows,
            closed: month.is_closed,
            closes: self.place.closes,
        };
        self.append(Entry::Publishing { sink: sink.clone(), set })?;
        failpoint("writing-set");
        shelf.each_block(&parts, &mut |columns| line.write(columns))?;
        failpoint("finishing-set");
        let step = "verifying the set";
        let first = line.instance.finish();
        let Written { rows, files, bytes, totals } = line.until_done(step, first, PublisherInstance::finish)?;
        if rows != month.rows {
            return Err(contract(step, &line, format!("it wrote {rows} charges, and was given {}", month.rows)));
        }
        let receipt = Receipt { rows, files, bytes, totals };
        self.append(Entry::Written { sink: sink.clone(), period, id: id.clone(), receipt })?;
        failpoint("showing-set");
        let first = line.instance.commit();
        line.until_done(SHOWING, first, PublisherInstance::commit)?;
        failpoint("shown-set");
        self.append(Entry::Published { sink, period, id })
    }

    fn connect(&self) -> Result<Line<'_>, Halt> {
        let section = &self.sink.section;
        let session = self.setup.broker.session(&section.name, section.grants.clone(), false);
        session.set_rate(self.sink.rate);
        session.set_gate(self.ledger().gate());
        session.set_deadline(Some(self.place.deadline));
        let instance = PublisherInstance::start(&section.plugin, section.settings(session.clone(), self.options.now));
        let instance = instance.map_err(Halt::failed("starting", &session))?;
        Ok(Line { instance, session, budget: self.spec.retry_budget, stop: self.options.stop })
    }

    fn trouble(&self, (step, left): (&str, &str), period: &Window, failure: &Failure, denials: &[Denial]) -> Problem {
        let mut problem = self.sink.section.problem(step, Some(period.label()), failure);
        let then = match failure.cause {
            Cause::Unavailable(_) => AGAIN.to_owned(),
            _ => problem.action.take().unwrap_or_else(|| MENDED.to_owned()),
        };
        problem.action = Some(format!("{left}; {then}"));
        with_denials(problem, denials)
    }

    fn problem(&self, code: &'static str, step: &str, period: &Window, text: String) -> Problem {
        Problem {
            plugin: Some(self.sink.section.label()),
            step: Some(step.to_owned()),
            input: Some(period.label()),
            ..Problem::new(code, text)
        }
    }
}

/// That readers are shown a publication of which that was not written down: a crash broke it off. Before it was written it cannot be
/// shown, and what has the same id and other files is somebody else's.
pub(super) fn broken_off(sink: &str, period: Window, known: &Period, shown: &Shown) -> Option<Entry> {
    let Shown::Set(found) = shown else { return None };
    let unfinished = known.unfinished().filter(|unfinished| unfinished.is(found))?;
    Some(Entry::Published { sink: sink.to_owned(), period, id: unfinished.intent.id.clone() })
}

/// What is wrong where this set was made current, and that one was asked for.
pub(super) fn reverted(known: &Period, wanted: &str, found: &Found) -> Result<(), Cause> {
    if found.id != wanted {
        return Err(Cause::Contract(format!("it made {} current, and was asked for {wanted}", found.id)));
    }
    match known.publication(wanted).filter(|wanted| !wanted.is(found)) {
        Some(wanted) => Err(Cause::Other(format!(
            "{}; `meterhost snapshots release` lets the month be published anew",
            not_as_written(wanted, found)
        ))),
        None => Ok(()),
    }
}

/// That what was found under the name of a set is not that set.
pub(super) fn not_as_written(published: &Publication, found: &Found) -> String {
    let size =
        |files: u32, bytes: u64| format!("{files} {} of {bytes} bytes", if files == 1 { "file" } else { "files" });
    let there = size(found.files, found.bytes);
    match &published.receipt {
        Some(Receipt { files, bytes, .. }) => {
            let written = size(*files, *bytes);
            format!("{} was written as {written}, and is {there}: it was changed, or is somebody else's", found.id)
        }
        None => format!("{} was never written whole, and is {there}: it is somebody else's", found.id),
    }
}

/// That windows of a month were never read. Why, and what there is to do, the run knows.
pub(super) fn waits(sink: &Section, month: &Month) -> Problem {
    let first = month.unread.first().map(Window::label).unwrap_or_default();
    let which = match month.unread.len() {
        0 | 1 => format!("{first} of it is"),
        2 => format!("{first} and 1 more window of it are"),
        many => format!("{first} and {} more windows of it are", many - 1),
    };
    let were = if month.unread.len() > 1 { "were" } else { "was" };
    Problem {
        plugin: Some(sink.label()),
        step: Some("publishing".to_owned()),
        input: Some(month.period.label()),
        ..Problem::new("unread", format!("it is not published: {which} due and {were} never read"))
    }
}

/// A month of a sink, by what the ledger holds of it.
pub(super) fn month_of(
    setup: &Setup,
    (spec, sink, place): (&SinkSpec, &SinkSection, &PlaceTraits),
    (complete, options): (&Complete, &Options<'_>),
    state: &State,
    period: Window,
) -> Month {
    let (plugin, config) = (sink.section.plugin.label(), &sink.section.config);
    let begins = begins_at(&setup.pipeline, state, spec, options.now);
    let made = Made { sink: &spec.plugin.name, plugin: &plugin, config, closes: place.closes, begins };
    let month = Month::of(&setup.pipeline, state, (complete, options.now), &made, period);
    Month { again: options.republish == Some(period), ..month }
}

/// That a crash left sets behind that readers are not shown.
fn left_behind(sink: &str, period: &Window, known: &Period) -> Option<String> {
    const MOST: usize = 3;
    let ids: Vec<&str> = known.left_behind().map(|left| left.intent.id.as_str()).collect();
    let some = ids.iter().rev().take(MOST).rev().copied().collect::<Vec<_>>().join(", ");
    let what = match ids.len() {
        0 => return None,
        1 => format!("{some} was not finished, and nobody is shown it: `meterhost snapshots prune` deletes it"),
        many if many <= MOST => {
            format!("{some} were not finished, and nobody is shown them: `meterhost snapshots prune` deletes them")
        }
        many => format!(
            "{many} sets were not finished, up to {some}, and nobody is shown them: `meterhost snapshots prune` deletes them"
        ),
    };
    Some(format!("{} of {sink}: {what}", period.label()))
}

/// The step in which readers come to see a set.
const SHOWING: &str = "showing the set";

/// What a failure to publish leaves.
const AS_BEFORE: &str = "readers are shown what they were";
/// What comes after one that passes, and after one that does not.
const AGAIN: &str = "the next run goes on";
const MENDED: &str = "mend what it names: until then each run ends here";

/// A publication that came to nothing.
struct Broken {
    halt: Halt,
    /// What readers are shown now.
    left: &'static str,
}

impl From<Halt> for Broken {
    fn from(halt: Halt) -> Self {
        Broken { halt, left: AS_BEFORE }
    }
}

/// What readers are shown where a publication broke off like this, and were shown that before.
fn left(halt: &Halt, before: &Shown) -> &'static str {
    match (halt, before) {
        (_, Shown::CannotTell) => "readers are shown what they were, or some of the new set already",
        (Halt::Failed(SHOWING, ..) | Halt::Patience(SHOWING, _), _) => {
            "readers are shown what they were, or the new set already"
        }
        _ => AS_BEFORE,
    }
}

pub(super) fn contract(step: &'static str, line: &Line<'_>, text: String) -> Halt {
    Halt::failed(step, &line.session)(Cause::Contract(text).into())
}

pub(super) fn report(sink: &str, month: &Month, state: PublicationState) -> PublicationReport {
    PublicationReport {
        sink: sink.to_owned(),
        period: month.period.label(),
        state,
        charges: month.rows,
        waits_for: month.unread.first().map(Window::label),
        id: None,
        files: None,
        bytes: None,
        totals: Vec::new(),
        pinned: None,
    }
}

impl PublicationReport {
    /// With what readers are shown.
    pub(super) fn shown(mut self, known: Option<&Period>) -> Self {
        let Some(known) = known else { return self };
        self.pinned.clone_from(&known.pinned);
        self.id.clone_from(&known.current);
        if let Some(receipt) = known.shown().and_then(|shown| shown.receipt.as_ref()) {
            (self.files, self.bytes) = (Some(receipt.files), Some(receipt.bytes));
            self.totals = receipt.totals.iter().map(|(name, total)| (name.clone(), total.to_string())).collect();
        }
        self
    }
}
