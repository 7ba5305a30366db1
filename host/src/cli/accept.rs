//! `meterhost ledger accept`: goes on with a ledger that does not end where its head says.

use serde_json::json;

use super::confirm::confirmed;
use super::shared::{Outside, Refused, print};
use super::verify::{problems, show};
use super::{Global, PipelineArgs};
use crate::ledger::{Accepting, Claim};
use crate::pipeline::run_id;
use crate::report::{Exit, LedgerEnd, document};

/// Arguments of `ledger accept`.
#[derive(Debug, clap::Args)]
pub(super) struct AcceptArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn accept(args: &AcceptArgs, global: &Global) -> Result<Exit, Refused> {
    args.pipeline.whole_pipeline()?;
    let pipeline = args.pipeline.pipeline()?;
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let say = |says: &str, end: Option<LedgerEnd>| match global.json {
        true => print(&document(&json!({ "pipeline": pipeline.name, "accepted": says, "ledger": end }))),
        false => print(&format!("{says}\n")),
    };
    let accepting = match Accepting::of(&place, place.verify()?) {
        Ok(accepting) => accepting,
        Err(found) if found.damage.is_empty() => {
            let end = found.end.and_then(|head| LedgerEnd::of(&place, head));
            say(&format!("there is nothing to accept: what there is of {} fits its head", place.name()), end);
            return Ok(Exit::Final);
        }
        Err(found) if global.json => return Err(Refused::Problems(Exit::Ledger, problems(&found))),
        Err(found) => {
            show(problems(&found), global);
            return Ok(Exit::Ledger);
        }
    };
    let says = accepting.words();
    confirmed(&says, "Accept this?", args.yes, "nothing was changed")?;
    let end = accepting.accept(&Claim::at_once(&run_id()))?;
    say(&says, end.and_then(|head| LedgerEnd::of(&place, head)));
    Ok(Exit::Final)
}
