//! Which ids of an opening surely are new: a filter that grows with them.

use crate::ledger::Filter;

/// Bits for each id.
const BITS: usize = 16;
/// The first filter is for so many ids; each further one for four times as many.
const FIRST: usize = 1 << 10;
/// All of them together are for so many. With more they say less and less often that an id is new, which costs time and no truth.
const MOST: usize = 128 << 10;

/// What has come so far, of one partition.
pub(super) struct Seen {
    /// The last one is filled.
    filters: Vec<Filter>,
    /// Of the last one.
    size: usize,
    /// How many ids the last one has room for yet.
    room: usize,
    /// How many all of them are for.
    all: usize,
}

impl Seen {
    pub(super) fn new() -> Self {
        Seen { filters: vec![Filter::new(FIRST, BITS)], size: FIRST, room: FIRST, all: FIRST }
    }

    /// Whether a hash surely did not come before. It has from here on.
    pub(super) fn is_new(&mut self, hash: u64) -> bool {
        // Of most that came before, the last and largest knows.
        if self.filters.iter().rev().any(|filter| filter.may_hold(hash)) {
            return false;
        }
        if self.room == 0 && self.all < MOST {
            self.size = (self.size * 4).min(MOST - self.all);
            (self.room, self.all) = (self.size, self.all + self.size);
            self.filters.push(Filter::new(self.size, BITS));
        }
        self.room = self.room.saturating_sub(1);
        self.filters.last_mut().into_iter().for_each(|filter| filter.add(hash));
        true
    }
}
