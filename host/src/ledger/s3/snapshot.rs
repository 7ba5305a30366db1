//! Snapshots: many segments in one object, so that a ledger of many is read in few requests.
//!
//! ```text
//! {"snapshot":256,"form":1,"segments":[{"version":"…","size":512},…]}
//! the segments themselves, one after the other, as they are
//! ```
//!
//! A snapshot is made of segments that are there for good, so that it does not matter who writes it, or how often. The segments stay: they
//! are the fence. A reader takes their contents from the snapshot, and sees in the listing that they still are what they were.

use serde::{Deserialize, Serialize};

use super::objects::{Objects, Reading};
use super::segment::{Flaw, Segment};
use super::{SNAPSHOTS, key};
use crate::broker::Object;
use crate::ledger::error::LedgerError;

/// How many segments stand in one.
#[cfg(not(test))]
pub(super) const SEGMENTS_EACH: usize = 256;
/// As above; tests have fewer.
#[cfg(test)]
pub(super) const SEGMENTS_EACH: usize = 8;
/// The form in which this version writes them. It reads none that is newer.
const FORM: u32 = 1;
/// The longest first line, in bytes.
const FIRST_LINE: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
struct First {
    snapshot: u64,
    form: u32,
    segments: Vec<Stored>,
}

/// A segment, as it was when the snapshot was made.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: String,
    size: u64,
}

/// The key of the snapshot that ends with this segment.
pub(super) fn name(last: u64) -> String {
    format!("{SNAPSHOTS}{last:012}")
}

/// Writes a snapshot of these segments, the first of which has this number.
pub(super) fn write(objects: &Objects, listed: &[Object], first: u64) -> Result<(), LedgerError> {
    let last = first + listed.len() as u64 - 1;
    let stored = |object: &Object| Stored { version: object.etag.clone(), size: object.size };
    let head = First { snapshot: last, form: FORM, segments: listed.iter().map(stored).collect() };
    let head = serde_json::to_vec(&head).map_err(|error| objects.torn(&name(last), &error.to_string()))?;
    objects.announce(listed.iter().map(|object| object.key.clone()).collect());
    let segments = (first..).zip(listed).map(|(number, object)| {
        let (bytes, _) =
            objects.get_announced(&object.key)?.ok_or_else(|| objects.torn(&object.key, "it is missing"))?;
        // What is wrong now must not look right for ever.
        objects.checked(&object.key, Segment::parse(&bytes, number))?;
        Ok(bytes)
    });
    let lines = [Ok([head.as_slice(), b"\n"].concat())];
    objects.upload(&name(last), lines.into_iter().chain(segments))
}

/// Opens the snapshot that ends with this segment; its first line is read.
fn open(objects: &Objects, last: u64, segments: usize) -> Result<Result<(First, Reading<'_>), Flaw>, LedgerError> {
    let torn = |cause: &str| Ok(Err(Flaw::Torn(cause.to_owned())));
    let own = name(last);
    let Some(mut reading) = objects.open(&own)? else { return torn("it is missing") };
    let Some(line) = reading.line(FIRST_LINE)? else { return torn("it is cut short") };
    let head: First = match serde_json::from_slice(&line) {
        Ok(head) => head,
        Err(error) => return torn(&format!("it cannot be read: {error}")),
    };
    if head.form > FORM {
        let what =
            format!("is from a newer version of meterhost: its form is {}, and this one knows {FORM}", head.form);
        return Ok(Err(Flaw::Foreign(what)));
    }
    if name(head.snapshot) != own || head.segments.len() != segments {
        return torn("it is another snapshot");
    }
    Ok(Ok((head, reading)))
}

/// A snapshot whose segments are looked at one after the other, whatever is wrong with them.
pub(super) struct Opened<'a> {
    sizes: std::vec::IntoIter<u64>,
    reading: Reading<'a>,
}

impl Opened<'_> {
    /// Opens the snapshot that ends with this segment.
    pub(super) fn of(objects: &Objects, last: u64) -> Result<Result<Opened<'_>, Flaw>, LedgerError> {
        let opened = open(objects, last, SEGMENTS_EACH)?;
        Ok(opened.map(|(head, reading)| {
            let sizes: Vec<u64> = head.segments.iter().map(|stored| stored.size).collect();
            Opened { sizes: sizes.into_iter(), reading }
        }))
    }

    /// The next segment's bytes; nothing where it is cut short.
    pub(super) fn segment(&mut self) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.sizes.next() {
            Some(size) => self.reading.take(size),
            None => Ok(None),
        }
    }

    /// Whether something stands behind the last segment.
    pub(super) fn goes_on(&mut self) -> Result<bool, LedgerError> {
        Ok(self.reading.take(1)?.is_some())
    }
}

/// Reads the snapshot of these segments, the first of which has this number, and takes each.
pub(super) fn read(
    objects: &Objects,
    listed: &[Object],
    first: u64,
    mut take: impl FnMut(Segment) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let last = first + listed.len() as u64 - 1;
    let own = name(last);
    let torn = |cause: &str| objects.torn(&own, cause);
    let (head, mut reading) = open(objects, last, listed.len())?.map_err(|flaw| objects.flawed(&own, flaw))?;
    for ((stored, object), number) in head.segments.iter().zip(listed).zip(first..) {
        let bytes = reading.take(stored.size)?.ok_or_else(|| torn("it is cut short"))?;
        // A store that was copied to another place may name the versions anew.
        if (&stored.version, stored.size) != (&object.etag, object.size) {
            let now = objects.get(&key(number))?.ok_or_else(|| objects.torn(&object.key, "it is missing"))?;
            if now.0 != bytes {
                return Err(objects.torn(&object.key, "it is not what was written: a snapshot holds it as it was"));
            }
        }
        let segment = Segment::parse(&bytes, number);
        take(segment.map_err(|flaw| torn(&format!("it holds the segment {number} wrongly: {flaw}")))?)?;
    }
    match reading.take(1)? {
        None => Ok(()),
        Some(_) => Err(torn("it holds more than it says")),
    }
}
