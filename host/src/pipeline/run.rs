//! A run, from the windows that are due to the report. Data flows one way: read, assess, freeze, deliver, settle, report.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::account;
use super::charges::{Assessment, assess};
use super::deliver::{Delivery, Ended, Stopped};
use super::due::{Due, due, first, has_holds};
use super::failpoint::failpoint;
use super::read::{Astray, Reader, Reading, with_denials};
use super::setup::{Setup, SinkSection};
use super::summary::{self, Findings};
use crate::config::{LedgerLocation, SinkSpec};
use crate::ledger::{Entry, Hold, Identity, InputSeen, Ledger, LedgerError, PluginDigest, Scope, State};
use crate::model::service::Offer;
use crate::model::window::Window;
use crate::plugin::SinkInstance;
use crate::report::{Exit, Problem, Report};

/// How many windows are read in one opening, so that a long backlog needs no more memory than a short one.
const WINDOWS: usize = 32;
/// After so many readings in a row that came to nothing, what is wrong is not one window's: to halve `WINDOWS` down to one takes as many.
const FRUITLESS: u32 = 6;

/// What a run is asked for besides its file.
pub struct Options<'a> {
    /// What time it is for windows and plugins.
    pub now: Timestamp,
    /// Only this window.
    pub window: Option<Window>,
    /// Show what would be done, and change nothing.
    pub dry_run: bool,
    /// Set from outside to end the run between two steps.
    pub stop: &'a AtomicBool,
    /// Told what happens.
    pub watch: &'a (dyn Watch + Sync),
}

/// Is told what happens while it does.
pub trait Watch {
    /// A step begins: `reading 2025-06`.
    fn step(&self, what: &str);
    /// So many records more were read.
    fn records(&self, more: u64);
    /// So many charges of so many were offered to a sink.
    fn charges(&self, done: u64, total: u64);
}

/// One window of one sink on its way through a run.
pub(super) struct Work {
    /// The sink's position.
    pub(super) sink: usize,
    pub(super) window: Window,
    pub(super) assessment: Assessment,
}

/// Runs a pipeline once.
///
/// # Errors
/// The ledger cannot be opened; nothing was read or sent.
pub fn run(setup: &Setup, options: &Options<'_>) -> Result<Report, LedgerError> {
    let LedgerLocation::Sqlite(path) = &setup.pipeline.ledger;
    let identity = Identity::of(&setup.pipeline, first(&setup.pipeline, options.now));
    let run = run_id();
    let mut book = match options.dry_run {
        true => Book::Shown(Box::new(Ledger::state_of(path, &identity)?)),
        false => open(path, &identity, &run, setup, options)?,
    };
    let mut findings = Findings::default();
    if book.state().is_fresh() {
        findings.notes.push(format!(
            "there is no record of this pipeline in {} yet: it begins with this run",
            path.file_name().unwrap_or_default().to_string_lossy()
        ));
    }
    let due = due(&setup.pipeline, book.state(), options.now, options.window.as_ref());
    findings.next_due = due.next;
    let mut works = Vec::new();
    match read(setup, options, &mut book, &due, &run, &mut findings) {
        Ok(read) => works = read,
        Err(error) => findings.ledger(&error),
    }
    findings.denials(setup);
    if options.dry_run || findings.exit == Exit::Ledger || findings.exit == Exit::Interrupted {
        return Ok(summary::report(setup, book.state(), options, None, &works, findings));
    }
    let Book::Open(ledger) = book else {
        return Ok(summary::report(setup, book.state(), options, None, &works, findings));
    };
    let ledger = Mutex::new(*ledger);
    options.watch.step("delivering");
    deliver(setup, options, &ledger, &mut findings);
    findings.denials(setup);
    let mut ledger = ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
    if findings.exit != Exit::Ledger
        && let Err(error) = settle(setup, &mut ledger, &works)
    {
        findings.ledger(&error);
    }
    Ok(summary::report(setup, ledger.state(), options, Some(run), &works, findings))
}

/// The ledger: open for writing, or only read.
enum Book {
    Open(Box<Ledger>),
    Shown(Box<State>),
}

impl Book {
    fn state(&self) -> &State {
        match self {
            Book::Open(ledger) => ledger.state(),
            Book::Shown(state) => state,
        }
    }
}

/// Opens the ledger for writing, unless there is nothing to write: a run that finds nothing due leaves no file behind.
fn open(
    path: &Path,
    identity: &Identity,
    run: &str,
    setup: &Setup,
    options: &Options<'_>,
) -> Result<Book, LedgerError> {
    if !path.exists() {
        let state = State::default();
        let due = due(&setup.pipeline, &state, options.now, options.window.as_ref());
        if due.open.is_empty() && due.settled.is_empty() {
            return Ok(Book::Shown(Box::new(state)));
        }
    }
    Ok(Book::Open(Box::new(Ledger::open(path, identity, run)?)))
}

/// Sorts by time, and is its own.
fn run_id() -> String {
    let random = getrandom::u32().unwrap_or_default();
    format!("{}-{random:08x}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"))
}

/// Reads the windows that are due, and freezes in one transaction what can be billed of them.
fn read(
    setup: &Setup,
    options: &Options<'_>,
    book: &mut Book,
    due: &Due,
    run: &str,
    findings: &mut Findings,
) -> Result<Vec<Work>, LedgerError> {
    let reader = Reader {
        setup,
        now: options.now,
        threads: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        dry_run: options.dry_run,
        first: book.state().first_window().or(due.first).map(|window| window.start().as_millisecond()),
        stop: options.stop,
        progress: &|more| options.watch.records(more),
    };
    let mut astray = Astray::default();
    let mut windows = due.open.clone();
    let named = options.window.is_some();
    match if named { Ok(due.settled.clone()) } else { reader.changed(&due.settled, book.state()) } {
        Ok(changed) => windows.extend(changed),
        Err(problem) => findings.problem(problem),
    }
    // What is held of a settled window stays in sight, whether its inputs changed once more or not.
    windows.extend(due.settled.iter().filter(|window| has_holds(&setup.pipeline, book.state(), window)));
    windows.sort();
    windows.dedup();
    if windows.is_empty() {
        return Ok(Vec::new());
    }
    if let Book::Open(ledger) = book {
        ledger.append(vec![intent(setup, options, &windows)])?;
    }
    failpoint("before-reading");
    let mut works = Vec::new();
    let mut entries = Vec::new();
    let mut waiting: Vec<&[Window]> = windows.rchunks(WINDOWS).collect();
    // Readings in a row that came to nothing.
    let mut fruitless = 0;
    while let Some(chunk) = waiting.pop() {
        options.watch.step(&step("reading", chunk));
        let readings = match reader.read(chunk) {
            Ok((readings, found)) => {
                astray.join(found);
                readings
            }
            Err(problem) => {
                let interrupted = options.stop.load(Ordering::Relaxed);
                fruitless += 1;
                let may_be_one = !interrupted && problem.may_be_one_inputs() && fruitless <= FRUITLESS;
                match chunk.split_at(chunk.len() / 2) {
                    // What is wrong with one window must not keep the others from being read.
                    (left, right) if !left.is_empty() && may_be_one => waiting.extend([right, left]),
                    _ => findings.unread(problem, chunk, interrupted),
                }
                continue;
            }
        };
        fruitless = 0;
        for (window, mut reading) in chunk.iter().zip(readings) {
            if reading.failed.is_empty()
                && let Err(text) = account::verify(&reading)
            {
                let names: Vec<String> = setup.aggregates.iter().map(|section| section.label()).collect();
                reading.failed.push(Problem {
                    plugin: Some(names.join(", ")),
                    step: Some("aggregating".to_owned()),
                    action: Some("report it to the plugin's author; nothing of this window was billed".to_owned()),
                    ..Problem::new("plugin-contract", text)
                });
            }
            if !reading.failed.is_empty() {
                for problem in reading.failed.drain(..) {
                    findings.failed(problem, window);
                }
                continue;
            }
            let seen = inputs(&reading);
            if seen.is_empty() && reading.unreadable.is_empty() {
                findings
                    .notes
                    .push(format!("{}: there was nothing to read, and so there is nothing to bill", window.label()));
            }
            if book.state().inputs(window) != Some(seen.as_slice()) {
                entries.push(Entry::Inputs { window: *window, inputs: seen });
            }
            for (position, (sink, spec)) in setup.sinks.iter().zip(&setup.pipeline.sinks).enumerate() {
                let mut assessment = assess(setup, sink, spec, window, &reading, book.state());
                if let Err(problem) = objections(setup, sink, spec, options, &mut assessment) {
                    // Nothing of this window is frozen for this sink. The hold keeps it in sight, though it was settled before and
                    // its inputs count as seen from here on.
                    entries.push(unchecked(spec, window, &problem));
                    findings.failed(problem, window);
                    continue;
                }
                works.push(Work { sink: position, window: *window, assessment });
            }
        }
    }
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
        entries.extend(works.iter().map(|work| kept_back(setup, work)));
        // What goes into the ledger stays there: no secret may, though a plugin repeated it.
        for entry in &mut entries {
            if let Entry::Reading { holds, .. } = entry {
                for hold in holds {
                    hold.reason = setup.broker.redactor().redact(&hold.reason).into_owned();
                }
            }
        }
        let proposals = works.iter().flat_map(|work| work.assessment.proposals.iter().cloned()).collect();
        failpoint("before-freeze");
        ledger.freeze(entries, proposals)?;
        tracing::debug!(run, "charges are frozen");
        failpoint("after-freeze");
    }
    Ok(works)
}

fn step(what: &str, windows: &[Window]) -> String {
    match windows {
        [window] => format!("{what} {}", window.label()),
        [first, .., last] => format!("{what} {} to {}", first.label(), last.label()),
        [] => what.to_owned(),
    }
}

fn intent(setup: &Setup, options: &Options<'_>, windows: &[Window]) -> Entry {
    let plugins = setup.sections().map(|section| PluginDigest {
        section: section.name.clone(),
        name: section.plugin.description().name.clone(),
        version: section.plugin.description().version.clone(),
        sha256: section.plugin.digest(),
    });
    Entry::Run {
        now: options.now.as_millisecond(),
        config: setup.pipeline.digest.clone(),
        plugins: plugins.collect(),
        windows: windows.to_vec(),
        sinks: setup.pipeline.sinks.iter().map(|sink| sink.plugin.name.clone()).collect(),
    }
}

fn inputs(reading: &Reading) -> Vec<InputSeen> {
    let inputs = reading.inputs.iter().map(|(input, items)| InputSeen {
        key: input.key.clone(),
        etag: input.etag.clone(),
        size: input.size,
        items: *items,
    });
    inputs.collect()
}

fn kept_back(setup: &Setup, work: &Work) -> Entry {
    let rules = work.assessment.rules.iter().map(|(rule, records)| (format!("excluded: {rule}"), *records));
    let items = rules.chain([("quarantined".to_owned(), work.assessment.quarantined)]);
    Entry::Reading {
        sink: setup.pipeline.sinks.get(work.sink).map(|sink| sink.plugin.name.clone()).unwrap_or_default(),
        window: work.window,
        holds: work.assessment.holds.clone(),
        items: items.filter(|(_, records)| *records > 0).collect(),
    }
}

/// That nothing which was read lies where it could be billed.
fn all_astray(words: &str) -> Hold {
    Hold {
        scope: Scope::Window,
        code: "astray".to_owned(),
        place: None,
        reason: format!("{words}; nothing else was read"),
        quantity: None,
    }
}

/// That a sink could not check its charges of a window.
fn unchecked(spec: &SinkSpec, window: &Window, problem: &Problem) -> Entry {
    let hold = Hold {
        scope: Scope::Window,
        code: "unchecked".to_owned(),
        place: None,
        reason: format!("its charges could not be checked: {}", problem.message),
        quantity: None,
    };
    Entry::Reading { sink: spec.plugin.name.clone(), window: *window, holds: vec![hold], items: Vec::new() }
}

/// Asks the sink what its service would surely refuse, and holds that.
fn objections(
    setup: &Setup,
    sink: &SinkSection,
    spec: &SinkSpec,
    options: &Options<'_>,
    assessment: &mut Assessment,
) -> Result<(), Problem> {
    if assessment.proposals.is_empty() {
        return Ok(());
    }
    let section = &sink.section;
    let session = setup.broker.session(&section.name, section.grants.clone(), true);
    let problem = |failure| with_denials(section.problem("checking charges", None, &failure), &session);
    let mut instance =
        SinkInstance::start(&section.plugin, section.settings(session.clone(), options.now)).map_err(problem)?;
    let mut refused: HashMap<String, String> = HashMap::new();
    for proposals in assessment.proposals.chunks(1000) {
        let offers: Vec<Offer> = proposals.iter().map(|proposal| proposal.offer(proposal.key.id())).collect();
        let opinions = instance.check(&section.config, &offers, options.now.as_millisecond()).map_err(problem)?;
        refused.extend(opinions.into_iter().filter_map(|opinion| Some((opinion.id, opinion.objection?))));
    }
    tracing::trace!(sink = spec.plugin.name, refused = refused.len(), "checked");
    for line in assessment.lines.iter_mut().filter(|line| line.held.is_none()) {
        let Some(objection) = refused.get(&line.id.to_string()) else { continue };
        let key = &line.key;
        assessment.holds.push(Hold {
            scope: Scope::Charge {
                product: key.product.clone(),
                customer: key.customer.clone(),
                dimension: key.dimension.clone(),
                tags: key.tags.clone(),
            },
            code: "refused".to_owned(),
            place: None,
            reason: objection.clone(),
            quantity: Some(line.quantity),
        });
        line.held = Some(objection.clone());
    }
    assessment.proposals.retain(|proposal| !refused.contains_key(&proposal.key.id().to_string()));
    Ok(())
}

/// Each sink on a thread of its own: one never delays another.
fn deliver(setup: &Setup, options: &Options<'_>, ledger: &Mutex<Ledger>, findings: &mut Findings) {
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let threads: Vec<_> = setup
            .sinks
            .iter()
            .zip(&setup.pipeline.sinks)
            .map(|(sink, spec)| {
                scope.spawn(move || {
                    let delivery = Delivery {
                        setup,
                        sink,
                        spec,
                        ledger,
                        window: options.window,
                        now: options.now,
                        stop: options.stop,
                        progress: &|done, total| options.watch.charges(done, total),
                    };
                    delivery.run()
                })
            })
            .collect();
        let panicked = || {
            let problem = Problem::new("host", "the delivery ended in an error of the host itself");
            Ended { problems: Vec::new(), stopped: Some(Stopped::Problem(problem)) }
        };
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
    });
    for Ended { problems, stopped } in ended {
        for problem in problems {
            findings.problem(problem);
        }
        match stopped {
            Some(Stopped::Ledger(error)) => findings.ledger(&error),
            Some(Stopped::Problem(problem)) => findings.problem(problem),
            Some(Stopped::Interrupted) => findings.exit = findings.exit.and(Exit::Interrupted),
            None => {}
        }
    }
}

/// Writes down which windows are settled: all charges final, nothing held.
fn settle(setup: &Setup, ledger: &mut Ledger, works: &[Work]) -> Result<(), LedgerError> {
    let mut settled = Vec::new();
    for work in works {
        let Some(sink) = setup.pipeline.sinks.get(work.sink).map(|sink| &sink.plugin.name) else { continue };
        let state = ledger.state();
        let done = work.assessment.holds.is_empty()
            && !state.is_settled(sink, &work.window)
            // Money that is neither held nor frozen must keep its window open, however it came to that.
            && work.assessment.lines.iter().all(|line| state.charge(&line.id).is_some())
            && state.charges_of(sink, &work.window).iter().all(|charge| charge.is_final());
        if done {
            settled.push(Entry::Settled { sink: sink.clone(), window: work.window });
        }
    }
    if settled.is_empty() { Ok(()) } else { ledger.append(settled) }
}
