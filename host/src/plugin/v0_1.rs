//! Version 0.1 of the contract: the one place where its generated types meet the host's own.

use std::time::Duration;

use meterhost_decimal::Decimal;

use super::bindings::imports::{about, types};
use super::bindings::{aggregator::aggregator as lines, sink::sink, source::source};
use super::error::Cause;
use crate::model::charge::ChargeId;
use crate::model::lines::{ChargeLine, Excluded};
use crate::model::outcome::{Finding, HeldRecord, Outcome, Status};
use crate::model::reading::{
    Input, Obstacle, Page, Quarantined, Receipt, Request, Settled, Settlement, Span, Unmarked, Unreadable,
};
use crate::model::service::{Failed, Offer, Opinion, Resolution, ServiceTraits, Together, Zero};
use crate::model::usage::{ABSENT, Batch, TextColumn};
use crate::model::window::{Window, WindowKind};

impl From<types::Error> for Cause {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::Config(text) => Cause::Config(text),
            types::Error::Denied(text) => Cause::Denied(text),
            types::Error::Unavailable(text) => Cause::Unavailable(text),
            types::Error::Other(text) => Cause::Other(text),
        }
    }
}

pub(super) fn decimal(decimal: types::Decimal) -> Result<Decimal, Cause> {
    Decimal::from_parts(decimal.lo, decimal.hi, decimal.scale)
        .ok_or_else(|| Cause::Contract("it answered a quantity of more than 38 digits".to_owned()))
}

fn wire(decimal: Decimal) -> types::Decimal {
    let (lo, hi, scale) = decimal.to_parts();
    types::Decimal { lo, hi, scale }
}

impl From<Span> for types::Window {
    fn from(span: Span) -> Self {
        types::Window { start: span.start, end: span.end }
    }
}

impl From<types::Window> for Span {
    fn from(window: types::Window) -> Self {
        Span { start: window.start, end: window.end }
    }
}

impl From<types::TextColumn> for TextColumn {
    fn from(column: types::TextColumn) -> Self {
        TextColumn { values: column.values, indices: column.indices }
    }
}

impl From<TextColumn> for types::TextColumn {
    fn from(column: TextColumn) -> Self {
        types::TextColumn { values: column.values, indices: column.indices }
    }
}

fn batch(batch: types::Batch) -> Result<Batch, Cause> {
    let rows = batch.rows as usize;
    if rows != batch.time.len() {
        return Err(Cause::Contract(format!("its batch has {} times and says it has {rows} rows", batch.time.len())));
    }
    let attributes = batch.attributes.into_iter().map(|attribute| (attribute.name, attribute.column.into()));
    let types::DecimalColumn { lo, hi, scale } = batch.quantity;
    let checked = Batch {
        time: batch.time,
        customer: batch.customer.into(),
        product: batch.product.into(),
        dimension: batch.dimension.into(),
        lo,
        hi,
        scale,
        id: batch.id.into(),
        attributes: attributes.collect(),
    };
    checked.checked().map_err(Cause::Contract)
}

impl From<WindowKind> for types::WindowKind {
    fn from(kind: WindowKind) -> Self {
        match kind {
            WindowKind::Hour => types::WindowKind::Hour,
            WindowKind::Day => types::WindowKind::Day,
            WindowKind::Month => types::WindowKind::Month,
        }
    }
}

pub(super) fn to_batch(batch: Batch) -> types::Batch {
    let attributes = batch.attributes.into_iter();
    types::Batch {
        rows: u32::try_from(batch.time.len()).unwrap_or(u32::MAX),
        time: batch.time,
        customer: batch.customer.into(),
        product: batch.product.into(),
        dimension: batch.dimension.into(),
        quantity: types::DecimalColumn { lo: batch.lo, hi: batch.hi, scale: batch.scale },
        id: batch.id.into(),
        attributes: attributes.map(|(name, column)| types::AttributeColumn { name, column: column.into() }).collect(),
    }
}

pub(super) fn to_request(request: &Request) -> source::Request {
    source::Request {
        windows: request.windows.iter().map(|&window| window.into()).collect(),
        now: request.now,
        shard: source::Shard { index: request.shard.0, count: request.shard.1 },
        claim: request.claim.clone(),
        dry_run: request.dry_run,
    }
}

/// An interval that holds an instant at least: what lies in none would be nowhere.
fn span(window: Option<types::Window>) -> Result<Option<Span>, Cause> {
    match window {
        Some(window) if window.start >= window.end => Err(Cause::Contract(format!(
            "it names a span from {} to {}, which holds nothing",
            window.start, window.end
        ))),
        window => Ok(window.map(Into::into)),
    }
}

pub(super) fn input(input: source::Input) -> Result<Input, Cause> {
    let source::Input { key, etag, size, span: own } = input;
    Ok(Input { key, etag, size, span: span(own)? })
}

pub(super) fn page(page: source::Page) -> Result<Page, Cause> {
    names(page.inputs.iter().flat_map(|read| [&read.input.key, &read.input.etag]))?;
    names(page.unreadable.iter().map(|found| &found.input))?;
    for record in &page.quarantined {
        let known = [&record.customer, &record.product, &record.dimension].into_iter().flatten();
        names([&record.input, &record.place].into_iter().chain(known))?;
    }
    names(page.row_inputs.values.iter().chain(&page.references.values))?;
    let batch = batch(page.batch)?;
    Ok(Page {
        row_inputs: rows_of(page.row_inputs.into(), batch.rows(), "row-inputs")?,
        references: rows_of(page.references.into(), batch.rows(), "references")?,
        batch,
        inputs: page
            .inputs
            .into_iter()
            .map(|read| Ok((input(read.input)?, read.items)))
            .collect::<Result<_, Cause>>()?,
        quarantined: page
            .quarantined
            .into_iter()
            .map(|record| {
                Ok(Quarantined {
                    input: record.input,
                    place: record.place,
                    records: 1,
                    reason: reason(record.reason),
                    // An empty text names nobody, and a doubt about nobody would hold nothing.
                    customer: record.customer.filter(|text| !text.is_empty()),
                    product: record.product.filter(|text| !text.is_empty()),
                    dimension: record.dimension.filter(|text| !text.is_empty()),
                    span: span(record.span)?,
                })
            })
            .collect::<Result<_, Cause>>()?,
        unreadable: page
            .unreadable
            .into_iter()
            .map(|found| {
                let etag = Some(found.etag).filter(|etag| !etag.is_empty());
                Ok(Unreadable { input: found.input, etag, reason: reason(found.reason), span: span(found.span)? })
            })
            .collect::<Result<_, Cause>>()?,
    })
}

/// What is said of each row: an index leads to a value, or stands for nothing.
fn rows_of(column: TextColumn, rows: usize, what: &str) -> Result<TextColumn, Cause> {
    let TextColumn { values, indices } = &column;
    let leads = |index: &u32| *index == ABSENT || (*index as usize) < values.len();
    match indices.is_empty() || (indices.len() == rows && indices.iter().all(leads)) {
        true => Ok(column),
        false => Err(Cause::Contract(format!("its `{what}` do not fit the rows of its batch"))),
    }
}

pub(super) fn to_settlement(settlement: &Settlement) -> source::Settlement {
    source::Settlement {
        charge: settlement.charge.to_string(),
        revision: settlement.revision,
        product: settlement.product.clone(),
        customer: settlement.customer.clone(),
        dimension: settlement.dimension.clone(),
        time: settlement.time,
        quantity: wire(settlement.quantity),
        outcome: match settlement.outcome {
            Settled::Accepted => source::Settled::Accepted,
            Settled::Rejected => source::Settled::Rejected,
            Settled::Waived => source::Settled::Waived,
        },
        reference: settlement.reference.clone(),
        message: settlement.message.clone(),
        answer: settlement.answer.clone(),
    }
}

pub(super) fn to_receipt(receipt: &Receipt) -> source::Receipt {
    let Receipt { reference, settlements, first } = receipt.clone();
    source::Receipt { reference, settlements, first }
}

pub(super) fn unmarked(unmarked: source::Unmarked) -> Unmarked {
    let obstacle = match unmarked.obstacle {
        source::Obstacle::Gone => Obstacle::Gone,
        source::Obstacle::Changed => Obstacle::Changed,
        source::Obstacle::Other => Obstacle::Other,
    };
    Unmarked { reference: unmarked.reference, obstacle, reason: reason(unmarked.reason) }
}

pub(super) fn excluded(excluded: lines::Excluded) -> Result<Excluded, Cause> {
    let lines::Excluded { product, customer, dimension, rule, records, quantity } = excluded;
    Ok(Excluded { product, customer, dimension, rule, records, quantity: decimal(quantity)? })
}

/// The most bytes of a name: a customer, a dimension, a key.
const NAME_IN_DATA: usize = 16 << 10;
/// The most bytes of a reason.
const REASON: usize = 4096;

/// A reason that a person reads, cut where it becomes too long.
fn reason(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(REASON));
    text
}

/// Names go into the ledger, and stay there.
fn names<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<(), Cause> {
    match texts.into_iter().find(|text| text.len() > NAME_IN_DATA) {
        Some(text) => {
            let begun = text.get(..text.floor_char_boundary(40)).unwrap_or_default();
            let text =
                format!("a name that begins with `{begun}` has {} bytes, and {NAME_IN_DATA} are the most", text.len());
            Err(Cause::Limit(text))
        }
        None => Ok(()),
    }
}

pub(super) fn charge_line(line: lines::ChargeLine) -> Result<ChargeLine, Cause> {
    let pairs = line.tags.iter().chain(&line.attributes).flat_map(|(name, value)| [name, value]);
    let origins = line.origins.iter().map(|origin| &origin.dimension);
    names([&line.product, &line.customer, &line.dimension].into_iter().chain(pairs).chain(origins))?;
    let mut tags = line.tags;
    tags.sort();
    Ok(ChargeLine {
        product: line.product,
        customer: line.customer,
        dimension: line.dimension,
        tags,
        quantity: decimal(line.quantity)?,
        doubt: line.doubt.map(reason),
        origins: line.origins.into_iter().map(|origin| (origin.dimension, origin.records)).collect(),
        attributes: line.attributes,
    })
}

pub(super) fn service_traits(traits: sink::ServiceTraits) -> Result<ServiceTraits, Cause> {
    let newer = |what: &str| Cause::Contract(format!("its traits name {what} that this host does not know"));
    Ok(ServiceTraits {
        charges_per_call: traits.charges_per_call.max(1) as usize,
        bytes_per_call: traits.bytes_per_call,
        bytes_per_charge: traits.bytes_per_charge.into(),
        together: Together {
            product: traits.together.contains(sink::Together::PRODUCT),
            window: traits.together.contains(sink::Together::WINDOW),
            month: traits.together.contains(sink::Together::MONTH),
            customer: traits.together.contains(sink::Together::CUSTOMER),
        },
        rate: traits.rate.map(rate).transpose()?,
        scale: traits.scale,
        minimum: decimal(traits.minimum)?,
        maximum: decimal(traits.maximum)?,
        windows: traits.windows.into_iter().map(window_kind).collect::<Result<_, _>>()?,
        zero: match traits.zero {
            sink::Zero::Charge => Zero::Charge,
            sink::Zero::Nothing => Zero::Nothing,
            sink::Zero::Refused => Zero::Refused,
            sink::Zero::TakesSlot => Zero::TakesSlot,
            sink::Zero::Other => return Err(newer("a meaning of zero")),
        },
        // What is not known is asked of a person.
        resolution: match traits.resolution {
            sink::Resolution::Replay => Resolution::Replay,
            sink::Resolution::LookUp => Resolution::LookUp,
            sink::Resolution::Ask | sink::Resolution::Other => Resolution::Ask,
        },
        refuses_second: traits.refuses_second,
        joins_tags: traits.joins_tags,
        deadline: Duration::from_millis(traits.deadline.into()),
    })
}

pub(super) fn window_kind(kind: types::WindowKind) -> Result<WindowKind, Cause> {
    match kind {
        types::WindowKind::Hour => Ok(WindowKind::Hour),
        types::WindowKind::Day => Ok(WindowKind::Day),
        types::WindowKind::Month => Ok(WindowKind::Month),
        types::WindowKind::Other => {
            Err(Cause::Contract("its traits name a kind of window that this host does not know".to_owned()))
        }
    }
}

pub(super) fn window(window: &Window) -> types::Window {
    types::Window { start: window.start().as_millisecond(), end: window.end().as_millisecond() }
}

/// Waiting for a rate counts against no limit, so that a longer stretch could keep a run from ever ending.
const LONGEST_STRETCH: u32 = 3_600_000;

pub(super) fn rate(rate: types::Rate) -> Result<(u32, Duration, u32), Cause> {
    let types::Rate { requests, per, burst } = rate;
    if requests == 0 || burst == 0 || !(1..=LONGEST_STRETCH).contains(&per) {
        let text =
            format!("its rate is {requests} requests in {per} ms, {burst} at once: it has to let one through an hour");
        return Err(Cause::Contract(text));
    }
    Ok((requests, Duration::from_millis(per.into()), burst))
}

pub(super) fn to_charges(offers: &[Offer]) -> Vec<sink::Charge> {
    offers
        .iter()
        .map(|offer| sink::Charge {
            id: offer.id.clone(),
            product: offer.product.clone(),
            customer: offer.customer.clone(),
            dimension: offer.dimension.clone(),
            tags: offer.tags.clone(),
            window: types::Window { start: offer.window.0, end: offer.window.1 },
            time: offer.time,
            quantity: wire(offer.quantity),
            carried: offer.carried.iter().map(carried).collect(),
            attributes: offer.attributes.clone(),
        })
        .collect()
}

fn carried((window, quantity): &(Window, Decimal)) -> sink::Carried {
    sink::Carried { window: self::window(window), quantity: wire(*quantity) }
}

pub(super) fn opinion(opinion: sink::Opinion) -> Opinion {
    let sink::Opinion { id, objection, accepted_until } = opinion;
    Opinion { id, objection, accepted_until }
}

impl From<sink::Failure> for Failed {
    fn from(failure: sink::Failure) -> Self {
        match failure {
            sink::Failure::Refused(text) => Failed::Refused(text),
            sink::Failure::Throttled(wait) => {
                Failed::Throttled(wait.map(|millis| Duration::from_millis(millis.into())))
            }
            sink::Failure::Auth(text) => Failed::Auth(text),
            sink::Failure::Other(text) => Failed::Other(text),
        }
    }
}

/// An outcome; `None` if it names no charge: what it was to be about is unknown then.
pub(super) fn outcome(outcome: sink::Outcome) -> Option<Outcome> {
    let id: ChargeId = outcome.id.parse().ok()?;
    Some(Outcome {
        id,
        status: match outcome.status {
            sink::Status::Accepted => Status::Accepted,
            sink::Status::Duplicate => Status::Duplicate,
            sink::Status::Rejected => Status::Rejected,
            sink::Status::Unprocessed => Status::Unprocessed,
            sink::Status::Unknown | sink::Status::Other => Status::Unknown,
        },
        retryable: outcome.retryable,
        refusal_if_absent: outcome.refusal_if_absent,
        reference: outcome.reference,
        message: outcome.message,
        raw: outcome.raw,
    })
}

fn record(record: sink::HeldRecord) -> HeldRecord {
    HeldRecord {
        reference: record.reference,
        quantity: record.quantity.and_then(|quantity| decimal(quantity).ok()),
        raw: record.raw,
    }
}

pub(super) fn finding(finding: sink::Finding) -> Finding {
    match finding {
        sink::Finding::Found(found) => Finding::Found(record(found)),
        sink::Finding::Absent => Finding::Absent,
        sink::Finding::Different(found) => Finding::Different(record(found)),
        sink::Finding::CannotTell(why) | sink::Finding::Other(why) => Finding::CannotTell(why),
    }
}

/// What a plugin says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// In lower case with hyphens.
    pub name: String,
    /// As in semantic versioning.
    pub version: String,
    /// One line.
    pub purpose: String,
    /// Whether its records are handed out until they are acknowledged.
    pub queue: bool,
    /// A JSON Schema of its configuration.
    pub config_schema: String,
    /// What it needs granted.
    pub needs: Vec<Need>,
}

/// Something that a plugin needs granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What it is.
    pub capability: Capability,
    /// Completes "needed to ...".
    pub purpose: String,
    /// Whether the plugin is of use without it.
    pub optional: bool,
}

/// What can be needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capability {
    /// `grant.read`.
    Read,
    /// `grant.write`.
    Write,
    /// `grant.http`, in a person's words.
    Http(String),
    /// `grant.secrets`, by name.
    Secret(String),
    /// `grant.aws`, by action.
    Aws(String),
    /// Something that this host does not know.
    Other(String),
}

/// The most bytes of a plugin's name and of its version.
const NAME: usize = 64;
/// The most bytes of each other text that a person reads.
const LINE: usize = 500;
/// The most bytes of a schema.
const SCHEMA: usize = 1 << 20;
/// The most things that a plugin may need.
const NEEDS: usize = 100;

/// What a plugin says about itself: shown to people, on terminals and in lines of TOML that they are told to write.
pub(super) fn description(description: about::Description) -> Result<Description, Cause> {
    let about::Description { name, version, purpose, kind, config_schema, needs } = description;
    let plain = |text: &str, odd: &[u8]| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || odd.contains(&byte);
        (1..=NAME).contains(&text.len()) && text.bytes().all(fits)
    };
    let wrong = |what: &str| Err(Cause::Contract(format!("it describes itself in a way that is not allowed: {what}")));
    if !plain(&name, b"-") {
        return wrong("its name is not of lower-case letters, digits and hyphens, 64 at most");
    }
    if !plain(&version.to_ascii_lowercase(), b"-.+") {
        return wrong("its version is not as in semantic versioning, of 64 characters at most");
    }
    if config_schema.len() > SCHEMA || needs.len() > NEEDS {
        return wrong("its schema is larger than 1 MiB, or it needs more than 100 things");
    }
    let mut taken = Vec::new();
    for need in needs {
        let capability = match need.capability {
            about::Capability::Read => Capability::Read,
            about::Capability::Write => Capability::Write,
            about::Capability::Http(text) => Capability::Http(text),
            about::Capability::Secret(name) => Capability::Secret(name),
            about::Capability::Aws(action) => Capability::Aws(action),
            about::Capability::Other(text) => Capability::Other(text),
        };
        taken.push(Need { capability, purpose: need.purpose, optional: need.optional });
    }
    let texts = taken.iter().flat_map(|need| {
        let named = match &need.capability {
            Capability::Read | Capability::Write => "",
            Capability::Http(text) | Capability::Secret(text) | Capability::Aws(text) | Capability::Other(text) => text,
        };
        [named, need.purpose.as_str()]
    });
    if texts.chain([purpose.as_str()]).any(|text| text.len() > LINE || text.chars().any(char::is_control)) {
        return wrong("a text is longer than 500 bytes, or holds control characters");
    }
    let queue = matches!(kind, about::Kind::QueueSource);
    Ok(Description { name, version, purpose, queue, config_schema, needs: taken })
}
