//! What has one value throughout a set: of a service its category, of a tag's key the tag that is written under it.
//!
//! Which of two values is right nobody knows, so that both are named: within a batch each charge that says one of them is objected to
//! ([`torn`]); in a set that is being written, the first that says another than the charges before ([`Agreed`]).

use std::collections::HashMap;

use meterhost_sdk::ChargeBatch;

use crate::objections::place;

/// What was seen of a set.
#[derive(Debug, Default)]
pub struct Agreed(HashMap<Box<str>, Said>);

/// A value, and the first charge that said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The value.
    pub value: Box<str>,
    /// The charge, in words.
    pub place: String,
}

impl Agreed {
    /// Takes what each row of a batch says, a key and its value: the first row that says another value than a charge before, and what that
    /// was.
    pub fn take<'t>(
        &mut self,
        batch: &ChargeBatch,
        says: impl Fn(usize) -> Option<(&'t str, &'t str)>,
    ) -> Option<(usize, &Said)> {
        let mut last = None;
        for row in 0..batch.len() {
            let Some((key, value)) = says(row) else { continue };
            // Most rows repeat what the row before said.
            if last.replace((key, value)) == Some((key, value)) {
                continue;
            }
            match self.0.get(key) {
                None => {
                    self.0.insert(key.into(), Said { value: value.into(), place: place(batch, row) });
                }
                Some(said) if *said.value == *value => {}
                Some(_) => return Some((row, self.0.get(key)?)),
            }
        }
        None
    }
}

/// Of what each of so many rows says, a key and its value: the rows whose key has several values, each with a row that says another.
pub fn torn<'t>(rows: usize, says: impl Fn(usize) -> Option<(&'t str, &'t str)>) -> Vec<(usize, usize)> {
    let mut seen: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut others: HashMap<&str, usize> = HashMap::new();
    let mut last = None;
    for row in 0..rows {
        let Some((key, value)) = says(row) else { continue };
        if last.replace((key, value)) == Some((key, value)) {
            continue;
        }
        let (_, first) = *seen.entry(key).or_insert((row, value));
        if first != value {
            others.entry(key).or_insert(row);
        }
    }
    if others.is_empty() {
        return Vec::new();
    }
    let opposed = |row: usize| {
        let (key, value) = says(row)?;
        let (other, (row_of_first, first)) = (*others.get(key)?, *seen.get(key)?);
        Some((row, if first == value { other } else { row_of_first }))
    };
    (0..rows).filter_map(opposed).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use meterhost_sdk::testing::{Charged, charges};

    use super::*;

    const SAYS: [Option<(&str, &str)>; 7] = [
        Some(("a", "1")),
        Some(("b", "1")),
        None,
        Some(("a", "1")),
        Some(("a", "2")),
        Some(("a", "3")),
        Some(("b", "1")),
    ];

    #[test]
    fn every_row_of_a_torn_key_is_opposed_to_one_that_says_another() {
        // Of "a", rows 0 and 3 say 1, row 4 says 2 and row 5 says 3; of "b" both say the same.
        assert_eq!(torn(7, |row| SAYS[row]), [(0, 4), (3, 4), (4, 0), (5, 0)]);
        assert_eq!(torn(4, |row| SAYS[row]), []);
    }

    #[test]
    fn a_set_remembers_the_first_charge_that_said_it_across_batches() {
        let one = Charged { end: 3_600_000, customer: "x", dimension: "d", quantity: "1", ..Charged::default() };
        let first = charges(&[one; 4]);
        let second = charges(&[Charged { customer: "y", ..one }; 3]);
        let mut agreed = Agreed::default();
        assert_eq!(agreed.take(&first, |row| SAYS[row]), None);
        let (row, said) = agreed.take(&second, |row| SAYS[row + 4]).unwrap();
        assert_eq!((row, &*said.value), (0, "1"));
        assert_eq!(said.place, "customer x, dimension d, window from 1970-01-01T00:00:00Z");
    }
}
