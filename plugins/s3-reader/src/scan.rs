//! The quick way through a record: one pass over its bytes.
//!
//! What it accepts is JSON and means what `visitor` makes of it; whatever is rare (a key with escapes, a list that is led through,
//! deep nesting) or wrong is left to `visitor`. Strings are skipped eight bytes at a time. Records of one kind repeat the order of their
//! keys, so the key that stood in the same place in the last record is compared first, without looking for its end.

use crate::slot::Slot;
use crate::tree::{Child, Tree};

/// So many lists and objects inside each other, and no more.
const DEPTH: u32 = 64;
/// Of an object so many keys are remembered.
const KEYS: usize = 128;
/// The longest key that is remembered, with its closing quote: this many times eight bytes.
const WORDS: usize = 5;

/// The keys of the last record, in their order, for each node of the tree.
#[derive(Debug, Default)]
pub(crate) struct Orders(Vec<Vec<Expected>>);

#[derive(Debug, Clone, Copy)]
struct Expected {
    /// With the closing quote.
    length: usize,
    words: [u64; WORDS],
    /// Of the last word, the bytes that count.
    mask: u64,
    child: Option<Child>,
}

impl Orders {
    pub(crate) fn new(tree: &Tree) -> Self {
        Orders(vec![Vec::new(); tree.nodes()])
    }
}

/// Reads the record that `text` begins with, after space, into `slots`, which are missing before. Answers where it ends; nothing if the
/// visitor has to look.
pub(crate) fn record<'de>(tree: &Tree, orders: &mut Orders, text: &'de str, slots: &mut [Slot<'de>]) -> Option<usize> {
    let mut scan = Scan { text, bytes: text.as_bytes(), at: 0 };
    if scan.space()? != b'{' {
        return None;
    }
    scan.at += 1;
    scan.fields(tree, orders, 0, slots, 0)?;
    Some(scan.at)
}

/// Where the JSON value that `text` begins with ends, after space; nothing if it is odd or wrong.
pub(crate) fn value(text: &str) -> Option<usize> {
    let mut scan = Scan { text, bytes: text.as_bytes(), at: 0 };
    let first = scan.space()?;
    scan.skip(first, 0)?;
    Some(scan.at)
}

/// Where the first byte that is no space stands.
pub(crate) fn space(text: &str, mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.as_bytes().get(at) {
        at += 1;
    }
    at
}

struct Scan<'de> {
    text: &'de str,
    bytes: &'de [u8],
    at: usize,
}

/// What a value was that was skipped.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Escaped,
    Number,
    Null,
    Other,
}

impl<'de> Scan<'de> {
    /// The next byte that is no space.
    #[inline]
    fn space(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// The fields of an object, from behind its brace.
    fn fields(
        &mut self,
        tree: &Tree,
        orders: &mut Orders,
        node: usize,
        slots: &mut [Slot<'de>],
        depth: u32,
    ) -> Option<()> {
        if self.space()? == b'}' {
            self.at += 1;
            return Some(());
        }
        for position in 0.. {
            if self.space()? != b'"' {
                return None;
            }
            self.at += 1;
            let child = self.key(tree, orders, node, position)?;
            if self.space()? != b':' {
                return None;
            }
            self.at += 1;
            let first = self.space()?;
            match child {
                None => self.skip(first, depth).map(|_| ())?,
                Some(Child::Slot(slot)) => {
                    let value = self.value(first, depth)?;
                    slots.get_mut(slot)?.put(value);
                }
                Some(Child::Node(_)) if first == b'[' || depth > DEPTH => return None,
                Some(Child::Node(node)) => {
                    tree.enter(node, slots);
                    if first == b'{' {
                        self.at += 1;
                        self.fields(tree, orders, node, slots, depth + 1)?;
                    } else {
                        self.skip(first, depth)?;
                    }
                    tree.leave(node, slots);
                }
            }
            match self.space()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// A key, from behind its first quote.
    #[inline]
    fn key(&mut self, tree: &Tree, orders: &mut Orders, node: usize, position: usize) -> Option<Option<Child>> {
        let order = orders.0.get_mut(node)?;
        if let Some(expected) = order.get(position)
            && self.is_next(expected)
        {
            self.at += expected.length;
            return Some(expected.child);
        }
        let start = self.at;
        if self.string()? {
            return None;
        }
        let child = tree.child(node, self.text.get(start..self.at - 1)?);
        let quoted = self.bytes.get(start..self.at)?;
        if position < KEYS && quoted.len() <= WORDS * 8 {
            let expected = Expected::new(quoted, child);
            if position == order.len() {
                order.push(expected);
            } else if let Some(place) = order.get_mut(position) {
                *place = expected;
            }
        }
        Some(child)
    }

    #[inline]
    fn is_next(&self, expected: &Expected) -> bool {
        let mut at = self.at;
        let mut left = expected.length;
        for &word in &expected.words {
            let Some(found) = word_at(self.bytes, at) else { return false };
            if left <= 8 {
                return (found ^ word) & expected.mask == 0;
            }
            if found != word {
                return false;
            }
            at += 8;
            left -= 8;
        }
        false
    }

    /// A value that is wanted.
    #[inline]
    fn value(&mut self, first: u8, depth: u32) -> Option<Slot<'de>> {
        let start = self.at;
        let kind = self.skip(first, depth)?;
        Some(match kind {
            Kind::Text => Slot::Text(self.text.get(start + 1..self.at - 1)?),
            Kind::Escaped => Slot::Escaped(self.text.get(start..self.at)?),
            Kind::Number => Slot::Number(self.text.get(start..self.at)?),
            Kind::Null => Slot::Null,
            Kind::Other => Slot::Other(self.text.get(start..self.at)?),
        })
    }

    /// A value that begins with `first`.
    #[inline]
    fn skip(&mut self, first: u8, depth: u32) -> Option<Kind> {
        match first {
            b'"' => {
                self.at += 1;
                Some(if self.string()? { Kind::Escaped } else { Kind::Text })
            }
            b'-' | b'0'..=b'9' => self.number().map(|()| Kind::Number),
            _ => self.skip_rare(first, depth),
        }
    }

    #[inline(never)]
    fn skip_rare(&mut self, first: u8, depth: u32) -> Option<Kind> {
        let word = match first {
            b'{' | b'[' if depth > DEPTH => return None,
            b'{' => return self.skip_object(depth + 1),
            b'[' => return self.skip_list(depth + 1),
            b'n' => "null",
            b't' => "true",
            b'f' => "false",
            _ => return None,
        };
        if !self.bytes.get(self.at..)?.starts_with(word.as_bytes()) {
            return None;
        }
        self.at += word.len();
        Some(if first == b'n' { Kind::Null } else { Kind::Other })
    }

    fn skip_object(&mut self, depth: u32) -> Option<Kind> {
        self.at += 1;
        if self.space()? != b'}' {
            loop {
                if self.space()? != b'"' {
                    return None;
                }
                self.at += 1;
                self.string()?;
                if self.space()? != b':' {
                    return None;
                }
                self.at += 1;
                let first = self.space()?;
                self.skip(first, depth)?;
                match self.space()? {
                    b',' => self.at += 1,
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        Some(Kind::Other)
    }

    fn skip_list(&mut self, depth: u32) -> Option<Kind> {
        self.at += 1;
        if self.space()? != b']' {
            loop {
                let first = self.space()?;
                self.skip(first, depth)?;
                match self.space()? {
                    b',' => self.at += 1,
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        Some(Kind::Other)
    }

    /// The rest of a string, from behind its first quote. Answers whether it has escapes.
    #[inline]
    fn string(&mut self) -> Option<bool> {
        let mut escaped = false;
        loop {
            self.at = plain_until(self.bytes, self.at);
            match *self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.at += match *self.bytes.get(self.at + 1)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                        b'u' if self.bytes.get(self.at + 2..self.at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
                        _ => return None,
                    };
                }
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        match *self.bytes.get(self.at)? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// One digit or more.
    #[inline]
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

impl Expected {
    fn new(quoted: &[u8], child: Option<Child>) -> Self {
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(quoted.chunks(8)) {
            let mut padded = [0; 8];
            for (to, from) in padded.iter_mut().zip(bytes) {
                *to = *from;
            }
            *word = u64::from_le_bytes(padded);
        }
        let unused = (8 - quoted.len() % 8) % 8;
        Expected { length: quoted.len(), words, mask: u64::MAX >> (unused * 8), child }
    }
}

#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|word| u64::from_le_bytes(*word))
}

/// Where the first quote, backslash or control character stands.
#[inline]
fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    while let Some(word) = word_at(bytes, at) {
        // A byte's high bit is set in the difference if the byte was below what is taken from it, or by a borrow from such a byte before it:
        // the lowest bit that is set is always right.
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}
