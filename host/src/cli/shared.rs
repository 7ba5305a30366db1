//! What the commands have in common: from arguments to a pipeline that is set up, and how errors are shown.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use miette::{GraphicalReportHandler, GraphicalTheme};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::{Global, LogFormat, PipelineArgs};
use crate::broker::{Broker, BrokerSettings, NoSecret, try_secret};
use crate::config::{self, ConfigErrors, LedgerLocation, Pipeline, SecretSource, below, join};
use crate::ledger::{LedgerError, Place};
use crate::model::window::Window;
use crate::pipeline::{Setup, SetupError, Watch, at_fault};
use crate::plugin::{Engine, LoadError, PluginFolders};
use crate::report::progress::BesideTheBar;
use crate::report::{Exit, Problem, Report, Style};

/// Why a command did not come to its end.
pub(super) enum Refused {
    /// The pipeline file is wrong.
    Configuration(ConfigErrors),
    /// These problems, and the exit that they lead to.
    Problems(Exit, Vec<Problem>),
    /// The ledger cannot be used.
    Ledger(LedgerError),
    /// Something else, in plain words, and the exit it leads to.
    Other(Exit, String),
}

impl From<ConfigErrors> for Refused {
    fn from(errors: ConfigErrors) -> Self {
        Refused::Configuration(errors)
    }
}

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        Refused::Ledger(error)
    }
}

impl From<SetupError> for Refused {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Configuration(errors) => Refused::Configuration(errors),
            SetupError::Plugin(problems) => Refused::Problems(Exit::Plugin, problems),
        }
    }
}

impl From<LoadError> for Refused {
    fn from(error: LoadError) -> Self {
        let exit = if error.is_configuration() { Exit::Configuration } else { Exit::Plugin };
        let action = error.help("the working directory");
        Refused::Problems(exit, vec![Problem { action, ..Problem::new("refused", error.to_string()) }])
    }
}

impl Refused {
    /// An error of a pipeline's ledger, at its line if the file is at fault.
    pub(super) fn of(pipeline: &Pipeline, error: LedgerError) -> Self {
        at_fault(pipeline, &error).map_or(Refused::Ledger(error), Refused::Configuration)
    }

    /// Says what is wrong, and answers the exit code.
    pub(super) fn show(self, global: &Global) -> Exit {
        let (exit, problems) = match self {
            Refused::Configuration(errors) => {
                if !global.json {
                    show_configuration(&errors);
                    return Exit::Configuration;
                }
                (Exit::Configuration, of_file(&errors))
            }
            Refused::Problems(exit, problems) => (exit, problems),
            Refused::Ledger(error) => (error.exit(), vec![of_ledger(&error)]),
            Refused::Other(exit, text) => (exit, vec![Problem::new("refused", text)]),
        };
        match global.json {
            true => print(&report(exit, problems).render_json()),
            false => show_problems(&problems, global),
        }
        exit
    }
}

/// Without what a terminal would take for more than text. Quotes stay as they are: it is no string of a program.
pub(super) fn escaped(text: &str) -> String {
    text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'")
}

/// What is wrong in a pipeline file, for a program.
pub(super) fn of_file(errors: &ConfigErrors) -> Vec<Problem> {
    let problem = |error: &config::ConfigError| Problem {
        input: Some(error.position()),
        action: error.help.clone(),
        ..Problem::new("configuration", error.message.clone())
    };
    errors.iter().map(problem).collect()
}

/// What is wrong with the ledger.
pub(super) fn of_ledger(error: &LedgerError) -> Problem {
    Problem { action: Some(error.action().to_owned()), ..Problem::new("ledger", error.to_string()) }
}

/// Says on standard error what is wrong.
pub(super) fn show_problems(problems: &[Problem], global: &Global) {
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = report(Exit::Final, problems.to_vec())
        .render_problems(&mut text, style(global, std::io::stderr().is_terminal()));
    eprint!("{}", String::from_utf8_lossy(&text));
}

pub(super) fn report(exit: Exit, problems: Vec<Problem>) -> Report {
    Report {
        pipeline: String::new(),
        run: None,
        dry_run: false,
        exit,
        next_due: None,
        incomplete: vec![],
        windows: Vec::new(),
        publications: Vec::new(),
        problems,
        notes: Vec::new(),
        ledger: None,
    }
}

/// Shows each error with its line of the pipeline file.
pub(super) fn show_configuration(errors: &ConfigErrors) {
    let theme = match colour(std::io::stderr().is_terminal()) {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
    for error in errors.iter() {
        // A command is copied as it is: it stands below, where nothing breaks it.
        let help = error.help.iter().flat_map(|help| help.lines());
        let (commands, prose): (Vec<&str>, Vec<&str>) = help.partition(|line| line.starts_with("meterhost "));
        let mut shown = error.clone();
        shown.help = (!prose.is_empty()).then(|| prose.join("\n"));
        let mut text = String::new();
        match handler.render_report(&mut text, &shown) {
            Ok(()) => eprintln!("{}", text.trim_end()),
            Err(_) => eprintln!("{error}"),
        }
        commands.iter().for_each(|command| eprintln!("    {command}"));
    }
}

/// Prints to standard output. Where nobody reads any more, there is nobody to tell.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn colour(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How text is written to an output.
pub(super) fn style(global: &Global, terminal: bool) -> Style {
    let utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .is_some_and(|value| value.to_lowercase().replace('-', "").contains("utf8"));
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.unwrap_or(if terminal { 100 } else { 120 });
    Style { color: colour(terminal), unicode: utf8, width, verbose: global.verbose }
}

/// Log lines go to standard error: warnings always, more with `-v` or `RUST_LOG`.
pub(super) fn start_log(global: &Global) {
    let level = match global.verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("meterhost={level}")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(BoxMakeWriter::new(BesideTheBar::default))
        .with_ansi(colour(std::io::stderr().is_terminal()))
        .with_target(false);
    match global.log_format {
        LogFormat::Text => builder.without_time().init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// The way to the outside, on threads of its own.
pub(super) struct Outside {
    pub(super) broker: Broker,
    /// Drives requests.
    io: Runtime,
}

impl Outside {
    pub(super) fn open() -> Result<Outside, Refused> {
        let other = |what: String| Refused::Other(Exit::Ledger, what);
        let io = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("io")
            .enable_all()
            .build()
            .map_err(|error| other(format!("no threads can be started: {error}")))?;
        let mut settings = BrokerSettings::new(io.handle().clone());
        if let Ok(proxy) = std::env::var("METERHOST_PROXY") {
            let proxy = proxy
                .parse()
                .map_err(|error| Refused::Other(Exit::Configuration, format!("METERHOST_PROXY is no URL: {error}")))?;
            settings.proxy = Some(proxy);
        }
        let broker = Broker::new(settings).map_err(|error| Refused::Other(Exit::Configuration, error.to_string()))?;
        Ok(Outside { broker, io })
    }

    /// Where a pipeline's ledger is.
    pub(super) fn place(&self, pipeline: &Pipeline) -> Result<Place, Refused> {
        Ok(Place::of(&pipeline.ledger, &self.broker)?)
    }
}

/// Everything that plugins need to be loaded.
pub(super) struct Workshop {
    pub(super) engine: Engine,
    pub(super) broker: Broker,
    pub(super) folders: PluginFolders,
    io: Runtime,
}

impl Workshop {
    pub(super) fn open(global: &Global) -> Result<Workshop, Refused> {
        let Outside { broker, io } = Outside::open()?;
        let (engine, warning) = Engine::new(io.handle().clone(), cache().as_deref())?;
        if let Some(warning) = warning {
            tracing::warn!("{warning}");
        }
        let variable = std::env::var("METERHOST_PLUGIN_DIR").ok();
        let executable = std::env::current_exe().ok();
        let folders = PluginFolders::new(&global.plugin_dir, variable.as_deref(), executable.as_deref());
        Ok(Workshop { engine, broker, folders, io })
    }

    /// Waits for something that the broker does.
    pub(super) fn block_on<T>(&self, doing: impl Future<Output = T>) -> T {
        self.io.block_on(doing)
    }

    pub(super) fn set_up(&self, pipeline: Pipeline) -> Result<Setup, Refused> {
        let place = Place::of(&pipeline.ledger, &self.broker)?;
        Ok(Setup::new(pipeline, place, &self.engine, &self.broker, &self.folders)?)
    }
}

/// Where compiled plugins are kept: `METERHOST_CACHE_DIR`, else below the user's folder for caches.
fn cache() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("METERHOST_CACHE_DIR")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("meterhost")))
        .or_else(|| variable("HOME").map(|folder| folder.join(".cache/meterhost")))
        .filter(|folder| folder.is_absolute())
}

/// Of what is quick nothing is shown on the way.
pub(super) struct Silent;

impl Watch for Silent {
    fn step(&self, _what: &str) {}
    fn records(&self, _more: u64) {}
    fn charges(&self, _done: u64, _total: u64) {}
}

/// Which secrets cannot be had from where the file says that they come from, each at its line.
pub(super) fn missing_secrets(pipeline: &Pipeline) -> Option<ConfigErrors> {
    let mut missing: Option<ConfigErrors> = None;
    for spec in pipeline.plugins() {
        for (name, secret) in &spec.grant.secrets {
            let (key, from) = match &secret.value.from {
                SecretSource::File(path) => ("file", SecretSource::File(below(&pipeline.base, path))),
                variable @ SecretSource::Env(_) => ("env", variable.clone()),
            };
            let Err(NoSecret { place, fault, help }) = try_secret(&from, &|name| std::env::var(name).ok()) else {
                continue;
            };
            let pointer = format!("{}/{key}", join(&format!("{}/grant/secrets", spec.pointer), name));
            let message = format!("{}: the secret `{name}` is {place}, {fault}", spec.section);
            let span = pipeline.places.span(&pointer);
            let error = ConfigErrors::at(&pipeline.text, span, message, Some(help.to_owned()));
            match &mut missing {
                Some(missing) => missing.merge(error),
                None => missing = Some(error),
            }
        }
    }
    missing
}

impl PipelineArgs {
    /// Reads the pipeline's file.
    pub(super) fn pipeline(&self) -> Result<Pipeline, Refused> {
        let mut pipeline = config::load(&self.file, &|name| std::env::var(name).ok())?;
        if let Some(ledger) = &self.ledger {
            let here = Path::new("");
            pipeline.ledger = LedgerLocation::parse(ledger, here)
                .map_err(|error| Refused::Other(Exit::Configuration, format!("--ledger: {error}")))?;
            pipeline.ledger_option = Some(ledger.clone());
        }
        Ok(pipeline)
    }

    /// Refuses `--window`, where a command is about all of a pipeline or about one charge.
    pub(super) fn whole_pipeline(&self) -> Result<(), Refused> {
        let text = "--window: this command does not go by windows";
        self.window.as_ref().map_or(Ok(()), |_| Err(Refused::Other(Exit::Configuration, text.to_owned())))
    }

    /// The time for windows and plugins.
    pub(super) fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }

    /// The window that was asked for.
    pub(super) fn window(&self, pipeline: &Pipeline) -> Result<Option<Window>, Refused> {
        let parsed = self.window.as_deref().map(|label| Window::parse(pipeline.window, label)).transpose();
        parsed.map_err(|error| Refused::Other(Exit::Configuration, format!("--window: {error}")))
    }
}
