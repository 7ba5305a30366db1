//! Bills charges through the Clazar metering API: a customer is a contract, a charge is one metering record.
//!
//! | module | subject |
//! |---|---|
//! | `config` | where the service is, and which marketplace it bills on |
//! | `traits` | what the service is like, and what it would surely refuse |
//! | `session` | the authenticated session: one call to offer charges |
//! | `service` | requests, and what an answer means that is none to single charges |
//! | `sent` | a charge as it is written for the service |
//! | `record` | a record as the service writes it |
//! | `verdict` | what a result says of its record |
//! | `answers` | which result speaks for which charge |
//! | `look_up` | one listing a contract, and what holds for the others when one fails |
//! | `listing` | a contract's books, page by page |
//! | `entry` | what a record in the books says of a charge |
//! | `time` | the service's way of writing times |
//!
//! What is known of the service: "Get an access token" (developers.clazar.io/docs/get-an-access-token), Clazar help 8346320981
//! (metering), the connector definition of polymetrics-ai/cli (`defs/clazar`), and recorded answers.

mod answers;
mod config;
mod entry;
mod listing;
mod look_up;
mod record;
mod sent;
mod service;
mod session;
mod time;
mod traits;
mod verdict;

pub use config::{Cloud, Config};
pub use session::ClazarSession;

use meterhost_sdk::{About, Capability, Charge, Error, Failure, Need, Opinion, Plugin, ServiceTraits, Sink};

/// The sink.
#[derive(Debug)]
pub struct Clazar;

meterhost_sdk::export_sink!(Clazar);

impl Plugin for Clazar {
    type Config = Config;

    fn about() -> About {
        About {
            name: "clazar",
            version: env!("CARGO_PKG_VERSION"),
            purpose: "bills charges through the Clazar metering API",
            needs: vec![
                Need::required(
                    Capability::Http("the origin of `url` (https://api.clazar.io unless configured)".into()),
                    "authenticate, send metering records and look them up",
                ),
                Need::required(Capability::Secret("client_id".into()), "authenticate"),
                Need::required(Capability::Secret("client_secret".into()), "authenticate"),
            ],
        }
    }
}

impl Sink for Clazar {
    type Session = ClazarSession;

    fn traits(config: Config) -> Result<ServiceTraits, Error> {
        config.validated().map_err(Error::Config)?;
        Ok(traits::of(&config))
    }

    fn check(_config: Config, charges: &[Charge], _now: i64) -> Result<Vec<Opinion>, Error> {
        Ok(charges.iter().map(traits::opinion).collect())
    }

    fn connect(config: Config, _now: i64) -> Result<ClazarSession, Failure> {
        ClazarSession::connect(config.validated().map_err(Failure::Other)?)
    }
}
