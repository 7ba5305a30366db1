//! A strict emulator of the Clazar metering API, for tests and demonstrations.
//!
//! It answers as the real service is known to answer, and refuses whatever that service might refuse; it keeps books in
//! which a slot can be billed once; and it can be told to fail at any point of a request.
//!
//! | request               | subject                                   | module    |
//! |-----------------------|-------------------------------------------|-----------|
//! | `POST /authenticate/` | a bearer token for a client's credentials | `tokens`  |
//! | `POST /metering/`     | metering records, judged one by one       | `judge`   |
//! | `GET /metering/`      | the books, page by page                   | `listing` |
//!
//! A request passes through three steps: `admit` checks it as a whole and takes the next [`Fault`] meant for it, `settle`
//! changes the books and makes the answer, `server` sends the answer, or half of it, or nothing. Beside the books it keeps
//! a log of all requests: `audit` holds one against the other, `resent` notes what was offered though it was billed.
//!
//! What is known of the service comes from: "Get an access token" (developers.clazar.io/docs/get-an-access-token), Clazar
//! help 7953489882 (credentials) and 8346320981 (metering), the answers printed in the README of Omnistrate's
//! S3-to-Clazar exporter, and the connector definition of polymetrics-ai/cli (`defs/clazar`). Where these are silent the
//! choice made here is marked "a guess" at its place.
//!
//! ```
//! use clazar_emulator::{Emulator, Fault, Settings};
//!
//! let clazar = Emulator::start(Settings::default())?;
//! clazar.push_fault(Fault::drop_after_commit());
//! // ... point a client at `clazar.url()`, then look at what was billed:
//! assert!(clazar.books().is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod admit;
mod answer;
mod audit;
mod books;
mod emulator;
mod fault;
mod judge;
mod listing;
mod rate;
mod record;
mod request;
mod resent;
mod rule;
mod script;
mod server;
mod service;
mod settings;
mod settle;
mod submission;
mod tokens;

pub use emulator::Emulator;
pub use fault::{Commit, Fault};
pub use record::{Cloud, Record, Status};
pub use request::Request;
pub use resent::Resent;
pub use rule::{Endpoint, Forever, Rule, Times};
pub use settings::Settings;
