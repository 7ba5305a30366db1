//! What a source answers.

use meterhost_decimal::Decimal;

use super::charge::ChargeId;
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
    /// For queues: the token under which records are claimed, if there is one yet.
    pub claim: Option<String>,
    /// Whether nothing may be claimed.
    pub dry_run: bool,
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
    /// For queues: what each of them is called, so that it can be acknowledged.
    pub references: TextColumn,
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
        let Page { batch, inputs, quarantined, unreadable, row_inputs: _, references: _ } = self;
        batch.rows() == 0 && inputs.is_empty() && quarantined.is_empty() && unreadable.is_empty()
    }
}

/// What became of a charge, as the readers of a queue are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The service has it.
    Accepted,
    /// The service refused it.
    Rejected,
    /// A person decided that it is not billed.
    Waived,
}

/// A charge that records went into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub charge: ChargeId,
    /// How often it was made anew after a refusal, from 1.
    pub revision: u32,
    /// As the sink was told.
    pub product: String,
    /// As the sink was told.
    pub customer: String,
    /// As the sink was told.
    pub dimension: String,
    /// As the sink was told: milliseconds, UTC.
    pub time: i64,
    /// As it was sent.
    pub quantity: Decimal,
    /// What became of it.
    pub outcome: Settled,
    /// The service's own name for it.
    pub reference: Option<String>,
    /// What the service said, or why a person decided so.
    pub message: Option<String>,
    /// The sink's raw answer; empty where there was none.
    pub answer: String,
}

/// A record of a queue and the charges it went into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it is called.
    pub reference: String,
    /// Positions among the settlements.
    pub settlements: Vec<u32>,
    /// Those of which it is the first record.
    pub first: Vec<u32>,
}

/// Why a record was not marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not there any more.
    Gone,
    /// It is not what was claimed any more.
    Changed,
    /// Something else, which the reason says.
    Other,
}

/// A record that was not marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmarked {
    /// What it is called.
    pub reference: String,
    /// What kept it from that.
    pub obstacle: Obstacle,
    /// The same in words for a person.
    pub reason: String,
}
