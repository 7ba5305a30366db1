//! Which column holds which wanted field.

use super::Fields;
use crate::decode::Unusable;
use crate::mapping::{Mapping, column};

/// What a header says of the rows below it.
pub(super) struct Header {
    width: usize,
    slots: usize,
    /// Slots, and the columns that fill them.
    wanted: Vec<(usize, usize)>,
}

impl Header {
    /// Finds the wanted columns. One that a record has to have is there, and each is there once, or the object is
    /// unreadable.
    pub(super) fn new(mapping: &Mapping, names: &Fields<'_>) -> Result<Self, Unusable> {
        let pointers = &mapping.pointers;
        let mut wanted = Vec::new();
        for slot in 0..pointers.slots() {
            let pointer = pointers.pointer(slot);
            let Some(path) = pointer.strip_prefix('/') else { continue };
            let Some(name) = column(path) else {
                return Err(format!(
                    "`{pointer}` leads into an object, and a CSV has columns: name one, such as `/user_id`"
                ));
            };
            let mut found = names.iter().enumerate().filter(|(_, known)| *known == name);
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => {
                    return Err(format!("its header names the column `{name}` twice, and nobody knows which is meant"));
                }
                (Some((position, _)), None) => wanted.push((slot, position)),
                (None, _) if mapping.needs(slot) => {
                    return Err(format!("its header has no column `{name}`; it names {}", listed(names)));
                }
                (None, _) => {}
            }
        }
        Ok(Header { width: names.ends.len(), slots: pointers.slots(), wanted })
    }

    /// How many fields a row has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How many slots a record has.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn wanted(&self) -> &[(usize, usize)] {
        &self.wanted
    }
}

/// The names of a header, as many as fit into a message.
fn listed(names: &Fields<'_>) -> String {
    const MOST: usize = 20;
    let mut text = String::new();
    for name in names.iter().take(MOST) {
        let comma = if text.is_empty() { "" } else { ", " };
        text.push_str(comma);
        text.push_str(&meterhost_sdk::json::shown(name));
    }
    if names.ends.len() > MOST {
        text.push_str(", ...");
    }
    text
}
