//! The ledger: the durable, append-only record of every charge, attempt and outcome.
//!
//! | file | subject |
//! |---|---|
//! | `entry` | what is written down |
//! | `state`, `fold`, `fold_error` | what follows from it: a pure fold |
//! | `imported` | what another exporter had billed before |
//! | `frozen`, `charge`, `standing` | a frozen charge, and what has become of it |
//! | `hold`, `decided`, `round` | what is kept back, what people say of it, and the one rounding |
//! | `late` | what of a window's usage is frozen, wherever it was billed |
//! | `row` | entries as they are stored, each a link of one chain |
//! | `place`, `store` | where it is kept, and one that this process holds |
//! | `sqlite`, `head_file`, `lock`, `aside` | as a file: the entries, their end, the one writer, the readers beside it |
//! | `s3` | as objects in a bucket |
//! | `identity`, `names`, `rename` | what a pipeline is to the ledger, and what a new name changes |
//! | `claim`, `holder`, `moment` | who wants to write, who does, and since when |
//! | `book` | a ledger that is open for writing |
//! | `verify`, `accept` | whether all of it is what was written, and going on without what is lost |
//! | `resolve`, `deciding` | what a person says of a charge, and of what is kept back |
//! | `ids` | the ids of records that were billed |
//! | `takings` | the records of a queue, and the charges that they went into |
//! | `sets` | the charges of sinks that publish complete sets, and what was published of them |
//! | `find`, `trail` | one charge, back to its inputs and forward to every answer |
//! | `export`, `table` | all of them, as tables |
//! | `error` | what goes wrong with it |

mod accept;
mod aside;
mod book;
mod charge;
mod claim;
mod decided;
mod deciding;
mod entry;
mod error;
mod export;
mod find;
mod fold;
mod fold_error;
mod frozen;
mod head_file;
mod hold;
mod holder;
mod identity;
mod ids;
mod imported;
mod late;
mod lock;
mod moment;
mod names;
mod place;
mod rename;
mod resolve;
mod round;
mod row;
mod s3;
mod sets;
mod sqlite;
mod standing;
mod state;
mod store;
mod table;
mod takings;
#[cfg(test)]
mod tests;
mod trail;
mod unfrozen;
mod verify;

pub use accept::Accepting;
pub use book::Ledger;
pub use charge::ChargeState;
pub use claim::Claim;
pub use decided::Word;
pub use deciding::{Deciding, NotToDecide, Said, Target};
pub use entry::{Decision, Entry, FORMAT, Import, InputSeen, Named, PluginDigest, Record, Verdict};
pub use error::{LedgerError, Trouble};
pub use export::{Exported, Unwritten, export};
pub use find::{NoSuchCharge, Sought};
pub use fold_error::FoldError;
pub use frozen::Charge;
pub use hold::{EVERY, Hold, Kept, Late, Scope};
pub use identity::{Clash, Identity};
pub use ids::{Billed, Blob, Draft, Finder, IdKey, Ids, Segment, Shelf};
pub use imported::Imported;
pub use late::{GivenUp, Owed};
pub use place::Place;
pub use resolve::{NotToResolve, Statement, command as resolve_command};
pub use round::rounded;
pub use row::{Hash, Head, Row};
pub use sets::{
    InMonth, InSet, Intent, Part, Parts, PartsDraft, Period, Publication, Receipt, SetPart, Sets, Stage, contents,
    encode, merged, names, period_of,
};
pub use standing::{Standing, TAKEN_OVER};
pub use state::{Counts, State, WindowState};
pub use table::Format;
pub use takings::{Group, Lookup, Made, Taken, Taking, Takings, Told};
pub use trail::{Event, Frozen, Inputs, Step, Trail};
pub use unfrozen::Unfrozen;
pub use verify::{Finding, Spot, Unfit, Verified};
