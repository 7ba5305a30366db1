//! A run, from the windows that are due to the report. Data flows one way: read, assess, freeze, deliver, settle, report.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::anew::begins_anew;
use super::complete::Complete;
use super::deliver::{Delivery, Ended, Plugged, Stopped};
use super::due::{Due, due, has_holds, pending};
use super::freeze::{Book, freeze};
use super::identity::{identity, renamed};
use super::last_bill::{is_complete, windows};
use super::mirrored::Mirrored;
use super::moved::withdrawn;
use super::options::Options;
use super::publish::{Published, Publisher, foreseen};
use super::queue::{Intake, cutoff, tell};
use super::setup::Setup;
use super::summary::{self, Findings};
use super::take_over::{another_sink, remembered, taken_over};
use super::waits::Waits;
use super::works::Work;
use crate::config::Pipeline;
use crate::failpoint::failpoint;
use crate::ledger::{Entry, Ledger, LedgerError, State, period_of};
use crate::model::charge::ChargeId;
use crate::model::window::Window;
use crate::report::{Exit, LineState, Problem, Report};

/// Runs a pipeline once.
///
/// # Errors
/// The ledger cannot be opened; nothing was read or sent.
pub fn run(setup: &Setup, options: &Options<'_>) -> Result<Report, LedgerError> {
    let mut findings = Findings::default();
    let stopped = |mut findings: Findings, problem: Problem, state: &State| {
        findings.problem(problem);
        Ok(summary::report(setup, state, options, None, Vec::new(), &HashSet::new(), findings))
    };
    // Before anything else: what it says decides where the pipeline begins.
    let mirrored = match Mirrored::of(setup, options) {
        Ok(mirrored) => mirrored,
        Err(problem) => return stopped(findings, problem, &State::default()),
    };
    let identity = identity(setup, options.now);
    let run = run_id();
    let complete = Complete::ask(setup, options);
    let mut book = Book::of(&identity, &run, setup, options, mirrored.as_ref(), &complete)?;
    if book.state().is_fresh() {
        let words = begins_anew(setup, options);
        if matches!(book, Book::Open(_)) {
            tracing::warn!("{words}");
        }
        findings.notes.push(words);
    }
    findings.notes.extend(renamed(&identity, book.state()));
    if let Some(problem) = another_sink(setup, book.state(), mirrored.as_ref()) {
        return stopped(findings, problem, book.state());
    }
    if let Some(mirrored) = &mirrored {
        match take_over(setup, options, mirrored, &mut book, &mut findings)? {
            Ok(()) => {}
            Err(problem) => return stopped(findings, problem, book.state()),
        }
    }
    failpoint("opened");
    let intake = match setup.is_queue() {
        false => None,
        true => match Intake::of(setup, options, &mut book, cutoff(setup, options))? {
            Ok(intake) => Some(intake),
            Err(problem) if problem.code == "interrupted" => {
                findings.exit = Exit::Interrupted;
                return Ok(summary::report(setup, book.state(), options, None, Vec::new(), &HashSet::new(), findings));
            }
            // What was billed before is offered and told of all the same.
            Err(problem) => {
                findings.problem(problem);
                Some(Intake::default())
            }
        },
    };
    let taken_before = book.state().takings().all().len();
    let mut due = match (&intake, &options.last) {
        (Some(intake), _) => pending(setup, options, book.state(), intake),
        (None, None) => due(&setup.pipeline, book.state(), options.now, options.window.as_ref(), &complete),
        (None, Some(last)) => windows(setup, options, book.state(), last),
    };
    if let Some(last) = &options.last
        && !is_complete(setup, last, &complete, &mut findings)
    {
        due = Due::default();
    }
    findings.next_due = due.next;
    let held = |window: &Window| has_holds(&setup.pipeline, book.state(), window);
    complete.report(setup, &due, options.now, &held, &mut findings);
    if let (1.., Some(most)) = (due.waiting, setup.pipeline.max_windows) {
        let windows = if due.waiting == 1 { "window waits" } else { "windows wait" };
        findings.notes.push(format!("{} more {windows} for later runs: max_windows = {most}", due.waiting));
    }
    let (asked, book_then) = ask(setup, options, &complete, book);
    book = book_then;
    let mut works = Vec::new();
    match freeze(setup, options, &mut book, &due, (&complete, intake.as_ref(), &asked), &mut findings) {
        Ok(frozen) => works = frozen,
        Err(error) => findings.ledger(&error),
    }
    findings.denials(setup);
    let withdrawn = match &intake {
        // What it hands out is no usage of charges that were frozen before.
        Some(_) => HashSet::new(),
        None => withdrawn(&setup.pipeline, book.state(), &works),
    };
    let waits = Waits::of(&setup.pipeline, book.state(), options, (&due, &complete), &works);
    let goes_on = !findings.is_open && !findings.has_lost_the_ledger() && findings.exit != Exit::Interrupted;
    if options.dry_run && goes_on && options.last.is_none() {
        let mut shown = ShownMonths::default();
        shown.add(foreseen(setup, options, &complete, book.state()), &waits, &mut findings);
        unpublished(&setup.pipeline, &shown, &mut works);
    }
    if options.dry_run || !goes_on {
        return Ok(summary::report(setup, book.state(), options, None, works, &withdrawn, findings));
    }
    let Book::Open(ledger) = book else {
        return Ok(summary::report(setup, book.state(), options, None, works, &withdrawn, findings));
    };
    if setup.pipeline.sinks.iter().any(|sink| !ledger.state().open_charges(&sink.plugin.name).is_empty()) {
        options.watch.step("delivering");
    }
    failpoint("delivering");
    let mut not_offered = withdrawn.clone();
    not_offered.extend(intake.iter().flat_map(|intake| intake.superseded(ledger.state())));
    let ledger = Mutex::new(*ledger);
    let shown = deliver(setup, options, (&ledger, &complete), mirrored.as_ref(), &not_offered, &waits, &mut findings);
    failpoint("delivered");
    findings.denials(setup);
    let mut ledger = ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
    unpublished(&setup.pipeline, &shown, &mut works);
    if !findings.has_lost_the_ledger()
        && options.last.is_none()
        && let Err(error) = settle(&setup.pipeline, &mut ledger, &works, &shown)
    {
        findings.ledger(&error);
    }
    // What was not seen to say what it said may say something else by now.
    if let Some(intake) = &intake
        && intake.is_whole
        && !findings.has_lost_the_ledger()
        && findings.exit != Exit::Interrupted
        && let Err(error) = tell(setup, options, &mut ledger, intake, taken_before, &mut findings)
            .and_then(|()| merge(setup, &mut ledger))
    {
        findings.ledger(&error);
    }
    if let Some(mirrored) = &mirrored
        && !findings.has_lost_the_ledger()
    {
        match mirrored.finish(&mut ledger) {
            Ok(()) | Err(Stopped::Interrupted) => {}
            Err(Stopped::Problem(problem)) => findings.problem(problem),
            Err(Stopped::Ledger(error)) => findings.ledger(&error),
        }
    }
    failpoint("closing");
    if let Err(error) = ledger.close()
        && !findings.has_lost_the_ledger()
    {
        findings.ledger(&error);
    }
    Ok(summary::report(setup, ledger.state(), options, Some(run), works, &withdrawn, findings))
}

/// Brings together what lies beside the ledger in many pieces.
fn merge(setup: &Setup, ledger: &mut Ledger) -> Result<(), LedgerError> {
    while let Some(entry) = ledger.state().takings().merged(&setup.place.shelf())? {
        ledger.append(vec![entry])?;
    }
    Ok(())
}

/// Takes over, while the ledger is new, what the state document says was billed before.
fn take_over(
    setup: &Setup,
    options: &Options<'_>,
    mirrored: &Mirrored,
    book: &mut Book,
    findings: &mut Findings,
) -> Result<Result<(), Problem>, LedgerError> {
    let import = match mirrored.to_take_over(book.state()) {
        Ok(Some(import)) => import,
        Ok(None) => return Ok(Ok(())),
        Err(problem) => return Ok(Err(problem)),
    };
    findings.notes.push(taken_over(&import));
    let import = match remembered(setup, options, book.state(), import) {
        Ok(import) => import,
        Err(problem) => return Ok(Err(problem)),
    };
    match book {
        Book::Shown(state) => **state = std::mem::take(&mut **state).with(import),
        Book::Open(ledger) => ledger.append(vec![Entry::Imported(Box::new(import))])?,
    }
    Ok(Ok(()))
}

/// Sorts by time, and is its own.
pub fn run_id() -> String {
    let random = getrandom::u32().unwrap_or_default();
    format!("{}-{random:08x}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"))
}

/// Asks what readers are shown of months of which a publication broke off: what is kept of them follows from that.
fn ask(setup: &Setup, options: &Options<'_>, complete: &Complete, book: Book) -> (HashSet<(String, Window)>, Book) {
    let Book::Open(ledger) = book else { return (HashSet::new(), book) };
    let ledger = Mutex::new(*ledger);
    let mut asked = HashSet::new();
    for (sink, spec) in setup.sinks.iter().zip(&setup.pipeline.sinks) {
        if let Some(place) = &sink.place {
            asked.extend(Publisher { setup, spec, sink, place, options, complete, ledger: &ledger }.ask());
        }
    }
    (asked, Book::Open(Box::new(ledger.into_inner().unwrap_or_else(PoisonError::into_inner))))
}

/// Each sink on a thread of its own: one never delays another.
fn deliver(
    setup: &Setup,
    options: &Options<'_>,
    (ledger, complete): (&Mutex<Ledger>, &Complete),
    mirrored: Option<&Mirrored>,
    withdrawn: &HashSet<ChargeId>,
    waits: &Waits,
    findings: &mut Findings,
) -> ShownMonths {
    let ended: Vec<(Ended, Published)> = std::thread::scope(|scope| {
        let threads: Vec<_> = setup
            .sinks
            .iter()
            .zip(&setup.pipeline.sinks)
            .map(|(sink, spec)| {
                scope.spawn(move || {
                    if let Some(place) = &sink.place {
                        let publisher = Publisher { setup, spec, sink, place, options, complete, ledger };
                        // What a last bill is about is one customer, and a set is everybody's.
                        return (
                            Ended::default(),
                            if options.last.is_none() { publisher.run() } else { Published::default() },
                        );
                    }
                    let delivery = Delivery {
                        service: &Plugged { setup, sink, now: options.now },
                        name: &spec.plugin.name,
                        region: setup.broker.region(&sink.section.grants),
                        traits: &sink.traits,
                        retry_budget: spec.retry_budget,
                        ledger,
                        mirrored: mirrored.filter(|mirrored| mirrored.sink() == spec.plugin.name),
                        withdrawn,
                        window: options.window,
                        stop: options.stop,
                        progress: &|done, total| options.watch.charges(done, total),
                    };
                    (delivery.run(), Published::default())
                })
            })
            .collect();
        let panicked = || {
            let problem = Problem::new("host", "the delivery ended in an error of the host itself");
            (Ended { stopped: Some(Stopped::Problem(problem)), ..Ended::default() }, Published::default())
        };
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
    });
    let mut all = ShownMonths::default();
    for (ended, published) in ended {
        ended.problems.into_iter().for_each(|problem| findings.problem(problem));
        for stopped in ended.stopped.into_iter().chain(all.add(published, waits, findings)) {
            match stopped {
                Stopped::Ledger(error) => findings.ledger(&error),
                Stopped::Problem(problem) => findings.problem(problem),
                Stopped::Interrupted => findings.exit = findings.exit.and(Exit::Interrupted),
            }
        }
    }
    all
}

/// What became of months, by sink.
#[derive(Default)]
pub(super) struct ShownMonths {
    /// Readers are shown what they should be.
    shown: BTreeSet<(String, Window)>,
    /// Of those, the ones that stay what a person said.
    pinned: BTreeSet<(String, Window)>,
}

impl ShownMonths {
    /// Takes in what became of a sink's months; answers what stopped it, if something did.
    fn add(&mut self, published: Published, waits: &Waits, findings: &mut Findings) -> Option<Stopped> {
        let Published { months, shown, pinned, problems, notes, stopped } = published;
        findings.publications.extend(months);
        findings.notes.extend(notes);
        problems.into_iter().for_each(|problem| findings.problem(waits.told(problem)));
        self.shown.extend(shown);
        self.pinned.extend(pinned);
        stopped
    }
}

/// Says of the charges of sets that were not published that they are open.
fn unpublished(pipeline: &Pipeline, shown: &ShownMonths, works: &mut [Work]) {
    for work in works {
        let Some(sink) = pipeline.sinks.get(work.sink).filter(|sink| sink.publishes) else { continue };
        let month = (sink.plugin.name.clone(), period_of(&work.window));
        let state = match (shown.shown.contains(&month), shown.pinned.contains(&month)) {
            (true, false) => continue,
            (_, true) => LineState::Waived,
            (false, false) => LineState::Pending,
        };
        let lines = work.assessment.lines.iter_mut();
        lines.filter_map(|line| line.published.as_mut()).for_each(|published| *published = state);
    }
}

/// Writes down which windows are settled: all charges final, nothing held. Of months that readers are shown as they should be, those too
/// that an earlier run drew up.
pub(super) fn settle(
    pipeline: &Pipeline,
    ledger: &mut Ledger,
    works: &[Work],
    shown: &ShownMonths,
) -> Result<(), LedgerError> {
    let mut settled = Vec::new();
    let read: HashSet<(&str, Window)> = works
        .iter()
        .filter_map(|work| Some((pipeline.sinks.get(work.sink)?.plugin.name.as_str(), work.window)))
        .collect();
    for (sink, period) in &shown.shown {
        let state = ledger.state();
        let is_left = |window: &Window| {
            let known = state.window(sink, window);
            !read.contains(&(sink, *window))
                && !state.is_reopened(sink, window)
                && known.is_some_and(|known| !known.settled && known.holds.is_empty())
                && state.charges_of(sink, window).iter().all(|charge| charge.is_final())
        };
        let parts = state.sets().parts_of(sink, period).into_iter().map(|(window, _)| window);
        settled.extend(parts.filter(is_left).map(|window| Entry::Settled { sink: sink.clone(), window }));
    }
    for work in works {
        let Some(spec) = pipeline.sinks.get(work.sink) else { continue };
        let sink = &spec.plugin.name;
        if spec.publishes && !shown.shown.contains(&(sink.clone(), period_of(&work.window))) {
            continue;
        }
        let state = ledger.state();
        let done = work.assessment.holds.is_empty()
            && !state.is_settled(sink, &work.window)
            // Money that is neither held nor frozen must keep its window open, however it came to that.
            && work.assessment.lines.iter().all(|line| {
                let is_frozen = line.id.is_some_and(|id| state.charge(&id).is_some());
                // What is late is frozen with a later window, or waits for one.
                let is_late = line.is_late && line.held.is_none() && !line.differs();
                line.zero || line.waived.is_some() || is_frozen || is_late || line.published.is_some()
            })
            && state.window(sink, &work.window).is_none_or(|known| known.holds.is_empty())
            && state.charges_of(sink, &work.window).iter().all(|charge| charge.is_final());
        if done {
            settled.push(Entry::Settled { sink: sink.clone(), window: work.window });
        }
    }
    if settled.is_empty() { Ok(()) } else { ledger.append(settled) }
}
