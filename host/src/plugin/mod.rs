//! Plugins: from a component's bytes to a callable instance.
//!
//! | file | subject |
//! |---|---|
//! | `lookup` | from a name to a file |
//! | `wrap` | from the bytes of a file to those of a component |
//! | `engine`, `load` | from bytes to compiled code that is known to fit |
//! | `cache` | compiled code, kept between runs |
//! | `loaded` | a loaded plugin and what it says about itself |
//! | `instance`, `limits`, `error` | one instance, what it may use, what goes wrong in it |
//! | `guest`, `reach`, `log` | what an instance's imports lead to |
//! | `calls`, `publisher` | the calls of each role, in the host's own types |
//! | `v0_1`, `v0_1_sets`, `bindings` | where the contract's types meet them |

mod bindings;
mod cache;
mod calls;
mod engine;
mod error;
mod guest;
mod instance;
mod limits;
mod load;
mod loaded;
mod log;
mod lookup;
mod publisher;
mod reach;
#[cfg(test)]
mod tests;
mod v0_1;
mod v0_1_sets;
mod wrap;

pub use calls::{AggregatorInstance, Cursor, Listing, SinkInstance, SourceInstance};
pub use engine::Engine;
pub use error::{Cause, Failure, LoadError};
pub use instance::Settings;
pub use limits::Limits;
pub use load::Role;
pub use loaded::Plugin;
pub use lookup::PluginFolders;
pub use publisher::{PublisherInstance, Step};
pub use v0_1::{Capability, Description, Need};
