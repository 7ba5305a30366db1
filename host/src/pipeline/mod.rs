//! The flow of data, one way: windows, usage, charges, delivery, report.
//!
//! | file | subject |
//! |---|---|
//! | `setup` | plugins that are loaded, checked and granted |
//! | `due`, `changed` | which windows a run takes up |
//! | `read`, `route`, `channel`, `tally`, `quarantine` | usage into aggregators, on as many threads as there are cores |
//! | `charges`, `account` | what can be billed, what is held, and the sum that closes |
//! | `deliver` | charges out, answers in |
//! | `run`, `summary` | the steps in their order, and what is said of them |

mod account;
mod changed;
mod channel;
mod charges;
mod deliver;
mod due;
mod failpoint;
mod quarantine;
mod read;
mod route;
mod run;
mod setup;
mod summary;
mod tally;

pub use run::{Options, Watch, run};
pub use setup::{Section, Setup, SetupError, SinkSection};
