//! What the engine promises, shown on plugins that break every rule.
//!
//! | file | subject |
//! |---|---|
//! | `module` | the plugins: core modules in WebAssembly text |
//! | `loading` | which bytes are plugins, and what is said of those that are not |
//! | `describing` | a plugin that misbehaves while it says what it is |
//! | `memory`, `caps` | how much an instance may have and carry |
//! | `log_lines` | how much it may write |
//! | `waiting` | computing time, wall time, and time that counts as neither |
//! | `wasi` | what components get of WASI |
//! | `lives` | what is shared, what is thrown away, and when the engine ends |

mod caps;
mod describing;
mod lives;
mod loading;
mod log_lines;
mod memory;
mod module;
mod waiting;
mod wasi;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::module::Module;
use super::error::{Cause, Failure, LoadError};
use super::instance::Settings;
use super::limits::Limits;
use super::{AggregatorInstance, Engine, Plugin, SourceInstance};
use crate::broker::{Broker, BrokerSettings, Grants, Session};
use crate::config::GrantSpec;
use crate::model::window::WindowKind;

/// An engine, and what stands around it.
struct Host {
    engine: Engine,
    broker: Broker,
    folder: TempDir,
    /// Drives what the instances wait for.
    _io: Runtime,
}

impl Host {
    fn new() -> Self {
        let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (engine, warning) = Engine::new(io.handle().clone(), None).unwrap();
        assert_eq!(warning, None);
        let broker = Broker::new(BrokerSettings::new(io.handle().clone())).unwrap();
        Host { engine, broker, folder: tempfile::tempdir().unwrap(), _io: io }
    }

    fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        self.load_as("odd", bytes)
    }

    fn load_as(&self, name: &str, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let path = self.folder.path().join(format!("{name}.wasm"));
        std::fs::write(&path, bytes).unwrap();
        Plugin::load(&self.engine, &path, &self.broker)
    }

    fn session(&self, spec: &GrantSpec) -> Session {
        let grants = Grants::parse(spec, Path::new("/")).unwrap();
        self.broker.session("source", Arc::new(grants), false)
    }

    fn settings(&self, limits: Limits, spec: &GrantSpec) -> Settings {
        Settings { name: "source".to_owned(), limits, session: self.session(spec), now: 0 }
    }

    /// An instance of a source that is granted nothing.
    fn source(&self, module: &Module, limits: Limits) -> SourceInstance {
        let plugin = self.load(&module.bytes()).unwrap();
        SourceInstance::start(&plugin, self.settings(limits, &GrantSpec::default())).unwrap()
    }

    /// Has an aggregator check its configuration, in an instance of its own.
    fn check(&self, plugin: &Plugin, limits: Limits) -> Result<(), Failure> {
        let settings = self.settings(limits, &GrantSpec::default());
        AggregatorInstance::check(plugin, settings, "{}", WindowKind::Hour)
    }
}

/// Enough for every test, and little enough to run over.
fn limits() -> Limits {
    Limits { time: Duration::from_secs(1), wall: Duration::from_secs(10), memory: 4 << 20, log: 1 << 20, call: 1 << 20 }
}

fn cause(result: Result<(), Failure>) -> Cause {
    result.unwrap_err().cause
}
