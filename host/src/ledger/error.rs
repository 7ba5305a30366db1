//! What goes wrong with a ledger.

use super::fold_error::FoldError;
use super::identity::Clash;
use crate::report::Exit;

/// Why the ledger cannot be used. It is never taken for an empty one.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another run writes to it.
    #[error("another run holds the ledger {place}: {holder}")]
    Held {
        /// The ledger.
        place: String,
        /// Who, and since when.
        holder: String,
    },
    /// It cannot be a place for one.
    #[error("the ledger {place} cannot be used: {cause}")]
    NoPlace {
        /// As it was given.
        place: String,
        /// Why.
        cause: String,
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
    /// It knows the pipeline, or something of it, under another name.
    #[error("{clash} (ledger {place})")]
    Identity {
        /// The ledger.
        place: String,
        /// What does not fit.
        clash: Clash,
    },
    /// The operating system or SQLite refused.
    #[error("the ledger {place} {doing}: {}", trouble.words(cause))]
    Storage {
        /// The ledger.
        place: String,
        /// What could not be done: `cannot be opened`.
        doing: &'static str,
        /// What kind of trouble it is.
        trouble: Trouble,
        /// Its words.
        cause: String,
    },
    /// The file is something else, or of a newer version.
    #[error("{place} {what}; it is left as it is")]
    Foreign {
        /// The file.
        place: String,
        /// What it is.
        what: String,
    },
    /// An entry cannot be read, or cannot follow those before it.
    #[error("the ledger {place} is damaged at entry {number}: {cause}")]
    Damaged {
        /// The ledger.
        place: String,
        /// The entry's number.
        number: u64,
        /// What is wrong with it.
        cause: FoldError,
    },
    /// An object of a ledger on S3 is not what was written.
    #[error("the ledger {place} is damaged in its object {object}: {cause}")]
    Torn {
        /// The ledger.
        place: String,
        /// The object's key, below the ledger's prefix.
        object: String,
        /// What is wrong with it.
        cause: String,
    },
    /// It does not end where it is kept apart that it ends.
    #[error("the ledger {place} does not fit its head, which is kept in {head}: {cause}")]
    Head {
        /// The ledger.
        place: String,
        /// Where the head is kept.
        head: String,
        /// What does not fit.
        cause: String,
    },
    /// It was written to while it was read without being locked.
    #[error("the ledger {place} was written to while it was read")]
    Moved {
        /// The ledger.
        place: String,
    },
    /// Another writer added to it, in spite of the lock.
    #[error("the ledger {place} was written to by another run since this one opened it; this run writes nothing more")]
    Overtaken {
        /// The ledger.
        place: String,
    },
    /// Its lease ran out: another run may hold it by now.
    #[error("the lease on the ledger {place} was lost: {cause}; this run sends and writes nothing more")]
    Lost {
        /// The ledger.
        place: String,
        /// How.
        cause: String,
    },
    /// Interrupted from outside, while another run was waited for.
    #[error("interrupted while another run held the ledger {place}")]
    Interrupted {
        /// The ledger.
        place: String,
    },
    /// What was to be written cannot follow what is there.
    #[error("an entry was refused, and nothing was written to the ledger {place}: {cause}")]
    Refused {
        /// The ledger.
        place: String,
        /// Why.
        cause: FoldError,
    },
    /// An earlier write failed; what is on disk is not known.
    #[error("the ledger {place} failed before in this run, and is not written to again")]
    Poisoned {
        /// The ledger.
        place: String,
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
    /// A store on the network does not do what it is asked for.
    Store,
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
            Trouble::NoPlace | Trouble::Store | Trouble::Other => cause.to_owned(),
        }
    }
}

impl LedgerError {
    /// The exit code that it ends a run with.
    pub fn exit(&self) -> Exit {
        match self {
            LedgerError::Held { .. } | LedgerError::Overtaken { .. } | LedgerError::Lost { .. } => Exit::Held,
            LedgerError::Interrupted { .. } => Exit::Interrupted,
            LedgerError::OtherWindow { .. } | LedgerError::Identity { .. } | LedgerError::NoPlace { .. } => {
                Exit::Configuration
            }
            _ => Exit::Ledger,
        }
    }

    /// What a person does about it.
    pub fn action(&self) -> &'static str {
        const RESTORE: &str = "restore the file from a backup; do not delete it, or billed usage is billed again";
        match self {
            LedgerError::Held { .. } => {
                "try again when it has ended: nothing is lost; `meterhost run FILE --wait 10m` waits for that"
            }
            LedgerError::OtherWindow { .. } => {
                "set the window back; or give the pipeline another name, another `ledger`, and a `start` after what is billed"
            }
            LedgerError::Identity { .. } => {
                "put the name back; for an honest rename there is `meterhost ledger rename`"
            }
            LedgerError::Storage { trouble, .. } => match trouble {
                Trouble::Full => "make room, and run again: nothing was sent that is not written down",
                Trouble::ReadOnly => "allow this user to write to the file and its folder, and run again",
                Trouble::Locked => "end the other program (a backup, an open `sqlite3`), and run again",
                Trouble::Corrupt => RESTORE,
                Trouble::NoPlace => "create the folder, or name another place with `ledger` or --ledger",
                Trouble::Store => {
                    "see to the bucket, its permissions and the network, and run again: nothing was sent that is not written down"
                }
                Trouble::Other => {
                    "see to the disk and its permissions, and run again: nothing was sent that is not written down"
                }
            },
            LedgerError::Foreign { .. } => {
                "name the right file with `ledger` or --ledger, or use the version that wrote it"
            }
            LedgerError::NoPlace { .. } => "name a place with `ledger` or --ledger, such as s3://BUCKET/PREFIX",
            LedgerError::Damaged { .. } | LedgerError::Torn { .. } => {
                "`meterhost ledger verify FILE` names all that is wrong; put it back from a backup or an earlier version of the object, and do not \
                 delete it, or billed usage is billed again"
            }
            LedgerError::Head { .. } => {
                "put the ledger and its head back from where they are whole; where that is nowhere, `meterhost ledger accept FILE` says what it means \
                 to go on without"
            }
            LedgerError::Moved { .. } => "try again",
            LedgerError::Overtaken { .. } => {
                "see who runs this pipeline beside this run (was a lock deleted?), and run again: nothing is lost"
            }
            LedgerError::Lost { .. } | LedgerError::Interrupted { .. } => "run again: nothing is lost",
            LedgerError::Refused { .. } => "this is an error in meterhost: report it; what was sent is written down",
            LedgerError::Poisoned { .. } => "run again: the ledger says what was sent",
        }
    }
}
