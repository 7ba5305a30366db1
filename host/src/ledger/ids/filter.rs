//! What surely is not in a set of hashes, in a few bits each: a Bloom filter in blocks of 32 bytes, so that a look touches one line of the
//! processor's cache (as Parquet's, in "Parquet Bloom Filter", section "Split block Bloom filter").

/// Eight words of 32 bits; a hash sets one bit in each.
const WORDS: usize = 8;
/// Of one block.
const BYTES: usize = WORDS * 4;
/// Odd numbers that make eight bits of one hash.
const SALT: [u32; WORDS] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// A set of hashes that never denies one that it holds, and admits few that it does not.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    blocks: Vec<[u32; WORDS]>,
}

impl Filter {
    /// An empty one for so many hashes, of so many bits each: with 20, it admits about one of 2,500 that it does not hold.
    pub(super) fn new(hashes: usize, bits: usize) -> Self {
        Filter { blocks: vec![[0; WORDS]; Self::blocks(hashes, bits)] }
    }

    fn blocks(hashes: usize, bits: usize) -> usize {
        hashes.saturating_mul(bits).div_ceil(BYTES * 8).max(1)
    }

    /// How many bytes one of this size has.
    pub(super) fn bytes(hashes: usize, bits: usize) -> usize {
        Self::blocks(hashes, bits) * BYTES
    }

    /// Whether it may hold a hash.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let block = self.blocks.get(self.place(hash));
        block.is_some_and(|block| block.iter().zip(bits(hash)).all(|(word, bit)| word & bit != 0))
    }

    /// Adds a hash.
    pub(super) fn add(&mut self, hash: u64) {
        let place = self.place(hash);
        if let Some(block) = self.blocks.get_mut(place) {
            block.iter_mut().zip(bits(hash)).for_each(|(word, bit)| *word |= bit);
        }
    }

    fn place(&self, hash: u64) -> usize {
        (((hash >> 32) * self.blocks.len() as u64) >> 32) as usize
    }

    /// As it is stored.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()));
    }

    /// From what was stored.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        let block = |bytes: &[u8]| {
            let mut block = [0; WORDS];
            block.iter_mut().zip(bytes.chunks(4)).for_each(|(to, bytes)| *to = word(bytes));
            block
        };
        Filter { blocks: bytes.chunks(BYTES).map(block).collect() }
    }
}

/// One bit of each word.
fn bits(hash: u64) -> [u32; WORDS] {
    SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27))
}
