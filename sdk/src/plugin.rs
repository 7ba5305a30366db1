//! What all plugins have in common: a description and a configuration.

use std::sync::Once;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::bindings::imports::about;

pub use about::{Capability, Need};

/// What a plugin says about itself.
#[derive(Debug, Clone)]
pub struct About {
    /// In lower case with hyphens: `s3-reader`.
    pub name: &'static str,
    /// As in semantic versioning; `env!("CARGO_PKG_VERSION")` does.
    pub version: &'static str,
    /// One line that says what the plugin does.
    pub purpose: &'static str,
    /// What it needs granted.
    pub needs: Vec<Need>,
}

/// A description and a configuration.
pub trait Plugin: 'static {
    /// What stands under `config` in the pipeline file. The host checks it against the JSON Schema of this type;
    /// declare it with [`config!`](crate::config!), which derives all that is needed.
    type Config: DeserializeOwned + JsonSchema;

    /// Called with everything denied: answers from constants.
    fn about() -> About;
}

impl Need {
    /// Something without which the plugin is of no use. `purpose` completes "needed to ...".
    pub fn required(capability: Capability, purpose: &str) -> Self {
        Need { capability, purpose: purpose.to_owned(), optional: false }
    }

    /// Something that the plugin can do without.
    pub fn optional(capability: Capability, purpose: &str) -> Self {
        Need { capability, purpose: purpose.to_owned(), optional: true }
    }
}

pub(crate) fn describe<P: Plugin>(kind: about::Kind) -> about::Description {
    enter();
    let About { name, version, purpose, needs } = P::about();
    let schema = schemars::schema_for!(P::Config);
    about::Description {
        name: name.to_owned(),
        version: version.to_owned(),
        purpose: purpose.to_owned(),
        kind,
        config_schema: schema.as_value().to_string(),
        needs,
    }
}

pub(crate) fn config<P: Plugin>(text: &str) -> Result<P::Config, Error> {
    serde_json::from_str(text).map_err(|error| Error::Config(error.to_string()))
}

/// Every way into a plugin begins here: a panic becomes a line in the host's log before the instance ends, so that the
/// person reads the plugin's own words.
pub(crate) fn enter() {
    static HOOK: Once = Once::new();
    if cfg!(target_arch = "wasm32") {
        HOOK.call_once(|| std::panic::set_hook(Box::new(|info| crate::error(&last_words(&info.to_string())))));
    }
}

/// A panic on one line: the standard library breaks it behind the place, and a report shows a break as `\n`.
fn last_words(panic: &str) -> String {
    let lines: Vec<&str> = panic.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("panic: {}", lines.join(" "))
}

/// Declares a configuration, or a part of one: a struct or an enum that is read from the pipeline file and described by
/// a JSON Schema. Unknown keys are errors; doc comments become descriptions; serde's and schemars' attributes work as
/// usual.
///
/// ```
/// meterhost_sdk::config! {
///     /// How requests are billed.
///     pub struct Config {
///         /// How many requests make one unit.
///         #[serde(default = "hundred")]
///         pub unit: u32,
///     }
/// }
///
/// fn hundred() -> u32 {
///     100
/// }
/// ```
#[macro_export]
macro_rules! config {
    ($(#[$attribute:meta])* $visibility:vis $kind:ident $name:ident { $($body:tt)* }) => {
        #[derive(Debug, Clone, $crate::serde::Deserialize, $crate::schemars::JsonSchema)]
        #[serde(crate = "meterhost_sdk::serde", deny_unknown_fields)]
        #[schemars(crate = "meterhost_sdk::schemars")]
        $(#[$attribute])*
        $visibility $kind $name { $($body)* }
    };
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn a_panic_is_told_on_one_line() {
        assert_eq!(
            last_words("panicked at src/lib.rs:10:5:\nthe rate table is empty"),
            "panic: panicked at src/lib.rs:10:5: the rate table is empty"
        );
        assert_eq!(
            last_words("panicked at src/lib.rs:7:9:\nassertion `left == right` failed\n  left: 1\n right: 2\n"),
            "panic: panicked at src/lib.rs:7:9: assertion `left == right` failed left: 1 right: 2"
        );
    }
}
