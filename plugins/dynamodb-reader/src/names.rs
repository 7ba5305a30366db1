//! What a configuration comes to: the names of all attributes, each in its place.

use meterhost_sdk::Error;

use crate::config::{self, Config, Format, Mark, Subscribers, Unit};

/// The attributes by which readers of the table know what became of a record.
pub(crate) const PENDING: &str = "metering_pending";
pub(crate) const FAILED: &str = "metering_failed";
pub(crate) const RESPONSE: &str = "metering_response";
/// The charges that a record went into.
pub(crate) const CHARGE: &str = "metering_charge";
/// The charges that were added to a total when this record was marked.
pub(crate) const COUNTED: &str = "metering_counted";
/// What a record that is claimed and not marked yet said when it was claimed.
pub(crate) const CLAIMED_AS: &str = "metering_claimed_as";

/// The longest name of an attribute, in bytes; that of a key's is bounded by DynamoDB itself (Service quotas, "Attributes").
const LONGEST: usize = 255;
/// So many further attributes fit into the longest condition, of at most 4 KB and 300 operators (Service quotas, "Expression parameters"),
/// with room to spare.
const MOST_ATTRIBUTES: usize = 24;

/// The names of a table.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) table: String,
    pub(crate) index: String,
    pub(crate) unit: Unit,
    pub(crate) mark: Mark,
    pub(crate) totals: Option<Totals>,
    pub(crate) claim: String,
    /// The attributes of an item that are read; the other members are positions in it.
    pub(crate) wanted: Vec<String>,
    /// The primary key.
    pub(crate) key: [usize; 2],
    pub(crate) claimed: usize,
    pub(crate) claimed_as: usize,
    pub(crate) customer: usize,
    pub(crate) time: usize,
    pub(crate) product: usize,
    /// Whether each record has to have a product.
    pub(crate) needs_product: bool,
    pub(crate) measured: Measured,
    pub(crate) attributes: Vec<usize>,
}

/// Where dimensions and quantities are.
#[derive(Debug)]
pub(crate) enum Measured {
    /// Attributes of the item.
    One { dimension: usize, quantity: usize },
    /// A list, and the names in each of its maps.
    Several { list: usize, names: [String; 2] },
}

/// The table of totals.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) table: String,
    pub(crate) product: String,
    pub(crate) customer: String,
    pub(crate) totals: String,
    /// The product of charges that name none.
    pub(crate) default_product: Option<String>,
}

impl Names {
    /// # Errors
    ///
    /// Of kind `config`, if the configuration cannot work.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let Config { table, index, format, fields, timestamp, attributes, key, claim, mark, subscribers } = config;
        resource("table", table)?;
        resource("index", index)?;
        let several = *format == Format::DimensionUsage;
        let name = |given: &Option<String>, one: &str, other: &str| {
            given.clone().unwrap_or_else(|| (if several { other } else { one }).to_owned())
        };
        let customer = name(&fields.customer, "customerAWSAccountId", "customerIdentifier");
        let time = name(&fields.time, "create_timestamp", "create_timestamp");
        let product = name(&fields.product, "productCode", "productCode");
        let dimension = name(&fields.dimension, "dimension", "dimension");
        let quantity = name(&fields.quantity, "quantity", "value");
        let list = name(&fields.usage, "dimension_usage", "dimension_usage");
        if !several && fields.usage.is_some() {
            return wrong("`fields.usage` belongs to format = \"dimension-usage\"");
        }

        let mut read = vec![("fields.customer", &customer), ("fields.time", &time), ("fields.product", &product)];
        if several {
            different(&[("fields.dimension", &dimension), ("fields.quantity", &quantity)])?;
            read.push(("fields.usage", &list));
        } else {
            read.extend([("fields.dimension", &dimension), ("fields.quantity", &quantity)]);
        }
        let own = [PENDING, FAILED, RESPONSE, CHARGE, COUNTED, CLAIMED_AS].map(str::to_owned);
        let marks: Vec<_> = own.iter().map(|own| ("the mark", own)).chain([("claim", claim)]).collect();
        different(&[read.as_slice(), &marks].concat())?;
        // An attribute may be handed out under its own name too, but not what this plugin writes.
        let further: Vec<_> = attributes.iter().map(|name| ("attributes", name)).collect();
        different(&[further.as_slice(), &marks].concat())?;
        if attributes.len() > MOST_ATTRIBUTES {
            return wrong(format!("`attributes` names {}, and {MOST_ATTRIBUTES} are the most", attributes.len()));
        }
        let key = key.clone().unwrap_or_else(|| [customer.clone(), time.clone()]);
        let [hash, range] = &key;
        different(&[[("key", hash), ("key", range)].as_slice(), &marks].concat())?;

        let mut wanted: Vec<String> = Vec::new();
        let mut place = |name: &String| {
            wanted.iter().position(|other| other == name).unwrap_or_else(|| {
                wanted.push(name.clone());
                wanted.len() - 1
            })
        };
        Ok(Names {
            table: table.clone(),
            index: index.clone(),
            unit: *timestamp,
            mark: *mark,
            totals: subscribers.as_ref().map(|subscribers| Totals::new(subscribers, table)).transpose()?,
            claim: claim.clone(),
            key: [place(hash), place(range)],
            claimed: place(claim),
            claimed_as: place(&CLAIMED_AS.to_owned()),
            customer: place(&customer),
            time: place(&time),
            product: place(&product),
            needs_product: !several,
            measured: match several {
                true => Measured::Several { list: place(&list), names: [dimension, quantity] },
                false => Measured::One { dimension: place(&dimension), quantity: place(&quantity) },
            },
            attributes: attributes.iter().map(&mut place).collect(),
            wanted,
        })
    }

    /// The name of a wanted attribute.
    pub(crate) fn of(&self, place: usize) -> &str {
        self.wanted.get(place).map_or("", String::as_str)
    }

    /// What a record says: the places of all that is read but the key, which never changes, and whose it is.
    pub(crate) fn said(&self) -> impl Iterator<Item = usize> {
        let [hash, range] = self.key;
        let others = [hash, range, self.claimed, self.claimed_as];
        (0..self.wanted.len()).filter(move |place| !others.contains(place))
    }

    /// The names of the primary key.
    pub(crate) fn key(&self) -> [&str; 2] {
        self.key.map(|place| self.of(place))
    }
}

impl Totals {
    fn new(subscribers: &Subscribers, records: &str) -> Result<Self, Error> {
        let totals = match subscribers {
            Subscribers::Table(table) => Totals {
                table: table.clone(),
                product: config::product_code(),
                customer: config::customer_account(),
                totals: config::totals(),
                default_product: None,
            },
            Subscribers::Named(named) => Totals {
                table: named.table.clone(),
                product: named.product.clone(),
                customer: named.customer.clone(),
                totals: named.totals.clone(),
                default_product: named.default_product.clone().filter(|product| !product.is_empty()),
            },
        };
        resource("subscribers", &totals.table)?;
        if totals.table == records {
            return wrong("`subscribers` names the table of the records; totals are kept in a table of their own");
        }
        different(&[
            ("subscribers.product", &totals.product),
            ("subscribers.customer", &totals.customer),
            ("subscribers.totals", &totals.totals),
        ])?;
        Ok(totals)
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Config(what.into()))
}

/// Whether a text can name a table or an index (API reference, `TableName` and `IndexName`).
fn resource(key: &str, name: &str) -> Result<(), Error> {
    let usual = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    if (3..=255).contains(&name.len()) && name.chars().all(usual) {
        return Ok(());
    }
    wrong(format!("`{key}` is \"{name}\": a name has 3 to 255 letters, digits, `_`, `-` and `.`"))
}

/// Whether texts can name attributes, each another.
fn different(names: &[(&str, &String)]) -> Result<(), Error> {
    for (position, &(key, name)) in names.iter().enumerate() {
        if name.is_empty() || name.len() > LONGEST {
            return wrong(format!("`{key}` is \"{name}\": the name of an attribute has 1 to {LONGEST} bytes"));
        }
        if let Some((other, _)) = names.iter().take(position).find(|&&(_, other)| other == name) {
            let both = if *other == key { format!("`{key}` names") } else { format!("`{other}` and {key} both name") };
            return wrong(format!("{both} the attribute \"{name}\"{}", if *other == key { " twice" } else { "" }));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(config: &str) -> Result<Names, String> {
        Names::new(&serde_json::from_str(config).unwrap()).map_err(|error| match error {
            Error::Config(text) => text,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_the_formats_call_their_attributes_is_the_default() {
        let guide = names(r#"{ "table": "Records" }"#).unwrap();
        assert_eq!(
            guide.wanted,
            [
                "customerAWSAccountId",
                "create_timestamp",
                "metering_claim",
                "metering_claimed_as",
                "productCode",
                "dimension",
                "quantity"
            ]
        );
        assert_eq!(guide.key(), ["customerAWSAccountId", "create_timestamp"]);
        let samples =
            names(r#"{ "table": "Records", "format": "dimension-usage", "attributes": ["region"] }"#).unwrap();
        assert_eq!(
            samples.wanted,
            [
                "customerIdentifier",
                "create_timestamp",
                "metering_claim",
                "metering_claimed_as",
                "productCode",
                "dimension_usage",
                "region"
            ]
        );
    }

    #[test]
    fn names_that_cannot_work_are_found_before_anything_is_touched() {
        for (config, expected) in [
            (r#"{ "table": "" }"#, "`table` is \"\": a name has 3 to 255 letters"),
            (r#"{ "table": "Rec", "index": "a/b" }"#, "`index` is \"a/b\": a name has 3 to 255"),
            (
                r#"{ "table": "Rec", "fields": { "customer": "" } }"#,
                "`fields.customer` is \"\": the name of an attribute has 1 to 255 bytes",
            ),
            (
                r#"{ "table": "Rec", "fields": { "product": "dimension" } }"#,
                "`fields.product` and fields.dimension both name the attribute \"dimension\"",
            ),
            (
                r#"{ "table": "Rec", "fields": { "usage": "u" } }"#,
                "`fields.usage` belongs to format = \"dimension-usage\"",
            ),
            (
                r#"{ "table": "Rec", "format": "dimension-usage", "fields": { "quantity": "dimension" } }"#,
                "`fields.dimension` and fields.quantity both name the attribute \"dimension\"",
            ),
            (r#"{ "table": "Rec", "attributes": ["a", "a"] }"#, "`attributes` names the attribute \"a\" twice"),
            (r#"{ "table": "Rec", "attributes": ["metering_claim"] }"#, "`attributes` and claim both name"),
            (r#"{ "table": "Rec", "claim": "quantity" }"#, "`fields.quantity` and claim both name"),
            (r#"{ "table": "Rec", "claim": "metering_pending" }"#, "`the mark` and claim both name"),
            (r#"{ "table": "Rec", "key": ["a", "a"] }"#, "`key` names the attribute \"a\" twice"),
            (r#"{ "table": "Rec", "subscribers": "Rec" }"#, "`subscribers` names the table of the records"),
            (
                r#"{ "table": "Rec", "subscribers": { "table": "Sub", "totals": "productCode" } }"#,
                "`subscribers.product`",
            ),
        ] {
            let found = names(config).unwrap_err();
            assert!(found.starts_with(expected), "{config}: {found}");
        }
        let many: Vec<String> = (0..25).map(|number| format!("a{number}")).collect();
        let config = format!(r#"{{ "table": "Rec", "attributes": {} }}"#, serde_json::to_string(&many).unwrap());
        assert_eq!(names(&config).unwrap_err(), "`attributes` names 25, and 24 are the most");
    }
}
