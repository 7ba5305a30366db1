//! A plugin that misbehaves while it says what it is, which every plugin of a folder is asked.

use std::time::Instant;

use super::*;

/// What becomes of a plugin that does this before it describes itself.
fn describing(host: &Host, module: Module, body: &str) -> Result<Plugin, (Cause, String)> {
    let begun = Instant::now();
    let loaded = host.load(&module.doing("describe", body).bytes());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    loaded.map_err(|error| match &error {
        LoadError::Describe(failure) => (failure.cause.clone(), error.to_string()),
        other => panic!("{other}"),
    })
}

fn fails(module: Module, body: &str) -> (Cause, String) {
    describing(&Host::new(), module, body).err().unwrap()
}

#[test]
fn a_description_is_taken_as_it_is() {
    let plugin = describing(&Host::new(), Module::aggregator(), "").unwrap();
    let description = plugin.description();
    assert_eq!((plugin.label(), description.purpose.as_str()), ("odd 1.2.3".to_owned(), "is odd"));
    assert_eq!((description.config_schema.as_str(), description.needs.len(), description.queue), ("{}", 0, false));
}

#[test]
fn an_endless_description_is_stopped() {
    let (cause, text) = fails(Module::aggregator(), "(loop $again (br $again))");
    assert_eq!(cause, Cause::Time(Duration::from_secs(1)));
    assert_eq!(text, "it could not describe itself: it computed for more than 1 s without coming to an end");
}

#[test]
fn a_start_function_without_end_is_stopped() {
    let endless = "(func $begin (loop $again (br $again))) (start $begin)";
    let (cause, _) = fails(Module::aggregator().item(endless), "");
    assert_eq!(cause, Cause::Time(Duration::from_secs(1)));
}

#[test]
fn a_description_that_takes_all_memory_is_stopped() {
    let (cause, text) = fails(Module::aggregator(), "(loop $again (drop (memory.grow (i32.const 16))) (br $again))");
    assert_eq!(cause, Cause::Memory(64 << 20));
    assert_eq!(text, "it could not describe itself: it needed more than 64 MiB of memory");
}

#[test]
fn a_description_that_recurses_without_end_is_stopped() {
    let (cause, text) = fails(Module::aggregator().item("(func $deeper (call $deeper))"), "(call $deeper)");
    assert_eq!(cause, Cause::Trapped("wasm trap: call stack exhausted".to_owned()));
    assert_eq!(text, "it could not describe itself: it trapped: wasm trap: call stack exhausted");
}

#[test]
fn what_stands_behind_a_description_that_traps_can_be_asked_for() {
    let error = Host::new().load(&Module::aggregator().doing("describe", "(unreachable)").bytes()).err().unwrap();
    let causes = error.causes();
    assert!(causes.iter().any(|cause| cause.contains("unreachable")), "{causes:?}");
}

#[test]
fn a_description_that_traps_is_reported_with_its_last_words() {
    let (_, text) = fails(Module::aggregator(), "(unreachable)");
    assert_eq!(text, "it could not describe itself: it trapped: it gave up without a word (`unreachable`)");
    let log = "(call $log (i32.const 4) (i32.const 1024) (i32.const 7)) (unreachable)";
    let (cause, text) = fails(Module::aggregator().logging().item("(data (i32.const 1024) \"no idea\")"), log);
    assert_eq!(cause, Cause::Trapped("it gave up".to_owned()));
    assert_eq!(text, "it could not describe itself: it trapped: it gave up; its last words: no idea");
}

/// The imports that lead outside, and calls of them that give up unless the answer is an error of this kind.
fn reaching(kind: u32) -> (Module, String) {
    let module = Module::source()
        .import("meterhost:plugin/http@0.1.0", "secret", "(param i32 i32 i32 i32)")
        .import("meterhost:plugin/http@0.1.0", "send", "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)")
        .import("meterhost:plugin/objects@0.1.0", "list", "(param i32 i32 i32 i32 i32 i32)")
        .import("meterhost:plugin/aws@0.1.0", "call", "(param i32 i32 i32 i32 i32 i32 i32)")
        .item("(data (i32.const 1100) \"GEThttps://example.com/\")");
    let (get, url) = ("(i32.const 1100) (i32.const 3)", "(i32.const 1103) (i32.const 20)");
    let calls = [
        "(call $secret (i32.const 1100) (i32.const 3) (i32.const 0) (i32.const 1024))".to_owned(),
        format!("(call $send {get} {url} {} (i32.const 1024))", "(i32.const 0)".repeat(6)),
        format!("(call $list {} (i32.const 1024))", "(i32.const 0)".repeat(5)),
        format!("(call $call {get} {get} {get} (i32.const 1024))"),
    ];
    let refused = |call: String| {
        // Both an answer and an error of `http`, `objects` and `aws` begin alike: whether it is one, and which.
        format!(
            "(i32.store8 (i32.const 1028) (i32.const 255)) {call}
            (if (i32.ne (i32.load8_u (i32.const 1024)) (i32.const 1)) (then unreachable))
            (if (i32.ne (i32.load8_u (i32.const 1028)) (i32.const {kind})) (then unreachable))"
        )
    };
    (module, calls.map(refused).concat())
}

#[test]
fn while_it_describes_itself_everything_is_denied_and_nothing_noted() {
    let host = Host::new();
    let (module, asks) = reaching(0);
    describing(&host, module, &asks).unwrap();
    assert_eq!(host.broker.denials(), []);
}

#[test]
fn a_description_that_insists_on_what_is_denied_is_reported() {
    let (module, insists) = reaching(1);
    let (_, text) = fails(module, &insists);
    assert_eq!(text, "it could not describe itself: it trapped: it gave up without a word (`unreachable`)");
}

#[test]
fn a_description_of_addresses_outside_its_memory_is_refused() {
    let (cause, text) = fails(Module::aggregator(), "(return (i32.const -8))");
    assert!(matches!(cause, Cause::Contract(_)), "{cause:?}");
    assert_eq!(text, "it could not describe itself: it broke the contract: pointer out of bounds of memory");
}
