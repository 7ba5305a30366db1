//! Rows below a header (RFC 4180).
//!
//! | file | subject |
//! |---|---|
//! | `header` | which column holds which wanted field |
//! | `quotes` | whether quotes stand where they may |

mod header;
mod quotes;
#[cfg(test)]
mod tests;

use csv_core::ReadRecordResult;
use meterhost_sdk::json::{Place, Slot};

use self::header::Header;
use self::quotes::Quotes;
use crate::decode::{Stopped, Unusable};
use crate::rows::{Object, Rows};

/// The longest row, in bytes.
const LONGEST: usize = 16 << 20;
/// The most fields of a row.
const WIDEST: usize = 1 << 16;
/// Of wanted fields so many need no allocation a row.
const FEW: usize = 16;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes rows that come in pieces.
pub(crate) struct Csv {
    reader: csv_core::Reader,
    quotes: Quotes,
    /// What the object begins with, until it is long enough to tell whether there is a byte order mark.
    head: Option<Vec<u8>>,
    piece: Vec<u8>,
    /// How much of the piece was read.
    at: usize,
    /// The line on which the row that is being read began.
    begun: Option<u64>,
    /// The fields of the row that is being read, one behind the other, and where each of them ends.
    fields: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    count: usize,
    header: Option<Header>,
}

impl Csv {
    pub(crate) fn new(delimiter: u8) -> Self {
        Csv {
            reader: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            quotes: Quotes::new(delimiter),
            head: Some(Vec::new()),
            piece: Vec::new(),
            at: 0,
            begun: None,
            fields: vec![0; 4 << 10],
            length: 0,
            ends: vec![0; 64],
            count: 0,
            header: None,
        }
    }

    pub(crate) fn push(&mut self, piece: Vec<u8>) {
        (self.at, self.piece) = (0, piece);
        if let Some(mut head) = self.head.take() {
            head.append(&mut self.piece);
            if head.len() < BYTE_ORDER_MARK.len() {
                self.head = Some(head);
                return;
            }
            self.at = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            self.piece = head;
        }
    }

    /// There are no more pieces. The last row may lack its end, but not the quote that closes its last field.
    pub(crate) fn end(&mut self) -> Result<(), Unusable> {
        (self.at, self.piece) = (0, self.head.take().unwrap_or_default());
        match (self.begun, self.quotes.is_open()) {
            (Some(line), true) => return Err(format!("line {line} begins a row with a quote that is never closed")),
            (None, _) if self.piece.is_empty() && self.header.is_none() => {
                return Err("it is empty, and a CSV begins with a header that names its columns".to_owned());
            }
            (None, _) if self.piece.is_empty() => {}
            _ => self.piece.push(b'\n'),
        }
        Ok(())
    }

    pub(crate) fn decode(&mut self, rows: &mut Rows, object: &Object<'_>) -> Result<Stopped, Unusable> {
        loop {
            if rows.is_ready() {
                return Ok(Stopped::PageFull);
            }
            // A row that an earlier piece began may be inside of a quote, though nothing of it was taken yet.
            let is_new = self.begun.is_none();
            let Some(line) = self.begin() else { return Ok(Stopped::Done) };
            if is_new && self.plain_row(rows, object, line)? {
                continue;
            }
            let input = self.piece.get(self.at..).unwrap_or_default();
            let (fields, ends) = (
                self.fields.get_mut(self.length..).unwrap_or_default(),
                self.ends.get_mut(self.count..).unwrap_or_default(),
            );
            let (result, read, written, ended) = self.reader.read_record(input, fields, ends);
            if !self.quotes.follow(input.get(..read).unwrap_or_default()) {
                return Err(format!(
                    "line {line} begins a row in which text follows a quote that closes a field, and so nobody knows \
                     where its fields end"
                ));
            }
            self.at += read;
            self.length += written;
            self.count += ended;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(Stopped::Done),
                ReadRecordResult::OutputFull if self.fields.len() >= LONGEST => {
                    return Err(format!("line {line} begins a row that is longer than {} MiB", LONGEST >> 20));
                }
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= WIDEST => {
                    return Err(format!("line {line} begins a row of more than {WIDEST} fields"));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.row(rows, object, line)?;
                    (self.begun, self.length, self.count) = (None, 0, 0);
                }
            }
        }
    }

    /// Takes a row that needs no reader of CSV, because it has no quote, and whether there was one: most are so. The header never is,
    /// so that the reader has seen the beginning of the object.
    fn plain_row(&mut self, rows: &mut Rows, object: &Object<'_>, line: u64) -> Result<bool, Unusable> {
        let Some(header) = &self.header else { return Ok(false) };
        let input = self.piece.get(self.at..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'\n', input).filter(|end| *end <= LONGEST) else { return Ok(false) };
        let row = input.get(..end).unwrap_or_default();
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        if memchr::memchr2(b'"', b'\r', row).is_some() {
            return Ok(false);
        }
        let mut count = 0;
        for place in memchr::memchr_iter(self.quotes.delimiter(), row).chain([row.len()]) {
            match self.ends.get_mut(count) {
                Some(end) => *end = place,
                None if count < WIDEST => self.ends.push(place),
                None => return Ok(false),
            }
            count += 1;
        }
        let ends = self.ends.get(..count).unwrap_or_default();
        record(header, rows, object, line, &Row { bytes: row, ends, between: 1 })?;
        self.at += end + 1;
        self.reader.set_line(self.reader.line() + 1);
        self.begun = None;
        Ok(true)
    }

    /// The line on which the row begins that is being read, or is to be read next; nothing if there are no bytes left.
    /// An empty line is no row.
    fn begin(&mut self) -> Option<u64> {
        if self.begun.is_none() {
            while let Some(end @ (b'\r' | b'\n')) = self.piece.get(self.at) {
                self.reader.set_line(self.reader.line() + u64::from(*end == b'\n'));
                self.at += 1;
            }
        }
        self.piece.get(self.at)?;
        Some(*self.begun.get_or_insert_with(|| self.reader.line()))
    }

    /// Takes a whole row: the header, or a record.
    fn row(&mut self, rows: &mut Rows, object: &Object<'_>, line: u64) -> Result<(), Unusable> {
        let bytes = self.fields.get(..self.length).unwrap_or_default();
        let row = Row { bytes, ends: self.ends.get(..self.count).unwrap_or_default(), between: 0 };
        match &self.header {
            Some(header) => record(header, rows, object, line, &row),
            None => {
                row.is_text(line)?;
                self.header = Some(Header::new(rows.mapping(), &Fields::of(&row)?)?);
                Ok(())
            }
        }
    }
}

/// Takes a row below the header.
fn record(header: &Header, rows: &mut Rows, object: &Object<'_>, line: u64, row: &Row<'_>) -> Result<(), Unusable> {
    row.is_text(line)?;
    let place = Place::Line(line);
    if row.ends.len() != header.width() {
        let (fields, columns) = (counted(row.ends.len(), "field"), counted(header.width(), "column"));
        rows.no_record(object, place, format!("it has {fields}, and the header names {columns}"));
        return Ok(());
    }
    let fields = match Fields::of(row) {
        Ok(fields) => fields,
        Err(reason) => {
            rows.no_record(object, place, reason);
            return Ok(());
        }
    };
    let (mut few, mut many) = ([Slot::Missing; FEW], Vec::new());
    let slots = match few.get_mut(..header.slots()) {
        Some(few) => few,
        None => {
            many.resize(header.slots(), Slot::Missing);
            many.as_mut_slice()
        }
    };
    for &(slot, column) in header.wanted() {
        // An empty field is how a CSV says that there is nothing.
        if let (Some(slot), Some(text)) = (slots.get_mut(slot), fields.get(column).filter(|text| !text.is_empty())) {
            *slot = Slot::Text(text);
        }
    }
    rows.record(object, place, slots);
    Ok(())
}

/// The bytes of a row's fields.
struct Row<'a> {
    bytes: &'a [u8],
    /// Where each field ends.
    ends: &'a [usize],
    /// How many bytes stand between the end of a field and the beginning of the next.
    between: usize,
}

impl Row<'_> {
    fn is_text(&self, line: u64) -> Result<(), Unusable> {
        match memchr::memchr(0, self.bytes) {
            Some(_) => Err(format!("line {line} holds a NUL byte: it is no text, or not in UTF-8")),
            None => Ok(()),
        }
    }
}

/// The fields of one row.
struct Fields<'a> {
    text: &'a str,
    ends: &'a [usize],
    between: usize,
}

impl<'a> Fields<'a> {
    fn of(row: &Row<'a>) -> Result<Self, String> {
        let text = simdutf8::basic::from_utf8(row.bytes).ok();
        // Two halves of a character that meet are none: each field is a text by itself.
        let text = text.filter(|text| row.ends.iter().all(|&end| text.is_char_boundary(end)));
        let fields = |text| Fields { text, ends: row.ends, between: row.between };
        text.map(fields).ok_or_else(|| "it is not UTF-8".to_owned())
    }

    fn get(&self, column: usize) -> Option<&'a str> {
        let start = match column.checked_sub(1) {
            Some(before) => *self.ends.get(before)? + self.between,
            None => 0,
        };
        self.text.get(start..*self.ends.get(column)?)
    }

    fn iter(&self) -> impl Iterator<Item = &'a str> {
        (0..self.ends.len()).filter_map(|column| self.get(column))
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
