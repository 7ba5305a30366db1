//! What generated histories have found, told plainly.

use super::faults::{Arrival, Claim, Spoilt};
use super::*;

/// A service with one charge, of the first day.
fn one_charge(resolution: Resolution, refuses_second: bool) -> World {
    let (joins_tags, owed) = (false, vec![(0, 0, 0)]);
    let story = Story { refuses_second, joins_tags, tells: true, charges_per_call: 1, owed, moves: Vec::new() };
    World::new(&story, resolution)
}

fn run(after: u16, faults: Vec<Fault>, blind: Vec<Blind>) -> Move {
    Move::Run(Run { after, faults, blind, crash: None, wakes: None, is_patient: false })
}

/// How the charge stands.
fn word(world: &World) -> &'static str {
    world.model.charges().next().unwrap().1.word()
}

#[test]
fn what_was_refused_while_an_earlier_call_was_under_way_is_found_once_that_has_arrived() {
    let mut world = one_charge(Resolution::LookUp, true);
    world.makes(&run(0, Vec::new(), Vec::new()));
    world.makes(&run(1400, vec![Fault::Unanswered(Arrival::Late(50), Claim::Failed)], Vec::new()));
    assert_eq!(word(&world), "pending", "it is not in the books yet");
    let refused =
        Fault::Spoiled { each: vec![Spoilt::Refused { retryable: false }], reversed: false, of_another: false };
    world.makes(&run(0, vec![refused], Vec::new()));
    assert_eq!(word(&world), "rejected");
    world.makes(&run(1, Vec::new(), Vec::new()));
    assert_eq!(word(&world), "accepted");
}

#[test]
fn a_look_up_that_speaks_twice_of_a_charge_does_not_come_before_it_is_sent() {
    // The day is over when the ledger is new: one that is lost may have sent it.
    let mut world = one_charge(Resolution::LookUp, false);
    world.makes(&run(1400, Vec::new(), vec![Blind::Doubled, Blind::CannotTell]));
    assert_eq!(word(&world), "pending");
    world.makes(&run(0, Vec::new(), Vec::new()));
    assert_eq!(word(&world), "accepted");
}

#[test]
fn a_ledger_that_lost_its_end_down_to_the_last_entry_is_begun_anew() {
    let mut world = one_charge(Resolution::LookUp, true);
    let crash = Run { after: 0, faults: Vec::new(), blind: Vec::new(), crash: Some(0), wakes: None, is_patient: false };
    // It ends before the first entry is written, and what is put back later is what it left.
    world.makes(&Move::Run(crash));
    world.makes(&run(0, Vec::new(), Vec::new()));
    world.makes(&run(1400, Vec::new(), Vec::new()));
    assert_eq!(word(&world), "accepted");
    world.makes(&Move::LoseEnd(1));
    world.makes(&run(0, Vec::new(), Vec::new()));
    assert_eq!(word(&world), "accepted", "it is found in the books");
}
