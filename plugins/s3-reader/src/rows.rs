//! From picked fields to usage records, or into quarantine: nothing is guessed.

use std::borrow::Cow;

use meterhost_sdk::{BatchBuilder, Decimal, Page, Quarantined, ReadInput, Record, Unreadable, Window};

use crate::layout::Matched;
use crate::mapping::{Amount, From, Mapping, Measured, Time};
use crate::moment;
use crate::record::{Slot, Value};

/// A dimension and its quantity, or why one of them is of no use.
type Item<'p> = (Result<Cow<'p, str>, String>, Result<Decimal, String>);

/// Above so many, lists are passed on though the batch has room.
const MANY: usize = 1000;

/// Collects what is read into pages.
pub(crate) struct Rows {
    mapping: Mapping,
    builder: BatchBuilder,
    page: Page,
    full: Vec<Page>,
    /// Items of the object that is being read.
    pub(crate) items: u64,
}

/// The object that is being read.
pub(crate) struct Object<'a> {
    pub(crate) key: &'a str,
    pub(crate) matched: &'a Matched,
}

/// Where in an object a record stands: `record 3`, `line 17`.
#[derive(Clone, Copy)]
pub(crate) struct Place(pub(crate) &'static str, pub(crate) u64);

impl Rows {
    pub(crate) fn new(mapping: Mapping) -> Self {
        let builder = BatchBuilder::new(mapping.attributes.iter().map(|(name, _)| name.clone()));
        Rows { mapping, builder, page: Page::default(), full: Vec::new(), items: 0 }
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// A page that is ready, oldest first.
    pub(crate) fn ready(&mut self) -> Option<Page> {
        if self.full.is_empty() { None } else { Some(self.full.remove(0)) }
    }

    /// What is left at the end.
    pub(crate) fn last(&mut self) -> Option<Page> {
        self.turn();
        self.ready()
    }

    fn turn(&mut self) {
        let mut page = std::mem::take(&mut self.page);
        page.batch = self.builder.finish();
        let empty = page.batch.is_empty()
            && page.inputs.is_empty()
            && page.quarantined.is_empty()
            && page.unreadable.is_empty();
        if !empty {
            self.full.push(page);
        }
    }

    fn turn_if_many(&mut self) {
        if self.page.inputs.len() >= MANY || self.page.quarantined.len() >= MANY {
            self.turn();
        }
    }

    /// An object was read to its end.
    pub(crate) fn finished(&mut self, input: meterhost_sdk::Input) {
        let items = std::mem::take(&mut self.items);
        self.page.inputs.push(ReadInput { input, items });
        self.turn_if_many();
    }

    /// An object cannot be used.
    pub(crate) fn unreadable(&mut self, object: &Object<'_>, reason: String) {
        self.items = 0;
        self.page.unreadable.push(Unreadable { input: object.key.to_owned(), reason, span: object.matched.span });
    }

    /// Something that is no record.
    pub(crate) fn no_record(&mut self, object: &Object<'_>, place: Place, reason: String) {
        self.quarantine(object, place, reason, Known::default(), object.matched.span);
    }

    fn quarantine(&mut self, object: &Object<'_>, place: Place, reason: String, known: Known, span: Option<Window>) {
        self.items += 1;
        self.page.quarantined.push(Quarantined {
            input: object.key.to_owned(),
            place: format!("{} {}", place.0, place.1),
            reason,
            customer: known.customer,
            product: known.product,
            dimension: known.dimension,
            span,
        });
        self.turn_if_many();
    }

    /// One record, as its wanted fields.
    pub(crate) fn record(&mut self, object: &Object<'_>, place: Place, slots: &[Slot<'_>]) {
        let mapping = &self.mapping;
        let picked = Picked { mapping, slots, captures: &object.matched.captures };
        let time = picked.time(object.matched);
        let customer = picked.text("customer", &mapping.customer);
        let product = match &mapping.product {
            Some(from) => picked.optional("product", from),
            None => Ok(None),
        };
        let id = match &mapping.id {
            Some(from) => picked.optional("id", from),
            None => Ok(None),
        };
        let attributes: Vec<Option<Cow<'_, str>>> =
            mapping.attributes.iter().map(|(_, from)| picked.attribute(from)).collect();
        let attributes: Vec<Option<&str>> = attributes.iter().map(Option::as_deref).collect();
        let mut bad: Vec<(String, Known, Option<Window>)> = Vec::new();
        let mut items: Vec<Item<'_>> = Vec::new();
        match &mapping.measured {
            Measured::One { dimension, quantity } => {
                items.push((picked.text("dimension", dimension), picked.amount("quantity", quantity)));
            }
            Measured::Several(dimensions) => items.extend(
                dimensions
                    .iter()
                    .map(|(name, quantity)| (Ok(Cow::Borrowed(name.as_str())), picked.amount(name, quantity))),
            ),
        }
        for (dimension, quantity) in &items {
            let parts = (&time, &customer, &product, &id, dimension, quantity);
            if let (Ok(time), Ok(customer), Ok(product), Ok(id), Ok(dimension), Ok(quantity)) = parts {
                let record = Record {
                    time: *time,
                    customer,
                    product: product.as_deref().unwrap_or_default(),
                    dimension,
                    quantity: *quantity,
                    id: id.as_deref(),
                    attributes: &attributes,
                };
                if self.builder.push(&record).is_err() {
                    let mut page = std::mem::take(&mut self.page);
                    page.batch = self.builder.finish();
                    self.full.push(page);
                    // An empty builder takes every record.
                    let _ = self.builder.push(&record);
                }
                self.items += 1;
                continue;
            }
            let reasons = [
                time.as_ref().err(),
                customer.as_ref().err(),
                product.as_ref().err(),
                id.as_ref().err(),
                dimension.as_ref().err(),
                quantity.as_ref().err(),
            ];
            let reason = reasons.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("; ");
            let known = Known {
                customer: customer.as_deref().ok().map(str::to_owned),
                product: product.as_ref().ok().cloned().flatten().map(Cow::into_owned),
                dimension: dimension.as_deref().ok().map(str::to_owned),
            };
            let span = match &time {
                Ok(time) => Some(Window { start: *time, end: time + 1 }),
                Err(_) => object.matched.span,
            };
            bad.push((reason, known, span));
        }
        for (reason, known, span) in bad {
            self.quarantine(object, place, reason, known, span);
        }
    }
}

/// What is known of a record that cannot be used.
#[derive(Default)]
struct Known {
    customer: Option<String>,
    product: Option<String>,
    dimension: Option<String>,
}

/// The wanted fields of one record.
struct Picked<'p, 'de> {
    mapping: &'p Mapping,
    slots: &'p [Slot<'de>],
    captures: &'p [String],
}

impl<'p> Picked<'p, '_> {
    fn value(&self, slot: usize) -> Value<'p> {
        self.slots.get(slot).copied().unwrap_or_default().value()
    }

    fn pointer(&self, slot: usize) -> &str {
        self.mapping.tree.slots.get(slot).map_or("", String::as_str)
    }

    fn time(&self, matched: &Matched) -> Result<i64, String> {
        let (slot, found) = match self.mapping.time {
            Time::Path => {
                return matched.span.as_ref().map(|span| span.start).ok_or_else(|| "the key names no time".to_owned());
            }
            Time::Text(slot) => match self.value(slot) {
                Value::Text(text) => (slot, moment::text(&text).ok_or_else(|| shown(&text))),
                other => (slot, Err(describe(&other))),
            },
            Time::Epoch(slot, unit) => match self.value(slot) {
                Value::Number(number) => (slot, moment::epoch(number, unit).ok_or_else(|| shown(number))),
                Value::Text(text) => (slot, moment::epoch(&text, unit).ok_or_else(|| shown(&text))),
                other => (slot, Err(describe(&other))),
            },
        };
        found.map_err(|what| match what.starts_with('`') {
            true => format!("time ({}) cannot be read: {what}", self.pointer(slot)),
            false => format!("time ({}) {what}", self.pointer(slot)),
        })
    }

    /// A text that has to be there. A whole number is one too: customers are numbered in places.
    fn text(&self, name: &str, from: &'p From) -> Result<Cow<'p, str>, String> {
        let (text, slot) = match from {
            From::Constant(text) => return Ok(Cow::Borrowed(text)),
            From::Capture(capture) => {
                return Ok(Cow::Borrowed(self.captures.get(*capture).map_or("", String::as_str)));
            }
            From::Slot(slot) => (self.value(*slot), *slot),
        };
        let what = match text {
            Value::Text(text) if !text.is_empty() => return Ok(text),
            Value::Text(_) => "is empty".to_owned(),
            Value::Number(number) if whole(number) => return Ok(Cow::Borrowed(number)),
            Value::Number(number) => format!("is not a text: {}", shown(number)),
            other => describe(&other),
        };
        Err(format!("{name} ({}) {what}", self.pointer(slot)))
    }

    /// A text that may be missing, empty or null.
    fn optional(&self, name: &str, from: &'p From) -> Result<Option<Cow<'p, str>>, String> {
        if let From::Slot(slot) = from {
            match self.value(*slot) {
                Value::Missing | Value::Null => return Ok(None),
                Value::Text(text) if text.is_empty() => return Ok(None),
                _ => {}
            }
        }
        self.text(name, from).map(Some)
    }

    /// Anything; numbers and truth values as they are written.
    fn attribute(&self, from: &'p From) -> Option<Cow<'p, str>> {
        match from {
            From::Constant(text) => Some(Cow::Borrowed(text)),
            From::Capture(capture) => self.captures.get(*capture).map(|text| Cow::Borrowed(text.as_str())),
            From::Slot(slot) => match self.value(*slot) {
                Value::Text(text) => Some(text),
                Value::Number(raw) | Value::Other(raw) => Some(Cow::Borrowed(raw)),
                Value::Missing | Value::Null | Value::Twice => None,
            },
        }
    }

    fn amount(&self, name: &str, amount: &'p Amount) -> Result<Decimal, String> {
        let from = match amount {
            Amount::Constant(decimal) => return Ok(*decimal),
            Amount::From(from) => from,
        };
        let read = |text: &str| Decimal::parse_bytes(text.as_bytes());
        let (pointer, read, text): (&str, _, Cow<'_, str>) = match from {
            From::Constant(text) => ("", read(text), Cow::Borrowed(text)),
            From::Capture(capture) => {
                let text = self.captures.get(*capture).map_or("", String::as_str);
                ("its capture", read(text), Cow::Borrowed(text))
            }
            From::Slot(slot) => {
                let pointer = self.pointer(*slot);
                match self.value(*slot) {
                    Value::Number(number) => (pointer, read(number), Cow::Borrowed(number)),
                    Value::Text(text) => (pointer, read(&text), text),
                    other => return Err(format!("{name} ({pointer}) {}", describe(&other))),
                }
            }
        };
        read.map_err(|error| format!("{name} ({pointer}) is {}: {error}", shown(&text)))
    }
}

fn whole(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit())
}

fn describe(value: &Value<'_>) -> String {
    match value {
        Value::Missing => "is missing".to_owned(),
        Value::Twice => "stands there twice".to_owned(),
        Value::Null => "is null".to_owned(),
        Value::Text(text) => format!("is a text: {}", shown(text)),
        Value::Number(raw) => format!("is a number: {}", shown(raw)),
        Value::Other(raw) => format!("is {}", shown(raw)),
    }
}

/// A text of the record's, short enough for a message.
fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}...`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}
