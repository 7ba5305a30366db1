//! Publishes what usage costs in FOCUS 1.2 (FinOps Open Cost and Usage Specification, dataset Cost and Usage) as CSV, in file drops.
//!
//! | module | subject |
//! |---|---|
//! | `config` | what a pipeline says of its costs |
//! | `plan`, `told`, `defaults` | the same, checked: columns that are configured, and those that are not |
//! | `columns`, `forms`, `values`, `currency`, `units`, `object` | the columns of FOCUS, and what a cell of each may hold |
//! | `costs`, `tags` | what charges cost; tags as JSON |
//! | `sheet` | charges as rows |
//! | `rules` | what FOCUS asks of rows |
//! | `parents` | what is the same throughout a set |
//! | `totals` | what the costs of a set add up to |
//! | `traits` | what the place is like, and what it would surely refuse |
//! | `publication` | a set on its way |
//!
//! File drops themselves are the crate [`drops`]; what a quantity costs is the crate [`prices`]; what other formats need too is [`sheets`].
//!
//! What is known of FOCUS: the specification, version 1.2, by the names of its columns and attributes ("Charge Category", "Numeric Format");
//! and the model of its rules, version 1.2.0.1, that focus-validator 2.2.1 brings along, by the names of its rules (ChargeCategory-C-003-M).

mod columns;
mod config;
mod costs;
mod currency;
mod defaults;
mod forms;
mod object;
mod parents;
mod plan;
mod publication;
mod rules;
mod sheet;
mod tags;
mod told;
mod totals;
mod traits;
mod units;
mod values;

pub use config::Config;
pub use publication::FocusPublication;
pub use sheets::{AllTags, Tags};

use meterhost_sdk::{
    About, Capability, ChargeBatch, Error, FoundSet, Need, Objection, Outline, PlaceTraits, Plugin, Shown,
    SnapshotSink, Window, WindowKind,
};

use plan::Plan;

/// The sink.
#[derive(Debug)]
pub struct Focus;

meterhost_sdk::export_snapshot_sink!(Focus);

impl Plugin for Focus {
    type Config = Config;

    fn about() -> About {
        About {
            name: "focus",
            version: env!("CARGO_PKG_VERSION"),
            purpose: "publishes what usage costs in FOCUS 1.2 as CSV",
            needs: vec![
                Need::required(Capability::Write, "write sets below `root`"),
                Need::required(Capability::Read, "find and read back sets below `root`: the same URL as `write`"),
            ],
        }
    }
}

impl SnapshotSink for Focus {
    type Publication = FocusPublication;

    fn traits(config: Config, windows: WindowKind) -> Result<PlaceTraits, Error> {
        traits::of(&plan(&config)?, windows)
    }

    fn check(config: Config, charges: &ChargeBatch) -> Result<Vec<Objection>, Error> {
        Ok(traits::objections(&plan(&config)?, charges))
    }

    fn begin(config: Config, outline: Outline) -> Result<FocusPublication, Error> {
        FocusPublication::begin(plan(&config)?, &outline)
    }

    fn current(config: Config, period: Window) -> Result<Shown, Error> {
        plan(&config)?.drops.current(period)
    }

    fn list(config: Config, period: Option<Window>) -> Result<Vec<FoundSet>, Error> {
        plan(&config)?.drops.list(period)
    }

    fn revert(config: Config, period: Window, id: String) -> Result<FoundSet, Error> {
        plan(&config)?.drops.revert(period, &id)
    }

    fn remove(config: Config, period: Window, id: String) -> Result<(), Error> {
        plan(&config)?.drops.remove(period, &id)
    }
}

fn plan(config: &Config) -> Result<Plan, Error> {
    Plan::of(config).map_err(Error::Config)
}
