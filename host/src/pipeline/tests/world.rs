//! The world of a history: a bucket, a ledger, a service, people; and what is checked after each move.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use meterhost_decimal::Decimal;

use super::usage::{ALL, Bucket, Of, Truth, customer, dimension};
use super::{Move, Run, Story, Word};
use crate::clock::{self, own_time};
use crate::config::{Pipeline, Zeros, parse};
use crate::failpoint::on_this_thread::{self, Ended as Crashed};
use crate::ledger::{
    Claim, Deciding, Entry, Identity, Ledger, NotToDecide, Place, Said, State, Statement, Target, Verdict,
};
use crate::model::charge::{ChargeId, Key};
use crate::model::service::{Offer, Opinion, Resolution, ServiceTraits, Together, Zero};
use crate::model::window::{Window, WindowKind};
use crate::pipeline::account::{Stand, items};
use crate::pipeline::complete::Complete;
use crate::pipeline::deliver::tests::model::TAKES;
use crate::pipeline::deliver::tests::service::{Books, delivered};
use crate::pipeline::due::{due, has_holds};
use crate::pipeline::entries::{frozen, kept_back};
use crate::pipeline::quantities::quantities;
use crate::pipeline::run::settle;
use crate::pipeline::setup::Terms;
use crate::pipeline::shown::stands;
use crate::pipeline::summary::Findings;
use crate::pipeline::works::{Checks, Finished, Ground, Work, Works};
use crate::report::Problem;

const SINK: &str = "s";
/// Windows of which there can be usage.
const DAYS: u8 = 4;

fn day(number: u8) -> Window {
    Window::parse(WindowKind::Day, &format!("2025-06-{:02}", number + 1)).unwrap()
}

fn number(window: &Window) -> u8 {
    window.label().rsplit('-').next().unwrap().parse::<u8>().unwrap() - 1
}

/// A service that would refuse nothing.
struct Agrees;

impl Checks for Agrees {
    fn check(&self, _: usize, _: Timestamp, offers: &[Offer]) -> Result<HashMap<String, Opinion>, Problem> {
        let agrees = |offer: &Offer| Opinion { id: offer.id.clone(), objection: None, accepted_until: None };
        Ok(offers.iter().map(|offer| (offer.id.clone(), agrees(offer))).collect())
    }
}

/// The world of a history.
pub(super) struct World {
    folder: tempfile::TempDir,
    pipeline: Pipeline,
    traits: ServiceTraits,
    bucket: Bucket,
    books: Rc<RefCell<Books>>,
    runs: u32,
    /// What each window came to when it was read last, in a run that wrote it down.
    read: BTreeMap<(u8, Of), Decimal>,
    guarded: bool,
}

impl World {
    pub(super) fn new(story: &Story) -> World {
        let traits = ServiceTraits {
            charges_per_call: 3,
            bytes_per_call: 100_000,
            bytes_per_charge: 10,
            together: Together::default(),
            rate: None,
            scale: 0,
            minimum: Decimal::ZERO,
            maximum: Decimal::parse("1000").unwrap(),
            windows: Vec::new(),
            zero: Zero::TakesSlot,
            resolution: Resolution::LookUp,
            refuses_second: true,
            joins_tags: story.joins_tags,
            deadline: TAKES,
        };
        let late = if story.carries { "carry" } else { "hold" };
        let round = if story.rounds { "carry" } else { "refuse" };
        let guard = if story.guarded { "guard = { max_quantity = \"40\" }" } else { "" };
        let text = format!(
            "name = \"p\"\nwindow = \"day\"\nstart = \"2025-06-01\"\n[source]\nplugin = \"s3-reader\"\n[aggregate.rules]\n\
             [sink.{SINK}]\nlate = \"{late}\"\nround = \"{round}\"\n{guard}\n"
        );
        own_time::begin(day(0).start() + Duration::from_secs(3600));
        let shm = Path::new("/dev/shm");
        World {
            folder: if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap(),
            pipeline: parse(&text, "p.toml", Path::new("."), &|_| None).unwrap(),
            bucket: Bucket::new(story.dedupe, story.rounds, story.joins_tags),
            books: Rc::new(RefCell::new(Books::new(&traits, true))),
            traits,
            runs: 0,
            read: BTreeMap::new(),
            guarded: story.guarded,
        }
    }

    fn key(&self, window: Window, (who, what): Of) -> Key {
        let tagged = self.traits.joins_tags;
        Key {
            pipeline: "p".to_owned(),
            sink: SINK.to_owned(),
            window,
            product: String::new(),
            customer: customer(who),
            dimension: if tagged { ALL.to_owned() } else { dimension(what) },
            tags: if tagged { vec![("of".to_owned(), dimension(what))] } else { Vec::new() },
        }
    }

    fn place(&self) -> Place {
        Place::sqlite(&self.folder.path().join("p.ledger.db"))
    }

    fn identity(&self) -> Identity {
        Identity::of(&self.pipeline, Some(day(0)))
    }

    fn state(&self) -> State {
        Ledger::state_of(&self.place(), &self.identity()).unwrap()
    }

    fn next_run(&mut self) -> String {
        self.runs += 1;
        format!("r{:04}", self.runs)
    }

    pub(super) fn makes(&mut self, step: &Move) {
        match step {
            Move::Put(object, records) => self.bucket.put(*object, records.clone()),
            Move::Remove(object) => self.bucket.remove(*object),
            Move::Copy(from, to) => self.bucket.copy(*from, *to),
            Move::Run(run) => self.run(run),
            Move::Decide(which, word) => self.decide(usize::from(*which), *word),
            Move::Reopen(number) => self.reopen(*number),
            Move::Say => self.say(),
        }
        self.check_the_books();
        self.check_the_calls();
    }

    fn run(&mut self, run: &Run) {
        own_time::pass(Duration::from_secs(3600) * u32::from(run.after));
        self.books.borrow_mut().faults = run.faults.clone().into();
        let name = self.next_run();
        let before = self.state();
        on_this_thread::end_after(run.crash);
        let ended = catch_unwind(AssertUnwindSafe(|| self.works_through(&name)));
        on_this_thread::end_after(None);
        let crashed = ended.is_err();
        if let Err(panic) = ended {
            panic.downcast::<Crashed>().map_or_else(|panic| resume_unwind(panic), drop);
        }
        self.check_what_is_frozen(&before);
        if !crashed {
            self.books.borrow_mut().faults.clear();
        }
    }

    /// A run, from the windows that are due to what is settled.
    fn works_through(&self, run: &str) {
        let mut ledger = Ledger::open(&self.place(), &self.identity(), &Claim::at_once(run)).unwrap();
        let now = clock::now();
        let (pipeline, complete) = (&self.pipeline, &Complete::Unsaid);
        let due = due(pipeline, ledger.state(), now, None, complete);
        let mut windows = due.open.clone();
        windows.extend(due.settled.iter().filter(|window| {
            let is_other = ledger.state().inputs(window).unwrap_or_default() != self.inputs(window);
            is_other || has_holds(pipeline, ledger.state(), window)
        }));
        windows.sort();
        let intent = Entry::Run {
            now: now.as_millisecond(),
            config: "c".to_owned(),
            plugins: Vec::new(),
            windows: windows.clone(),
            sinks: vec![SINK.to_owned()],
        };
        ledger.append(vec![intent]).unwrap();
        let terms = [Terms { traits: &self.traits, zeros: Zeros::Skip }];
        let ground = Ground {
            pipeline,
            terms: &terms,
            checks: &Agrees,
            plugins: &[],
            complete,
            now,
            window: None,
            last: None,
            queue: None,
        };
        let mut findings = Findings::default();
        let state = ledger.state().clone();
        let mut works = Works::on(&ground, &state);
        for window in &windows {
            works.take(window, self.read_day(window), &mut findings);
        }
        let Finished { works, mut entries, .. } = works.finish(&mut findings).unwrap_or_else(|open| panic!("{open}"));
        self.check_what_is_to_be_frozen(&works, &state);
        entries.extend(works.iter().filter_map(|work| kept_back(pipeline, &state, work, None)));
        entries.extend(frozen(pipeline, &state, &works, None));
        ledger.append(entries).unwrap();
        let mut ledger = delivered(&self.books, (SINK, &self.traits), TAKES * 3, ledger);
        settle(pipeline, &mut ledger, &works, &Default::default()).unwrap();
        self.check_the_sums(&works, ledger.state(), run);
        ledger.close().unwrap();
    }

    fn inputs(&self, window: &Window) -> Vec<crate::ledger::InputSeen> {
        if number(window) < DAYS { self.bucket.inputs(number(window)) } else { Vec::new() }
    }

    fn read_day(&self, window: &Window) -> crate::pipeline::gathered::Reading {
        if number(window) < DAYS { self.bucket.read(number(window)) } else { Default::default() }
    }

    fn truth(&self, window: &Window) -> Truth {
        if number(window) < DAYS { self.bucket.truth(number(window)) } else { Truth::default() }
    }

    /// What is to be frozen is what the model says that is owed, to the last bit, and nothing that is in doubt or above the guard's measure.
    fn check_what_is_to_be_frozen(&self, works: &[Work], state: &State) {
        for work in works {
            self.check_that_slots_are_whole(work, state);
            let truth = self.truth(&work.window);
            for proposal in &work.assessment.proposals {
                let of = numbers(&proposal.key);
                let id = proposal.key.id();
                let own = proposal.own().unwrap();
                let word = state.decided(SINK, &work.window, &id).filter(|(then, _)| *then == own);
                let is_released = word.is_some_and(|(_, word)| word.decision == crate::ledger::Decision::Release);
                if work.is_read {
                    assert_eq!(own, truth.owed.get(&of).copied().unwrap_or_default(), "{of:?} of {}", work.window);
                    let is_doubted = truth.doubted.contains(&of) && !own.is_zero();
                    assert!(!is_doubted || is_released, "what is in doubt is frozen: {of:?} of {}", work.window);
                }
                let most = Decimal::parse("40").unwrap();
                let carried = proposal.carried().unwrap();
                let is_far = self.guarded && (own > most || !carried.is_zero() && proposal.exact > most);
                let may_be = is_released || self.all_released(proposal, state);
                assert!(!is_far || may_be, "what is above the guard's measure is frozen: {of:?} of {}", work.window);
            }
        }
    }

    /// Of what makes one record, nothing is held while something else is frozen; and nothing was frozen before.
    fn check_that_slots_are_whole(&self, work: &Work, state: &State) {
        for proposal in work.assessment.proposals.iter().filter(|it| self.traits.joins_tags && !it.unsent) {
            let of = (&proposal.key, &work.window);
            let mut beside = state.beside(&proposal.key);
            assert!(!beside.any(|other| other.takes_slot()), "{of:?} comes too late for its record");
            let own = work.assessment.lines.iter().filter(|line| line.key.slot() == proposal.key.slot());
            // More usage of what came to nothing was never to be part of it.
            let held = own.filter(|line| line.held.is_some() && state.charge(&line.key.id()).is_none()).count();
            assert_eq!(held, 0, "{of:?} is frozen, and something else of its record is held");
        }
    }

    /// What a charge is offered with stays as it is: nothing comes into a record later.
    fn check_the_calls(&self) {
        let mut records: BTreeMap<(String, (i64, i64)), HashSet<String>> = BTreeMap::new();
        for call in self.books.borrow().calls.iter().filter(|_| self.traits.joins_tags) {
            let mut own: BTreeMap<(String, (i64, i64)), HashSet<String>> = BTreeMap::new();
            for offer in call {
                own.entry((offer.customer.clone(), offer.window)).or_default().insert(offer.id.clone());
            }
            for (place, ids) in own {
                let before = records.entry(place).or_insert_with(|| ids.clone());
                assert!(ids.is_subset(before), "{ids:?} are offered where {before:?} were offered alone");
            }
        }
    }

    /// What of a window's usage is frozen, with its own charge or without one.
    fn frozen_of(&self, state: &State, id: &ChargeId) -> Option<Decimal> {
        let elsewhere = state.frozen_elsewhere(id).filter(|frozen| !frozen.is_zero());
        state.frozen_of(id).or(elsewhere)
    }

    /// Whether a person released all that a charge carries, as it came to then.
    fn all_released(&self, proposal: &crate::model::charge::Proposal, state: &State) -> bool {
        !proposal.carried.is_empty()
            && proposal.carried.iter().all(|carried| {
                let id = Key { window: carried.window, ..proposal.key.clone() }.id();
                let word = state.decided(SINK, &carried.window, &id);
                word.is_some_and(|(_, word)| word.decision == crate::ledger::Decision::Release)
            })
    }

    /// The closing sum, in items and in quantities, against the model.
    fn check_the_sums(&self, works: &[Work], state: &State, run: &str) {
        for work in works {
            let truth = self.truth(&work.window);
            let assessment = &work.assessment;
            let stand = |line| {
                let line: &crate::pipeline::charges::Assessed = line;
                let charge = line.id.and_then(|id| state.charge(&id));
                let (state, ..) = stands(line, charge, Some(run), false, false);
                Stand { line, charge, state }
            };
            let stands: Vec<Stand<'_>> = assessment.lines.iter().map(stand).collect();
            let sums = quantities(assessment, &stands);
            for sum in &sums {
                assert!(sum.closes(), "{}: {sum:?}", work.window);
            }
            if !work.is_read {
                continue;
            }
            let items = items(assessment, &stands);
            assert!(items.closes(), "{}: {items:?}", work.window);
            assert_eq!(items.read, truth.records, "{}: {items:?}", work.window);
            if self.traits.joins_tags {
                let owed = truth.owed.values().fold(Decimal::ZERO, |sum, owed| sum.checked_add(*owed).unwrap());
                let used = sums.iter().find(|sum| sum.dimension == ALL).map_or(Decimal::ZERO, |sum| sum.used);
                assert_eq!(used, owed, "of {}", work.window);
                continue;
            }
            for what in 0..2 {
                let of = truth.owed.iter().filter(|((_, dimension), _)| *dimension == what);
                let owed = of.fold(Decimal::ZERO, |sum, (_, owed)| sum.checked_add(*owed).unwrap());
                let sum = sums.iter().find(|sum| sum.dimension == dimension(what));
                assert_eq!(sum.map_or(Decimal::ZERO, |sum| sum.used), owed, "{} of {}", dimension(what), work.window);
            }
        }
    }

    /// What became frozen in a run is what usage came to when it was read last; and it is frozen once, wherever it is billed.
    fn check_what_is_frozen(&mut self, before: &State) {
        let state = self.state();
        let mut lanes: BTreeMap<Of, (Decimal, Decimal)> = BTreeMap::new();
        for (_, window, _) in state.windows() {
            let truth = self.truth(window);
            for who in 0..2 {
                for what in 0..2 {
                    let of = (who, what);
                    let id = self.key(*window, of).id();
                    let (then, now) = (self.frozen_of(before, &id), self.frozen_of(&state, &id));
                    let owed = truth.owed.get(&of).copied().unwrap_or_default();
                    let place = (number(window), of);
                    if then != now {
                        let was = self.read.get(&place).copied();
                        let now = now.unwrap();
                        // Found by this run, or by an earlier one and carried by this.
                        let alone = now.is_zero();
                        assert!(
                            now == owed || Some(now) == was || alone,
                            "{of:?} of {window}: {now} is frozen, and {owed} is owed"
                        );
                    }
                    if state.inputs(window).unwrap_or_default() == self.inputs(window) {
                        self.read.insert(place, owed);
                    }
                    let Some(now) = now else { continue };
                    let (exact, frozen) = lanes.entry(of).or_default();
                    if let Some(charge) = state.charge(&id) {
                        *exact = exact.checked_add(charge.charge().exact()).unwrap();
                    }
                    let by_charges = now.checked_sub(state.more_by_hand(&id)).unwrap();
                    *frozen = frozen.checked_add(by_charges).unwrap();
                }
            }
        }
        for (of, (exact, frozen)) in lanes {
            assert_eq!(exact, frozen, "what {of:?} was frozen for is not what its charges come to");
        }
        for (who, what) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            self.check_the_remainder(&state, (who, what));
        }
    }

    /// What rounding took is left over, and nothing else is.
    fn check_the_remainder(&self, state: &State, of: Of) {
        let charges = state.windows().filter_map(|(_, window, _)| state.charge(&self.key(*window, of).id()));
        let mut left = Decimal::ZERO;
        for charge in charges.map(|charge| charge.charge()).filter(|charge| charge.remainder().is_some()) {
            left = left.checked_add(charge.exact()).unwrap().checked_sub(charge.quantity()).unwrap();
        }
        assert_eq!(state.remainder(&self.key(day(0), of).lane()), left, "of {of:?}");
    }

    /// The service has each charge once, with the quantity that the ledger has.
    fn check_the_books(&self) {
        if !self.folder.path().join("p.ledger.db").exists() {
            return;
        }
        let state = self.state();
        let mut books = self.books.borrow_mut();
        books.catch_up();
        let mut seen: HashSet<&str> = HashSet::new();
        for record in &books.records {
            assert!(seen.insert(&record.id), "{} is billed twice", record.id);
            let id: ChargeId = record.id.parse().unwrap();
            let charge = state.charge(&id).unwrap();
            assert_eq!(charge.charge().quantity(), record.quantity);
            assert!(!charge.charge().quantity().is_zero() || charge.charge().exact().is_zero(), "a zero is sent");
        }
    }

    /// A person speaks of one of the things that are kept back.
    fn decide(&mut self, which: usize, word: Word) {
        if !self.folder.path().join("p.ledger.db").exists() {
            return;
        }
        let state = self.state();
        let all: Vec<ChargeId> =
            state.windows().flat_map(|(_, _, known)| known.kept.iter().map(|kept| kept.id)).collect();
        let Some(id) = all.get(which % all.len().max(1)) else { return };
        let target = Target { charge: Some(id.to_string().parse().unwrap()), ..Target::default() };
        self.says(&target, word);
    }

    /// Answers whether it could be said.
    fn says(&mut self, target: &Target, word: Word) -> bool {
        let said = match word {
            Word::Release => Said::Release,
            Word::Billed => Said::Billed,
            Word::Waive => Said::Waive,
        };
        let run = self.next_run();
        match Deciding::of(&self.state(), target, said, clock::now()) {
            Ok(deciding) => {
                let claim = Claim::at_once(&run);
                let words = ("so".to_owned(), None);
                deciding.write(&self.place(), &self.identity(), &claim, (target, said), words).unwrap().unwrap();
                true
            }
            Err(NotToDecide::Nothing(_) | NotToDecide::NoneOfThem(_) | NotToDecide::Several(..)) => false,
            Err(NotToDecide::Changed) => panic!("nobody else writes"),
        }
    }

    fn reopen(&mut self, number: u8) {
        let window = day(number);
        if !self.folder.path().join("p.ledger.db").exists() || !self.state().is_settled(SINK, &window) {
            return;
        }
        let run = self.next_run();
        let mut ledger = Ledger::open(&self.place(), &self.identity(), &Claim::at_once(&run)).unwrap();
        let (sinks, reason) = (vec![SINK.to_owned()], "so".to_owned());
        ledger.append(vec![Entry::Reopened { sinks, window, reason, by: None }]).unwrap();
        ledger.close().unwrap();
    }

    /// A person who looks into the books, and tells the truth.
    fn say(&mut self) {
        if !self.folder.path().join("p.ledger.db").exists() {
            return;
        }
        let run = self.next_run();
        let ledger = Ledger::open(&self.place(), &self.identity(), &Claim::at_once(&run)).unwrap();
        let open: Vec<_> = ledger.state().open_charges(SINK).into_iter().cloned().collect();
        drop(ledger);
        for of in open {
            self.books.borrow_mut().catch_up();
            let is_billed = !self.books.borrow().ours(&of.charge().id().to_string()).is_empty();
            let verdict = if is_billed { Verdict::Billed } else { Verdict::NotBilled };
            if of.can_be_resolved(verdict, clock::now()).is_ok() {
                let statement = Statement { of, verdict, reason: "seen".to_owned(), by: None };
                statement.write(&self.place(), &self.identity(), &Claim::at_once(&run)).unwrap().unwrap();
            }
        }
    }

    /// Nothing goes wrong any more: a few runs, and a person who sees to whatever is kept back, bring everything to its end.
    pub(super) fn ends(&mut self) {
        let run = Run { after: 25, faults: Vec::new(), crash: None };
        // What can be released is; what is left is given up.
        for word in [Word::Release, Word::Release, Word::Release, Word::Waive, Word::Waive, Word::Waive] {
            self.makes(&Move::Run(run.clone()));
            let windows: Vec<Window> = self.state().windows().map(|(_, window, _)| *window).collect();
            for window in windows {
                self.says(&Target { window: Some(window), ..Target::default() }, word);
            }
        }
        self.makes(&Move::Run(run));
        let state = self.state();
        for number in 0..DAYS {
            let (window, truth) = (day(number), self.bucket.truth(number));
            let known = state.window(SINK, &window).unwrap();
            assert!(known.settled && known.holds.is_empty(), "{window} is open for ever: {known:?}");
            assert!(known.late.is_empty(), "late usage of {window} waits for ever");
            for who in 0..2 {
                for what in 0..2 {
                    let of = (who, what);
                    let id = self.key(window, of).id();
                    let owed = truth.owed.get(&of).copied().unwrap_or_default();
                    let frozen = self.frozen_of(&state, &id).unwrap_or_default();
                    let word = state.decided(SINK, &window, &id).filter(|(then, _)| *then == owed);
                    assert!(frozen == owed || word.is_some(), "{of:?} of {window}: {frozen} is frozen, {owed} is owed");
                }
            }
        }
        assert!(state.open_charges(SINK).is_empty(), "a charge is open for ever");
    }
}

fn numbers(key: &Key) -> Of {
    let number = |name: &str| name[1..].parse().unwrap();
    (number(&key.customer), number(key.tags.first().map_or(&key.dimension, |(_, value)| value)))
}
