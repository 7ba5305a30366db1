//! A segment: the entries of one step, as one object of lines of JSON.
//!
//! ```text
//! {"segment":7,"form":1,"nonce":"…","entries":2,"before":{"number":30,"step":6,"hash":"…"}}
//! {"number":31,"pipeline":"…","run":"…","at":1751331600000,"kind":"attempt","entry":{…},"hash":"…"}
//! {"number":32,…}
//! {"sha256":"…"}
//! ```
//!
//! The last line is over all bytes before it: a segment that is cut short, or changed in a place that no entry's hash speaks of, is told
//! from a whole one.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ledger::row::{Hash, Head, Row};

/// The form in which this version writes segments. It reads none that is newer.
pub(super) const FORM: u32 = 1;

/// A segment, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Which try of which run wrote it.
    pub(super) nonce: String,
    /// The chain's end before it.
    pub(super) before: Head,
    /// Its entries, at least one.
    pub(super) rows: Vec<Row>,
}

/// What is wrong with a segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::ledger) enum Flaw {
    /// It is not what was written.
    #[error("{0}")]
    Torn(String),
    /// It is nobody's segment, or a newer version's.
    #[error("{0}")]
    Foreign(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    segment: u64,
    form: u32,
    nonce: String,
    entries: usize,
    before: Head,
}

/// What of the first line is the same in every form.
#[derive(Deserialize)]
struct AnyFirst {
    #[serde(rename = "segment")]
    _segment: u64,
    form: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    number: u64,
    pipeline: String,
    run: String,
    at: i64,
    kind: String,
    #[serde(borrow)]
    entry: &'a RawValue,
    hash: Hash,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    sha256: Hash,
}

impl Segment {
    /// Its number: that of its step.
    pub(super) fn number(&self) -> u64 {
        self.before.step + 1
    }

    /// The chain's end behind it.
    pub(super) fn head(&self) -> Head {
        self.rows.last().map_or(self.before, Row::head)
    }

    /// As it is stored.
    pub(super) fn render(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let Segment { nonce, before, rows } = self;
        let first =
            First { segment: self.number(), form: FORM, nonce: nonce.clone(), entries: rows.len(), before: *before };
        line(&mut bytes, &first)?;
        for row in rows {
            let Row { number, step: _, pipeline, run, at, kind, body, hash } = row.clone();
            let entry = RawValue::from_string(body)?;
            line(&mut bytes, &Line { number, pipeline, run, at, kind, entry: &entry, hash })?;
        }
        let last = Last { sha256: Hash::of(&bytes) };
        line(&mut bytes, &last)?;
        Ok(bytes)
    }

    /// Reads what was stored as the segment of this number. Whether its entries follow from those before is not looked at.
    pub(super) fn parse(bytes: &[u8], number: u64) -> Result<Segment, Flaw> {
        let torn = |what: &str| Flaw::Torn(what.to_owned());
        let whole = bytes.strip_suffix(b"\n").ok_or_else(|| torn("it is cut short"))?;
        let (said, last) = match whole.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => whole.split_at(end + 1),
            None => return Err(foreign(bytes).unwrap_or_else(|| torn("it is cut short"))),
        };
        match serde_json::from_slice::<Last>(last) {
            Ok(last) if last.sha256 == Hash::of(said) => {}
            Ok(_) => return Err(torn("it is not what was written: its checksum is another")),
            Err(_) => {
                return Err(foreign(bytes).unwrap_or_else(|| torn("it is cut short: its last line is no checksum")));
            }
        }
        if let Some(foreign) = foreign(bytes) {
            return Err(foreign);
        }
        let unreadable = |error: serde_json::Error| Flaw::Torn(format!("it cannot be read: {error}"));
        let mut lines = said.split_inclusive(|byte| *byte == b'\n');
        let first: First = serde_json::from_slice(lines.next().unwrap_or_default()).map_err(unreadable)?;
        if first.segment != number || first.before.step.checked_add(1) != Some(number) {
            return Err(Flaw::Torn(format!(
                "it is the segment {}, and stands in the place of {number}",
                first.segment
            )));
        }
        let row = |line: &[u8]| {
            let Line { number: entry_number, pipeline, run, at, kind, entry, hash } =
                serde_json::from_slice(line).map_err(unreadable)?;
            let body = entry.get().to_owned();
            Ok(Row { number: entry_number, step: number, pipeline, run, at, kind, body, hash })
        };
        let rows: Vec<Row> = lines.map(row).collect::<Result<_, Flaw>>()?;
        if rows.len() != first.entries || rows.is_empty() {
            return Err(Flaw::Torn(format!("it holds {} entries, and says {}", rows.len(), first.entries)));
        }
        Ok(Segment { nonce: first.nonce, before: first.before, rows })
    }
}

/// Whether it is no segment at all, or one of a newer version.
fn foreign(bytes: &[u8]) -> Option<Flaw> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice::<AnyFirst>(first) {
        Ok(first) if first.form > FORM => Some(Flaw::Foreign(format!(
            "is from a newer version of meterhost: its form is {}, and this one knows {FORM}",
            first.form
        ))),
        Ok(_) => None,
        Err(_) => Some(Flaw::Foreign("is no segment of a ledger".to_owned())),
    }
}

fn line(bytes: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *bytes, value)?;
    bytes.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::entry::{Entry, Record};
    use crate::model::window::{Window, WindowKind};

    fn segment() -> Segment {
        let before = Head { number: 30, step: 6, hash: Hash::of(b"before") };
        let mut head = before;
        let mut rows = Vec::new();
        for number in 31..33 {
            let entry = Entry::Settled {
                sink: "s\"\n".to_owned(),
                window: Window::parse(WindowKind::Month, "2025-06").unwrap(),
            };
            let record = Record { number, pipeline: "p".to_owned(), run: "r".to_owned(), at: 5, entry };
            let row = Row::after(&head, 7, &record).unwrap();
            head = head.with(&row).unwrap();
            rows.push(row);
        }
        Segment { nonce: "n".to_owned(), before, rows }
    }

    #[test]
    fn what_was_written_is_read() {
        let segment = segment();
        let bytes = segment.render().unwrap();
        assert_eq!(Segment::parse(&bytes, 7), Ok(segment.clone()));
        assert_eq!((segment.number(), segment.head().number, segment.head().step), (7, 32, 7));
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 4, "a line each");
    }

    #[test]
    fn no_byte_can_be_another_and_none_can_be_missing() {
        let whole = segment().render().unwrap();
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            assert!(Segment::parse(&bytes, 7).is_err(), "{place}");
            assert!(Segment::parse(&whole[..place], 7).is_err(), "cut at {place}");
        }
        let longer = [whole.as_slice(), b"\n"].concat();
        assert!(Segment::parse(&longer, 7).is_err());
    }

    #[test]
    fn what_is_something_else_is_told_from_what_is_damaged() {
        let whole = segment().render().unwrap();
        let flaw = |bytes: &[u8]| Segment::parse(bytes, 7).unwrap_err();
        assert!(matches!(flaw(b"{}\n{}\n"), Flaw::Foreign(_)));
        assert!(matches!(flaw(b""), Flaw::Torn(_)));
        let text = String::from_utf8(whole.clone()).unwrap();
        let newer = text.replacen("\"form\":1", "\"form\":2", 1);
        assert_eq!(
            flaw(newer.as_bytes()).to_string(),
            "it is not what was written: its checksum is another",
            "its own checksum is not right"
        );
        let moved = Segment::parse(&whole, 8).unwrap_err();
        assert_eq!(moved.to_string(), "it is the segment 7, and stands in the place of 8");
    }
}
