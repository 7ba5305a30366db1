//! Where in the file each value stands, by its JSON pointer: `/sink/clazar/config/url`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::tree::{Entry, Node, Table, Value};

/// Where a key and its value stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bytes of the key. An item of a list has none; there it is the item's own place.
    pub key: Range<usize>,
    /// The bytes of the value as written. A table that has a header of its own, or dotted keys, has only its name.
    pub value: Range<usize>,
    /// Whether the value is a table: errors about a table are shown at its key.
    pub table: bool,
    /// Whether a part of the value was replaced by the process environment; such a value is not repeated in messages.
    pub from_process: bool,
}

impl Place {
    /// The bytes that an error about the value points at.
    pub fn span(&self) -> Range<usize> {
        if self.table { self.key.clone() } else { self.value.clone() }
    }
}

/// The places of all values of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    by_pointer: BTreeMap<String, Place>,
}

impl Places {
    pub(super) fn of(document: &Table) -> Self {
        let mut places = Self::default();
        places.table("", document);
        places
    }

    /// The place of exactly this value.
    pub fn get(&self, pointer: &str) -> Option<&Place> {
        self.by_pointer.get(pointer)
    }

    /// The bytes to point at for a value that may not be there: its own, else those of the nearest table around it, else the
    /// beginning of the file.
    pub fn span(&self, pointer: &str) -> Range<usize> {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.get(pointer) {
                return place.span();
            }
            match pointer.rsplit_once('/') {
                Some((parent, _)) => pointer = parent,
                None => return 0..0,
            }
        }
    }

    fn table(&mut self, pointer: &str, table: &Table) {
        for (key, Entry { key: span, node }) in table {
            self.node(join(pointer, key), span.clone(), node);
        }
    }

    fn node(&mut self, pointer: String, key: Range<usize>, node: &Node) {
        match &node.value {
            Value::Table(table) => self.table(&pointer, table),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.node(format!("{pointer}/{index}"), item.span.clone(), item);
                }
            }
            Value::Text { .. } | Value::Integer(_) | Value::Boolean(_) | Value::Wrong => {}
        }
        let place = Place {
            key,
            value: node.span.clone(),
            table: matches!(node.value, Value::Table(_)),
            from_process: matches!(node.value, Value::Text { from_process: true, .. }),
        };
        self.by_pointer.insert(pointer, place);
    }
}

/// A JSON pointer one key deeper.
pub fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}
