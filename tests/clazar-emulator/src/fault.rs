//! Faults on demand: what can go wrong with a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rule::{Endpoint, Rule};

/// What goes wrong with one request. `commit` says whether the request takes effect nevertheless: records are booked, a
/// token is made. It is false when left out of the JSON form, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are explained with their variant")]
pub enum Fault {
    /// Nothing: the request is served as ever. Lets a script begin at a later request.
    Pass,
    /// A bare answer with this status, such as 503.
    Status {
        status: u16,
        #[serde(default)]
        commit: bool,
    },
    /// The connection ends without an answer.
    Drop {
        #[serde(default)]
        commit: bool,
    },
    /// 429, with `Retry-After` in seconds if given.
    Throttle {
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Served, but the first `count` results are left out, so that matching by position is wrong for all others.
    Missing { count: usize },
    /// Served, but the results come in reverse order.
    Reordered,
    /// Served, but the results at `positions` (all, when empty) lack these fields, such as `contract_id`.
    Unmatched {
        fields: Vec<String>,
        #[serde(default)]
        positions: Vec<usize>,
    },
    /// The records at these positions of the call are stored with status `fail`, the others as ever.
    Fail { positions: Vec<usize> },
    /// All tokens are void from now on: 401.
    ExpiredToken,
    /// Served, but after a wait, in milliseconds of real time, before the request takes effect and after. It takes effect
    /// even if the client has gone by then.
    Slow {
        #[serde(default)]
        before_ms: u64,
        #[serde(default)]
        after_ms: u64,
    },
    /// An HTML page with this status (200).
    NotJson {
        #[serde(default = "ok")]
        status: u16,
        #[serde(default)]
        commit: bool,
    },
    /// Half of a 200's body, though `content-length` announces all of it; then the connection ends.
    Truncated {
        #[serde(default)]
        commit: bool,
    },
    /// A redirect (307) to `location`. The request has no effect.
    Redirect {
        location: String,
        #[serde(default = "temporary_redirect")]
        status: u16,
    },
    /// An answer (500) whose body repeats the request's headers, `Authorization` among them, and its body. No effect.
    Leak {
        #[serde(default = "internal_error")]
        status: u16,
    },
    /// This very answer. A string as body is sent as it is (`text/html`), anything else as JSON.
    Scripted {
        status: u16,
        body: Value,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        commit: Commit,
    },
}

/// What a scripted answer means for the books. An `access_token` in a scripted 200 to `authenticate` is live from then on,
/// unless `commit` is `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commit {
    /// Nothing is booked.
    None,
    /// All records of the call are booked, whatever the answer says.
    All,
    /// The books follow what a 2xx answer says: one result answers one record, namely the next one not yet answered that
    /// has all of `contract_id`, `dimension` and `start_time` that the result holds. A result without `contract_id`
    /// answers none. `success` is booked; another status is booked as failed if the result has an id. "already exists"
    /// bills nothing: if the slot is free and the result names a `quantity`, then someone else's record with this
    /// quantity turns out to be in the books; a result that names none leaves them as they are, and what they should
    /// hold can be put in with [`Emulator::seed`](crate::Emulator::seed). Anything else is not booked.
    #[default]
    Successes,
    /// As `Successes`, but where "already exists" comes without a `quantity`, someone else has billed the slot with the
    /// very quantity that is offered now.
    BilledBefore,
}

impl Fault {
    /// This status, without effect.
    pub fn before_commit(status: u16) -> Self {
        Self::Status { status, commit: false }
    }

    /// This status, though the request took effect.
    pub fn after_commit(status: u16) -> Self {
        Self::Status { status, commit: true }
    }

    /// No answer and no effect.
    pub fn drop_before_commit() -> Self {
        Self::Drop { commit: false }
    }

    /// No answer, though the request took effect.
    pub fn drop_after_commit() -> Self {
        Self::Drop { commit: true }
    }

    /// This answer, with the books following what it says.
    pub fn scripted(status: u16, body: Value) -> Self {
        Self::Scripted { status, body, headers: BTreeMap::new(), commit: Commit::default() }
    }

    /// At this endpoint, once.
    pub fn on(self, endpoint: Endpoint) -> Rule {
        Rule { on: endpoint, ..Rule::from(self) }
    }

    /// At the submit endpoint, so many times.
    pub fn times(self, times: u32) -> Rule {
        Rule::from(self).times(times)
    }

    /// At the submit endpoint, every time.
    pub fn forever(self) -> Rule {
        Rule::from(self).forever()
    }
}

fn ok() -> u16 {
    200
}

fn temporary_redirect() -> u16 {
    307
}

fn internal_error() -> u16 {
    500
}
