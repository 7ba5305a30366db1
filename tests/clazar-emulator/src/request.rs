//! A request as it came in, and the log entry that is kept of it.

use bytes::Bytes;
use emulator_http::Received;
use jiff::Timestamp;
use serde_json::Value;

/// One request in the log. It holds secrets as they were sent, so that tests can look for them.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it had arrived whole, in real time, UTC.
    pub at: Timestamp,
    /// Such as `POST`.
    pub method: String,
    /// The path alone.
    pub path: String,
    /// The query without its `?`; empty when there is none.
    pub query: String,
    /// Lower-case names with values, in order; bytes beyond UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent.
    pub raw_body: Bytes,
    /// The body as JSON, if it is JSON.
    pub body: Option<Value>,
    /// The status of the answer; `None` while there is none and when the connection was dropped.
    pub status: Option<u16>,
    /// The ids of the records that it added to the books, failed ones included.
    pub stored: Vec<String>,
    /// How many of its records were offered for a slot that was billed already: see [`Resent`](crate::Resent).
    pub resent: usize,
}

impl Request {
    /// Whether the books changed by it.
    pub fn committed(&self) -> bool {
        !self.stored.is_empty()
    }

    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The records of a well-formed call to submit; empty for any other request.
    pub fn records(&self) -> &[Value] {
        let list = self.body.as_ref().and_then(|body| body.get("request")).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// One line for people, without headers and bodies: they hold secrets.
    pub(crate) fn line(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        let status = self.status.map_or_else(|| "dropped".to_owned(), |status| status.to_string());
        let (sent, stored) = (self.records().len(), self.stored.len());
        let resent = if self.resent > 0 { format!(" resent={}", self.resent) } else { String::new() };
        format!("{} {}{mark}{} {status} records={sent} stored={stored}{resent}", self.method, self.path, self.query)
    }
}

impl From<Received> for Request {
    fn from(received: Received) -> Self {
        let raw_body = received.bytes();
        let Received { at, method, path, query, headers, .. } = received;
        let body = serde_json::from_slice(&raw_body).ok();
        Self { at, method, path, query, headers, raw_body, body, status: None, stored: Vec::new(), resent: 0 }
    }
}
