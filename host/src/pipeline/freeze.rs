//! From the windows that are due to frozen charges: read, verified, assessed, written down in one transaction.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::account;
use super::astray::Astray;
use super::charges::Assessment;
use super::closed::{Held, Watched};
use super::compared::{Compared, nothing_to_compare_with};
use super::complete::Complete;
use super::dedupe::{self, Dedupe};
use super::dimensions::Dimensions;
use super::due::{Due, begins, due, is_in_sight, look_back};
use super::entries::{all_astray, frozen, intent, kept_back};
use super::gathered::Reading;
use super::identity::plugins;
use super::mirrored::Mirrored;
use super::objections::Sinks;
use super::opening::{Opening, share_doubts};
use super::options::Options;
use super::publish;
use super::queue::{self, Intake};
use super::read::{Reader, span};
use super::setup::{Section, Setup, SinkSection, Terms};
use super::summary::Findings;
use super::works::{Finished, Ground, Handed, Work, Works};
use crate::config::{self, Pipeline};
use crate::failpoint::failpoint;
use crate::ledger::{Entry, Identity, Ledger, LedgerError, State};
use crate::model::charge::{ChargeId, Proposal};
use crate::model::reading::Span;
use crate::model::window::Window;
use crate::report::{Exit, Problem};

/// How many windows are read in one opening, so that a long backlog needs no more memory than a short one.
const WINDOWS: usize = 32;
/// After so many readings in a row that came to nothing, what is wrong is not one window's: to halve `WINDOWS` down to one takes as many.
const FRUITLESS: u32 = 6;

/// The ledger: open for writing, or only read.
pub(super) enum Book {
    Open(Box<Ledger>),
    Shown(Box<State>),
}

impl Book {
    /// Opens the ledger for writing, unless there is nothing to write: a dry run only reads it, and a run that finds nothing due or to be
    /// taken over leaves no file behind.
    pub(super) fn of(
        identity: &Identity,
        run: &str,
        setup: &Setup,
        options: &Options<'_>,
        mirrored: Option<&Mirrored>,
        complete: &Complete,
    ) -> Result<Book, LedgerError> {
        if options.dry_run {
            return Ok(Book::Shown(Box::new(Ledger::state_of(&setup.place, identity)?)));
        }
        let state = State::default();
        let says_nothing =
            mirrored.is_none_or(|mirrored| mirrored.to_take_over(&state).is_ok_and(|import| import.is_none()));
        // What a queue has to say is not known before it is asked, and asked only with a claim that is written down.
        if says_nothing && !setup.is_queue() && !setup.place.exists()? {
            let due = due(&setup.pipeline, &state, options.now, options.window.as_ref(), complete);
            // Where a window waits for its data, the ledger is to remember that the pipeline begins with it.
            if due.is_idle() && options.last.is_none() {
                return Ok(Book::Shown(Box::new(state)));
            }
        }
        let told = |what: &str| options.watch.step(what);
        let claim = options.claim(run, &told);
        Ok(Book::Open(Box::new(Ledger::open(&setup.place, identity, &claim)?)))
    }

    pub(super) fn state(&self) -> &State {
        match self {
            Book::Open(ledger) => ledger.state(),
            Book::Shown(state) => state,
        }
    }
}

/// Reads the windows that are due, and freezes in one transaction what can be billed of them. `intake` is what a queue handed out, whose
/// windows are those that are due.
pub(super) fn freeze(
    setup: &Setup,
    options: &Options<'_>,
    book: &mut Book,
    due: &Due,
    (complete, intake, asked): (&Complete, Option<&Intake>, &HashSet<(String, Window)>),
    findings: &mut Findings,
) -> Result<Vec<Work>, LedgerError> {
    let progress = |more| options.watch.records(more);
    let begins = begins(&setup.pipeline, book.state(), options.now);
    let reader = Reader { intake, ..Reader::of(setup, options, begins.iter().flatten().min().copied(), &progress) };
    let (windows, watched) = match intake {
        Some(_) => (due.open.clone(), Watched::default()),
        None => {
            let windows = taken_up(&reader, options, book.state(), due, findings);
            (windows, reader.watch(&due.closed, book.state()))
        }
    };
    watched.problem.into_iter().for_each(|problem| findings.problem(problem));
    if windows.is_empty() && watched.held.is_empty() {
        if let Book::Open(ledger) = book
            && !watched.remembered.is_empty()
        {
            ledger.append(watched.remembered)?;
        }
        return Ok(Vec::new());
    }
    if let Book::Open(ledger) = book
        && intake.is_none()
    {
        let mut all: Vec<Window> =
            windows.iter().chain(watched.held.iter().map(|held| &held.window)).copied().collect();
        all.sort();
        all.dedup();
        let mut entries = watched.remembered;
        entries.push(intent(setup, options.now, &all));
        ledger.append(entries)?;
    }
    failpoint("reading");
    let spans: Vec<Span> = windows.iter().map(span).collect();
    let dedupe = setup.pipeline.source.dedupe;
    let dedupe = dedupe.map(|config::Dedupe::Id| Dedupe::new(book.state().ids(), windows.len()));
    let reader = Reader { dedupe: dedupe.as_ref(), ..reader };
    let mut openings = read(&reader, options, &windows, &spans, findings);
    failpoint("read");
    share_doubts(&mut openings, &spans);
    let shelf = setup.place.shelf();
    if let Some(dedupe) = &dedupe
        && let Err(trouble) = dedupe.share(book.state().ids(), &shelf, &windows, &mut openings)
    {
        trouble.told(&windows, findings)?;
        return Ok(Vec::new());
    }
    let mut astray = Astray::default();
    openings.iter().for_each(|opening| astray.join(opening.astray));
    let terms: Vec<Terms<'_>> = setup.sinks.iter().map(SinkSection::terms).collect();
    let handed = intake.map(|intake| Handed { intake, revised: intake.revisable(book.state()) });
    let ground = Ground {
        pipeline: &setup.pipeline,
        terms: &terms,
        checks: &Sinks(setup),
        plugins: &plugins(setup),
        complete,
        now: options.now,
        window: options.window,
        last: options.last.as_ref(),
        queue: handed.as_ref(),
    };
    let mut works = Works::on(&ground, book.state());
    let mut dimensions = Dimensions::default();
    for Opening { own, readings, .. } in openings {
        for (window, mut reading) in windows.get(own).unwrap_or_default().iter().zip(readings) {
            check(setup, &mut reading);
            dimensions.see(&reading);
            works.take(window, reading, findings);
        }
    }
    if options.dry_run {
        findings.notes.extend(dimensions.nobodys(&setup.pipeline));
    }
    works.add(elsewhere(watched.held));
    let Finished { mut works, mut entries, fates } = match works.finish(findings) {
        Ok(finished) => finished,
        Err(open) => {
            findings.does_not_close(open);
            return Ok(Vec::new());
        }
    };
    findings.notes.extend(nothing_to_compare_with(&setup.pipeline, &works, options.dry_run));
    match astray.words() {
        Some(words) if astray.others => findings.notes.push(words),
        // All of them: that is no old usage, but a time that is read in a wrong way, and no empty month.
        Some(words) => works.iter_mut().for_each(|work| work.assessment.holds.push(all_astray(&words))),
        None => {}
    }
    if options.stop.load(Ordering::Relaxed) {
        findings.exit = Exit::Interrupted;
        return Ok(works);
    }
    let back = look_back(&setup.pipeline, options.now);
    let desk = publish::Desk { shelf: &shelf, dry_run: options.dry_run, back, only: options.window, asked };
    let drawn = publish::draw(&setup.pipeline.sinks, book.state(), &mut works, &desk)?;
    findings.notes.extend(drawn.notes);
    entries.extend(drawn.entries);
    let (pipeline, last) = (&setup.pipeline, options.last.as_ref());
    if let Book::Shown(state) = book {
        entries.extend(works.iter().filter_map(|work| kept_back(pipeline, state, work, last)));
        state.foresee(of_sets(pipeline, options.now, entries));
        return Ok(works);
    }
    if let Book::Open(ledger) = book {
        if intake.is_some() {
            // What a queue is asked for is known when it has answered.
            let windows: BTreeSet<Window> =
                works.iter().map(|work| work.window).chain(windows.iter().copied()).collect();
            ledger.append(vec![intent(setup, options.now, &windows.into_iter().collect::<Vec<_>>())])?;
        }
        entries.extend(works.iter().filter_map(|work| kept_back(pipeline, ledger.state(), work, last)));
        // What goes into the ledger stays there: no secret may, though a plugin repeated it.
        for entry in &mut entries {
            if let Entry::Reading { holds, kept, .. } = entry {
                let reasons = holds.iter_mut().map(|hold| &mut hold.reason);
                for reason in reasons.chain(kept.iter_mut().map(|kept| &mut kept.reason)) {
                    *reason = setup.broker.redactor().redact(reason).into_owned();
                }
            }
        }
        let proposals = works.iter().flat_map(|work| work.assessment.proposals.iter());
        let doubted = doubted(setup, ledger.state(), &proposals.collect::<Vec<_>>());
        if let Some(dedupe) = &dedupe {
            let frozen = dedupe::frozen(&windows, works.iter().map(|work| (&work.window, &work.assessment)));
            match dedupe.bill(&frozen, ledger.state().ids(), &shelf, &windows) {
                Ok(ids) => entries.extend(ids),
                Err(trouble) => {
                    trouble.told(&windows, findings)?;
                    return Ok(Vec::new());
                }
            }
        }
        entries.extend(frozen(pipeline, ledger.state(), &works, last));
        entries.extend(doubted);
        if let Some(intake) = intake
            && let Some((taken, again)) = queue::taking(intake, &fates, pipeline.window, &shelf)?
        {
            failpoint("taking");
            let revised = entries.iter().filter_map(|entry| match entry {
                Entry::Revise { id, .. } => Some(*id),
                _ => None,
            });
            let withdrawn = queue::retried(ledger.state(), &again, &revised.collect());
            entries.push(taken);
            entries.extend(withdrawn);
        }
        // All or none: what is frozen, and what explains it.
        ledger.append(entries)?;
    }
    Ok(works)
}

/// What a run would write down of sinks that publish sets, among what a dry run found. One that is not due is shown as it is so far, and no
/// run takes it up.
fn of_sets(pipeline: &Pipeline, now: Timestamp, entries: Vec<Entry>) -> Vec<Entry> {
    let publishes = |sink: &str| pipeline.sinks.iter().any(|spec| spec.publishes && spec.plugin.name == sink);
    let is_due = |window: &Window| pipeline.is_due(window, now);
    let of_sets = entries.into_iter().filter_map(|entry| match entry {
        Entry::Charged { sink, mut parts } => {
            parts.parts.retain(|part| is_due(&part.window));
            parts.empty.retain(is_due);
            Some(Entry::Charged { sink, parts })
        }
        Entry::Reading { ref sink, window, .. } => (publishes(sink) && is_due(&window)).then_some(entry),
        _ => None,
    });
    of_sets.collect()
}

/// What is held of windows that another exporter closed.
fn elsewhere(held: Vec<Held>) -> impl Iterator<Item = Work> {
    held.into_iter().map(|Held { sink, window, holds }| Work {
        sink,
        window,
        assessment: Assessment { holds, ..Assessment::default() },
        is_read: true,
        compared: Compared::default(),
    })
}

/// Which of the charges that are about to be frozen may have been offered before this ledger was there: they are looked up first.
fn doubted(setup: &Setup, state: &State, proposals: &[&Proposal]) -> Vec<Entry> {
    let sinks = setup.sinks.iter().zip(&setup.pipeline.sinks);
    let entries = sinks.filter_map(|(sink, spec)| {
        let is_open = |charge: &&&Proposal| {
            let key = &charge.key;
            key.sink == spec.plugin.name
                && !spec.publishes
                && state.imported().is_open(&key.sink, &key.window, &key.customer)
        };
        let charges: Vec<ChargeId> = proposals.iter().filter(is_open).map(|charge| charge.key.id()).collect();
        let reason = "the state document says that it was about to be billed, by a run whose ledger is not here";
        Entry::doubted(charges, reason, sink.traits.deadline)
    });
    entries.collect()
}

/// The windows of a run, ascending: those that are open, and the settled ones of which something is new or held.
fn taken_up(
    reader: &Reader<'_>,
    options: &Options<'_>,
    state: &State,
    due: &Due,
    findings: &mut Findings,
) -> Vec<Window> {
    let mut windows = due.open.clone();
    match if options.window.is_some() { Ok(due.settled.clone()) } else { reader.changed(&due.settled, state) } {
        Ok(changed) => windows.extend(changed),
        Err(problem) => findings.problem(problem),
    }
    // What is held of a settled window stays in sight, whether its inputs changed once more or not.
    let pipeline = &reader.setup.pipeline;
    windows.extend(due.settled.iter().filter(|window| is_in_sight(pipeline, state, window, options.now)));
    windows.sort();
    windows.dedup();
    windows
}

/// Reads windows, some in each opening. What is wrong with one of them does not keep the others from being read.
fn read(
    reader: &Reader<'_>,
    options: &Options<'_>,
    windows: &[Window],
    spans: &[Span],
    findings: &mut Findings,
) -> Vec<Opening> {
    let mut openings = Vec::new();
    // The first to be read stands last.
    let mut waiting: Vec<Range<usize>> = Vec::new();
    let mut end = windows.len();
    while end > 0 {
        let start = end.saturating_sub(WINDOWS);
        waiting.push(start..end);
        end = start;
    }
    // Readings in a row that came to nothing.
    let mut fruitless = 0;
    while let Some(own) = waiting.pop() {
        let chunk = windows.get(own.clone()).unwrap_or_default();
        options.watch.step(&step("reading", chunk));
        match reader.read(spans, own.clone()) {
            Ok(opening) => {
                fruitless = 0;
                openings.push(opening);
            }
            Err(problem) => {
                let interrupted = options.stop.load(Ordering::Relaxed);
                if interrupted {
                    waiting.clear();
                }
                fruitless += 1;
                let may_be_one = !interrupted && problem.may_be_one_inputs() && fruitless <= FRUITLESS;
                let middle = own.start + own.len() / 2;
                match may_be_one && own.len() > 1 {
                    true => waiting.extend([middle..own.end, own.start..middle]),
                    false => findings.unread(reader.setup.pipeline.done(), problem, chunk, interrupted),
                }
            }
        }
    }
    openings
}

fn step(what: &str, windows: &[Window]) -> String {
    match windows {
        [window] => format!("{what} {}", window.label()),
        [first, .., last] => format!("{what} {} to {}", first.label(), last.label()),
        [] => what.to_owned(),
    }
}

/// Finds out whether what the aggregators answered fits what they were given.
fn check(setup: &Setup, reading: &mut Reading) {
    if !reading.failed.is_empty() {
        return;
    }
    let Err(flaw) = account::verify(reading, &|dimension| setup.aggregate_of(dimension)) else { return };
    let all = || setup.aggregates.iter().map(Section::label).collect::<Vec<_>>().join(", ");
    let one = flaw.aggregate.and_then(|position| setup.aggregates.get(position));
    reading.failed.push(Problem {
        plugin: Some(one.map_or_else(all, Section::label)),
        step: Some("aggregating".to_owned()),
        action: Some(format!("report it to the plugin's author; nothing of this window was {}", setup.pipeline.done())),
        ..Problem::new("plugin-contract", flaw.text)
    });
}
