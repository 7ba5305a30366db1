//! The books: every record, and the promise that a slot is billed once.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::record::{Record, Slot, Status};

/// All records in the order in which they were stored.
#[derive(Debug, Default)]
pub(crate) struct Books {
    records: Vec<Record>,
    held: HashSet<Slot>,
    ids: HashSet<String>,
    /// The ids of what was read from the file: submitted in an earlier life.
    inherited: HashSet<String>,
    /// The ids of what was put in by hand or by a script: submitted by nobody that this emulator knows.
    seeded: HashSet<String>,
    failed_holds_slot: bool,
    file: Option<PathBuf>,
}

impl Books {
    /// Opens the books, from `file` if it exists.
    ///
    /// # Errors
    /// The file cannot be read, is not a list of records, or bills a slot twice.
    pub(crate) fn open(file: Option<PathBuf>, failed_holds_slot: bool) -> io::Result<Self> {
        let mut books = Self { failed_holds_slot, ..Self::default() };
        let text = match file.as_ref().map(fs::read) {
            Some(Err(error)) if error.kind() == ErrorKind::NotFound => None,
            other => other.transpose()?,
        };
        let records: Vec<Record> = text.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_slice(&text))?;
        verify(&records).map_err(|reason| io::Error::new(ErrorKind::InvalidData, reason))?;
        for record in records {
            books.inherited.insert(record.id.clone());
            books.push(record);
        }
        books.file = file;
        Ok(books)
    }

    /// All records, oldest first.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether a second record for this slot "already exists".
    pub(crate) fn holds(&self, slot: &Slot) -> bool {
        self.held.contains(slot)
    }

    /// The record that bills this slot, unless it is someone else's.
    pub(crate) fn billed(&self, slot: &Slot) -> Option<&Record> {
        let bills = |record: &&Record| record.status == Status::Success && record.slot() == *slot;
        let record = self.held.contains(slot).then(|| self.records.iter().find(bills)).flatten();
        record.filter(|record| !self.is_seeded(&record.id))
    }

    /// Whether the record is someone else's: put in by hand or by a script.
    pub(crate) fn is_seeded(&self, id: &str) -> bool {
        self.seeded.contains(id)
    }

    /// Whether the record was there before the first request.
    pub(crate) fn is_inherited(&self, id: &str) -> bool {
        self.inherited.contains(id)
    }

    /// Adds a record of someone else. As [`Books::add`].
    pub(crate) fn seed(&mut self, record: Record) -> bool {
        let id = record.id.clone();
        let added = self.add(record);
        if added {
            self.seeded.insert(id);
        }
        added
    }

    /// Adds a record, unless its id is known or it would bill a slot again. Lasting only after [`Books::keep`].
    pub(crate) fn add(&mut self, record: Record) -> bool {
        let taken = self.holds_slot(&record) && self.held.contains(&record.slot());
        if taken || self.ids.contains(&record.id) {
            return false;
        }
        self.push(record);
        true
    }

    /// Makes all records after the first `mark` lasting, and says which ids those have that are nobody else's.
    ///
    /// # Errors
    /// The file cannot be written; then those records are taken out again.
    pub(crate) fn keep(&mut self, mark: usize) -> io::Result<Vec<String>> {
        if self.records.len() == mark {
            return Ok(Vec::new());
        }
        if let Err(error) = self.save() {
            for record in self.records.split_off(mark) {
                self.ids.remove(&record.id);
                self.seeded.remove(&record.id);
                if self.holds_slot(&record) {
                    self.held.remove(&record.slot());
                }
            }
            return Err(error);
        }
        let ids = self.records.iter().skip(mark).map(|record| &record.id);
        Ok(ids.filter(|id| !self.is_seeded(id)).cloned().collect())
    }

    fn holds_slot(&self, record: &Record) -> bool {
        self.failed_holds_slot || record.status == Status::Success
    }

    fn push(&mut self, record: Record) {
        if self.holds_slot(&record) {
            self.held.insert(record.slot());
        }
        self.ids.insert(record.id.clone());
        self.records.push(record);
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

/// What books must be, whoever wrote them: no slot is billed twice, and no id stands for two records.
pub(crate) fn verify(records: &[Record]) -> Result<(), String> {
    let (mut billed, mut ids) = (HashSet::new(), HashSet::new());
    for record in records {
        if record.status == Status::Success && !billed.insert(record.slot()) {
            return Err(format!("billed twice: {:?}", record.slot()));
        }
        if !ids.insert(&record.id) {
            return Err(format!("two records have the id {}", record.id));
        }
    }
    Ok(())
}
