//! `meterhost ledger export`: charges, attempts and outcomes as tables.

use std::path::PathBuf;

use serde_json::json;

use super::shared::{Outside, Refused, print};
use super::{Global, PipelineArgs};
use crate::ledger::{Exported, Format, Identity, Unwritten, export as write};
use crate::report::{Exit, document};

/// Arguments of `ledger export`.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The folder to write to, which is made where there is none
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Only this; without it both
    #[arg(long, value_enum)]
    format: Option<AsFormat>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum AsFormat {
    /// charges.csv, attempts.csv, outcomes.csv
    Csv,
    /// charges.ndjson, attempts.ndjson, outcomes.ndjson
    Ndjson,
}

pub(super) fn export(args: &ExportArgs, global: &Global) -> Result<Exit, Refused> {
    args.pipeline.whole_pipeline()?;
    let pipeline = args.pipeline.pipeline()?;
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let formats: &[Format] = match args.format {
        None => &[Format::Csv, Format::Ndjson],
        Some(AsFormat::Csv) => &[Format::Csv],
        Some(AsFormat::Ndjson) => &[Format::Ndjson],
    };
    let exported = write(&place, &Identity::of(&pipeline, None), &args.to, formats).map_err(|error| match error {
        Unwritten::Ledger(error) => Refused::Ledger(error),
        error => Refused::Other(Exit::Configuration, format!("--to: {error}")),
    })?;
    let Exported { charges, attempts, outcomes } = exported;
    let to = args.to.display();
    match global.json {
        true => print(&document(&json!({
            "pipeline": pipeline.name, "to": to.to_string(),
            "charges": charges, "attempts": attempts, "outcomes": outcomes,
        }))),
        false => print(&format!("{to}: {charges} charges, {attempts} attempts, {outcomes} outcomes\n")),
    }
    Ok(Exit::Final)
}
