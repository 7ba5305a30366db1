//! From picked fields to usage records, or into quarantine, and from these to pages.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::rc::Rc;

use meterhost_sdk::{BatchBuilder, Decimal, Input, Page, Quarantined, ReadInput, Record, Unreadable, Window};

use crate::layout::Matched;
use crate::mapping::{Mapping, Measured};
use crate::picked::Picked;
use crate::slot::Slot;

/// So many inputs, or quarantined records, make a page, though the batch has room.
const MANY: usize = 1000;
/// Of attributes so many need no allocation a record.
const FEW: usize = 8;

/// Collects what is read into pages.
pub(crate) struct Rows {
    mapping: Rc<Mapping>,
    builder: BatchBuilder,
    page: Page,
    ready: VecDeque<Page>,
    /// Items of the object that is being read.
    items: u64,
}

/// The object that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) key: &'a str,
    pub(crate) matched: &'a Matched,
}

/// Where in an object a record stands: `record 3`, `line 17`.
#[derive(Clone, Copy)]
pub(crate) struct Place(pub(crate) &'static str, pub(crate) u64);

impl Rows {
    pub(crate) fn new(mapping: Rc<Mapping>) -> Self {
        let builder = BatchBuilder::new(mapping.attributes.iter().map(|(name, _)| name.clone()));
        Rows { mapping, builder, page: Page::default(), ready: VecDeque::new(), items: 0 }
    }

    /// Whether a page is full.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The oldest page that is full.
    pub(crate) fn ready(&mut self) -> Option<Page> {
        self.ready.pop_front()
    }

    /// At the end: what is left.
    pub(crate) fn last(&mut self) -> Option<Page> {
        self.turn();
        self.ready()
    }

    /// An object was read to its end.
    pub(crate) fn finished(&mut self, input: Input) {
        let items = std::mem::take(&mut self.items);
        self.page.inputs.push(ReadInput { input, items });
        self.turn_if_many();
    }

    /// An object cannot be used.
    pub(crate) fn unreadable(&mut self, object: &Object<'_>, reason: String) {
        self.items = 0;
        let (input, span) = (object.key.to_owned(), object.matched.span);
        self.page.unreadable.push(Unreadable { input, reason, span });
        self.turn_if_many();
    }

    /// Something that is no record.
    #[cold]
    pub(crate) fn no_record(&mut self, object: &Object<'_>, place: Place, reason: String) {
        self.quarantine(object, place, reason, Known::default());
    }

    /// One record, as its wanted fields.
    pub(crate) fn record(&mut self, object: &Object<'_>, place: Place, slots: &[Slot<'_>]) {
        let mapping = Rc::clone(&self.mapping);
        let picked = Picked { mapping: &mapping, slots, matched: object.matched };
        let mut few = [const { None }; FEW];
        let mut many = Vec::new();
        let attributes = room(&mut few, &mut many, mapping.attributes.len());
        let mut attributes_fit = Ok(());
        for ((name, from), place) in mapping.attributes.iter().zip(attributes.iter_mut()) {
            match picked.attribute(name, from) {
                Ok(found) => *place = found,
                Err(reason) => attributes_fit = Err(reason),
            }
        }
        let mut few = [None; FEW];
        let mut many = Vec::new();
        let borrowed = room(&mut few, &mut many, attributes.len());
        for (place, attribute) in borrowed.iter_mut().zip(attributes.iter()) {
            *place = attribute.as_deref();
        }
        let shared = Shared {
            object,
            place,
            time: picked.time(),
            customer: picked.text("customer", &mapping.customer),
            product: mapping.product.as_ref().map_or(Ok(Cow::Borrowed("")), |from| picked.text("product", from)),
            id: mapping.id.as_ref().map_or(Ok(None), |from| picked.optional("id", from)),
            attributes: attributes_fit.map(|()| &*borrowed),
        };
        match &mapping.measured {
            Measured::One { dimension, quantity } => {
                self.item(&shared, picked.text("dimension", dimension), picked.amount("quantity", quantity));
            }
            Measured::Several(dimensions) => {
                for (name, quantity) in dimensions {
                    self.item(&shared, Ok(Cow::Borrowed(name)), picked.amount(name, quantity));
                }
            }
        }
    }

    #[inline]
    fn item(
        &mut self,
        shared: &Shared<'_>,
        dimension: Result<Cow<'_, str>, String>,
        quantity: Result<Decimal, String>,
    ) {
        let Shared {
            time: Ok(time),
            customer: Ok(customer),
            product: Ok(product),
            id: Ok(id),
            attributes: Ok(attributes),
            ..
        } = shared
        else {
            return self.bad_item(shared, &dimension, &quantity);
        };
        let (Ok(dimension), Ok(quantity)) = (&dimension, &quantity) else {
            return self.bad_item(shared, &dimension, &quantity);
        };
        let record =
            Record { time: *time, customer, product, dimension, quantity: *quantity, id: id.as_deref(), attributes };
        if self.builder.push(&record).is_err() {
            self.turn();
            // An empty builder takes every record.
            let _ = self.builder.push(&record);
        }
        self.items += 1;
    }

    #[cold]
    fn bad_item(
        &mut self,
        shared: &Shared<'_>,
        dimension: &Result<Cow<'_, str>, String>,
        quantity: &Result<Decimal, String>,
    ) {
        let reasons = [
            shared.time.as_ref().err(),
            shared.customer.as_ref().err(),
            shared.product.as_ref().err(),
            dimension.as_ref().err(),
            quantity.as_ref().err(),
            shared.id.as_ref().err(),
            shared.attributes.as_ref().err(),
        ];
        let reason = reasons.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("; ");
        let text = |found: &Result<Cow<'_, str>, String>| found.as_deref().ok().map(str::to_owned);
        let known = Known {
            time: shared.time.as_ref().ok().copied(),
            customer: text(&shared.customer),
            product: text(&shared.product).filter(|product| !product.is_empty()),
            dimension: text(dimension),
        };
        self.quarantine(shared.object, shared.place, reason, known);
    }

    fn quarantine(&mut self, object: &Object<'_>, place: Place, reason: String, known: Known) {
        self.items += 1;
        let Known { time, customer, product, dimension } = known;
        self.page.quarantined.push(Quarantined {
            input: object.key.to_owned(),
            place: format!("{} {}", place.0, place.1),
            reason,
            customer,
            product,
            dimension,
            span: match time {
                Some(start) => Some(Window { start, end: start + 1 }),
                None => object.matched.span,
            },
        });
        self.turn_if_many();
    }

    fn turn_if_many(&mut self) {
        let Page { inputs, quarantined, unreadable, .. } = &self.page;
        if inputs.len() >= MANY || quarantined.len() >= MANY || unreadable.len() >= MANY {
            self.turn();
        }
    }

    /// Begins a new page.
    fn turn(&mut self) {
        let mut page = std::mem::take(&mut self.page);
        page.batch = self.builder.finish();
        let lists = (&page.inputs, &page.quarantined, &page.unreadable);
        if !page.batch.is_empty() || !lists.0.is_empty() || !lists.1.is_empty() || !lists.2.is_empty() {
            self.ready.push_back(page);
        }
    }
}

/// What the items of one record share.
struct Shared<'a> {
    object: &'a Object<'a>,
    place: Place,
    time: Result<i64, String>,
    customer: Result<Cow<'a, str>, String>,
    product: Result<Cow<'a, str>, String>,
    id: Result<Option<Cow<'a, str>>, String>,
    attributes: Result<&'a [Option<&'a str>], String>,
}

/// What is known of a record that cannot be used.
#[derive(Default)]
struct Known {
    time: Option<i64>,
    customer: Option<String>,
    product: Option<String>,
    dimension: Option<String>,
}

/// Room for `length` texts, on the stack if they are few.
fn room<'r, T>(few: &'r mut [Option<T>; FEW], many: &'r mut Vec<Option<T>>, length: usize) -> &'r mut [Option<T>] {
    match few.get_mut(..length) {
        Some(few) => few,
        None => {
            many.resize_with(length, || None);
            many
        }
    }
}
