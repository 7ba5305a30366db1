//! Aggregators: usage in, charges out.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::aggregator::{Description, Guest as World, aggregator as wit};
use crate::bindings::imports::about::Kind;
use crate::plugin::{config, describe, enter};
use crate::{Batch, Decimal, Error, Plugin, Window, WindowKind};

pub use wit::Origin;

/// Turns the usage of one window into charges.
///
/// One value sees all usage of each of its customers in its window. Records come in any order, cut into batches in any
/// way; the result must not depend on either.
///
/// ```
/// use std::collections::BTreeMap;
/// use meterhost_sdk::{About, Aggregator, Batch, ChargeLine, Decimal, Error, Excluded, Origin, Plugin, Window};
///
/// /// Bills every started hundred of requests.
/// struct Hundreds {
///     requests: BTreeMap<String, u64>,
/// }
///
/// meterhost_sdk::config! {
///     struct Config {}
/// }
///
/// impl Plugin for Hundreds {
///     type Config = Config;
///     fn about() -> About {
///         About { name: "hundreds", version: "1.0.0", purpose: "bills every started hundred of requests", needs: vec![] }
///     }
/// }
///
/// impl Aggregator for Hundreds {
///     fn open(_config: Config, _window: Window) -> Result<Self, Error> {
///         Ok(Hundreds { requests: BTreeMap::new() })
///     }
///
///     fn push(&mut self, batch: &Batch) -> Result<(), Error> {
///         for row in batch.rows() {
///             *self.requests.entry(row.customer.to_owned()).or_default() += 1;
///         }
///         Ok(())
///     }
///
///     fn finish(&mut self) -> Result<Vec<Excluded>, Error> {
///         Ok(vec![])
///     }
///
///     fn next(&mut self) -> Result<Option<Vec<ChargeLine>>, Error> {
///         let lines: Vec<_> = std::mem::take(&mut self.requests)
///             .into_iter()
///             .map(|(customer, requests)| {
///                 let mut line = ChargeLine::new(customer, "hundreds", Decimal::from(requests.div_ceil(100)));
///                 line.origins.push(Origin { dimension: "requests".into(), records: requests });
///                 line
///             })
///             .collect();
///         Ok((!lines.is_empty()).then_some(lines))
///     }
/// }
///
/// meterhost_sdk::export_aggregator!(Hundreds);
/// ```
pub trait Aggregator: Plugin + Sized {
    /// Says what of the configuration cannot work, beyond what its type says.
    fn check(_config: Self::Config, _windows: WindowKind) -> Result<(), Error> {
        Ok(())
    }

    /// Begins a window.
    fn open(config: Self::Config, window: Window) -> Result<Self, Error>;

    /// Takes usage in.
    fn push(&mut self, batch: &Batch) -> Result<(), Error>;

    /// Ends the input; answers what was left out, a line for each customer, dimension and rule. Each record stands
    /// behind at least one charge line or is counted here, once.
    fn finish(&mut self) -> Result<Vec<Excluded>, Error>;

    /// After `finish`: the next charge lines (some thousands are a good page), ascending by product, customer,
    /// dimension and tags; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<ChargeLine>>, Error>;
}

/// How much was left out of one customer's dimension by one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The product, empty where the usage has none.
    pub product: String,
    /// The customer.
    pub customer: String,
    /// As in the input.
    pub dimension: String,
    /// The rule's name, as the report shows it.
    pub rule: String,
    /// How many records.
    pub records: u64,
    /// What they add up to.
    pub quantity: Decimal,
}

/// A customer's charge for one dimension of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeLine {
    /// The product, empty where the usage has none.
    pub product: String,
    /// The customer.
    pub customer: String,
    /// As the sinks know it.
    pub dimension: String,
    /// Part of the charge's identity; sorted by name.
    pub tags: Vec<(String, String)>,
    /// Exact; the host rounds.
    pub quantity: Decimal,
    /// Why the quantity is in doubt, if it is. The charge is then held, and `quantity` is not used.
    pub doubt: Option<String>,
    /// The input dimensions that it is made from, ascending, and how many records of each.
    pub origins: Vec<Origin>,
    /// What a sink may want to know besides. Not part of the identity.
    pub attributes: Vec<(String, String)>,
}

impl ChargeLine {
    /// A line without product, tags, origins and attributes.
    pub fn new(customer: impl Into<String>, dimension: impl Into<String>, quantity: Decimal) -> Self {
        ChargeLine {
            product: String::new(),
            customer: customer.into(),
            dimension: dimension.into(),
            tags: Vec::new(),
            quantity,
            doubt: None,
            origins: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

/// The component's side of an [`Aggregator`].
#[doc(hidden)]
pub struct AggregatorAdapter<P>(PhantomData<P>);

/// An accumulator as the bindings want it: shared, with a cell.
#[doc(hidden)]
pub struct AccumulatorAdapter<P>(RefCell<P>);

impl<P: Aggregator> World for AggregatorAdapter<P> {
    fn describe() -> Description {
        describe::<P>(Kind::Aggregator)
    }
}

impl<P: Aggregator> wit::Guest for AggregatorAdapter<P> {
    type Accumulator = AccumulatorAdapter<P>;

    fn check(text: String, windows: WindowKind) -> Result<(), Error> {
        enter();
        P::check(config::<P>(&text)?, windows)
    }

    fn open(text: String, window: Window) -> Result<wit::Accumulator, Error> {
        enter();
        let accumulator = P::open(config::<P>(&text)?, window)?;
        Ok(wit::Accumulator::new(AccumulatorAdapter(RefCell::new(accumulator))))
    }
}

impl<P: Aggregator> wit::GuestAccumulator for AccumulatorAdapter<P> {
    fn push(&self, batch: crate::bindings::imports::types::Batch) -> Result<(), Error> {
        self.0.borrow_mut().push(&Batch::try_from(batch)?)
    }

    fn finish(&self) -> Result<Vec<wit::Excluded>, Error> {
        let excluded = self.0.borrow_mut().finish()?;
        Ok(excluded.into_iter().map(Into::into).collect())
    }

    fn next(&self) -> Result<Option<Vec<wit::ChargeLine>>, Error> {
        let lines = self.0.borrow_mut().next()?;
        Ok(lines.map(|lines| lines.into_iter().map(Into::into).collect()))
    }
}

impl From<Excluded> for wit::Excluded {
    fn from(excluded: Excluded) -> Self {
        let Excluded { product, customer, dimension, rule, records, quantity } = excluded;
        wit::Excluded { product, customer, dimension, rule, records, quantity: quantity.into() }
    }
}

impl From<ChargeLine> for wit::ChargeLine {
    fn from(line: ChargeLine) -> Self {
        let ChargeLine { product, customer, dimension, tags, quantity, doubt, origins, attributes } = line;
        wit::ChargeLine { product, customer, dimension, tags, quantity: quantity.into(), doubt, origins, attributes }
    }
}
