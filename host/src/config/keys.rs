//! The keys that the host knows, and what it says about one that it does not.

use std::ops::Range;

use super::errors::ConfigErrors;
use super::wording::{all_of, nearest, quoted};

pub(super) const TOP: &[&str] = &[
    "name",
    "window",
    "grace",
    "start",
    "max_windows",
    "env",
    "ledger",
    "dry_run",
    "mirror",
    "source",
    "aggregate",
    "sink",
];
pub(super) const MIRROR: &[&str] = &["url", "key", "form", "sink", "role", "profile", "region"];
pub(super) const SOURCE: &[&str] = &["plugin", "config", "grant", "limits", "look_back", "dedupe", "complete_by"];
pub(super) const AGGREGATE: &[&str] = &["plugin", "config", "grant", "limits", "takes"];
pub(super) const SINK: &[&str] = &[
    "plugin",
    "config",
    "grant",
    "limits",
    "takes",
    "round",
    "rate",
    "retry_budget",
    "customers",
    "zero",
    "late",
    "guard",
];
pub(super) const GUARD: &[&str] =
    &["max_increase", "max_decrease", "max_quantity", "new_customers", "missing_customers", "empty_window"];
pub(super) const LIMITS: &[&str] = &["time", "wall", "memory", "log"];
pub(super) const GRANT: &[&str] = &["read", "write", "aws", "role", "profile", "region", "http", "secrets"];
pub(super) const HTTP: &[&str] = &["url", "methods", "paths"];
pub(super) const SECRET: &[&str] = &["env", "file", "to"];

/// Tables of plugins, and of a sink's guard, and how their headers are written.
const SECTIONS: &[(&[&str], &str)] =
    &[(SOURCE, "[source]"), (AGGREGATE, "[aggregate.NAME]"), (SINK, "[sink.NAME]"), (GUARD, "[sink.NAME.guard]")];

/// Reports a key that is not among `known`. `path` is the table's, empty at the top.
pub(super) fn report_unknown(key: &str, span: &Range<usize>, path: &str, known: &[&str], errors: &mut ConfigErrors) {
    let place = if path.is_empty() { "at the top of the file".to_owned() } else { format!("in `{path}`") };
    let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let of_plugin = known.contains(&"plugin");
    let help = if let Some(near) = nearest(key, known.iter().copied()) {
        format!("did you mean `{near}`?")
    } else if let Some(home) = home(key, known) {
        format!("it belongs {home}")
    } else if of_plugin {
        format!("known here are {}; what is the plugin's own stands under `config`", all_of(&names))
    } else {
        format!("known here are {}", all_of(&names))
    };
    errors.add(span.clone(), format!("unknown key {} {place}", quoted(key))).help(help).label("unknown");
}

/// Where a key would be known that stands in the wrong table.
fn home(key: &str, known: &[&str]) -> Option<String> {
    let of_section = known.contains(&"plugin");
    if of_section && TOP.contains(&key) {
        return Some("to the top of the file, before the first `[...]`".to_owned());
    }
    if !of_section && known != TOP {
        return None;
    }
    let sections: Vec<&str> =
        SECTIONS.iter().filter(|(keys, _)| keys.contains(&key)).map(|(_, header)| *header).collect();
    (!sections.is_empty()).then(|| format!("under {}", super::wording::one_of(&sections)))
}
