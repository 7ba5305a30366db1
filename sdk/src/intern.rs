//! A dictionary of the texts of one column, built while rows come in.

use crate::bindings::imports::types;

/// Finds the index of a text that was seen before, or gives it the next one.
///
/// Usage repeats: the same few hundred customers over and over. So the hash is cheap, the last text is tried first, and the
/// texts lie one behind the other in one allocation until the column is done.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    texts: String,
    ends: Vec<u32>,
    /// Open addressing; a slot holds an index plus one, or zero. Its length is a power of two.
    slots: Vec<u32>,
    last: Option<u32>,
}

impl Dictionary {
    pub(crate) fn index(&mut self, text: &str) -> u32 {
        if let Some(last) = self.last
            && self.text(last) == text
        {
            return last;
        }
        if (self.ends.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash(text.as_bytes()) as usize & mask;
        let index = loop {
            match self.slots.get(slot).copied().unwrap_or_default() {
                0 => break self.insert(slot, text),
                seen if self.text(seen - 1) == text => break seen - 1,
                _ => slot = (slot + 1) & mask,
            }
        };
        self.last = Some(index);
        index
    }

    /// The values in the order of their indices; the dictionary is empty afterwards and keeps its room.
    pub(crate) fn take_values(&mut self) -> Vec<String> {
        let values = (0..).take(self.ends.len()).map(|index| self.text(index).to_owned()).collect();
        self.texts.clear();
        self.ends.clear();
        self.slots.fill(0);
        self.last = None;
        values
    }

    fn insert(&mut self, slot: usize, text: &str) -> u32 {
        let index = self.ends.len() as u32;
        self.texts.push_str(text);
        self.ends.push(self.texts.len() as u32);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = index + 1;
        }
        index
    }

    fn text(&self, index: u32) -> &str {
        let index = index as usize;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.texts.get(start as usize..end as usize).unwrap_or_default()
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(64);
        self.slots = vec![0; slots];
        for index in 0..self.ends.len() as u32 {
            let mut slot = hash(self.text(index).as_bytes()) as usize & (slots - 1);
            while self.slots.get(slot).is_some_and(|&taken| taken != 0) {
                slot = (slot + 1) & (slots - 1);
            }
            if let Some(place) = self.slots.get_mut(slot) {
                *place = index + 1;
            }
        }
    }
}

/// Multiplies and folds eight bytes at a time. No defence against chosen collisions: one plugin's memory, one batch.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = (state ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
        state ^= state >> 29;
    }
    if !rest.is_empty() {
        let mut last = [0u8; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        state = (state ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
    }
    state ^ (state >> 32)
}

/// A column of text that is being written.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    dictionary: Dictionary,
    indices: Vec<u32>,
    /// Whether any row so far differs from the first one.
    mixed: bool,
}

impl TextBuilder {
    pub(crate) fn push(&mut self, text: Option<&str>) {
        let index = match text {
            Some(text) => self.dictionary.index(text),
            None => u32::MAX,
        };
        self.mixed |= self.indices.first().is_some_and(|&first| first != index);
        self.indices.push(index);
    }

    /// The finished column, in its short form if all rows hold the same.
    pub(crate) fn take(&mut self) -> types::TextColumn {
        let values = self.dictionary.take_values();
        let indices = std::mem::take(&mut self.indices);
        match std::mem::take(&mut self.mixed) {
            true => types::TextColumn { values, indices },
            false => types::TextColumn { values, indices: Vec::new() },
        }
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
    }
}
