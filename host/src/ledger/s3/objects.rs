//! The objects of a ledger on S3: read, and created under a precondition.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::segment::Flaw;
use crate::broker::{Body, Broker, Grants, Object, ObjectError, Precondition, Session};
use crate::config::{GrantSpec, Located, S3Location};
use crate::ledger::error::{LedgerError, Trouble};

/// How much of an object is read at once, in bytes.
const PIECE: u32 = 4 << 20;

/// What lies below the prefix of a ledger.
#[derive(Clone)]
pub(in crate::ledger) struct Objects {
    broker: Broker,
    grants: Arc<Grants>,
    session: Session,
    /// A session of its own: what is written forgets what was announced.
    reading: Session,
    /// As messages name it.
    pub(in crate::ledger) place: String,
}

impl Objects {
    /// Nothing is asked for yet.
    pub(in crate::ledger) fn new(location: &S3Location, broker: &Broker) -> Result<Objects, LedgerError> {
        let located = |text: &String| Located { value: text.clone(), span: 0..0 };
        let grant = GrantSpec {
            read: Some(located(&location.url)),
            write: Some(located(&location.url)),
            role: location.role.as_ref().map(located),
            profile: location.profile.as_ref().map(located),
            region: location.region.as_ref().map(located),
            ..GrantSpec::default()
        };
        let grants = Grants::parse(&grant, std::path::Path::new("")).map_err(|errors| LedgerError::NoPlace {
            place: location.url.clone(),
            cause: errors.into_iter().map(|error| error.message).next().unwrap_or_default(),
        })?;
        let grants = Arc::new(grants);
        let session = || broker.session("ledger", Arc::clone(&grants), false);
        let (writing, reading) = (session(), session());
        Ok(Objects { broker: broker.clone(), grants, session: writing, reading, place: location.url.clone() })
    }

    /// The same, with nothing fetched beforehand: what a reading that came to no end had announced may be another by now.
    pub(super) fn afresh(&self) -> Objects {
        Objects { reading: self.broker.session("ledger", Arc::clone(&self.grants), false), ..self.clone() }
    }

    /// Every object whose key begins so, ascending.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<Object>, LedgerError> {
        let listed = async {
            let mut listing = self.reading.list(prefix, None).await?;
            let mut all = Vec::new();
            while let Some(page) = listing.next().await? {
                all.extend(page);
            }
            Ok(all)
        };
        self.broker.wait(listed).map_err(|error| self.failed("cannot be listed", &error))
    }

    /// These will be read soon, in this order.
    pub(super) fn announce(&self, keys: Vec<String>) {
        self.reading.prefetch(keys);
    }

    /// An object's contents and version, if it is there.
    pub(super) fn get(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, LedgerError> {
        self.got(self.broker.wait(read(&self.session, key)))
    }

    /// An object of JSON that says in which form it is, and its version, if it is there. `form` is the newest that is known.
    pub(super) fn get_form<T: DeserializeOwned>(
        &self,
        key: &str,
        form: u32,
    ) -> Result<Option<(T, String)>, LedgerError> {
        /// What is the same in every form.
        #[derive(Deserialize)]
        struct Any {
            form: u32,
        }

        let Some((bytes, version)) = self.get(key)? else { return Ok(None) };
        let torn = |error: serde_json::Error| self.torn(key, &format!("it cannot be read: {error}"));
        let any: Any = serde_json::from_slice(&bytes).map_err(torn)?;
        if any.form > form {
            let flaw =
                format!("is from a newer version of meterhost: its form is {}, and this one knows {form}", any.form);
            return Err(self.flawed(key, Flaw::Foreign(flaw)));
        }
        Ok(Some((serde_json::from_slice(&bytes).map_err(torn)?, version)))
    }

    /// The same of an object that was announced.
    pub(super) fn get_announced(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, LedgerError> {
        self.got(self.broker.wait(read(&self.reading, key)))
    }

    /// A part of an object, if it is there: so many bytes from this one on, fewer where it ends before.
    pub(in crate::ledger) fn part(&self, key: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, LedgerError> {
        self.got(self.broker.wait(self.session.part(key, from, length)))
    }

    fn got<T>(&self, read: Result<T, ObjectError>) -> Result<Option<T>, LedgerError> {
        match read {
            Ok(found) => Ok(Some(found)),
            Err(ObjectError::NotFound(_)) => Ok(None),
            Err(error) => Err(self.failed("cannot be read", &error)),
        }
    }

    /// Opens an object, to be read in pieces, if it is there.
    pub(super) fn open(&self, key: &str) -> Result<Option<Reading<'_>>, LedgerError> {
        match self.broker.wait(self.reading.get(key, None)) {
            Ok(body) => Ok(Some(Reading { objects: self, body, bytes: VecDeque::new() })),
            Err(ObjectError::NotFound(_)) => Ok(None),
            Err(error) => Err(self.failed("cannot be read", &error)),
        }
    }

    /// Writes an object in pieces, unless it is there already.
    pub(in crate::ledger) fn upload(
        &self,
        key: &str,
        pieces: impl Iterator<Item = Result<Vec<u8>, LedgerError>>,
    ) -> Result<(), LedgerError> {
        let failed = |error: ObjectError| self.failed("cannot be written", &error);
        let mut upload = self.broker.wait(self.session.upload(key, "application/octet-stream")).map_err(failed)?;
        for piece in pieces {
            self.broker.wait(upload.write(&piece?)).map_err(failed)?;
        }
        match self.broker.wait(upload.commit(&Precondition::Absent)) {
            Ok(_) | Err(ObjectError::Precondition(_)) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes an object; answers its version.
    pub(super) fn put(&self, key: &str, bytes: &[u8], condition: &Precondition) -> Result<String, ObjectError> {
        self.broker.wait(self.session.put(key, bytes, "application/json", condition))
    }

    /// The same, and gives up after a while: whether it was written is not known then.
    pub(super) fn put_within(
        &self,
        patience: Duration,
        key: &str,
        bytes: &[u8],
        condition: &Precondition,
    ) -> Result<String, ObjectError> {
        let put = async {
            let put = self.session.put(key, bytes, "application/json", condition);
            let late = || ObjectError::Unknown(format!("no answer within {} s", patience.as_secs_f64()));
            tokio::time::timeout(patience, put).await.unwrap_or_else(|_| Err(late()))
        };
        self.broker.wait(put)
    }

    /// Takes an object away.
    pub(super) fn delete(&self, key: &str, condition: &Precondition) -> Result<(), LedgerError> {
        let deleted = self.broker.wait(self.session.delete(key, condition));
        deleted.map_err(|error| self.failed("cannot be written", &error))
    }

    /// That the store does not do what it is asked for.
    pub(super) fn failed(&self, doing: &'static str, error: &ObjectError) -> LedgerError {
        LedgerError::Storage { place: self.place.clone(), doing, trouble: Trouble::Store, cause: error.to_string() }
    }
}

/// An object that is read in pieces.
pub(super) struct Reading<'a> {
    objects: &'a Objects,
    body: Body,
    bytes: VecDeque<u8>,
}

impl Reading<'_> {
    /// So many bytes; nothing if there are not as many.
    pub(super) fn take(&mut self, many: u64) -> Result<Option<Vec<u8>>, LedgerError> {
        let Ok(many) = usize::try_from(many) else { return Ok(None) };
        while self.bytes.len() < many {
            if !self.more()? {
                return Ok(None);
            }
        }
        Ok(Some(self.bytes.drain(..many).collect()))
    }

    /// A line of at most so many bytes, without its end; nothing if there is none.
    pub(super) fn line(&mut self, most: usize) -> Result<Option<Vec<u8>>, LedgerError> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.bytes.drain(..=end).collect();
                line.pop();
                return Ok(Some(line));
            }
            if self.bytes.len() > most || !self.more()? {
                return Ok(None);
            }
        }
    }

    fn more(&mut self) -> Result<bool, LedgerError> {
        let piece = self.objects.broker.wait(self.body.read(PIECE));
        let piece = piece.map_err(|error| self.objects.failed("cannot be read", &error))?;
        self.bytes.extend(&piece);
        Ok(!piece.is_empty())
    }
}

async fn read(session: &Session, key: &str) -> Result<(Vec<u8>, String), ObjectError> {
    let mut body = session.get(key, None).await?;
    let mut bytes = Vec::new();
    loop {
        let piece = body.read(PIECE).await?;
        if piece.is_empty() {
            return Ok((bytes, body.object().etag.clone()));
        }
        bytes.extend(piece);
    }
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place)
    }
}
