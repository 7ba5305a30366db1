//! Which ids of an opening surely are new: a filter that grows with them.
//!
//! It is a Bloom filter in blocks of two words, so that a look touches one line of the processor's cache: most of what it takes to tell
//! records apart is the waiting for that.

/// Bits for each id: of 300 new ids, about one is taken for one that came before.
const BITS: usize = 16;
/// The first filter is for so many ids, which makes 4 MiB of all partitions; each further one for ten times as many, since every look goes
/// through all of them. So 20 million ids need two.
const FIRST: usize = 8 << 10;
const TIMES: usize = 10;
/// All of them together are for so many. With more they say less and less often that an id is new, which costs time and no truth.
const MOST: usize = 128 << 10;

/// What has come so far, of one partition.
pub(super) struct Seen {
    /// The last one is filled.
    filters: Vec<Vec<[u64; 2]>>,
    /// How many ids the last one is for.
    size: usize,
    /// How many it has room for yet.
    room: usize,
    /// How many all of them are for.
    all: usize,
}

impl Seen {
    pub(super) fn new() -> Self {
        Seen { filters: vec![filter(FIRST)], size: FIRST, room: FIRST, all: FIRST }
    }

    /// Touches what a look at these hashes will need. One look waits for memory and the next one for that look; here none waits for another.
    pub(super) fn warm(&self, hashes: impl Iterator<Item = u64> + Clone) {
        let mut touched = 0;
        for filter in &self.filters {
            for hash in hashes.clone() {
                touched ^= filter.get(place(filter, hash)).map_or(0, |block| block[0]);
            }
        }
        std::hint::black_box(touched);
    }

    /// Whether a hash surely did not come before. It has from here on.
    #[inline]
    pub(super) fn is_new(&mut self, hash: u64) -> bool {
        let bits = bits(hash);
        let may_hold = |filter: &Vec<[u64; 2]>| {
            let block = filter.get(place(filter, hash)).copied().unwrap_or_default();
            block[0] & bits[0] == bits[0] && block[1] & bits[1] == bits[1]
        };
        if self.filters.iter().any(may_hold) {
            return false;
        }
        if self.room == 0 && self.all < MOST {
            self.size = (self.size * TIMES).min(MOST - self.all);
            (self.room, self.all) = (self.size, self.all + self.size);
            self.filters.push(filter(self.size));
        }
        self.room = self.room.saturating_sub(1);
        if let Some(filter) = self.filters.last_mut() {
            let place = place(filter, hash);
            if let Some(block) = filter.get_mut(place) {
                block.iter_mut().zip(bits).for_each(|(word, bits)| *word |= bits);
            }
        }
        true
    }
}

fn filter(ids: usize) -> Vec<[u64; 2]> {
    vec![[0; 2]; (ids * BITS).div_ceil(128)]
}

fn place(filter: &[[u64; 2]], hash: u64) -> usize {
    (((hash >> 32) * filter.len() as u64) >> 32) as usize
}

/// Three bits of each word, by half of the hash that does not name the block.
fn bits(hash: u64) -> [u64; 2] {
    let more = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let bit = |shift: u32| 1 << (more >> shift & 63);
    [bit(0) | bit(6) | bit(12), bit(18) | bit(24) | bit(30)]
}
