//! The pipeline file: read strictly, its variables replaced, every error at its line.
//!
//! | file | subject |
//! |---|---|
//! | `pipeline`, `plugin_spec`, `grant_spec`, `guard_spec`, `mirror_spec`, `start`, `units`, `ledger_location` | what a file says, as types |
//! | `read`, `table`, `keys`, `grant` | from a document to those types |
//! | `tree`, `environment`, `places` | from text to a document with places: TOML, `${NAME}` |
//! | `schema`, `schema_cost`, `schema_message` | a plugin's own settings against its schema |
//! | `customers` | the table of whom a sink bills |
//! | `source_text`, `errors`, `wording` | what is wrong, where, and how it is said |
//! | `digest`, `below` | a file's fingerprint, and the paths that it names |
//!
//! Nothing here reads a secret, opens a connection or looks for a plugin.

mod below;
mod customers;
mod digest;
mod environment;
mod errors;
mod grant;
mod grant_spec;
mod guard_spec;
mod keys;
mod ledger_location;
mod mirror_spec;
mod pipeline;
mod places;
mod plugin_spec;
mod read;
mod schema;
mod schema_cost;
mod schema_message;
mod source_text;
mod start;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod units;
mod wording;

use std::path::Path;

pub use below::below;
pub use customers::{Customers, Payer};
pub use digest::fingerprint;
pub use errors::{ConfigError, ConfigErrors};
pub use grant_spec::{AwsGrantSpec, GrantSpec, HttpGrantSpec, Located, SecretSource, SecretSpec};
pub use guard_spec::{Answer, Guard, MostQuantity, Percent};
pub use ledger_location::{LedgerLocation, LedgerLocationError, S3Location};
pub use mirror_spec::{MirrorForm, MirrorSpec};
pub use pipeline::{AggregateSpec, Dedupe, LateUsage, Pipeline, Rounding, SinkSpec, SourceSpec, Zeros};
pub use places::{Place, Places, join};
pub use plugin_spec::{LimitsSpec, PluginRef, PluginSpec};
pub use schema::check_against_schema;
pub use source_text::SourceText;
pub use start::{Ago, Start, Unit, first_window};
pub use units::RateSpec;
pub(crate) use units::argument as parse_duration;
pub(crate) use wording::nearest;

/// Reads a pipeline file and the tables that it names. `env` answers the variables of the process; paths in the file are relative to its folder.
///
/// # Errors
/// The file cannot be read, or everything that is wrong in it.
pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Pipeline, ConfigErrors> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = if path.is_dir() { "it is a folder; name the file in it".to_owned() } else { error.to_string() };
        ConfigErrors::of_file(&SourceText::new(&name, ""), format!("the pipeline file {name} cannot be read: {what}"))
    })?;
    let base = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    parse(&text, &name, base, env)
}

/// Reads the text of a pipeline file that errors call `name`, and the tables that it names, with paths relative to `base`.
///
/// # Errors
/// Everything that is wrong in it.
pub fn parse(
    text: &str,
    name: &str,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Pipeline, ConfigErrors> {
    let mut errors = ConfigErrors::none(&SourceText::new(name, text));
    let pipeline = tree::read(env, &mut errors).and_then(|document| read::pipeline(&document, base, &mut errors));
    errors.or(pipeline)
}
