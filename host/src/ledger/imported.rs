//! What another exporter had billed before, as its state documents said: more documents say more, none takes anything back.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::Import;
use crate::model::window::Window;

/// Customers by sink and window.
type Customers = BTreeMap<(String, Window), BTreeSet<String>>;

/// What another exporter had billed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    sink: Option<String>,
    until: Option<Window>,
    billed: Customers,
    open: Customers,
}

impl Imported {
    pub(super) fn add(&mut self, import: Import) {
        let Import { document: _, entry: _, aside: _, sink, until, billed, open } = import;
        self.until = self.until.max(until);
        for (window, customers) in billed {
            self.billed.entry((sink.clone(), window)).or_default().extend(customers);
        }
        for (window, customers) in open {
            self.open.entry((sink.clone(), window)).or_default().extend(customers);
        }
        self.sink = Some(sink);
    }

    /// The sink whose charges the last document spoke of.
    pub fn sink(&self) -> Option<&str> {
        self.sink.as_deref()
    }

    /// The last window that was closed.
    pub fn until(&self) -> Option<Window> {
        self.until
    }

    /// Whether what a customer owes for a window counts as billed: the customer is listed, or the window is closed.
    pub fn is_billed(&self, sink: &str, window: &Window, customer: &str) -> bool {
        let is_closed = self.sink() == Some(sink) && self.until.is_some_and(|until| *window <= until);
        (is_closed || is_in(&self.billed, sink, window, customer)) && !self.is_open(sink, window, customer)
    }

    /// Whether something may have been billed to a customer for a window.
    pub fn is_open(&self, sink: &str, window: &Window, customer: &str) -> bool {
        is_in(&self.open, sink, window, customer)
    }

    /// Whether something may have been billed to some customer for a window.
    pub fn has_open(&self, window: &Window) -> bool {
        self.open.iter().any(|((_, of), customers)| of == window && !customers.is_empty())
    }

    /// The windows for which something may have been billed to some customer, ascending.
    pub fn open_windows(&self) -> Vec<Window> {
        let mut windows: Vec<Window> = self.open.keys().map(|(_, window)| *window).collect();
        windows.sort();
        windows.dedup();
        windows
    }

    /// The customers to whom something may have been billed, by window.
    pub fn open(&self, sink: &str) -> impl Iterator<Item = (Window, &BTreeSet<String>)> {
        self.open.iter().filter(move |((of, _), _)| of == sink).map(|((_, window), customers)| (*window, customers))
    }
}

fn is_in(customers: &Customers, sink: &str, window: &Window, customer: &str) -> bool {
    customers.get(&(sink.to_owned(), *window)).is_some_and(|customers| customers.contains(customer))
}
