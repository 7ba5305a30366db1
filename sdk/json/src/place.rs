//! Where a record stands.

use std::fmt;

/// Where in an object a record stands. All numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The only one of its line, or the first.
    Line(u64),
    /// Behind others of its line.
    InLine {
        /// The line's number.
        line: u64,
        /// The record's number in its line.
        record: u64,
    },
    /// In a document.
    Record(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::InLine { line, record } => write!(f, "line {line}, record {record}"),
            Place::Record(record) => write!(f, "record {record}"),
        }
    }
}
