//! From bytes to records: one JSON document, or a record a line.

use std::cell::RefCell;

use memchr::{memchr, memchr_iter};
use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::record::{RecordSeed, Slot};
use crate::rows::{Object, Place, Rows};

/// The longest line, in bytes.
pub(crate) const LINE: usize = 16 << 20;

/// Reads a document: an array of records, or one record. The error says why it makes no sense as a whole; none of its records is used
/// then.
pub(crate) fn document(rows: &mut Rows, object: &Object<'_>, bytes: &[u8]) -> Result<(), String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.is_empty() {
        return Err("it is empty, and holds no JSON".to_owned());
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("it is not UTF-8: byte {} is wrong", error.valid_up_to() + 1))?;
    // Read twice: a document that breaks off is known to be wrong only at its end, and then none of its records may be used.
    let mut first = serde_json::Deserializer::from_str(text);
    let valid = IgnoredAny::deserialize(&mut first).and_then(|IgnoredAny| first.end());
    valid.map_err(|error| format!("it is not valid JSON: {error}"))?;
    match text.trim_start().as_bytes().first() {
        Some(b'[') => {
            let list = List { rows: RefCell::new(rows), object };
            serde_json::Deserializer::from_str(text).deserialize_seq(list).map_err(|error| error.to_string())
        }
        Some(b'{') => {
            one(rows, object, Place("record", 1), text);
            Ok(())
        }
        _ => {
            let shown: String = text.trim().chars().take(40).collect();
            Err(format!("it holds neither a list of records nor a record, but `{shown}`"))
        }
    }
}

/// One text that should be a record.
fn one(rows: &mut Rows, object: &Object<'_>, place: Place, text: &str) {
    let mut slots: Vec<Slot<'_>> = vec![Slot::Missing; rows.mapping().tree.slots.len()];
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = RecordSeed { tree: &rows.mapping().tree, node: 0, slots: &mut slots };
    let read = seed.deserialize(&mut deserializer).and_then(|found| deserializer.end().map(|()| found));
    match read {
        Ok(true) => rows.record(object, place, &slots),
        Ok(false) => rows.no_record(object, place, "it is JSON, but not an object".to_owned()),
        Err(error) => rows.no_record(object, place, format!("it is not valid JSON: {error}")),
    }
}

/// The elements of an array.
struct List<'r, 'o> {
    rows: RefCell<&'r mut Rows>,
    object: &'o Object<'o>,
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let rows = self.rows.into_inner();
        let mut slots: Vec<Slot<'de>> = vec![Slot::Missing; rows.mapping().tree.slots.len()];
        let mut number = 0;
        loop {
            slots.fill(Slot::Missing);
            let seed = RecordSeed { tree: &rows.mapping().tree, node: 0, slots: &mut slots };
            let Some(found) = list.next_element_seed(seed)? else { return Ok(()) };
            number += 1;
            let place = Place("record", number);
            match found {
                true => rows.record(self.object, place, &slots),
                false => rows.no_record(self.object, place, "it is not an object".to_owned()),
            }
        }
    }
}

/// Reads lines that come in pieces.
#[derive(Default)]
pub(crate) struct Lines {
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Takes the next piece in. The error says why the object makes no sense as a whole.
    pub(crate) fn push(&mut self, rows: &mut Rows, object: &Object<'_>, piece: &[u8]) -> Result<(), String> {
        let mut rest = piece;
        if !self.begun.is_empty() {
            let Some(end) = memchr(b'\n', piece) else {
                self.begun.extend_from_slice(piece);
                return self.check();
            };
            let (line, after) = piece.split_at(end);
            self.begun.extend_from_slice(line);
            let line = std::mem::take(&mut self.begun);
            self.line(rows, object, &line);
            rest = after.get(1..).unwrap_or_default();
        }
        let mut start = 0;
        for end in memchr_iter(b'\n', rest) {
            self.line(rows, object, rest.get(start..end).unwrap_or_default());
            start = end + 1;
        }
        self.begun.extend_from_slice(rest.get(start..).unwrap_or_default());
        self.check()
    }

    /// The last line may lack its end.
    pub(crate) fn finish(&mut self, rows: &mut Rows, object: &Object<'_>) {
        let line = std::mem::take(&mut self.begun);
        self.line(rows, object, &line);
    }

    fn check(&self) -> Result<(), String> {
        match self.begun.len() {
            long if long > LINE => Err(format!("line {} is longer than {} MiB", self.number + 1, LINE >> 20)),
            _ => Ok(()),
        }
    }

    fn line(&mut self, rows: &mut Rows, object: &Object<'_>, line: &[u8]) {
        self.number += 1;
        let line = if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let place = Place("line", self.number);
        match std::str::from_utf8(line) {
            Ok(text) => one(rows, object, place, text),
            Err(error) => {
                let reason = format!("it is not UTF-8: byte {} is wrong", error.valid_up_to() + 1);
                rows.no_record(object, place, reason);
            }
        }
    }
}
