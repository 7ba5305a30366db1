//! Who holds a ledger.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A run, and the process that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// Its process.
    pub pid: u32,
    /// The machine's name, for a person.
    pub host: String,
    /// Since when, by the real clock, in UTC.
    pub since: String,
    /// The running system and the process namespace in which `pid` means something; empty where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system: String,
    /// When the process was started, as the system counts: another one may get the same number later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
}

impl Holder {
    /// This process.
    pub(super) fn this(run: &str) -> Holder {
        let pid = std::process::id();
        Holder {
            run: run.to_owned(),
            pid,
            host: host(),
            since: format!("{:.0}", Timestamp::now()),
            system: system().unwrap_or_default(),
            started: process(pid).map(|process| process.started),
        }
    }

    /// For a person: `process 12 on ci-3, since 2025-07-01T02:00:00Z (run 20250701T020000Z-1a2b3c4d)`.
    pub(super) fn words(&self) -> String {
        let Holder { run, pid, host, since, .. } = self;
        format!("process {pid} on {host}, since {since} (run {run})")
    }

    /// Whether its process is surely gone: it ran on this very system, and there is no such process any more.
    pub(super) fn is_gone(&self) -> bool {
        let (Some(started), Some(system)) = (self.started, system()) else { return false };
        system == self.system && process(self.pid).is_none_or(|process| process.is_dead || process.started != started)
    }
}

/// The machine's name.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "this machine".to_owned())
}

/// The running kernel, and the namespace of its processes: in another container the same number is another process.
fn system() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

struct Process {
    started: u64,
    /// It has ended, and nobody has asked yet how.
    is_dead: bool,
}

/// What the system knows of a process (proc_pid_stat(5)); nothing if there is none.
fn process(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?.parse().ok()?;
    Some(Process { started, is_dead: ["Z", "X", "x"].contains(&state) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_there() {
        let this = Holder::this("r");
        assert!(!this.is_gone());
        assert_eq!(this.pid, std::process::id());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_ended_is_gone_and_so_is_one_whose_number_another_has() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = process(child.id()).unwrap();
        let holder = Holder { pid: child.id(), started: Some(process.started), ..Holder::this("r") };
        assert!(!holder.is_gone());
        assert!(Holder { started: Some(process.started + 1), ..holder.clone() }.is_gone());
        child.kill().unwrap();
        let ended = |holder: &Holder| {
            (0..100).any(|_| {
                holder.is_gone() || {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                    false
                }
            })
        };
        assert!(ended(&holder), "a process that nobody has waited for yet");
        child.wait().unwrap();
        assert!(holder.is_gone());
    }

    #[test]
    fn of_another_system_nothing_is_known() {
        let elsewhere = Holder { pid: 4_000_000, system: "another".to_owned(), ..Holder::this("r") };
        assert!(!elsewhere.is_gone());
        let unknown = Holder { pid: 4_000_000, system: String::new(), started: None, ..Holder::this("r") };
        assert!(!unknown.is_gone());
    }
}
