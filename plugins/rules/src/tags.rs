//! Attributes of the usage that become tags of the charges: which of them each record has.

use std::collections::BTreeMap;

use meterhost_sdk::{Batch, Error};

use crate::fault::Fault;
use crate::texts::Texts;

/// What several records may have in common: for each tag the number of its value, or none.
type Values = Vec<Option<u32>>;

/// The sets of tags that there are, by number. Records without any have the first.
#[derive(Debug, Default)]
pub(crate) struct TagSets {
    /// Ascending.
    names: Vec<String>,
    texts: Texts,
    sets: Vec<Values>,
    numbers: BTreeMap<Values, u32>,
}

/// Checks what is written under `tags`.
pub(crate) fn names(mut written: Vec<String>) -> Result<Vec<String>, Error> {
    let fault = |reason: &str| Err(Fault::rule(reason).at("tags"));
    written.sort_unstable();
    if written.iter().any(String::is_empty) {
        return fault("it names attributes, and \"\" is no name of one");
    }
    match written.array_windows().find(|[left, right]| left == right) {
        Some([name, _]) => fault(&format!("it names {name:?} twice")),
        None => Ok(written),
    }
}

impl TagSets {
    /// Of attributes with these names, ascending.
    pub(crate) fn of(names: Vec<String>) -> Self {
        let none: Values = vec![None; names.len()];
        TagSets { names, texts: Texts::default(), sets: vec![none.clone()], numbers: BTreeMap::from([(none, 0)]) }
    }

    /// The number of each row's tags; nothing where there are none to look for.
    pub(crate) fn of_rows(&mut self, batch: &Batch) -> Vec<u32> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let columns: Vec<_> = self
            .names
            .iter()
            .map(|name| {
                let column = batch.attribute(name);
                let values = column.iter().flat_map(|column| column.values());
                // An empty value says no more than none.
                let numbers = values.map(|text| (!text.is_empty()).then(|| self.texts.number(text)));
                (column, numbers.collect::<Vec<_>>())
            })
            .collect();
        let mut last: Option<(Values, u32)> = None;
        let mut row_of = |row| {
            let value = |(column, numbers): &(Option<meterhost_sdk::TextColumn<'_>>, Values)| {
                numbers.get(column.as_ref()?.index(row)?).copied().flatten()
            };
            let values: Values = columns.iter().map(value).collect();
            // The records of one thing often come one after the other.
            match &last {
                Some((same, number)) if *same == values => *number,
                _ => {
                    let number = self.numbers.get(&values).copied().unwrap_or_else(|| {
                        let number = self.sets.len() as u32;
                        self.numbers.insert(values.clone(), number);
                        self.sets.push(values.clone());
                        number
                    });
                    last = Some((values, number));
                    number
                }
            }
        };
        (0..batch.len()).map(&mut row_of).collect()
    }

    /// The tags behind a number: names ascending, and the values.
    pub(crate) fn get(&self, number: u32) -> Vec<(String, String)> {
        let values = self.sets.get(number as usize).into_iter().flatten();
        let pairs = self.names.iter().zip(values);
        pairs.filter_map(|(name, value)| Some((name.clone(), self.texts.get((*value)?).to_owned()))).collect()
    }

    /// The place of each set, by number, in the order of what is in it: as a list of names and values.
    pub(crate) fn ranks(&self) -> Vec<u32> {
        let mut sorted: Vec<(Vec<(String, String)>, u32)> =
            (0..).take(self.sets.len()).map(|number| (self.get(number), number)).collect();
        sorted.sort_unstable();
        let mut ranks = vec![0; self.sets.len()];
        for (rank, (_, number)) in (0..).zip(sorted) {
            if let Some(place) = ranks.get_mut(number as usize) {
                *place = rank;
            }
        }
        ranks
    }
}
