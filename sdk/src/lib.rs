//! What a meterhost plugin is written with.
//!
//! A plugin is a crate of type `cdylib` that implements one trait and names it in one macro:
//!
//! | it is | trait | macro |
//! |---|---|---|
//! | a source, which reads usage | [`Source`] | [`export_source!`] |
//! | an aggregator, which turns usage into charges | [`Aggregator`] | [`export_aggregator!`] |
//! | a sink, which delivers charge by charge | [`Sink`] | [`export_sink!`] |
//! | a sink that publishes the complete set of a period | [`SnapshotSink`] | [`export_snapshot_sink!`] |
//!
//! `cargo build --release --target wasm32-unknown-unknown` is the whole build: the host turns the module into a
//! component when it loads it. The macros expand to nothing on other targets, so that the logic is tested with
//! `cargo test`; [`testing`] stands in for the host there.
//!
//! A source that reads records written as JSON finds them picked apart in `json`, a feature of this crate.
//!
//! Quantities are [`Decimal`]s: exact, never floats. Times are milliseconds since 1970-01-01T00:00:00Z.

extern crate self as meterhost_sdk;

mod aggregator;
pub mod aws;
mod batch;
#[doc(hidden)]
pub mod bindings;
mod builder;
mod charges;
mod export;
pub mod http;
mod intern;
mod log;
pub mod objects;
mod plugin;
mod sink;
mod snapshot;
mod source;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use aggregator::{Aggregator, ChargeLine, Excluded, Origin};
pub use batch::{Batch, DecimalColumn, Row, TextColumn};
pub use bindings::imports::types::{Error, Rate, Window, WindowKind};
pub use builder::{BatchBuilder, NotTaken, Record};
pub use charges::{ChargeBatch, ChargeRow};
pub use log::{debug, error, info, trace, warn};
pub use meterhost_decimal::{Decimal, DecimalSum, ParseDecimalError, Quotient, Rounding};
#[cfg(feature = "json")]
pub use meterhost_json as json;
pub use plugin::{About, Capability, Need, Plugin};
pub use schemars::{self, JsonSchema};
pub use serde::{self, Deserialize};
pub use sink::{
    Answer, Charge, Failure, Finding, HeldRecord, Opinion, Outcome, Resolution, ServiceTraits, Session, Sink, Status,
    Together, Zero,
};
pub use snapshot::{
    FoundSet, Objection, Outline, PlaceTraits, Publication, PublishFailure, Shown, SnapshotSink, Written,
};
pub use source::{
    Cursor, Input, Listing, Obstacle, Page, Quarantined, ReadInput, Receipt, Request, RowInputs, Settled, Settlement,
    Shard, Source, SourceKind, Unmarked, Unreadable,
};
#[doc(hidden)]
pub use wit_bindgen;

/// What the export macros expand to. Not for plugins.
#[doc(hidden)]
pub mod adapter {
    pub use crate::aggregator::{AccumulatorAdapter, AggregatorAdapter};
    pub use crate::sink::{SessionAdapter, SinkAdapter};
    pub use crate::snapshot::{PublicationAdapter, SnapshotAdapter};
    pub use crate::source::{CursorAdapter, ListingAdapter, SourceAdapter};
}
