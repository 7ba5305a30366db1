//! From what happened to the report.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use super::account::{self, Stand};
use super::advice::{Advice, held_back, held_back_of_sets, open};
use super::anew::waits_for_books;
use super::charges::{Assessed, Assessment};
use super::options::Options;
use super::quantities::quantities;
use super::setup::{Section, Setup};
use super::shown::{shown, stands};
use super::way_out::WaysOut;
use super::works::Work;
use crate::ledger::{ChargeState, LedgerError, Owed, State, resolve_command};
use crate::model::charge::{ChargeId, Key};
use crate::model::window::Window;
use crate::report::{
    Charges, Exit, Incomplete, Items, LedgerEnd, LeftOut, Line, LineState, Problem, PublicationReport, Report,
    WindowReport,
};

/// What a run found, beside its charges.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) exit: Exit,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
    pub(super) next_due: Option<Timestamp>,
    pub(super) incomplete: Vec<Incomplete>,
    /// Whether a sum does not close: nothing is sent then.
    pub(super) is_open: bool,
    /// What became of the months of sinks that publish sets.
    pub(super) publications: Vec<PublicationReport>,
}

impl Findings {
    /// What was found besides.
    pub(super) fn join(&mut self, more: Findings) {
        self.exit = self.exit.and(more.exit);
        self.problems.extend(more.problems);
        self.publications.extend(more.publications);
        self.notes.extend(more.notes);
    }

    pub(super) fn ledger(&mut self, error: &LedgerError) {
        self.exit = self.exit.and(error.exit());
        self.problems.push(Problem {
            step: Some("writing the ledger".to_owned()),
            action: Some(error.action().to_owned()),
            ..Problem::new("ledger", error.to_string())
        });
    }

    /// What is to become of the usage is not all that was made of it, or more: an error of the host itself.
    pub(super) fn does_not_close(&mut self, sum: String) {
        self.problem(Problem {
            step: Some("closing the sum".to_owned()),
            action: Some(
                "report it: this is an error of meterhost itself; nothing was frozen, and nothing is sent".to_owned(),
            ),
            ..Problem::new("sum", sum)
        });
        self.is_open = true;
    }

    /// Whether the ledger cannot be written any more, or is another run's by now: whatever else is tried would only fail again.
    pub(super) fn has_lost_the_ledger(&self) -> bool {
        matches!(self.exit, Exit::Ledger | Exit::Held)
    }

    /// A problem of a plugin, or of what is outside.
    pub(super) fn problem(&mut self, problem: Problem) {
        self.exit = self.exit.and(exit(problem.code));
        self.problems.push(problem);
    }

    /// What a plugin asked for and was not granted, though nothing else speaks of it: it went on without.
    pub(super) fn denials(&mut self, setup: &Setup) {
        for denial in setup.broker.denials() {
            let text = denial.to_string();
            if self.problems.iter().any(|problem| problem.action.as_ref().is_some_and(|action| action.contains(&text)))
            {
                continue;
            }
            let label = setup.sections().find(|section| section.name == denial.plugin).map(Section::label);
            self.problem(Problem {
                plugin: label.or_else(|| Some(denial.plugin.clone())),
                action: Some(text),
                ..Problem::new("denied", "it asked for what its grants do not hold, and went on without")
            });
        }
    }

    /// These windows could not be read at all, and nothing of them was `done`.
    pub(super) fn unread(&mut self, done: &str, mut problem: Problem, windows: &[Window], interrupted: bool) {
        if interrupted {
            self.exit = Exit::Interrupted;
            return;
        }
        let labels: Vec<String> = windows.iter().map(Window::label).collect();
        problem.input.get_or_insert_with(|| labels.join(", "));
        let action = format!("nothing of these windows was {done}; a run reads them again");
        problem.action.get_or_insert(action);
        self.problem(problem);
    }

    /// One window could not be aggregated or checked.
    pub(super) fn failed(&mut self, mut problem: Problem, window: &Window) {
        problem.input.get_or_insert_with(|| window.label());
        self.problem(problem);
    }
}

/// The exit that a problem leads to by itself.
pub fn exit(code: &str) -> Exit {
    match code {
        "interrupted" => Exit::Interrupted,
        "state-document" => Exit::Ledger,
        "identity" => Exit::Configuration,
        "denied" | "configuration" | "sum" => Exit::Plugin,
        code if code.starts_with("plugin-") && code != "plugin-error" => Exit::Plugin,
        _ => Exit::Open,
    }
}

/// Puts the report together. Each work is let go once it is told of.
pub(super) fn report(
    setup: &Setup,
    state: &State,
    options: &Options<'_>,
    run: Option<String>,
    works: Vec<Work>,
    withdrawn: &HashSet<ChargeId>,
    findings: Findings,
) -> Report {
    let shown = |line: &Assessed, charge: Option<&ChargeState>| {
        let is_withdrawn = line.id.is_some_and(|id| withdrawn.contains(&id));
        let mut line = shown(line, charge, run.as_deref(), options.dry_run, is_withdrawn);
        if line.state == LineState::Pending && charge.is_some_and(|charge| waits_for_books(setup, charge)) {
            line.state = LineState::Unknown;
            line.reason.get_or_insert_with(|| "a ledger that is not here any more may have sent it".to_owned());
        }
        line
    };
    let Findings { mut exit, mut problems, notes, next_due, incomplete, is_open: _, publications } = findings;
    let mut windows = Vec::new();
    for work in works {
        let Some(spec) = setup.pipeline.sinks.get(work.sink) else { continue };
        let sink = &spec.plugin.name;
        let frozen = |line: &Assessed| line.id.and_then(|id| state.charge(&id));
        let mut lines: Vec<Line> = work.assessment.lines.iter().map(|line| shown(line, frozen(line))).collect();
        for (line, assessed) in lines.iter_mut().zip(&work.assessment.lines) {
            work.compared.tell(assessed.id, assessed.own, line);
        }
        let stand = |line| {
            let charge = frozen(line);
            let (state, ..) = stands(line, charge, run.as_deref(), options.dry_run, false);
            Stand { line, charge, state }
        };
        let stands: Vec<Stand<'_>> = work.assessment.lines.iter().map(stand).collect();
        // Usage that cannot be read at the moment leaves no line, and its charge may be open in spite of that.
        let stand: HashSet<ChargeId> = work.assessment.lines.iter().filter_map(|line| line.id).collect();
        let others = state.charges_of(sink, &work.window).into_iter().filter(|charge| !charge.is_final());
        lines.extend(others.filter(|charge| !stand.contains(&charge.charge().id())).map(|charge| {
            let mut line = shown(&Assessed::of(charge), Some(charge));
            let own = charge.charge().own().unwrap_or_else(|| charge.charge().exact());
            work.compared.tell(Some(charge.charge().id()), own, &mut line);
            line
        }));
        let charges = counted(&lines);
        let held = !work.assessment.holds.is_empty();
        let mut report = WindowReport {
            window: work.window.label(),
            sink: sink.clone(),
            publishes: spec.publishes,
            settled: !held
                && match options.dry_run {
                    // What a last bill leaves of a window that is not over is billed later.
                    true => {
                        let is_left = options.last.is_some() && !setup.pipeline.is_due(&work.window, options.now);
                        // A month that waits leaves its charges pending, and a run publishes none of them.
                        let waits = spec.publishes && charges.pending > 0;
                        !is_left && !waits && !charges.stay_open(true)
                    }
                    false => state.is_settled(sink, &work.window),
                },
            records: account::items(&work.assessment, &stands),
            quantities: quantities(&work.assessment, &stands),
            charges,
            lines,
            excluded: excluded(&work.assessment),
            compared_with: None,
            missing: Vec::new(),
        };
        work.compared.tell_window(&mut report);
        let label = setup.sinks.get(work.sink).map(|sink| sink.section.label());
        let ways_out = WaysOut::of(&setup.pipeline, &report.window, &work.assessment);
        problems.extend(work.assessment.holds.iter().map(|hold| {
            let held_back = if spec.publishes { held_back_of_sets } else { held_back };
            let mut problem = match hold.code.as_str() {
                // The source found it, whichever sink it keeps from being paid.
                "unreadable" | "quarantined" | "astray" | "conflict" => {
                    held_back(hold, &report.window, Some(&setup.source.label()), "reading")
                }
                _ => held_back(
                    hold,
                    &report.window,
                    label.as_ref(),
                    if spec.publishes { "checking" } else { "freezing" },
                ),
            };
            // It holds nothing any more, and stays open all the same.
            let word = work.assessment.released.iter().find(|(released, _)| released == hold);
            if let Some((_, word)) = word {
                problem.message = format!("{}; what it held was {}", hold.reason, word);
                let then =
                    if spec.publishes { "a run then publishes what it adds" } else { "what it adds is late usage" };
                problem.action = Some(format!("mend it: {then}"));
            }
            if let (Some(action), Some(command)) = (&mut problem.action, ways_out.of_hold(hold)) {
                *action = format!("{action}; or say what is to become of it:\n{command}");
            }
            problem
        }));
        let resolution = setup.sinks.get(work.sink).map(|sink| sink.traits.resolution);
        let advice = Advice { setup, state, resolution };
        // Why a month is not published is told once, and not charge by charge.
        let is_told = |line: &&Line| !(spec.publishes && line.state == LineState::Pending);
        let lines = report.lines.iter().filter(is_told);
        problems.extend(lines.filter_map(|line| open(line, &report.window, label.as_ref(), &advice)));
        if held || report.charges.stay_open(options.dry_run) {
            exit = exit.and(Exit::Open);
        }
        windows.push(report);
    }
    for spec in &setup.pipeline.sinks {
        let sink = setup.sinks.iter().find(|sink| sink.section.name == spec.plugin.section);
        let label = sink.map(|sink| sink.section.label());
        let advice = Advice { setup, state, resolution: sink.map(|sink| sink.traits.resolution) };
        for report in unread(state, &spec.plugin.name, options, &shown, &windows) {
            problems.extend(report.lines.iter().filter_map(|line| open(line, &report.window, label.as_ref(), &advice)));
            if report.charges.stay_open(options.dry_run) {
                exit = exit.and(Exit::Open);
            }
            windows.push(report);
        }
    }
    for charge in state.made_in_part() {
        exit = exit.and(Exit::Open);
        problems.push(left_behind(setup, charge));
    }
    for (sink, owed) in orphans(setup, state) {
        exit = exit.and(Exit::Open);
        problems.push(Problem {
            action: Some("put the sink back under this name: what it owes is offered by nobody else".to_owned()),
            ..Problem::new(
                "open",
                format!("the file has no sink {sink} any more, and it is not at its end: {}", owed.words()),
            )
        });
    }
    windows.sort_by(|left, right| (&left.window, &left.sink).cmp(&(&right.window, &right.sink)));
    // An interrupted or fenced run says what it does; what is open besides shows in the lines.
    Report {
        pipeline: setup.pipeline.name.clone(),
        run,
        dry_run: options.dry_run,
        exit,
        next_due: next_due.map(|due| format!("{due:.0}")),
        incomplete,
        windows,
        publications,
        problems,
        notes,
        ledger: LedgerEnd::of(&setup.place, state.head()),
    }
}

/// That records of a charge stay refused, since it was made anew without them.
fn left_behind(setup: &Setup, charge: &ChargeState) -> Problem {
    let Key { window, customer, dimension, sink, .. } = charge.charge().key();
    let (records, them) = match charge.left() {
        1 => ("1 record that it was made of before stays refused".to_owned(), "it"),
        many => (format!("{many} records that it was made of before stay refused"), "them"),
    };
    let command = resolve_command(&setup.pipeline, charge);
    let spec = setup.pipeline.sinks.iter().find(|spec| spec.plugin.name == *sink);
    let section = spec.and_then(|spec| setup.sinks.iter().find(|sink| sink.section.name == spec.plugin.section));
    Problem {
        plugin: section.map(|sink| sink.section.label()),
        step: Some("delivering".to_owned()),
        input: Some(format!("{}: {dimension} of {customer}", window.label())),
        action: Some(format!(
            "set {them} to pending in the source; or say that nobody is to be billed for {them}:\n{command}"
        )),
        ..Problem::new("rejected", format!("the charge was made anew in part: {records}"))
    }
}

/// Sinks that are not in the file, and what is open of theirs.
fn orphans(setup: &Setup, state: &State) -> BTreeMap<String, Owed> {
    let known = |sink: &str| setup.pipeline.sinks.iter().any(|spec| spec.plugin.name == sink);
    let sinks: BTreeSet<&str> = state.windows().map(|(sink, ..)| sink).filter(|sink| !known(sink)).collect();
    let owed = sinks.into_iter().map(|sink| (sink.to_owned(), state.owed_by(sink)));
    owed.filter(|(_, owed)| !owed.is_nothing()).collect()
}

/// The open charges of windows that were not read in this run: they were offered all the same, or are to be.
fn unread(
    state: &State,
    sink: &str,
    options: &Options<'_>,
    shown: &dyn Fn(&Assessed, Option<&ChargeState>) -> Line,
    read: &[WindowReport],
) -> Vec<WindowReport> {
    let mut reports: Vec<WindowReport> = Vec::new();
    for charge in state.open_charges(sink) {
        let window = charge.charge().key().window;
        let label = window.label();
        let elsewhere = options.window.is_some_and(|only| only != window);
        if elsewhere || read.iter().any(|report| report.sink == sink && report.window == label) {
            continue;
        }
        if reports.last().is_none_or(|report| report.window != label) {
            reports.push(WindowReport {
                window: label,
                sink: sink.to_owned(),
                // Charges of sets are never open one by one.
                publishes: false,
                settled: false,
                records: Items::default(),
                quantities: Vec::new(),
                charges: Charges::default(),
                lines: Vec::new(),
                excluded: Vec::new(),
                compared_with: None,
                missing: Vec::new(),
            });
        }
        if let Some(report) = reports.last_mut() {
            report.lines.push(shown(&Assessed::of(charge), Some(charge)));
        }
    }
    for report in &mut reports {
        report.charges = counted(&report.lines);
    }
    reports
}

fn excluded(assessment: &Assessment) -> Vec<LeftOut> {
    let left_out = assessment.left_out.iter().map(|((rule, dimension), (records, sum))| LeftOut {
        rule: rule.clone(),
        dimension: dimension.clone(),
        records: *records,
        quantity: sum.map(|sum| sum.to_string()),
    });
    left_out.collect()
}

fn counted(lines: &[Line]) -> Charges {
    let mut charges = Charges::default();
    for line in lines {
        let place = match line.state {
            LineState::WouldBill | LineState::Billed => &mut charges.billed,
            LineState::BilledBefore => &mut charges.billed_before,
            LineState::Pending => &mut charges.pending,
            LineState::Rejected => &mut charges.rejected,
            LineState::Unknown => &mut charges.unknown,
            LineState::Held => &mut charges.held,
            LineState::Waived => &mut charges.waived,
            LineState::Zero => &mut charges.zero,
        };
        *place += 1;
    }
    charges
}

impl Charges {
    /// How many are not final.
    pub fn open(&self) -> u64 {
        self.pending + self.rejected + self.unknown + self.held
    }

    /// Whether some are not final; in a dry run, whether some would not be if everything that a run would look up or offer were
    /// accepted.
    fn stay_open(&self, dry_run: bool) -> bool {
        let open = if dry_run { self.rejected + self.held } else { self.open() };
        open > 0
    }
}
