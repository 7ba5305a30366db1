//! Requests, faults, and the log of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use emulator_http::{Answer, Body, Received, Server, Service};
use serde_json::json;

use crate::billing_drop::{BillingDrop, Operation, Row};

/// The key that a client needs.
pub const KEY: &str = "key-of-the-stream";
/// The connection that there is.
const CONNECTION: &str = "c0ffee";
/// From "AnyCost Stream": a body has at most 5 MB, a month 1,000,000 rows and 70 MB. A guess: a megabyte is 1,000,000 bytes.
const MOST_BYTES: usize = 5_000_000;
const MOST_ROWS: usize = 1_000_000;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered so, and nothing is changed.
    Answer(u16),
    /// It is answered with 429, and when to come again: seconds.
    Throttle(u32),
    /// It takes effect, and the answer is lost.
    LostAnswer,
    /// The connection ends, and nothing is changed.
    Dropped,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The whole path.
    pub path: String,
    /// What was answered; 0 for nothing.
    pub status: u16,
    /// The size of its body.
    pub bytes: usize,
    /// What it did, if it was in order.
    pub operation: Option<Operation>,
    /// How many rows it had.
    pub rows: usize,
}

#[derive(Default)]
struct Books {
    months: BTreeMap<String, Vec<Row>>,
    requests: Vec<Request>,
    faults: VecDeque<Fault>,
}

#[derive(Clone, Default)]
struct Stream {
    books: Arc<Mutex<Books>>,
    under_way: Arc<AtomicU32>,
    overlapped: Arc<AtomicU32>,
}

impl Stream {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a drop, and what is said of it.
    fn take(&self, request: &Received, noted: &mut Request) -> (u16, serde_json::Value) {
        let of = |status: u16, message: String| (status, json!({ "error": { "message": message, "type": "error" } }));
        if request.header("authorization") != Some(KEY) {
            return (403, json!({ "message": "Forbidden" }));
        }
        if request.path != format!("/v2/connections/billing/anycost/{CONNECTION}/billing_drops") {
            return (404, json!({ "message": "Not Found" }));
        }
        if request.method != "POST" {
            return (405, json!({ "message": "Method Not Allowed" }));
        }
        if request.body == Body::TooLarge || request.bytes().len() > MOST_BYTES {
            return (413, json!({ "message": "Request Too Long" }));
        }
        let drop = match BillingDrop::parse(&request.bytes()) {
            Ok(drop) => drop,
            Err(error) => return of(400, error),
        };
        (noted.operation, noted.rows) = (Some(drop.operation), drop.rows.len());
        let (month, count) = (drop.month.clone(), drop.rows.len());
        let mut books = self.books();
        let mut rows = books.months.get(&month).cloned().unwrap_or_default();
        drop.apply(&mut rows);
        if rows.len() > MOST_ROWS {
            return of(400, format!("{} rows in {month}", rows.len()));
        }
        books.months.insert(month.clone(), rows);
        let id = format!("drop-{}", books.requests.len());
        (200, json!({ "connection": { "drop_id": id, "month": month, "row_count": count } }))
    }
}

impl Service for Stream {
    async fn answer(&self, request: Received) -> Answer {
        if self.under_way.fetch_add(1, Ordering::SeqCst) > 0 {
            self.overlapped.fetch_add(1, Ordering::SeqCst);
        }
        // Long enough that a second one would be seen.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let fault = self.books().faults.pop_front();
        let (path, bytes) = (request.path.clone(), request.bytes().len());
        let mut noted = Request { path, status: 0, bytes, operation: None, rows: 0 };
        let answer = match fault {
            Some(Fault::Answer(status)) => Answer::of(status, "application/json", r#"{"message":"not now"}"#),
            Some(Fault::Throttle(seconds)) => {
                Answer::of(429, "application/json", r#"{"message":"Too Many Requests"}"#).with("retry-after", seconds)
            }
            Some(Fault::Dropped) => Answer::dropped(),
            Some(Fault::LostAnswer) => {
                self.take(&request, &mut noted);
                Answer::dropped()
            }
            None => {
                let (status, body) = self.take(&request, &mut noted);
                Answer::of(status, "application/json", body.to_string())
            }
        };
        noted.status = answer.status;
        self.books().requests.push(noted);
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

/// The stream of one connection, on a free port of this machine.
pub struct Emulator {
    stream: Stream,
    server: Server,
}

impl Emulator {
    /// Starts it. It ends when it is dropped.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start() -> std::io::Result<Emulator> {
        let stream = Stream::default();
        let server = Server::start("anycost", 0, stream.clone())?;
        Ok(Emulator { stream, server })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        self.server.origin()
    }

    /// The connection that it knows.
    pub fn connection(&self) -> &'static str {
        CONNECTION
    }

    /// The rows of a month, as they are now.
    pub fn rows(&self, month: &str) -> Vec<Row> {
        self.stream.books().months.get(month).cloned().unwrap_or_default()
    }

    /// Everything that came in.
    pub fn requests(&self) -> Vec<Request> {
        self.stream.books().requests.clone()
    }

    /// The next request meets this.
    pub fn push_fault(&self, fault: Fault) {
        self.stream.books().faults.push_back(fault);
    }

    /// How often a request came while another one was under way.
    pub fn overlapped(&self) -> u32 {
        self.stream.overlapped.load(Ordering::SeqCst)
    }
}
