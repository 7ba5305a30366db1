//! The emulator's promises, each shown over a real connection.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod authenticate;
mod client;
mod everywhere;
mod faults;
mod honesty;
mod lifecycle;
mod list;
mod program;
mod refusals;
mod scripted;
mod submit;
