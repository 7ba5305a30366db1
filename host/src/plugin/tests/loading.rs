//! Which bytes are plugins, and what is said of those that are not.

use super::*;
use crate::plugin::Role;
use crate::plugin::wrap::as_component;

/// What is said of bytes that are no plugin.
fn refused(bytes: &[u8]) -> String {
    Host::new().load(bytes).err().unwrap().to_string()
}

#[test]
fn a_module_of_each_world_is_loaded() {
    let host = Host::new();
    for (module, role) in [(Module::aggregator(), Role::Aggregator), (Module::source(), Role::Source)] {
        let plugin = host.load(&module.logging().bytes()).unwrap();
        assert_eq!((plugin.label(), plugin.role()), ("odd 1.2.3".to_owned(), role));
    }
}

#[test]
fn an_import_from_outside_the_contract_is_named() {
    assert_eq!(
        refused(&Module::source().import("env", "foo", "").bytes()),
        "it imports `env`, which a source does not get"
    );
    assert_eq!(
        refused(&Module::source().import("meterhost:plugin/clock@0.1.0", "now", "(result i64)").bytes()),
        "it imports `meterhost:plugin/clock@0.1.0`, which a source does not get"
    );
    assert_eq!(
        refused(&Module::aggregator().import("wasi:random/random@0.2.0", "get-random-u64", "(result i64)").bytes()),
        "it imports `wasi:random/random@0.2.0`, which an aggregator does not get: it has no clock, no randomness, no \
         environment; build it for wasm32-unknown-unknown"
    );
}

#[test]
fn an_aggregator_does_not_get_what_leads_outside() {
    let sends = |module: Module| {
        module.import("meterhost:plugin/http@0.1.0", "send", "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)")
    };
    Host::new().load(&sends(Module::source()).bytes()).unwrap();
    assert_eq!(
        refused(&sends(Module::aggregator()).bytes()),
        "it imports `meterhost:plugin/http@0.1.0`, which an aggregator does not get"
    );
}

#[test]
fn a_patch_of_the_contract_is_the_same_contract() {
    for version in ["@0.1.1", "@0.1.7", "@0.1.123456789"] {
        let host = Host::new();
        let plugin = host.load(&Module::aggregator().version(version).bytes()).unwrap();
        host.check(&plugin, limits()).unwrap();
    }
}

#[test]
fn another_version_of_the_contract_is_named_with_the_hosts_own() {
    for version in ["@0.2.0", "@0.10.0", "@1.0.0", "@banana", "@", "@0.1", "@0.1.x", "@0.1.0-rc1", "@0.1.1234567890"] {
        let found = &version[1..];
        assert_eq!(
            refused(&Module::aggregator().version(version).bytes()),
            format!(
                "it was built for version {found} of the plugin contract, and this host speaks 0.1; build it with the \
                 matching meterhost-sdk"
            )
        );
    }
}

#[test]
fn a_component_of_another_version_is_told_the_same() {
    let component =
        wat::parse_str(r#"(component (instance $none) (export "meterhost:plugin/aggregator@0.2.0" (instance $none)))"#);
    assert_eq!(
        refused(&component.unwrap()),
        "it was built for version 0.2.0 of the plugin contract, and this host speaks 0.1; build it with the matching \
         meterhost-sdk"
    );
}

const NO_PLUGIN: &str = "it is a core WebAssembly module, and no meterhost plugin: it exports no function of \
                         meterhost:plugin/source, aggregator, sink or snapshot-sink";

#[test]
fn a_module_without_the_contracts_exports_is_no_plugin() {
    assert_eq!(refused(b"\0asm\x01\0\0\0"), NO_PLUGIN);
    assert_eq!(refused(&Module::aggregator().version("").bytes()), NO_PLUGIN);
}

#[test]
fn a_function_that_does_not_fit_is_named() {
    let odd = r#"(module (memory (export "memory") 1)
        (func (export "meterhost:plugin/aggregator@0.1.0#check") (param i64) (result i32) (i32.const 0)))"#;
    assert_eq!(
        refused(&wat::parse_str(odd).unwrap()),
        "it is a core WebAssembly module, and no meterhost plugin: failed to decode world from module: module was not \
         valid: failed to classify export `meterhost:plugin/aggregator@0.1.0#check`: failed to validate export for \
         `meterhost:plugin/aggregator@0.1.0`: type mismatch for function `check`: expected `[I32, I32, I32] -> [I32]` \
         but found `[I64] -> [I32]`"
    );
}

#[test]
fn a_function_that_is_missing_is_named() {
    let odd = r#"(module (memory (export "memory") 1)
        (func (export "meterhost:plugin/aggregator@0.1.0#check") (param i32 i32 i32) (result i32) (i32.const 0)))"#;
    assert_eq!(
        refused(&wat::parse_str(odd).unwrap()),
        "it is a core WebAssembly module, and no meterhost plugin: failed to decode world from module: module was not \
         valid: failed to find export of function `describe`"
    );
}

#[test]
fn a_component_that_does_not_fit_is_told_the_first_difference() {
    let component =
        wat::parse_str(r#"(component (instance $none) (export "meterhost:plugin/aggregator@0.1.0" (instance $none)))"#);
    let text = refused(&component.unwrap());
    assert!(text.starts_with("it does not fit the contract of an aggregator: "), "{text}");
}

#[test]
fn a_component_that_imports_something_else_is_told_what() {
    let component = wat::parse_str(
        r#"(component
            (import "acme:queue/messages@1.0.0" (instance (export "take" (func))))
            (instance $none)
            (export "meterhost:plugin/aggregator@0.1.0" (instance $none)))"#,
    );
    assert_eq!(
        refused(&component.unwrap()),
        "it imports `acme:queue/messages@1.0.0`, which an aggregator does not get"
    );
}

#[test]
fn a_component_for_something_else_is_told_what_it_exports() {
    let tail = "; a plugin exports `meterhost:plugin/source`, `aggregator`, `sink` or `snapshot-sink`";
    assert_eq!(
        refused(b"\0asm\x0d\0\x01\0"),
        format!("it is a component, but no meterhost plugin: it exports nothing{tail}")
    );
    let component = wat::parse_str(r#"(component (instance $none) (export "acme:queue/sink@1.0.0" (instance $none)))"#);
    assert_eq!(
        refused(&component.unwrap()),
        format!("it is a component, but no meterhost plugin: it exports `acme:queue/sink@1.0.0`{tail}")
    );
}

#[test]
fn bytes_of_something_else_are_no_webassembly() {
    let text = "it is not a WebAssembly component: its first bytes are not those of one";
    for bytes in [b"".as_slice(), b"\0asm", b"#!/bin/sh\necho", b"\0asm\x02\0\0\0", b"\x7fELF\x02\x01\x01\0\0\0"] {
        assert_eq!(refused(bytes), text, "{bytes:?}");
    }
}

/// How what is said begins of WebAssembly that does not compile.
const UNFIT: &str = "it is not a WebAssembly component that can be run: ";

/// The same bytes in every run.
fn noise(seed: u32) -> impl Iterator<Item = u8> {
    (0..300_u32).map(move |at| ((at + seed * 1000).wrapping_mul(2_654_435_761) >> 24) as u8)
}

#[test]
fn random_bytes_behind_a_proper_beginning_are_refused() {
    let host = Host::new();
    for seed in 0..50 {
        for beginning in [b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"] {
            let bytes: Vec<u8> = beginning.iter().copied().chain(noise(seed)).collect();
            let text = host.load(&bytes).err().unwrap().to_string();
            assert!(text.starts_with(UNFIT), "{text}");
        }
    }
}

#[test]
fn a_plugin_that_is_cut_off_is_refused() {
    let whole = Module::source().logging().bytes();
    let text = refused(&whole[..whole.len() / 2]);
    assert!(text.starts_with(UNFIT), "{text}");
}

#[test]
fn a_cut_anywhere_ends_nothing_but_the_attempt() {
    let host = Host::new();
    let module = Module::source().logging().bytes();
    let inner = &host.engine.0;
    let component = as_component(&inner.wasmtime, &inner.linkers, &module).unwrap();
    for (whole, step) in [(&*module, 5), (&*component, 97)] {
        for length in (8..whole.len()).step_by(step) {
            match host.load(&whole[..length]) {
                // Only names for debuggers are missing.
                Ok(plugin) => assert_eq!(plugin.label(), "odd 1.2.3"),
                Err(error) => assert!(!error.to_string().contains("panicked"), "{length}: {error}"),
            }
        }
    }
}
