//! What a sink says of the service behind it.

use std::time::Duration;

use meterhost_decimal::Decimal;

use super::window::{Window, WindowKind};

/// What a service is like.
#[derive(Debug, Clone)]
pub struct ServiceTraits {
    /// The most charges in a call, at least 1; of charges that make one record of the service, the most records.
    pub charges_per_call: usize,
    /// The most bytes in a call's body.
    pub bytes_per_call: u64,
    /// How many of them a charge takes besides its own texts.
    pub bytes_per_charge: u64,
    /// What the charges of one call have in common.
    pub together: Together,
    /// Requests, in this time, of which so many at once.
    pub rate: Option<(u32, Duration, u32)>,
    /// How many digits may stand behind the decimal point.
    pub scale: u8,
    /// The least quantity, allowed.
    pub minimum: Decimal,
    /// The largest quantity, allowed.
    pub maximum: Decimal,
    /// The lengths of window that it can bill; none named means any.
    pub windows: Vec<WindowKind>,
    /// What a charge of zero means to it.
    pub zero: Zero,
    /// How an unknown outcome is resolved.
    pub resolution: Resolution,
    /// Whether it refuses a second record for the same charge.
    pub refuses_second: bool,
    /// Whether it keeps one record for all charges that differ only in their tags.
    pub joins_tags: bool,
    /// The longest that a call may take.
    pub deadline: Duration,
}

/// What the charges of one call have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Together {
    /// The product.
    pub product: bool,
    /// The window.
    pub window: bool,
    /// The calendar month, UTC.
    pub month: bool,
    /// The customer.
    pub customer: bool,
}

/// What a charge of zero means to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    /// A charge like any other.
    Charge,
    /// Accepted, of no effect.
    Nothing,
    /// Refused.
    Refused,
    /// Takes the slot of usage still to come.
    TakesSlot,
}

/// How an unknown outcome is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// The identical charge is sent again.
    Replay,
    /// A look-up tells.
    LookUp,
    /// A person has to say.
    Ask,
}

/// What a service would surely say to a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// The charge's id.
    pub id: String,
    /// Why it would be refused.
    pub objection: Option<String>,
    /// Until when it is accepted: milliseconds, UTC.
    pub accepted_until: Option<i64>,
}

/// A charge as a sink is handed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The charge's id.
    pub id: String,
    /// The product, empty where there is none.
    pub product: String,
    /// The customer.
    pub customer: String,
    /// The dimension.
    pub dimension: String,
    /// Sorted by name.
    pub tags: Vec<(String, String)>,
    /// The window's start and end: milliseconds, UTC.
    pub window: (i64, i64),
    /// The usage's time as it is told to the service.
    pub time: i64,
    /// Rounded.
    pub quantity: Decimal,
    /// The part of it that was used in earlier windows: each window, and how much before rounding.
    pub carried: Vec<(Window, Decimal)>,
    /// What else is known.
    pub attributes: Vec<(String, String)>,
}

/// Why a whole call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// Refused as a whole; nothing was recorded.
    Refused(String),
    /// Fewer calls, please; nothing was recorded.
    Throttled(Option<Duration>),
    /// The credentials are not accepted; nothing was recorded.
    Auth(String),
    /// Anything else.
    Other(String),
}
