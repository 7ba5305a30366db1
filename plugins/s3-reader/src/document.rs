//! One JSON document: a list of records, or one record.

use serde::Deserialize as _;
use serde::de::IgnoredAny;

use crate::decode::{BYTE_ORDER_MARK, Stopped, Unusable, compressed};
use crate::pick::{Picker, shown};
use crate::rows::{Object, Place, Rows};
use crate::scan;

/// The largest document, in bytes.
const LARGEST: usize = 64 << 20;

/// Decodes a document, which is held in memory as a whole: it is known to be sound only at its end, and before that
/// none of its records may be used.
#[derive(Default)]
pub(crate) struct Document {
    bytes: Vec<u8>,
    /// How many bytes there will be, as far as the store knows.
    expected: usize,
    /// Once it is known to be sound.
    text: String,
    /// How much of the text is decoded.
    at: usize,
    /// Whether the list, or the only record, has begun.
    opened: bool,
    /// How many records were found so far.
    records: u64,
}

impl Document {
    /// A document of about so many bytes.
    pub(crate) fn new(size: u64) -> Self {
        let expected = usize::try_from(size).map_or(LARGEST, |size| size.min(LARGEST));
        Document { expected, ..Document::default() }
    }

    pub(crate) fn push(&mut self, piece: Vec<u8>) -> Result<(), Unusable> {
        if self.bytes.len() + piece.len() > LARGEST {
            return Err(format!(
                "it is larger than {} MiB, and a document is read as a whole; write a record a line (`format = \"ndjson\"`)",
                LARGEST >> 20
            ));
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

    pub(crate) fn end(&mut self) -> Result<(), Unusable> {
        compressed(&self.bytes)?;
        let text = String::from_utf8(std::mem::take(&mut self.bytes))
            .map_err(|error| format!("it is not UTF-8: byte {} is wrong", error.utf8_error().valid_up_to() + 1))?;
        let document = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        if document.is_empty() {
            return Err("it is empty, and an empty list is written `[]`".to_owned());
        }
        check(document)?;
        self.at = text.len() - document.len();
        self.text = text;
        Ok(())
    }

    pub(crate) fn decode(&mut self, picker: &mut Picker, rows: &mut Rows, object: &Object<'_>) -> Stopped {
        let text = self.text.as_str();
        let mut slots = picker.slots();
        while !rows.is_ready() {
            // The text is sound, so that brackets and commas need no second look.
            self.at = scan::space(text, self.at);
            match text.as_bytes().get(self.at) {
                None => return Stopped::Done,
                Some(b'[') if !self.opened => {
                    self.opened = true;
                    self.at += 1;
                }
                Some(b',' | b']') => self.at += 1,
                Some(_) => {
                    self.opened = true;
                    self.records += 1;
                    let place = Place("record", self.records);
                    let (end, found) = picker.element(text, self.at, &mut slots);
                    self.at = end;
                    match found {
                        Ok(()) => rows.record(object, place, &slots),
                        Err(reason) => rows.no_record(object, place, reason),
                    }
                }
            }
        }
        Stopped::PageFull
    }
}

/// Whether a text is a list or an object.
fn check(text: &str) -> Result<(), Unusable> {
    if scan::value(text).is_none_or(|end| scan::space(text, end) < text.len()) {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        IgnoredAny::deserialize(&mut deserializer).map_err(|error| format!("it is not valid JSON: {error}"))?;
        deserializer.end().map_err(|error| {
            format!(
                "a second value follows the first at line {} column {}; where each line is a record, say `format = \"ndjson\"`",
                error.line(),
                error.column()
            )
        })?;
    }
    match text.as_bytes().get(scan::space(text, 0)) {
        Some(b'[' | b'{') => Ok(()),
        _ => Err(format!("it holds neither a list of records nor a record, but {}", shown(text.trim()))),
    }
}
