//! Many small segments become one: of a month of hours each run writes another, and each is a request where the ledger lies on S3.
//!
//! What was merged stays where it is: entries name it.

use std::collections::BTreeMap;

use super::{Parts, PartsDraft, SetPart};
use crate::ledger::error::LedgerError;
use crate::ledger::ids::Shelf;
use crate::model::window::Window;

/// So many segments of a month become one.
const MANY: usize = 24;
/// Segments of which a month holds more than this are left as they are: reading one takes longer than finding it.
const LARGE: u64 = 4 << 20;

/// A segment, as far as a month's charges stand in it.
#[derive(Default)]
struct Segment<'a> {
    parts: Vec<(Window, &'a SetPart)>,
    bytes: u64,
}

/// Merges small segments in which a month's charges stand, where these are many; answers where they are from here on.
///
/// # Errors
/// They cannot be read, or the new one cannot be written.
pub fn merged(parts: &[(Window, SetPart)], shelf: &Shelf) -> Result<Option<Parts>, LedgerError> {
    let mut segments: BTreeMap<_, Segment<'_>> = BTreeMap::new();
    for (window, part) in parts.iter().filter(|(_, part)| part.rows > 0) {
        let segment = segments.entry((&part.made, &part.segment)).or_default();
        segment.bytes += part.range.end - part.range.start;
        segment.parts.push((*window, part));
    }
    let mut small: BTreeMap<_, Vec<Segment<'_>>> = BTreeMap::new();
    for ((made, _), segment) in segments.into_iter().filter(|(_, segment)| segment.bytes <= LARGE) {
        small.entry(made).or_default().push(segment);
    }
    let Some((made, many)) = small.into_iter().find(|(_, small)| small.len() >= MANY) else { return Ok(None) };
    let mut parts: Vec<_> = many.into_iter().flat_map(|segment| segment.parts).collect();
    parts.sort_by_key(|(window, _)| *window);
    let mut draft = PartsDraft::begin(shelf, made);
    parts.iter().try_for_each(|(window, part)| draft.copy(*window, part))?;
    draft.publish()
}
