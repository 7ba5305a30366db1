//! What goes wrong with a ledger.

use std::path::PathBuf;

use super::state::FoldError;
use crate::report::Exit;

/// Why the ledger cannot be used. It is never taken for an empty one.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another run writes to it.
    #[error("another run holds the ledger {}: {holder}", path.display())]
    Held {
        /// The ledger.
        path: PathBuf,
        /// Who, and since when.
        holder: String,
    },
    /// It was begun by a pipeline with other windows.
    #[error(
        "the ledger knows the pipeline `{pipeline}` with window = \"{known}\", and the file says \"{given}\": usage that is billed by \
         {known} would be billed again by {given}"
    )]
    OtherWindow {
        /// The pipeline's name.
        pipeline: String,
        /// The kind of window in the ledger.
        known: String,
        /// The kind of window in the file.
        given: String,
    },
    /// The operating system or SQLite refused.
    #[error("the ledger {} {doing}: {cause}", path.display())]
    Storage {
        /// The ledger.
        path: PathBuf,
        /// What could not be done: `cannot be opened`.
        doing: &'static str,
        /// Its words.
        cause: String,
    },
    /// The file is something else, or of a newer version.
    #[error("{} {what}; it is left as it is", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: String,
    },
    /// An entry cannot be read, or cannot follow those before it.
    #[error("the ledger {} is damaged at entry {number}: {cause}", path.display())]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// The entry's number.
        number: u64,
        /// What is wrong with it.
        cause: FoldError,
    },
    /// An earlier write failed; what is on disk is not known.
    #[error("the ledger {} failed before in this run, and is not written to again", path.display())]
    Poisoned {
        /// The ledger.
        path: PathBuf,
    },
}

impl LedgerError {
    /// The exit code that it ends a run with.
    pub fn exit(&self) -> Exit {
        match self {
            LedgerError::Held { .. } => Exit::Held,
            LedgerError::OtherWindow { .. } => Exit::Configuration,
            _ => Exit::Ledger,
        }
    }

    /// What a person does about it.
    pub fn action(&self) -> &'static str {
        match self {
            LedgerError::Held { .. } => "wait until it ends, and run again: nothing is lost",
            LedgerError::OtherWindow { .. } => "set the window back, or give the pipeline another name and a `start` after what is billed",
            LedgerError::Storage { .. } => "see to the disk and its permissions, and run again: nothing was sent that is not written down",
            LedgerError::Foreign { .. } => "name the right file with `ledger` or --ledger, or use the version that wrote it",
            LedgerError::Damaged { .. } => "restore the file from a backup; do not delete it, or billed usage is billed again",
            LedgerError::Poisoned { .. } => "run again: the ledger says what was sent",
        }
    }
}
