//! `meterhost ledger rename`: tells the ledger that something is the same under another name.

use super::confirm::confirmed;
use super::shared::{Outside, Refused, print};
use super::{Global, PipelineArgs};
use crate::config::{MirrorForm, MirrorSpec, Pipeline};
use crate::ledger::{Claim, Entry, Identity, Ledger, Named, Place, State};
use crate::model::window::Window;
use crate::pipeline::run_id;
use crate::report::{Exit, document};

/// Arguments of `ledger rename`.
#[derive(Debug, clap::Args)]
pub(super) struct RenameArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The name that the pipeline had before; the file has its new one
    #[arg(long = "pipeline", value_name = "OLD")]
    renamed: Option<String>,
    /// A sink that is the same under another name, which stands in the file; may be given several times
    #[arg(long = "sink", value_name = "OLD=NEW", value_parser = pair)]
    sinks: Vec<(String, String)>,
    /// The same of an aggregate
    #[arg(long = "aggregate", value_name = "OLD=NEW", value_parser = pair)]
    aggregates: Vec<(String, String)>,
    /// A sink that is gone for good; those that are new in the file are other services, and begin with the window after its last
    #[arg(long = "retire", value_name = "OLD")]
    retired: Vec<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(from, to)| !from.is_empty() && !to.is_empty() && from != to);
    pair.map(|(from, to)| (from.to_owned(), to.to_owned())).ok_or_else(|| "say OLD=NEW".to_owned())
}

pub(super) fn rename(args: &RenameArgs, global: &Global) -> Result<Exit, Refused> {
    args.pipeline.whole_pipeline()?;
    let pipeline = args.pipeline.pipeline()?;
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let (identity, state) = known(args, &pipeline, &place)?;
    let Changes { entries, says } = Changes::of(args, &pipeline, &state)?;
    confirmed(&says.join("\n"), "Is that so? It is written down for good.", args.yes, "nothing was renamed")?;
    let mut ledger = Ledger::open(&place, &identity, &Claim::at_once(&run_id()))?;
    // A run may have ended since it was asked.
    if Changes::of(args, &pipeline, ledger.state())?.says != says {
        ledger.close()?;
        return refused(
            "the ledger was written to meanwhile, and nothing was renamed: see what it means now".to_owned(),
        );
    }
    let says = says.join("\n");
    match args.renamed {
        Some(_) => ledger.rename_pipeline(&pipeline.name, entries)?,
        None => ledger.append(entries)?,
    }
    ledger.close()?;
    match global.json {
        true => print(&document(&serde_json::json!({ "pipeline": pipeline.name, "renamed": says }))),
        false => print(&format!("{says}\n")),
    }
    Ok(Exit::Final)
}

fn refused<T>(text: String) -> Result<T, Refused> {
    Err(Refused::Other(Exit::Configuration, text))
}

/// The pipeline under the name that the ledger knows, and what it knows of it.
fn known(args: &RenameArgs, pipeline: &Pipeline, place: &Place) -> Result<(Identity, State), Refused> {
    let new = Identity::of(pipeline, None);
    let under = |identity: &Identity| Ledger::state_of(place, identity).map_err(|error| Refused::of(pipeline, error));
    let name = args.renamed.as_ref().unwrap_or(&pipeline.name);
    let old = Identity { pipeline: name.clone(), ..new.clone() };
    if args.renamed.is_some() && *name == pipeline.name {
        return refused(format!("the file still has the name `{name}`: write the new one there first"));
    }
    let state = under(&old)?;
    if state.window_kind().is_none() {
        let place = place.name();
        return refused(format!(
            "the ledger {place} knows no pipeline `{name}`; without `ledger` it is the file NAME.ledger.db: bring that, and the .head \
             beside it, under its new name first, or say where it is with `ledger` or --ledger"
        ));
    }
    if args.renamed.is_some() {
        let taken = under(&new)?;
        let new = &pipeline.name;
        if taken.window_kind().is_some() {
            return refused(format!("the ledger knows a pipeline `{new}` already, and two cannot become one"));
        }
        if let Some(now) = taken.renamed_to().filter(|now| now != name) {
            return refused(format!(
                "the name `{new}` was that of the pipeline `{now}`, and stands in the ids of its charges: take another"
            ));
        }
    }
    Ok((old, state))
}

/// What is to be written down, and what that means, for a person.
#[derive(Default)]
struct Changes {
    entries: Vec<Entry>,
    says: Vec<String>,
}

impl Changes {
    fn of(args: &RenameArgs, pipeline: &Pipeline, state: &State) -> Result<Changes, Refused> {
        let mut changes = Changes::default();
        if let Some(old) = &args.renamed {
            let counts = state.known_sinks().into_iter().map(|sink| counts(state, sink));
            let (windows, charges) =
                counts.fold((0, 0), |(windows, charges), (more, further)| (windows + more, charges + further));
            changes.says.push(format!(
                "the pipeline `{old}` is called `{}` from here on: {} in {} are its own",
                pipeline.name,
                count(charges, "charge"),
                count(windows, "window")
            ));
            let shared = |mirror: &&MirrorSpec| mirror.form == MirrorForm::Shared && mirror.key == pipeline.name;
            if let Some(mirror) = pipeline.mirror.as_ref().filter(shared) {
                changes.says.push(format!(
                    "its entry in the state document {} is still `{old}`: say key = \"{old}\" in `mirror`, or a run stops",
                    mirror.url.value
                ));
            }
        }
        let sinks: Vec<&str> = pipeline.sinks.iter().map(|sink| sink.plugin.name.as_str()).collect();
        for (from, to) in &args.sinks {
            fits("sink", from, to, &state.known_sinks(), &sinks)?;
            if state.is_retired(from) {
                return refused(format!("the sink {from} is gone for good, as was written down: it has no other name"));
            }
            if let Some(now) = state.had_sink(to).filter(|now| now != from) {
                return refused(format!(
                    "the name {to} was that of the sink {now}, and stands in the ids of its charges: take another"
                ));
            }
            let (windows, charges) = counts(state, from);
            let (charges, windows) = (count(charges, "charge"), count(windows, "window"));
            let text = format!("the sink {from} is called {to} from here on: {charges} in {windows} are its own");
            changes.renamed(Named::Sink, from, to, text);
        }
        let aggregates: Vec<&str> =
            pipeline.aggregates.iter().map(|aggregate| aggregate.plugin.name.as_str()).collect();
        for (from, to) in &args.aggregates {
            fits("aggregate", from, to, &state.known_aggregates(), &aggregates)?;
            let text = format!("the aggregate {from} is called {to} from here on");
            changes.renamed(Named::Aggregate, from, to, text);
        }
        let is_renamed = |sink: &str| args.sinks.iter().any(|(_, to)| to == sink);
        let mut others: Vec<&str> =
            sinks.iter().copied().filter(|sink| !state.knows_sink(sink) && !is_renamed(sink)).collect();
        for sink in &args.retired {
            changes.retired(state, &sinks, sink, std::mem::take(&mut others))?;
        }
        match changes.says.is_empty() {
            true => refused(
                "say what has another name: --pipeline OLD, --sink OLD=NEW, --aggregate OLD=NEW; or what is gone: --retire OLD"
                    .to_owned(),
            ),
            false => Ok(changes),
        }
    }

    fn renamed(&mut self, what: Named, from: &str, to: &str, text: String) {
        self.entries.push(Entry::Renamed { what, from: from.to_owned(), to: to.to_owned() });
        self.says.push(text);
    }

    fn retired(&mut self, state: &State, sinks: &[&str], sink: &str, others: Vec<&str>) -> Result<(), Refused> {
        if !state.knows_sink(sink) {
            return refused(unknown("sink", sink, &state.known_sinks()));
        }
        if sinks.contains(&sink) {
            return refused(format!("the file still has the sink {sink}"));
        }
        let owed = state.owed_by(sink);
        if !owed.is_nothing() {
            return refused(format!(
                "the sink {sink} is not at its end: {}; put it back into the file until there is none",
                owed.words()
            ));
        }
        if let Some((_, window, _)) = state.windows().find(|(of, _, known)| *of == sink && !known.settled) {
            return refused(format!(
                "the sink {sink} is not at its end: {window} was taken up for it, and not settled; put it back into the file until it is"
            ));
        }
        let first = state.next_window(sink);
        let begin = match (others.join(", "), first) {
            (others, Some(first)) if !others.is_empty() => format!("; {others} begins with {}", first.label()),
            _ => String::new(),
        };
        self.says.push(match state.publishes(sink) {
            false => format!("the sink {sink} is gone for good, and what it billed stays billed{begin}"),
            true => {
                let months = if begin.is_empty() { "" } else { ", or with that month's first window if it publishes complete sets" };
                format!(
                    "the sink {sink} is gone for good: readers are shown what it published last, until another publishes in its \
                     place{begin}{months}"
                )
            }
        });
        let left = state.remainders().into_iter().filter(|(lane, _)| lane.sink == sink);
        self.says.extend(left.map(|(lane, left)| {
            format!("{left} of {} for {}, which rounding left over, is billed by nobody", lane.dimension, lane.customer)
        }));
        let others = others.into_iter().map(str::to_owned).collect();
        self.entries.push(Entry::Retired { sink: sink.to_owned(), others, first });
        Ok(())
    }
}

/// Whether the old name is the ledger's alone, and the new one the file's alone.
fn fits(what: &str, from: &str, to: &str, known: &[&str], file: &[&str]) -> Result<(), Refused> {
    if !known.contains(&from) {
        return refused(unknown(what, from, known));
    }
    if file.contains(&from) {
        return refused(format!("the file still has the {what} {from}: write the new name there first"));
    }
    if !file.contains(&to) {
        return refused(format!("the file has no {what} {to}; it has {}", file.join(", ")));
    }
    if known.contains(&to) {
        return refused(format!("the ledger knows a {what} {to} already, and two cannot become one"));
    }
    Ok(())
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    format!("the ledger knows no {what} {name}; it knows {}", known.join(", "))
}

/// How many windows and charges a sink has.
fn counts(state: &State, sink: &str) -> (u64, u64) {
    let windows = state.windows().filter(|(of, ..)| *of == sink).map(|(_, window, _)| window);
    let charges = |window: &Window| state.charges_of(sink, window).len() as u64 + state.set_charges(sink, window);
    windows.fold((0, 0), |(windows, all), window| (windows + 1, all + charges(window)))
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
