//! The books: every billed record, and the promise that a slot is billed once.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::record::{Booked, Slot};

/// All records in the order in which they were billed.
#[derive(Debug, Default)]
pub(crate) struct Books {
    records: Vec<Booked>,
    places: HashMap<Slot, usize>,
    /// The ids of what no request of this emulator's life brought: read from the file, or put in by hand.
    others: HashSet<String>,
    file: Option<PathBuf>,
}

impl Books {
    /// Opens the books, from `file` if it exists.
    ///
    /// # Errors
    /// The file cannot be read, is not a list of records, or bills a slot twice.
    pub(crate) fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let text = match file.as_ref().map(fs::read) {
            Some(Err(error)) if error.kind() == ErrorKind::NotFound => None,
            other => other.transpose()?,
        };
        let records: Vec<Booked> = text.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_slice(&text))?;
        let mut books = Self::default();
        for record in records {
            let slot = record.slot();
            books.others.insert(record.id.clone());
            if !books.add(record) {
                return Err(io::Error::new(ErrorKind::InvalidData, format!("billed twice: {slot}")));
            }
        }
        books.file = file;
        Ok(books)
    }

    /// All records, oldest first.
    pub(crate) fn records(&self) -> &[Booked] {
        &self.records
    }

    /// The record that bills this slot.
    pub(crate) fn billed(&self, slot: &Slot) -> Option<&Booked> {
        self.places.get(slot).and_then(|place| self.records.get(*place))
    }

    /// Whether no request of this life brought the record.
    pub(crate) fn is_others(&self, id: &str) -> bool {
        self.others.contains(id)
    }

    /// Bills a slot, unless it is billed. Lasting only after [`Books::keep`].
    pub(crate) fn add(&mut self, record: Booked) -> bool {
        let slot = record.slot();
        if self.places.contains_key(&slot) {
            return false;
        }
        self.places.insert(slot, self.records.len());
        self.records.push(record);
        true
    }

    /// Bills a slot for someone else. As [`Books::add`].
    pub(crate) fn seed(&mut self, record: Booked) -> bool {
        let id = record.id.clone();
        let added = self.add(record);
        if added {
            self.others.insert(id);
        }
        added
    }

    /// Makes all records after the first `mark` lasting, and says which ids they have.
    ///
    /// # Errors
    /// The file cannot be written; then those records are taken out again.
    pub(crate) fn keep(&mut self, mark: usize) -> io::Result<Vec<String>> {
        if self.records.len() == mark {
            return Ok(Vec::new());
        }
        if let Err(error) = self.save() {
            for record in self.records.split_off(mark) {
                self.others.remove(&record.id);
                self.places.remove(&record.slot());
            }
            return Err(error);
        }
        Ok(self.records.iter().skip(mark).map(|record| record.id.clone()).collect())
    }

    /// Replaces the file by way of a neighbour, so that a reader never sees half of it.
    fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut neighbour = file.clone().into_os_string();
        neighbour.push(".new");
        fs::write(&neighbour, serde_json::to_vec_pretty(&self.records)?)?;
        fs::rename(&neighbour, file)
    }
}
