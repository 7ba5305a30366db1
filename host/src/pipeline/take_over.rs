//! What another exporter billed before, taken over into the ledger: by itself while the ledger is new, by hand at any time.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::closed::difference;
use super::due::{first, look_back};
use super::identity::identity;
use super::mirrored::Mirrored;
use super::options::Options;
use super::read::Reader;
use super::run::run_id;
use super::setup::Setup;
use super::summary::exit;
use crate::config::MirrorSpec;
use crate::ledger::{ChargeState, Entry, Import, Ledger, LedgerError, Scope, State};
use crate::model::charge::ChargeId;
use crate::model::window::Window;
use crate::report::{Exit, Problem};

/// A state document that is about to be taken over by hand.
pub struct TakeOver<'a> {
    setup: &'a Setup,
    options: &'a Options<'a>,
    import: Import,
    /// What it says, for a person.
    pub says: Vec<String>,
}

/// Why it is not taken over.
pub enum Refusal {
    /// The document, or the source, cannot be read.
    Problem(Problem),
    /// The ledger.
    Ledger(LedgerError),
}

impl<'a> TakeOver<'a> {
    /// Reads a state document, and changes nothing yet.
    ///
    /// # Errors
    /// It cannot be read, or makes no sense.
    pub fn read(
        setup: &'a Setup,
        spec: &MirrorSpec,
        options: &'a Options<'a>,
        state: &State,
    ) -> Result<TakeOver<'a>, Problem> {
        let mirrored = Mirrored::read(spec, &setup.pipeline.base, &setup.broker, true, options.now)?;
        let is_same =
            |kept: &MirrorSpec| (&kept.url.value, &kept.key, kept.form) == (&spec.url.value, &spec.key, spec.form);
        let is_kept = setup.pipeline.mirror.as_ref().is_none_or(is_same);
        let import = Import { aside: !is_kept, ..mirrored.import() };
        let mut import = remembered(setup, options, state, import)?;
        let mut says = waived(state, &import);
        says.extend(given_up(&import));
        says.extend(nobodys(setup, options, state, &import));
        // Who takes that over by hand has read it.
        import.failed.clear();
        says.push(taken_over(&import));
        Ok(TakeOver { setup, options, import, says })
    }

    /// Takes it over. Charges of what the document lists that were to be offered are looked up first from here on.
    ///
    /// # Errors
    /// The source or the ledger cannot be read, or the ledger not written; nothing is taken over then.
    pub fn take(self) -> Result<(), Refusal> {
        let TakeOver { setup, options, import, .. } = self;
        let identity = identity(setup, options.now);
        let run = run_id();
        let mut ledger = Ledger::open(&setup.place, &identity, &options.claim(&run, &|what| options.watch.step(what)))
            .map_err(Refusal::Ledger)?;
        let doubted = in_doubt(setup, ledger.state(), &import);
        let mut entries = vec![Entry::Imported(Box::new(import))];
        entries.extend(doubted);
        ledger.append(entries).and_then(|()| ledger.close()).map_err(Refusal::Ledger)
    }
}

/// What a run would take over from the pipeline's state document, in words for a person; nothing where there is none, or where it was
/// taken over already.
///
/// # Errors
/// A run would be stopped by it, with this exit.
pub fn to_be_taken_over(
    setup: &Setup,
    options: &Options<'_>,
    state: &State,
) -> Result<Option<String>, (Exit, Problem)> {
    let found = || {
        let mirrored = Mirrored::of(setup, options)?;
        if let Some(problem) = another_sink(setup, state, mirrored.as_ref()) {
            return Err(problem);
        }
        let Some(mirrored) = mirrored else { return Ok(None) };
        Ok(mirrored.to_take_over(state)?.map(|import| taken_over(&import)))
    };
    found().map_err(|problem: Problem| (exit(problem.code), problem))
}

/// What another exporter billed is known under the name of a sink: under another one it would be billed again.
pub(super) fn another_sink(setup: &Setup, state: &State, mirrored: Option<&Mirrored>) -> Option<Problem> {
    let sinks = state.imported().sinks();
    let problem = |text: String| Problem {
        action: Some("put the name back: nothing was sent".to_owned()),
        ..Problem::new("identity", text)
    };
    let is_there = |name: &&str| setup.pipeline.sinks.iter().any(|spec| spec.plugin.name == *name);
    if let Some(name) = sinks.iter().find(|name| !is_there(name)) {
        return Some(problem(format!(
            "the file has no sink {name} any more, and what the exporter before billed was taken over for it"
        )));
    }
    let sink = mirrored.map(Mirrored::sink).filter(|sink| !sinks.is_empty() && !sinks.contains(sink))?;
    Some(problem(format!("`mirror` speaks of the sink {sink}, and its document was taken over for another one")))
}

/// Charges that were to be offered, and that whoever wrote the document may have billed since.
fn in_doubt(setup: &Setup, state: &State, import: &Import) -> Option<Entry> {
    let sink = setup.pipeline.sinks.iter().position(|sink| sink.plugin.name == import.sink)?;
    let lists = |charge: &ChargeState| {
        let key = charge.charge().key();
        let billed =
            import.billed.iter().any(|(window, customers)| *window == key.window && customers.contains(&key.customer));
        let open =
            import.open.iter().any(|(window, customers)| *window == key.window && customers.contains(&key.customer));
        billed || open || import.until.is_some_and(|until| key.window <= until)
    };
    let open = state.open_charges(&import.sink).into_iter();
    let charges = open.filter(|charge| charge.is_surely_not_billed() && lists(charge));
    let charges: Vec<ChargeId> = charges.map(|charge| charge.charge().id()).collect();
    let reason = "the state document that was taken over lists it as billed";
    Entry::doubted(charges, reason, setup.sinks.get(sink)?.traits.deadline)
}

/// The import, and how the inputs of its windows stand: those that it closes, as far as they are looked at again, and those of which it
/// lists customers and that are still to be read. Of a window that cannot be listed nothing is known until somebody can look.
pub(super) fn remembered(
    setup: &Setup,
    options: &Options<'_>,
    state: &State,
    mut import: Import,
) -> Result<Import, Problem> {
    let back = look_back(&setup.pipeline, options.now);
    let closed = std::iter::successors(import.until, Window::previous).take_while(|window| window.end() > back);
    let later = import.billed.iter().filter(|(window, _)| import.until.is_none_or(|until| *window > until));
    let listed = later.chain(&import.open).map(|(window, _)| *window);
    let given_up = import.failed.iter().map(|(window, _)| *window);
    let windows: BTreeSet<Window> =
        closed.chain(listed).chain(given_up).chain(state.held_elsewhere(&import.sink)).collect();
    let windows: Vec<Window> = windows.into_iter().collect();
    options.watch.step("listing what was billed before");
    let reader = Reader::of(setup, options, None, &|_| {});
    let (stand, problem) = reader.as_far_as_can_be(&windows);
    if let Some(problem) = problem.filter(|_| options.stop.load(Ordering::Relaxed)) {
        return Err(problem);
    }
    import.inputs = stand.into_iter().filter_map(|(window, inputs)| Some((window, inputs?))).collect();
    Ok(import)
}

/// What is held here, or was changed, and would count as billed from then on, for a person.
fn waived(state: &State, import: &Import) -> Vec<String> {
    let (sink, after) = (import.sink.as_str(), state.imported_with(import.clone()));
    let mut words = Vec::new();
    for (_, window, known) in state.windows().filter(|(of, ..)| *of == sink) {
        for hold in &known.holds {
            let what = match &hold.scope {
                Scope::Window | Scope::Record => "something".to_owned(),
                Scope::Customer { customer } => format!("what {customer} owes"),
                Scope::Dimension { customer, dimension } => format!("what {customer} owes for {dimension}"),
                Scope::Charge { customer, dimension, .. } => format!("{dimension} of {customer}"),
            };
            let is_waived = match hold.scope.customer() {
                Some(customer) => after.is_billed(sink, window, customer),
                None => after.is_closed(sink, window),
            };
            if is_waived {
                let (month, reason) = (window.label(), &hold.reason);
                words.push(format!("{month}: {what} is held here, and would not be billed any more: {reason}"));
            }
        }
    }
    for (window, inputs) in import.inputs.iter().filter(|(window, _)| after.is_closed(sink, window)) {
        let is_told =
            state.window(sink, window).is_some_and(|known| known.holds.iter().any(|hold| hold.scope == Scope::Window));
        if let Some(hold) =
            state.taken_from(sink, window).filter(|_| !is_told).and_then(|before| difference(before, inputs))
        {
            let (month, place) = (window.label(), hold.place.unwrap_or_default());
            words.push(format!("{month}: its objects are not as they were when it was taken over, such as {place}; none of that would be billed"));
        }
    }
    words
}

/// What nobody billed, for a person.
fn given_up(import: &Import) -> Vec<String> {
    let words = import.failed.iter().map(|(month, contracts)| {
        let month = month.label();
        let contracts = contracts.join(", ");
        format!("{month}: the exporter before closed it without billing {contracts}; nobody bills that, unless you do")
    });
    words.collect()
}

/// Windows that the document does not close, and that lie before those that are billed here, for a person.
fn nobodys(setup: &Setup, options: &Options<'_>, state: &State, import: &Import) -> Option<String> {
    let next = import.until?.next()?;
    let first = match state.is_fresh() {
        true => return None,
        false => state.first_window(&import.sink).or_else(|| first(&setup.pipeline, options.now))?,
    };
    let last = first.previous().filter(|last| next <= *last)?;
    let windows = if next == last { next.label() } else { format!("{} to {}", next.label(), last.label()) };
    Some(format!(
        "{windows}: neither closed by the exporter before nor billed here, where {} is the first; nobody bills that, unless you do",
        first.label()
    ))
}

/// What was taken over, for a person.
pub(super) fn taken_over(import: &Import) -> String {
    let until = match import.until {
        Some(until) => format!("the months up to {}", until.label()),
        None => "no month".to_owned(),
    };
    let customers = |lists: &[(Window, Vec<String>)]| lists.iter().map(|(_, customers)| customers.len()).sum::<usize>();
    let later: Vec<_> =
        import.billed.iter().filter(|(window, _)| import.until.is_none_or(|until| *window > until)).cloned().collect();
    let mut text = format!("taken over from {}: {until} as billed", import.document);
    if !later.is_empty() {
        text += &format!(", and {} of later months", contracts(customers(&later)));
    }
    if !import.open.is_empty() {
        text += &format!("; what is owed by {} is looked up first", contracts(customers(&import.open)));
    }
    text
}

fn contracts(count: usize) -> String {
    if count == 1 { "1 contract".to_owned() } else { format!("{count} contracts") }
}
