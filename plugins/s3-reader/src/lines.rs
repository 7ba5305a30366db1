//! A record a line.

use memchr::{memchr, memrchr};
use simdutf8::basic::from_utf8;

use crate::decode::{BYTE_ORDER_MARK, Stopped, Unusable, compressed};
use crate::pick::Picker;
use crate::rows::{Object, Place, Rows};
use crate::slot::Slot;

/// The longest line, in bytes.
const LONGEST: usize = 16 << 20;
/// So many bytes tell whether an object is compressed.
const HEAD: usize = 4;

/// Decodes lines that come in pieces.
#[derive(Default)]
pub(crate) struct Lines {
    /// What the object begins with.
    head: Vec<u8>,
    /// A line that lay across pieces, or the last one, without its end. It comes before `whole`.
    joined: Vec<u8>,
    /// Whole lines with their ends.
    whole: Vec<u8>,
    /// How much of `whole` is decoded.
    at: usize,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    /// The number of the last line that was decoded.
    number: u64,
}

impl Lines {
    pub(crate) fn push(&mut self, mut piece: Vec<u8>) -> Result<(), Unusable> {
        (self.at, self.whole) = (0, Vec::new());
        if self.head.len() < HEAD {
            self.head.extend(piece.iter().take(HEAD - self.head.len()));
            compressed(&self.head)?;
        }
        let Some(last) = memrchr(b'\n', &piece) else {
            self.begun.extend_from_slice(&piece);
            return self.check();
        };
        if !self.begun.is_empty() {
            let first = memchr(b'\n', &piece).unwrap_or(last);
            if let Some(rest_of_line) = piece.get_mut(..first) {
                self.begun.extend_from_slice(rest_of_line);
                // It may begin inside a character, and the piece is checked as a whole.
                rest_of_line.fill(b' ');
            }
            self.check()?;
            self.joined = std::mem::take(&mut self.begun);
            self.at = first + 1;
        }
        self.begun.extend_from_slice(piece.get(last + 1..).unwrap_or_default());
        piece.truncate(last + 1);
        self.whole = piece;
        Ok(())
    }

    /// The last line may lack its end.
    pub(crate) fn end(&mut self) -> Result<(), Unusable> {
        (self.at, self.whole) = (0, Vec::new());
        self.joined = std::mem::take(&mut self.begun);
        Ok(())
    }

    fn check(&self) -> Result<(), Unusable> {
        match self.begun.len() > LONGEST {
            true => Err(format!("line {} is longer than {} MiB", self.number + 1, LONGEST >> 20)),
            false => Ok(()),
        }
    }

    pub(crate) fn decode(
        &mut self,
        picker: &mut Picker,
        rows: &mut Rows,
        object: &Object<'_>,
    ) -> Result<Stopped, Unusable> {
        let joined = std::mem::take(&mut self.joined);
        if !joined.is_empty() {
            self.number += 1;
            let mut slots = picker.slots();
            Reader { picker, rows, object, slots: &mut slots, number: self.number }.bytes(&joined)?;
        }
        let mut slots = picker.slots();
        let mut reader = Reader { picker, rows, object, slots: &mut slots, number: self.number };
        let rest = self.whole.get(self.at..).unwrap_or_default();
        // Once for all lines, which is quicker than line by line.
        let text = from_utf8(rest).ok();
        let mut at = 0;
        let mut stopped = Stopped::Done;
        while at < rest.len() {
            if reader.rows.is_ready() {
                stopped = Stopped::PageFull;
                break;
            }
            reader.number += 1;
            at = match text {
                Some(text) => reader.line(text, at)?,
                None => {
                    let line = line(rest, at);
                    reader.bytes(line)?;
                    at + line.len() + 1
                }
            };
        }
        self.at += at;
        self.number = reader.number;
        Ok(stopped)
    }
}

/// The line that begins at `at`, without its end.
fn line(lines: &[u8], at: usize) -> &[u8] {
    let rest = lines.get(at..).unwrap_or_default();
    rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default()
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
    /// One line, without its end.
    #[cold]
    fn bytes(&mut self, line: &'de [u8]) -> Result<(), Unusable> {
        match std::str::from_utf8(line) {
            Ok(line) => self.line(line, 0).map(|_| ()),
            Err(_) if line.contains(&0) => Err(self.no_text()),
            Err(error) => {
                let reason = format!("it is not UTF-8: byte {} is wrong", error.valid_up_to() + 1);
                self.rows.no_record(self.object, self.place(), reason);
                Ok(())
            }
        }
    }

    /// The line that begins at `at`. Answers where the next one begins.
    #[inline]
    fn line(&mut self, text: &'de str, at: usize) -> Result<usize, Unusable> {
        match self.picker.line(text, at, self.slots) {
            Some(next) => {
                self.rows.record(self.object, self.place(), self.slots);
                Ok(next)
            }
            None => self.rare(text, at),
        }
    }

    #[inline(never)]
    fn rare(&mut self, text: &'de str, at: usize) -> Result<usize, Unusable> {
        let end = at + line(text.as_bytes(), at).len();
        let line = text.get(at..end).unwrap_or_default();
        let line = if self.number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        // A carriage return at the end is space to JSON.
        match self.picker.rare(line, self.slots) {
            Ok(()) => self.rows.record(self.object, self.place(), self.slots),
            Err(_) if line.bytes().all(|byte| byte.is_ascii_whitespace()) => {}
            Err(_) if line.contains('\0') => return Err(self.no_text()),
            Err(reason) => self.rows.no_record(self.object, self.place(), reason),
        }
        Ok(end + 1)
    }

    fn place(&self) -> Place {
        Place("line", self.number)
    }

    /// A text holds no NUL byte; what does is another thing, of which each line would look like a broken record.
    fn no_text(&self) -> Unusable {
        format!("line {} holds a NUL byte: it is no text with a record a line, or not in UTF-8", self.number)
    }
}
