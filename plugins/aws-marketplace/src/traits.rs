//! What the service is like, and its limits.

use meterhost_sdk::{Decimal, Rate, Resolution, ServiceTraits, Together, WindowKind, Zero};

use crate::Config;

/// The most records in a call (API reference, BatchMeterUsage).
pub(crate) const MOST_RECORDS: usize = 25;

/// The most allocations in a record (`UsageAllocations` in the service's model).
pub(crate) const MOST_ALLOCATIONS: usize = 2500;

/// A call's body has fewer bytes: "each request must be less than 1 MB in size" (API reference), and the smaller of what that may mean.
pub(crate) const BODY: usize = 1_000_000;

/// What a body holds besides its records, at most: its keys, and a product code of 255 characters, each escaped.
const ENVELOPE: u64 = 2_000;

/// What a charge takes besides its own texts: the keys, the time and the quantity of a record (190 bytes) and of an allocation with five
/// tags (180). What JSON escapes comes on top; a body that grows too large by that is left shorter when it is written.
const BYTES_PER_CHARGE: u32 = 384;

/// The longest that a call may take, in milliseconds.
const DEADLINE: u32 = 20_000;

/// What is known of the service.
pub(crate) fn of(config: &Config) -> ServiceTraits {
    // A charge that names no product is written with the sink's own; a product code stands once, in the envelope.
    let product = config.product.as_ref().filter(|_| config.identity.is_by_license()).map_or(0, String::len);
    ServiceTraits {
        charges_per_call: u32::try_from(MOST_RECORDS).unwrap_or(1),
        bytes_per_call: BODY as u64 - ENVELOPE,
        bytes_per_charge: BYTES_PER_CHARGE.saturating_add(u32::try_from(product).unwrap_or(u32::MAX)),
        // A call names one product code, and licences of several products are refused together (`InvalidLicenseException`).
        together: Together::PRODUCT,
        // 10 calls a second for an account and region; one at a time, as other programs of the account may call too.
        rate: Some(Rate { requests: 10, per: 1000, burst: 1 }),
        scale: config.quantity.scale(),
        minimum: Decimal::ZERO,
        maximum: config.quantity.maximum(),
        windows: vec![WindowKind::Hour],
        // The first record of an hour stands, a zero too.
        zero: Zero::TakesSlot,
        // "Identical requests are idempotent and can be retried".
        resolution: Resolution::Replay,
        refuses_second: true,
        // One record for an hour, with an allocation for each set of tags.
        joins_tags: true,
        deadline: DEADLINE,
    }
}
