//! A service that keeps one record for all charges that differ only in their tags: what makes one record is never parted.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::{Arrival, Claim};
use super::*;

/// Three tags of each of these customers on the first day, and so many records a call.
fn three_tags(customers: u8, charges_per_call: usize) -> World {
    let owed = (0..customers).flat_map(|customer| (0..3).map(move |tag| (0, customer, tag))).collect();
    let story =
        Story { refuses_second: true, joins_tags: true, tells: false, charges_per_call, owed, moves: Vec::new() };
    World::new(&story, Resolution::Replay)
}

fn run(after: u16, faults: Vec<Fault>) -> Move {
    Move::Run(Run { after, faults, blind: Vec::new(), crash: None, wakes: None, is_patient: true })
}

/// How many charges each call had of each customer.
fn calls(world: &World) -> Vec<Vec<usize>> {
    let by_customer = |call: &Vec<_>| {
        let mut count = BTreeMap::<String, usize>::new();
        let count_one = |offer: &crate::model::service::Offer| *count.entry(offer.customer.clone()).or_default() += 1;
        call.iter().for_each(count_one);
        count.into_values().collect()
    };
    world.books.borrow().calls.iter().map(by_customer).collect()
}

#[test]
fn a_call_counts_records_and_not_charges() {
    let mut world = three_tags(30, 25);
    world.makes(&run(1500, Vec::new()));
    assert_eq!(calls(&world), [vec![3; 25], vec![3; 5]]);
}

#[test]
fn a_refused_call_is_halved_between_records_until_one_stands_alone() {
    let mut world = three_tags(4, 25);
    let refused = vec![Fault::Refused; 3];
    world.makes(&run(1500, refused));
    assert_eq!(calls(&world), [vec![3; 4], vec![3; 2], vec![3], vec![3], vec![3; 2]]);
    let words = |word: &str| world.model.charges().filter(|(_, known)| known.word() == word).count();
    assert_eq!((words("accepted"), words("rejected")), (9, 3));
}

#[test]
fn a_call_without_an_answer_shrinks_by_records() {
    let mut world = three_tags(4, 25);
    world.makes(&run(1500, vec![Fault::Unanswered(Arrival::Never, Claim::Failed); 3]));
    assert_eq!(calls(&world)[..3], [vec![3; 4], vec![3; 2], vec![3; 2]]);
    assert_eq!(calls(&world)[3..], [vec![3], vec![3], vec![3], vec![3]]);
    assert!(world.model.charges().all(|(_, known)| known.word() == "accepted"));
}

/// What can go wrong with whole calls: of a record the service says one thing.
fn of_whole_calls(story: Story) -> Story {
    let is_whole = |fault: &Fault| !matches!(fault, Fault::HalfAnswered(..) | Fault::Spoiled { .. });
    let moves = story.moves.into_iter().filter(|step| !matches!(step, Move::Displace(_)));
    let moves = moves.map(|step| match step {
        Move::Run(mut run) => {
            run.faults.retain(is_whole);
            Move::Run(run)
        }
        other => other,
    });
    Story { joins_tags: true, moves: moves.collect(), ..story }
}

proptest! {
    #![proptest_config(histories(200))]

    #[test]
    fn whatever_happens_to_calls_a_record_is_offered_with_the_same_charges_each_time(story in story()) {
        for resolution in [Resolution::Replay, Resolution::LookUp] {
            let story = of_whole_calls(story.clone());
            let mut world = World::new(&story, resolution);
            for step in &story.moves {
                world.makes(step);
            }
            world.ends();
            let mut records: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
            for call in &world.books.borrow().calls {
                let mut own: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
                for offer in call {
                    own.entry((offer.window, offer.customer.clone())).or_default().insert(offer.id.clone());
                }
                for (place, ids) in own {
                    let before = records.entry(place.clone()).or_insert_with(|| ids.clone());
                    prop_assert_eq!(&*before, &ids, "a record was parted: {:?}", place);
                }
            }
        }
    }
}
