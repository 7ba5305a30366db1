//! What another exporter had billed before, as its state documents said: more documents say more, none takes anything back.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Rev;
use std::slice;

use super::entry::{Import, InputSeen};
use crate::model::window::Window;

/// Customers by window.
pub(super) type Customers = BTreeMap<Window, BTreeSet<String>>;

/// What another exporter had billed: by sink, what each document said, in the order in which they were taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported(BTreeMap<String, Vec<Said>>);

/// What one document said, and what it does not speak of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Said {
    /// Whether it is another document than the one that the pipeline keeps.
    aside: bool,
    until: Option<Window>,
    billed: Customers,
    open: Customers,
    failed: Customers,
    inputs: BTreeMap<Window, Vec<InputSeen>>,
    own: Own,
}

/// What stands in a document because this pipeline itself wrote it there. Only the ledger says how much of it was billed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Own {
    /// Customers of whom something was, or may have been, billed by it.
    pub(super) listed: Customers,
    /// Windows that it closed.
    pub(super) closed: BTreeSet<Window>,
}

impl Said {
    fn closes(&self, window: &Window) -> bool {
        self.until.is_some_and(|until| *window <= until) && !self.own.closed.contains(window)
    }

    fn bills(&self, window: &Window, customer: &str) -> bool {
        (self.closes(window) || has(&self.billed, window, customer)) && !has(&self.own.listed, window, customer)
    }
}

impl Imported {
    pub(super) fn add(&mut self, import: Import, own: Own) {
        let Import { document: _, entry: _, aside, sink, until, billed, open, failed, inputs } = import;
        let sets = |lists: Vec<(Window, Vec<String>)>| {
            let mut sets = Customers::new();
            for (window, customers) in lists {
                sets.entry(window).or_default().extend(customers);
            }
            sets
        };
        let (billed, open, failed) = (sets(billed), sets(open), sets(failed));
        let said = Said { aside, until, billed, open, failed, inputs: inputs.into_iter().collect(), own };
        self.0.entry(sink).or_default().push(said);
    }

    /// What was said of a sink was said of this one.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if let Some(said) = self.0.remove(from) {
            self.0.insert(to.to_owned(), said);
        }
    }

    /// What was said of a sink, the latest first.
    fn of(&self, sink: &str) -> Rev<slice::Iter<'_, Said>> {
        self.0.get(sink).map(Vec::as_slice).unwrap_or_default().iter().rev()
    }

    /// The sinks whose charges were spoken of, ascending.
    pub fn sinks(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The last window that was closed for a sink.
    pub fn until(&self, sink: &str) -> Option<Window> {
        self.of(sink).filter_map(|said| said.until).max()
    }

    /// Whether another exporter closed a window for a sink.
    pub fn is_closed(&self, sink: &str, window: &Window) -> bool {
        self.of(sink).any(|said| said.closes(window))
    }

    /// Whether what a customer owes for a window counts as billed: the customer is listed, or the window is closed.
    pub fn is_billed(&self, sink: &str, window: &Window, customer: &str) -> bool {
        self.of(sink).any(|said| said.bills(window, customer)) && !self.is_open(sink, window, customer)
    }

    /// What a window's inputs were when a customer was last said to be billed for it; nothing where nobody looked.
    pub fn inputs(&self, sink: &str, window: &Window, customer: &str) -> Option<&[InputSeen]> {
        self.of(sink).find(|said| said.bills(window, customer))?.inputs.get(window).map(Vec::as_slice)
    }

    /// What a window's inputs were when it was last said to be closed; nothing where nobody looked.
    pub fn closed_inputs(&self, sink: &str, window: &Window) -> Option<&[InputSeen]> {
        self.of(sink).find(|said| said.closes(window))?.inputs.get(window).map(Vec::as_slice)
    }

    /// Whether somebody was said to be billed for a window of which nobody could look then what it was made of.
    pub fn bills_blindly(&self, window: &Window) -> bool {
        let blind = |said: &Said| {
            (said.closes(window) || said.billed.contains_key(window)) && !said.inputs.contains_key(window)
        };
        self.0.values().flatten().any(blind)
    }

    /// What the document that the pipeline keeps said last of a sink.
    fn kept(&self, sink: &str) -> Option<&Said> {
        self.of(sink).find(|said| !said.aside)
    }

    /// Customers of a window that were given up unbilled, as was said last.
    pub fn failed<'a>(&'a self, sink: &str, window: &Window) -> impl Iterator<Item = &'a str> + use<'a> {
        self.kept(sink).and_then(|said| said.failed.get(window)).into_iter().flatten().map(String::as_str)
    }

    /// The windows of which some customers were given up, ascending.
    pub fn failed_windows(&self, sink: &str) -> impl Iterator<Item = Window> + use<'_> {
        self.kept(sink).into_iter().flat_map(|said| said.failed.keys().copied())
    }

    /// Whether something may have been billed to a customer for a window.
    pub fn is_open(&self, sink: &str, window: &Window, customer: &str) -> bool {
        self.of(sink).any(|said| has(&said.open, window, customer))
    }

    /// The windows for which something may have been billed to some customer.
    pub fn open_windows(&self, sink: &str) -> impl Iterator<Item = Window> + use<'_> {
        self.of(sink).flat_map(|said| said.open.keys().copied())
    }

    /// The customers to whom something may have been billed, as was said last: who is in it without a charge stays in the document.
    pub fn still_open(&self, sink: &str) -> impl Iterator<Item = (Window, &BTreeSet<String>)> + use<'_> {
        self.kept(sink).into_iter().flat_map(|said| said.open.iter().map(|(window, customers)| (*window, customers)))
    }

    /// Whether something may have been billed to some customer for a window.
    pub fn has_open(&self, sink: &str, window: &Window) -> bool {
        self.of(sink).any(|said| said.open.get(window).is_some_and(|customers| !customers.is_empty()))
    }
}

fn has(customers: &Customers, window: &Window, customer: &str) -> bool {
    customers.get(window).is_some_and(|customers| customers.contains(customer))
}
