//! How a pipeline stands between runs, as far as its file, its ledger and the clock tell. The source is not asked: whether the data of
//! what is due is complete, nobody says here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::complete::Complete;
use super::due::{Due, begins, due, owes, upcoming};
use crate::config::Pipeline;
use crate::ledger::{Entry, Head, Identity, Ledger, LedgerError, Named, Period, Place, State, contents, period_of};
use crate::model::window::Window;

/// How a pipeline stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// By sink: those of the file, then others of which something is open.
    pub sinks: Vec<SinkStatus>,
    /// When the next window is due.
    pub next_due: Option<Timestamp>,
    /// The last run that began.
    pub last_run: Option<LastRun>,
    /// Where the ledger ends; at number 0 while there is none.
    pub head: Head,
    /// Whether something is open, held, or due and not settled, of a window that has been due for long enough; or a month is behind.
    pub needs_a_run: bool,
}

/// How one sink stands.
#[derive(Debug, Clone, Serialize)]
pub struct SinkStatus {
    /// Its name.
    pub sink: String,
    /// Whether the file has it.
    pub in_file: bool,
    /// The latest window that is settled.
    pub settled: Option<Settled>,
    /// Windows that are due and not settled.
    pub due: Option<DueWindows>,
    /// Charges that are not final, by standing.
    pub open: Vec<Open>,
    /// How many things are held.
    pub held: usize,
    /// The oldest window of which something is held.
    pub held_since: Option<Window>,
    /// Of how many charges late usage waits for a later window.
    pub late: usize,
    /// Of a sink that publishes complete sets: the months of which readers are shown other charges than they have, though nobody said so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<Behind>,
    /// The latest month of which readers are shown a set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

/// A month of which readers are shown other charges than it has.
#[derive(Debug, Clone, Serialize)]
pub struct Behind {
    /// The month.
    pub period: Window,
    /// Whether readers are shown a set of it at all.
    pub shown: bool,
}

/// What readers are shown of a month.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// The month.
    pub period: Window,
    /// The set: the plugin's name for it.
    pub id: String,
    /// How many months stay as they are, because a person said so.
    pub pinned: usize,
    /// Each of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    /// How many sets a crash left behind.
    pub left_behind: usize,
}

/// A month of which a person said what readers are shown.
#[derive(Debug, Clone, Serialize)]
pub struct Pin {
    /// The month.
    pub period: Window,
    /// The set.
    pub id: String,
    /// Why.
    pub reason: String,
    /// Whether it holds other charges than the month has, as far as is known.
    pub differs: bool,
}

/// A window that is settled.
#[derive(Debug, Clone, Serialize)]
pub struct Settled {
    /// The window.
    pub window: Window,
    /// When it was settled, by the real clock.
    pub at: Timestamp,
}

/// Windows that are due.
#[derive(Debug, Clone, Serialize)]
pub struct DueWindows {
    /// How many.
    pub windows: usize,
    /// The first of them.
    pub oldest: Window,
    /// The last of them.
    pub newest: Window,
    /// Since when the first is due.
    pub since: Option<Timestamp>,
}

/// Charges that stand alike.
#[derive(Debug, Clone, Serialize)]
pub struct Open {
    /// How.
    pub standing: &'static str,
    /// How many.
    pub charges: usize,
    /// The oldest window of them.
    pub oldest: Window,
}

/// A run.
#[derive(Debug, Clone, Serialize)]
pub struct LastRun {
    /// Its id.
    pub run: String,
    /// When it began, by the real clock.
    pub at: Timestamp,
    /// What time it was for its windows.
    pub now: Timestamp,
}

/// What was gathered while the ledger was read.
#[derive(Default)]
struct Gathered {
    last_run: Option<LastRun>,
    settled: HashMap<(String, Window), Timestamp>,
}

impl Status {
    /// How a pipeline stands at `now`. A window that has not been due for longer than `patience` needs no run yet.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn of(pipeline: &Pipeline, place: &Place, now: Timestamp, patience: Duration) -> Result<Status, LedgerError> {
        let identity = Identity::of(pipeline, None);
        let (state, gathered) = Ledger::follow(place, &identity, Gathered::default, |gathered, _, record| {
            let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap_or_default();
            match &record.entry {
                Entry::Run { now, .. } => {
                    gathered.last_run = Some(LastRun { run: record.run.clone(), at: at(record.at), now: at(*now) });
                }
                Entry::Settled { sink, window } => {
                    gathered.settled.insert((sink.clone(), *window), at(record.at));
                }
                Entry::Renamed { what: Named::Sink, from, to } => {
                    let settled = std::mem::take(&mut gathered.settled).into_iter();
                    let renamed = |((sink, window), at)| ((if sink == *from { to.clone() } else { sink }, window), at);
                    gathered.settled = settled.map(renamed).collect();
                }
                _ => {}
            }
        })?;
        // What `max_windows` leaves to later runs is due all the same.
        let unlimited = Pipeline { max_windows: None, ..pipeline.clone() };
        let windows = match state.takings().claim() {
            // What a queue has to say is known when it is asked.
            Some(_) => Due { next: upcoming(pipeline, now).end().checked_add(pipeline.grace).ok(), ..Due::default() },
            None => due(&unlimited, &state, now, None, &Complete::Unsaid),
        };
        let mut status = Status {
            sinks: Vec::new(),
            next_due: windows.next,
            last_run: gathered.last_run,
            head: state.head(),
            needs_a_run: false,
        };
        let begins = begins(pipeline, &state, now);
        for (sink, begins) in pipeline.sinks.iter().map(|sink| &sink.plugin.name).zip(begins) {
            let is_due = |window: &&Window| owes(&state, sink, begins, window) && !state.is_settled(sink, window);
            let due: Vec<Window> = windows.open.iter().filter(is_due).copied().collect();
            status.add(pipeline, &state, sink, due, &gathered.settled, (now, patience));
        }
        let others: BTreeSet<&str> = state.windows().map(|(sink, ..)| sink).collect();
        for sink in others {
            let is_known = pipeline.sinks.iter().any(|spec| spec.plugin.name == sink);
            if !is_known && !state.open_charges(sink).is_empty() {
                status.add(pipeline, &state, sink, Vec::new(), &gathered.settled, (now, patience));
            }
        }
        Ok(status)
    }

    fn add(
        &mut self,
        pipeline: &Pipeline,
        state: &State,
        sink: &str,
        due: Vec<Window>,
        settled: &HashMap<(String, Window), Timestamp>,
        (now, patience): (Timestamp, Duration),
    ) {
        let due_at = |window: &Window| window.end().checked_add(pipeline.grace).ok();
        // A run may not have had the chance yet.
        let is_young = |window: &Window| {
            let until = due_at(window).and_then(|due| due.checked_add(patience).ok());
            pipeline.is_due(window, now) && until.is_some_and(|until| now < until)
        };
        let mut open: BTreeMap<&'static str, Open> = BTreeMap::new();
        for charge in state.open_charges(sink) {
            // They come oldest window first.
            let (standing, oldest) = (charge.standing().word(), charge.charge().key().window);
            open.entry(standing).or_insert(Open { standing, charges: 0, oldest }).charges += 1;
            self.needs_a_run |= !is_young(&oldest);
        }
        let of_sink = || state.windows().filter(|(of, ..)| *of == sink);
        let held: Vec<Window> =
            of_sink().flat_map(|(_, window, known)| known.holds.iter().map(move |_| *window)).collect();
        self.needs_a_run |= due.iter().chain(&held).any(|window| !is_young(window));
        let behind = behind(state, sink);
        // One that is behind since windows of it were drawn up just now is as young as they are.
        let is_theirs = |month: &Window| due.iter().any(|window| period_of(window) == *month);
        self.needs_a_run |= behind.iter().any(|month| !is_theirs(&month.period));
        let last = of_sink().filter(|(_, _, known)| known.settled).map(|(_, window, _)| *window).max();
        let at = last.and_then(|window| settled.get(&(sink.to_owned(), window)).copied());
        let range = due.first().zip(due.last());
        self.sinks.push(SinkStatus {
            sink: sink.to_owned(),
            in_file: pipeline.sinks.iter().any(|spec| spec.plugin.name == sink),
            settled: last.zip(at).map(|(window, at)| Settled { window, at }),
            due: range.map(|(oldest, newest)| DueWindows {
                windows: due.len(),
                oldest: *oldest,
                newest: *newest,
                since: due_at(oldest),
            }),
            open: open.into_values().collect(),
            held: held.len(),
            held_since: held.first().copied(),
            late: state.waiting(sink).count(),
            behind,
            published: published(state, sink),
        });
    }
}

/// Whether readers of a month are shown other charges than it has, as far as is known.
fn differs(state: &State, sink: &str, month: &Window, known: &Period) -> bool {
    let now = contents(&state.sets().parts_of(sink, month));
    known.shown().is_none_or(|shown| shown.intent.contents != now)
}

/// The months of which readers are shown other charges than they have, though nobody said so: they were not published since, or were
/// released. One that never had charges is not published.
fn behind(state: &State, sink: &str) -> Vec<Behind> {
    let behind = |period: Window| {
        let known = state.sets().period(sink, &period);
        let shown = known.is_some_and(|known| known.current.is_some());
        let is_behind = match known {
            Some(known) if known.pinned.is_some() => false,
            Some(known) if shown => differs(state, sink, &period, known),
            _ => state.sets().parts_of(sink, &period).iter().any(|(_, part)| part.rows > 0),
        };
        is_behind.then_some(Behind { period, shown })
    };
    state.sets().periods(sink).into_iter().filter_map(behind).collect()
}

fn published(state: &State, sink: &str) -> Option<Published> {
    let months: Vec<_> = state.sets().periods(sink).into_iter().collect();
    let known = || months.iter().filter_map(|month| Some((*month, state.sets().period(sink, month)?)));
    let (period, id) = known().filter_map(|(month, known)| Some((month, known.current.clone()?))).next_back()?;
    let pin = |(month, known): (Window, &Period)| {
        let (id, reason) = (known.current.clone()?, known.pinned.clone()?);
        Some(Pin { period: month, id, reason, differs: differs(state, sink, &month, known) })
    };
    let pins: Vec<Pin> = known().filter_map(pin).collect();
    let left_behind = known().map(|(_, known)| known.left_behind().count()).sum();
    Some(Published { period, id, pinned: pins.len(), pins, left_behind })
}
