//! What does not fit into memory goes into a temporary file. It has no name any more from the moment it is made, so that nothing of it is
//! left after a crash; it lies in the system's folder for such files (`TMPDIR`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// So much may stay in memory, in bytes: what some 700,000 records take. Below that there is no file.
const MEMORY: usize = 64 << 20;

/// The room of a run: some memory, and a file where that does not do.
pub(super) struct Spill {
    memory: usize,
    used: AtomicUsize,
    /// Once there was too much, everything goes into the file.
    is_over: AtomicBool,
    file: OnceLock<File>,
    end: AtomicU64,
}

impl Spill {
    pub(super) fn new() -> Arc<Self> {
        Self::of(memory())
    }

    /// With so many bytes of memory.
    pub(super) fn of(memory: usize) -> Arc<Self> {
        Arc::new(Spill {
            memory,
            used: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            file: OnceLock::new(),
            end: AtomicU64::new(0),
        })
    }

    /// With this file.
    #[cfg(test)]
    pub(super) fn into_file(memory: usize, file: File) -> Arc<Self> {
        let spill = Self::of(memory);
        spill.file.set(file).unwrap();
        spill
    }

    /// Whether there is a file.
    #[cfg(test)]
    pub(super) fn has_a_file(&self) -> bool {
        self.file.get().is_some()
    }

    fn file(&self) -> io::Result<&File> {
        if self.file.get().is_none() {
            // Another thread may have made one meanwhile: then this one goes away unused.
            let _ = self.file.set(tempfile::tempfile()?);
        }
        self.file.get().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Adds bytes to the file; answers where they stand.
    fn write(&self, bytes: &[u8]) -> io::Result<u64> {
        let file = self.file()?;
        let at = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        file.write_all_at(bytes, at)?;
        Ok(at)
    }

    /// Reads so many bytes; what stood in `to` is gone.
    fn read(&self, at: u64, length: usize, to: &mut Vec<u8>) -> io::Result<()> {
        to.resize(length, 0);
        self.file()?.read_exact_at(to, at)
    }
}

/// How much may stay in memory. A test may say less, in a program that is no release.
fn memory() -> usize {
    #[cfg(debug_assertions)]
    if let Some(memory) = std::env::var("METERHOST_DEDUPE_MEMORY").ok().and_then(|text| text.parse().ok()) {
        return memory;
    }
    MEMORY
}

/// Something that is only added to, and read from its beginning or at a place: pieces in memory, or in the file.
pub(super) struct Log {
    spill: Arc<Spill>,
    /// So many bytes are brought together before they are put away.
    together: usize,
    pieces: Vec<(u64, Piece)>,
    open: Vec<u8>,
    length: u64,
}

enum Piece {
    Here(Vec<u8>),
    InFile { at: u64, length: usize },
}

impl Log {
    pub(super) fn new(spill: &Arc<Spill>, together: usize) -> Self {
        Log { spill: Arc::clone(spill), together, pieces: Vec::new(), open: Vec::new(), length: 0 }
    }

    /// Adds bytes, which stay together; answers where they stand.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        if !self.open.is_empty() && self.open.len() + bytes.len() > self.together {
            self.put_away()?;
        }
        let at = self.length;
        self.open.extend_from_slice(bytes);
        self.length += bytes.len() as u64;
        Ok(at)
    }

    /// Nothing more is added for now.
    pub(super) fn rest(&mut self) -> io::Result<()> {
        if !self.open.is_empty() {
            self.open.shrink_to_fit();
            self.put_away()?;
        }
        self.open = Vec::new();
        self.make_room()
    }

    /// Puts the pieces that are still in memory into the file, if there is too much of them all.
    pub(super) fn make_room(&mut self) -> io::Result<()> {
        if !self.spill.is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        // Those in memory are older than those in the file, and none stands between two of these.
        for (_, piece) in &mut self.pieces {
            if let Piece::Here(bytes) = piece {
                let (at, length) = (self.spill.write(bytes)?, bytes.len());
                self.spill.used.fetch_sub(bytes.capacity(), Ordering::Relaxed);
                *piece = Piece::InFile { at, length };
            } else {
                break;
            }
        }
        Ok(())
    }

    fn put_away(&mut self) -> io::Result<()> {
        let start = self.length - self.open.len() as u64;
        if self.spill.is_over.load(Ordering::Relaxed) {
            let first_here = matches!(self.pieces.first(), Some((_, Piece::Here(_))));
            if first_here {
                self.make_room()?;
            }
            let at = self.spill.write(&self.open)?;
            self.pieces.push((start, Piece::InFile { at, length: self.open.len() }));
            self.open.clear();
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.open);
        let used = self.spill.used.fetch_add(bytes.capacity(), Ordering::Relaxed) + bytes.capacity();
        self.pieces.push((start, Piece::Here(bytes)));
        if used > self.spill.memory {
            self.spill.is_over.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Shows all pieces, in order. What was added together stands in one.
    pub(super) fn each(&self, mut see: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut read = Vec::new();
        for (_, piece) in &self.pieces {
            match piece {
                Piece::Here(bytes) => see(bytes)?,
                Piece::InFile { at, length } => {
                    self.spill.read(*at, *length, &mut read)?;
                    see(&read)?;
                }
            }
        }
        see(&self.open)
    }

    /// So many bytes that were added together, from where they stand; nothing where there are not as many.
    pub(super) fn at(&self, place: u64, length: usize) -> io::Result<Vec<u8>> {
        let of = |bytes: &[u8], start: u64| {
            let from = usize::try_from(place - start).unwrap_or(usize::MAX);
            bytes.get(from..from.saturating_add(length)).map(<[u8]>::to_vec).unwrap_or_default()
        };
        let open = self.length - self.open.len() as u64;
        if place >= open {
            return Ok(of(&self.open, open));
        }
        let piece = self.pieces.partition_point(|(start, _)| *start <= place).checked_sub(1);
        match piece.and_then(|piece| self.pieces.get(piece)) {
            Some((start, Piece::Here(bytes))) => Ok(of(bytes, *start)),
            Some((start, Piece::InFile { at, .. })) => {
                let mut read = Vec::new();
                self.spill.read(at + (place - start), length, &mut read)?;
                Ok(read)
            }
            None => Ok(Vec::new()),
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let here = self.pieces.iter().map(|(_, piece)| match piece {
            Piece::Here(bytes) => bytes.capacity(),
            Piece::InFile { .. } => 0,
        });
        self.spill.used.fetch_sub(here.sum(), Ordering::Relaxed);
    }
}
