//! A running emulator, as a test holds it in its hand.

use std::io;

use emulator_http::Server;
use jiff::Timestamp;

use crate::audit;
use crate::record::Record;
use crate::request::Request;
use crate::resent::Resent;
use crate::rule::Rule;
use crate::service::{Service, Shared};
use crate::settings::Settings;
use crate::submission;

/// A server on a thread of its own. It stops when this is dropped; open connections end at once.
#[derive(Debug)]
pub struct Emulator {
    service: Shared,
    server: Server,
    url: String,
}

impl Emulator {
    /// Starts to listen. Requests are answered from the moment on at which this returns.
    ///
    /// # Errors
    /// The port is taken, or the file of the books cannot be read, is not a list of records or bills a slot twice.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let (port, path) = (settings.port, settings.metering_path.clone());
        let service = Shared::new(Service::open(settings)?);
        let server = Server::start("clazar-emulator", port, service.clone())?;
        let url = format!("{}{path}", server.origin());
        Ok(Self { service, server, url })
    }

    /// The metering resource, such as `http://127.0.0.1:4711/metering/`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server, such as `http://127.0.0.1:4711`.
    pub fn origin(&self) -> &str {
        self.server.origin()
    }

    /// All records, failed ones included, oldest first.
    pub fn books(&self) -> Vec<Record> {
        self.service.lock().books.records().to_vec()
    }

    /// Checks the books from outside the code that keeps them, against the log of requests.
    ///
    /// # Errors
    /// The first thing that is wrong: a record that was not submitted just once just like this, a submission that is said
    /// to be in the books and is not, a slot or a span of time that is billed twice.
    pub fn verify_books(&self) -> Result<(), String> {
        let service = self.service.lock();
        audit::verify(&service.books, &service.log)
    }

    /// Every record that was offered for a slot which a submission had filled before, however that was answered. The books
    /// never show these: a service that refuses a second record hides the mistake of a client that sends one.
    pub fn resent(&self) -> Vec<Resent> {
        self.service.lock().resent.clone()
    }

    /// Puts a record into the books as if it had been submitted before. It may lie in the future.
    ///
    /// # Errors
    /// The record is malformed, its id is known or its slot is taken.
    pub fn seed(&self, record: Record) -> Result<(), String> {
        let mut service = self.service.lock();
        submission::check_record(&record, service.settings.quantity_digits)?;
        let mark = service.books.records().len();
        if !service.books.seed(record) {
            return Err("the slot is taken, or the id is known".into());
        }
        service.books.keep(mark).map(|_| ()).map_err(|error| error.to_string())
    }

    /// All requests in the order of their arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.service.lock().log.clone()
    }

    /// How often somebody asked for a token, whatever the answer was.
    pub fn authentications(&self) -> usize {
        self.service.lock().authentications
    }

    /// Stops the clock at this moment; tokens age by it, and a record may not end after it.
    pub fn set_now(&self, now: Timestamp) {
        self.service.lock().settings.now = Some(now);
    }

    /// Queues a fault behind those already waiting.
    pub fn push_fault(&self, rule: impl Into<Rule>) {
        self.service.lock().faults.push(rule.into());
    }

    /// Forgets all faults still waiting.
    pub fn clear_faults(&self) {
        self.service.lock().faults.clear();
    }
}
