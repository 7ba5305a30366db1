//! A configuration, compiled: which fields of a record are wanted, and what each of them is.

use std::collections::BTreeMap;
use std::rc::Rc;

use meterhost_sdk::json::Pointers;
use meterhost_sdk::{Decimal, Error, Window};

use crate::config::{CapturePick, Config, ConstantPick, Delimiter, FieldPick, Format, Pick, TimePick, Unit};
use crate::decode::{SAY_THE_FORMAT, format_of};
use crate::duration;
use crate::layout::Layout;

/// A configuration, compiled.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) layout: Layout,
    pub(crate) pointers: Rc<Pointers>,
    pub(crate) time: Time,
    pub(crate) customer: From,
    pub(crate) product: Option<From>,
    pub(crate) id: Option<From>,
    pub(crate) measured: Measured,
    pub(crate) attributes: Vec<(String, From)>,
    /// How all objects are written; nothing if each key says it.
    pub(crate) format: Option<Format>,
    /// What stands between the fields of a CSV.
    pub(crate) delimiter: u8,
}

/// Where the time comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Time {
    Path,
    /// A text as in RFC 3339, in this slot.
    Text(usize),
    /// A number, in this slot.
    Epoch(usize, Unit),
}

/// Where a text comes from.
#[derive(Debug, Clone)]
pub(crate) enum From {
    Slot(usize),
    Capture(usize),
    Constant(String),
}

/// What a record measures.
#[derive(Debug)]
pub(crate) enum Measured {
    /// One dimension, which it names itself.
    One { dimension: From, quantity: Amount },
    /// Several, which the configuration names.
    Several(Vec<(String, Amount)>),
}

/// Where a quantity comes from.
#[derive(Debug, Clone)]
pub(crate) enum Amount {
    From(From),
    Constant(Decimal),
}

impl Mapping {
    /// Compiles a configuration. The error begins with the path of the key at fault.
    pub(crate) fn new(config: &Config) -> Result<Mapping, Error> {
        Self::compiled(config).map_err(Error::Config)
    }

    /// Whether the times of records say in which of the windows they belong.
    pub(crate) fn check(&self, windows: &[Window]) -> Result<(), Error> {
        match (self.time, self.layout.finest()) {
            (Time::Path, Some((length, name))) if windows.iter().any(|window| window.end - window.start < length) => {
                Err(Error::Config(format!(
                    "fields.time: \"path\" says no more than {name}, and a window is shorter; name a field of the record that holds its time"
                )))
            }
            _ => Ok(()),
        }
    }

    fn compiled(config: &Config) -> Result<Mapping, String> {
        let layout = Layout::parse(&config.layout)?;
        let mut pointers = Pointers::default();
        let fields = &config.fields;
        let time = match &fields.time {
            TimePick::Short(path) if path == "path" && layout.has_time() => Time::Path,
            TimePick::Short(path) if path == "path" => {
                return Err("fields.time: \"path\" needs {yyyy} in `layout`".to_owned());
            }
            TimePick::Short(text) if !text.starts_with('/') => {
                return Err(format!(
                    "fields.time: `{text}` is neither \"path\" nor a JSON pointer such as \"/timestamp\""
                ));
            }
            TimePick::Short(pointer) => Time::Text(slot("fields.time", pointer, &mut pointers)?),
            TimePick::Epoch(epoch) => Time::Epoch(slot("fields.time.field", &epoch.field, &mut pointers)?, epoch.unit),
        };
        let mut from = |key: &str, pick: &Pick| source(key, pick, &layout, &mut pointers);
        let customer = from("fields.customer", &fields.customer)?;
        let product = fields.product.as_ref().map(|pick| from("fields.product", pick)).transpose()?;
        let id = fields.id.as_ref().map(|pick| from("fields.id", pick)).transpose()?;
        let measured = match (&fields.dimension, &fields.quantity, fields.dimensions.is_empty()) {
            (Some(dimension), Some(quantity), true) => Measured::One {
                dimension: from("fields.dimension", dimension)?,
                quantity: amount("fields.quantity", quantity, &mut from)?,
            },
            (None, None, false) => Measured::Several(several(&fields.dimensions, &mut from)?),
            (_, _, false) => {
                return Err(
                    "fields.dimensions: it takes the place of `dimension` and `quantity`; write one or the other"
                        .to_owned(),
                );
            }
            (None, _, true) => return Err("fields: `dimension` is missing, or `dimensions`".to_owned()),
            (_, None, true) => {
                return Err("fields: `quantity` is missing; where each record counts as one, write `quantity = { constant = \"1\" }`".to_owned());
            }
        };
        let attributes = config
            .attributes
            .iter()
            .map(|(name, pick)| Ok((name.clone(), from(&format!("attributes.{}", key(name)), pick)?)))
            .collect::<Result<_, String>>()?;
        let format =
            match (config.format, layout.ending()) {
                (Some(format), _) => Some(format),
                (None, Some(ending)) => Some(format_of(ending).ok_or_else(|| {
                    format!("layout: `{ending}` does not say how objects are written; {SAY_THE_FORMAT}")
                })?),
                (None, None) => None,
            };
        let delimiter = delimiter(config, format)?;
        if format == Some(Format::Csv) {
            columns(&pointers)?;
        }
        let layout = match slack(config, &layout, time)? {
            Some(slack) => layout.with_slack(slack),
            None => layout,
        };
        Ok(Mapping {
            format,
            delimiter,
            layout,
            pointers: Rc::new(pointers),
            time,
            customer,
            product,
            id,
            measured,
            attributes,
        })
    }

    /// Whether a record is of no use without what belongs into this slot.
    pub(crate) fn needs(&self, slot: usize) -> bool {
        let is = |from: &From| matches!(from, From::Slot(own) if *own == slot);
        let counts = |amount: &Amount| matches!(amount, Amount::From(from) if is(from));
        let timed = matches!(self.time, Time::Text(own) | Time::Epoch(own, _) if own == slot);
        let measured = match &self.measured {
            Measured::One { dimension, quantity } => is(dimension) || counts(quantity),
            Measured::Several(dimensions) => dimensions.iter().any(|(_, amount)| counts(amount)),
        };
        timed || measured || is(&self.customer) || self.product.as_ref().is_some_and(is)
    }
}

/// How far records may lie outside of the times in their keys, in milliseconds.
fn slack(config: &Config, layout: &Layout, time: Time) -> Result<Option<i64>, String> {
    const LONGEST: i64 = 31 * 86_400_000;
    let Some(text) = &config.slack else { return Ok(None) };
    match duration::millis(text) {
        _ if !layout.has_time() => {
            Err("slack: `layout` names no time, so that all objects are read as it is; leave `slack` out".to_owned())
        }
        _ if matches!(time, Time::Path) => Err(
            "slack: with `time = \"path\"` a record's time is that of its key; leave `slack` out, or name the field that \
             holds the record's own time"
                .to_owned(),
        ),
        Some(millis) if millis <= LONGEST => Ok(Some(millis)),
        _ => Err(format!("slack: `{text}` is no length of time of at most 31 days, such as \"30m\", \"1h\" or \"2d\"")),
    }
}

fn delimiter(config: &Config, format: Option<Format>) -> Result<u8, String> {
    match (config.delimiter, format) {
        (Some(_), Some(Format::Json | Format::Ndjson)) => {
            Err("delimiter: only a CSV has one; leave it out, or write `format = \"csv\"`".to_owned())
        }
        (None | Some(Delimiter::Comma), _) => Ok(b','),
        (Some(Delimiter::Semicolon), _) => Ok(b';'),
        (Some(Delimiter::Bar), _) => Ok(b'|'),
        (Some(Delimiter::Tab), _) => Ok(b'\t'),
    }
}

/// Whether all pointers name columns.
fn columns(wanted: &Pointers) -> Result<(), String> {
    let mut pointers = (0..wanted.slots()).map(|slot| wanted.pointer(slot));
    match pointers.find(|pointer| pointer.strip_prefix('/').is_some_and(|path| column(path).is_none())) {
        Some(deep) => Err(format!(
            "format: a CSV has columns, and `{deep}` leads into an object; name a column, such as \"/user_id\""
        )),
        None => Ok(()),
    }
}

/// The column that the path of a pointer (RFC 6901, without its first `/`) names; nothing if it leads further.
pub(crate) fn column(path: &str) -> Option<String> {
    (!path.contains('/')).then(|| path.replace("~1", "/").replace("~0", "~"))
}

fn several(
    dimensions: &BTreeMap<String, Pick>,
    from: &mut impl FnMut(&str, &Pick) -> Result<From, String>,
) -> Result<Vec<(String, Amount)>, String> {
    dimensions
        .iter()
        .map(|(name, pick)| {
            let key = format!("fields.dimensions.{}", key(name));
            if name.is_empty() {
                return Err(format!("{key}: a dimension has a name"));
            }
            Ok((name.clone(), amount(&key, pick, from)?))
        })
        .collect()
}

fn amount(
    key: &str,
    pick: &Pick,
    from: &mut impl FnMut(&str, &Pick) -> Result<From, String>,
) -> Result<Amount, String> {
    match from(key, pick)? {
        From::Constant(text) => match Decimal::parse(&text) {
            Ok(decimal) => Ok(Amount::Constant(decimal)),
            Err(error) => Err(format!("{key}.constant: `{text}`: {error}")),
        },
        from => Ok(Amount::From(from)),
    }
}

fn source(key: &str, pick: &Pick, layout: &Layout, pointers: &mut Pointers) -> Result<From, String> {
    let capture = |key: &str, name: &str| {
        layout.capture(name).map(From::Capture).ok_or_else(|| format!("{key}: `layout` has no capture {{{name}}}"))
    };
    match pick {
        Pick::Short(text) if text.starts_with('/') => slot(key, text, pointers).map(From::Slot),
        Pick::Short(text) => match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => capture(key, name),
            None => Err(format!(
                "{key}: `{text}` is neither a JSON pointer such as \"/customer\" nor a capture such as \"{{tenant}}\"; a constant is \
                 {{ constant = \"{text}\" }}"
            )),
        },
        Pick::Field(FieldPick { field }) => slot(&format!("{key}.field"), field, pointers).map(From::Slot),
        Pick::Capture(CapturePick { capture: name }) => capture(&format!("{key}.capture"), name),
        Pick::Constant(ConstantPick { constant }) if constant.is_empty() => {
            Err(format!("{key}.constant: a constant is not empty"))
        }
        Pick::Constant(ConstantPick { constant }) => Ok(From::Constant(constant.clone())),
    }
}

/// The slot of a field of a record.
fn slot(key: &str, pointer: &str, pointers: &mut Pointers) -> Result<usize, String> {
    pointers.slot(pointer).map_err(|error| format!("{key}: {error}"))
}

/// A key as the configuration writes it: in quotes where it has to be. The host finds the line at fault by it.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name.to_owned() } else { format!("{name:?}") }
}
