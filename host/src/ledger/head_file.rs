//! The head of an SQLite ledger, kept apart in a file beside it: `NAME.ledger.db.head`.
//!
//! A ledger that was cut short, or put back as it was some time ago, looks whole by itself. Its head says where it has to end. There are
//! two lines, written in turn, so that a crash in the middle of writing one leaves the other: `NUMBER STEP HASH CHECK`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{LedgerError, Trouble};
use super::row::{Hash, Head};
use super::sqlite::{beside, place, storage, sync_folder};

/// The length of a line, in bytes.
const LINE: usize = 124;

/// The file.
#[derive(Debug)]
pub(super) struct HeadFile {
    ledger: PathBuf,
    /// Nothing until it is written for the first time.
    file: Option<File>,
}

impl HeadFile {
    pub(super) fn of(ledger: &Path) -> HeadFile {
        HeadFile { ledger: ledger.to_owned(), file: None }
    }

    /// What it says; nothing while there is none.
    ///
    /// # Errors
    /// It cannot be read, or says nothing that makes sense.
    pub(super) fn read(ledger: &Path) -> Result<Option<Head>, LedgerError> {
        let path = beside(ledger, ".head");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(storage(
                    ledger,
                    "cannot be read",
                    Trouble::of(error.kind()),
                    format!("{}: {error}", path.display()),
                ));
            }
        };
        let heads = bytes.chunks(LINE).filter_map(parse);
        heads.max_by_key(|head| head.step).map(Some).ok_or_else(|| LedgerError::Head {
            place: place(ledger),
            head: path.display().to_string(),
            cause: "nothing in that file is a head".to_owned(),
        })
    }

    /// Writes it down in place of whatever the file says, whole or not at all: also where that was further on.
    pub(super) fn replace(ledger: &Path, head: &Head) -> Result<(), LedgerError> {
        let path = beside(ledger, ".head");
        let failed = |error: io::Error| {
            let cause = format!("{}: {error}", path.display());
            storage(ledger, "cannot be written", Trouble::of(error.kind()), cause)
        };
        create(&path, &line(head)).map_err(failed)
    }

    /// Takes it away; one that is not there is no error.
    pub(super) fn remove(ledger: &Path) -> Result<(), LedgerError> {
        let path = beside(ledger, ".head");
        match fs::remove_file(&path).and_then(|()| sync_folder(&path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let cause = format!("{}: {error}", path.display());
                Err(storage(ledger, "cannot be written", Trouble::of(error.kind()), cause))
            }
            _ => Ok(()),
        }
    }

    /// Writes it down; it is on the disk when it returns.
    pub(super) fn write(&mut self, head: &Head) -> Result<(), LedgerError> {
        let path = beside(&self.ledger, ".head");
        let failed = |error: io::Error| {
            let cause = format!("{}: {error}", path.display());
            storage(&self.ledger, "cannot be written", Trouble::of(error.kind()), cause)
        };
        let line = line(head);
        let file = match &self.file {
            Some(file) => file,
            None => {
                let file = opened(&path, &line).map_err(failed)?;
                self.file.insert(file)
            }
        };
        let place = (head.step % 2) * LINE as u64;
        file.write_all_at(line.as_bytes(), place).and_then(|()| file.sync_data()).map_err(failed)
    }
}

/// Opens the file; makes it, whole or not at all, if there is none.
fn opened(path: &Path, line: &str) -> io::Result<File> {
    if !path.exists() {
        create(path, line)?;
    }
    OpenOptions::new().write(true).open(path)
}

/// Makes the file, or another in its place.
fn create(path: &Path, line: &str) -> io::Result<()> {
    let draft = beside(path, ".new");
    fs::write(&draft, line.repeat(2))?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, path)?;
    sync_folder(path)
}

fn line(head: &Head) -> String {
    let said = format!("{:020} {:020} {}", head.number, head.step, head.hash);
    format!("{said} {}\n", check(&said))
}

fn parse(line: &[u8]) -> Option<Head> {
    let line = str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (said, found) = line.rsplit_once(' ')?;
    let mut parts = (found == check(said)).then(|| said.split(' '))?;
    let head = Head {
        number: parts.next()?.parse().ok()?,
        step: parts.next()?.parse().ok()?,
        hash: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(head)
}

/// Tells a line that was written from one that was written in part.
fn check(said: &str) -> String {
    let mut check = Hash::of(said.as_bytes()).to_string();
    check.truncate(16);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(step: u64) -> Head {
        Head { number: 10 * step, step, hash: Hash::of(&step.to_be_bytes()) }
    }

    #[test]
    fn the_latest_head_is_kept_whatever_becomes_of_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("p.ledger.db");
        assert_eq!(HeadFile::read(&ledger).unwrap(), None);
        let mut file = HeadFile::of(&ledger);
        for step in 1..5 {
            file.write(&head(step)).unwrap();
            assert_eq!(HeadFile::read(&ledger).unwrap(), Some(head(step)));
        }
        let path = beside(&ledger, ".head");
        let mut bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 2 * LINE);
        assert!(bytes.iter().filter(|byte| **byte == b'\n').count() == 2);
        // The line of step 4 stands first; it is written in part.
        bytes[60] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(HeadFile::read(&ledger).unwrap(), Some(head(3)));
        bytes.fill(0);
        fs::write(&path, &bytes).unwrap();
        assert!(HeadFile::read(&ledger).unwrap_err().to_string().contains("nothing in that file is a head"));
        // Another process goes on with it.
        let mut again = HeadFile::of(&ledger);
        again.write(&head(5)).unwrap();
        assert_eq!(HeadFile::read(&ledger).unwrap(), Some(head(5)));
    }
}
