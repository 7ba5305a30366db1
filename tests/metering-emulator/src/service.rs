//! What the emulator remembers: books, keys, clock, faults, the log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use emulator_http::Received;
use emulator_http::random::Seeded;

use crate::books::Books;
use crate::chance::Draws;
use crate::clock;
use crate::fault::Fault;
use crate::rate::Rate;
use crate::request::Request;
use crate::rule::Faults;
use crate::settings::{Log, Settings};
use crate::settle::Settled;
use crate::signature::Key;

/// All of the service's memory. One request at a time looks at it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) settings: Settings,
    pub(crate) books: Books,
    pub(crate) keys: Vec<Key>,
    pub(crate) clock: clock::Set,
    pub(crate) faults: Faults,
    pub(crate) draws: Option<Draws>,
    pub(crate) rate: Rate,
    /// Where results come in another order than the records.
    pub(crate) order: Option<Seeded>,
    pub(crate) log: Vec<Request>,
    lines: Option<File>,
    bodies: Option<File>,
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
    /// The file of the books cannot be read, or another cannot be written.
    pub(crate) fn open(settings: Settings) -> io::Result<Self> {
        let mut faults = Faults::default();
        settings.faults.iter().cloned().for_each(|rule| faults.push(rule));
        let lines = match &settings.log {
            Log::File(path) => Some(append(path)?),
            Log::None | Log::Stderr => None,
        };
        Ok(Self {
            books: Books::open(settings.books.clone())?,
            keys: vec![Key { credentials: settings.credentials.clone(), expired: false }],
            clock: clock::Set::new(settings.clock),
            faults,
            draws: settings.chances.clone().map(Draws::new),
            rate: Rate::default(),
            order: settings.shuffle.map(Seeded::new),
            log: Vec::new(),
            lines,
            bodies: settings.requests.as_deref().map(append).transpose()?,
            settings,
        })
    }

    /// Whether the next request is not even read.
    pub(crate) fn takes_unread(&mut self) -> bool {
        if self.faults.strikes() {
            return self.faults.take_unread();
        }
        let strikes = self.draws.as_mut().is_some_and(Draws::take_unread);
        if strikes {
            self.faults.count_unread();
        }
        strikes
    }

    /// The fault of a call with so many records, and the number of the call.
    pub(crate) fn take_fault(&mut self, records: usize) -> (Fault, usize) {
        let by_chance = |draws: &mut Draws| draws.take(records);
        let fault = self.faults.take().or_else(|| self.draws.as_mut().map(by_chance)).unwrap_or(Fault::Pass);
        (fault, self.faults.served())
    }

    /// Enters a request into the log and returns its place there.
    ///
    /// # Errors
    /// The file of the bodies cannot be written.
    pub(crate) fn arrived(&mut self, request: Received) -> io::Result<usize> {
        let request = Request::from(request);
        if let Some(file) = &mut self.bodies {
            let mut line = one_line(&request.raw_body);
            line.push('\n');
            file.write_all(line.as_bytes())?;
        }
        self.log.push(request);
        Ok(self.log.len() - 1)
    }

    /// Enters a request that is not read into the log.
    pub(crate) fn unread(&mut self, head: Received) {
        let mut request = Request::from(head);
        request.fault = Fault::drop_before_reading();
        request.number = Some(self.faults.served());
        self.tell(&request.line());
        self.log.push(request);
    }

    /// Completes the log entry at `place`.
    pub(crate) fn answered(&mut self, place: usize, settled: &Settled) {
        if let Some(request) = self.log.get_mut(place) {
            request.answered(settled);
            let line = request.line();
            self.tell(&line);
        }
    }

    fn tell(&mut self, line: &str) {
        match (&self.settings.log, &mut self.lines) {
            (Log::Stderr, _) => eprintln!("{line}"),
            // The log is for people: a request is not refused because of it.
            (_, Some(file)) => drop(writeln!(file, "{line}")),
            (_, None) => {}
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// JSON as it was sent, but in one line; anything else as a string of JSON.
fn one_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<&serde_json::value::RawValue>(&text) {
        // No string of JSON holds a line break, so that only the space between the values changes.
        Ok(json) => json.get().replace(['\n', '\r'], " "),
        Err(_) => serde_json::Value::from(text).to_string(),
    }
}
