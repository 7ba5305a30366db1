//! Which windows a run takes up.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::complete::Complete;
use super::objections::is_last;
use super::options::Options;
use super::queue::{Intake, cutoff};
use super::setup::Setup;
use crate::config::{Pipeline, SinkSpec, Start, first_window};
use crate::ledger::{SetPart, State, WindowState};
use crate::model::window::{Window, WindowKind};

/// The windows of a run, ascending.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// Due, and not settled for each sink.
    pub(super) open: Vec<Window>,
    /// Settled for each sink, and young enough to be looked at again.
    pub(super) settled: Vec<Window>,
    /// Closed by another exporter, and young enough to be looked at again.
    pub(super) closed: Vec<Window>,
    /// They would be due, or something of them is held, and their data is not complete.
    pub(super) incomplete: Vec<Window>,
    /// Settled, and would be looked at again if their data were complete.
    pub(super) unchecked: Vec<Window>,
    /// Where the pipeline begins.
    pub(super) first: Option<Window>,
    /// When the first window that is not due yet will be.
    pub(super) next: Option<Timestamp>,
    /// How many would be due and wait for later runs, because of `max_windows`.
    pub(super) waiting: u64,
}

impl Due {
    /// Whether a run would have nothing to do, even if all data were complete.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.settled.is_empty() && self.incomplete.is_empty()
    }
}

/// Picks the windows of a run at `now`. With `only`, that window alone, settled or not, due or not; of one that is due, the data has
/// to be complete.
pub(super) fn due(
    pipeline: &Pipeline,
    state: &State,
    now: Timestamp,
    only: Option<&Window>,
    complete: &Complete,
) -> Due {
    if let Some(only) = only {
        let elsewhere = |sink: &SinkSpec| state.is_closed_elsewhere(&sink.plugin.name, only);
        if pipeline.sinks.iter().all(elsewhere) {
            return Due { closed: vec![*only], ..Due::default() };
        }
        let first = first(pipeline, now).filter(|first| first <= only);
        let back = look_back(pipeline, now);
        let settled = pipeline.sinks.iter().all(|sink| elsewhere(sink) || is_done(state, sink, only, back));
        let windows = vec![*only];
        return match settled {
            _ if pipeline.is_due(only, now) && !complete.covers(only) => {
                Due { incomplete: windows, first, ..Due::default() }
            }
            true => Due { settled: windows, first, ..Due::default() },
            false => Due { open: windows, first, ..Due::default() },
        };
    }
    let begins = begins(pipeline, state, now);
    let Some(first) = begins.iter().flatten().min().copied() else { return Due::default() };
    let back = look_back(pipeline, now);
    let mut due = Due { first: Some(first), ..Due::default() };
    let mut fresh = 0;
    due.closed = closed(pipeline, state, back);
    // What may have been billed is to be looked up, though its window was closed.
    let in_doubt: BTreeSet<Window> =
        pipeline.sinks.iter().flat_map(|sink| state.imported().open_windows(&sink.plugin.name)).collect();
    let in_doubt = in_doubt.into_iter().filter(|window| *window < first);
    for window in in_doubt.chain(std::iter::successors(Some(first), Window::next)) {
        if !pipeline.is_due(&window, now) {
            due.next = window.end().checked_add(pipeline.grace).ok();
            break;
        }
        let sinks = pipeline.sinks.iter().zip(&begins);
        let mut owing = sinks.filter(|(sink, begins)| owes(state, &sink.plugin.name, **begins, &window)).peekable();
        if owing.peek().is_none() {
            continue;
        }
        let settled = owing.all(|(sink, _)| is_done(state, sink, &window, back));
        if !complete.covers(&window) {
            if !settled || has_holds(pipeline, state, &window) {
                due.incomplete.push(window);
            } else if window.end() >= back {
                due.unchecked.push(window);
            }
            continue;
        }
        let taken_up = pipeline.sinks.iter().any(|sink| state.is_taken_up(&sink.plugin.name, &window));
        if !taken_up {
            // Later ones may have been taken up already, by a run of that window alone.
            if pipeline.max_windows.is_some_and(|most| fresh >= most) {
                due.waiting += 1;
                continue;
            }
            fresh += 1;
        }
        if !settled {
            due.open.push(window);
        } else if window.end() >= back || is_in_sight(pipeline, state, &window, now) {
            due.settled.push(window);
        }
    }
    due
}

/// Whether a window is settled for a sink. Of one that publishes sets, whether its charges are drawn up, whatever became of its month: as
/// they would be now, if it is young enough to be looked at again.
fn is_done(state: &State, spec: &SinkSpec, window: &Window, back: Timestamp) -> bool {
    let sink = &spec.plugin.name;
    if !spec.publishes {
        return state.is_settled(sink, window);
    }
    let is_as_now = |part: &SetPart| *part.made == *spec.made;
    let is_drawn_up = state.sets().part(sink, window).is_some_and(is_as_now) && !state.is_reopened(sink, window);
    is_drawn_up || is_out_of_sight(state, spec, window, back)
}

/// Whether a window's charges for a sink that publishes sets stay as they were drawn up: it ended before changes are looked for, and nobody
/// wants it read again.
pub(super) fn is_out_of_sight(state: &State, spec: &SinkSpec, window: &Window, back: Timestamp) -> bool {
    let sink = &spec.plugin.name;
    spec.publishes
        && window.end() <= back
        && state.sets().part(sink, window).is_some()
        && !state.is_reopened(sink, window)
}

/// The windows of a queue: those that something was handed out of, and those of which something is held or waits, so that it is seen when it
/// does not any more.
pub(super) fn pending(setup: &Setup, options: &Options<'_>, state: &State, intake: &Intake) -> Due {
    let pipeline = &setup.pipeline;
    let next = upcoming(pipeline, options.now).end().checked_add(pipeline.grace).ok();
    let mut due = Due { next, ..Due::default() };
    if !intake.is_whole {
        return due;
    }
    let until = cutoff(setup, options);
    let mut windows = intake.windows(setup, until);
    let is_kept = |known: &WindowState| !known.holds.is_empty() || !known.late.is_empty();
    windows.extend(state.windows().filter(|(_, _, known)| is_kept(known)).map(|(_, window, _)| *window));
    windows.retain(|window| window.start() < until && options.window.is_none_or(|only| only == *window));
    let is_new = |window: &Window| !pipeline.sinks.iter().any(|sink| state.is_taken_up(&sink.plugin.name, window));
    let mut fresh = 0;
    for window in windows {
        if is_new(&window) {
            if pipeline.max_windows.is_some_and(|most| fresh >= most) {
                due.waiting += 1;
                continue;
            }
            fresh += 1;
        }
        due.open.push(window);
    }
    due
}

/// The first window that is not due yet.
pub(super) fn upcoming(pipeline: &Pipeline, now: Timestamp) -> Window {
    let mut window = Window::containing(pipeline.window, now);
    while let Some(previous) = window.previous().filter(|previous| !pipeline.is_due(previous, now)) {
        window = previous;
    }
    window
}

/// Each sink's first window, in the order of the file.
pub(super) fn begins(pipeline: &Pipeline, state: &State, now: Timestamp) -> Vec<Option<Window>> {
    pipeline.sinks.iter().map(|sink| begins_at(pipeline, state, sink, now)).collect()
}

/// A sink's first window.
pub(super) fn begins_at(pipeline: &Pipeline, state: &State, sink: &SinkSpec, now: Timestamp) -> Option<Window> {
    let name = &sink.plugin.name;
    let first = state.first_window(name).or_else(|| first(pipeline, now))?;
    // A window before it may have been asked for: its month is published whole, or not at all.
    let drawn_up = state.sets().first(name).filter(|_| sink.publishes);
    Some(sink.begins_with(drawn_up.map_or(first, |window| window.min(first))))
}

/// Whether what a window comes to is this pipeline's to bill at a sink, whose first window is this.
pub(super) fn owes(state: &State, sink: &str, begins: Option<Window>, window: &Window) -> bool {
    let begun = begins.is_some_and(|first| first <= *window) || state.is_begun(sink, window);
    (begun || state.imported().has_open(sink, window)) && !state.is_closed_elsewhere(sink, window)
}

/// The windows that another exporter closed for some sink, and that are to be watched: those that end at `back` or later, and those of which
/// something is held or was given up.
pub(super) fn closed(pipeline: &Pipeline, state: &State, back: Timestamp) -> Vec<Window> {
    let mut closed = BTreeSet::new();
    for sink in pipeline.sinks.iter().map(|sink| sink.plugin.name.as_str()) {
        let until = state.imported().until(sink);
        let young = std::iter::successors(until, Window::previous).take_while(|window| window.end() >= back);
        closed.extend(young.filter(|window| state.is_closed_elsewhere(sink, window)));
        closed.extend(state.held_elsewhere(sink));
    }
    closed.into_iter().collect()
}

/// Whether a window is to be read whether its inputs changed or not: something of it is held, or zeros of it are to be sent by now.
pub(super) fn is_in_sight(pipeline: &Pipeline, state: &State, window: &Window, now: Timestamp) -> bool {
    let zeros = |sink: &str| state.window(sink, window).and_then(|known| known.zeros_until);
    let ends = pipeline.sinks.iter().filter_map(|sink| zeros(&sink.plugin.name));
    has_holds(pipeline, state, window) || ends.into_iter().any(|until| is_last(until, now))
}

/// Whether something is held of a window, for whichever sink: that stays in sight, however long ago it was.
pub(super) fn has_holds(pipeline: &Pipeline, state: &State, window: &Window) -> bool {
    pipeline.sinks.iter().any(|sink| has_holds_of(state, &sink.plugin.name, window))
}

/// The same for one sink.
pub(super) fn has_holds_of(state: &State, sink: &str, window: &Window) -> bool {
    state.window(sink, window).is_some_and(|window| !window.holds.is_empty())
}

/// The pipeline's first window while its ledger is new: what `start` says; without it, the latest window that is due.
pub(super) fn first(pipeline: &Pipeline, now: Timestamp) -> Option<Window> {
    let kind = pipeline.window;
    match pipeline.start {
        Some(Start::At(window)) => Some(Window::containing(kind, window.start())),
        Some(start @ Start::Ago(_)) => Some(first_window(start, kind, now)),
        None => {
            let mut window = Window::containing(kind, now);
            while !pipeline.is_due(&window, now) {
                window = window.previous()?;
            }
            Some(window)
        }
    }
}

/// From when on settled windows are looked at again, the one included that ends there: without a setting, from the start of the month before
/// now's. So of a month that is billed on the first of the next one, what came since is found on the first of the one after.
pub(super) fn look_back(pipeline: &Pipeline, now: Timestamp) -> Timestamp {
    match &pipeline.source.look_back {
        Some(ago) => ago.before(now),
        None => {
            let month = Window::containing(WindowKind::Month, now);
            month.previous().unwrap_or(month).start()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;
    use crate::ledger::{Claim, Entry, Hold, Identity, Ledger, Place, Scope};
    use crate::report::Problem;

    const FILE: &str = r#"
        name = "p"
        window = "month"
        start = "2025-03"
        [source]
        plugin = "s3-reader"
        [aggregate.rules]
        [sink.clazar]
    "#;

    fn pipeline(more: &str) -> Pipeline {
        let text = format!("{more}\n{FILE}");
        parse(&text, "pipeline.toml", Path::new("."), &|_| None).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn window(label: &str) -> Window {
        Window::parse(WindowKind::Month, label).unwrap()
    }

    fn until(text: &str) -> Complete {
        Complete::Until(at(text))
    }

    fn labels(windows: &[Window]) -> Vec<String> {
        windows.iter().map(Window::label).collect()
    }

    /// A state in which these windows were taken up, of which some are settled, and of some something is held.
    fn state(taken_up: &[&str], settled: &[&str], held: &[&str]) -> State {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = pipeline("");
        let identity = Identity::of(&pipeline, Some(window("2025-03")));
        let mut ledger =
            Ledger::open(&Place::sqlite(&folder.path().join("p.ledger.db")), &identity, &Claim::at_once("run"))
                .unwrap();
        let sink = "clazar".to_owned();
        let mut entries = vec![Entry::Run {
            now: 0,
            config: String::new(),
            plugins: Vec::new(),
            windows: taken_up.iter().map(|label| window(label)).collect(),
            sinks: vec![sink.clone()],
        }];
        entries.extend(settled.iter().map(|label| Entry::Settled { sink: sink.clone(), window: window(label) }));
        entries.extend(held.iter().map(|label| Entry::Reading {
            sink: sink.clone(),
            window: window(label),
            holds: vec![Hold::new(Scope::Window, "late", "it changed".to_owned())],
            kept: Vec::new(),
            late: Vec::new(),
            zeros_until: None,
            items: Vec::new(),
        }));
        ledger.append(entries).unwrap();
        ledger.state().clone()
    }

    const NOW: &str = "2025-07-02T00:00:00Z";

    #[test]
    fn a_window_whose_data_is_not_complete_is_not_due() {
        let (pipeline, fresh) = (pipeline(""), State::default());
        for (complete, open, incomplete) in [
            (Complete::Unsaid, &["2025-03", "2025-04", "2025-05", "2025-06"][..], &[][..]),
            (until("2025-07-01T00:00:00Z"), &["2025-03", "2025-04", "2025-05", "2025-06"], &[]),
            (until("2025-06-30T23:59:59.999Z"), &["2025-03", "2025-04", "2025-05"], &["2025-06"]),
            (until("2025-04-30T00:00:00Z"), &["2025-03"], &["2025-04", "2025-05", "2025-06"]),
            (
                Complete::Unknown(Box::new(Problem::new("unavailable", "no marker"))),
                &[],
                &["2025-03", "2025-04", "2025-05", "2025-06"],
            ),
        ] {
            let due = due(&pipeline, &fresh, at(NOW), None, &complete);
            assert_eq!((labels(&due.open), labels(&due.incomplete)), (labels_of(open), labels_of(incomplete)));
            assert_eq!(due.next, Some(at("2025-08-01T00:00:00Z")), "what is over is not what comes next");
        }
    }

    fn labels_of(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|label| (*label).to_owned()).collect()
    }

    #[test]
    fn windows_that_wait_for_their_data_take_no_place_of_max_windows() {
        let pipeline = pipeline("max_windows = 2");
        let before = state(&["2025-03"], &[], &[]);
        let found = due(&pipeline, &before, at(NOW), None, &until("2025-06-01T00:00:00Z"));
        assert_eq!(labels(&found.open), ["2025-03", "2025-04", "2025-05"]);
        assert_eq!((labels(&found.incomplete), found.waiting), (labels_of(&["2025-06"]), 0));
    }

    #[test]
    fn the_data_of_a_window_that_was_asked_for_has_to_be_complete_too() {
        let (pipeline, fresh) = (pipeline(""), State::default());
        let only = window("2025-06");
        let found = due(&pipeline, &fresh, at(NOW), Some(&only), &until("2025-06-30T00:00:00Z"));
        assert_eq!((labels(&found.open), labels(&found.incomplete)), (vec![], labels_of(&["2025-06"])));
        // A plan of a window that is under way shows what there is so far.
        let only = window("2025-07");
        let found = due(&pipeline, &fresh, at(NOW), Some(&only), &until("2025-06-30T00:00:00Z"));
        assert_eq!((labels(&found.open), labels(&found.incomplete)), (labels_of(&["2025-07"]), vec![]));
    }

    #[test]
    fn settled_windows_are_looked_at_again_only_while_their_data_is_complete() {
        let before =
            state(&["2025-03", "2025-04", "2025-05", "2025-06"], &["2025-03", "2025-05", "2025-06"], &["2025-05"]);
        let found = due(&pipeline(""), &before, at(NOW), None, &until("2025-07-01T00:00:00Z"));
        assert_eq!(
            (labels(&found.open), labels(&found.settled)),
            (labels_of(&["2025-04"]), labels_of(&["2025-05", "2025-06"]))
        );
        assert!(found.incomplete.is_empty() && found.unchecked.is_empty());
        // A marker that went back: what is held stays in sight, and nothing is compared with half of the data.
        let found = due(&pipeline(""), &before, at(NOW), None, &until("2025-04-15T00:00:00Z"));
        assert_eq!((found.open, found.settled), (vec![], vec![]));
        assert_eq!(
            (labels(&found.incomplete), labels(&found.unchecked)),
            (labels_of(&["2025-04", "2025-05"]), labels_of(&["2025-06"]))
        );
    }
}
