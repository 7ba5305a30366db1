//! What goes wrong with a plugin: while it is loaded, and while it runs.

use std::path::PathBuf;
use std::time::Duration;

use super::load::Role;

/// Why a plugin cannot be loaded. The texts do not name the plugin: the caller knows which section asked for it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// This machine cannot run WebAssembly at all.
    #[error("the WebAssembly engine cannot start: {0:#}")]
    Engine(wasmtime::Error),
    /// No plugin of this name is in any plugin folder.
    #[error("there is no plugin named `{name}`; looked for {name}.wasm in {}", places(.looked_in))]
    NotFound {
        /// The name.
        name: String,
        /// The folders, in the order in which they were looked through.
        looked_in: Vec<PathBuf>,
        /// The name of a plugin in them that was probably meant.
        near: Option<String>,
    },
    /// The file is there and cannot be read, or is not there.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        cause: std::io::Error,
    },
    /// The bytes are no WebAssembly.
    #[error("it is not a WebAssembly component: its first bytes are not those of one")]
    NotWasm,
    /// More than any plugin has.
    #[error("{what} has {size} bytes, and {most} are the most that are read")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// In bytes.
        size: usize,
        /// The limit.
        most: usize,
    },
    /// The operating system gives no thread to load it on.
    #[error("no thread can be started to load it: {0}")]
    Thread(std::io::Error),
    /// The compiler gave up in a way that it should not.
    #[error("it is not a WebAssembly component that can be run: the compiler panicked at it")]
    Panicked,
    /// A core module that does not fit any world of the contract.
    #[error("it is a core WebAssembly module, and no meterhost plugin: {cause}")]
    NotWrapped {
        /// The encoder's words.
        cause: String,
    },
    /// WebAssembly that does not compile.
    #[error("it is not a WebAssembly component that can be run: {cause:#}")]
    NotAComponent {
        /// The compiler's words.
        cause: wasmtime::Error,
    },
    /// A component for something else.
    #[error(
        "it is a component, but no meterhost plugin: it exports {}; a plugin exports `meterhost:plugin/source`, `aggregator`, `sink` \
         or `snapshot-sink`",
        list(.exports)
    )]
    NoRole {
        /// What it exports.
        exports: Vec<String>,
    },
    /// A plugin for another version of the contract.
    #[error(
        "it was built for version {found} of the plugin contract, and this host speaks {host}; build it with the matching meterhost-sdk"
    )]
    OtherContract {
        /// The version that its exports name.
        found: String,
        /// The version of this host.
        host: &'static str,
    },
    /// It wants something that no plugin of its kind gets.
    #[error("it imports `{name}`, which {} does not get{}", article(.role), hint(name, .role))]
    UnknownImport {
        /// The import.
        name: String,
        /// What the plugin is.
        role: Role,
    },
    /// The exports are there but have other types.
    #[error("it does not fit the contract of {}: {cause:#}", article(.role))]
    DoesNotFit {
        /// What the plugin is.
        role: Role,
        /// The first difference.
        cause: wasmtime::Error,
    },
    /// A source where an aggregator belongs, or the like.
    #[error("this plugin is {}, and {} belongs here", article(.found), article(.wanted))]
    WrongRole {
        /// What it is.
        found: Role,
        /// What the section asks for.
        wanted: Role,
    },
    /// It could not say what it is.
    #[error("it could not describe itself: {0}")]
    Describe(Failure),
}

impl LoadError {
    pub(super) fn engine(error: wasmtime::Error) -> Self {
        LoadError::Engine(error)
    }

    pub(super) fn not_a_component(cause: wasmtime::Error) -> Self {
        LoadError::NotAComponent { cause }
    }

    /// What to do about it, where that can be told. `paths` says what relative paths begin at: `the pipeline file's folder`.
    pub fn help(&self, paths: &str) -> Option<String> {
        match self {
            LoadError::NotFound { near: Some(near), .. } => Some(format!("did you mean \"{near}\"?")),
            LoadError::Unreadable { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => Some(format!(
                "a relative path begins at {paths}; a name without `/` and `.wasm` is looked for in the plugin folders"
            )),
            _ => None,
        }
    }

    /// What stands behind it, from the outermost to the innermost, for `-v`.
    pub fn causes(&self) -> Vec<String> {
        match self {
            LoadError::Describe(failure) => failure.causes.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether the pipeline file is at fault (another name or path mends it), not the plugin.
    pub fn is_configuration(&self) -> bool {
        matches!(self, LoadError::NotFound { .. } | LoadError::Unreadable { .. } | LoadError::WrongRole { .. })
    }
}

fn article(role: &Role) -> String {
    let name = role.as_str();
    let article = if name.starts_with('a') { "an" } else { "a" };
    format!("{article} {name}")
}

fn places(folders: &[PathBuf]) -> String {
    match folders {
        [] => "no folder: there is none (--plugin-dir names one)".to_owned(),
        folders => folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", "),
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

fn hint(name: &str, role: &Role) -> &'static str {
    match (name.starts_with("wasi:"), role) {
        (true, Role::Aggregator) => {
            ": it has no clock, no randomness, no environment; build it for wasm32-unknown-unknown"
        }
        _ => "",
    }
}

/// A call into a plugin that came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{cause}{}", .words.as_ref().map(|words| format!("; its last words: {words}")).unwrap_or_default())]
pub struct Failure {
    /// What happened.
    pub cause: Cause,
    /// The guest's own last words: the message of its panic.
    pub words: Option<String>,
    /// From the outermost to the innermost, for `-v`.
    pub causes: Vec<String>,
}

/// What happened in a call. After all but the last four the instance is thrown away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The guest trapped: it panicked, divided by zero, left its memory.
    #[error("it trapped: {0}")]
    Trapped(String),
    /// It computed for longer than it may.
    #[error("it computed for more than {} without coming to an end", seconds(.0))]
    Time(Duration),
    /// The call took longer than it may, waiting included.
    #[error("the call took more than {}", seconds(.0))]
    Wall(Duration),
    /// It wanted more memory than it may have.
    #[error("it needed more than {} MiB of memory", .0 / (1024 * 1024))]
    Memory(u64),
    /// It wanted more tables, memories, instances, handles or bytes in a call than it may have.
    #[error("it ran over a limit: {0}")]
    Limit(String),
    /// It answered something that the contract does not allow.
    #[error("it broke the contract: {0}")]
    Contract(String),
    /// The guest's own word: its configuration cannot work.
    #[error("{0}")]
    Config(String),
    /// The guest's own word: a grant is missing.
    #[error("{0}")]
    Denied(String),
    /// The guest's own word: something outside failed.
    #[error("{0}")]
    Unavailable(String),
    /// The guest's own word: anything else.
    #[error("{0}")]
    Other(String),
}

impl Cause {
    /// A short stable name for reports.
    pub fn code(&self) -> &'static str {
        match self {
            Cause::Trapped(_) => "plugin-trapped",
            Cause::Time(_) | Cause::Wall(_) => "plugin-timeout",
            Cause::Memory(_) => "plugin-memory",
            Cause::Limit(_) => "plugin-limit",
            Cause::Contract(_) => "plugin-contract",
            Cause::Config(_) => "configuration",
            Cause::Denied(_) => "denied",
            Cause::Unavailable(_) => "unavailable",
            Cause::Other(_) => "plugin-error",
        }
    }
}

fn seconds(duration: &Duration) -> String {
    match duration.as_millis() {
        millis if millis % 1000 == 0 => format!("{} s", millis / 1000),
        millis => format!("{millis} ms"),
    }
}
