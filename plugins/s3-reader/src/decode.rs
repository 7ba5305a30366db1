//! From bytes to rows: a decoder for each way in which objects are written.
//!
//! A decoder takes bytes in pieces, and turns what it has into rows until a page is full; so neither a large piece nor
//! one that is written to do harm needs more memory than a page.

use std::ops::ControlFlow;

use meterhost_sdk::json::{self, NoRecord, Picker, Place, Slot, Unreadable};

use crate::config::Format;
use crate::contents::Compression;
use crate::csv::Csv;
use crate::rows::{Object, Rows};

/// Turns one object's bytes into rows.
pub(crate) struct Decoder {
    /// What the object begins with.
    head: Vec<u8>,
    form: Form,
}

/// How an object is written.
enum Form {
    Lines(json::Lines),
    Document(json::Document),
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

/// So many bytes tell whether an object is compressed.
const HEAD: usize = 4;

impl Decoder {
    /// A decoder for an object of about `size` bytes, or 0 if nobody knows. `delimiter` is what stands between the fields
    /// of a CSV.
    pub(crate) fn new(format: Format, size: u64, delimiter: u8) -> Self {
        let form = match format {
            Format::Ndjson => Form::Lines(json::Lines::default()),
            Format::Json => Form::Document(json::Document::new(size)),
            Format::Csv => Form::Csv(Box::new(Csv::new(delimiter))),
        };
        Decoder { head: Vec::new(), form }
    }

    /// Takes the next piece in. What came before is decoded by then.
    pub(crate) fn push(&mut self, piece: Vec<u8>) -> Result<(), Unusable> {
        if self.head.len() < HEAD {
            self.head.extend(piece.iter().take(HEAD - self.head.len()));
            compressed(&self.head)?;
        }
        match &mut self.form {
            Form::Lines(lines) => lines.push(piece),
            Form::Document(document) => document.push(piece).map_err(|reason| said(&reason))?,
            Form::Csv(csv) => csv.push(piece),
        }
        Ok(())
    }

    /// There are no more pieces.
    pub(crate) fn end(&mut self) -> Result<(), Unusable> {
        match &mut self.form {
            Form::Lines(lines) => {
                lines.end();
                Ok(())
            }
            Form::Document(document) => document.end().map_err(|reason| said(&reason)),
            Form::Csv(csv) => csv.end(),
        }
    }

    /// Turns what was taken in into rows.
    pub(crate) fn decode(
        &mut self,
        picker: &mut Picker,
        rows: &mut Rows,
        object: &Object<'_>,
    ) -> Result<Stopped, Unusable> {
        if rows.is_ready() {
            return Ok(Stopped::PageFull);
        }
        let mut hidden: Option<Unusable> = None;
        let each = |place: Place, record: Result<&[Slot<'_>], NoRecord>| {
            match record {
                Ok(slots) => rows.record(object, place, slots),
                // Usage of anybody may stand there.
                Err(reason @ NoRecord::Rest(_)) if !rows.knows_customer(object) => {
                    hidden = Some(format!("{place}: {reason}"));
                    return ControlFlow::Break(());
                }
                Err(reason) => rows.no_record(object, place, reason.to_string()),
            }
            if rows.is_ready() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let stopped = match &mut self.form {
            Form::Lines(lines) => lines.decode(picker, each).map_err(|reason| said(&reason))?,
            Form::Document(document) => document.decode(picker, each),
            Form::Csv(csv) => return csv.decode(rows, object),
        };
        match (hidden, stopped) {
            (Some(hidden), _) => Err(hidden),
            (None, json::Stopped::Asked) => Ok(Stopped::PageFull),
            (None, json::Stopped::Done) => Ok(Stopped::Done),
        }
    }
}

/// What is wrong, and what the configuration can do about it.
fn said(reason: &Unreadable) -> Unusable {
    match reason {
        Unreadable::TooLarge => format!("{reason} (`format = \"ndjson\"`)"),
        reason => reason.to_string(),
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
