//! The one place that configures wasmtime: compilation, the cache of compiled code, the clock of epochs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Config};

use super::error::LoadError;
use super::guest;
use super::load::{Loaded, as_component};

/// How often a guest's time is looked at. A limit is kept to this precision.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Compiles plugins and makes instances of them. A clone is the same engine.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) wasmtime: wasmtime::Engine,
    /// Drives the guests' imports.
    pub(super) io: Handle,
    pub(super) linkers: guest::Linkers,
    /// By the SHA-256 of the bytes as they were found, never by a name or a claim.
    loaded: Mutex<HashMap<[u8; 32], Arc<Loaded>>>,
}

impl Engine {
    /// An engine that keeps compiled code in `cache`, a folder that only this user can write: its contents are run as they are. The
    /// second value says why there is no cache, if there is none in spite of that.
    ///
    /// # Errors
    /// This machine cannot run WebAssembly.
    pub fn new(io: Handle, cache: Option<&Path>) -> Result<(Engine, Option<String>), LoadError> {
        let (cache, warning) = match cache.map(open_cache).transpose() {
            Ok(cache) => (cache, None),
            Err(warning) => (None, Some(warning)),
        };
        let wasmtime = wasmtime::Engine::new(&configuration(cache)).map_err(LoadError::engine)?;
        let linkers = guest::Linkers::new(&wasmtime).map_err(LoadError::engine)?;
        tick(&wasmtime);
        Ok((Engine(Arc::new(Inner { wasmtime, io, linkers, loaded: Mutex::default() })), warning))
    }

    /// Compiles a component, or a core module that carries its component type; checks that everything it imports is there. The same
    /// bytes are compiled once.
    pub(super) fn load(&self, bytes: &[u8]) -> Result<Arc<Loaded>, LoadError> {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let mut loaded = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = loaded.get(&digest) {
            return Ok(found.clone());
        }
        let component = as_component(&self.0.wasmtime, bytes)?;
        let component = Component::new(&self.0.wasmtime, &component).map_err(LoadError::not_a_component)?;
        let fresh = Arc::new(Loaded::new(self, component, digest)?);
        loaded.insert(digest, fresh.clone());
        Ok(fresh)
    }
}

/// Everything that is not needed is off: what is not there has no bugs.
fn configuration(cache: Option<Cache>) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .parallel_compilation(true)
        .max_wasm_stack(1 << 20)
        .async_stack_size(2 << 20)
        .cache(cache);
    config
}

/// Advances the epoch for as long as the engine lives, and holds it weakly, so that it can end.
fn tick(engine: &wasmtime::Engine) {
    let engine = engine.weak();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    });
}

/// Opens the cache if nobody else can put code into it.
fn open_cache(folder: &Path) -> Result<Cache, String> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    let said = |what: &dyn std::fmt::Display| {
        format!("compiled plugins are not kept, and each start compiles them anew: {}: {what}", folder.display())
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| said(&error))?;
    let folder: PathBuf = folder.canonicalize().map_err(|error| said(&error))?;
    let meta = std::fs::metadata(&folder).map_err(|error| said(&error))?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(said(&"the folder belongs to another user, who could put code of their own into it"));
    }
    if meta.mode() & 0o022 != 0 {
        return Err(said(&"other users can write into the folder; chmod go-w makes it usable"));
    }
    let probe = folder.join(".meterhost-probe");
    std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(|error| said(&error))?;
    let mut config = CacheConfig::new();
    config.with_directory(folder.as_path());
    Cache::new(config).map_err(|error| said(&error))
}
