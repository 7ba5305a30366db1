//! The ledger: the durable, append-only record of every charge, attempt and outcome.
//!
//! | file | subject |
//! |---|---|
//! | `entry` | what is written down |
//! | `state`, `charge` | what follows from it: a pure fold |
//! | `hold`, `round` | what is kept back, and the one rounding |
//! | `sqlite`, `lock` | where it is kept, and the one writer |
//! | `book` | a ledger that is open for writing |
//! | `error` | what goes wrong with it |

mod book;
mod charge;
mod entry;
mod error;
mod hold;
mod lock;
mod round;
mod sqlite;
mod state;
#[cfg(test)]
mod tests;

pub use book::{Identity, Ledger};
pub use charge::{Charge, ChargeState, Standing};
pub use entry::{Entry, InputSeen, PluginDigest, Record};
pub use error::LedgerError;
pub use hold::{Hold, Scope};
pub use round::rounded;
pub use sqlite::read;
pub use state::{FoldError, State};
