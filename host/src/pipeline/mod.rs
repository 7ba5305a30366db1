//! The flow of data, one way: windows, usage, charges, delivery, report.
//!
//! | file | subject |
//! |---|---|
//! | `setup` | plugins that are loaded, checked and granted |
//! | `due`, `changed` | which windows a run takes up |
//! | `read`, `route`, `channel`, `tally` | usage into aggregators, on as many threads as there are cores |
//! | `gathered`, `opening`, `quarantine`, `astray` | what came of it, by window |
//! | `charges`, `doubts`, `moved`, `objections`, `account` | what can be billed, what is held, and the sum that closes |
//! | `freeze`, `entries` | what of it is written down before anything leaves |
//! | `deliver` | charges out, answers in |
//! | `options`, `run`, `summary` | the steps in their order, and what is said of them |

mod account;
mod astray;
mod changed;
mod channel;
mod charges;
mod complete;
mod deliver;
mod doubts;
mod due;
mod entries;
mod failpoint;
mod freeze;
mod gathered;
mod moved;
mod objections;
mod opening;
mod options;
mod quarantine;
mod read;
mod route;
mod run;
mod setup;
mod summary;
mod tally;

pub use complete::complete_until;
pub use options::{Options, Watch};
pub use run::run;
pub use setup::{Section, Setup, SetupError, SinkSection};
