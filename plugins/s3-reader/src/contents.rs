//! An object's bytes, as they were before somebody compressed them.
//!
//! | file | subject |
//! |---|---|
//! | `stored` | the bytes as they are stored, piece by piece |
//! | `zstd` | frames of zstd, one after another |
//!
//! What an object begins with says how it is compressed, whatever its key ends with. Bytes come out in pieces of a
//! bounded size, however much larger they are than what is stored.

mod stored;
#[cfg(test)]
mod tests;
mod zstd;

use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;
use meterhost_sdk::objects;

use self::stored::Stored;
use self::zstd::Zstd;
use crate::decode::Unusable;

/// How many bytes come out at once, at most.
const PIECE: usize = 1 << 20;
/// Room for so many bytes is made before any come out.
const BEGIN: usize = 16 << 10;
/// So many bytes tell how an object is compressed.
const HEAD: usize = 4;

/// An object's bytes.
pub(crate) struct Contents(Kind);

enum Kind {
    Plain(Stored),
    Gzip(Box<MultiGzDecoder<Stored>>),
    Zstd(Box<Zstd>),
}

/// Why bytes do not come.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The store says so.
    Store(objects::Error),
    /// They make no sense.
    Unusable(Unusable),
}

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// What the first bytes say: of gzip (RFC 1952, section 2.3.1), of a frame of zstd, or of a frame that is skipped
    /// (RFC 8878, sections 3.1.1 and 3.1.2).
    fn of(head: &[u8]) -> Option<Compression> {
        match head {
            [0x1f, 0x8b, ..] => Some(Compression::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Compression::Zstd),
            _ => None,
        }
    }

    /// What the end of a key says, and the key without that end.
    pub(crate) fn of_key(key: &str) -> Option<(Compression, &str)> {
        let (rest, ending) = key.rsplit_once('.')?;
        match ending {
            "gz" | "gzip" => Some((Compression::Gzip, rest)),
            "zst" | "zstd" => Some((Compression::Zstd, rest)),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

impl Contents {
    /// Begins to read an object that was opened.
    pub(crate) fn of(mut body: objects::Body, key: &str) -> Result<Self, Failed> {
        Self::new(Stored::new(move |most| body.read(most)), key)
    }

    fn new(mut stored: Stored, key: &str) -> Result<Self, Failed> {
        let head = stored.head(HEAD).map_err(Failed::Store)?;
        let said = Compression::of_key(key).map(|(said, _)| said);
        let broken_off = match head {
            [] => said,
            // No record is so short: these are the beginnings of longer objects.
            [0x1f] => Some(Compression::Gzip),
            [0x28, 0xb5] | [0x28, 0xb5, 0x2f] | [0x50..=0x5f, 0x2a, 0x4d] => Some(Compression::Zstd),
            [0x28] | [0x50..=0x5f] | [0x50..=0x5f, 0x2a] => said.filter(|said| *said == Compression::Zstd),
            _ => None,
        };
        if let Some(compression) = broken_off {
            return Err(Failed::Unusable(breaks_off(compression)));
        }
        Ok(Contents(match Compression::of(head) {
            None => Kind::Plain(stored),
            Some(Compression::Gzip) => Kind::Gzip(Box::new(MultiGzDecoder::new(stored))),
            Some(Compression::Zstd) => Kind::Zstd(Box::new(Zstd::new(stored))),
        }))
    }

    /// Whether what comes out is as long as what is stored.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.0, Kind::Plain(_))
    }

    /// The next bytes; empty at the end.
    pub(crate) fn read(&mut self) -> Result<Vec<u8>, Failed> {
        match &mut self.0 {
            Kind::Plain(stored) => stored.take().map_err(Failed::Store),
            Kind::Gzip(gzip) => {
                // It grows as it fills: most objects are small, and zeroing a whole piece would cost more than they do.
                let mut piece = Vec::with_capacity(BEGIN);
                match gzip.by_ref().take(PIECE as u64).read_to_end(&mut piece) {
                    Ok(_) => Ok(piece),
                    Err(error) => Err(failed(Compression::Gzip, gzip.get_mut(), error.to_string())),
                }
            }
            Kind::Zstd(zstd) => zstd.read(PIECE).map_err(|reason| failed(Compression::Zstd, zstd.stored(), reason)),
        }
    }
}

/// Why nothing more comes out: the store failed, or there is not enough in it, or something else.
fn failed(compression: Compression, stored: &mut Stored, reason: String) -> Failed {
    match stored.failed() {
        Some(error) => Failed::Store(error),
        None if stored.is_dry() => Failed::Unusable(breaks_off(compression)),
        None => Failed::Unusable(format!(
            "it is compressed with {}, and is damaged, or something else follows: {reason}; store it anew",
            compression.name()
        )),
    }
}

fn breaks_off(compression: Compression) -> Unusable {
    format!("it is compressed with {}, and breaks off before its end; store it anew", compression.name())
}
