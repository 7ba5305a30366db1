//! What goes wrong with a ledger.

use std::path::PathBuf;

use super::fold_error::FoldError;
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
    #[error("the ledger {} {doing}: {}", path.display(), trouble.words(cause))]
    Storage {
        /// The ledger.
        path: PathBuf,
        /// What could not be done: `cannot be opened`.
        doing: &'static str,
        /// What kind of trouble it is.
        trouble: Trouble,
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
    /// It was written to while it was read without being locked.
    #[error("the ledger {} was written to while it was read", path.display())]
    Moved {
        /// The ledger.
        path: PathBuf,
    },
    /// Another writer added to it, in spite of the lock.
    #[error("the ledger {} was written to by another run since this one opened it; this run writes nothing more", path.display())]
    Overtaken {
        /// The ledger.
        path: PathBuf,
    },
    /// What was to be written cannot follow what is there.
    #[error("an entry was refused, and nothing was written to the ledger {}: {cause}", path.display())]
    Refused {
        /// The ledger.
        path: PathBuf,
        /// Why.
        cause: FoldError,
    },
    /// An earlier write failed; what is on disk is not known.
    #[error("the ledger {} failed before in this run, and is not written to again", path.display())]
    Poisoned {
        /// The ledger.
        path: PathBuf,
    },
}

/// What kind of trouble there is with the place where the ledger is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No room.
    Full,
    /// It may not be written.
    ReadOnly,
    /// Another program holds the file.
    Locked,
    /// The file is damaged.
    Corrupt,
    /// There is no such folder, or it may not be entered.
    NoPlace,
    /// Anything else.
    Other,
}

impl Trouble {
    fn words(self, cause: &str) -> String {
        match self {
            Trouble::Full => format!("there is no room left ({cause})"),
            Trouble::ReadOnly => format!("it is read-only ({cause})"),
            Trouble::Locked => format!("another program keeps it locked ({cause})"),
            Trouble::Corrupt => format!("the file is damaged ({cause})"),
            Trouble::NoPlace | Trouble::Other => cause.to_owned(),
        }
    }
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
        const RESTORE: &str = "restore the file from a backup; do not delete it, or billed usage is billed again";
        match self {
            LedgerError::Held { .. } => "wait until it ends, and run again: nothing is lost",
            LedgerError::OtherWindow { .. } => {
                "set the window back, or give the pipeline another name and a `start` after what is billed"
            }
            LedgerError::Storage { trouble, .. } => match trouble {
                Trouble::Full => "make room, and run again: nothing was sent that is not written down",
                Trouble::ReadOnly => "allow this user to write to the file and its folder, and run again",
                Trouble::Locked => "end the other program (a backup, an open `sqlite3`), and run again",
                Trouble::Corrupt => RESTORE,
                Trouble::NoPlace => "create the folder, or name another place with `ledger` or --ledger",
                Trouble::Other => {
                    "see to the disk and its permissions, and run again: nothing was sent that is not written down"
                }
            },
            LedgerError::Foreign { .. } => {
                "name the right file with `ledger` or --ledger, or use the version that wrote it"
            }
            LedgerError::Damaged { .. } => RESTORE,
            LedgerError::Moved { .. } => "try again",
            LedgerError::Overtaken { .. } => {
                "see who runs this pipeline beside this run (was its .lock file deleted?), and run again: nothing is lost"
            }
            LedgerError::Refused { .. } => "this is an error in meterhost: report it; what was sent is written down",
            LedgerError::Poisoned { .. } => "run again: the ledger says what was sent",
        }
    }
}
