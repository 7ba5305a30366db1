//! An entry as it is stored, and the chain that it is a link of.
//!
//! Each entry carries a SHA-256 over the hash of the one before and over all that is said of it. Whoever changes, adds, moves or takes
//! away an entry has to change the hashes of all that follow, and the last one is kept apart and stands in every report.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::entry::{Entry, FORMAT, Record};
use super::error::{LedgerError, Trouble};
use super::fold_error::FoldError;

/// SHA-256; as a text, 64 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash([u8; 32]);

/// Where a chain of entries ends. What has none ends at number 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of the last entry.
    pub number: u64,
    /// The step in which it was written: entries that are written together, all or none, are one step.
    pub step: u64,
    /// Its hash.
    pub hash: Hash,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// From 1, without gaps, over all pipelines of a ledger.
    pub number: u64,
    /// From 1, without gaps; entries that were written together have the same.
    pub step: u64,
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// The run that wrote it.
    pub run: String,
    /// When, by the real clock: milliseconds, UTC.
    pub at: i64,
    /// Which kind of entry.
    pub kind: String,
    /// The entry, as JSON.
    pub body: String,
    /// Over all of this, and the hash of the entry before.
    pub hash: Hash,
}

impl Row {
    /// The rows of one step behind this end of a chain.
    ///
    /// # Errors
    /// An entry is not to be written as JSON.
    pub(super) fn step(before: &Head, records: &[Record], place: &str) -> Result<Vec<Row>, LedgerError> {
        let mut head = *before;
        let mut next = |record| {
            let row = Row::after(&head, before.step + 1, record)?;
            head = row.head();
            Ok(row)
        };
        records.iter().map(&mut next).collect::<serde_json::Result<_>>().map_err(|error| LedgerError::Storage {
            place: place.to_owned(),
            doing: "cannot be written",
            trouble: Trouble::Other,
            cause: error.to_string(),
        })
    }

    /// The next row of a chain.
    pub(super) fn after(head: &Head, step: u64, record: &Record) -> serde_json::Result<Row> {
        let mut row = Row {
            number: record.number,
            step,
            pipeline: record.pipeline.clone(),
            run: record.run.clone(),
            at: record.at,
            kind: record.entry.kind().to_owned(),
            body: serde_json::to_string(&record.entry)?,
            hash: Hash::default(),
        };
        row.hash = row.hash_after(&head.hash);
        Ok(row)
    }

    /// The hash that it has to have behind an entry of this hash.
    pub(super) fn hash_after(&self, before: &Hash) -> Hash {
        let mut hash = Sha256::new();
        hash.update(before.0);
        hash.update(self.number.to_be_bytes());
        hash.update(self.step.to_be_bytes());
        hash.update(self.at.to_be_bytes());
        for text in [&self.pipeline, &self.run, &self.kind, &self.body] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        Hash(hash.finalize().into())
    }

    /// The chain's end, if it ends here.
    pub fn head(&self) -> Head {
        Head { number: self.number, step: self.step, hash: self.hash }
    }

    /// What it says.
    ///
    /// # Errors
    /// It is damaged, or from a newer version.
    pub fn record(self, place: &str) -> Result<Record, LedgerError> {
        let entry = self.entry(place)?;
        let Row { number, pipeline, run, at, .. } = self;
        Ok(Record { number, pipeline, run, at, entry })
    }

    fn entry(&self, place: &str) -> Result<Entry, LedgerError> {
        let number = self.number;
        let newer = |what: String| LedgerError::Foreign {
            place: place.to_owned(),
            what: format!("has an entry (number {number}) from a newer version of meterhost: {what}"),
        };
        if !Entry::KINDS.contains(&self.kind.as_str()) {
            return Err(newer(format!("the kind `{}` is not known", self.kind)));
        }
        let damaged =
            |cause| LedgerError::Damaged { place: place.to_owned(), number, cause: FoldError::Unreadable(cause) };
        let entry: Entry = serde_json::from_str(&self.body).map_err(|error| match error.to_string() {
            cause if cause.starts_with("unknown field") || cause.starts_with("unknown variant") => newer(cause),
            cause => damaged(cause),
        })?;
        match entry {
            Entry::Opened { format, .. } if format > FORMAT => {
                Err(newer(format!("its form is {format}, and this one knows {FORMAT}")))
            }
            entry if entry.kind() == self.kind => Ok(entry),
            entry => Err(damaged(format!("it is stored as `{}` and says `{}`", self.kind, entry.kind()))),
        }
    }
}

impl Head {
    /// The chain with one more entry.
    ///
    /// # Errors
    /// It does not follow: entries are missing before it, or it or one before it was changed.
    pub(super) fn with(&self, row: &Row) -> Result<Head, FoldError> {
        if row.number != self.number + 1 || ![self.step, self.step + 1].contains(&row.step) || row.step == 0 {
            return Err(FoldError::Missing);
        }
        if row.hash != row.hash_after(&self.hash) {
            return Err(FoldError::Changed);
        }
        Ok(row.head())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(text: String) -> Result<Hash, String> {
        text.parse()
    }
}

impl std::str::FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Hash, String> {
        let wrong = || format!("`{text}` is no SHA-256");
        if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = str::from_utf8(digits).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Hash(bytes))
    }
}

impl Hash {
    /// Of bytes.
    pub(super) fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// Of what was hashed in pieces.
    pub(crate) fn from_digest(hash: Sha256) -> Hash {
        Hash(hash.finalize().into())
    }

    /// As it is stored where room matters.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From what was stored.
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Hash {
        Hash(bytes)
    }
}
