//! What the file says about one plugin: which, its own settings, what it may reach, its limits.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::below::below;
use super::errors::ConfigErrors;
use super::grant;
use super::grant_spec::GrantSpec;
use super::keys;
use super::table::{TableReader, mismatch, table};
use super::tree::{Table, table_json};
use super::units::{DURATION, SIZE, duration, size};
use super::wording::quoted;

/// One plugin of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginSpec {
    /// The name in the section's header: `clazar` in `[sink.clazar]`; `source` for the source.
    pub name: String,
    /// The section as messages name it: `source`, `sink.clazar`.
    pub section: String,
    /// The section's JSON pointer, which begins those of all its keys: `/sink/clazar`.
    pub pointer: String,
    /// Which plugin it is.
    pub plugin: PluginRef,
    /// The bytes of the file that name the plugin.
    pub span: Range<usize>,
    /// The plugin's own settings: an object, without floats. The host checks it against the plugin's schema only.
    pub config: Json,
    /// What it may reach.
    pub grant: GrantSpec,
    /// Its limits, where they differ from the host's.
    pub limits: LimitsSpec,
}

/// Which plugin a section means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginRef {
    /// A name, to be found in the plugin folders.
    Named(String),
    /// A file; relative paths begin at the pipeline file's folder.
    Path(PathBuf),
}

/// `limits` of one plugin. Nothing means the host's own limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitsSpec {
    /// Guest time of one call.
    pub time: Option<Duration>,
    /// Wall time of one call, waiting for the outside included.
    pub wall: Option<Duration>,
    /// Bytes over all its memories.
    pub memory: Option<u64>,
    /// Bytes of log in a run.
    pub log: Option<u64>,
}

const PLUGIN: &str = "a plugin's name such as \"s3-reader\", or a path such as \"./mine.wasm\"";

/// Reads what every plugin's section has. `default` is the plugin's name where the section does not say it.
pub(super) fn plugin_spec(
    reader: &TableReader<'_>,
    name: &str,
    default: Option<&str>,
    base: &Path,
    errors: &mut ConfigErrors,
) -> Option<PluginSpec> {
    let config = reader.entry("config").map_or(Some(Map::new()), |entry| {
        table(&entry.node, &reader.path_of("config"), "a table", errors).map(table_json)
    });
    let grant = match reader.entry("grant") {
        Some(entry) => grant::grant(entry, &reader.path_of("grant"), errors),
        None => GrantSpec::default(),
    };
    let limits = match reader.entry("limits") {
        Some(entry) => table(&entry.node, &reader.path_of("limits"), "a table", errors)
            .map(|limits| self::limits(limits, reader.path_of("limits"), entry.key.clone(), errors)),
        None => Some(LimitsSpec::default()),
    };
    let (plugin, span) = match (reader.entry("plugin"), default) {
        (None, Some(default)) => (PluginRef::Named(default.to_owned()), reader.span.clone()),
        (entry, _) => {
            let span = entry.map_or_else(|| reader.span.clone(), |entry| entry.node.span.clone());
            reader.required("plugin", "plugin = \"s3-reader\", or a path: plugin = \"./mine.wasm\"", errors)?;
            (reader.parsed("plugin", PLUGIN, |text| plugin_ref(text, base), errors)?, span)
        }
    };
    Some(PluginSpec {
        name: name.to_owned(),
        section: reader.path.clone(),
        pointer: format!("/{}", reader.path.replace('.', "/")),
        plugin,
        span,
        config: Json::Object(config?),
        grant,
        limits: limits?,
    })
}

fn plugin_ref(text: &str, base: &Path) -> Option<PluginRef> {
    if text.contains(['/', '\\']) || text.ends_with(".wasm") {
        return Some(PluginRef::Path(below(base, text)));
    }
    is_section_name(text).then(|| PluginRef::Named(text.to_owned()))
}

/// Whether a text can name a section or a plugin.
pub(super) fn is_section_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// Reports a section's name that cannot stand in a charge's id or a plugin's file name.
pub(super) fn check_section_name(name: &str, kind: &str, span: &Range<usize>, errors: &mut ConfigErrors) {
    if !is_section_name(name) {
        errors
            .add(span.clone(), format!("{} cannot be the name of {kind}", quoted(name)))
            .help("a name has lower-case letters, digits, hyphens and underscores, at most 64");
    }
}

fn limits(limits: &Table, path: String, span: Range<usize>, errors: &mut ConfigErrors) -> LimitsSpec {
    let reader = TableReader::new(path, span, limits, keys::LIMITS, errors);
    let mut time = |key: &str| {
        let length = reader.parsed(key, DURATION, duration, errors);
        if length.is_some_and(|length| length.is_zero())
            && let Some(entry) = reader.entry(key)
        {
            mismatch(&entry.node, &reader.path_of(key), "longer than nothing", errors);
        }
        length
    };
    let (time, wall) = (time("time"), time("wall"));
    LimitsSpec {
        time,
        wall,
        memory: reader.parsed("memory", SIZE, size, errors),
        log: reader.parsed("log", SIZE, size, errors),
    }
}
