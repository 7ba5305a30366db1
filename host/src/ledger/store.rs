//! A ledger that this process holds, wherever it is kept.

use super::claim::Claim;
use super::error::LedgerError;
use super::head_file::HeadFile;
use super::lock::Lock;
use super::place::{Kind, Place};
use super::row::{Head, Row};
use super::s3;
use super::sqlite::{self, is_there};
use crate::broker::Gate;

/// How often a lock that another process has is tried while it is waited for.
pub(super) const LOOK: std::time::Duration = std::time::Duration::from_millis(200);

#[derive(Debug)]
pub(super) enum Store {
    Sqlite(Box<File>),
    S3(Box<s3::Store>),
}

/// Closed in this order: the lock is given back last.
#[derive(Debug)]
pub(super) struct File {
    pub(super) store: sqlite::Store,
    head: HeadFile,
    kept: Option<Head>,
    _lock: Lock,
}

impl Store {
    /// Opens it for writing, and creates it if there is none.
    pub(super) fn open(place: &Place, claim: &Claim<'_>) -> Result<Store, LedgerError> {
        let path = match &place.0 {
            Kind::Sqlite(path) => path,
            Kind::S3 { objects, lease } => return Ok(Store::S3(s3::Store::open(objects, *lease, claim)?.into())),
        };
        let lock = claim.patiently(&place.name(), LOOK, || Lock::take(path, claim.run))?;
        let kept = HeadFile::read(path)?;
        // Begun anew, it would know of nothing that was billed.
        if kept.is_some() && !is_there(path)? {
            return Err(LedgerError::Head {
                place: place.name(),
                head: place.head_name(),
                cause: "the ledger itself is gone".to_owned(),
            });
        }
        let store = sqlite::Store::open(path)?;
        Ok(Store::Sqlite(Box::new(File { store, head: HeadFile::of(path), kept, _lock: lock })))
    }

    /// Where it has to end at least, as is kept apart.
    pub(super) fn head(&mut self) -> Result<Option<Head>, LedgerError> {
        match self {
            Store::Sqlite(file) => Ok(file.kept),
            Store::S3(store) => store.head(),
        }
    }

    /// Every entry of all pipelines, in order.
    pub(super) fn each(&self, take: impl FnMut(Row) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        match self {
            Store::Sqlite(file) => file.store.each(take),
            Store::S3(store) => store.each(take),
        }
    }

    /// Adds a step, all or none; it is there for good when this returns.
    pub(super) fn append(&mut self, before: &Head, rows: &[Row]) -> Result<(), LedgerError> {
        match self {
            Store::Sqlite(file) => file.store.append(rows),
            Store::S3(store) => store.append(before, rows),
        }
    }

    /// Keeps apart where it ends. A step is added only when that is done for the one before.
    pub(super) fn keep(&mut self, head: &Head) -> Result<(), LedgerError> {
        match self {
            Store::Sqlite(file) => file.head.write(head),
            Store::S3(store) => {
                store.keep(head);
                Ok(())
            }
        }
    }

    /// The run that held it before, if that may wake up yet: in words for a person.
    pub(super) fn superseded(&self) -> Option<String> {
        match self {
            Store::Sqlite(_) => None,
            Store::S3(store) => store.superseded().map(str::to_owned),
        }
    }

    /// That this run has lost it, if it has: to another, perhaps.
    pub(super) fn lost(&self) -> Option<LedgerError> {
        match self {
            Store::Sqlite(_) => None,
            Store::S3(store) => store.lost(),
        }
    }

    /// Says whether a request may leave; nothing where it may as long as the process lives.
    pub(super) fn gate(&self) -> Option<Gate> {
        match self {
            Store::Sqlite(_) => None,
            Store::S3(store) => Some(store.gate()),
        }
    }

    /// Ends what is under way, and lets go of it.
    pub(super) fn close(&mut self) -> Result<(), LedgerError> {
        match self {
            Store::Sqlite(_) => Ok(()),
            Store::S3(store) => store.close(),
        }
    }
}
