//! What is shared, what is thrown away, and when the engine ends.

use std::collections::BTreeSet;
use std::time::Instant;

use super::log_lines::logged;
use super::*;
use crate::plugin::engine::CLOCK;

/// A source that says that it was entered, and then does this in `check`.
fn entered(does: &str) -> Module {
    let log = |body: &str| format!("(call $log (i32.const 2) (i32.const 1024) (i32.const 7)) {body}");
    Module::source()
        .logging()
        .item("(data (i32.const 1024) \"entered\")")
        .doing("check", &log(does))
        .doing("complete-until", &log(""))
}

#[test]
fn an_instance_that_trapped_or_ran_over_a_limit_is_not_entered_again() {
    let host = Host::new();
    let limits = Limits { time: Duration::from_millis(100), ..limits() };
    for does in ["(unreachable)", "(loop $again (br $again))", "(drop (memory.grow (i32.const 64)))"] {
        let mut source = host.source(&entered(does), limits);
        let ((first, second, third), lines) = logged(|| {
            let first = cause(source.check("{}", WindowKind::Hour));
            let second = source.complete_until("{}", 0).unwrap_err();
            (first, second, cause(source.check("{}", WindowKind::Hour)))
        });
        assert!(matches!(first, Cause::Trapped(_) | Cause::Time(_) | Cause::Memory(_)), "{first:?}");
        assert_eq!(second.to_string(), "it broke the contract: it is called again after it ended");
        assert_eq!(second.cause, third);
        assert_eq!(lines, [r#"INFO entered plugin="source""#]);
        assert_eq!(source.memory(), 0, "its memory is given back at once");
    }
}

#[test]
fn an_instance_whose_guest_says_no_goes_on() {
    let host = Host::new();
    let fails = "(i32.store8 (i32.const 1100) (i32.const 1))
        (i32.store8 (i32.const 1104) (i32.const 2))
        (i32.store (i32.const 1108) (i32.const 1024))
        (i32.store (i32.const 1112) (i32.const 7))
        (return (i32.const 1100))";
    let mut source = host.source(&entered(fails), limits());
    for _ in 0..2 {
        assert_eq!(cause(source.check("{}", WindowKind::Hour)), Cause::Unavailable("entered".to_owned()));
    }
    assert_eq!(source.complete_until("{}", 0).unwrap(), None);
}

#[test]
fn the_same_bytes_are_compiled_once_whatever_their_name() {
    let host = Host::new();
    let (one, other) = (Module::aggregator().bytes(), Module::aggregator().pages(2).bytes());
    let first = host.load_as("first", &one).unwrap();
    let again = host.load_as("first", &one).unwrap();
    let renamed = host.load_as("second", &one).unwrap();
    let different = host.load_as("first", &other).unwrap();
    assert!(Arc::ptr_eq(&first.loaded, &again.loaded));
    assert!(Arc::ptr_eq(&first.loaded, &renamed.loaded));
    assert!(!Arc::ptr_eq(&first.loaded, &different.loaded));
    assert_eq!(first.digest(), renamed.digest());
    assert_ne!(first.digest(), different.digest());
}

#[test]
fn what_an_instance_did_is_not_seen_by_the_next() {
    let host = Host::new();
    let once = "(if (i32.load (i32.const 1024)) (then unreachable)) (i32.store (i32.const 1024) (i32.const 1))";
    let plugin = host.load(&Module::aggregator().doing("check", once).bytes()).unwrap();
    for _ in 0..3 {
        host.check(&plugin, limits()).unwrap();
    }
}

/// The threads that drive an engine's clock, by their numbers.
fn clocks() -> BTreeSet<String> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    threads
        .filter(|thread| {
            // One that ended meanwhile has no name.
            std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == CLOCK)
        })
        .map(|thread| thread.file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_clock_ends_with_the_last_clone_of_its_engine() {
    let before = clocks();
    let host = Host::new();
    let engine = host.engine.0.wasmtime.weak();
    let plugin = host.load(&Module::aggregator().bytes()).unwrap();
    // That of this engine, and perhaps those of tests that began meanwhile.
    let begun: BTreeSet<String> = clocks().difference(&before).cloned().collect();
    assert!(!begun.is_empty());
    drop(host);
    assert!(engine.upgrade().is_some(), "a plugin holds its engine");
    drop(plugin);
    let since = Instant::now();
    while engine.upgrade().is_some() || !begun.is_disjoint(&clocks()) {
        assert!(since.elapsed() < Duration::from_secs(20), "{:?} of {begun:?}", clocks());
        std::thread::sleep(Duration::from_millis(20));
    }
}
