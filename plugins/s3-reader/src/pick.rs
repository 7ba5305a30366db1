//! The wanted fields of a record, the quick way or the sure one.

use std::rc::Rc;

use crate::mapping::Mapping;
use crate::scan::{self, Orders};
use crate::slot::Slot;
use crate::visitor::{self, NoRecord};

/// Picks the wanted fields of record after record.
#[derive(Debug)]
pub(crate) struct Picker {
    mapping: Rc<Mapping>,
    orders: Orders,
}

impl Picker {
    pub(crate) fn new(mapping: Rc<Mapping>) -> Self {
        let orders = Orders::new(&mapping.tree);
        Picker { mapping, orders }
    }

    /// Room for the fields of a record.
    pub(crate) fn slots<'de>(&self) -> Vec<Slot<'de>> {
        vec![Slot::Missing; self.mapping.tree.slots()]
    }

    /// The fields of the line at `at` of a text, and where the next one begins; nothing if [`rare`](Self::rare) has to
    /// look at the line.
    #[inline]
    pub(crate) fn line<'de>(&mut self, text: &'de str, at: usize, slots: &mut [Slot<'de>]) -> Option<usize> {
        slots.fill(Slot::Missing);
        scan::line(&self.mapping.tree, &mut self.orders, text, at, slots)
    }

    /// The fields of the record at `at` of a document that is known to be JSON, and where it ends. An error is a
    /// person's reason why it is no record.
    pub(crate) fn element<'de>(
        &mut self,
        text: &'de str,
        at: usize,
        slots: &mut [Slot<'de>],
    ) -> (usize, Result<(), String>) {
        slots.fill(Slot::Missing);
        if let Some(end) = scan::record(&self.mapping.tree, &mut self.orders, text, at, slots) {
            return (end, Ok(()));
        }
        let rest = text.get(at..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&serde_json::value::RawValue>();
        match values.next() {
            Some(Ok(raw)) => (at + values.byte_offset(), self.rare(raw.get(), slots)),
            _ => (text.len(), Err("it is not valid JSON".to_owned())),
        }
    }

    /// The fields of a text that is one record. An error is a person's reason why it is none.
    #[cold]
    pub(crate) fn rare<'de>(&self, text: &'de str, slots: &mut [Slot<'de>]) -> Result<(), String> {
        slots.fill(Slot::Missing);
        visitor::visit(&self.mapping.tree, text, slots).map_err(|what| match what {
            NoRecord::NotAnObject => {
                format!("a record is a JSON object, and this is {}", shown(text.trim()))
            }
            NoRecord::Json(error) => {
                let (whole, column) = (error.to_string(), error.column());
                let place = format!(" at line {} column {column}", error.line());
                let reason = whole.strip_suffix(&place).unwrap_or(&whole);
                match column {
                    0 => format!("it is not valid JSON: {reason}"),
                    _ => format!("it is not valid JSON: {reason} at column {column}"),
                }
            }
        })
    }
}

/// A piece of the input, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}...`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}
