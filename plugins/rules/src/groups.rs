//! The largest quantity of each group of records, for `sum_of_max`.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use meterhost_sdk::Decimal;

/// The records of one cell that share a time and a combination of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    slot: u32,
    combination: u32,
    /// Hours or days since 1970.
    period: i64,
}

/// A group with its largest quantity so far, as the parts of a decimal: 40 bytes, where a whole decimal would make it 48.
#[derive(Debug)]
struct Group {
    key: Key,
    low: u64,
    high: i64,
    scale: u8,
}

/// All groups, and the combinations that tell them apart.
///
/// A group costs its 40 bytes, and as much again while the table grows; a combination 10 to 20 bytes for each of its attributes.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: HashTable<Group>,
    /// A combination is the one without its last value, and that value: two numbers, and the number that they have together.
    combinations: HashTable<(u32, u32, u32)>,
    state: FixedState,
}

/// The combination of no attributes.
pub(crate) const NOTHING: u32 = 0;

impl Groups {
    /// The number of a combination with one value more.
    pub(crate) fn combine(&mut self, combination: u32, value: u32) -> u32 {
        let state = &self.state;
        // There are fewer of them than bytes in a component's memory.
        let next = self.combinations.len() as u32 + 1;
        let hash = state.hash_one((combination, value));
        let same = |found: &(u32, u32, u32)| (found.0, found.1) == (combination, value);
        match self.combinations.entry(hash, same, |found| state.hash_one((found.0, found.1))) {
            Entry::Occupied(found) => found.get().2,
            Entry::Vacant(place) => {
                place.insert((combination, value, next));
                next
            }
        }
    }

    /// Takes a quantity in.
    pub(crate) fn add(&mut self, slot: u32, combination: u32, period: i64, quantity: Decimal) {
        let key = Key { slot, combination, period };
        let state = &self.state;
        match self.groups.entry(state.hash_one(key), |group| group.key == key, |group| state.hash_one(group.key)) {
            Entry::Occupied(mut found) if quantity > found.get().largest() => found.get_mut().keep(quantity),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => {
                let mut group = Group { key, low: 0, high: 0, scale: 0 };
                group.keep(quantity);
                place.insert(group);
            }
        }
    }

    /// Each group's slot and largest quantity, in no order.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (u32, Decimal)> {
        std::mem::take(&mut self.groups).into_iter().map(|group| (group.key.slot, group.largest()))
    }
}

impl Group {
    fn largest(&self) -> Decimal {
        // They are the parts of a decimal.
        Decimal::from_parts(self.low, self.high, self.scale).unwrap_or_default()
    }

    fn keep(&mut self, quantity: Decimal) {
        (self.low, self.high, self.scale) = quantity.to_parts();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_takes_40_bytes() {
        assert_eq!(size_of::<Group>(), 40);
    }

    #[test]
    fn a_combination_has_one_number_whatever_came_between() {
        let mut groups = Groups::default();
        let all: Vec<u32> = (0..100).map(|value| groups.combine(NOTHING, value)).collect();
        let longer: Vec<u32> = all.iter().map(|&combination| groups.combine(combination, 0)).collect();
        for (value, (&short, &long)) in (0..).zip(all.iter().zip(&longer)) {
            assert_eq!(groups.combine(NOTHING, value), short);
            assert_eq!(groups.combine(short, 0), long);
        }
        let mut different: Vec<u32> = all.into_iter().chain(longer).collect();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 200);
    }
}
