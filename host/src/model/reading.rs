//! What a source answers.

use super::usage::{Batch, TextColumn};

/// A half-open interval of time, in milliseconds, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first instant that belongs to it.
    pub start: i64,
    /// The first instant that no longer belongs to it.
    pub end: i64,
}

impl Span {
    /// Whether the two have an instant in common.
    pub fn touches(&self, other: &Span) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// What a source is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Ascending, without overlap.
    pub windows: Vec<Span>,
    /// Milliseconds, UTC.
    pub now: i64,
    /// Which of how many readers this is.
    pub shard: (u32, u32),
}

/// One thing that was read: an object, a page of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub key: String,
    /// Changes whenever the contents do.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// An interval that surely holds the times of all its records.
    pub span: Option<Span>,
}

/// A record that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The input's key.
    pub input: String,
    /// Where in it.
    pub place: String,
    /// What is wrong.
    pub reason: String,
    /// How many records it speaks for.
    pub records: u64,
    /// Whose it is, if that is known.
    pub customer: Option<String>,
    /// What was used, if that is known.
    pub product: Option<String>,
    /// What was measured, if that is known.
    pub dimension: Option<String>,
    /// An interval that surely holds its time.
    pub span: Option<Span>,
}

/// An input that cannot be read to its end, or makes no sense as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The input's key.
    pub input: String,
    /// Its ETag, where that is known.
    pub etag: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// An interval that surely holds its records' times.
    pub span: Option<Span>,
}

/// A part of what a source answers.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Records.
    pub batch: Batch,
    /// The input that each of them came from, where the source says so.
    pub row_inputs: TextColumn,
    /// Inputs that were finished with this page, and their items.
    pub inputs: Vec<(Input, u64)>,
    /// Records that cannot be used.
    pub quarantined: Vec<Quarantined>,
    /// Inputs that cannot be used.
    pub unreadable: Vec<Unreadable>,
}

impl Page {
    /// Whether it holds nothing at all.
    pub fn is_empty(&self) -> bool {
        let Page { batch, inputs, quarantined, unreadable, row_inputs: _ } = self;
        batch.rows() == 0 && inputs.is_empty() && quarantined.is_empty() && unreadable.is_empty()
    }
}
