//! What a run is asked for, and who is told how it goes.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::Claim;
use crate::model::window::Window;

/// What a run is asked for besides its file.
pub struct Options<'a> {
    /// What time it is for windows and plugins.
    pub now: Timestamp,
    /// Only this window.
    pub window: Option<Window>,
    /// Only this customer, at once and for good.
    pub last: Option<LastBill>,
    /// A month to be published though nothing of it changed.
    pub republish: Option<Window>,
    /// Show what would be done, and change nothing.
    pub dry_run: bool,
    /// For how long another run is waited for.
    pub wait: Duration,
    /// Set from outside to end the run between two steps.
    pub stop: &'a AtomicBool,
    /// Told what happens.
    pub watch: &'a (dyn Watch + Sync),
}

/// A customer's last bill: of all that is not billed of them yet, grace ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastBill {
    /// As the sinks know them.
    pub customer: String,
    /// Usage before this instant is billed.
    pub until: Timestamp,
}

impl LastBill {
    /// When the usage of a charge of this window ends, if that is before the window does: milliseconds, UTC.
    pub(super) fn ends(&self, window: &Window) -> Option<i64> {
        Some(self.until.as_millisecond()).filter(|until| *until < window.end().as_millisecond())
    }
}

impl Options<'_> {
    /// What this run says when it wants to write the ledger. `told` is passed on to whoever watches.
    pub(super) fn claim<'a>(&'a self, run: &'a str, told: &'a dyn Fn(&str)) -> Claim<'a> {
        Claim { run, wait: self.wait, stop: self.stop, told }
    }
}

/// Is told what happens while it does.
pub trait Watch {
    /// A step begins: `reading 2025-06`.
    fn step(&self, what: &str);
    /// So many records more were read.
    fn records(&self, more: u64);
    /// So many charges of so many were offered to a sink.
    fn charges(&self, done: u64, total: u64);
}
