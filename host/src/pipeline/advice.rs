//! What stands in the way of a charge, and what a person does about it.

use super::guard;
use super::setup::Setup;
use crate::ledger::{Hold, Scope, Standing, State, resolve_command};
use crate::model::charge::ChargeId;
use crate::model::service::Resolution;
use crate::report::{Line, LineState, Problem};

/// What is done about a hold of a sink that publishes sets, where that is not what is done about one that bills.
fn of_sets(hold: &Hold) -> Option<&'static str> {
    Some(match hold.code.as_str() {
        "quarantined" if hold.scope == Scope::Record => "mend the record; a run then publishes what it adds",
        "quarantined" => "mend the record; a run then publishes what is held",
        "unreadable" => "mend the object or its permissions; a run then publishes the window",
        "customer" => "add a row to the table of customers; a run then publishes what is held",
        "conflict" => {
            "see which of them is right, and take the others away or give them ids of their own; a run then publishes what is held"
        }
        "aggregate" => "mend the usage or the rule that the reason names; a run then publishes it",
        "refused" => "mend what cannot be published; a run then publishes it",
        "untaken" | "astray" | "unchecked" | "negative" | "range" => return None,
        _ => "mend what is in doubt; a run then publishes it",
    })
}

/// The same of a sink that publishes sets.
pub(super) fn held_back_of_sets(hold: &Hold, window: &str, plugin: Option<&String>, step: &str) -> Problem {
    let problem = held_back(hold, window, plugin, step);
    let action = of_sets(hold).map(str::to_owned).or_else(|| problem.action.clone());
    Problem { action, ..problem }
}

/// A hold, as a problem.
pub(super) fn held_back(hold: &Hold, window: &str, plugin: Option<&String>, step: &str) -> Problem {
    let about = match &hold.scope {
        Scope::Customer { customer } if hold.code == guard::MISSING => format!("the window without {customer}"),
        scope => scope.words(),
    };
    let (code, action) = match hold.code.as_str() {
        "quarantined" if hold.scope == Scope::Record => {
            ("quarantined", "mend the record; where its charge is billed by then, the difference is held as late")
        }
        "unreadable" => ("unreadable", "mend the object or its permissions; a run then bills the window"),
        "quarantined" => ("quarantined", "mend the record; a run then bills what is held"),
        "rounding" => ("rounding", "say how to round with `round`, or bill a unit that comes out whole"),
        "astray" => ("astray", "see whether the time and its unit are read right, and where the pipeline starts"),
        "moved" => (
            "moved",
            "put back what was changed; or let it be, where the other charge is billed, and bill the change from the next window on",
        ),
        "taken-over" => (
            "taken-over",
            "see to the difference by hand; `meterhost ledger import FILE` then takes the objects as they stand",
        ),
        "given-up" => (
            "given-up",
            "see what it owes and bill it by hand; `meterhost ledger import FILE` then takes the window as it is",
        ),
        "customer" => ("customer", "add a row to the table of customers; a run then bills what is held"),
        "conflict" => (
            "conflict",
            "see which of them is right, and take the others away or give them ids of their own; a run then bills what is held",
        ),
        "late" => ("late", "see what changed; the difference is not billed, and nothing is taken back"),
        "too-late" => ("too-late", "mend what the reason names; a run then carries it"),
        "final" => ("final", "settle it with the customer: their last bill was sent"),
        "void" => ("void", "see what changed since"),
        "range" => ("range", "see whether the usage is right; or bill a unit of which the service takes so much"),
        "aggregate" => ("aggregate", "mend the usage or the rule that the reason names; a run then bills it"),
        "unchecked" => ("unchecked", "see the problem of the sink; a run then checks them again"),
        "negative" => ("negative", "see which records are negative; a credit cannot be metered"),
        "slot" => ("slot", "see what is held: it is billed with that, or without it once that is waived"),
        "untaken" => ("untaken", "name the dimension in a `takes`"),
        "refused" => ("refused", "mend what the service would refuse; a run then bills it"),
        code if let Some((code, action)) = guard::action(code) => (code, action),
        _ => ("held", "mend what is in doubt; a run then bills it"),
    };
    let input = match &hold.place {
        Some(place) => format!("{window}: {place}"),
        None => window.to_owned(),
    };
    Problem {
        plugin: plugin.cloned(),
        step: Some(step.to_owned()),
        input: Some(input),
        action: Some(action.to_owned()),
        ..Problem::new(code, format!("{about} is held: {}", hold.reason))
    }
}

/// An open charge, as a problem.
pub(super) fn open(line: &Line, window: &str, plugin: Option<&String>, advice: &Advice<'_>) -> Option<Problem> {
    let (code, what, action) = match line.state {
        LineState::Pending => ("pending", "was not billed yet", "run again: it is offered again"),
        LineState::Rejected => ("rejected", "was refused", "mend the cause; a run then offers it again"),
        LineState::Unknown => {
            ("unknown", "may or may not be billed", "run again: it is looked up before anything is sent")
        }
        LineState::Held if line.id.is_some() && line.frozen.is_none() => {
            ("held", "is held", "compare with the service's own books")
        }
        _ => return None,
    };
    let reason = line.reason.as_deref().unwrap_or("it was not offered");
    Some(Problem {
        plugin: plugin.cloned(),
        step: Some("delivering".to_owned()),
        // The quantity stands here, so that charges which wait for the same thing are one problem.
        input: Some(format!("{window}: {} of {}, {}", line.dimension, line.customer, line.quantity)),
        action: Some(advice.of(line).unwrap_or_else(|| action.to_owned())),
        ..Problem::new(code, format!("the charge {what}: {reason}"))
    })
}

/// What a person does about a charge of which nothing clear is known, where a run alone does not find out.
pub(super) struct Advice<'a> {
    pub(super) setup: &'a Setup,
    pub(super) state: &'a State,
    pub(super) resolution: Option<Resolution>,
}

impl Advice<'_> {
    fn of(&self, line: &Line) -> Option<String> {
        let id: ChargeId = line.id.as_ref()?.parse().ok()?;
        let charge = self.state.charge(&id)?;
        let text = match (charge.standing(), self.resolution?) {
            (Standing::Pending { .. }, _) if line.state == LineState::Unknown => {
                "run again: it is looked up before anything is sent; where its books never tell, see whether the service has it, and say so"
            }
            (Standing::InFlight { .. } | Standing::Unknown { .. } | Standing::Unconfirmed { .. }, Resolution::Ask) => {
                "nobody can ask this service: see whether it has the charge, and say so"
            }
            (Standing::Unconfirmed { .. }, Resolution::Replay) => {
                "the service has a record in its place, of a ledger that was lost or of somebody else: see in its books whose, and say so"
            }
            (Standing::InFlight { .. } | Standing::Unknown { .. }, Resolution::Replay) => {
                return Some("run again: the identical charge is offered again".to_owned());
            }
            (Standing::Held { .. }, _) if line.state == LineState::Held => {
                "see what the service has billed: a run looks again; where the other record stays, say what became of the charge"
            }
            (Standing::Rejected { .. }, _) if charge.is_withdrawn() => {
                return Some("some of its records went into other charges since: the others are billed once they are pending again".to_owned());
            }
            (Standing::Rejected { retryable: false, .. }, _) if self.setup.is_queue() => {
                "mend the cause, and set its records to pending again, or say that it is offered as it is"
            }
            (Standing::Rejected { retryable: false, .. }, _) => "mend the cause, and say that it is offered once more",
            _ => return None,
        };
        Some(format!("{text}\n{}", resolve_command(&self.setup.pipeline, charge)))
    }
}
