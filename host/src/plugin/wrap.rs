//! From the bytes of a file to those of a component: what is one already stays as it is, a core module is wrapped.
//!
//! A core module from `cargo build` carries a description of its own world. That is not read: the tools that decode it trust what they
//! find, and a description that contradicts itself leads them in a circle. What a module is follows from the names of its exports, and
//! it is wrapped with this host's own description of that world, which the module then has to fit.

use std::sync::Arc;

use wasmparser::{ExternalKind, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

use super::error::LoadError;
use super::guest::Linkers;
use super::load::{Interface, PACKAGE, Role};

/// The largest file, in bytes.
const LARGEST: usize = 64 << 20;
/// The most bytes of a section of component types. The parsers behind this descend once for each level of nesting, which costs at least
/// three bytes, so that this and `STACK` together keep a hostile file from ending the process. A Rust plugin has some kilobytes.
const TYPES: usize = 256 << 10;
/// The stack on which a file is parsed, in bytes. It is memory only as far as it is used.
pub(super) const STACK: usize = 512 << 20;

/// The contract, as plugin authors read it.
const CONTRACT: [(&str, &str); 11] = [
    ("about.wit", include_str!("../../../wit/about.wit")),
    ("aggregator.wit", include_str!("../../../wit/aggregator.wit")),
    ("aws.wit", include_str!("../../../wit/aws.wit")),
    ("http.wit", include_str!("../../../wit/http.wit")),
    ("log.wit", include_str!("../../../wit/log.wit")),
    ("objects.wit", include_str!("../../../wit/objects.wit")),
    ("sink.wit", include_str!("../../../wit/sink.wit")),
    ("snapshot-sink.wit", include_str!("../../../wit/snapshot-sink.wit")),
    ("source.wit", include_str!("../../../wit/source.wit")),
    ("types.wit", include_str!("../../../wit/types.wit")),
    ("worlds.wit", include_str!("../../../wit/worlds.wit")),
];
/// The version in which the files above are written.
const WRITTEN: &str = "0.1.0";

/// The bytes of a component.
///
/// # Errors
/// They are no WebAssembly, or a core module that is no plugin.
pub(super) fn as_component(engine: &wasmtime::Engine, linkers: &Linkers, bytes: &[u8]) -> Result<Arc<[u8]>, LoadError> {
    if bytes.len() > LARGEST {
        return Err(LoadError::TooLarge { what: "it", size: bytes.len(), most: LARGEST });
    }
    // The layer field of the preamble: 0 is a core module, 1 a component.
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => {
            refuse_deep(bytes)?;
            Ok(bytes.into())
        }
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => {
            // The encoder trusts what it reads, and panics at a module that is cut off.
            wasmtime::Module::validate(engine, bytes).map_err(LoadError::not_a_component)?;
            let module = Module::read(bytes)?;
            module.check_imports(linkers)?;
            wrapped(&module, bytes).map(Into::into)
        }
        _ => Err(LoadError::NotWasm),
    }
}

/// Refuses a component whose types could be nested too deeply for the stack. What else is wrong with it, the compiler says better.
fn refuse_deep(bytes: &[u8]) -> Result<(), LoadError> {
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return Ok(()) };
        if let Payload::ComponentTypeSection(types) = payload {
            let size = types.range().len();
            if size > TYPES {
                return Err(LoadError::TooLarge { what: "a section of its types", size, most: TYPES });
            }
        }
    }
    Ok(())
}

/// A core module's names.
struct Module {
    role: Role,
    /// Of the contract: `0.1.0`.
    version: String,
    /// The modules that it imports from.
    imports: Vec<String>,
    /// Its sections but for those that describe it as a component.
    sections: Vec<std::ops::Range<usize>>,
}

impl Module {
    /// Reads a module that is valid.
    fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        let (mut exports, mut imports, mut sections) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = 8;
        let unreadable = |error: wasmparser::BinaryReaderError| LoadError::NotWrapped { cause: error.to_string() };
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(unreadable)?;
            match &payload {
                Payload::ImportSection(section) => {
                    for import in section.clone().into_imports() {
                        imports.push(import.map_err(unreadable)?.module.to_owned());
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section.clone() {
                        let export = export.map_err(unreadable)?;
                        if export.kind == ExternalKind::Func {
                            exports.push(export.name.to_owned());
                        }
                    }
                }
                _ => {}
            }
            // A section's own header stands before its contents.
            let Some((_, contents)) = payload.as_section() else { continue };
            let described =
                matches!(&payload, Payload::CustomSection(custom) if custom.name().starts_with("component-type"));
            if !described {
                sections.push(at..contents.end);
            }
            at = contents.end;
        }
        imports.dedup();
        // `meterhost:plugin/aggregator@0.1.0#open`
        let found = exports.iter().find_map(|name| Interface::parse(name.split_once('#')?.0));
        let Some(Interface { role, version }) = found else {
            let cause = format!("it exports no function of {PACKAGE}source, aggregator, sink or snapshot-sink");
            return Err(LoadError::NotWrapped { cause });
        };
        Ok(Module { role, version: version.to_owned(), imports, sections })
    }

    /// Checks that it imports from nothing but the contract: what else there is needs a component, which says what it means.
    fn check_imports(&self, linkers: &Linkers) -> Result<(), LoadError> {
        // What is built in begins with `$` or `[`.
        let known = |name: &&String| {
            name.starts_with(['$', '[']) || (name.starts_with(PACKAGE) && linkers.knows(self.role, name))
        };
        match self.imports.iter().find(|name| !known(name)) {
            Some(name) => Err(LoadError::UnknownImport { name: name.clone(), role: self.role }),
            None => Ok(()),
        }
    }
}

/// Wraps a module with this host's description of its world.
fn wrapped(module: &Module, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    super::load::check_version(&module.version)?;
    let encoded = std::panic::catch_unwind(|| {
        let mut sources = SourceMap::default();
        for (name, text) in CONTRACT {
            // A patch of the contract is the same to the module and to this host, and part of the names of both.
            sources.push_str(name, text.replace(WRITTEN, &module.version));
        }
        let mut resolve = Resolve::default();
        let group = sources.parse().map_err(|(_, error)| format!("{error:?}"))?;
        let package = resolve.push_group(group).map_err(|error| format!("{error:?}"))?;
        let world =
            resolve.select_world(&[package], Some(module.role.world())).map_err(|error| format!("{error:#}"))?;
        let mut bare = bytes.get(..8).unwrap_or_default().to_vec();
        for section in &module.sections {
            bare.extend_from_slice(bytes.get(section.clone()).unwrap_or_default());
        }
        embed_component_metadata(&mut bare, &resolve, world, StringEncoding::UTF8)
            .and_then(|()| ComponentEncoder::default().validate(true).module(&bare))
            .and_then(|mut encoder| encoder.encode())
            .map_err(|error| format!("{error:#}"))
    });
    match encoded {
        Ok(encoded) => encoded.map_err(|cause| LoadError::NotWrapped { cause }),
        Err(_) => Err(LoadError::NotWrapped { cause: "the encoder panicked at it".to_owned() }),
    }
}
