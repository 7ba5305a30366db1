//! A plugin reaches what it was granted and nothing else, and cannot take the host down.

use std::net::TcpListener;

use crate::support::{Ended, Stage, bill, component, program};

#[test]
fn a_component_reaches_nothing_that_is_not_granted() {
    let stage = Stage::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let reaching = component("reaching");
    stage.pipeline(&format!(
        r#"
name = "reaching"
window = "month"
start = "2025-06"
[source]
plugin = "{}"
config = {{ url = "http://{address}/", file = "{}", address = "{address}" }}
[aggregate.rules]
config.dimensions = {{ "*" = "sum" }}
[sink.clazar]
config = {{ url = "${{CLAZAR_URL}}" }}
grant = {{ http = "${{CLAZAR_URL}}", secrets = {{ client_id = {{ env = "CLAZAR_CLIENT_ID" }}, client_secret = {{ env = "CLAZAR_CLIENT_SECRET" }} }} }}
"#,
        reaching.display(),
        stage.path("pipeline.toml").display()
    ));
    let ended = stage.run();
    assert!(!ended.stdout.contains("GOT"), "{}", ended.stdout);
    for what in [
        "file",
        "folder",
        "write",
        "environment",
        "arguments",
        "tcp",
        "udp",
        "http",
        "secret",
        "list",
        "get",
        "put",
        "clock",
    ] {
        ended.says(&format!("{what}: refused"));
    }
    ended.expect(3).says("grant.http");
    server.set_nonblocking(true).unwrap();
    assert!(server.accept().is_err(), "somebody connected");
}

/// Runs a stage whose aggregator misbehaves in one way; nothing is billed, and with a proper one everything is.
fn misbehaves(way: &str, limits: &str) -> Ended {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    let proper = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    stage.replace(
        "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
        &format!(
            "[aggregate.misbehaving]\nplugin = \"{}\"\nconfig.way = \"{way}\"\n{limits}",
            component("misbehaving").display()
        ),
    );
    let ended = stage.run();
    assert_eq!(stage.submissions(), 0);
    ended.says("aggregate.misbehaving (misbehaving 6.6.6), aggregating");
    stage.pipeline(&proper);
    stage.run().expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]), "the ledger goes on");
    ended
}

#[test]
fn an_endless_loop_is_stopped() {
    misbehaves("loop", "limits.time = \"200ms\"").expect(3).says("it computed for more than 200 ms");
}

#[test]
fn a_memory_bomb_is_stopped() {
    misbehaves("memory", "limits.memory = \"64 MiB\"").expect(3).says("it needed more than 64 MiB of memory");
}

#[test]
fn a_panic_is_reported_in_the_plugins_own_words() {
    misbehaves("panic", "").expect(3).says("it gave up").says("the rate table has no row for A");
}

#[test]
fn a_trap_is_reported() {
    misbehaves("unreachable", "").expect(3).says("it gave up without a word (`unreachable`)");
}

#[test]
fn an_oversized_string_is_refused() {
    misbehaves("string", "").expect(3).says("it ran over a limit");
}

#[test]
fn records_that_an_aggregator_loses_are_found_missing() {
    misbehaves("lose", "")
        .expect(3)
        .says("it was given 1 records of cpu for A, and its charges and rules account for 0");
}

#[test]
fn records_that_an_aggregator_invents_are_found() {
    misbehaves("invent", "").expect(3).says("it made cpu of A from 1000 records of cpu, and was given 1");
}

#[test]
fn an_aggregator_that_never_comes_to_its_end_is_stopped() {
    misbehaves("empty", "").expect(3).says("it answered an empty page of charges, and the end is said in another way");
}

#[test]
fn a_charge_that_is_made_from_nothing_is_found() {
    misbehaves("bare", "").expect(3).says("its charge of A for cpu is made from no record");
}

#[test]
fn an_aggregators_own_error_leaves_the_window_open() {
    misbehaves("error", "").expect(1).says("this batch is beyond me");
}

#[test]
fn an_aggregator_that_imports_a_clock_is_not_loaded() {
    let stage = Stage::new();
    stage.replace(
        "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
        &format!("[aggregate.ticking]\nplugin = \"{}\"", component("ticking").display()),
    );
    stage.run().expect(3).says("which an aggregator does not get: it has no clock, no randomness, no environment");
    assert!(!stage.path("postgres-prod.ledger.db").exists());
}

/// Runs a stage whose aggregator is a file with these bytes.
fn loads(bytes: &[u8]) -> Ended {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2")]);
    std::fs::write(stage.path("odd.wasm"), bytes).unwrap();
    stage.replace(
        "[aggregate.rules]\nconfig.dimensions = { \"*\" = \"sum\" }",
        "[aggregate.odd]\nplugin = \"./odd.wasm\"",
    );
    let ended = stage.run();
    assert_eq!(stage.emulator.requests().len(), 0);
    assert!(!stage.path("postgres-prod.ledger.db").exists(), "nothing was touched");
    ended.says("aggregate.odd, loading");
    ended
}

#[test]
fn random_bytes_are_no_plugin() {
    loads(b"hello, I am not wasm")
        .expect(3)
        .says("it is not a WebAssembly component: its first bytes are not those of one");
}

#[test]
fn a_plugin_that_is_cut_off_is_no_plugin() {
    let whole = std::fs::read(component("misbehaving")).unwrap();
    loads(&whole[..whole.len() / 2]).expect(3).says("it is not a WebAssembly component that can be run");
}

#[test]
fn a_core_module_of_something_else_is_no_plugin() {
    loads(b"\0asm\x01\0\0\0").expect(3).says("no meterhost plugin");
}

#[test]
fn a_plugin_of_another_contract_version_is_named_with_both() {
    let mut bytes = std::fs::read(component("misbehaving")).unwrap();
    let (ours, theirs) = (b"@0.1.0", b"@0.9.0");
    for at in 0..bytes.len() - ours.len() {
        if bytes[at..].starts_with(ours) {
            bytes[at..at + ours.len()].copy_from_slice(theirs);
        }
    }
    loads(&bytes).expect(3).says("it was built for version 0.9.0 of the plugin contract, and this host speaks 0.1");
}

#[test]
fn a_plugin_whose_description_contradicts_itself_ends_nothing_but_itself() {
    let whole = std::fs::read(component("misbehaving")).unwrap();
    let ours = b"@0.1.0";
    let places: Vec<usize> = (0..whole.len() - ours.len()).filter(|&at| whole[at..].starts_with(ours)).collect();
    let stage = Stage::new();
    // From the first to this one the versions are another's: the packages then take from each other in a circle.
    for last in (0..places.len()).step_by(places.len() / 12 + 1) {
        let mut bytes = whole.clone();
        for &at in &places[..=last] {
            bytes[at..at + ours.len()].copy_from_slice(b"@0.9.0");
        }
        std::fs::write(stage.path("odd.wasm"), bytes).unwrap();
        let inspected = program().args(["plugin", "inspect"]).arg(stage.path("odd.wasm")).output().unwrap();
        let ended = crate::support::ended(inspected);
        assert!([0, 3].contains(&ended.exit), "{last}: {ended:?}");
    }
}

/// A component with one section of types, in which each level is a component type that holds one type.
fn nested(levels: usize) -> Vec<u8> {
    let section = [vec![1], [0x41, 1, 1].repeat(levels)].concat();
    let mut bytes = b"\0asm\x0d\0\x01\0\x07".to_vec();
    let mut length = section.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    [bytes, section].concat()
}

#[test]
fn types_that_are_nested_beyond_measure_are_refused() {
    loads(&nested(5_000_000)).expect(3).says("a section of its types has").says("are the most that are read");
    // As deep as is read: refused by the compiler, and nothing ends but the attempt.
    loads(&nested(80_000)).expect(3).says("it is not a WebAssembly component that can be run");
}

#[test]
fn a_component_of_random_bytes_is_refused() {
    for seed in 0_u32..20 {
        let noise = (0..200_u32).map(|at| (at.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8);
        let bytes: Vec<u8> = b"\0asm\x0d\0\x01\0".iter().copied().chain(noise).collect();
        loads(&bytes).expect(3);
    }
}

#[test]
fn plugins_are_found_by_name_from_any_folder() {
    let ended = crate::support::ended(program().args(["plugin", "list"]).current_dir("/").output().unwrap());
    ended.expect(0).says("s3-reader").says("rules").says("clazar");
}
