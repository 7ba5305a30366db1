//! A record as the service writes it: a result of a call, or an entry of a listing.

use meterhost_sdk::Decimal;
use serde::Deserialize;
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
}

/// A field that should hold a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// Not there, null or empty.
    Missing,
    /// A string, or a number in its own digits.
    Text(String),
    /// Something else: a list, an object, a truth value.
    Odd,
}

/// The fields that are read; unknown ones are passed over. A field that stands twice makes the record unreadable.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    cloud: Option<&'a RawValue>,
    #[serde(borrow)]
    contract_id: Option<&'a RawValue>,
    #[serde(borrow)]
    dimension: Option<&'a RawValue>,
    #[serde(borrow)]
    start_time: Option<&'a RawValue>,
    #[serde(borrow)]
    end_time: Option<&'a RawValue>,
    #[serde(borrow)]
    quantity: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(default)]
    errors: serde_json::Value,
}

impl<'a> Record<'a> {
    /// `None` if this is no object, or one that says a thing twice.
    pub(crate) fn read(raw: &'a RawValue) -> Option<Self> {
        // A list would be taken for the fields in their order.
        if !raw.get().starts_with('{') {
            return None;
        }
        let written: Written<'a> = serde_json::from_str(raw.get()).ok()?;
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
            errors: written.errors,
        })
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
    fn read(raw: Option<&RawValue>) -> Self {
        let Some(raw) = raw else { return Field::Missing };
        match raw.get().as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<String>(raw.get()) {
                Ok(text) if text.is_empty() => Field::Missing,
                Ok(text) => Field::Text(text),
                Err(_) => Field::Odd,
            },
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
