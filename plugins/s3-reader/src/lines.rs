//! A record a line.

use memchr::{memchr, memchr_iter, memrchr};

use crate::decode::{BYTE_ORDER_MARK, Stopped, Unusable};
use crate::pick::Picker;
use crate::rows::{Object, Place, Rows};
use crate::slot::Slot;

/// The longest line, in bytes.
const LONGEST: usize = 16 << 20;

/// Decodes lines that come in pieces.
#[derive(Default)]
pub(crate) struct Lines {
    /// A line that lay across pieces, or the last one, without its end. It comes before `whole`.
    joined: Vec<u8>,
    whole: Whole,
    /// How much of `whole` is decoded.
    at: usize,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    /// The number of the last line that was decoded.
    number: u64,
}

/// Whole lines with their ends; as text, if all of it is text.
enum Whole {
    Text(String),
    Bytes(Vec<u8>),
}

impl Default for Whole {
    fn default() -> Self {
        Whole::Text(String::new())
    }
}

impl Whole {
    fn bytes(&self) -> &[u8] {
        match self {
            Whole::Text(text) => text.as_bytes(),
            Whole::Bytes(bytes) => bytes,
        }
    }
}

impl Lines {
    pub(crate) fn push(&mut self, mut piece: Vec<u8>) -> Result<(), Unusable> {
        (self.at, self.whole) = (0, Whole::default());
        let Some(last) = memrchr(b'\n', &piece) else {
            self.begun.extend_from_slice(&piece);
            return self.check();
        };
        let rest = piece.split_off(last + 1);
        if !self.begun.is_empty() {
            let first = memchr(b'\n', &piece).unwrap_or(last);
            self.begun.extend(piece.drain(..=first));
            self.check()?;
            self.begun.pop();
            self.joined = std::mem::take(&mut self.begun);
        }
        self.begun = rest;
        // Once for all lines, which is quicker than line by line.
        self.whole = match String::from_utf8(piece) {
            Ok(text) => Whole::Text(text),
            Err(error) => Whole::Bytes(error.into_bytes()),
        };
        Ok(())
    }

    /// The last line may lack its end.
    pub(crate) fn end(&mut self) -> Result<(), Unusable> {
        (self.at, self.whole) = (0, Whole::default());
        self.joined = std::mem::take(&mut self.begun);
        Ok(())
    }

    fn check(&self) -> Result<(), Unusable> {
        match self.begun.len() > LONGEST {
            true => Err(format!("line {} is longer than {} MiB", self.number + 1, LONGEST >> 20)),
            false => Ok(()),
        }
    }

    pub(crate) fn decode(&mut self, picker: &mut Picker, rows: &mut Rows, object: &Object<'_>) -> Stopped {
        let joined = std::mem::take(&mut self.joined);
        if !joined.is_empty() {
            self.number += 1;
            let mut slots = picker.slots();
            Reader { picker, rows, object, slots: &mut slots, number: self.number }.bytes(&joined);
        }
        let mut slots = picker.slots();
        let mut reader = Reader { picker, rows, object, slots: &mut slots, number: self.number };
        let all = self.whole.bytes();
        let begun = self.at;
        let mut stopped = Stopped::Done;
        for end in memchr_iter(b'\n', all.get(begun..).unwrap_or_default()) {
            if reader.rows.is_ready() {
                stopped = Stopped::PageFull;
                break;
            }
            let line = self.at..begun + end;
            self.at = line.end + 1;
            reader.number += 1;
            match &self.whole {
                Whole::Text(text) => reader.text(text.get(line).unwrap_or_default()),
                Whole::Bytes(bytes) => reader.bytes(bytes.get(line).unwrap_or_default()),
            }
        }
        self.number = reader.number;
        stopped
    }
}

/// What a line is read with.
struct Reader<'a, 'de> {
    picker: &'a mut Picker,
    rows: &'a mut Rows,
    object: &'a Object<'a>,
    slots: &'a mut [Slot<'de>],
    /// The line's, from 1.
    number: u64,
}

impl<'de> Reader<'_, 'de> {
    #[cold]
    fn bytes(&mut self, line: &'de [u8]) {
        match std::str::from_utf8(line) {
            Ok(line) => self.text(line),
            Err(error) => {
                let reason = format!("it is not UTF-8: byte {} is wrong", error.valid_up_to() + 1);
                self.rows.no_record(self.object, self.place(), reason);
            }
        }
    }

    #[inline]
    fn text(&mut self, line: &'de str) {
        let line = if self.number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        // A carriage return at the end is space to JSON.
        match self.picker.record(line, self.slots) {
            Ok(()) => self.rows.record(self.object, self.place(), self.slots),
            Err(_) if line.bytes().all(|byte| byte.is_ascii_whitespace()) => {}
            Err(reason) => self.rows.no_record(self.object, self.place(), reason),
        }
    }

    fn place(&self) -> Place {
        Place("line", self.number)
    }
}
