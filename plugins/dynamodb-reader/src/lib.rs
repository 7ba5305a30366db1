//! `dynamodb-reader` hands out the pending usage records of a DynamoDB table, each claimed for the pipeline's ledger, and marks what became
//! of them.
//!
//! ```toml
//! [source]
//! plugin = "dynamodb-reader"
//! config = { table = "Acme-MeteringRecords", subscribers = "Acme-Subscribers" }
//!
//! [source.grant.aws]
//! "dynamodb:Query"      = ["Acme-MeteringRecords"]
//! "dynamodb:UpdateItem" = ["Acme-MeteringRecords", "Acme-Subscribers"]
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `config`, `names` | what a pipeline says, and what all attributes are called by it |
//! | `unit` | what a time counts |
//! | `attribute`, `expression` | values and expressions as DynamoDB writes them |
//! | `service`, `write` | calls, and conditional writes, many at once |
//! | `query` | the index of pending records, page by page |
//! | `item`, `reference` | what an item means, and what it is called |
//! | `claim` | whose a record is, and making it ours |
//! | `cursor`, `pages` | an opening, and its pages |
//! | `acknowledge`, `marking` | marking records, and one of them |
//! | `response`, `totals` | what is written on them, and on their customers |
//!
//! What is known of the service: the Amazon DynamoDB API reference (Query, UpdateItem, TransactWriteItems, AttributeValue) and developer
//! guide ("Expressions", "Service quotas"). The formats are those of the table in AWS's guides for sellers, and of aws-samples'
//! aws-marketplace-serverless-saas-integration.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that fails has to stop"
    )
)]

mod acknowledge;
mod attribute;
mod claim;
mod config;
mod cursor;
mod expression;
mod item;
mod marking;
mod names;
mod pages;
mod query;
mod reference;
mod response;
mod service;
#[cfg(test)]
mod tests;
mod totals;
mod unit;
mod write;

use meterhost_sdk::{
    About, Capability, Error, Input, Listing, Need, Plugin, Receipt, Request, Settlement, Source, SourceKind, Unmarked,
    WindowKind, export_source,
};

pub use config::{Config, Fields, Format, Mark, Subscribers, SubscribersTable, Unit};
pub use cursor::Reading;
use names::Names;

/// Hands out the pending records of a table.
pub struct DynamodbReader;

impl Plugin for DynamodbReader {
    type Config = Config;

    fn about() -> About {
        let aws = |action: &str| Capability::Aws(format!("dynamodb:{action}"));
        About {
            name: "dynamodb-reader",
            version: env!("CARGO_PKG_VERSION"),
            purpose: "hands out the pending usage records of a DynamoDB table, and marks what became of them",
            needs: vec![
                Need::required(aws("Query"), "find what is pending in the table's index"),
                Need::required(aws("UpdateItem"), "claim and mark records, and add to the totals of `subscribers`"),
            ],
        }
    }
}

impl Source for DynamodbReader {
    const KIND: SourceKind = SourceKind::Queue;
    type Cursor = Reading;
    type Listing = Nothing;

    fn check(config: Config, _windows: WindowKind) -> Result<(), Error> {
        Names::new(&config).map(|_| ())
    }

    fn open(config: Config, request: Request) -> Result<Reading, Error> {
        Reading::open(Names::new(&config)?, request)
    }

    fn inputs(_config: Config, _request: Request) -> Result<Nothing, Error> {
        Ok(Nothing)
    }

    fn acknowledge(
        config: Config,
        claim: &str,
        settlements: &[Settlement],
        receipts: &[Receipt],
    ) -> Result<Vec<Unmarked>, Error> {
        acknowledge::acknowledge(&Names::new(&config)?, claim, settlements, receipts)
    }
}

/// A queue has nothing that could be listed without handing it out.
pub struct Nothing;

impl Listing for Nothing {
    fn next(&mut self) -> Result<Option<Vec<Input>>, Error> {
        Ok(None)
    }
}

export_source!(DynamodbReader);
