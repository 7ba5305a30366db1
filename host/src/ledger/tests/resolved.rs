//! What a person says: of which charges it can be said, when, and what it is bound to.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::ledger::{FoldError, NoSuchCharge, NotToResolve, Sought, Statement};
use Verdict::{Billed, NotBilled};

fn statement(state: &State, charge: &Charge, verdict: Verdict) -> Statement {
    let of = state.charge(&charge.id()).unwrap().clone();
    Statement { of, verdict, reason: "seen".to_owned(), by: None }
}

/// A ledger whose run was killed in the middle of a call that may take so long.
fn killed(place: &Place, deadline: Duration) -> Charge {
    let (mut ledger, charges) = frozen(place, &["a"]);
    ledger.begin_attempt(("s", None), &charges, deadline).unwrap();
    charges[0].clone()
}

#[test]
fn it_is_written_after_a_run_that_was_killed_in_the_middle_of_a_call() {
    for (verdict, word) in [(Billed, "by hand"), (NotBilled, "pending")] {
        let place = Place::new();
        let charge = killed(&place, Duration::ZERO);
        let statement = statement(&place.read(), &charge, verdict);
        assert_eq!(statement.write(&place.at(), &identity(), &Claim::at_once("r2")).unwrap(), Ok(()));
        assert_eq!(standing(&place.read(), &charge).word(), word);
        // The next run can go on.
        let mut ledger = place.open("r3");
        ledger.append(vec![intent(&[june()])]).unwrap();
        assert_eq!(ledger.begin_attempt(("s", None), &[charge], MINUTE).is_ok(), verdict == NotBilled);
    }
}

#[test]
fn that_it_is_not_billed_cannot_be_said_before_its_call_is_over() {
    let place = Place::new();
    let before = Timestamp::now();
    let charge = killed(&place, MINUTE);
    let state = place.read();
    let Ok(Err(NotToResolve::TooEarly(over))) =
        statement(&state, &charge, NotBilled).write(&place.at(), &identity(), &Claim::at_once("r2"))
    else {
        panic!("it was written")
    };
    assert!(over >= before + SignedDuration::from_secs(59) && over <= Timestamp::now() + SignedDuration::from_secs(60));
    let state = state.charge(&charge.id()).unwrap();
    assert_eq!(
        state.can_be_resolved(NotBilled, over - SignedDuration::from_millis(1)),
        Err(NotToResolve::TooEarly(over))
    );
    assert_eq!(state.can_be_resolved(NotBilled, over), Ok(()));
    assert_eq!(state.can_be_resolved(Billed, before), Ok(()));
}

#[test]
fn what_changed_since_it_was_shown_is_not_resolved() {
    let place = Place::new();
    let charge = killed(&place, Duration::ZERO);
    let statement = statement(&place.read(), &charge, NotBilled);
    let mut ledger = place.open("r2");
    ledger.append(vec![intent(&[june()])]).unwrap();
    ledger.looked_up("s", vec![(charge.id(), crate::model::outcome::Finding::Found(record("2")))]).unwrap();
    drop(ledger);
    let written = statement.write(&place.at(), &identity(), &Claim::at_once("r3")).unwrap();
    assert_eq!(written, Err(NotToResolve::Final("accepted".to_owned())));
}

#[test]
fn it_is_bound_to_the_charge_and_its_quantity() {
    let place = Place::new();
    let charge = killed(&place, Duration::ZERO);
    let mut ledger = place.open("r2");
    let Entry::Resolved { charge: id, verdict, reason, by, .. } = said(&charge, Billed) else { panic!() };
    let other = Decimal::parse("3").unwrap();
    let error = ledger.append(vec![Entry::Resolved { charge: id, verdict, quantity: other, reason, by }]).unwrap_err();
    let LedgerError::Refused { cause, .. } = error else { panic!("{error}") };
    assert_eq!(cause, FoldError::OtherQuantity(id));
}

#[test]
fn a_charge_that_was_said_not_to_be_billed_waits_for_no_call_that_is_over() {
    let place = Place::new();
    let charge = killed(&place, Duration::ZERO);
    let mut ledger = place.open("r2");
    ledger.append(vec![said(&charge, NotBilled)]).unwrap();
    let state = ledger.state().charge(&charge.id()).unwrap();
    assert!(state.may_be_sent_before() && state.is_denied(), "a sink that can be asked is asked first");
    assert!(state.is_surely_not_billed() && !state.is_listed());
    ledger.append(vec![intent(&[june()])]).unwrap();
    ledger.begin_attempt(("s", None), &[charge], MINUTE).unwrap();
}

#[test]
fn what_a_person_says_is_billed_is_final_and_listed() {
    let place = Place::new();
    let charge = killed(&place, MINUTE);
    let mut ledger = place.open("r2");
    ledger.append(vec![said(&charge, Billed)]).unwrap();
    let state = ledger.state().charge(&charge.id()).unwrap();
    assert!(state.is_final() && state.is_listed() && !state.is_unresolved() && state.last_over().is_none());
    assert_eq!(state.standing().reason().unwrap(), "billed, as said by a person (kim): it stands in their portal");
    ledger.settle("s", june()).unwrap();
}

#[test]
fn a_charge_is_found_by_the_beginning_of_its_id() {
    let place = Place::new();
    let names: Vec<String> = (0..3000).map(|number| format!("c{number}")).collect();
    let (ledger, charges) = frozen(&place, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let find = |text: &str| ledger.state().find(&text.parse::<Sought>().unwrap()).map(|found| found.charge().id());
    let id = charges[7].id();
    assert_eq!(find(&id.to_string()), Ok(id));
    assert_eq!(find(&id.to_string()[..12].to_uppercase()), Ok(id));
    // Of so many, two begin alike.
    let mut beginnings: Vec<String> = charges.iter().map(|charge| charge.id().to_string()[..4].to_owned()).collect();
    beginnings.sort();
    let twice = beginnings.windows(2).find(|pair| pair[0] == pair[1]).unwrap()[0].clone();
    let several = find(&twice).unwrap_err();
    assert!(matches!(&several, NoSuchCharge::Several { count: 2.., .. }), "{several}");
    assert!(several.to_string().contains("(2025-06: 2 of d for c"), "{several}");
    let mut slip = id.to_string().into_bytes();
    slip.swap(10, 11);
    slip[20] = if slip[20] == b'0' { b'1' } else { b'0' };
    let near = find(str::from_utf8(&slip).unwrap()).unwrap_err();
    assert!(near.to_string().ends_with(&format!("; near it are {id} (2025-06: 2 of d for c7)")), "{near}");
}
