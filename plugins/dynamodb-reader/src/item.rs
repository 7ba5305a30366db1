//! From an item of the table to usage records, or into quarantine.
//!
//! Nothing is guessed: a number that is written as a text is quarantined and not parsed, since who writes `"5"` and `"7"` may mean 57.

use std::borrow::Cow;

use meterhost_sdk::{Decimal, ParseDecimalError, Quarantined, Window};
use serde_json::value::RawValue;

use crate::attribute::{self, Attribute};
use crate::names::{Measured, Names};
use crate::reference::Key;

/// The longest customer, product or dimension, in bytes; the host takes no longer names.
const LONGEST: usize = 16 << 10;

/// So many things that are wrong with an item are named: its reason is told with each of its dimensions.
const MOST_REASONS: usize = 4;

/// An item's wanted attributes, as they were read.
pub(crate) type Fields<'a> = Vec<Option<&'a RawValue>>;

/// An item all of whose dimensions can be billed.
pub(crate) struct Item<'a> {
    pub(crate) key: Key,
    pub(crate) reference: String,
    pub(crate) fields: Fields<'a>,
    /// In milliseconds, UTC.
    pub(crate) time: i64,
    pub(crate) customer: Cow<'a, str>,
    pub(crate) product: Cow<'a, str>,
    /// In the order of the names.
    pub(crate) attributes: Vec<Option<Cow<'a, str>>>,
    pub(crate) rows: Vec<Row<'a>>,
}

/// One of its dimensions.
pub(crate) struct Row<'a> {
    pub(crate) dimension: Cow<'a, str>,
    pub(crate) quantity: Decimal,
}

/// What an item turned out to be.
pub(crate) enum Read<'a> {
    Good(Item<'a>),
    /// It cannot be used: a record a dimension.
    Bad(Vec<Quarantined>),
    /// It is not asked for yet.
    Later,
}

/// A dimension of an item, as far as it can be read.
struct Piece<'a> {
    dimension: Result<Cow<'a, str>, String>,
    quantity: Result<Decimal, String>,
}

/// Reads an item that is pending. `end` is the cutoff, in milliseconds, UTC; `input` and `number` say where it was found.
pub(crate) fn read<'a>(names: &Names, fields: Fields<'a>, end: i64, input: &str, number: usize) -> Read<'a> {
    let source = Source { names, fields: &fields };
    let time = source.time();
    if time.as_ref().is_ok_and(|time| *time >= end) {
        return Read::Later;
    }
    let (key, customer, product) = (source.key(), source.customer(), source.product());
    let pieces = source.pieces();
    let shared = [
        key.as_ref().err().cloned(),
        time.as_ref().err().cloned(),
        customer.as_ref().err().cloned(),
        product.as_ref().err().cloned(),
        pieces.as_ref().err().cloned(),
    ];
    let mut reasons: Vec<String> = shared.into_iter().flatten().collect();
    let pieces = pieces.unwrap_or_default();
    for (position, piece) in pieces.iter().enumerate() {
        let place = match &names.measured {
            Measured::One { .. } => String::new(),
            Measured::Several { list, .. } => format!("{} {}: ", names.of(*list), position + 1),
        };
        let wrong = [piece.dimension.as_ref().err(), piece.quantity.as_ref().err()];
        reasons.extend(wrong.into_iter().flatten().map(|reason| format!("{place}{reason}")));
    }
    if reasons.is_empty() && !have_a_common_scale(&pieces) {
        reasons.push("its quantities have no more than 38 digits each and too many together".to_owned());
    }
    match (key, time, &customer, &product) {
        (Ok(key), Ok(time), Ok(customer), Ok(product)) if reasons.is_empty() => Read::Good(Item {
            reference: key.reference(),
            key,
            time,
            customer: customer.clone(),
            product: product.clone(),
            attributes: names.attributes.iter().map(|&place| source.attribute(place)).collect(),
            rows: pieces.into_iter().filter_map(Piece::row).collect(),
            fields,
        }),
        (key, time, _, _) => {
            let known =
                |found: Result<Cow<'_, str>, String>| found.ok().map(Cow::into_owned).filter(|found| !found.is_empty());
            let more = reasons.len().saturating_sub(MOST_REASONS);
            reasons.truncate(MOST_REASONS);
            let mut reason = reasons.join("; ");
            if more > 0 {
                reason.push_str(&format!("; and {more} more"));
            }
            if pieces.len() > 1 {
                reason.push_str("; a record is billed wholly or not at all");
            }
            let first = Quarantined {
                input: input.to_owned(),
                place: key.map_or_else(|_| format!("item {number}"), |key| key.reference()),
                reason,
                customer: known(customer),
                product: known(product),
                dimension: None,
                span: time.ok().map(moment),
            };
            let dimensions: Vec<Option<String>> = match pieces.is_empty() {
                true => vec![None],
                false => pieces.into_iter().map(|piece| known(piece.dimension)).collect(),
            };
            Read::Bad(dimensions.into_iter().map(|dimension| Quarantined { dimension, ..first.clone() }).collect())
        }
    }
}

impl Item<'_> {
    /// All of it is quarantined, though it could be read.
    pub(crate) fn quarantined(&self, input: &str, reason: &str) -> Vec<Quarantined> {
        let row = |row: &Row<'_>| Quarantined {
            input: input.to_owned(),
            place: self.reference.clone(),
            reason: reason.to_owned(),
            customer: Some(self.customer.clone().into_owned()),
            product: Some(self.product.clone().into_owned()).filter(|product| !product.is_empty()),
            dimension: Some(row.dimension.clone().into_owned()),
            span: Some(moment(self.time)),
        };
        self.rows.iter().map(row).collect()
    }
}

impl<'a> Piece<'a> {
    fn row(self) -> Option<Row<'a>> {
        Some(Row { dimension: self.dimension.ok()?, quantity: self.quantity.ok()? })
    }
}

/// One millisecond.
fn moment(time: i64) -> Window {
    Window { start: time, end: time.saturating_add(1) }
}

/// Whether quantities can stand in one batch, and so under one reference.
fn have_a_common_scale(pieces: &[Piece<'_>]) -> bool {
    let quantities = || pieces.iter().flat_map(|piece| &piece.quantity);
    let scale = quantities().map(|quantity| quantity.scale()).max().unwrap_or_default();
    quantities().all(|quantity| quantity.rescale(scale).is_some())
}

/// An item's attributes and what they mean.
struct Source<'n, 'f, 'a> {
    names: &'n Names,
    fields: &'f [Option<&'a RawValue>],
}

impl<'a> Source<'_, '_, 'a> {
    fn field(&self, place: usize) -> Option<&'a RawValue> {
        self.fields.get(place).copied().flatten()
    }

    fn key(&self) -> Result<Key, String> {
        let [hash, range] = self.names.key;
        let name = self.names.of(hash);
        let hash = text(name, self.field(hash))?;
        let range = number(self.names.of(range), self.field(range))?;
        match hash.is_empty() {
            true => Err(empty(name)),
            false => Ok(Key::new(&hash, range)),
        }
    }

    fn time(&self) -> Result<i64, String> {
        let name = self.names.of(self.names.time);
        let time = number(name, self.field(self.names.time))?;
        let unit = self.names.unit;
        unit.millis(time).ok_or_else(|| {
            let counts = unit.name();
            format!(
                "{name} is {time}, which is beyond the calendar if it counts {counts}: `timestamp` says what it counts"
            )
        })
    }

    fn customer(&self) -> Result<Cow<'a, str>, String> {
        filled(self.names.of(self.names.customer), self.field(self.names.customer))
    }

    fn product(&self) -> Result<Cow<'a, str>, String> {
        let (name, field) = (self.names.of(self.names.product), self.field(self.names.product));
        match field {
            None if !self.names.needs_product => Ok(Cow::Borrowed("")),
            Some(_) if !self.names.needs_product => text(name, field),
            field => filled(name, field),
        }
    }

    /// The item's dimensions, of which it has at least one.
    fn pieces(&self) -> Result<Vec<Piece<'a>>, String> {
        let (list, names) = match &self.names.measured {
            Measured::One { dimension, quantity } => {
                let named = |place: usize| (self.names.of(place), self.field(place));
                return Ok(vec![Piece::new(named(*dimension), named(*quantity))]);
            }
            Measured::Several { list, names } => (*list, names),
        };
        let name = self.names.of(list);
        let found = self.field(list).ok_or_else(|| missing(name))?;
        let members = match Attribute::read(found) {
            Attribute::List(members) => members,
            other => return Err(format!("{name} is {} and no list (L)", other.kind())),
        };
        if members.is_empty() {
            return Err(format!("{name} names no dimension"));
        }
        Ok(members.into_iter().map(|member| Piece::of(member, names)).collect())
    }

    /// What an aggregator is told of an attribute.
    fn attribute(&self, place: usize) -> Option<Cow<'a, str>> {
        let field = self.field(place)?;
        match Attribute::read(field) {
            Attribute::Text(text) | Attribute::Number(text) => Some(text),
            Attribute::Bool(truth) => Some(Cow::Borrowed(if truth { "true" } else { "false" })),
            Attribute::Null => None,
            // As it is written.
            _ => Some(Cow::Borrowed(field.get())),
        }
    }
}

impl<'a> Piece<'a> {
    fn new(dimension: (&str, Option<&'a RawValue>), quantity: (&str, Option<&'a RawValue>)) -> Self {
        Piece { dimension: filled(dimension.0, dimension.1), quantity: number(quantity.0, quantity.1) }
    }

    /// One of a list.
    fn of(member: &'a RawValue, [dimension, quantity]: &[String; 2]) -> Self {
        let fields = match Attribute::read(member) {
            Attribute::Map(map) => attribute::pick(map, &[dimension, quantity]).map_err(|error| error.to_string()),
            other => Err(format!("it is {} and no map (M)", other.kind())),
        };
        match fields.as_deref() {
            Ok(&[first, second]) => Piece::new((dimension, first), (quantity, second)),
            Ok(_) => Piece::new((dimension, None), (quantity, None)),
            Err(reason) => Piece { dimension: Err(reason.clone()), quantity: Err("it has no quantity".to_owned()) },
        }
    }
}

fn missing(name: &str) -> String {
    format!("{name} is missing")
}

fn empty(name: &str) -> String {
    format!("{name} is empty")
}

/// A text that is not empty.
fn filled<'a>(name: &str, field: Option<&'a RawValue>) -> Result<Cow<'a, str>, String> {
    text(name, field).and_then(|text| if text.is_empty() { Err(empty(name)) } else { Ok(text) })
}

fn text<'a>(name: &str, field: Option<&'a RawValue>) -> Result<Cow<'a, str>, String> {
    match Attribute::read(field.ok_or_else(|| missing(name))?) {
        Attribute::Text(text) if text.len() > LONGEST => {
            Err(format!("{name} has {} bytes, and {LONGEST} are the most", text.len()))
        }
        Attribute::Text(text) => Ok(text),
        other => Err(format!("{name} is {} and no text (S)", other.kind())),
    }
}

fn number(name: &str, field: Option<&RawValue>) -> Result<Decimal, String> {
    match Attribute::read(field.ok_or_else(|| missing(name))?) {
        Attribute::Number(number) => match Decimal::parse(&number) {
            Ok(number) => Ok(number.normalised()),
            Err(ParseDecimalError::TooManyDigits) => {
                Err(format!("{name} is {}, which 38 digits do not hold exactly", shown(&number)))
            }
            Err(ParseDecimalError::NotANumber) => Err(format!("{name} is {}, which is no number", shown(&number))),
        },
        Attribute::Text(text) => {
            Err(format!("{name} is the text {} (S) and no number (N); it is not taken for one", shown(&text)))
        }
        other => Err(format!("{name} is {} and no number (N)", other.kind())),
    }
}

/// A value, short enough for a message.
fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("\"{}...\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}
