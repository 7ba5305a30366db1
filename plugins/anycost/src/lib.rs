//! Publishes charges to CloudZero AnyCost in the Common Bill Format: as file drops, or through AnyCost Stream.
//!
//! | module | subject |
//! |---|---|
//! | `config` | what a pipeline says of its costs |
//! | `plan` | the same, checked |
//! | `columns` | the columns of the Common Bill Format |
//! | `keys` | which tags are written, and under which keys |
//! | `costs` | what charges cost |
//! | `sheet` | charges as rows |
//! | `totals` | what the costs of a set add up to |
//! | `traits` | what the place is like, and what it would surely refuse |
//! | `publication` | a set on its way |
//! | `stream` | AnyCost Stream: a month as requests |
//!
//! File drops themselves are the crate [`drops`]; what a quantity costs is the crate [`prices`]; what other formats need too is [`sheets`].
//!
//! What is known of CloudZero: docs.cloudzero.com, "Common Bill Format (CBF)", "AnyCost Custom Adaptors", "AnyCost Stream"; its OpenAPI
//! description; and its public adaptors.

mod columns;
mod config;
mod costs;
mod keys;
mod plan;
mod publication;
mod sheet;
mod stream;
mod totals;
mod traits;

pub use config::{Config, ResourceId, Stream, TagKeys, Totals};
pub use publication::AnyCostPublication;
pub use sheets::{AllTags, Tags};

use meterhost_sdk::{
    About, Capability, ChargeBatch, Error, FoundSet, Need, Objection, Outline, PlaceTraits, Plugin, Shown,
    SnapshotSink, Window, WindowKind,
};

use plan::{Place, Plan};

/// The sink.
#[derive(Debug)]
pub struct AnyCost;

meterhost_sdk::export_snapshot_sink!(AnyCost);

impl Plugin for AnyCost {
    type Config = Config;

    fn about() -> About {
        About {
            name: "anycost",
            version: env!("CARGO_PKG_VERSION"),
            purpose: "publishes charges to CloudZero AnyCost in the Common Bill Format, as file drops or through AnyCost Stream",
            needs: vec![
                Need::optional(Capability::Write, "write file drops below `root`"),
                Need::optional(Capability::Read, "find and read back file drops below `root`: the same URL as `write`"),
                Need::optional(
                    Capability::Http("the origin of `stream.url` (https://api.cloudzero.com unless configured)".into()),
                    "send months to AnyCost Stream",
                ),
                Need::optional(Capability::Secret("api_key".into()), "authenticate with AnyCost Stream"),
            ],
        }
    }
}

impl SnapshotSink for AnyCost {
    type Publication = AnyCostPublication;

    fn traits(config: Config, windows: WindowKind) -> Result<PlaceTraits, Error> {
        traits::of(&plan(&config)?, windows)
    }

    fn check(config: Config, charges: &ChargeBatch) -> Result<Vec<Objection>, Error> {
        Ok(traits::objections(&plan(&config)?, charges))
    }

    fn begin(config: Config, outline: Outline) -> Result<AnyCostPublication, Error> {
        AnyCostPublication::begin(plan(&config)?, &outline)
    }

    fn current(config: Config, period: Window) -> Result<Shown, Error> {
        match plan(&config)?.place {
            Place::Drops(drops) => drops.current(period),
            Place::Stream(_) => Ok(Shown::CannotTell),
        }
    }

    fn list(config: Config, period: Option<Window>) -> Result<Vec<FoundSet>, Error> {
        match plan(&config)?.place {
            Place::Drops(drops) => drops.list(period),
            Place::Stream(_) => Ok(Vec::new()),
        }
    }

    fn revert(config: Config, period: Window, id: String) -> Result<FoundSet, Error> {
        match plan(&config)?.place {
            Place::Drops(drops) => drops.revert(period, &id),
            Place::Stream(_) => Err(keeps_none()),
        }
    }

    fn remove(config: Config, period: Window, id: String) -> Result<(), Error> {
        match plan(&config)?.place {
            Place::Drops(drops) => drops.remove(period, &id),
            Place::Stream(_) => Err(keeps_none()),
        }
    }
}

fn plan(config: &Config) -> Result<Plan, Error> {
    Plan::of(config).map_err(Error::Config)
}

fn keeps_none() -> Error {
    let words = "AnyCost Stream keeps no earlier sets: what is published replaces what was";
    Error::Other(format!("{words}. File drops (`root`) keep each, and can go back"))
}
