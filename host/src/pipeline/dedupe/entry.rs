//! What is kept of each record, and the way back to it: by partitions of their marks, so that those under one mark stand together.

use std::io;
use std::ops::Range;

use super::spill::Log;

/// So many bits of a mark name its partition: few enough that of a batch there are many records for each, which are looked at together.
const NAMING: u32 = 7;
/// How many partitions there are.
pub(super) const PARTITIONS: usize = 1 << NAMING;
/// So many entries are looked at together, more or less.
const TOGETHER: u64 = 256 << 10;
/// Bytes of what stands before the entries of a group.
const HEAD: usize = 16;
/// In the number of a group's entries: they were put aside.
const ASIDE: u32 = 1 << 31;
/// In the number of a group's entries: it is said where their ids stand.
const NAMED: u32 = 1 << 30;

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
    /// Where its id stands, if that is kept.
    pub(super) text: Option<u64>,
}

/// The partition of a mark.
pub(super) fn partition(mark: u128) -> usize {
    (mark >> (128 - NAMING)) as usize
}

/// Writes entries that came together. Those of one window and one input are a group, whose window and input stand there once:
///
/// | bytes | |
/// |---|---|
/// | 4, 4, 8 | window; how many, and of which kind; input |
/// | 16, 8, 8 | of each: mark, contents, whose |
/// | 8, 8 | and, by kind: number among those put aside, place of the id |
pub(super) fn write(entries: &[Entry], to: &mut Vec<u8>) {
    let kind = |entry: &Entry| (entry.window, entry.input, entry.aside > 0, entry.text.is_some());
    for group in entries.chunk_by(|left, right| kind(left) == kind(right)) {
        let Some(one) = group.first() else { continue };
        let kind = if one.aside > 0 { ASIDE } else { 0 } | if one.text.is_some() { NAMED } else { 0 };
        to.extend(one.window.to_le_bytes());
        to.extend((group.len() as u32 | kind).to_le_bytes());
        to.extend(one.input.to_le_bytes());
        for entry in group {
            to.extend(entry.mark.to_le_bytes());
            to.extend(entry.contents.to_le_bytes());
            to.extend(entry.whose.to_le_bytes());
            if entry.aside > 0 {
                to.extend(entry.aside.to_le_bytes());
            }
            if let Some(text) = entry.text {
                to.extend(text.to_le_bytes());
            }
        }
    }
}

/// Shows entries of which `wanted` says so by their marks.
pub(super) fn read(mut bytes: &[u8], wanted: impl Fn(u128) -> bool, mut see: impl FnMut(Entry)) {
    let number = |bytes: &[u8], at: usize| {
        bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    while let Some((head, rest)) = bytes.split_at_checked(HEAD) {
        let (first, input) = (number(head, 0), number(head, 8));
        let (window, count) = (first as u32, (first >> 32) as u32);
        let (aside, named) = (count & ASIDE != 0, count & NAMED != 0);
        let each = 32 + 8 * usize::from(aside) + 8 * usize::from(named);
        let (own, others) = rest.split_at_checked((count & !(ASIDE | NAMED)) as usize * each).unwrap_or_default();
        bytes = others;
        for entry in own.chunks_exact(each) {
            let mark = entry.first_chunk().map_or(0, |mark| u128::from_le_bytes(*mark));
            if wanted(mark) {
                see(Entry {
                    mark,
                    window,
                    contents: number(entry, 16),
                    aside: if aside { number(entry, 32) } else { 0 },
                    whose: number(entry, 24),
                    input,
                    text: named.then(|| number(entry, each - 8)),
                });
            }
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
        // What stands behind the bits that name the partition.
        let place = (mark << NAMING >> 64) as u64;
        self.of == 1 || ((u128::from(place) * u128::from(self.of)) >> 64) as u64 == self.part
    }

    /// Adds its entries in these logs, of which `wanted` says so by their marks.
    pub(super) fn load<'a>(
        &self,
        logs: impl Iterator<Item = &'a Log>,
        wanted: impl Fn(u128) -> bool,
        to: &mut Vec<Entry>,
    ) -> io::Result<()> {
        for log in logs {
            log.each(|bytes| {
                read(bytes, |mark| self.holds(mark) && wanted(mark), |entry| to.push(entry));
                Ok(())
            })?;
        }
        Ok(())
    }
}
