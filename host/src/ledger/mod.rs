//! The ledger: the durable, append-only record of every charge, attempt and outcome.
//!
//! | file | subject |
//! |---|---|
//! | `entry` | what is written down |
//! | `state`, `fold`, `fold_error` | what follows from it: a pure fold |
//! | `imported` | what another exporter had billed before |
//! | `charge` | a frozen charge and its standing |
//! | `hold`, `round` | what is kept back, and the one rounding |
//! | `sqlite`, `lock`, `aside` | where it is kept, the one writer, the readers beside it |
//! | `book` | a ledger that is open for writing |
//! | `error` | what goes wrong with it |

mod aside;
mod book;
mod charge;
mod entry;
mod error;
mod fold;
mod fold_error;
mod hold;
mod imported;
mod lock;
mod round;
mod sqlite;
mod state;
#[cfg(test)]
mod tests;

pub use aside::read;
pub use book::{Identity, Ledger};
pub use charge::{Charge, ChargeState, Standing, TAKEN_OVER};
pub use entry::{Entry, FORMAT, Import, InputSeen, PluginDigest, Record};
pub use error::{LedgerError, Trouble};
pub use fold_error::FoldError;
pub use hold::{Hold, Scope};
pub use imported::Imported;
pub use round::rounded;
pub use state::{Counts, State, WindowState};
