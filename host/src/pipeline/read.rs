//! Reading: source instances on threads of their own, aggregator instances on others, and one way between them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use jiff::Timestamp;
use meterhost_decimal::Decimal;

use super::channel::{self, Receiver, Sender};
use super::quarantine::Quarantine;
use super::route::{Place, Router};
use super::setup::{Section, Setup};
use super::tally::{Pair, Tally};
use crate::model::lines::{ChargeLine, Excluded};
use crate::model::reading::{Input, Quarantined, Request, Span, Unreadable};
use crate::model::usage::Batch;
use crate::model::window::Window;
use crate::plugin::{AggregatorInstance, Cause, SourceInstance};
use crate::report::Problem;

/// How much usage may wait between a source and an aggregator, in bytes.
const WAITING: usize = 8 << 20;
/// The most charges that one accumulator may answer.
const MOST_LINES: usize = 10_000_000;

/// What was read for one window.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What the aggregators made of it, with each one's position.
    pub(super) lines: Vec<(usize, ChargeLine)>,
    pub(super) excluded: Vec<Excluded>,
    /// Records by customer and dimension.
    pub(super) tally: HashMap<Pair, u64>,
    pub(super) inputs: Vec<(Input, u64)>,
    pub(super) quarantined: Vec<Quarantined>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Why the reading is of no use, if it is not: an aggregator failed on this window.
    pub(super) failed: Vec<Problem>,
}

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
    /// Told of records as they come.
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
}

/// Records that lie before the pipeline's first window: no window ever takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Astray {
    pub(super) records: u64,
    /// Milliseconds, UTC.
    pub(super) earliest: i64,
    /// Whether there was any other.
    pub(super) others: bool,
}

impl Astray {
    fn add(&mut self, outside: &[i64], first: Option<i64>) {
        for &time in outside {
            if first.is_none_or(|first| time >= first) {
                self.others = true;
                continue;
            }
            self.earliest = if self.records == 0 { time } else { self.earliest.min(time) };
            self.records += 1;
        }
    }

    /// What is said of them, if there are any.
    pub(super) fn words(&self) -> Option<String> {
        let earliest = || match Timestamp::from_millisecond(self.earliest) {
            Ok(time) => format!("{time:.0}"),
            Err(_) => self.earliest.to_string(),
        };
        (self.records > 0).then(|| {
            let (records, earliest) = (self.records, earliest());
            format!("{records} records lie before the first window (the earliest at {earliest}), and no window ever takes them")
        })
    }

    /// Takes in what another opening found.
    pub(super) fn join(&mut self, other: Astray) {
        self.earliest = match (self.records, other.records) {
            (_, 0) => self.earliest,
            (0, _) => other.earliest,
            _ => self.earliest.min(other.earliest),
        };
        self.records = self.records.max(other.records);
        self.others |= other.others;
    }
}

/// A message to an aggregator's thread.
struct Part {
    place: Place,
    batch: Batch,
}

pub(super) fn span(window: &Window) -> Span {
    Span { start: window.start().as_millisecond(), end: window.end().as_millisecond() }
}

impl Reader<'_> {
    /// Reads these windows, ascending, in one opening. The error means that none of them was read.
    pub(super) fn read(&self, windows: &[Window]) -> Result<(Vec<Reading>, Astray), Problem> {
        let spans: Vec<Span> = windows.iter().map(span).collect();
        let gathered = Mutex::new(Gathered::new(windows.len()));
        let failed: Mutex<Option<Problem>> = Mutex::new(None);
        let aggregate_of = |dimension: &str| {
            let found = self.setup.pipeline.aggregate_of(dimension)?;
            self.setup.pipeline.aggregates.iter().position(|spec| spec.plugin.name == found.plugin.name)
        };
        let router = Router { windows: &spans, shards: self.threads, aggregate_of: &aggregate_of };
        thread::scope(|scope| {
            let mut senders = Vec::new();
            for _ in 0..self.threads {
                let (sender, receiver) = channel::bounded(WAITING);
                senders.push(sender);
                let (gathered, spans) = (&gathered, &spans);
                scope.spawn(move || self.aggregate(&receiver, spans, gathered));
            }
            for shard in 0..self.threads {
                let (senders, router, gathered, failed, spans) = (senders.clone(), &router, &gathered, &failed, &spans);
                scope.spawn(move || {
                    // What the others read is of no use any more.
                    let others_failed = || failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                    if let Err(problem) = self.source(shard, spans, router, &senders, gathered, &others_failed) {
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert(problem);
                    }
                });
            }
        });
        if let Some(problem) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(problem);
        }
        let gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        gathered.checked().map_err(|text| Problem {
            plugin: Some(self.setup.source.label()),
            step: Some("reading".to_owned()),
            action: Some("report it to the plugin's author; nothing of these windows was billed".to_owned()),
            ..Problem::new("plugin-contract", text)
        })?;
        let mut astray = gathered.astray;
        astray.others |= gathered.items > astray.records;
        Ok((gathered.into_readings(&spans), astray))
    }

    fn source(
        &self,
        shard: usize,
        spans: &[Span],
        router: &Router<'_>,
        senders: &[Sender<Part>],
        gathered: &Mutex<Gathered>,
        others_failed: &dyn Fn() -> bool,
    ) -> Result<(), Problem> {
        let section = &self.setup.source;
        let request = self.request(spans, shard);
        let session = self.setup.broker.session(&section.name, section.grants.clone(), self.dry_run);
        let problem = |failure| with_denials(section.problem("reading", session.opened(), &failure), &session);
        let mut source =
            SourceInstance::start(&section.plugin, section.settings(session.clone(), self.now)).map_err(problem)?;
        let cursor = source.open(&section.config, &request).map_err(problem)?;
        while let Some(page) = source.next(&cursor).map_err(problem)? {
            if self.stop.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            if others_failed() {
                return Ok(());
            }
            let rows = page.batch.rows() as u64;
            (self.progress)(rows);
            let split = router.split(page.batch);
            {
                let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
                gathered.astray.add(&split.outside, self.first);
                gathered.items += rows + page.quarantined.len() as u64;
                gathered.inputs.extend(page.inputs);
                for record in page.quarantined {
                    gathered.quarantined.add(record, spans);
                }
                gathered.unreadable.extend(page.unreadable);
                for (window, batch) in &split.untaken {
                    gathered.untaken.entry(*window).or_default().count(batch);
                }
            }
            for (place, batch) in split.parts {
                if let Some(sender) = senders.get(place.shard) {
                    sender.send(batch.bytes(), Part { place, batch });
                }
            }
        }
        Ok(())
    }

    pub(super) fn request(&self, spans: &[Span], shard: usize) -> Request {
        let count = u32::try_from(self.threads).unwrap_or(1);
        Request {
            windows: spans.to_vec(),
            now: self.now.as_millisecond(),
            shard: (u32::try_from(shard).unwrap_or_default(), count),
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
            let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
            gathered.done.push((place, done));
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

/// That the run ends because somebody wants it to.
pub(super) fn interrupted() -> Problem {
    Problem::new("interrupted", "the run was interrupted while it read")
}

/// A problem with the lines that would grant what was denied on the way to it.
pub(super) fn with_denials(mut problem: Problem, session: &crate::broker::Session) -> Problem {
    let denials: Vec<String> = session.denials().iter().map(ToString::to_string).collect();
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

#[derive(Default)]
struct Done {
    lines: Vec<ChargeLine>,
    excluded: Vec<Excluded>,
    tally: HashMap<Pair, u64>,
    failed: Option<Problem>,
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

/// What all threads brought together.
struct Gathered {
    windows: usize,
    /// Records and quarantined records that came, of whatever window.
    items: u64,
    astray: Astray,
    done: Vec<(Place, Done)>,
    inputs: Vec<(Input, u64)>,
    quarantined: Quarantine,
    unreadable: Vec<Unreadable>,
    untaken: HashMap<usize, Tally>,
}

impl Gathered {
    fn new(windows: usize) -> Self {
        Gathered {
            windows,
            items: 0,
            astray: Astray::default(),
            done: Vec::new(),
            inputs: Vec::new(),
            quarantined: Quarantine::default(),
            unreadable: Vec::new(),
            untaken: HashMap::new(),
        }
    }

    /// Checks what the source answered as a whole: each input once, and as many items as it says that they hold.
    fn checked(&self) -> Result<(), String> {
        let mut keys: Vec<&str> = self.inputs.iter().map(|(input, _)| input.key.as_str()).collect();
        keys.sort_unstable();
        if let Some([twice, _]) = keys.array_windows().find(|[left, right]| left == right) {
            return Err(format!("it read {twice} twice: each input belongs to one reader, and to one page"));
        }
        let said: u128 = self.inputs.iter().map(|(_, items)| u128::from(*items)).sum();
        let came = u128::from(self.items);
        // Of an input that broke off in the middle, some items came and none are counted.
        let fits = if self.unreadable.is_empty() { said == came } else { said <= came };
        match fits {
            true => Ok(()),
            false => Err(format!("it says that what it read holds {said} items, and it answered {came}")),
        }
    }

    fn into_readings(mut self, spans: &[Span]) -> Vec<Reading> {
        let mut readings: Vec<Reading> = (0..self.windows).map(|_| Reading::default()).collect();
        for (place, done) in self.done {
            let Some(reading) = readings.get_mut(place.window) else { continue };
            reading.lines.extend(done.lines.into_iter().map(|line| (place.aggregate, line)));
            reading.excluded.extend(done.excluded);
            for (pair, count) in done.tally {
                *reading.tally.entry(pair).or_default() += count;
            }
            reading.failed.extend(done.failed);
        }
        for (window, tally) in self.untaken {
            let Some(reading) = readings.get_mut(window) else { continue };
            for (pair, records) in tally.into_counts() {
                let doubt =
                    "no [aggregate] takes this dimension: name it in `takes`, or leave `takes` out of one of them";
                reading.lines.push((
                    usize::MAX,
                    ChargeLine {
                        product: pair.product.clone(),
                        customer: pair.customer.clone(),
                        dimension: pair.dimension.clone(),
                        tags: Vec::new(),
                        quantity: Decimal::ZERO,
                        doubt: Some(doubt.to_owned()),
                        origins: vec![(pair.dimension.clone(), records)],
                        attributes: Vec::new(),
                    },
                ));
                *reading.tally.entry(pair).or_default() += records;
            }
        }
        // Threads finish in any order; what is written down does not depend on it.
        self.inputs.sort_by(|left, right| left.0.key.cmp(&right.0.key));
        self.unreadable.sort_by(|left, right| left.input.cmp(&right.input));
        let touches = |span: &Option<Span>, window: &Span| span.is_none_or(|span| span.touches(window));
        for (position, (reading, window)) in readings.iter_mut().zip(spans).enumerate() {
            reading.lines.sort_by(|(first, left), (second, right)| key(left).cmp(&key(right)).then(first.cmp(second)));
            reading.lines.dedup_by(joined);
            reading.failed.sort_by(|left, right| left.message.cmp(&right.message));
            reading.excluded.sort_by(|left, right| {
                (&left.product, &left.customer, &left.dimension, &left.rule).cmp(&(
                    &right.product,
                    &right.customer,
                    &right.dimension,
                    &right.rule,
                ))
            });
            reading.inputs = self.inputs.iter().filter(|(input, _)| touches(&input.span, window)).cloned().collect();
            reading.quarantined = self.quarantined.of(position);
            reading.unreadable = self.unreadable.iter().filter(|found| touches(&found.span, window)).cloned().collect();
        }
        readings
    }
}

/// One charge a key: what two aggregates make of one is no charge, and is held. Of one aggregate's own two lines the sum does not close.
fn joined(later: &mut (usize, ChargeLine), earlier: &mut (usize, ChargeLine)) -> bool {
    if key(&later.1) != key(&earlier.1) || later.0 == earlier.0 {
        return false;
    }
    let line = &mut earlier.1;
    line.origins.append(&mut later.1.origins);
    line.origins.sort();
    line.doubt = Some(
        "two [aggregate] sections, or one and usage that none takes, make this charge: rename one of them".to_owned(),
    );
    true
}

type LineKey<'a> = (&'a str, &'a str, &'a str, &'a [(String, String)]);

pub(super) fn key(line: &ChargeLine) -> LineKey<'_> {
    (&line.product, &line.customer, &line.dimension, &line.tags)
}
