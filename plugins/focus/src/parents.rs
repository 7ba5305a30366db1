//! What is the same throughout a set: a `ServiceName` has one `ServiceCategory` ("Service Name"), and a `SkuPriceId` one `SkuId` ("SKU Price
//! ID").

use std::collections::HashMap;

use sheets::Objections;

use crate::sheet::Sheet;

/// Columns, and the ones of which each value has one.
const PAIRS: [(&str, &str); 2] = [("ServiceName", "ServiceCategory"), ("SkuPriceId", "SkuId")];

/// What was seen of a set.
#[derive(Debug, Default)]
pub(crate) struct Parents([HashMap<Box<str>, Box<str>>; 2]);

impl Parents {
    /// Takes the next rows of the set.
    pub(crate) fn check(&mut self, sheet: &Sheet<'_>, rows: usize, wrong: &mut Objections) {
        for (seen, (name, parent)) in self.0.iter_mut().zip(PAIRS) {
            let (Some(names), Some(parents)) = (sheet.column(name), sheet.column(parent)) else { continue };
            let mut last = None;
            for row in (0..rows).filter(|row| !names.get(*row).is_empty()) {
                // Rows that repeat what the row before said are most of them.
                let places = (names.place(row), parents.place(row));
                if last.replace(places) == Some(places) {
                    continue;
                }
                let (child, now) = (names.get(row), parents.get(row));
                match seen.get(child) {
                    None => {
                        seen.insert(child.into(), now.into());
                    }
                    Some(before) if **before != *now => {
                        let (child, before, now) = (child.escape_debug(), before.escape_debug(), now.escape_debug());
                        let why = format!(
                            "\"{child}\" has \"{before}\" in the same set, and here \"{now}\": it has one {parent} alone"
                        );
                        wrong.add(row, name, why);
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
