//! One input, read in all the ways that have to agree: for fuzzers and tests.
//!
//! The judge is a slow reader that shares no code with the decoders: it takes a text apart with serde_json, record by
//! record, into lists of keys and raw values.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Document, Lines, NoRecord, Picker, Place, Pointers, Slot, Stopped, Unreadable};

/// What is wanted of the records of a trial.
pub const WANTED: [&str; 9] = [
    "/id",
    "/customer",
    "/value",
    "/deep/er",
    "/deep/est/0",
    "/k",
    "/a~1b",
    "/C$",
    "/a long key, which is asked for nevertheless",
];

/// What was read, a line a record; or nothing, if the whole is unreadable.
type Read = Option<String>;

/// Reads an input as lines and as a document, in one piece and in many, in one go and record by record.
///
/// # Errors
///
/// Where two ways differ, in words for a person.
pub fn agree(bytes: &[u8]) -> Result<(), String> {
    let expected = judge_lines(bytes);
    let same = |how: &str, found: Read| match found == expected {
        true => Ok(()),
        false => Err(differ(how, bytes, &expected, &found)),
    };
    let mut picker = picker();
    same("lines in one piece", lines(&mut picker, &[bytes], false))?;
    // The second time, the keys are known.
    same("lines in one piece once more, with a stop after each record", lines(&mut picker, &[bytes], true))?;
    for cut in cuts(bytes) {
        let (head, tail) = bytes.split_at_checked(cut).unwrap_or_default();
        same(&format!("lines cut at {cut}"), lines(&mut picker, &[head, tail], false))?;
    }
    let expected = judge_document(bytes);
    let same = |how: &str, found: Read| match found == expected {
        true => Ok(()),
        false => Err(differ(how, bytes, &expected, &found)),
    };
    same("a document", document(&mut picker, &[bytes], false))?;
    let (head, tail) = bytes.split_at_checked(bytes.len() / 2).unwrap_or_default();
    same("a document in two pieces, with a stop after each record", document(&mut picker, &[head, tail], true))
}

/// [`agree`], with the input cut at every byte, and into pieces of one byte.
///
/// # Errors
///
/// Where two ways differ, in words for a person.
pub fn agree_wherever_it_is_cut(bytes: &[u8]) -> Result<(), String> {
    agree(bytes)?;
    let expected = judge_lines(bytes);
    let mut picker = picker();
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    let mut all = vec![("bytes".to_owned(), lines(&mut picker, &single, false))];
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at_checked(cut).unwrap_or_default();
        for (length, stop) in [(1, true), (40, false)] {
            let (middle, tail) = tail.split_at_checked(length).unwrap_or((tail, &[]));
            all.push((format!("cut at {cut} and {length} behind"), lines(&mut picker, &[head, middle, tail], stop)));
        }
    }
    match all.into_iter().find(|(_, found)| *found != expected) {
        Some((how, found)) => Err(differ(&how, bytes, &expected, &found)),
        None => Ok(()),
    }
}

fn differ(how: &str, bytes: &[u8], expected: &Read, found: &Read) -> String {
    let shown = |read: &Read| read.clone().unwrap_or_else(|| "unreadable\n".to_owned());
    format!("{how}: {}\nexpected:\n{}found:\n{}", bytes.escape_ascii(), shown(expected), shown(found))
}

/// A few places at which to cut, which depend on nothing but the input.
fn cuts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let seed = bytes.iter().fold(bytes.len() as u64, |seed, &byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let length = bytes.len() as u64 + 1;
    [1, 0x9e37_79b9_7f4a_7c15_u64]
        .map(move |factor| (seed.wrapping_mul(factor) >> 7) % length)
        .into_iter()
        .map(|cut| cut as usize)
}

/// A picker of what is wanted.
pub fn picker() -> Picker {
    let mut pointers = Pointers::default();
    for wanted in WANTED {
        // They are pointers, and none leads into another.
        let _ = pointers.slot(wanted);
    }
    Picker::new(Rc::new(pointers))
}

/// The slots of what is wanted.
fn places() -> Vec<usize> {
    let mut pointers = Pointers::default();
    WANTED.iter().filter_map(|wanted| pointers.slot(wanted).ok()).collect()
}

/// A record, or that it is none, as a line.
fn line(place: Place, record: Result<&[Slot<'_>], NoRecord>, places: &[usize]) -> String {
    let Ok(slots) = record else { return format!("{place}: no record\n") };
    let wanted: Vec<Slot<'_>> = places.iter().map(|&slot| slots.get(slot).copied().unwrap_or_default()).collect();
    format!("{place}: {wanted:?}\n")
}

fn flow(stop: bool) -> ControlFlow<()> {
    if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// What [`Lines`] makes of pieces.
pub fn lines(picker: &mut Picker, pieces: &[&[u8]], stop: bool) -> Option<String> {
    let (mut lines, mut read, places) = (Lines::default(), String::new(), places());
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => lines.push(piece.to_vec()),
            None => lines.end(),
        }
        loop {
            let stopped = lines.decode(picker, |place, record| {
                read.push_str(&line(place, record, &places));
                flow(stop)
            });
            match stopped {
                Ok(Stopped::Asked) => {}
                Ok(Stopped::Done) => break,
                Err(Unreadable::Nul { .. }) => return None,
                Err(other) => return Some(other.to_string()),
            }
        }
    }
    Some(read)
}

/// What [`Document`] makes of pieces.
pub fn document(picker: &mut Picker, pieces: &[&[u8]], stop: bool) -> Option<String> {
    let (mut document, mut read, places) = (Document::default(), String::new(), places());
    for piece in pieces {
        document.push(piece.to_vec()).ok()?;
    }
    document.end().ok()?;
    while document.decode(picker, |place, record| {
        read.push_str(&line(place, record, &places));
        flow(stop)
    }) == Stopped::Asked
    {}
    Some(read)
}

/// What lines mean.
fn judge_lines(bytes: &[u8]) -> Read {
    let mut read = String::new();
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let mut rest = line;
        if number == 1 {
            rest = rest.strip_prefix("\u{feff}".as_bytes()).unwrap_or(rest);
        }
        for record in 1.. {
            while let [b' ' | b'\t' | b'\r', tail @ ..] = rest {
                rest = tail;
            }
            if rest.is_empty() {
                break;
            }
            let _ = match record {
                1 => write!(read, "line {number}: "),
                _ => write!(read, "line {number}, record {record}: "),
            };
            match judge_first(rest).filter(|_| rest.first() == Some(&b'{')) {
                Some(raw) => {
                    read.push_str(&judge_record(raw));
                    rest = rest.get(raw.len()..).unwrap_or_default();
                }
                None if rest.contains(&0) => return None,
                None => {
                    read.push_str("no record\n");
                    break;
                }
            }
        }
    }
    Some(read)
}

/// What a document means.
fn judge_document(bytes: &[u8]) -> Read {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut values = Vec::new();
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text) {
        values.extend(list.into_iter().map(RawValue::get));
    } else {
        for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
            values.push(value.ok().map(RawValue::get).filter(|raw| raw.starts_with('{'))?);
        }
        if values.is_empty() {
            return None;
        }
    }
    let mut read = String::new();
    for (number, raw) in (1..).zip(values) {
        let _ = write!(read, "record {number}: {}", judge_record(raw));
    }
    Some(read)
}

/// The JSON value that a text begins with.
fn judge_first(bytes: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes.get(..error.valid_up_to()).and_then(|sound| std::str::from_utf8(sound).ok())?,
    };
    serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok().map(RawValue::get)
}

fn judge_record(raw: &str) -> String {
    let mut found = BTreeMap::new();
    if !raw.starts_with('{') || judge_members(raw, "", &mut found).is_err() {
        return "no record\n".to_owned();
    }
    let slot = |pointer: &str| {
        let ways = pointer.match_indices('/').skip(1).filter_map(|(end, _)| pointer.get(..end));
        let twice = ways.chain([pointer]).any(|way| found.get(way).is_some_and(|found| found.len() > 1));
        match found.get(pointer).and_then(|found| found.first()) {
            _ if twice => Slot::Twice,
            None => Slot::Missing,
            Some(&"null") => Slot::Null,
            Some(raw) => match serde_json::from_str::<&str>(raw) {
                Ok(text) => Slot::Text(text),
                Err(_) if raw.starts_with('"') => Slot::Escaped(raw),
                Err(_) if raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => Slot::Number(raw),
                Err(_) => Slot::Other(raw),
            },
        }
    };
    format!("{:?}\n", WANTED.map(slot))
}

/// Every value at a wanted pointer, or on the way to one.
fn judge_members<'t>(
    raw: &'t str,
    above: &str,
    found: &mut BTreeMap<String, Vec<&'t str>>,
) -> Result<(), serde_json::Error> {
    let members: Vec<(String, &RawValue)> = match raw.as_bytes().first() {
        Some(b'{') => serde_json::from_str::<Members<'t>>(raw)?.0,
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(raw)?;
            (0..).map(|place: usize| place.to_string()).zip(list).collect()
        }
        _ => serde_json::from_str::<IgnoredAny>(raw).map(|_| Vec::new())?,
    };
    for (key, value) in members {
        let path = format!("{above}/{}", key.replace('~', "~0").replace('/', "~1"));
        let way = format!("{path}/");
        let leads = WANTED.iter().any(|wanted| wanted.starts_with(&way));
        if leads || WANTED.contains(&path.as_str()) {
            found.entry(path.clone()).or_default().push(value.get());
        }
        if leads {
            judge_members(value.get(), &path, found)?;
        }
    }
    Ok(())
}

/// An object's keys and values as they come.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'t> Visitor<'t> for All {
            type Value = Members<'t>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}
