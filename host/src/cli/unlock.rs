//! `meterhost ledger unlock`: takes a ledger away from a run that does not end.

use super::confirm::confirmed;
use super::shared::{Outside, Refused, print};
use super::{Global, PipelineArgs};
use crate::report::{Exit, document};

/// Arguments of `ledger unlock`.
#[derive(Debug, clap::Args)]
pub(super) struct UnlockArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn unlock(args: &UnlockArgs, global: &Global) -> Result<Exit, Refused> {
    let pipeline = args.pipeline.pipeline()?;
    let place = Outside::open().and_then(|outside| Ok((outside.place(&pipeline)?, outside)));
    let (place, _outside) = place?;
    let Some(holder) = place.holder()? else {
        say(global, &format!("nobody holds the ledger {}", place.name()), None);
        return Ok(Exit::Final);
    };
    if !place.can_be_unlocked() {
        let text = format!(
            "the ledger {} is held by {holder}; its lock goes with that process: end it, and the next run goes on",
            place.name()
        );
        return Err(Refused::Other(Exit::Held, text));
    }
    let says = format!(
        "the ledger {} is held by {holder}.\nIf that run is still alive, it sends and writes nothing more once the next one has begun.",
        place.name()
    );
    confirmed(&says, "Take the ledger away from it?", args.yes, "nothing was unlocked")?;
    place.unlock()?;
    say(global, &format!("the ledger {} is free; it was held by {holder}", place.name()), Some(&holder));
    Ok(Exit::Final)
}

fn say(global: &Global, text: &str, unlocked: Option<&str>) {
    match global.json {
        true => print(&document(&serde_json::json!({ "unlocked": unlocked }))),
        false => print(&format!("{text}\n")),
    }
}
