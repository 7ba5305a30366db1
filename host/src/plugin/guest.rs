//! What stands on the host's side of one instance: its limits, its way to the outside, and the imports that lead there.

use std::time::Duration;

use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use super::bindings::imports::{about, aws, http, log, objects, types};
use super::limits::{Limits, OPEN, Usage};
use super::load::Role;
use super::log::LogLines;
use crate::broker::Session;

/// The data of a store.
pub(super) struct Guest {
    pub(super) usage: Usage,
    pub(super) session: Session,
    pub(super) lines: LogLines,
    pub(super) table: ResourceTable,
    wasi: WasiCtx,
}

impl Guest {
    pub(super) fn new(limits: &Limits, session: Session, lines: LogLines, now: i64) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(OPEN);
        // No arguments, no environment, no folders, no network; the clock shows what the call's `now` says.
        let wasi = WasiCtx::builder()
            .wall_clock(Stopped(Duration::from_millis(now.max(0).unsigned_abs())))
            .monotonic_clock(Stopped(Duration::ZERO))
            .max_random_size(1 << 16)
            .build();
        Guest { usage: Usage::new(limits.memory), session, lines, table, wasi }
    }
}

/// A clock that stands still.
struct Stopped(Duration);

impl HostWallClock for Stopped {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Stopped {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// What components are linked to.
pub(super) struct Linkers {
    /// For sources and sinks: the contract's imports, and a WASI that leads nowhere.
    pub(super) open: Linker<Guest>,
    /// For aggregators: `log` alone.
    pub(super) closed: Linker<Guest>,
}

impl Linkers {
    pub(super) fn new(engine: &wasmtime::Engine) -> wasmtime::Result<Self> {
        let mut closed = Linker::new(engine);
        types::add_to_linker::<Guest, HasSelf<Guest>>(&mut closed, |guest| guest)?;
        about::add_to_linker::<Guest, HasSelf<Guest>>(&mut closed, |guest| guest)?;
        log::add_to_linker::<Guest, HasSelf<Guest>>(&mut closed, |guest| guest)?;
        let mut open = Linker::new(engine);
        types::add_to_linker::<Guest, HasSelf<Guest>>(&mut open, |guest| guest)?;
        about::add_to_linker::<Guest, HasSelf<Guest>>(&mut open, |guest| guest)?;
        log::add_to_linker::<Guest, HasSelf<Guest>>(&mut open, |guest| guest)?;
        objects::add_to_linker::<Guest, HasSelf<Guest>>(&mut open, |guest| guest)?;
        http::add_to_linker::<Guest, HasSelf<Guest>>(&mut open, |guest| guest)?;
        aws::add_to_linker::<Guest, HasSelf<Guest>>(&mut open, |guest| guest)?;
        wasmtime_wasi::p2::add_to_linker_async(&mut open)?;
        Ok(Linkers { open, closed })
    }

    /// Whether a plugin of this role may import an interface of this name.
    pub(super) fn knows(&self, role: Role, name: &str) -> bool {
        let interface = name.split_once('@').map_or(name, |(interface, _)| interface);
        let closed = ["types", "about", "log"];
        let open = ["objects", "http", "aws"];
        let wasi = ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];
        let ours = interface.strip_prefix("meterhost:plugin/");
        let outside = matches!(role, Role::Source | Role::Sink | Role::SnapshotSink);
        ours.is_some_and(|name| closed.contains(&name) || (outside && open.contains(&name)))
            || (outside && wasi.iter().any(|prefix| interface.starts_with(prefix)))
    }
}
