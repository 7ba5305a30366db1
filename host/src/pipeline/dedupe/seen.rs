//! Which ids of an opening surely are new: a filter that grows with them.
//!
//! It is a Bloom filter in blocks of two words, so that a look touches one line of the processor's cache: most of what it takes to tell
//! records apart is the waiting for that. So there is one filter and no row of them, and it is no larger than it has to be: a larger one
//! is filled anew, from what was written down.

/// Blocks of the filters of one partition, one after the other: of all partitions 4, 32 and 64 MiB. With more ids than the last one is
/// for, it says less and less often that an id is new, which costs time and no truth. Tests begin with few, so that they see it grow.
const BLOCKS: [usize; 3] = [if cfg!(test) { 4 } else { 2 << 10 }, 16 << 10, 32 << 10];
/// Bits for each id, where a filter is full: of 150 new ids, about one is taken for one that came before. So 20 million ids need the second
/// filter.
const BITS: usize = 12;

/// What has come so far, of one partition.
pub(super) struct Seen {
    blocks: Vec<[u64; 2]>,
    /// How many ids it has room for yet.
    room: usize,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self::of(BLOCKS[0])
    }

    fn of(blocks: usize) -> Self {
        Seen { blocks: vec![[0; 2]; blocks], room: blocks * 128 / BITS }
    }

    /// A larger one, where this is full and there is one. It is empty.
    pub(super) fn larger(&self) -> Option<Self> {
        let larger = BLOCKS.into_iter().find(|blocks| *blocks > self.blocks.len());
        larger.filter(|_| self.room == 0).map(Self::of)
    }

    /// Touches what a look at these hashes will need. One look waits for memory and the next one for that look; here none waits for another.
    pub(super) fn warm(&self, hashes: impl Iterator<Item = u64>) {
        let touched =
            hashes.fold(0, |touched, hash| touched ^ self.blocks.get(self.place(hash)).map_or(0, |block| block[0]));
        std::hint::black_box(touched);
    }

    /// Whether a hash surely did not come before. It has from here on.
    #[inline]
    pub(super) fn is_new(&mut self, hash: u64) -> bool {
        let place = self.place(hash);
        let bits = bits(hash);
        let Some(block) = self.blocks.get_mut(place) else { return false };
        if block[0] & bits[0] == bits[0] && block[1] & bits[1] == bits[1] {
            return false;
        }
        block.iter_mut().zip(bits).for_each(|(word, bits)| *word |= bits);
        self.room = self.room.saturating_sub(1);
        true
    }

    fn place(&self, hash: u64) -> usize {
        (((hash >> 32) * self.blocks.len() as u64) >> 32) as usize
    }
}

/// Three bits of each word, by half of the hash that does not name the block.
fn bits(hash: u64) -> [u64; 2] {
    let more = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let bit = |shift: u32| 1 << (more >> shift & 63);
    [bit(0) | bit(6) | bit(12), bit(18) | bit(24) | bit(30)]
}
