//! Publishing: what a sink of complete sets is handed, month by month.
//!
//! | file | subject |
//! |---|---|
//! | `parts` | the charges of each window that was read, and what is kept of those that are held |
//! | `kept` | what was published last and stays |
//! | `month` | what is to be done with a month: whether its set is whole, whether it changed, what readers are shown |
//! | `archive` | what was published and is kept, for a person who goes back, deletes or empties |
//! | `publisher` | one sink's months in one run |
//! | `foresee` | the same of a dry run |
//! | `line` | the plugin at work on one set, with patience |

mod archive;
mod foresee;
mod kept;
mod line;
mod month;
mod parts;
mod publisher;

pub use archive::{Archive, Snapshot, Standing, to_prune};
pub(super) use foresee::foreseen;
pub(super) use parts::{Desk, draw};
pub(super) use publisher::{Published, Publisher};
