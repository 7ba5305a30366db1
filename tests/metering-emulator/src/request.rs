//! The log entry that is kept of a request.

use std::collections::BTreeMap;

use bytes::Bytes;
use emulator_http::Received;
use jiff::Timestamp;
use serde_json::Value;

use crate::fault::Fault;
use crate::judge::Outcome;
use crate::settle::Settled;

/// One request to the API in the log. It holds signatures as they were sent, so that tests can look at them.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it had arrived as far as it was read, in real time, UTC.
    pub at: Timestamp,
    /// Such as `POST`.
    pub method: String,
    /// Such as `/`.
    pub path: String,
    /// Lower-case names with values, in order; bytes beyond UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent; empty if it was not read.
    pub raw_body: Bytes,
    /// The body as JSON, if it is JSON.
    pub body: Option<Value>,
    /// The number by which a [`Rule`](crate::Rule) can name it; `None` if it was refused.
    pub number: Option<usize>,
    /// What went wrong with it on demand, [`Fault::Pass`] for nothing.
    pub fault: Fault,
    /// The status of the answer; `None` while there is none and when the connection was dropped.
    pub status: Option<u16>,
    /// The name of the error that was answered.
    pub error: Option<String>,
    /// The ids of the records that it added to the books.
    pub stored: Vec<String>,
    /// What became of its records, in their order; empty if it had no effect.
    pub outcomes: Vec<Outcome>,
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

    /// The `UsageRecords` as they were sent; empty if there are none.
    pub fn records(&self) -> &[Value] {
        let list = self.body.as_ref().and_then(|body| body.get("UsageRecords")).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// Completes the entry.
    pub(crate) fn answered(&mut self, settled: &Settled) {
        let answer = &settled.answer;
        self.status = (!answer.is_dropped()).then_some(answer.status);
        self.error.clone_from(&settled.error);
        self.stored.clone_from(&settled.stored);
        self.outcomes.clone_from(&settled.outcomes);
    }

    /// One line for people, without headers and bodies.
    pub(crate) fn line(&self) -> String {
        let number = self.number.map_or_else(|| "-".to_owned(), |number| format!("#{number}"));
        let status = self.status.map_or_else(|| "dropped".to_owned(), |status| status.to_string());
        let error = self.error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
        let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
        for outcome in &self.outcomes {
            *counts.entry(*outcome).or_default() += 1;
        }
        let counts: String = counts.iter().map(|(outcome, count)| format!(" {}={count}", outcome.name())).collect();
        let (sent, stored) = (self.records().len(), self.stored.len());
        format!("{number} {} {} {status}{error} records={sent} stored={stored}{counts}", self.method, self.path)
    }
}

impl From<Received> for Request {
    fn from(received: Received) -> Self {
        let raw_body = received.bytes();
        let Received { at, method, path, headers, .. } = received;
        let body = serde_json::from_slice(&raw_body).ok();
        Self {
            at,
            method,
            path,
            headers,
            raw_body,
            body,
            number: None,
            fault: Fault::Pass,
            status: None,
            error: None,
            stored: Vec::new(),
            outcomes: Vec::new(),
        }
    }
}
