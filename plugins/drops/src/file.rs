//! One data file of a drop: written in pieces, read back whole.

use meterhost_sdk::Error;
use meterhost_sdk::objects::{self, Precondition, Upload};
use sha2::{Digest as _, Sha256};

use crate::csv::Rows;
use crate::encode::{Compression, Encoder};

/// How many bytes are handed to the store at once, at least; and how many are read back at once, at most.
const PIECE: usize = 1 << 20;

/// A data file that is being written.
pub(crate) struct DataFile {
    key: String,
    upload: Upload,
    encoder: Encoder,
    stored: Print,
    /// Rows in it, without the header.
    pub(crate) rows: u32,
}

/// What tells whether bytes are the same.
#[derive(Default, Clone)]
struct Print {
    hash: Sha256,
    bytes: u64,
}

impl Print {
    fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl DataFile {
    pub(crate) fn begin(key: String, compression: Compression, header: &[u8]) -> Result<Self, Error> {
        let upload = objects::upload(&key, compression.content_type())?;
        let mut encoder = Encoder::new(compression);
        encoder.text().extend_from_slice(header);
        Ok(DataFile { key, upload, encoder, stored: Print::default(), rows: 0 })
    }

    /// Appends these rows.
    pub(crate) fn append(&mut self, rows: &Rows<'_>, range: std::ops::Range<usize>) -> Result<(), Error> {
        self.rows += range.len() as u32;
        for row in range {
            rows.append(row, self.encoder.text());
            self.encoder.settle().map_err(|error| broken(&self.key, &error))?;
            if self.encoder.encoded().len() >= PIECE {
                let piece = self.encoder.encoded();
                self.stored.update(piece);
                self.upload.write(piece)?;
                piece.clear();
            }
        }
        Ok(())
    }

    /// Stores the file, if there is none of its name, and reads it back; answers its size.
    pub(crate) fn finish(self) -> Result<u64, Error> {
        let DataFile { key, mut upload, encoder, mut stored, rows: _ } = self;
        let rest = encoder.finish().map_err(|error| broken(&key, &error))?;
        for piece in rest.chunks(PIECE) {
            stored.update(piece);
            upload.write(piece)?;
        }
        let etag = upload.commit(&Precondition::Absent)?;
        verify(&key, &etag, &stored)?;
        Ok(stored.bytes)
    }
}

/// That the store gives back what it was given.
fn verify(key: &str, etag: &str, stored: &Print) -> Result<(), Error> {
    let mut body = objects::get(key, Some(etag))?;
    let mut found = Print::default();
    loop {
        let piece = body.read(PIECE as u32)?;
        if piece.is_empty() {
            break;
        }
        found.update(&piece);
    }
    let (bytes, read) = (stored.bytes, found.bytes);
    if bytes != read || stored.hash.clone().finalize() != found.hash.finalize() {
        return Err(Error::Unavailable(format!(
            "{key} does not read back as it was written: of {bytes} bytes came {read}, with another SHA-256. Readers are shown what they \
             were; see what changes files there"
        )));
    }
    Ok(())
}

fn broken(key: &str, error: &std::io::Error) -> Error {
    Error::Other(format!("{key} cannot be compressed: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use meterhost_sdk::testing;

    use super::*;

    #[test]
    fn a_file_that_does_not_read_back_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        testing::folder(folder.path());
        let mut print = Print::default();
        print.update(b"as it was written");
        let stored = |bytes: &[u8]| objects::put("a.csv", bytes, "text/csv", &Precondition::None).unwrap();
        let etag = stored(b"as it was written");
        assert_eq!(verify("a.csv", &etag, &print), Ok(()));
        for odd in [b"as it was Written".as_slice(), b"as it was", b""] {
            let etag = stored(odd);
            let error = verify("a.csv", &etag, &print).unwrap_err();
            assert!(
                matches!(&error, Error::Unavailable(text) if text.contains("a.csv does not read back")),
                "{error:?}"
            );
        }
        assert!(verify("a.csv", &etag, &print).is_err(), "another version is none of ours");
    }
}
