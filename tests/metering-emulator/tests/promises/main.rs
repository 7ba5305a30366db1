//! The emulator's promises, each shown over a real connection.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod audit;
mod billing;
mod boto;
mod client;
mod control;
mod faults;
mod knowledge;
mod model;
mod program;
mod rate;
mod shapes;
mod signing;
mod window;
