//! A running emulator, as a test holds it in its hand.

use std::io;

use emulator_http::Server;
use jiff::Timestamp;

use crate::audit::{self, Audit};
use crate::chance::{Chances, Draws};
use crate::clock::{self, Clock};
use crate::record::Booked;
use crate::request::Request;
use crate::rule::Rule;
use crate::service::{Service, Shared};
use crate::settings::{Credentials, Settings};
use crate::signature::Key;
use crate::window;

/// A server on a thread of its own. It stops when this is dropped; open connections end at once.
#[derive(Debug)]
pub struct Emulator {
    service: Shared,
    server: Server,
}

impl Emulator {
    /// Starts to listen. Requests are answered from the moment on at which this returns.
    ///
    /// # Errors
    /// The port is taken; the file of the books cannot be read, is not a list of records or bills a slot twice; another
    /// file cannot be written.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let port = settings.port;
        let service = Shared::new(Service::open(settings)?);
        let server = Server::start("metering-emulator", port, service.clone())?;
        Ok(Self { service, server })
    }

    /// The endpoint, such as `http://127.0.0.1:4711`, without a slash at its end.
    pub fn url(&self) -> &str {
        self.server.origin()
    }

    /// All billed records, oldest first.
    pub fn books(&self) -> Vec<Booked> {
        self.service.lock().books.records().to_vec()
    }

    /// Whether money is wrong, by the emulator's own records.
    pub fn audit(&self) -> Audit {
        audit::audit(&self.service.lock())
    }

    /// All requests to the API in the order of their arrival, refused ones and those that were not read included.
    pub fn requests(&self) -> Vec<Request> {
        self.service.lock().log.clone()
    }

    /// Bills a record for someone else, as if another client had sent it before. It may lie outside of any window. Its
    /// hour becomes that of its timestamp.
    ///
    /// # Errors
    /// The slot is billed already, or the file of the books cannot be written.
    pub fn seed(&self, record: Booked) -> io::Result<()> {
        let books = &mut self.service.lock().books;
        let mark = books.records().len();
        let slot = record.slot();
        if !books.seed(Booked { hour: window::hour(record.timestamp), ..record }) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("billed already: {slot}")));
        }
        books.keep(mark).map(drop)
    }

    /// What the clock shows, UTC.
    pub fn now(&self) -> Timestamp {
        self.service.lock().clock.now()
    }

    /// Sets the clock by which usage is too old or in the future. Signatures are held against the real time.
    pub fn set_clock(&self, clock: Clock) {
        self.service.lock().clock = clock::Set::new(clock);
    }

    /// Queues a fault.
    pub fn push_fault(&self, rule: impl Into<Rule>) {
        self.service.lock().faults.push(rule.into());
    }

    /// Lets faults come by chance, or no longer.
    pub fn set_chances(&self, chances: Option<Chances>) {
        self.service.lock().draws = chances.map(Draws::new);
    }

    /// Forgets all faults still waiting, and the chances.
    pub fn clear_faults(&self) {
        self.service.lock().clear_faults();
    }

    /// Ends a customer's subscription, by account or identifier.
    pub fn unsubscribe(&self, customer: &str) {
        self.service.lock().subscribe(customer, false);
    }

    /// Begins a customer's subscription again.
    pub fn subscribe(&self, customer: &str) {
        self.service.lock().subscribe(customer, true);
    }

    /// Refuses every call with `DisabledApiException`, or no longer.
    pub fn set_disabled(&self, disabled: bool) {
        self.service.lock().settings.disabled = disabled;
    }

    /// Gives the account other keys; those that were not [expired](Self::expire_session) stay good.
    pub fn set_credentials(&self, credentials: Credentials) {
        self.service.lock().keys.push(Key { credentials, expired: false });
    }

    /// Ends the session of all keys so far: `ExpiredTokenException`.
    pub fn expire_session(&self) {
        self.service.lock().keys.iter_mut().for_each(|key| key.expired = true);
    }
}
