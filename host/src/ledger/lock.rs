//! One writer: a lock beside the ledger that the operating system takes away with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use super::error::{LedgerError, Trouble};
use super::holder::Holder;
use super::sqlite::{beside, place, storage};

/// Longer than it takes to ask who holds it.
const ASKED: Duration = Duration::from_millis(20);

/// The lock, held until it is dropped. The file stays: who deletes it while it is held lets a second writer in.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
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
        let taken = match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                // Perhaps somebody only asks who has it.
                std::thread::sleep(ASKED);
                file.try_lock()
            }
            done => done,
        };
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Held { place: place(ledger), holder: words(&mut file) });
            }
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        let text = serde_json::to_string(&Holder::this(run)).map_err(|cause| failed(cause.into()))?;
        file.set_len(0).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        Ok(Lock { file })
    }

    /// Who holds it, in words for a person; nothing if nobody does. A run that was killed leaves its name, and no lock.
    pub(super) fn holder(ledger: &Path) -> Result<Option<String>, LedgerError> {
        let path = beside(ledger, ".lock");
        let failed = |error: std::io::Error| {
            let cause = format!("{}: {error}", path.display());
            storage(ledger, "cannot be asked who holds it", Trouble::of(error.kind()), cause)
        };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(words(&mut file))),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody holds it any more. Whoever reads it meanwhile finds the name of a process that is about to end.
        let _ = self.file.set_len(0);
    }
}

/// Whatever cannot be read of it is only left out of the message.
fn words(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    serde_json::from_str(&text).map_or_else(|_| "its lock is taken".to_owned(), |holder: Holder| holder.words())
}
