//! Where segments lie: in a folder beside a ledger that is a file, below `ids/` of one on S3.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::ledger::error::{LedgerError, Trouble};
use crate::ledger::place::{Kind, Place};
use crate::ledger::{s3, sqlite};

/// How much is passed on at once, in bytes.
const PIECE: usize = 4 << 20;
/// What a segment is called while it is written. One process writes, one segment at a time.
const DRAFT: &str = "draft";

/// Where segments lie.
#[derive(Debug, Clone)]
pub struct Shelf(Is);

#[derive(Debug, Clone)]
enum Is {
    Folder { folder: PathBuf, ledger: PathBuf },
    Objects(s3::Objects),
}

impl Place {
    /// Where the ids of its records lie. Nothing is asked for, and nothing is made.
    pub fn shelf(&self) -> Shelf {
        Shelf(match &self.0 {
            Kind::Sqlite(path) => Is::Folder { folder: sqlite::beside(path, ".ids"), ledger: path.clone() },
            Kind::S3 { objects, .. } => Is::Objects(objects.clone()),
        })
    }
}

impl Shelf {
    /// As messages name a segment.
    pub(super) fn name(&self, segment: &str) -> String {
        match &self.0 {
            Is::Folder { folder, .. } => format!("{}/{segment}", folder.file_name().unwrap_or_default().display()),
            Is::Objects(_) => key(segment),
        }
    }

    /// That a segment is not what was written.
    pub(in crate::ledger) fn torn(&self, segment: &str, cause: &str) -> LedgerError {
        let place = match &self.0 {
            Is::Folder { ledger, .. } => sqlite::place(ledger),
            Is::Objects(objects) => objects.place.clone(),
        };
        LedgerError::Torn { place, object: self.name(segment), cause: cause.to_owned() }
    }

    /// That a file cannot be read or written.
    pub(in crate::ledger) fn failed(&self, doing: &'static str, error: &io::Error) -> LedgerError {
        let place = match &self.0 {
            Is::Folder { folder, .. } => sqlite::place(folder),
            Is::Objects(_) => std::env::temp_dir().display().to_string(),
        };
        LedgerError::Storage { place, doing, trouble: Trouble::of(error.kind()), cause: error.to_string() }
    }

    /// A part of a segment; fewer bytes where it ends before, and nothing where there is none.
    pub(in crate::ledger) fn part(&self, segment: &str, part: &Range<u64>) -> Result<Option<Vec<u8>>, LedgerError> {
        let length = usize::try_from(part.end - part.start).unwrap_or(usize::MAX);
        match &self.0 {
            Is::Folder { folder, .. } => {
                let failed = |error: io::Error| match error.kind() {
                    io::ErrorKind::NotFound => Ok(None),
                    _ => Err(self.failed("cannot be read", &error)),
                };
                match part_of(&folder.join(segment), part.start, length) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(error) => failed(error),
                }
            }
            Is::Objects(objects) => objects.part(&key(segment), part.start, length),
        }
    }

    /// Where a segment is written before it is there.
    pub(in crate::ledger) fn draft(&self) -> Result<File, LedgerError> {
        let file = match &self.0 {
            Is::Folder { folder, .. } => fs::create_dir_all(folder).and_then(|()| {
                File::options().read(true).write(true).create(true).truncate(true).open(folder.join(DRAFT))
            }),
            Is::Objects(_) => tempfile::tempfile(),
        };
        file.map_err(|error| self.failed("cannot be written", &error))
    }

    /// What was drafted is there for good when this returns.
    pub(in crate::ledger) fn publish(&self, segment: &str, mut draft: File) -> Result<(), LedgerError> {
        let failed = |error: io::Error| self.failed("cannot be written", &error);
        match &self.0 {
            Is::Folder { folder, .. } => {
                let path = folder.join(segment);
                draft.sync_all().map_err(failed)?;
                fs::rename(folder.join(DRAFT), &path).map_err(failed)?;
                sqlite::sync_folder(&path).and_then(|()| sqlite::sync_folder(folder)).map_err(failed)
            }
            Is::Objects(objects) => {
                draft.rewind().map_err(failed)?;
                let piece = || {
                    let mut piece = Vec::new();
                    let read = (&draft).take(PIECE as u64).read_to_end(&mut piece);
                    read.map_err(failed).map(|read| (read > 0).then_some(piece)).transpose()
                };
                objects.upload(&key(segment), std::iter::from_fn(piece))
            }
        }
    }
}

fn part_of(path: &Path, start: u64, length: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // A length that was read from the ledger is no reason to ask for that much memory.
    let there = usize::try_from(file.metadata()?.len().saturating_sub(start)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length.min(there)];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes)
}

fn key(segment: &str) -> String {
    format!("ids/{segment}")
}
