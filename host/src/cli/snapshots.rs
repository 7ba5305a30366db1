//! `meterhost snapshots`: what was published, going back to an older set, deleting old ones, emptying a month.

use std::fmt::Write as _;

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::confirm::confirmed;
use super::resolve::user;
use super::shared::{Refused, Workshop, escaped, print};
use super::{Global, PipelineArgs};
use crate::ledger::{Claim, Entry, Identity, Ledger};
use crate::model::window::{Window, WindowKind};
use crate::pipeline::{Archive, Setup, Snapshot, Standing, Stopped, exit_of, run_id, to_prune};
use crate::report::{Exit, Problem, document};

/// What can be done with published sets.
#[derive(Debug, Subcommand)]
pub(super) enum SnapshotsCommand {
    /// Shows what was published, month by month, and what readers are shown.
    List(ListArgs),
    /// Makes an older set of a month current again, until it is released.
    Revert(RevertArgs),
    /// Lets a month be published again as its charges are.
    Release(MonthArgs),
    /// Deletes sets that readers are not shown: those that a crash left behind, those of sinks that are gone for good, and old ones.
    Prune(PruneArgs),
    /// Publishes a month without any charges, until it is released.
    Remove(RemoveArgs),
}

/// Whose sets.
#[derive(Debug, clap::Args)]
pub(super) struct WhoseArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Of this sink only; needed where several publish sets and one is to change
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
}

/// Arguments of `snapshots list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// Of this month only: 2025-06
    #[arg(long, value_name = "MONTH")]
    period: Option<String>,
}

/// Arguments of `snapshots release`.
#[derive(Debug, clap::Args)]
pub(super) struct MonthArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// The month: 2025-06
    #[arg(long, value_name = "MONTH")]
    period: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Arguments of `snapshots remove`.
#[derive(Debug, clap::Args)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    month: MonthArgs,
    /// Why, for whoever reads the ledger later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Arguments of `snapshots revert`.
#[derive(Debug, clap::Args)]
pub(super) struct RevertArgs {
    #[command(flatten)]
    removed: RemoveArgs,
    /// The set, as `snapshots list` names it
    #[arg(long, value_name = "ID")]
    to: String,
}

/// Arguments of `snapshots prune`.
#[derive(Debug, clap::Args)]
pub(super) struct PruneArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// Of this month only: 2025-06
    #[arg(long, value_name = "MONTH")]
    period: Option<String>,
    /// How many sets of a month are kept besides the one that readers are shown
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    keep: usize,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

fn refused(text: impl Into<String>) -> Refused {
    Refused::Other(Exit::Configuration, text.into())
}

fn failed(problem: Problem) -> Refused {
    Refused::Problems(exit_of(problem.code), vec![problem])
}

impl From<Stopped> for Refused {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Ledger(error) => error.into(),
            Stopped::Problem(problem) => failed(problem),
            Stopped::Interrupted => Refused::Other(Exit::Interrupted, "interrupted".to_owned()),
        }
    }
}

pub(super) fn snapshots(command: &SnapshotsCommand, global: &Global) -> Result<Exit, Refused> {
    match command {
        SnapshotsCommand::List(args) => list(args, global),
        SnapshotsCommand::Revert(args) => revert(args, global),
        SnapshotsCommand::Release(args) => release(args, global),
        SnapshotsCommand::Prune(args) => prune(args, global),
        SnapshotsCommand::Remove(args) => remove(args, global),
    }
}

fn month(label: &str) -> Result<Window, Refused> {
    Window::parse(WindowKind::Month, label).map_err(|error| refused(format!("--period: {error}")))
}

fn reason(text: &str) -> Result<String, Refused> {
    let reason = text.trim().to_owned();
    if reason.is_empty() { Err(refused("--reason: say why")) } else { Ok(reason) }
}

impl WhoseArgs {
    fn set_up(&self, workshop: &Workshop) -> Result<Setup, Refused> {
        self.pipeline.whole_pipeline()?;
        workshop.set_up(self.pipeline.pipeline()?)
    }

    /// The sinks that publish sets, or the one that was named.
    fn archives<'a>(&self, setup: &'a Setup) -> Result<Vec<Archive<'a>>, Refused> {
        let mut all = Archive::all(setup, self.pipeline.now());
        if all.is_empty() {
            return Err(refused("no sink of this pipeline publishes complete sets"));
        }
        if let Some(name) = &self.sink {
            let names: Vec<String> = all.iter().map(|archive| archive.name().to_owned()).collect();
            all.retain(|archive| archive.name() == name);
            if all.is_empty() {
                let names = names.join(", ");
                return Err(refused(format!(
                    "--sink: no sink {} publishes complete sets; {names} does",
                    escaped(name)
                )));
            }
        }
        Ok(all)
    }

    /// The one sink that something is to be changed of.
    fn archive<'a>(&self, setup: &'a Setup) -> Result<Archive<'a>, Refused> {
        let mut all = self.archives(setup)?;
        match (all.pop(), all.is_empty()) {
            (Some(archive), true) => Ok(archive),
            _ => Err(refused("which sink? Several publish complete sets: say --sink")),
        }
    }

    /// To be written to. One that is not there is not made: a pipeline that never ran has published nothing that could be changed.
    fn open(&self, setup: &Setup) -> Result<Ledger, Refused> {
        if let Some(why) = self.no_ledger(setup)? {
            return Err(refused(why));
        }
        let identity = Identity::of(&setup.pipeline, None);
        let opened = Ledger::open(&setup.place, &identity, &Claim::at_once(&run_id()));
        opened.map_err(|error| Refused::of(&setup.pipeline, error))
    }

    /// That there is no ledger of the pipeline yet, if that is so.
    fn no_ledger(&self, setup: &Setup) -> Result<Option<String>, Refused> {
        let identity = Identity::of(&setup.pipeline, None);
        let state = Ledger::state_of(&setup.place, &identity).map_err(|error| Refused::of(&setup.pipeline, error))?;
        let (place, name) = (setup.place.name(), escaped(&setup.pipeline.name));
        let why = || format!("there is no ledger of `{name}` at {place} yet: nothing was published");
        Ok(state.window_kind().is_none().then(why))
    }
}

fn list(args: &ListArgs, global: &Global) -> Result<Exit, Refused> {
    let period = args.period.as_deref().map(month).transpose()?;
    let workshop = Workshop::open(global)?;
    let setup = args.whose.set_up(&workshop)?;
    let identity = Identity::of(&setup.pipeline, None);
    let state = Ledger::state_of(&setup.place, &identity).map_err(|error| Refused::of(&setup.pipeline, error))?;
    let mut sets = Vec::new();
    for archive in args.whose.archives(&setup)? {
        let listed = archive.list(&state, period.as_ref());
        sets.extend(listed.map_err(failed)?);
    }
    match global.json {
        true => print(&document(&json!({ "pipeline": setup.pipeline.name, "snapshots": sets }))),
        false => print(&table(&sets)),
    }
    Ok(Exit::Final)
}

/// The sets, a line each.
fn table(sets: &[Snapshot]) -> String {
    if sets.is_empty() {
        return "nothing was published yet\n".to_owned();
    }
    let mut text = String::new();
    for month in sets.chunk_by(|left, right| (&left.sink, left.period) == (&right.sink, right.period)) {
        let Some(first) = month.first() else { continue };
        let _ = writeln!(text, "{} of {}", first.period.label(), escaped(&first.sink));
        for set in month {
            let _ = writeln!(text, "  {}", line(set));
        }
    }
    text
}

fn line(set: &Snapshot) -> String {
    let word = match set.standing {
        Standing::Current => "current",
        Standing::Kept => "kept",
        Standing::LeftBehind => "left behind",
        Standing::Retired => "retired",
        Standing::Foreign => "not ours",
        Standing::Gone => "gone",
    };
    let mut text = format!("{:<24} {word:<11}", escaped(&set.id));
    match set.charges {
        Some(charges) => text += &format!(" {charges:>9} charges"),
        None => text += &format!(" {:>9}        ", ""),
    }
    text += &format!(" {:>3} files {:>12} bytes", set.files, set.bytes);
    for (name, total) in set.totals.iter().take(1) {
        text += &format!("  {} {total}", escaped(name));
    }
    if let Some(whose) = &set.whose {
        text += &format!("  {}", escaped(whose));
    }
    if let Some(pinned) = &set.pinned {
        text += &format!("  pinned: {}", escaped(pinned));
    }
    text.trim_end().to_owned()
}

/// The sets of a month as they are, while nobody else can change them.
fn sets(archive: &Archive<'_>, ledger: &Ledger, period: Option<&Window>) -> Result<Vec<Snapshot>, Refused> {
    archive.list(ledger.state(), period).map_err(failed)
}

fn said(global: &Global, setup: &Setup, what: Json, text: &str) {
    match global.json {
        true => print(&document(&json!({ "pipeline": setup.pipeline.name, "snapshots": what }))),
        false => print(&format!("{text}\n")),
    }
}

fn revert(args: &RevertArgs, global: &Global) -> Result<Exit, Refused> {
    let RemoveArgs { month: MonthArgs { whose, period, yes }, reason: why } = &args.removed;
    let (period, why) = (month(period)?, reason(why)?);
    let workshop = Workshop::open(global)?;
    let setup = whose.set_up(&workshop)?;
    let archive = whose.archive(&setup)?;
    let mut ledger = whose.open(&setup)?;
    let all = sets(&archive, &ledger, Some(&period))?;
    let found = all.iter().find(|set| set.id == args.to && set.files > 0 && set.standing != Standing::Gone);
    let Some(set) = found else {
        let ids: Vec<String> = all.iter().filter(|set| set.files > 0).map(|set| escaped(&set.id)).collect();
        let there = if ids.is_empty() { "there is none".to_owned() } else { format!("there is {}", ids.join(", ")) };
        return Err(refused(format!("{} has no set {}; {there}", period.label(), escaped(&args.to))));
    };
    if !set.is_there {
        return Err(refused(format!("{} publishes to a place that keeps no earlier sets", archive.name())));
    }
    if set.standing == Standing::LeftBehind {
        return Err(refused(format!("{} is not whole: its publication broke off", escaped(&set.id))));
    }
    let known = ledger.state().sets().period(archive.name(), &period);
    if let Some(whose) = set.whose.as_ref().filter(|_| known.is_some_and(|known| known.publication(&set.id).is_some()))
    {
        return Err(refused(format!("nothing was changed: {}", escaped(whose))));
    }
    let text = format!(
        "readers of {} in {} are shown {}, until `meterhost snapshots release` says otherwise\nis to be written down, because: {}",
        period.label(),
        archive.name(),
        line(set),
        escaped(&why)
    );
    confirmed(&text, "Go back to it?", *yes, "nothing was changed")?;
    archive.revert(&mut ledger, period, &set.id, (why, user()))?;
    ledger.close()?;
    said(
        global,
        &setup,
        json!([{ "sink": archive.name(), "period": period, "id": set.id, "standing": "current" }]),
        &text,
    );
    Ok(Exit::Final)
}

fn release(args: &MonthArgs, global: &Global) -> Result<Exit, Refused> {
    let period = month(&args.period)?;
    let workshop = Workshop::open(global)?;
    let setup = args.whose.set_up(&workshop)?;
    let archive = args.whose.archive(&setup)?;
    let mut ledger = args.whose.open(&setup)?;
    let known = ledger.state().sets().period(archive.name(), &period);
    let Some(pinned) = known.and_then(|known| known.pinned.clone()) else {
        return Err(refused(format!("{} of {} is not pinned", period.label(), archive.name())));
    };
    let text = format!(
        "{} of {}, pinned because: {}\nthe next run publishes it as its charges are",
        period.label(),
        archive.name(),
        escaped(&pinned)
    );
    confirmed(&text, "Release it?", args.yes, "nothing was released")?;
    ledger.append(vec![Entry::Released { sink: archive.name().to_owned(), period, by: user() }])?;
    ledger.close()?;
    said(global, &setup, json!([{ "sink": archive.name(), "period": period, "pinned": false }]), &text);
    Ok(Exit::Final)
}

fn prune(args: &PruneArgs, global: &Global) -> Result<Exit, Refused> {
    let period = args.period.as_deref().map(month).transpose()?;
    let workshop = Workshop::open(global)?;
    let setup = args.whose.set_up(&workshop)?;
    let archives = args.whose.archives(&setup)?;
    if let Some(why) = args.whose.no_ledger(&setup)? {
        said(global, &setup, json!([]), &why);
        return Ok(Exit::Final);
    }
    let mut ledger = args.whose.open(&setup)?;
    let (mut pruned, mut foreign) = (Vec::new(), 0);
    for archive in &archives {
        let found = sets(archive, &ledger, period.as_ref())?;
        let forgotten = archive.forgotten(ledger.state(), &found, period.as_ref());
        if !forgotten.is_empty() {
            ledger.append(forgotten)?;
        }
        foreign += found.iter().filter(|set| set.standing == Standing::Foreign).count();
        pruned.push(to_prune(&found, args.keep));
    }
    let all: Vec<Snapshot> = pruned.iter().flatten().cloned().collect();
    let stays = match foreign {
        0 => String::new(),
        1 => "\none that others published stays: `meterhost snapshots list` says why".to_owned(),
        many => format!("\n{many} that others published stay: `meterhost snapshots list` says why"),
    };
    if all.is_empty() {
        ledger.close()?;
        said(global, &setup, json!([]), &format!("there is nothing to delete{stays}"));
        return Ok(Exit::Final);
    }
    let text = format!("to be deleted for good:\n{}{stays}", table(&all).trim_end());
    confirmed(&text, "Delete them?", args.yes, "nothing was deleted")?;
    for (archive, sets) in archives.iter().zip(&pruned).filter(|(_, sets)| !sets.is_empty()) {
        archive.prune(&mut ledger, sets, user())?;
    }
    ledger.close()?;
    said(global, &setup, json!(all), &text);
    Ok(Exit::Final)
}

fn remove(args: &RemoveArgs, global: &Global) -> Result<Exit, Refused> {
    let RemoveArgs { month: MonthArgs { whose, period, yes }, reason: why } = args;
    let (period, why) = (month(period)?, reason(why)?);
    let workshop = Workshop::open(global)?;
    let setup = whose.set_up(&workshop)?;
    let archive = whose.archive(&setup)?;
    let mut ledger = whose.open(&setup)?;
    let all = sets(&archive, &ledger, Some(&period))?;
    let Some(set) = all.iter().find(|set| set.standing == Standing::Current) else {
        return Err(refused(format!("nothing of {} was published for {}", period.label(), archive.name())));
    };
    if let Some(whose) = set.whose.as_ref().filter(|_| !set.is_own) {
        return Err(refused(format!(
            "readers of {} are shown {}, which {} did not publish: {}\nsee whose it is before anything takes its place; a run of this \
             pipeline publishes what it has of the month, and that can be emptied",
            period.label(),
            escaped(&set.id),
            archive.name(),
            escaped(whose)
        )));
    }
    let text = format!(
        "readers of {} in {} are shown no charges, until `meterhost snapshots release` says otherwise\ninstead of {}\nis to be written down, because: {}",
        period.label(),
        archive.name(),
        line(set),
        escaped(&why)
    );
    confirmed(&text, "Empty it?", *yes, "nothing was changed")?;
    let id = archive.empty(&mut ledger, period, (why, user()))?;
    ledger.close()?;
    said(global, &setup, json!([{ "sink": archive.name(), "period": period, "id": id, "standing": "current" }]), &text);
    Ok(Exit::Final)
}
