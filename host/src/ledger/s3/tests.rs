//! What a ledger on S3 promises, over a real server and a proxy that fails on demand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use s3_proxy::{Act, Fault, Kind, Moto, Proxy, Store};
use tokio::runtime::Runtime;

use super::snapshot::SEGMENTS_EACH;
use crate::broker::{Broker, BrokerSettings};
use crate::config::LedgerLocation;
use crate::ledger::entry::Entry;
use crate::ledger::holder::Holder;
use crate::ledger::tests::{identity, intent, june, rows};
use crate::ledger::{Claim, Ledger, LedgerError, Place, State};
use crate::report::Exit;

/// A ledger's place in a bucket behind a proxy.
struct Stage {
    place: Place,
    proxy: Proxy,
    store: Store,
    bucket: String,
    _io: Runtime,
}

impl Stage {
    fn new(lease: &str) -> Stage {
        let store: Store = **Moto::shared();
        let (proxy, bucket) = (Proxy::start(&store), store.bucket());
        let io = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut settings = BrokerSettings::new(io.handle().clone());
        settings.deadline = Duration::from_secs(2);
        settings.buckets.backoff = Duration::from_millis(5);
        let env: HashMap<String, String> = [
            ("AWS_ENDPOINT_URL", proxy.url().as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        settings.env = Arc::new(move |name| env.get(name).cloned());
        let location = format!("s3://{bucket}/l?lease={lease}");
        let location = LedgerLocation::parse(&location, std::path::Path::new("")).unwrap();
        let place = Place::of(&location, &Broker::new(settings).unwrap()).unwrap();
        Stage { place, proxy, store, bucket, _io: io }
    }

    fn open(&self, run: &str) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.place, &identity(), &Claim::at_once(run))
    }

    fn read(&self) -> State {
        Ledger::state_of(&self.place, &identity()).unwrap()
    }

    fn fault(&self, kind: Kind, act: Act, key: &str) -> Fault {
        Fault::on(kind, act).key(&format!("l/{key}"))
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.store.get(&self.bucket, &format!("l/{key}"))
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        self.store.put(&self.bucket, &format!("l/{key}"), bytes);
    }

    fn delete(&self, key: &str) {
        self.store.delete(&self.bucket, &format!("l/{key}"));
    }

    /// The numbers of the segments.
    fn segments(&self) -> Vec<u64> {
        let keys = self.store.keys(&self.bucket).into_iter();
        keys.filter_map(|key| key.strip_prefix("l/segments/")?.parse().ok()).collect()
    }
}

/// An entry like any other.
fn run_entry() -> Entry {
    intent(&[june()])
}

const SEGMENT_2: &str = "segments/000000000002";

#[test]
fn what_was_written_is_there_after_reopening() {
    let stage = Stage::new("30s");
    assert!(!stage.place.exists().unwrap());
    let mut ledger = stage.open("r1").unwrap();
    ledger.append(vec![run_entry()]).unwrap();
    assert_eq!(&stage.read(), ledger.state());
    let (state, head) = (ledger.state().clone(), ledger.head());
    ledger.close().unwrap();
    let ledger = stage.open("r2").unwrap();
    assert_eq!((ledger.state(), ledger.head()), (&state, head));
    assert_eq!(stage.place.head().unwrap(), Some(head));
    assert_eq!(stage.segments(), [1, 2]);
}

#[test]
fn a_step_whose_answer_is_lost_or_unclear_is_written_once() {
    let conflict = || Act::error(409, "ConditionalRequestConflict", "at the same time");
    for (name, act, times) in [
        ("the answer is lost", Act::DropAnswer, 1),
        ("and again", Act::DropAnswer, 3),
        ("it never arrives", Act::Drop, 2),
        ("a conflict", conflict(), 2),
        ("an internal error", Act::internal_error(), 2),
        ("too many requests", Act::slow_down(), 2),
    ] {
        let stage = Stage::new("30s");
        let mut ledger = stage.open("r1").unwrap();
        stage.proxy.push_fault(stage.fault(Kind::Put, act.clone(), SEGMENT_2).times(times));
        stage.proxy.push_fault(stage.fault(Kind::Put, act, "head").times(times));
        ledger.append(vec![run_entry()]).unwrap_or_else(|error| panic!("{name}: {error}"));
        ledger.append(vec![run_entry()]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let head = ledger.head();
        ledger.close().unwrap();
        assert_eq!(stage.segments(), [1, 2, 3], "{name}");
        assert_eq!(stage.open("r2").unwrap().head(), head, "{name}");
    }
}

#[test]
fn a_step_that_cannot_be_written_ends_the_writing() {
    let stage = Stage::new("30s");
    let mut ledger = stage.open("r1").unwrap();
    stage.proxy.push_fault(stage.fault(Kind::Put, Act::access_denied(), SEGMENT_2).always());
    let error = ledger.append(vec![run_entry()]).unwrap_err();
    assert_eq!(error.exit(), Exit::Ledger);
    assert!(error.to_string().contains("cannot be written"), "{error}");
    stage.proxy.clear_faults();
    assert!(matches!(ledger.append(vec![run_entry()]), Err(LedgerError::Poisoned { .. })));
    drop(ledger);
    assert_eq!(stage.open("r2").unwrap().head().step, 1);
}

#[test]
fn who_was_overtaken_writes_nothing_more() {
    let stage = Stage::new("30s");
    let mut slow = stage.open("r1").unwrap();
    // Somebody takes the ledger away from it.
    crate::ledger::s3::unlock(objects(&stage)).unwrap();
    let mut fast = stage.open("r2").unwrap();
    assert_eq!(stage.segments(), [1, 2], "that it was taken over stands in the ledger before anything else happens");
    fast.append(vec![run_entry()]).unwrap();
    let error = slow.append(vec![run_entry()]).unwrap_err();
    assert!(matches!(error, LedgerError::Overtaken { .. } | LedgerError::Lost { .. }), "{error}");
    assert_eq!(error.exit(), Exit::Held);
    fast.append(vec![run_entry()]).unwrap();
    let head = fast.head();
    drop((slow, fast));
    assert_eq!(stage.open("r3").unwrap().head(), head);
}

fn objects(stage: &Stage) -> &super::Objects {
    match &stage.place.0 {
        crate::ledger::place::Kind::S3 { objects, .. } => objects,
        crate::ledger::place::Kind::Sqlite(_) => panic!("it is a file"),
    }
}

#[test]
fn a_second_run_gives_way_to_one_that_is_alive() {
    let stage = Stage::new("10s");
    let ledger = stage.open("r1").unwrap();
    let begun = Instant::now();
    let error = stage.open("r2").unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "its heartbeat is seen before its lease is over");
    let text = error.to_string();
    let expected = format!("another run holds the ledger s3://{}/l: process {} on ", stage.bucket, std::process::id());
    assert!(text.starts_with(&expected) && text.ends_with("Z (run r1)"), "{text}");
    assert_eq!(error.exit(), Exit::Held);
    assert!(stage.place.holder().unwrap().unwrap().contains("run r1"));
    drop(ledger);
    assert_eq!(stage.place.holder().unwrap(), None);
    let begun = Instant::now();
    stage.open("r2").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "it was given back");
}

/// The lease of a run on another machine, that is not heard of any more.
fn left_behind(stage: &Stage, lease: u64) {
    let mut note: serde_json::Value = serde_json::from_slice(&stage.get("lease").unwrap()).unwrap();
    let elsewhere = Holder { system: "another".to_owned(), ..Holder::this("r0") };
    note["holder"] = serde_json::to_value(elsewhere).unwrap();
    note["lease"] = lease.into();
    note.as_object_mut().unwrap().remove("free");
    stage.put("lease", note.to_string().as_bytes());
}

#[test]
fn one_that_is_not_heard_of_for_its_lease_is_superseded_and_not_before() {
    let stage = Stage::new("1s");
    drop(stage.open("r0").unwrap());
    // The longer of the two leases counts.
    for (lease, least) in [(1000, 1000), (2000, 2000), (500, 1000)] {
        left_behind(&stage, lease);
        let before = stage.segments().len();
        let begun = Instant::now();
        let ledger = stage.open("r1").unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(least), "{lease}: {:?}", begun.elapsed());
        assert_eq!(stage.segments().len(), before + 1);
        drop(ledger);
    }
    let kinds: Vec<String> = rows(&stage.place).into_iter().map(|row| row.kind).collect();
    assert_eq!(kinds, ["opened", "superseded", "superseded", "superseded"]);
}

#[test]
fn one_whose_process_is_gone_on_this_machine_is_superseded_at_once() {
    let stage = Stage::new("60s");
    drop(stage.open("r0").unwrap());
    let mut note: serde_json::Value = serde_json::from_slice(&stage.get("lease").unwrap()).unwrap();
    note.as_object_mut().unwrap().remove("free");
    note["holder"]["started"] = 1.into();
    stage.put("lease", note.to_string().as_bytes());
    let begun = Instant::now();
    stage.open("r1").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(stage.segments(), [1], "nothing of it can wake up");
}

/// Waits for so long at a stretch: anew if the machine stood still meanwhile, which keeps a run from its heartbeats.
fn undisturbed(length: Duration) {
    let mut begun = Instant::now();
    while begun.elapsed() < length {
        let before = Instant::now();
        std::thread::sleep(Duration::from_millis(10));
        if before.elapsed() > Duration::from_millis(100) {
            begun = Instant::now();
        }
    }
}

#[test]
fn a_lease_that_cannot_be_renewed_runs_out() {
    let stage = Stage::new("1s");
    let mut ledger = stage.open("r1").unwrap();
    let gate = ledger.gate().unwrap();
    undisturbed(Duration::from_millis(1500));
    gate(Duration::from_millis(500)).unwrap();
    gate(Duration::from_secs(1)).unwrap_err();
    stage.proxy.push_fault(stage.fault(Kind::Put, Act::slow_down(), "lease").always());
    std::thread::sleep(Duration::from_millis(1500));
    let why = gate(Duration::ZERO).unwrap_err();
    assert!(why.contains("the lease is 1 s long"), "{why}");
    let error = ledger.append(vec![run_entry()]).unwrap_err();
    assert!(matches!(error, LedgerError::Lost { .. }), "{error}");
    assert_eq!((error.exit(), stage.segments()), (Exit::Held, vec![1]));
}

#[test]
fn a_lease_that_was_renewed_though_no_answer_came_is_kept() {
    let stage = Stage::new("1s");
    let ledger = stage.open("r1").unwrap();
    stage.proxy.push_fault(stage.fault(Kind::Put, Act::DropAnswer, "lease").times(3));
    undisturbed(Duration::from_millis(2500));
    ledger.gate().unwrap()(Duration::from_millis(500)).unwrap();
}

#[test]
fn many_segments_are_read_out_of_few_objects() {
    let stage = Stage::new("30s");
    let mut ledger = stage.open("r1").unwrap();
    for _ in 0..3 * SEGMENTS_EACH {
        ledger.append(vec![run_entry(), run_entry()]).unwrap();
    }
    let (state, head) = (ledger.state().clone(), ledger.head());
    ledger.close().unwrap();
    let keys = || stage.store.keys(&stage.bucket).into_iter().filter(|key| key.contains("/snapshots/")).count();
    assert_eq!(keys(), 3);
    // Not one of the segments in them is asked for.
    for number in 1..=3 * SEGMENTS_EACH {
        let fault = stage.fault(Kind::Get, Act::access_denied(), &format!("segments/{number:012}"));
        stage.proxy.push_fault(fault.always());
    }
    let mut ledger = stage.open("r2").unwrap();
    assert_eq!((ledger.state(), ledger.head()), (&state, head));
    assert_eq!(stage.read(), state);
    stage.proxy.clear_faults();
    ledger.append(vec![run_entry()]).unwrap();
    ledger.close().unwrap();
    assert_eq!(keys(), 3, "it is not time for another");
}

#[test]
fn a_snapshot_hides_nothing() {
    let stage = Stage::new("30s");
    let mut ledger = stage.open("r1").unwrap();
    for _ in 0..SEGMENTS_EACH + 2 {
        ledger.append(vec![run_entry()]).unwrap();
    }
    ledger.close().unwrap();
    let snapshot = format!("snapshots/{SEGMENTS_EACH:012}");
    let refused = |words: &str| {
        for error in [stage.open("r2").unwrap_err(), Ledger::state_of(&stage.place, &identity()).unwrap_err()] {
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.exit(), Exit::Ledger);
        }
    };
    // A segment that it holds is changed, or gone.
    let segment = stage.get(SEGMENT_2).unwrap();
    let mut changed = segment.clone();
    changed[40] ^= 1;
    stage.put(SEGMENT_2, &changed);
    refused("its object segments/000000000002: it is not what was written");
    stage.delete(SEGMENT_2);
    refused("its object segments/000000000002: it is missing");
    stage.put(SEGMENT_2, &segment);
    stage.open("r2").unwrap();
    // It is itself changed, cut short or longer.
    let whole = stage.get(&snapshot).unwrap();
    for place in (0..whole.len()).step_by(97) {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        stage.put(&snapshot, &changed);
        assert!(Ledger::state_of(&stage.place, &identity()).is_err() || is_in_a_version(&whole, place), "{place}");
    }
    stage.put(&snapshot, &whole[..whole.len() - 1]);
    refused("it is cut short");
    stage.put(&snapshot, &[whole.as_slice(), b"x"].concat());
    refused("it holds more than it says");
    // Segments behind it are gone.
    stage.put(&snapshot, &whole);
    for number in SEGMENTS_EACH..=SEGMENTS_EACH + 3 {
        stage.delete(&format!("segments/{number:012}"));
    }
    refused("it is missing, and a snapshot holds it");
}

/// A version that is another only makes the reader compare the segment itself.
fn is_in_a_version(snapshot: &[u8], place: usize) -> bool {
    let line = snapshot.iter().position(|byte| *byte == b'\n').unwrap();
    place < line
}
