//! Usage from a queue, which hands each record out until it is told what became of it.
//!
//! What a complete source is asked for window by window, a queue hands out by itself: all that is pending and older than the run's cutoff.
//! Each record is claimed for this pipeline's ledger before it is looked at, and is **taken** in the step that freezes its charges: from
//! then on it is no usage any more. So what a run reads of a window is what is new in it, and the ledger knows the rest.
//!
//! | a record that is pending | |
//! |---|---|
//! | was never taken | is usage |
//! | was taken, and the queue was not told yet | it is told in this run |
//! | was taken and billed, and says the same | somebody set it to pending again: the queue is told once more |
//! | was taken, and all its charges were refused, or it went into none | somebody wants it billed after all: it is usage again |
//! | was taken, and says something else now | is quarantined: it holds what its customer owes for the dimension |
//!
//! A record is taken whole: all charges that it goes into are frozen in one step, or none of them. Several rows under one reference are one
//! record.
//!
//! | file | subject |
//! |---|---|
//! | `intake` | what is pending, and which of it is usage |
//! | `marks` | what stands for a record, and for what it says |
//! | `together` | charges that share records, and are frozen together |
//! | `taking` | which records went into what is frozen |
//! | `tell` | what the queue is told in the end |

mod intake;
mod marks;
mod taking;
mod tell;
mod together;

pub(super) use self::intake::{Intake, cutoff};
pub(super) use self::taking::{retried, taking};
pub(super) use self::tell::tell;
pub(super) use self::together::{Ban, Fates, ban, fates};
