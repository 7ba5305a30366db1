//! Charges that a ledger which is not here any more may have sent: of windows that were over when this one was new.

use super::*;
use crate::model::outcome::Finding;

/// A new ledger at the end of June, with a charge of June and one of July.
fn begun(place: &Place) -> (Ledger, ChargeId, ChargeId) {
    let identity = Identity { now: Some(june().end().as_millisecond()), ..identity() };
    let mut ledger = Ledger::open(&place.at(), &identity, &Claim::at_once("r1")).unwrap();
    ledger.append(vec![intent(&[june(), july()])]).unwrap();
    ledger.freeze(Vec::new(), vec![proposal(june(), "a"), proposal(july(), "a")]).unwrap();
    (ledger, proposal(june(), "a").key.id(), proposal(july(), "a").key.id())
}

fn may_be(ledger: &Ledger, id: ChargeId) -> bool {
    ledger.state().charge(&id).unwrap().may_be_sent_before()
}

#[test]
fn what_was_over_when_the_ledger_was_new_may_have_been_sent_until_a_look_up_is_clear() {
    let place = Place::new();
    let (mut ledger, over, later) = begun(&place);
    assert!(may_be(&ledger, over) && !may_be(&ledger, later));
    ledger.looked_up("s", vec![(over, Finding::CannotTell("busy".to_owned()))]).unwrap();
    let Standing::Pending { reason: Some(reason) } = ledger.state().charge(&over).unwrap().standing() else { panic!() };
    assert!(reason.ends_with("may have sent it, and a look-up could not tell: busy"), "{reason}");
    assert!(may_be(&ledger, over));
    ledger.looked_up("s", vec![(over, Finding::Absent)]).unwrap();
    assert!(!may_be(&ledger, over));
    drop(ledger);
    assert!(!place.read().charge(&over).unwrap().may_be_sent_before(), "the next run does not ask again");
    // It is no matter of when it is frozen.
    let mut ledger = place.open("r2");
    ledger.freeze(Vec::new(), vec![proposal(june(), "late"), proposal(july(), "late")]).unwrap();
    assert!(may_be(&ledger, proposal(june(), "late").key.id()));
    assert!(!may_be(&ledger, proposal(july(), "late").key.id()));
}

#[test]
fn what_is_found_was_there_before() {
    let place = Place::new();
    let (mut ledger, over, later) = begun(&place);
    ledger.looked_up("s", vec![(over, Finding::Found(record("2"))), (later, Finding::Found(record("2")))]).unwrap();
    let state = ledger.state();
    assert!(state.charge(&over).unwrap().is_final() && state.charge(&over).unwrap().was_there());
    assert!(state.charge(&later).unwrap().is_final() && !state.charge(&later).unwrap().was_there());
}

#[test]
fn another_record_in_its_place_holds_it() {
    let place = Place::new();
    let (mut ledger, over, _) = begun(&place);
    ledger.looked_up("s", vec![(over, Finding::Different(record("5")))]).unwrap();
    assert!(matches!(ledger.state().charge(&over).unwrap().standing(), Standing::Held { .. }));
}

#[test]
fn an_attempt_ends_the_doubt_unless_nothing_left() {
    let place = Place::new();
    let (mut ledger, over, _) = begun(&place);
    let charge = charges(ledger.state());
    let attempt = ledger.begin_attempt(("s", None), &charge, MINUTE).unwrap();
    assert!(!may_be(&ledger, over));
    ledger.record(attempt, true, Vec::new()).unwrap();
    assert!(may_be(&ledger, over), "it is as it was");
    let attempt = ledger.begin_attempt(("s", None), &charge, MINUTE).unwrap();
    ledger.record(attempt, false, vec![outcome(over, Status::Rejected)]).unwrap();
    assert!(!may_be(&ledger, over));
}

#[test]
fn a_ledger_that_lost_its_end_may_have_sent_what_it_has_left_and_what_was_over_by_then() {
    let place = Place::new();
    let (mut ledger, over, later) = begun(&place);
    let billed = proposal(july(), "billed");
    let refused = proposal(july(), "refused");
    ledger.freeze(Vec::new(), vec![billed.clone(), refused.clone()]).unwrap();
    let charge = |ledger: &Ledger, id| ledger.state().charge(&id).unwrap().charge().clone();
    let [billed, refused] = [billed, refused].map(|proposal| charge(&ledger, proposal.key.id()));
    let attempt = ledger.begin_attempt(("s", None), &[billed.clone(), refused.clone()], Duration::ZERO).unwrap();
    let again = Outcome { retryable: true, ..outcome(refused.id(), Status::Rejected) };
    ledger.record(attempt, false, vec![outcome(billed.id(), Status::Accepted), again]).unwrap();
    assert!(!may_be(&ledger, later));

    ledger.append(vec![Entry::Restored { head: None }]).unwrap();
    let standing = |ledger: &Ledger, id| ledger.state().charge(&id).unwrap().standing().clone();
    let is_unknown = |ledger: &Ledger, id| matches!(standing(ledger, id), Standing::Unknown { .. });
    assert!(
        is_unknown(&ledger, over) && is_unknown(&ledger, later),
        "an entry that is lost may have had a call with them"
    );
    let may_arrive =
        ledger.state().charge(&over).unwrap().last_over().unwrap() - jiff::Timestamp::now().as_millisecond();
    assert!(may_arrive > 9 * 60_000, "that call may be under way");
    assert!(matches!(standing(&ledger, billed.id()), Standing::Accepted { .. }));
    let Standing::Unknown { refusal_if_absent: Some(_), retryable: true, .. } = standing(&ledger, refused.id()) else {
        panic!("it may have been offered once more")
    };
    ledger.looked_up("s", vec![(refused.id(), Finding::Absent)]).unwrap();
    assert!(matches!(standing(&ledger, refused.id()), Standing::Rejected { .. }));
    // July was over when that was seen, by the real clock; and a run may have taken a later time for now.
    ledger.freeze(Vec::new(), vec![proposal(july(), "late")]).unwrap();
    assert!(is_unknown(&ledger, proposal(july(), "late").key.id()));
    // Another exporter may have billed it, or be in doubt of it, as of any other new one.
    ledger.append(vec![Entry::TakenOver { charges: vec![proposal(july(), "late").key.id()] }]).unwrap();
    let reason = "listed".to_owned();
    ledger.append(vec![Entry::Doubted { charges: vec![over], reason, deadline: 0 }]).unwrap();
}

#[test]
fn a_person_may_say_what_a_lost_ledger_sent() {
    let place = Place::new();
    let (mut ledger, over, later) = begun(&place);
    let say = |ledger: &Ledger, id, verdict| {
        let charge = ledger.state().charge(&id).unwrap();
        let quantity = charge.charge().quantity();
        let reason = "their portal".to_owned();
        charge.can_be_resolved(verdict, jiff::Timestamp::now()).map(|()| Entry::Resolved {
            charge: id,
            verdict,
            quantity,
            reason,
            by: None,
        })
    };
    say(&ledger, later, Verdict::Billed).unwrap_err();
    let entry = say(&ledger, over, Verdict::NotBilled).unwrap();
    ledger.append(vec![entry]).unwrap();
    let charge = ledger.state().charge(&over).unwrap();
    assert!(charge.is_denied() && matches!(charge.standing(), Standing::Pending { reason: Some(_) }));
    say(&ledger, over, Verdict::Billed).unwrap_err();
    ledger.freeze(Vec::new(), vec![proposal(june(), "other")]).unwrap();
    let entry = say(&ledger, proposal(june(), "other").key.id(), Verdict::Billed).unwrap();
    ledger.append(vec![entry]).unwrap();
    assert!(ledger.state().charge(&proposal(june(), "other").key.id()).unwrap().is_final());
}

#[test]
fn a_run_that_was_superseded_by_another_pipelines_may_send_all_the_same() {
    let place = Place::new();
    let (mut ledger, over, _) = begun(&place);
    let charge = charges(ledger.state());
    ledger.begin_attempt(("s", None), &charge, MINUTE).unwrap();
    drop(ledger);
    let other = Identity { pipeline: "q".to_owned(), ..identity() };
    let mut ledger = Ledger::open(&place.at(), &other, &Claim::at_once("r2")).unwrap();
    ledger.append(vec![Entry::Superseded { holder: "r1".to_owned() }]).unwrap();
    drop(ledger);
    assert!(place.read().charge(&over).unwrap().may_leave_until().is_some());
}
