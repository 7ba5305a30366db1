//! A strict emulator of CloudZero's AnyCost Stream API, for tests.
//!
//! It keeps the rows of each month, replaces what a drop replaces, and refuses whatever the real service might refuse: a body of 5 MB, rows
//! of two months, a value that is no text, a token with `Bearer` before it, a request while another one is under way.
//!
//! | file | subject |
//! |---|---|
//! | `billing_drop` | a billing drop: what is wrong with it, and what it replaces |
//! | `service` | requests, faults, and the log of them |
//!
//! What is known of the service comes from CloudZero's "AnyCost Stream" and "Common Bill Format" pages and its OpenAPI file. Where these are
//! silent the choice made here is marked "a guess" at its place.
//!
//! ```
//! use anycost_emulator::{Emulator, KEY};
//!
//! let stream = Emulator::start()?;
//! assert!(stream.rows("2024-08").is_empty() && KEY.len() > 8);
//! # Ok::<(), std::io::Error>(())
//! ```
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod billing_drop;
mod service;

pub use billing_drop::{Operation, Row};
pub use service::{Emulator, Fault, KEY, Request};
