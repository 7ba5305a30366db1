//! A line of the report: what a charge is or would be, and how it stands.

use jiff::Timestamp;
use meterhost_decimal::Decimal;

use super::charges::{Assessed, Difference, Place};
use crate::ledger::{Charge, ChargeState, Standing, TAKEN_OVER};
use crate::model::charge::{Carried, Part};
use crate::report::{Line, LineCarried, LinePart, LineState};

/// What is said of one whose month stays as a person said.
const PINNED: &str = "its month is pinned: readers are shown another set";
/// What is said of a charge whose month is not published.
const UNPUBLISHED: &str = "its month is not published yet";

/// The line of what would be a charge, or is one. `run` is this run.
pub(super) fn shown(
    line: &Assessed,
    charge: Option<&ChargeState>,
    run: Option<&str>,
    dry_run: bool,
    is_withdrawn: bool,
) -> Line {
    let (mut state, mut reason, reference) = stands(line, charge, run, dry_run, is_withdrawn);
    if let Some((_, held)) = &line.held {
        // What became of the frozen charge is said too, where that is open.
        let open = charge.filter(|charge| !charge.is_final()).and(reason);
        reason = Some(open.map_or_else(|| held.clone(), |open| format!("{held}; the frozen charge is open: {open}")));
    }
    let frozen = charge.map(ChargeState::charge);
    let differs = line.differs();
    // What differs from the frozen charge is held, whatever became of that charge.
    if line.held.is_some() && differs {
        state = LineState::Held;
    }
    if let Some(late) = line.difference.as_ref().and_then(late) {
        reason = Some(reason.map_or_else(|| late.clone(), |reason| format!("{reason}; {late}")));
    }
    let carried = frozen.map_or(line.carried.as_slice(), |charge| charge.carried());
    let (quantity, exact) = match frozen.filter(|_| !differs) {
        Some(charge) => (charge.quantity(), charge.exact()),
        None => {
            let all = line.carried.iter().try_fold(line.own, |sum, carried| sum.checked_add(carried.quantity));
            let exact = all.unwrap_or(line.own);
            // With its own window nothing of it is billed.
            let is_elsewhere = line.is_late && matches!(state, LineState::Zero | LineState::BilledBefore);
            let exact = if is_elsewhere { Decimal::ZERO } else { exact };
            (
                if is_elsewhere {
                    Decimal::ZERO
                } else if differs {
                    line.own
                } else {
                    line.quantity
                },
                exact,
            )
        }
    };
    let is_open = matches!(state, LineState::Pending | LineState::Rejected | LineState::Unknown | LineState::Held);
    let until = line.accepted_until.filter(|_| is_open || line.zero);
    Line {
        id: frozen.map(|charge| charge.id().to_string()),
        would_be: (frozen.is_none() && state == LineState::Held).then(|| line.handle().to_string()),
        product: line.key.product.clone(),
        customer: line.key.customer.clone(),
        dimension: line.key.dimension.clone(),
        tags: line.key.tags.clone(),
        quantity: quantity.to_string(),
        exact: (exact != quantity).then(|| exact.to_string()),
        frozen: frozen.filter(|_| differs).map(|charge| of_its_window(charge, line).to_string()),
        before: None,
        change: None,
        records: records(&line.origins),
        parts: line.parts.iter().map(part).collect(),
        carried: carried.iter().map(carried_part).collect(),
        accepted_until: until
            .and_then(|until| Timestamp::from_millisecond(until).ok())
            .map(|until| format!("{until:.0}")),
        state,
        reason,
        reference,
    }
}

/// How it stands, why, and the service's name for it.
pub(super) fn stands(
    line: &Assessed,
    charge: Option<&ChargeState>,
    run: Option<&str>,
    dry_run: bool,
    is_withdrawn: bool,
) -> (LineState, Option<String>, Option<String>) {
    match charge.map(ChargeState::standing) {
        None if line.waived.is_some() => (LineState::Waived, line.waived.clone(), None),
        None if line.by_hand.is_some() => (LineState::BilledBefore, line.by_hand.clone(), None),
        None if line.taken_over => (LineState::BilledBefore, Some(TAKEN_OVER.to_owned()), None),
        None if line.held.is_some() => (LineState::Held, None, None),
        None if line.is_late => match line.difference.as_ref().map(|difference| &difference.place) {
            Some(Place::Settled(_)) => (LineState::Waived, None, None),
            Some(Place::ByHand(_)) => (LineState::BilledBefore, None, None),
            Some(Place::Held | Place::Carried(_) | Place::Waits(_)) => (LineState::Zero, None, None),
            None if line.carried_before.is_zero() => (LineState::Zero, None, None),
            None => {
                let text = format!("{} was found late: billed with later windows", line.carried_before);
                (LineState::BilledBefore, Some(text), None)
            }
        },
        None if line.zero => (LineState::Zero, None, None),
        None if line.published.is_some() => match line.published {
            Some(LineState::Billed) if dry_run => (LineState::WouldBill, None, None),
            Some(LineState::Pending) | None => (LineState::Pending, Some(UNPUBLISHED.to_owned()), None),
            Some(LineState::Waived) => (LineState::Waived, Some(PINNED.to_owned()), None),
            Some(state) => (state, None, None),
        },
        None if dry_run && line.unsent => (LineState::Zero, Standing::Nothing.reason(), None),
        None if dry_run => (LineState::WouldBill, None, None),
        None => (LineState::Pending, Some("the run ended before it was frozen".to_owned()), None),
        Some(Standing::Accepted { reference, .. }) if charge.is_some_and(ChargeState::was_there) => {
            let text = "the service had it: it was sent before this ledger was there";
            (LineState::BilledBefore, Some(text.to_owned()), reference.clone())
        }
        Some(Standing::Accepted { reference, run: by }) => {
            let state = if Some(by.as_str()) == run { LineState::Billed } else { LineState::BilledBefore };
            (state, None, reference.clone())
        }
        Some(standing @ Standing::ByHand { .. }) => (LineState::BilledBefore, standing.reason(), None),
        Some(standing @ Standing::Waived { .. }) => (LineState::Waived, standing.reason(), None),
        Some(standing @ Standing::Nothing) => (LineState::Zero, standing.reason(), None),
        Some(Standing::TakenOver) => (LineState::BilledBefore, Some(TAKEN_OVER.to_owned()), None),
        // What a dry run would offer again counts as if it were accepted.
        Some(Standing::Pending { reason }) if dry_run => (LineState::WouldBill, reason.clone(), None),
        Some(Standing::Rejected { reason, .. }) if is_withdrawn => {
            let text = format!("{reason}; it is not offered again: another charge stands in its place");
            (LineState::Rejected, Some(text), None)
        }
        Some(Standing::Rejected { reason, retryable: true }) if dry_run => {
            (LineState::WouldBill, Some(format!("refused before: {reason}")), None)
        }
        Some(Standing::Pending { reason }) => (LineState::Pending, reason.clone(), None),
        Some(Standing::InFlight { .. }) => {
            (LineState::Unknown, Some("a call with it left, and its answer was not written down".to_owned()), None)
        }
        Some(Standing::Unknown { reason, .. } | Standing::Unconfirmed { reason }) => {
            (LineState::Unknown, Some(reason.clone()), None)
        }
        Some(Standing::Rejected { reason, .. }) => (LineState::Rejected, Some(reason.clone()), None),
        Some(Standing::Held { reason }) => (LineState::Held, Some(reason.clone()), None),
    }
}

/// What was frozen of a charge's own window, before rounding, with this charge and with later ones: what its usage is compared with.
fn of_its_window(charge: &Charge, line: &Assessed) -> Decimal {
    let more = [line.carried_before, line.more_by_hand];
    let own = charge.own().and_then(|own| more.into_iter().try_fold(own, Decimal::checked_add));
    own.unwrap_or_else(|| charge.quantity())
}

/// What became of usage that differs from the frozen charge, where that is not held.
fn late(difference: &Difference) -> Option<String> {
    let quantity = difference.quantity.map_or_else(|| "a difference".to_owned(), |quantity| quantity.to_string());
    Some(match &difference.place {
        Place::Held => return None,
        Place::Carried(window) => format!("{quantity} more was found late: billed with {}", window.label()),
        Place::Waits(window) => format!("{quantity} more was found late: to be billed with {}", window.label()),
        Place::Settled(word) | Place::ByHand(word) => format!("a difference of {quantity} was {word}"),
    })
}

fn records(origins: &[(String, u64)]) -> u64 {
    origins.iter().map(|(_, records)| records).sum()
}

fn part(part: &Part) -> LinePart {
    LinePart {
        product: part.product.clone(),
        customer: part.customer.clone(),
        quantity: part.quantity.to_string(),
        records: records(&part.origins),
    }
}

fn carried_part(carried: &Carried) -> LineCarried {
    LineCarried { window: carried.window.label(), quantity: carried.quantity.to_string() }
}
