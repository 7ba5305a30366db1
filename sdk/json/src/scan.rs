//! Stage two: the quick way through a record, from mark to mark.
//!
//! What it accepts is JSON and means what [`exact`](crate::exact) makes of it; whatever is rare (a key with escapes, a
//! list that is led through, deep nesting) or wrong is left to that.

use crate::Slot;
use crate::keys::{Found, Orders};
use crate::marks::Marks;
use crate::pointers::{Child, Pointers};

/// So many lists and objects inside each other, and no more.
const DEPTH: u32 = 64;

/// A place in a text that is marked.
pub(crate) struct Scan<'a, 't> {
    pub(crate) text: &'t str,
    bytes: &'t [u8],
    marks: &'a Marks,
    at: usize,
}

/// What a value was that was skipped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Escaped,
    Number,
    Null,
    Other,
}

impl<'a, 't> Scan<'a, 't> {
    pub(crate) fn new(text: &'t str, marks: &'a Marks) -> Self {
        Scan { text, bytes: text.as_bytes(), marks, at: 0 }
    }

    /// Reads the record that begins with a brace at `at` into `slots`. Answers where it ends; nothing if the exact way
    /// has to look. Where `LINE` says so, the end of a line is no space.
    #[inline]
    pub(crate) fn record<const LINE: bool>(
        &mut self,
        pointers: &Pointers,
        orders: &mut Orders,
        at: usize,
        slots: &mut [Slot<'t>],
    ) -> Option<usize> {
        if self.bytes.get(at) != Some(&b'{') {
            return None;
        }
        self.at = at + 1;
        for slot in slots.iter_mut() {
            *slot = Slot::Missing;
        }
        self.fields::<LINE>(pointers, orders, 0, slots, 0)?;
        Some(self.at)
    }

    /// Where the JSON value ends that begins at `at`, after space; nothing if it is odd or wrong.
    pub(crate) fn value(&mut self, at: usize) -> Option<usize> {
        self.at = at;
        let first = self.space::<false>()?;
        self.skip::<false>(first, 0)?;
        Some(self.at)
    }

    /// The fields of an object, from behind its brace.
    #[inline]
    fn fields<const LINE: bool>(
        &mut self,
        pointers: &Pointers,
        orders: &mut Orders,
        node: usize,
        slots: &mut [Slot<'t>],
        depth: u32,
    ) -> Option<()> {
        let mut position = 0;
        loop {
            let found = match orders.node(node)?.expected(position, self.bytes, self.at) {
                Some(found) => found,
                None if self.bytes.get(self.at) == Some(&b'}') => {
                    self.at += 1;
                    return Some(());
                }
                None => match self.key::<LINE>(pointers, orders, node, position)? {
                    Some(found) => found,
                    None => return Some(()),
                },
            };
            self.at += found.length;
            let first = *self.bytes.get(self.at)?;
            match found.child {
                None if first == b'"' => {
                    self.string()?;
                }
                None => {
                    self.skip::<LINE>(first, depth)?;
                }
                Some(Child::Slot(slot)) => {
                    let value = self.wanted::<LINE>(first, depth)?;
                    slots.get_mut(slot)?.put(value);
                }
                Some(Child::Node(node)) => self.inner::<LINE>(pointers, orders, node, slots, first, depth)?,
            }
            position = found.position + 1;
        }
    }

    /// A field that leads to others.
    #[inline(never)]
    fn inner<const LINE: bool>(
        &mut self,
        pointers: &Pointers,
        orders: &mut Orders,
        node: usize,
        slots: &mut [Slot<'t>],
        first: u8,
        depth: u32,
    ) -> Option<()> {
        if first == b'[' || depth > DEPTH {
            return None;
        }
        pointers.enter(node, slots);
        if first == b'{' {
            self.at += 1;
            self.fields::<LINE>(pointers, orders, node, slots, depth + 1)?;
        } else {
            self.skip::<LINE>(first, depth)?;
        }
        pointers.leave(node, slots);
        Some(())
    }

    /// A key that is not the one that is expected, and what stands around it; nothing inside if the object ends.
    #[inline(never)]
    fn key<const LINE: bool>(
        &mut self,
        pointers: &Pointers,
        orders: &mut Orders,
        node: usize,
        position: usize,
    ) -> Option<Option<Found>> {
        let order = orders.node(node)?;
        if let Some(found) = order.expected_soon(position, self.bytes, self.at) {
            return Some(Some(found));
        }
        let (start, first) = (self.at, position == 0);
        match self.space::<LINE>()? {
            b'}' => {
                self.at += 1;
                return Some(None);
            }
            b',' if !first => {
                self.at += 1;
                self.space::<LINE>()?;
            }
            _ if !first => return None,
            _ => {}
        }
        let key = self.at;
        if *self.bytes.get(key)? != b'"' || self.string()? {
            return None;
        }
        let child = pointers.child(node, self.text.get(key + 1..self.at - 1)?);
        if self.space::<LINE>()? != b':' {
            return None;
        }
        self.at += 1;
        self.space::<LINE>()?;
        let before = self.bytes.get(start..self.at)?;
        order.remember(position, before, child);
        self.at = start;
        Some(Some(Found { position, length: before.len(), child }))
    }

    /// A value that is wanted.
    #[inline(always)]
    fn wanted<const LINE: bool>(&mut self, first: u8, depth: u32) -> Option<Slot<'t>> {
        let start = self.at;
        let kind = if first == b'"' {
            if self.string()? { Kind::Escaped } else { Kind::Text }
        } else {
            self.skip::<LINE>(first, depth)?
        };
        Some(match kind {
            Kind::Text => Slot::Text(self.text.get(start + 1..self.at - 1)?),
            Kind::Escaped => Slot::Escaped(self.text.get(start..self.at)?),
            Kind::Number => Slot::Number(self.text.get(start..self.at)?),
            Kind::Null => Slot::Null,
            Kind::Other => Slot::Other(self.text.get(start..self.at)?),
        })
    }

    /// The next byte that is no space.
    #[inline]
    fn space<const LINE: bool>(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.at)? {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if !LINE => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// A value that begins with `first`.
    #[inline]
    fn skip<const LINE: bool>(&mut self, first: u8, depth: u32) -> Option<Kind> {
        match first {
            b'-' | b'0'..=b'9' => self.number().map(|()| Kind::Number),
            _ => self.skip_rare::<LINE>(first, depth),
        }
    }

    #[inline(never)]
    fn skip_rare<const LINE: bool>(&mut self, first: u8, depth: u32) -> Option<Kind> {
        let word = match first {
            b'"' => return Some(if self.string()? { Kind::Escaped } else { Kind::Text }),
            b'{' | b'[' if depth > DEPTH => return None,
            b'{' => return self.skip_object::<LINE>(depth + 1),
            b'[' => return self.skip_list::<LINE>(depth + 1),
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

    fn skip_object<const LINE: bool>(&mut self, depth: u32) -> Option<Kind> {
        self.at += 1;
        if self.space::<LINE>()? != b'}' {
            loop {
                if self.space::<LINE>()? != b'"' {
                    return None;
                }
                self.string()?;
                if self.space::<LINE>()? != b':' {
                    return None;
                }
                self.at += 1;
                let first = self.space::<LINE>()?;
                self.skip::<LINE>(first, depth)?;
                match self.space::<LINE>()? {
                    b',' => self.at += 1,
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        Some(Kind::Other)
    }

    fn skip_list<const LINE: bool>(&mut self, depth: u32) -> Option<Kind> {
        self.at += 1;
        if self.space::<LINE>()? != b']' {
            loop {
                let first = self.space::<LINE>()?;
                self.skip::<LINE>(first, depth)?;
                match self.space::<LINE>()? {
                    b',' => self.at += 1,
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        Some(Kind::Other)
    }

    /// A string, from its first quote on. Answers whether it has escapes.
    #[inline(always)]
    fn string(&mut self) -> Option<bool> {
        self.at = self.marks.next(self.at + 1);
        if *self.bytes.get(self.at)? == b'"' {
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
            self.at = self.marks.next(self.at);
        }
    }

    /// A number. Most are whole or have a few digits behind the point, and a comma or a brace follows.
    #[inline(always)]
    fn number(&mut self) -> Option<()> {
        if let Some(end) = self.short_number() {
            self.at = end;
            return Some(());
        }
        self.any_number()
    }

    #[inline(always)]
    fn short_number(&self) -> Option<usize> {
        let word = word_at(self.bytes, self.at)?;
        let whole = digits(word);
        // No zero in front of other digits; and none at all is not a number.
        if whole == 0 || (whole > 1 && word as u8 == b'0') {
            return None;
        }
        let mut end = self.at + whole;
        if whole == 8 {
            end += digits(word_at(self.bytes, end)?);
        }
        let mut next = *self.bytes.get(end)?;
        if next == b'.' {
            let fraction = digits(word_at(self.bytes, end + 1)?);
            end += 1 + fraction;
            next = if fraction > 0 { *self.bytes.get(end)? } else { return None };
        }
        matches!(next, b',' | b'}').then_some(end)
    }

    #[inline(never)]
    fn any_number(&mut self) -> Option<()> {
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

#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|word| u64::from_le_bytes(*word))
}

/// How many digits a word begins with.
#[inline(always)]
fn digits(word: u64) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // A digit is 0 to 9 then. What is more gets its highest bit, or has it; a carry goes to bytes behind only.
    let values = word ^ (ONES * b'0' as u64);
    let others = (values.wrapping_add(ONES * (0x80 - 10)) | values) & (ONES * 0x80);
    others.trailing_zeros() as usize / 8
}
