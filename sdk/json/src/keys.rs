//! Keys that are known beforehand: records of one kind repeat the order of their keys.
//!
//! What stood before a value, from the comma to the colon, is compared with what stands there now, sixteen bytes at a
//! time, without looking for its end.

use wide::u8x16;

use crate::pointers::{Child, Pointers};

/// Of an object so many keys are remembered.
const KEYS: usize = 128;
/// Bytes of a part.
const PART: usize = 16;
/// What is remembered has at most so many parts.
const PARTS: usize = 3;
/// So many keys may be missing from a record before one that is remembered.
const MISSING: usize = 4;

/// The keys of the records so far, in their order, for each node of the wanted fields.
#[derive(Debug, Default)]
pub(crate) struct Orders(Vec<Order>);

/// The keys of a node. What stands before the first has no comma and what stands before another has one, so neither
/// ever takes the other's place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    first: Expected,
    others: Vec<Expected>,
}

/// A key, what stands around it, and where it leads.
#[derive(Debug, Clone, Copy, Default)]
struct Expected {
    /// Of all parts, in bytes. Zero if it is too long to be remembered.
    length: usize,
    parts: [u8x16; PARTS],
    /// All bits of the bytes that count.
    masks: [u8x16; PARTS],
    child: Option<Child>,
}

/// A key that was found where it was expected.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) position: usize,
    /// Of what stood around it, too, in bytes.
    pub(crate) length: usize,
    pub(crate) child: Option<Child>,
}

impl Orders {
    pub(crate) fn new(pointers: &Pointers) -> Self {
        Orders(vec![Order::default(); pointers.nodes()])
    }

    #[inline]
    pub(crate) fn node(&mut self, node: usize) -> Option<&mut Order> {
        self.0.get_mut(node)
    }

    /// For each place in the last object of a node, whether its key is remembered.
    #[cfg(test)]
    pub(crate) fn remembered(&self, node: usize) -> Vec<bool> {
        let order = &self.0[node];
        std::iter::once(&order.first).chain(&order.others).map(|expected| expected.length > 0).collect()
    }
}

impl Order {
    /// The key at `position`, if that is what stands at `at`.
    #[inline(always)]
    pub(crate) fn expected(&self, position: usize, text: &[u8], at: usize) -> Option<Found> {
        let expected = match position.checked_sub(1) {
            Some(position) => self.others.get(position)?,
            None => &self.first,
        };
        expected.is_at(text, at).then_some(Found { position, length: expected.length, child: expected.child })
    }

    /// One of the keys that come soon after `position`: what may be missing from a record often is.
    #[inline(never)]
    pub(crate) fn expected_soon(&self, position: usize, text: &[u8], at: usize) -> Option<Found> {
        let soon = if position == 0 { 0..0 } else { position + 1..position + 1 + MISSING };
        soon.into_iter().find_map(|position| self.expected(position, text, at))
    }

    /// Remembers what stood before a value.
    pub(crate) fn remember(&mut self, position: usize, before: &[u8], child: Option<Child>) {
        let expected = Expected::new(before, child);
        match position.checked_sub(1) {
            None => self.first = expected,
            // Another that is too long stands there already.
            Some(position)
                if expected.length == 0 && self.others.get(position).is_some_and(|known| known.length == 0) => {}
            // In front of what was expected, which may come next.
            Some(position) if self.others.len() < KEYS && position <= self.others.len() => {
                self.others.insert(position, expected);
            }
            Some(position) => {
                if let Some(place) = self.others.get_mut(position) {
                    *place = expected;
                }
            }
        }
    }
}

impl Expected {
    fn new(before: &[u8], child: Option<Child>) -> Self {
        let before = if before.len() > PART * PARTS { &[] } else { before };
        let (mut parts, mut masks) = ([u8x16::default(); PARTS], [u8x16::default(); PARTS]);
        for ((part, mask), bytes) in parts.iter_mut().zip(&mut masks).zip(before.chunks(PART)) {
            let (mut padded, mut counted) = ([0; PART], [0; PART]);
            for ((to, counts), from) in padded.iter_mut().zip(&mut counted).zip(bytes) {
                (*to, *counts) = (*from, u8::MAX);
            }
            (*part, *mask) = (u8x16::from(padded), u8x16::from(counted));
        }
        Expected { length: before.len(), parts, masks, child }
    }

    #[inline(always)]
    fn is_at(&self, text: &[u8], at: usize) -> bool {
        let [first, second, third] = self.parts;
        let [first_mask, second_mask, third_mask] = self.masks;
        let Some(rest) = text.get(at..) else { return false };
        let differ = if self.length <= PART {
            let Some(found) = rest.first_chunk::<PART>() else { return self.ends(rest) };
            (u8x16::from(*found) ^ first) & first_mask
        } else if self.length <= 2 * PART {
            let Some(found) = rest.first_chunk::<{ 2 * PART }>() else { return self.ends(rest) };
            let (found, _) = found.as_chunks::<PART>();
            let [one, two] = found else { return false };
            ((u8x16::from(*one) ^ first) & first_mask) | ((u8x16::from(*two) ^ second) & second_mask)
        } else {
            let Some(found) = rest.first_chunk::<{ 3 * PART }>() else { return self.ends(rest) };
            let (found, _) = found.as_chunks::<PART>();
            let [one, two, three] = found else { return false };
            ((u8x16::from(*one) ^ first) & first_mask)
                | ((u8x16::from(*two) ^ second) & second_mask)
                | ((u8x16::from(*three) ^ third) & third_mask)
        };
        self.length > 0 && differ.simd_eq(u8x16::default()).to_bitmask() == 0xffff
    }

    /// The same near the end of a text.
    #[cold]
    fn ends(&self, rest: &[u8]) -> bool {
        let known = self.parts.iter().flat_map(|part| part.to_array()).take(self.length);
        self.length > 0 && self.length <= rest.len() && known.zip(rest).all(|(known, found)| known == *found)
    }
}
