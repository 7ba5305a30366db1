//! `meterhost explain`: one charge, back to the inputs that it was made from and forward to every answer.

use std::io::IsTerminal as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::shared::{Outside, Refused, print, style};
use super::{Global, PipelineArgs, in_set, unfrozen};
use crate::ledger::{
    ChargeState, Decision, Identity, Ledger, NoSuchCharge, Sought, Standing, Trail, Unfrozen, resolve_command,
};
use crate::report::{Exit, document, write_trail};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The charge's id, or at least its first 4 digits
    #[arg(value_name = "CHARGE")]
    charge: Sought,
}

impl From<NoSuchCharge> for Refused {
    fn from(none: NoSuchCharge) -> Self {
        Refused::Other(Exit::Configuration, none.to_string())
    }
}

pub(super) fn explain(args: &ExplainArgs, global: &Global) -> Result<Exit, Refused> {
    args.pipeline.whole_pipeline()?;
    let pipeline = args.pipeline.pipeline()?;
    let outside = Outside::open()?;
    let place = outside.place(&pipeline)?;
    let identity = Identity::of(&pipeline, None);
    let trail = Trail::of(&place, &identity, &args.charge).map_err(|error| Refused::of(&pipeline, error))?;
    let trail = match trail {
        Err(none @ NoSuchCharge::Unknown { .. }) => {
            let state = Ledger::state_of(&place, &identity).map_err(|error| Refused::of(&pipeline, error))?;
            if let Some(found) = state.in_sets(&place.shelf(), &args.charge)?? {
                // What usage comes to now may be held, or decided about by a person, while readers are shown what it was.
                let beside = Unfrozen::of(&state, &args.charge, Timestamp::now())?;
                let is_published = |about: &Unfrozen| {
                    let word = about.word.as_ref().map(|(word, _)| word.decision);
                    !about.is_held && word == Some(Decision::Release)
                };
                let beside = beside.filter(|about| about.kept.id == found.id && !is_published(about));
                match global.json {
                    true => print(&document(&in_set::as_json(&pipeline, &found, beside.as_ref()))),
                    false => print(&in_set::says(&pipeline, &found, beside.as_ref())),
                }
                return Ok(Exit::Final);
            }
            let about = Unfrozen::of(&state, &args.charge, Timestamp::now())?.ok_or(none)?;
            let publishes = state.publishes(&about.sink);
            match global.json {
                true => print(&document(&unfrozen::as_json(&pipeline, &about, publishes))),
                false => print(&unfrozen::says(&pipeline, &about, publishes)),
            }
            return Ok(Exit::Final);
        }
        trail => trail?,
    };
    let holder = match trail.charge.standing() {
        Standing::InFlight { .. } => place.holder()?,
        _ => None,
    };
    let command = resolve_command(&pipeline, &trail.charge);
    let (next, is_a_persons) = next(&trail.charge, holder.as_deref());
    let command = is_a_persons.then_some(command.as_str());
    if global.json {
        print(&document(&as_json(&trail, &next, command)));
        return Ok(Exit::Final);
    }
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = write_trail(&mut text, &trail, (&next, command), style(global, std::io::stdout().is_terminal()));
    print(&String::from_utf8_lossy(&text));
    Ok(Exit::Final)
}

/// What happens to a charge next, and whether that may be a person's to say.
fn next(charge: &ChargeState, holder: Option<&str>) -> (String, bool) {
    let (text, is_a_persons) = match (charge.standing(), holder) {
        (
            Standing::Accepted { .. }
            | Standing::TakenOver
            | Standing::ByHand { .. }
            | Standing::Waived { .. }
            | Standing::Nothing,
            _,
        ) => ("nothing: it is final", false),
        (Standing::Pending { .. }, _) if charge.may_be_sent_before() && !charge.is_denied() => (
            "a run looks it up first, where its sink can do that, and offers it if it is not there; where that cannot tell, see \
             whether the service has it, and say so:",
            true,
        ),
        (Standing::Pending { .. }, _) if charge.last_over().is_some() || charge.is_denied() => {
            ("a run looks it up first, where its sink can do that, and offers it again if it is not there", false)
        }
        (Standing::Pending { .. }, _) => ("a run offers it", false),
        (Standing::Rejected { retryable: true, .. }, _) => {
            ("mend what the service names; each run offers the identical charge once more", false)
        }
        (Standing::Rejected { retryable: false, .. }, _) if charge.is_withdrawn() => {
            ("no run offers it again: some of its records went into other charges since", false)
        }
        (Standing::Rejected { retryable: false, .. }, _) => (
            "no run offers it again by itself: see to what the service says; once it would take it, say `release` instead:",
            true,
        ),
        (Standing::InFlight { .. }, Some(holder)) => {
            return (format!("its answer is waited for by the run that holds the ledger: {holder}"), false);
        }
        (Standing::InFlight { .. } | Standing::Unknown { .. }, _) => (
            "a run looks it up, or offers the identical charge again, as its sink allows; where that cannot tell, see whether \
             the service has it, and say so:",
            true,
        ),
        (Standing::Unconfirmed { .. }, _) => {
            ("a run looks it up; where that cannot tell, see whose record the service has, and say so:", true)
        }
        (Standing::Held { .. }, _) => (
            "a run looks it up again; where the record in its place stays, see what the service has billed, and say so:",
            true,
        ),
    };
    (text.to_owned(), is_a_persons)
}

fn as_json(trail: &Trail, next: &str, command: Option<&str>) -> Value {
    let frozen = trail.charge.charge();
    let (key, standing) = (frozen.key(), trail.charge.standing());
    let object = |pairs: &[(String, String)]| -> Value {
        pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
    };
    let origins = |origins: &[(String, u64)]| -> Vec<Value> {
        origins.iter().map(|(dimension, records)| json!({ "dimension": dimension, "records": records })).collect()
    };
    let parts = frozen.parts().iter().map(|part| {
        json!({
            "product": part.product, "customer": part.customer, "quantity": part.quantity, "origins": origins(&part.origins),
        })
    });
    json!({
        "pipeline": key.pipeline,
        "charge": {
            "id": frozen.id(),
            "sink": key.sink,
            "window": key.window,
            "product": key.product,
            "customer": key.customer,
            "dimension": key.dimension,
            "tags": object(&key.tags),
            "exact": frozen.exact(),
            "quantity": frozen.quantity(),
            "time": Timestamp::from_millisecond(frozen.time()).ok(),
            "attributes": object(frozen.attributes()),
            "aggregator": frozen.aggregator(),
            "origins": origins(frozen.origins()),
            "parts": parts.collect::<Vec<_>>(),
            "carried": frozen.carried(),
            "remainder": frozen.remainder(),
        },
        "frozen": trail.frozen,
        "inputs": trail.inputs,
        "records": trail.records,
        "steps": trail.steps,
        "standing": standing.word(),
        "final": trail.charge.is_final(),
        "reason": standing.reason(),
        "reference": standing.reference(),
        "holds": trail.holds,
        "next": next,
        "command": command,
    })
}
