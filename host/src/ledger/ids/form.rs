//! What of a segment stands where.
//!
//! ```text
//! "mhids", 0, 0, 1           what it is, and in which form
//! group 0                    up to 64 blocks of up to 4096 ids, then a filter a block
//! group 1 …
//! index                      a block: its first mark, and its SHA-256; a group: the SHA-256 of its filters
//! ```
//!
//! An id takes 32 bytes: its mark, as a big number first byte first so that order is order, what stands for its record, what stands for
//! its input. Where everything stands follows from how many ids there are. The ledger holds the SHA-256 of the index, so that any part can
//! be checked without the others.

use std::ops::Range;

use super::filter::Filter;
use super::{Billed, Hash};

/// What a segment begins with.
pub(super) const MAGIC: [u8; 8] = *b"mhids\0\0\x01";
/// Bytes of an id.
pub(super) const ID: usize = 32;
/// Ids in a block: what is read at once where one may be there.
pub(super) const BLOCK: usize = 4096;
/// Blocks whose filters are read at once.
pub(super) const GROUP: usize = 64;
/// Bits of a filter for each id.
pub(super) const BITS: usize = 20;
/// Bytes of the index for each block, and for each group.
const OF_BLOCK: usize = 48;
const OF_GROUP: usize = 32;

/// Where things stand in a segment of so many ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) ids: u64,
}

impl Form {
    pub(super) fn blocks(self) -> usize {
        self.ids.div_ceil(BLOCK as u64) as usize
    }

    pub(super) fn groups(self) -> usize {
        self.blocks().div_ceil(GROUP)
    }

    /// The blocks of a group.
    pub(super) fn blocks_of(self, group: usize) -> Range<usize> {
        group * GROUP..((group + 1) * GROUP).min(self.blocks())
    }

    /// How many ids a block holds.
    pub(super) fn ids_of(self, block: usize) -> usize {
        (self.ids - block as u64 * BLOCK as u64).min(BLOCK as u64) as usize
    }

    /// How many bytes the filter of a block has.
    pub(super) fn filter(self, block: usize) -> usize {
        Filter::bytes(self.ids_of(block), BITS)
    }

    /// Where a block begins.
    pub(super) fn block(self, block: usize) -> u64 {
        let full = (BLOCK * ID + Filter::bytes(BLOCK, BITS)) * GROUP;
        (MAGIC.len() + block / GROUP * full + block % GROUP * BLOCK * ID) as u64
    }

    /// Where the filters of a group stand.
    pub(super) fn filters(self, group: usize) -> Range<u64> {
        let blocks = self.blocks_of(group);
        let last = blocks.end - 1;
        let start = self.block(last) + (self.ids_of(last) * ID) as u64;
        start..start + blocks.map(|block| self.filter(block)).sum::<usize>() as u64
    }

    /// Where the index stands, which is the end.
    pub(super) fn index(self) -> Range<u64> {
        let start = match self.groups() {
            0 => MAGIC.len() as u64,
            groups => self.filters(groups - 1).end,
        };
        start..start + (self.blocks() * OF_BLOCK + self.groups() * OF_GROUP) as u64
    }
}

/// The index of a segment.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// A block's first mark, and its hash.
    pub(super) blocks: Vec<(u128, Hash)>,
    /// The hash of a group's filters.
    pub(super) groups: Vec<Hash>,
}

impl Index {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let blocks = self.blocks.iter().flat_map(|(first, hash)| first.to_be_bytes().into_iter().chain(*hash.bytes()));
        blocks.chain(self.groups.iter().flat_map(|hash| *hash.bytes())).collect()
    }

    /// From bytes of which the hash was right.
    pub(super) fn of(bytes: &[u8], form: Form) -> Index {
        let (blocks, groups) = bytes.split_at_checked(form.blocks() * OF_BLOCK).unwrap_or_default();
        let hash = |bytes: &[u8]| bytes.last_chunk().map_or_else(Hash::default, |bytes| Hash::from_bytes(*bytes));
        let first = |bytes: &[u8]| bytes.first_chunk().map_or(0, |mark| u128::from_be_bytes(*mark));
        Index {
            blocks: blocks.chunks(OF_BLOCK).map(|block| (first(block), hash(block))).collect(),
            groups: groups.chunks(OF_GROUP).map(hash).collect(),
        }
    }
}

impl Billed {
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.mark.to_be_bytes());
        to.extend(self.contents.to_le_bytes());
        to.extend(self.input.to_le_bytes());
    }

    pub(super) fn read(bytes: &[u8]) -> Billed {
        let number = |bytes: Option<&[u8]>| {
            bytes.and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        Billed {
            mark: bytes.first_chunk().map_or(0, |mark| u128::from_be_bytes(*mark)),
            contents: number(bytes.get(16..)),
            input: number(bytes.get(24..)),
        }
    }
}
