//! Plugins for tests, written as core modules in WebAssembly text: each as small as what it is to show.
//!
//! The first 64 bytes of memory stay zero: read as an answer, they mean that all is well and that there is nothing. A test's own data
//! stands from 1024 on, and what the host hands in from 8192 on.

use std::collections::BTreeMap;

/// A module that fits a world of the contract and does nothing, but for what a test puts into it.
#[derive(Clone)]
pub(super) struct Module {
    interface: &'static str,
    /// Name and parameters; each answers the address of its answer.
    functions: &'static [(&'static str, &'static str)],
    /// As `about.kind` counts them.
    kind: u32,
    version: &'static str,
    pages: u32,
    imports: String,
    items: String,
    bodies: BTreeMap<&'static str, String>,
}

const AGGREGATOR: &[(&str, &str)] = &[
    ("check", "i32 i32 i32"),
    ("open", "i32 i32 i64 i64"),
    ("[method]accumulator.push", "i32"),
    ("[method]accumulator.finish", "i32"),
    ("[method]accumulator.next", "i32"),
];

const SOURCE: &[(&str, &str)] = &[
    ("check", "i32 i32 i32"),
    ("open", "i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32"),
    ("[method]cursor.next", "i32"),
    ("inputs", "i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32"),
    ("[method]listing.next", "i32"),
    ("complete-until", "i32 i32 i64"),
    ("acknowledge", "i32 i32 i32 i32 i32 i32 i32 i32"),
];

impl Module {
    pub(super) fn aggregator() -> Self {
        Self::new("aggregator", AGGREGATOR, 2)
    }

    pub(super) fn source() -> Self {
        Self::new("source", SOURCE, 0)
    }

    fn new(interface: &'static str, functions: &'static [(&'static str, &'static str)], kind: u32) -> Self {
        Module {
            interface,
            functions,
            kind,
            version: "@0.1.0",
            pages: 1,
            imports: String::new(),
            items: String::new(),
            bodies: BTreeMap::new(),
        }
    }

    /// The contract's version as its names have it: `@0.1.0`.
    pub(super) fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// The pages of the memory that it shows the host.
    pub(super) fn pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// Imports a function, which its other parts call by the last part of its name.
    pub(super) fn import(mut self, from: &str, name: &str, params: &str) -> Self {
        let called = name.rsplit([']', '.']).next().unwrap();
        self.imports += &format!("(import \"{from}\" \"{name}\" (func ${called} {params}))\n");
        self
    }

    /// Imports `log`: level, address and length of the text.
    pub(super) fn logging(self) -> Self {
        self.import("meterhost:plugin/log@0.1.0", "log", "(param i32 i32 i32)")
    }

    /// Further memories, tables, data and functions.
    pub(super) fn item(mut self, item: &str) -> Self {
        self.items += item;
        self.items.push('\n');
        self
    }

    /// What it does first in a function of its world.
    pub(super) fn doing(mut self, function: &'static str, body: &str) -> Self {
        self.bodies.insert(function, body.to_owned());
        self
    }

    /// What it answers from a function of its world, and how it comes to that.
    fn body(&self, function: &str, otherwise: u32) -> String {
        let body = self.bodies.get(function).map_or("", String::as_str);
        format!("{body} (i32.const {otherwise})")
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let Module { interface, functions, kind, version, pages, imports, items, .. } = self;
        let exports: String = functions
            .iter()
            .map(|(name, params)| {
                let body = self.body(name, 0);
                format!(
                    "(func (export \"meterhost:plugin/{interface}{version}#{name}\") (param {params}) (result i32) {body})\n"
                )
            })
            .collect();
        let describe = self.body("describe", 256);
        let text = format!(
            r#"(module
                {imports}
                (memory (export "memory") {pages})
                {items}
                (global $free (mut i32) (i32.const 8192))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                    (global.set $free (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                (func (export "describe") (result i32) {describe})
                {exports}
                (data (i32.const 256) (i32 512 3 528 5 544 6 {kind} 560 2 0 0))
                (data (i32.const 512) "odd")
                (data (i32.const 528) "1.2.3")
                (data (i32.const 544) "is odd")
                (data (i32.const 560) "{{}}"))"#
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}
