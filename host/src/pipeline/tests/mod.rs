//! Properties of every history of usage: objects that come late, change, are copied or go away, records that cannot be used, what the guard
//! holds and what people decide of it, beside a service and runs that fail. What a run comes to is worked out, written down and delivered by
//! the real code; the bucket and the service are simulated, and a separate model knows what is owed.
//!
//! | file | subject |
//! |---|---|
//! | `usage` | the bucket, and what is read of it |
//! | `world` | runs, people, and what is checked after each move |

mod usage;
mod world;

use proptest::prelude::*;

use self::usage::Usage;
use self::world::World;
use super::deliver::tests::faults::{Fault, faults};
use super::deliver::tests::histories;

/// What a history is about.
#[derive(Debug, Clone)]
struct Story {
    /// Whether late usage is carried, or held.
    carries: bool,
    /// Whether what is left of rounding goes to the next charge; else quantities are whole.
    rounds: bool,
    dedupe: bool,
    guarded: bool,
    /// Whether what differs by the dimension alone makes one record of the service.
    joins_tags: bool,
    moves: Vec<Move>,
}

#[derive(Debug, Clone)]
enum Move {
    /// An object comes, or another version of it.
    Put(u8, Vec<Usage>),
    /// It goes away.
    Remove(u8),
    /// The same records stand in another object as well.
    Copy(u8, u8),
    Run(Run),
    /// A person says something of what is kept back, of which the first number picks one.
    Decide(u8, Word),
    /// A window is to be computed once more.
    Reopen(u8),
    /// A person says what became of each charge that they can speak of.
    Say,
}

/// What a person says of something that is kept back.
#[derive(Debug, Clone, Copy)]
enum Word {
    Release,
    Billed,
    Waive,
}

#[derive(Debug, Clone)]
struct Run {
    /// How many hours after the last move.
    after: u8,
    faults: Vec<Fault>,
    /// After how many failpoints it crashes.
    crash: Option<u16>,
}

fn usage() -> impl Strategy<Value = Usage> {
    let day = prop_oneof![4 => 0..2u8, 1 => 2..4u8];
    // Mostly whole; a record that cannot be used is rare.
    (day, 0..2u8, 0..2u8, 1..30u8, prop::bool::weighted(0.15), 0..40u8).prop_map(
        |(day, customer, dimension, quantity, is_bad, id)| Usage { day, customer, dimension, quantity, is_bad, id },
    )
}

fn story() -> impl Strategy<Value = Story> {
    let run = (0..30u8, prop_oneof![2 => Just(Vec::new()), 1 => faults()], prop::option::weighted(0.2, 0..40u16));
    let run = run.prop_map(|(after, faults, crash)| Move::Run(Run { after, faults, crash }));
    let word = prop::sample::select(vec![Word::Release, Word::Billed, Word::Waive]);
    let put =
        || (0..5u8, prop::collection::vec(usage(), 1..5)).prop_map(|(object, records)| Move::Put(object, records));
    let decide = (any::<u8>(), word).prop_map(|(which, word)| Move::Decide(which, word));
    // Chance alone seldom brings a word about something that changes right after it.
    let overtaken = (put(), decide.clone(), put()).prop_map(|(before, decide, after)| {
        let run = Move::Run(Run { after: 25, faults: Vec::new(), crash: None });
        vec![before, run.clone(), decide, after, run]
    });
    let one = prop_oneof![
        8 => run.prop_map(|one| vec![one]),
        6 => put().prop_map(|one| vec![one]),
        1 => (0..5u8).prop_map(|object| vec![Move::Remove(object)]),
        2 => (0..5u8, 5..8u8).prop_map(|(from, to)| vec![Move::Copy(from, to)]),
        4 => decide.prop_map(|one| vec![one]),
        3 => overtaken,
        1 => (0..4u8).prop_map(|number| vec![Move::Reopen(number)]),
        1 => Just(vec![Move::Say]),
    ];
    let first = prop::collection::vec(usage(), 1..5).prop_map(|records| Move::Put(0, records));
    let flags = (prop::bool::weighted(0.75), any::<bool>(), any::<bool>(), prop::bool::weighted(0.4));
    (flags, first, prop::collection::vec(one, 2..12)).prop_map(|((carries, rounds, dedupe, guarded), first, more)| {
        Story {
            carries,
            rounds,
            dedupe,
            guarded,
            joins_tags: false,
            moves: std::iter::once(first).chain(more.into_iter().flatten()).collect(),
        }
    })
}

proptest! {
    #![proptest_config(histories(400))]

    #[test]
    fn whatever_becomes_of_usage_each_of_it_is_billed_once_or_accounted_for(story in story()) {
        let mut world = World::new(&story);
        for step in &story.moves {
            world.makes(step);
        }
        world.ends();
    }

    #[test]
    fn whatever_becomes_of_usage_what_makes_one_record_is_frozen_and_offered_as_a_whole(story in story()) {
        // Of a record the service says one thing.
        let is_whole = |fault: &Fault| !matches!(fault, Fault::HalfAnswered(..) | Fault::Spoiled { .. });
        let mut world = World::new(&Story { joins_tags: true, ..story.clone() });
        for step in &story.moves {
            match step {
                Move::Run(run) => {
                    let faults = run.faults.iter().filter(|fault| is_whole(fault)).cloned().collect();
                    world.makes(&Move::Run(Run { faults, ..run.clone() }));
                }
                step => world.makes(step),
            }
        }
        world.ends();
    }
}
