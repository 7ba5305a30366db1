//! Reading all segments, in order.

use super::objects::Objects;
use super::segment::{Flaw, Segment};
use super::snapshot::{self, SEGMENTS_EACH};
use super::{SEGMENTS, SNAPSHOTS, key};
use crate::broker::Object;
use crate::ledger::error::LedgerError;
use crate::ledger::row::{Head, Row};

/// Every entry, in order. Whether their hashes follow from each other is for whoever takes them.
pub(in crate::ledger) fn read(
    objects: &Objects,
    mut take: impl FnMut(Row) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let objects = &objects.afresh();
    // In this order: a snapshot is written after its segments.
    let snapshots = objects.list(SNAPSHOTS)?;
    let listed = objects.list(SEGMENTS)?;
    numbered(objects, &listed, key)?;
    numbered(objects, &snapshots, |number| snapshot::name(number * SEGMENTS_EACH as u64))?;
    let mut end = Head::default();
    let mut segment = |segment: Segment| {
        if segment.before != end {
            let cause = "it does not follow the one before it, or is another ledger's";
            return Err(objects.torn(&key(segment.number()), cause));
        }
        end = segment.head();
        segment.rows.into_iter().try_for_each(&mut take)
    };
    let mut rest = listed.as_slice();
    let mut first = 1;
    for _ in &snapshots {
        let Some((part, others)) = rest.split_at_checked(SEGMENTS_EACH) else {
            let missing = first + rest.len() as u64;
            return Err(objects.torn(&key(missing), "it is missing, and a snapshot holds it"));
        };
        snapshot::read(objects, part, first, &mut segment)?;
        (rest, first) = (others, first + SEGMENTS_EACH as u64);
    }
    objects.announce(rest.iter().map(|object| object.key.clone()).collect());
    for (object, number) in rest.iter().zip(first..) {
        let (bytes, _) =
            objects.get_announced(&object.key)?.ok_or_else(|| objects.torn(&object.key, "it is missing"))?;
        segment(objects.checked(&object.key, Segment::parse(&bytes, number))?)?;
    }
    Ok(())
}

/// Writes what snapshots can be made by now.
pub(super) fn pack(objects: &Objects) -> Result<(), LedgerError> {
    let made = objects.list(SNAPSHOTS)?.len();
    let listed = objects.list(SEGMENTS)?;
    numbered(objects, &listed, key)?;
    for (number, part) in listed.chunks_exact(SEGMENTS_EACH).enumerate().skip(made) {
        snapshot::write(objects, part, (number * SEGMENTS_EACH) as u64 + 1)?;
    }
    Ok(())
}

/// Whether these are all, from the first on, without a gap.
fn numbered(objects: &Objects, listed: &[Object], key: impl Fn(u64) -> String) -> Result<(), LedgerError> {
    for (object, number) in listed.iter().zip(1..) {
        let expected = key(number);
        if object.key != expected {
            return Err(match object.key > expected {
                true => objects.torn(&expected, "it is missing"),
                false => objects.torn(&object.key, "it has no place there"),
            });
        }
    }
    Ok(())
}

impl Objects {
    pub(super) fn torn(&self, key: &str, cause: &str) -> LedgerError {
        LedgerError::Torn { place: self.place.clone(), object: key.to_owned(), cause: cause.to_owned() }
    }

    pub(super) fn flawed(&self, key: &str, flaw: Flaw) -> LedgerError {
        match flaw {
            Flaw::Torn(cause) => self.torn(key, &cause),
            Flaw::Foreign(what) => {
                LedgerError::Foreign { place: self.place.clone(), what: format!("holds {key}, which {what}") }
            }
        }
    }

    pub(super) fn checked(&self, key: &str, segment: Result<Segment, Flaw>) -> Result<Segment, LedgerError> {
        segment.map_err(|flaw| self.flawed(key, flaw))
    }
}
