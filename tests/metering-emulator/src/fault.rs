//! Faults on demand: what can go wrong with one request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::refusal::INTERNAL;
use crate::rule::Rule;

/// What goes wrong with one request. `commit` says whether the request takes effect nevertheless; it is false when left
/// out of the JSON form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are explained with their variant")]
pub enum Fault {
    /// Nothing: the request is served as ever. Lets a script begin at a later request.
    Pass,
    /// `ThrottlingException` (400). No effect.
    Throttle,
    /// An error of this name (`InternalServiceErrorException`), with this status (500 for that one, else 400).
    Error {
        #[serde(default = "internal")]
        name: String,
        #[serde(default)]
        status: Option<u16>,
        #[serde(default)]
        commit: bool,
    },
    /// An error of this name to a call that holds a record of this customer, by account or identifier: it is at fault,
    /// and the whole call is refused for it. Other calls are served.
    Refuse { name: String, customer: String },
    /// Served, but the records at these positions (all, when empty) are not billed and come back as
    /// `UnprocessedRecords`.
    Unprocessed {
        #[serde(default)]
        positions: Vec<usize>,
    },
    /// Served, but the results of the records at these positions are left out: the answer says nothing about them.
    Missing { positions: Vec<usize> },
    /// The connection ends without an answer.
    Drop { when: When },
    /// Half of the answer, though `content-length` announces all of it; then the connection ends.
    Truncated {
        #[serde(default)]
        commit: bool,
    },
    /// Served, but after a wait, in milliseconds of real time, before the request takes effect and after. It takes effect
    /// even if the client has gone by then.
    Slow {
        #[serde(default)]
        before_ms: u64,
        #[serde(default)]
        after_ms: u64,
    },
    /// An HTML page with this status (503), as what stands before a service sends one.
    NotJson {
        #[serde(default = "unavailable")]
        status: u16,
        #[serde(default)]
        commit: bool,
    },
    /// This very body with this status.
    Scripted {
        status: u16,
        body: Value,
        #[serde(default)]
        commit: bool,
    },
}

/// The moment at which a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The head of the request has come, its body is not read. Strikes the next request to the API, whatever it holds.
    BeforeReading,
    /// The request has come whole and has no effect.
    BeforeCommit,
    /// The request has taken effect.
    AfterCommit,
}

impl Fault {
    /// `InternalServiceErrorException` (500), without effect.
    pub fn internal_before_commit() -> Self {
        Self::Error { name: internal(), status: None, commit: false }
    }

    /// `InternalServiceErrorException` (500), though the request took effect.
    pub fn internal_after_commit() -> Self {
        Self::Error { name: internal(), status: None, commit: true }
    }

    /// An error of this name, without effect.
    pub fn error(name: &str) -> Self {
        Self::Error { name: name.to_owned(), status: None, commit: false }
    }

    /// An error of this name to each call that holds a record of this customer.
    pub fn refuse(name: &str, customer: &str) -> Self {
        Self::Refuse { name: name.to_owned(), customer: customer.to_owned() }
    }

    /// The records at these positions come back unprocessed; all, when empty.
    pub fn unprocessed(positions: impl Into<Vec<usize>>) -> Self {
        Self::Unprocessed { positions: positions.into() }
    }

    /// The head has come, the body is not read.
    pub fn drop_before_reading() -> Self {
        Self::Drop { when: When::BeforeReading }
    }

    /// No answer and no effect.
    pub fn drop_before_commit() -> Self {
        Self::Drop { when: When::BeforeCommit }
    }

    /// No answer, though the request took effect.
    pub fn drop_after_commit() -> Self {
        Self::Drop { when: When::AfterCommit }
    }

    /// At the request of this number, counted from 1: see [`Rule`].
    pub fn at(self, number: usize) -> Rule {
        Rule::at(number, self)
    }

    /// So many times.
    pub fn times(self, times: u32) -> Rule {
        Rule::times(times, self)
    }

    /// Every time.
    pub fn forever(self) -> Rule {
        Rule::forever(self)
    }
}

fn internal() -> String {
    INTERNAL.into()
}

fn unavailable() -> u16 {
    503
}
