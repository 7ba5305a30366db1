//! Texts by number, each kept once.

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Gives equal texts equal numbers, from 0 upward. Keeps the texts one behind the other: a text costs its bytes and about 12 more.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: String,
    ends: Vec<usize>,
    numbers: HashTable<u32>,
    state: FixedState,
}

impl Texts {
    /// The text's number; a new one if it has none yet. There is room for no more than 2^32 of them in a component's memory.
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        let hash = self.state.hash_one(text);
        let found = self.numbers.find(hash, |&number| slice(&self.bytes, &self.ends, number) == text);
        if let Some(&number) = found {
            return number;
        }
        let number = self.ends.len() as u32;
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        let (bytes, ends, state) = (&self.bytes, &self.ends, &self.state);
        self.numbers.insert_unique(hash, number, |&number| state.hash_one(slice(bytes, ends, number)));
        number
    }

    /// The text behind a number.
    pub(crate) fn get(&self, number: u32) -> &str {
        slice(&self.bytes, &self.ends, number)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The place of each text, by number, in the order of the texts.
    pub(crate) fn ranks(&self) -> Vec<u32> {
        let mut sorted: Vec<u32> = (0..).take(self.len()).collect();
        sorted.sort_unstable_by_key(|&number| self.get(number));
        let mut ranks = vec![0; self.len()];
        for (rank, number) in (0..).zip(sorted) {
            if let Some(place) = ranks.get_mut(number as usize) {
                *place = rank;
            }
        }
        ranks
    }
}

fn slice<'a>(bytes: &'a str, ends: &[usize], number: u32) -> &'a str {
    let number = number as usize;
    let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or_default();
    let end = ends.get(number).copied().unwrap_or_default();
    bytes.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_ranks_follow_the_texts() {
        let mut texts = Texts::default();
        let words: Vec<String> = (0..3000).rev().map(|number| format!("{number:04}")).collect();
        for _ in 0..2 {
            for (number, word) in (0..).zip(&words) {
                assert_eq!(texts.number(word), number);
            }
        }
        assert_eq!(texts.number(""), 3000);
        assert_eq!((texts.get(1), texts.get(3000), texts.len()), ("2998", "", 3001));
        let ranks = texts.ranks();
        assert_eq!((ranks.first(), ranks.get(2999), ranks.get(3000)), (Some(&3000), Some(&1), Some(&0)));
    }
}
