//! What the emulator remembers: books, tokens, faults, the log.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use crate::answer::Answer;
use crate::books::Books;
use crate::rate::Bucket;
use crate::request::Request;
use crate::resent::Resent;
use crate::rule::Faults;
use crate::settings::Settings;
use crate::tokens::Tokens;

/// All of the service's memory. One request at a time looks at it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) books: Books,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) log: Vec<Request>,
    pub(crate) resent: Vec<Resent>,
    pub(crate) authentications: usize,
    pub(crate) settings: Settings,
}

/// The memory as the server's tasks and the test's thread share it.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<Service>>);

impl Shared {
    pub(crate) fn new(service: Service) -> Self {
        Self(Arc::new(Mutex::new(service)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Service> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// # Errors
    /// The file of the books cannot be read.
    pub(crate) fn open(settings: Settings) -> io::Result<Self> {
        let mut faults = Faults::default();
        settings.faults.iter().cloned().for_each(|rule| faults.push(rule));
        Ok(Self {
            books: Books::open(settings.books.clone(), settings.failed_holds_slot)?,
            tokens: Tokens::default(),
            faults,
            bucket: settings.rate_limit.map(|limit| Bucket::new(limit, Instant::now())),
            log: Vec::new(),
            resent: Vec::new(),
            authentications: 0,
            settings,
        })
    }

    /// The emulator's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.now.unwrap_or_else(Timestamp::now)
    }

    /// Enters a request into the log and returns its place there.
    pub(crate) fn arrived(&mut self, request: Request) -> usize {
        self.log.push(request);
        self.log.len() - 1
    }

    /// Completes the log entry at `place`.
    pub(crate) fn answered(&mut self, place: usize, answer: &Answer) {
        let Some(request) = self.log.get_mut(place) else {
            return;
        };
        request.stored.clone_from(&answer.stored);
        request.resent = answer.resent;
        request.status = (!answer.is_dropped()).then_some(answer.status);
        if self.settings.print {
            eprintln!("{}", request.line());
        }
    }
}
