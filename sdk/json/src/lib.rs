//! Picks fields out of records that are written as JSON, as fast as a database does.
//!
//! ```
//! use std::ops::ControlFlow;
//! use meterhost_json::{Lines, Picker, Pointers, Slot};
//!
//! let mut wanted = Pointers::default();
//! let (customer, hours) = (wanted.slot("/customer").unwrap(), wanted.slot("/usage/hours").unwrap());
//! let (mut picker, mut lines) = (Picker::new(wanted.into()), Lines::default());
//! let mut found = Vec::new();
//! // Bytes come in pieces, cut anywhere.
//! for piece in ["{\"customer\":\"acme\",\"usage\":{\"ho", "urs\":12.50}}\nno record\n"] {
//!     lines.push(piece.into());
//!     lines.decode(&mut picker, |place, record| {
//!         found.push(match record {
//!             Ok(slots) => format!("{place}: {:?} {:?}", slots[customer], slots[hours]),
//!             Err(reason) => format!("{place}: {reason}"),
//!         });
//!         ControlFlow::Continue(())
//!     })?;
//! }
//! let expected = [
//!     "line 1: Text(\"acme\") Number(\"12.50\")",
//!     "line 2: it is not valid JSON: expected ident at column 2",
//! ];
//! assert_eq!(found, expected);
//! # Ok::<(), meterhost_json::Unreadable>(())
//! ```
//!
//! What is a record and what is none never differs from serde_json: an object is one if serde_json reads the whole of
//! it, with its keys as texts and each value as a [`RawValue`](serde_json::value::RawValue) — fields that nobody asks
//! for too. So a text with a lone surrogate or a number such as `1e999` is JSON, and it is for the caller to say whether
//! a field of it can be used.
//!
//! | file | subject |
//! |---|---|
//! | `pointers`, `slot` | which fields are wanted, and what a record holds there |
//! | `lines` | a record a line, or several; what is broken costs the rest of its line |
//! | `document` | a list of records, or records one after the other; what is broken costs the whole |
//! | `picker` | one record: the quick way, or the sure one |
//! | `marks` | stage one of the quick way: where strings may end, 64 bytes at a time |
//! | `scan`, `keys` | stage two: from mark to mark |
//! | `exact` | the sure way: serde_json |
//! | `place`, `error` | where something stands, and what is wrong with it |
//! | `trial` | what a fuzzer runs |

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that fails has to stop"
    )
)]

mod document;
mod error;
mod exact;
mod keys;
mod lines;
mod marks;
mod picker;
mod place;
mod pointers;
mod scan;
mod slot;
#[cfg(test)]
mod tests;
#[doc(hidden)]
pub mod trial;

pub use document::Document;
pub use error::{NoRecord, Unreadable};
pub use exact::shown;
pub use lines::Lines;
pub use picker::Picker;
pub use place::Place;
pub use pointers::{PointerError, Pointers};
pub use slot::{Slot, unescaped};

/// Why a decoder stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The caller said so; there may be more.
    Asked,
    /// All that was taken in is decoded.
    Done,
}

/// What some writers put before everything else.
const BYTE_ORDER_MARK: &str = "\u{feff}";
