//! From bytes to rows: a decoder for each way in which objects are written.
//!
//! A decoder takes bytes in pieces, and turns what it has into rows until a page is full; so neither a large piece nor
//! one that is written to do harm needs more memory than a page.

use crate::config::Format;
use crate::contents::Compression;
use crate::csv::Csv;
use crate::document::Document;
use crate::lines::Lines;
use crate::pick::Picker;
use crate::rows::{Object, Rows};

/// Turns one object's bytes into rows.
pub(crate) enum Decoder {
    Lines(Lines),
    Document(Document),
    Csv(Box<Csv>),
}

/// Why a decoder stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// A page is full; there may be more.
    PageFull,
    /// All that was taken in is decoded.
    Done,
}

/// Why an object makes no sense as a whole, in a person's words.
pub(crate) type Unusable = String;

impl Decoder {
    /// A decoder for an object of about `size` bytes, or 0 if nobody knows. `delimiter` is what stands between the fields
    /// of a CSV.
    pub(crate) fn new(format: Format, size: u64, delimiter: u8) -> Self {
        match format {
            Format::Ndjson => Decoder::Lines(Lines::default()),
            Format::Json => Decoder::Document(Document::new(size)),
            Format::Csv => Decoder::Csv(Box::new(Csv::new(delimiter))),
        }
    }

    /// Takes the next piece in. What came before is decoded by then.
    pub(crate) fn push(&mut self, piece: Vec<u8>) -> Result<(), Unusable> {
        match self {
            Decoder::Lines(lines) => lines.push(piece),
            Decoder::Document(document) => document.push(piece),
            Decoder::Csv(csv) => {
                csv.push(piece);
                Ok(())
            }
        }
    }

    /// There are no more pieces.
    pub(crate) fn end(&mut self) -> Result<(), Unusable> {
        match self {
            Decoder::Lines(lines) => lines.end(),
            Decoder::Document(document) => document.end(),
            Decoder::Csv(csv) => csv.end(),
        }
    }

    /// Turns what was taken in into rows.
    pub(crate) fn decode(
        &mut self,
        picker: &mut Picker,
        rows: &mut Rows,
        object: &Object<'_>,
    ) -> Result<Stopped, Unusable> {
        match self {
            Decoder::Lines(lines) => lines.decode(picker, rows, object),
            Decoder::Document(document) => Ok(document.decode(picker, rows, object)),
            Decoder::Csv(csv) => csv.decode(rows, object),
        }
    }
}

/// What the end of a key, or of a layout, says of how objects are written: `a.csv.gz` as much as `a.csv`.
pub(crate) fn format_of(key: &str) -> Option<Format> {
    let plain = Compression::of_key(key).map_or(key, |(_, plain)| plain);
    match plain.rsplit_once('.')?.1 {
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" | "log" => Some(Format::Ndjson),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}

/// What is said where neither the configuration nor a key tells how an object is written.
pub(crate) const SAY_THE_FORMAT: &str = "add `format = \"json\"`, `format = \"ndjson\"` or `format = \"csv\"`";

/// Whether what is left once the compression is taken off says that it is compressed once more.
pub(crate) fn compressed(begin: &[u8]) -> Result<(), Unusable> {
    let how = match begin {
        [0x1f, 0x8b, ..] => "gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        _ => return Ok(()),
    };
    Err(format!("it is compressed twice, the second time with {how}; compress it once"))
}

/// What some writers put before everything else.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';
