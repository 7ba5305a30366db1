//! A set, block by block, whatever its size.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::part::LENGTH;
use super::state::SetPart;
use crate::ledger::error::LedgerError;
use crate::ledger::ids::Shelf;
use crate::ledger::row::Hash;
use crate::model::charged::{ChargeColumns, Charged};

/// How much is read at once, in bytes. What lies behind it is likely to be wanted next: parts that one run wrote stand side by side.
const PIECE: u64 = 4 << 20;

/// What was read of a segment.
#[derive(Default)]
struct Piece {
    segment: String,
    from: u64,
    bytes: Vec<u8>,
}

impl Piece {
    /// The bytes of a range of a segment, read if they are not here.
    fn range(&mut self, shelf: &Shelf, segment: &str, range: &Range<u64>) -> Result<&[u8], LedgerError> {
        let is_here = |piece: &Piece| {
            piece.segment == segment && piece.from <= range.start && range.end <= piece.from + piece.bytes.len() as u64
        };
        if !is_here(self) {
            let wanted = range.start..range.end.max(range.start.saturating_add(PIECE));
            let bytes = shelf.part(segment, &wanted)?.ok_or_else(|| shelf.torn(segment, "it is missing"))?;
            *self = Piece { segment: segment.to_owned(), from: range.start, bytes };
        }
        let place = |at: u64| usize::try_from(at - self.from).unwrap_or(usize::MAX);
        let found = if is_here(self) { self.bytes.get(place(range.start)..place(range.end)) } else { None };
        found.ok_or_else(|| shelf.torn(segment, "it ends before its last charge"))
    }
}

impl Shelf {
    /// Hands over what these parts hold, in their order. What was handed over counts only if all of it is what was written, which is known
    /// when this returns.
    ///
    /// # Errors
    /// They cannot be read, or are not what was written; or taking them in failed.
    pub fn each_block<E: From<LedgerError>>(
        &self,
        parts: &[SetPart],
        take: &mut dyn FnMut(ChargeColumns) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut piece = Piece::default();
        for part in parts.iter().filter(|part| part.rows > 0) {
            let segment: &str = &part.segment;
            let torn = |cause: &str| E::from(self.torn(segment, cause));
            let (mut at, mut rows, mut hash) = (part.range.start, 0, Sha256::new());
            while at < part.range.end {
                let length = piece.range(self, segment, &(at..at + LENGTH as u64))?;
                hash.update(length);
                let length = length.first_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
                let body = at + LENGTH as u64..at + LENGTH as u64 + length;
                if body.end > part.range.end {
                    return Err(torn("it is not what was written"));
                }
                let bytes = piece.range(self, segment, &body)?;
                hash.update(bytes);
                let columns: ChargeColumns =
                    postcard::from_bytes(bytes).map_err(|_| torn("it is not what was written"))?;
                rows += columns.rows() as u64;
                at = body.end;
                take(columns)?;
            }
            if (rows, Hash::from_digest(hash)) != (part.rows, part.sha256) {
                return Err(torn("it is not what was written"));
            }
        }
        Ok(())
    }

    /// The charges of a part, one by one.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub fn charges(&self, part: &SetPart) -> Result<Vec<Charged>, LedgerError> {
        let mut charges = Vec::new();
        self.each_block(std::slice::from_ref(part), &mut |columns| {
            charges.extend(columns.charges());
            Ok::<_, LedgerError>(())
        })?;
        Ok(charges)
    }
}
