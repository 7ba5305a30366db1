//! What became of charges that nothing clear is known of: the service's books are asked.

use std::time::Duration;

use super::answer::words;
use super::{Course, Delivery, Halt, about};
use crate::failpoint::failpoint;
use crate::ledger::{Charge, ChargeState, Standing};
use crate::model::charge::ChargeId;
use crate::model::outcome::Finding;
use crate::model::service::{Failed, Offer};
use crate::pipeline::read::with_denials;

/// The most charges in one look-up, and the most customers: a service may have to be asked for each.
const CHARGES: usize = 500;
const CUSTOMERS: usize = 100;

impl Delivery<'_> {
    /// Looks up what is not resolved, and writes each answer down before it asks on. Answers how long the service asks to wait, if it
    /// wants fewer calls.
    pub(super) fn resolve(&self, course: &mut Course) -> Result<Option<Duration>, Halt> {
        let decide = self.decide(&course.happened);
        let open = self.open().into_iter().filter(|state| decide.is_to_be_looked_up(state));
        let mut unresolved: Vec<ChargeState> = open.collect();
        // Charges of one customer come together: their service's books are read once.
        unresolved.sort_by(|left, right| left.charge().key().customer.cmp(&right.charge().key().customer));
        for states in by_customers(&unresolved) {
            self.interrupted()?;
            let held = states.iter().filter(|state| matches!(state.standing(), Standing::Held { .. }));
            course.happened.looked_at.extend(held.map(|state| state.charge().id()));
            let charges: Vec<Charge> = states.iter().map(|state| state.charge().clone()).collect();
            let offers: Vec<Offer> = charges.iter().map(Charge::offer).collect();
            let line = self.connected(&mut course.line)?;
            self.wait_for_rate(line)?;
            let step = "looking charges up";
            failpoint("look-up");
            let answer = line.look_up(&offers);
            failpoint("looked-up");
            // A session that ran out is no answer of the books.
            if !matches!(answer, Ok(Err(Failed::Auth(_)))) {
                course.happened.asked.extend(charges.iter().map(Charge::id));
            }
            let findings: Vec<(ChargeId, Finding)> = match answer {
                Err(failure) => {
                    let problem = self.service.trouble(step, about(&charges), &failure);
                    course.problems.push(with_denials(problem, &line.denials()));
                    course.happened.not_looked_up.extend(charges.iter().map(Charge::id));
                    course.line = None;
                    continue;
                }
                Ok(Ok(answers)) => answers
                    .into_iter()
                    .filter_map(|(id, finding)| Some((id.parse::<ChargeId>().ok()?, finding)))
                    .filter(|(id, _)| charges.iter().any(|charge| charge.id() == *id))
                    .map(|(id, finding)| (id, self.redacted_finding(consistent(finding, &charges, id))))
                    .collect(),
                Ok(Err(Failed::Auth(text))) if !course.authenticated_anew => return Err(Halt::Auth(step, text)),
                // What is not known stays so; what is to be offered leaves all the same.
                Ok(Err(Failed::Auth(text))) => {
                    course.problems.push(self.refused(step, &text));
                    course.line = None;
                    course.happened.not_looked_up.extend(unresolved.iter().map(|state| state.charge().id()));
                    return Ok(None);
                }
                Ok(Err(Failed::Throttled(wait))) => {
                    course.throttled = true;
                    return Ok(Some(wait.unwrap_or_default()));
                }
                Ok(Err(failed)) if !line.denials().is_empty() => {
                    let problem = self.problem("denied", step, &words(&failed));
                    course.problems.push(with_denials(problem, &line.denials()));
                    course.happened.not_looked_up.extend(unresolved.iter().map(|state| state.charge().id()));
                    return Ok(None);
                }
                Ok(Err(failed)) => {
                    let finding = self.redacted_finding(Finding::CannotTell(words(&failed)));
                    charges.iter().map(|charge| (charge.id(), finding.clone())).collect()
                }
            };
            course.happened.looked_at.extend(clear(&findings));
            if !findings.is_empty() {
                self.ledger().looked_up(self.name, findings)?;
            }
        }
        Ok(None)
    }
}

/// Cut into parts of some customers each, and a customer's charges into no more parts than they need.
fn by_customers(states: &[ChargeState]) -> Vec<&[ChargeState]> {
    let customer = |state: &ChargeState| state.charge().key().customer.clone();
    let mut parts = Vec::new();
    let (mut begin, mut at, mut customers) = (0, 0, 0);
    for group in states.chunk_by(|left, right| customer(left) == customer(right)) {
        if at > begin && (customers >= CUSTOMERS || at - begin + group.len() > CHARGES) {
            parts.push(begin..at);
            (begin, customers) = (at, 0);
        }
        at += group.len();
        customers += 1;
    }
    parts.push(begin..at);
    let parts = parts.into_iter().filter_map(|part| states.get(part));
    parts.flat_map(|part| part.chunks(CHARGES.max(1))).collect()
}

/// The charges that are clearly told of. Two findings for one tell nothing.
fn clear(findings: &[(ChargeId, Finding)]) -> impl Iterator<Item = ChargeId> {
    let is_alone = |id| findings.iter().filter(|(other, _)| *other == id).nth(1).is_none();
    let clear =
        findings.iter().filter(move |(id, finding)| !matches!(finding, Finding::CannotTell(_)) && is_alone(*id));
    clear.map(|(id, _)| *id)
}

/// A finding that names another quantity than the charge's is a difference, whatever the plugin calls it.
fn consistent(finding: Finding, charges: &[Charge], id: ChargeId) -> Finding {
    let sent = charges.iter().find(|charge| charge.id() == id).map(Charge::quantity);
    match finding {
        Finding::Found(record) if record.quantity.is_some() && record.quantity != sent => Finding::Different(record),
        other => other,
    }
}
