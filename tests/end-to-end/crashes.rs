//! A process that ends as `kill -9` ends it, at each place where it can: the next run bills each charge exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use clazar_emulator::Fault;

use crate::support::{Backend, Stage, bill, settings};

/// A kind of ledger.
pub type Kind = fn() -> Backend;

/// What comes after the run that was killed; it names the place where that was.
type After = fn(&mut Stage, &str);

/// So many stories go on side by side.
const SIDE_BY_SIDE: usize = 3;

/// A run that is killed at each of its places.
pub struct Story {
    /// All up to that run.
    pub before: fn(Backend) -> Stage,
    pub arguments: &'static [&'static str],
    /// The ways in which it can go on: with `METERHOST_LONG` each place goes on in each of them, else they take turns.
    pub after: &'static [After],
}

impl Story {
    /// The places that the run passes, in their order.
    fn passed(&self, kind: Kind) -> Vec<String> {
        let stage = (self.before)(kind());
        let log = stage.path("places.txt");
        stage.command("run", self.arguments, &[("METERHOST_FAILPOINTS", log.to_str().unwrap())]).expect(0);
        std::fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect()
    }

    /// Each place once.
    fn places(&self, kind: Kind) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.passed(kind).into_iter().filter(|name| seen.insert(name.clone())).collect()
    }

    /// Each place as often as it is passed, with the number of the time.
    fn passes(&self, kind: Kind) -> Vec<String> {
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        let pass = |name: String| {
            let time = times.entry(name.clone()).or_default();
            *time += 1;
            format!("{name}#{time}")
        };
        self.passed(kind).into_iter().map(pass).collect()
    }

    fn crash_at(&self, kind: Kind, place: &str, after: After) {
        let mut stage = (self.before)(kind());
        let crashed = stage.command("run", self.arguments, &[("METERHOST_FAILPOINT", place)]);
        assert_eq!(crashed.exit, -1, "{place}: {crashed:?}");
        assert_eq!(stage.emulator.resent(), [], "{place}");
        after(&mut stage, place);
    }

    /// Kills it at each of its places, which depend on the kind of the ledger: kinds take turns, as ways to go on do.
    pub fn crash_at_all(&self, kinds: &[Kind]) {
        let mut places: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
        for kind in kinds {
            let passed = if is_long() { self.passes(*kind) } else { self.places(*kind) };
            passed.into_iter().for_each(|place| places.entry(place).or_default().push(*kind));
        }
        let mut kills: Vec<(Kind, &str, After)> = Vec::new();
        for (turn, (place, kinds)) in places.iter().enumerate() {
            let each =
                self.after.iter().flat_map(|after| kinds.iter().map(move |kind| (*kind, place.as_str(), *after)));
            let count = if is_long() { usize::MAX } else { 1 };
            kills.extend(each.cycle().skip(turn).take(count.min(self.after.len() * kinds.len())));
        }
        let count = kills.len();
        side_by_side(kills, |(kind, place, after)| self.crash_at(kind, place, after));
        println!("counted: {} places, {count} kills", places.len());
    }
}

/// Does some of these at once.
pub fn side_by_side<T: Send>(all: Vec<T>, each: impl Fn(T) + Sync) {
    let all = Mutex::new(all);
    let next = || all.lock().unwrap().pop();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(one) = next() {
                    each(one);
                }
            });
        }
    });
}

pub fn is_long() -> bool {
    std::env::var_os("METERHOST_LONG").is_some()
}

/// A month with a state document, whose first call gets no answer though it took effect: it is looked up before anything else leaves.
const MONTH: Story = Story {
    before: |ledger| {
        let stage = Stage::on(ledger, settings());
        stage.replace("grace  = \"30m\"", "grace  = \"30m\"\nmirror = \"file://./state.json\"");
        stage.replace("cloud = \"aws\"", "cloud = \"aws\", charges_per_call = 2");
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]);
        stage.emulator.push_fault(Fault::drop_after_commit().times(1));
        stage
    },
    arguments: &[],
    after: &[|stage, place| {
        let ended = stage.run();
        assert_eq!(ended.exit, 0, "{place}: {ended:?}");
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3"), ("C", "cpu", "5")]), "{place}");
        let submissions = stage.submissions();
        stage.run().expect(0);
        assert_eq!(stage.submissions(), submissions, "{place}");
    }],
};

#[test]
fn a_crash_at_any_place_bills_once() {
    MONTH.crash_at_all(&[|| Backend::Sqlite]);
}

#[test]
fn a_crash_at_any_place_bills_once_with_a_ledger_on_s3() {
    MONTH.crash_at_all(&[Backend::s3]);
}

#[test]
fn every_place_in_the_sources_is_passed_by_those_runs_or_by_other_tests() {
    let of_files = MONTH.places(|| Backend::Sqlite).into_iter().chain(MONTH.places(Backend::s3));
    let passed: BTreeSet<String> = of_files
        .chain(crate::market_crashes::passed_by_a_queue())
        .chain(crate::sets_crashes::passed_by_sets())
        .collect();
    let mut named = BTreeSet::new();
    named_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut named);
    assert!(named.len() > 15, "{named:?}");
    let missing: Vec<&String> = named.iter().filter(|name| !passed.contains(*name)).collect();
    assert!(missing.is_empty(), "no crash is tested at {missing:?}, only at {passed:?}");
}

/// The names of places that stand in the sources below a folder as they are.
fn named_in(folder: &Path, named: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            named_in(&entry.path(), named);
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let names = text.split("failpoint(\"").skip(1).filter_map(|rest| rest.split_once("\")"));
        named.extend(names.map(|(name, _)| name.to_owned()));
    }
}
