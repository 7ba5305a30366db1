//! A ledger that is open for writing: each step of a charge's life is written down before the next may happen.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::claim::Claim;
use super::entry::{Entry, Named, Record};
use super::error::{LedgerError, Trouble};
use super::fold_error::FoldError;
use super::frozen::Charge;
use super::identity::Identity;
use super::names::Names;
use super::place::Place;
use super::row::{Head, Row};
use super::state::State;
use super::store::Store;
use crate::broker::Gate;
use crate::clock;
use crate::failpoint::failpoint;
use crate::model::charge::ChargeId;
#[cfg(test)]
use crate::model::charge::Proposal;
use crate::model::outcome::{Finding, Outcome, Status};
#[cfg(test)]
use crate::model::window::Window;

/// How often a reading that a writer disturbed is begun again, and after which pause.
pub(super) const READ_AGAIN: u32 = 20;
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// The one writer of a ledger.
#[derive(Debug)]
pub struct Ledger {
    place: String,
    store: Store,
    state: State,
    pipeline: String,
    run: String,
    poisoned: bool,
    spent: Spent,
}

/// What the ledger took of a run's time.
#[derive(Debug, Default)]
struct Spent {
    /// From the first look at it to what it adds up to.
    opening: Duration,
    writing: Duration,
    steps: u64,
    entries: u64,
}

impl Ledger {
    /// Opens a ledger for writing, and creates it if there is none.
    ///
    /// # Errors
    /// Another run holds it, it cannot be read, or it does not know the pipeline as what it is: other windows, other names.
    pub fn open(place: &Place, identity: &Identity, claim: &Claim<'_>) -> Result<Ledger, LedgerError> {
        let mut store = Store::open(place, claim)?;
        let begun = Instant::now();
        let mut tries = 0;
        let state = loop {
            let kept = store.head()?;
            failpoint("reading-ledger");
            let apply = |(): &mut (), state: &mut State, record| state.apply(record);
            let read = fold(place, &identity.pipeline, kept, true, || (), apply, |take| store.each(take));
            // Once another run has it, what does not fit is what that one wrote meanwhile.
            let (state, ()) = read.map_err(|error| store.lost().unwrap_or(error))?;
            if kept != Some(state.head) && state.head != Head::default() {
                store.keep(&state.head)?;
            }
            let Some(holder) = store.superseded() else { break state };
            // A run that wakes up has written one step more just now: it comes first, and the next try finds it.
            match superseded(&mut store, place, &state, identity, claim, holder) {
                Err(LedgerError::Overtaken { .. }) if tries < READ_AGAIN => tries += 1,
                done => break done?,
            }
        };
        identity.fits(&place.name(), &state)?;
        let mut ledger = Ledger {
            place: place.name(),
            store,
            state,
            pipeline: identity.pipeline.clone(),
            run: claim.run.to_owned(),
            poisoned: false,
            spent: Spent { opening: begun.elapsed(), ..Spent::default() },
        };
        if ledger.state.window_kind().is_none() {
            ledger.append(vec![identity.opened()])?;
        }
        Ok(ledger)
    }

    /// What a ledger says, read beside its writer. One that is not there says nothing, and is not made.
    ///
    /// # Errors
    /// It cannot be read, or it does not know the pipeline as what it is: other windows, other names.
    pub fn state_of(place: &Place, identity: &Identity) -> Result<State, LedgerError> {
        Ok(read(place, identity, || (), |(), state, record| state.apply(record))?.0)
    }

    /// Reads a ledger beside its writer, and shows each entry of the pipeline with the state that it leads to. `begin` makes what is
    /// gathered on the way: it is begun anew where a writer disturbs the reading.
    ///
    /// # Errors
    /// As [`state_of`](Self::state_of).
    pub fn follow<T>(
        place: &Place,
        identity: &Identity,
        begin: impl Fn() -> T,
        mut see: impl FnMut(&mut T, &State, &Record),
    ) -> Result<(State, T), LedgerError> {
        read(place, identity, begin, |gathered, state, record| {
            state.apply(record.clone())?;
            see(gathered, state, &record);
            Ok(())
        })
    }

    /// What the entries add up to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Writes entries down, all or none; they are on the disk when it returns, and part of the state.
    ///
    /// # Errors
    /// They could not be written; the state is as it was. Nothing more is written in this run then: what the disk holds is not known.
    pub fn append(&mut self, entries: Vec<Entry>) -> Result<(), LedgerError> {
        if self.poisoned {
            return Err(LedgerError::Poisoned { place: self.place.clone() });
        }
        let written = self.write(entries);
        self.poisoned = written.is_err();
        written
    }

    /// Renames the pipeline, and writes down what else has another name from here on: all of it or nothing.
    ///
    /// # Errors
    /// As [`append`](Self::append); also where a name is not known, or taken.
    pub fn rename_pipeline(&mut self, to: &str, mut others: Vec<Entry>) -> Result<(), LedgerError> {
        let from = std::mem::replace(&mut self.pipeline, to.to_owned());
        others.insert(0, Entry::Renamed { what: Named::Pipeline, from, to: to.to_owned() });
        self.append(others)
    }

    fn write(&mut self, entries: Vec<Entry>) -> Result<(), LedgerError> {
        let records = records(&self.state.head, &self.pipeline, &self.run, entries);
        // Before they are written: what cannot be folded would make the ledger useless for ever.
        let refused = |cause| LedgerError::Refused { place: self.place.clone(), cause };
        let begun = Instant::now();
        self.state.check(&records).map_err(refused)?;
        let head = self.state.head;
        self.state.head = write(&mut self.store, &self.place, &head, &records)?;
        self.spent.steps += 1;
        self.spent.entries += records.len() as u64;
        let applied = records.into_iter().try_for_each(|record| self.state.apply(record)).map_err(refused);
        self.spent.writing += begun.elapsed();
        applied
    }

    /// Where it ends.
    pub fn head(&self) -> Head {
        self.state.head
    }

    /// Says whether a request may leave, right before it does; nothing where it may as long as the process lives.
    pub fn gate(&self) -> Option<Gate> {
        self.store.gate()
    }

    /// Ends what is under way, and lets another run take it.
    ///
    /// # Errors
    /// What was kept apart of it could not be written.
    pub fn close(&mut self) -> Result<(), LedgerError> {
        self.poisoned = true;
        let begun = Instant::now();
        let closed = self.store.close();
        let Spent { opening, writing, steps, entries } = self.spent;
        tracing::info!(
            "the ledger took {:.3} s: {:.3} to read {} entries, {:.3} to write {entries} in {steps} steps, {:.3} to close",
            (opening + writing + begun.elapsed()).as_secs_f64(),
            opening.as_secs_f64(),
            self.state.head.number.saturating_sub(entries),
            writing.as_secs_f64(),
            begun.elapsed().as_secs_f64()
        );
        closed
    }

    /// Writes down that a call is about to leave, to a service in this AWS region, if it is one of AWS's; answers its number.
    ///
    /// # Errors
    /// As [`append`](Self::append). The call must not leave then.
    pub fn begin_attempt(
        &mut self,
        (sink, region): (&str, Option<&str>),
        charges: &[Charge],
        deadline: Duration,
    ) -> Result<u64, LedgerError> {
        let attempt = self.state.last_attempt() + 1;
        self.append(vec![Entry::Attempt {
            attempt,
            sink: sink.to_owned(),
            charges: charges.iter().map(Charge::id).collect(),
            deadline: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            region: region.map(str::to_owned),
        }])?;
        Ok(attempt)
    }

    /// Writes down what came of a call. A charge of it that no outcome names, or that two name, is unknown; outcomes for other charges
    /// answer nothing and are left out. `unsent` says that surely nothing left: then there was no attempt.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn record(&mut self, attempt: u64, unsent: bool, outcomes: Vec<Outcome>) -> Result<(), LedgerError> {
        let offered = self.state.offered(attempt);
        let outcomes = once_each(
            outcomes,
            &offered,
            |outcome| outcome.id,
            |outcome| Outcome {
                status: Status::Unknown,
                message: Some("the answer speaks of it twice".to_owned()),
                ..outcome
            },
        );
        self.append(vec![Entry::Outcomes { attempt, unsent, outcomes }])
    }

    /// Writes down what a look-up found. Two findings for one charge tell nothing.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn looked_up(&mut self, sink: &str, findings: Vec<(ChargeId, Finding)>) -> Result<(), LedgerError> {
        let asked = findings.iter().map(|(id, _)| *id).collect();
        let findings = once_each(
            findings,
            &asked,
            |(id, _)| *id,
            |(id, _)| (id, Finding::CannotTell("the answer speaks of it twice".to_owned())),
        );
        self.append(vec![Entry::LookedUp { sink: sink.to_owned(), findings }])
    }
}

#[cfg(test)]
impl Ledger {
    /// Freezes charges, in one transaction with the entries that explain them.
    pub(super) fn freeze(&mut self, mut entries: Vec<Entry>, proposals: Vec<Proposal>) -> Result<(), LedgerError> {
        entries.extend(proposals.into_iter().map(Entry::freeze));
        self.append(entries)
    }

    /// Writes down that a window is settled.
    pub(super) fn settle(&mut self, sink: &str, window: Window) -> Result<(), LedgerError> {
        self.append(vec![Entry::Settled { sink: sink.to_owned(), window }])
    }

    fn connection(&self) -> &rusqlite::Connection {
        match &self.store {
            Store::Sqlite(file) => &file.store.connection,
            Store::S3(_) => panic!("it is no file"),
        }
    }

    /// From here on there is no room.
    pub(super) fn fill_the_disk(&self) {
        self.connection().execute_batch("PRAGMA max_page_count = 1").unwrap();
    }

    /// From here on another program's lock is not waited for.
    pub(super) fn lose_patience(&self) {
        self.connection().busy_timeout(Duration::ZERO).unwrap();
    }
}

/// One answer for each charge that was asked about, in their order; `twice` makes the one of a charge that was named again.
fn once_each<T>(
    answers: Vec<T>,
    asked: &HashSet<ChargeId>,
    id: impl Fn(&T) -> ChargeId,
    twice: impl Fn(T) -> T,
) -> Vec<T> {
    let mut times: HashMap<ChargeId, usize> = HashMap::new();
    for answer in &answers {
        *times.entry(id(answer)).or_default() += 1;
    }
    let mut first: HashSet<ChargeId> = HashSet::new();
    answers
        .into_iter()
        .filter(|answer| asked.contains(&id(answer)) && first.insert(id(answer)))
        .map(|answer| if times.get(&id(&answer)).is_some_and(|times| *times > 1) { twice(answer) } else { answer })
        .collect()
}

/// Says that another run was superseded that may wake up yet: whatever that one writes from here on is refused.
fn superseded(
    store: &mut Store,
    place: &Place,
    state: &State,
    identity: &Identity,
    claim: &Claim<'_>,
    holder: String,
) -> Result<State, LedgerError> {
    identity.fits(&place.name(), state)?;
    let mut entries = Vec::new();
    if state.window_kind().is_none() {
        entries.push(identity.opened());
    }
    entries.push(Entry::Superseded { holder });
    let records = records(&state.head, &identity.pipeline, claim.run, entries);
    let mut state = state.clone();
    let refused = |cause| LedgerError::Refused { place: place.name(), cause };
    let written = records.iter().cloned().try_for_each(|record| state.apply(record));
    written.map_err(refused)?;
    state.head = write(store, &place.name(), &state.head, &records)?;
    Ok(state)
}

/// Entries as this run writes them, behind this head.
fn records(head: &Head, pipeline: &str, run: &str, entries: Vec<Entry>) -> Vec<Record> {
    let at = clock::now().as_millisecond();
    let record = |(number, entry)| Record { number, pipeline: pipeline.to_owned(), run: run.to_owned(), at, entry };
    (head.number + 1..).zip(entries).map(record).collect()
}

/// Adds a step; answers where the ledger ends then.
fn write(store: &mut Store, place: &str, before: &Head, records: &[Record]) -> Result<Head, LedgerError> {
    let rows = Row::step(before, records, place)?;
    let head = rows.last().map_or(*before, Row::head);
    if let Some(last) = rows.last() {
        failpoint(&format!("write:{}", last.kind));
        store.append(before, &rows)?;
        failpoint(&format!("written:{}", last.kind));
        store.keep(&head)?;
        failpoint(&format!("kept:{}", last.kind));
    }
    Ok(head)
}

/// Reads a ledger beside its writer, again and again while that disturbs it.
fn read<T>(
    place: &Place,
    identity: &Identity,
    begin: impl Fn() -> T,
    mut apply: impl FnMut(&mut T, &mut State, Record) -> Result<(), FoldError>,
) -> Result<(State, T), LedgerError> {
    let mut read =
        || fold(place, &identity.pipeline, place.head()?, false, &begin, &mut apply, |take| place.rows(take));
    let mut found = read();
    for tries in 0..READ_AGAIN {
        let passes = match &found {
            // A writer that begins or ends just now sets up or tidies up, and for a moment SQLite finds nothing that it could read.
            Err(LedgerError::Moved { .. }) => true,
            Err(LedgerError::Storage { trouble, .. }) => matches!(trouble, Trouble::Locked | Trouble::Other),
            // One that began just now had no head when this looked.
            Err(LedgerError::Head { .. }) => tries < 3,
            _ => false,
        };
        if !passes {
            break;
        }
        std::thread::sleep(PAUSE);
        found = read();
    }
    let (state, gathered) = found?;
    identity.fits(&place.name(), &state)?;
    Ok((state, gathered))
}

/// What the entries of a pipeline add up to, what is gathered on the way, and where the ledger ends. `kept` is where it has to end;
/// `is_writer` says that nobody writes meanwhile, `begin` makes what is gathered, and `apply` adds an entry.
fn fold<T>(
    place: &Place,
    pipeline: &str,
    kept: Option<Head>,
    is_writer: bool,
    begin: impl Fn() -> T,
    mut apply: impl FnMut(&mut T, &mut State, Record) -> Result<(), FoldError>,
    mut each: impl FnMut(&mut dyn FnMut(Row) -> Result<(), LedgerError>) -> Result<(), LedgerError>,
) -> Result<(State, T), LedgerError> {
    let name = place.name();
    let mut names = Names::of(pipeline);
    // A pipeline that was renamed has entries under its old name, and that shows only when they were passed over: then once more.
    let (mut state, gathered, is_on_chain) = loop {
        let (mut state, mut gathered, mut head) = (State::default(), begin(), Head::default());
        let (mut is_on_chain, mut is_news) = (false, false);
        each(&mut |row| {
            let number = row.number;
            // Of missing entries the first is named, and not the one behind them.
            let expected = head.number + 1;
            let damaged = |number, cause| LedgerError::Damaged { place: name.clone(), number, cause };
            head = head.with(&row).map_err(|cause| damaged(expected, cause))?;
            is_on_chain |= kept == Some(head);
            is_news |= names.is_news(&row, &name)?;
            if is_news {
                return Ok(());
            }
            match names.owns(&row) {
                true => apply(&mut gathered, &mut state, row.record(&name)?).map_err(|cause| damaged(number, cause))?,
                // What others do is passed over unread, but for that a run was superseded: it may have been one of this pipeline.
                false => {
                    if row.kind == "superseded" {
                        state.superseded(row.at);
                    }
                    names.others(row);
                }
            }
            Ok(())
        })?;
        if !is_news {
            state.head = head;
            break (state, gathered, is_on_chain);
        }
    };
    state.renamed_to = names.now();
    if state.window_kind().is_none() {
        state.others = names.made_of(&name);
    }
    let head = state.head;
    let unfit = |cause: String| Err(LedgerError::Head { place: name.clone(), head: place.head_name(), cause });
    match kept {
        None if head.step > 1 => unfit("it is not there".to_owned()),
        None => Ok((state, gathered)),
        Some(kept) if kept.number > head.number => {
            unfit(format!("entry {} was written, and the ledger ends with entry {}", kept.number, head.number))
        }
        Some(kept) if !is_on_chain => unfit(format!("entry {} is another than the one that was written", kept.number)),
        Some(kept) if is_writer && head.step > kept.step + 1 => unfit(format!(
            "it speaks of entry {}, and the ledger ends with entry {}: further than a crash can leave it",
            kept.number, head.number
        )),
        Some(_) => Ok((state, gathered)),
    }
}
