//! The world of a history: the real ledger on a file, the real delivery, the simulated service, and the model beside them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use meterhost_decimal::Decimal;

use super::model::{Model, TAKES};
use super::service::{Books, delivered};
use super::{Move, Run, Story};
use crate::clock::{self, own_time};
use crate::failpoint::on_this_thread::{self, Ended as Crashed};
use crate::ledger::{Accepting, Claim, Entry, Identity, Ledger, Place, State, Statement, Verdict};
use crate::model::charge::{ChargeId, Key, Proposal};
use crate::model::service::{Resolution, ServiceTraits, Together, Zero};
use crate::model::window::{Window, WindowKind};

const SINK: &str = "s";

fn day(number: u8) -> Window {
    Window::parse(WindowKind::Day, &format!("2025-06-{:02}", number + 1)).unwrap()
}

/// The world of a history.
pub(super) struct World {
    folder: tempfile::TempDir,
    traits: ServiceTraits,
    pub(super) books: Rc<RefCell<Books>>,
    owed: Vec<Proposal>,
    pub(super) model: Model,
    /// The ledger before each run, and what was known then.
    copies: Vec<(Vec<u8>, Model)>,
    runs: u32,
    /// A run that sleeps: since when, what it was about to send, and when it wakes up.
    asleep: Option<(Timestamp, Vec<ChargeId>, u8)>,
    /// Charges that were in the books when the ledger, or its end, was lost, and how often.
    billed_before: BTreeMap<ChargeId, usize>,
}

impl World {
    pub(super) fn new(story: &Story, resolution: Resolution) -> World {
        let traits = ServiceTraits {
            charges_per_call: story.charges_per_call,
            bytes_per_call: 100_000,
            bytes_per_charge: 10,
            together: Together::default(),
            rate: None,
            scale: 0,
            minimum: Decimal::parse("0").unwrap(),
            maximum: Decimal::parse("1000").unwrap(),
            windows: Vec::new(),
            zero: Zero::Charge,
            resolution,
            refuses_second: story.refuses_second,
            joins_tags: story.joins_tags,
            deadline: TAKES,
        };
        let tells = match resolution {
            Resolution::LookUp => true,
            Resolution::Replay => story.tells,
            Resolution::Ask => false,
        };
        own_time::begin(day(0).start() + Duration::from_secs(3600));
        let shm = Path::new("/dev/shm");
        let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
        World {
            folder: folder.unwrap(),
            books: Rc::new(RefCell::new(Books::new(&traits, tells))),
            model: Model::new(&traits),
            traits,
            owed: story
                .owed
                .iter()
                .enumerate()
                .map(|(number, owed)| {
                    let mut proposal = proposal(*owed, number);
                    if story.joins_tags {
                        let dimension = std::mem::replace(&mut proposal.key.dimension, "d".to_owned());
                        proposal.key.tags.push(("of".to_owned(), dimension));
                    }
                    proposal
                })
                .collect(),
            copies: Vec::new(),
            runs: 0,
            asleep: None,
            billed_before: BTreeMap::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("p.ledger.db")
    }

    fn place(&self) -> Place {
        Place::sqlite(&self.path())
    }

    pub(super) fn makes(&mut self, step: &Move) {
        match step {
            Move::Run(run) => self.run(run),
            Move::Say => self.say(),
            Move::Displace(number) => {
                if let Some(proposal) = self.owed.get(usize::from(*number)) {
                    self.books.borrow_mut().displace(&proposal.key.id().to_string(), Decimal::parse("7").unwrap());
                }
            }
            Move::LoseEnd(runs) => self.lose_end(usize::from(*runs)),
            Move::LoseLedger => self.lose_ledger(),
        }
        self.compare();
        self.check_the_truth();
    }

    fn next_run(&mut self) -> String {
        self.runs += 1;
        format!("r{:04}", self.runs)
    }

    fn open(&mut self, run: &str) -> Ledger {
        let identity = identity();
        let mut ledger = Ledger::open(&self.place(), &identity, &Claim::at_once(run)).unwrap();
        if let Some((since, ids, percent)) = self.asleep.take() {
            // As it is written where a lease was taken over.
            ledger.append(vec![Entry::Superseded { holder: "another".to_owned() }]).unwrap();
            let until = clock::now() + TAKES;
            let at = since + until.duration_since(since).unsigned_abs() * u32::from(percent) / 100;
            self.wake_up(at, &ids);
        }
        ledger
    }

    fn wake_up(&self, at: Timestamp, ids: &[ChargeId]) {
        for proposal in &self.owed {
            let id = proposal.key.id();
            if ids.contains(&id) {
                self.books.borrow_mut().arrives(at, proposal.offer(id));
            }
        }
    }

    fn run(&mut self, run: &Run) {
        own_time::pass(Duration::from_secs(60) * u32::from(run.after));
        if self.path().exists() {
            self.copies.push((std::fs::read(self.path()).unwrap(), self.model.clone()));
        }
        {
            let mut books = self.books.borrow_mut();
            books.faults = run.faults.clone().into();
            books.blind = run.blind.clone().into();
        }
        let name = self.next_run();
        on_this_thread::end_after(run.crash);
        let ended = catch_unwind(AssertUnwindSafe(|| self.deliver(&name, run.is_patient)));
        on_this_thread::end_after(None);
        if let Err(panic) = ended {
            let Crashed(place) = *panic.downcast::<Crashed>().unwrap_or_else(|panic| resume_unwind(panic));
            if let (Some(percent), "submit") = (run.wakes, place.as_str()) {
                self.asleep = Some((clock::now(), Vec::new(), percent));
            }
        }
        let last = self.follow();
        if let (Some((_, ids, _)), Some(Entry::Attempt { charges, .. })) = (&mut self.asleep, last)
            && ids.is_empty()
        {
            *ids = charges;
        }
    }

    /// A run: what is due is frozen, what is open is delivered, what is done is settled.
    fn deliver(&mut self, run: &str, is_patient: bool) {
        let mut ledger = self.open(run);
        let due: Vec<Window> = (0..3).map(day).filter(|window| window.end() <= clock::now()).collect();
        ledger.append(vec![intent(&due)]).unwrap();
        let state = ledger.state();
        let new =
            self.owed.iter().filter(|owed| due.contains(&owed.key.window) && state.charge_for(&owed.key).is_none());
        let new: Vec<Entry> = new.cloned().map(Entry::freeze).collect();
        if !new.is_empty() {
            ledger.append(new).unwrap();
        }
        let retry_budget = if is_patient { TAKES * 3 } else { Duration::ZERO };
        let mut ledger = delivered(&self.books, (SINK, &self.traits), retry_budget, ledger);
        let state = ledger.state();
        let done = due.into_iter().filter(|window| {
            !state.is_settled(SINK, window) && state.charges_of(SINK, window).iter().all(|charge| charge.is_final())
        });
        let done: Vec<Entry> = done.map(|window| Entry::Settled { sink: SINK.to_owned(), window }).collect();
        if !done.is_empty() {
            ledger.append(done).unwrap();
        }
        ledger.close().unwrap();
    }

    /// A person who looks into the books, and tells the truth.
    fn say(&mut self) {
        if !self.path().exists() {
            return;
        }
        let run = self.next_run();
        let ledger = self.open(&run);
        let open: Vec<_> = ledger.state().open_charges(SINK).into_iter().cloned().collect();
        drop(ledger);
        for of in open {
            self.books.borrow_mut().catch_up();
            let is_billed = !self.books.borrow().ours(&of.charge().id().to_string()).is_empty();
            let verdict = if is_billed { Verdict::Billed } else { Verdict::NotBilled };
            if of.can_be_resolved(verdict, clock::now()).is_ok() {
                let statement = Statement { of, verdict, reason: "seen".to_owned(), by: None };
                statement.write(&self.place(), &identity(), &Claim::at_once(&run)).unwrap().unwrap();
            }
        }
        self.follow();
    }

    /// Whoever takes a ledger away or puts an older one in its place makes sure that no run is at it, and takes longer than a call may.
    fn nothing_is_under_way(&mut self) {
        if let Some((_, ids, _)) = self.asleep.take() {
            self.wake_up(clock::now(), &ids);
        }
        own_time::pass(TAKES);
        self.books.borrow_mut().catch_up();
    }

    fn remember_what_is_billed(&mut self) {
        self.nothing_is_under_way();
        for proposal in &self.owed {
            let id = proposal.key.id();
            let billed = self.books.borrow().ours(&id.to_string()).len();
            if billed > 0 {
                self.billed_before.insert(id, billed);
            }
        }
    }

    /// How often a charge may be in the books. Once; but a ledger that does not know what was billed before it looks each charge up, *where
    /// the sink can* (design, 4.13). Where it cannot, and the service takes a second record, such a charge may be billed once more.
    fn most(&self, id: &ChargeId) -> usize {
        let is_exposed = self.traits.resolution == Resolution::Ask && !self.traits.refuses_second;
        self.billed_before.get(id).filter(|_| is_exposed).map_or(1, |billed| billed + 1)
    }

    /// Whether a service may refuse what it has: the charge was offered though it is there, which does no harm to such a service, or
    /// nobody could know.
    fn may_refuse_what_it_has(&self, id: &ChargeId) -> bool {
        let asks_first = self.traits.resolution == Resolution::LookUp && !self.traits.refuses_second;
        !asks_first && self.billed_before.contains_key(id)
    }

    fn lose_end(&mut self, runs: usize) {
        let Some(at) = self.copies.len().checked_sub(runs + 1) else { return };
        self.nothing_is_under_way();
        let (bytes, model) = self.copies.swap_remove(at);
        self.copies.truncate(at);
        std::fs::write(self.path(), bytes).unwrap();
        self.model = model;
        self.books.borrow_mut().wire.clear();
        let place = self.place();
        // Nothing was written since, or no more than a crash can leave behind.
        if let Ok(accepting) = Accepting::of(&place, place.verify().unwrap()) {
            let run = self.next_run();
            // Where no entry is left, the next run begins another ledger.
            if accepting.accept(&Claim::at_once(&run)).unwrap().is_none() {
                self.remember_what_is_billed();
            }
        }
        self.follow();
    }

    fn lose_ledger(&mut self) {
        self.remember_what_is_billed();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        self.copies.clear();
        self.model = Model::new(&self.traits);
    }

    /// Shows the model each entry that is new, and compares what the ledger makes of it. Answers the last one.
    fn follow(&mut self) -> Option<Entry> {
        let mut wire = std::mem::take(&mut self.books.borrow_mut().wire);
        let place = self.place();
        let model = RefCell::new(&mut self.model);
        let (_, last) = Ledger::follow(
            &place,
            &identity(),
            || None,
            |last, state, record| {
                let mut model = model.borrow_mut();
                if record.number > model.entries {
                    model.see(record, &mut wire);
                    compare(&model, state);
                }
                *last = Some(record.entry.clone());
            },
        )
        .unwrap();
        last
    }

    fn compare(&self) {
        if self.path().exists() {
            compare(&self.model, &Ledger::state_of(&self.place(), &identity()).unwrap());
        }
    }

    /// What the ledger knows, against the service's books and what is in the air.
    fn check_the_truth(&self) {
        let mut books = self.books.borrow_mut();
        books.catch_up();
        for proposal in &self.owed {
            let id = proposal.key.id();
            let (ours, in_the_air) = (books.ours(&id.to_string()), books.is_in_the_air(&id.to_string()));
            assert!(ours.len() <= self.most(&id), "{id} is billed {} times", ours.len());
            assert!(ours.iter().all(|record| record.quantity == proposal.quantity), "{id} has another quantity");
            let Some((_, known)) = self.model.charges().find(|(known, _)| **known == id) else { continue };
            match known.word() {
                "accepted" | "by hand" => assert!(!ours.is_empty(), "what is final is not in the books"),
                // A look-up comes first.
                "pending" if known.may_have_come() => {}
                "rejected" if known.may_have_come() && self.traits.resolution == Resolution::LookUp => {}
                "rejected" if self.may_refuse_what_it_has(&id) => {}
                word @ ("pending" | "rejected") => {
                    assert!(ours.is_empty(), "what is {word} is in the books");
                    assert!(!in_the_air, "what is {word} may arrive yet");
                }
                _ => {}
            }
        }
    }

    /// Nothing goes wrong any more: a few runs, and a person where nothing else can tell, bring everything to its end.
    pub(super) fn ends(&mut self) {
        let run =
            Run { after: 3000, faults: Vec::new(), blind: Vec::new(), crash: None, wakes: None, is_patient: true };
        self.books.borrow_mut().records.retain(|record| record.is_ours);
        for _ in 0..4 {
            self.makes(&Move::Run(run.clone()));
            if !self.books.borrow().tells() {
                self.makes(&Move::Say);
            }
        }
        own_time::pass(TAKES);
        self.check_the_truth();
        for proposal in &self.owed {
            let id = proposal.key.id();
            let (_, known) = self.model.charges().find(|(known, _)| **known == id).unwrap();
            match known.is_refused_for_good() {
                true => {
                    let is_billed = !self.books.borrow().ours(&id.to_string()).is_empty();
                    assert!(!is_billed || self.may_refuse_what_it_has(&id), "{id} is billed, and refused for ever");
                }
                false => {
                    assert!(["accepted", "by hand"].contains(&known.word()), "{id} is {} for ever", known.word());
                }
            }
        }
    }
}

fn compare(model: &Model, state: &State) {
    for (id, known) in model.charges() {
        let state = state.charge(id).unwrap();
        let found = (state.standing().word(), state.last_over(), state.may_be_sent_before());
        let is_suspected = known.is_suspected() && known.word() == "pending";
        assert_eq!(found, (known.word(), known.arrives_until(), is_suspected), "of {id}: {state:?}, {known:?}");
    }
}

fn identity() -> Identity {
    Identity {
        pipeline: "p".to_owned(),
        window: WindowKind::Day,
        first: None,
        sinks: vec![SINK.to_owned()],
        publishing: Vec::new(),
        aggregates: vec!["rules".to_owned()],
        now: Some(clock::now().as_millisecond()),
        plugins: Vec::new(),
    }
}

fn intent(windows: &[Window]) -> Entry {
    Entry::Run {
        now: clock::now().as_millisecond(),
        config: "c".to_owned(),
        plugins: Vec::new(),
        windows: windows.to_vec(),
        sinks: vec![SINK.to_owned()],
    }
}

fn proposal((number, customer, dimension): (u8, u8, u8), quantity: usize) -> Proposal {
    let quantity = Decimal::parse(&(10 + quantity).to_string()).unwrap();
    let window = day(number);
    Proposal {
        key: Key {
            pipeline: "p".to_owned(),
            sink: SINK.to_owned(),
            window,
            product: String::new(),
            customer: format!("c{customer}"),
            dimension: format!("d{dimension}"),
            tags: Vec::new(),
        },
        carried: Vec::new(),
        remainder: None,
        unsent: false,
        until: None,
        exact: quantity,
        quantity,
        time: window.start().as_millisecond(),
        origins: Vec::new(),
        parts: Vec::new(),
        attributes: Vec::new(),
        aggregator: "rules".to_owned(),
    }
}
