//! The ledger as an SQLite file: one table of entries, to which is added and nothing else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use super::entry::{Entry, Record};
use super::error::LedgerError;
use super::state::FoldError;

/// Marks the file as a meterhost ledger: `mhlg`.
const APPLICATION: i32 = 0x6d68_6c67;
/// The version of the form in which it is written.
const VERSION: i32 = 1;

const SCHEMA: &str = "
    CREATE TABLE entry (
        number   INTEGER PRIMARY KEY,
        pipeline TEXT NOT NULL,
        run      TEXT NOT NULL,
        at       INTEGER NOT NULL,
        kind     TEXT NOT NULL,
        body     TEXT NOT NULL
    ) STRICT;
    CREATE INDEX entry_by_pipeline ON entry (pipeline, number);
    CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry
        BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never changed'); END;
    CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry
        BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never deleted'); END;
";

/// An open file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    connection: Connection,
}

impl Store {
    /// Opens the file for writing; creates it if there is none.
    pub(super) fn open(path: &Path) -> Result<Store, LedgerError> {
        let failed = failed(path, "cannot be opened");
        let connection = Connection::open(path).map_err(&failed)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(&failed)?;
        let empty = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
            .map_err(|error| not_ours(path, error))?
            == 0;
        if empty {
            // Everything or nothing: a process that ends in between leaves an empty file.
            connection
                .execute_batch(&format!(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; {SCHEMA}
                     PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
                ))
                .map_err(&failed)?;
        }
        check(path, &connection)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").map_err(&failed)?;
        Ok(Store { path: path.to_owned(), connection })
    }

    /// Adds entries, all or none; they are on the disk when it returns.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), LedgerError> {
        let failed = failed(&self.path, "cannot be written");
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(&failed)?;
        {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO entry (number, pipeline, run, at, kind, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )
                .map_err(&failed)?;
            for record in records {
                let body = serde_json::to_string(&record.entry).map_err(|error| LedgerError::Storage {
                    path: self.path.clone(),
                    doing: "cannot be written",
                    cause: error.to_string(),
                })?;
                let number = i64::try_from(record.number).unwrap_or(i64::MAX);
                insert
                    .execute(params![number, record.pipeline, record.run, record.at, record.entry.kind(), body])
                    .map_err(&failed)?;
            }
        }
        transaction.commit().map_err(&failed)
    }

    /// The number of the last entry of all pipelines.
    pub(super) fn last_number(&self) -> Result<u64, LedgerError> {
        let last: i64 = self
            .connection
            .query_row("SELECT coalesce(max(number), 0) FROM entry", [], |row| row.get(0))
            .map_err(failed(&self.path, "cannot be read"))?;
        Ok(last.unsigned_abs())
    }

    /// Every entry of a pipeline, in order.
    pub(super) fn each(
        &self,
        pipeline: &str,
        mut take: impl FnMut(Record) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let failed = failed(&self.path, "cannot be read");
        let mut statement = self
            .connection
            .prepare("SELECT number, run, at, body FROM entry WHERE pipeline = ?1 ORDER BY number")
            .map_err(&failed)?;
        let mut rows = statement.query([pipeline]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let number = row.get::<_, i64>(0).map_err(&failed)?.unsigned_abs();
            let body = row.get_ref(3).map_err(&failed)?;
            let entry: Result<Entry, String> = body
                .as_str()
                .map_err(|error| error.to_string())
                .and_then(|body| serde_json::from_str(body).map_err(|error| error.to_string()));
            let entry = entry.map_err(|cause| LedgerError::Damaged {
                path: self.path.clone(),
                number,
                cause: FoldError::Unreadable(cause),
            })?;
            let run = row.get(1).map_err(&failed)?;
            let at = row.get(2).map_err(&failed)?;
            take(Record { number, pipeline: pipeline.to_owned(), run, at, entry })?;
        }
        Ok(())
    }
}

/// Reads a ledger beside its writer, without changing anything. A file that is not there holds nothing, and is not made.
///
/// # Errors
/// It is there and cannot be read.
pub fn read(
    path: &Path,
    pipeline: &str,
    take: impl FnMut(Record) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(cause) => {
            return Err(LedgerError::Storage { path: path.to_owned(), doing: "cannot be read", cause: cause.to_string() });
        }
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed(path, "cannot be opened"))?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(failed(path, "cannot be opened"))?;
    check(path, &connection)?;
    Store { path: path.to_owned(), connection }.each(pipeline, take)
}

/// That the file is a ledger, and of a version that this one reads.
fn check(path: &Path, connection: &Connection) -> Result<(), LedgerError> {
    let pragma = |name: &str| {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0))
            .map_err(|error| not_ours(path, error))
    };
    let foreign = |what: String| Err(LedgerError::Foreign { path: path.to_owned(), what });
    if pragma("application_id")? != APPLICATION {
        return foreign("is an SQLite file, but not a meterhost ledger".to_owned());
    }
    match pragma("user_version")? {
        VERSION => Ok(()),
        newer => foreign(format!("is a meterhost ledger of version {newer}, and this meterhost reads version {VERSION}")),
    }
}

fn not_ours(path: &Path, error: rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            LedgerError::Foreign { path: path.to_owned(), what: "is not a meterhost ledger".to_owned() }
        }
        _ => failed(path, "cannot be opened")(error),
    }
}

fn failed(path: &Path, doing: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError {
    let path = path.to_owned();
    move |error| LedgerError::Storage { path: path.clone(), doing, cause: error.to_string() }
}
