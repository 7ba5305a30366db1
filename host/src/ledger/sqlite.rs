//! The ledger as an SQLite file: one table of entries, to which is added and nothing else.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row as SqlRow, TransactionBehavior, params};

use super::error::{LedgerError, Trouble};
use super::row::{Hash, Row};

/// Marks the file as a meterhost ledger: `mhlg`.
const APPLICATION: i32 = 0x6d68_6c67;
/// The version of the form in which it is written.
const VERSION: i32 = 2;
/// How long another program's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whoever has the file in their hands can still do with it what they like; the triggers stop what happens by mistake. The first one
/// also keeps `INSERT OR REPLACE` from replacing.
const SCHEMA: &str = "
    CREATE TABLE entry (
        number   INTEGER PRIMARY KEY,
        step     INTEGER NOT NULL,
        pipeline TEXT NOT NULL,
        run      TEXT NOT NULL,
        at       INTEGER NOT NULL,
        kind     TEXT NOT NULL,
        body     TEXT NOT NULL,
        hash     TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER entry_is_numbered_without_a_gap BEFORE INSERT ON entry
        WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM entry)
        BEGIN SELECT RAISE(ABORT, 'the entries of the ledger are numbered without a gap'); END;
    CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry
        BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never changed'); END;
    CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry
        BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never deleted'); END;
";

/// An open file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    pub(super) connection: Connection,
}

impl Store {
    /// Opens the file for writing; creates it if there is none. Only who holds the lock calls this.
    pub(super) fn open(path: &Path) -> Result<Store, LedgerError> {
        if !is_there(path)? {
            create(path)?;
        }
        let failed = failed(path, "cannot be opened");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Store::connect(path, Connection::open_with_flags(path, flags).map_err(&failed)?)?;
        let mode: String =
            store.connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(&failed)?;
        if mode != "wal" {
            return Err(storage(path, "cannot be opened", Trouble::Other, "its folder does not support SQLite's WAL"));
        }
        // What `append` has written is on the disk when it returns, on macOS too.
        store
            .connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;")
            .map_err(&failed)?;
        Ok(store)
    }

    /// Takes a connection to a file that is there, if it is a ledger.
    pub(super) fn connect(path: &Path, connection: Connection) -> Result<Store, LedgerError> {
        connection.busy_timeout(PATIENCE).map_err(failed(path, "cannot be opened"))?;
        check(path, &connection)?;
        Ok(Store { path: path.to_owned(), connection })
    }

    /// Adds entries, all or none; they are on the disk when it returns.
    pub(super) fn append(&mut self, rows: &[Row]) -> Result<(), LedgerError> {
        let Some(first) = rows.first() else { return Ok(()) };
        let path = &self.path;
        let failed = failed(path, "cannot be written");
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        if last_number(&transaction).map_err(&failed)? + 1 != first.number {
            return Err(LedgerError::Overtaken { place: place(path) });
        }
        {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO entry (number, step, pipeline, run, at, kind, body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )
                .map_err(&failed)?;
            for row in rows {
                let Row { number, step, pipeline, run, at, kind, body, hash } = row;
                let (number, step, hash) = (number.cast_signed(), step.cast_signed(), hash.to_string());
                insert.execute(params![number, step, pipeline, run, at, kind, body, hash]).map_err(&failed)?;
            }
        }
        transaction.commit().map_err(&failed)
    }

    /// What SQLite itself finds wrong with the file.
    pub(super) fn complaints(&self) -> Result<Vec<String>, LedgerError> {
        let failed = failed(&self.path, "cannot be read");
        let mut statement = self.connection.prepare("PRAGMA quick_check(10)").map_err(&failed)?;
        let found = statement.query_map([], |row| row.get::<_, String>(0)).map_err(&failed)?;
        let mut complaints = found.collect::<Result<Vec<_>, _>>().map_err(&failed)?;
        complaints.retain(|complaint| complaint != "ok");
        Ok(complaints)
    }

    /// Every entry of all pipelines, in the order of their numbers, as of one moment.
    pub(super) fn each(&self, mut take: impl FnMut(Row) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        let failed = failed(&self.path, "cannot be read");
        let mut statement = self
            .connection
            .prepare("SELECT number, step, pipeline, run, at, kind, body, hash FROM entry ORDER BY number")
            .map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            take(read(row).map_err(&failed)?)?;
        }
        Ok(())
    }
}

/// What is no number, no text or no hash any more stands for one that its entry's hash does not fit: it is damage of that entry, and those
/// behind it can be read.
fn read(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let number = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_i64().unwrap_or(i64::MIN));
    let text = |column| match row.get_ref(column)? {
        ValueRef::Text(bytes) => Ok::<_, rusqlite::Error>(String::from_utf8_lossy(bytes).into_owned()),
        _ => Ok(String::from("\u{fffd}")),
    };
    Ok(Row {
        number: number(0)?.cast_unsigned(),
        step: number(1)?.cast_unsigned(),
        pipeline: text(2)?,
        run: text(3)?,
        at: number(4)?,
        kind: text(5)?,
        body: text(6)?,
        hash: text(7)?.parse().unwrap_or_else(|_| Hash::of(b"no hash")),
    })
}

fn last_number(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(number), 0) FROM entry";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// As messages name it.
pub(super) fn place(path: &Path) -> String {
    path.display().to_string()
}

/// Whether there is a file at the path. An empty one, or one that is gone while SQLite's own file beside it is still there, is neither
/// a ledger nor none.
pub(super) fn is_there(path: &Path) -> Result<bool, LedgerError> {
    let foreign = |what: &str| Err(LedgerError::Foreign { place: place(path), what: what.to_owned() });
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => foreign("is a folder, and no ledger"),
        Ok(found) if found.len() == 0 => foreign("is empty, and no ledger ever is: restore it if it was one"),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match wal_of(path).exists() {
            false => Ok(false),
            // It was made just now.
            true if path.exists() => Ok(true),
            true => foreign(
                "is gone, and a part of it (the file that ends in -wal) is still there: put it back where it was",
            ),
        },
        Err(error) => Err(storage(path, "cannot be read", Trouble::of(error.kind()), error)),
    }
}

/// The file in which SQLite keeps what it has not yet brought into the ledger's own.
pub(super) fn wal_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// The path with something added to its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Creates the file, whole or not at all: a process that ends in between leaves a file of another name.
fn create(path: &Path) -> Result<(), LedgerError> {
    let draft = beside(path, ".new");
    let io = |error: std::io::Error| storage(path, "cannot be created", Trouble::of(error.kind()), error);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let failed = failed(path, "cannot be created");
    let connection = Connection::open(&draft).map_err(&failed)?;
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA journal_mode = WAL;
             BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
        ))
        .map_err(&failed)?;
    connection.close().map_err(|(_, error)| failed(error))?;
    fs::rename(&draft, path).map_err(io)?;
    sync_folder(path).map_err(io)
}

/// What was renamed into the folder of this file is there after a power cut too.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// That the file is a ledger, and of a version that this one reads.
fn check(path: &Path, connection: &Connection) -> Result<(), LedgerError> {
    let pragma = |name: &str| {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0)).map_err(|error| {
            match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => {
                    LedgerError::Foreign { place: place(path), what: "is not a meterhost ledger".to_owned() }
                }
                _ => failed(path, "cannot be opened")(error),
            }
        })
    };
    let foreign = |what: String| Err(LedgerError::Foreign { place: place(path), what });
    if pragma("application_id")? != APPLICATION {
        return foreign("is an SQLite file, but not a meterhost ledger".to_owned());
    }
    match pragma("user_version")? {
        VERSION => Ok(()),
        newer => {
            foreign(format!("is a meterhost ledger of version {newer}, and this meterhost reads version {VERSION}"))
        }
    }
}

pub(super) fn storage(
    path: &Path,
    doing: &'static str,
    trouble: Trouble,
    cause: impl std::fmt::Display,
) -> LedgerError {
    LedgerError::Storage { place: place(path), doing, trouble, cause: cause.to_string() }
}

pub(super) fn failed(path: &Path, doing: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError {
    move |error| {
        let trouble = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Trouble::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Trouble::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Trouble::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Trouble::Corrupt,
            _ => Trouble::Other,
        };
        storage(path, doing, trouble, error)
    }
}

impl Trouble {
    /// What an error of the operating system stands for.
    pub(super) fn of(kind: std::io::ErrorKind) -> Self {
        use std::io::ErrorKind;
        match kind {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Trouble::Full,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Trouble::ReadOnly,
            ErrorKind::NotFound | ErrorKind::NotADirectory => Trouble::NoPlace,
            _ => Trouble::Other,
        }
    }
}
