//! The head, as an object of its own: it says where the chain of segments has to end.

use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use super::objects::Objects;
use crate::broker::{ObjectError, Precondition};
use crate::ledger::error::LedgerError;
use crate::ledger::row::Head;

/// The object's key.
pub(super) const KEY: &str = "head";
/// The form in which this version writes it.
const FORM: u32 = 1;
/// How often it is written until it is known what became of it.
const TRIES: u32 = 6;

#[derive(Serialize, Deserialize)]
struct Text {
    form: u32,
    #[serde(flatten)]
    head: Head,
}

/// The object.
#[derive(Debug)]
pub(super) struct HeadObject {
    objects: Objects,
    /// The version that was seen or written last.
    version: Option<String>,
    /// A write under way.
    writing: Option<JoinHandle<Result<String, LedgerError>>>,
}

impl HeadObject {
    pub(super) fn new(objects: &Objects) -> HeadObject {
        HeadObject { objects: objects.clone(), version: None, writing: None }
    }

    /// What it says; nothing while there is none.
    pub(super) fn read(&mut self) -> Result<Option<Head>, LedgerError> {
        let found = found(&self.objects)?;
        self.version = found.as_ref().map(|(_, version)| version.clone());
        Ok(found.map(|(head, _)| head))
    }

    /// Writes it in place of whatever the object says; takes it away if there is nothing to say.
    pub(super) fn replace(&mut self, head: Option<&Head>) -> Result<(), LedgerError> {
        self.finish()?;
        let version = self.objects.get(KEY)?.map(|(_, version)| version);
        let replaced = match (head, version) {
            (Some(head), version) => write(&self.objects, head, version).map(Some),
            (None, Some(version)) => self.objects.delete(KEY, &Precondition::Match(version)).map(|()| None),
            (None, None) => Ok(None),
        };
        self.version = replaced?;
        Ok(())
    }

    /// Begins to write it. Whatever was under way has to be finished.
    pub(super) fn begin(&mut self, head: &Head) {
        let (objects, head, version) = (self.objects.clone(), *head, self.version.clone());
        self.writing = Some(std::thread::spawn(move || write(&objects, &head, version)));
    }

    /// Waits for what was begun.
    pub(super) fn finish(&mut self) -> Result<(), LedgerError> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        let panicked = |_| self.objects.failed("cannot be written", &ObjectError::Other("its head was not".to_owned()));
        self.version = Some(writing.join().map_err(panicked)??);
        Ok(())
    }
}

/// Only who holds the lease writes it; one that slept since may have written it just before, and what it wrote is older.
fn write(objects: &Objects, head: &Head, mut version: Option<String>) -> Result<String, LedgerError> {
    let text = serde_json::to_vec(&Text { form: FORM, head: *head });
    let text = text.map_err(|error| objects.failed("cannot be written", &ObjectError::Other(error.to_string())))?;
    let mut tries = 1;
    loop {
        let condition = version.clone().map_or(Precondition::Absent, Precondition::Match);
        let failed = match objects.put(KEY, &text, &condition) {
            Ok(version) => return Ok(version),
            Err(error @ (ObjectError::Precondition(_) | ObjectError::Unknown(_))) => {
                match found(objects)? {
                    Some((now, version)) if now == *head => return Ok(version),
                    Some((now, _)) if now.step > head.step => {
                        return Err(LedgerError::Overtaken { place: objects.place.clone() });
                    }
                    now => version = now.map(|(_, version)| version),
                }
                error
            }
            Err(error @ ObjectError::Unavailable(_)) => error,
            Err(error) => return Err(objects.failed("cannot be written", &error)),
        };
        if tries >= TRIES {
            return Err(objects.failed("cannot be written", &failed));
        }
        tries += 1;
    }
}

fn found(objects: &Objects) -> Result<Option<(Head, String)>, LedgerError> {
    let found = objects.get_form::<Text>(KEY, FORM)?;
    Ok(found.map(|(text, version)| (text.head, version)))
}
