//! The flow of data, one way: windows, usage, charges, delivery, report.
//!
//! | file | subject |
//! |---|---|
//! | `setup`, `unfit` | plugins that are loaded, checked and granted; what they cannot have beside each other |
//! | `identity`, `anew` | whether the ledger knows the pipeline as what it is; what is said where it is new |
//! | `mirrored`, `take_over` | the state document of an exporter that was there before |
//! | `due`, `changed`, `closed` | which windows a run takes up, and which it only watches |
//! | `read`, `route`, `channel`, `tally`, `dedupe` | usage into aggregators, on as many threads as there are cores |
//! | `gathered`, `opening`, `quarantine`, `astray`, `dimensions` | what came of it, by window |
//! | `works`, `bills`, `assess`, `charges` | what would be charges, line by line, and what becomes of each |
//! | `queue` | what a source is that hands each record out until it is told what became of it |
//! | `judge`, `frozen`, `doubts`, `moved`, `objections` | what is new, what differs from what is frozen, and what speaks against it |
//! | `slots`, `late_slot` | charges of which the service keeps one record: frozen as a whole, and late where they are not in it |
//! | `amount`, `left_over`, `carry` | what is sent of an exact quantity, and what goes over into later windows |
//! | `last_bill` | one customer, at once and for good |
//! | `account`, `quantities` | the sum that closes, in items and in quantities |
//! | `bills`, `charges`, `doubts`, `moved`, `objections`, `account` | what can be billed, what is held, and the sum that closes |
//! | `baseline`, `percent`, `guard`, `compared` | what a window is compared with, what a guard holds for that, and what a report says of it |
//! | `freeze`, `entries` | what of it is written down before anything leaves |
//! | `deliver` | charges out, answers in |
//! | `publish`, `waits` | complete sets of months out, for sinks that take no charge by itself; why one waits |
//! | `options`, `run`, `summary`, `shown`, `advice`, `way_out` | the steps in their order, and what is said of them |
//! | `status` | how a pipeline stands, between runs |

mod account;
mod advice;
mod amount;
mod anew;
mod assess;
mod astray;
mod baseline;
mod bills;
mod carry;
mod changed;
mod channel;
mod charges;
mod closed;
mod compared;
mod complete;
mod dedupe;
mod deliver;
mod dimensions;
mod doubts;
mod due;
mod entries;
mod freeze;
mod frozen;
mod gathered;
mod guard;
mod identity;
mod judge;
mod last_bill;
mod late_slot;
mod left_over;
mod mirrored;
mod moved;
mod objections;
mod opening;
mod options;
mod percent;
mod publish;
mod quantities;
mod quarantine;
mod queue;
mod read;
mod route;
mod run;
mod setup;
mod shown;
mod slots;
mod status;
mod summary;
mod take_over;
mod tally;
#[cfg(test)]
mod tests;
mod unfit;
mod waits;
mod way_out;
mod works;

pub use complete::complete_until;
pub use deliver::Stopped;
pub use identity::{at_fault, identity};
pub use options::{LastBill, Options, Watch};
pub use publish::{Archive, Snapshot, Standing, to_prune};
pub use run::{run, run_id};
pub use setup::{Section, Setup, SetupError, SinkSection};
pub use status::{Behind, DueWindows, LastRun, Open, Pin, Published, Settled, SinkStatus, Status};
pub use summary::exit as exit_of;
pub use take_over::{Refusal, TakeOver, to_be_taken_over};
