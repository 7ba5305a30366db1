//! A strict emulator of AWS Marketplace's metering service, `BatchMeterUsage` alone, for tests and demonstrations.
//!
//! It answers as the real service is known to answer, and refuses whatever that service might refuse; it keeps books in
//! which an hour is billed once; and it can be told to fail at any point of a request.
//!
//! | step of a request | files |
//! |---|---|
//! | is it signed and known? (`admit`) | `authorization`, `signature`, `rate` |
//! | what does it say? | `json`, `shape`, `pattern`, `rules`, `quantity`, `known`, `window` |
//! | what goes wrong? | `fault`, `rule`, `chance` |
//! | what is billed, and what is answered? (`settle`) | `judge`, `books`, `echo`, `refusal` |
//! | was all that right? | `request`, `offer`, `audit`, `finding` |
//!
//! What is known of the service comes from its published model (`meteringmarketplace/2016-01-14/service-2.json` of
//! botocore 1.44.8, "the model" below), the API reference, and the aws-marketplace-metering skill of
//! aws/agent-toolkit-for-aws. Where these are silent the choice made here is marked "a guess" at its place. The live
//! service was not seen.
//!
//! ```
//! use metering_emulator::{Clock, Emulator, Fault, Settings};
//!
//! let now = "2026-11-20T18:18:35Z".parse()?;
//! let service = Emulator::start(Settings { clock: Clock::Fixed(now), ..Settings::default() })?;
//! service.push_fault(Fault::internal_after_commit().at(2));
//! // ... point a client at `service.url()`, then look at what was billed:
//! assert!(service.books().is_empty() && service.audit().is_clean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod admit;
mod audit;
mod authorization;
mod books;
mod chance;
mod clock;
mod control;
mod echo;
mod emulator;
mod fault;
mod finding;
mod json;
mod judge;
mod known;
mod offer;
mod pattern;
mod quantity;
mod rate;
mod record;
mod refusal;
mod request;
mod rule;
mod rules;
mod server;
mod service;
mod settings;
mod settle;
mod shape;
mod signature;
mod window;

pub use audit::Audit;
pub use chance::Chances;
pub use clock::Clock;
pub use emulator::Emulator;
pub use fault::{Fault, When};
pub use finding::Finding;
pub use judge::Outcome;
pub use quantity::{NoQuantity, Quantity};
pub use record::{Allocation, Booked, Customer, Product, Slot};
pub use refusal::ErrorStyle;
pub use request::Request;
pub use rule::{Rule, Which};
pub use settings::{Credentials, EchoTime, License, Log, Settings, UnknownCustomer};
