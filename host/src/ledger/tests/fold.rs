//! What answers and look-ups make of a charge: design §4.2, case by case.

use super::*;
use crate::ledger::{FoldError, Named};
use crate::model::charge::Carried;
use crate::model::outcome::Finding;

/// One step of a charge's life.
enum Step {
    /// A call that is answered so.
    Answered(Status),
    /// A call that is answered by a refusal which offering again cannot mend.
    RefusedForGood,
    /// A call whose answer is either its own refusal or another's.
    PerhapsRefused,
    /// A call whose answer leaves it out.
    Left,
    /// A call of which surely nothing left.
    Unsent,
    /// A call after which the process is killed; the next run goes on.
    Killed,
    /// A look-up.
    Found,
    Absent,
    Different,
    CannotTell,
    /// It may have been offered before the ledger was there.
    Doubted,
    /// Another exporter had billed it.
    TakenOver,
    /// A person says what became of it.
    Said(Verdict),
}
use Step::*;

/// The word for a charge's standing after these steps.
fn after(steps: &[Step]) -> String {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    for (number, step) in steps.iter().enumerate() {
        if let Err(error) = take(&mut ledger, &charges, step) {
            let LedgerError::Refused { cause, .. } = error else { panic!("{error}") };
            return match cause {
                FoldError::Final(_) => "error: final".to_owned(),
                FoldError::NotToBeSent(_) => "error: not to be sent".to_owned(),
                FoldError::NotNew(_) => "error: not new".to_owned(),
                FoldError::Resolved(_) => "error: known".to_owned(),
                other => other.to_string(),
            };
        }
        if matches!(step, Killed) {
            drop(ledger);
            ledger = place.open(&format!("next-{number}"));
            ledger.append(vec![intent(&[june()])]).unwrap();
        }
    }
    let state = ledger.state().charge(&charges[0].id()).unwrap();
    assert_eq!(ledger.state().open_charges("s").len(), usize::from(!state.is_final()));
    match state.standing() {
        Standing::Pending { .. } => "pending".to_owned(),
        Standing::InFlight { .. } => "in flight".to_owned(),
        Standing::Unknown { refusal_if_absent: None, .. } => "unknown".to_owned(),
        Standing::Unknown { refusal_if_absent: Some(refusal), .. } => format!("unknown, else {refusal}"),
        Standing::Unconfirmed { .. } => "unconfirmed".to_owned(),
        Standing::Rejected { retryable: true, .. } => "rejected".to_owned(),
        Standing::Rejected { .. } => "rejected for good".to_owned(),
        Standing::Held { .. } => "held".to_owned(),
        Standing::Accepted { .. } => "accepted".to_owned(),
        Standing::TakenOver => "taken over".to_owned(),
        Standing::ByHand { .. } => "by hand".to_owned(),
        Standing::Waived { .. } => "waived".to_owned(),
        Standing::Nothing => "nothing".to_owned(),
    }
}

fn take(ledger: &mut Ledger, charges: &[Charge], step: &Step) -> Result<(), LedgerError> {
    let id = charges[0].id();
    let finding = match step {
        Found => Finding::Found(record("2")),
        Absent => Finding::Absent,
        Different => Finding::Different(record("5")),
        CannotTell => Finding::CannotTell("busy".to_owned()),
        Doubted => {
            let (reason, deadline) = ("who knows".to_owned(), 1000);
            return ledger.append(vec![Entry::Doubted { charges: vec![id], reason, deadline }]);
        }
        TakenOver => return ledger.append(vec![Entry::TakenOver { charges: vec![id] }]),
        Said(verdict) => return ledger.append(vec![said(&charges[0], *verdict)]),
        _ => {
            let attempt = ledger.begin_attempt(("s", None), charges, MINUTE)?;
            let outcomes = match step {
                Killed => return Ok(()),
                Answered(status) => vec![outcome(id, *status)],
                RefusedForGood => vec![Outcome { retryable: false, ..outcome(id, Status::Rejected) }],
                PerhapsRefused => {
                    vec![Outcome { refusal_if_absent: Some("no payer".to_owned()), ..outcome(id, Status::Unknown) }]
                }
                _ => Vec::new(),
            };
            return ledger.record(attempt, matches!(step, Unsent), outcomes);
        }
    };
    ledger.looked_up("s", vec![(id, finding)])
}

#[test]
fn every_step_leads_where_the_design_says() {
    use Status::{Accepted, Duplicate, Rejected, Unknown, Unprocessed};
    use Verdict::{Billed, NotBilled, Waived};
    let cases: &[(&str, &[Step])] = &[
        ("pending", &[]),
        // First attempts.
        ("accepted", &[Answered(Accepted)]),
        ("rejected", &[Answered(Rejected)]),
        ("rejected for good", &[RefusedForGood]),
        ("unconfirmed", &[Answered(Duplicate)]),
        ("pending", &[Answered(Unprocessed)]),
        ("unknown", &[Answered(Unknown)]),
        ("unknown, else no payer", &[PerhapsRefused]),
        ("unknown", &[Left]),
        ("unknown", &[Killed]),
        ("pending", &[Unsent]),
        // A duplicate is ours if an earlier attempt of this very charge went unanswered, or if a look-up confirms it.
        ("accepted", &[Left, Answered(Duplicate)]),
        ("accepted", &[Killed, Answered(Duplicate)]),
        ("unconfirmed", &[Unsent, Answered(Duplicate)]),
        ("unconfirmed", &[Answered(Rejected), Answered(Duplicate)]),
        ("unconfirmed", &[Answered(Unprocessed), Answered(Duplicate)]),
        ("accepted", &[Answered(Duplicate), Found]),
        ("rejected", &[Answered(Duplicate), Absent]),
        ("rejected", &[Answered(Duplicate), Different]),
        ("unconfirmed", &[Answered(Duplicate), CannotTell]),
        ("unconfirmed", &[Answered(Duplicate), Different, Answered(Duplicate)]),
        // A refusal of a replay answers that attempt only.
        ("unknown, else rejected", &[Left, Answered(Rejected)]),
        ("rejected", &[Left, Answered(Rejected), Absent]),
        ("accepted", &[Left, Answered(Rejected), Found]),
        ("rejected for good", &[Left, RefusedForGood, Absent]),
        ("unknown", &[Left, Answered(Unprocessed)]),
        ("unknown, else no payer", &[PerhapsRefused, Answered(Unprocessed)]),
        ("unknown, else no payer", &[PerhapsRefused, Unsent]),
        ("unknown", &[Left, Unsent]),
        ("unknown", &[PerhapsRefused, Left]),
        // What was no attempt leaves things as they were.
        ("rejected", &[Answered(Rejected), Unsent]),
        ("rejected", &[Answered(Rejected), Answered(Unprocessed)]),
        // Look-ups of the unknown.
        ("accepted", &[Left, Found]),
        ("pending", &[Left, Absent]),
        ("held", &[Left, Different]),
        ("unknown", &[Left, CannotTell]),
        ("rejected", &[PerhapsRefused, Absent]),
        ("unknown, else no payer", &[PerhapsRefused, CannotTell]),
        ("accepted", &[Killed, Found]),
        ("pending", &[Killed, Absent]),
        ("unconfirmed", &[Left, Absent, Answered(Duplicate)]),
        ("rejected", &[Left, Absent, Answered(Rejected)]),
        // What may have been offered before is looked up first.
        ("unknown", &[Doubted]),
        ("pending", &[Doubted, Absent]),
        ("accepted", &[Doubted, Found]),
        ("held", &[Doubted, Different]),
        ("accepted", &[Doubted, Answered(Duplicate)]),
        ("unknown", &[Unsent, Doubted]),
        ("taken over", &[TakenOver]),
        // Held until the record in its place is mended or gone.
        ("accepted", &[Left, Different, Found]),
        ("pending", &[Left, Different, Absent]),
        ("held", &[Left, Different, CannotTell]),
        // A look-up before the first attempt, as with a ledger that was lost.
        ("accepted", &[Found]),
        ("pending", &[Absent]),
        ("held", &[Different]),
        ("pending", &[CannotTell]),
        ("rejected", &[Answered(Rejected), CannotTell]),
        ("rejected", &[Answered(Rejected), Absent]),
        // Final is final.
        ("accepted", &[Answered(Accepted), Found]),
        ("accepted", &[Answered(Accepted), CannotTell]),
        ("error: final", &[Answered(Accepted), Absent]),
        ("error: final", &[Answered(Accepted), Different]),
        ("error: final", &[Answered(Accepted), Left]),
        ("error: final", &[TakenOver, Left]),
        ("error: final", &[TakenOver, Found]),
        ("error: not new", &[Answered(Accepted), TakenOver]),
        ("error: not new", &[Left, TakenOver]),
        ("error: not new", &[Answered(Accepted), Doubted]),
        // What nothing clear is known of, a person can resolve.
        ("by hand", &[Left, Said(Billed)]),
        ("by hand", &[Killed, Said(Billed)]),
        ("by hand", &[Answered(Duplicate), Said(Billed)]),
        ("by hand", &[Left, Different, Said(Billed)]),
        ("by hand", &[Doubted, Said(Billed)]),
        ("pending", &[Left, Said(NotBilled)]),
        ("pending", &[Killed, Said(NotBilled)]),
        ("pending", &[Answered(Duplicate), Said(NotBilled)]),
        ("pending", &[Left, Different, Said(NotBilled)]),
        ("pending", &[PerhapsRefused, Said(NotBilled)]),
        ("accepted", &[Left, Said(NotBilled), Answered(Accepted)]),
        ("accepted", &[Left, Said(NotBilled), Found]),
        ("unconfirmed", &[Left, Said(NotBilled), Answered(Duplicate)]),
        ("by hand", &[Left, Said(NotBilled), Left, Said(Billed)]),
        // Billed by other means before anything left.
        ("by hand", &[Said(Billed)]),
        ("error: known", &[Unsent, Said(Billed)]),
        ("error: known", &[Answered(Rejected), Said(Billed)]),
        // What is not final a person can waive, unless a call with it is under way.
        ("waived", &[Said(Waived)]),
        ("waived", &[Answered(Rejected), Said(Waived)]),
        ("waived", &[RefusedForGood, Said(Waived)]),
        ("waived", &[Left, Said(Waived)]),
        ("waived", &[Answered(Duplicate), Said(Waived)]),
        ("waived", &[Left, Different, Said(Waived)]),
        ("error: final", &[Said(Waived), Left]),
        ("error: final", &[Said(Waived), Said(Billed)]),
        ("error: final", &[Left, Said(Waived), Found]),
        ("error: known", &[Said(NotBilled)]),
        ("error: known", &[Answered(Rejected), Said(NotBilled)]),
        ("error: known", &[Left, Said(NotBilled), Said(NotBilled)]),
        ("error: final", &[Answered(Accepted), Said(NotBilled)]),
        ("error: final", &[TakenOver, Said(NotBilled)]),
        ("error: final", &[Left, Said(Billed), Said(NotBilled)]),
        ("error: final", &[Left, Said(Billed), Left]),
        ("error: final", &[Left, Said(Billed), Found]),
        ("error: not new", &[Left, Said(Billed), TakenOver]),
        // Never sent as things stand.
        ("error: not to be sent", &[Answered(Duplicate), Left]),
        ("error: not to be sent", &[RefusedForGood, Left]),
        ("error: not to be sent", &[Left, Different, Left]),
    ];
    for (number, (expected, steps)) in cases.iter().enumerate() {
        assert_eq!(after(steps), *expected, "case {number}");
    }
}

#[test]
fn the_reasons_are_told_in_plain_words() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    let told = |ledger: &Ledger| match standing(ledger.state(), &charges[0]) {
        Standing::Unknown { reason, .. }
        | Standing::Held { reason }
        | Standing::Rejected { reason, .. }
        | Standing::Pending { reason: Some(reason) } => reason.clone(),
        other => format!("{other:?}"),
    };
    take(&mut ledger, &charges, &Left).unwrap();
    take(&mut ledger, &charges, &Answered(Status::Rejected)).unwrap();
    assert_eq!(told(&ledger), "rejected; that answers the last attempt only, and an earlier one was never answered");
    take(&mut ledger, &charges, &Different).unwrap();
    assert_eq!(told(&ledger), "the service has a record in its place with 5 (r-1) where it has 2");
    take(&mut ledger, &charges, &Absent).unwrap();
    take(&mut ledger, &charges, &Answered(Status::Duplicate)).unwrap();
    take(&mut ledger, &charges, &Different).unwrap();
    assert_eq!(told(&ledger), "somebody else holds its place, with 5 (r-1) where it has 2");
}

#[test]
fn how_long_a_call_may_still_take_effect_is_known_until_it_is_answered() {
    let place = Place::new();
    let (mut ledger, charges) = frozen(&place, &["a"]);
    let over = |ledger: &Ledger| ledger.state().charge(&charges[0].id()).unwrap().last_over();
    assert_eq!(over(&ledger), None);
    for answered in [Unsent, Answered(Status::Unprocessed), Answered(Status::Rejected)] {
        take(&mut ledger, &charges, &answered).unwrap();
        assert_eq!(over(&ledger), None);
    }
    let before = jiff::Timestamp::now().as_millisecond();
    take(&mut ledger, &charges, &Left).unwrap();
    take(&mut ledger, &charges, &Absent).unwrap();
    let until = over(&ledger).unwrap();
    assert!((before + 60_000..=before + 70_000).contains(&until));
    take(&mut ledger, &charges, &Unsent).unwrap();
    assert_eq!(over(&ledger), Some(until));
}

#[test]
fn an_impossible_history_is_an_error_and_nothing_is_written() {
    let place = Place::new();
    let stranger = proposal(june(), "stranger").key.id();
    let (ledger, charges) = frozen(&place, &["a"]);
    drop(ledger);
    let id = charges[0].id();
    let attempt = |attempt, sink: &str, charges| Entry::Attempt {
        attempt,
        sink: sink.to_owned(),
        charges,
        deadline: 1,
        region: None,
    };
    let outcomes = |attempt, outcomes| Entry::Outcomes { attempt, unsent: false, outcomes };
    let answer = outcome(id, Status::Accepted);
    let cases = [
        (vec![outcomes(1, Vec::new())], "it answers the call 1, which is not under way".to_owned()),
        (vec![attempt(2, "s", vec![id])], "it begins the call 2, where 1 is next".to_owned()),
        (vec![attempt(1, "s", vec![stranger])], format!("it speaks of the charge {stranger}, which was never frozen")),
        (vec![attempt(1, "t", vec![id])], format!("it names the charge {id} for the sink `t`, which it is not for")),
        (
            vec![attempt(1, "s", vec![id, id])],
            format!("it sends the charge {id}, which is under way, held, unconfirmed or refused for good"),
        ),
        (
            vec![attempt(1, "s", vec![id]), outcomes(1, vec![answer.clone(), answer.clone()])],
            format!("it answers for the charge {id}, which the call did not offer, or more than once"),
        ),
        (
            vec![attempt(1, "s", vec![id]), outcomes(1, vec![outcome(stranger, Status::Accepted)])],
            format!("it answers for the charge {stranger}, which the call did not offer, or more than once"),
        ),
        (
            vec![
                attempt(1, "s", vec![id]),
                Entry::LookedUp { sink: "s".to_owned(), findings: vec![(id, Finding::Absent)] },
            ],
            format!("it looks up the charge {id}, which is under way"),
        ),
        (
            vec![Entry::Settled { sink: "s".to_owned(), window: july() }],
            "it speaks of 2025-07 for the sink `s`, which no run took up".to_owned(),
        ),
        (
            vec![Entry::Opened {
                format: 1,
                window: WindowKind::Month,
                first: None,
                sinks: Vec::new(),
                aggregates: Vec::new(),
                now: None,
                host: String::new(),
            }],
            "it opens the ledger of the pipeline once more".to_owned(),
        ),
    ];
    for (number, (entries, words)) in cases.into_iter().enumerate() {
        let mut ledger = place.open("r2");
        let before = ledger.state().clone();
        let error = ledger.append(entries).unwrap_err().to_string();
        assert!(error.ends_with(&words), "case {number}: {error}");
        assert_eq!(ledger.state(), &before);
        drop(ledger);
        assert_eq!(place.read(), before, "case {number}");
    }
}

#[test]
fn usage_of_no_charge_is_late_only_beside_what_was_frozen_in_its_slot() {
    let place = Place::new();
    let (mut ledger, _) = frozen(&place, &["a"]);
    ledger.append(vec![intent(&[june(), july()])]).unwrap();
    let carries = |customer: &str, dimension: &str, tag: Option<&str>| {
        let mut late = proposal(july(), customer);
        late.key.dimension = dimension.to_owned();
        late.key.tags = tag.map(|tag| ("region".to_owned(), tag.to_owned())).into_iter().collect();
        late.carried = vec![Carried { window: june(), quantity: late.exact }];
        late
    };
    for other in [carries("b", "d", Some("us")), carries("a", "e", Some("us")), carries("a", "e", None)] {
        let error = ledger.append(vec![Entry::freeze(other)]).unwrap_err().to_string();
        assert!(error.ends_with("of a charge that was never frozen, and nothing was in its place"), "{error}");
        drop(ledger);
        ledger = place.open("again");
    }
    let late = carries("a", "d", Some("us"));
    let origin = Key { window: june(), ..late.key.clone() };
    ledger.append(vec![Entry::freeze(late.clone()), Entry::freeze(carries("a", "d", None))]).unwrap();
    assert_eq!(ledger.state().frozen_elsewhere(&origin.id()), Some(late.exact));
    assert_eq!(ledger.state().frozen_of(&origin.id()), None);
    let carriers: Vec<_> = ledger.state().carriers(&origin).map(|charge| charge.charge().id()).collect();
    assert_eq!(carriers, [late.key.id()]);
    assert_eq!(ledger.state().without_charge("s", &june()).count(), 2);
    // Under another name, it is still known what was carried.
    let what = Named::Sink;
    ledger.append(vec![Entry::Renamed { what, from: "s".to_owned(), to: "t".to_owned() }]).unwrap();
    let renamed = Key { sink: "t".to_owned(), ..origin.clone() };
    assert_eq!(ledger.state().frozen_elsewhere(&renamed.id()), Some(late.exact));
    assert_eq!(ledger.state().frozen_elsewhere(&origin.id()), Some(Decimal::ZERO));
    assert_eq!(ledger.state().beside(&renamed).count(), 1);
}
