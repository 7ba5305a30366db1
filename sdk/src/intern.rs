//! A dictionary of the texts of one column, built while rows come in.

use crate::bindings::imports::types;

/// Finds the index of a text that was seen before, or gives it the next one.
///
/// Usage repeats: the same few hundred customers over and over, most with names of a few letters. So a slot holds a
/// short text itself, as two words, and is compared without a loop and without a look elsewhere. The texts lie one
/// behind the other in one allocation until the column is done.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    texts: String,
    ends: Vec<u32>,
    /// Open addressing. Its length is a power of two.
    slots: Vec<Slot>,
}

/// A text's place in the table.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: Key,
    /// An index plus one, or zero if the slot is free.
    index: u32,
}

/// What tells texts apart: up to sixteen bytes all of them, of longer ones most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    first: u64,
    last: u64,
    length: u32,
}

impl Dictionary {
    #[inline]
    pub(crate) fn index(&mut self, text: &str) -> u32 {
        if (self.ends.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let key = Key::of(text.as_bytes());
        let mut place = key.hash(text.as_bytes()) & mask;
        loop {
            let slot = self.slots.get(place).copied().unwrap_or_default();
            if slot.index == 0 {
                return self.insert(place, key, text);
            }
            if slot.key == key && (text.len() <= 16 || self.text(slot.index - 1) == text) {
                return slot.index - 1;
            }
            place = (place + 1) & mask;
        }
    }

    /// The values in the order of their indices; the dictionary is empty afterwards and keeps its room.
    pub(crate) fn take_values(&mut self) -> Vec<String> {
        if self.ends.is_empty() {
            return Vec::new();
        }
        let values = (0..).take(self.ends.len()).map(|index| self.text(index).to_owned()).collect();
        self.texts.clear();
        self.ends.clear();
        self.slots.fill(Slot::default());
        values
    }

    #[inline(never)]
    fn insert(&mut self, place: usize, key: Key, text: &str) -> u32 {
        let index = self.ends.len() as u32;
        self.texts.push_str(text);
        self.ends.push(self.texts.len() as u32);
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Slot { key, index: index + 1 };
        }
        index
    }

    fn text(&self, index: u32) -> &str {
        let index = index as usize;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.texts.get(start as usize..end as usize).unwrap_or_default()
    }

    #[inline(never)]
    fn grow(&mut self) {
        let length = (self.slots.len() * 2).max(64);
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); length]);
        for moved in old.into_iter().filter(|slot| slot.index != 0) {
            let mut place = moved.key.hash(self.text(moved.index - 1).as_bytes()) & (length - 1);
            while self.slots.get(place).is_some_and(|taken| taken.index != 0) {
                place = (place + 1) & (length - 1);
            }
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = moved;
            }
        }
    }
}

impl Key {
    #[inline]
    fn of(text: &[u8]) -> Self {
        let length = text.len() as u32;
        match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(first), Some(last)) => {
                Key { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last), length }
            }
            _ => Key { first: 0, last: few(text), length },
        }
    }

    /// No defence against chosen collisions: one plugin's memory, one batch.
    #[inline]
    fn hash(&self, text: &[u8]) -> usize {
        let mut state = mixed(self.first ^ u64::from(self.length)) ^ self.last;
        if text.len() > 16 {
            for word in text.as_chunks::<8>().0 {
                state = mixed(state ^ u64::from_le_bytes(*word));
            }
        }
        // A product's low bits know nothing of a factor's high ones, which is where texts that end in a number differ:
        // so twice.
        (mixed(mixed(state)) >> 32) as usize
    }
}

/// Up to seven bytes as a word.
#[inline]
fn few(text: &[u8]) -> u64 {
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32,
        _ => text.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

#[inline]
fn mixed(state: u64) -> u64 {
    let product = state.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

/// A column of text that is being written.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    dictionary: Dictionary,
    /// What all rows so far hold, and how many they are, until one differs: most columns of a batch hold one value or
    /// none.
    same: u32,
    count: usize,
    /// Since a row differed.
    indices: Vec<u32>,
    /// How many indices the last batch had.
    room: usize,
}

impl TextBuilder {
    #[inline]
    pub(crate) fn push(&mut self, text: Option<&str>) {
        let index = match text {
            Some(text) => self.dictionary.index(text),
            None => u32::MAX,
        };
        if !self.indices.is_empty() {
            self.indices.push(index);
        } else if self.count > 0 && index != self.same {
            self.mix(index);
        } else {
            (self.same, self.count) = (index, self.count + 1);
        }
    }

    /// The first row that differs.
    #[cold]
    fn mix(&mut self, index: u32) {
        self.indices.reserve(self.room.max(self.count + 1));
        self.indices.resize(self.count, self.same);
        self.indices.push(index);
    }

    /// How many bytes its distinct texts have.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.dictionary.texts.len()
    }

    /// The finished column, in its short form if all rows hold the same.
    pub(crate) fn take(&mut self) -> types::TextColumn {
        self.count = 0;
        self.room = self.indices.len();
        types::TextColumn { values: self.dictionary.take_values(), indices: std::mem::take(&mut self.indices) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_index_however_many_there_are() {
        let mut dictionary = Dictionary::default();
        let texts: Vec<String> = (0..5000).map(|number| format!("customer-{number}")).collect();
        for round in 0..2 {
            for (expected, text) in texts.iter().enumerate() {
                assert_eq!(dictionary.index(text) as usize, expected, "round {round}");
            }
        }
        assert_eq!(dictionary.take_values(), texts);
        assert_eq!(dictionary.index("again"), 0);
    }

    #[test]
    fn texts_of_every_length_are_told_apart_by_each_of_their_bytes() {
        let mut dictionary = Dictionary::default();
        let mut texts = std::collections::BTreeMap::new();
        for length in 0..40_usize {
            for byte in ["a", "b", "\0"] {
                for place in 0..length.max(1) {
                    let mut text = "a".repeat(length);
                    text.replace_range(place.min(length)..(place + 1).min(length), &byte[..length.min(1)]);
                    let index = dictionary.index(&text);
                    assert_eq!(*texts.entry(text).or_insert(index), index);
                }
            }
        }
        let indices: std::collections::BTreeSet<u32> = texts.values().copied().collect();
        assert_eq!(indices.len(), texts.len());
        assert_eq!(dictionary.take_values().len(), texts.len());
    }

    #[test]
    fn texts_that_differ_in_a_few_digits_are_spread() {
        for (before, after) in [("customer-", ""), ("", "-replica"), ("c", "r"), ("instance-of-some-length-", "-0")] {
            let hash = |text: String| Key::of(text.as_bytes()).hash(text.as_bytes());
            let slots: std::collections::BTreeSet<usize> =
                (0..1000).map(|number| hash(format!("{before}{number:04}{after}")) & 2047).collect();
            // Of 1000 balls in 2048 boxes, chance lets 791 lie alone or first.
            assert!(slots.len() > 740, "{before}0000{after}: {}", slots.len());
        }
    }

    #[test]
    fn a_column_of_one_value_needs_no_indices() {
        let mut column = TextBuilder::default();
        column.push(Some("a"));
        column.push(Some("a"));
        let taken = column.take();
        assert_eq!((taken.values, taken.indices), (vec!["a".to_owned()], vec![]));
        column.push(None);
        column.push(Some("a"));
        let taken = column.take();
        assert_eq!((taken.values, taken.indices), (vec!["a".to_owned()], vec![u32::MAX, 0]));
        column.push(None);
        column.push(None);
        let taken = column.take();
        assert_eq!((taken.values, taken.indices), (vec![], vec![]));
    }
}
