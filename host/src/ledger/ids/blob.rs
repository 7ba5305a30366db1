//! Bytes beside the ledger that an entry names with their hash: written whole before that entry, read whole, never changed.

use std::io::Write as _;

use serde::{Deserialize, Serialize};

use super::Hash;
use super::shelf::Shelf;
use crate::ledger::error::LedgerError;

/// Where some bytes are, and what they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// Its name on the shelf.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Hash,
}

impl Shelf {
    /// Writes bytes under a new name that begins with `prefix`: they are there for good when this returns.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&self, prefix: &str, bytes: &[u8]) -> Result<Blob, LedgerError> {
        let name = format!("{prefix}-{:016x}", getrandom::u64().unwrap_or_default());
        let mut draft = self.draft()?;
        draft.write_all(bytes).map_err(|error| self.failed("cannot be written", &error))?;
        self.publish(&name, draft)?;
        Ok(Blob { name, bytes: bytes.len() as u64, sha256: Hash::of(bytes) })
    }

    /// Reads them.
    ///
    /// # Errors
    /// They cannot be read, or are not what was written.
    pub fn read(&self, blob: &Blob) -> Result<Vec<u8>, LedgerError> {
        let bytes = self.part(&blob.name, &(0..blob.bytes))?;
        match bytes {
            Some(bytes) if Hash::of(&bytes) == blob.sha256 => Ok(bytes),
            Some(_) => Err(self.torn(&blob.name, "it is not what was written")),
            None => Err(self.torn(&blob.name, "it is missing, and names of billed records were in it")),
        }
    }
}
