//! The state document of the exporter that was there before: where a pipeline goes on from, and what it keeps up to date, so that the
//! old exporter could take over again and would bill too little, never twice.
//!
//! | file | subject |
//! |---|---|
//! | `document` | JSON objects whose keys keep their order, and whose other values keep their text |
//! | `entry` | what the document says of this pipeline, in each of its forms |
//! | `wanted` | what it should say |
//! | `store` | where it lies: read, and written under a precondition |
//!
//! The forms are those that were seen in recorded runs of the exporter. Nothing here knows of the ledger: what is listed, and when, is
//! the pipeline's to say.

mod document;
mod entry;
mod store;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests;
mod wanted;

pub use entry::Known;
pub use store::{Found, Mirror, MirrorError, Written};
pub use wanted::{Contracts, Wanted};
