//! The charges' tags as JSON objects: `{"team":"blue"}` (FOCUS 1.2, "Tags" and "Key-Value Format"). A charge without tags has none.

use std::collections::HashMap;

use drops::{Cells, Texts};
use meterhost_sdk::ChargeBatch;
use serde_json::Value;
use sheets::Picked;

/// The index of a charge that has no tag.
const NONE: u32 = u32::MAX;

/// The object of each charge. Charges with the same tags share one.
pub(crate) fn cells<'a>(picked: &Picked, batch: &ChargeBatch) -> Cells<'a> {
    let columns: Vec<_> = picked.columns(batch).collect();
    let names: Vec<String> = columns.iter().map(|(name, _)| Value::from(*name).to_string()).collect();
    let mut texts = Texts::default();
    let mut known: HashMap<Vec<Option<usize>>, u32> = HashMap::new();
    let mut key = Vec::with_capacity(columns.len());
    let mut places = Vec::with_capacity(batch.len());
    for row in 0..batch.len() {
        key.clear();
        key.extend(columns.iter().map(|(_, column)| column.index(row)));
        if let Some(place) = known.get(&key) {
            places.push(*place);
            continue;
        }
        let mut object = String::new();
        for (name, (_, column)) in names.iter().zip(&columns) {
            let Some(value) = column.get(row) else { continue };
            object.push(if object.is_empty() { '{' } else { ',' });
            object.push_str(name);
            object.push(':');
            object.push_str(&Value::from(value).to_string());
        }
        let place = if object.is_empty() {
            NONE
        } else {
            object.push('}');
            texts.push(&object);
            (texts.len() - 1) as u32
        };
        known.insert(key.clone(), place);
        places.push(place);
    }
    Cells::by(texts, places)
}
