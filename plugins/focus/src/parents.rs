//! What is the same throughout a set: a `ServiceName` has one `ServiceCategory` ("Service Name"), and a `SkuPriceId` one `SkuId` ("SKU Price
//! ID").

use meterhost_sdk::ChargeBatch;
use sheets::{Agreed, Objections, place, torn};

use crate::sheet::Sheet;

/// Columns, and the ones of which each value has one.
const PAIRS: [(&str, &str); 2] = [("ServiceName", "ServiceCategory"), ("SkuPriceId", "SkuId")];

/// What was seen of a set.
#[derive(Debug, Default)]
pub(crate) struct Parents([Agreed; 2]);

impl Parents {
    /// Takes the next rows of the set.
    pub(crate) fn check(&mut self, sheet: &Sheet<'_>, batch: &ChargeBatch, wrong: &mut Objections) {
        for (seen, (name, parent)) in self.0.iter_mut().zip(PAIRS) {
            let Some(says) = says(sheet, name, parent) else { continue };
            if let Some((row, before)) = seen.take(batch, &says) {
                let (child, now) = says(row).unwrap_or_default();
                wrong.add(row, name, words((child, parent), now, &before.value, &before.place));
            }
        }
    }
}

/// Objects to the rows of a batch that say different things of the same, unless something else is wrong with them.
pub(crate) fn check_alone(sheet: &Sheet<'_>, batch: &ChargeBatch, wrong: &mut Objections) {
    for (name, parent) in PAIRS {
        let Some(says) = says(sheet, name, parent) else { continue };
        for (row, other) in torn(batch.len(), |row| says(row).filter(|_| !wrong.has(row))) {
            let ((child, now), (_, opposed)) = (says(row).unwrap_or_default(), says(other).unwrap_or_default());
            wrong.add(row, name, words((child, parent), now, opposed, &place(batch, other)));
        }
    }
}

/// What each row says of the pair.
fn says<'s>(sheet: &'s Sheet<'_>, name: &str, parent: &str) -> Option<impl Fn(usize) -> Option<(&'s str, &'s str)>> {
    let (names, parents) = (sheet.column(name)?, sheet.column(parent)?);
    Some(move |row| Some((names.get(row), parents.get(row))).filter(|(name, _)| !name.is_empty()))
}

fn words((child, parent): (&str, &str), now: &str, other: &str, place: &str) -> String {
    let (child, now, other) = (child.escape_debug(), now.escape_debug(), other.escape_debug());
    format!("\"{child}\" has {parent} \"{now}\" here, and \"{other}\" in the charge of {place}: it has one alone")
}
