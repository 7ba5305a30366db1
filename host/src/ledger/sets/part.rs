//! The charges of one window in a segment: from rows to bytes.
//!
//! A segment is eight bytes that say what it is, and parts; a part is blocks, each with its length before it. A block is columns.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use sha2::{Digest as _, Sha256};

use super::{Part, Parts, SetPart};
use crate::ledger::error::LedgerError;
use crate::ledger::ids::Shelf;
use crate::ledger::row::Hash;
use crate::model::charged::{ChargeBlock, ChargeColumns, Charged};
use crate::model::window::Window;

/// What a segment begins with.
const MAGIC: [u8; 8] = *b"mhset\x01\r\n";
/// The bytes that say how long a block is.
pub(super) const LENGTH: usize = 4;

/// The bytes of charges, which are in their order, and the names that they have of tags and attributes. The same charges make the same
/// bytes.
pub struct Encoded {
    pub(super) bytes: Vec<u8>,
    contents: Sha256,
    pub(super) rows: u64,
    tags: Vec<String>,
    attributes: Vec<String>,
}

impl Encoded {
    /// Of what is published of them; nothing where there are no charges.
    pub fn contents(&self) -> Option<Hash> {
        (self.rows > 0).then(|| Hash::from_digest(self.contents.clone()))
    }
}

/// Puts charges of one window into blocks.
pub fn encode<'a>(charges: impl IntoIterator<Item = &'a Charged>) -> Encoded {
    let (tags, attributes) = (Vec::new(), Vec::new());
    let mut encoded = Encoded { bytes: Vec::new(), contents: Sha256::new(), rows: 0, tags, attributes };
    let mut block = ChargeBlock::default();
    for charge in charges {
        if !block.push(charge) {
            encoded.add(block.take());
            block.push(charge);
        }
    }
    encoded.add(block.take());
    encoded.tags.sort_unstable();
    encoded.attributes.sort_unstable();
    encoded
}

impl Encoded {
    fn add(&mut self, columns: Option<ChargeColumns>) {
        let Some(columns) = columns else { return };
        self.rows += columns.rows() as u64;
        for (all, columns) in [(&mut self.tags, &columns.tags), (&mut self.attributes, &columns.attributes)] {
            for (name, _) in columns {
                if !all.contains(name) {
                    all.push(name.clone());
                }
            }
        }
        // Of plain columns, which have no form that could not be written.
        let bytes = postcard::to_stdvec(&columns).unwrap_or_default();
        self.bytes.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
        self.bytes.extend_from_slice(&bytes);
        self.contents.update(postcard::to_stdvec(&columns.published()).unwrap_or_default());
    }
}

/// Parts that are being written. Nothing is there before they are published.
pub struct PartsDraft<'a> {
    shelf: &'a Shelf,
    file: Option<BufWriter<File>>,
    /// Whether nothing is to be written.
    is_sketch: bool,
    written: u64,
    names: BTreeMap<String, u32>,
    parts: Parts,
}

impl<'a> PartsDraft<'a> {
    /// Begins. `made` stands for what the charges follow from besides usage.
    pub fn begin(shelf: &'a Shelf, made: &str) -> Self {
        let parts = Parts { made: made.to_owned(), ..Parts::default() };
        PartsDraft { shelf, file: None, is_sketch: false, written: 0, names: BTreeMap::new(), parts }
    }

    /// The same of parts that are only to be told of: nothing is written, and nobody can read them.
    pub fn sketch(shelf: &'a Shelf, made: &str) -> Self {
        PartsDraft { is_sketch: true, ..Self::begin(shelf, made) }
    }

    /// Adds a window's charges, in ascending order of windows.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn add(&mut self, window: Window, encoded: &Encoded) -> Result<(), LedgerError> {
        let Some(contents) = encoded.contents() else {
            self.parts.empty.push(window);
            return Ok(());
        };
        let from = self.write(&encoded.bytes)?;
        let (tags, attributes) = (self.places(&encoded.tags), self.places(&encoded.attributes));
        let (sha256, bytes) = (Hash::of(&encoded.bytes), encoded.bytes.len() as u64);
        self.parts.parts.push(Part { window, rows: encoded.rows, from, bytes, sha256, contents, tags, attributes });
        Ok(())
    }

    /// Adds charges of a window that stand in another segment, in ascending order of windows.
    ///
    /// # Errors
    /// They cannot be read, or not be written.
    pub(super) fn copy(&mut self, window: Window, part: &SetPart) -> Result<(), LedgerError> {
        let SetPart { rows, segment, range, sha256, contents, tags, attributes, .. } = part;
        let read = self.shelf.part(segment, range)?.filter(|bytes| Hash::of(bytes) == *sha256);
        let bytes = read.ok_or_else(|| self.shelf.torn(segment, "it is not what was written"))?;
        let from = self.write(&bytes)?;
        let (tags, attributes) = (self.places(tags), self.places(attributes));
        let (rows, bytes, sha256, contents) = (*rows, bytes.len() as u64, *sha256, *contents);
        self.parts.parts.push(Part { window, rows, from, bytes, sha256, contents, tags, attributes });
        Ok(())
    }

    /// Writes what a part holds; answers where in the segment it begins.
    fn write(&mut self, bytes: &[u8]) -> Result<u64, LedgerError> {
        if self.is_sketch {
            return Ok(0);
        }
        let failed = |error: std::io::Error| self.shelf.failed("cannot be written", &error);
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = BufWriter::with_capacity(1 << 20, self.shelf.draft()?);
                file.write_all(&MAGIC).map_err(failed)?;
                self.written = MAGIC.len() as u64;
                self.file.insert(file)
            }
        };
        file.write_all(bytes).map_err(failed)?;
        let from = self.written;
        self.written += bytes.len() as u64;
        Ok(from)
    }

    /// Names as positions in the segment's.
    fn places<N: AsRef<str>>(&mut self, names: &[N]) -> Vec<u32> {
        let place = |name: &N| {
            let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
            *self.names.entry(name.as_ref().to_owned()).or_insert_with(|| {
                self.parts.names.push(name.as_ref().to_owned());
                next
            })
        };
        names.iter().map(place).collect()
    }

    /// Ends: what they hold is there for good when this returns, and counts once the ledger names it. Nothing where nothing was added.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn publish(self) -> Result<Option<Parts>, LedgerError> {
        let PartsDraft { shelf, file, is_sketch, mut parts, .. } = self;
        if is_sketch && !parts.parts.is_empty() {
            parts.segment = Some("sketch".to_owned());
        }
        if let Some(file) = file {
            let failed = |error: std::io::Error| shelf.failed("cannot be written", &error);
            let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
            let name = format!("set-{:016x}", getrandom::u64().unwrap_or_default());
            shelf.publish(&name, file)?;
            parts.segment = Some(name);
        }
        Ok((!parts.parts.is_empty() || !parts.empty.is_empty()).then_some(parts))
    }
}
