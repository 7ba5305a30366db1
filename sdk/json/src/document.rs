//! One JSON document: a list of records, or one record, or records one after the other.

use std::ops::ControlFlow;

use serde::de::IgnoredAny;

use crate::marks::Marks;
use crate::picker::Picker;
use crate::scan::Scan;
use crate::{BYTE_ORDER_MARK, NoRecord, Place, Slot, Stopped, Unreadable, exact};

/// Decodes a document, which is held in memory as a whole: it is known to be sound only at its end, and before that none
/// of its records is handed out.
///
/// It is a list of records, or records with nothing or any JSON space between them. Whatever is wrong with its syntax
/// makes all of it unreadable; an element of a list that is no object, or a record whose keys are no texts, is handed out
/// as an error by its place.
#[derive(Debug, Default)]
pub struct Document {
    bytes: Vec<u8>,
    /// How many bytes there will be, as far as it is known.
    expected: usize,
    /// Once it is known to be sound.
    text: String,
    marks: Marks,
    /// How much of the text is decoded.
    at: usize,
    /// Whether the list, or the first record, has begun.
    opened: bool,
    /// How many records were found so far.
    records: u64,
}

impl Document {
    /// The largest document, in bytes.
    pub const LARGEST: usize = 64 << 20;

    /// A document of about so many bytes.
    pub fn new(size: u64) -> Self {
        let expected = usize::try_from(size).map_or(Self::LARGEST, |size| size.min(Self::LARGEST));
        Document { expected, ..Document::default() }
    }

    /// Takes the next piece in.
    ///
    /// # Errors
    ///
    /// If the document becomes larger than [`LARGEST`](Self::LARGEST).
    pub fn push(&mut self, piece: Vec<u8>) -> Result<(), Unreadable> {
        if self.bytes.len() + piece.len() > Self::LARGEST {
            return Err(Unreadable::TooLarge);
        }
        if self.bytes.is_empty() {
            self.bytes = piece;
            return Ok(());
        }
        if self.bytes.capacity() < self.expected {
            self.bytes.reserve_exact(self.expected - self.bytes.len());
        }
        self.bytes.extend_from_slice(&piece);
        Ok(())
    }

    /// There are no more pieces.
    ///
    /// # Errors
    ///
    /// If it is no document of records.
    pub fn end(&mut self) -> Result<(), Unreadable> {
        if simdutf8::basic::from_utf8(&self.bytes).is_err() {
            // The slower way knows where.
            let byte = std::str::from_utf8(&self.bytes).map_or_else(|error| error.valid_up_to() + 1, |_| 1);
            return Err(Unreadable::NotUtf8 { byte });
        }
        let text = String::from_utf8(std::mem::take(&mut self.bytes)).unwrap_or_default();
        let document = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        if document.is_empty() {
            return Err(Unreadable::Empty);
        }
        self.marks.mark(text.as_bytes());
        self.at = text.len() - document.len();
        check(&text, self.at, &self.marks)?;
        self.text = text;
        Ok(())
    }

    /// Hands out the fields of each record, in the slots of the picker's pointers, or why it is none, until `each`
    /// answers [`ControlFlow::Break`]. Before [`end`](Self::end), there is nothing.
    pub fn decode(
        &mut self,
        picker: &mut Picker,
        mut each: impl FnMut(Place, Result<&[Slot<'_>], NoRecord>) -> ControlFlow<()>,
    ) -> Stopped {
        let text = self.text.as_str();
        let mut slots = picker.slots();
        let mut quick = picker.document();
        let mut scan = Scan::new(text, &self.marks);
        loop {
            // The text is sound, so that brackets and commas need no second look.
            self.at = space(text, self.at);
            match text.as_bytes().get(self.at) {
                None => return Stopped::Done,
                Some(b'[') if !self.opened => {
                    self.opened = true;
                    self.at += 1;
                    continue;
                }
                Some(b',' | b']') => {
                    self.at += 1;
                    continue;
                }
                Some(_) => {}
            }
            self.opened = true;
            self.records += 1;
            let place = Place::Record(self.records);
            let flow = match quick.record::<false>(&mut scan, self.at, &mut slots) {
                Some(end) => {
                    self.at = end;
                    each(place, Ok(&slots))
                }
                None => match quick.sure(text, self.at, &mut slots) {
                    Some((end, read)) => {
                        self.at = end;
                        each(place, read.map(|()| slots.as_slice()))
                    }
                    None => {
                        self.at = text.len();
                        each(place, Err(NoRecord::Json { reason: "it has no end".to_owned(), column: 0 }))
                    }
                },
            };
            if flow.is_break() {
                return Stopped::Asked;
            }
        }
    }
}

/// Whether a text is, from `at` on, a list, or objects.
fn check(text: &str, at: usize, marks: &Marks) -> Result<(), Unreadable> {
    let mut scan = Scan::new(text, marks);
    let begin = space(text, at);
    let object = |at| text.as_bytes().get(at) == Some(&b'{');
    let mut end = begin;
    if text.as_bytes().get(begin) == Some(&b'[') {
        end = scan.value(begin).map_or(begin, |end| space(text, end));
    } else {
        while object(end)
            && let Some(next) = scan.value(end)
        {
            end = space(text, next);
        }
    }
    match end == text.len() && begin < end {
        true => Ok(()),
        false => slowly(text.get(at..).unwrap_or_default()),
    }
}

/// The same as serde_json sees it, with its words.
#[cold]
fn slowly(text: &str) -> Result<(), Unreadable> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let begin = space(text, 0);
    let first = text.as_bytes().get(begin).copied();
    match values.next() {
        Some(Ok(_)) => {}
        Some(Err(error)) => return Err(Unreadable::Json(error.to_string())),
        // serde_json's stream takes nothing for its end.
        None => {
            let error = serde_json::from_str::<IgnoredAny>(text).err();
            return Err(error.map_or(Unreadable::Empty, |error| Unreadable::Json(error.to_string())));
        }
    }
    loop {
        let next = space(text, values.byte_offset());
        match (first, text.as_bytes().get(next)) {
            (Some(b'{' | b'['), None) => return Ok(()),
            (Some(b'{'), Some(b'{')) => match values.next() {
                Some(Err(error)) => return Err(Unreadable::Json(error.to_string())),
                _ => continue,
            },
            (Some(b'{' | b'['), Some(_)) => {
                let before = text.get(..next).unwrap_or_default();
                let line_start = before.rfind('\n').map_or(0, |end| end + 1);
                let line = before.matches('\n').count() + 1;
                return Err(Unreadable::Second { line, column: before.len() - line_start + 1 });
            }
            _ => {
                return match serde_json::from_str::<IgnoredAny>(text) {
                    Ok(_) => Err(Unreadable::NoRecords(exact::shown(text.trim()))),
                    Err(error) => Err(Unreadable::Json(error.to_string())),
                };
            }
        }
    }
}

/// Where the first byte that is no space stands.
fn space(text: &str, mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.as_bytes().get(at) {
        at += 1;
    }
    at
}
