//! Where the document lies: read, and written under a precondition, so that nobody else's change is lost.

use std::time::Duration;

use jiff::Timestamp;

use super::document::Document;
use super::entry::{Known, Nonsense, Place, changed, find, fingerprint, replaced};
use super::wanted::Wanted;
use crate::broker::{Broker, Grants, ObjectError, Precondition, Session};
use crate::config::{GrantSpec, Located, MirrorForm, MirrorSpec};
use crate::failpoint::failpoint;
use crate::model::window::{Window, WindowKind};

/// How often a write that somebody else was faster than, or that came to nothing clear, is begun again.
const TRIES: u32 = 10;
/// How often of these one may come to nothing clear.
const UNCLEAR: u32 = 2;
/// The longest document, in bytes.
const MOST: usize = 64 << 20;
/// How much of it is read at once, in bytes.
const PIECE: u32 = 1 << 20;

/// A state document.
pub struct Mirror {
    broker: Broker,
    session: Session,
    url: String,
    object: String,
    key: String,
    form: MirrorForm,
    /// The sink whose charges it speaks of.
    pub sink: String,
}

/// The document, as it was read.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it says of this pipeline.
    pub known: Known,
    /// A fingerprint of the pipeline's entry; nothing while there is none.
    pub fingerprint: Option<String>,
    document: Document,
    place: Place,
    entry: Option<Document>,
    /// Nothing while there is no document.
    etag: Option<String>,
}

/// What a write came to.
#[derive(Debug)]
pub enum Written<E> {
    /// The document says what it should.
    Done(Box<Found>),
    /// Whoever was told before the write did not let it happen.
    Kept(E),
    /// It could not be written.
    Failed(MirrorError),
}

/// Why a document cannot be used. Nothing may be sent then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// Its place cannot be one.
    #[error("the state document {url} cannot be used: {why}")]
    Place {
        /// As the pipeline file names it.
        url: String,
        /// In words for a person.
        why: String,
    },
    /// It cannot be read.
    #[error("the state document {url} cannot be read: {why}")]
    Unreadable {
        /// As the pipeline file names it.
        url: String,
        /// In words for a person.
        why: String,
    },
    /// It makes no sense.
    #[error("the state document {url} makes no sense: {why}")]
    Nonsense {
        /// As the pipeline file names it.
        url: String,
        /// In words for a person.
        why: String,
    },
    /// It cannot be written.
    #[error("the state document {url} cannot be written: {why}")]
    Unwritable {
        /// As the pipeline file names it.
        url: String,
        /// In words for a person.
        why: String,
    },
    /// Somebody else changed this pipeline's entry.
    #[error("in the state document {url}, the entry {key:?} is not as this pipeline left it: {what}")]
    Foreign {
        /// As the pipeline file names it.
        url: String,
        /// The entry's.
        key: String,
        /// In words for a person.
        what: String,
    },
}

impl MirrorError {
    /// What to do about it.
    pub fn action(&self) -> &'static str {
        match self {
            MirrorError::Place { .. } => "mend `mirror.url`",
            MirrorError::Unreadable { .. } => "see to the permissions, and run again: nothing was sent",
            MirrorError::Nonsense { .. } => {
                "mend the document by hand, or point `mirror` at the right one; nothing was sent, and it was left as it is"
            }
            MirrorError::Unwritable { .. } => {
                "see to the permissions, and run again: nothing leaves that the document could not say of"
            }
            MirrorError::Foreign { .. } => {
                "see who did that, and that it does not run any more; `meterhost ledger import FILE` takes over what the document says now"
            }
        }
    }
}

impl Mirror {
    /// The document that a pipeline file names. Nothing is read yet.
    ///
    /// # Errors
    /// Its place cannot be one.
    pub fn new(
        spec: &MirrorSpec,
        base: &std::path::Path,
        broker: &Broker,
        dry_run: bool,
    ) -> Result<Mirror, MirrorError> {
        let (folder, object) = spec.place();
        let folder = Some(Located { value: folder.to_owned(), span: spec.url.span.clone() });
        let MirrorSpec { role, profile, region, .. } = spec.clone();
        let grant = GrantSpec { read: folder.clone(), write: folder, role, profile, region, ..GrantSpec::default() };
        let url = spec.url.value.clone();
        let grants = Grants::parse(&grant, base).map_err(|errors| {
            let why = errors.into_iter().map(|error| error.message).next().unwrap_or_default();
            MirrorError::Place { url: url.clone(), why }
        })?;
        Ok(Mirror {
            broker: broker.clone(),
            session: broker.session("mirror", grants.into(), dry_run),
            url,
            object: object.to_owned(),
            key: spec.key.clone(),
            form: spec.form,
            sink: spec.sink.clone(),
        })
    }

    /// As the pipeline file names it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Reads the document. One that is not there says nothing.
    ///
    /// # Errors
    /// It cannot be read, or makes no sense: it is never taken for an empty one.
    pub fn read(&self, now: Timestamp) -> Result<Found, MirrorError> {
        let nonsense = |why: Nonsense| MirrorError::Nonsense { url: self.url.clone(), why };
        let (document, etag) = match self.contents()? {
            None => (Document::default(), None),
            Some((bytes, etag)) => {
                let text = String::from_utf8(bytes).map_err(|_| nonsense("it is not UTF-8".to_owned()))?;
                let document = Document::parse(&text).map_err(|error| nonsense(error.to_string()))?;
                (document, Some(etag))
            }
        };
        let (place, entry) = find(&document, &self.key, self.form).map_err(nonsense)?;
        let of_entry = |why: Nonsense| nonsense(format!("under {:?}, {why}", self.key));
        let known = entry.as_ref().map(|entry| Known::read(entry, &month(now))).transpose().map_err(of_entry)?;
        let fingerprint = entry.as_ref().map(fingerprint).transpose().map_err(of_entry)?;
        Ok(Found { known: known.unwrap_or_default(), fingerprint, document, place, entry, etag })
    }

    fn contents(&self) -> Result<Option<(Vec<u8>, String)>, MirrorError> {
        let unreadable =
            |error: &dyn std::fmt::Display| MirrorError::Unreadable { url: self.url.clone(), why: error.to_string() };
        let read = async {
            let mut body = self.session.get(&self.object, None).await?;
            let mut bytes = Vec::new();
            loop {
                let piece = body.read(PIECE).await?;
                if piece.is_empty() {
                    return Ok(Some((bytes, body.object().etag.clone())));
                }
                bytes.extend(piece);
                if bytes.len() > MOST {
                    return Err(ObjectError::Other(format!("it is larger than {} MiB", MOST >> 20)));
                }
            }
        };
        match self.broker.wait(read) {
            Err(ObjectError::NotFound(_)) => Ok(None),
            read => read.map_err(|error| unreadable(&error)),
        }
    }

    /// Makes the document say what it should. `before` is told the fingerprints of the entry before and after each try, and can keep
    /// it from happening. A change of somebody else's is read again and kept, unless it is of this pipeline's entry.
    pub fn write<E>(
        &self,
        found: Found,
        wanted: &Wanted,
        now: Timestamp,
        mut before: impl FnMut(Option<&str>, &str) -> Result<(), E>,
    ) -> Written<E> {
        let unwritable =
            |why: &dyn std::fmt::Display| MirrorError::Unwritable { url: self.url.clone(), why: why.to_string() };
        let mut found = found;
        let updated = format!("{:.0}", Timestamp::now());
        let next = match changed(found.entry.as_ref(), found.place, wanted, &updated) {
            Ok(Some(next)) => next,
            Ok(None) => return Written::Done(Box::new(found)),
            Err(error) => return Written::Failed(unwritable(&error)),
        };
        let mark = match fingerprint(&next) {
            Ok(mark) => mark,
            Err(why) => return Written::Failed(unwritable(&why)),
        };
        if let Err(kept) = before(found.fingerprint.as_deref(), &mark) {
            return Written::Kept(kept);
        }
        let (mut trouble, mut unclear) = (String::new(), 0);
        for attempt in 0..TRIES {
            if attempt > 0 {
                std::thread::sleep(Duration::from_millis(50) * attempt);
                // What the last try came to is what the document says.
                let again = match self.read(now) {
                    Ok(again) => again,
                    Err(error) => return Written::Failed(error),
                };
                if again.fingerprint.as_deref() == Some(mark.as_str()) {
                    return Written::Done(Box::new(again));
                }
                if again.fingerprint != found.fingerprint {
                    return Written::Failed(self.foreign(&again));
                }
                found = again;
            }
            let document = match replaced(&found.document, &self.key, found.place, &next) {
                Ok(document) => document,
                Err(error) => return Written::Failed(unwritable(&error)),
            };
            let precondition = found.etag.clone().map_or(Precondition::Absent, Precondition::Match);
            let text = document.render(0);
            let put = self.session.put(&self.object, text.as_bytes(), "application/json", &precondition);
            failpoint("mirror");
            let put = self.broker.wait(put);
            failpoint("mirrored");
            match put {
                Ok(etag) => {
                    let known = match Known::read(&next, &month(now)) {
                        Ok(known) => known,
                        Err(why) => return Written::Failed(unwritable(&why)),
                    };
                    let (entry, etag) = (Some(next), Some(etag));
                    let place = found.place;
                    return Written::Done(Box::new(Found {
                        known,
                        fingerprint: Some(mark),
                        document,
                        place,
                        entry,
                        etag,
                    }));
                }
                Err(ObjectError::Precondition(why)) => trouble = why,
                // It may have been written all the same: that shows when it is read again.
                Err(ObjectError::Unknown(why) | ObjectError::Unavailable(why)) if unclear < UNCLEAR => {
                    (trouble, unclear) = (why, unclear + 1)
                }
                Err(error) => return Written::Failed(unwritable(&error)),
            }
        }
        Written::Failed(unwritable(&trouble))
    }

    /// That the entry is not the one that this pipeline left behind.
    pub fn foreign(&self, found: &Found) -> MirrorError {
        let what = match &found.entry {
            None => "it is gone",
            Some(_) => "somebody else changed it",
        };
        MirrorError::Foreign { url: self.url.clone(), key: self.key.clone(), what: what.to_owned() }
    }
}

fn month(now: Timestamp) -> Window {
    Window::containing(WindowKind::Month, now)
}
