//! The one place that configures wasmtime: compilation, the clock of epochs.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use wasmtime::Config;
use wasmtime::component::Component;

use super::cache::Cache;
use super::error::LoadError;
use super::guest;
use super::load::Loaded;
use super::wrap::{STACK, as_component};

/// How often a guest's time is looked at. A limit is kept to this precision.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// The thread that drives an engine's clock, as a debugger names it.
pub(super) const CLOCK: &str = "plugin-clock";

/// Compiles plugins and makes instances of them. A clone is the same engine.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) wasmtime: wasmtime::Engine,
    /// Drives the guests' imports.
    pub(super) io: Handle,
    pub(super) linkers: guest::Linkers,
    cache: Option<Cache>,
    /// By the SHA-256 of the bytes as they were found, never by a name or a claim.
    loaded: Mutex<HashMap<[u8; 32], Arc<Loaded>>>,
}

impl Engine {
    /// An engine that keeps compiled code in `cache`, a folder that only this user can write: its contents are run as they are. The
    /// second value says why there is no cache, if there is none in spite of that.
    ///
    /// # Errors
    /// This machine cannot run WebAssembly, or has no thread left.
    pub fn new(io: Handle, cache: Option<&Path>) -> Result<(Engine, Option<String>), LoadError> {
        let wasmtime = wasmtime::Engine::new(&configuration()).map_err(LoadError::engine)?;
        let (cache, warning) = match cache.map(|folder| Cache::open(folder, &wasmtime)).transpose() {
            Ok(cache) => (cache, None),
            Err(warning) => (None, Some(warning)),
        };
        let linkers = guest::Linkers::new(&wasmtime).map_err(LoadError::engine)?;
        tick(&wasmtime).map_err(LoadError::Thread)?;
        Ok((Engine(Arc::new(Inner { wasmtime, io, linkers, cache, loaded: Mutex::default() })), warning))
    }

    /// Compiles a component, or a core module that carries its component type; checks that everything it imports is there. The same
    /// bytes are compiled once.
    pub(super) fn load(&self, bytes: &[u8]) -> Result<Arc<Loaded>, LoadError> {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let mut loaded = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = loaded.get(&digest) {
            return Ok(found.clone());
        }
        let component = match self.0.cache.as_ref().and_then(|cache| cache.get(&self.0.wasmtime, &digest)) {
            Some(component) => component,
            None => self.compile(bytes, &digest)?,
        };
        let fresh = Arc::new(Loaded::new(self, component, digest)?);
        loaded.insert(digest, fresh.clone());
        Ok(fresh)
    }

    fn compile(&self, bytes: &[u8], digest: &[u8; 32]) -> Result<Component, LoadError> {
        let engine = &self.0.wasmtime;
        let component = with_room(|| {
            Component::new(engine, as_component(engine, &self.0.linkers, bytes)?).map_err(LoadError::not_a_component)
        })?;
        if let Some(Err(error)) = self.0.cache.as_ref().map(|cache| cache.put(digest, &component)) {
            tracing::warn!("a compiled plugin is not kept, and the next start compiles it anew: {error}");
        }
        Ok(component)
    }
}

/// Does this on a thread whose stack is deep enough for whatever `wrap` lets through.
fn with_room<T: Send>(doing: impl FnOnce() -> Result<T, LoadError> + Send) -> Result<T, LoadError> {
    std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, doing).map_err(LoadError::Thread)?;
        thread.join().unwrap_or(Err(LoadError::Panicked))
    })
}

/// What no plugin needs is off: what is not there has no bugs.
fn configuration() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_memory64(false)
        .concurrency_support(false)
        .epoch_interruption(true)
        .parallel_compilation(true)
        // The same input gives the same charges, byte for byte, on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .max_wasm_stack(1 << 20)
        .async_stack_size(2 << 20);
    config
}

/// Advances the epoch for as long as the engine lives, and holds it weakly, so that it can end.
fn tick(engine: &wasmtime::Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name(CLOCK.to_owned()).spawn(move || {
        loop {
            std::thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    })?;
    Ok(())
}
