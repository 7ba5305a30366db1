//! From usage records and quarantine to pages.

use std::collections::VecDeque;

use meterhost_sdk::json::Place;
use meterhost_sdk::{BatchBuilder, Input, NotTaken, Page, Quarantined, ReadInput, Record, Unreadable, Window};

use crate::rows::Object;

/// So many inputs, or quarantined records, make a page, though the batch has room.
const MANY: usize = 1000;
/// So many bytes of quarantined records do too.
const MUCH: usize = BatchBuilder::TEXT;

/// Collects what is read into pages.
pub(crate) struct Pages {
    builder: BatchBuilder,
    page: Page,
    /// How many bytes the page's quarantined records have.
    weight: usize,
    ready: VecDeque<Page>,
    /// Items of the object that is being read.
    items: u64,
    /// Its key.
    key: String,
    /// Records of the batch of which it is said where they came from.
    placed: usize,
}

/// What is known of a record that cannot be used.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) customer: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) dimension: Option<String>,
    /// What surely holds its time.
    pub(crate) span: Option<Window>,
}

impl Pages {
    pub(crate) fn new(attributes: impl IntoIterator<Item = String>) -> Self {
        Pages {
            builder: BatchBuilder::new(attributes),
            page: Page::default(),
            weight: 0,
            ready: VecDeque::new(),
            items: 0,
            key: String::new(),
            placed: 0,
        }
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

    /// An object begins: records come from it from here on.
    pub(crate) fn begin(&mut self, key: &str) {
        self.place();
        key.clone_into(&mut self.key);
    }

    /// Says of the records since the last time where they came from.
    fn place(&mut self) {
        let rows = self.builder.len();
        self.page.row_inputs.add(&self.key, rows - self.placed);
        self.placed = rows;
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
        let (input, etag, span) = (object.key.to_owned(), object.etag.to_owned(), object.matched.reach);
        self.page.unreadable.push(Unreadable { input, etag, reason, span });
        self.turn_if_many();
    }

    /// A record to be billed. The error says why no batch takes it: it has to be quarantined.
    #[inline]
    pub(crate) fn push(&mut self, record: &Record<'_>) -> Result<(), NotTaken> {
        match self.builder.push(record) {
            Err(NotTaken::Full) => {
                self.turn();
                self.builder.push(record)?;
            }
            taken => taken?,
        }
        self.items += 1;
        Ok(())
    }

    pub(crate) fn quarantine(&mut self, object: &Object<'_>, place: Place, reason: String, known: Known) {
        self.items += 1;
        let Known { customer, product, dimension, span } = known;
        let (input, place) = (object.key.to_owned(), place.to_string());
        let texts = [Some(&input), Some(&reason), customer.as_ref(), product.as_ref(), dimension.as_ref()];
        self.weight += texts.into_iter().flatten().map(String::len).sum::<usize>();
        self.page.quarantined.push(Quarantined { input, place, reason, customer, product, dimension, span });
        self.turn_if_many();
    }

    fn turn_if_many(&mut self) {
        let Page { inputs, quarantined, unreadable, .. } = &self.page;
        if inputs.len() >= MANY || quarantined.len() >= MANY || unreadable.len() >= MANY || self.weight >= MUCH {
            self.turn();
        }
    }

    /// Begins a new page.
    fn turn(&mut self) {
        self.place();
        self.placed = 0;
        let mut page = std::mem::take(&mut self.page);
        self.weight = 0;
        page.batch = self.builder.finish();
        let lists = (&page.inputs, &page.quarantined, &page.unreadable);
        if !page.batch.is_empty() || !lists.0.is_empty() || !lists.1.is_empty() || !lists.2.is_empty() {
            self.ready.push_back(page);
        }
    }
}
