//! What components get of WASI: sources and sinks, clocks that stand still and sleep that is limited; aggregators, nothing.

use std::time::Instant;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::*;
use crate::plugin::loaded::describe;

/// What of WASI the components here use.
const WORLDS: &str = "
    package test:clocks;
    world source { include meterhost:plugin/source-plugin@0.1.0; import wasi:clocks/monotonic-clock@0.2.0; }
    world aggregator { include meterhost:plugin/aggregator-plugin@0.1.0; import wasi:clocks/monotonic-clock@0.2.0; }
    package wasi:io@0.2.0 {
        interface poll { resource pollable { block: func(); } }
    }
    package wasi:clocks@0.2.0 {
        interface monotonic-clock {
            use wasi:io/poll@0.2.0.{pollable};
            now: func() -> u64;
            subscribe-duration: func(when: u64) -> pollable;
        }
    }";

/// A module as a component of a world that has clocks.
fn component(module: &Module, world: &str) -> Vec<u8> {
    let mut bytes = module.bytes();
    let mut resolve = Resolve::default();
    resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).unwrap();
    let package = resolve.push_str("worlds.wit", WORLDS).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&bytes).unwrap().encode().unwrap()
}

fn with_sleep(module: Module) -> Module {
    module.import("wasi:clocks/monotonic-clock@0.2.0", "subscribe-duration", "(param i64) (result i32)").import(
        "wasi:io/poll@0.2.0",
        "[method]pollable.block",
        "(param i32)",
    )
}

fn with_clock(module: Module) -> Module {
    module.import("wasi:clocks/monotonic-clock@0.2.0", "now", "(result i64)")
}

#[test]
fn a_sleep_is_ended_by_the_wall_time_and_is_no_computing() {
    let host = Host::new();
    // For as many nanoseconds as `now` says.
    let sleeps = "(call $block (call $subscribe-duration (local.get 2)))";
    let module = with_sleep(Module::source().doing("complete-until", sleeps));
    let plugin = host.load(&component(&module, "source")).unwrap();
    let (time, wall) = (Duration::from_millis(100), Duration::from_millis(500));
    let settings = host.settings(Limits { time, wall, ..limits() }, &GrantSpec::default());
    let mut source = SourceInstance::start(&plugin, settings).unwrap();
    let begun = Instant::now();
    source.complete_until("{}", 200_000_000).unwrap();
    assert!(begun.elapsed() > Duration::from_millis(200), "{:?}", begun.elapsed());
    assert_eq!(source.complete_until("{}", 60_000_000_000).unwrap_err().cause, Cause::Wall(wall));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_description_that_sleeps_is_ended_by_the_wall_time() {
    let host = Host::new();
    let sleeps = "(call $block (call $subscribe-duration (i64.const 60000000000)))";
    let bytes = component(&with_sleep(Module::source().doing("describe", sleeps)), "source");
    // As every description is asked for, but that the test is not to take the whole five seconds.
    assert_eq!(Limits::describing().wall, Duration::from_secs(5));
    let wall = Duration::from_millis(300);
    let settings = host.settings(Limits { wall, ..Limits::describing() }, &GrantSpec::default());
    let failure = describe(&host.engine, &host.engine.load(&bytes).unwrap(), settings).unwrap_err();
    assert_eq!(failure.cause, Cause::Wall(wall));
}

#[test]
fn the_clock_of_a_source_stands_still() {
    let host = Host::new();
    let looks = "(if (i64.ne (call $now) (i64.const 0)) (then unreachable))";
    let plugin = host.load(&component(&with_clock(Module::source().doing("check", looks)), "source")).unwrap();
    let mut source = SourceInstance::start(&plugin, host.settings(limits(), &GrantSpec::default())).unwrap();
    for _ in 0..2 {
        source.check("{}", WindowKind::Hour).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_aggregator_gets_no_clock() {
    let bytes = component(&with_clock(Module::aggregator()), "aggregator");
    assert_eq!(
        Host::new().load(&bytes).err().unwrap().to_string(),
        "it imports `wasi:clocks/monotonic-clock@0.2.0`, which an aggregator does not get: it has no clock, no randomness, \
         no environment; build it for wasm32-unknown-unknown"
    );
}
