//! What is kept of each record, and the way back to it: by partitions of their marks, so that those under one mark stand together.

use std::io;
use std::ops::Range;

use super::spill::Log;

/// How many partitions there are: the first byte of a mark.
pub(super) const PARTITIONS: usize = 256;
/// Bytes of an entry.
pub(super) const BYTES: usize = 60;
/// So many entries are looked at together, more or less.
const TOGETHER: u64 = 128 << 10;

/// What is kept of a record. In their order, those under one mark stand together, of those the ones of one window, of those the ones
/// that say the same, and of those the one that was passed on at once comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Stands for its dimension and its id.
    pub(super) mark: u128,
    /// The position of its window among the run's.
    pub(super) window: u32,
    /// Stands for what it says.
    pub(super) contents: u64,
    /// 0 for one that was passed on at once; else one more than its number among those that were put aside in its opening.
    pub(super) aside: u64,
    /// Stands for its customer and dimension.
    pub(super) whose: u64,
    /// Stands for the input that it came from.
    pub(super) input: u64,
    /// Where its id stands.
    pub(super) text: u64,
}

impl Entry {
    /// The partition of a mark.
    pub(super) fn partition(mark: u128) -> usize {
        (mark >> 120) as usize
    }

    pub(super) fn bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let mut rest = bytes.as_mut_slice();
        let mut put = |part: &[u8]| {
            if let Some((own, others)) = std::mem::take(&mut rest).split_at_mut_checked(part.len()) {
                own.copy_from_slice(part);
                rest = others;
            }
        };
        put(&self.mark.to_le_bytes());
        put(&self.window.to_le_bytes());
        [self.contents, self.aside, self.whose, self.input, self.text].iter().for_each(|part| put(&part.to_le_bytes()));
        bytes
    }

    fn read(bytes: &[u8]) -> Entry {
        let number = |at: usize| {
            bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        Entry {
            mark: bytes.first_chunk().map_or(0, |mark| u128::from_le_bytes(*mark)),
            window: number(16) as u32,
            contents: number(20),
            aside: number(28),
            whose: number(36),
            input: number(44),
            text: number(52),
        }
    }
}

/// Partitions that are looked at together, or a part of one that is too large: those marks of it that fall into the `part`th of `of`
/// equal ranges.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub(super) partitions: Range<usize>,
    part: u64,
    of: u64,
}

/// Slices of about the same size, in the order of their marks. `entries` has one number a partition.
pub(super) fn slices(entries: &[u64]) -> Vec<Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    let mut so_far = 0;
    for (partition, &entries) in entries.iter().enumerate().filter(|(_, entries)| **entries > 0) {
        let of = entries.div_ceil(TOGETHER);
        match slices.last_mut() {
            Some(last) if last.of == 1 && so_far + entries <= TOGETHER => {
                (last.partitions.end, so_far) = (partition + 1, so_far + entries);
            }
            _ => {
                slices.extend((0..of).map(|part| Slice { partitions: partition..partition + 1, part, of }));
                so_far = entries;
            }
        }
    }
    slices
}

impl Slice {
    fn holds(&self, mark: u128) -> bool {
        // What stands behind the byte that names the partition.
        let place = (mark << 8 >> 64) as u64;
        ((u128::from(place) * u128::from(self.of)) >> 64) as u64 == self.part
    }

    /// Its entries in these logs, ascending.
    pub(super) fn load<'a>(&self, logs: impl Iterator<Item = &'a Log>) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for log in logs {
            log.each(|bytes| {
                let found = bytes.chunks_exact(BYTES).map(Entry::read);
                match self.of {
                    1 => entries.extend(found),
                    _ => entries.extend(found.filter(|entry| self.holds(entry.mark))),
                }
                Ok(())
            })?;
        }
        entries.sort_unstable();
        Ok(entries)
    }
}
