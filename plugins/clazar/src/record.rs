//! A record as the service writes it: a result of a call, or an entry of a listing.

use std::fmt;

use meterhost_sdk::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::sent::Sent;
use crate::time;

/// One record, any of whose fields may be missing.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The record as it came.
    pub(crate) raw: &'a str,
    pub(crate) id: Field,
    pub(crate) cloud: Field,
    pub(crate) contract_id: Field,
    pub(crate) dimension: Field,
    pub(crate) start_time: Field,
    pub(crate) end_time: Field,
    pub(crate) quantity: Field,
    pub(crate) status: Field,
    pub(crate) code: Field,
    pub(crate) message: Field,
    pub(crate) errors: serde_json::Value,
    /// Whether a field stands twice, and is odd therefore.
    pub(crate) repeats: bool,
}

/// A field that should hold a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// Not there, null or empty.
    Missing,
    /// A string, or a number in its own digits.
    Text(String),
    /// Something else: a list, an object, a truth value, or two values.
    Odd,
}

/// The fields that are read, as they are named; others are passed over.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Name {
    Id,
    Cloud,
    ContractId,
    Dimension,
    StartTime,
    EndTime,
    Quantity,
    Status,
    Code,
    Message,
    Errors,
    #[serde(other)]
    Other,
}

/// What stands under a name.
#[derive(Debug, Default, Clone, Copy)]
enum Place<'a> {
    #[default]
    Empty,
    Once(&'a RawValue),
    /// Two values, of which nobody knows the right one.
    Twice,
}

#[derive(Debug, Default)]
struct Written<'a> {
    id: Place<'a>,
    cloud: Place<'a>,
    contract_id: Place<'a>,
    dimension: Place<'a>,
    start_time: Place<'a>,
    end_time: Place<'a>,
    quantity: Place<'a>,
    status: Place<'a>,
    code: Place<'a>,
    message: Place<'a>,
    errors: Place<'a>,
    /// Whether one of these stands twice.
    repeats: bool,
}

impl<'de> Deserialize<'de> for Written<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Written<'de>;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a record")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Written<'de>, M::Error> {
        let mut written = Written::default();
        while let Some(name) = map.next_key()? {
            let value: &'de RawValue = map.next_value()?;
            let place = match name {
                Name::Id => &mut written.id,
                Name::Cloud => &mut written.cloud,
                Name::ContractId => &mut written.contract_id,
                Name::Dimension => &mut written.dimension,
                Name::StartTime => &mut written.start_time,
                Name::EndTime => &mut written.end_time,
                Name::Quantity => &mut written.quantity,
                Name::Status => &mut written.status,
                Name::Code => &mut written.code,
                Name::Message => &mut written.message,
                Name::Errors => &mut written.errors,
                Name::Other => continue,
            };
            *place = match place {
                Place::Empty => Place::Once(value),
                Place::Once(_) | Place::Twice => {
                    written.repeats = true;
                    Place::Twice
                }
            };
        }
        Ok(written)
    }
}

impl<'a> Record<'a> {
    /// `None` if this is no object.
    pub(crate) fn read(raw: &'a RawValue) -> Option<Self> {
        let written: Written<'a> = serde_json::from_str(raw.get()).ok()?;
        let errors = match written.errors {
            Place::Empty => serde_json::Value::Null,
            Place::Once(errors) => serde_json::from_str(errors.get()).ok()?,
            Place::Twice => serde_json::Value::Bool(true),
        };
        Some(Record {
            raw: raw.get(),
            id: Field::read(written.id),
            cloud: Field::read(written.cloud),
            contract_id: Field::read(written.contract_id),
            dimension: Field::read(written.dimension),
            start_time: Field::read(written.start_time),
            end_time: Field::read(written.end_time),
            quantity: Field::read(written.quantity),
            status: Field::read(written.status),
            code: Field::read(written.code),
            message: Field::read(written.message),
            errors,
            repeats: written.repeats,
        })
    }

    /// Something that is no record, taken for one of which nothing can be read.
    pub(crate) fn unreadable(raw: &'a RawValue) -> Self {
        let odd = || Field::Odd;
        Record {
            raw: raw.get(),
            id: odd(),
            cloud: odd(),
            contract_id: odd(),
            dimension: odd(),
            start_time: odd(),
            end_time: odd(),
            quantity: odd(),
            status: odd(),
            code: odd(),
            message: odd(),
            errors: serde_json::Value::Bool(true),
            repeats: false,
        }
    }

    /// Where the record says something else than what was sent, for a person. Contract and dimension are not compared: they lead
    /// from the record to the charge.
    pub(crate) fn contradiction(&self, sent: &Sent<'_>) -> Option<String> {
        let differs = |field: &Field, same: &dyn Fn(&str) -> bool| match field {
            Field::Missing => false,
            Field::Text(text) => !same(text),
            Field::Odd => true,
        };
        let at = |time: i64| move |text: &str| time::read(text) == Some(time);
        let (name, field, was) = if differs(&self.cloud, &|text| text.eq_ignore_ascii_case(sent.cloud.name())) {
            ("cloud", &self.cloud, sent.cloud.name().to_owned())
        } else if differs(&self.start_time, &at(sent.start)) {
            ("start_time", &self.start_time, time::write(sent.start))
        } else if differs(&self.end_time, &at(sent.end)) {
            ("end_time", &self.end_time, time::write(sent.end))
        } else if differs(&self.quantity, &|text| Decimal::parse(text) == Ok(sent.quantity)) {
            ("quantity", &self.quantity, sent.quantity.to_string())
        } else {
            return None;
        };
        let says = field.text().unwrap_or("something that is no text");
        Some(format!("Clazar speaks of {name} {says}, but {was} was sent"))
    }

    /// The quantity, if it is there and a number.
    pub(crate) fn amount(&self) -> Option<Decimal> {
        Decimal::parse(self.quantity.text()?).ok()
    }
}

impl Field {
    fn read(place: Place<'_>) -> Self {
        let raw = match place {
            Place::Empty => return Field::Missing,
            Place::Once(raw) => raw,
            Place::Twice => return Field::Odd,
        };
        match raw.get().as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<String>(raw.get()) {
                Ok(text) if text.is_empty() => Field::Missing,
                Ok(text) => Field::Text(text),
                Err(_) => Field::Odd,
            },
            Some(b'n') => Field::Missing,
            Some(b'-' | b'0'..=b'9') => Field::Text(raw.get().to_owned()),
            _ => Field::Odd,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Field::Text(text) => Some(text),
            Field::Missing | Field::Odd => None,
        }
    }
}
