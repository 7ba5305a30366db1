//! File drops: the complete set of a month's charges as CSV files in a folder of its own, and beside these folders a manifest that says
//! which of them readers take.
//!
//! ```text
//! <root>/20220301-20220401/20220317T171218Z/data_export-0001.csv.gz
//! <root>/20220301-20220401/manifest.json      {"version":"1.3.0","current_drop_id":"20220317T171218Z"}
//! ```
//!
//! The layout is CloudZero's (AnyCost adaptor specification, "Storage"). Only a change of the manifest makes readers take anything, so
//! that a drop shows itself whole or not at all.
//!
//! | module | subject |
//! |---|---|
//! | `root` | the folder that all of it lies in |
//! | `time`, `period` | dates, and a month as a folder's name |
//! | `ids` | names of drops, which ascend |
//! | `manifest` | which drop is current |
//! | `template`, `evaluate` | what a column says, as configured, and its cells for a batch |
//! | `texts`, `cells` | a column of a batch |
//! | `number` | decimals as text |
//! | `csv` | rows as they are written |
//! | `encode`, `file` | one data file: compressed, stored in pieces, read back |
//! | `write` | a drop that is being written |
//! | `folder`, `place` | the drops that there are: listed, made current again, deleted |
//! | `nearest` | what somebody may have meant |

mod cells;
mod csv;
mod encode;
mod evaluate;
mod file;
mod folder;
mod ids;
mod manifest;
mod nearest;
pub mod number;
mod period;
mod place;
mod root;
mod template;
mod texts;
pub mod time;
mod write;

pub use cells::Cells;
pub use csv::Rows;
pub use encode::Compression;
pub use evaluate::instants;
pub use ids::next as next_id;
pub use nearest::nearest;
pub use place::FileDrops;
pub use root::Root;
pub use template::{Spelling, Template};
pub use texts::Texts;
pub use write::{Filed, NewDrop};

/// The most rows that a data file may have (CloudZero: "max 1,000,000 rows").
pub const MOST_ROWS: u32 = 1_000_000;
