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
    /// Write the plan as a page, too: one file of HTML that needs nothing beside it
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) fn plan(args: &PlanArgs, global: &Global) -> Result<Exit, Refused> {
    let PipelineArgs { file, now, window, ledger } = &args.pipeline;
    let pipeline = PipelineArgs { file: file.clone(), now: *now, window: window.clone(), ledger: ledger.clone() };
    run(&RunArgs { pipeline, dry_run: true, html: args.html.clone(), wait: None }, global)
}
