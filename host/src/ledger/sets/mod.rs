//! The charges of sinks that publish complete sets, and what was published of them.
//!
//! Such charges may be millions, and change while their month goes on: they are no entries. They lie beside the ledger in segments, a
//! **part** a window, sorted and never changed; an entry says which part holds a window's charges from here on. The set of a period is what
//! its windows' parts hold, one after the other. What is frozen is the **publication**: an entry names it before its first byte leaves, one
//! when it is written, one when readers are shown it. After a crash in between, the place says which of them they see.
//!
//! | file | subject |
//! |---|---|
//! | `part` | the charges of one window in a segment: from rows to bytes |
//! | `merge` | many small segments become one |
//! | `read` | a set, block by block, whatever its size |
//! | `state` | what the entries add up to |
//! | `find` | one charge |
//! | `rows` | the charges of a window, as they stand with readers |
//! | `foresee` | what would be known, for a dry run |

mod find;
mod foresee;
mod merge;
mod part;
mod read;
mod rows;
mod state;

use meterhost_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use self::find::InSet;
pub use self::merge::merged;
pub use self::part::{PartsDraft, encode};
pub use self::rows::InMonth;
pub use self::state::{Period, Publication, SetPart, Sets, Stage, contents, names, period_of};
use super::row::Hash;
use crate::model::window::Window;

/// The charges of a window in a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The window.
    pub window: Window,
    /// How many there are, at least one.
    pub rows: u64,
    /// Where in the segment they begin, in bytes.
    pub from: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// SHA-256 of these bytes.
    pub sha256: Hash,
    /// SHA-256 of what is published of them: the same charges have the same.
    pub contents: Hash,
    /// The names of the tags that they have, as positions in the segment's names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<u32>,
    /// The names of their attributes, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<u32>,
}

/// The parts that one run wrote for a sink.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// SHA-256, in hex, of what their charges follow from besides usage.
    pub made: String,
    /// The segment that holds them, if one of them has charges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The names that their charges have of tags and attributes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Ascending by window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Windows that have no charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub empty: Vec<Window>,
}

/// A set that is about to be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The period that it is of.
    pub period: Window,
    /// The plugin's name for it.
    pub id: String,
    /// Of its charges.
    pub contents: Hash,
    /// Of its charges, and of all else that it is made from.
    pub fingerprint: Hash,
    /// How many charges it has.
    pub rows: u64,
    /// Whether the period was over, and its data complete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// Whether that makes a difference to what is published.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closes: bool,
}

/// What was written of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Charges in it.
    pub rows: u64,
    /// Objects or requests that it took.
    pub files: u32,
    /// How large they are together.
    pub bytes: u64,
    /// What the columns add up to that are amounts, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<(String, Decimal)>,
}
