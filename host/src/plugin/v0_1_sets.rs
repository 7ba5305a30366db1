//! Version 0.1 of the contract, of sinks that publish sets: where its generated types meet the host's own.

use std::time::Duration;

use super::bindings::imports::types;
use super::bindings::snapshot::snapshot_sink as sets;
use super::error::{Cause, Failure};
use super::publisher::Step;
use super::v0_1::{decimal, rate, window_kind};
use crate::model::charged::ChargeColumns;
use crate::model::publish::{Found, Later, Outline, PlaceTraits, Shown, Written};
use crate::model::usage::TextColumn;

/// The longest name that a set may have, in bytes.
const LONGEST_ID: usize = 200;

pub(super) fn place_traits(traits: sets::PlaceTraits) -> Result<PlaceTraits, Cause> {
    Ok(PlaceTraits {
        place: traits.place,
        windows: traits.windows.into_iter().map(window_kind).collect::<Result<_, _>>()?,
        rate: traits.rate.map(rate).transpose()?,
        surveys: traits.surveys,
        closes: traits.closes,
        deadline: Duration::from_millis(traits.deadline.into()),
    })
}

fn named(columns: Vec<(String, TextColumn)>) -> Vec<types::AttributeColumn> {
    columns.into_iter().map(|(name, column)| types::AttributeColumn { name, column: column.into() }).collect()
}

pub(super) fn to_charges(columns: ChargeColumns) -> sets::Charges {
    sets::Charges {
        rows: u32::try_from(columns.rows()).unwrap_or(u32::MAX),
        start: columns.start,
        end: columns.end,
        id_high: columns.id_high,
        id_low: columns.id_low,
        product: columns.product.into(),
        customer: columns.customer.into(),
        dimension: columns.dimension.into(),
        quantity: types::DecimalColumn { lo: columns.lo, hi: columns.hi, scale: columns.scale },
        tags: named(columns.tags),
        attributes: named(columns.attributes),
    }
}

fn span((start, end): (i64, i64)) -> types::Window {
    types::Window { start, end }
}

pub(super) fn to_outline(outline: &Outline) -> sets::Outline {
    sets::Outline {
        period: span(outline.period),
        now: outline.now,
        fingerprint: outline.fingerprint.clone(),
        rows: outline.rows,
        tags: outline.tags.clone(),
        attributes: outline.attributes.clone(),
        closed: outline.closed,
        last: outline.last.clone(),
        emptied: outline.emptied.iter().copied().map(span).collect(),
    }
}

/// A name that can stand in a ledger, in a message and on a command line.
pub(super) fn id(id: String) -> Result<String, Cause> {
    let is_plain = !id.is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control);
    if is_plain { Ok(id) } else { Err(Cause::Contract("it gave a set a name that is none".to_owned())) }
}

pub(super) fn step<T>(answer: Result<T, sets::Failure>) -> Step<T> {
    match answer {
        Ok(done) => Ok(Ok(done)),
        Err(sets::Failure::Later((reason, after))) => {
            Ok(Err(Later { reason, after: after.map(|millis| Duration::from_millis(millis.into())) }))
        }
        Err(sets::Failure::Failed(error)) => Err(Failure::from(Cause::from(error))),
        Err(sets::Failure::Other(text)) => Err(Cause::Other(text).into()),
    }
}

pub(super) fn written(receipt: sets::Receipt) -> Result<Written, Cause> {
    let sets::Receipt { rows, files, bytes, totals } = receipt;
    let totals = totals.into_iter().map(|(name, total)| Ok((name, decimal(total)?))).collect::<Result<_, Cause>>()?;
    Ok(Written { rows, files, bytes, totals })
}

pub(super) fn found(found: sets::Found) -> Result<Found, Cause> {
    let sets::Found { id: name, period, at, files, bytes, current } = found;
    Ok(Found { id: id(name)?, period: (period.start, period.end), at, files, bytes, current })
}

pub(super) fn shown(shown: sets::Shown) -> Result<Shown, Cause> {
    match shown {
        sets::Shown::Set(set) => Ok(Shown::Set(found(set)?)),
        sets::Shown::Nothing => Ok(Shown::Nothing),
        sets::Shown::CannotTell => Ok(Shown::CannotTell),
        sets::Shown::Other(_) => {
            Err(Cause::Contract("it says something of what readers are shown that this host does not know".to_owned()))
        }
    }
}
