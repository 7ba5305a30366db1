//! The usage so far: one entry for each dimension of a customer, whatever the number of records.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use meterhost_sdk::DecimalSum;

use crate::cell::{Amount, Cell};
use crate::groups::Groups;
use crate::plan::Plan;
use crate::rule::Measured;
use crate::rules::Rules;
use crate::tags::TagSets;
use crate::texts::Texts;

/// Product, customer and dimension, each as the number of its text; and the number of the tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) product: u32,
    pub(crate) customer: u32,
    pub(crate) dimension: u32,
    pub(crate) tags: u32,
}

/// The usage of one dimension by one customer.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// Of all records, whether a rule takes them or not.
    pub(crate) records: u64,
    /// Of all records, likewise.
    pub(crate) sum: DecimalSum,
    /// The first of its cells; its dimension's plan says how many there are.
    first_cell: usize,
}

/// All usage, and what the rules make of it.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) rules: Rules,
    pub(crate) products: Texts,
    pub(crate) customers: Texts,
    pub(crate) dimensions: Texts,
    pub(crate) tags: TagSets,
    /// By the dimension's number.
    plans: Vec<Plan>,
    entries: Vec<Entry>,
    /// Where in `entries` a key is.
    places: HashTable<u32>,
    cells: Vec<Cell>,
    pub(crate) values: Values,
    /// By product, customer, tags and rule: the number under which the values of a line are kept that is made of several dimensions.
    lines: BTreeMap<(u32, u32, u32, usize), u32>,
    state: FixedState,
}

/// The different values that each line saw.
///
/// Exact: every value is kept, once for all lines that saw it (its bytes and about 12 more), and for each line 10 to 20 bytes.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) texts: Texts,
    /// What `sum_of_max` keeps.
    pub(crate) groups: Groups,
    seen: HashTable<(u32, u32)>,
    state: FixedState,
}

impl Values {
    /// Whether the line sees the value for the first time.
    pub(crate) fn is_new(&mut self, line: u32, value: u32) -> bool {
        let state = &self.state;
        let entry =
            self.seen.entry(state.hash_one((line, value)), |seen| *seen == (line, value), |seen| state.hash_one(seen));
        match entry {
            hashbrown::hash_table::Entry::Occupied(_) => false,
            hashbrown::hash_table::Entry::Vacant(place) => {
                place.insert((line, value));
                true
            }
        }
    }
}

impl Usage {
    pub(crate) fn new(rules: Rules) -> Self {
        Usage {
            tags: TagSets::of(rules.tags.clone()),
            rules,
            products: Texts::default(),
            customers: Texts::default(),
            dimensions: Texts::default(),
            plans: Vec::new(),
            entries: Vec::new(),
            places: HashTable::new(),
            cells: Vec::new(),
            values: Values::default(),
            lines: BTreeMap::new(),
            state: FixedState::default(),
        }
    }

    /// The number of a dimension, whose plan is made when it first comes.
    pub(crate) fn dimension(&mut self, name: &str) -> u32 {
        let number = self.dimensions.number(name);
        if number as usize == self.plans.len() {
            self.plans.push(self.rules.plan(name));
        }
        number
    }

    /// The place of a key in `entries`, where it is made if it is new.
    pub(crate) fn place(&mut self, key: Key) -> u32 {
        let hash = self.state.hash_one(key);
        let entries = &self.entries;
        let of = |&place: &u32| entries.get(place as usize).map(|entry| entry.key);
        if let Some(&place) = self.places.find(hash, |place| of(place) == Some(key)) {
            return place;
        }
        let place = self.entries.len() as u32;
        let state = &self.state;
        self.places.insert_unique(hash, place, |place| of(place).map_or(0, |key| state.hash_one(key)));
        let first_cell = self.cells.len();
        self.make_cells(key);
        self.entries.push(Entry { key, records: 0, sum: DecimalSum::new(), first_cell });
        place
    }

    fn make_cells(&mut self, key: Key) {
        let Some(Plan::Billed { cells, .. }) = self.plans.get(key.dimension as usize) else { return };
        for cell in cells {
            let Some((measure, rule)) = cell.measure(|rule| self.rules.get(rule)) else { continue };
            let slot = self.cells.len() as u32;
            let mut line = slot;
            if let Some((number, rule)) = rule
                && rule.joins()
                && matches!(measure, Measured::Unique(_))
            {
                line = *self.lines.entry((key.product, key.customer, key.tags, number)).or_insert(line);
            }
            self.cells.push(Cell::new(measure, line, slot));
        }
    }

    /// Ends the input: adds up what was kept apart until now.
    pub(crate) fn close(&mut self) {
        for (slot, largest) in self.values.groups.take() {
            if let Some(Amount::SumOfMax { sum, .. }) = self.cells.get_mut(slot as usize).map(|cell| &mut cell.amount) {
                sum.add(largest);
            }
        }
    }

    /// An entry by its place.
    pub(crate) fn entry(&mut self, place: u32) -> Option<&mut Entry> {
        self.entries.get_mut(place as usize)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What happens to the usage of a dimension, by its number.
    pub(crate) fn plan(&self, dimension: u32) -> Option<&Plan> {
        self.plans.get(dimension as usize)
    }

    /// One of an entry's cells.
    pub(crate) fn cell(&self, entry: &Entry, cell: usize) -> Option<&Cell> {
        self.cells.get(entry.first_cell + cell)
    }

    /// For taking in the record of an entry: its plan, its cells from the first on, and the values seen.
    pub(crate) fn parts(&mut self, place: u32) -> Option<(&Plan, &mut [Cell], &mut Values)> {
        let entry = self.entries.get(place as usize)?;
        let plan = self.plans.get(entry.key.dimension as usize)?;
        let cells = self.cells.get_mut(entry.first_cell..)?;
        Some((plan, cells, &mut self.values))
    }
}
