//! One writer: a lock beside the ledger that the operating system takes away with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::LedgerError;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Who holds it, for the one who finds it held.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    since: Timestamp,
    run: String,
}

impl Lock {
    pub(super) fn take(ledger: &Path, run: &str) -> Result<Lock, LedgerError> {
        let path = beside(ledger);
        let failed = |cause: std::io::Error| LedgerError::Storage {
            path: ledger.to_owned(),
            doing: "cannot be locked",
            cause: format!("{}: {cause}", path.display()),
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
        let holder = Holder { pid: std::process::id(), since: now, run: run.to_owned() };
        let text = serde_json::to_string(&holder).map_err(|cause| failed(cause.into()))?;
        file.set_len(0).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        Ok(Lock { _file: file })
    }
}

fn holder(text: &str) -> String {
    match serde_json::from_str::<Holder>(text) {
        Ok(Holder { pid, since, run }) => format!("process {pid}, since {since:.0} (run {run})"),
        Err(_) => "its lock is taken".to_owned(),
    }
}

fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    ledger.with_file_name(name)
}
