//! The HTTP/1.1 server beneath the emulators: it answers whole, halved or not at all.
//!
//! | file | subject |
//! |---|---|
//! | `server` | a server on a thread of its own, and what it asks its service |
//! | `received` | a request as it came in |
//! | `answer` | what goes out, and in which manner |
//! | `payload` | a body that may break off |
//! | `random` | ids that nobody can guess, and numbers that a seed repeats |
//!
//! ```
//! use emulator_http::{Answer, Received, Server, Service};
//!
//! #[derive(Clone)]
//! struct Hello;
//!
//! impl Service for Hello {
//!     async fn answer(&self, _request: Received) -> Answer {
//!         Answer::of(200, "text/plain", "hello")
//!     }
//! }
//!
//! let server = Server::start("hello", 0, Hello)?;
//! assert!(server.origin().starts_with("http://127.0.0.1:"));
//! # Ok::<(), std::io::Error>(())
//! ```
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answer;
mod payload;
pub mod random;
mod received;
mod server;

pub use answer::{Answer, Manner};
pub use received::{Body, Received};
pub use server::{Server, Service};
