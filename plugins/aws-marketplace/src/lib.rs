//! Bills charges through AWS Marketplace: `BatchMeterUsage` of its metering service.
//!
//! The service keeps one record for all usage of a customer, product (or licence), dimension and hour of UTC, and splits it into
//! allocations by tags. So the charges of one such place make one record, and its answer is theirs.
//!
//! | module | subject |
//! |---|---|
//! | `config` | how customers and products are named, and how quantities are written |
//! | `traits` | what the service is like, and its limits |
//! | `names` | product codes, licences, customers, dimensions and tags: what the service would surely refuse |
//! | `time` | until when usage is accepted, and times as people and the service write them |
//! | `check` | what the service would surely refuse, and until when it accepts |
//! | `record` | the charges of one place as one record, as it is written for the service |
//! | `call` | which records stand in a call |
//! | `session` | one call, and what came of it |
//! | `refusal` | what an error means |
//! | `object` | JSON objects of which any field may be missing, odd or there twice |
//! | `echo` | a record as the service repeats it |
//! | `verdict` | what a result says of its record |
//! | `answers` | which result speaks for which record |
//!
//! What is known of the service: its model in botocore 1.44.8 (`meteringmarketplace/2016-01-14/service-2.json`), the API reference
//! "AWS Marketplace Metering Service", and AWS's skill `aws-marketplace-metering`.

mod answers;
mod call;
mod check;
mod config;
mod echo;
mod names;
mod object;
mod record;
mod refusal;
mod session;
mod time;
mod traits;
mod verdict;

pub use config::{Config, Identity, Quantity};
pub use session::MarketplaceSession;

use meterhost_sdk::{About, Capability, Charge, Error, Failure, Need, Opinion, Plugin, ServiceTraits, Sink};

/// The sink.
#[derive(Debug)]
pub struct AwsMarketplace;

meterhost_sdk::export_sink!(AwsMarketplace);

impl Plugin for AwsMarketplace {
    type Config = Config;

    fn about() -> About {
        About {
            name: "aws-marketplace",
            version: env!("CARGO_PKG_VERSION"),
            purpose: "bills charges through AWS Marketplace (BatchMeterUsage)",
            needs: vec![Need::required(
                Capability::Aws(format!("{}:{}", session::SERVICE, session::ACTION)),
                "send metering records",
            )],
        }
    }
}

impl Sink for AwsMarketplace {
    type Session = MarketplaceSession;

    fn traits(config: Config) -> Result<ServiceTraits, Error> {
        config.validated().map_err(Error::Config)?;
        Ok(traits::of(&config))
    }

    fn check(config: Config, charges: &[Charge], now: i64) -> Result<Vec<Opinion>, Error> {
        config.validated().map_err(Error::Config)?;
        Ok(check::opinions(&config, charges, now))
    }

    /// Asks nothing: the host signs each call.
    fn connect(config: Config, _now: i64) -> Result<MarketplaceSession, Failure> {
        config.validated().map_err(Failure::Other)?;
        Ok(MarketplaceSession::new(config))
    }
}
