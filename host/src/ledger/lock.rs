//! One writer: a lock beside the ledger that the operating system takes away with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{LedgerError, Trouble};
use super::sqlite::{beside, storage};

/// The lock, held until it is dropped. The file stays: who deletes it while it is held lets a second writer in.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Who holds it, for the one who finds it held.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
    /// By the real clock, in UTC.
    since: String,
    run: String,
}

impl Lock {
    pub(super) fn take(ledger: &Path, run: &str) -> Result<Lock, LedgerError> {
        let path = beside(ledger, ".lock");
        let failed = |error: std::io::Error| {
            let cause = format!("{}: {error}", path.display());
            storage(ledger, "cannot be locked", Trouble::of(error.kind()), cause)
        };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Whatever cannot be read of it is only left out of the message.
                let _ = file.read_to_string(&mut text);
                return Err(LedgerError::Held { path: ledger.to_owned(), holder: holder(&text) });
            }
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        let now = Timestamp::now();
        let holder = Holder { pid: std::process::id(), host: host(), since: format!("{now:.0}"), run: run.to_owned() };
        let text = serde_json::to_string(&holder).map_err(|cause| failed(cause.into()))?;
        file.set_len(0).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        Ok(Lock { _file: file })
    }
}

/// The machine's name, for a ledger in a folder that several machines share.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "this machine".to_owned())
}

fn holder(text: &str) -> String {
    match serde_json::from_str::<Holder>(text) {
        Ok(Holder { pid, host, since, run }) => format!("process {pid} on {host}, since {since} (run {run})"),
        Err(_) => "its lock is taken".to_owned(),
    }
}
