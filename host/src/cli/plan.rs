//! `meterhost plan`: `run --dry-run` under a name of its own.

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
}

pub(super) fn plan(args: &PlanArgs, global: &Global) -> Result<Exit, Refused> {
    let PipelineArgs { file, now, window, ledger } = &args.pipeline;
    let pipeline = PipelineArgs { file: file.clone(), now: *now, window: window.clone(), ledger: ledger.clone() };
    run(&RunArgs { pipeline, dry_run: true, wait: None, last: args.last.clone(), until: args.until }, global)
}
