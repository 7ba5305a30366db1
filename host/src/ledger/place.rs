//! Where a ledger is kept, and what can be asked of it without opening it for writing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::aside;
use super::error::LedgerError;
use super::head_file::HeadFile;
use super::lock::Lock;
use super::names::Names;
use super::row::{Head, Row};
use super::s3;
use super::sqlite;
use crate::broker::Broker;
use crate::config::LedgerLocation;

/// A place for a ledger; whether there is one shows when it is opened.
#[derive(Debug, Clone)]
pub struct Place(pub(super) Kind);

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Sqlite(PathBuf),
    S3 { objects: s3::Objects, lease: Duration },
}

impl Place {
    /// Nothing is asked for yet.
    ///
    /// # Errors
    /// It cannot be a place.
    pub fn of(location: &LedgerLocation, broker: &Broker) -> Result<Place, LedgerError> {
        Ok(Place(match location {
            LedgerLocation::Sqlite(path) => Kind::Sqlite(path.clone()),
            LedgerLocation::S3(location) => {
                Kind::S3 { objects: s3::Objects::new(location, broker)?, lease: location.lease }
            }
        }))
    }

    /// A file of SQLite.
    pub fn sqlite(path: &Path) -> Place {
        Place(Kind::Sqlite(path.to_owned()))
    }

    /// As messages name it.
    pub fn name(&self) -> String {
        match &self.0 {
            Kind::Sqlite(path) => sqlite::place(path),
            Kind::S3 { objects, .. } => objects.place.clone(),
        }
    }

    /// As a report names it, to somebody who has the pipeline's file before them.
    pub fn short_name(&self) -> String {
        match &self.0 {
            Kind::Sqlite(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Kind::S3 { objects, .. } => objects.place.clone(),
        }
    }

    /// Whether there is a ledger, or a part of one.
    ///
    /// # Errors
    /// The place cannot be reached.
    pub fn exists(&self) -> Result<bool, LedgerError> {
        match &self.0 {
            Kind::Sqlite(path) => Ok(path.exists() || HeadFile::read(path)?.is_some()),
            Kind::S3 { objects, .. } => Ok(s3::head(objects)?.is_some() || s3::exists(objects)?),
        }
    }

    /// Every entry of all pipelines, in order, read beside a writer; none where there is no ledger. Whether their hashes follow from
    /// each other is for whoever takes them.
    ///
    /// # Errors
    /// The ledger is there and cannot be read, or was disturbed meanwhile ([`LedgerError::Moved`]): then what was taken is of no use.
    pub fn rows(&self, take: impl FnMut(Row) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        match &self.0 {
            Kind::Sqlite(path) => aside::read(path, take),
            Kind::S3 { objects, .. } => s3::read(objects, take),
        }
    }

    /// Every entry of one pipeline, in order; those of before it was renamed too. As [`rows`](Self::rows) for the rest.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub fn rows_of(
        &self,
        pipeline: &str,
        mut take: impl FnMut(Row) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let (mut names, place) = (Names::of(pipeline), self.name());
        self.rows(|row| names.is_news(&row, &place).map(|_| ()))?;
        self.rows(|row| if names.owns(&row) { take(row) } else { Ok(()) })
    }

    /// Where it has to end at least, as is kept apart; nothing where nothing was kept.
    ///
    /// # Errors
    /// That cannot be read.
    pub fn head(&self) -> Result<Option<Head>, LedgerError> {
        match &self.0 {
            Kind::Sqlite(path) => HeadFile::read(path),
            Kind::S3 { objects, .. } => s3::head(objects),
        }
    }

    /// Who holds it, in words for a person; nothing if nobody does. A run that was killed leaves its name beside a file, and no lock.
    ///
    /// # Errors
    /// That cannot be read.
    pub fn holder(&self) -> Result<Option<String>, LedgerError> {
        match &self.0 {
            Kind::Sqlite(path) => Lock::holder(path),
            Kind::S3 { objects, .. } => Ok(s3::holder(objects)?.map(|holder| holder.words())),
        }
    }

    /// Whether it can be taken away from who holds it. The lock on a file cannot: it is the operating system's.
    pub fn can_be_unlocked(&self) -> bool {
        matches!(self.0, Kind::S3 { .. })
    }

    /// Takes it away from whoever holds it. The next run treats that one as superseded: what it had under way may leave yet, and
    /// whatever it writes is refused.
    ///
    /// # Errors
    /// The store did not do it, or the holder renewed its lease in the same moment: then it is alive.
    pub fn unlock(&self) -> Result<(), LedgerError> {
        match &self.0 {
            Kind::Sqlite(_) => Ok(()),
            Kind::S3 { objects, .. } => s3::unlock(objects),
        }
    }

    /// The longest that a call may take while this ledger is held; nothing where it is held for as long as the process lives.
    pub fn longest_call(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Sqlite(_) => None,
            Kind::S3 { lease, .. } => Some(s3::longest_call(*lease)),
        }
    }

    /// Where the head is kept, for a person.
    pub(super) fn head_name(&self) -> String {
        match &self.0 {
            Kind::Sqlite(path) => sqlite::place(&sqlite::beside(path, ".head")),
            Kind::S3 { objects, .. } => format!("{}/head", objects.place),
        }
    }
}
