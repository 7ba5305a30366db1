//! From picked fields to usage records, or into quarantine.

use std::borrow::Cow;
use std::rc::Rc;

use meterhost_sdk::json::{Place, Slot};
use meterhost_sdk::{Decimal, Input, Page, Record, Window};

use crate::layout::Matched;
use crate::mapping::{Amount, From, Mapping, Measured};
use crate::pages::{Known, Pages};
use crate::picked::Picked;

/// Of attributes so many need no allocation a record.
const FEW: usize = 6;

/// Turns records into rows of pages.
pub(crate) struct Rows {
    mapping: Rc<Mapping>,
    pages: Pages,
}

/// The object that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) key: &'a str,
    pub(crate) etag: &'a str,
    pub(crate) matched: &'a Matched,
}

impl Rows {
    pub(crate) fn new(mapping: Rc<Mapping>) -> Self {
        let pages = Pages::new(mapping.attributes.iter().map(|(name, _)| name.clone()));
        Rows { mapping, pages }
    }

    /// Which fields are wanted.
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Whether a page is full.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.pages.is_ready()
    }

    /// The oldest page that is full.
    pub(crate) fn ready(&mut self) -> Option<Page> {
        self.pages.ready()
    }

    /// At the end: what is left.
    pub(crate) fn last(&mut self) -> Option<Page> {
        self.pages.last()
    }

    /// An object begins.
    pub(crate) fn begin(&mut self, key: &str) {
        self.pages.begin(key);
    }

    /// An object was read to its end.
    pub(crate) fn finished(&mut self, input: Input) {
        self.pages.finished(input);
    }

    /// An object cannot be used.
    pub(crate) fn unreadable(&mut self, object: &Object<'_>, reason: String) {
        self.pages.unreadable(object, reason);
    }

    /// Whether the key of an object, or the configuration, says whose all its records are.
    pub(crate) fn knows_customer(&self, object: &Object<'_>) -> bool {
        let picked = Picked { mapping: &self.mapping, slots: &[], matched: object.matched };
        picked.sure(&self.mapping.customer).is_some()
    }

    /// Something that is no record. What its object's key and the configuration say of all records is known of it too.
    #[cold]
    pub(crate) fn no_record(&mut self, object: &Object<'_>, place: Place, reason: String) {
        let Rows { mapping, pages } = self;
        let picked = Picked { mapping, slots: &[], matched: object.matched };
        let known = Known {
            customer: picked.sure(&mapping.customer),
            product: mapping.product.as_ref().and_then(|from| picked.sure(from)),
            dimension: match &mapping.measured {
                Measured::One { dimension, .. } => picked.sure(dimension),
                // Any of them; all of the customer covers them.
                Measured::Several(_) => None,
            },
            span: object.matched.reach,
        };
        pages.quarantine(object, place, reason, known);
    }

    /// One record, as its wanted fields.
    #[inline]
    pub(crate) fn record(&mut self, object: &Object<'_>, place: Place, slots: &[Slot<'_>]) {
        let Rows { mapping, pages } = self;
        let picked = Picked { mapping, slots, matched: object.matched };
        let (mut few, mut many) = ([None; FEW], Vec::new());
        let attributes = room(&mut few, &mut many, mapping.attributes.len());
        match Shared::plain(&picked, attributes) {
            Some(shared) => items(pages, &picked, object, place, &shared),
            None => rare(pages, &picked, object, place),
        }
    }
}

/// What the items of a good record share.
struct Shared<'a> {
    time: i64,
    customer: &'a str,
    product: &'a str,
    id: Option<&'a str>,
    attributes: &'a [Option<&'a str>],
}

impl<'a> Shared<'a> {
    /// Of a record in which everything is as most write it; nothing if something is rare or wrong.
    #[inline(always)]
    fn plain(picked: &Picked<'a>, attributes: &'a mut [Option<&'a str>]) -> Option<Self> {
        let mapping = picked.mapping;
        for ((_, from), place) in mapping.attributes.iter().zip(attributes.iter_mut()) {
            *place = picked.as_written(from)?;
        }
        Some(Shared {
            time: picked.plain_time()?,
            customer: picked.plain_text(&mapping.customer)?,
            product: match &mapping.product {
                Some(from) => picked.plain_text(from)?,
                None => "",
            },
            id: match &mapping.id {
                Some(from) if !picked.is_nothing(from) => Some(picked.plain_text(from)?),
                _ => None,
            },
            attributes,
        })
    }

    #[inline]
    fn record(&self, dimension: &'a str, quantity: Decimal) -> Record<'a> {
        let Shared { time, customer, product, id, attributes } = *self;
        Record { time, customer, product, dimension, quantity, id, attributes }
    }
}

/// A record with something rare, such as an escape, or with something that is wrong.
#[inline(never)]
fn rare(pages: &mut Pages, picked: &Picked<'_>, object: &Object<'_>, place: Place) {
    let found = (
        picked.time(),
        picked.text("customer", &picked.mapping.customer),
        picked.product(),
        picked.id(),
        picked.attributes(),
    );
    let (Ok(time), Ok(customer), Ok(product), Ok(id), Ok(attributes)) = &found else {
        return bad_record(pages, picked, object, place);
    };
    let attributes: Vec<Option<&str>> = attributes.iter().map(Option::as_deref).collect();
    let shared = Shared { time: *time, customer, product, id: id.as_deref(), attributes: &attributes };
    items(pages, picked, object, place, &shared);
}

/// Takes in the items of a record, each by itself.
#[inline]
fn items(pages: &mut Pages, picked: &Picked<'_>, object: &Object<'_>, place: Place, shared: &Shared<'_>) {
    match &picked.mapping.measured {
        Measured::One { dimension, quantity } => {
            let taken = match (picked.plain_text(dimension), picked.plain_amount(quantity)) {
                (Some(dimension), Some(quantity)) => pages.push(&shared.record(dimension, quantity)).is_ok(),
                _ => match (picked.text("dimension", dimension), picked.amount("quantity", quantity)) {
                    (Ok(dimension), Ok(quantity)) => pages.push(&shared.record(&dimension, quantity)).is_ok(),
                    _ => false,
                },
            };
            if !taken {
                bad_item(pages, picked, object, place, Item::Picked(dimension, quantity));
            }
        }
        Measured::Several(dimensions) => {
            for (name, amount) in dimensions {
                let taken = match picked.plain_amount(amount).map_or_else(|| picked.amount(name, amount), Ok) {
                    Ok(quantity) => pages.push(&shared.record(name, quantity)).is_ok(),
                    Err(_) => false,
                };
                if !taken {
                    bad_item(pages, picked, object, place, Item::Named(name, amount));
                }
            }
        }
    }
}

/// A dimension of a record, and where its quantity is.
#[derive(Clone, Copy)]
enum Item<'p> {
    Picked(&'p From, &'p Amount),
    Named(&'p str, &'p Amount),
}

/// Quarantines all items of a record.
#[cold]
fn bad_record(pages: &mut Pages, picked: &Picked<'_>, object: &Object<'_>, place: Place) {
    match &picked.mapping.measured {
        Measured::One { dimension, quantity } => {
            bad_item(pages, picked, object, place, Item::Picked(dimension, quantity));
        }
        Measured::Several(dimensions) => {
            for (name, amount) in dimensions {
                bad_item(pages, picked, object, place, Item::Named(name, amount));
            }
        }
    }
}

/// Quarantines an item of a record with all that is wrong with it, and all that is known of it.
#[cold]
fn bad_item(pages: &mut Pages, picked: &Picked<'_>, object: &Object<'_>, place: Place, item: Item<'_>) {
    let mapping = picked.mapping;
    let customer = picked.text("customer", &mapping.customer);
    let product = picked.product();
    let (dimension, quantity) = match item {
        Item::Picked(dimension, amount) => (picked.text("dimension", dimension), picked.amount("quantity", amount)),
        Item::Named(name, amount) => (Ok(Cow::Borrowed(name)), picked.amount(name, amount)),
    };
    let reasons = [
        picked.time().err(),
        customer.as_ref().err().cloned(),
        product.as_ref().err().cloned(),
        dimension.as_ref().err().cloned(),
        quantity.err(),
        picked.id().err(),
        picked.attributes().err(),
    ];
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    let reason = match reasons.is_empty() {
        true => "it cannot be used, and why is not known: this is a mistake in s3-reader".to_owned(),
        false => reasons.join("; "),
    };
    let text = |found: Result<Cow<'_, str>, String>| found.ok().filter(|text| !text.is_empty()).map(Cow::into_owned);
    let known = Known {
        customer: text(customer),
        product: text(product),
        dimension: text(dimension),
        span: span(picked.moment().ok(), object.matched.reach),
    };
    pages.quarantine(object, place, reason, known);
}

/// What surely holds the time of a record. If its own time and that of its key, with its slack, contradict each other,
/// it holds both: then the dimension is held in every window that the record may belong to, and in those for which its
/// object was read.
fn span(time: Option<i64>, reach: Option<Window>) -> Option<Window> {
    let Some(time) = time else { return reach };
    let own = Window { start: time, end: time.saturating_add(1) };
    Some(match reach {
        Some(reach) if time < reach.start || time >= reach.end => {
            Window { start: own.start.min(reach.start), end: own.end.max(reach.end) }
        }
        _ => own,
    })
}

/// Room for `length` texts, on the stack if they are few.
#[inline]
fn room<'r, T>(few: &'r mut [Option<T>; FEW], many: &'r mut Vec<Option<T>>, length: usize) -> &'r mut [Option<T>] {
    match few.get_mut(..length) {
        Some(few) => few,
        None => {
            many.resize_with(length, || None);
            many
        }
    }
}
