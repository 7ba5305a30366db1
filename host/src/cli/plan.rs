//! `meterhost plan`: `run --dry-run` under a name of its own.

use std::path::PathBuf;

use super::run::{RunArgs, run};
use super::shared::Refused;
use super::{Global, PipelineArgs};
use crate::report::Exit;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Show what `run --final` would bill
    #[arg(long = "final", value_name = "CUSTOMER", requires = "until", conflicts_with = "window")]
    last: Option<String>,
    /// With --final: usage before this time, as RFC 3339, in UTC
    #[arg(long, value_name = "TIME", requires = "last")]
    until: Option<jiff::Timestamp>,
    /// Write the plan as a page, too: one file of HTML that needs nothing beside it
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) fn plan(args: &PlanArgs, global: &Global) -> Result<Exit, Refused> {
    let PipelineArgs { file, now, window, ledger } = &args.pipeline;
    let pipeline = PipelineArgs { file: file.clone(), now: *now, window: window.clone(), ledger: ledger.clone() };
    let (html, last) = (args.html.clone(), args.last.clone());
    run(&RunArgs { pipeline, dry_run: true, html, wait: None, last, republish: None, until: args.until }, global)
}
