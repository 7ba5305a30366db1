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
}

pub(super) fn plan(args: &PlanArgs, global: &Global) -> Result<Exit, Refused> {
    let PipelineArgs { file, now, window, ledger } = &args.pipeline;
    let pipeline = PipelineArgs { file: file.clone(), now: *now, window: window.clone(), ledger: ledger.clone() };
    run(&RunArgs { pipeline, dry_run: true, wait: None }, global)
}
