//! What is wrong with a record, or with all of them.

use std::error::Error;
use std::fmt;

/// Why something is no record. Columns and bytes count from 1, from the beginning of the line or of the document's
/// record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRecord {
    /// It is JSON, and another thing: its beginning.
    NotAnObject(String),
    /// serde_json's reason, and the column in which it was noticed; zero where there is none.
    Json {
        /// In serde_json's words.
        reason: String,
        /// In bytes.
        column: usize,
    },
    /// The first byte that belongs to no character.
    NotUtf8 {
        /// Its number.
        byte: usize,
    },
    /// The rest of a line, from something that is no record on: there may be more of them in it, and whose they are nobody
    /// can tell.
    Rest(Box<NoRecord>),
}

/// Why no record of an object can be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// There is nothing in a document.
    Empty,
    /// A document is larger than [`Document::LARGEST`](crate::Document::LARGEST).
    TooLarge,
    /// What is left of a line, or a record in it, is longer than [`Lines::LONGEST`](crate::Lines::LONGEST).
    TooLong {
        /// The line's number.
        line: u64,
    },
    /// A line that holds a NUL byte and no record. A text holds none: this is another thing, of which each line would
    /// look like a broken record.
    Nul {
        /// The line's number.
        line: u64,
    },
    /// The first byte of a document that belongs to no character.
    NotUtf8 {
        /// Its number, from 1.
        byte: usize,
    },
    /// A document is not JSON, in serde_json's words.
    Json(String),
    /// Behind a list or a record of a document stands what is no record.
    Second {
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
    },
    /// A document is JSON, and holds neither a list nor a record: its beginning.
    NoRecords(String),
}

impl NoRecord {
    /// From an error of a text of one line.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        let (whole, column) = (error.to_string(), error.column());
        let place = format!(" at line {} column {column}", error.line());
        NoRecord::Json { reason: whole.strip_suffix(&place).unwrap_or(&whole).to_owned(), column }
    }

    /// The same in a line, of which so many bytes stand before.
    pub(crate) fn behind(self, before: usize) -> Self {
        match self {
            NoRecord::Json { reason, column } if column > 0 => NoRecord::Json { reason, column: column + before },
            NoRecord::NotUtf8 { byte } => NoRecord::NotUtf8 { byte: byte + before },
            NoRecord::Rest(first) => NoRecord::Rest(Box::new(first.behind(before))),
            other => other,
        }
    }
}

impl fmt::Display for NoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject(what) => write!(f, "a record is a JSON object, and this is {what}"),
            Self::Json { reason, column: 0 } => write!(f, "it is not valid JSON: {reason}"),
            Self::Json { reason, column } => write!(f, "it is not valid JSON: {reason} at column {column}"),
            Self::NotUtf8 { byte } => write!(f, "it is not UTF-8: byte {byte} is wrong"),
            Self::Rest(first) => write!(f, "{first}, and more records may stand behind it in its line"),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty, and an empty list is written `[]`"),
            Self::TooLarge => write!(
                f,
                "it is larger than {} MiB, and a document is read as a whole; write a record a line",
                crate::Document::LARGEST >> 20
            ),
            Self::TooLong { line } => write!(f, "line {line} is longer than {} MiB", crate::Lines::LONGEST >> 20),
            Self::Nul { line } => {
                write!(f, "line {line} holds a NUL byte: it is no text with a record a line, or not in UTF-8")
            }
            Self::NotUtf8 { byte } => write!(f, "it is not UTF-8: byte {byte} is wrong"),
            Self::Json(reason) => write!(f, "it is not valid JSON: {reason}"),
            Self::Second { line, column } => write!(
                f,
                "at line {line} column {column} something follows that is no record: a document is one list of records, \
                 or records one after the other"
            ),
            Self::NoRecords(what) => write!(f, "it holds neither a list of records nor a record, but {what}"),
        }
    }
}

impl Error for NoRecord {}
impl Error for Unreadable {}
