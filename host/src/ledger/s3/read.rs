//! Reading all segments, in order.

use super::objects::Objects;
use super::segment::{Flaw, Segment};
use super::{SEGMENTS, key};
use crate::ledger::error::LedgerError;
use crate::ledger::row::{Head, Row};

/// Every entry, in order. Whether their hashes follow from each other is for whoever takes them.
pub(in crate::ledger) fn read(
    objects: &Objects,
    mut take: impl FnMut(Row) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let listed = objects.list(SEGMENTS)?;
    let mut end = Head::default();
    for (object, number) in listed.iter().zip(1..) {
        let expected = key(number);
        if object.key != expected {
            return Err(match object.key > expected {
                true => objects.torn(&expected, "it is missing"),
                false => objects.torn(&object.key, "it has no place among the segments"),
            });
        }
    }
    objects.announce(listed.iter().map(|object| object.key.clone()).collect());
    for (object, number) in listed.iter().zip(1..) {
        let segment = segment(objects, number)?.ok_or_else(|| objects.torn(&object.key, "it is missing"))?;
        if segment.before != end {
            return Err(objects.torn(&object.key, "it does not follow the one before it, or is another ledger's"));
        }
        end = segment.head();
        segment.rows.into_iter().try_for_each(&mut take)?;
    }
    Ok(())
}

/// One segment, if it is there.
fn segment(objects: &Objects, number: u64) -> Result<Option<Segment>, LedgerError> {
    let key = key(number);
    let Some((bytes, _)) = objects.get_announced(&key)? else { return Ok(None) };
    Segment::parse(&bytes, number).map(Some).map_err(|flaw| match flaw {
        Flaw::Torn(cause) => objects.torn(&key, &cause),
        Flaw::Foreign(what) => {
            LedgerError::Foreign { place: objects.place.clone(), what: format!("holds {key}, which {what}") }
        }
    })
}

impl Objects {
    pub(super) fn torn(&self, key: &str, cause: &str) -> LedgerError {
        LedgerError::Torn { place: self.place.clone(), object: key.to_owned(), cause: cause.to_owned() }
    }
}
