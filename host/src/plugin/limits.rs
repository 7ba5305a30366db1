//! What an instance may use, and the count of what it does.

use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::config::LimitsSpec;

/// What one instance of a plugin may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Computing time of one call.
    pub time: Duration,
    /// Wall time of one call; waiting for a rate limit does not count.
    pub wall: Duration,
    /// Bytes over all linear memories.
    pub memory: u64,
    /// Bytes of log lines in the life of the instance.
    pub log: u64,
    /// Bytes that one call may carry from the guest to the host.
    pub call: usize,
}

/// The most elements of all tables together; a Rust plugin has some hundreds.
const TABLE_ELEMENTS: usize = 100_000;
/// Bytes that a call of a plugin at work may carry.
const CALL_BYTES: usize = 256 << 20;
/// Resources of its own that an instance may hand out at once.
pub(super) const HANDLES: usize = 10_000;
/// Objects, listings and uploads that an instance may have open at once: each may hold a file of this process, of which the other
/// plugins and the ledger need some too.
pub(super) const OPEN: usize = 64;

impl Limits {
    /// Enough for a plugin at work: a minute of computing, ten minutes of wall time, 1 GiB, 1 MiB of log.
    pub fn new(spec: &LimitsSpec) -> Self {
        Limits {
            time: spec.time.unwrap_or(Duration::from_secs(60)),
            wall: spec.wall.unwrap_or(Duration::from_secs(600)),
            memory: spec.memory.unwrap_or(1 << 30),
            log: spec.log.unwrap_or(1 << 20),
            call: CALL_BYTES,
        }
    }

    /// For `describe`, which answers from constants.
    pub(super) fn describing() -> Self {
        Limits {
            time: Duration::from_secs(1),
            wall: Duration::from_secs(5),
            memory: 64 << 20,
            log: 64 << 10,
            call: 4 << 20,
        }
    }
}

/// Counts memory over all linear memories of a store, and refuses with a reason that is kept.
#[derive(Debug)]
pub(super) struct Usage {
    most: u64,
    memory: u64,
    tables: usize,
    /// What was refused last.
    pub(super) refused: Option<Refused>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Memory(u64),
    Tables,
}

impl Usage {
    pub(super) fn new(most: u64) -> Self {
        Usage { most, memory: 0, tables: 0, refused: None }
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> u64 {
        self.memory
    }
}

/// Whether its own declaration allows a memory or table to grow so far. The engine asks here first and looks at that afterwards, so
/// that what it will refuse is not to be counted.
fn declared(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_none_or(|maximum| desired <= maximum)
}

impl ResourceLimiter for Usage {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let together = self.memory.saturating_add(desired.saturating_sub(current) as u64);
        if together > self.most {
            self.refused = Some(Refused::Memory(self.most));
            // A trap that names the limit is worth more than an allocator that finds out and aborts.
            wasmtime::bail!("the memory limit of {} bytes", self.most);
        }
        if !declared(desired, maximum) {
            return Ok(false);
        }
        self.memory = together;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let together = self.tables.saturating_add(desired.saturating_sub(current));
        if together > TABLE_ELEMENTS {
            self.refused = Some(Refused::Tables);
            wasmtime::bail!("the limit of {TABLE_ELEMENTS} table elements");
        }
        if !declared(desired, maximum) {
            return Ok(false);
        }
        self.tables = together;
        Ok(true)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}
