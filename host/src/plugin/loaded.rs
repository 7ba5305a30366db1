//! A loaded plugin, and what it says about itself.

use std::path::Path;
use std::sync::Arc;

use super::cache::hexadecimal;
use super::engine::Engine;
use super::error::LoadError;
use super::instance::{Instance, Settings};
use super::limits::Limits;
use super::load::{Loaded, Pre, Role};
use super::lookup;
use super::v0_1::{Description, description};
use crate::broker::{Broker, DESCRIBING, Grants};

/// A plugin that was loaded, checked and has described itself. A clone is the same plugin.
#[derive(Clone)]
pub struct Plugin {
    pub(super) engine: Engine,
    pub(super) loaded: Arc<Loaded>,
    description: Arc<Description>,
}

impl Plugin {
    /// Loads a plugin from its file, and asks it what it is, with everything denied.
    ///
    /// # Errors
    /// The file is no plugin that this host can run.
    pub fn load(engine: &Engine, path: &Path, broker: &Broker) -> Result<Plugin, LoadError> {
        let loaded = engine.load(&lookup::read(path)?)?;
        let name = path.file_stem().map_or_else(|| "plugin".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let settings = Settings {
            session: broker.session(DESCRIBING, Arc::new(Grants::none()), true),
            name,
            limits: Limits::describing(),
            now: 0,
        };
        let description = describe(engine, &loaded, settings).map_err(LoadError::Describe)?;
        Ok(Plugin { engine: engine.clone(), loaded, description: Arc::new(description) })
    }

    /// What it says about itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The role that it plays.
    pub fn role(&self) -> Role {
        self.loaded.role()
    }

    /// The SHA-256 of its file, in lower-case hexadecimal.
    pub fn digest(&self) -> String {
        hexadecimal(&self.loaded.digest)
    }

    /// Name and version, as messages show them.
    pub fn label(&self) -> String {
        format!("{} {}", self.description.name, self.description.version)
    }

    /// Checks that it plays the role that a section asks for.
    ///
    /// # Errors
    /// It plays another.
    pub fn expect(&self, wanted: &[Role]) -> Result<(), LoadError> {
        let found = self.role();
        match wanted {
            wanted if wanted.contains(&found) => Ok(()),
            [wanted, ..] => Err(LoadError::WrongRole { found, wanted: *wanted }),
            [] => Ok(()),
        }
    }
}

pub(super) fn describe(engine: &Engine, loaded: &Loaded, settings: Settings) -> Result<Description, super::Failure> {
    // One arm a world: the generated types share nothing but their shape.
    macro_rules! describe {
        ($pre:expr) => {{
            let mut instance = Instance::start(engine, settings, async |store| $pre.instantiate_async(store).await)?;
            instance.call(async |bindings, store| bindings.call_describe(store).await)?
        }};
    }
    Ok(description(match &loaded.pre {
        Pre::Source(pre) => describe!(pre),
        Pre::Aggregator(pre) => describe!(pre),
        Pre::Sink(pre) => describe!(pre),
        Pre::Snapshot(pre) => describe!(pre),
    })?)
}
