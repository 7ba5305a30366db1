//! The quick way through a record: one pass over its bytes.
//!
//! What it accepts is JSON and means what `visitor` makes of it; whatever is rare (a key with escapes, a list that is
//! led through, deep nesting) or wrong is left to `visitor`. Strings are skipped sixteen bytes at a time. Records of
//! one kind repeat the order of their keys, so the key that stood in the same place in the last record is compared
//! first, without looking for its end.

use crate::block::first_special;
use crate::slot::Slot;
use crate::tree::{Child, Tree};

/// So many lists and objects inside each other, and no more.
const DEPTH: u32 = 64;
/// Of an object so many keys are remembered.
const KEYS: usize = 128;
/// The longest key that is remembered, from its first quote to the colon behind it: this many times eight bytes.
const WORDS: usize = 6;

/// The keys of the last record, in their order, for each node of the tree.
#[derive(Debug, Default)]
pub(crate) struct Orders(Vec<Vec<Expected>>);

#[derive(Debug, Clone, Copy)]
struct Expected {
    /// From the first quote to the colon. Zero if the key is too long to be remembered.
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

    /// For each place in the last object of a node, whether its key is remembered.
    #[cfg(test)]
    pub(crate) fn remembered(&self, node: usize) -> Vec<bool> {
        self.0[node].iter().map(|expected| expected.length > 0).collect()
    }
}

/// Reads the record that stands at `at` of a sound document, after space, into `slots`, which are missing before.
/// Answers where it ends; nothing if the visitor has to look.
pub(crate) fn record<'de>(
    tree: &Tree,
    orders: &mut Orders,
    text: &'de str,
    at: usize,
    slots: &mut [Slot<'de>],
) -> Option<usize> {
    let mut scan = Scan::<false> { text, bytes: text.as_bytes(), at };
    scan.record(tree, orders, slots)?;
    Some(scan.at)
}

/// Reads the record that is the whole line at `at` into `slots`, which are missing before. Answers where the next line
/// begins; nothing if the visitor has to look. There is no need to know beforehand where the line ends: JSON may hold
/// the end of a line as space only, and here that is none.
#[inline]
pub(crate) fn line<'de>(
    tree: &Tree,
    orders: &mut Orders,
    text: &'de str,
    at: usize,
    slots: &mut [Slot<'de>],
) -> Option<usize> {
    let mut scan = Scan::<true> { text, bytes: text.as_bytes(), at };
    scan.record(tree, orders, slots)?;
    match scan.space() {
        Some(b'\n') => Some(scan.at + 1),
        None => Some(scan.at),
        Some(_) => None,
    }
}

/// Where the JSON value that `text` begins with ends, after space; nothing if it is odd or wrong.
pub(crate) fn value(text: &str) -> Option<usize> {
    let mut scan = Scan::<false> { text, bytes: text.as_bytes(), at: 0 };
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

/// A place in a text. Where `LINE` says so, the end of a line is no space.
struct Scan<'de, const LINE: bool> {
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

impl<'de, const LINE: bool> Scan<'de, LINE> {
    /// The next byte that is no space.
    #[inline]
    fn space(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if byte > b' ' {
                return Some(byte);
            }
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if !LINE => self.at += 1,
                _ => return Some(byte),
            }
        }
    }

    #[inline]
    fn record(&mut self, tree: &Tree, orders: &mut Orders, slots: &mut [Slot<'de>]) -> Option<()> {
        if self.space()? != b'{' {
            return None;
        }
        self.at += 1;
        self.fields(tree, orders, 0, slots, 0)
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
            let child = self.key(tree, orders, node, position)?;
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

    /// A key, after space, and the colon behind it.
    #[inline]
    fn key(&mut self, tree: &Tree, orders: &mut Orders, node: usize, position: usize) -> Option<Option<Child>> {
        let order = orders.0.get_mut(node)?;
        if let Some(expected) = order.get(position)
            && self.is_next(expected)
        {
            self.at += expected.length;
            return Some(expected.child);
        }
        self.new_key(tree, node, position, order)
    }

    #[inline(never)]
    fn new_key(
        &mut self,
        tree: &Tree,
        node: usize,
        position: usize,
        order: &mut Vec<Expected>,
    ) -> Option<Option<Child>> {
        if self.space()? != b'"' {
            return None;
        }
        let start = self.at;
        // It may be the one that is expected, behind space.
        if let Some(expected) = order.get(position)
            && self.is_next(expected)
        {
            self.at += expected.length;
            return Some(expected.child);
        }
        self.at += 1;
        if self.string()? {
            return None;
        }
        let quoted = self.at;
        let child = tree.child(node, self.text.get(start + 1..quoted - 1)?);
        if self.space()? != b':' {
            return None;
        }
        self.at += 1;
        // What stands in a document may stand between lines, where the end of a line is no space.
        let gap = self.bytes.get(quoted..self.at)?;
        let known = self.bytes.get(start..self.at).filter(|known| known.len() <= WORDS * 8 && !gap.contains(&b'\n'));
        let expected = Expected::new(known.unwrap_or_default(), child);
        if position == order.len() && position < KEYS {
            order.push(expected);
        } else if let Some(place) = order.get_mut(position) {
            *place = expected;
        }
        Some(child)
    }

    #[inline(always)]
    fn is_next(&self, expected: &Expected) -> bool {
        let mut at = self.at;
        let mut left = expected.length;
        for &word in &expected.words {
            let Some(found) = word_at(self.bytes, at) else { return false };
            if left <= 8 {
                return (found ^ word) & expected.mask == 0 && left > 0;
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
        self.at = plain_until(self.bytes, self.at);
        if self.bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Some(false);
        }
        self.escaped()
    }

    /// The rest of a string, from an escape on, or from what does not belong into one.
    #[inline(never)]
    fn escaped(&mut self) -> Option<bool> {
        loop {
            match *self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(true);
                }
                b'\\' => {
                    self.at += match *self.bytes.get(self.at + 1)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                        b'u' if self.bytes.get(self.at + 2..self.at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
                        _ => return None,
                    };
                }
                _ => return None,
            }
            self.at = plain_until(self.bytes, self.at);
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
    fn new(known: &[u8], child: Option<Child>) -> Self {
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(known.chunks(8)) {
            let mut padded = [0; 8];
            for (to, from) in padded.iter_mut().zip(bytes) {
                *to = *from;
            }
            *word = u64::from_le_bytes(padded);
        }
        let unused = (8 - known.len() % 8) % 8;
        Expected { length: known.len(), words, mask: u64::MAX >> (unused * 8), child }
    }
}

#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|word| u64::from_le_bytes(*word))
}

/// Where the first quote, backslash or control character stands.
#[inline]
fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let first = first_special(block);
        at += first;
        if first < 16 {
            return at;
        }
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}
