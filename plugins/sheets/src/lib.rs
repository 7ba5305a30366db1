//! What the plugins have in common that publish what charges cost, whatever the format is.
//!
//! | module | subject |
//! |---|---|
//! | `cost` | what charges cost: as they say, or by prices |
//! | `numbers` | a column of decimals |
//! | `totals` | what columns add up to |
//! | `tags` | which of the charges' tags are written |
//! | `agreed` | what has one value throughout a set |
//! | `objections` | what is wrong with a charge, in words that name it |
//! | `setting` | the path of a setting |
//!
//! How a column is filled from a template and written is the crate [`drops`]; what a quantity costs is the crate [`prices`].

mod agreed;
mod cost;
mod numbers;
mod objections;
mod setting;
mod tags;
mod totals;

pub use agreed::{Agreed, torn};
pub use cost::{Cost, Known};
pub use numbers::{Form, Numbers};
pub use objections::{Objections, of_month, place};
pub use setting::{setting, setting_in};
pub use tags::{AllTags, Picked, Tags};
pub use totals::{totals, untold};
