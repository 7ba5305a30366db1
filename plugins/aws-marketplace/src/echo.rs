//! A record as the service repeats it, and whose it is.

use meterhost_sdk::Decimal;
use serde_json::value::RawValue;

use crate::Config;
use crate::object::{Field, Object, Place};
use crate::record::Record;
use crate::time;

/// One record, any of whose fields may be missing.
#[derive(Debug)]
pub(crate) struct Echo {
    customer: Field,
    dimension: Field,
    time: Field,
    license: Field,
    /// `Quantity` and `QuantityAsDecimal`.
    quantities: [Field; 2],
    allocations: Allocations,
}

#[derive(Debug)]
enum Allocations {
    /// Not there, or none.
    Missing,
    /// Tags and quantity of each, sorted.
    Read(Vec<(Vec<(String, String)>, Decimal)>),
    Odd,
}

/// What an echo is to a record that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It surely speaks of another record.
    Other,
    /// It surely speaks of this one: it names its customer, dimension and time, and nothing that it says differs.
    Own,
    /// It names this one, and what it says of it is not what was sent.
    Different(String),
    /// It may speak of this one or of another, and the reason why that is not sure.
    Doubtful(String),
}

impl Echo {
    /// `None` if this is no record. A record that is not there is one that says nothing.
    pub(crate) fn read(config: &Config, place: Place<'_>) -> Option<Self> {
        let object = match place {
            Place::Empty => Object::default(),
            Place::Once(raw) => Object::read(raw.get())?,
            Place::Twice => return None,
        };
        Some(Echo {
            customer: object.field(config.identity.customer_field()),
            dimension: object.field("Dimension"),
            time: object.field("Timestamp"),
            // Of a product that is billed by its code the service may know a licence, which was not told.
            license: if config.identity.is_by_license() { object.field("LicenseArn") } else { Field::Missing },
            quantities: [object.field("Quantity"), object.field("QuantityAsDecimal")],
            allocations: Allocations::read(&object),
        })
    }

    pub(crate) fn relation(&self, record: &Record<'_>) -> Relation {
        let is = |field: &Field, same: &dyn Fn(&str) -> bool| field.text().is_none_or(same);
        let names = [
            ("customer", &self.customer, is(&self.customer, &|text| text == record.customer)),
            ("dimension", &self.dimension, is(&self.dimension, &|text| text == record.dimension)),
            ("time", &self.time, is(&self.time, &|text| time::is_moment(text, record.seconds))),
            ("licence", &self.license, is(&self.license, &|text| text == record.product)),
        ];
        if names.iter().any(|(_, _, is_same)| !is_same) {
            return Relation::Other;
        }
        for (name, field, _) in names {
            match field {
                Field::Odd => return Relation::Doubtful(format!("its {name} cannot be read")),
                // A call is for one product, which may go without saying.
                Field::Missing if name != "licence" => return Relation::Doubtful(format!("it names no {name}")),
                Field::Missing | Field::Text(_) => {}
            }
        }
        let sent = record.quantity.unwrap_or(Decimal::ZERO);
        for field in &self.quantities {
            let is_same = match field {
                Field::Missing => true,
                Field::Text(text) => Decimal::parse(text) == Ok(sent),
                Field::Odd => false,
            };
            if !is_same {
                return Relation::Different(format!(
                    "it speaks of the quantity {}, and {sent} was sent",
                    field.shown()
                ));
            }
        }
        match self.allocations.is_same(record) {
            true => Relation::Own,
            false => Relation::Different("it speaks of other allocations than were sent".to_owned()),
        }
    }
}

impl Allocations {
    fn read(object: &Object<'_>) -> Self {
        let Some(list) = object.list("UsageAllocations") else { return Allocations::Odd };
        let allocations: Option<Vec<_>> = list.into_iter().map(allocation).collect();
        match allocations {
            Some(allocations) if allocations.is_empty() => Allocations::Missing,
            Some(mut allocations) => {
                allocations.sort();
                Allocations::Read(allocations)
            }
            None => Allocations::Odd,
        }
    }

    fn is_same(&self, record: &Record<'_>) -> bool {
        match self {
            Allocations::Missing => true,
            Allocations::Odd => false,
            Allocations::Read(echoed) => {
                echoed.len() == record.allocations.len()
                    && echoed.iter().zip(&record.allocations).all(|((tags, quantity), (sent_tags, sent))| {
                        let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
                        quantity == sent && tags.eq(sent_tags.iter().copied())
                    })
            }
        }
    }
}

/// The tags of an allocation, sorted, and its quantity.
fn allocation(raw: &RawValue) -> Option<(Vec<(String, String)>, Decimal)> {
    let object = Object::read(raw.get())?;
    let quantities = ["AllocatedUsageQuantity", "AllocatedUsageQuantityAsDecimal"].map(|name| object.field(name));
    let quantity = match &quantities {
        [Field::Text(quantity), Field::Missing] | [Field::Missing, Field::Text(quantity)] => {
            Decimal::parse(quantity).ok()?
        }
        _ => return None,
    };
    let tag = |raw: &RawValue| {
        let tag = Object::read(raw.get())?;
        let text = |name| tag.field(name).text().map(str::to_owned);
        Some((text("Key")?, text("Value")?))
    };
    let mut tags = object.list("Tags")?.into_iter().map(tag).collect::<Option<Vec<_>>>()?;
    tags.sort();
    Some((tags, quantity))
}
