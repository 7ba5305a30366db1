//! One call: written down before it leaves, and what came of it before anything else happens.

use std::time::Duration;

use super::connect::Line;
use super::{Delivery, Stopped, about, words};
use crate::broker::CallRecord;
use crate::failpoint::failpoint;
use crate::ledger::Charge;
use crate::model::outcome::{Finding, HeldRecord, Outcome, Status};
use crate::model::service::{Failed, Offer};
use crate::pipeline::read::with_denials;
use crate::report::Problem;

/// The most bytes that the ledger keeps of each text of an answer.
const KEPT: usize = 4096;

/// What came of a call, beyond its charges.
pub(super) enum Called {
    Done,
    /// Something left, and no answer came that could be read.
    Unclear,
    Refused,
    /// And how long the service asks to wait.
    Throttled(Duration),
    Auth(String),
    Failed(Problem),
}

impl Delivery<'_> {
    /// One call, from its entry in the ledger to the entry of what came of it.
    pub(super) fn call(&self, line: &mut Line, charges: &[Charge]) -> Result<Called, Stopped> {
        let offers: Vec<Offer> = charges.iter().map(Charge::offer).collect();
        // Here, where it can be interrupted, and before the attempt is dated.
        self.wait_for_rate(&line.session)?;
        let attempt = self.ledger().begin_attempt(self.name(), charges, self.sink.traits.deadline)?;
        failpoint("submit");
        line.session.begin_call();
        let answer = line.instance.submit(&offers, self.now.as_millisecond());
        let record = line.session.call_record();
        failpoint("submitted");
        let nothing_left = record.requests == 0 && record.writes == 0;
        let all = |status: Status, text: &str| -> Vec<Outcome> {
            charges.iter().map(|charge| Outcome::plain(charge.id(), status, Some(text.to_owned()))).collect()
        };
        // A clear answer to every request is what a refusal of the whole call is believed on.
        let clear = record.requests > 0 && record.answered == record.requests && record.writes == 0;
        let (called, unsent, outcomes) = match answer {
            Ok(Ok(outcomes)) if nothing_left => {
                let claimed = outcomes.len();
                let text = format!("the plugin answered for {claimed} charges, though it sent nothing");
                let problem = Problem { input: about(charges), ..self.problem("plugin-contract", "delivering", &text) };
                (Called::Failed(problem), true, all(Status::Unprocessed, &text))
            }
            Ok(Ok(outcomes)) => (Called::Done, false, believed(outcomes, &record)),
            Ok(Err(Failed::Refused(text))) if clear && charges.len() > 1 => {
                (Called::Refused, false, all(Status::Unprocessed, &text))
            }
            Ok(Err(Failed::Refused(text))) if clear => {
                let refused = all(Status::Rejected, &text).into_iter();
                (Called::Done, false, refused.map(|outcome| Outcome { retryable: true, ..outcome }).collect())
            }
            Ok(Err(Failed::Throttled(wait))) if clear => {
                let text = "the service wants fewer calls";
                (Called::Throttled(wait.unwrap_or_default()), false, all(Status::Unprocessed, text))
            }
            Ok(Err(Failed::Auth(text))) if clear => {
                (Called::Auth(text.clone()), false, all(Status::Unprocessed, &text))
            }
            Ok(Err(failed)) => {
                let text = words(&failed);
                // What is not granted now is not granted at the next try either.
                let called = match nothing_left && !line.session.denials().is_empty() {
                    true => Called::Failed(with_denials(self.problem("denied", "delivering", &text), &line.session)),
                    false => Called::Unclear,
                };
                (called, nothing_left, all(Status::Unknown, &text))
            }
            Err(failure) => {
                let problem = self.sink.section.problem("delivering", about(charges), &failure);
                let text = format!("the plugin failed during the call: {failure}");
                (Called::Failed(with_denials(problem, &line.session)), nothing_left, all(Status::Unknown, &text))
            }
        };
        let outcomes = outcomes.into_iter().map(|outcome| self.redacted(outcome)).collect();
        self.ledger().record(attempt, unsent, outcomes)?;
        Ok(called)
    }

    /// What goes into the ledger stays there: no secret may, though a service repeated it.
    fn redacted(&self, outcome: Outcome) -> Outcome {
        let clean = |text: String| self.clean(&text);
        Outcome {
            refusal_if_absent: outcome.refusal_if_absent.map(clean),
            reference: outcome.reference.map(clean),
            message: outcome.message.map(clean),
            raw: clean(outcome.raw),
            ..outcome
        }
    }

    pub(super) fn redacted_finding(&self, finding: Finding) -> Finding {
        let clean = |text: String| self.clean(&text);
        let record = |record: HeldRecord| HeldRecord {
            reference: record.reference.map(clean),
            raw: clean(record.raw),
            ..record
        };
        match finding {
            Finding::Found(found) => Finding::Found(record(found)),
            Finding::Different(found) => Finding::Different(record(found)),
            Finding::CannotTell(why) => Finding::CannotTell(clean(why)),
            Finding::Absent => Finding::Absent,
        }
    }

    /// A text of the service's or the plugin's, as it goes into the ledger: without secrets, and then short.
    fn clean(&self, text: &str) -> String {
        let mut text = self.setup.broker.redactor().redact(text).into_owned();
        text.truncate(text.floor_char_boundary(KEPT));
        text
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
