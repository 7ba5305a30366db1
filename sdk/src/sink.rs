//! Sinks that deliver charge by charge.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::imports::{about::Kind, types};
use crate::bindings::sink::{Description, Guest as World, sink as wit};
use crate::plugin::{config, describe, enter};
use crate::{Decimal, Error, Plugin, Rate, Window, WindowKind};

pub use wit::{Failure, Opinion, Outcome, Resolution, Status, Together, Zero};

/// Delivers charges, each with an outcome of its own.
///
/// The host has frozen each charge before it is offered, and decides what stands in a call, when it leaves and what is
/// tried again. A sink says what the service is like, writes requests and reads answers, charge by charge: a status of
/// 200 is no acceptance.
pub trait Sink: Plugin {
    /// An authenticated session.
    type Session: Session;

    /// What the service is like, as configured.
    fn traits(config: Self::Config) -> Result<ServiceTraits, Error>;

    /// What the service would surely refuse, and until when it accepts. Asks nothing outside. One opinion a charge.
    fn check(_config: Self::Config, charges: &[Charge], _now: i64) -> Result<Vec<Opinion>, Error> {
        Ok(charges
            .iter()
            .map(|charge| Opinion { id: charge.id.clone(), objection: None, accepted_until: None })
            .collect())
    }

    /// Authenticates. What leaves in here is no attempt.
    fn connect(config: Self::Config, now: i64) -> Result<Self::Session, Failure>;
}

/// An authenticated session.
pub trait Session: 'static {
    /// Offers charges: one call, within the limits of the [`ServiceTraits`].
    fn submit(&mut self, charges: &[Charge], now: i64) -> Result<Vec<Outcome>, Failure>;

    /// Looks charges up, without changing anything. One answer a charge.
    fn look_up(&mut self, charges: &[Charge]) -> Result<Vec<Answer>, Failure>;
}

/// A frozen charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The same in every attempt, unique for ever.
    pub id: String,
    /// The product, empty where the usage has none.
    pub product: String,
    /// The customer.
    pub customer: String,
    /// The dimension.
    pub dimension: String,
    /// Sorted by name.
    pub tags: Vec<(String, String)>,
    /// What it is owed for. A customer's last bill may cut it short.
    pub window: Window,
    /// The usage's time as it is told to the service, in milliseconds, UTC.
    pub time: i64,
    /// Rounded as the traits require.
    pub quantity: Decimal,
    /// The parts of it that were used in earlier windows, ascending: each window, and how much before rounding.
    pub carried: Vec<(Window, Decimal)>,
    /// What else is known of it.
    pub attributes: Vec<(String, String)>,
}

/// What a service is like. The fields are those of the contract's `service-traits`.
#[derive(Debug, Clone)]
pub struct ServiceTraits {
    /// The most charges in a call, at least 1.
    pub charges_per_call: u32,
    /// The most bytes in a call's body.
    pub bytes_per_call: u64,
    /// How many of them a charge takes besides its own texts.
    pub bytes_per_charge: u32,
    /// What the charges of one call have in common.
    pub together: Together,
    /// Every request counts, look-ups too.
    pub rate: Option<Rate>,
    /// How many digits may stand behind the decimal point: 0 for integers.
    pub scale: u8,
    /// The least quantity, allowed.
    pub minimum: Decimal,
    /// The largest quantity, allowed.
    pub maximum: Decimal,
    /// The lengths of window that the service can bill; empty means any.
    pub windows: Vec<WindowKind>,
    /// What a charge of zero means to it.
    pub zero: Zero,
    /// How an unknown outcome is resolved.
    pub resolution: Resolution,
    /// Whether the service refuses a second record for the same charge.
    pub refuses_second: bool,
    /// Whether the service keeps one record for all charges that differ only in their tags. They are frozen and offered together then,
    /// or not at all, and once they are frozen, usage under yet other tags is late. `charges_per_call` counts such records.
    pub joins_tags: bool,
    /// The longest that a call may take, in milliseconds.
    pub deadline: u32,
}

/// A record that the service holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// The service's own name for it.
    pub reference: Option<String>,
    /// Its quantity, where the service says it.
    pub quantity: Option<Decimal>,
    /// The record as it came.
    pub raw: String,
}

/// What the service's books say of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is there, with the charge's quantity.
    Found(HeldRecord),
    /// It is surely not there.
    Absent,
    /// There is a record in its place, with another quantity.
    Different(HeldRecord),
    /// The service cannot say, and why.
    CannotTell(String),
}

/// A finding and the charge it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The charge's id.
    pub id: String,
    /// What was found.
    pub finding: Finding,
}

/// The component's side of a [`Sink`].
#[doc(hidden)]
pub struct SinkAdapter<P>(PhantomData<P>);

#[doc(hidden)]
pub struct SessionAdapter<S>(RefCell<S>);

impl<P: Sink> World for SinkAdapter<P> {
    fn describe() -> Description {
        describe::<P>(Kind::Sink)
    }
}

impl<P: Sink> wit::Guest for SinkAdapter<P> {
    type Session = SessionAdapter<P::Session>;

    fn traits(text: String) -> Result<wit::ServiceTraits, Error> {
        enter();
        Ok(P::traits(config::<P>(&text)?)?.into())
    }

    fn check(text: String, charges: Vec<wit::Charge>, now: i64) -> Result<Vec<Opinion>, Error> {
        enter();
        P::check(config::<P>(&text)?, &taken(charges).map_err(Error::Other)?, now)
    }

    fn connect(text: String, now: i64) -> Result<wit::Session, Failure> {
        enter();
        let config = config::<P>(&text).map_err(|error| Failure::Other(error.to_string()))?;
        Ok(wit::Session::new(SessionAdapter(RefCell::new(P::connect(config, now)?))))
    }
}

impl<S: Session> wit::GuestSession for SessionAdapter<S> {
    fn submit(&self, charges: Vec<wit::Charge>, now: i64) -> Result<Vec<Outcome>, Failure> {
        self.0.borrow_mut().submit(&taken(charges).map_err(Failure::Other)?, now)
    }

    fn look_up(&self, charges: Vec<wit::Charge>) -> Result<Vec<wit::Answer>, Failure> {
        let answers = self.0.borrow_mut().look_up(&taken(charges).map_err(Failure::Other)?)?;
        Ok(answers.into_iter().map(|Answer { id, finding }| wit::Answer { id, finding: finding.into() }).collect())
    }
}

fn taken(charges: Vec<wit::Charge>) -> Result<Vec<Charge>, String> {
    charges.into_iter().map(Charge::try_from).collect()
}

impl TryFrom<wit::Charge> for Charge {
    type Error = String;

    fn try_from(charge: wit::Charge) -> Result<Self, String> {
        let wit::Charge { id, product, customer, dimension, tags, window, time, quantity, carried, attributes } =
            charge;
        let quantity = Decimal::try_from(quantity).map_err(|()| format!("charge {id}: its quantity is no decimal"))?;
        let part = |part: wit::Carried| Ok((part.window, Decimal::try_from(part.quantity)?));
        let carried: Result<_, ()> = carried.into_iter().map(part).collect();
        let carried = carried.map_err(|()| format!("charge {id}: what it carries is no decimal"))?;
        Ok(Charge { id, product, customer, dimension, tags, window, time, quantity, carried, attributes })
    }
}

impl From<ServiceTraits> for wit::ServiceTraits {
    fn from(traits: ServiceTraits) -> Self {
        wit::ServiceTraits {
            charges_per_call: traits.charges_per_call,
            bytes_per_call: traits.bytes_per_call,
            bytes_per_charge: traits.bytes_per_charge,
            together: traits.together,
            rate: traits.rate,
            scale: traits.scale,
            minimum: traits.minimum.into(),
            maximum: traits.maximum.into(),
            windows: traits.windows,
            zero: traits.zero,
            resolution: traits.resolution,
            refuses_second: traits.refuses_second,
            joins_tags: traits.joins_tags,
            deadline: traits.deadline,
        }
    }
}

impl From<HeldRecord> for wit::HeldRecord {
    fn from(record: HeldRecord) -> Self {
        wit::HeldRecord {
            reference: record.reference,
            quantity: record.quantity.map(types::Decimal::from),
            raw: record.raw,
        }
    }
}

impl From<Finding> for wit::Finding {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Found(record) => wit::Finding::Found(record.into()),
            Finding::Absent => wit::Finding::Absent,
            Finding::Different(record) => wit::Finding::Different(record.into()),
            Finding::CannotTell(why) => wit::Finding::CannotTell(why),
        }
    }
}
