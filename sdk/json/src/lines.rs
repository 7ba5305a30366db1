//! Records in lines.

use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter, memrchr};
use simdutf8::basic::from_utf8;

use crate::picker::{Picker, Quick};
use crate::scan::Scan;
use crate::{BYTE_ORDER_MARK, NoRecord, Place, Slot, Stopped, Unreadable, exact};

/// So many bytes are looked at together: few enough that stage two finds in the nearest cache what stage one saw.
const CHUNK: usize = 32 << 10;

/// Decodes lines that come in pieces.
///
/// A line holds a record, or several with nothing or space between them (`}{`), or nothing. From what is no record on,
/// nothing in a line is relied on: the rest of it is one item that is handed out as an error, and reading goes on in the
/// next line. Where that rest may hold more records, it says so ([`NoRecord::Rest`]). A record never reaches into the
/// next line. What a line means does not depend on how it was cut: what is broken is looked at when its line is there
/// whole.
#[derive(Debug, Default)]
pub struct Lines {
    /// A line that lay across pieces. It comes before `piece`.
    joined: Vec<u8>,
    /// What came last.
    piece: Vec<u8>,
    /// How much of `piece` is decoded, or belongs to `joined`.
    at: usize,
    /// What is not decoded of a line whose end has not come yet.
    begun: Vec<u8>,
    /// It is not looked at before it has so many bytes, or its end: else a long record would be read again for each
    /// piece of it.
    patience: usize,
    /// Whether there are no more pieces.
    ended: bool,
    line: LinePlace,
}

/// A place in a line.
#[derive(Debug, Clone, Copy, Default)]
struct LinePlace {
    /// How many lines came before.
    lines: u64,
    /// How many records of this line.
    records: u64,
    /// How many bytes of this line.
    bytes: usize,
}

impl LinePlace {
    #[inline]
    fn of_record(self) -> Place {
        let line = self.lines + 1;
        match self.records {
            0 => Place::Line(line),
            records => Place::InLine { line, record: records + 1 },
        }
    }

    #[inline]
    fn next_line(&mut self) {
        *self = LinePlace { lines: self.lines + 1, records: 0, bytes: 0 };
    }
}

impl Lines {
    /// What is left of a line, or a record in it, has at most so many bytes.
    pub const LONGEST: usize = 16 << 20;

    /// Takes the next piece in. What came before has to be decoded by then: [`decode`](Self::decode) answered
    /// [`Stopped::Done`].
    pub fn push(&mut self, piece: Vec<u8>) {
        self.at = 0;
        self.piece = piece;
        if self.begun.is_empty() {
            return;
        }
        let end = memchr(b'\n', &self.piece).map_or(self.piece.len(), |end| end + 1);
        self.begun.extend_from_slice(self.piece.get(..end).unwrap_or_default());
        self.joined = std::mem::take(&mut self.begun);
        self.at = end;
    }

    /// There are no more pieces. The last line may lack its end.
    pub fn end(&mut self) {
        self.push(Vec::new());
        self.ended = true;
    }

    /// Hands out the fields of each record that was taken in, in the slots of the picker's pointers, or what is wrong
    /// with it, until `each` answers [`ControlFlow::Break`]. After the last piece, `end` and decode once more.
    ///
    /// # Errors
    ///
    /// If a line is too long, or what is no record holds a NUL byte: then this is no text of lines, and what was handed
    /// out cannot be relied on either.
    pub fn decode(
        &mut self,
        picker: &mut Picker,
        mut each: impl FnMut(Place, Result<&[Slot<'_>], NoRecord>) -> ControlFlow<()>,
    ) -> Result<Stopped, Unreadable> {
        if !self.joined.is_empty() {
            let mut joined = std::mem::take(&mut self.joined);
            let (at, stopped) = self.region(&joined, 0, picker, &mut each)?;
            joined.drain(..at);
            if stopped == Stopped::Asked {
                self.joined = joined;
                return Ok(stopped);
            }
            self.begun = joined;
        }
        let piece = std::mem::take(&mut self.piece);
        let (at, stopped) = self.region(&piece, self.at, picker, &mut each)?;
        self.at = at;
        if stopped == Stopped::Asked {
            self.piece = piece;
        } else if let Some(rest @ [_, ..]) = piece.get(at..) {
            self.begun = rest.to_vec();
        }
        match self.begun.len() > Self::LONGEST && stopped == Stopped::Done {
            true => Err(Unreadable::TooLong { line: self.line.lines + 1 }),
            false => Ok(stopped),
        }
    }

    /// Decodes what stands from `at` on. Answers how far it came: what is not decoded then waits for the end of its
    /// line, unless the caller asked to stop.
    fn region(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        picker: &mut Picker,
        each: &mut impl FnMut(Place, Result<&[Slot<'_>], NoRecord>) -> ControlFlow<()>,
    ) -> Result<(usize, Stopped), Unreadable> {
        while let Some(rest @ [_, ..]) = bytes.get(at..) {
            let near = rest.get(..CHUNK).unwrap_or(rest);
            let end = match memrchr(b'\n', near) {
                Some(last) => Some(last),
                None => memchr(b'\n', rest.get(near.len()..).unwrap_or_default()).map(|next| near.len() + next),
            };
            if end.is_none() && !self.ended && rest.len() < self.patience {
                break;
            }
            let chunk = end.map_or(rest, |end| rest.get(..=end).unwrap_or(rest));
            let open = end.is_none() && !self.ended;
            let (came, next) = self.chunk(chunk, open, picker, each)?;
            at += came;
            match next {
                Next::Asked => return Ok((at, Stopped::Asked)),
                Next::Wait => {
                    self.patience = (2 * (rest.len() - came)).min(Self::LONGEST);
                    break;
                }
                Next::More => self.patience = 0,
            }
        }
        Ok((at, Stopped::Done))
    }

    /// Decodes lines, or the beginning of one that is `open`. Answers how far it came.
    fn chunk(
        &mut self,
        bytes: &[u8],
        open: bool,
        picker: &mut Picker,
        each: &mut impl FnMut(Place, Result<&[Slot<'_>], NoRecord>) -> ControlFlow<()>,
    ) -> Result<(usize, Next), Unreadable> {
        let text = from_utf8(bytes).unwrap_or_else(|_| sound(bytes));
        let mut slots = picker.slots();
        let (mut quick, marks) = picker.parts();
        marks.mark(text.as_bytes());
        let mut scan = Scan::new(text, marks);
        let mut at = 0;
        while at < bytes.len() {
            if let Some(end) = quick.record::<true>(&mut scan, at, &mut slots) {
                let place = self.line.of_record();
                if bytes.get(end) == Some(&b'\n') {
                    self.line.next_line();
                    at = end + 1;
                } else {
                    self.line.records += 1;
                    self.line.bytes += end - at;
                    at = end;
                }
                if each(place, Ok(&slots)).is_break() {
                    return Ok((at, Next::Asked));
                }
                continue;
            }
            let step = Rare { quick: &quick, text, bytes, open }.step(&mut at, &mut self.line, &mut slots)?;
            let flow = match step {
                Step::Space => ControlFlow::Continue(()),
                Step::Record(place, Ok(())) => each(place, Ok(&slots)),
                Step::Record(place, Err(reason)) => each(place, Err(reason)),
                Step::Wait => return Ok((at, Next::Wait)),
            };
            if flow.is_break() {
                return Ok((at, Next::Asked));
            }
            if at > text.len() {
                break;
            }
        }
        Ok((at, Next::More))
    }
}

/// What follows a chunk.
enum Next {
    Asked,
    /// For more of the line.
    Wait,
    More,
}

/// What stands at a place where the quick way does not get ahead.
enum Step {
    /// Space, or the end of a line.
    Space,
    Record(Place, Result<(), NoRecord>),
    Wait,
}

/// Takes one step where the quick way does not get ahead.
struct Rare<'a, 't> {
    quick: &'a Quick<'a>,
    /// As far as it is UTF-8.
    text: &'t str,
    bytes: &'t [u8],
    open: bool,
}

impl<'t> Rare<'_, 't> {
    #[inline(never)]
    fn step(&self, at: &mut usize, line: &mut LinePlace, slots: &mut [Slot<'t>]) -> Result<Step, Unreadable> {
        let start = *at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        let mark = match line {
            LinePlace { lines: 0, records: 0, bytes: 0 } if rest.starts_with(BYTE_ORDER_MARK.as_bytes()) => {
                BYTE_ORDER_MARK.len()
            }
            _ => 0,
        };
        match rest.get(space) {
            Some(b'\n') => {
                line.next_line();
                *at += space + 1;
                return Ok(Step::Space);
            }
            // Space counts for the length of a line that has no end yet.
            None if self.open => return Ok(Step::Wait),
            _ if space + mark > 0 => {
                line.bytes += space + mark;
                *at += space + mark;
                return Ok(Step::Space);
            }
            _ => {}
        }
        if rest.first() == Some(&b'{')
            && let Some((end, read)) = self.quick.sure(self.line_of(start), 0, slots)
        {
            let place = line.of_record();
            let read = read.map_err(|reason| reason.behind(line.bytes));
            line.records += 1;
            line.bytes += end;
            *at += end;
            return Ok(Step::Record(place, read));
        }
        let length = memchr(b'\n', rest);
        if self.open && length.is_none() {
            return Ok(Step::Wait);
        }
        let place = line.of_record();
        let broken = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        if broken.contains(&0) {
            return Err(Unreadable::Nul { line: line.lines + 1 });
        }
        let reason = match std::str::from_utf8(broken) {
            Ok(text) => match exact::record(self.quick.pointers, text, &mut []) {
                Err(reason) => reason,
                // A record that is no whole value: there is none, and if there were, it would not be lost.
                Ok(()) => NoRecord::NotAnObject(exact::shown(text)),
            },
            Err(error) => NoRecord::NotUtf8 { byte: error.valid_up_to() + 1 },
        };
        let reason = if hides(broken, line.records > 0) { NoRecord::Rest(Box::new(reason)) } else { reason };
        let before = line.bytes;
        *at += broken.len();
        match length {
            Some(_) => {
                *at += 1;
                line.next_line();
            }
            None => (line.records, line.bytes) = (line.records + 1, before + broken.len()),
        }
        Ok(Step::Record(place, Err(reason.behind(before))))
    }

    /// What stands from `at` on in its line, as far as it is UTF-8.
    fn line_of(&self, at: usize) -> &'t str {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.get(..memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())).unwrap_or_default()
    }
}

/// Whether another record may begin in what is none: at a brace that no value of a record could begin with. Where records
/// stand behind each other, in a line with some before, that is any brace but the first byte.
fn hides(broken: &[u8], behind_records: bool) -> bool {
    let mut braces = memchr_iter(b'{', broken).filter(|&at| at > 0);
    if behind_records {
        return braces.next().is_some();
    }
    let is_record = broken.first() == Some(&b'{');
    braces.any(|at| {
        let before = broken.get(..at).unwrap_or_default().trim_ascii_end().last();
        match is_record {
            true => !matches!(before, Some(b':' | b',' | b'[')),
            // Words, perhaps with a record in them: one line, of one thing.
            false => before == Some(&b'}'),
        }
    })
}

/// As much of a text as is UTF-8.
#[cold]
fn sound(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes.get(..error.valid_up_to()).and_then(|sound| from_utf8(sound).ok()).unwrap_or_default(),
    }
}
