//! Tables in memory that answer like DynamoDB, as far as usage records are read and marked there: `Query` on an index of what is pending,
//! `UpdateItem` and `TransactWriteItems` with conditions. It is quick, and made for many records; signatures are not looked at.
//!
//! It understands little, and refuses the rest loudly: a member of a request, a function or a comparison that it does not know, a
//! placeholder that is not declared or not used, an attribute without one. In a test that is a panic; over HTTP a `ValidationException` that
//! [`StandIn::mistakes`] remembers.
//!
//! | file | subject |
//! |---|---|
//! | `tables` | the calls, and what a test sees of the tables |
//! | `query` | pages of an index |
//! | `table` | items, and the index of those that are pending |
//! | `expressions` | conditions and updates |
//! | `refusal` | errors in DynamoDB's form |
//! | `server` | the same over HTTP |
//!
//! ```
//! use dynamodb_stand_in::{Settings, StandIn, Tables};
//! use serde_json::json;
//!
//! let mut tables = Tables::default();
//! tables.add("Records", ["customerAWSAccountId", "create_timestamp"]);
//! tables.put("Records", &json!({
//!     "customerAWSAccountId": { "S": "123456789012" }, "create_timestamp": { "N": "7" }, "metering_pending": { "S": "true" },
//! }));
//! let service = StandIn::start(tables, Settings::default())?;
//! // ... point a client at `service.url()`, then look at what it did:
//! assert_eq!(service.tables().items("Records").len(), 1);
//! assert!(service.calls().is_empty() && service.mistakes().is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests use it, and a test fails by panicking"
)]

mod expressions;
mod query;
mod refusal;
mod server;
mod table;
mod tables;

pub use expressions::Item;
pub use refusal::Refusal;
pub use server::{Call, Settings, StandIn};
pub use tables::Tables;
