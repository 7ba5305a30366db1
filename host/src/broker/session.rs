//! One plugin instance's way to the outside: each thing that a plugin can ask for, checked, done and recorded.

mod aws;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::call::{CallRecord, Counts, Waiting};
use super::denial::{self, Denial, Denials};
use super::errors::{HttpError, ObjectError};
use super::exchange::{Failed, Named};
use super::gate::Gate;
use super::grant::{Grants, HttpAnswer};
use super::objects::{Body, Listing, Precondition};
use super::origin::Origin;
use super::rate::{Limiter, Rate};
use super::redact::Redactor;
use super::request::{Prepared, Request, Response, Unfit, too_long};
use super::resolver::ClosedAddress;
use super::root::Root;
use super::secrets::{Encoding, Filling, Marks, Misdirected, Reader, Unfilled};
use super::store::Store;
use super::task::AbortOnDrop;
use super::upload::Upload;
use super::{Broker, held, shortened};
use crate::failpoint::failpoint;

/// The place of a plugin that only says what it is: no section of any file, which nobody can grant anything.
pub const DESCRIBING: &str = "describe";

/// What one plugin instance may reach. A clone is the same session.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    broker: Broker,
    /// The plugin's place in the pipeline file.
    plugin: String,
    grants: Arc<Grants>,
    dry_run: bool,
    read: Option<Store>,
    write: Option<Store>,
    marks: Marks,
    denials: Denials,
    counts: Mutex<Arc<Counts>>,
    waiting: Arc<Waiting>,
    limiter: Mutex<Option<Arc<Limiter>>>,
    gate: Mutex<Option<Gate>>,
    deadline: Mutex<Option<Duration>>,
    opened: Mutex<Option<String>>,
}

impl Session {
    pub(super) fn new(broker: Broker, plugin: &str, grants: Arc<Grants>, dry_run: bool) -> Self {
        let store = |root: &Option<Root>| root.as_ref().map(|root| Store::new(root, &grants.account, broker.buckets()));
        let (read, write) = (store(&grants.read), store(&grants.write));
        Session(Arc::new(Inner {
            broker,
            plugin: plugin.to_owned(),
            read,
            write,
            grants,
            dry_run,
            marks: Marks::default(),
            denials: Denials::default(),
            counts: Mutex::default(),
            waiting: Arc::default(),
            limiter: Mutex::default(),
            gate: Mutex::default(),
            deadline: Mutex::default(),
            opened: Mutex::default(),
        }))
    }

    /// Limits how fast requests leave. The limit is shared by all sessions of this plugin that have one: what one of them sent
    /// counts for the next.
    pub fn set_rate(&self, rate: Option<Rate>) {
        *held(&self.0.limiter) = rate.map(|rate| self.0.broker.limiter(&self.0.plugin, rate));
    }

    /// How long the rate limit keeps the next request back, as things are now.
    pub fn kept_back(&self) -> Duration {
        held(&self.0.limiter).as_ref().map_or(Duration::ZERO, |limiter| limiter.wait())
    }

    /// Asks before each request leaves and each object is written, such as whether the ledger's lease outlasts it.
    pub fn set_gate(&self, gate: Option<Gate>) {
        *held(&self.0.gate) = gate;
    }

    /// The longest that an exchange of this session may take, where the broker would allow longer. What is written to a bucket has
    /// patience of its own, by size and number of tries; there, this is only what the gate is told.
    pub fn set_deadline(&self, deadline: Option<Duration>) {
        *held(&self.0.deadline) = deadline;
    }

    /// Begins the record of a call.
    pub fn begin_call(&self) {
        *held(&self.0.counts) = Arc::default();
    }

    /// What left since the call began.
    pub fn call_record(&self) -> CallRecord {
        held(&self.0.counts).record()
    }

    /// How long this session has waited for its rate limit so far, a wait under way included. It counts against no time
    /// limit of the plugin.
    pub fn waited(&self) -> Duration {
        self.0.waiting.total()
    }

    /// Whether it is waiting for its rate limit now.
    pub fn is_waiting(&self) -> bool {
        self.0.waiting.is_under_way()
    }

    /// Whether what is granted to be read and written is a folder that the first write has yet to make: nothing lies there.
    pub fn is_unmade(&self) -> bool {
        self.0.grants.read == self.0.grants.write && self.0.read.as_ref().is_some_and(Store::is_missing)
    }

    /// What was asked for and not granted, each once.
    pub fn denials(&self) -> Vec<Denial> {
        self.0.denials.list()
    }

    /// The object that was opened last.
    pub fn opened(&self) -> Option<String> {
        held(&self.0.opened).clone()
    }

    /// Blots out the secrets of all sessions of this run.
    pub fn redactor(&self) -> Redactor {
        self.0.broker.redactor()
    }

    fn deny(&self, asked: String, line: Option<String>) {
        if self.0.plugin != DESCRIBING {
            self.0.broker.0.denials.record(&self.0.plugin, self.0.grants.inline, asked.clone(), line.clone());
        }
        self.0.denials.record(&self.0.plugin, self.0.grants.inline, asked, line);
    }
}

/// Requests.
impl Session {
    /// Sends a request and reads the whole answer. No redirect is followed and nothing is repeated. Dropped, it breaks the
    /// exchange off, and the record keeps the request.
    pub async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let prepared = self.prepare(request)?;
        let origin = prepared.origin.clone();
        let counts = Arc::clone(&held(&self.0.counts));
        // On the broker's own runtime: its connections are shared, and must live on when this plugin's thread does not.
        let task = self.0.broker.io().spawn(Arc::clone(&self.0).exchange(prepared, counts));
        let mut response = match AbortOnDrop(task).await {
            Ok(Ok(response)) => response,
            Ok(Err(Failed::Http(error))) => return Err(error),
            Ok(Err(Failed::Closed(closed))) => return Err(self.closed(&origin, &closed)),
            Err(error) => {
                return Err(HttpError::Unanswered(format!("the exchange was broken off: {error}")));
            }
        };
        let redactor = self.0.broker.redactor();
        response.body = redactor.scrub(std::mem::take(&mut response.body));
        for (_, value) in &mut response.headers {
            *value = String::from_utf8_lossy(&redactor.scrub(std::mem::take(value).into_bytes())).into_owned();
        }
        Ok(response)
    }

    /// Hands out a mark that stands for a secret.
    ///
    /// The value is read now, once a session, so that a missing one is known before anything is sent; never in a dry run.
    pub fn secret(&self, name: &str, encoding: Encoding) -> Result<String, HttpError> {
        let Inner { broker, plugin, grants, dry_run, marks, .. } = &*self.0;
        let Some(grant) = grants.secrets.get(name) else {
            let line = denial::secret_line(grants, &shortened(name));
            self.deny(format!("for the secret {name:?}"), Some(line));
            return Err(HttpError::Denied(format!("the pipeline grants no secret `{}`", shortened(name))));
        };
        let redactor = broker.redactor();
        let reader = Reader { environment: broker.environment(), redactor: &redactor, plugin };
        marks.mark(name, grant, encoding, Some(&reader).filter(|_| !dry_run))
    }

    /// Declares a value that the plugin received to be secret: it is blotted out of every log line, error and report from here
    /// on. Values under eight bytes are not taken.
    pub fn conceal(&self, value: &str) {
        if self.0.plugin != DESCRIBING {
            self.0.broker.redactor().conceal(&self.0.plugin, value);
        }
    }

    /// Everything that is checked before a request may leave, and last of all the secrets put in.
    fn prepare(&self, request: Request) -> Result<Prepared, HttpError> {
        let Inner { broker, marks, .. } = &*self.0;
        if marks.stands_in(&request.url) || request.headers.iter().any(|(name, _)| marks.stands_in(name)) {
            let text =
                "a secret's mark stands in the URL or in a header's name; it may stand in a header's value or the body";
            return Err(HttpError::Other(text.to_owned()));
        }
        let most_body = broker.most_request_body();
        let mut prepared = Prepared::new(request, most_body).inspect_err(|unfit| {
            if let Unfit::Forbidden { asked, .. } = unfit {
                self.deny(asked.clone(), None);
            }
        })?;
        self.check_grant(&prepared)?;
        if self.0.dry_run {
            return Err(HttpError::Denied("a dry run sends nothing".to_owned()));
        }
        let filling = marks.towards(&prepared.origin);
        for (name, value) in &mut prepared.headers {
            if let Some(filled) = self.filled(&filling, value.as_bytes(), most_body)? {
                // The value itself stays out of the message.
                *value = http::HeaderValue::from_bytes(&filled).map_err(|_| {
                    HttpError::Other(format!(
                        "the secret for the header `{name}` holds a line break or control character, which no header can hold"
                    ))
                })?;
                value.set_sensitive(true);
            }
        }
        if let Some(filled) = self.filled(&filling, &prepared.body, most_body)? {
            prepared.body = filled;
        }
        Ok(prepared)
    }

    fn filled(&self, filling: &Filling, bytes: &[u8], most: u64) -> Result<Option<Vec<u8>>, HttpError> {
        filling.fill(bytes, most).map_err(|unfilled| match unfilled {
            Unfilled::Misdirected(found) => self.misdirected(found),
            Unfilled::TooLong(length) => HttpError::Other(too_long(length, most)),
        })
    }

    fn check_grant(&self, prepared: &Prepared) -> Result<(), HttpError> {
        let Prepared { method, url, origin, .. } = prepared;
        let grants = &self.0.grants;
        let path = url.path();
        match grants.may_send(origin, method, path) {
            HttpAnswer::Granted => Ok(()),
            HttpAnswer::NotGranted => {
                self.deny(format!("to send a request to {origin}"), Some(denial::origin_line(grants, origin)));
                Err(HttpError::Denied(format!("the pipeline does not grant requests to {origin}")))
            }
            HttpAnswer::Narrowed => {
                let asked = format!("to send {method} {origin}{}", shortened(path));
                self.deny(asked, denial::narrowed_line(grants, origin, method, path));
                Err(HttpError::Denied(format!(
                    "the pipeline grants requests to {origin}, but not {method} {}",
                    shortened(path)
                )))
            }
        }
    }

    fn misdirected(&self, found: Misdirected) -> HttpError {
        let Misdirected { name, to } = found;
        let line = self.0.grants.secrets.get(&name).map(|grant| denial::rebound_line(&name, &grant.from, &to));
        self.deny(format!("to send the secret `{name}` to {to}"), line);
        HttpError::Denied(format!("the secret `{name}` is bound to another origin than {to}"))
    }

    fn closed(&self, origin: &Origin, closed: &ClosedAddress) -> HttpError {
        let literal = origin.at(closed.address);
        self.deny(
            format!("to send a request to {origin} ({closed})"),
            Some(denial::origin_line(&self.0.grants, &literal)),
        );
        HttpError::Denied(format!("{closed}; it is reached only if the grant and the request name the address itself"))
    }
}

impl Inner {
    async fn exchange(self: Arc<Self>, prepared: Prepared, counts: Arc<Counts>) -> Result<Response, Failed> {
        self.turn().await;
        let result = self.leave(prepared, Named::ByPlugin, &counts).await;
        if result.as_ref().is_ok_and(|response| response.status < 500) {
            counts.is_answered();
        }
        result
    }

    /// Waits until the rate limit lets a request leave.
    async fn turn(&self) {
        let limiter = held(&self.limiter).clone();
        if let Some(limiter) = limiter {
            let _waiting = self.waiting.begin();
            limiter.take().await;
        }
    }

    /// Sends a request, if the gate is open, and counts it. Whether its answer is one is for the caller to say.
    async fn leave(&self, mut prepared: Prepared, to: Named, counts: &Counts) -> Result<Response, Failed> {
        let own = *held(&self.deadline);
        prepared.timeout = prepared.timeout.into_iter().chain(own).min();
        let gate = held(&self.gate).clone();
        counts.leaves();
        failpoint("request");
        let result = self.broker.exchanges().send(prepared, to, gate).await;
        failpoint("answer");
        if let Err(Failed::Closed(_) | Failed::Http(HttpError::NotSent(_))) = &result {
            counts.did_not_leave();
        }
        result
    }
}

/// Objects.
impl Session {
    /// Lists the objects whose keys begin with `prefix` and stand after `start_after`, if that is given.
    pub async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Listing, ObjectError> {
        let store = self.reading(prefix)?;
        store.list(prefix, start_after).inspect_err(|error| self.note(prefix, error))
    }

    /// Opens an object; with `etag`, only that version of it.
    pub async fn get(&self, key: &str, etag: Option<&str>) -> Result<Body, ObjectError> {
        let body = self.reading(key)?.get(key, etag).await.inspect_err(|error| self.note(key, error))?;
        *held(&self.0.opened) = Some(key.to_owned());
        Ok(body)
    }

    /// A part of an object: at most so many bytes from this one on, fewer where it ends before.
    pub async fn part(&self, key: &str, from: u64, length: usize) -> Result<Vec<u8>, ObjectError> {
        self.reading(key)?.part(key, from, length).await.inspect_err(|error| self.note(key, error))
    }

    /// Says that these objects will be asked for soon, in this order. Objects in buckets are fetched beforehand, within the limits of
    /// `BucketLimits`; files are read as fast as the system reads ahead by itself, so that for folders there is nothing to do.
    pub fn prefetch(&self, keys: Vec<String>) {
        if let Some(store) = &self.0.read {
            store.prefetch(keys);
        }
    }

    /// Writes an object at once; answers its ETag. A folder does not keep the content type.
    pub async fn put(
        &self,
        key: &str,
        bytes: &[u8],
        content_type: &str,
        precondition: &Precondition,
    ) -> Result<String, ObjectError> {
        let store = self.writing(key)?;
        self.begin_write()?;
        store.put(key, bytes, content_type, precondition).await.inspect_err(|error| self.note(key, error))
    }

    /// Begins an object that is written in pieces. A folder does not keep the content type.
    pub async fn upload(&self, key: &str, content_type: &str) -> Result<Upload, ObjectError> {
        let store = self.writing(key)?;
        self.ask_to_write()?;
        let pieces = store.upload(key, content_type).inspect_err(|error| self.note(key, error))?;
        Ok(Upload::new(self.clone(), pieces))
    }

    /// Deletes an object. One that is not there is no error.
    pub async fn delete(&self, key: &str, precondition: &Precondition) -> Result<(), ObjectError> {
        let store = self.writing(key)?;
        self.begin_write()?;
        store.delete(key, precondition).await.inspect_err(|error| self.note(key, error))
    }

    fn reading(&self, key: &str) -> Result<&Store, ObjectError> {
        let Some(store) = &self.0.read else {
            self.deny(format!("to read {key:?}"), Some(denial::root_line("read", self.0.grants.write.as_ref())));
            return Err(ObjectError::Denied("the pipeline grants no folder or bucket to read".to_owned()));
        };
        // A place that is to be written needs not be there before the first that is written there.
        if self.0.grants.read == self.0.grants.write && !self.0.dry_run {
            store.made()?;
        }
        Ok(store)
    }

    fn writing(&self, key: &str) -> Result<&Store, ObjectError> {
        let Some(store) = &self.0.write else {
            self.deny(format!("to write {key:?}"), Some(denial::root_line("write", self.0.grants.read.as_ref())));
            return Err(ObjectError::Denied("the pipeline grants no folder or bucket to write".to_owned()));
        };
        if self.0.dry_run {
            return Err(ObjectError::Denied("a dry run writes nothing".to_owned()));
        }
        if let Some(read) = &self.0.read {
            // What was fetched beforehand may be what is overwritten now.
            read.forget_prefetched();
        }
        Ok(store)
    }

    /// A key that leads out of a granted folder is a denial too, one that no line can grant.
    fn note(&self, key: &str, error: &ObjectError) {
        if matches!(error, ObjectError::Denied(_)) {
            self.deny(format!("for {key:?}, outside the granted folder"), None);
        }
    }

    /// Right before an object is written, made visible or deleted.
    pub(super) fn begin_write(&self) -> Result<(), ObjectError> {
        self.ask_to_write()?;
        held(&self.0.counts).writes();
        Ok(())
    }

    fn ask_to_write(&self) -> Result<(), ObjectError> {
        let gate = held(&self.0.gate).clone();
        let longest = self.0.broker.exchanges().deadline(*held(&self.0.deadline));
        gate.map_or(Ok(()), |gate| gate(longest))
            .map_err(|why| ObjectError::Unavailable(format!("nothing was written or deleted: {why}")))
    }
}
