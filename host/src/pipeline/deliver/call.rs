//! One call: written down before it leaves, and what came of it before anything else happens.

use super::answer::{Answer, Came, InVain, unfounded};
use super::batches::halves;
use super::line::Line;
use super::{Delivery, Stopped, about};
use crate::failpoint::failpoint;
use crate::ledger::{Charge, ChargeState};
use crate::model::outcome::{Finding, HeldRecord, Outcome, Status};
use crate::model::service::{Offer, Resolution};
use crate::pipeline::read::with_denials;
use crate::report::Problem;

/// The most bytes that the ledger keeps of each text of an answer.
const KEPT: usize = 4096;

impl Delivery<'_> {
    /// One call, from its entry in the ledger to the entry of what came of it.
    pub(super) fn call(&self, line: &mut dyn Line, charges: &[Charge]) -> Result<Came, Stopped> {
        let offers: Vec<Offer> = charges.iter().map(Charge::offer).collect();
        // Here, where it can be interrupted, and before the attempt is dated.
        self.wait_for_rate(line)?;
        let attempt =
            self.ledger().begin_attempt((self.name, self.region.as_deref()), charges, self.traits.deadline)?;
        failpoint("submit");
        let answer = line.submit(&offers);
        failpoint("submitted");
        let is_one = halves(self.traits, charges).is_none();
        let is_denied = !line.denials().is_empty();
        let Answer { came, unsent, outcomes } = Answer::of(answer, &line.record(), (charges, is_one), is_denied);
        let mut ledger = self.ledger();
        let foreign = |outcome: &Outcome| {
            // Where the service recognises what it has, and nobody can look: on a first attempt it is another's.
            let is_first = ledger.state().charge(&outcome.id).is_some_and(ChargeState::is_first_attempt);
            outcome.status == Status::Duplicate && self.traits.resolution == Resolution::Replay && is_first
        };
        let read = |outcome: Outcome| self.redacted(if foreign(&outcome) { refused(outcome) } else { outcome });
        let outcomes = outcomes.into_iter().map(read).collect();
        ledger.record(attempt, unsent, outcomes)?;
        Ok(came)
    }

    /// What is told of a call that the plugin failed in.
    pub(super) fn in_vain(&self, why: &InVain, line: &dyn Line, charges: &[Charge]) -> Problem {
        let step = "delivering";
        match why {
            InVain::Unfounded(claimed) => {
                let problem = self.problem("plugin-contract", step, &unfounded(*claimed));
                Problem { input: about(charges), ..problem }
            }
            InVain::Denied(text) => with_denials(self.problem("denied", step, text), &line.denials()),
            InVain::Failed(failure) => {
                with_denials(self.service.trouble(step, about(charges), failure), &line.denials())
            }
        }
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
        let mut text = self.service.redacted(text);
        text.truncate(text.floor_char_boundary(KEPT));
        text
    }
}

/// Somebody else holds the place of what is offered.
fn refused(outcome: Outcome) -> Outcome {
    let said = outcome.message.map_or_else(String::new, |said| format!(": {said}"));
    let message = Some(format!("somebody else has billed in its place, and nothing of it is recorded{said}"));
    Outcome { status: Status::Rejected, retryable: false, message, ..outcome }
}
