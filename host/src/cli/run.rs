//! `meterhost run`: bills what is due.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::page::Page;
use super::shared::{Refused, Workshop, missing_secrets, print, style};
use super::{Global, PipelineArgs};
use crate::config::{ConfigErrors, Pipeline, first_window};
use crate::failpoint::failpoint;
use crate::ledger::{Identity, Ledger, Place};
use crate::model::window::{Window, WindowKind};
use crate::pipeline::{self, LastBill, Options, Watch};
use crate::report::progress::{BesideTheBar, Mode, Progress};
use crate::report::{Exit, Report};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) pipeline: PipelineArgs,
    /// Change nothing; show what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
    /// With --dry-run: write what would be done as a page, too
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Wait so long for another run to end, such as 10m; without it exit 5
    #[arg(long, value_name = "TIME", value_parser = crate::config::parse_duration)]
    pub(super) wait: Option<Duration>,
    /// Bill all that this customer owes, at once and for good, as the report names them: their contract ends
    #[arg(long = "final", value_name = "CUSTOMER", requires = "until", conflicts_with = "window")]
    pub(super) last: Option<String>,
    /// With --final: bill usage before this time, as RFC 3339, in UTC
    #[arg(long, value_name = "TIME", requires = "last")]
    pub(super) until: Option<Timestamp>,
    /// Publish this month again, such as 2025-06, though nothing of it changed: for sinks of complete sets
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["last", "window"])]
    pub(super) republish: Option<String>,
}

impl RunArgs {
    fn last_bill(&self) -> Result<Option<LastBill>, Refused> {
        let Some((customer, until)) = self.last.clone().zip(self.until) else { return Ok(None) };
        if until.subsec_nanosecond() != 0 {
            let text = "--until: give it in whole seconds".to_owned();
            return Err(Refused::Other(Exit::Configuration, text));
        }
        if until > self.pipeline.now() {
            let text = format!("--until: {until} is still to come: what is used until then is not there yet");
            return Err(Refused::Other(Exit::Configuration, text));
        }
        Ok(Some(LastBill { customer, until }))
    }
}

pub(super) fn run(args: &RunArgs, global: &Global) -> Result<Exit, Refused> {
    let pipeline = args.pipeline.pipeline()?;
    let window = args.pipeline.window(&pipeline)?;
    let last = args.last_bill()?;
    let republish = args.republish.as_deref().map(month).transpose()?;
    let dry_run = args.dry_run || pipeline.dry_run;
    if let Some(window) = window.filter(|window| !dry_run && !pipeline.is_due(window, args.pipeline.now())) {
        let due =
            window.end().checked_add(pipeline.grace).map_or_else(|_| String::new(), |due| format!(" before {due:.0}"));
        let text = format!(
            "--window: {} is not due{due}, and what is billed of a window now is all that is ever billed of it; `plan` shows it",
            window.label()
        );
        return Err(Refused::Other(Exit::Configuration, text));
    }
    if args.html.is_some() && !dry_run {
        let text = "--html: a page is made of a plan; add --dry-run, or use `plan`";
        return Err(Refused::Other(Exit::Configuration, text.to_owned()));
    }
    let page = args.html.as_deref().map(Page::at).transpose()?;
    let workshop = Workshop::open(global)?;
    if let Some(window) = &window {
        let place = Place::of(&pipeline.ledger, &workshop.broker)?;
        not_before_the_first(&pipeline, &place, window, args.pipeline.now())?;
    }
    if !dry_run {
        missing_secrets(&pipeline).map_or(Ok(()), |missing| Err(Refused::from(missing)))?;
    }
    let setup = workshop.set_up(pipeline)?;
    if republish.is_some() && !setup.pipeline.sinks.iter().any(|sink| sink.publishes) {
        let text = "--republish: the pipeline has no sink that publishes complete sets".to_owned();
        return Err(Refused::Other(Exit::Configuration, text));
    }
    if last.is_some() && setup.pipeline.sinks.iter().all(|sink| sink.publishes) {
        let text = "--final: the pipeline's sinks publish complete sets, and bill no customer alone".to_owned();
        return Err(Refused::Other(Exit::Configuration, text));
    }
    let stop = interruptible();
    let progress = Shown(Progress::start(mode(global)));
    let wait = args.wait.unwrap_or_default();
    let now = args.pipeline.now();
    let options = Options { now, window, last, republish, dry_run, wait, stop: &stop, watch: &progress };
    let report = pipeline::run(&setup, &options);
    progress.0.finish();
    let report = report.map_err(|error| Refused::of(&setup.pipeline, error))?;
    let ends = report.exit;
    failpoint("reporting");
    let report = redacted(report, &workshop);
    page.as_ref().map_or(Ok(()), |page| page.write(&report))?;
    say(&report, global);
    if let Some(page) = page.filter(|_| !global.json) {
        print(&format!("\npage: {}\n", page.named().display()));
    }
    failpoint("reported");
    Ok(ends)
}

fn month(label: &str) -> Result<Window, Refused> {
    let month = Window::parse(WindowKind::Month, label);
    month.map_err(|error| Refused::Other(Exit::Configuration, format!("--republish: {error}")))
}

/// Refuses a window before the first one where the file says which that is: another may have billed it, and nothing here knows.
fn not_before_the_first(pipeline: &Pipeline, place: &Place, window: &Window, now: Timestamp) -> Result<(), Refused> {
    let Some(start) = pipeline.start else { return Ok(()) };
    let state = Ledger::state_of(place, &Identity::of(pipeline, None)).map_err(|error| Refused::of(pipeline, error))?;
    let sinks = || pipeline.sinks.iter().map(|sink| sink.plugin.name.as_str());
    let (first, from, help) = match sinks().filter_map(|sink| state.first_window(sink)).min() {
        Some(first) => (
            first,
            "as its ledger remembers",
            "`start` is read while the ledger is new; what lies before it is not this pipeline's to bill",
        ),
        None => {
            (first_window(start, pipeline.window, now), "start", "move `start` back only if nothing else billed it")
        }
    };
    // What was begun is brought to its end, wherever it lies.
    let begun = sinks().any(|sink| state.is_begun(sink, window));
    if first <= *window || begun {
        return Ok(());
    }
    let message = format!("{window} lies before the pipeline's first window, {first} ({from})");
    let span = pipeline.places.span("/start");
    Err(ConfigErrors::at(&pipeline.text, span, message, Some(help.to_owned())).into())
}

fn mode(global: &Global) -> Mode {
    match (global.json, std::io::stderr().is_terminal()) {
        (true, _) => Mode::Silent,
        (false, true) => Mode::Bar,
        (false, false) => Mode::Lines,
    }
}

/// Words that came from outside may repeat a secret; they are the only ones that can.
fn redacted(mut report: Report, workshop: &Workshop) -> Report {
    let redactor = workshop.broker.redactor();
    let clean = |text: &mut String| {
        if let std::borrow::Cow::Owned(redacted) = redactor.redact(text) {
            *text = redacted;
        }
    };
    for problem in &mut report.problems {
        clean(&mut problem.message);
        problem.causes.iter_mut().for_each(clean);
        problem.action.iter_mut().for_each(clean);
        problem.input.iter_mut().for_each(clean);
    }
    for line in report.windows.iter_mut().flat_map(|window| &mut window.lines) {
        line.reason.iter_mut().for_each(clean);
        line.reference.iter_mut().for_each(clean);
    }
    report
}

fn say(report: &Report, global: &Global) {
    if global.json {
        print(&report.render_json());
        return;
    }
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = report.render_text(&mut text, style(global, std::io::stdout().is_terminal()));
    print(&String::from_utf8_lossy(&text));
}

/// A flag that Ctrl-C and SIGTERM set; a second one ends the process at once.
fn interruptible() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
            else {
                return;
            };
            loop {
                tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
                if flag.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(u8::from(Exit::Interrupted)));
                }
                // Where nobody reads any more, there is nobody to tell.
                let _ = writeln!(BesideTheBar, "stopping after the current step; once more to stop at once");
            }
        });
    });
    stop
}

/// Progress on standard error.
struct Shown(Progress);

impl Watch for Shown {
    fn step(&self, what: &str) {
        self.0.step(what);
    }

    fn records(&self, more: u64) {
        self.0.records(more);
    }

    fn charges(&self, done: u64, total: u64) {
        self.0.charges(done, total);
    }
}
