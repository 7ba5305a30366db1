//! What a window is compared with: the last settled one before it, and what was owed in that.
//!
//! Several windows may be taken up in one run. Each is compared with one that was settled in the ledger before the run: what is about to be
//! billed has proved nothing yet. A window that another exporter billed a part of is none to compare with, since nobody here knows how
//! much that was.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use meterhost_decimal::Decimal;

use crate::ledger::{Charge, ChargeState, Standing, State};
use crate::model::charge::Key;
use crate::model::window::Window;

/// What makes a charge the same one in another window: product, customer, dimension, tags.
pub(super) type Place<'a> = (&'a str, &'a str, &'a str, &'a [(String, String)]);

/// The place of a key.
pub(super) fn place(key: &Key) -> Place<'_> {
    (&key.product, &key.customer, &key.dimension, &key.tags)
}

/// What was owed to one sink in one window, before rounding.
#[derive(Debug)]
pub(super) struct Baseline<'a> {
    window: Window,
    charges: HashMap<Place<'a>, Decimal>,
    customers: HashSet<&'a str>,
}

impl<'a> Baseline<'a> {
    pub(super) fn new(window: Window, charges: impl IntoIterator<Item = (Place<'a>, Decimal)>) -> Self {
        let charges: HashMap<Place<'a>, Decimal> = charges.into_iter().collect();
        let customers = charges.keys().map(|(_, customer, ..)| *customer).collect();
        Baseline { window, charges, customers }
    }

    /// What was settled of a window; nothing where a part of it was billed by another exporter.
    fn of(state: &'a State, sink: &str, window: Window) -> Option<Self> {
        let charges = state.charges_of(sink, &window);
        if charges.iter().any(|charge| *charge.standing() == Standing::TakenOver) {
            return None;
        }
        // What a person did not let be billed says nothing of what is usual.
        let charges = charges.into_iter().filter(|charge| !charge.is_waived()).map(ChargeState::charge);
        // What later windows took of its usage was owed in it as well, and what it took of earlier ones was not.
        let owed = |charge: &'a Charge| state.frozen_of(&charge.id()).unwrap_or_else(|| charge.exact());
        Some(Baseline::new(window, charges.map(|charge| (place(charge.key()), owed(charge)))))
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// What was owed for the same then; nothing where there was no charge.
    pub(super) fn owed(&self, place: &Place<'_>) -> Option<Decimal> {
        self.charges.get(place).copied()
    }

    /// Whether a customer had a charge, be it of zero.
    pub(super) fn knows(&self, customer: &str) -> bool {
        self.customers.contains(customer)
    }

    /// What was owed then, more than nothing, and has no charge among these, ascending by customer.
    pub(super) fn without(&self, present: &HashSet<Place<'_>>) -> Vec<(Place<'a>, Decimal)> {
        let owed = self.charges.iter().filter(|(place, owed)| **owed > Decimal::ZERO && !present.contains(*place));
        let mut without: Vec<_> = owed.map(|(place, owed)| (*place, *owed)).collect();
        without.sort_by_key(|((product, customer, dimension, tags), _)| (*customer, *dimension, *product, *tags));
        without
    }
}

/// Finds what each window is compared with.
pub(super) struct Baselines<'a> {
    state: &'a State,
    /// By sink, the settled windows that may be compared with, ascending.
    settled: HashMap<&'a str, Vec<Window>>,
    /// By sink, the last answer: windows that follow each other mostly have the same one.
    last: HashMap<&'a str, Rc<Baseline<'a>>>,
}

impl<'a> Baselines<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        let mut settled: HashMap<&str, Vec<Window>> = HashMap::new();
        for (sink, window, _) in state.windows().filter(|(.., known)| known.settled) {
            settled.entry(sink).or_default().push(*window);
        }
        Baselines { state, settled, last: HashMap::new() }
    }

    /// What a window is compared with for a sink; nothing where no window before it is settled.
    pub(super) fn before(&mut self, sink: &str, window: &Window) -> Option<Rc<Baseline<'a>>> {
        let (sink, _) = self.settled.get_key_value(sink)?;
        let (sink, settled) = (*sink, self.settled.get_mut(*sink)?);
        loop {
            let latest = settled.partition_point(|settled| settled < window).checked_sub(1)?;
            let found = *settled.get(latest)?;
            if let Some(last) = self.last.get(sink).filter(|last| last.window == found) {
                return Some(last.clone());
            }
            match Baseline::of(self.state, sink, found) {
                Some(baseline) => {
                    let baseline = Rc::new(baseline);
                    self.last.insert(sink, baseline.clone());
                    return Some(baseline);
                }
                // It is not looked at again for the windows after this one.
                None => _ = settled.remove(latest),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;
    use crate::ledger::{Claim, Entry, Identity, Ledger, Place as LedgerPlace};
    use crate::model::charge::Proposal;
    use crate::model::window::WindowKind;

    fn month(label: &str) -> Window {
        Window::parse(WindowKind::Month, label).unwrap()
    }

    fn charge(label: &str, customer: &str, exact: &str) -> Proposal {
        let window = month(label);
        Proposal {
            key: Key {
                pipeline: "p".to_owned(),
                sink: "clazar".to_owned(),
                window,
                product: String::new(),
                customer: customer.to_owned(),
                dimension: "cpu".to_owned(),
                tags: Vec::new(),
            },
            exact: Decimal::parse(exact).unwrap(),
            carried: Vec::new(),
            remainder: None,
            unsent: false,
            until: None,
            quantity: Decimal::ONE,
            time: window.start().as_millisecond(),
            origins: vec![("cpu".to_owned(), 1)],
            parts: Vec::new(),
            attributes: Vec::new(),
            aggregator: "rules".to_owned(),
        }
    }

    /// The state of a ledger with these charges, the months being settled that are named, and the charges taken over.
    fn state(charges: Vec<Proposal>, settled: &[&str], taken_over: &[Proposal]) -> State {
        let file = "name = \"p\"\nwindow = \"month\"\nstart = \"2025-01\"\n[source]\nplugin = \"s3-reader\"\n\
            [aggregate.rules]\n[sink.clazar]";
        let pipeline = parse(file, "pipeline.toml", Path::new("."), &|_| None).unwrap();
        let identity = Identity::of(&pipeline, Some(month("2025-01")));
        let folder = tempfile::tempdir().unwrap();
        let place = LedgerPlace::sqlite(&folder.path().join("p.ledger.db"));
        let mut ledger = Ledger::open(&place, &identity, &Claim::at_once("run")).unwrap();
        let mut entries = vec![Entry::Run {
            now: 0,
            config: String::new(),
            plugins: Vec::new(),
            windows: (1..=6).map(|number| month(&format!("2025-{number:02}"))).collect(),
            sinks: vec!["clazar".to_owned()],
        }];
        let ids = |charges: &[Proposal]| charges.iter().map(|charge| charge.key.id()).collect::<Vec<_>>();
        let taken = Entry::TakenOver { charges: ids(taken_over) };
        entries.extend(charges.into_iter().chain(taken_over.to_vec()).map(Entry::freeze));
        if !taken_over.is_empty() {
            entries.push(taken);
        }
        entries.extend(settled.iter().map(|label| Entry::Settled { sink: "clazar".to_owned(), window: month(label) }));
        ledger.append(entries).unwrap();
        ledger.state().clone()
    }

    fn found(state: &State, labels: &[&str]) -> Vec<Option<String>> {
        let mut baselines = Baselines::of(state);
        labels.iter().map(|label| Some(baselines.before("clazar", &month(label))?.window().label())).collect()
    }

    #[test]
    fn a_window_is_compared_with_the_last_settled_one_before_it() {
        let state = state(Vec::new(), &["2025-01", "2025-02", "2025-05"], &[]);
        let labels = ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06"];
        let expected = [None, Some("2025-01"), Some("2025-02"), Some("2025-02"), Some("2025-02"), Some("2025-05")];
        assert_eq!(found(&state, &labels), expected.map(|label| label.map(str::to_owned)));
        assert_eq!(Baselines::of(&state).before("other", &month("2025-06")).map(|found| found.window()), None);
    }

    #[test]
    fn a_window_of_which_a_part_was_taken_over_is_none_to_compare_with() {
        let taken_over = charge("2025-02", "b", "7");
        let state = state(Vec::new(), &["2025-01", "2025-02"], &[taken_over]);
        let labels = ["2025-03", "2025-04"];
        assert_eq!(found(&state, &labels), [Some("2025-01".to_owned()), Some("2025-01".to_owned())]);
    }

    #[test]
    fn what_was_owed_is_what_it_was_before_rounding() {
        let none: [(String, String); 0] = [];
        let baseline = Baseline::new(
            month("2025-05"),
            [
                (("", "a", "cpu", &none[..]), Decimal::parse("0.4").unwrap()),
                (("", "b", "cpu", &none[..]), Decimal::ZERO),
                (("", "c", "memory", &none[..]), Decimal::ONE),
            ],
        );
        assert_eq!(baseline.owed(&("", "a", "cpu", &[])).map(|owed| owed.to_string()).as_deref(), Some("0.4"));
        assert_eq!(baseline.owed(&("pg", "a", "cpu", &[])), None);
        assert!(baseline.knows("b") && !baseline.knows("d"));
        let present = HashSet::from([("", "a", "cpu", &none[..])]);
        assert_eq!(baseline.without(&present), [(("", "c", "memory", &none[..]), Decimal::ONE)]);
    }
}
