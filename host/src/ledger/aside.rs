//! Reading a ledger beside its writer, without changing a byte on the disk.
//!
//! A reader of SQLite's WAL normally creates the file's companions (`-wal`, `-shm`) or writes to them. There are three ways around it:
//!
//! | what there is | how it is read |
//! |---|---|
//! | no `-wal`, or an empty one | as a file that does not change (`immutable`); that it did not is checked afterwards |
//! | a `-wal` and a `-shm`: a writer is at work, or was killed | with the `-shm` as it is (`readonly_shm`) |
//! | a `-wal` alone: copied from elsewhere | SQLite makes the `-shm` anew, which holds nothing of its own |

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};

use super::error::LedgerError;
use super::row::Row;
use super::sqlite::{self, Store, failed, is_there, place, wal_of};

/// Reads a ledger beside its writer, without changing anything. A file that is not there holds nothing, and is not made.
///
/// The writer is another process, or was there first: within one process SQLite shares what it has open, so that a ledger which is
/// opened for writing while this reads could not be written.
///
/// # Errors
/// It is there and cannot be read, or it changed meanwhile ([`LedgerError::Moved`]): then what was taken is of no use.
pub(super) fn read(path: &Path, take: impl FnMut(Row) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
    if is_there(path)? { beside(path, |store| store.each(take)) } else { Ok(()) }
}

/// What SQLite itself finds wrong with the file; nothing if it is as it should be.
///
/// # Errors
/// As for [`read`], and that it cannot even be looked at.
pub(super) fn complaints(path: &Path) -> Result<Vec<String>, LedgerError> {
    beside(path, Store::complaints)
}

fn beside<T>(path: &Path, read: impl FnOnce(&Store) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
    let before = Stamps::of(path);
    let in_wal = before.wal.is_some_and(|(length, _)| length > 0);
    let way = match (in_wal, before.shm) {
        (true, Some(_)) => "mode=ro&readonly_shm=1",
        (true, None) => "mode=ro",
        (false, _) => "immutable=1",
    };
    let read = open(path, way).and_then(|store| read(&store));
    let after = Stamps::of(path);
    // SQLite itself sees to what is read beside a writer, unless the writer comes or goes just then.
    let disturbed = if in_wal { read.is_err() && before != after } else { before.own != after.own };
    if disturbed { Err(LedgerError::Moved { place: place(path) }) } else { read }
}

fn open(path: &Path, way: &str) -> Result<Store, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(format!("file:{}?{way}", escaped(path)), flags);
    Store::connect(path, connection.map_err(failed(path, "cannot be opened"))?)
}

/// A path as a URI holds it.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Length and time of the file and of what SQLite keeps beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamps {
    own: Option<Stamp>,
    wal: Option<Stamp>,
    shm: Option<Stamp>,
}

type Stamp = (u64, SystemTime);

impl Stamps {
    fn of(path: &Path) -> Self {
        let stamp = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            Some((found.len(), found.modified().ok()?))
        };
        Stamps { own: stamp(path), wal: stamp(&wal_of(path)), shm: stamp(&sqlite::beside(path, "-shm")) }
    }
}
