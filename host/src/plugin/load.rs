//! From bytes to a component that is known to fit: of which kind it is, and that it imports nothing else.

use wasmtime::component::Component;

use super::bindings::{aggregator, sink, snapshot, source};
use super::engine::Engine;
use super::error::LoadError;
use super::guest::Guest;

/// The contract that this host speaks, without its patch number: 0.1.z plugins fit each other.
const CONTRACT: &str = "0.1";
pub(super) const PACKAGE: &str = "meterhost:plugin/";

/// A compiled component, ready to be instantiated.
pub(super) struct Loaded {
    pub(super) digest: [u8; 32],
    pub(super) pre: Pre,
}

/// By the world that the component exports.
pub(super) enum Pre {
    Source(source::SourcePluginPre<Guest>),
    Aggregator(aggregator::AggregatorPluginPre<Guest>),
    Sink(sink::SinkPluginPre<Guest>),
    Snapshot(snapshot::SnapshotSinkPluginPre<Guest>),
}

/// The role that a plugin plays in a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads usage.
    Source,
    /// Turns usage into charges.
    Aggregator,
    /// Delivers charge by charge.
    Sink,
    /// Publishes complete sets.
    SnapshotSink,
}

impl Role {
    /// The word that messages have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Source => "source",
            Role::Aggregator => "aggregator",
            Role::Sink => "sink",
            Role::SnapshotSink => "snapshot sink",
        }
    }

    fn interface(self) -> &'static str {
        match self {
            Role::Source => "source",
            Role::Aggregator => "aggregator",
            Role::Sink => "sink",
            Role::SnapshotSink => "snapshot-sink",
        }
    }

    /// The name of its world in the contract.
    pub(super) fn world(self) -> &'static str {
        match self {
            Role::Source => "source-plugin",
            Role::Aggregator => "aggregator-plugin",
            Role::Sink => "sink-plugin",
            Role::SnapshotSink => "snapshot-sink-plugin",
        }
    }
}

/// The interface by which a plugin shows its role, as the name of an export has it: `meterhost:plugin/aggregator@0.1.0`.
pub(super) struct Interface<'a> {
    pub(super) role: Role,
    pub(super) version: &'a str,
}

impl<'a> Interface<'a> {
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
        let role = [Role::Source, Role::Aggregator, Role::Sink, Role::SnapshotSink]
            .into_iter()
            .find(|role| role.interface() == interface)?;
        Some(Interface { role, version })
    }
}

fn is_number(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Checks that a version of the contract is one that this host speaks.
pub(super) fn check_version(version: &str) -> Result<(), LoadError> {
    match version.strip_prefix(CONTRACT).and_then(|patch| patch.strip_prefix('.')).is_some_and(is_number) {
        true => Ok(()),
        false => Err(LoadError::OtherContract { found: version.to_owned(), host: CONTRACT }),
    }
}

impl Loaded {
    pub(super) fn new(engine: &Engine, component: Component, digest: [u8; 32]) -> Result<Self, LoadError> {
        let role = role(engine, &component)?;
        let linkers = &engine.0.linkers;
        let linker = match role {
            Role::Aggregator => &linkers.closed,
            Role::Source | Role::Sink | Role::SnapshotSink => &linkers.open,
        };
        let pre = linker.instantiate_pre(&component).map_err(|error| {
            let unknown = component
                .component_type()
                .imports(&engine.0.wasmtime)
                .map(|(name, _)| name.to_owned())
                .find(|name| !linkers.knows(role, name));
            match unknown {
                Some(name) => LoadError::UnknownImport { name, role },
                None => LoadError::not_a_component(error),
            }
        })?;
        let fits = |error| LoadError::DoesNotFit { role, cause: error };
        let pre = match role {
            Role::Source => Pre::Source(source::SourcePluginPre::new(pre).map_err(fits)?),
            Role::Aggregator => Pre::Aggregator(aggregator::AggregatorPluginPre::new(pre).map_err(fits)?),
            Role::Sink => Pre::Sink(sink::SinkPluginPre::new(pre).map_err(fits)?),
            Role::SnapshotSink => Pre::Snapshot(snapshot::SnapshotSinkPluginPre::new(pre).map_err(fits)?),
        };
        Ok(Loaded { digest, pre })
    }

    pub(super) fn role(&self) -> Role {
        match self.pre {
            Pre::Source(_) => Role::Source,
            Pre::Aggregator(_) => Role::Aggregator,
            Pre::Sink(_) => Role::Sink,
            Pre::Snapshot(_) => Role::SnapshotSink,
        }
    }
}

/// Which world a component exports, by the names of its exports.
fn role(engine: &Engine, component: &Component) -> Result<Role, LoadError> {
    let exports: Vec<String> =
        component.component_type().exports(&engine.0.wasmtime).map(|(name, _)| name.to_owned()).collect();
    if let Some(Interface { role, version }) = exports.iter().find_map(|name| Interface::parse(name)) {
        check_version(version)?;
        return Ok(role);
    }
    Err(LoadError::NoRole { exports })
}
