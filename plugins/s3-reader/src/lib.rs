//! `s3-reader` reads usage records out of objects in a bucket or files in a folder.
//!
//! ```toml
//! [source.config]
//! layout = "usage/{tenant}/{yyyy}/{mm}/{dd}/{hh}/*.ndjson"
//!
//! [source.config.fields]
//! time       = { field = "/requestTime", unit = "ms" }
//! customer   = "{tenant}"
//! dimensions = { requests = { constant = "1" }, bytes_out = "/responseLength" }
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `config` | what a pipeline says |
//! | `layout` | what the parts of a key mean, and which prefixes a window needs |
//! | `mapping` | which fields of a record are wanted |
//! | `listing`, `ahead`, `cursor` | what there is to read, what comes next, and reading it |
//! | `marker` | how far the data is complete |
//! | `contents` | an object's bytes, without their compression |
//! | `decode`, `csv` | from bytes to records; JSON is read by the SDK |
//! | `picked`, `moment`, `duration` | what picked fields mean |
//! | `rows`, `pages` | usage records, quarantine, pages |

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

mod ahead;
mod config;
mod contents;
mod csv;
mod cursor;
mod decode;
mod duration;
mod layout;
mod listing;
mod mapping;
mod marker;
mod moment;
mod pages;
mod picked;
mod rows;
#[cfg(test)]
mod tests;

use meterhost_sdk::{
    About, Capability, Error, Need, Plugin, Request, Source, SourceKind, Window, WindowKind, export_source,
};

pub use config::Config;
pub use cursor::Reading;
pub use listing::Inputs;

/// Reads usage records out of objects.
pub struct S3Reader;

impl Plugin for S3Reader {
    type Config = Config;

    fn about() -> About {
        About {
            name: "s3-reader",
            version: env!("CARGO_PKG_VERSION"),
            purpose: "reads usage records out of objects in a bucket or files in a folder",
            needs: vec![Need::required(Capability::Read, "list and read the objects that hold usage")],
        }
    }
}

impl Source for S3Reader {
    const KIND: SourceKind = SourceKind::Complete;
    type Cursor = Reading;
    type Listing = Inputs;

    fn check(config: Config, windows: WindowKind) -> Result<(), Error> {
        let shortest = match windows {
            WindowKind::Hour => 3_600_000,
            WindowKind::Day => 86_400_000,
            WindowKind::Month | WindowKind::Other => 28 * 86_400_000,
        };
        if let Some(marker) = &config.complete_until {
            marker::Wanted::new(marker)?;
        }
        mapping::Mapping::new(&config)?.check(&[Window { start: 0, end: shortest }])
    }

    fn open(config: Config, request: Request) -> Result<Reading, Error> {
        Reading::open(&config, &request)
    }

    fn inputs(config: Config, request: Request) -> Result<Inputs, Error> {
        Inputs::open(&config, &request)
    }

    fn complete_until(config: Config, now: i64) -> Result<Option<i64>, Error> {
        let Some(marker) = &config.complete_until else { return Ok(None) };
        // What is written under the hours after a window's end may still hold records of it.
        let slack = mapping::Mapping::new(&config)?.layout.slack();
        marker::read(marker, now).map(|until| Some(until.saturating_sub(slack)))
    }
}

export_source!(S3Reader);
