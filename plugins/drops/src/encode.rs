//! Bytes of a file on their way to the store: compressed or not.

use std::io::{self, Write as _};

use flate2::write::GzEncoder;

/// Whether data files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip (RFC 1952): `.csv.gz`.
    Gzip,
    /// Not: `.csv`.
    None,
}

impl Compression {
    /// What a data file's name ends in.
    pub fn suffix(self) -> &'static str {
        match self {
            Compression::Gzip => ".csv.gz",
            Compression::None => ".csv",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Compression::Gzip => "application/gzip",
            Compression::None => "text/csv; charset=utf-8",
        }
    }
}

/// The bytes that are handed to the encoder at once. Always as many: what zlib-rs makes of the same bytes depends on how they are cut, and
/// the same set should give the same file.
const BLOCK: usize = 64 << 10;

/// Collects text in blocks and encodes them.
pub(crate) struct Encoder {
    block: Vec<u8>,
    inner: Inner,
}

enum Inner {
    Gzip(Box<GzEncoder<Vec<u8>>>),
    None(Vec<u8>),
}

impl Encoder {
    pub(crate) fn new(compression: Compression) -> Self {
        let inner = match compression {
            // The level of gzip itself. The header has no time and no name.
            Compression::Gzip => Inner::Gzip(Box::new(GzEncoder::new(Vec::new(), flate2::Compression::new(6)))),
            Compression::None => Inner::None(Vec::new()),
        };
        Encoder { block: Vec::with_capacity(BLOCK + (BLOCK >> 2)), inner }
    }

    /// Where text is appended; [`settle`](Self::settle) comes after each row or some.
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.block
    }

    /// Encodes what makes whole blocks.
    #[inline]
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        if self.block.len() < BLOCK {
            return Ok(());
        }
        let blocks = self.block.chunks_exact(BLOCK);
        let rest = blocks.remainder().len();
        for block in blocks {
            self.inner.write(block)?;
        }
        let whole = self.block.len() - rest;
        self.block.drain(..whole);
        Ok(())
    }

    /// What was encoded and not taken yet.
    pub(crate) fn encoded(&mut self) -> &mut Vec<u8> {
        match &mut self.inner {
            Inner::Gzip(encoder) => encoder.get_mut(),
            Inner::None(bytes) => bytes,
        }
    }

    /// The rest, with what ends the file.
    pub(crate) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.settle()?;
        self.inner.write(&self.block)?;
        match self.inner {
            Inner::Gzip(encoder) => encoder.finish(),
            Inner::None(bytes) => Ok(bytes),
        }
    }
}

impl Inner {
    fn write(&mut self, block: &[u8]) -> io::Result<()> {
        match self {
            Inner::Gzip(encoder) => encoder.write_all(block),
            Inner::None(bytes) => bytes.write_all(block),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_same_text_gives_the_same_file_however_it_comes() {
        let text: Vec<u8> =
            (0..300_000_u32).flat_map(|number| format!("{},{}\n", number % 977, number).into_bytes()).collect();
        let encoded = |piece: usize| {
            let (mut encoder, mut bytes) = (Encoder::new(Compression::Gzip), Vec::new());
            for piece in text.chunks(piece) {
                encoder.text().extend_from_slice(piece);
                encoder.settle().unwrap();
                bytes.append(encoder.encoded());
            }
            bytes.extend(encoder.finish().unwrap());
            bytes
        };
        let whole = encoded(text.len());
        assert!(encoded(13) == whole && encoded(70_001) == whole);
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(whole.as_slice()).read_to_end(&mut read).unwrap();
        assert!(read == text, "{} bytes became {}", text.len(), read.len());
        // No time and no name (RFC 1952, section 2.3): bytes 3 to 7.
        assert_eq!(whole.get(3..8), Some([0; 5].as_slice()));
    }
}
