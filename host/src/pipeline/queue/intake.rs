//! What is pending in a queue, and which of it is usage.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;

use super::marks::Marks;
use super::together::Links;
use crate::failpoint::failpoint;
use crate::ledger::{ChargeState, Entry, LedgerError, Lookup, Standing, State, Taken, Told};
use crate::model::charge::ChargeId;
use crate::model::reading::{Page, Quarantined, Request, Span, Unreadable};
use crate::model::usage::{Batch, TextColumn};
use crate::model::window::{Window, WindowKind};
use crate::pipeline::due::upcoming;
use crate::pipeline::freeze::Book;
use crate::pipeline::options::Options;
use crate::pipeline::read::{interrupted, with_denials};
use crate::pipeline::setup::Setup;
use crate::pipeline::tally::Pair;
use crate::plugin::{Cause, SourceInstance};
use crate::report::Problem;

/// The most records that one run takes in.
const MOST_RECORDS: usize = 20_000_000;
/// So many records in the first page are much.
const MUCH: usize = 2000;
/// So many instances claim at the same time then.
const SIDE_BY_SIDE: u32 = 4;

/// What a queue handed out.
#[derive(Default)]
pub(in crate::pipeline) struct Intake {
    /// Usage, page by page.
    pub(super) pages: Vec<Handed>,
    /// Records that cannot be used.
    pub(super) quarantined: Vec<Quarantined>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Records that were taken and billed before, and are pending again.
    pub(super) again: Vec<(String, Taken)>,
    /// Records that were taken before and say something else now: the queue is not told of them.
    pub(super) changed: HashSet<String>,
    /// Records that were taken before, and of which the queue was not told.
    pub(super) untold: HashSet<String>,
    /// Of records that are usage again, the groups that they were taken in.
    pub(super) retried: HashMap<String, Taken>,
    /// Whose usage of what stands under one reference, where it is more than one thing.
    pub(in crate::pipeline) links: Links,
    /// What stands for references.
    pub(super) marks: Option<Marks>,
    /// Whether it is all that the queue hands out; else nothing can be said of what is not there.
    pub(in crate::pipeline) is_whole: bool,
}

/// A page of usage.
pub(super) struct Handed {
    pub(super) batch: Batch,
    pub(super) references: TextColumn,
    /// Which of its rows are usage; nothing means all.
    pub(super) keep: Option<Vec<bool>>,
    /// What stands for what the record says that each row belongs to.
    pub(super) contents: Vec<u64>,
}

/// Up to where a run asks a queue: the end of the last window that is due, or what a last bill says.
pub(in crate::pipeline) fn cutoff(setup: &Setup, options: &Options<'_>) -> Timestamp {
    if let Some(last) = &options.last {
        return last.until;
    }
    upcoming(&setup.pipeline, options.now).start()
}

impl Intake {
    /// Asks the queue for all that is pending before `until`, and claims it for the ledger. The inner error is the source's: nothing is
    /// read then, and what it claimed stays this pipeline's.
    ///
    /// # Errors
    /// The ledger cannot be read or written.
    pub(in crate::pipeline) fn of(
        setup: &Setup,
        options: &Options<'_>,
        book: &mut Book,
        until: Timestamp,
    ) -> Result<Result<Intake, Problem>, LedgerError> {
        if let Book::Open(ledger) = book
            && ledger.state().takings().claim().is_none()
        {
            let token = format!("{}/{:016x}", setup.pipeline.name, getrandom::u64().unwrap_or_default());
            ledger.append(vec![Entry::Claiming { token }])?;
            failpoint("claiming");
        }
        let takings = book.state().takings();
        let request = Request {
            windows: vec![Span { start: i64::MIN, end: until.as_millisecond() }],
            now: options.now.as_millisecond(),
            shard: (0, 1),
            claim: takings.claim().map(str::to_owned),
            dry_run: options.dry_run,
        };
        options.watch.step(&format!("taking in what is pending before {until}"));
        let intake = Intake { marks: Some(Marks::of(takings.key())), ..Intake::default() };
        intake.read(setup, options, book.state(), &request)
    }

    fn read(
        self,
        setup: &Setup,
        options: &Options<'_>,
        state: &State,
        request: &Request,
    ) -> Result<Result<Intake, Problem>, LedgerError> {
        let shelf = setup.place.shelf();
        let known = Known {
            state,
            lookup: &state.takings().lookup(&shelf)?,
            source: &setup.source.name,
            kind: setup.pipeline.window,
        };
        let taken = Mutex::new(Taking { intake: self, seen: HashSet::new(), records: 0, said: 0, came: 0 });
        let reader = Reader { setup, options, known: &known, request, taken: &taken, failed: AtomicBool::new(false) };
        match reader.all() {
            Ok(()) => {}
            Err(Trouble::Ledger(error)) => return Err(error),
            Err(Trouble::Source(problem)) => return Ok(Err(*problem)),
        }
        let Taking { mut intake, said, came, .. } = taken.into_inner().unwrap_or_else(PoisonError::into_inner);
        if said != came && intake.unreadable.is_empty() {
            let text = format!("it says that what it read holds {said} items, and it answered {came}");
            return Ok(Err(setup.source.problem("reading", None, &Cause::Contract(text).into())));
        }
        intake.is_whole = true;
        Ok(Ok(intake))
    }

    /// Takes a page in. The inner error is what does not fit the contract.
    fn page(
        &mut self,
        page: Page,
        known: &Known<'_>,
        request: &Request,
        seen: &mut HashSet<u128>,
    ) -> Result<Result<(), String>, LedgerError> {
        let Page { batch, references, inputs: _, quarantined, unreadable, row_inputs: _ } = page;
        let until = request.windows.first().map_or(i64::MAX, |span| span.end);
        if let Some(time) = batch.time.iter().find(|time| **time >= until) {
            return Ok(Err(format!("it handed out a record of {time}, which is not before {until}")));
        }
        self.quarantined.extend(quarantined);
        self.unreadable.extend(unreadable);
        let Some(marks) = &self.marks else { return Ok(Ok(())) };
        let mut records: BTreeMap<u128, (&str, Vec<usize>)> = BTreeMap::new();
        for row in 0..batch.rows() {
            let Some(reference) = references.get(row).filter(|reference| !reference.is_empty()) else {
                return Ok(Err("it handed out a record without a reference".to_owned()));
            };
            let (_, rows) = records.entry(marks.mark(reference)).or_insert_with(|| (reference, Vec::new()));
            if rows.last().is_some_and(|last| last + 1 != row) {
                return Ok(Err(format!("the rows of {reference} do not stand together")));
            }
            rows.push(row);
        }
        if let Some((_, (twice, _))) = records.iter().find(|(mark, _)| !seen.insert(**mark)) {
            return Ok(Err(format!("it handed out {twice} twice")));
        }
        let wanted: Vec<u128> = records.keys().copied().collect();
        let found = known.lookup.find(&wanted)?;
        let of_rows = marks.contents(&batch);
        let mut contents = vec![0; batch.rows()];
        let mut keep = vec![true; batch.rows()];
        for (mark, (reference, rows)) in &records {
            let says = of_rows.of(rows);
            rows.iter().filter_map(|row| contents.get_mut(*row).map(|place| *place = says)).for_each(drop);
            let taken = found.get(mark);
            let fate = taken.map_or(Fate::Usage, |taken| fate(known.state, taken, says));
            if !matches!(fate, Fate::Usage) {
                rows.iter().filter_map(|row| keep.get_mut(*row).map(|kept| *kept = false)).for_each(drop);
            }
            let named = |taken: &Taken| ((*reference).to_owned(), *taken);
            match fate {
                Fate::Usage => {
                    self.retried.extend(taken.map(named));
                    self.links.extend(&batch, rows, known.kind);
                }
                Fate::Untold => drop(self.untold.insert((*reference).to_owned())),
                Fate::Again => self.again.extend(taken.map(named)),
                Fate::Changed => {
                    self.changed.insert((*reference).to_owned());
                    let rows = rows.iter().map(|row| (pair(&batch, *row), batch.time.get(*row).copied()));
                    self.quarantined.extend(rows.map(|(pair, time)| changed(known.source, reference, pair, time)));
                }
            }
        }
        let keep = keep.contains(&false).then_some(keep);
        self.pages.push(Handed { batch, references, keep, contents });
        Ok(Ok(()))
    }

    /// The windows that something was handed out of, ascending. What may be of any window is of the last one before `until`.
    pub(in crate::pipeline) fn windows(&self, setup: &Setup, until: Timestamp) -> BTreeSet<Window> {
        let kind = setup.pipeline.window;
        let mut windows = BTreeSet::new();
        let mut last: Option<Window> = None;
        let mut add = |time: i64| {
            if last.is_some_and(|last| (last.start().as_millisecond()..last.end().as_millisecond()).contains(&time)) {
                return;
            }
            last = Timestamp::from_millisecond(time).ok().map(|time| Window::containing(kind, time));
            windows.extend(last);
        };
        for Handed { batch, keep, .. } in &self.pages {
            let is_kept = |row: usize| keep.as_ref().is_none_or(|keep| keep.get(row).copied().unwrap_or_default());
            batch.time.iter().enumerate().filter(|(row, _)| is_kept(*row)).for_each(|(_, time)| add(*time));
        }
        let spans = self.quarantined.iter().map(|record| record.span).chain(self.unreadable.iter().map(|it| it.span));
        spans.for_each(|span| add(span.map_or(until.as_millisecond() - 1, |span| span.start)));
        windows
    }

    /// Charges that were surely refused, and of which records are usage again.
    pub(in crate::pipeline) fn revisable(&self, state: &State) -> HashSet<ChargeId> {
        let groups = self.retried.values().filter_map(|taken| state.takings().group(taken));
        groups.flat_map(|group| &group.charges).map(|(id, _)| *id).collect()
    }

    /// Charges that were refused, and are not to be offered as they were: records of them, or of others that share the service's record, are
    /// usage again, which is held.
    pub(in crate::pipeline) fn superseded(&self, state: &State) -> HashSet<ChargeId> {
        let is_refused = |charge: &&ChargeState| matches!(charge.standing(), Standing::Rejected { .. });
        let again = self.revisable(state);
        let again = again.iter().filter_map(|id| state.charge(id)).filter(is_refused);
        let slots = again.flat_map(|charge| {
            let key = charge.charge().key();
            let beside = state.charges_of(&key.sink, &key.window).into_iter();
            beside.filter(is_refused).filter(move |other| other.charge().key().slot() == key.slot())
        });
        slots.map(|charge| charge.charge().id()).collect()
    }

    /// Pages as any source answers them: usage, and with the first of them what cannot be used.
    pub(in crate::pipeline) fn pages(&self) -> impl Iterator<Item = (Page, Option<&[bool]>)> {
        let doubts =
            Page { quarantined: self.quarantined.clone(), unreadable: self.unreadable.clone(), ..Page::default() };
        let pages = self
            .pages
            .iter()
            .map(|handed| (Page { batch: handed.batch.clone(), ..Page::default() }, handed.keep.as_deref()));
        std::iter::once((doubts, None)).chain(pages)
    }
}

/// What was taken in so far.
struct Taking {
    intake: Intake,
    /// What stands for each record.
    seen: HashSet<u128>,
    records: usize,
    /// What the source says that its inputs hold, and what it answered: an input may go over several pages, and its last one says it.
    said: u64,
    came: u64,
}

/// What is known of records that were taken before.
struct Known<'a> {
    state: &'a State,
    lookup: &'a Lookup<'a>,
    /// The source's section.
    source: &'a str,
    kind: WindowKind,
}

enum Trouble {
    Ledger(LedgerError),
    Source(Box<Problem>),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Trouble::Source(Box::new(problem))
    }
}

/// How an opening ended.
#[derive(PartialEq, Eq)]
enum Ended {
    Whole,
    /// There is so much that several instances do better; nothing of it was taken.
    Much,
}

/// Takes in what a queue hands out. Claiming is waiting, mostly: where there is much, several instances do it side by side, each of its own
/// records. How much there is shows the first page of an opening by itself; what that one claimed is handed out again.
struct Reader<'a> {
    setup: &'a Setup,
    options: &'a Options<'a>,
    known: &'a Known<'a>,
    request: &'a Request,
    taken: &'a Mutex<Taking>,
    /// What the others take in is of no use any more.
    failed: AtomicBool,
}

impl Reader<'_> {
    fn all(&self) -> Result<(), Trouble> {
        if self.shard((0, 1))? == Ended::Whole {
            return Ok(());
        }
        let side_by_side = |shard| {
            let ended = self.shard((shard, SIDE_BY_SIDE));
            self.failed.fetch_or(ended.is_err(), Ordering::Relaxed);
            ended
        };
        let ended: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..SIDE_BY_SIDE).map(|shard| scope.spawn(move || side_by_side(shard))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        ended.into_iter().try_for_each(|ended| ended.map(drop))
    }

    /// Reads one of so many shards to its end.
    fn shard(&self, shard: (u32, u32)) -> Result<Ended, Trouble> {
        let Reader { setup, options, .. } = self;
        let section = &setup.source;
        let session = setup.broker.session(&section.name, section.grants.clone(), options.dry_run);
        let problem = |failure| with_denials(section.problem("reading", None, &failure), &session.denials());
        let mut source =
            SourceInstance::start(&section.plugin, section.settings(session.clone(), options.now)).map_err(problem)?;
        let request = Request { shard, ..self.request.clone() };
        let cursor = source.open(&section.config, &request).map_err(problem)?;
        // A dry run claims nothing.
        let mut may_be_much = shard.1 == 1 && !options.dry_run;
        while let Some(page) = source.next(&cursor).map_err(problem)? {
            failpoint("claimed");
            if options.stop.load(Ordering::Relaxed) {
                return Err(interrupted().into());
            }
            if self.failed.load(Ordering::Relaxed) {
                break;
            }
            if std::mem::take(&mut may_be_much) && page.batch.rows() >= MUCH {
                return Ok(Ended::Much);
            }
            options.watch.records(page.batch.rows() as u64);
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let Taking { intake, seen, records, said, came } = &mut *taken;
            *records += page.batch.rows();
            *said += page.inputs.iter().map(|(_, items)| items).sum::<u64>();
            *came += page.batch.rows() as u64 + page.quarantined.len() as u64;
            let fits = match *records > MOST_RECORDS {
                true => Err(format!("it answered more than {MOST_RECORDS} records")),
                false => intake.page(page, self.known, &request, seen).map_err(Trouble::Ledger)?,
            };
            fits.map_err(|text| problem(Cause::Contract(text).into()))?;
        }
        Ok(Ended::Whole)
    }
}

/// What becomes of a record that was taken before and is pending.
enum Fate {
    /// It is usage again.
    Usage,
    /// The queue is told of it in this run, as it has not been yet.
    Untold,
    /// The queue is told once more.
    Again,
    /// It is in doubt.
    Changed,
}

fn fate(state: &State, taken: &Taken, contents: u64) -> Fate {
    let takings = state.takings();
    let Some(group) = takings.group(taken) else { return Fate::Changed };
    // Of a record that went into several charges, some of which are billed, nothing is usage again.
    let is_refused = !group.charges.is_empty()
        && group.charges.iter().all(|(id, revision)| {
            let charge = state.charge(id);
            charge.is_some_and(|charge| charge.revision() > *revision || charge.is_refused())
        });
    match takings.told(taken) {
        Some(Told::Rejected) if is_refused => Fate::Usage,
        // A rule left it out, or it came to nothing: it went into no charge.
        Some(Told::Nothing) if group.charges.is_empty() => Fate::Usage,
        _ if contents != taken.contents => Fate::Changed,
        None => Fate::Untold,
        Some(_) => Fate::Again,
    }
}

/// Whose usage of what a row is.
pub(super) fn pair(batch: &Batch, row: usize) -> Pair {
    let of = |column: &TextColumn| column.get(row).unwrap_or_default().to_owned();
    Pair { product: of(&batch.product), customer: of(&batch.customer), dimension: of(&batch.dimension) }
}

fn changed(source: &str, reference: &str, pair: Pair, time: Option<i64>) -> Quarantined {
    let reason = "it was taken before, and says something else now: what it says is not billed; set it back to what it was, or write what is \
                  owed besides as a record of its own";
    Quarantined {
        input: source.to_owned(),
        place: reference.to_owned(),
        reason: reason.to_owned(),
        records: 1,
        customer: Some(pair.customer),
        product: Some(pair.product).filter(|product| !product.is_empty()),
        dimension: Some(pair.dimension),
        span: time.map(|time| Span { start: time, end: time + 1 }),
    }
}
