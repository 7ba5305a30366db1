//! Places where a test can end the process as `kill -9` would, or stop it for a while. There are none in a release build.
//!
//! `METERHOST_FAILPOINT=NAME` ends it at the place of this name, `NAME#3` when it is passed for the third time; `stop:NAME` stops it there
//! as a machine that is put to sleep does, until somebody wakes it (SIGCONT). `METERHOST_FAILPOINTS=FILE` adds the name of each place
//! that is passed to a file, so that a test can visit them all. `METERHOST_FAULT=NAME` makes a mistake of the host's own, to see it found.
//!
//! | names | where |
//! |---|---|
//! | `checking` | while a plugin's configuration is checked against its schema |
//! | `write:KIND`, `written:KIND`, `kept:KIND` | before an entry of the ledger is written, before its head is kept apart, and after that; `KIND` is the last of the entries |
//! | `lease`, `leased`, `released` | around taking and giving back the lease on a ledger on S3 |
//! | `reading-ledger` | before its entries are read, when it is known where they have to end |
//! | `request`, `answer` | around a request of a sink's plugin |
//! | `submit`, `submitted`, `look-up`, `looked-up` | around a call of the plugin |
//! | `claiming`, `claimed` | when the token is written down under which a queue's records are claimed, and when a page of them is |
//! | `taking` | when the names of records are written that went into what is about to be frozen |
//! | `telling`, `told`, `acknowledged` | before a queue is told, when it was, and when that is written down |
//! | `beginning-set`, `writing-set`, `finishing-set`, `showing-set`, `shown-set` | before a set is begun, its first charge handed over, its end, before it is shown and after that |
//! | `reverting-set`, `removing-set` | before an older set is shown again, and before one is deleted |
//! | `beginning-object`, `writing-object`, `ending-object`, `ended-object` | around the pieces of an object that a plugin writes |
//! | `putting-object`, `put-object` | around an object that it writes at once |
//! | `mirror`, `mirrored` | around a write of the state document |
//! | `opened`, `reading`, `read`, `delivering`, `delivered`, `closing`, `reporting`, `reported` | between the steps of a run |

/// Ends or stops the process here, if it is told to.
#[cfg(debug_assertions)]
pub(crate) fn failpoint(name: &str) {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// How often the place that is waited for was passed.
    static PASSED: AtomicU32 = AtomicU32::new(0);

    #[cfg(test)]
    on_this_thread::passed(name);
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

/// Whether a test wants this fault of the host's own, to see that it is found.
#[cfg(debug_assertions)]
pub(crate) fn fault(name: &str) -> bool {
    std::env::var("METERHOST_FAULT").is_ok_and(|wanted| wanted == name)
}

/// Never.
#[cfg(not(debug_assertions))]
pub(crate) fn fault(_name: &str) -> bool {
    false
}

/// Ends what a thread does as a crash would: nothing behind the place happens, and whoever catches it goes on.
#[cfg(test)]
pub(crate) mod on_this_thread {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<u16>> = const { Cell::new(None) };
    }

    /// At which place it ended.
    pub(crate) struct Ended(pub(crate) String);

    /// It ends when it has passed so many places, whatever their names; nothing means that it does not.
    pub(crate) fn end_after(places: Option<u16>) {
        LEFT.set(places);
    }

    pub(super) fn passed(name: &str) {
        let Some(left) = LEFT.get() else { return };
        LEFT.set(left.checked_sub(1));
        if left == 0 {
            // Without the message of a panic: it is none.
            std::panic::resume_unwind(Box::new(Ended(name.to_owned())));
        }
    }
}
