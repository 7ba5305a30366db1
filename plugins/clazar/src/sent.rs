//! A charge as it is written for the service.

use meterhost_sdk::{Charge, Decimal};
use serde::Serialize;

use crate::Cloud;
use crate::time;

/// The body of a call.
#[derive(Serialize)]
pub(crate) struct Call<'a> {
    request: Vec<Written<'a>>,
}

/// One record of a call. The order of the fields is the order on the wire.
///
/// The charge's id could travel in `custom_properties`; it does not, because answers to `POST` are known to show them empty and
/// nothing says that they take part in recognising a second record. The slot does that.
#[derive(Serialize)]
struct Written<'a> {
    cloud: &'static str,
    contract_id: &'a str,
    dimension: &'a str,
    start_time: String,
    end_time: String,
    quantity: String,
}

impl<'a> Call<'a> {
    /// These charges in their order.
    pub(crate) fn of(cloud: Cloud, charges: &'a [Charge]) -> Self {
        let written = |charge: &'a Charge| {
            let sent = Sent::of(cloud, charge);
            Written {
                cloud: cloud.name(),
                contract_id: sent.contract,
                dimension: sent.dimension,
                start_time: time::write(sent.start),
                end_time: time::write(sent.end),
                quantity: sent.quantity.to_string(),
            }
        };
        Call { request: charges.iter().map(written).collect() }
    }
}

/// What the service was told of a charge, to hold against what it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) cloud: Cloud,
    pub(crate) contract: &'a str,
    pub(crate) dimension: &'a str,
    /// In milliseconds.
    pub(crate) start: i64,
    /// In milliseconds: the last second of the window, such as 23:59:59 on a month's last day.
    pub(crate) end: i64,
    pub(crate) quantity: Decimal,
}

impl<'a> Sent<'a> {
    pub(crate) fn of(cloud: Cloud, charge: &'a Charge) -> Self {
        Sent {
            cloud,
            contract: &charge.customer,
            dimension: &charge.dimension,
            start: charge.window.start,
            end: charge.window.end - 1000,
            quantity: charge.quantity,
        }
    }
}
