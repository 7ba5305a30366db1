//! Sources: where usage comes from.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::imports::{about::Kind, types};
use crate::bindings::source::{Description, Guest as World, source as wit};
use crate::plugin::{config, describe, enter};
use crate::{Batch, Decimal, Error, Plugin, WindowKind};

pub use wit::{Input, Obstacle, Quarantined, ReadInput, Receipt, Request, Settled, Shard, Unmarked, Unreadable};

/// Which of the two kinds a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A window can be read again, whole, at any time.
    Complete,
    /// Each record is handed out until it is acknowledged.
    Queue,
}

/// Reads usage.
///
/// An opening answers for all windows of its request. Each record is returned once; what cannot be used is quarantined,
/// what cannot be read is reported as unreadable, and nothing is skipped in silence.
pub trait Source: Plugin {
    /// Whether it is complete or a queue.
    const KIND: SourceKind;
    /// An opening under way.
    type Cursor: Cursor;
    /// A listing under way.
    type Listing: Listing;

    /// Says what of the configuration cannot work, beyond what its type says; asks nothing outside.
    fn check(_config: Self::Config, _windows: WindowKind) -> Result<(), Error> {
        Ok(())
    }

    /// Begins to read.
    fn open(config: Self::Config, request: Request) -> Result<Self::Cursor, Error>;

    /// Lists what `open` would read for the same request, without reading it.
    fn inputs(config: Self::Config, request: Request) -> Result<Self::Listing, Error>;

    /// Up to which instant (milliseconds, UTC) the data is complete. `None` if the source cannot say.
    fn complete_until(_config: Self::Config, _now: i64) -> Result<Option<i64>, Error> {
        Ok(None)
    }

    /// For queues: what became of these records. Marks those that are still what was claimed under the token, and names the others. May be
    /// called again with the same receipts, to the same effect.
    fn acknowledge(
        _config: Self::Config,
        _claim: &str,
        _settlements: &[Settlement],
        _receipts: &[Receipt],
    ) -> Result<Vec<Unmarked>, Error> {
        Err(Error::Other("this source hands nothing out that could be acknowledged".into()))
    }
}

/// A charge that records went into, for those who read the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The charge's id.
    pub charge: String,
    /// How often it was made anew after a refusal, from 1.
    pub revision: u32,
    /// As the sink was told.
    pub product: String,
    /// As the sink was told.
    pub customer: String,
    /// As the sink was told.
    pub dimension: String,
    /// As the sink was told: milliseconds, UTC.
    pub time: i64,
    /// The charge's whole quantity, as it was sent.
    pub quantity: Decimal,
    /// What became of it.
    pub outcome: Settled,
    /// The service's own name for it.
    pub reference: Option<String>,
    /// What the service said, or why a person decided so.
    pub message: Option<String>,
    /// The sink's raw answer, capped; empty where there was none.
    pub answer: String,
}

impl TryFrom<wit::Settlement> for Settlement {
    type Error = Error;

    fn try_from(settlement: wit::Settlement) -> Result<Self, Error> {
        let wit::Settlement { charge, revision, product, customer, dimension, time, quantity, .. } = settlement;
        let wit::Settlement { outcome, reference, message, answer, .. } = settlement;
        let quantity = Decimal::try_from(quantity)
            .map_err(|()| Error::Other(format!("charge {charge}: its quantity is no decimal")))?;
        Ok(Settlement {
            charge,
            revision,
            product,
            customer,
            dimension,
            time,
            quantity,
            outcome,
            reference,
            message,
            answer,
        })
    }
}

/// An opening under way.
pub trait Cursor: 'static {
    /// The next page, which holds something, and `None` at the end. After an error the opening is over.
    fn next(&mut self) -> Result<Option<Page>, Error>;
}

/// A listing under way.
pub trait Listing: 'static {
    /// The next inputs, at least one, and `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<Input>>, Error>;
}

/// A part of what an opening returns.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The records.
    pub batch: Batch,
    /// For queues: one reference a row. Empty for complete sources.
    pub references: Vec<String>,
    /// Which input each record came from. Left empty, all of them came from the one input of the page, if it has exactly one.
    pub row_inputs: RowInputs,
    /// The inputs that were finished with this page. Each stands in exactly one page of an opening.
    pub inputs: Vec<ReadInput>,
    /// Records that cannot be used.
    pub quarantined: Vec<Quarantined>,
    /// Inputs that cannot be read to their end, or make no sense as a whole.
    pub unreadable: Vec<Unreadable>,
}

/// Which input each record of a page came from, in runs: records of one input mostly stand together.
#[derive(Debug, Clone, Default)]
pub struct RowInputs(Vec<(String, usize)>);

impl RowInputs {
    /// The next `rows` records came from the input of this key.
    pub fn add(&mut self, key: &str, rows: usize) {
        match self.0.last_mut() {
            _ if rows == 0 => {}
            Some((last, so_far)) if last == key => *so_far += rows,
            _ => self.0.push((key.to_owned(), rows)),
        }
    }

    /// The inputs and how many records came from each, in the order of the records.
    pub fn runs(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|(key, rows)| (key.as_str(), *rows))
    }

    fn into_column(self, inputs: &[ReadInput]) -> types::TextColumn {
        let runs = match (self.0.as_slice(), inputs) {
            ([], [only]) => return types::TextColumn { values: vec![only.input.key.clone()], indices: vec![] },
            ([_], _) => &[],
            (runs, _) => runs,
        };
        let indices = (0..).zip(runs).flat_map(|(index, (_, rows))| std::iter::repeat_n(index, *rows)).collect();
        types::TextColumn { values: self.0.into_iter().map(|(key, _)| key).collect(), indices }
    }
}

/// The component's side of a [`Source`].
#[doc(hidden)]
pub struct SourceAdapter<P>(PhantomData<P>);

#[doc(hidden)]
pub struct CursorAdapter<C>(RefCell<C>);

#[doc(hidden)]
pub struct ListingAdapter<L>(RefCell<L>);

impl<P: Source> World for SourceAdapter<P> {
    fn describe() -> Description {
        describe::<P>(match P::KIND {
            SourceKind::Complete => Kind::CompleteSource,
            SourceKind::Queue => Kind::QueueSource,
        })
    }
}

impl<P: Source> wit::Guest for SourceAdapter<P> {
    type Cursor = CursorAdapter<P::Cursor>;
    type Listing = ListingAdapter<P::Listing>;

    fn check(text: String, windows: WindowKind) -> Result<(), Error> {
        enter();
        P::check(config::<P>(&text)?, windows)
    }

    fn open(text: String, request: Request) -> Result<wit::Cursor, Error> {
        enter();
        let cursor = P::open(config::<P>(&text)?, request)?;
        Ok(wit::Cursor::new(CursorAdapter(RefCell::new(cursor))))
    }

    fn inputs(text: String, request: Request) -> Result<wit::Listing, Error> {
        enter();
        let listing = P::inputs(config::<P>(&text)?, request)?;
        Ok(wit::Listing::new(ListingAdapter(RefCell::new(listing))))
    }

    fn complete_until(text: String, now: i64) -> Result<Option<i64>, Error> {
        enter();
        P::complete_until(config::<P>(&text)?, now)
    }

    fn acknowledge(
        text: String,
        claim: String,
        settlements: Vec<wit::Settlement>,
        receipts: Vec<Receipt>,
    ) -> Result<Vec<Unmarked>, Error> {
        enter();
        let settlements = settlements.into_iter().map(Settlement::try_from).collect::<Result<Vec<_>, _>>()?;
        P::acknowledge(config::<P>(&text)?, &claim, &settlements, &receipts)
    }
}

impl<C: Cursor> wit::GuestCursor for CursorAdapter<C> {
    fn next(&self) -> Result<Option<wit::Page>, Error> {
        let page = self.0.borrow_mut().next()?;
        Ok(page.map(|Page { batch, references, row_inputs, inputs, quarantined, unreadable }| wit::Page {
            batch: batch.into(),
            references: column(references),
            row_inputs: row_inputs.into_column(&inputs),
            inputs,
            quarantined,
            unreadable,
        }))
    }
}

impl<L: Listing> wit::GuestListing for ListingAdapter<L> {
    fn next(&self) -> Result<Option<Vec<Input>>, Error> {
        self.0.borrow_mut().next()
    }
}

/// A column in which a value repeats only from one row to the next.
fn column(rows: Vec<String>) -> types::TextColumn {
    let mut column =
        types::TextColumn { values: Vec::with_capacity(rows.len()), indices: Vec::with_capacity(rows.len()) };
    for row in rows {
        if column.values.last() != Some(&row) {
            column.values.push(row);
        }
        column.indices.extend(u32::try_from(column.values.len()).ok().and_then(|values| values.checked_sub(1)));
    }
    column
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails has to stop")]
mod tests {
    use super::*;

    fn inputs(keys: &[&str]) -> Vec<ReadInput> {
        let input = |key: &&str| Input { key: (*key).to_owned(), etag: String::new(), size: 0, span: None };
        keys.iter().map(|key| ReadInput { input: input(key), items: 0 }).collect()
    }

    #[test]
    fn each_row_names_its_input_and_one_input_needs_no_indices() {
        let mut rows = RowInputs::default();
        [("a", 2), ("b", 0), ("a", 1), ("b", 2)].into_iter().for_each(|(key, many)| rows.add(key, many));
        let column = rows.clone().into_column(&[]);
        assert_eq!((column.values, column.indices), (vec!["a".to_owned(), "b".to_owned()], vec![0, 0, 0, 1, 1]));
        let mut one = RowInputs::default();
        one.add("a", 3);
        let column = one.into_column(&inputs(&["x", "y"]));
        assert_eq!((column.values, column.indices), (vec!["a".to_owned()], vec![]));
        // What is not said is known where there is one only.
        let column = RowInputs::default().into_column(&inputs(&["x"]));
        assert_eq!((column.values, column.indices), (vec!["x".to_owned()], vec![]));
        assert_eq!(RowInputs::default().into_column(&inputs(&["x", "y"])).values, Vec::<String>::new());
    }
}
