//! The items of a table, and the index of those that are pending.

use std::collections::{BTreeMap, BTreeSet};

use meterhost_decimal::Decimal;
use serde_json::Value;

use crate::expressions::Item;

/// The hash key of the index.
pub(crate) const PENDING: &str = "metering_pending";

/// A place in the index: the two parts of its key, and the name of the item.
pub(crate) type Place = (String, Option<Decimal>, String);

/// A table with a key of two parts. An item is kept as its text: as a tree it would take ten times as much memory.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) key: [String; 2],
    shelves: Shelves,
    /// What the index shows, where it lags behind.
    stale: Option<Shelves>,
}

#[derive(Debug, Default, Clone)]
struct Shelves {
    items: BTreeMap<String, Kept>,
    pending: BTreeSet<Place>,
}

#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) text: Box<str>,
    /// The bytes that it counts for in a page.
    pub(crate) size: usize,
    /// Where it stands in the index, if it does.
    place: Option<Place>,
}

impl Table {
    pub(crate) fn new(key: [&str; 2]) -> Self {
        Table { key: key.map(str::to_owned), shelves: Shelves::default(), stale: None }
    }

    /// What an item is called by its key.
    pub(crate) fn name(&self, item: &Item) -> String {
        self.key.each_ref().map(|part| part_of(&item[part])).join("\n")
    }

    pub(crate) fn get(&self, name: &str) -> Option<Item> {
        self.shelves.items.get(name).map(Kept::read)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Item> {
        self.shelves.items.values().map(Kept::read)
    }

    pub(crate) fn put(&mut self, item: &Item) {
        let name = self.name(item);
        let place = self.place(&name, item);
        let text = serde_json::to_string(item).unwrap().into();
        let kept = Kept { text, size: size(item), place: place.clone() };
        if let Some(Kept { place: Some(before), .. }) = self.shelves.items.insert(name, kept) {
            self.shelves.pending.remove(&before);
        }
        self.shelves.pending.extend(place);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let kept = self.shelves.items.remove(name).unwrap();
        kept.place.map(|place| self.shelves.pending.remove(&place));
    }

    /// Where an item stands in the index, if it does.
    fn place(&self, name: &str, item: &Item) -> Option<Place> {
        let pending = item.get(PENDING)?["S"].as_str()?.to_owned();
        Some((pending, Some(Decimal::parse(item[&self.key[1]]["N"].as_str()?).unwrap()), name.to_owned()))
    }

    /// From here on the index shows what is there now, or what is there at each time.
    pub(crate) fn lag(&mut self, lags: bool) {
        self.stale = lags.then(|| self.shelves.clone());
    }

    /// The places in the index behind one, in order.
    pub(crate) fn pending(&self, after: Place) -> impl Iterator<Item = &Place> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.shown().pending.range((Excluded(after), Unbounded))
    }

    /// An item as the index shows it.
    pub(crate) fn indexed(&self, place: &Place) -> &Kept {
        &self.shown().items[&place.2]
    }

    fn shown(&self) -> &Shelves {
        self.stale.as_ref().unwrap_or(&self.shelves)
    }
}

impl Kept {
    pub(crate) fn read(&self) -> Item {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// A part of a key; numbers by what they are.
fn part_of(value: &Value) -> String {
    match (value["S"].as_str(), value["N"].as_str()) {
        (Some(text), None) => text.to_owned(),
        (None, Some(number)) => Decimal::parse(number).unwrap().to_string(),
        _ => panic!("no key: {value}"),
    }
}

/// The bytes of an item, about (developer guide, "DynamoDB item sizes and formats").
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

fn size_of(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 1 };
    match (kind.as_str(), value) {
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        (_, Value::String(text)) => text.len(),
        ("SS", Value::Array(texts)) => texts.iter().map(|text| text.as_str().map_or(0, str::len)).sum(),
        (_, Value::Array(members)) => 3 + members.iter().map(|member| 1 + size_of(member)).sum::<usize>(),
        (_, Value::Object(members)) => 3 + members.iter().map(|(name, it)| 1 + name.len() + size_of(it)).sum::<usize>(),
        _ => 1,
    }
}
