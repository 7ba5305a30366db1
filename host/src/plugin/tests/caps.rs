//! What an instance may hold and carry: handles of its own, open objects, bytes in a call.

use super::*;
use crate::config::Located;
use crate::plugin::limits::{HANDLES, OPEN};

/// A loop that runs `times` times, counting in the first parameter.
fn repeated(times: usize, body: &str) -> String {
    format!(
        "(local.set 0 (i32.const 0))
        (loop $again
            {body}
            (local.set 0 (i32.add (local.get 0) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get 0) (i32.const {times}))))"
    )
}

#[test]
fn handles_of_its_own_are_limited() {
    let host = Host::new();
    let makes = |handles: usize| {
        let module = Module::source()
            .import("[export]meterhost:plugin/source@0.1.0", "[resource-new]cursor", "(param i32) (result i32)")
            .doing("check", &repeated(handles, "(drop (call $cursor (i32.const 1)))"));
        host.source(&module, limits()).check("{}", WindowKind::Hour)
    };
    makes(HANDLES).unwrap();
    let failure = makes(HANDLES + 1).unwrap_err();
    assert_eq!(failure.to_string(), "it ran over a limit: cannot allocate another handle: store handle limit exceeded");
    assert!(matches!(failure.cause, Cause::Limit(_)), "{:?}", failure.cause);
}

/// Opens listings and keeps them; answers the first error that it is told, as its own word.
fn listing(times: usize) -> Module {
    let list = "(call $list (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))
        (if (i32.load8_u (i32.const 1024)) (then
            (i32.store8 (i32.const 1040) (i32.const 1))
            (i32.store8 (i32.const 1048) (i32.const 3))
            (i64.store align=4 (i32.const 1052) (i64.load align=4 (i32.const 1032)))
            (return (i32.const 1040))))";
    Module::source()
        .import("meterhost:plugin/objects@0.1.0", "list", "(param i32 i32 i32 i32 i32 i32)")
        .doing("complete-until", &repeated(times, list))
}

#[test]
fn a_guest_that_opens_too_much_at_once_is_told_and_goes_on() {
    let host = Host::new();
    let url = format!("file://{}", host.folder.path().display());
    let spec = GrantSpec { read: Some(Located { value: url, span: 0..0 }), ..GrantSpec::default() };
    let open = |times| {
        let plugin = host.load(&listing(times).bytes()).unwrap();
        let mut source = SourceInstance::start(&plugin, host.settings(limits(), &spec)).unwrap();
        let answer = source.complete_until("{}", 0);
        source.check("{}", WindowKind::Hour).unwrap();
        answer
    };
    assert_eq!(open(OPEN).unwrap(), None);
    let failure = open(OPEN + 1).unwrap_err();
    let text = "too many objects are open at once: resource table has no free keys";
    assert_eq!(failure.cause, Cause::Other(text.to_owned()));
}

/// What a call may carry in these tests.
const CALL: usize = 10_000;

fn carrying() -> Limits {
    Limits { call: CALL, ..limits() }
}

#[test]
fn a_string_that_is_answered_is_limited_to_the_byte() {
    let host = Host::new();
    let answers = |length: usize| {
        let fails = format!(
            "(memory.fill (i32.const 2048) (i32.const 120) (i32.const {length}))
            (i32.store8 (i32.const 1024) (i32.const 1))
            (i32.store8 (i32.const 1028) (i32.const 3))
            (i32.store (i32.const 1032) (i32.const 2048))
            (i32.store (i32.const 1036) (i32.const {length}))
            (return (i32.const 1024))"
        );
        cause(host.source(&Module::source().doing("check", &fails), carrying()).check("{}", WindowKind::Hour))
    };
    assert_eq!(answers(CALL), Cause::Other("x".repeat(CALL)));
    assert_eq!(answers(CALL + 1), Cause::Limit("it handed more than 10000 bytes over in one call".to_owned()));
}

#[test]
fn a_string_that_is_handed_to_the_host_is_limited_to_the_byte() {
    let host = Host::new();
    let logs = |length: usize| {
        let log = format!("(call $log (i32.const 0) (i32.const 2048) (i32.const {length}))");
        let module = Module::source().logging().doing("check", &log.repeat(3));
        host.source(&module, carrying()).check("{}", WindowKind::Hour)
    };
    // Each call has its own allowance.
    logs(CALL).unwrap();
    let text = "it ran over a limit: it handed more than 10000 bytes over in one call";
    assert_eq!(logs(CALL + 1).unwrap_err().to_string(), text);
}

#[test]
fn what_the_host_hands_in_counts_for_nothing() {
    let host = Host::new();
    let mut source = host.source(&Module::source(), Limits { call: 100, ..limits() });
    source.check(&"x".repeat(CALL), WindowKind::Hour).unwrap();
}
