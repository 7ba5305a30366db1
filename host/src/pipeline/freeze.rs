//! From the windows that are due to frozen charges: read, verified, assessed, written down in one transaction.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::Ordering;

use super::account;
use super::astray::Astray;
use super::charges::{Assessment, assess};
use super::closed::Held;
use super::complete::Complete;
use super::dedupe::{Dedupe, frozen};
use super::due::{Due, begins, due, has_holds, owes};
use super::entries::{all_astray, inputs, intent, kept_back, unchecked};
use super::gathered::Reading;
use super::mirrored::Mirrored;
use super::objections::objections;
use super::opening::{Opening, share_doubts};
use super::options::Options;
use super::read::{Reader, span};
use super::setup::{Section, Setup};
use super::summary::Findings;
use crate::config;
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

/// One window of one sink on its way through a run.
pub(super) struct Work {
    /// The sink's position.
    pub(super) sink: usize,
    pub(super) window: Window,
    pub(super) assessment: Assessment,
}

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
        if says_nothing && !setup.place.exists()? {
            let due = due(&setup.pipeline, &state, options.now, options.window.as_ref(), complete);
            // Where a window waits for its data, the ledger is to remember that the pipeline begins with it.
            if due.is_idle() {
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

/// Reads the windows that are due, and freezes in one transaction what can be billed of them.
pub(super) fn freeze(
    setup: &Setup,
    options: &Options<'_>,
    book: &mut Book,
    due: &Due,
    findings: &mut Findings,
) -> Result<Vec<Work>, LedgerError> {
    let progress = |more| options.watch.records(more);
    let begins = begins(&setup.pipeline, book.state(), options.now);
    let reader = Reader::of(setup, options, begins.iter().flatten().min().copied(), &progress);
    let windows = taken_up(&reader, options, book.state(), due, findings);
    let watched = reader.watch(&due.closed, book.state());
    watched.problem.into_iter().for_each(|problem| findings.problem(problem));
    if windows.is_empty() && watched.held.is_empty() {
        if let Book::Open(ledger) = book
            && !watched.remembered.is_empty()
        {
            ledger.append(watched.remembered)?;
        }
        return Ok(Vec::new());
    }
    if let Book::Open(ledger) = book {
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
    let mut assessor = Assessor {
        setup,
        options,
        begins,
        works: Vec::new(),
        entries: Vec::new(),
        read: BTreeSet::new(),
        made: BTreeSet::new(),
    };
    for Opening { own, readings, .. } in openings {
        for (window, reading) in windows.get(own).unwrap_or_default().iter().zip(readings) {
            assessor.assess(book.state(), window, reading, findings);
        }
    }
    if options.dry_run {
        findings.notes.extend(assessor.nobodys());
    }
    assessor.works.extend(elsewhere(watched.held));
    let Assessor { mut works, mut entries, .. } = assessor;
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
    if let Book::Open(ledger) = book {
        entries.extend(works.iter().map(|work| kept_back(setup, work.sink, work.window, &work.assessment)));
        // What goes into the ledger stays there: no secret may, though a plugin repeated it.
        for entry in &mut entries {
            if let Entry::Reading { holds, .. } = entry {
                for hold in holds {
                    hold.reason = setup.broker.redactor().redact(&hold.reason).into_owned();
                }
            }
        }
        let taken_over = works.iter().flat_map(|work| work.assessment.taken_over.iter().cloned());
        let taken_over: Vec<Proposal> = taken_over.collect();
        let proposals: Vec<Proposal> =
            works.iter().flat_map(|work| work.assessment.proposals.iter().cloned()).collect();
        let doubted = doubted(setup, ledger.state(), &proposals);
        if let Some(dedupe) = &dedupe {
            let frozen = frozen(&windows, works.iter().map(|work| (&work.window, &work.assessment)));
            match dedupe.bill(&frozen, ledger.state().ids(), &shelf, &windows) {
                Ok(ids) => entries.extend(ids),
                Err(trouble) => {
                    trouble.told(&windows, findings)?;
                    return Ok(Vec::new());
                }
            }
        }
        let taken = Entry::TakenOver { charges: taken_over.iter().map(|charge| charge.key.id()).collect() };
        let taken = (!taken_over.is_empty()).then_some(taken);
        entries.extend(proposals.into_iter().chain(taken_over).map(Entry::freeze));
        entries.extend(doubted.into_iter().chain(taken));
        // All or none: what is frozen, and what explains it.
        ledger.append(entries)?;
    }
    Ok(works)
}

/// Customers of whom the state document says that they were about to be billed, and of whom there is no usage to look up.
fn unread(state: &State, sink: &str, window: &Window, assessment: &Assessment) -> Option<String> {
    let (_, open) = state.imported().still_open(sink).find(|(open, _)| open == window)?;
    let read = assessment.lines.iter().map(|line| line.key.customer.as_str());
    let charged = state.charges_of(sink, window).into_iter().map(|charge| charge.charge().key().customer.as_str());
    let known: BTreeSet<&str> = read.chain(charged).collect();
    let unread: Vec<&str> = open.iter().map(String::as_str).filter(|customer| !known.contains(customer)).collect();
    let (window, customers) = (window.label(), unread.join(", "));
    (!unread.is_empty()).then(|| {
        format!(
            "{window}: the state document says that {customers} may have been billed, and there is no usage of that"
        )
    })
}

/// What is held of windows that another exporter closed.
fn elsewhere(held: Vec<Held>) -> impl Iterator<Item = Work> {
    held.into_iter().map(|Held { sink, window, holds }| Work {
        sink,
        window,
        assessment: Assessment { holds, ..Assessment::default() },
    })
}

/// Which of the charges that are about to be frozen may have been offered before this ledger was there: they are looked up first.
fn doubted(setup: &Setup, state: &State, proposals: &[Proposal]) -> Vec<Entry> {
    let sinks = setup.sinks.iter().zip(&setup.pipeline.sinks);
    let entries = sinks.filter_map(|(sink, spec)| {
        let is_open = |charge: &&Proposal| {
            let key = &charge.key;
            key.sink == spec.plugin.name && state.imported().is_open(&key.sink, &key.window, &key.customer)
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
    windows.extend(due.settled.iter().filter(|window| has_holds(&reader.setup.pipeline, state, window)));
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
                    false => findings.unread(problem, chunk, interrupted),
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

/// Judges readings, and gathers what comes of them.
struct Assessor<'a> {
    setup: &'a Setup,
    options: &'a Options<'a>,
    /// Each sink's first window.
    begins: Vec<Option<Window>>,
    works: Vec<Work>,
    entries: Vec<Entry>,
    /// Dimensions of usage, and of what was made of it.
    read: BTreeSet<String>,
    made: BTreeSet<String>,
}

impl Assessor<'_> {
    /// Names in a `takes` that nothing has: misspelt, they send what was meant to whoever takes the rest.
    fn nobodys(&self) -> Vec<String> {
        let pipeline = &self.setup.pipeline;
        let aggregates =
            pipeline.aggregates.iter().map(|spec| (&spec.plugin.section, &spec.takes, &self.read, "usage"));
        let sinks = pipeline.sinks.iter().map(|spec| (&spec.plugin.section, &spec.takes, &self.made, "charge"));
        let mut notes = Vec::new();
        for (section, takes, seen, what) in aggregates.chain(sinks).filter(|(_, _, seen, _)| !seen.is_empty()) {
            let missing = takes.iter().flatten().filter(|name| !seen.contains(*name));
            notes.extend(missing.map(|name| format!("{section} takes `{name}`, and no {what} has this dimension")));
        }
        notes
    }

    fn assess(&mut self, state: &State, window: &Window, mut reading: Reading, findings: &mut Findings) {
        let setup = self.setup;
        if reading.failed.is_empty()
            && let Err(flaw) = account::verify(&reading, &|dimension| setup.aggregate_of(dimension))
        {
            let all = || setup.aggregates.iter().map(Section::label).collect::<Vec<_>>().join(", ");
            let one = flaw.aggregate.and_then(|position| setup.aggregates.get(position));
            reading.failed.push(Problem {
                plugin: Some(one.map_or_else(all, Section::label)),
                step: Some("aggregating".to_owned()),
                action: Some("report it to the plugin's author; nothing of this window was billed".to_owned()),
                ..Problem::new("plugin-contract", flaw.text)
            });
        }
        if !reading.failed.is_empty() {
            reading.failed.into_iter().for_each(|problem| findings.failed(problem, window));
            return;
        }
        if self.options.dry_run {
            self.read.extend(reading.tally.keys().map(|pair| pair.dimension.clone()));
            self.made.extend(reading.lines.iter().map(|(_, line)| line.dimension.clone()));
        }
        let seen = inputs(&reading);
        if seen.is_empty() && reading.unreadable.is_empty() {
            let label = window.label();
            findings.notes.push(format!("{label}: there was nothing to read, and so there is nothing to bill"));
        }
        let mut first = true;
        let sinks = setup.sinks.iter().zip(&setup.pipeline.sinks).zip(&self.begins);
        for (position, ((sink, spec), begins)) in sinks.enumerate() {
            // Without a `start`, a window that was asked for is the first, unless another exporter was there before it.
            let is_asked_for =
                self.options.window.is_some() && setup.pipeline.start.is_none() && state.imported().sinks().is_empty();
            let begins = if is_asked_for { Some(*window) } else { *begins };
            if !owes(state, &spec.plugin.name, begins, window) {
                continue;
            }
            let mut assessment = assess(setup, sink, spec, window, &reading, std::mem::take(&mut first), state);
            if let Err(problem) = objections(setup, sink, spec, self.options.now, &mut assessment) {
                // Nothing of this window is frozen for this sink. The hold keeps it in sight, though it was settled before and its
                // inputs count as seen from here on.
                self.entries.push(unchecked(spec, window, &problem));
                findings.failed(problem, window);
                continue;
            }
            findings.notes.extend(unread(state, &spec.plugin.name, window, &assessment));
            self.works.push(Work { sink: position, window: *window, assessment });
        }
        // Of what another exporter billed of it nobody could say yet how it stood.
        if state.imported().bills_blindly(window) && !state.is_watched(window) && reading.unreadable.is_empty() {
            self.entries.push(Entry::Watched { window: *window, inputs: seen.clone() });
        }
        if state.inputs(window) != Some(seen.as_slice()) {
            self.entries.push(Entry::Inputs { window: *window, inputs: seen });
        }
    }
}
