//! Memory and tables: counted over everything that an instance is made of.

use super::*;
use crate::plugin::wrap::as_component;

/// Pages of 64 KiB in the 4 MiB that an instance may have here.
const ALL: u32 = 64;

fn two_memories(host: &Host, first: u32, second: u32) -> Result<(), Failure> {
    let module = Module::aggregator().pages(first).item(&format!("(memory {second})"));
    host.check(&host.load(&module.bytes()).unwrap(), limits())
}

#[test]
fn memory_is_counted_over_all_memories() {
    let host = Host::new();
    two_memories(&host, 40, ALL - 40).unwrap();
    let failure = two_memories(&host, 40, ALL - 40 + 1).unwrap_err();
    assert_eq!(failure.cause, Cause::Memory(4 << 20));
    assert_eq!(failure.to_string(), "it needed more than 4 MiB of memory");
}

#[test]
fn memory_that_grows_is_counted_over_all_memories() {
    let host = Host::new();
    let growing = |pages: u32| {
        let grows = |memory: &str, pages: u32| format!("(drop (memory.grow {memory} (i32.const {pages})))");
        let module =
            Module::source().item("(memory $second 1)").doing("check", &(grows("0", 29) + &grows("$second", pages)));
        let mut source = host.source(&module, limits());
        let answer = source.check("{}", WindowKind::Hour);
        (answer, source.memory())
    };
    let (answer, memory) = growing(ALL - 31);
    answer.unwrap();
    assert_eq!(memory, 4 << 20);
    assert_eq!(cause(growing(ALL - 30).0), Cause::Memory(4 << 20));
}

#[test]
fn a_growth_beyond_every_address_is_named_like_any_other() {
    let host = Host::new();
    let grows = "(drop (memory.grow (i32.const -1)))";
    let mut source = host.source(&Module::source().doing("check", grows), limits());
    assert_eq!(cause(source.check("{}", WindowKind::Hour)), Cause::Memory(4 << 20));
}

#[test]
fn a_growth_that_the_memorys_own_maximum_forbids_counts_for_nothing() {
    let host = Host::new();
    let tries = "(loop $again
            (if (i32.ne (memory.grow $second (i32.const 60)) (i32.const -1)) (then unreachable))
            (if (i32.ne (table.grow $table (ref.null func) (i32.const 60000)) (i32.const -1)) (then unreachable))
            (local.set 0 (i32.add (local.get 0) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get 0) (i32.const 100))))
        (drop (memory.grow 0 (i32.const 1)))";
    let module =
        Module::source().item("(memory $second 1 10)").item("(table $table 1 10 funcref)").doing("check", tries);
    let mut source = host.source(&module, limits());
    source.check("{}", WindowKind::Hour).unwrap();
    assert_eq!(source.memory(), 3 << 16);
}

/// The component of a module, with further core instances beside it.
fn beside(host: &Host, instances: u8, of: &str) -> Vec<u8> {
    let inner = &host.engine.0;
    let component = as_component(&inner.wasmtime, &inner.linkers, &Module::aggregator().bytes()).unwrap();
    let modules = wasmparser::Parser::new(0)
        .parse_all(&component)
        .filter(|payload| matches!(payload, Ok(wasmparser::Payload::ModuleSection { .. })))
        .count();
    let module = wat::parse_str(of).unwrap();
    let section = |id: u8, contents: Vec<u8>| {
        // A length of two bytes, which is as good as one of one.
        let length = [(contents.len() & 0x7f) as u8 | 0x80, (contents.len() >> 7) as u8];
        [vec![id], length.to_vec(), contents].concat()
    };
    let instance = [0, u8::try_from(modules).unwrap(), 0];
    let instances = [vec![instances], instance.repeat(instances.into())].concat();
    [component.to_vec(), section(1, module), section(2, instances)].concat()
}

#[test]
fn memory_is_counted_over_all_core_instances_of_a_component() {
    let host = Host::new();
    let check = |module: &str| host.check(&host.load(&beside(&host, 3, module)).unwrap(), limits());
    check("(module (memory 21))").unwrap();
    assert_eq!(cause(check("(module (memory 22))")), Cause::Memory(4 << 20));
}

fn refused(host: &Host, bytes: &[u8]) -> (Cause, String) {
    match host.load(bytes).err().unwrap() {
        LoadError::Describe(failure) => (failure.cause.clone(), failure.to_string()),
        other => panic!("{other}"),
    }
}

#[test]
fn table_elements_are_counted_over_all_tables() {
    let host = Host::new();
    let tables = |elements: u32| {
        Module::aggregator().item("(table 50000 funcref)").item(&format!("(table {elements} funcref)")).bytes()
    };
    host.load(&tables(50_000)).unwrap();
    let (cause, text) = refused(&host, &tables(50_001));
    assert_eq!(cause, Cause::Limit("the limit of 100000 table elements".to_owned()));
    assert_eq!(text, "it ran over a limit: the limit of 100000 table elements");
}

#[test]
fn a_table_that_grows_is_stopped() {
    let host = Host::new();
    let grows = "(drop (table.grow 0 (ref.null func) (i32.const 60000)))";
    let module = Module::source().item("(table 1 funcref)").doing("check", grows);
    let mut source = host.source(&module, limits());
    source.check("{}", WindowKind::Hour).unwrap();
    let failure = cause(source.check("{}", WindowKind::Hour));
    assert_eq!(failure, Cause::Limit("the limit of 100000 table elements".to_owned()));
}

#[test]
fn memories_tables_and_instances_are_limited_in_number() {
    let host = Host::new();
    let with = |item: &str, times: usize| Module::aggregator().item(&item.repeat(times)).bytes();
    host.load(&with("(memory 0)", 15)).unwrap();
    host.load(&with("(table 0 funcref)", 64)).unwrap();
    host.load(&beside(&host, 63, "(module)")).unwrap();
    for (bytes, what) in [
        (with("(memory 0)", 16), "memory count too high at 17"),
        (with("(table 0 funcref)", 65), "table count too high at 65"),
        (beside(&host, 16, "(module (memory 0))"), "memory count too high at 17"),
        (beside(&host, 64, "(module)"), "instance count too high at 65"),
    ] {
        let limit = format!("resource limit exceeded: {what}");
        assert_eq!(refused(&host, &bytes), (Cause::Limit(limit.clone()), format!("it ran over a limit: {limit}")));
    }
}
