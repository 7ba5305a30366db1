//! The bytes of an object as they are stored, piece by piece.

use std::io::{self, BufRead, Read};

use meterhost_sdk::objects;

/// How much is taken from the host at once, in bytes.
const PIECE: u32 = 1 << 20;

/// The bytes of an object, as a reader.
pub(super) struct Stored {
    /// The next piece of at most so many bytes; an empty one at the end.
    next: Box<dyn FnMut(u32) -> Result<Vec<u8>, objects::Error>>,
    piece: Vec<u8>,
    /// How much of the piece was used.
    at: usize,
    ended: bool,
    /// Whether more was asked for than there is.
    dry: bool,
    /// What the store answered in the place of bytes.
    failed: Option<objects::Error>,
}

impl Stored {
    pub(super) fn new(next: impl FnMut(u32) -> Result<Vec<u8>, objects::Error> + 'static) -> Self {
        Stored { next: Box::new(next), piece: Vec::new(), at: 0, ended: false, dry: false, failed: None }
    }

    /// The first bytes, so many unless there are fewer. They are not used up.
    pub(super) fn head(&mut self, length: usize) -> Result<&[u8], objects::Error> {
        while self.piece.len() < length && !self.ended {
            let more = (self.next)(PIECE)?;
            self.ended = more.is_empty();
            match self.piece.is_empty() {
                true => self.piece = more,
                false => self.piece.extend(more),
            }
        }
        Ok(self.piece.get(..length).unwrap_or(&self.piece))
    }

    /// The next piece, as it comes; empty at the end.
    pub(super) fn take(&mut self) -> Result<Vec<u8>, objects::Error> {
        if self.at < self.piece.len() {
            let rest = self.piece.split_off(self.at);
            (self.piece, self.at) = (Vec::new(), 0);
            return Ok(rest);
        }
        if self.ended {
            return Ok(Vec::new());
        }
        let piece = (self.next)(PIECE)?;
        self.ended = piece.is_empty();
        Ok(piece)
    }

    /// What the store answered in the place of bytes, if it did.
    pub(super) fn failed(&mut self) -> Option<objects::Error> {
        self.failed.take()
    }

    /// Whether more was asked for than there is.
    pub(super) fn is_dry(&self) -> bool {
        self.dry
    }
}

impl BufRead for Stored {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.piece.len() && !self.ended {
            match (self.next)(PIECE) {
                Ok(piece) => {
                    self.ended = piece.is_empty();
                    (self.piece, self.at) = (piece, 0);
                }
                Err(error) => {
                    let text = objects::message(&error).to_owned();
                    self.failed = Some(error);
                    return Err(io::Error::other(text));
                }
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        self.dry |= rest.is_empty();
        Ok(rest)
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.piece.len());
    }
}

impl Read for Stored {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = {
            let rest = self.fill_buf()?;
            let length = rest.len().min(into.len());
            if let (Some(into), Some(rest)) = (into.get_mut(..length), rest.get(..length)) {
                into.copy_from_slice(rest);
            }
            length
        };
        self.consume(length);
        Ok(length)
    }
}
