//! `meterhost ledger reopen`: a settled window is computed once more, however long ago it was.

use serde_json::json;

use super::confirm::confirmed;
use super::resolve::user;
use super::shared::{Outside, Refused, escaped, print};
use super::{Global, PipelineArgs};
use crate::ledger::{Claim, Entry, Identity, Ledger, period_of};
use crate::pipeline::run_id;
use crate::report::{Exit, document};

/// Arguments of `ledger reopen`.
#[derive(Debug, clap::Args)]
pub(super) struct ReopenArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// For this sink only
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Why, for whoever reads the ledger later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn reopen(args: &ReopenArgs, global: &Global) -> Result<Exit, Refused> {
    let refused = |text: String| Refused::Other(Exit::Configuration, text);
    let pipeline = args.pipeline.pipeline()?;
    let Some(window) = args.pipeline.window(&pipeline)? else {
        return Err(refused("which window? Say --window".to_owned()));
    };
    let reason = args.reason.trim().to_owned();
    if reason.is_empty() {
        return Err(refused("--reason: say why".to_owned()));
    }
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let identity = Identity::of(&pipeline, None);
    let state = Ledger::state_of(&place, &identity).map_err(|error| Refused::of(&pipeline, error))?;
    let named = |sink: &str| args.sink.as_ref().is_none_or(|named| named == sink);
    let sinks: Vec<&str> =
        pipeline.sinks.iter().map(|sink| sink.plugin.name.as_str()).filter(|sink| named(sink)).collect();
    if let Some(sink) = args.sink.as_ref().filter(|_| sinks.is_empty()) {
        return Err(refused(format!("the file has no sink {sink}")));
    }
    let settled: Vec<String> =
        sinks.iter().filter(|sink| state.is_settled(sink, &window)).map(|sink| (*sink).to_owned()).collect();
    let label = window.label();
    if settled.is_empty() {
        let why = match sinks.iter().any(|sink| state.is_taken_up(sink, &window)) {
            _ if sinks.iter().all(|sink| state.is_closed_elsewhere(sink, &window)) => {
                "another exporter closed it, and nothing of it is billed here"
            }
            true => "it is open: every run computes it",
            false => "no run has taken it up yet",
        };
        return Err(refused(format!("{label} is not settled: {why}")));
    }
    let (publishing, billing): (Vec<&str>, Vec<&str>) =
        settled.iter().map(String::as_str).partition(|sink| state.publishes(sink));
    let mut means = Vec::new();
    if !billing.is_empty() {
        let of = if publishing.is_empty() { String::new() } else { format!(" for {}", billing.join(" and ")) };
        means.push(format!("what was billed{of} stays, and what differs is billed or held as late usage is"));
    }
    for sink in publishing {
        let month = period_of(&window);
        let pinned = state.sets().period(sink, &month).is_some_and(|known| known.pinned.is_some());
        let month = month.label();
        means.push(match pinned {
            false => format!("where that makes a difference, {sink} publishes {month} again: what is not in the usage any more goes away"),
            true => format!("its charges may change, and readers of {month} in {sink} are shown what is pinned until it is released"),
        });
    }
    let says = format!(
        "{label}, settled for {}\nthe next run computes it from all of its usage\n{}\nto be written down, because: {}",
        settled.join(" and "),
        means.join("\n"),
        escaped(&reason)
    );
    confirmed(&says, "Reopen it?", args.yes, "nothing was reopened")?;
    let mut ledger = Ledger::open(&place, &identity, &Claim::at_once(&run_id()))?;
    // A run may have been at it meanwhile: then it is open, and this changes nothing.
    ledger.append(vec![Entry::Reopened { sinks: settled.clone(), window, reason: reason.clone(), by: user() }])?;
    ledger.close()?;
    match global.json {
        true => {
            print(&document(&json!({ "pipeline": pipeline.name, "window": label, "sinks": settled, "reason": reason })))
        }
        false => print(&format!("{says}\n")),
    }
    Ok(Exit::Final)
}
