//! `meterhost ledger resolve`: a person says what became of a charge of which nothing clear is known.

use jiff::Timestamp;
use serde_json::json;

use super::confirm::confirmed;
use super::shared::{Outside, Refused, print};
use super::{Global, PipelineArgs};
use crate::ledger::{
    Claim, Event, Identity, LedgerError, NotToResolve, Place, Sought, Standing, Statement, Trail, Verdict,
};
use crate::pipeline::run_id;
use crate::report::Exit;

/// Arguments of `ledger resolve`.
#[derive(Debug, clap::Args)]
pub(super) struct ResolveArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The charge's id, or at least its first 4 digits
    #[arg(value_name = "CHARGE")]
    charge: Sought,
    /// What became of it
    #[arg(value_enum)]
    verdict: Said,
    /// How you know that, for whoever reads the ledger later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Said {
    /// The service has it, with this quantity: nothing more happens to it
    Billed,
    /// The service does not have it: a run offers it again
    NotBilled,
}

pub(super) fn resolve(args: &ResolveArgs, global: &Global) -> Result<Exit, Refused> {
    args.pipeline.whole_pipeline()?;
    let pipeline = args.pipeline.pipeline()?;
    let reason = args.reason.trim().to_owned();
    if reason.is_empty() {
        return Err(Refused::Other(Exit::Configuration, "--reason: say how you know it".to_owned()));
    }
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let identity = Identity::of(&pipeline, None);
    let verdict = match args.verdict {
        Said::Billed => Verdict::Billed,
        Said::NotBilled => Verdict::NotBilled,
    };
    let trail = Trail::of(&place, &identity, &args.charge).map_err(|error| Refused::of(&pipeline, error))??;
    let charge = trail.charge.charge();
    let (id, words) = (charge.id(), charge.words());
    let refused = |why: NotToResolve| {
        Refused::Other(Exit::Configuration, format!("the charge {id} ({words}) is not resolved: {why}"))
    };
    held(&place, &trail)?;
    trail.charge.can_be_resolved(verdict, Timestamp::now()).map_err(refused)?;
    let by = user();
    let says = says(&trail, verdict, &reason, by.as_deref());
    confirmed(&says, "Write this down? It is never taken back.", args.yes, "nothing was written down")?;
    let statement = Statement { of: trail.charge.clone(), verdict, reason: reason.clone(), by: by.clone() };
    statement.write(&place, &identity, &Claim::at_once(&run_id()))?.map_err(refused)?;
    match global.json {
        true => print(&format!(
            "{:#}\n",
            json!({
                "pipeline": pipeline.name, "charge": id, "verdict": verdict, "quantity": charge.quantity(),
                "reason": reason, "by": by,
            })
        )),
        false => print(&format!("{says}\n")),
    }
    Ok(Exit::Final)
}

/// Refuses where a run has a call with the charge under way: what comes of that is about to be known. On S3 that may be a run that is gone;
/// then its call is over soon.
fn held(place: &Place, trail: &Trail) -> Result<(), Refused> {
    if !matches!(trail.charge.standing(), Standing::InFlight { .. }) {
        return Ok(());
    }
    match place.holder()? {
        Some(holder) if trail.charge.last_over().is_some_and(|over| over > Timestamp::now().as_millisecond()) => {
            Err(LedgerError::Held { place: place.name(), holder }.into())
        }
        _ => Ok(()),
    }
}

/// What is about to be written down, of what, and what follows.
fn says(trail: &Trail, verdict: Verdict, reason: &str, by: Option<&str>) -> String {
    let (charge, standing) = (trail.charge.charge(), trail.charge.standing());
    let mut lines = vec![format!("{}, to {}, the charge {}", charge.words(), charge.key().sink, charge.id())];
    let why = standing.reason().map_or_else(String::new, |reason| format!(": {reason}"));
    lines.push(format!("  it is {}{why}", standing.word()));
    let told = trail.steps.iter().filter(|step| !matches!(step.event, Event::Superseded { .. }));
    lines.extend(told.map(|step| format!("  {:.0}: {}", step.at, step.words())));
    let by = by.map_or_else(String::new, |by| format!(" by {by}"));
    lines.push(format!("to be written down{by}: {}, because: {reason}", verdict.as_str().replace('-', " ")));
    lines.push(
        match verdict {
            Verdict::Billed => "it is final then: no run sends it or looks it up again",
            Verdict::Waived => "it is final then: no run sends it",
            Verdict::NotBilled => {
                "it is pending then: the next run offers the identical charge, and looks it up first where the sink can do that"
            }
        }
        .to_owned(),
    );
    let lines: Vec<String> = lines.iter().map(|line| line.escape_debug().to_string().replace("\\\"", "\"")).collect();
    lines.join("\n")
}

/// Who types, as the system calls them.
fn user() -> Option<String> {
    ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.trim().is_empty()))
}
