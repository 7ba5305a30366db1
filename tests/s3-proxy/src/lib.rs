//! S3 for tests: a real server ([moto](https://docs.getmoto.org)), and a proxy before it that fails on demand and keeps a log.
//!
//! | file | subject |
//! |---|---|
//! | `moto` | the server as a process of its own, and what a test puts into it or looks up behind the proxy's back |
//! | `proxy` | what stands between: it passes requests on, or does what a fault says |
//! | `fault` | which request is meant, and what becomes of it |
//! | `request` | a request as the log shows it, sorted by what it asks of S3 |
//! | `wire` | HTTP/1.1 as far as this needs it |
//!
//! moto ignores signatures, unless [`Moto::strict`] is asked for. It has to be installed: `cargo xtask moto`.
//!
//! ```
//! use s3_proxy::{Act, Fault, Kind, Moto, Proxy};
//!
//! let moto = Moto::start();
//! let proxy = Proxy::start(&moto);
//! let bucket = moto.bucket();
//! moto.put(&bucket, "a.json", b"{}");
//! proxy.push_fault(Fault::on(Kind::Get, Act::slow_down()).key("a.json").times(2));
//! // ... point a client at `proxy.url()`, then see what it asked for:
//! assert!(proxy.requests().is_empty());
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests use it, and a test fails by panicking"
)]

mod fault;
mod moto;
mod proxy;
mod request;
mod wire;

pub use fault::{Act, Fault};
pub use moto::{Moto, Store, python};
pub use proxy::Proxy;
pub use request::{Kind, Seen};
