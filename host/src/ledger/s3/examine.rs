//! All segments, and what is wrong with which: nothing that is wrong keeps the others from being looked at.
//!
//! What counts are the segments themselves. A snapshot is held against them, and may still have what one of them has lost.

use std::collections::BTreeMap;

use super::objects::Objects;
use super::segment::{Flaw, Segment};
use super::snapshot::{Opened, SEGMENTS_EACH, name};
use super::{SEGMENTS, SNAPSHOTS, key};
use crate::ledger::error::LedgerError;
use crate::ledger::row::{Hash, Head, Row};

/// What is found, in the order of the segments' numbers.
pub(in crate::ledger) enum Part {
    /// An object that is not what it should be, or not there.
    Flaw {
        /// Its key, below the ledger's prefix; of several that are missing the first and the last.
        object: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Here stood entries that cannot be read.
    Lost,
    /// A segment that is whole by itself.
    Segment {
        /// The chain's end before it.
        before: Head,
        /// Its entries.
        rows: Vec<Row>,
    },
}

/// A segment that is there.
struct Seen {
    bytes: Hash,
    /// The chain's end before and behind it; nothing if it is not whole by itself.
    ends: Option<(Head, Head)>,
}

/// Looks at every object among the segments and the snapshots; answers whether there is any segment.
pub(in crate::ledger) fn examine(objects: &Objects, mut take: impl FnMut(Part)) -> Result<bool, LedgerError> {
    let objects = &objects.afresh();
    // In this order: a snapshot is written after its segments.
    let snapshots = numbers(objects, SNAPSHOTS, nth_snapshot, &mut take)?;
    let segments = numbers(objects, SEGMENTS, key, &mut take)?;
    let mut seen = BTreeMap::new();
    objects.announce(segments.iter().map(|number| key(*number)).collect());
    let mut next = 1;
    for number in segments {
        if number > next {
            take(missing(next, number - 1, key));
            take(Part::Lost);
        }
        next = number.saturating_add(1);
        seen.extend(segment(objects, number, &mut take)?.map(|found| (number, found)));
    }
    strangers(&seen).into_iter().for_each(&mut take);
    let mut next = 1;
    for number in snapshots {
        if number > next {
            take(missing(next, number - 1, nth_snapshot));
        }
        next = number.saturating_add(1);
        compare(objects, number, &seen, &mut take)?;
    }
    Ok(!seen.is_empty())
}

fn nth_snapshot(number: u64) -> String {
    name(number.saturating_mul(SEGMENTS_EACH as u64))
}

/// The numbers of the objects below a prefix, ascending; one whose key is none of theirs is named.
fn numbers(
    objects: &Objects,
    prefix: &str,
    key: impl Fn(u64) -> String,
    take: &mut impl FnMut(Part),
) -> Result<Vec<u64>, LedgerError> {
    let each = if prefix == SNAPSHOTS { SEGMENTS_EACH as u64 } else { 1 };
    let mut numbers = Vec::new();
    for object in objects.list(prefix)? {
        let number = object.key.strip_prefix(prefix).and_then(|rest| rest.parse::<u64>().ok()).map(|last| last / each);
        match number.filter(|number| *number > 0 && key(*number) == object.key) {
            Some(number) => numbers.push(number),
            None => take(Part::Flaw { object: object.key, fault: "it has no place there".to_owned() }),
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn missing(first: u64, last: u64, key: impl Fn(u64) -> String) -> Part {
    match first == last {
        true => Part::Flaw { object: key(first), fault: "it is missing".to_owned() },
        false => {
            Part::Flaw { object: format!("{} to {}", key(first), key(last)), fault: "they are missing".to_owned() }
        }
    }
}

/// Takes one segment; nothing if it went away meanwhile.
fn segment(objects: &Objects, number: u64, take: &mut impl FnMut(Part)) -> Result<Option<Seen>, LedgerError> {
    let Some((bytes, _)) = objects.get_announced(&key(number))? else {
        take(missing(number, number, key));
        take(Part::Lost);
        return Ok(None);
    };
    let of_bytes = Hash::of(&bytes);
    let ends = match Segment::parse(&bytes, number) {
        Ok(segment) => {
            let ends = (segment.before, segment.head());
            take(Part::Segment { before: segment.before, rows: segment.rows });
            Some(ends)
        }
        Err(flaw) => {
            take(Part::Flaw { object: key(number), fault: words(flaw) });
            take(Part::Lost);
            None
        }
    };
    Ok(Some(Seen { bytes: of_bytes, ends }))
}

fn words(flaw: Flaw) -> String {
    match flaw {
        Flaw::Torn(fault) => fault,
        Flaw::Foreign(what) => format!("it {what}"),
    }
}

/// Segments that are whole by themselves, and do not follow each other.
fn strangers(seen: &BTreeMap<u64, Seen>) -> Vec<Part> {
    let ends = |number: u64| seen.get(&number).and_then(|seen| seen.ends);
    let mut found = Vec::new();
    // That a segment does not follow is said already by what is said of the one before.
    let mut is_said = false;
    for &number in seen.keys() {
        let Some((before, after)) = ends(number) else { continue };
        let previous = if number == 1 { Some(Head::default()) } else { ends(number - 1).map(|(_, after)| after) };
        let follows = std::mem::take(&mut is_said) || previous.is_none_or(|end| end == before);
        if follows {
            continue;
        }
        // What cannot be read says nothing of what should stand before it.
        let is_followed = ends(number.saturating_add(1)).map(|(before, _)| before == after);
        is_said = is_followed == Some(false);
        let fault = match (number, is_followed) {
            (1, _) => "it does not begin a ledger: it is not what was written, or another ledger's",
            (_, Some(false)) => {
                "it fits neither the one before it nor the one behind: it is not what was written, or another ledger's"
            }
            _ => "it does not follow the one before it: one of the two is not what was written, or another ledger's",
        };
        found.push(Part::Flaw { object: key(number), fault: fault.to_owned() });
    }
    found
}

/// Holds a snapshot against the segments that it was made of.
fn compare(
    objects: &Objects,
    number: u64,
    seen: &BTreeMap<u64, Seen>,
    take: &mut impl FnMut(Part),
) -> Result<(), LedgerError> {
    let own = nth_snapshot(number);
    let last = number.saturating_mul(SEGMENTS_EACH as u64);
    let flaw = |fault: String| Part::Flaw { object: own.clone(), fault };
    let mut opened = match Opened::of(objects, last)? {
        Ok(opened) => opened,
        Err(fault) => {
            take(flaw(words(fault)));
            return Ok(());
        }
    };
    for number in last + 1 - SEGMENTS_EACH as u64..=last {
        let Some(bytes) = opened.segment()? else {
            take(flaw("it is cut short".to_owned()));
            return Ok(());
        };
        let now = seen.get(&number);
        if now.is_some_and(|now| now.bytes == Hash::of(&bytes)) {
            continue;
        }
        match (Segment::parse(&bytes, number), now) {
            (Err(fault), _) => take(flaw(format!("it holds the segment {number} wrongly: {}", words(fault)))),
            (Ok(_), None) => take(Part::Flaw {
                object: key(number),
                fault: format!("it is missing, and {own} holds it as it was written"),
            }),
            (Ok(_), Some(Seen { ends: None, .. })) => {
                take(Part::Flaw { object: key(number), fault: format!("{own} holds it as it was written") });
            }
            (Ok(_), Some(_)) => {
                take(Part::Flaw { object: key(number), fault: format!("{own} holds another in its place") });
            }
        }
    }
    if opened.goes_on()? {
        take(flaw("it holds more than it says".to_owned()));
    }
    Ok(())
}
