//! Places where a test can end the process as `kill -9` would, or stop it for a while. There are none in a release build.
//!
//! `METERHOST_FAILPOINT=NAME` ends it at the place of this name, `NAME#3` when it is passed for the third time; `stop:NAME` stops it there
//! as a machine that is put to sleep does, until somebody wakes it (SIGCONT). `METERHOST_FAILPOINTS=FILE` adds the name of each place
//! that is passed to a file, so that a test can visit them all.
//!
//! `METERHOST_CLOCK=TIME` is the real time for a ledger that is new: windows that end later were not over then.
//!
//! | names | where |
//! |---|---|
//! | `write:KIND`, `written:KIND`, `kept:KIND` | before an entry of the ledger is written, before its head is kept apart, and after that; `KIND` is the last of the entries |
//! | `lease`, `leased`, `released` | around taking and giving back the lease on a ledger on S3 |
//! | `request`, `answer` | around a request of a sink's plugin |
//! | `submit`, `submitted`, `look-up`, `looked-up` | around a call of the plugin |
//! | `mirror`, `mirrored` | around a write of the state document |
//! | `opened`, `reading`, `read`, `delivering`, `delivered`, `closing`, `reporting`, `reported` | between the steps of a run |

use jiff::Timestamp;

/// Ends or stops the process here, if it is told to.
#[cfg(debug_assertions)]
pub(crate) fn failpoint(name: &str) {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// How often the place that is waited for was passed.
    static PASSED: AtomicU32 = AtomicU32::new(0);

    if let Some(file) = std::env::var_os("METERHOST_FAILPOINTS") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
        // Tests only: what is not written down is not visited, and they count what they visit.
        let _ = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
    }
    let Ok(wanted) = std::env::var("METERHOST_FAILPOINT") else { return };
    let (signal, place) = match wanted.strip_prefix("stop:") {
        Some(place) => (Signal::STOP, place),
        None => (Signal::KILL, wanted.as_str()),
    };
    let (place, times) = place.split_once('#').unwrap_or((place, "1"));
    if place == name && (PASSED.fetch_add(1, Ordering::SeqCst) + 1).to_string() == times {
        let _ = kill_process(getpid(), signal);
        // The signal reaches this thread, or another one that takes this one with it, before long.
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn failpoint(_name: &str) {}

/// The real time, unless a test says another.
pub(crate) fn clock() -> Timestamp {
    #[cfg(debug_assertions)]
    if let Some(clock) = std::env::var("METERHOST_CLOCK").ok().and_then(|text| text.parse().ok()) {
        return clock;
    }
    Timestamp::now()
}
