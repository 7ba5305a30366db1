//! Reading: source instances on threads of their own, aggregator instances on others, and one way between them.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use jiff::Timestamp;

use super::channel::{self, Receiver, Sender};
use super::dedupe::{Dedupe, Sieve, no_room};
use super::gathered::{Done, Gathered};
use super::opening::Opening;
use super::options::Options;
use super::queue::Intake;
use super::route::{Place, Router, Split};
use super::setup::{Section, Setup};
use super::tally::Tally;
use crate::broker::Denial;
use crate::model::reading::{Page, Request, Span};
use crate::model::usage::Batch;
use crate::model::window::Window;
use crate::plugin::{AggregatorInstance, Cause, SourceInstance};
use crate::report::Problem;

/// How much usage may wait between a source and an aggregator, in bytes.
const WAITING: usize = 8 << 20;
/// The most charges that one accumulator may answer.
const MOST_LINES: usize = 10_000_000;

/// A run's reader.
pub(super) struct Reader<'a> {
    pub(super) setup: &'a Setup,
    pub(super) now: Timestamp,
    /// How many readers and how many shards of customers.
    pub(super) threads: usize,
    pub(super) dry_run: bool,
    /// When the pipeline's first window begins: what lies before it is nobody's.
    pub(super) first: Option<i64>,
    /// Set from outside to end the reading between two batches.
    pub(super) stop: &'a AtomicBool,
    /// Usage from this instant on is left out: milliseconds, UTC.
    pub(super) until: Option<i64>,
    /// Told of records as they come.
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
    /// What tells duplicates apart, if that is wanted.
    pub(super) dedupe: Option<&'a Dedupe>,
    /// What a queue handed out, if the source is one.
    pub(super) intake: Option<&'a Intake>,
}

/// A message to an aggregator's thread.
struct Part {
    place: Place,
    batch: Batch,
}

pub(super) fn span(window: &Window) -> Span {
    Span { start: window.start().as_millisecond(), end: window.end().as_millisecond() }
}

impl<'a> Reader<'a> {
    /// A run's reader; `first` is the pipeline's first window.
    pub(super) fn of(
        setup: &'a Setup,
        options: &'a Options<'_>,
        first: Option<Window>,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> Reader<'a> {
        Reader {
            setup,
            now: options.now,
            threads: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            dry_run: options.dry_run,
            first: first.map(|window| window.start().as_millisecond()),
            stop: options.stop,
            until: options.last.as_ref().map(|last| last.until.as_millisecond()),
            progress,
            dedupe: None,
            intake: None,
        }
    }
}

impl Reader<'_> {
    /// Reads some of a run's windows, those at the positions `own`, in one opening. The error means that none of them was read.
    pub(super) fn read(&self, windows: &[Span], own: Range<usize>) -> Result<Opening, Problem> {
        let spans = windows.get(own.clone()).unwrap_or_default();
        let gathered = Mutex::new(Gathered::counted(self.intake.is_some()));
        let failed: Mutex<Option<Problem>> = Mutex::new(None);
        let aggregate_of = |dimension: &str| self.setup.aggregate_of(dimension);
        let cut: Vec<Span> = match self.until {
            None => spans.to_vec(),
            Some(until) => spans.iter().map(|span| Span { start: span.start, end: span.end.min(until) }).collect(),
        };
        let router = Router { windows: &cut, shards: self.threads, aggregate_of: &aggregate_of };
        let sieve = self.dedupe.map(|dedupe| dedupe.sieve(&cut, own.start));
        thread::scope(|scope| {
            let mut senders = Vec::new();
            for _ in 0..self.threads {
                let (sender, receiver) = channel::bounded(WAITING);
                senders.push(sender);
                let gathered = &gathered;
                scope.spawn(move || self.aggregate(&receiver, spans, gathered));
            }
            let read = |shard| {
                let (senders, router, sieve) = (senders.clone(), &router, sieve.as_ref());
                let (gathered, failed) = (&gathered, &failed);
                scope.spawn(move || {
                    // What the others read is of no use any more.
                    let others_failed = || lock(failed).is_some();
                    let take = |page: Page, split: &Split| lock(gathered).page(page, split, windows, self.first);
                    if let Err(problem) = self.source(shard, router, sieve, &senders, &take, &others_failed) {
                        lock(failed).get_or_insert(problem);
                    }
                })
            };
            if let Some(intake) = self.intake {
                let take = |page: Page, split: &Split| lock(&gathered).page(page, split, windows, self.first);
                if let Err(problem) = self.handed(intake, own.start == 0, &router, &senders, &take) {
                    lock(&failed).get_or_insert(problem);
                }
                return;
            }
            let readers: Vec<_> = (0..self.threads).map(read).collect();
            let Some(sieve) = &sieve else { return };
            for reader in readers {
                reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            }
            // The aggregators wait for what was put aside.
            if lock(&failed).is_none()
                && let Err(error) = self.late(sieve, &router, &senders, &gathered)
            {
                lock(&failed).get_or_insert(no_room(&error));
            }
        });
        if let Some(problem) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(problem);
        }
        let gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        gathered.checked().map_err(|text| Problem {
            plugin: Some(self.setup.source.label()),
            step: Some("reading".to_owned()),
            action: Some(format!(
                "report it to the plugin's author; nothing of these windows was {}",
                self.setup.pipeline.done()
            )),
            ..Problem::new("plugin-contract", text)
        })?;
        sieve.map_or(Ok(()), Sieve::keep).map_err(|error| no_room(&error))?;
        Ok(gathered.into_opening(own, windows))
    }

    /// Decides what was put aside while it could not be known whether it had come before, and passes on what had not.
    fn late(
        &self,
        sieve: &Sieve<'_>,
        router: &Router<'_>,
        senders: &[Sender<Part>],
        gathered: &Mutex<Gathered>,
    ) -> std::io::Result<()> {
        let decided = sieve.decide(self.threads)?;
        sieve.late(&decided, |batch| {
            let split = router.split(batch);
            lock(gathered).late(&split);
            send(senders, split.parts);
        })?;
        lock(gathered).dropped(&decided.duplicates);
        Ok(())
    }

    /// Passes on what a queue handed out. What it could not use is told with the first windows.
    fn handed(
        &self,
        intake: &Intake,
        is_first: bool,
        router: &Router<'_>,
        senders: &[Sender<Part>],
        take: &dyn Fn(Page, &Split) -> Result<(), String>,
    ) -> Result<(), Problem> {
        for (mut page, keep) in intake.pages().skip(usize::from(!is_first)) {
            if self.stop.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            let split = router.split_some(std::mem::take(&mut page.batch), keep);
            take(page, &split)
                .map_err(|text| self.setup.source.problem("reading", None, &Cause::Limit(text).into()))?;
            send(senders, split.parts);
        }
        Ok(())
    }

    fn source(
        &self,
        shard: usize,
        router: &Router<'_>,
        sieve: Option<&Sieve<'_>>,
        senders: &[Sender<Part>],
        take: &dyn Fn(Page, &Split) -> Result<(), String>,
        others_failed: &dyn Fn() -> bool,
    ) -> Result<(), Problem> {
        let section = &self.setup.source;
        let request = self.request(router.windows, shard);
        let session = self.setup.broker.session(&section.name, section.grants.clone(), self.dry_run);
        let problem =
            |failure| with_denials(section.problem("reading", session.opened(), &failure), &session.denials());
        let mut source =
            SourceInstance::start(&section.plugin, section.settings(session.clone(), self.now)).map_err(problem)?;
        let cursor = source.open(&section.config, &request).map_err(problem)?;
        while let Some(mut page) = source.next(&cursor).map_err(problem)? {
            if self.stop.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            if others_failed() {
                return Ok(());
            }
            (self.progress)(page.batch.rows() as u64);
            let batch = std::mem::take(&mut page.batch);
            let split = match sieve {
                None => router.split(batch),
                Some(sieve) => {
                    let sifted = sieve.sift(&batch, &page.row_inputs).map_err(|error| no_room(&error))?;
                    page.quarantined.extend(sifted.quarantined);
                    router.split_some(batch, sifted.keep.as_deref())
                }
            };
            take(page, &split).map_err(|text| problem(Cause::Limit(text).into()))?;
            send(senders, split.parts);
        }
        Ok(())
    }

    pub(super) fn request(&self, spans: &[Span], shard: usize) -> Request {
        let count = u32::try_from(self.threads).unwrap_or(1);
        Request {
            windows: spans.to_vec(),
            now: self.now.as_millisecond(),
            shard: (u32::try_from(shard).unwrap_or_default(), count),
            claim: None,
            dry_run: self.dry_run,
        }
    }

    /// Pushes what arrives into the instance of its place, then takes out what they made of it.
    fn aggregate(&self, receiver: &Receiver<Part>, spans: &[Span], gathered: &Mutex<Gathered>) {
        let mut works: BTreeMap<Place, Work> = BTreeMap::new();
        while let Some(Part { place, batch }) = receiver.receive() {
            works.entry(place).or_insert_with(|| self.work(place, spans)).push(batch);
        }
        for (place, work) in works {
            let done = work.finish(self.stop);
            lock(gathered).done(place, done);
        }
    }

    fn work(&self, place: Place, spans: &[Span]) -> Work<'_> {
        let instance =
            self.setup.aggregates.get(place.aggregate).zip(spans.get(place.window)).map(|(section, &window)| {
                let session = self.setup.broker.session(&section.name, section.grants.clone(), self.dry_run);
                let settings = section.settings(session, self.now);
                let opened = AggregatorInstance::open(&section.plugin, settings, &section.config, window);
                (section, opened.map_err(|failure| section.problem("aggregating", None, &failure)))
            });
        Work { instance, tally: Tally::default() }
    }
}

/// Hands records to the threads of their places.
fn send(senders: &[Sender<Part>], parts: Vec<(Place, Batch)>) {
    for (place, batch) in parts {
        if let Some(sender) = senders.get(place.shard) {
            sender.send(batch.bytes(), Part { place, batch });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// That the run ends because somebody wants it to.
pub(super) fn interrupted() -> Problem {
    Problem::new("interrupted", "the run was interrupted while it read")
}

/// A problem with the lines that would grant what was denied on the way to it.
pub(super) fn with_denials(mut problem: Problem, denials: &[Denial]) -> Problem {
    let denials: Vec<String> = denials.iter().map(ToString::to_string).collect();
    if !denials.is_empty() {
        problem.code = "denied";
        problem.action = Some(denials.join("; "));
    }
    problem
}

/// One instance and what it was given.
struct Work<'a> {
    instance: Option<(&'a Section, Result<AggregatorInstance, Problem>)>,
    tally: Tally,
}

impl Work<'_> {
    fn push(&mut self, batch: Batch) {
        self.tally.count(&batch);
        if let Some((section, instance)) = &mut self.instance
            && let Ok(working) = instance
            && let Err(failure) = working.push(batch)
        {
            *instance = Err(section.problem("aggregating", None, &failure));
        }
    }

    fn finish(self, stop: &AtomicBool) -> Done {
        let mut done = Done { tally: self.tally.into_counts(), ..Done::default() };
        let Some((section, instance)) = self.instance else { return done };
        let taken = instance.and_then(|mut instance| {
            let problem = |failure| section.problem("aggregating", None, &failure);
            done.excluded = instance.finish().map_err(problem)?;
            while let Some(lines) = instance.next().map_err(problem)? {
                if stop.load(Ordering::Relaxed) {
                    return Err(interrupted());
                }
                done.lines.extend(lines);
                if done.lines.len() > MOST_LINES {
                    let text = format!("it answered more than {MOST_LINES} charges for one window");
                    return Err(problem(Cause::Limit(text).into()));
                }
            }
            Ok(())
        });
        done.failed = taken.err();
        done
    }
}
