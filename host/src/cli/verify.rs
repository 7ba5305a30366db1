//! `meterhost ledger verify`: whether every entry of the ledger is what was written.

use std::io::IsTerminal as _;

use serde_json::json;

use super::shared::{Outside, Refused, print, report, style};
use super::{Global, PipelineArgs};
use crate::ledger::{Finding, Place, Spot, Verified};
use crate::report::{Exit, LedgerEnd, Problem, Style, document};

/// Arguments of `ledger verify`.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
}

pub(super) fn verify(args: &VerifyArgs, global: &Global) -> Result<Exit, Refused> {
    args.pipeline.whole_pipeline()?;
    let pipeline = args.pipeline.pipeline()?;
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let verified = place.verify()?;
    let problems = problems(&verified);
    let exit = if problems.is_empty() { Exit::Final } else { Exit::Ledger };
    if global.json {
        let end = verified.end.and_then(|head| LedgerEnd::of(&place, head));
        print(&document(&json!({
            "pipeline": pipeline.name,
            "exit": exit,
            "steps": verified.end.map(|head| head.step),
            "ledger": end,
            "problems": problems,
        })));
    } else if problems.is_empty() {
        print(&format!("{}\n", whole(&place, &verified)));
    } else {
        show(problems, global);
    }
    Ok(exit)
}

/// Each thing that is wrong, for a person to see to.
pub(super) fn problems(verified: &Verified) -> Vec<Problem> {
    let problem = |Finding { spot, fault }: Finding| Problem {
        input: Some(spot.to_string()),
        action: Some(action(&spot).to_owned()),
        ..Problem::new("ledger", fault)
    };
    verified.findings().into_iter().map(problem).collect()
}

/// All of them, however many there are: whoever asks wants to know which.
pub(super) fn show(problems: Vec<Problem>, global: &Global) {
    let all = Style { verbose: global.verbose.max(1), ..style(global, std::io::stderr().is_terminal()) };
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = report(Exit::Ledger, problems).render_problems(&mut text, all);
    eprint!("{}", String::from_utf8_lossy(&text));
}

fn whole(place: &Place, verified: &Verified) -> String {
    match verified.end {
        None => format!("there is no ledger at {}", place.name()),
        Some(head) => format!(
            "{} entries in {} steps, whole: ends with entry {}, hash {}",
            head.number, head.step, head.number, head.hash
        ),
    }
}

fn action(spot: &Spot) -> &'static str {
    match spot {
        Spot::File | Spot::Entries(..) => {
            "restore the ledger from a backup, or its objects from their earlier versions; do not delete it, or billed usage is billed again"
        }
        Spot::Object(key) if key == "lease" => {
            "delete the object if no run is under way: it says who holds the ledger, and nothing of what was billed"
        }
        Spot::Object(key) if key.starts_with("snapshots/") => {
            "delete it and the snapshots behind it: the segments hold all that they do, and a later run makes them anew"
        }
        Spot::Object(_) => {
            "restore the object from an earlier version, or take it away if it was never a part of the ledger"
        }
        Spot::Head => {
            "restore the ledger and its head from where they are whole; where that is nowhere, see what `meterhost ledger accept FILE` makes of it"
        }
    }
}
