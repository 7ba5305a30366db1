//! The commands: one file each. A command answers the exit code; what it prints goes to standard output, everything else to
//! standard error.

mod accept;
mod check;
mod confirm;
mod decided;
mod explain;
mod export;
mod import;
mod in_set;
mod ledger;
mod page;
mod plan;
mod plugin;
mod rename;
mod reopen;
mod resolve;
mod run;
mod shared;
mod snapshots;
mod status;
mod unfrozen;
mod unlock;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::report::Exit;

/// Turns raw usage into money owed, once.
///
/// A pipeline is one TOML file: a source that reads usage, aggregators that turn it into charges, sinks that deliver them. Each is a
/// sandboxed WebAssembly component that reaches what the file grants it and nothing else.
#[derive(Debug, Parser)]
#[command(name = "meterhost", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bills what is due, and goes on where the last run stopped.
    Run(run::RunArgs),
    /// Shows what a run would bill, against what was billed; changes nothing.
    Plan(plan::PlanArgs),
    /// Says all that can be known of a pipeline before it runs.
    Check(check::CheckArgs),
    /// Says how a pipeline stands: what is settled, due, open and held. Exits 1 if something is due, open or held, or a month is to be published.
    Status(status::StatusArgs),
    /// Follows one charge: back to the inputs that it was made from, forward to every answer.
    Explain(explain::ExplainArgs),
    /// Shows what was billed.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Shows what was published in complete sets, and changes what readers are shown.
    #[command(subcommand)]
    Snapshots(snapshots::SnapshotsCommand),
    /// Shows plugins.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// A folder of plugins, looked through before all others; may be given several times
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) plugin_dir: Vec<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How log lines are written to standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Say more: causes of errors, all lines; twice for the plugins' own debug lines
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// One line for a person
    Text,
    /// One JSON object a line
    Json,
}

/// Which pipeline, and at what time.
#[derive(Debug, Args)]
pub(crate) struct PipelineArgs {
    /// The pipeline's file
    #[arg(value_name = "PIPELINE.toml")]
    pub(crate) file: PathBuf,
    /// Take this for the time by which windows are due, as RFC 3339, in UTC; nothing else goes by it
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
    /// Only this window: 2025-06, 2025-06-01 or 2025-06-01T05
    #[arg(long, value_name = "LABEL")]
    pub(crate) window: Option<String>,
    /// Another ledger than the file names: sqlite:PATH or s3://BUCKET/PREFIX
    #[arg(long, value_name = "LEDGER")]
    pub(crate) ledger: Option<String>,
}

/// Runs the command of this process.
pub fn main() -> Exit {
    let Cli { command, global } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors. What cannot be printed has nowhere to go.
            let _ = error.print();
            return if error.use_stderr() { Exit::Configuration } else { Exit::Final };
        }
    };
    shared::start_log(&global);
    let outcome = match command {
        Command::Run(args) => run::run(&args, &global),
        Command::Plan(args) => plan::plan(&args, &global),
        Command::Check(args) => check::check(&args, &global),
        Command::Status(args) => status::status(&args, &global),
        Command::Explain(args) => explain::explain(&args, &global),
        Command::Ledger(command) => ledger::ledger(&command, &global),
        Command::Snapshots(command) => snapshots::snapshots(&command, &global),
        Command::Plugin(command) => plugin::plugin(&command, &global),
    };
    outcome.unwrap_or_else(|refused| refused.show(&global))
}
