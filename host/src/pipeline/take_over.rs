//! What another exporter billed before, taken over into the ledger: by itself while the ledger is new, by hand at any time.

use std::path::Path;

use super::due::{first, look_back};
use super::mirrored::Mirrored;
use super::options::Options;
use super::read::Reader;
use super::run::run_id;
use super::setup::Setup;
use crate::config::MirrorSpec;
use crate::ledger::{ChargeState, Entry, Identity, Import, Ledger, LedgerError, Standing, State};
use crate::model::charge::ChargeId;
use crate::model::window::Window;
use crate::report::Problem;

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
    pub fn read(setup: &'a Setup, spec: &MirrorSpec, options: &'a Options<'a>) -> Result<TakeOver<'a>, Problem> {
        let mirrored = Mirrored::read(spec, &setup.pipeline.base, &setup.broker, true, options.now)?;
        let is_kept = setup.pipeline.mirror.as_ref().is_none_or(|mirror| mirror.url.value == spec.url.value);
        let import = Import { aside: !is_kept, ..mirrored.import() };
        let mut says = mirrored.given_up();
        says.push(taken_over(&import));
        Ok(TakeOver { setup, options, import, says })
    }

    /// Takes it over. Charges of what the document lists that were to be offered are looked up first from here on.
    ///
    /// # Errors
    /// The source or the ledger cannot be read, or the ledger not written; nothing is taken over then.
    pub fn take(self, path: &Path) -> Result<(), Refusal> {
        let TakeOver { setup, options, import, .. } = self;
        let begins = import.until.and_then(|until| until.next()).or_else(|| first(&setup.pipeline, options.now));
        let identity = Identity::of(&setup.pipeline, begins);
        let mut ledger = Ledger::open(path, &identity, &run_id()).map_err(Refusal::Ledger)?;
        let doubted = in_doubt(setup, ledger.state(), &import);
        let mut entries = import_entries(setup, options, ledger.state(), import).map_err(Refusal::Problem)?;
        entries.extend(doubted);
        ledger.append(entries).map_err(Refusal::Ledger)
    }
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
    let charges = open.filter(|charge| matches!(charge.standing(), Standing::Pending { .. }) && lists(charge));
    let charges: Vec<ChargeId> = charges.map(|charge| charge.charge().id()).collect();
    let reason = "the state document that was taken over lists it as billed";
    Entry::doubted(charges, reason, setup.sinks.get(sink)?.traits.deadline)
}

/// The entries that take an import over: what it says, and how the objects of the windows that it closes stand now, as far as they are
/// looked at again.
pub(super) fn import_entries(
    setup: &Setup,
    options: &Options<'_>,
    state: &State,
    import: Import,
) -> Result<Vec<Entry>, Problem> {
    let back = look_back(&setup.pipeline, options.now);
    let closed = std::iter::successors(import.until, Window::previous).take_while(|window| window.end() > back);
    // A window of which something is to be billed here is read, and what it was read from is written down then.
    let is_closed = |window: &Window| {
        state.charges_in_all(window).next().is_none() && !import.open.iter().any(|(open, _)| open == window)
    };
    let mut closed: Vec<Window> = closed.filter(is_closed).collect();
    closed.extend(state.held_elsewhere());
    closed.sort();
    closed.dedup();
    let reader = Reader::of(setup, options, None, &|_| {});
    options.watch.step("listing what was billed before");
    let stand = reader.stand(&closed)?;
    let mut entries = vec![Entry::Imported(Box::new(import))];
    entries.extend(stand.into_iter().map(|(window, inputs)| Entry::Inputs { window, inputs }));
    Ok(entries)
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
