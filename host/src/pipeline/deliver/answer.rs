//! What an answer means. The broker's own record of what left, and not the plugin's word, decides what is in doubt.

use std::time::Duration;

use crate::broker::CallRecord;
use crate::ledger::Charge;
use crate::model::outcome::{Outcome, Status};
use crate::model::service::Failed;
use crate::plugin::Failure;

/// What an answer means for the charges of its call, and beyond them.
pub(super) struct Answer {
    pub(super) came: Came,
    /// Surely nothing left: there was no attempt.
    pub(super) unsent: bool,
    /// A charge of which none of them speaks is unknown.
    pub(super) outcomes: Vec<Outcome>,
}

/// What came of a call, beyond its charges.
pub(super) enum Came {
    Done,
    /// Something left, and no answer came that could be read.
    Unclear,
    Refused,
    /// And how long the service asks to wait.
    Throttled(Duration),
    Auth(String),
    /// The plugin failed in it, and would fail again.
    InVain(InVain),
}

/// How a plugin failed in a call.
pub(super) enum InVain {
    /// It answered for charges of which it sent nothing, and how many.
    Unfounded(usize),
    /// Nothing left, for what it asked for is not granted.
    Denied(String),
    /// It trapped, or ran over a limit.
    Failed(Failure),
}

impl Answer {
    /// Reads an answer beside the record of its call. `is_one` says that its charges are one, or make one record, and are not parted;
    /// `is_denied` that the plugin asked for something that is not granted.
    pub(super) fn of(
        answer: Result<Result<Vec<Outcome>, Failed>, Failure>,
        record: &CallRecord,
        (charges, is_one): (&[Charge], bool),
        is_denied: bool,
    ) -> Answer {
        let all = |status: Status, text: &str| -> Vec<Outcome> {
            charges.iter().map(|charge| Outcome::plain(charge.id(), status, Some(text.to_owned()))).collect()
        };
        let nothing_left = record.requests == 0 && record.writes == 0;
        // A clear answer to every request is what a refusal of the whole call is believed on.
        let clear = record.requests > 0 && record.answered == record.requests && record.writes == 0;
        let (came, unsent, outcomes) = match answer {
            Ok(Ok(outcomes)) if nothing_left => {
                let claimed = outcomes.len();
                (Came::InVain(InVain::Unfounded(claimed)), true, all(Status::Unprocessed, &unfounded(claimed)))
            }
            Ok(Ok(outcomes)) => (Came::Done, false, believed(outcomes, record)),
            Ok(Err(Failed::Refused(text))) if clear && !is_one => {
                (Came::Refused, false, all(Status::Unprocessed, &text))
            }
            Ok(Err(Failed::Refused(text))) if clear => {
                let refused = all(Status::Rejected, &text).into_iter();
                (Came::Done, false, refused.map(|outcome| Outcome { retryable: true, ..outcome }).collect())
            }
            Ok(Err(Failed::Throttled(wait))) if clear => {
                let text = "the service wants fewer calls";
                (Came::Throttled(wait.unwrap_or_default()), false, all(Status::Unprocessed, text))
            }
            Ok(Err(Failed::Auth(text))) if clear => {
                let outcomes = all(Status::Unprocessed, &text);
                (Came::Auth(text), false, outcomes)
            }
            Ok(Err(failed)) => {
                let text = words(&failed);
                let outcomes = all(Status::Unknown, &text);
                // What is not granted now is not granted at the next try either.
                let came = match nothing_left && is_denied {
                    true => Came::InVain(InVain::Denied(text)),
                    false => Came::Unclear,
                };
                (came, nothing_left, outcomes)
            }
            Err(failure) => {
                let text = format!("the plugin failed during the call: {failure}");
                (Came::InVain(InVain::Failed(failure)), nothing_left, all(Status::Unknown, &text))
            }
        };
        Answer { came, unsent, outcomes }
    }
}

/// That a plugin answered for charges of which it sent nothing.
pub(super) fn unfounded(claimed: usize) -> String {
    format!("the plugin answered for {claimed} charges, though it sent nothing")
}

/// Why a whole call came to nothing.
pub(super) fn words(failed: &Failed) -> String {
    match failed {
        Failed::Refused(text) | Failed::Auth(text) | Failed::Other(text) => text.clone(),
        Failed::Throttled(_) => "the service wants fewer calls".to_owned(),
    }
}

/// Outcomes, as far as the broker's own record bears them out: where a request got no clear answer, no refusal is believed, and where
/// none got one, nothing is.
fn believed(outcomes: Vec<Outcome>, record: &CallRecord) -> Vec<Outcome> {
    let (unclear, silent) = (record.answered < record.requests, record.answered == 0 && record.writes == 0);
    let doubted = |status| match status {
        Status::Rejected | Status::Unprocessed => unclear,
        Status::Accepted | Status::Duplicate => silent,
        Status::Unknown => false,
    };
    outcomes
        .into_iter()
        .map(|outcome| match doubted(outcome.status) {
            true => Outcome { status: Status::Unknown, ..outcome },
            false => outcome,
        })
        .collect()
}
